package redistest

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestSentinelSetFailsOver(t *testing.T) {
	began := time.Now()
	set := StartSentinel(t)
	t.Logf("whole after %s", time.Since(began).Round(time.Millisecond))
	c := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: MasterName, SentinelAddrs: []string{set.Sentinels[0].Addr(), set.Sentinels[1].Addr()}})
	defer func() { _ = c.Close() }()
	if err := c.Set(t.Context(), "a", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n := c.Wait(t.Context(), 2, 5*time.Second).Val(); n != 2 {
		t.Fatalf("%d replicas confirm", n)
	}
	began = time.Now()
	set.Failover(t)
	t.Logf("failed over after %s", time.Since(began).Round(time.Millisecond))
	wait(t, "the client to follow", func(ctx context.Context) error { return c.Set(ctx, "b", "1", 0).Err() })
	if got := c.Get(t.Context(), "a").Val(); got != "1" {
		t.Errorf("lost over the failover: %q", got)
	}
}

func TestClusterTakesEveryKey(t *testing.T) {
	began := time.Now()
	set := StartCluster(t)
	t.Logf("whole after %s", time.Since(began).Round(time.Millisecond))
	var list []string
	for _, s := range set.Servers {
		list = append(list, s.Addr())
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: list})
	defer func() { _ = c.Close() }()
	for _, k := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		if err := c.Set(t.Context(), k, k, 0).Err(); err != nil || c.Get(t.Context(), k).Val() != k {
			t.Errorf("%s: %v", k, err)
		}
	}
}
