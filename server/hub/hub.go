// Package hub is WebSocket clients: subscribe by cell, snapshot, resume, backpressure.
//
// One goroutine owns all that the hub knows: the city by cells, the open cases, the clients and their views. A client costs a goroutine
// that reads, and one that writes while there is something to write. Nothing that a client does makes another wait.
package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/index"
)

// Cases is what the hub asks of the case store; *store.Store is one.
type Cases interface {
	Snapshot(ctx context.Context) (store.Open, error)
	Since(ctx context.Context, offset int64, max int) ([]store.Change, bool, error)
	Tail(ctx context.Context, from int64, fn func(store.Change) error) error
}

// Change is a Thing's entry before and after a commit, and its new state; Old is nil for a new one.
type Change = struct {
	Entry, Old *index.Entry
	Thing      *feeds.Thing
}

// Deps are the rooms below.
type Deps struct {
	Picture *index.Picture // its payloads are *feeds.Thing
	Cases   Cases
	Feeds   func() []feeds.FeedStatus // may be nil
	Storage func() string             // durable, weak or volatile; may be nil
	Version string
	Epoch   string // of the store's life; part of every cursor
	Now     func() time.Time
	Log     zerolog.Logger
	Reg     prometheus.Registerer
	Config  Config // zero: DefaultConfig
}

// Config holds the hub's times; tests shorten them.
type Config struct {
	Tick     time.Duration // at most one things message per view in this time
	Ping     time.Duration
	Silence  time.Duration // without a word from the client, pongs included, the connection is given up
	Patience time.Duration // a case may wait so long for a slow client
	Grace    time.Duration // between asking a connection to end and ending it
}

// DefaultConfig is INTERFACES, section 5.
func DefaultConfig() Config {
	return Config{Tick: 100 * time.Millisecond, Ping: 10 * time.Second, Silence: 30 * time.Second, Patience: 30 * time.Second, Grace: 5 * time.Second}
}

// Hub serves clients while Run runs.
type Hub struct {
	d       Deps
	cfg     Config
	log     zerolog.Logger
	metrics *metrics

	mu      sync.Mutex
	pending [][]Change // committed, not yet taken over
	notify  chan struct{}

	calls  chan func()   // run by the hub's goroutine
	stream chan portion  // of the case stream, in order
	ended  chan struct{} // Run has ended
	conns  atomic.Int64  // connections, and questions to the store on their behalf

	// Of the hub's goroutine alone.
	city     *city
	cases    *cases
	clients  map[*client]struct{}
	lagging  map[*client]struct{} // have a dirty set
	viewing  map[*client]struct{} // ask for a view
	loaded   bool                 // city and cases are filled
	closing  bool
	lastTick time.Time
	latency  latencies
}

// New gives a hub. A nil Now is time.Now.
func New(d Deps) *Hub {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Config == (Config{}) {
		d.Config = DefaultConfig()
	}
	return &Hub{d: d, cfg: d.Config, log: d.Log.With().Str("component", "hub").Logger(), metrics: newMetrics(d.Reg),
		notify: make(chan struct{}, 1), calls: make(chan func(), 256), stream: make(chan portion, 64), ended: make(chan struct{}),
		city: newCity(), cases: newCases(), clients: map[*client]struct{}{}, lagging: map[*client]struct{}{}, viewing: map[*client]struct{}{}}
}

// ThingsChanged takes over changes that have been committed. It never waits for anything; call it in the order of commits. The slice
// is the hub's from now on.
func (h *Hub) ThingsChanged(list []Change) {
	h.mu.Lock()
	h.pending = append(h.pending, list)
	h.mu.Unlock()
	select {
	case h.notify <- struct{}{}:
	default:
	}
}

