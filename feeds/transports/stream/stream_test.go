package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/feedtest"
	"kentongan/feeds/formats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house takes deliveries and is told of faults.
type house struct {
	mu      sync.Mutex
	bodies  []string
	metas   []feeds.Meta
	answer  func(body string) error // nil: stored
	faults  []string
	rejects map[string]int // by code
	well    int
}

func newHouse() *house { return &house{rejects: map[string]int{}} }

func (h *house) deliver(_ context.Context, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answer != nil {
		if err := h.answer(string(body)); err != nil {
			return feeds.Outcome{}, err
		}
	}
	h.bodies, h.metas = append(h.bodies, string(body)), append(h.metas, meta)
	return feeds.Outcome{}, nil
}

func (h *house) Fault(err error) {
	h.mu.Lock()
	h.faults = append(h.faults, err.Error())
	h.mu.Unlock()
}
func (h *house) Well() { h.mu.Lock(); h.well++; h.mu.Unlock() }
func (h *house) Reject(n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rejects[bounded.Explain(err).Code] += n
}

func (h *house) text() string          { h.mu.Lock(); defer h.mu.Unlock(); return strings.Join(h.bodies, "") }
func (h *house) count(code string) int { h.mu.Lock(); defer h.mu.Unlock(); return h.rejects[code] }

// until waits until something holds, or fails.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// start runs a transport that listens, and gives its address; stop ends it and waits.
func start(t *testing.T, h *house, c Config, transport func(Config) feeds.Transport) (address string, stop func()) {
	t.Helper()
	at := bound(t, &c)
	c.Watch, c.Log = h, zerolog.Nop()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := begin(func() { _ = transport(c).Run(ctx, h.deliver) })
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done }) }
	t.Cleanup(stop)
	select {
	case a := <-at:
		return a, stop
	case <-time.After(30 * time.Second):
		t.Fatal("it does not listen")
	}
	return "", stop
}

func bound(t *testing.T, c *Config) chan string {
	t.Helper()
	at := make(chan string, 16)
	c.Bound = func(a net.Addr) { at <- a.String() }
	return at
}

func begin(f func()) chan struct{} {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	return done
}

func tcp(c Config) feeds.Transport { return NewTCP(c) }
func udp(c Config) feeds.Transport { return NewUDP(c) }

func dial(t *testing.T, network, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// gone waits until the other side has ended a connection.
func gone(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var e net.Error
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.As(err, &e) && e.Timeout() {
		t.Fatalf("the connection stands: %v", err)
	}
}

// counts is what a recorded file gives in all.
type counts struct{ observations, positions, alerts, reports, rejected, deliveries int }

func tally(t *testing.T, format feeds.Format, h *house) (c counts) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, body := range h.bodies {
		b, err := format.Decode([]byte(body), h.metas[i])
		if err != nil {
			t.Errorf("delivery %d: %v", i, err)
		}
		c.observations, c.positions, c.alerts = c.observations+len(b.Observations), c.positions+len(b.Positions), c.alerts+len(b.Alerts)
		c.reports, c.rejected = c.reports+len(b.Reports), c.rejected+len(b.Rejected)
		c.deliveries++
	}
	return c
}

