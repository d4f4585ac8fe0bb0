package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/transports/poll"
)

// Pages says how a list goes on where neither its format nor a Link header does, and where it ends.
type Pages struct {
	Max       int    `yaml:"max"`        // pages of one round; absent: 100, and a list that goes on is a fault
	Param     string `yaml:"param"`      // name of the parameter that counts pages, or items
	Start     int    `yaml:"start"`      // its first value
	Step      int    `yaml:"step"`       // what is added for each page
	SizeParam string `yaml:"size_param"` // name of the parameter that says how many items a page has
	Size      int    `yaml:"size"`
	Until     string `yaml:"until"` // empty: a page without items ends it; known: one that brings nothing new
}

// Since asks only for what is newer than what is stored.
type Since struct {
	Param   string        `yaml:"param"`    // name of the query's parameter
	Text    string        `yaml:"text"`     // its value, with {since} and {to}
	ToParam string        `yaml:"to_param"` // name of the parameter that ends the span
	Format  string        `yaml:"format"`   // rfc3339, unix, unix_ms or date; UTC
	From    string        `yaml:"from"`     // last: the newest event that is stored; received: when the last round began
	Overlap time.Duration `yaml:"overlap"`  // asked again, for what comes late
	First   time.Duration `yaml:"first"`    // how far back at first
	Window  time.Duration `yaml:"window"`   // the longest span of one question
}

// What Pages and Since say where they say nothing.
func defaultPages() Pages { return Pages{Start: 1, Step: 1, Until: "empty"} }
func defaultSince() Since {
	return Since{Format: "rfc3339", From: "last", Overlap: 10 * time.Minute, First: 24 * time.Hour}
}

// sinceFormats are the ways in which a time stands in a query.
var sinceFormats = []string{"rfc3339", "unix", "unix_ms", "date"}

// Bounds of pages and since.
const (
	mostPages = 1000
	mostSize  = 100_000
	longest   = 366 * 24 * time.Hour
)

func (c FeedConfig) validatePoll() []error {
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
		}
	}
	u, err := url.Parse(c.URL)
	fault(c.URL == "", "url", "required with transport poll")
	fault(c.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == ""), "url", "want an http or https address with a host")
	fault(c.URL != "" && err == nil && u.User != nil, "url", "user and password do not belong into the address: set auth")
	fault(c.Every < time.Second, "every", "%v: want at least 1s", c.Every)
	fault(c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute, "timeout", "%v: want 100ms to 5m", c.Timeout)
	fault(c.MaxBody < 1, "max_body", "%d: want at least 1 byte", c.MaxBody)
	for _, h := range c.Hosts {
		fault(h == "" || strings.ContainsAny(h, "/@? "), "hosts", "%q: want a host name, with a port where it is not the usual one", h)
	}
	query := url.Values{}
	if err == nil {
		query = u.Query()
	}
	return slices.Concat(faults, c.Pages.validate(query), c.Since.validate(query))
}

func (p Pages) validate(query url.Values) []error {
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{"pages." + key, fmt.Sprintf(format, args...)})
		}
	}
	d := defaultPages()
	fault(p.Max < 0 || p.Max > mostPages, "max", "%d: want 1 to %d", p.Max, mostPages)
	fault(query.Has(p.Param) && p.Param != "", "param", "%q stands in the url too", p.Param)
	fault(p.Start < 0, "start", "%d: want 0 or more", p.Start)
	fault(p.Param == "" && p.Start != d.Start, "start", "only with param")
	fault(p.Step < 1 || p.Step > mostSize, "step", "%d: want 1 to %d", p.Step, mostSize)
	fault(p.Param == "" && p.Step != d.Step, "step", "only with param")
	fault(p.SizeParam != "" && (query.Has(p.SizeParam) || p.SizeParam == p.Param), "size_param", "%q stands there twice", p.SizeParam)
	fault(p.SizeParam != "" && (p.Size < 1 || p.Size > mostSize), "size", "%d: want 1 to %d", p.Size, mostSize)
	fault(p.SizeParam == "" && p.Size != 0, "size", "only with size_param")
	fault(p.Until != "empty" && p.Until != "known", "until", "%q is none of empty, known", p.Until)
	return faults
}

