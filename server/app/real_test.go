package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

// program is the real binary at work.
type program struct {
	addr string
	cmd  *exec.Cmd
	log  *logged
}

var built = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("KENTONGAN_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	dir, err := os.MkdirTemp("", "kentongan-bin-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "kentongan")
	out, err := exec.Command("go", "build", "-o", bin, "kentongan/server").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, nil
})

// run starts the binary on a store, and returns once it is ready.
func run(t *testing.T, store, settings string) *program {
	t.Helper()
	return begin(t, settings, "KENTONGAN_REDIS_URL="+store, "KENTONGAN_DATA_DIR="+t.TempDir(), sharedKey(t))
}

// begin starts the binary, and returns once it is ready.
func begin(t *testing.T, settings string, env ...string) *program {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "k.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: exec.Command(bin, "serve", "--config", file), log: &logged{}}
	p.cmd.Env = append(append(os.Environ(), "KENTONGAN_ADMIN_TOKEN="+token, "KENTONGAN_LOG_FORMAT=json"), env...)
	read, write := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = write, write
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	addr := make(chan string, 1)
	go func() {
		for sc := bufio.NewScanner(read); sc.Scan(); {
			_, _ = p.log.Write(append(sc.Bytes(), '\n'))
			var line struct{ Message, Addr string }
			if json.Unmarshal(sc.Bytes(), &line) == nil && line.Message == "listening" {
				addr <- line.Addr
			}
		}
	}()
	select {
	case p.addr = <-addr:
	case <-time.After(slower * 30 * time.Second):
		t.Fatalf("no listening line\n%s", p.log)
	}
	eventually(t, 30*time.Second, "the binary is ready", func() bool {
		resp, err := http.Get("http://" + p.addr + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

// kill is kill -9.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// outside opens a client of a store for a look from outside.
func outside(t *testing.T, s *redistest.Server) (*redis.Client, keyspace.Keys) {
	return s.Client(t), keyspace.New("solok")
}

// Two real servers, one after the other killed with -9 in mid-ingest, again and again.
func TestLedgerOfBinariesThatAreKilled(t *testing.T) {
	heavy(t)
	store := redistest.Private(t).URL()
	a, b := run(t, store, several), run(t, store, several)
	l := newLedger(t, a.addr, b.addr)
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for i := range 4 {
		senders.Go(func() { l.work(ctx, i, []string{"awlr", "pos"}[i%2]) })
	}
	senders.Go(func() { l.act(ctx) })
	var onA *viewer
	for round := range 6 {
		time.Sleep(1200 * time.Millisecond)
		a.kill()
		time.Sleep(800 * time.Millisecond)
		a, b = b, run(t, store, several) // the older is killed next
		l.servers(a.addr, b.addr)
		if round == 4 {
			onA = watch(t, b.addr, nil)
		}
	}
	onB := watch(t, b.addr, nil)
	time.Sleep(time.Second)
	cancel()
	senders.Wait()
	const name = "binaries, 6 times kill -9"
	l.checkActs(b.addr, name)
	l.crossings(b.addr, name, map[string]*viewer{"the older": onA, "the newer": onB})
	l.check(b.addr, name)
}

// A leader that sleeps past its lease and wakes up writes nothing more (FAULTS row 11), and polls no more.
func TestPausedLeaderIsRefused(t *testing.T) {
	heavy(t)
	server := redistest.Private(t)
	s := newSource(t)
	settings := polling(s)
	a := run(t, server.URL(), settings)
	rdb, keys := outside(t, server)
	holder := func() string { return rdb.Get(t.Context(), keys.Lease(rulesLease)).Val() }
	eventually(t, 10*time.Second, "a leads", func() bool {
		return holder() != "" && rdb.Get(t.Context(), keys.Lease(feedLease("poll0"))).Val() == holder()
	})
	first := holder()
	b := run(t, server.URL(), settings)
	l := newLedger(t, b.addr) // only b is sent anything; a hears of it
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for i := range 2 {
		senders.Go(func() { l.work(ctx, i, "awlr") })
	}
	onB := watch(t, b.addr, nil)
	time.Sleep(2 * time.Second)
	stopped := time.Now()
	if err := a.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	taken := eventually(t, 20*time.Second, "b leads", func() bool { h := holder(); return h != "" && h != first })
	t.Logf("the lease of the paused leader is taken after %s", taken.Round(time.Millisecond))
	time.Sleep(time.Until(stopped.Add(30 * time.Second)))
	asked := len(s.asked)
	if err := a.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "a has noticed", func() bool { return strings.Contains(a.log.String(), "left the lease") })
	time.Sleep(3 * time.Second)
	cancel()
	senders.Wait()
	if h := holder(); h == first {
		t.Error("the paused one leads again")
	}
	for line := range strings.SplitSeq(a.log.String(), "\n") {
		if strings.Contains(line, "left the lease") {
			t.Logf("a says: %s", line)
		}
	}
	l.crossings(b.addr, "leader paused for 30 s", map[string]*viewer{"b": onB})
	l.check(b.addr, "leader paused for 30 s")
	// One feed, one question a second; a's own question may have been under way when it was stopped.
	s.mu.Lock()
	defer s.mu.Unlock()
	closest := time.Hour
	for i := asked; i < len(s.asked); i++ {
		closest = min(closest, s.asked[i].at.Sub(s.asked[i-1].at))
	}
	t.Logf("after the wake-up the source is asked %d times, %s apart at least, at most %d at once", len(s.asked)-asked, closest.Round(time.Millisecond), s.most)
	if s.most > 1 {
		t.Error("two ask")
	}
}
