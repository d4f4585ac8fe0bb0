// Package keyspace is every Redis key we use: its name, type, value, lifetime. No I/O.
//
// Form: prefix:noun:{tag}[:facet]. Readings are tagged by their shard cell, so that they spread over a cluster; cases and all else that
// one script must touch are tagged by the jurisdiction.
package keyspace

import (
	"strings"
	"time"

	"kentongan/geo"
)

// Keys makes the keys of one jurisdiction (the profile's slug) under one prefix.
type Keys struct{ Prefix, Jurisdiction string }

// New gives the keys of a jurisdiction under the house's prefix.
func New(jurisdiction string) Keys { return Keys{"kt", jurisdiction} }

// Row is one line of the table that the tests hold us to.
type Row struct{ Pattern, Type, Value, Lifetime, Writer, Readers string }

// Lifetimes of keys; a key without one has its reason in Table.
const (
	SessionLifetime  = 12 * time.Hour
	SignInLifetime   = 24 * time.Hour
	KeyUsesLifetime  = 26 * time.Hour   // of one hour's counts: the last 24 h are asked for
	DeviceCodeLife   = 10 * time.Minute // of a code that a device shows
	SessionSeen      = 24 * time.Hour   // longer than any session
	PendingSignIn    = 5 * time.Minute  // between password and second factor
	TriesLifetime    = 24 * time.Hour
	EnrolLifetime    = 10 * time.Minute // to scan a code of a new second factor
	PasskeyLifetime  = 5 * time.Minute  // of a challenge to a passkey
	FlightLifetime   = 10 * time.Minute // of a sign-in that is under way at a provider
	PendingLifetime  = 24 * time.Hour   // an Update or Cancel that came before what it names
	CaseStreamLength = 100_000          // approximate: what a screen can resume from
	DefaultRetention = 72 * time.Hour   // of readings
	// SimulatorLifetime of the runs of scenarios, from the last that was started or stopped.
	SimulatorLifetime = 7 * 24 * time.Hour
	LeaseLifetime     = 8 * time.Second
	StatusLifetime    = time.Hour // of what a server that is gone said of its feeds
	// ContractLifetime of what is learned of a feed, from the last time it said something.
	ContractLifetime   = 90 * 24 * time.Hour
	QuarantineLifetime = 31 * 24 * time.Hour // of what is held of a feed: a day beyond contract.Lifetime, so that whoever ends it can say so
	FeedLifetime       = 30 * 24 * time.Hour
	FeedLinks          = 20_000 // that are remembered of a feed
	// OutboxLifetime of a message that was sent or is dead: so long it can be read, and sent again.
	OutboxLifetime = 7 * 24 * time.Hour
	// TicketLifetime of the code by which a report is followed: longer than anything may be disputed.
	TicketLifetime = 400 * 24 * time.Hour
)

