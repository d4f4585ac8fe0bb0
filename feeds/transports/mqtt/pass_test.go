package mqtt

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// A sender that is too fast is held for a little; then version 5 hears why, and 3.1.1 is sent away with its message.
func TestWhoeverIsTooFastIsHeld(t *testing.T) {
	var wait atomic.Int64
	s := &store{}
	h := open(t, func(c *Config) {
		c.Pace = func(_ context.Context, name string) time.Duration {
			if name != "key-of-awlr" {
				t.Errorf("asked for %q", name)
			}
			return time.Duration(wait.Load())
		}
	})
	w, _ := h.feed(t, "awlr", "", s)
	for _, version := range []byte{4, 5} {
		wait.Store(int64(300 * time.Millisecond))
		time.AfterFunc(200*time.Millisecond, func() { wait.Store(0) })
		r, _ := sit(t, h.Broker, hello{version: version, id: "a", feed: "awlr", key: key})
		began := time.Now()
		r.send(publish(version, 1, false, false, 3, "awlr/1", "x"))
		if kind, body := r.packet(); kind != 4 || len(body) > 2 && body[2] != 0 {
			t.Errorf("version %d, a little too fast: %d % x", version, kind, body)
		}
		if held := time.Since(began); held < 200*time.Millisecond {
			t.Errorf("version %d: held for %v", version, held)
		}
		wait.Store(int64(time.Minute))
		r.send(publish(version, 0, false, false, 0, "awlr/1", "lost"))
		until(t, "the message that expects nothing is refused", func() bool { _, _, n := w.count(); return n > 0 })
		r.send(publish(version, 1, false, false, 4, "awlr/1", "y"))
		if version == 4 {
			if !r.closed(5 * time.Second) {
				t.Error("version 4, far too fast: it goes on")
			}
			continue
		}
		if kind, body := r.packet(); kind != 4 || len(body) < 3 || body[2] != 0x97 {
			t.Errorf("version 5, far too fast: %d % x, want quota exceeded", kind, body)
		}
	}
	if got := s.bodies(); len(got) != 2 || got[0] != "x" || got[1] != "x" {
		t.Errorf("stored %q", got)
	}
}

// Senders of one feed with different owners do not take each other's session, whatever client id they choose.
func TestOwnersDoNotTakeEachOthersSessions(t *testing.T) {
	h := open(t, func(c *Config) {
		c.Authenticate = func(_ context.Context, c Claim) (Pass, error) {
			return Pass{Feed: "awlr", Owner: map[bool]string{true: "device:" + c.Key}[c.Key != "none"], Topics: []string{"awlr/" + c.Key + "/#"}}, nil
		}
	})
	h.feed(t, "awlr", "", &store{})
	var all []*raw
	for _, c := range []hello{{key: "7", id: "a"}, {key: "8", id: "a"}, {key: "none", id: "a"}, {key: "none", id: "device:7:awlr/a"}} {
		c.version, c.feed = 5, "awlr"
		r, _ := sit(t, h.Broker, c)
		all = append(all, r)
	}
	for i, topic := range []string{"awlr/7/up", "awlr/8/up", "awlr/none/up", "awlr/none/up"} {
		all[i].send(publish(5, 1, false, false, 3, topic, "x"))
		if kind, body := all[i].packet(); kind != 4 || len(body) > 2 && body[2] != 0 {
			t.Errorf("%d on %s: %d % x", i, topic, kind, body)
		}
		all[i].send(publish(5, 1, false, false, 4, "awlr/other/up", "x"))
		if kind, body := all[i].packet(); kind != 4 || len(body) < 3 || body[2] != 0x87 {
			t.Errorf("%d beyond its topics: %d % x", i, kind, body)
		}
	}
}