// What a producer was recorded to send gives the same through sockets as in one piece.
func TestRecordedStreams(t *testing.T) {
	for _, c := range []struct{ format, files string }{
		{"nmea", "nmea/*.txt"}, {"ais", "ais/nmea-sample.txt"}, {"ais", "ais/typeexamples.nmea"}, {"cot", "cot/*.xml"},
	} {
		format, err := formats.New(c.format, nil)
		if err != nil {
			t.Fatal(err)
		}
		var whole []byte
		want := counts{}
		for _, file := range feedtest.Recorded(t, c.files) {
			body := feedtest.Read(t, file)
			b, err := format.Decode(body, feedtest.Meta())
			if err != nil {
				t.Fatal(err)
			}
			want.observations, want.positions, want.alerts = want.observations+len(b.Observations), want.positions+len(b.Positions), want.alerts+len(b.Alerts)
			want.reports, want.rejected = want.reports+len(b.Reports), want.rejected+len(b.Rejected)
			whole = append(whole, body...)
		}
		framing := feeds.FramingOf(format)
		check := func(t *testing.T, h *house) {
			got := tally(t, format, h)
			t.Logf("%s %s: %+v in %d deliveries", c.format, c.files, got, got.deliveries)
			if got.deliveries > 5+len(whole)/20000 {
				t.Errorf("%d deliveries of %d bytes", got.deliveries, len(whole))
			}
			if got.deliveries = 0; got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		t.Run("tcp "+c.files, func(t *testing.T) {
			h := newHouse()
			address, stop := start(t, h, Config{Framing: framing}, tcp)
			conn := dial(t, "tcp", address)
			for at := 0; at < len(whole); at += 1000 {
				say(t, conn, string(whole[at:min(at+1000, len(whole))]))
			}
			conn.(*net.TCPConn).CloseWrite()
			gone(t, conn)
			stop()
			check(t, h)
		})
		t.Run("udp "+c.files, func(t *testing.T) {
			h := newHouse()
			address, stop := start(t, h, Config{Framing: framing}, udp)
			conn := dial(t, "udp", address)
			cut := newCutter(framing, 1<<20)
			if cut.write(whole); framing.Next == nil {
				cut.write([]byte{'\n'})
			}
			sent := 0
			for {
				m, err := cut.message()
				if err != nil || m == nil {
					break
				}
				say(t, conn, string(bytes.TrimRight(m, "\r\n")))
				if sent += len(bytes.TrimSpace(m)); sent%64 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
			until(t, "all datagrams are delivered", func() bool {
				return len(strings.Join(strings.Fields(h.text()), "")) >= len(bytes.Join(bytes.Fields(whole), nil))
			})
			stop()
			check(t, h)
		})
	}
}

func TestBusyStoreHoldsTheSenderAndLosesNothing(t *testing.T) {
	h := newHouse()
	busy := true
	h.answer = func(string) error {
		if busy {
			return feeds.ErrBusy
		}
		return nil
	}
	address, stop := start(t, h, Config{Framing: feeds.Lines("")}, tcp)
	conn := dial(t, "tcp", address)
	line := strings.Repeat("x", 999) + "\n"
	wrote := make(chan int, 1)
	go func() {
		n := 0
		_ = conn.SetWriteDeadline(time.Now().Add(400 * time.Millisecond))
		for n < 64<<20 {
			w, err := conn.Write([]byte(line))
			n += w
			if err != nil {
				break
			}
		}
		wrote <- n
	}()
	n := <-wrote
	if n >= 64<<20 {
		t.Fatal("a busy store does not hold the sender back")
	}
	h.mu.Lock()
	busy = false
	h.mu.Unlock()
	say2 := conn.(*net.TCPConn)
	_ = say2.SetWriteDeadline(time.Time{})
	if rest := n % len(line); rest > 0 {
		say(t, conn, line[rest:])
		n += len(line) - rest
	}
	say2.CloseWrite()
	gone(t, conn)
	stop()
	if got := h.text(); len(got) != n || strings.Count(got, line) != n/len(line) {
		t.Errorf("%d bytes sent, %d stored", n, len(got))
	}
}

func TestAnOrderlyStopDeliversWhatWasRead(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		h := newHouse()
		transport := tcp
		if network == "udp" {
			transport = udp
		}
		address, stop := start(t, h, Config{Framing: feeds.Lines("text/lines")}, transport)
		conn := dial(t, network, address)
		say(t, conn, "a\nb\n")
		time.Sleep(50 * time.Millisecond) // it is read, and waits for others
		stop()
		if h.text() != "a\nb\n" || h.metas[0].Peer != "127.0.0.1" || h.metas[0].ContentType != "text/lines" || h.metas[0].ReceivedAt.IsZero() {
			t.Errorf("%s: %q, %+v", network, h.text(), h.metas)
		}
	}
}

func TestDocumentsAreDeliveriesOfTheirOwn(t *testing.T) {
	h := newHouse()
	address, stop := start(t, h, Config{}, tcp)
	conn := dial(t, "tcp", address)
	say(t, conn, "{1}\n\n{2}\n{3}")
	conn.(*net.TCPConn).CloseWrite()
	gone(t, conn)
	stop()
	if got := fmt.Sprintf("%q", h.bodies); got != `["{1}\n" "{2}\n" "{3}\n"]` {
		t.Error(got)
	}
}

func TestAHalfLineOfATableIsRefused(t *testing.T) {
	h := newHouse()
	address, stop := start(t, h, Config{Framing: feeds.Framing{Together: true, Closed: true}}, tcp)
	conn := dial(t, "tcp", address)
	say(t, conn, "a,12\nb,12")
	conn.(*net.TCPConn).CloseWrite()
	gone(t, conn)
	stop()
	if h.text() != "a,12\n" || h.count("broken") != 1 {
		t.Errorf("%q, %v", h.text(), h.rejects)
	}
}

func TestSendersFromElsewhereAndTooMany(t *testing.T) {
	h := newHouse()
	address, stop := start(t, h, Config{From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Framing: feeds.Lines("")}, tcp)
	for range 20 {
		gone(t, dial(t, "tcp", address))
	}
	stop()
	if h.count("peer") != 20 {
		t.Errorf("%v", h.rejects)
	}
	h = newHouse()
	address, stop = start(t, h, Config{MaxConnections: 5, Framing: feeds.Lines("")}, tcp)
	var inside []net.Conn
	for i := range 5 {
		inside = append(inside, dial(t, "tcp", address))
		say(t, inside[i], "x\n")
	}
	until(t, "five are heard", func() bool { return strings.Count(h.text(), "x") == 5 })
	for range 200 {
		gone(t, dial(t, "tcp", address))
	}
	say(t, inside[4], "still\n")
	inside[0].Close()
	until(t, "one that was inside is still heard", func() bool { return strings.Contains(h.text(), "still") })
	until(t, "a place becomes free", func() bool {
		conn := dial(t, "tcp", address)
		defer conn.Close()
		say(t, conn, "next\n")
		_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, err := conn.Read(make([]byte, 1))
		var e net.Error
		return errors.As(err, &e) && e.Timeout()
	})
	stop()
	if h.count("connections") < 200 {
		t.Errorf("%v", h.rejects)
	}
	h = newHouse()
	address, stop = start(t, h, Config{From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, udp)
	say(t, dial(t, "udp", address), "x\n")
	until(t, "a foreign datagram is counted", func() bool { return h.count("peer") == 1 })
	stop()
	if h.text() != "" {
		t.Errorf("heard %q", h.text())
	}
}

func TestEndlessLinesAndGarbageEndTheirConnectionAlone(t *testing.T) {
	h := newHouse()
	h.answer = func(body string) error {
		if strings.Contains(body, "\x00") {
			return feeds.Permanentf("no line is a sentence")
		}
		return nil
	}
	address, stop := start(t, h, Config{MaxFrame: 4096, Framing: feeds.Framing{Together: false}}, tcp)
	good := dial(t, "tcp", address)
	endless := dial(t, "tcp", address)
	say(t, endless, "first\n"+strings.Repeat("x", 8000))
	gone(t, endless)
	garbage := dial(t, "tcp", address)
	say(t, garbage, strings.Repeat("\x00\x01\n", maxRefused+5))
	gone(t, garbage)
	say(t, good, "good\n")
	until(t, "the good one is heard", func() bool { return h.text() == "first\ngood\n" })
	stop()
	if h.count("size") != 1 || h.count("format") != 1 {
		t.Errorf("%v", h.rejects)
	}
}

func TestATakenPortIsSaid(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse()
	c := Config{Listen: l.Addr().String(), Framing: feeds.Lines(""), Watch: h, Log: zerolog.Nop()}
	at := bound(t, &c)
	ctx, cancel := context.WithCancel(t.Context())
	done := begin(func() { _ = NewTCP(c).Run(ctx, h.deliver) })
	until(t, "a fault", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.faults) > 0 })
	if !strings.HasPrefix(h.faults[0], "listen: 127.0.0.1:") || !strings.Contains(h.faults[0], "taken") {
		t.Errorf("%q", h.faults)
	}
	l.Close()
	<-at
	cancel()
	<-done
	if h.well != 1 {
		t.Error("it is not said to be well again")
	}
}

func TestAFullQueueOfDatagramsIsCounted(t *testing.T) {
	h := newHouse()
	release := make(chan struct{})
	var once sync.Once
	h.answer = func(string) error { <-release; return nil }
	address, stop := start(t, h, Config{}, udp)
	defer once.Do(func() { close(release) })
	conn := dial(t, "udp", address)
	big := strings.Repeat("x", 60000)
	const sent = 2000 // 120 MB, and the queue holds 16
	for range sent {
		_, _ = conn.Write([]byte(big))
	}
	time.Sleep(100 * time.Millisecond)
	once.Do(func() { close(release) })
	until(t, "the overflow is told", func() bool { return h.count("overflow") > 0 })
	stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.faults) == 0 || !strings.HasPrefix(h.faults[0], "overflow: ") || len(h.bodies)*60000 > queueBytes+2*kernelBuffer {
		t.Errorf("%d stored, faults %q", len(h.bodies), h.faults)
	}
}
