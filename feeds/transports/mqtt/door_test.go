package mqtt

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whoever has not signed in gets no time and no memory.
func TestStrangers(t *testing.T) {
	h := open(t, func(c *Config) { c.Greeting = 300 * time.Millisecond })
	h.feed(t, "awlr", "", &store{})
	good := hello{version: 4, id: "a", feed: "awlr", key: key}.frame()
	for name, c := range map[string]struct {
		send   []byte
		within time.Duration
	}{
		"garbage":                       {[]byte("GET / HTTP/1.1\r\n\r\n"), 200 * time.Millisecond},
		"PUBLISH first":                 {publish(4, 0, false, false, 0, "awlr/1", "x"), 200 * time.Millisecond},
		"PUBLISH of 256 MB first":       {[]byte{0x30, 0xff, 0xff, 0xff, 0x7f}, 200 * time.Millisecond},
		"CONNECT of 256 MB":             {[]byte{0x10, 0xff, 0xff, 0xff, 0x7f}, 200 * time.Millisecond},
		"CONNECT of 4 KB and one":       {[]byte{0x10, 0x81, 0x20}, 200 * time.Millisecond},
		"a length without end":          {[]byte{0x10, 0x80, 0x80, 0x80, 0x80, 0x80}, 200 * time.Millisecond},
		"silence":                       {nil, time.Second},
		"half a CONNECT, then silence":  {good[:len(good)/2], time.Second},
		"the first byte, then silence":  {good[:1], time.Second},
		"a CONNECT without a name":      {frame(0x10, make([]byte, 200)), 500 * time.Millisecond},
		"a CONNECT with flags":          {append([]byte{0x11}, good[1:]...), 200 * time.Millisecond},
		"a TLS greeting on a plain one": {[]byte{0x16, 3, 1, 0, 200, 1, 0, 0, 0}, 200 * time.Millisecond},
	} {
		r := dial(t, h.Broker)
		r.send(c.send)
		began := time.Now()
		if !r.closed(5*time.Second) || time.Since(began) > c.within {
			t.Errorf("%s: connected for %s, want %s at most", name, time.Since(began), c.within)
		}
	}
	t.Run("one byte at a time", func(t *testing.T) {
		r := dial(t, h.Broker)
		began := time.Now()
		for _, b := range good {
			if _, err := r.Write([]byte{b}); err != nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if !r.closed(time.Second) {
			t.Errorf("let in after %s", time.Since(began))
		}
	})
	if n := len(h.door.strangers); n > 0 {
		until(t, "all strangers gone", func() bool { return len(h.door.strangers) == 0 })
	}
}

func TestALongGreetingAndWhatComesBehindIt(t *testing.T) {
	s := &store{}
	h := open(t)
	h.feed(t, "awlr", "", s)
	c := hello{version: 4, id: "a", feed: "awlr", key: key, willTopic: "awlr/w", will: string(bytes.Repeat([]byte("w"), 3000))}
	r := dial(t, h.Broker)
	r.send(slices.Concat(c.frame(), publish(4, 1, false, false, 1, "awlr/1", "x")))
	if kind, _ := r.packet(); kind != 2 {
		t.Fatalf("packet %d", kind)
	}
	if kind, _ := r.packet(); kind != 4 {
		t.Fatalf("packet %d", kind)
	}
}

// A client that signed in may send anything; the house stands.
func TestGarbageAfterSignIn(t *testing.T) {
	s := &store{}
	h := open(t)
	h.feed(t, "awlr", "", s)
	chance := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		r, _ := sit(t, h.Broker, hello{version: 4 + byte(chance.IntN(2)), id: "a", feed: "awlr", key: key})
		junk := make([]byte, 1+chance.IntN(60))
		for i := range junk {
			junk[i] = byte(chance.IntN(256))
		}
		junk[0] |= byte(1+chance.IntN(15)) << 4
		_, _ = r.Write(junk)
		_ = r.Close()
	}
	r, _ := sit(t, h.Broker, hello{version: 4, id: "b", feed: "awlr", key: key})
	r.send(publish(4, 1, false, false, 1, "awlr/1", "x"))
	if kind, _ := r.packet(); kind != 4 {
		t.Fatalf("packet %d", kind)
	}
}

func TestNoMoreThanSoManyClients(t *testing.T) {
	h := open(t, func(c *Config) { c.MaxClients = 2 })
	h.feed(t, "awlr", "", &store{})
	for _, id := range []string{"a", "b"} {
		sit(t, h.Broker, hello{version: 4, id: id, feed: "awlr", key: key})
	}
	for version, want := range map[byte]byte{4: 3, 5: 0x89} {
		r := dial(t, h.Broker)
		r.send(hello{version: version, id: "c", feed: "awlr", key: key}.frame())
		if kind, body := r.packet(); kind != 2 || body[1] != want {
			t.Errorf("version %d: packet %d % x, want CONNACK %#x", version, kind, body, want)
		}
	}
}

func FuzzGreeting(f *testing.F) {
	f.Add(hello{version: 5, id: "a", feed: "awlr", key: key}.frame())
	f.Add([]byte{0x10, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		size, known, err := greetingSize(b)
		if known && (err != nil || size < 2 || size > maxGreeting+5) {
			t.Errorf("% x: size %d, error %v", b, size, err)
		}
	})
}
