package mqtt

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAcknowledgesOnlyWhatIsStored(t *testing.T) {
	for _, version := range []byte{4, 5} {
		for _, qos := range []byte{1, 2} {
			t.Run(fmt.Sprintf("version %d QoS %d", version, qos), func(t *testing.T) {
				s := &store{busy: true}
				h := open(t)
				h.feed(t, "awlr", "", s)
				c, _ := sit(t, h.Broker, hello{version: version, id: "a", feed: "awlr", key: key})
				c.send(publish(version, qos, false, false, 7, "awlr/1", "x"))
				until(t, "tried twice", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.tries >= 2 })
				if kind, _, err := c.next(50 * time.Millisecond); err == nil {
					t.Fatalf("packet %d before the message was stored", kind)
				}
				s.set(func(s *store) { s.busy = false })
				kind, body := c.packet()
				if want := map[byte]byte{1: 4, 2: 5}[qos]; kind != want || body[1] != 7 || len(body) > 2 && body[2] != 0 {
					t.Fatalf("packet %d % x, want %d for id 7", kind, body, want)
				}
				if got := s.bodies(); len(got) != 1 || s.got[0].Topic != "awlr/1" {
					t.Fatalf("stored %q %v", got, s.got)
				}
				if qos == 2 {
					c.send(publish(version, 2, true, false, 7, "awlr/1", "x")) // as after a broken connection
					if kind, body = c.packet(); kind != 5 || len(body) > 2 && body[2] != 0 {
						t.Fatalf("a repeat is answered by %d % x, want PUBREC", kind, body)
					}
					c.send(frame(0x62, []byte{0, 7}))
					if kind, body = c.packet(); kind != 7 || len(body) > 2 && body[2] != 0 {
						t.Fatalf("PUBREL is answered by %d % x, want PUBCOMP", kind, body)
					}
					if n := len(s.bodies()); n != 1 {
						t.Fatalf("stored %d times", n)
					}
				}
			})
		}
	}
}

func TestRefusedForGoodIsAcknowledged(t *testing.T) {
	s := &store{bad: "bad"}
	h := open(t)
	h.feed(t, "awlr", "", s)
	for _, c := range []struct {
		version, qos byte
		want         []byte // after the id
		complete     bool
	}{{4, 1, nil, false}, {4, 2, nil, true}, {5, 1, []byte{0x99}, false}, {5, 2, []byte{0x99}, false}} {
		r, _ := sit(t, h.Broker, hello{version: c.version, id: "a", feed: "awlr", key: key})
		r.send(publish(c.version, c.qos, false, false, 9, "awlr/1", "bad"))
		_, body := r.packet()
		if body[1] != 9 || !slices.Equal(body[2:min(len(body), 3)], c.want) {
			t.Errorf("version %d QoS %d: answered % x, want code % x", c.version, c.qos, body, c.want)
		}
		if c.complete {
			r.send(frame(0x62, []byte{0, 9}))
			if kind, _ := r.packet(); kind != 7 {
				t.Errorf("PUBREL answered by %d", kind)
			}
		}
		r.send(publish(c.version, 1, false, false, 10, "awlr/1", "good"))
		if kind, body := r.packet(); kind != 4 || body[1] != 10 {
			t.Errorf("the next message is answered by %d % x", kind, body)
		}
	}
}

