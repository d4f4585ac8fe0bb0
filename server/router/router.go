// Package router asks a road router over HTTP for travel times: the table service of OSRM. Who asks goes on without it.
package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"kentongan/geo"
)

// Config says where the router is.
type Config struct {
	URL     string        `yaml:"url" doc:"Address of an OSRM-like router, http://127.0.0.1:5000: travel times of recommendations come from its table service. Empty: distance times a terrain factor."`
	Profile string        `yaml:"profile" doc:"What the router drives."`
	Timeout time.Duration `yaml:"timeout" doc:"How long it is waited for; after that the distance stands in, and the recommendation says so."`
}

// DefaultConfig asks nobody.
func DefaultConfig() Config { return Config{Profile: "driving", Timeout: 800 * time.Millisecond} }

// Validate names what is wrong, each with its key first.
func (c Config) Validate() (errs []error) {
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" {
			errs = append(errs, errors.New("url: want http://host:port"))
		}
	}
	if c.Profile == "" || strings.ContainsAny(c.Profile, "/?#") {
		errs = append(errs, errors.New("profile: want one word, as driving"))
	}
	if c.Timeout < 50*time.Millisecond || c.Timeout > 10*time.Second {
		errs = append(errs, errors.New("timeout: want 50ms to 10s"))
	}
	return errs
}

// Bounds of one question, and of the circuit.
const (
	Most     = 90               // places of departure: OSRM takes 100 in all
	fails    = 3                // failures in a row that open the circuit
	rest     = 30 * time.Second // how long it stays open; then one question tries
	answered = 1 << 20          // bytes of an answer
)

// ErrOpen means that the router has failed lately and is not asked now.
var ErrOpen = errors.New("the router has failed lately and is not asked now")

// Client asks one router. Safe for concurrent use.
type Client struct {
	c    Config
	http *http.Client
	now  func() time.Time

	mu     sync.Mutex
	failed int
	until  time.Time // no question before; one at a time after it, until one is answered
}

// New makes a client; nil where no router is configured.
func New(c Config, now func() time.Time) *Client {
	if c.URL == "" {
		return nil
	}
	return &Client{c: c, now: now, http: &http.Client{Timeout: c.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Table gives the seconds of road from each place to one, in their order; NaN where there is no road. Errors: ErrOpen, or what went wrong; the
// caller goes on without.
func (c *Client) Table(ctx context.Context, from []geo.Position, to geo.Position) ([]float64, error) {
	if len(from) == 0 || len(from) > Most {
		return nil, fmt.Errorf("router: %d places; 1 to %d may be asked for", len(from), Most)
	}
	if !c.admit() {
		return nil, ErrOpen
	}
	out, err := c.ask(ctx, from, to)
	c.note(err == nil || ctx.Err() != nil) // who gave up has not learnt that it is down
	return out, err
}

func (c *Client) admit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed < fails {
		return true
	}
	if c.now().Before(c.until) {
		return false
	}
	c.until = c.now().Add(rest)
	return true
}

func (c *Client) note(ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok {
		c.failed = 0
		return
	}
	if c.failed++; c.failed >= fails {
		c.until = c.now().Add(rest)
	}
}

// answer is what the table service says (OSRM HTTP API v5).
type answer struct {
	Code      string       `json:"code"`
	Durations [][]*float64 `json:"durations"`
}

func (c *Client) ask(ctx context.Context, from []geo.Position, to geo.Position) ([]float64, error) {
	places, sources := make([]string, 0, len(from)+1), make([]string, len(from))
	for i, p := range append([]geo.Position{to}, from...) {
		places = append(places, strconv.FormatFloat(p.Lng, 'f', 6, 64)+","+strconv.FormatFloat(p.Lat, 'f', 6, 64))
		if i > 0 {
			sources[i-1] = strconv.Itoa(i)
		}
	}
	address := strings.TrimSuffix(c.c.URL, "/") + "/table/v1/" + c.c.Profile + "/" + strings.Join(places, ";") + "?annotations=duration&destinations=0&sources=" + strings.Join(sources, ";")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("router: %w", err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("router: %w", errors.Unwrap(err)) // without the address: it has places of units
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("router: it answers %d", resp.StatusCode)
	}
	var a answer
	if err := json.NewDecoder(io.LimitReader(resp.Body, answered)).Decode(&a); err != nil {
		return nil, fmt.Errorf("router: its answer cannot be read: %w", err)
	}
	if a.Code != "Ok" || len(a.Durations) != len(from) {
		return nil, fmt.Errorf("router: code %.40q and %d rows for %d places", a.Code, len(a.Durations), len(from))
	}
	out := make([]float64, len(from))
	for i, row := range a.Durations {
		switch {
		case len(row) != 1:
			return nil, fmt.Errorf("router: row %d has %d durations", i, len(row))
		case row[0] == nil:
			out[i] = math.NaN()
		case *row[0] < 0 || *row[0] > 7*24*3600:
			return nil, fmt.Errorf("router: row %d: %g s is no duration", i, *row[0])
		default:
			out[i] = *row[0]
		}
	}
	return out, nil
}
