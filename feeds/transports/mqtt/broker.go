package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

// Config of the broker. Listen and Authenticate are required.
type Config struct {
	Listen     string        // host:port; port 0 picks a free one
	TLS        *tls.Config   // nil: plain
	MaxPayload int           // bytes of one message; default 64 KiB
	MaxClients int           // connected at one time, and sessions kept; default 20,000
	Greeting   time.Duration // from accepting a connection to its CONNECT; default 10 s

	// Authenticate tells what a sender may do. Errors: ErrDenied, or a *Refusal that says why; any other: nobody can tell now.
	Authenticate func(ctx context.Context, c Claim) (Pass, error)
	// Alive tells whether what was shown still holds; it is asked twice a second for each name in use. nil: for ever.
	Alive func(ctx context.Context, name string) (bool, error)
	// Pace pays for one message of a sender that showed this, and tells how long it has to wait; 0: go on. nil: nobody waits.
	Pace func(ctx context.Context, name string) time.Duration

	Now        func() time.Time      // default time.Now
	Registerer prometheus.Registerer // nil: no metrics
	Log        zerolog.Logger
}

// Bounds of the broker.
const (
	defaultPayload = 64 << 10
	defaultClients = 20_000
	defaultGreet   = 10 * time.Second
	packetFactor   = 4                // a packet of more than so many payloads ends its connection; a smaller one that is too large is answered
	packetExtra    = 4 << 10          // of a packet besides its payload
	longestSilence = 20 * time.Minute // of a connection: the keepalive that is enforced where a client asks for none or for more
	sessionLife    = 3600             // seconds that a session outlives its connection
	keysEvery      = 500 * time.Millisecond
)

// readBuffer of one connection, in bytes: most devices send less in one packet, and what is larger is read past it.
const readBuffer = 512

// Broker takes what devices publish, for all feeds of one server. Its methods are safe for concurrent use.
type Broker struct {
	cfg       Config
	server    *mochi.Server
	metrics   *metrics
	connected atomic.Int64
	door      door
	loud      *rate.Limiter // of lines about strangers

	mu       sync.Mutex
	stations map[string]*station
	sessions map[string]*session // by feed and client id
	addr     net.Addr            // nil: not listening
	fault    error               // why not
	changed  chan struct{}       // closed when addr or fault change
	wanted   chan struct{}       // closed once there is a feed
	recheck  chan struct{}       // something shown may have been taken back
}

// New gives a broker that does not listen yet.
func New(cfg Config) *Broker {
	if cfg.MaxPayload <= 0 {
		cfg.MaxPayload = defaultPayload
	}
	if cfg.MaxClients <= 0 {
		cfg.MaxClients = defaultClients
	}
	if cfg.Greeting <= 0 {
		cfg.Greeting = defaultGreet
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Log = cfg.Log.With().Str("component", "mqtt").Logger()
	b := &Broker{cfg: cfg, loud: rate.NewLimiter(1, 5), stations: map[string]*station{}, sessions: map[string]*session{}, changed: make(chan struct{}), wanted: make(chan struct{}), recheck: make(chan struct{}, 1)}
	b.metrics = newMetrics(cfg.Registerer, b)
	b.door.init(cfg, b.stranger)
	limits := mochi.NewDefaultServerCapabilities()
	limits.MaximumClients = int64(cfg.MaxClients)
	limits.MaximumClientWritesPending = 1 // nothing is ever published to a client
	limits.MaximumSessionExpiryInterval = sessionLife
	limits.MaximumPacketSize = uint32(cfg.MaxPayload*packetFactor + packetExtra)
	limits.ReceiveMaximum = laneWaiting
	limits.TopicAliasMaximum = 0 // the library checks the topic before it resolves an alias
	limits.MinimumProtocolVersion = 4
	limits.SharedSubAvailable, limits.WildcardSubAvailable, limits.SubIDAvailable = 0, 0, 0
	b.server = mochi.New(&mochi.Options{
		Capabilities: limits, ClientNetReadBufferSize: readBuffer,
		SysTopicResendInterval: int64((365 * 24 * time.Hour).Seconds()), // nobody may read them
		Logger:                 slog.New(slog.DiscardHandler),           // its lines hold whole packets, passwords among them; the hooks log what matters
	})
	if err := b.server.AddHook(&hook{broker: b}, nil); err != nil {
		panic(err) // the hook's Init does nothing that could fail
	}
	return b
}

// Addr is the bound address, and nil while there is none.
func (b *Broker) Addr() net.Addr {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.addr
}

// Run listens until ctx ends, beginning with the first feed: a house without one opens no port. A port that is taken is tried again; the
// feeds hear of it.
func (b *Broker) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-b.wanted:
	}
	var upkeep sync.WaitGroup
	upkeep.Go(func() { b.upkeep(ctx) })
	pauses := &backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 2, RandomizationFactor: 0.1, MaxInterval: 15 * time.Second}
	for ctx.Err() == nil {
		l, err := net.Listen("tcp", b.cfg.Listen)
		if err == nil {
			pauses.Reset()
			b.listening(l.Addr(), nil)
			b.cfg.Log.Info().Str("addr", l.Addr().String()).Bool("tls", b.cfg.TLS != nil).Msg("MQTT broker listening")
			err = b.door.open(ctx, l, b.meet)
		}
		if ctx.Err() != nil {
			break
		}
		wait := pauses.NextBackOff()
		b.listening(nil, fmt.Errorf("mqtt_listen %s: %w", b.cfg.Listen, err))
		b.cfg.Log.Warn().Err(err).Str("addr", b.cfg.Listen).Dur("again_in", wait).Msg("MQTT broker cannot listen")
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
	b.listening(nil, errors.New("the house is closing"))
	b.endSessions(func(*session) bool { return true }, packets.ErrServerShuttingDown)
	b.door.close()
	upkeep.Wait()
	return nil
}

