package embedded

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/redistest"
)

// After a failover neither a pooled connection nor a listener stays with the old primary.
func TestSentinelFailoverTakesEveryConnectionAlong(t *testing.T) {
	set := redistest.StartSentinel(t)
	where, err := ParseURL(set.URL())
	if err != nil {
		t.Fatal(err)
	}
	var admitted atomic.Int64 // the client's own goroutines connect too
	rdb := where.Client(func(ctx context.Context, c *redis.Conn) error { admitted.Add(1); return c.Get(ctx, "epoch").Err() })
	defer func() { _ = rdb.Close() }()
	ctx := t.Context()
	// No connection is admitted while the key is not there; a Sentinel is none that is asked for it.
	if err := rdb.Ping(ctx).Err(); !errors.Is(err, redis.Nil) || admitted.Load() == 0 {
		t.Fatalf("admitted %d times: %v", admitted.Load(), err)
	}
	if err := set.Primary(t).Client(t).Set(ctx, "epoch", "e", 0).Err(); err != nil {
		t.Fatal(err)
	}
	run, online, err := Replicas(ctx, rdb, "any")
	if err != nil || run == "" || online != 2 {
		t.Fatalf("%q has %d replicas, %v", run, online, err)
	}
	if v, err := Judge(ctx, rdb); err != nil || v.Storage != Durable {
		t.Errorf("%+v, %v", v, err)
	}
	line := rdb.Subscribe(ctx, "news")
	defer func() { _ = line.Close() }()
	if _, err := line.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	cut := make(chan time.Time, 1)
	go func() {
		if _, err := line.ReceiveMessage(ctx); err != nil {
			cut <- time.Now()
		}
	}()
	began := time.Now()
	set.Failover(t)
	var wrote time.Time
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if now, _, err := Replicas(ctx, rdb, "any"); err == nil && now != run {
			wrote = time.Now()
			break
		} else if time.Now().After(end) {
			t.Fatalf("still with the old primary: %v", err)
		}
	}
	select {
	case at := <-cut:
		t.Logf("the new primary answers %s after the order, the old line is cut %s after it", wrote.Sub(began).Round(time.Millisecond), at.Sub(began).Round(time.Millisecond))
	case <-time.After(10 * time.Second):
		t.Error("a listener stays with the old primary")
	}
}

func TestClusterIsJudgedAndHasNoReplicas(t *testing.T) {
	set := redistest.StartCluster(t)
	where, err := ParseURL(set.URL())
	if err != nil {
		t.Fatal(err)
	}
	rdb := where.Client(nil)
	defer func() { _ = rdb.Close() }()
	if v, err := Judge(t.Context(), rdb); err != nil || v.Storage != Durable {
		t.Errorf("%+v, %v", v, err)
	}
	if run, online, err := Replicas(t.Context(), rdb, "kt:case:{x}"); err != nil || run == "" || online != 0 {
		t.Errorf("%q %d %v", run, online, err)
	}
}