// Table lists every key. A test runs the demo feeds and fails on any key that is not here.
var Table = []Row{
	{"kt:reading:{CELL}", "stream", "blobs of readings (protobuf, geo/index)", "trimmed by retention.readings; whole key expires after it", "geo/index", "geo/index"},
	{"kt:last:{CELL}", "hash", "Thing id -> last state (protobuf)", "none: the last state stays until the Thing is removed", "geo/index", "geo/index"},
	{"kt:shards", "set", "shard cells that hold Things", "none: bounded by the area", "geo/index", "geo/index"},
	{"kt:live", "channel", "what a commit wrote to a shard (protobuf, geo/index); on a cluster names of new shards", "none: not kept", "geo/index", "geo/index"},
	{"kt:live:{CELL}", "channel", "on a cluster: what a commit wrote to the shard", "none: not kept", "geo/index", "geo/index"},
	{"kt:epoch", "string", "id of this store's life", "none: a new one means the store came back empty", "server/app", "server/app, server/hub"},
	{"kt:seal:{J}", "string", "id of the key of secret_key_file that seals: servers with another file do not start", "none: one value", "server/app", "server/app"},
	{"kt:sealed:{J}", "string", "id of the key with which everything is sealed", "none: one value", "server/app", "server/app"},
	{"kt:alert:{J}:ID", "hash", "rev, doc (JSON, v=1)", "retention class alerts", "alerts/store", "alerts/store"},
	{"kt:alerts:{J}", "zset", "alert ids by received time", "as alert", "alerts/store", "alerts/store"},
	{"kt:alerts-active:{J}", "set", "ids of active alerts", "none: bounded by what is active", "alerts/store", "alerts/store"},
	{"kt:alert-key:{J}:KEY", "string", "alert id by identity or event key", "30 days beyond its expiry", "alerts/store", "alerts/store"},
	{"kt:alert-pending:{J}:KEY", "string", "message that supersedes what has not come yet", "PendingLifetime", "alerts/store", "alerts/store"},
	{"kt:firing:{J}:RULE", "hash", "Thing id -> alert id, while a rule fires", "none: bounded by Things", "alerts/store", "alerts/store"},
	{"kt:firing-rules:{J}", "set", "ids of rules that have fired", "none: bounded by rules", "alerts/store", "alerts/store"},
	{"kt:rules-state:{J}", "hash", "part of what the rules' engine holds at rules-seen -> bytes (alerts/rules, v=1); :cases the offset of kt:case judged; #ahead/SECOND keys of readings judged beyond rules-seen", "none: as many parts as rules and Things that they look at", "alerts/store", "server/ingest"},
	{"kt:rule-config:{J}", "hash", "rule -> what it says, as made through the interface (JSON, v=1); :revision grows with each change", "none: until the rule is removed", "alerts/store", "server/app"},
	{"kt:rule-versions:{J}:ID", "hash", "version -> what the rule said then (JSON, v=1)", "none: the last 20, to see who changed what and to go back", "alerts/store", "server/app"},
	{"kt:rules-seen:{J}", "string", "ms: readings received before it have been judged by the rules", "none: one value", "alerts/store", "server/ingest"},
	{"kt:report:{J}:ID", "hash", "rev, doc (JSON, v=1)", "retention class reports", "alerts/store", "alerts/store"},
	{"kt:ticket:{J}:CODE", "string", "id of the report that goes by the code", "TicketLifetime after it was made; a code whose report is gone opens nothing", "alerts/store", "alerts/store"},
	{"kt:ticket-of:{J}:ID", "string", "the code of a report", "TicketLifetime after it was made", "alerts/store", "alerts/store"},
	{"kt:reports:{J}", "zset", "report ids by received time", "as report", "alerts/store", "alerts/store"},
	{"kt:reports-open:{J}", "zset", "ids of reports that nobody closed, by received time", "none: those of the last day; older ones are cut with each report", "alerts/store", "alerts/store"},
	{"kt:contact:{J}:ID", "hash", "rev, doc (JSON, v=1), own (JSON): salt of its hashes in the log", "none: until somebody deletes it, MostContacts at most", "alerts/store", "alerts/store"},
	{"kt:contacts:{J}", "set", "ids of contacts", "none: MostContacts at most", "alerts/store", "alerts/store"},
	{"kt:call:{J}:ID", "string", "a call that rings or has rung, its number masked (JSON, v=1)", "report.CallLife after its last change", "alerts/store", "alerts/store"},
	{"kt:calls:{J}", "zset", "call ids by ms of their last change", "none: those of the last quarter of an hour; older ones are cut with each call", "alerts/store", "alerts/store"},
	{"kt:call-number:{J}:ID", "string", "the number of a call, sealed", "report.CallLife from its ring", "server/privacy", "server/privacy"},
	{"kt:reporter:{J}:REPORT", "hash", "who gave a report: record (JSON, v=1), closed (under the reporter's data key); gone: record alone", "retention class reporters; the mark of one that is gone as long as the report", "server/privacy", "server/privacy"},
	{"kt:reporter-key:{J}", "hash", "report id -> the data key of its reporter, sealed; erasing it erases the reporter", "as the reporter", "server/privacy", "server/privacy"},
	{"kt:reporter-call:{J}:REF", "zset", "report ids of one person by ms, under a keyed hash of the telephone number", "as the reporters within", "server/privacy", "server/privacy"},
	{"kt:reporter-shown:{J}:REPORT", "list", "who has seen the reporter whole (JSON), the last 100", "as the report", "server/privacy", "server/privacy"},
	{"kt:reporter-match:{J}", "string", "the key of those hashes, sealed", "none: one value", "server/privacy", "server/privacy"},
	{"kt:reporters:{J}", "zset", "ids of reports whose reporter is kept, by ms", "as the reporter", "server/privacy", "server/privacy"},
	{"kt:reveal:{J}:SUBJECT", "string", "how many reporters somebody has seen whole within the hour", "an hour", "server/privacy", "server/privacy"},
	{"kt:retention:{J}", "hash", "class of data -> how long two persons have agreed to keep it (JSON, v=1)", "none: one value a class", "server/privacy", "server/privacy"},
	{"kt:incident:{J}:ID", "hash", "rev, doc (JSON, v=1)", "retention class incidents", "alerts/store", "alerts/store"},
	{"kt:opened-once:{J}:HASH", "string", "DIGEST ID: the incident that somebody opened under an Idempotency-Key, and what they said of it", "as the keys of incidents: 7 days", "alerts/store", "alerts/store"},
	{"kt:incidents:{J}", "zset", "incident ids by opened time", "as incident", "alerts/store", "alerts/store"},
	{"kt:incidents-open:{J}", "set", "ids of open incidents", "none: bounded by what is open", "alerts/store", "alerts/store"},
	{"kt:blobs:{J}", "set", "SUM incident: files of data_dir/blob that incidents need", "as incident", "alerts/store", "alerts/store"},
	{"kt:figures:{J}", "zset", "incident ids by the ms of their first signal", "as incident", "alerts/store", "alerts/store"},
	{"kt:figure-case:{J}", "hash", "incident id -> what figures need of it (alerts/figures, v=2)", "as incident", "alerts/store", "alerts/store"},
	{"kt:figures-made:{J}", "string", "version in which every incident is in kt:figure-case", "none: one value", "alerts/store", "alerts/store"},
	{"kt:suggestion:{J}:ID", "hash", "rev, doc (JSON, v=1)", "retention class suggestions", "alerts/store", "alerts/store"},
	{"kt:suggestions:{J}", "zset", "suggestion ids by the ms at which they were made", "as suggestion", "alerts/store", "alerts/store"},
	{"kt:suggestions-offered:{J}", "set", "ids of suggestions that wait for somebody", "none: bounded by what stands", "alerts/store", "alerts/store"},
	{"kt:number:{J}:YEAR", "string", "last incident number of the year; SIM-YEAR: of simulated ones", "none: one value a year", "alerts/store", "alerts/store"},
	{"kt:plan:{J}:ID", "hash", "rev, doc (JSON, v=1)", "retention class plans", "alerts/store", "alerts/store"},
	{"kt:plans:{J}", "zset", "plan ids by the ms at which they begin", "as plan", "alerts/store", "alerts/store"},
	{"kt:plans-standing:{J}", "set", "ids of plans that are planned or running", "none: bounded by what stands", "alerts/store", "alerts/store"},
	{"kt:unit:{J}:ID", "hash", "rev, doc (JSON, v=1)", "none: bounded by the roster", "alerts/store", "alerts/store"},
	{"kt:units:{J}", "set", "ids of units", "none: bounded by the roster", "alerts/store", "alerts/store"},
	{"kt:dispatch:{J}:ID", "hash", "rev, doc (JSON, v=1), own (JSON): Idempotency-Keys with their answers", "retention class dispatches", "alerts/store", "alerts/store"},
	{"kt:dispatches:{J}", "zset", "dispatch ids by the ms at which they were offered", "as dispatch", "alerts/store", "alerts/store"},
	{"kt:dispatches-open:{J}", "set", "ids of dispatches that bind their unit", "none: bounded by the units", "alerts/store", "alerts/store"},
	{"kt:webhook:{J}", "hash", "id -> a program that is told of what happens (JSON, alerts/notify, v=1), its secret sealed", "none: until it is removed", "alerts/store", "alerts/store"},
	{"kt:push:{J}", "hash", "id -> a browser that takes Web Push (JSON, alerts/notify, v=1)", "none: until it ends it, or its push service says that it is gone", "alerts/store", "alerts/store"},
	{"kt:push-key:{J}", "string", "private key of VAPID (RFC 8292), sealed", "none: with another every browser subscribes anew", "server/outbox", "server/outbox"},
	{"kt:outbox:{J}", "zset", "messages to be sent, as RECEIVER id, by ms of their next try", "none: until they are sent or dead", "alerts/store", "alerts/store"},
	{"kt:outbox-message:{J}:ID", "string", "one message to one receiver (JSON, alerts/notify)", "none: while it is tried; OutboxLifetime after that", "alerts/store", "alerts/store"},
	{"kt:outbox-log:{J}:RECEIVER", "zset", "ids of messages to a receiver by ms when they were made", "none: those of OutboxLifetime; older ones are cut with each message", "alerts/store", "alerts/store"},
	{"kt:statement:{J}:ID", "hash", "rev, doc (JSON, v=1)", "retention class statements", "alerts/store", "alerts/store"},
	{"kt:statements:{J}", "zset", "statement ids by the ms at which they were stated", "as statement", "alerts/store", "alerts/store"},
	{"kt:statements-in-force:{J}", "set", "ids of statements in force", "none: bounded by what stands", "alerts/store", "alerts/store"},
	{"kt:statement-standing:{J}", "hash", "real or simulated, scale and subject -> id of the statement in force", "none: bounded by what stands", "alerts/store", "alerts/store"},
	{"kt:status:{J}:ID", "hash", "rev, doc (JSON, v=1): the level of the area for a hazard, its proposal, and what the engine remembers", "none: one a hazard and plane", "alerts/store", "alerts/store"},
	{"kt:statuses:{J}", "set", "ids of statuses", "none: bounded by the hazards", "alerts/store", "alerts/store"},
	{"kt:status-history:{J}:ID", "zset", "what became of a status (JSON), by number", "none: the last 500 of each", "alerts/store", "alerts/store"},
	{"kt:alarm:{J}:ID", "hash", "rev, doc (JSON, v=1), own (JSON, alerts/alarm)", "retention class alarms", "alerts/store", "alerts/store"},
	{"kt:alarms:{J}", "zset", "alarm ids by the ms at which they were raised", "as alarm", "alerts/store", "alerts/store"},
	{"kt:alarms-open:{J}", "set", "ids of alarms that stand, presented or not", "none: bounded by what stands", "alerts/store", "alerts/store"},
	{"kt:alarms-shown:{J}", "set", "ids of alarms that stand and that screens know of", "none: bounded by what stands", "alerts/store", "alerts/store"},
	{"kt:alarms-shelved:{J}", "hash", "alarm id -> desk that has shelved it; :revision grows with each", "none: bounded by the desks", "alerts/store", "alerts/store"},
	{"kt:alarm-governor:{J}", "hash", "memo: floods of a day (JSON, alerts/alarm); health: figures of alarms (JSON)", "none: one value each", "alerts/store", "alerts/store"},
	{"kt:case:{J}", "stream", "type, id, doc of every change of a case; id is OFFSET-0", "retention class changes; CaseStreamLength entries at most", "alerts/store", "server/hub"},
	{"kt:case-mark:{J}", "zset", "offsets of kt:case by the ms at which it had come so far", "an hour beyond retention class changes", "alerts/store", "alerts/store"},
	{"kt:case-reader:{J}", "hash", "reader (alarm, fusion, status, dispatch) -> offset of kt:case up to which it has dealt with the cases", "none: one value a reader", "alerts/store", "alerts/store"},
	{"kt:case-offset:{J}", "string", "last offset of kt:case", "none: one value", "alerts/store", "server/hub"},
	{"kt:audit:{J}", "stream", "canonical record of every act; id is SEQ-0", "none: the log is never cut", "alerts/store", "server/api"},
	{"kt:audit-kept:{J}", "hash", "object -> salt:hash of an account, key, device, rule or feed as its last record left it; :baseline since when every one has such", "none: one value an object, and it goes with the object", "server/book", "server/book, alerts/store"},
	{"kt:audit-words:{J}", "hash", "hash in a record -> what a person wrote of the act (JSON, alerts/audit)", "retention class words; erased before it where somebody may ask that", "alerts/store", "alerts/store"},
	{"kt:audit-seq:{J}", "string", "last sequence of kt:audit", "none: one value", "alerts/store", "alerts/store"},
	{"kt:audit-tile:{J}", "hash", "LEVEL/INDEX -> the hashes of a tile of the log (alerts/audit/tree), the widest so far", "none: the log is never cut", "alerts/store", "alerts/store"},
	{"kt:audit-checkpoint:{J}", "string", "the log's last signed checkpoint, with its cosignatures", "none: one value", "alerts/store", "alerts/store"},
	{"kt:audit-checkpoints:{J}", "zset", "the first checkpoint of each hour, by size", "none: the log is never cut", "alerts/store", "alerts/store"},
	{"kt:audit-signer:{J}", "string", "the log's name and secret key, sealed", "none: with another the log is another", "server/auditlog", "server/auditlog"},
	{"kt:session:{J}:HASH", "string", "who a cookie stands for (JSON)", "SessionLifetime, or as sign_in.session says", "server/auth", "server/auth"},
	{"kt:sessions:{J}:SUBJECT", "zset", "hashes of somebody's sessions, by ms when they end", "as the last of them", "server/auth", "server/auth"},
	{"kt:session-seen:{J}", "zset", "hashes of sessions, by ms when they were last seen, to the minute", "SessionSeen, each", "server/auth", "server/auth"},
	{"kt:pending:{J}:HASH", "hash", "a sign-in that waits for its second factor: doc (JSON), tries", "PendingSignIn", "server/auth", "server/auth"},
	{"kt:tries:{J}:HASH", "hash", "failed tries of an account, a browser or an address: n, until (ms)", "TriesLifetime after the last", "server/auth", "server/auth"},
	{"kt:sign-in:HASH", "string", "who a one-time link signs in (JSON)", "SignInLifetime", "server/auth", "server/auth"},
	{"kt:person:{J}", "hash", "account id -> the account, with what shows who it is (JSON, v=1)", "none: bounded by the people", "server/people", "server/people, server/auth"},
	{"kt:person-login:{J}", "hash", "login -> account id", "as person", "server/people", "server/people"},
	{"kt:person-change:{J}", "string", "mark of the last change of any account", "none: one value", "server/people", "server/auth"},
	{"kt:change:{J}", "hash", "change id -> what one person has proposed and another must approve (JSON, v=1)", "none: what is decided is dropped after 90 days", "server/people", "server/people"},
	{"kt:enrol:{J}:ID", "string", "sealed secret of codes that an account sets up", "EnrolLifetime", "server/people", "server/people"},
	{"kt:passkey:{J}:HASH", "string", "a challenge to a passkey (JSON)", "PasskeyLifetime", "server/people", "server/people"},
	{"kt:flight:{J}:HASH", "string", "a sign-in under way at a provider: nonce, PKCE verifier (JSON)", "FlightLifetime", "server/oidc", "server/oidc"},
	{"kt:provider-session:{J}:ID", "string", "session at a provider: account, sid, id_token (sealed JSON)", "SessionLifetime", "server/oidc", "server/oidc"},
	{"kt:provider-sid:{J}:HASH", "hash", "provider's sid -> ids of sessions at it, with their accounts", "SessionLifetime after the last", "server/oidc", "server/oidc"},
	{"kt:key:{J}", "hash", "key id -> the key, with the hash of its secret (JSON, v=1)", "none: bounded by the keys alive; a revoked one stays 90 days", "server/auth", "server/auth"},
	{"kt:key-used:{J}", "hash", "key id -> when it was used last", "as key", "server/auth", "server/auth"},
	{"kt:key-change:{J}", "string", "mark of the last change of any key", "none: one value", "server/auth", "server/auth"},
	{"kt:key-uses:{J}:HOUR", "hash", "key id -> how often it was shown within an hour", "KeyUsesLifetime", "server/auth", "server/auth"},
	{"kt:key-rate:{J}:ID", "string", "of a key with a rate: microseconds at which its deliveries so far are paid for", "until then", "server/auth", "server/auth"},
	{"kt:device:{J}", "hash", "device id -> a wall, field device or gateway, with the hash of its secret or the serials of its certificates (JSON, v=1)", "none: bounded by the devices; one that is removed stays 90 days", "server/devices", "server/devices"},
	{"kt:device-change:{J}", "string", "mark of the last change of any device", "none: one value", "server/devices", "server/devices"},
	{"kt:device-seen:{J}", "hash", "device id -> when, from where and with what it was here last (JSON)", "as device", "server/devices", "server/devices"},
	{"kt:device-pending:{J}", "hash", "hash of a code -> a device that asks to be let in (JSON)", "DeviceCodeLife", "server/devices", "server/devices"},
	{"kt:device-tries:{J}:WHO", "string", "how many wrong codes somebody gave", "DeviceCodeLife after the first", "server/devices", "server/devices"},
	{"kt:authority:{J}", "string", "fingerprint of the certificate authority of the first server that had one", "none: one value", "server/app", "server/app"},
	{"kt:serial-denied:{J}", "zset", "serials of certificates that were taken back, by the ms of their end", "each until its end", "server/devices", "server/devices"},
	{"kt:once:{J}:HASH", "string", "a signature that counts once", "as long as it would be taken again", "server/auth", "server/auth"},
	{"kt:session-ended:{J}", "zset", "hashes of sessions that ended before their time, by ms, for servers that missed the word", "SessionLifetime after the last", "server/app", "server/app"},
	{"kt:lease:{J}:NAME", "string", "holder of a feed's or the evaluator's lease", "LeaseLifetime, renewed", "alerts/store", "alerts/store, server/app"},
	{"kt:fence:{J}:NAME", "string", "token of the lease's newest holder; grows with each", "none: one value a lease", "alerts/store", "alerts/store"},
	{"kt:confirm:{J}", "string", "written only so that a replica can confirm what came before it", "none: one value", "alerts/store, geo/index", "nobody"},
	{"kt:feed-status:{J}", "hash", "server -> the feeds it drives or receives (JSON)", "StatusLifetime, a server's field too", "server/app", "server/app"},
	{"kt:wall:{J}", "hash", "device id of a wall -> what it is set to (JSON)", "none: until the wall is removed or its device forgotten", "alerts/store, server/walls, server/devices", "server/walls"},
	{"kt:wall-report:{J}", "hash", "device id of a wall -> what it says of itself, and when (JSON)", "as wall; each is written anew every 30 s", "server/walls, server/devices", "server/walls"},
	{"kt:feed-config:{J}", "hash", "feed -> its settings as made through the interface (JSON, v=1); :revision grows with each change", "none: until the feed is removed", "alerts/store", "server/app"},
	{"kt:feed-versions:{J}:NAME", "hash", "version -> settings at that time (JSON, v=1)", "none: the last 20, to see who changed what", "alerts/store", "server/app"},
	{"kt:announce:{J}", "channel", "word between servers: a session has ended", "none: nothing is kept", "server/app", "server/app"},
	{"kt:simulator:{J}", "hash", "run id -> the run of a scenario (JSON)", "SimulatorLifetime after the last order", "server/app", "server/app"},
	{"kt:contract:{J}:NAME", "hash", "rev, doc (JSON, feeds/contract): what is expected of a feed", "ContractLifetime", "server/app", "server/app"},
	{"kt:contracts:{J}", "hash", "rev:NAME -> rev of a feed's contract; held:NAME -> how much of it is held, until when (JSON)", "ContractLifetime", "server/app", "server/app"},
	{"kt:quarantine:{J}:NAME", "hash", "id -> a cause for which deliveries are held (JSON, feeds/contract), at most contract.MostCauses; rev, step of the last change; key, sealed, that closes what is held", "QuarantineLifetime", "server/app", "server/app"},
	{"kt:quarantine-body:{J}:ID", "stream", "the deliveries of a cause: m (JSON), and closed bytes: c as they came, d gzip (b, z: of before, open); id is NUMBER-0", "QuarantineLifetime", "server/app", "server/app"},
	{"kt:feed:{J}:NAME", "hash", "of a feed, over restarts and for every server: last success, learned interval; of its poll: validators, cursor", "FeedLifetime after the last change", "server/app", "server/app"},
	{"kt:feed-link:{J}:NAME", "zset", "hashes of links of a feed whose content never changes, by ms when they were fetched", "FeedLifetime, each; FeedLinks at most", "server/app", "server/app"},
}