// listening tells the feeds where we listen, or why not.
func (b *Broker) listening(addr net.Addr, fault error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addr, b.fault = addr, fault
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *Broker) state() (up bool, changed <-chan struct{}, fault error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.addr != nil, b.changed, b.fault
}

// serve keeps a feed at the broker until ctx ends.
func (b *Broker) serve(ctx context.Context, st *station) error {
	b.mu.Lock()
	if _, twice := b.stations[st.feed]; twice {
		b.mu.Unlock()
		return fmt.Errorf("feed %s is at the broker already", st.feed)
	}
	b.stations[st.feed] = st
	select {
	case <-b.wanted:
	default:
		close(b.wanted)
	}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.stations, st.feed)
		b.mu.Unlock()
		st.close()
		b.endSessions(func(s *session) bool { return s.station == st }, packets.ErrServerShuttingDown)
	}()
	for {
		up, changed, fault := b.state()
		switch {
		case up:
			st.watch.Well()
		case fault != nil:
			st.watch.Fault(fmt.Errorf("transport: %w", fault))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

func (b *Broker) station(feed string) *station {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stations[feed]
}

// forget drops a session that nobody is connected to.
func (b *Broker) forget(id string, s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sessions[id] == s {
		delete(b.sessions, id)
	}
}

// endSessions ends every session that which picks, kept ones too.
func (b *Broker) endSessions(which func(*session) bool, code packets.Code) (n int) {
	picked := map[string]*session{}
	b.mu.Lock()
	for id, s := range b.sessions {
		if which(s) {
			picked[id] = s
			delete(b.sessions, id)
		}
	}
	b.mu.Unlock()
	for _, s := range picked {
		s.end(code)
	}
	return len(picked)
}

// sendAway ends a connection, and tells a client of version 5 why. Its Will does not come true.
func (b *Broker) sendAway(cl *mochi.Client, code packets.Code) {
	if l, ok := cl.Net.Conn.(*link); ok {
		l.dismissed.Store(true)
	}
	if cl.Properties.ProtocolVersion == 5 {
		_ = b.server.DisconnectClient(cl, code) // it ends either way
		return
	}
	cl.Stop(code)
}

// Recheck asks now whether what senders showed still holds: somebody has heard that it may not.
func (b *Broker) Recheck() {
	select {
	case b.recheck <- struct{}{}:
	default: // it is about to
	}
}

// stranger is told why a handshake failed.
func (b *Broker) stranger(from string, err error) {
	var bad *tls.CertificateVerificationError
	if !errors.As(err, &bad) {
		return
	}
	b.metrics.turnedAway()
	if b.loud.Allow() {
		b.cfg.Log.Warn().Str("from", from).Err(err).Msg("MQTT client refused: its certificate does not hold")
	}
}

// upkeep ends the sessions of what is taken back, and those whose time is over.
func (b *Broker) upkeep(ctx context.Context) {
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			b.endSessions(func(s *session) bool { return s.over(now) }, packets.CodeSuccess)
		case <-b.recheck:
		}
		if b.cfg.Alive != nil {
			b.checkShown(ctx)
		}
	}
}

func (b *Broker) checkShown(ctx context.Context) {
	names := map[string]struct{}{}
	b.mu.Lock()
	for _, s := range b.sessions {
		for _, name := range s.may().Shown {
			names[name] = struct{}{}
		}
	}
	b.mu.Unlock()
	for name := range names {
		asked, cancel := context.WithTimeout(ctx, 2*time.Second)
		alive, err := b.cfg.Alive(asked, name)
		cancel()
		if err != nil || alive { // where nobody can tell, it holds
			continue
		}
		n := b.endSessions(func(s *session) bool { return slices.Contains(s.may().Shown, name) }, packets.ErrNotAuthorized)
		b.cfg.Log.Info().Str("shown", name).Int("sessions", n).Msg("MQTT sessions ended: what they showed holds no longer")
	}
}
