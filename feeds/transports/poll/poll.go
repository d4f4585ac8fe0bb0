// Package poll is addresses asked at an interval.
//
// One request at a time per feed, conditional (If-None-Match, If-Modified-Since), with jitter and back-off, bounded in time, size and
// inflation, and only to hosts that the feed allows. What was read counts as read only once it is stored: until then neither the
// validators of the answer nor the links in it are taken as done.
package poll

import (
	"context"
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

// Memory remembers links whose content never changes, so that each is fetched once. It is bounded: what was forgotten is fetched again.
type Memory interface {
	Seen(ctx context.Context, feed, address string) (bool, error)
	Mark(ctx context.Context, feed, address string) error
}

// Config of one polled address. URL, Every, Memory and Watch are required.
type Config struct {
	Feed         string
	URL          string
	Every        time.Duration
	Timeout      time.Duration // of one answer, from the name to the last byte
	Hosts        []string      // that links and redirects may lead to, beside the URL's own; "host" or "host:port"
	AllowPrivate bool
	MaxBody      int64
	MaxInflated  int64
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
	jitter        = 0.1
)

// Transport polls one address.
type Transport struct {
	config  Config
	client  *http.Client
	hosts   map[string]bool
	etag    string
	changed string // Last-Modified
	cadence time.Duration
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
	t := &Transport{config: c, hosts: map[string]bool{}, cadence: c.Every, tries: map[string]int{}}
	if u, err := url.Parse(c.URL); err == nil {
		t.hosts[host(u)] = true
	}
	for _, h := range c.Hosts {
		t.hosts[strings.ToLower(h)] = true
	}
	t.backoff = &backoff.ExponentialBackOff{InitialInterval: c.Every, Multiplier: 2, RandomizationFactor: jitter, MaxInterval: max(maxBackoff, c.Every)}
	t.client = &http.Client{
		Transport: &http.Transport{ // no Proxy: a proxy would dial for us, past our check of the address
			DialContext: c.Dial, DisableCompression: true, MaxIdleConns: 2, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: t.checkRedirect,
	}
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

// Run polls until ctx ends.
func (t *Transport) Run(ctx context.Context, deliver feeds.Deliver) error {
	defer t.client.CloseIdleConnections()
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

// round asks once, stores, follows, and says how long to wait.
func (t *Transport) round(ctx context.Context, deliver feeds.Deliver) time.Duration {
	a, err := t.fetch(ctx, t.config.URL, t.etag, t.changed)
	if ctx.Err() != nil {
		return 0
	}
	if err != nil {
		t.config.Watch.Fault(err)
		t.config.Log.Warn().Err(err).Msg("poll failed")
		return t.pause(a)
	}
	t.backoff.Reset()
	t.keepCadence(a.maxAge)
	if a.unchanged {
		t.config.Watch.Fresh()
		return t.steady()
	}
	out, err := t.store(ctx, deliver, a)
	if err != nil {
		return t.steady() // the runner tells why; our validators stay those of what was stored, so that this is sent again
	}
	if t.followAll(ctx, deliver, a.url, out.Follow) {
		t.etag, t.changed = a.etag, a.changed
	} else {
		t.etag, t.changed = "", ""
	}
	return t.steady()
}

// steady is the wait between good polls, with jitter so that a city's feeds do not ask in step.
func (t *Transport) steady() time.Duration {
	return time.Duration(float64(t.cadence) * (1 - jitter + 2*jitter*rand.Float64()))
}

// pause is the wait after a failure: the source's own Retry-After where it asks for more than our back-off.
func (t *Transport) pause(a answer) time.Duration {
	wait := t.backoff.NextBackOff()
	if !a.backOff {
		wait = t.steady()
	}
	return max(wait, min(a.retryAfter, maxRetryAfter))
}

func (t *Transport) keepCadence(maxAge time.Duration) {
	want := max(t.config.Every, min(maxAge, maxCadence))
	if want != t.cadence {
		t.cadence = want
		t.config.Watch.Cadence(want)
	}
}

// store delivers, and delivers again while the store is busy, but no longer than until the next poll is due.
func (t *Transport) store(ctx context.Context, deliver feeds.Deliver, a answer) (feeds.Outcome, error) {
	again := &backoff.ExponentialBackOff{InitialInterval: 500 * time.Millisecond, Multiplier: 2, RandomizationFactor: jitter, MaxInterval: 10 * time.Second}
	until := t.config.Now().Add(t.cadence)
	for {
		out, err := deliver(ctx, a.body, feeds.Meta{ContentType: a.contentType, URL: a.url, ReceivedAt: t.config.Now()})
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
	root, err := url.Parse(base)
	if err != nil {
		return true
	}
	done, fetched := true, 0
	for _, link := range links {
		u, err := root.Parse(strings.TrimSpace(link))
		if err != nil || t.allowed(u) != nil {
			t.config.Log.Debug().Int("bytes", len(link)).Msg("link not followed: its host is not among the feed's")
			continue
		}
		u.Fragment = ""
		address := u.String()
		seen, err := t.config.Memory.Seen(ctx, t.config.Feed, address)
		if err != nil {
			return false
		}
		if seen {
			continue
		}
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
		_, err = t.store(ctx, deliver, a) // links inside a linked document are not followed: depth 1
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