func (k Keys) plain(noun string) string        { return k.Prefix + ":" + noun }
func (k Keys) tagged(noun, tag string) string  { return k.Prefix + ":" + noun + ":{" + tag + "}" }
func (k Keys) ours(noun string) string         { return k.tagged(noun, k.Jurisdiction) }
func (k Keys) facet(noun, facet string) string { return k.ours(noun) + ":" + facet }
func shard(c geo.Cell) string {
	if c == 0 {
		return "unplaced"
	}
	return c.Parent(geo.ResShard).String()
}

// Readings is the stream of the shard that holds the cell; zero is the shard of Things without a place.
func (k Keys) Readings(c geo.Cell) string { return k.tagged("reading", shard(c)) }

// Last is the hash of last states of the shard that holds the cell.
func (k Keys) Last(c geo.Cell) string { return k.tagged("last", shard(c)) }

// Shards is the set of shard names in use (Shard of each).
func (k Keys) Shards() string { return k.plain("shards") }

// Shard is the name of the shard that holds the cell, as kept in Shards.
func (k Keys) Shard(c geo.Cell) string { return shard(c) }

// Live is the channel on which servers tell each other of commits; on a cluster, of shards that are new.
func (k Keys) Live() string { return k.plain("live") }

// LiveShard is the sharded channel of a shard's commits on a cluster.
func (k Keys) LiveShard(c geo.Cell) string { return k.tagged("live", shard(c)) }

