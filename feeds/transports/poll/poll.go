// Package poll is addresses asked at an interval.
//
// One request at a time per feed, conditional (If-None-Match, If-Modified-Since), with jitter and back-off, bounded in time, size and
// inflation, and only to hosts that the feed allows. What was read counts as read only once it is stored: until then neither the
// validators of the answer nor the links in it are taken as done.
package poll

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// Watch is told how the source fares.
type Watch interface {
	Fresh()                      // the source says that nothing has changed (304)
	Fault(err error)             // the source could not be read, or what it said could not be taken
	Cadence(every time.Duration) // the source asks to be polled more slowly than configured
}

// Pages says how a list goes on that its format gives no links of, and where it ends. Zero: by the format's links and Link headers.
type Pages struct {
	Max        int    // pages of one round; zero: 100, and more is a fault
	Param      string // name of the parameter that counts pages, or items; empty: none
	Start      int    // its first value
	Step       int    // what is added for each page
	SizeParam  string // name of the parameter that says how many items a page has; empty: none
	Size       int
	UntilKnown bool // end at a page that brings nothing new; else at one without items
}

// Config of one polled address. URL, Every, Memory and Watch are required.
type Config struct {
	Feed         string
	Source       string // names what is asked and how it is read: state that was kept under another name is not used
	URL          string
	Every        time.Duration
	Since        Since
	Pages        Pages
	Authorize    Authorize     // nil: we say nothing of who we are
	TLS          *tls.Config   // nil: the system's authorities, no certificate of ours
	Timeout      time.Duration // of one answer, from the name to the last byte
	Hosts        []string      // that links and redirects may lead to, beside the URL's own; "host" or "host:port"
	AllowPrivate bool
	MaxBody      int64
	MaxInflated  int64
	RoundTime    time.Duration // of all that one round reads; default 10 minutes
	RoundBytes   int64         // likewise, inflated; default 256 MiB
	UserAgent    string
	Memory       Memory
	Watch        Watch
	Now          func() time.Time
	Dial         func(ctx context.Context, network, addr string) (net.Conn, error) // default: bounded.Dialer
	Log          zerolog.Logger
}

// Bounds of one round.
const (
	maxFollow     = 100              // links fetched after one index; the rest in the next rounds
	maxRedirects  = 5                // hops of one answer
	maxBackoff    = 15 * time.Minute // between polls of a source that fails
	maxRetryAfter = time.Hour        // believed of a Retry-After
	maxCadence    = 15 * time.Minute // believed of a Cache-Control max-age
	maxTTL        = 5 * time.Minute  // believed of a format's own word
	catchUp       = 5 * time.Second  // between windows of the past
	defaultPages  = 100
	defaultTime   = 10 * time.Minute
	defaultBytes  = 256 << 20
	jitter        = 0.1
)

// Transport polls one address.
type Transport struct {
	config  Config
	client  *http.Client
	origin  *origin
	hosts   map[string]bool
	docs    map[string]document // by address, of the last round
	cursor  time.Time           // with Since: all before it is stored
	saved   State               // as the memory has it
	whole   bool                // all of the last round was stored
	cadence time.Duration
	life    time.Duration // for so long what was read holds, by what the source says
	backoff *backoff.ExponentialBackOff
	tries   map[string]int // links that were refused, by how often
}

// New gives a transport that has not asked yet.
func New(c Config) *Transport {
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 5 << 20
	}
	if c.MaxInflated <= 0 {
		c.MaxInflated = bounded.DefaultInflated
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Dial == nil {
		c.Dial = bounded.Dialer(c.AllowPrivate)
	}
	if c.RoundTime <= 0 {
		c.RoundTime = defaultTime
	}
	if c.RoundBytes <= 0 {
		c.RoundBytes = defaultBytes
	}
	t := &Transport{config: c, hosts: map[string]bool{}, docs: map[string]document{}, cadence: c.Every, tries: map[string]int{}}
	t.origin = &origin{authorize: c.Authorize, next: &http.Transport{ // no Proxy: a proxy would dial for us, past our check of the address
		DialContext: c.Dial, TLSClientConfig: c.TLS, DisableCompression: true, MaxIdleConns: 2, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
	}}
	if u, err := url.Parse(c.URL); err == nil {
		t.origin.scheme, t.origin.host = u.Scheme, host(u)
		t.hosts[host(u)] = true
	}
	for _, h := range c.Hosts {
		t.hosts[strings.ToLower(h)] = true
	}
	t.backoff = &backoff.ExponentialBackOff{InitialInterval: c.Every, Multiplier: 2, RandomizationFactor: jitter, MaxInterval: max(maxBackoff, c.Every)}
	t.client = &http.Client{Transport: t.origin, CheckRedirect: t.checkRedirect}
	return t
}

// host is the name by which hosts are compared: lower case, with the port where it is not the scheme's own.
func host(u *url.URL) string {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		return name
	}
	return net.JoinHostPort(name, port)
}

// allowed tells whether an address from outside may be asked.
func (t *Transport) allowed(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%w: scheme %.20q", bounded.ErrAddress, u.Scheme)
	}
	if u.User != nil {
		return fmt.Errorf("%w: credentials in an address", bounded.ErrAddress)
	}
	if h := host(u); !t.hosts[h] {
		return fmt.Errorf("%w: host %.100q is not among the feed's hosts", bounded.ErrAddress, h)
	}
	return nil
}

func (t *Transport) checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", bounded.ErrAddress, maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("%w: a redirect from https to http", bounded.ErrAddress)
	}
	return t.allowed(next.URL)
}

