// Package config is one typed Config composed of each package's own.
//
// Order: flags over environment over file over defaults. All faults come at once, each with its place.
package config

import (
	"time"

	"kentongan/alerts/alarm"
	"kentongan/alerts/ladder"
	"kentongan/alerts/rules"
	"kentongan/feeds/runner"
	"kentongan/server/auditlog"
	"kentongan/server/basemap"
	"kentongan/server/cameras"
	"kentongan/server/oidc"
	"kentongan/server/outbox"
	"kentongan/server/router"
)

// Config is everything that can be set. The doc tags become the sample file.
type Config struct {
	Listen         string   `yaml:"listen" doc:"Address for screens, interfaces and pushes. Port 0 picks a free one."`
	MQTTListen     string   `yaml:"mqtt_listen" doc:"Address of the MQTT broker that feeds with transport mqtt are published to; it opens with the first such feed, with TLS where screens have it. Empty: off."`
	RedisURL       Secret   `yaml:"redis_url" doc:"redis://, rediss://, unix://, redis+sentinel://h1,h2/mymaster or redis+cluster://h1,h2; Redis 7.0 or Valkey 7.2 at least.\nEmpty: an embedded store in data_dir."`
	DataDir        string   `yaml:"data_dir" doc:"Folder of the embedded store; created for its owner only."`
	AdminToken     Secret   `yaml:"admin_token" doc:"Bearer token with every right, for scripts: at least 32 characters. Empty: none."`
	AdminTokenFile string   `yaml:"admin_token_file" doc:"File that holds the admin token, readable by its owner only."`
	CTISecret      Secret   `yaml:"cti_secret" doc:"Secret of the telephone exchange that rings at /api/v1/cti, whsec_ and at least 24 bytes in base64: every call must then be signed as our own\nwebhooks are, beside its key. Empty: the key alone."`
	SecretKeyFile  string   `yaml:"secret_key_file" doc:"File of the keys that seal secrets in the store, readable by its owner only; the same for every server of a store. Keep a copy of it apart from\nthe copies of the store: without it nobody reads them again. Empty: secret.key in data_dir, made at the first start."`
	TLS            string   `yaml:"tls" doc:"local: certificates of the house's own authority for the names and addresses of this machine; devices on the LAN trust it once its root is\ninstalled, which the sign-in page offers. Empty: tls_cert and tls_key, or plain HTTP."`
	TLSCert        string   `yaml:"tls_cert" doc:"Certificate chain in PEM; with tls_key. New files are taken up within a second."`
	TLSKey         string   `yaml:"tls_key" doc:"Private key in PEM, readable by its owner only."`
	PublicURL      string   `yaml:"public_url" doc:"The address people use, where it is not listen itself: links and the exact Origin follow it."`
	TrustedProxies []string `yaml:"trusted_proxies" doc:"Addresses or networks whose X-Forwarded-For and -Proto are believed."`
	Insecure       bool     `yaml:"insecure" doc:"Plain HTTP on more than loopback starts only with true, and every screen shows it."`
	LogLevel       string   `yaml:"log_level" doc:"debug, info, warn or error."`
	LogFormat      string   `yaml:"log_format" doc:"json or console. Empty: console on a terminal, else json."`
	DebugListen    string   `yaml:"debug_listen" doc:"Loopback address for pprof and metrics. Empty: off."`
	Profile        string   `yaml:"profile" doc:"solok, bandung, or the path of a profile file (deploy/profile.sample.yaml explains every key). Empty: everywhere is ours, prefix INC, UTC, no consents."`
	Scenes         string   `yaml:"scenes" doc:"A file of scenes for walls, JSON or YAML as server/walls/scenes.json: those of the same id replace ours, others are added. Empty: ours alone."`

	SignIn    SignIn      `yaml:"sign_in"`
	OIDC      oidc.Config `yaml:"oidc"`
	Retention Retention   `yaml:"retention"`
	Store     Store       `yaml:"store"`
	Limits    Limits      `yaml:"limits"`

	Alarms  alarm.Config    `yaml:"alarms"`
	Ladder  ladder.Config   `yaml:"ladder"`
	Outbox  outbox.Config   `yaml:"outbox"`
	Audit   auditlog.Config `yaml:"audit"`
	Basemap basemap.Config  `yaml:"basemap"`
	Public  Public          `yaml:"public"`
	Router  router.Config   `yaml:"router"`

	Feeds     []runner.FeedConfig `yaml:"feeds"`
	Cameras   []cameras.Config    `yaml:"cameras"`
	Replaying bool                // set by serve --replay: feeds of the store ask nobody outside
	Rules     []rules.Rule        `yaml:"rules"`
}

