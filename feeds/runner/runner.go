// Package runner joins formats to transports and keeps them running: schedule, backoff, staleness, health.
//
// Every delivery takes the same way: the format decodes it, the sink stores it, and only then does the transport hear of it. A panic
// of a format costs the message that caused it; a transport that ends with an error is started again with growing pauses.
package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/archive"
	"kentongan/feeds/bounded"
	"kentongan/feeds/formats"
	"kentongan/feeds/simulator"
	"kentongan/feeds/transports/mqtt"
	"kentongan/feeds/transports/push"
)

// ErrUnknownFeed and ErrNotPush say why a delivery from outside has no inlet.
var (
	ErrUnknownFeed = push.ErrUnknownFeed
	ErrNotPush     = push.ErrNotPush
)

// Sink stores a batch and says what became of every item of it, the format's own refusals included. It returns once the batch is stored; an error that is not feeds.ErrPermanent means
// that nothing is acknowledged and the sender should try again.
type Sink interface {
	Store(ctx context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error)
}

// Options are what the house lends to the runner. Zero values have defaults.
type Options struct {
	Log         zerolog.Logger
	Registerer  prometheus.Registerer                                             // nil: no metrics
	Now         func() time.Time                                                  // default time.Now
	Remember    Memory                                                            // what feeds know beyond one run; default: in this process
	MaxBody     int64                                                             // bytes of a delivery as sent; default 16 MiB
	MaxInflated int64                                                             // bytes of a delivery inflated; default 64 MiB
	MaxMessage  int                                                               // bytes of an MQTT message that a broker brings; default 64 KiB
	Broker      *mqtt.Broker                                                      // that devices publish to; nil: there is none
	Formats     func(name string, options map[string]any) (feeds.Format, error)   // default formats.New
	Dial        func(ctx context.Context, network, addr string) (net.Conn, error) // default bounded.Dialer by each feed's allow_private
	City        simulator.Config                                                  // what a simulated city plays: its Place and Runs; the rest is the feed's
	Archive     *archive.Archive                                                  // of raw bytes; nil: none
	Keeper      Keeper                                                            // of contracts and of what is in quarantine; nil: no feed has a contract
	KeepRaw     time.Duration                                                     // how long the archive keeps a feed that says nothing of it
	Contact     string                                                            // in the User-Agent: an address or a page of whoever runs this house
	Version     string                                                            // in the User-Agent
}

// Runner keeps the configured feeds running. Its methods are safe for concurrent use.
type Runner struct {
	sink    Sink
	opt     Options
	metrics *metrics
	room    *room

	changing sync.Mutex     // one change at a time
	running  sync.WaitGroup // of what launch has begun
	mu       sync.RWMutex
	inlets   map[string]*inlet
	launch   func(*inlet) // runs an inlet; nil: Run is not there
}

// New builds every feed, and gives all faults joined where there are any; each names the feed and the key.
func New(configs []FeedConfig, sink Sink, opt Options) (*Runner, error) {
	opt = opt.withDefaults()
	r := &Runner{sink: sink, opt: opt, inlets: map[string]*inlet{}, metrics: newMetrics(opt.Registerer), room: newRoom(opt.MaxInflated)}
	var faults []error
	for _, c := range configs {
		in, bad := r.build(c)
		if _, twice := r.inlets[c.Name]; twice {
			bad = append(bad, &ConfigError{"name", fmt.Sprintf("%q is given to two feeds", c.Name)})
		}
		if len(bad) > 0 {
			faults = append(faults, faultsOf(c.Name, bad))
			continue
		}
		r.inlets[c.Name] = in
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return r, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBody <= 0 {
		o.MaxBody = bounded.DefaultBody
	}
	if o.MaxInflated <= 0 {
		o.MaxInflated = bounded.DefaultInflated
	}
	if o.Remember == nil {
		o.Remember = newForgetful()
	}
	if o.Formats == nil {
		o.Formats = formats.New
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return o
}

// Deliver hands over bytes that were pushed from outside; meta needs only what the sender told (ContentType, Topic, Dry). Errors:
// ErrUnknownFeed, ErrNotPush, feeds.ErrPermanent where the bytes will never be taken (bounded.ErrTooLarge among them), any other:
// try again later.
func (r *Runner) Deliver(ctx context.Context, feed string, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	in, leave, err := r.enter(ctx, feed)
	if err != nil {
		return feeds.Outcome{}, err
	}
	defer leave()
	if in.config.Transport != Push {
		return feeds.Outcome{}, fmt.Errorf("feed %q: %w: it is fed by %s", feed, ErrNotPush, in.config.Transport)
	}
	out, err := in.deliver(ctx, r.sink, body, meta)
	if err != nil {
		return out, err
	}
	linksIgnored(&out)
	return out, nil
}

// linksIgnored counts links that came over a way that follows none.
func linksIgnored(out *feeds.Outcome) {
	for i, link := range append(out.Follow, out.Next...) {
		out.Ignored = append(out.Ignored, feeds.Refusal{Index: i, Reason: "link only: " + clip(link, 200)})
	}
	out.Follow, out.Next = nil, nil
}

// Status of every feed, by name.
func (r *Runner) Status() []feeds.FeedStatus {
	var out []feeds.FeedStatus
	for _, name := range r.Names() {
		if in, ok := r.inlet(name); ok {
			out = append(out, in.status())
		}
	}
	return out
}

func clip(s string, max int) string {
	if len(s) > max {
		return s[:max] + "…"
	}
	return s
}

func userAgent(version, contact string) string {
	if contact == "" {
		contact = "no contact configured"
	}
	return "Kentongan/" + version + " (city feed reader; " + contact + ")"
}

// restarts is how long to wait before a transport is started again: 1 s, doubling to 5 min, +-10 %.
func restarts() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 2, RandomizationFactor: 0.1, MaxInterval: 5 * time.Minute}
}