// Epoch of the store.
func (k Keys) Epoch() string { return k.plain("epoch") }

// Seal is the mark of secret_key_file.
func (k Keys) Seal() string { return k.ours("seal") }

// Sealed is the key with which everything is sealed.
func (k Keys) Sealed() string { return k.ours("sealed") }

// Alert by id.
func (k Keys) Alert(id string) string { return k.facet("alert", id) }

// Alerts by received time.
func (k Keys) Alerts() string { return k.ours("alerts") }

// AlertsActive is the set of active alerts.
func (k Keys) AlertsActive() string { return k.ours("alerts-active") }

// AlertKey finds an alert by one of its names.
func (k Keys) AlertKey(name string) string { return k.facet("alert-key", name) }

// AlertPending is a message waiting for the one it names.
func (k Keys) AlertPending(name string) string { return k.facet("alert-pending", name) }

// Firing is where a rule fires.
func (k Keys) Firing(rule string) string { return k.facet("firing", rule) }

// FiringRules is the set of rules that have fired.
func (k Keys) FiringRules() string { return k.ours("firing-rules") }

// RulesState is what the rules' engine holds at the checkpoint.
func (k Keys) RulesState() string { return k.ours("rules-state") }

// RuleConfig is the rules that were made through the interface.
func (k Keys) RuleConfig() string { return k.ours("rule-config") }

