package app

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/runner"
)

func TestHowManyReplicasMustConfirm(t *testing.T) {
	r := newReplicas(true)
	at := time.Now()
	for i, c := range []struct {
		after  time.Duration
		run    string
		online int
		want   int
		warns  bool
	}{
		{0, "old", 2, 2, false},
		{time.Second, "old", 1, 2, true},                    // one has left: to become the primary?
		{time.Second, "new", 0, 1, true},                    // it has, and the other is not in step with it yet
		{time.Second, "new", 1, 1, false},                   // now it is
		{time.Second, "new", 2, 2, false},                   // and the old primary has come back
		{time.Second, "new", 1, 2, true},                    // a replica dies
		{replicasHold + time.Second, "new", 1, 1, false},    // and stays away
		{time.Second, "new", 0, 1, true},                    // the last one dies
		{replicasHold + time.Second, "new", 0, 0, true},     // the house goes on, and says so
		{replicasHold + 2*time.Second, "other", 0, 0, true}, // another primary alone
	} {
		at = at.Add(c.after)
		changed, cancel := r.untilFailover(t.Context())
		before := r.run
		if got := r.see(at, c.run, c.online); got != c.want {
			t.Errorf("%d: %s with %d in step: %d must confirm, want %d", i, c.run, c.online, got, c.want)
		}
		if (r.warning() != "") != c.warns {
			t.Errorf("%d: warning %q", i, r.warning())
		}
		if before != "" && before != c.run {
			<-changed.Done()
		} else if changed.Err() != nil {
			t.Errorf("%d: a failover is seen where there is none", i)
		}
		cancel()
	}
	alone := newReplicas(false)
	if n := alone.see(at, "one", 0); n != 0 || alone.warning() != "" {
		t.Errorf("a primary alone: %d, %q", n, alone.warning())
	}
}

func TestFeedsAreSharedOut(t *testing.T) {
	poll := func(name string) runner.FeedConfig { return runner.FeedConfig{Name: name, Transport: runner.Poll} }
	s := newStates("me", []runner.FeedConfig{poll("a"), poll("b"), poll("c")}, zerolog.Nop())
	now := time.Now()
	if s.willing("a", 2, now) != 0 || s.surplus([]string{"a", "b", "c"}, now) != "" {
		t.Error("alone a server drives all")
	}
	say := func(seq, at string) map[string]string {
		return map[string]string{"other": `{"seq":` + seq + `,"at":` + at + `,"drives":[],"feeds":[]}`, "me": "whatever", "broken": "{"}
	}
	s.hear(say("1", "1000000000000"), now) // of long ago, and nobody knows whether it is there
	if s.willing("a", 2, now) != 0 {
		t.Error("a server that may be gone is waited for")
	}
	if old := s.hear(say("2", "1000000000000"), now); len(old) != 1 || old[0] != "other" {
		t.Errorf("forgotten: %v", old)
	}
	if s.willing("a", 2, now) != leaseYield || s.willing("a", 1, now) != 0 {
		t.Error("with two servers two feeds of three are a share")
	}
	mine := []string{"a", "b", "c"}
	if got := s.surplus(mine, now.Add(time.Second)); got != "" {
		t.Errorf("%s is handed over at once", got)
	}
	later := now.Add(leaseEven + time.Second)
	s.hear(say("3", "1000000000000"), later)
	if got := s.surplus(mine, later); got != "c" || s.surplus(mine, later) != "" {
		t.Errorf("handed over: %q", got)
	}
	s.hear(map[string]string{"other": `{"seq":4,"at":1,"drives":["c"],"feeds":[{"name":"c","state":"ok"}]}`}, later)
	if s.willing("c", 0, later) >= 0 || s.willing("c", 0, later.Add(statesAlive)) < 0 {
		t.Error("what another drives is left alone while it is there")
	}
	if got := s.of(nil, []feeds.FeedStatus{{Name: "c", State: feeds.FeedOff, Format: "native"}}, nil, later); got[0].State != feeds.FeedOK || got[0].Format != "native" {
		t.Errorf("c is %+v", got[0])
	}
}