// SignIn says how people come in.
type SignIn struct {
	SecondFactor []string      `yaml:"second_factor" doc:"Roles that must show a passkey or a code beside their password; whoever holds one of them and has neither may do nothing but set one up."`
	Session      time.Duration `yaml:"session" doc:"How long a session lasts from the sign-in, whatever is done in it: a shift."`
}

// Retention says how long history is kept.
type Retention struct {
	Readings  time.Duration `yaml:"readings" doc:"How long readings are kept; the last state of a Thing stays."`
	Raw       time.Duration `yaml:"raw" doc:"How long the bytes of every delivery are kept in data_dir/raw, for \"kentongan replay\"; 0s: not at all. Formats that name\nreporters (open311, petabencana) are kept only where the feed says keep."`
	Alerts    time.Duration `yaml:"alerts" doc:"How long alerts are kept that are over; 0s: for ever. This and the following are in days of 24h, and two persons may set them\nanother way while the house runs; what an open incident rests on stays."`
	Reports   time.Duration `yaml:"reports" doc:"How long reports are kept after their last change; 0s: for ever."`
	Incidents time.Duration `yaml:"incidents" doc:"How long incidents are kept that are closed or cancelled; 0s: for ever."`
	Reporters time.Duration `yaml:"reporters" doc:"How long it is known who gave a report, after the report closed or changed last."`
	Words     time.Duration `yaml:"words" doc:"How long the words are kept that people wrote of their acts; the records themselves are never deleted. 0s: for ever."`
	RawSpace  Size          `yaml:"raw_space" doc:"Largest size of data_dir/raw; the oldest hours give way."`
}

// Public is what everybody may see of positions: counts in cells of about 5 km².
type Public struct {
	Kinds    []string      `yaml:"kinds" doc:"Kinds of Things whose positions everybody may see as counts. None: vehicles of public transport. Units are never shown."`
	Delay    time.Duration `yaml:"delay" doc:"How long ago it was what everybody sees: 15m at least."`
	Together int           `yaml:"together" doc:"How many must be in a cell together: 5 at least. Counts are rounded down to a multiple of it."`
}

// Store is about the embedded store.
type Store struct {
	Fsync string `yaml:"fsync" doc:"always survives power loss; everysec is faster, survives a kill, and may lose the last second on power loss."`
}

// Limits bound what comes from outside.
type Limits struct {
	Body     Size `yaml:"body" doc:"Largest body as sent."`
	Inflated Size `yaml:"inflated" doc:"Largest body after gzip."`
	Message  Size `yaml:"message" doc:"Largest MQTT message."`
}

const day = 24 * time.Hour

// Default is the configuration of a file that says nothing.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8080", MQTTListen: "127.0.0.1:1883", DataDir: "./data", LogLevel: "info",
		SignIn:    SignIn{SecondFactor: []string{"admin", "supervisor", "dispatcher", "leader", "auditor"}, Session: 12 * time.Hour},
		OIDC:      oidc.DefaultConfig(),
		Alarms:    alarm.DefaultConfig(),
		Ladder:    ladder.DefaultConfig(),
		Outbox:    outbox.DefaultConfig(),
		Router:    router.DefaultConfig(),
		Public:    Public{Delay: 15 * time.Minute, Together: 5},
		Retention: Retention{Readings: 72 * time.Hour, Raw: 72 * time.Hour, Alerts: 365 * day, Reports: 730 * day, Incidents: 1825 * day, Reporters: 90 * day, Words: 1825 * day, RawSpace: 2 << 30}, Store: Store{Fsync: "always"}, Limits: Limits{Body: 16 << 20, Inflated: 64 << 20, Message: 64 << 10},
	}
}

// Secure tells whether the server itself speaks TLS.
func (c *Config) Secure() bool { return c.TLSCert != "" || c.TLS == "local" }