// RuleVersions is what they said before.
func (k Keys) RuleVersions(id string) string { return k.facet("rule-versions", id) }

// RulesSeen is the rules' checkpoint.
func (k Keys) RulesSeen() string { return k.ours("rules-seen") }

// Report by id.
func (k Keys) Report(id string) string { return k.facet("report", id) }

// Ticket is the report that goes by a code.
func (k Keys) Ticket(code string) string { return k.facet("ticket", code) }

// TicketOf is the code of a report.
func (k Keys) TicketOf(report string) string { return k.facet("ticket-of", report) }

// Reports by received time.
func (k Keys) Reports() string { return k.ours("reports") }

// ReportsOpen is the open ones of the last day, by received time.
func (k Keys) ReportsOpen() string { return k.ours("reports-open") }

// Reporter of a report.
func (k Keys) Reporter(report string) string { return k.facet("reporter", report) }

// ReporterKey is the data keys of reporters.
func (k Keys) ReporterKey() string { return k.ours("reporter-key") }

// ReporterCall is the reports of one person.
func (k Keys) ReporterCall(ref string) string { return k.facet("reporter-call", ref) }

// ReporterShown is who has seen the reporter of a report.
func (k Keys) ReporterShown(report string) string { return k.facet("reporter-shown", report) }

