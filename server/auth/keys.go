package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/book"
)

// Scope is what a key is for. Its rights follow from it, and are not kept: a key means what its scope means today.
type Scope string

// The scopes (INTERFACES, section 4).
const (
	ScopeIngest     Scope = "ingest"     // brings the bytes of one feed
	ScopeRead       Scope = "read"       // reads what a wall shows
	ScopeMetrics    Scope = "metrics"    // reads /metrics
	ScopeAutomation Scope = "automation" // does what needs no person
)

// Scopes lists them.
func Scopes() []Scope { return []Scope{ScopeIngest, ScopeRead, ScopeMetrics, ScopeAutomation} }

// Actions of a scope; an unknown scope has none.
func (s Scope) Actions() []access.Action {
	switch s {
	case ScopeIngest:
		return []access.Action{access.Ingest}
	case ScopeRead:
		return []access.Action{access.ReadThings, access.ReadUnits, access.ReadAlerts, access.ReadAlarms, access.ReadPlans, access.ReadStatus, access.ReadIncidents, access.ReadReports, access.ReadFeeds, access.ReadRules}
	case ScopeMetrics:
		return []access.Action{access.Metrics}
	case ScopeAutomation:
		return slices.DeleteFunc(access.Actions(), func(a access.Action) bool { return slices.Contains(personal, a) })
	default:
		return nil
	}
}

// personal is what only a person may do, or the admin token: who lets others in, who reads what was kept apart or what people did, and who
// looks whether an incident is over before it is closed, and which officer answers for a level of the area or for what an authority has said.
var personal = []access.Action{access.WriteKeys, access.ReadPeople, access.WritePeople, access.Witness, access.WriteDevices, access.ReadPrivacy, access.WritePrivacy, access.Approve,
	access.Reveal, access.ViewCameras, access.TakeCalls, access.ReadAudit, access.CloseIncident, access.StaffDesk, access.Declare, access.Propose, access.Confirm, access.SteerWalls}

// Bounds of keys.
const (
	keysAlive  = 10_000              // keys alive at once; one more is refused
	keyName    = 100                 // bytes of a name
	keyHistory = 90 * 24 * time.Hour // how long a key that has ended is listed; the audit log keeps it for ever
	keyUsed    = time.Minute         // how often the use of a key is written, at the most
)

// Errors of making and revoking a key.
var (
	ErrNoKey = errors.New("no key has this id")
	ErrKeys  = fmt.Errorf("%d keys are alive; revoke one first", keysAlive)
)

// KeyFault is what a new key may not be. Field is the JSON field at fault.
type KeyFault = fault.Fault

// Key is a key as people see it. The secret is known to whoever carries the token, and to nobody else.
type Key struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Feed       string      `json:"feed" doc:"The feed that a key with scope ingest brings; empty: any that its agency allows"`
	Agency     string      `json:"agency" doc:"Slug; deliveries by this key feed only feeds of this agency; empty: any"`
	Scope      Scope       `json:"scope" enum:"ingest,read,metrics,automation"`
	Ranges     []string    `json:"ranges" doc:"Addresses from which it may be shown (CIDR); empty: from anywhere"`
	Rate       int         `json:"rate" doc:"Deliveries a minute, over all servers; 0: as many as come"`
	CreatedAt  moment.Time `json:"created_at"`
	CreatedBy  string      `json:"created_by"`
	ExpiresAt  moment.Time `json:"expires_at" doc:"null: it has no end"`
	Replaces   string      `json:"replaces,omitempty" doc:"Id of the key that this one was made for by rotation"`
	ReplacedBy string      `json:"replaced_by,omitempty" doc:"Id of the next key; this one lives until expires_at"`
	RevokedAt  moment.Time `json:"revoked_at" doc:"null: alive"`

	LastUsedAt   moment.Time `json:"last_used_at" doc:"To the minute; null: never used"`
	LastUsedFrom string      `json:"last_used_from" doc:"Address of the client; empty: not known"`
	Uses24h      int64       `json:"uses_24h" doc:"How often it was shown or brought something in the last 24 h, to the hour"`
	Marks        []KeyMark   `json:"marks" doc:"What somebody should look at: never_used, idle, old, expires_soon, expired"`
}

// keptKey is a key as the store holds it. Hash is SHA-256 of the secret, which has 256 random bits: it needs no slow hash. Keys made before
// there were agencies, ranges, rates and ends have none.
type keptKey struct {
	V int `json:"v"`
	Key
	Hash string `json:"hash"`

	nets []netip.Prefix // Ranges, read
}

