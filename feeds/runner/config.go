package runner

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/feeds/contract"
	"kentongan/feeds/formats"
	"kentongan/feeds/mapped"
	"kentongan/feeds/simulator"
)

// FeedConfig is one entry of feeds: in the configuration file. Durations are written as in "60s".
type FeedConfig struct {
	Name           string        `yaml:"name"`
	Format         string        `yaml:"format"`
	Transport      string        `yaml:"transport"`       // one of Transports
	URL            string        `yaml:"url"`             // poll: what to ask; ws: where to listen in; mqtt: an existing broker, empty: our own; tcp: whom to dial
	Every          time.Duration `yaml:"every"`           // poll: how often; file: pause between bytes that tell no time
	Timeout        time.Duration `yaml:"timeout"`         // poll: for one answer, from the name to the last byte
	Hosts          []string      `yaml:"hosts"`           // poll: hosts that links and redirects may lead to; the url's own is always among them
	AllowPrivate   bool          `yaml:"allow_private"`   // with url: loopback and private networks may be asked
	MaxBody        int64         `yaml:"max_body"`        // poll, ws: bytes of one answer or message as sent
	Path           string        `yaml:"path"`            // file: a file or a folder
	Speed          float64       `yaml:"speed"`           // file: how many times faster than recorded
	Loop           bool          `yaml:"loop"`            // file: begin again at the end
	Shift          bool          `yaml:"shift"`           // file: move times so that the recording happens now; only with simulated
	Watch          bool          `yaml:"watch"`           // file: take each file that is laid into the folder, once
	Things         int           `yaml:"things"`          // simulator: how many Things the city has
	Topic          string        `yaml:"topic"`           // mqtt: what is heard, with + and # beneath a fixed beginning
	Listen         string        `yaml:"listen"`          // tcp, udp: address at which senders reach us
	From           []string      `yaml:"from"`            // tcp, udp with listen: networks whose senders are heard; needed beyond loopback
	MaxFrame       int           `yaml:"max_frame"`       // tcp, udp: bytes of one message; absent: 128 KiB
	MaxConnections int           `yaml:"max_connections"` // tcp with listen: at one time; absent: 1000
	Idle           time.Duration `yaml:"idle"`            // tcp, ws: a connection that brings nothing for so long is ended
	Subscribe      Secret        `yaml:"subscribe"`       // ws: a text that is sent once connected
	SubscribeFile  string        `yaml:"subscribe_file"`  // ws: a file that holds it, read anew with each connection
	Kind           string        `yaml:"kind"`            // kind of Things that do not say their own
	Agency         string        `yaml:"agency"`          // slug
	Attribution    string        `yaml:"attribution"`     // shown wherever the data is
	Simulated      bool          `yaml:"simulated"`       // plays or invents
	Interval       time.Duration `yaml:"interval"`        // declared cadence; absent: every where polled, else learned

	Contract contract.Config `yaml:"contract"` // what the feed is expected to say; absent: learned

	Keep time.Duration `yaml:"keep"` // how long raw bytes are kept; absent: HouseKeeps; 0s: not at all

	Auth    Auth              `yaml:"auth"`    // with url: who we say we are
	TLS     TLS               `yaml:"tls"`     // with url: whom we believe
	Headers map[string]Secret `yaml:"headers"` // poll, ws: sent with every request

	QoS      int     `yaml:"qos"`       // mqtt with url: 0, 1 or 2; absent: 1
	Version  Version `yaml:"version"`   // mqtt with url: 5 or 3.1.1; absent: what the broker speaks
	ClientID string  `yaml:"client_id"` // mqtt with url: absent: kentongan-<name>

	Pages Pages `yaml:"pages"` // poll: how a list goes on
	Since Since `yaml:"since"` // poll: only what is new

	HMAC *HMAC `yaml:"hmac"` // push: how senders sign; nil: they do not

	Map      string         `yaml:"map"`      // formats json and csv: a jq program that gives records
	Register string         `yaml:"register"` // a CSV or YAML file that says where Things are (feeds/register)
	Places   string         `yaml:"places"`   // a register's rows themselves, as CSV
	Options  map[string]any `yaml:"options"`  // further options of the format
}

// Auth is who we say we are to a source: user and password, or a bearer token. A secret in a file is read anew with each use.
type Auth struct {
	User         string `yaml:"user"`
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
	Bearer       Secret `yaml:"bearer"`
	BearerFile   string `yaml:"bearer_file"`
}