// ReporterMatch is the key that callers are matched with.
func (k Keys) ReporterMatch() string { return k.ours("reporter-match") }

// Contact by id.
func (k Keys) Contact(id string) string { return k.facet("contact", id) }

// Contacts is the set of every contact.
func (k Keys) Contacts() string { return k.ours("contacts") }

// Call by id.
func (k Keys) Call(id string) string { return k.facet("call", id) }

// Calls by their last change.
func (k Keys) Calls() string { return k.ours("calls") }

// CallNumber is the sealed number of a call.
func (k Keys) CallNumber(id string) string { return k.facet("call-number", id) }

// Reporters by time.
func (k Keys) Reporters() string { return k.ours("reporters") }

// Reveal counts what a subject has seen of reporters.
func (k Keys) Reveal(subject string) string { return k.facet("reveal", subject) }

// Retention is how long classes of data are kept, where that was changed.
func (k Keys) Retention() string { return k.ours("retention") }

// Incident by id.
func (k Keys) Incident(id string) string { return k.facet("incident", id) }

// OpenedOnce is which incident somebody opened under an Idempotency-Key; hash is of both.
func (k Keys) OpenedOnce(hash string) string { return k.facet("opened-once", hash) }

// Incidents by opened time.
func (k Keys) Incidents() string { return k.ours("incidents") }

// Blobs is the set of files that incidents need.
func (k Keys) Blobs() string { return k.ours("blobs") }

// IncidentsOpen is the set of open incidents.
func (k Keys) IncidentsOpen() string { return k.ours("incidents-open") }

// Figures is the index of incidents by their first signal.
func (k Keys) Figures() string { return k.ours("figures") }

// FigureCase holds what figures need of each incident.
func (k Keys) FigureCase() string { return k.ours("figure-case") }

// FiguresMade tells in which version that index is whole.
func (k Keys) FiguresMade() string { return k.ours("figures-made") }

// Suggestion by id.
func (k Keys) Suggestion(id string) string { return k.facet("suggestion", id) }

// Suggestions by when they were made.
func (k Keys) Suggestions() string { return k.ours("suggestions") }

// SuggestionsOffered is the set of those that wait for somebody.
func (k Keys) SuggestionsOffered() string { return k.ours("suggestions-offered") }

// Number is the counter of a local year.
func (k Keys) Number(year string) string { return k.facet("number", year) }

// Unit by id.
func (k Keys) Unit(id string) string { return k.facet("unit", id) }

// Units is the set of every unit.
func (k Keys) Units() string { return k.ours("units") }

// Dispatch by id.
func (k Keys) Dispatch(id string) string { return k.facet("dispatch", id) }

// Dispatches by when they were offered.
func (k Keys) Dispatches() string { return k.ours("dispatches") }

