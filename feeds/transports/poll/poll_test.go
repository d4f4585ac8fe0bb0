package poll

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watcher keeps what a transport tells.
type watcher struct {
	mu      sync.Mutex
	fresh   int
	faults  []error
	cadence time.Duration
}

func (w *watcher) Fresh()                  { w.mu.Lock(); w.fresh++; w.mu.Unlock() }
func (w *watcher) Fault(err error)         { w.mu.Lock(); w.faults = append(w.faults, err); w.mu.Unlock() }
func (w *watcher) Cadence(d time.Duration) { w.mu.Lock(); w.cadence = d; w.mu.Unlock() }

func (w *watcher) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) == 0 {
		return ""
	}
	return w.faults[len(w.faults)-1].Error()
}

// sink keeps what is delivered and answers as told.
type sink struct {
	mu     sync.Mutex
	bodies []string
	urls   []string
	answer func(n int, body string) (feeds.Outcome, error)
}

func (s *sink) deliver(_ context.Context, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies, s.urls = append(s.bodies, string(body)), append(s.urls, meta.URL)
	if s.answer == nil {
		return feeds.Outcome{}, nil
	}
	return s.answer(len(s.bodies), string(body))
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func transport(t *testing.T, url string, change func(*Config)) (*Transport, *watcher) {
	t.Helper()
	w := &watcher{}
	c := Config{Feed: "f", URL: url, Every: time.Minute, Timeout: 2 * time.Second, AllowPrivate: true, UserAgent: "Kentongan/test (a@b.id)",
		Memory: NewMemory(1000), Watch: w, Log: zerolog.Nop()}
	if change != nil {
		change(&c)
	}
	tr := New(c)
	t.Cleanup(tr.client.CloseIdleConnections)
	return tr, w
}

func TestConditionalGetAdvancesOnlyAfterStoring(t *testing.T) {
	var asked []string
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match")+"|"+r.Header.Get("If-Modified-Since"))
		if r.Header.Get("User-Agent") != "Kentongan/test (a@b.id)" {
			t.Errorf("User-Agent %q", r.Header.Get("User-Agent"))
		}
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(304)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Mon, 23 Nov 2026 07:00:00 GMT")
		fmt.Fprint(w, "body")
	})
	tr, watch := transport(t, srv.URL, nil)
	s := &sink{answer: func(n int, _ string) (feeds.Outcome, error) {
		if n == 1 {
			return feeds.Outcome{}, feeds.Permanentf("native: not readable")
		}
		return feeds.Outcome{}, nil
	}}
	for range 3 {
		if wait := tr.round(t.Context(), s.deliver); wait < 54*time.Second || wait > 66*time.Second {
			t.Errorf("waits %v, want 60 s +-10 %%", wait)
		}
	}
	if got := strings.Join(asked, " "); got != `| | "v1"|Mon, 23 Nov 2026 07:00:00 GMT` {
		t.Errorf("asked %s", got)
	}
	if watch.fresh != 1 || len(s.bodies) != 2 {
		t.Errorf("%d fresh, %d deliveries", watch.fresh, len(s.bodies))
	}
}

func TestBackOffGrowsAndHonoursRetryAfter(t *testing.T) {
	status, after := 503, ""
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
	})
	tr, watch := transport(t, srv.URL, nil)
	s := &sink{}
	var waits []time.Duration
	for range 7 {
		waits = append(waits, tr.round(t.Context(), s.deliver))
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 15, 15, 15} {
		if d := waits[i] - want*time.Minute; d.Abs() > want*time.Minute/10+time.Second {
			t.Errorf("wait %d is %v, want about %d min", i, waits[i], want)
		}
	}
	status, after = 429, "1800"
	if wait := tr.round(t.Context(), s.deliver); wait != 30*time.Minute {
		t.Errorf("Retry-After 1800 gives %v", wait)
	}
	after = "999999"
	if wait := tr.round(t.Context(), s.deliver); wait != time.Hour {
		t.Errorf("a Retry-After of days gives %v", wait)
	}
	if got := watch.last(); got != "http: 429 Too Many Requests" {
		t.Errorf("fault %q", got)
	}
	status, after = 200, ""
	tr.round(t.Context(), s.deliver)
	status = 500
	if wait := tr.round(t.Context(), s.deliver); wait > 70*time.Second {
		t.Errorf("after a good answer back-off begins anew, not at %v", wait)
	}
	status = 404
	if wait := tr.round(t.Context(), s.deliver); wait > 70*time.Second {
		t.Errorf("404 waits %v", wait)
	}
}

