package cameras

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/feeds/runner"
	"kentongan/geo"
	"kentongan/server/access"
)

// Config is one entry of cameras: in the configuration file. An address may hold a key, so it is a secret: nothing prints it.
type Config struct {
	ID           string        `yaml:"id"`   // small letters, digits, - and _; its Thing is "camera:<id>"
	Name         string        `yaml:"name"` // as its place is called
	Lng          float64       `yaml:"lng"`  // WGS 84 degrees
	Lat          float64       `yaml:"lat"`
	Still        runner.Secret `yaml:"still"`         // address of a JPEG or PNG that is made anew each time
	HLS          runner.Secret `yaml:"hls"`           // address of an HLS playlist (RFC 8216); with still both are there
	Every        time.Duration `yaml:"every"`         // how often a picture is asked; absent: DefaultEvery
	Hosts        []string      `yaml:"hosts"`         // hosts that redirects and playlists may lead to; the address's own is always among them
	AllowPrivate bool          `yaml:"allow_private"` // loopback and private networks may be asked: most cameras live there
	Auth         runner.Auth   `yaml:"auth"`          // who we say we are, to the address's own host only
	TLS          runner.TLS    `yaml:"tls"`           // whom we believe
	Agency       string        `yaml:"agency"`        // slug of whose it is
	Restricted   bool          `yaml:"restricted"`    // only its agency and the roles below see it; it is no Thing, and on no wall
	Roles        []access.Role `yaml:"roles"`         // with restricted: who sees it besides
	Attribution  string        `yaml:"attribution"`   // shown with its pictures
}

// Bounds of a list of cameras.
const (
	DefaultEvery = 30 * time.Second
	leastEvery   = time.Second
	mostEvery    = time.Hour
	Most         = 2000 // cameras
	mostName     = 200  // bytes
)

var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// Validate gives every fault of a list at once, each a *runner.ConfigError whose Key is "[index].key".
func Validate(all []Config) []error {
	var faults []error
	if len(all) > Most {
		faults = append(faults, &runner.ConfigError{Key: fmt.Sprintf("[%d]", Most), Reason: fmt.Sprintf("more than %d cameras", Most)})
	}
	first := map[string]int{}
	for i, c := range all {
		for _, err := range c.validate() {
			faults = append(faults, &runner.ConfigError{Key: fmt.Sprintf("[%d].%s", i, err.Key), Reason: err.Reason})
		}
		if at, twice := first[c.ID]; twice && c.ID != "" {
			faults = append(faults, &runner.ConfigError{Key: fmt.Sprintf("[%d].id", i), Reason: fmt.Sprintf("%q is the id of cameras[%d] as well", c.ID, at)})
		} else {
			first[c.ID] = i
		}
	}
	return faults
}

func (c Config) validate() (faults []*runner.ConfigError) {
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &runner.ConfigError{Key: key, Reason: fmt.Sprintf(format, args...)})
		}
	}
	at := geo.Position{Lat: c.Lat, Lng: c.Lng}
	fault(!slug.MatchString(c.ID), "id", "%q: want 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit", c.ID)
	fault(c.Name == "" || len(c.Name) > mostName, "name", "want 1 to %d bytes: people know a camera by its place", mostName)
	fault(at.IsNull(), "lat", "lat and lng are required: a camera is where it looks")
	if err := at.Validate(); err != nil {
		fault(true, "lat", "%v", err)
	}
	fault(c.Still == "" && c.HLS == "", "still", "still or hls is required: the address of its pictures")
	fault(c.Every != 0 && (c.Every < leastEvery || c.Every > mostEvery), "every", "%v: want %v to %v", c.Every, leastEvery, mostEvery)
	fault(c.Agency != "" && !slug.MatchString(c.Agency), "agency", "%q: want a slug of a-z, 0-9, - and _", c.Agency)
	fault(len(c.Roles) > 0 && !c.Restricted, "roles", "only with restricted: true; every other camera is seen by all who may see cameras")
	for _, r := range c.Roles {
		fault(!r.Personal(), "roles", "%q is no role of a person", r)
	}
	fault(c.Restricted && c.Agency == "" && len(c.Roles) == 0, "restricted", "nobody would see it: name its agency, or roles")
	for _, one := range []struct {
		key     string
		address runner.Secret
	}{{"still", c.Still}, {"hls", c.HLS}} {
		if one.address == "" {
			continue
		}
		u, err := url.Parse(one.address.Reveal())
		fault(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "", one.key, "want an http or https address with a host")
		fault(err == nil && u.User != nil, one.key, "user and password do not belong into the address: set auth")
	}
	for i, h := range c.Hosts {
		fault(h == "" || strings.ContainsAny(h, "/@? "), fmt.Sprintf("hosts[%d]", i), "%.100q: want a host name, with a port where it is not the usual one", h)
	}
	for _, err := range slices.Concat(c.Auth.Validate(), c.TLS.Validate()) {
		key, text, _ := strings.Cut(err.Error(), ": ")
		fault(true, key, "%s", text)
	}
	return faults
}

// every is how often a picture is asked.
func (c Config) every() time.Duration {
	if c.Every == 0 {
		return DefaultEvery
	}
	return c.Every
}