// DispatchesOpen is the set of dispatches that bind their unit.
func (k Keys) DispatchesOpen() string { return k.ours("dispatches-open") }

// Webhook is the programs that are told of what happens.
func (k Keys) Webhook() string { return k.ours("webhook") }

// Push is the browsers that take Web Push.
func (k Keys) Push() string { return k.ours("push") }

// PushKey is the private key by which push services know us.
func (k Keys) PushKey() string { return k.ours("push-key") }

// Outbox is what is to be sent.
func (k Keys) Outbox() string { return k.ours("outbox") }

// OutboxMessage is one message by id.
func (k Keys) OutboxMessage(id string) string { return k.facet("outbox-message", id) }

// OutboxLog is what was sent to a receiver.
func (k Keys) OutboxLog(to string) string { return k.facet("outbox-log", to) }

// Plan by id.
func (k Keys) Plan(id string) string { return k.facet("plan", id) }

// Plans by when they begin.
func (k Keys) Plans() string { return k.ours("plans") }

// PlansStanding is the set of plans that are planned or running.
func (k Keys) PlansStanding() string { return k.ours("plans-standing") }

// Statement by id.
func (k Keys) Statement(id string) string { return k.facet("statement", id) }

// Statements by when they were stated.
func (k Keys) Statements() string { return k.ours("statements") }

// StatementsInForce is the set of statements in force.
func (k Keys) StatementsInForce() string { return k.ours("statements-in-force") }

// StatementStanding is which statement stands for a scale and subject.
func (k Keys) StatementStanding() string { return k.ours("statement-standing") }

// Status of the area by id.
func (k Keys) Status(id string) string { return k.facet("status", id) }

// Statuses is the set of them.
func (k Keys) Statuses() string { return k.ours("statuses") }

// StatusHistory is what became of a status.
func (k Keys) StatusHistory(id string) string { return k.facet("status-history", id) }

// Alarm by id.
func (k Keys) Alarm(id string) string { return k.facet("alarm", id) }

// Alarms by when they were raised.
func (k Keys) Alarms() string { return k.ours("alarms") }

// AlarmsOpen is the set of alarms that stand.
func (k Keys) AlarmsOpen() string { return k.ours("alarms-open") }

// AlarmsShown is the set of those that screens know of.
func (k Keys) AlarmsShown() string { return k.ours("alarms-shown") }

// AlarmsShelved is which desk has shelved what.
func (k Keys) AlarmsShelved() string { return k.ours("alarms-shelved") }

// AlarmGovernor is what the governor of alarms remembers, and its figures.
func (k Keys) AlarmGovernor() string { return k.ours("alarm-governor") }

// Case is the stream of case changes.
func (k Keys) Case() string { return k.ours("case") }

// CaseMark is how far it had come at which time.
func (k Keys) CaseMark() string { return k.ours("case-mark") }

// CaseReader is how far each reader of the case stream is.
func (k Keys) CaseReader() string { return k.ours("case-reader") }

// CaseOffset is its last offset.
func (k Keys) CaseOffset() string { return k.ours("case-offset") }

// Object names what a document's key holds, as the audit log does: incident:01J… for kt:incident:{J}:01J….
func Object(key string) string {
	parts := strings.SplitN(key, ":", 4)
	if len(parts) < 4 {
		return key
	}
	return parts[1] + ":" + parts[3]
}

// Document is the key of an object with a document of its own: Object the other way round.
func Document(k Keys, object string) string {
	noun, id, _ := strings.Cut(object, ":")
	return k.facet(noun, id)
}

// KeptNouns are objects that are fields of one hash, and whose hashes the audit log has.
var KeptNouns = []string{"person", "key", "device", "rule", "feed"}

// Kept is the hash and the field of such an object; an empty key: it is another one.
func Kept(k Keys, object string) (key, field string) {
	noun, id, _ := strings.Cut(object, ":")
	switch noun {
	case "person":
		return k.Person(), id
	case "key":
		return k.Key(), id
	case "device":
		return k.Device(), id
	case "rule":
		return k.RuleConfig(), id
	case "feed":
		return k.FeedConfig(), id
	}
	return "", ""
}

// Audit is the stream of audit records.
func (k Keys) Audit() string { return k.ours("audit") }

// AuditTile is the tiles of the log.
func (k Keys) AuditTile() string { return k.ours("audit-tile") }

// AuditCheckpoint is the log's last checkpoint.
func (k Keys) AuditCheckpoint() string { return k.ours("audit-checkpoint") }

// AuditCheckpoints is one of each hour.
func (k Keys) AuditCheckpoints() string { return k.ours("audit-checkpoints") }

// AuditSigner is the log's key.
func (k Keys) AuditSigner() string { return k.ours("audit-signer") }

// AuditWords is what people wrote of the acts.
func (k Keys) AuditWords() string { return k.ours("audit-words") }

// BaselineField is the field of AuditKept that says that all of them are there; no object has this name.
const BaselineField = ":baseline"

// AuditKept is salts and hashes of what is no document of its own: accounts, keys, devices, rules, feeds.
func (k Keys) AuditKept() string { return k.ours("audit-kept") }

// AuditSeq is its last sequence number.
func (k Keys) AuditSeq() string { return k.ours("audit-seq") }

// Session by the hash of its id.
func (k Keys) Session(hash string) string { return k.facet("session", hash) }

