package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
)

// What waits between the socket and the store: datagrams, and their bytes.
const (
	maxDatagram   = 64 << 10
	queueFrames   = 8192
	queueBytes    = 16 << 20
	kernelBuffer  = 4 << 20 // asked for; the kernel may give less
	tellDropped   = time.Second
	lastDatagrams = 100 // batches that are delivered once more at an orderly stop
)

// UDP is datagrams that senders send to us, or to a group that we are of.
type UDP struct{ config Config }

// NewUDP gives a transport that has not begun.
func NewUDP(c Config) *UDP { return &UDP{c.withDefaults()} }

// Run listens until ctx ends; where the port is taken it says so and tries again.
func (t *UDP) Run(ctx context.Context, deliver feeds.Deliver) error {
	patient.Keep(ctx, t.config.Watch, t.config.Log, func(ctx context.Context) error { return t.listen(ctx, deliver) })
	return nil
}

// open binds the address; one of a multicast group joins it on the system's interface for it.
func (t *UDP) open() (*net.UDPConn, error) {
	at, err := net.ResolveUDPAddr("udp", t.config.Listen)
	if err != nil {
		return nil, listenFault(t.config.Listen, err)
	}
	var conn *net.UDPConn
	if at.IP.IsMulticast() {
		conn, err = net.ListenMulticastUDP("udp", nil, at)
	} else {
		conn, err = net.ListenUDP("udp", at)
	}
	if err != nil {
		return nil, listenFault(t.config.Listen, err)
	}
	_ = conn.SetReadBuffer(kernelBuffer) // less is no fault: bursts are then shorter
	return conn, nil
}

func (t *UDP) listen(ctx context.Context, deliver feeds.Deliver) error {
	conn, err := t.open()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	t.config.bound(conn.LocalAddr())
	m := &mailbox{config: &t.config, deliver: deliver, queue: make(chan datagram, queueFrames), batches: map[string]*batch{}}
	var reader sync.WaitGroup
	var broken error
	reader.Go(func() {
		defer cancel()
		broken = m.read(conn)
	})
	m.empty(ctx)
	conn.Close()
	reader.Wait()
	return broken
}

// datagram is one as it came.
type datagram struct {
	peer string
	body []byte
	at   time.Time // by the house's clock
}

// mailbox is what lies between the socket and the store.
type mailbox struct {
	config  *Config
	deliver feeds.Deliver
	queue   chan datagram
	waiting atomic.Int64 // bytes in the queue
	dropped atomic.Int64
	foreign atomic.Int64
	told    patient.Seldom
	strange patient.Seldom
	batches map[string]*batch // by peer
}

// read fills the queue until the socket ends. It never waits for the store: what finds the queue full is dropped and counted.
func (m *mailbox) read(conn *net.UDPConn) error {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fault("listen", "the socket has ended: "+err.Error(), err)
		}
		switch ip := plain(from.Addr()); {
		case !m.config.heard(ip):
			m.foreign.Add(1)
		case n == 0:
		case m.waiting.Load()+int64(n) > queueBytes:
			m.dropped.Add(1)
		default:
			select {
			case m.queue <- datagram{ip.String(), append([]byte(nil), buf[:n]...), m.config.Now()}:
				m.waiting.Add(int64(n))
			default:
				m.dropped.Add(1)
			}
		}
	}
}

// empty delivers what comes through the queue until ctx ends.
func (m *mailbox) empty(ctx context.Context) {
	tell := time.NewTicker(tellDropped)
	defer tell.Stop()
	due := time.NewTicker(together / 4)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			m.lastWords(ctx)
			return
		case <-tell.C:
			m.tell()
		case <-due.C:
			m.flushDue(ctx)
		case d := <-m.queue:
			m.waiting.Add(-int64(len(d.body)))
			m.take(ctx, d)
		}
	}
}

// tell says how many datagrams were not taken since it last did.
func (m *mailbox) tell() {
	if n := int(m.dropped.Swap(0)); n > 0 {
		err := fault("overflow", fmt.Sprintf("%d datagrams came faster than they are stored", n), nil)
		m.config.Watch.Reject(n, err)
		m.config.Watch.Fault(err)
		if all, ok := m.told.Count(n); ok {
			m.config.Log.Warn().Int("datagrams", all).Msg("dropped: they come faster than they are stored")
		}
	}
	if n := int(m.foreign.Swap(0)); n > 0 {
		m.config.Watch.Reject(n, fault("peer", "a sender outside the networks that are heard", nil))
		if all, ok := m.strange.Count(n); ok {
			m.config.Log.Warn().Int("datagrams", all).Msg("refused: their senders are outside the networks that are heard")
		}
	}
}

// take cuts a datagram into its messages. Each begins and ends in it.
func (m *mailbox) take(ctx context.Context, d datagram) {
	if !m.config.Framing.Together {
		m.send(ctx, d.body, feeds.Meta{Peer: d.peer, ReceivedAt: d.at})
		return
	}
	cut := newCutter(m.config.Framing, m.config.MaxFrame)
	if cut.write(d.body); m.config.Framing.Next == nil {
		cut.write([]byte{'\n'})
	}
	for {
		message, err := cut.message()
		switch {
		case err != nil && errors.Is(err, bounded.ErrTooLarge):
			m.config.Watch.Reject(1, bounded.Explain(err))
			return
		case err != nil:
			m.config.Watch.Reject(1, fault("format", err.Error(), err))
			return
		case message == nil:
			if len(cut.rest()) > 0 {
				m.config.Watch.Reject(1, fault("broken", "a datagram that ends inside a message", nil))
			}
			return
		}
		b := m.batches[d.peer]
		if b == nil {
			b = &batch{framing: m.config.Framing}
			m.batches[d.peer] = b
		}
		if b.add(message, time.Now(), d.at) {
			m.flush(ctx, d.peer, b)
		}
	}
}

func (m *mailbox) flushDue(ctx context.Context) {
	now := time.Now()
	for peer, b := range m.batches {
		if !now.Before(b.due) {
			m.flush(ctx, peer, b)
		}
	}
}

// flush delivers what a batch gives; one that is empty is forgotten.
func (m *mailbox) flush(ctx context.Context, peer string, b *batch) {
	if body := b.take(time.Now(), false); len(body) > 0 {
		m.send(ctx, body, m.meta(peer, b))
	}
	if len(b.body) == 0 {
		delete(m.batches, peer)
	}
}

func (m *mailbox) meta(peer string, b *batch) feeds.Meta {
	return feeds.Meta{Peer: peer, ContentType: m.config.Framing.ContentType, ReceivedAt: b.at}
}

// send delivers until stored or refused, which the runner counts; the queue fills meanwhile.
func (m *mailbox) send(ctx context.Context, body []byte, meta feeds.Meta) {
	if _, err := patient.Deliver(ctx, m.deliver, body, meta); err != nil && ctx.Err() != nil {
		_ = patient.DeliverLast(ctx, m.deliver, body, meta) // datagrams promise nothing: once more, and no more
	}
}

// lastWords delivers what was gathered when ctx ended; a datagram promises nothing, so this is bounded.
func (m *mailbox) lastWords(ctx context.Context) {
	m.tell()
	n := 0
	for peer, b := range m.batches {
		if n++; n > lastDatagrams {
			return
		}
		err := patient.DeliverLast(ctx, m.deliver, b.take(time.Now(), true), m.meta(peer, b))
		if err != nil && !errors.Is(err, feeds.ErrPermanent) {
			return
		}
	}
}