func TestCacheControlSlowsThePoll(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("Age", "60")
	})
	tr, watch := transport(t, srv.URL, nil)
	if wait := tr.round(t.Context(), (&sink{}).deliver); wait < 216*time.Second || wait > 264*time.Second || watch.cadence != 4*time.Minute {
		t.Errorf("waits %v, cadence %v", wait, watch.cadence)
	}
}

func gzipped(n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, n))
	z.Close()
	return b.Bytes()
}

func TestHostileSourcesAreBounded(t *testing.T) {
	bomb := gzipped(20 << 20)
	for _, c := range []struct {
		name, fault string
		serve       http.HandlerFunc
	}{
		{"endless body", "size:", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}},
		{"declared too long", "size:", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "999999999") }},
		{"slow loris", "timeout:", func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-r.Context().Done():
					return
				case <-tick.C:
					w.Write([]byte(" "))
					w.(http.Flusher).Flush()
				}
			}
		}},
		{"gzip bomb", "size:", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb)
		}},
		{"stops in the middle", "broken:", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("ab"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		{"redirect to metadata", "address:", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		}},
		{"redirect to file", "address:", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		}},
		{"redirect in a circle", "address:", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }},
		{"304 that was not asked for", "http: 304", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := serve(t, c.serve)
			tr, watch := transport(t, srv.URL, func(c *Config) { c.Timeout, c.MaxBody, c.MaxInflated = 300*time.Millisecond, 1<<16, 1<<16 })
			s := &sink{}
			began := time.Now()
			tr.round(t.Context(), s.deliver)
			if !strings.HasPrefix(watch.last(), c.fault) || len(s.bodies) != 0 {
				t.Errorf("fault %q, %d deliveries", watch.last(), len(s.bodies))
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestNoDialToWhereAFeedMayNotGo(t *testing.T) {
	hits := 0
	inner := serve(t, func(http.ResponseWriter, *http.Request) { hits++ })
	outer := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner.URL, http.StatusFound) })
	// The first hop is led to our server by name, as a public source would be; every other dial meets the real check.
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "feed.example:80" {
			return (&net.Dialer{}).DialContext(ctx, network, outer.Listener.Addr().String())
		}
		return bounded.Dialer(false)(ctx, network, addr)
	}
	host := strings.TrimPrefix(inner.URL, "http://")
	for name, hosts := range map[string][]string{"host not listed": nil, "listed but loopback": {host}} {
		tr, watch := transport(t, "http://feed.example/", func(c *Config) { c.Dial, c.AllowPrivate, c.Hosts = dial, false, hosts })
		tr.round(t.Context(), (&sink{}).deliver)
		if !strings.HasPrefix(watch.last(), "address: ") || hits != 0 {
			t.Errorf("%s: fault %q, %d hits", name, watch.last(), hits)
		}
	}
	tr, watch := transport(t, inner.URL, func(c *Config) { c.AllowPrivate = false })
	tr.round(t.Context(), (&sink{}).deliver)
	if watch.last() != "address: address not allowed: 127.0.0.1 is loopback" || hits != 0 {
		t.Errorf("fault %q, %d hits", watch.last(), hits)
	}
}

