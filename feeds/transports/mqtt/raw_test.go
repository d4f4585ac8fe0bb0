package mqtt

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
)

// raw speaks MQTT byte by byte, so that it can also speak it wrongly.
type raw struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func dial(t testing.TB, b *Broker) *raw {
	t.Helper()
	c, err := net.Dial("tcp", b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &raw{t, c, bufio.NewReader(c)}
}

func text(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

func frame(first byte, body ...[]byte) []byte {
	all := slices.Concat(body...)
	out := []byte{first}
	for n := len(all); ; {
		b := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			b |= 0x80
		}
		out = append(out, b)
		if n == 0 {
			break
		}
	}
	return append(out, all...)
}

// hello is what a CONNECT says.
type hello struct {
	version              byte // 4 or 5
	id, feed, key        string
	keep                 bool // clean start false, and with version 5 a session of a minute
	willTopic, will      string
	willRetain           bool
	willDelay, keepalive uint16
}

func (h hello) frame() []byte {
	flags := byte(0xC0)
	if !h.keep {
		flags |= 2
	}
	if h.willTopic != "" {
		flags |= 4
	}
	if h.willRetain {
		flags |= 0x20
	}
	body := slices.Concat(text("MQTT"), []byte{h.version, flags}, binary.BigEndian.AppendUint16(nil, h.keepalive))
	if h.version == 5 {
		if h.keep {
			body = append(body, 5, 0x11, 0, 0, 0, 60)
		} else {
			body = append(body, 0)
		}
	}
	body = append(body, text(h.id)...)
	if h.willTopic != "" {
		if h.version == 5 {
			body = append(body, 5, 0x18, 0, 0, byte(h.willDelay>>8), byte(h.willDelay))
		}
		body = append(body, text(h.willTopic)...)
		body = append(body, text(h.will)...)
	}
	body = append(body, text(h.feed)...)
	return frame(0x10, body, text(h.key))
}

func publish(version, qos byte, dup, retain bool, id uint16, topic, body string) []byte {
	first := 0x30 | qos<<1
	if dup {
		first |= 8
	}
	if retain {
		first |= 1
	}
	head := text(topic)
	if qos > 0 {
		head = binary.BigEndian.AppendUint16(head, id)
	}
	if version == 5 {
		head = append(head, 0)
	}
	return frame(first, head, []byte(body))
}

func (r *raw) send(b []byte) {
	r.t.Helper()
	if _, err := r.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// packet reads one; it fails the test where none comes in time.
func (r *raw) packet() (kind byte, body []byte) {
	r.t.Helper()
	kind, body, err := r.next(5 * time.Second)
	if err != nil {
		r.t.Fatalf("no packet: %v", err)
	}
	return kind, body
}

func (r *raw) next(patience time.Duration) (kind byte, body []byte, err error) {
	_ = r.SetReadDeadline(time.Now().Add(patience))
	first, err := r.in.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r.in, body)
	return first >> 4, body, err
}

// closed tells that the broker ends the connection in time; what it says before does not count.
func (r *raw) closed(patience time.Duration) bool {
	until := time.Now().Add(patience)
	for {
		if _, _, err := r.next(time.Until(until)); err != nil {
			var slow net.Error
			return !errors.As(err, &slow) || !slow.Timeout()
		}
	}
}

// sit connects and wants to be let in.
func sit(t testing.TB, b *Broker, h hello) (*raw, bool) {
	t.Helper()
	r := dial(t, b)
	r.send(h.frame())
	kind, body := r.packet()
	if kind != 2 || body[1] != 0 {
		t.Fatalf("CONNECT of %s/%s answered by packet %d % x", h.feed, h.id, kind, body)
	}
	return r, body[0] == 1
}

// store is where deliveries go.
type store struct {
	mu    sync.Mutex
	busy  bool
	delay time.Duration
	bad   string // a body refused for good
	got   []feeds.Meta
	body  []string
	tries int
}

func (s *store) deliver(ctx context.Context, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	if s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	switch {
	case ctx.Err() != nil:
		return feeds.Outcome{}, ctx.Err()
	case s.busy:
		return feeds.Outcome{}, fmt.Errorf("redis: %w", feeds.ErrBusy)
	case s.bad != "" && string(body) == s.bad:
		return feeds.Outcome{}, feeds.Permanentf("no document")
	}
	s.got, s.body = append(s.got, meta), append(s.body, string(body))
	return feeds.Outcome{Receipt: feeds.Receipt{Accepted: 1}}, nil
}

func (s *store) bodies() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.body)
}

func (s *store) set(f func(*store)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// watcher keeps what a feed hears of its way in.
type watcher struct {
	mu      sync.Mutex
	open    int
	faults  []string
	refused []string
}

func (w *watcher) Fault(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, err.Error())
}

func (w *watcher) Well() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
}

func (w *watcher) Reject(_ int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = append(w.refused, err.Error())
}

func (w *watcher) count() (open, faults, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open, len(w.faults), len(w.refused)
}

// house is a broker with feeds.
type house struct {
	*Broker
	mu      sync.Mutex
	revoked map[string]bool
}

const key = "sesame"

func (h *house) authenticate(_ context.Context, c Claim) (Pass, error) {
	if c.Key != key {
		return Pass{}, ErrDenied
	}
	return Pass{Feed: c.Feed, Shown: []string{"key-of-" + c.Feed}}, nil
}

func (h *house) alive(_ context.Context, id string) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.revoked[id], nil
}

// open starts a broker on a free port; change alters its settings.
func open(t testing.TB, change ...func(*Config)) *house {
	t.Helper()
	h := &house{revoked: map[string]bool{}}
	cfg := Config{Listen: "127.0.0.1:0", Authenticate: h.authenticate, Alive: h.alive, Log: zerolog.Nop()}
	for _, f := range change {
		f(&cfg)
	}
	h.Broker = New(cfg)
	run(t, h.Run)
	return h
}

// feed adds a feed; stop takes it away and waits.
func (h *house) feed(t testing.TB, name, topic string, s *store) (w *watcher, stop func()) {
	t.Helper()
	w = &watcher{}
	stop = run(t, func(ctx context.Context) error {
		return Inlet{Broker: h.Broker, Feed: name, Topic: topic, Watch: w}.Run(ctx, s.deliver)
	})
	until(t, "the feed at the broker", func() bool { return h.station(name) != nil })
	until(t, "listening", func() bool { _, _, fault := h.state(); return h.Addr() != nil || fault != nil })
	return w, stop
}

// run keeps something running until the test ends or stop is called.
func run(t testing.TB, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Error("it does not end")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// until waits for something that is bound to happen.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("%s: not within 10 s", what)
}