// TLS is whom we believe, and with what certificate we come, each a PEM file. Nothing set: the system's authorities.
type TLS struct {
	CAFile   string `yaml:"ca_file"`
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// The transports.
const (
	Push      = "push"
	Poll      = "poll"
	File      = "file"
	Simulator = "simulator"
	TCP       = "tcp"
	UDP       = "udp"
	WS        = "ws"
	MQTT      = "mqtt"
)

// Transports lists their names.
func Transports() []string { return []string{Push, Poll, File, Simulator, TCP, UDP, WS, MQTT} }

// Driven tells a feed that senders drive, so that every server takes it; each other feed is driven by one server at a time.
func (c FeedConfig) Driven() bool {
	return c.Transport == Push || c.Listen != "" && (c.Transport == TCP || c.Transport == UDP) || c.Transport == MQTT && c.URL == ""
}

// dialling are the transports that have a url.
var dialling = []string{Poll, TCP, WS, MQTT}

// defaultThings is how many Things a simulated city has where nothing is said.
const defaultThings = 2000

// simulatorInterval is how often a simulated city is heard at the least; its Things declare their own.
const simulatorInterval = 5 * time.Second

// DefaultConfig is what an entry says where it says nothing.
func DefaultConfig() FeedConfig {
	return FeedConfig{Transport: Push, Every: time.Minute, Timeout: 10 * time.Second, MaxBody: 5 << 20, Speed: 1, QoS: defaultQoS, Keep: HouseKeeps, Pages: defaultPages(), Since: defaultSince()}
}

// ConfigError is one fault of one entry. Key is the YAML key at fault.
type ConfigError struct {
	Key    string
	Reason string
}

func (e *ConfigError) Error() string { return e.Key + ": " + e.Reason }

var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// Validate gives every fault at once, each a *ConfigError that names its key.
func (c FeedConfig) Validate() []error {
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
		}
	}
	fault(!slug.MatchString(c.Name), "name", "%q: want 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit", c.Name)
	fault(!slices.Contains(formats.Names(), c.Format), "format", "%q is none of %s", c.Format, strings.Join(formats.Names(), ", "))
	fault(!slices.Contains(Transports(), c.Transport), "transport", "%q is none of %s", c.Transport, strings.Join(Transports(), ", "))
	fault(c.Agency != "" && !slug.MatchString(c.Agency), "agency", "%q: want a slug of a-z, 0-9, - and _", c.Agency)
	fault(c.Keep < 0 && c.Keep != HouseKeeps, "keep", "%v: want 0s, or more", c.Keep)
	fault(c.Interval < 0, "interval", "%v: want more than 0", c.Interval)
	fault(!slices.Contains(dialling, c.Transport) && c.URL != "", "url", "only a feed with transport %s has one", strings.Join(dialling, ", "))
	fault(c.Transport != Poll && len(c.Hosts) > 0, "hosts", "only a feed with transport poll has them")
	fault(c.AllowPrivate && c.URL == "", "allow_private", "only a feed with url has it")
	faults = append(faults, c.validateFile()...)
	fault(c.Transport != Simulator && c.Things != 0, "things", "only a feed with transport simulator has them")
	fault(c.Shift && !c.Simulated, "shift", "only with simulated: true, for what is moved in time did not happen now")
	for _, f := range c.Contract.Validate() {
		fault(true, "contract."+f.Key, "%s", f.Reason)
	}
	faults = append(faults, c.validateFormat()...)
	faults = append(faults, c.validateMQTT()...)
	faults = append(faults, c.validateStream()...)
	faults = append(faults, c.validateWS()...)
	faults = append(faults, c.validatePush()...)
	faults = append(faults, c.validateOutward()...)
	switch c.Transport {
	case Poll:
		faults = append(faults, c.validatePoll()...)
	case Simulator:
		n := c.CityThings()
		fault(n < simulator.FewestThings || n > simulator.MostThings, "things", "%d: want %d to %d", n, simulator.FewestThings, simulator.MostThings)
		fault(!c.Simulated, "simulated", "required to be true with transport simulator, for nothing of it is real")
		fault(c.Format != "native", "format", "a feed with transport simulator has format native")
	}
	return faults
}

// mappedFormats are those that read by a map.
var mappedFormats = []string{"csv", "geojson", "json", "xml"}

// validateFormat makes the format once, for its faults, and reads the register.
func (c FeedConfig) validateFormat() []error {
	var faults []error
	switch _, twice := c.Options["map"]; {
	case twice:
		return []error{&ConfigError{"options", "map stands beside options, not in them"}}
	case c.Map != "" && !slices.Contains(mappedFormats, c.Format):
		faults = append(faults, &ConfigError{"map", "only a feed with format csv, geojson, json or xml has one"})
		c.Map = ""
	}
	if slices.Contains(formats.Names(), c.Format) {
		if _, err := formats.New(c.Format, c.formatOptions()); err != nil {
			faults = append(faults, optionFaults(err)...)
		}
	}
	if c.Register != "" && c.Places != "" {
		faults = append(faults, &ConfigError{"places", "register is given as well; one of them is enough"})
	}
	if len(c.Places) > MaxPlaces {
		return append(faults, &ConfigError{"places", fmt.Sprintf("%d bytes, more than %d: make it a file and name it as register", len(c.Places), MaxPlaces)})
	}
	_, bad := c.places()
	return append(faults, bad...)
}

// formatOptions are what the format is made with.
func (c FeedConfig) formatOptions() map[string]any {
	if c.Map == "" {
		return c.Options
	}
	all := map[string]any{"map": c.Map}
	maps.Copy(all, c.Options)
	return all
}

// optionFaults gives each fault of a format's options the key at which it stands.
func optionFaults(err error) []error {
	var out []error
	for _, one := range flatten(err) {
		var f *mapped.Fault
		switch {
		case !errors.As(one, &f):
			out = append(out, &ConfigError{"options", one.Error()})
		case f.Key == "map":
			out = append(out, &ConfigError{"map", f.Reason})
		default:
			out = append(out, &ConfigError{"options." + f.Key, f.Reason})
		}
	}
	return out
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, one := range joined.Unwrap() {
		out = append(out, flatten(one)...)
	}
	return out
}

// interval is the cadence that the configuration declares; zero: learn it.
func (c FeedConfig) interval() time.Duration {
	switch {
	case c.Interval != 0:
		return c.Interval
	case c.Transport == Poll:
		return c.Every
	case c.Transport == Simulator:
		return simulatorInterval
	}
	return 0
}

// CityThings is how many Things a simulated city has.
func (c FeedConfig) CityThings() int {
	if c.Things == 0 {
		return defaultThings
	}
	return c.Things
}