func TestFaultsHaveStableCodes(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	tls := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	tls.Config.ErrorLog = nil
	tls.StartTLS()
	defer tls.Close()
	noHost := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "gone.example", IsNotFound: true}}
	}
	for _, c := range []struct {
		url, want string
		dial      func(context.Context, string, string) (net.Conn, error)
	}{
		{"http://gone.example/", "dns: no such host gone.example", noHost},
		{closed.URL, "refused: nobody listens at this address", nil},
		{tls.URL, "tls: the certificate or the encryption is wrong", nil},
	} {
		tr, watch := transport(t, c.url, func(cfg *Config) { cfg.Dial = c.dial })
		tr.round(t.Context(), (&sink{}).deliver)
		if watch.last() != c.want {
			t.Errorf("%s: %q, want %q", c.url, watch.last(), c.want)
		}
		var f *bounded.Fault
		if len(watch.faults) == 0 || !errors.As(watch.faults[0], &f) || f.Err == nil {
			t.Errorf("%s: %v is no Fault with a cause", c.url, watch.faults)
		}
	}
}

func TestLinksAreFollowedOnceOnAllowedHostsToDepthOne(t *testing.T) {
	hits := map[string]int{}
	broken := true
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits[r.URL.Path]++
		if r.URL.Path == "/c.xml" && broken {
			w.WriteHeader(503)
			return
		}
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(304)
			return
		}
		fmt.Fprint(w, r.URL.Path)
	})
	tr, _ := transport(t, srv.URL+"/index", nil)
	s := &sink{answer: func(_ int, body string) (feeds.Outcome, error) {
		switch body {
		case "/index":
			return feeds.Outcome{Follow: []string{"/a.xml#x", "b.xml", "c.xml", "http://169.254.169.254/x", "http://other.example/x", "file:///etc/passwd", "::"}}, nil
		case "/a.xml":
			return feeds.Outcome{Follow: []string{"/deeper.xml"}}, nil
		case "/b.xml":
			return feeds.Outcome{}, feeds.Permanentf("cap: rubbish")
		}
		return feeds.Outcome{}, nil
	}}
	for range 2 {
		tr.round(t.Context(), s.deliver)
	}
	broken = false
	for range 4 {
		tr.round(t.Context(), s.deliver)
	}
	for path, want := range map[string]int{"/a.xml": 1, "/b.xml": maxTries, "/c.xml": 3, "/deeper.xml": 0} {
		if hits[path] != want {
			t.Errorf("%s asked %d times, want %d", path, hits[path], want)
		}
	}
	if d := tr.docs[srv.URL+"/index"]; d.etag != `"1"` {
		t.Error("the index was not taken as done although all its links are")
	}
}

func TestBusyStoreIsWaitedFor(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") })
	tr, _ := transport(t, srv.URL, nil)
	s := &sink{answer: func(n int, _ string) (feeds.Outcome, error) {
		if n == 1 {
			return feeds.Outcome{}, feeds.ErrBusy
		}
		return feeds.Outcome{}, nil
	}}
	tr.round(t.Context(), s.deliver)
	if len(s.bodies) != 2 {
		t.Errorf("delivered %d times, want again after busy", len(s.bodies))
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	tr, watch := transport(t, srv.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- tr.Run(ctx, (&sink{}).deliver) }()
	cancel()
	select {
	case err := <-done:
		if err != nil || watch.last() != "" {
			t.Errorf("%v, fault %q", err, watch.last())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("still runs")
	}
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	m := NewMemory(2)
	for _, a := range []string{"a", "b", "b", "c"} {
		m.Mark(t.Context(), "f", a)
	}
	for a, want := range map[string]bool{"a": false, "b": true, "c": true} {
		if seen, _ := m.Seen(t.Context(), "f", []string{a}); seen[0] != want {
			t.Errorf("%s seen %v", a, seen)
		}
	}
	if seen, _ := m.Seen(t.Context(), "other", []string{"c"}); seen[0] {
		t.Error("feeds share a memory")
	}
}