// A message may go only where the feed's filter reaches, and nobody hears anything.
func TestAccess(t *testing.T) {
	mine, other := &store{}, &store{}
	h := open(t, func(c *Config) { c.MaxPayload = 100 })
	w, _ := h.feed(t, "awlr", "awlr/+/up", mine)
	h.feed(t, "secret", "", other)
	t.Run("topics", func(t *testing.T) {
		for _, topic := range []string{"secret/1", "awlr", "awlr/1", "awlr/1/down", "awlr/1/up/x", "$SYS/broker/uptime", "$sys/x", "$share/g/awlr/1/up", "/awlr/1/up"} {
			for _, version := range []byte{4, 5} {
				_, _, before := w.count()
				r, _ := sit(t, h.Broker, hello{version: version, id: "a", feed: "awlr", key: key})
				r.send(publish(version, 1, false, false, 3, topic, "x"))
				kind, body := r.packet()
				if kind != 4 || version == 5 && body[2] != 0x87 || version == 4 && len(body) != 2 {
					t.Errorf("%s, version %d: answered by %d % x", topic, version, kind, body)
				}
				if _, _, after := w.count(); after != before+1 {
					t.Errorf("%s, version %d: counted %d times as refused", topic, version, after-before)
				}
			}
		}
	})
	t.Run("size", func(t *testing.T) {
		r, _ := sit(t, h.Broker, hello{version: 5, id: "a", feed: "awlr", key: key})
		r.send(publish(5, 1, false, false, 3, "awlr/1/up", strings.Repeat("x", 101)))
		if kind, body := r.packet(); kind != 4 || body[2] != 0x95 {
			t.Errorf("answered by %d % x", kind, body)
		}
		r.send(publish(5, 1, false, false, 3, "awlr/1/up", strings.Repeat("x", 100*packetFactor+packetExtra)))
		if !r.closed(5 * time.Second) {
			t.Error("a packet beyond every bound did not end the connection")
		}
	})
	t.Run("wildcards in a topic name", func(t *testing.T) {
		for _, topic := range []string{"awlr/+/up", "awlr/#", "#"} {
			r, _ := sit(t, h.Broker, hello{version: 5, id: "a", feed: "awlr", key: key})
			r.send(publish(5, 1, false, false, 3, topic, "x"))
			if !r.closed(5 * time.Second) {
				t.Errorf("%s did not end the connection", topic)
			}
		}
	})
	t.Run("topic alias", func(t *testing.T) {
		r, _ := sit(t, h.Broker, hello{version: 5, id: "a", feed: "awlr", key: key})
		r.send(frame(0x32, text("awlr/1/up"), []byte{0, 3}, []byte{3, 0x23, 0, 1}, []byte("x")))
		if !r.closed(5 * time.Second) {
			t.Error("an alias was taken, though none is offered")
		}
	})
	t.Run("subscribe", func(t *testing.T) {
		for _, filter := range []string{"awlr/1/up", "awlr/+/up", "#", "+/+", "$SYS/#", "$share/g/awlr/#", "secret/1"} {
			for version, want := range map[byte]byte{4: 0x80, 5: 0x87} {
				r, _ := sit(t, h.Broker, hello{version: version, id: "a", feed: "awlr", key: key})
				var properties []byte
				if version == 5 {
					properties = []byte{0}
				}
				r.send(frame(0x82, []byte{0, 5}, properties, text(filter), []byte{1}))
				if kind, body := r.packet(); kind != 9 || body[len(body)-1] != want {
					t.Errorf("%s, version %d: answered by %d % x, want SUBACK %#x", filter, version, kind, body, want)
				}
			}
		}
		r, _ := sit(t, h.Broker, hello{version: 4, id: "b", feed: "secret", key: key})
		r.send(publish(4, 1, false, true, 3, "secret/1", "retained"))
		r.packet()
		if n := h.server.Topics.Retained.Len(); n > 20 { // its own $SYS topics, read by nobody
			t.Errorf("%d messages retained", n)
		}
		if got := h.server.Topics.Messages("secret/#"); len(got) > 0 {
			t.Errorf("retained: %v", got)
		}
	})
	if got := append(mine.bodies(), other.bodies()...); !slices.Equal(got, []string{"retained"}) {
		t.Errorf("delivered %q", got)
	}
}

func TestWho(t *testing.T) {
	s := &store{}
	h := open(t)
	h.feed(t, "awlr", "", s)
	refusal := func(h *house, c hello) (kind, code byte) {
		r := dial(t, h.Broker)
		r.send(c.frame())
		kind, body := r.packet()
		return kind, body[1]
	}
	for name, c := range map[string]struct {
		hello
		code byte
	}{
		"wrong key, 3.1.1":       {hello{version: 4, id: "a", feed: "awlr", key: "x"}, 5},
		"wrong key, 5":           {hello{version: 5, id: "a", feed: "awlr", key: "x"}, 0x86},
		"no key":                 {hello{version: 4, id: "a", feed: "awlr"}, 5},
		"a feed that is off":     {hello{version: 4, id: "a", feed: "elsewhere", key: key}, 3},
		"a feed that is off, 5":  {hello{version: 5, id: "a", feed: "elsewhere", key: key}, 0x88},
		"a client id too long":   {hello{version: 5, id: strings.Repeat("a", 300), feed: "awlr", key: key}, 0x85},
		"an old protocol (3)":    {hello{version: 3, id: "a", feed: "awlr", key: key}, 1},
		"a protocol to come (6)": {hello{version: 6, id: "a", feed: "awlr", key: key}, 1},
	} {
		if kind, code := refusal(h, c.hello); kind != 2 || code != c.code {
			t.Errorf("%s: packet %d code %#x, want CONNACK %#x", name, kind, code, c.code)
		}
	}
}

