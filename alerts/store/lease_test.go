package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
	"kentongan/geo/redistest"
)

func TestLeaseHasOneHolderAndAGrowingToken(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		ctx := t.Context()
		a, err := s.Acquire(ctx, "rules", "a", time.Minute)
		if err != nil || a.Token < 1 {
			t.Fatal(a, err)
		}
		if _, err := s.Acquire(ctx, "rules", "b", time.Minute); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "(a)") {
			t.Errorf("a second holder: %v", err)
		}
		lost := a // its answer did not come, for all that a knows: it asks again and need not wait for its own lease to end
		if a, err = s.Acquire(ctx, "rules", "a", time.Minute); err != nil || a.Token != lost.Token+1 {
			t.Fatalf("the holder asks again: %+v after %+v, %v", a, lost, err)
		}
		if err := s.Renew(ctx, lost, "a", time.Minute); !errors.Is(err, ErrHeld) {
			t.Errorf("the token before the last is renewed: %v", err)
		}
		if err := s.Release(ctx, lost, "a"); !errors.Is(err, ErrHeld) {
			t.Errorf("the token before the last releases: %v", err)
		}
		if _, err := s.Acquire(ctx, "feed:usgs", "b", time.Minute); err != nil {
			t.Errorf("another lease: %v", err)
		}
		if err := s.Renew(ctx, a, "a", time.Minute); err != nil {
			t.Error(err)
		}
		if err := s.Renew(ctx, a, "b", time.Minute); !errors.Is(err, ErrHeld) {
			t.Errorf("renewed by another: %v", err)
		}
		if err := s.Release(ctx, a, "b"); !errors.Is(err, ErrHeld) {
			t.Errorf("released by another: %v", err)
		}
		if err := s.Release(ctx, a, "a"); err != nil {
			t.Error(err)
		}
		b, err := s.Acquire(ctx, "rules", "b", time.Minute)
		if err != nil || b.Token != a.Token+1 {
			t.Errorf("after the release: %+v after %+v, %v", b, a, err)
		}
		if err := s.Renew(ctx, a, "a", time.Minute); !errors.Is(err, ErrHeld) {
			t.Errorf("a lost lease is renewed: %v", err)
		}
	})
}

func TestLeaseEndsByItself(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	a, err := s.Acquire(t.Context(), "rules", "a", 30*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	var b Fence
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if b, err = s.Acquire(t.Context(), "rules", "b", time.Minute); err == nil || time.Now().After(end) {
			break
		}
	}
	if err != nil || b.Token != a.Token+1 {
		t.Fatal(b, err)
	}
}

// Whoever lost the lease writes nothing, whatever he still believes (FAULTS row 11).
func TestStaleFenceIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		ctx := t.Context()
		old, err := s.Acquire(ctx, "rules", "a", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		before := s.Fenced(old)
		if err := before.Fire(ctx, firing("awlr:1", center, noon)); err != nil {
			t.Fatalf("the holder: %v", err)
		}
		if err := s.Release(ctx, old, "a"); err != nil {
			t.Fatal(err)
		}
		now, err := s.Acquire(ctx, "rules", "b", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		off := firing("awlr:1", center, noon.Add(time.Minute))
		off.Fire = false
		c.add(48 * time.Hour)
		for name, act := range map[string]func() error{
			"fire":       func() error { return before.Fire(ctx, firing("awlr:2", center, noon)) },
			"clear":      func() error { return before.Clear(ctx, off) },
			"checkpoint": func() error { return before.SaveRuleState(ctx, RuleState{At: noon.Add(time.Hour)}) },
			"alert": func() error {
				_, err := before.PutAgencyAlert(ctx, message("A", nil), feeds.Meta{Feed: "cap"})
				return err
			},
			"expire": func() error { _, err := before.ExpireAlerts(ctx, c.now()); return err },
		} {
			if err := act(); !errors.Is(err, ErrFenced) || errors.Is(err, feeds.ErrPermanent) || errors.Is(err, feeds.ErrBusy) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := s.RuleState(ctx); err != nil || !got.At.IsZero() || got.Kept {
			t.Errorf("the checkpoint is %v, %v", got, err)
		}
		if list, _, _ := s.Alerts(ctx, Query{}); len(list) != 1 {
			t.Errorf("%d alerts, want the one before", len(list))
		}
		after := s.Fenced(now)
		if err := after.Clear(ctx, off); err != nil {
			t.Errorf("the new holder: %v", err)
		}
		if err := after.SaveRuleState(ctx, RuleState{At: noon}); err != nil {
			t.Error(err)
		}
		if got, _ := s.RuleState(ctx); !got.At.Equal(noon) || !got.Kept {
			t.Errorf("checkpoint %v", got)
		}
	})
}

