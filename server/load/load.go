// Package load is a city that talks and looks, in open loop, and what it had to wait for.
//
// Readings are due at times that are fixed beforehand; a late answer delays none of them, and each is measured from when it was due, not
// from when it could be sent. So a stall is felt by every reading that waited for it (no coordinated omission). Viewers are real live
// sockets. Generator and server must share a clock: run it on the server's machine, or beside a good NTP.
//
// Everything is bounded by Config.Validate, and a run ends by itself.
package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"kentongan/geo"
)

// Config says what to play. Times are durations, rates are per second over all.
type Config struct {
	URL           string    // of the server, http or https
	Token         string    // bearer token; empty: none is sent
	Feed          string    // a native push feed that takes the readings
	Things        int       // that report in turn
	Rate          float64   // readings; 0: only viewers
	Batch         int       // readings of one post; 0: a hundredth of the rate, at most 1,000
	Connections   int       // that post
	IncidentShare float64   // of readings that cross: 0..1
	Crossing      Crossing  // what crosses
	Viewers       int       // live sockets
	Pan           float64   // new views asked for
	Window        float64   // a view's width and height as part of Bound's, 0..1; 1: the whole of it
	Bound         geo.Bound // where Things are
	Zoom          float64
	JSON          bool // viewers ask for the JSON form
	Duration      time.Duration
	OwnIt         bool // a server that is not on this machine may be loaded
}

// Crossing is what a rule of the server waits for.
type Crossing struct {
	Property, Unit string
	Value          float64
	Samples        int // readings in a row
}

// DefaultConfig is a small city on this machine; its crossings are those of deploy/demo.yaml.
func DefaultConfig() Config {
	return Config{URL: "http://127.0.0.1:8080", Feed: "load", Things: 1000, Rate: 1000, Connections: 8, Crossing: Crossing{"water_level", "m", 3.4, 2},
		Viewers: 20, Window: .25, Bound: geo.Bound{West: 100.5, South: -1.25, East: 101.1, North: -0.65}, Zoom: 12, Duration: 30 * time.Second}
}

// Validate names every fault of the configuration at once.
func (c Config) Validate() error {
	var faults []error
	within := func(name string, v, low, high float64) {
		if !(v >= low && v <= high) {
			faults = append(faults, fmt.Errorf("%s: %v, want %v to %v", name, v, low, high))
		}
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		faults = append(faults, fmt.Errorf("url: %q, want http://HOST:PORT", c.URL))
	} else if !c.OwnIt && !loopback(u.Hostname()) {
		faults = append(faults, fmt.Errorf("url: %s is not this machine; a load is a load: say --i-own-it if it may be put on it", u.Hostname()))
	}
	if c.Rate > 0 && c.Feed == "" {
		faults = append(faults, errors.New("feed: empty"))
	}
	within("things", float64(c.Things), 1, 5_000_000)
	within("rate", c.Rate, 0, 1_000_000)
	within("batch", float64(c.Batch), 0, 10_000)
	within("connections", float64(c.Connections), 1, 1000)
	within("incident-share", c.IncidentShare, 0, 1)
	within("crossing samples", float64(c.Crossing.Samples), 1, 100)
	within("viewers", float64(c.Viewers), 0, 20_000)
	within("pan", c.Pan, 0, 10_000)
	within("window", c.Window, .001, 1)
	within("zoom", c.Zoom, 0, 24)
	within("duration in seconds", c.Duration.Seconds(), .1, 24*3600)
	if err := c.Bound.Validate(); err != nil {
		faults = append(faults, fmt.Errorf("bbox: %w", err))
	}
	if c.Viewers == 0 && (c.Rate == 0 || c.Pan > 0) {
		faults = append(faults, errors.New("viewers: 0, and nothing else to do"))
	}
	return errors.Join(faults...)
}

// loopback tells whether a host can only be this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (c *Config) batch() int {
	n := c.Batch
	if n == 0 {
		n = min(max(int(c.Rate/100), 1), 1000)
	}
	return n
}