// Sessions of a subject, by hash.
func (k Keys) Sessions(subject string) string { return k.facet("sessions", subject) }

// SessionSeen is when each session was last seen.
func (k Keys) SessionSeen() string { return k.ours("session-seen") }

// Pending is a sign-in that waits for its second factor, by the hash of its ticket.
func (k Keys) Pending(hash string) string { return k.facet("pending", hash) }

// Tries counts failed tries, by the hash of whose they are.
func (k Keys) Tries(hash string) string { return k.facet("tries", hash) }

// SignIn by the hash of its code.
func (k Keys) SignIn(hash string) string { return k.plain("sign-in:" + hash) }

// Person is the hash of accounts.
func (k Keys) Person() string { return k.ours("person") }

// PersonLogin finds an account by its login.
func (k Keys) PersonLogin() string { return k.ours("person-login") }

// PersonChange is the mark of the last change of any account.
func (k Keys) PersonChange() string { return k.ours("person-change") }

// Enrol is the secret of codes that an account sets up.
func (k Keys) Enrol(person string) string { return k.facet("enrol", person) }

// Passkey is a challenge by the hash of its ticket.
func (k Keys) Passkey(hash string) string { return k.facet("passkey", hash) }

// Flight is a sign-in under way at a provider, by the hash of the browser's cookie and of its state.
func (k Keys) Flight(hash string) string { return k.facet("flight", hash) }

// ProviderSession is a session at a provider, by our id of it.
func (k Keys) ProviderSession(id string) string { return k.facet("provider-session", id) }

// ProviderSID finds it by the provider's id of it.
func (k Keys) ProviderSID(hash string) string { return k.facet("provider-sid", hash) }

// Change is what one person has proposed and another must approve.
func (k Keys) Change() string { return k.ours("change") }

// Key is the hash of keys.
func (k Keys) Key() string { return k.ours("key") }

// KeyUsed is when each key was used last.
func (k Keys) KeyUsed() string { return k.ours("key-used") }

// KeyChange is the mark of the last change of any key.
func (k Keys) KeyChange() string { return k.ours("key-change") }

// KeyUses is how often keys were shown within an hour.
func (k Keys) KeyUses(hour string) string { return k.facet("key-uses", hour) }

// KeyRate is what is left of a key's rate.
func (k Keys) KeyRate(id string) string { return k.facet("key-rate", id) }

// Device is the hash of devices.
func (k Keys) Device() string { return k.ours("device") }

// DeviceChange is the mark of the last change of any device.
func (k Keys) DeviceChange() string { return k.ours("device-change") }

// DeviceSeen is when each device was here last.
func (k Keys) DeviceSeen() string { return k.ours("device-seen") }

// DevicePending is the devices that ask to be let in.
func (k Keys) DevicePending() string { return k.ours("device-pending") }

// DeviceTries counts the wrong codes that somebody gave.
func (k Keys) DeviceTries(who string) string { return k.facet("device-tries", who) }

// Authority is the fingerprint of the certificate authority that the servers share.
func (k Keys) Authority() string { return k.ours("authority") }

// SerialDenied is the certificates that were taken back.
func (k Keys) SerialDenied() string { return k.ours("serial-denied") }

// Once is what may count once, by its hash.
func (k Keys) Once(hash string) string { return k.facet("once", hash) }

// Lease by name.
func (k Keys) Lease(name string) string { return k.facet("lease", name) }

// Fence is the token of a lease.
func (k Keys) Fence(name string) string { return k.facet("fence", name) }

// Confirm is written so that a replica can confirm what came before.
func (k Keys) Confirm() string { return k.ours("confirm") }

// SessionEnded names the sessions that ended before their time.
func (k Keys) SessionEnded() string { return k.ours("session-ended") }

// FeedStatus is what every server says of its feeds.
func (k Keys) FeedStatus() string { return k.ours("feed-status") }

// Wall is what every wall is set to.
func (k Keys) Wall() string { return k.ours("wall") }

// WallReport is what walls say of themselves.
func (k Keys) WallReport() string { return k.ours("wall-report") }

// FeedConfig is the settings of feeds that were made through the interface.
func (k Keys) FeedConfig() string { return k.ours("feed-config") }

// FeedVersions is what they were before.
func (k Keys) FeedVersions(name string) string { return k.facet("feed-versions", name) }

// Announce is the sharded channel of the servers' word to each other.
func (k Keys) Announce() string { return k.ours("announce") }

// Simulator is the runs of the simulated city.
func (k Keys) Simulator() string { return k.ours("simulator") }

// FeedLink is the links of a feed that were fetched.
func (k Keys) FeedLink(name string) string { return k.facet("feed-link", name) }

// Feed is what a feed remembers over restarts.
func (k Keys) Feed(name string) string { return k.facet("feed", name) }

// Contract is what is expected of a feed.
func (k Keys) Contract(feed string) string { return k.facet("contract", feed) }

// Contracts is what every server must know of all contracts.
func (k Keys) Contracts() string { return k.ours("contracts") }

// Quarantine is what is held of a feed.
func (k Keys) Quarantine(feed string) string { return k.facet("quarantine", feed) }

// QuarantineBody is the deliveries that are held for a cause.
func (k Keys) QuarantineBody(id string) string { return k.facet("quarantine-body", id) }
