// Package redistest starts a real redis-server for tests.
//
// Test-only. The server listens on a unix socket in a folder of its own, keeps an append-only file with appendfsync always, as the
// product's own store does, and dies with the test binary.
package redistest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
)

// startTimeout is how long a server may take until it answers PING; a busy machine needs some of it.
const startTimeout = 20 * time.Second

// shared is the one server of this test binary, kept while any test uses it.
var shared struct {
	sync.Mutex
	server *Server
	users  int
}

// Start gives a client of the server that this test binary shares; the first test starts it, the last one to end stops it. Tests that
// run at once keep apart by Keys. Where redis-server is absent the test is skipped with the reason, or fails when CI=true.
func Start(t testing.TB) redis.UniversalClient {
	t.Helper()
	client, err := redis.ParseURL(URL(t))
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	client.ReadTimeout, client.WriteTimeout = startTimeout, startTimeout
	c := redis.NewClient(client)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// URL is the address of the shared server as KENTONGAN_REDIS_URL takes it: unix:///path.
func URL(t testing.TB) string {
	t.Helper()
	requireBinary(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s, err := start()
		if err != nil {
			t.Fatalf("redistest: %v", err)
		}
		shared.server = s
	}
	shared.users++
	t.Cleanup(func() {
		shared.Lock()
		defer shared.Unlock()
		if shared.users--; shared.users == 0 {
			shared.server.remove()
			shared.server = nil
		}
	})
	return shared.server.URL()
}

// Keys gives keys under a random prefix, so that tests on one server do not meet.
func Keys(t testing.TB) keyspace.Keys {
	t.Helper()
	return keyspace.Keys{Prefix: "t" + rand.Text()[:10], Jurisdiction: "test"}
}

// Server is a redis-server of its own, for tests that stop, kill or configure it. Not safe for concurrent use.
type Server struct {
	dir  string
	args []string
	addr string // host:port where it listens on one, beside its socket
	cmd  *exec.Cmd
	done chan struct{}
}

// Private starts a server for one test, with further redis-server arguments; it ends with the test.
func Private(t testing.TB, args ...string) *Server {
	t.Helper()
	requireBinary(t)
	s, err := start(args...)
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	t.Cleanup(s.remove)
	return s
}

// URL is the address of the server; it stays the same over a Restart.
func (s *Server) URL() string { return "unix://" + s.socket() }

// Client opens a client that fails at once when the server is gone, instead of trying again.
func (s *Server) Client(t testing.TB) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket(), MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Kill ends the server as a power cut of the process would: SIGKILL, nothing is flushed by it.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.done
	s.cmd = nil
}

// Signal sends the server a signal, such as SIGSTOP.
func (s *Server) Signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("redistest: signal: %v", err)
	}
}

// Addr is host:port of a server that belongs to a set; a server alone has only its socket.
func (s *Server) Addr() string { return s.addr }

// Restart starts the server again on what it has on disk.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	if err := s.run(); err != nil {
		t.Fatalf("redistest: restart: %v", err)
	}
}

func (s *Server) socket() string { return filepath.Join(s.dir, "redis.sock") }

func (s *Server) remove() {
	s.Kill()
	_ = os.RemoveAll(s.dir)
}

func requireBinary(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	const reason = "redis-server is not on PATH; install it (Debian: apt-get install redis-server)"
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// start uses a folder of its own rather than t.TempDir: the name of a test may be too long for a unix socket (108 bytes on Linux).
func start(args ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "kt-redis-")
	if err != nil {
		return nil, fmt.Errorf("folder of redis-server: %w", err)
	}
	s := &Server{dir: dir, args: args}
	if err := s.run(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func (s *Server) run() error {
	args := append([]string{"--port", "0", "--unixsocket", s.socket(), "--dir", s.dir, "--save", "", "--appendonly", "yes",
		"--appendfsync", "always", "--logfile", filepath.Join(s.dir, "redis.log"), "--daemonize", "no"}, s.args...)
	if conf := filepath.Join(s.dir, sentinelFile); len(s.args) > 0 && s.args[0] == "--sentinel" {
		args = []string{conf, "--sentinel"} // it keeps what it learns in its file
	}
	cmd := exec.Command("redis-server", args...)
	cmd.SysProcAttr = dieWithParent(&syscall.SysProcAttr{})
	started, done := make(chan error, 1), make(chan struct{})
	go func() {
		// The parent-death signal follows the thread that started the child, so this thread stays until the child has ended.
		runtime.LockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	s.cmd, s.done = cmd, done
	if err := s.answer(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "redis.log"))
		s.Kill()
		return fmt.Errorf("redis-server does not answer: %w\n%s", err, log)
	}
	return nil
}

// answer waits until the server has loaded its file and answers PING.
func (s *Server) answer() error {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket(), MaxRetries: -1})
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := c.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("it has ended: %w", err)
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