// Two servers that sweep at once end each alert once.
func TestExpiryFromTwoServers(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		for _, thing := range []string{"awlr:1", "awlr:2", "awlr:3", "awlr:4"} {
			if err := s.Fire(t.Context(), firing(thing, center, noon)); err != nil {
				t.Fatal(err)
			}
		}
		c.add(30 * 24 * time.Hour)
		var wg sync.WaitGroup
		counts := make([]int, 4)
		for i := range counts {
			wg.Go(func() {
				n, err := s.ExpireAlerts(t.Context(), c.now())
				if err != nil {
					t.Error(err)
				}
				counts[i] = n
			})
		}
		wg.Wait()
		total := 0
		for _, n := range counts {
			total += n
		}
		records, _, err := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 100, "")
		if err != nil {
			t.Fatal(err)
		}
		expired := 0
		for _, r := range records {
			if r.Action == "alert.expired" {
				expired++
			}
		}
		if expired != 4 || total != 4 {
			t.Errorf("%d ends counted, %d records", total, expired)
		}
	})
}

// What a store of part 1 knows to fire is found although nothing says which rules have fired.
func TestFiringOfAnOlderStore(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		if err := s.rdb.Del(t.Context(), s.keys.FiringRules()).Err(); err != nil {
			t.Fatal(err)
		}
		s.rules = []string{"muka-air", "other"}
		if got, err := s.Firing(t.Context()); err != nil || len(got) != 1 || len(got["muka-air"]) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// TestOnACluster does the acts of other tests on three primaries: every key of a script must lie in one slot.
func TestOnACluster(t *testing.T) {
	set := redistest.StartCluster(t)
	var addrs []string
	for _, s := range set.Servers {
		addrs = append(addrs, s.Addr())
	}
	only = redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, MaxRetries: -1})
	defer func() { _ = only.Close(); only = nil }()
	for name, test := range map[string]func(*testing.T){
		"rules": TestRuleOpensJoinsAndClears, "chain": TestChainOfOneSender, "child": TestChildBeforeParent, "lease": TestLeaseHasOneHolderAndAGrowingToken,
		"fence": TestStaleFenceIsRefused, "expiry": TestExpiryFromTwoServers, "older": TestFiringOfAnOlderStore,
	} {
		t.Run(name, test)
	}
}

// TestConfirmedByReplicas holds a Sentinel set's replicas: what they do not have does not count, and counts once they have it.
func TestConfirmedByReplicas(t *testing.T) {
	set := redistest.StartSentinel(t)
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: redistest.MasterName, SentinelAddrs: []string{set.Sentinels[0].Addr()}, MaxRetries: -1})
	defer func() { _ = rdb.Close() }()
	s, _ := newStore(t, rdb)
	s.Confirm(2)
	ctx := t.Context()
	if err := s.Fire(ctx, firing("awlr:1", center, noon)); err != nil {
		t.Fatal(err)
	}
	fence, err := s.Acquire(ctx, "rules", "a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	fenced := s.Fenced(fence)
	if err := fenced.SaveRuleState(ctx, RuleState{At: noon}); err != nil {
		t.Fatal(err)
	}
	// The Sentinels would take a stopped replica for dead, which changes nothing here.
	set.Servers[2].Signal(t, syscall.SIGSTOP)
	defer set.Servers[2].Signal(t, syscall.SIGCONT)
	begin := time.Now()
	if err := fenced.Fire(ctx, firing("awlr:2", center, noon)); !errors.Is(err, ErrUnconfirmed) || !errors.Is(err, feeds.ErrBusy) {
		t.Fatalf("one of two has it: %v", err)
	}
	if took := time.Since(begin); took < confirmTime || took > 5*confirmTime {
		t.Errorf("said so after %s", took)
	}
	// Tried again the alert is there, and still it does not count.
	if err := fenced.Fire(ctx, firing("awlr:2", center, noon)); !errors.Is(err, ErrUnconfirmed) {
		t.Errorf("again: %v", err)
	}
	if _, err := s.Acquire(context.WithoutCancel(ctx), "feed:x", "a", time.Minute); !errors.Is(err, ErrUnconfirmed) {
		t.Errorf("a lease: %v", err)
	}
	set.Servers[2].Signal(t, syscall.SIGCONT)
	for end := time.Now().Add(10 * time.Second); ; {
		if err := fenced.Fire(ctx, firing("awlr:2", center, noon)); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	if got, err := s.Firing(ctx); err != nil || len(got["muka-air"]) != 2 {
		t.Errorf("%v, %v", got, err)
	}
}