// Result is what was measured. Histograms hold microseconds.
type Result struct {
	Config Config
	Took   time.Duration // of the load itself, without opening and draining
	Ack    *Times        // reading due to acknowledged
	Socket *Times        // reading due to a measured viewer's socket; a reading that a newer one replaced within a tick is not seen
	Cross  *Times        // crossing due to its incident on the socket
	View   *Times        // view asked for to its snapshot
	Open   *Times        // dial to hello

	Sent, Acked, Refused, Failed, Unsent int64 // readings: posted; acknowledged; 503; failed otherwise; still waiting at the end
	Crossed, Seen                        int64 // crossings acknowledged; of these seen as incident
	Messages, Bytes                      int64 // to all viewers while the load ran, snapshots of new views included
	Rows                                 int64 // Things and cells in messages to measured viewers
	Measured                             int   // viewers whose messages are read to the end
	Faults                               map[string]int
	Closed                               map[int]int // viewers by close code before the end; 0: without one
}

// Times is a histogram that many may write.
type Times struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

func newTimes() *Times {
	return &Times{h: hdrhistogram.New(1, (10 * time.Minute).Microseconds(), 3)}
}

// Add notes one duration n times, at least a microsecond and at most ten minutes.
func (t *Times) Add(d time.Duration, n int64) {
	us := min(max(d.Microseconds(), 1), (10 * time.Minute).Microseconds())
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.h.RecordValues(us, n)
}

// At gives a quantile, 0..100.
func (t *Times) At(q float64) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Duration(t.h.ValueAtQuantile(q)) * time.Microsecond
}

// N counts what was noted.
func (t *Times) N() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.h.TotalCount()
}

// run is one run.
type run struct {
	cfg     Config
	res     *Result
	mu      sync.Mutex // of res.Faults and res.Closed
	began   time.Time
	beganMS atomic.Int64 // zero before the load begins
	over    atomic.Bool
	cross   *crossings

	sent, acked, refused, failed, unsent, crossed atomic.Int64
	messages, bytes, rows                         atomic.Int64
}

// Run plays the load to its end, or until ctx ends, and gives what was measured. An error means that there was nothing to measure.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, cross: newCrossings(cfg.Feed), res: &Result{Config: cfg, Ack: newTimes(), Socket: newTimes(), Cross: newTimes(), View: newTimes(), Open: newTimes(),
		Faults: map[string]int{}, Closed: map[int]int{}}}
	viewers, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	defer viewers.close()
	r.began = time.Now()
	r.beganMS.Store(r.began.UnixMilli())
	ctx, cancel := context.WithTimeout(ctx, cfg.Duration)
	defer cancel()
	var wg sync.WaitGroup
	wg.Add(2)
	go func() { defer wg.Done(); r.send(ctx) }()
	go func() { defer wg.Done(); viewers.pan(ctx) }()
	wg.Wait()
	<-ctx.Done()
	r.res.Took = time.Since(r.began)
	bytes, messages, rows := r.bytes.Load(), r.messages.Load(), r.rows.Load()
	r.settle()
	r.over.Store(true)
	r.res.Bytes, r.res.Messages, r.res.Rows = bytes, messages, rows
	r.res.Sent, r.res.Acked, r.res.Refused, r.res.Failed, r.res.Unsent = r.sent.Load(), r.acked.Load(), r.refused.Load(), r.failed.Load(), r.unsent.Load()
	r.res.Crossed, r.res.Seen = r.crossed.Load(), r.res.Cross.N()
	r.res.Measured = len(viewers.measured())
	return r.res, nil
}

// settle waits a little for incidents that are still on their way.
func (r *run) settle() {
	for end := time.Now().Add(2 * time.Second); r.cfg.Viewers > 0 && r.cross.waiting() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(min(500*time.Millisecond, r.cfg.Duration/10))
}

// fault counts one kind of failure; only the first 32 kinds are told apart.
func (r *run) fault(err error) {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:] // without addresses, which differ each time
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.res.Faults[text]; !known && len(r.res.Faults) >= 32 {
		text = "others"
	}
	r.res.Faults[text]++
}
