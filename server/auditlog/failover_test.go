package auditlog

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/geo/redistest"
)

// freePort is a port of loopback that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// until waits for something, within bounds.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// TestAReplicaThatNeverHeardTheEndOfTheLog promotes a replica that had fallen behind while the server runs on: the log says that its end was lost,
// goes on where the replica stands, and has every record once; a new start says it too.
func TestAReplicaThatNeverHeardTheEndOfTheLog(t *testing.T) {
	h := newHouse(t)
	port := freePort(t)
	primary := redistest.Private(t, "--bind", "127.0.0.1", "--port", port)
	replica := redistest.Private(t, "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1 "+port)
	at := replica.Client(t)
	until(t, "the replica is in step", func() bool {
		return strings.Contains(at.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	var promoted atomic.Bool
	sockets := [2]string{strings.TrimPrefix(primary.URL(), "unix://"), strings.TrimPrefix(replica.URL(), "unix://")}
	h.rdb = redis.NewClient(&redis.Options{Addr: "the primary of the moment", MaxRetries: 3, Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
		to := sockets[0]
		if promoted.Load() {
			to = sockets[1]
		}
		return (&net.Dialer{}).DialContext(ctx, "unix", to)
	}})
	t.Cleanup(func() { _ = h.rdb.Close() })
	h.cases = store.New(h.rdb, h.keys, store.Options{Place: alerts.Place{Center: center, Sender: "kentongan:test"}, Prefix: "SLK", Zone: time.UTC, Now: time.Now, Log: zerolog.Nop()})
	h.deps.Store, h.deps.Redis, h.deps.Memory = h.cases, h.rdb, filepath.Join(t.TempDir(), "checkpoint")
	h.open()
	w := &writer{l: h.log, cases: h.cases}
	seal := func() (err error) {
		w.last = time.Time{} // it is ten seconds ago
		if err = w.look(t.Context()); err != nil {
			w.edge = nil // as Run does
		}
		return err
	}
	h.acts(5)
	if err := seal(); err != nil {
		t.Fatal(err)
	}
	h.want(nil)
	until(t, "the replica has the log", func() bool {
		return at.XLen(t.Context(), h.keys.Audit()).Val() == 10 && at.Exists(t.Context(), h.keys.AuditCheckpoint()).Val() == 1
	})
	checkpoint := h.rdb.Get(t.Context(), h.keys.AuditCheckpoint()).Val()
	until(t, "the replica has the checkpoint", func() bool { return at.Get(t.Context(), h.keys.AuditCheckpoint()).Val() == checkpoint })
	if err := at.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil { // it hears nothing from here on
		t.Fatal(err)
	}
	h.acts(3)
	if err := seal(); err != nil {
		t.Fatal(err)
	}
	if w := h.log.Warnings(); len(w) != 0 {
		t.Fatalf("before the failover: %q", w)
	}
	promoted.Store(true)
	primary.Kill()

	h.acts(4)
	for range 5 { // the first tries may meet connections that are gone
		if seal() == nil {
			break
		}
	}
	lost := "has 10 records, this server has seen 16"
	if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], lost) {
		t.Errorf("after the failover: %q", w)
	}
	h.want(nil) // what the replica has is what its log says
	h.acts(4)   // it is longer than it was
	if err := seal(); err != nil {
		t.Fatal(err)
	}
	if r := h.verified(); !r.OK || r.Proven != 26 {
		t.Errorf("the export: %+v", r)
	}
	seen := map[string]bool{}
	list, _, err := h.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "", func(*audit.Record) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if id := r.Object + r.Action; seen[id] {
			t.Errorf("%s stands twice", id)
		} else {
			seen[id] = true
		}
	}
	if len(seen) != 26 {
		t.Errorf("%d records, want 26", len(seen))
	}
	h.open()
	if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], "does not continue the 16 records") {
		t.Errorf("after a new start: %q", w)
	}
}