// Without the hook that makes client ids the feed's own, the second client would throw the first out and inherit what is in flight.
func TestNoSessionOfAnotherFeedIsInherited(t *testing.T) {
	a, b := &store{busy: true}, &store{}
	h := open(t)
	h.feed(t, "a", "", a)
	h.feed(t, "b", "", b)
	first, _ := sit(t, h.Broker, hello{version: 5, id: "same", feed: "a", key: key, keep: true})
	first.send(publish(5, 2, false, false, 1, "a/1", "of a"))
	until(t, "under way", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.tries > 0 })
	second, present := sit(t, h.Broker, hello{version: 5, id: "same", feed: "b", key: key, keep: true})
	if present {
		t.Error("a session of another feed is present")
	}
	if kind, _, err := second.next(100 * time.Millisecond); err == nil {
		t.Errorf("packet %d came to the other feed", kind)
	}
	second.send(frame(0x62, []byte{0, 1})) // PUBREL for what the first has in flight
	if kind, body := second.packet(); kind != 7 || len(body) < 3 || body[2] != 0x92 {
		t.Errorf("answered by %d % x, want PUBCOMP 0x92", kind, body)
	}
	a.set(func(s *store) { s.busy = false })
	if kind, _ := first.packet(); kind != 5 {
		t.Errorf("the first hears %d, want PUBREC", kind)
	}
}

// The library publishes a Will past the access control, and retains it.
func TestWill(t *testing.T) {
	for _, version := range []byte{4, 5} {
		mine, other := &store{}, &store{}
		h := open(t)
		w, _ := h.feed(t, "awlr", "awlr/+/status", mine)
		h.feed(t, "secret", "", other)
		leave := func(c hello, gracefully bool) {
			c.version, c.feed, c.key = version, "awlr", key
			r, _ := sit(t, h.Broker, c)
			if gracefully {
				r.send([]byte{0xE0, 0})
			}
			_ = r.Close()
			until(t, "left", func() bool { return h.connected.Load() == 0 })
		}
		leave(hello{id: "1", willTopic: "secret/1", will: "forged", willRetain: true}, false)
		leave(hello{id: "2", willTopic: "$SYS/x", will: "forged"}, false)
		leave(hello{id: "3", willTopic: "awlr/3/status", will: "gracious"}, true)
		leave(hello{id: "4", willTopic: "awlr/4/status", will: "offline", willRetain: true}, false)
		until(t, "the Will is delivered", func() bool { return len(mine.bodies()) > 0 })
		if got := mine.bodies(); !slices.Equal(got, []string{"offline"}) || len(other.bodies()) > 0 {
			t.Errorf("version %d: delivered %q and %q", version, got, other.bodies())
		}
		if _, _, refused := w.count(); refused != 2 {
			t.Errorf("version %d: %d Wills refused, want 2", version, refused)
		}
		if got := append(h.server.Topics.Messages("awlr/#"), h.server.Topics.Messages("secret/#")...); len(got) > 0 {
			t.Errorf("retained: %v", got)
		}
	}
}

func TestWillOfOneWhoComesBack(t *testing.T) {
	s := &store{}
	h := open(t)
	h.feed(t, "awlr", "", s)
	c := hello{version: 5, id: "1", feed: "awlr", key: key, keep: true, willTopic: "awlr/1", will: "late", willDelay: 1}
	first, _ := sit(t, h.Broker, c)
	_ = first.Close()
	second, present := sit(t, h.Broker, c)
	if !present {
		t.Error("its session is gone")
	}
	_, _ = sit(t, h.Broker, c) // taken over: it is there, so it is not gone
	if !second.closed(5 * time.Second) {
		t.Error("two connections of one client")
	}
	third := hello{version: 5, id: "2", feed: "awlr", key: key, keep: true, willTopic: "awlr/2", will: "gone", willDelay: 1}
	left, _ := sit(t, h.Broker, third)
	_ = left.Close()
	until(t, "the delayed Will", func() bool { return len(s.bodies()) > 0 })
	if got := s.bodies(); !slices.Equal(got, []string{"gone"}) {
		t.Errorf("delivered %q", got)
	}
}

