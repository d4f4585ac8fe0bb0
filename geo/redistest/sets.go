package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// setTimeout is how long a set of servers may take until it is whole.
const setTimeout = 30 * time.Second

// MasterName is what the Sentinels call the primary.
const MasterName = "kentongan"

const sentinelFile = "sentinel.conf"

// SentinelSet is one primary, two replicas and three Sentinels on loopback, which fail over after a second.
type SentinelSet struct {
	Servers   []*Server // the primary at the start first
	Sentinels []*Server
}

// StartSentinel starts a set for one test; it ends with the test.
func StartSentinel(t testing.TB) *SentinelSet {
	t.Helper()
	requireBinary(t)
	ports := freePorts(t, 6)
	set := &SentinelSet{}
	primary := at(ports[0])
	set.Servers = each(t, ports[:3], func(i int, addr string) (*Server, error) {
		args := []string{"--bind", "127.0.0.1", "--port", port(addr), "--repl-diskless-sync-delay", "0"}
		if i > 0 {
			args = append(args, "--replicaof", "127.0.0.1 "+port(primary))
		}
		return listening(addr, args...)
	})
	wait(t, "replicas to be in step", func(ctx context.Context) error {
		for _, s := range set.Servers[1:] {
			if info := s.info(ctx, "replication"); !strings.Contains(info, "master_link_status:up") {
				return fmt.Errorf("%s is not", s.addr)
			}
		}
		return nil
	})
	set.Sentinels = each(t, ports[3:], func(_ int, addr string) (*Server, error) { return sentinel(addr, primary) })
	wait(t, "Sentinels to know each other", func(ctx context.Context) error {
		for _, s := range set.Sentinels {
			c := redis.NewSentinelClient(&redis.Options{Addr: s.addr})
			m, err := c.Master(ctx, MasterName).Result()
			_ = c.Close()
			if err != nil {
				return err
			}
			if m["num-slaves"] != "2" || m["num-other-sentinels"] != "2" {
				return fmt.Errorf("%s knows %s replicas and %s others", s.addr, m["num-slaves"], m["num-other-sentinels"])
			}
		}
		return nil
	})
	return set
}

// URL is the set's address as KENTONGAN_REDIS_URL takes it.
func (s *SentinelSet) URL() string {
	return "redis+sentinel://" + addrs(s.Sentinels) + "/" + MasterName
}

// Primary asks the Sentinels which server is the primary now.
func (s *SentinelSet) Primary(t testing.TB) *Server {
	t.Helper()
	var found *Server
	wait(t, "a primary", func(ctx context.Context) error {
		c := redis.NewSentinelClient(&redis.Options{Addr: s.Sentinels[0].addr})
		defer func() { _ = c.Close() }()
		addr, err := c.GetMasterAddrByName(ctx, MasterName).Result()
		if err != nil {
			return err
		}
		for _, server := range s.Servers {
			if server.addr == net.JoinHostPort(addr[0], addr[1]) {
				found = server
				return nil
			}
		}
		return fmt.Errorf("%v is none of ours", addr)
	})
	return found
}

// Failover asks for another primary, and returns once the Sentinels name one.
func (s *SentinelSet) Failover(t testing.TB) {
	t.Helper()
	was := s.Primary(t)
	c := redis.NewSentinelClient(&redis.Options{Addr: s.Sentinels[0].addr})
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), setTimeout)
	defer cancel()
	if err := c.Failover(ctx, MasterName).Err(); err != nil {
		t.Fatalf("redistest: failover: %v", err)
	}
	wait(t, "another primary", func(context.Context) error {
		if s.Primary(t) == was {
			return fmt.Errorf("%s still is", was.addr)
		}
		return nil
	})
}

// sentinel starts a Sentinel, whose settings must stand in a file that it may write.
func sentinel(addr, primary string) (*Server, error) {
	dir, err := os.MkdirTemp("", "kt-redis-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, args: []string{"--sentinel"}, addr: addr}
	conf := fmt.Sprintf("port %s\nbind 127.0.0.1\nunixsocket %s\ndir %s\nlogfile %s\ndaemonize no\nsentinel monitor %s 127.0.0.1 %s 2\n"+
		"sentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 10000\n",
		port(addr), s.socket(), dir, filepath.Join(dir, "redis.log"), MasterName, port(primary), MasterName, MasterName)
	if err := os.WriteFile(filepath.Join(dir, sentinelFile), []byte(conf), 0o600); err != nil {
		return nil, err
	}
	if err := s.run(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// Cluster is three primaries on loopback that share the slots.
type Cluster struct{ Servers []*Server }

// StartCluster starts a cluster for one test; it ends with the test.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	requireBinary(t)
	ports := freePorts(t, 6)
	c := &Cluster{}
	c.Servers = each(t, ports[:3], func(i int, addr string) (*Server, error) {
		return listening(addr, "--bind", "127.0.0.1", "--port", port(addr), "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(ports[3+i]), "--cluster-node-timeout", "2000")
	})
	ctx, cancel := context.WithTimeout(context.Background(), setTimeout)
	defer cancel()
	const slots, n = 16384, 3
	for i, s := range c.Servers {
		one := s.Client(t)
		for _, args := range [][]any{
			{"CLUSTER", "SET-CONFIG-EPOCH", i + 1},
			{"CLUSTER", "ADDSLOTSRANGE", i * slots / n, (i+1)*slots/n - 1},
			{"CLUSTER", "MEET", "127.0.0.1", ports[0], ports[3]},
		} {
			if err := one.Do(ctx, args...).Err(); err != nil {
				t.Fatalf("redistest: %v: %v", args, err)
			}
		}
	}
	wait(t, "the cluster to be whole", func(ctx context.Context) error {
		for _, s := range c.Servers {
			one := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket()})
			info, err := one.ClusterInfo(ctx).Result()
			_ = one.Close()
			if err != nil {
				return err
			}
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3") {
				return fmt.Errorf("%s is not in it", s.addr)
			}
		}
		return nil
	})
	return c
}

// URL is the cluster's address as KENTONGAN_REDIS_URL takes it.
func (c *Cluster) URL() string { return "redis+cluster://" + addrs(c.Servers) }

// listening starts a server that listens on loopback too.
func listening(addr string, args ...string) (*Server, error) {
	s, err := start(args...)
	if err != nil {
		return nil, err
	}
	s.addr = addr
	return s, nil
}

// each starts servers at once; they end with the test.
func each(t testing.TB, ports []int, one func(i int, addr string) (*Server, error)) []*Server {
	t.Helper()
	out, errs := make([]*Server, len(ports)), make([]error, len(ports))
	var wg sync.WaitGroup
	for i, p := range ports {
		wg.Go(func() { out[i], errs[i] = one(i, at(p)) })
	}
	wg.Wait()
	for i, s := range out {
		if s != nil {
			t.Cleanup(s.remove)
		}
		if errs[i] != nil {
			t.Errorf("redistest: %v", errs[i])
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return out
}

// wait asks until there is no error.
func wait(t testing.TB, what string, ask func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("redistest: waited %s for %s: %v", setTimeout, what, err)
		case <-tick.C:
		}
	}
}

func (s *Server) info(ctx context.Context, section string) string {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket()})
	defer func() { _ = c.Close() }()
	return c.Info(ctx, section).Val()
}

// freePorts finds ports nobody listens on: all are held at once, then let go.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("redistest: %v", err)
		}
		defer func() { _ = l.Close() }()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}

func at(p int) string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(p)) }

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

func addrs(servers []*Server) string {
	var out []string
	for _, s := range servers {
		out = append(out, s.addr)
	}
	return strings.Join(out, ",")
}