// resolve makes an address of a link, and tells whether it may be asked. A link that leads back to our own host without the encryption
// that we came with is asked with it: servers behind a proxy do not know that they have one.
func (t *Transport) resolve(base, link string) (string, error) {
	root, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("%w: an address that cannot be read", bounded.ErrAddress)
	}
	u, err := root.Parse(strings.TrimSpace(link))
	if err != nil {
		return "", fmt.Errorf("%w: a link that cannot be read", bounded.ErrAddress)
	}
	if t.origin.scheme == "https" && u.Scheme == "http" && host(u) == t.origin.host {
		u.Scheme, u.Host = "https", t.origin.host
	}
	if err := t.allowed(u); err != nil {
		return "", err
	}
	u.Fragment = ""
	return u.String(), nil
}

// Run polls until ctx ends. Its first error is that of the memory: without knowing where it was, a poll could leave a gap behind.
func (t *Transport) Run(ctx context.Context, deliver feeds.Deliver) error {
	defer t.client.CloseIdleConnections()
	if err := t.load(ctx); err != nil {
		return err
	}
	for {
		wait := t.round(ctx, deliver)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// load goes on from where the last run, here or elsewhere, has been.
func (t *Transport) load(ctx context.Context) error {
	s, err := t.config.Memory.State(ctx, t.config.Feed)
	if err != nil {
		return fmt.Errorf("read where the poll was: %w", err)
	}
	t.saved = s
	if s.Asked == t.question() {
		t.cursor = s.Cursor
	}
	if s.Source == t.config.Source && s.ETag+s.Changed != "" {
		t.docs[t.config.URL] = document{etag: s.ETag, changed: s.Changed}
	}
	return nil
}

// question names what is asked: two addresses or parameters do not share a cursor. It holds no secret of the address.
func (t *Transport) question() string {
	s := t.config.Since
	if !s.on() {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", t.config.URL, s.Param, s.Text))
	return hex.EncodeToString(sum[:8])
}

// steady is the wait between good polls, with jitter so that a city's feeds do not ask in step; never less than the source asks for.
func (t *Transport) steady() time.Duration {
	wait := time.Duration(float64(t.cadence) * (1 - jitter + 2*jitter*rand.Float64()))
	return max(wait, time.Duration(float64(t.life)*(1+jitter*rand.Float64())))
}

// pause is the wait after a failure: the source's own Retry-After where it asks for more than our back-off.
func (t *Transport) pause(a answer) time.Duration {
	wait := t.backoff.NextBackOff()
	if !a.backOff {
		wait = t.steady()
	}
	return max(wait, min(a.retryAfter, maxRetryAfter))
}

func (t *Transport) keepCadence(life time.Duration) {
	t.life = life
	want := max(t.config.Every, life)
	if want != t.cadence {
		t.cadence = want
		t.config.Watch.Cadence(want)
	}
}

// store delivers, and delivers again while the store is busy, but no longer than until the next poll is due.
func (t *Transport) store(ctx context.Context, deliver feeds.Deliver, a answer, part bool) (feeds.Outcome, error) {
	again := &backoff.ExponentialBackOff{InitialInterval: 500 * time.Millisecond, Multiplier: 2, RandomizationFactor: jitter, MaxInterval: 10 * time.Second}
	until := t.config.Now().Add(t.cadence)
	for {
		out, err := deliver(ctx, a.body, feeds.Meta{ContentType: a.contentType, URL: a.url, ReceivedAt: t.config.Now(), Part: part})
		if err == nil || errors.Is(err, feeds.ErrPermanent) {
			return out, err
		}
		wait := again.NextBackOff()
		if t.config.Now().Add(wait).After(until) {
			return out, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return out, ctx.Err()
		case <-timer.C:
		}
	}
}

// followAll fetches the links of an index that were not fetched before, one after another. It tells whether all are done: if not, the
// index is read again in the next round.
func (t *Transport) followAll(ctx context.Context, deliver feeds.Deliver, base string, links []string) (done bool) {
	var addresses []string
	for _, link := range links {
		address, err := t.resolve(base, link)
		if err != nil {
			t.config.Log.Debug().Int("bytes", len(link)).Msg("link not followed: its host is not among the feed's")
			continue
		}
		addresses = append(addresses, address)
	}
	if len(addresses) == 0 {
		return true
	}
	seen, err := t.config.Memory.Seen(ctx, t.config.Feed, addresses)
	if err != nil {
		t.config.Log.Warn().Err(err).Msg("links not followed: it is not known which are new")
		return false
	}
	done = true
	fetched, here := 0, map[string]bool{}
	for i, address := range addresses {
		if seen[i] || here[address] {
			continue
		}
		here[address] = true
		if fetched++; fetched > maxFollow {
			return false
		}
		switch err := t.follow(ctx, deliver, address); {
		case ctx.Err() != nil:
			return false
		case err != nil:
			done = false
		}
	}
	return done
}

// maxTries is how often a link is fetched whose document is refused: an error page may stand in for it once or twice, not for ever.
const maxTries = 3

func (t *Transport) follow(ctx context.Context, deliver feeds.Deliver, address string) error {
	a, err := t.fetch(ctx, address, "", "")
	if err == nil {
		_, err = t.store(ctx, deliver, a, true) // links inside a linked document are not followed: depth 1
	} else if ctx.Err() == nil {
		t.config.Watch.Fault(err)
	}
	if err != nil {
		gone := a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusRequestTimeout
		if !gone && !errors.Is(err, feeds.ErrPermanent) {
			return err
		}
		if len(t.tries) > 1000 {
			clear(t.tries)
		}
		if t.tries[address]++; t.tries[address] < maxTries {
			return err
		}
		t.config.Log.Warn().Err(err).Msg("link given up")
	}
	delete(t.tries, address)
	return t.config.Memory.Mark(ctx, t.config.Feed, address)
}
