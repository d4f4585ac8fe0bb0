package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// helper is set in the environment of a test binary that plays the server.
const helper = "KT_EMBEDDED_HELPER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helper); dir != "" {
		os.Exit(serverOf(dir))
	}
	os.Exit(m.Run())
}

// serverOf starts the store in a folder, writes numbers, and prints each one after it is acknowledged, until it is killed.
func serverOf(dir string) int {
	s, err := Start(context.Background(), Options{DataDir: dir, Log: zerolog.Nop()})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	c := clientOf(s)
	fmt.Println("ready", s.current().pid())
	if os.Getenv(helper+"_IDLE") != "" {
		select {}
	}
	for i := 0; ; i++ {
		if err := c.RPush(context.Background(), "list", i).Err(); err != nil {
			fmt.Println("error", err)
			return 1
		}
		fmt.Println("acked", i)
	}
}

func clientOf(s *Store) *redis.Client {
	o, err := redis.ParseURL(s.URL())
	if err != nil {
		panic(err)
	}
	o.MaxRetries, o.DialerRetries = -1, 1
	return redis.NewClient(o)
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("redis-server is not on PATH")
	}
	t.Skip("redis-server is not on PATH; install it (Debian: apt-get install redis-server)")
}

func start(t *testing.T, dir string) *Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := Start(ctx, Options{DataDir: dir, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// until polls a condition with a deadline.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("not within 20 s: %s", what)
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil && !zombie(pid) }

func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(b, []byte(") Z "))
}

func TestStoreIsDurableAndPrivate(t *testing.T) {
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, dir)
	if s.Kind() != "redis-server" && s.Kind() != "valkey-server" || s.Volatile() {
		t.Fatalf("kind %s, volatile %v", s.Kind(), s.Volatile())
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data folder: %v %v", info.Mode(), err)
	}
	c := clientOf(s)
	defer c.Close()
	v, err := Judge(t.Context(), c)
	if err != nil || v.Storage != Durable || len(v.Warnings) != 0 || !strings.Contains(v.Store, "redis ") && !strings.Contains(v.Store, "valkey ") {
		t.Errorf("%+v %v", v, err)
	}
	for name, want := range map[string]string{"appendonly": "yes", "appendfsync": "always", "save": "", "port": "0"} {
		if got := c.ConfigGet(t.Context(), name).Val()[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	pid := s.current().pid()
	stop(t, s)
	if alive(pid) {
		t.Error("the store lives after Stop")
	}
	again := start(t, dir)
	c2 := clientOf(again)
	defer c2.Close()
	if got := c2.Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("after a restart k is %q", got)
	}
}

func TestStoreIsRestartedWhenItDies(t *testing.T) {
	needRedis(t)
	s := start(t, filepath.Join(t.TempDir(), "data"))
	c := clientOf(s)
	defer c.Close()
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	pid := s.current().pid()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the store answers again with what was acknowledged", func() bool { return c.Get(t.Context(), "k").Val() == "v" })
	if s.current().pid() == pid {
		t.Error("the same process answers")
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	start(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if s, err := Start(ctx, Options{DataDir: dir, Log: zerolog.Nop()}); err == nil {
		stop(t, s)
		t.Fatal("two servers share a data folder")
	}
}

func TestLongPathMovesTheSocket(t *testing.T) {
	needRedis(t)
	dir := filepath.Join(t.TempDir(), strings.Repeat("a-long-name-", 9), "data")
	s := start(t, dir)
	if strings.HasPrefix(s.socket, dir) || len(s.socket) > maxSocketPath {
		t.Errorf("socket %s", s.socket)
	}
	c := clientOf(s)
	defer c.Close()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(s.socket)) })
}

// spawn runs this test binary as a server over dir in a process group of its own.
func spawn(t *testing.T, dir string, env ...string) (*exec.Cmd, *os.File) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(append(os.Environ(), helper+"="+dir), env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait(); _ = out.Close() })
	return cmd, out
}