func TestARevokedKeyEndsItsSessions(t *testing.T) {
	a, b := &store{busy: true}, &store{}
	h := open(t)
	h.feed(t, "a", "", a)
	h.feed(t, "b", "", b)
	live, _ := sit(t, h.Broker, hello{version: 5, id: "1", feed: "a", key: key, keep: true, willTopic: "a/will", will: "w"})
	kept, _ := sit(t, h.Broker, hello{version: 5, id: "2", feed: "a", key: key, keep: true, willTopic: "a/will", will: "w", willDelay: 60})
	other, _ := sit(t, h.Broker, hello{version: 4, id: "1", feed: "b", key: key})
	_ = kept.Close()
	for i := range 3 {
		live.send(publish(5, 1, false, false, uint16(i+1), "a/1", fmt.Sprint(i)))
	}
	until(t, "under way", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.tries > 0 })
	h.mu.Lock()
	h.revoked["key-of-a"] = true
	h.mu.Unlock()
	began := time.Now()
	if !live.closed(3 * time.Second) { // half a second between looks, and what a loaded machine adds
		t.Errorf("still connected after %s", time.Since(began))
	}
	a.set(func(s *store) { s.busy = false })
	other.send(publish(4, 1, false, false, 1, "b/1", "y"))
	if kind, _ := other.packet(); kind != 4 {
		t.Errorf("the other key's client hears %d", kind)
	}
	until(t, "forgotten", func() bool { h.Broker.mu.Lock(); defer h.Broker.mu.Unlock(); return len(h.sessions) == 1 })
	if got := a.bodies(); slices.Contains(got, "w") || slices.Contains(got, "1") {
		t.Errorf("delivered after the revocation: %q", got)
	}
}

// A feed may come and go; while it is off nothing of it is acknowledged.
func TestFeedsComeAndGo(t *testing.T) {
	s := &store{}
	h := open(t)
	_, stop := h.feed(t, "awlr", "", s)
	r, _ := sit(t, h.Broker, hello{version: 5, id: "1", feed: "awlr", key: key, keep: true})
	s.set(func(s *store) { s.busy = true })
	r.send(publish(5, 1, false, false, 1, "awlr/1", "x"))
	until(t, "under way", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.tries > 0 })
	stop()
	for {
		kind, body, err := r.next(5 * time.Second)
		if err != nil {
			break
		}
		if kind != 14 {
			t.Errorf("packet %d % x after the feed stopped", kind, body)
		}
	}
	s.set(func(s *store) { s.busy = false })
	h.feed(t, "awlr", "", s)
	r, _ = sit(t, h.Broker, hello{version: 5, id: "1", feed: "awlr", key: key, keep: true})
	r.send(publish(5, 1, true, false, 1, "awlr/1", "x"))
	if kind, _ := r.packet(); kind != 4 {
		t.Errorf("answered by %d", kind)
	}
	if got := s.bodies(); !slices.Equal(got, []string{"x"}) {
		t.Errorf("stored %q", got)
	}
}

func TestATakenPortIsTriedAgain(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{}
	h.Broker = New(Config{Listen: taken.Addr().String(), Authenticate: h.authenticate})
	run(t, h.Run)
	w, _ := h.feed(t, "awlr", "", &store{})
	until(t, "the feed hears of it", func() bool { _, faults, _ := w.count(); return faults > 0 })
	if got := w.faults[0]; !strings.Contains(got, "transport: mqtt_listen") || !strings.Contains(got, "in use") {
		t.Errorf("fault %q", got)
	}
	_ = taken.Close()
	until(t, "it listens", func() bool { open, _, _ := w.count(); return open > 0 })
}

func TestNoBroker(t *testing.T) {
	err := Inlet{Feed: "awlr", Watch: &watcher{}}.Run(t.Context(), (&store{}).deliver)
	if err == nil || !strings.Contains(err.Error(), "mqtt_listen") {
		t.Errorf("error %v", err)
	}
}

// One sender's topics go beside each other, messages of one topic keep their order.
func TestOrder(t *testing.T) {
	s := &store{delay: 20 * time.Millisecond}
	h := open(t)
	h.feed(t, "awlr", "", s)
	r, _ := sit(t, h.Broker, hello{version: 4, id: "1", feed: "awlr", key: key})
	began := time.Now()
	const topics, each = 10, 5
	for n := range each {
		for topic := range topics {
			r.send(publish(4, 1, false, false, uint16(1+n*topics+topic), fmt.Sprintf("awlr/%d", topic), fmt.Sprintf("%d-%d", topic, n)))
		}
	}
	for range topics * each {
		r.packet()
	}
	if took := time.Since(began); took > topics*each*s.delay/2 {
		t.Errorf("took %s: one after another", took)
	}
	last := map[string]string{}
	for _, b := range s.bodies() {
		topic, _, _ := strings.Cut(b, "-")
		if b <= last[topic] {
			t.Errorf("%s came after %s", b, last[topic])
		}
		last[topic] = b
	}
}