// identity is who a key stands for. Its session ends with the key, and the sockets with it.
func (k *keptKey) identity() Identity {
	id := Of(access.Subject{ID: "key:" + k.ID, Actions: k.Scope.Actions(), Feed: k.Feed, Agency: k.Agency}, k.Name, time.Time{})
	id.Role, id.Via, id.Session, id.Key, id.Agency = "key", ViaKey, KeySession(k.ID), k.ID, k.Agency
	return id
}

// from tells whether the key may be shown from an address.
func (k *keptKey) from(address string) bool {
	if len(k.nets) == 0 {
		return true
	}
	ip, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(k.nets, func(p netip.Prefix) bool { return p.Contains(ip.Unmap().WithZone("")) })
}

// KeySession is what Identity.Session says of everyone who shows the key: whoever ends sockets of a session ends those of a key by it.
func KeySession(id string) string { return keySession + id }

const keySession = "key:"

// tokenPrefix begins every token, so that a leaked one is found by those who look for such.
const tokenPrefix = "kt_"

// splitToken takes kt_<id>_<secret> apart; false for anything else.
func splitToken(token string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return "", "", false
	}
	id, secret, _ = strings.Cut(rest, "_") // an id is a ULID and has none, a secret may
	if _, err := ulid.ParseStrict(id); err != nil || !wellFormed(secret) {
		return "", "", false
	}
	return id, secret, true
}

// MakeKey makes a key, and gives the token, which is told once: only the hash of its secret is kept. Whether there is such a feed, and whose
// it is, the caller knows. The act names who asks. Errors: *KeyFault, ErrKeys, ErrUnavailable.
func (a *Auth) MakeKey(ctx context.Context, k Key, act Act) (Key, string, error) {
	if err := k.check(a.now()); err != nil {
		return Key{}, "", err
	}
	if err := a.roomForKey(ctx); err != nil {
		return Key{}, "", err
	}
	kept, token, err := a.drawKey(k, act)
	if err != nil {
		return Key{}, "", err
	}
	act.Action, act.Object, act.Reason = "key.made", "key:"+kept.ID, kept.says()
	if err := a.keepKeys(book.With(ctx, act.Record()), kept); err != nil {
		return Key{}, "", errors.Join(err, a.takeBack(ctx, kept.ID))
	}
	if err := a.recordKey(ctx, act); err != nil {
		return Key{}, "", err // nobody has heard the secret: the key opens nothing
	}
	return kept.shown(a.now()), token, nil
}

// drawKey gives a new key its id, its secret and its beginning.
func (a *Auth) drawKey(k Key, act Act) (keptKey, string, error) {
	plain, err := secret()
	if err != nil {
		return keptKey{}, "", err
	}
	k.ID, k.CreatedAt, k.CreatedBy, k.RevokedAt, k.ReplacedBy = ulid.Make().String(), moment.Of(a.now()), act.Actor.Subject, moment.Time{}, ""
	return keptKey{V: 1, Key: k, Hash: hash(plain)}, tokenPrefix + k.ID + "_" + plain, nil
}

