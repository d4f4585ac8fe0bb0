package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/server/config"
)

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

// hears runs a function when the log says something, once.
type hears struct {
	what string
	do   func()
	once sync.Once
}

func (h *hears) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(h.what)) {
		h.once.Do(h.do)
	}
	return len(b), nil
}

// outside starts an empty store on a socket.
func outside(t *testing.T, socket string) *exec.Cmd {
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--dir", filepath.Dir(socket), "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return cmd
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func TestNewLifeWaitsForAStoreThatIsOnItsWay(t *testing.T) {
	needRedis(t)
	socket := filepath.Join(t.TempDir(), "s")
	cfg, faults := config.Load(config.Source{Env: []string{"KENTONGAN_LISTEN=127.0.0.1:0", "KENTONGAN_REDIS_URL=unix://" + socket, "KENTONGAN_DATA_DIR=" + t.TempDir()}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := begin(ctx, &cfg, zerolog.Nop(), time.Time{}); err == nil || ctx.Err() != nil {
		t.Fatalf("a first start without its store gave %v, want an error at once", err)
	}
	log := &hears{what: "does not begin yet", do: func() { outside(t, socket) }}
	a, err := begin(ctx, &cfg, zerolog.New(log), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func TestServeOutlivesAStoreThatComesBackEmpty(t *testing.T) {
	needRedis(t)
	socket := filepath.Join(t.TempDir(), "s")
	first := outside(t, socket)
	t.Setenv("KENTONGAN_REDIS_URL", "unix://"+socket)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no store within 10 s")
		}
	}
	var text []byte
	cmd, _ := program(t, `"message":"sign-in link"`, "serve")
	log := cmd.Stdout.(*os.File).Name()
	_ = first.Process.Kill()
	_ = first.Wait()
	outside(t, socket)
	for end := time.Now().Add(30 * time.Second); strings.Count(string(text), `"message":"ready"`) < 2; time.Sleep(10 * time.Millisecond) {
		if text, _ = os.ReadFile(log); time.Now().After(end) {
			t.Fatalf("no second life within 30 s:\n%s", text)
		}
	}
	if !strings.Contains(string(text), "EMPTY") {
		t.Errorf("it does not say EMPTY:\n%s", text)
	}
	var addrs []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.Contains(line, `"message":"listening"`) {
			_, addr, _ := strings.Cut(line, `"addr":"`)
			addr, _, _ = strings.Cut(addr, `"`)
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) != 2 || addrs[0] != addrs[1] {
		t.Errorf("addresses %q, want the same twice", addrs)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v, want 0", err)
	}
}