func printed(t *testing.T, out *os.File) string {
	t.Helper()
	b, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The server is killed in mid-write by its process group. Its store, which has a group of its own, must go with it, and everything that
// was acknowledged must be there afterwards, once and in order.
func TestKilledTogetherLosesNothing(t *testing.T) {
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	next := 0
	for round := range 3 {
		cmd, out := spawn(t, dir)
		until(t, "writes are acknowledged", func() bool { return strings.Count(printed(t, out), "acked") > 200 })
		ready, _, _ := strings.Cut(strings.TrimPrefix(printed(t, out), "ready "), "\n")
		pid, err := strconv.Atoi(ready)
		if err != nil {
			t.Fatalf("no pid in %q", ready)
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		until(t, "the store dies with its server", func() bool { return !alive(pid) })
		acked := strings.Count(printed(t, out), "acked")
		s := start(t, dir)
		c := clientOf(s)
		have, err := c.LRange(t.Context(), "list", int64(next), -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		if len(have) < acked || len(have) > acked+1 {
			t.Errorf("round %d: acknowledged %d, present %d", round, acked, len(have))
		}
		for i, v := range have {
			if v != strconv.Itoa(i) {
				t.Fatalf("round %d: place %d holds %s", round, i, v)
			}
		}
		t.Logf("round %d: acknowledged %d, present %d", round, acked, len(have))
		next += len(have)
		_ = c.Close()
		stop(t, s)
	}
}

// foreign starts a store in the folder that no server of ours has started, holding the store's lock as a child of ours would.
func foreign(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	hold, err := lockFile(filepath.Join(dir, "store.lock"))
	if err != nil {
		t.Fatal(err)
	}
	sock, err := socketPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", sock, "--dir", filepath.Join(dir, "store"), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
	cmd.ExtraFiles = []*os.File{hold}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = hold.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	until(t, "the store left behind answers", func() bool {
		c := redis.NewClient(&redis.Options{Network: "unix", Addr: sock, MaxRetries: -1, DialerRetries: 1})
		defer c.Close()
		return c.Set(t.Context(), "old", "life", 0).Err() == nil
	})
	return cmd
}

func TestStoreLeftAliveIsAdoptedAfterTheGrace(t *testing.T) {
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	old := foreign(t, dir)
	began := time.Now()
	s := start(t, dir)
	if took := time.Since(began); took < orphanGrace {
		t.Errorf("adopted after %v, before the grace of %v", took, orphanGrace)
	}
	if s.current() != nil {
		t.Fatal("a second store was started")
	}
	c := clientOf(s)
	defer c.Close()
	if got := c.ConfigGet(t.Context(), "appendfsync").Val()["appendfsync"]; got != "always" {
		t.Errorf("adopted with appendfsync %s", got)
	}
	_ = old.Process.Kill()
	_ = old.Wait()
	until(t, "an own store follows the adopted one", func() bool { return s.current() != nil && c.Get(t.Context(), "old").Val() == "life" })
}

func TestStoreThatIsEndingIsWaitedFor(t *testing.T) {
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	old := foreign(t, dir)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		time.AfterFunc(400*time.Millisecond, func() { _ = old.Process.Kill() })
		_ = old.Wait()
	}()
	s := start(t, dir)
	if s.current() == nil {
		t.Fatal("a store was adopted that ended within the grace")
	}
	select {
	case <-ended:
	default:
		t.Fatal("two stores at once")
	}
	c := clientOf(s)
	defer c.Close()
	if got := c.Get(t.Context(), "old").Val(); got != "life" {
		t.Errorf("old is %q", got)
	}
}

func TestWithoutServersOnPathItIsVolatile(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := start(t, filepath.Join(t.TempDir(), "data"))
	if s.Kind() != "miniredis" || !s.Volatile() {
		t.Fatalf("kind %s", s.Kind())
	}
	c := clientOf(s)
	defer c.Close()
	if err := c.Set(t.Context(), "k", "v", time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, "lifetimes pass", func() bool { return errors.Is(c.Get(t.Context(), "k").Err(), redis.Nil) })
	bare := redis.NewClient(&redis.Options{Addr: s.mini.Addr(), MaxRetries: -1})
	defer bare.Close()
	if bare.Ping(t.Context()).Err() == nil {
		t.Error("the loopback port answers without the password")
	}
}

func TestTooOldIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "redis-server"), []byte("#!/bin/sh\necho 'Redis server v=6.2.6 sha=0'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if kind, path := find(zerolog.Nop()); path != "" {
		t.Errorf("%s %s", kind, path)
	}
	for _, c := range []struct {
		valkey  bool
		version string
		fit     bool
	}{{false, "7.0", true}, {false, "6.2", false}, {false, "8.2.1", true}, {true, "7.2", true}, {true, "7.0", false}, {true, "8.0", true}, {false, "x", false}} {
		if err := floor(c.valkey, c.version); (err == nil) != c.fit {
			t.Errorf("valkey %v, version %s: %v", c.valkey, c.version, err)
		}
	}
}

func TestWeakPersistenceIsSaid(t *testing.T) {
	needRedis(t)
	s := start(t, filepath.Join(t.TempDir(), "data"))
	c := clientOf(s)
	defer c.Close()
	for _, step := range []struct{ key, value, want string }{
		{"appendfsync", "everysec", Durable}, {"appendfsync", "no", Weak}, {"appendfsync", "always", Durable},
		{"maxmemory-policy", "allkeys-lru", Durable}, {"maxmemory", "1gb", Weak}, {"maxmemory-policy", "noeviction", Durable}, {"appendonly", "no", Weak},
	} {
		if err := c.ConfigSet(t.Context(), step.key, step.value).Err(); err != nil {
			t.Fatal(err)
		}
		v, err := Judge(t.Context(), c)
		if err != nil || v.Storage != step.want {
			t.Errorf("%s %s: %+v %v", step.key, step.value, v, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"redis://user:p%40ss@h:6380/2", "one h:6380 user p@ss 2"},
		{"unix:///run/redis.sock", "one /run/redis.sock   0"},
		{"redis+sentinel://u:p@h1,h2:5000/mymaster?db=3", "sentinel [h1:26379 h2:5000] mymaster u p 3"},
		{"redis+cluster://h1,h2:7000", "cluster [h1:6379 h2:7000]"},
		{"redis+sentinel://h1", ""}, {"http://h", ""}, {"localhost:6379", ""}, {"redis+cluster://h1,,h2", ""}, {"redis+cluster://h1/0", ""},
	} {
		a, err := ParseURL(c.url)
		got := ""
		switch {
		case err != nil:
		case a.One != nil:
			got = fmt.Sprintf("one %s %s %s %d", a.One.Addr, a.One.Username, a.One.Password, a.One.DB)
		case a.Sentinel != nil:
			got = fmt.Sprintf("sentinel %v %s %s %s %d", a.Sentinel.SentinelAddrs, a.Sentinel.MasterName, a.Sentinel.Username, a.Sentinel.Password, a.Sentinel.DB)
		case a.Cluster != nil:
			got = fmt.Sprintf("cluster %v", a.Cluster.Addrs)
		}
		if got != c.want {
			t.Errorf("%s: %q (%v), want %q", c.url, got, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "p%40ss") {
			t.Errorf("%s: the error shows the password", c.url)
		}
	}
}
