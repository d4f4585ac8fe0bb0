package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/runner"
	"kentongan/feeds/transports/poll"
	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

func TestMemoryOverRedis(t *testing.T) {
	now := time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC)
	m := &memory{redistest.Start(t), redistest.Keys(t), func() time.Time { return now }}
	ctx := t.Context()
	if s, err := m.State(ctx, "f"); err != nil || s != (poll.State{}) {
		t.Errorf("of nothing: %+v, %v", s, err)
	}
	if p, err := m.Past(ctx, "f"); err != nil || p != (runner.Past{}) {
		t.Errorf("of nothing: %+v, %v", p, err)
	}
	want := poll.State{Source: "s", ETag: `"v1"`, Changed: "Mon", Asked: "q", Cursor: now.Add(-time.Minute)}
	past := runner.Past{LastSuccess: now.Add(-time.Hour), Interval: 90 * time.Second}
	if err := m.SetState(ctx, "f", want); err != nil {
		t.Fatal(err)
	}
	if err := m.SetPast(ctx, "f", past); err != nil {
		t.Fatal(err)
	}
	if s, err := m.State(ctx, "f"); err != nil || s != want {
		t.Errorf("got %+v, %v", s, err)
	}
	if p, err := m.Past(ctx, "f"); err != nil || p != past {
		t.Errorf("got %+v, %v", p, err)
	}
	if err := m.Mark(ctx, "f", "http://x/a?key=geheim"); err != nil {
		t.Fatal(err)
	}
	seen, err := m.Seen(ctx, "f", []string{"http://x/b", "http://x/a?key=geheim"})
	if err != nil || seen[0] || !seen[1] {
		t.Errorf("seen %v, %v", seen, err)
	}
	for _, name := range m.rdb.ZRange(ctx, m.keys.FeedLink("f"), 0, -1).Val() {
		if strings.Contains(name, "geheim") {
			t.Error("an address is kept as it is")
		}
	}
	now = now.Add(keyspace.FeedLifetime + time.Second)
	if err := m.Mark(ctx, "f", "http://x/c"); err != nil {
		t.Fatal(err)
	}
	if n := m.rdb.ZCard(ctx, m.keys.FeedLink("f")).Val(); n != 1 {
		t.Errorf("%d links, want the one of this lifetime", n)
	}
	for _, key := range []string{m.keys.Feed("f"), m.keys.FeedLink("f")} {
		if left := m.rdb.PTTL(ctx, key).Val(); left <= 0 || left > keyspace.FeedLifetime {
			t.Errorf("%s lives for %v", key, left)
		}
	}
}

// quiet is told of everything and keeps what was wrong.
type quiet struct {
	mu     sync.Mutex
	faults []string
	fresh  int
}

func (q *quiet) Fresh() { q.mu.Lock(); q.fresh++; q.mu.Unlock() }
func (q *quiet) Fault(err error) {
	q.mu.Lock()
	q.faults = append(q.faults, err.Error())
	q.mu.Unlock()
}
func (q *quiet) Cadence(time.Duration) {}
func (q *quiet) unchanged() bool       { q.mu.Lock(); defer q.mu.Unlock(); return q.fresh > 0 }

// One server at a time polls. Whoever takes over goes on where the other was: no link is fetched again, what has not changed is not sent
// again, and the question of since goes on from the newest that is stored.
func TestAnotherServerGoesOnWhereThePollWas(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.URL.Path+" "+r.URL.Query().Get("from")+" "+r.Header.Get("If-None-Match"))
		mu.Unlock()
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	defer srv.Close()
	newest := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	deliver := func(_ context.Context, body []byte, _ feeds.Meta) (feeds.Outcome, error) {
		out := feeds.Outcome{Receipt: feeds.Receipt{Accepted: 1}, Newest: newest}
		if string(body) == "/index" {
			out.Follow = []string{"/a.xml", "/b.xml", "/c.xml"}
		}
		return out, nil
	}
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	serve := func(feed, path string, since poll.Since, until int) {
		t.Helper()
		mu.Lock()
		asked = nil
		mu.Unlock()
		watch := &quiet{}
		tr := poll.New(poll.Config{Feed: feed, Source: "s", URL: srv.URL + path, Every: time.Hour, Since: since, AllowPrivate: true, Memory: &memory{rdb, keys, time.Now}, Watch: watch, Log: zerolog.Nop()})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- tr.Run(ctx, deliver) }()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			n := len(asked)
			mu.Unlock()
			s, err := (&memory{rdb, keys, time.Now}).State(t.Context(), feed)
			if n >= until && err == nil && s.Source != "" && (watch.unchanged() || n > 1 || since.Param != "") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("asked %q, faults %q", asked, watch.faults)
			}
		}
		cancel()
		if err := <-done; err != nil || len(watch.faults) > 0 {
			t.Errorf("%v, %q", err, watch.faults)
		}
	}
	serve("cap", "/index", poll.Since{}, 4)
	serve("cap", "/index", poll.Since{}, 1)
	if got := strings.Join(asked, ", "); got != `/index  "v1"` {
		t.Errorf("the second server asked %s", got)
	}
	since := poll.Since{Param: "from", Overlap: 10 * time.Minute, First: 24 * time.Hour}
	serve("new", "/rows", since, 1)
	serve("new", "/rows", since, 1)
	if want := "/rows " + newest.Add(-10*time.Minute).Format(time.RFC3339) + " "; len(asked) != 1 || asked[0] != want {
		t.Errorf("the second server asked %q, want %q", asked, want)
	}
}