// RevokeKey ends a key for good, at every server within keyFresh. Revoking twice is no error, and each time is audited: who hears of a
// failure tries again until both are kept. Errors: ErrNoKey, ErrUnavailable.
func (a *Auth) RevokeKey(ctx context.Context, id string, act Act) error {
	raw, err := a.rdb.HGet(ctx, a.keys.Key(), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return ErrNoKey
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var k keptKey // even one that this version cannot read whole must be possible to revoke
	if err := json.Unmarshal(raw, &k); err != nil {
		return fmt.Errorf("key %s: %w", id, err)
	}
	act.Action, act.Object, act.Reason = "key.revoked", "key:"+id, fmt.Sprintf("%q", k.Name)
	if !k.RevokedAt.IsZero() {
		return a.note(ctx, act)
	}
	k.RevokedAt = moment.Of(a.now())
	if err := a.keepKeys(book.With(ctx, act.Record()), k); err != nil {
		return err
	}
	return a.recordKey(ctx, act)
}

// keepKeys writes keys together with the mark of a change, by which every server knows that what it remembers is old.
func (a *Auth) keepKeys(ctx context.Context, keys ...keptKey) error {
	err := a.book.Write(ctx, a.rdb, func(p redis.Pipeliner) error { return a.putKeys(ctx, p, keys...) })
	a.ring.forget()
	if err != nil {
		return fmt.Errorf("%w: keep key %s: %w", ErrUnavailable, keys[0].ID, err)
	}
	return nil
}

// putKeys is one part of a transaction.
func (a *Auth) putKeys(ctx context.Context, p redis.Pipeliner, keys ...keptKey) error {
	for _, k := range keys {
		k.LastUsedAt, k.LastUsedFrom, k.Uses24h, k.Marks = moment.Time{}, "", 0, nil // they stand elsewhere
		doc, err := json.Marshal(k)
		if err != nil {
			return err
		}
		book.Keep(ctx, p, "key", k.ID, doc)
		p.HSet(ctx, a.keys.Key(), k.ID, doc)
	}
	p.Set(ctx, a.keys.KeyChange(), ulid.Make().String(), 0)
	return nil
}

// Forget drops what is known of keys and devices: another server has said that one is revoked.
func (a *Auth) Forget() {
	a.ring.forget()
	if a.devices != nil {
		a.devices.Forget()
	}
}

// recordKey keeps an act whose step had no book to write it in.
func (a *Auth) recordKey(ctx context.Context, act Act) error {
	if a.book != nil {
		return nil
	}
	return a.note(ctx, act)
}

// note keeps an act in the audit log, or says that it did not: an act that leaves no trace does not count as done.
func (a *Auth) note(ctx context.Context, act Act) error {
	if a.audit == nil {
		return nil
	}
	if err := a.audit(ctx, act); err != nil {
		return fmt.Errorf("%w: the audit log: %w", ErrUnavailable, err)
	}
	return nil
}

// roomForKey counts the keys alive, and forgets those that were revoked long ago.
func (a *Auth) roomForKey(ctx context.Context) error {
	all, err := a.Keys(ctx)
	if err != nil {
		return err
	}
	alive := 0
	var old []string
	for _, k := range all {
		switch ended := k.endedAt(a.now()); {
		case ended.IsZero():
			alive++
		case a.now().Sub(ended) > keyHistory:
			old = append(old, k.ID)
		}
	}
	if alive >= keysAlive {
		return ErrKeys
	}
	if len(old) == 0 {
		return nil
	}
	err = a.book.Write(ctx, a.rdb, func(p redis.Pipeliner) error {
		for _, id := range old {
			book.Keep(ctx, p, "key", id, nil)
		}
		p.HDel(ctx, a.keys.Key(), old...)
		p.HDel(ctx, a.keys.KeyUsed(), old...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: forget old keys: %w", ErrUnavailable, err)
	}
	return nil
}

// FeedKey tells who a sender of a feed is, by a key of that feed or its agency, a key for automation, or the admin token. From is the
// client's address. The key of another feed is refused and audited. Errors: ErrDenied, ErrTooMany, ErrUnavailable.
func (a *Auth) FeedKey(ctx context.Context, feed, token, from string) (Identity, error) {
	asked := a.feedAsked(feed)
	id, err := a.byToken(ctx, token, tried{asked.Route, from, asked.Path})
	if err != nil {
		return Identity{}, err
	}
	if d := a.MayFeed(id, feed); !d.Allowed() {
		a.forbid(ctx, id, from, asked, "needs a key of this feed: "+d.Reason)
		return Identity{}, ErrDenied
	}
	return id, nil
}

// mostFeedName is how much of a name that no feed has is kept, in bytes.
const mostFeedName = 100

// feedAsked is what a sender asks for by a feed's name. A name that no feed has is anybody's text, and goes with the words beside the record.
func (a *Auth) feedAsked(feed string) Asked {
	if a.knows == nil || a.knows(feed) {
		return Asked{Route: "feed:" + feed}
	}
	return Asked{"feed elsewhere", "feed:" + strings.ToValidUTF8(feed[:min(len(feed), mostFeedName)], "\uFFFD")}
}

// Knows says which feeds there are. Call it before anybody is let in.
func (a *Auth) Knows(feed func(name string) bool) { a.knows = feed }

// MayFeed tells whether somebody may bring the bytes of a feed. HTTP and the broker ask it alike.
func (a *Auth) MayFeed(id Identity, feed string) access.Decision {
	o := access.Object{Noun: "feed", Feed: feed}
	if a.agencyOf != nil && id.Who.Agency != "" { // nobody else is asked whose the feed is, and there are many deliveries
		if agency := a.agencyOf(feed); agency != "" {
			o.Agencies = []string{agency}
		}
	}
	return id.May(access.Ingest, o, a.now())
}

// Owners says whose a feed is, by the slug of its agency; empty where nobody knows. Call it before anybody is let in.
func (a *Auth) Owners(agencyOf func(feed string) string) { a.agencyOf = agencyOf }

// KeyAlive tells whether a key that was shown before still holds; a live session that goes on asks it, and it counts as use. What it
// answers is at most keyFresh old. The empty id, of the admin token, is always alive. Errors: ErrUnavailable.
func (a *Auth) KeyAlive(ctx context.Context, id string) (bool, error) {
	if id == "" {
		return true, nil
	}
	_, err := a.key(ctx, id)
	switch {
	case errors.Is(err, ErrDenied):
		return false, nil
	case err != nil:
		return false, err
	}
	a.used(ctx, id, "", 0)
	return true, nil
}

// byKey tells whom a key stands for. What is no key at all is denied without asking the store. Who shows a good key from where it may not
// be shown hears what a wrong key hears, and the log says which key it was.
func (a *Auth) byKey(ctx context.Context, token string, t tried) (Identity, error) {
	id, plain, ok := splitToken(token)
	if !ok {
		return Identity{}, a.fail(ctx, t, "token")
	}
	k, err := a.key(ctx, id)
	switch {
	case errors.Is(err, errKeyExpired):
		return Identity{}, a.refuse(ctx, t, "key "+id+" has expired")
	case errors.Is(err, ErrDenied):
		return Identity{}, a.fail(ctx, t, "key "+id)
	case err != nil:
		return Identity{}, err
	}
	given := sha256.Sum256([]byte(plain))
	kept, err := hex.DecodeString(k.Hash)
	if err != nil || subtle.ConstantTimeCompare(given[:], kept) != 1 {
		return Identity{}, a.fail(ctx, t, "key "+id)
	}
	if !k.from(t.from) {
		a.forbid(ctx, k.identity(), t.from, Asked{t.object, t.path}, "the key is good, and shown from an address outside its ranges")
		return Identity{}, a.refuse(ctx, t, "key "+id+" is shown from an address outside its ranges")
	}
	a.used(ctx, id, t.from, 1)
	return k.identity(), nil
}

// key gives a key that is alive. Errors: ErrDenied where there is none or it is revoked, errKeyExpired, ErrUnavailable.
func (a *Auth) key(ctx context.Context, id string) (*keptKey, error) {
	k, err := a.keyOf(ctx, id)
	if err == nil && !k.ExpiresAt.IsZero() && !a.now().Before(k.ExpiresAt.Time) {
		return nil, errKeyExpired
	}
	return k, err
}

var errKeyExpired = fmt.Errorf("%w: it has expired", ErrDenied)

func (a *Auth) keyOf(ctx context.Context, id string) (*keptKey, error) {
	mark, err := a.keyMark(ctx)
	if err != nil {
		return nil, err
	}
	if k := a.ring.known(id, mark); k != nil {
		return k, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	raw, err := a.rdb.HGet(ctx, a.keys.Key(), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, ErrDenied
	}
	if err != nil {
		return nil, fmt.Errorf("%w: key %s: %w", ErrUnavailable, id, err)
	}
	k, err := readKey(raw)
	if err != nil || k.ID != id || !k.RevokedAt.IsZero() {
		if a.now().Sub(k.RevokedAt.Time) < 10*time.Second { // who read it just before must not bring it back
			a.ring.forget()
		}
		return nil, ErrDenied
	}
	a.ring.remember(&k, mark)
	return &k, nil
}

// readKey reads what the store holds of a key. A range that cannot be read lets nobody in: it must not open what it should bound.
func readKey(raw []byte) (keptKey, error) {
	var k keptKey
	if err := json.Unmarshal(raw, &k); err != nil {
		return keptKey{}, err
	}
	if k.V != 1 {
		return keptKey{}, fmt.Errorf("key of version %d", k.V)
	}
	nets, _, err := readRanges(k.Ranges)
	if err != nil {
		return keptKey{}, err
	}
	k.nets = nets
	return k, nil
}

// marked is a mark, when the question for it began, and in which life of the ring.
type marked struct {
	mark string
	at   time.Time
	life uint64
}

// keyMark is the mark of the last change of any key, at most keyFresh old when it was asked for. Who asks at once asks together; whoever
// came to a question that was under way for longer asks anew.
func (a *Auth) keyMark(ctx context.Context) (marked, error) {
	began := a.now()
	if mark, ok := a.ring.mark(began); ok {
		return mark, nil
	}
	for {
		answer, err, _ := a.marks.Do("", func() (any, error) { return a.askMark(ctx) })
		if err != nil {
			return marked{}, fmt.Errorf("%w: keys: %w", ErrUnavailable, err)
		}
		if got := answer.(marked); began.Sub(got.at) < keyFresh {
			return got, nil
		}
	}
}

// askMark asks on behalf of several: one of them that leaves does not end the question.
func (a *Auth) askMark(ctx context.Context) (marked, error) {
	at, life := a.now(), a.ring.begin()
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), lookupTimeout, ErrUnavailable)
	defer cancel()
	mark, err := a.rdb.Get(ctx, a.keys.KeyChange()).Result()
	if err != nil && !errors.Is(err, redis.Nil) { // no mark: no key was ever made
		return marked{}, err
	}
	got := marked{mark, at, life}
	a.ring.asked(got)
	return got, nil
}