func (s Since) validate(query url.Values) []error {
	if s == defaultSince() {
		return nil
	}
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{"since." + key, fmt.Sprintf(format, args...)})
		}
	}
	ends := s.ToParam != "" || strings.Contains(s.Text, "{to}")
	fault(s.Param == "", "param", "required: the name of the parameter that takes the time")
	fault(s.Param != "" && query.Has(s.Param), "param", "%q stands in the url too", s.Param)
	fault(s.Text != "" && !strings.Contains(s.Text, "{since}"), "text", "want {since} where the time belongs")
	fault(s.ToParam != "" && (query.Has(s.ToParam) || s.ToParam == s.Param), "to_param", "%q stands there twice", s.ToParam)
	fault(!slices.Contains(sinceFormats, s.Format), "format", "%q is none of %s", s.Format, strings.Join(sinceFormats, ", "))
	fault(s.From != "last" && s.From != "received", "from", "%q is none of last, received", s.From)
	fault(s.Overlap < 0 || s.Overlap > longest, "overlap", "%v: want 0s to %v", s.Overlap, longest)
	fault(s.First <= 0 || s.First > longest, "first", "%v: want more than 0s, at most %v", s.First, longest)
	fault(s.Window < 0 || s.Window > longest, "window", "%v: want more than 0s, at most %v", s.Window, longest)
	fault(s.Window > 0 && !ends, "window", "only with to_param, or {to} in text: the source must hear where it ends")
	fault(s.Window > 0 && s.Window <= s.Overlap, "window", "%v: want more than the overlap of %v, or it never goes on", s.Window, s.Overlap)
	return faults
}

// validateOutward gives the faults of what only feeds that go out have.
func (c FeedConfig) validateOutward() []error {
	var faults []error
	fault := func(bad bool, key, reason string) {
		if bad {
			faults = append(faults, &ConfigError{key, reason})
		}
	}
	fault(c.URL == "" && c.Auth != Auth{}, "auth", "only a feed with url has it")
	fault(c.URL == "" && c.TLS != TLS{}, "tls", "only a feed with url has it")
	fault(c.URL == "" && len(c.Headers) > 0, "headers", "only a feed with url has them")
	fault(c.Transport != Poll && c.Pages != Pages{} && c.Pages != defaultPages(), "pages", "only a feed with transport poll has them")
	fault(c.Transport != Poll && c.Since != Since{} && c.Since != defaultSince(), "since", "only a feed with transport poll has it")
	return slices.Concat(faults, c.Auth.Validate(), c.TLS.Validate(), c.validateHeaders())
}

// unready is a transport whose files cannot be read now; the runner tries again.
type unready struct{ err error }

func (u unready) Run(context.Context, feeds.Deliver) error { return u.err }

// poll builds the transport of a polled feed.
func (r *Runner) poll(in *inlet, log zerolog.Logger) feeds.Transport {
	c := in.config
	believed, err := c.TLS.Client()
	if err != nil {
		return unready{err}
	}
	return poll.New(poll.Config{
		Feed: c.Name, Source: c.source(r.opt.Version), URL: c.URL, Every: c.Every, Timeout: c.Timeout, Hosts: c.Hosts, AllowPrivate: c.AllowPrivate,
		Pages: poll.Pages{Max: c.Pages.Max, Param: c.Pages.Param, Start: c.Pages.Start, Step: c.Pages.Step, SizeParam: c.Pages.SizeParam, Size: c.Pages.Size,
			UntilKnown: c.Pages.Until == "known"},
		Since: poll.Since{Param: c.Since.Param, Text: c.Since.Text, ToParam: c.Since.ToParam, Format: c.Since.Format, Received: c.Since.From == "received",
			Overlap: c.Since.Overlap, First: c.Since.First, Window: c.Since.Window},
		Authorize: c.authorize, TLS: believed, MaxBody: c.MaxBody, MaxInflated: r.opt.MaxInflated, UserAgent: userAgent(r.opt.Version, r.opt.Contact),
		Memory: r.opt.Remember, Watch: in.health, Now: r.opt.Now, Dial: r.opt.Dial, Log: log,
	})
}

// authorize puts headers and credentials on a request.
func (c FeedConfig) authorize(req *http.Request) error {
	for name, value := range c.Headers {
		req.Header.Set(name, value.Reveal())
	}
	return c.Auth.Sign(req)
}

// source names what is asked and how it is read: where any of it changes, an answer that is not new to the source is new to us. It holds
// no secret.
func (c FeedConfig) source(version string) string {
	known, _ := os.ReadFile(c.Register) // none, or none that can be read: the register says so itself
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %v %v %v %v %q %q", version, c.URL, c.Format, c.Kind, c.Map, c.Options, c.Pages, c.Since, c.Simulated, known, c.Places))
	return hex.EncodeToString(sum[:8])
}