// Run serves until ctx ends, then gives every connection up. Views are answered once the picture and the open cases are loaded.
func (h *Hub) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var tail sync.WaitGroup
	tail.Add(1)
	go func() {
		defer tail.Done()
		h.follow(ctx)
	}()
	h.d.Picture.All(func(e *index.Entry) bool {
		if t := feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell); t != nil {
			h.city.put(t)
		}
		return true
	})
	h.city.settle()
	h.loop(ctx)
	cancel()
	close(h.ended)
	tail.Wait()
	h.bury()
	return nil
}

// bury gives up every connection, those that were just joining included.
func (h *Hub) bury() {
	h.closing = true
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for h.conns.Load() > 0 {
		for c := range h.clients {
			_ = c.conn.Close()
		}
		select {
		case f := <-h.calls:
			f()
		case <-poll.C:
		}
	}
}

// loop is the hub's goroutine.
func (h *Hub) loop(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	tick := time.NewTimer(time.Hour)
	defer tick.Stop()
	armed := false
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-h.calls:
			f()
		case p := <-h.stream:
			if p.reset {
				h.cases.reset(p.offset, p.list)
				h.loaded = true
			} else {
				h.caseChanges(p.list)
			}
		case <-second.C:
			h.eachSecond()
		case <-h.notify:
		case <-tick.C:
			armed = false
		}
		if armed || !h.due() {
			continue
		}
		// The newest wins within a tick; the first change after a pause is sent at once.
		if wait := h.cfg.Tick - time.Since(h.lastTick); wait > 0 {
			tick.Reset(wait)
			armed = true
			continue
		}
		h.tick()
	}
}

// due tells whether a tick has anything to do.
func (h *Hub) due() bool {
	if len(h.lagging) > 0 || len(h.viewing) > 0 && h.loaded {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.pending) > 0
}

// call runs f in the hub's goroutine, soon; false when the hub has ended.
func (h *Hub) call(f func()) bool {
	select {
	case h.calls <- f:
		return true
	case <-h.ended:
		return false
	}
}

// follow loads the open cases and follows the stream, over every failure of the store.
func (h *Hub) follow(ctx context.Context) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 20*time.Millisecond, 2*time.Second
	offset := int64(-1)
	for ctx.Err() == nil {
		err := h.followFrom(ctx, &offset, wait)
		if ctx.Err() != nil {
			return
		}
		h.log.Warn().Err(err).Msg("the case stream is interrupted; trying again")
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait.NextBackOff()):
		}
	}
}

func (h *Hub) followFrom(ctx context.Context, offset *int64, wait *backoff.ExponentialBackOff) error {
	if *offset < 0 {
		open, err := h.d.Cases.Snapshot(ctx)
		if err != nil {
			return fmt.Errorf("hub: open cases: %w", err)
		}
		list, err := standingOf(open)
		if err != nil {
			return err
		}
		*offset = open.Offset
		if err := h.give(ctx, portion{reset: true, offset: open.Offset, list: list}); err != nil {
			return err
		}
	}
	wait.Reset()
	return h.d.Cases.Tail(ctx, *offset, func(c store.Change) error {
		*offset = c.Offset
		return h.give(ctx, portion{list: []change{{c.Offset, c.Type, c.ID, c.Doc}}})
	})
}

// portion is a piece of the case stream, or what stands at an offset.
type portion struct {
	reset  bool
	offset int64
	list   []change
}

// give hands a portion to the hub's goroutine; one channel keeps the order.
func (h *Hub) give(ctx context.Context, p portion) error {
	select {
	case h.stream <- p:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func standingOf(open store.Open) ([]change, error) {
	list := make([]change, 0, len(open.Incidents)+len(open.Alerts))
	add := func(noun, id string, v any) error {
		doc, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("hub: %s %s: %w", noun, id, err)
		}
		list = append(list, change{open.Offset, noun, id, doc})
		return nil
	}
	for i := range open.Incidents {
		if err := add("incident", open.Incidents[i].ID, &open.Incidents[i]); err != nil {
			return nil, err
		}
	}
	for i := range open.Alerts {
		if err := add("alert", open.Alerts[i].ID, &open.Alerts[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}
