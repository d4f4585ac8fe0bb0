// Package hub is WebSocket clients: subscribe by cell, snapshot, resume, backpressure.
//
// One goroutine owns all that the hub knows: the city by slots and cells, the open cases, the clients and what they look at. Clients that
// look at the same (bound, layers, form, rights, and Things or cells) share a scope: a message is built once per scope and tick, out of
// frames that are encoded once per cell and tick, and is written with one write per client by a few writers. A client costs a goroutine
// that reads and nothing else while it is idle. Buckets know the scopes that show them, so a viewer costs what changes in its view.
//
// What a client may see is asked of access for each case when it is delivered, at the level that is left of it, and for its whole
// audience: clients whose grants are alike. A Thing of kind unit shows to whoever may see its agency's units, a cell of units to whoever
// sees all. Who may see less than a screen shows is sent away to come back.
//
// Readings and cases never mix. Things and cells are thinned for whoever is slow: it lags, and gets the newest once it has read. Cases are
// queued at once, in order, and never dropped.
//
// Nothing that a client does makes another wait. What becomes of bad ones (viewers_test.go):
//
//   - One that never reads: two messages of its view wait, then it only lags. It is closed with 1013 when a case has waited 30 s or 8 MB of
//     cases wait, and cut when it has not answered pings for 30 s or a write has hung for 60 s.
//   - One that sends garbage: an error message for each, and 1008 at the sixteenth.
//   - One that asks for the world at zoom 22: cells so coarse that its view holds at most 8,000 of them.
//   - One that pans 50 times a second: the newest view counts and is answered once a tick at most, once it has read the last answer; what
//     is more than 20 messages a second (60 at once) is answered by too_many, the sixteenth time by 1008.
//   - Thousands that come at once: answered in the order in which they came, by snapshots built once per scope and shared while nothing
//     changes, per tick at most 32 MB of them and for a quarter of the tick's time; everybody else's tick goes out before.
package hub

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/index"
	"kentongan/server/wire"
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
	Picture *index.Picture // its payloads are what feeds.Unpack reads
	Cases   Cases
	Feeds   func() []feeds.FeedStatus                                        // may be nil
	Agency  func(feed string) string                                         // whose a feed is; may be nil
	Painted func(ctx context.Context, session string, alarms []string) error // told which alarms the holder of a session has before their eyes; the session is its hash; may be nil
	Guests  func(wire.Wall) bool                                             // whether visitors stand before a wall that is set so; nil: before none
	Storage func() string                                                    // durable, weak or volatile; may be nil
	Version string
	Epoch   string // of the store's life; part of every cursor
	Now     func() time.Time
	Log     zerolog.Logger
	Reg     prometheus.Registerer
	Config  Config // zero: DefaultConfig
}

// Config holds the hub's times and bounds; tests make them smaller.
type Config struct {
	Tick     time.Duration // at most one things message per view in this time
	Ping     time.Duration
	Silence  time.Duration // without a word from the client, pongs included, the connection is given up
	Patience time.Duration // a case may wait so long for a slow client
	Grace    time.Duration // between asking a connection to end and ending it
	Crowd    int           // more wanted Things in a view than this are shown as cells, until there are a tenth fewer
}

// DefaultConfig is INTERFACES, section 5.
func DefaultConfig() Config {
	return Config{Tick: 100 * time.Millisecond, Ping: 10 * time.Second, Silence: 30 * time.Second, Patience: 30 * time.Second, Grace: 5 * time.Second, Crowd: 20_000}
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
	asking chan struct{} // one walk through the picture at a time

	writers *writers

	// Of the hub's goroutine alone.
	city       *city
	grid       *grid
	cases      *cases
	clients    map[*client]struct{}
	audiences  map[string]*audience // by what their clients may see
	scopes     map[scopeKey]*scope
	numbered   []*scope // by number; nil: free
	unnumbered []uint32
	room       []*bucket            // of bucketsOf, until it is asked again
	lagging    map[*client]struct{} // have not read what waits for them
	waiting    []*client            // ask for a view, in order
	parcels    []*scope             // have something to be told in this tick
	ready      []*client            // to be handed to the writers
	loaded     bool                 // city and cases are filled
	closing    bool
	second     bool // a second has passed, to be told with the next tick
	lastTick   time.Time
	phase      time.Time // when the part of the tick began that has a budget
	answered   int       // bytes of snapshots in this tick
	built      int       // snapshots since the start; the others were shared
	latency    latencies
}

// New gives a hub. A nil Now is time.Now.
func New(d Deps) *Hub {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Config == (Config{}) {
		d.Config = DefaultConfig()
	}
	m, city := newMetrics(d.Reg), newCity()
	h := &Hub{d: d, cfg: d.Config, log: d.Log.With().Str("component", "hub").Logger(), metrics: m, writers: newWriters(m),
		notify: make(chan struct{}, 1), calls: make(chan func(), 256), stream: make(chan portion, 64), ended: make(chan struct{}), asking: make(chan struct{}, 1),
		city: city, grid: newGrid(city), cases: newCases(), clients: map[*client]struct{}{}, audiences: map[string]*audience{}, scopes: map[scopeKey]*scope{}, lagging: map[*client]struct{}{}}
	city.owner, h.cases.agencyOf = h.owner, d.Agency
	return h
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
	h.city.loadAll(h.d.Picture)
	h.writers.run()
	h.loop(ctx)
	cancel()
	close(h.ended)
	tail.Wait()
	h.bury()
	h.writers.close()
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
		h.handOver()
	}
}

// begin starts from what stands. Screens that were here before have missed what this server has missed: they come back for a snapshot.
func (h *Hub) begin(p portion) {
	h.cases.reset(p.offset, p.list, p.cut)
	h.rearm()
	if h.loaded {
		for c := range h.clients {
			h.end(c, wire.CloseSlow, "this server was behind")
		}
	}
	h.loaded = true
}

// loop is the hub's goroutine.
func (h *Hub) loop(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	tick := time.NewTimer(time.Hour)
	defer tick.Stop()
	armed := false
	for {
		h.handOver()
		select {
		case <-ctx.Done():
			return
		case f := <-h.calls:
			f()
		case p := <-h.stream:
			if p.reset {
				h.begin(p)
			} else {
				h.caseChanges(p.list)
			}
		case <-second.C:
			if armed { // with the tick: one write for both
				h.second = true
			} else {
				h.eachSecond()
			}
		case <-h.notify:
		case <-tick.C:
			armed = false
		}
		if armed || !h.due() {
			continue
		}
		// The newest wins within a tick; the first change after a pause is sent at once.
		if time.Since(h.lastTick) >= h.cfg.Tick {
			h.tick()
			if h.second {
				h.second = false
				h.eachSecond()
			}
			if !h.due() {
				continue
			}
		}
		tick.Reset(max(h.cfg.Tick-time.Since(h.lastTick), time.Millisecond))
		armed = true
	}
}

// handOver gives the writers the clients for whom something waits.
func (h *Hub) handOver() {
	h.writers.give(h.ready...)
	clear(h.ready)
	h.ready = h.ready[:0]
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
