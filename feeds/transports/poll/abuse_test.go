package poll

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// raw is a server beneath HTTP: each connection is handled once its request was read, and closed then.
func raw(t *testing.T, handle func(c *net.TCPConn, gone <-chan struct{})) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					req.Body.Close()
					handle(c.(*net.TCPConn), gone)
				}
			})
		}
	})
	t.Cleanup(func() { close(gone); l.Close(); all.Wait() })
	return "http://" + l.Addr().String()
}

// drip writes a piece again and again, slowly.
func drip(piece string, every time.Duration) func(*net.TCPConn, <-chan struct{}) {
	return func(c *net.TCPConn, gone <-chan struct{}) {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-gone:
				return
			case <-tick.C:
				if _, err := c.Write([]byte(piece)); err != nil {
					return
				}
			}
		}
	}
}

func after(head string, then func(*net.TCPConn, <-chan struct{})) func(*net.TCPConn, <-chan struct{}) {
	return func(c *net.TCPConn, gone <-chan struct{}) {
		if _, err := c.Write([]byte(head)); err == nil {
			then(c, gone)
		}
	}
}

func nothing(*net.TCPConn, <-chan struct{}) {}

func TestAbuseBeneathHTTP(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	reset := func(c *net.TCPConn, _ <-chan struct{}) { c.SetLinger(0) }
	wait := func(_ *net.TCPConn, gone <-chan struct{}) { <-gone }
	for _, c := range []struct {
		name, fault string
		handle      func(*net.TCPConn, <-chan struct{})
	}{
		{"silence after the request", "timeout: no whole answer within 300ms", wait},
		{"slow loris: headers that never end", "timeout: no whole answer within 300ms", after(ok, drip("X-A: b\r\n", 20*time.Millisecond))},
		{"headers without end, fast", "network: ", after(ok, drip(strings.Repeat("X-A: "+strings.Repeat("b", 1000)+"\r\n", 100), time.Millisecond))},
		{"slow loris: a body byte by byte", "timeout: no whole answer within 300ms", after(ok+"Content-Length: 60000\r\n\r\n", drip("a", 20*time.Millisecond))},
		{"chunks without end", "size: ", after(ok+"Transfer-Encoding: chunked\r\n\r\n", drip("1000\r\n"+strings.Repeat("a", 4096)+"\r\n", time.Millisecond))},
		{"less than Content-Length", "broken: the source stopped in mid-answer", after(ok+"Content-Length: 10\r\n\r\nabc", nothing)},
		{"a Content-Length of words", "network: ", after(ok+"Content-Length: many\r\n\r\nabc", nothing)},
		{"two Content-Lengths", "network: ", after(ok+"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", nothing)},
		{"reset in mid-body", "broken: the source stopped in mid-answer", after(ok+"Content-Length: 10\r\n\r\nabc", reset)},
		{"reset before an answer", "broken: ", reset},
		{"a chunk that breaks off", "broken: the source stopped in mid-answer", after(ok+"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", nothing)},
		{"no HTTP", "network: ", after("SSH-2.0-OpenSSH_9.6\r\n", nothing)},
		{"gzip that breaks off", "broken: ", after(ok+"Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n"+string(gzipped(1000)[:12]), nothing)},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := raw(t, c.handle)
			tr, watch := transport(t, at, func(c *Config) { c.Timeout, c.MaxBody, c.MaxInflated = 300*time.Millisecond, 1<<16, 1<<16 })
			s := &sink{}
			began := time.Now()
			tr.round(t.Context(), s.deliver)
			if !strings.HasPrefix(watch.last(), c.fault) || len(s.bodies) != 0 {
				t.Errorf("fault %q, %d deliveries", watch.last(), len(s.bodies))
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// More bytes than Content-Length says are not part of the answer; a format sees what was declared.
func TestMoreThanContentLength(t *testing.T) {
	at := raw(t, after("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", nothing))
	tr, watch := transport(t, at, nil)
	s := &sink{}
	tr.round(t.Context(), s.deliver)
	if strings.Join(s.bodies, ",") != "abc" || watch.last() != "" {
		t.Errorf("%q, %q", s.bodies, watch.last())
	}
}

// A name that leads to a public address at first and to ours later: each connection's address is checked when it is dialled.
func TestDNSRebinding(t *testing.T) {
	hits := 0
	public := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		hits++
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, "x")
	})
	inner := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("our own network was asked") })
	checked := bounded.Dialer(false)
	dials := 0
	rebinding := func(ctx context.Context, network, _ string) (net.Conn, error) {
		if dials++; dials == 1 { // a public address, played by a server of the test
			return (&net.Dialer{}).DialContext(ctx, network, public.Listener.Addr().String())
		}
		return checked(ctx, network, inner.Listener.Addr().String())
	}
	tr, watch := transport(t, "http://feed.example/", func(c *Config) { c.Dial, c.AllowPrivate = rebinding, false })
	s := &sink{}
	tr.round(t.Context(), s.deliver)
	tr.round(t.Context(), s.deliver)
	if hits != 1 || dials != 2 || watch.last() != "address: address not allowed: 127.0.0.1 is loopback" {
		t.Errorf("%d hits, %d dials, %q", hits, dials, watch.last())
	}
}

// Even where a feed may ask private networks, link-local addresses stay closed: cloud metadata lives there.
func TestMetadataStaysClosed(t *testing.T) {
	for _, to := range []string{"http://169.254.169.254/latest", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/", "http://0.0.0.0/"} {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
		tr, watch := transport(t, srv.URL, func(c *Config) {
			c.Hosts = []string{"169.254.169.254", "[fe80::1]", "fe80::1", "[::ffff:169.254.169.254]", "::ffff:169.254.169.254", "0.0.0.0"}
		})
		tr.round(t.Context(), (&sink{}).deliver)
		if !strings.HasPrefix(watch.last(), "address: address not allowed: ") || strings.Contains(watch.last(), "among the feed's hosts") {
			t.Errorf("%s: %q", to, watch.last())
		}
	}
}

func TestRedirectChainsEnd(t *testing.T) {
	hits := 0
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, fmt.Sprintf("/%d", hits), http.StatusFound)
	})
	tr, watch := transport(t, srv.URL, nil)
	tr.round(t.Context(), (&sink{}).deliver)
	if hits != maxRedirects || watch.last() != "address: address not allowed: more than 5 redirects" {
		t.Errorf("%d hits, %q", hits, watch.last())
	}
}

// A source that says for ever that nothing has changed is asked for ever, and is well.
func TestUnchangedForEver(t *testing.T) {
	asked := 0
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, "x")
	})
	tr, watch := transport(t, srv.URL, nil)
	s := &sink{}
	for range 200 {
		if wait := tr.round(t.Context(), s.deliver); wait < 54*time.Second || wait > 66*time.Second {
			t.Fatalf("waits %v", wait)
		}
	}
	if asked != 200 || watch.fresh != 199 || len(s.bodies) != 1 || watch.last() != "" {
		t.Errorf("asked %d, fresh %d, stored %d, %q", asked, watch.fresh, len(s.bodies), watch.last())
	}
}

// HTML with 200 in the place of the data is refused by the format; the validators stay those of what was stored, so that the real thing
// is asked for again.
func TestHTMLInThePlaceOfData(t *testing.T) {
	var mu sync.Mutex
	html := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case html:
			w.Header().Set("ETag", `"login"`)
			fmt.Fprint(w, "<html>")
		case r.Header.Get("If-None-Match") == `"data"`:
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", `"data"`)
			fmt.Fprint(w, "a")
		}
	}))
	defer srv.Close()
	tr, watch := transport(t, srv.URL, nil)
	s := list(&sink{})
	tr.round(t.Context(), s.deliver)
	html = true
	tr.round(t.Context(), s.deliver)
	html = false
	tr.round(t.Context(), s.deliver)
	if watch.fresh != 1 || strings.Join(s.bodies, ",") != "a,<html>" {
		t.Errorf("%d fresh, %q", watch.fresh, s.bodies)
	}
}

// What comes meanwhile of a store that is away is not acknowledged: the cursor stays.
func TestTheCursorWaitsForTheStore(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") })
	now := time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC)
	m := NewMemory(1)
	tr, _ := transport(t, srv.URL, func(c *Config) {
		c.Memory, c.Now, c.Every, c.Since = m, func() time.Time { return now }, time.Millisecond, Since{Param: "s", First: time.Hour}
	})
	busy := true
	s := &sink{answer: func(int, string) (feeds.Outcome, error) {
		if busy {
			return feeds.Outcome{}, feeds.ErrBusy
		}
		return feeds.Outcome{Newest: now.Add(-time.Minute)}, nil
	}}
	tr.round(t.Context(), s.deliver)
	if kept, _ := m.State(t.Context(), "f"); !kept.Cursor.IsZero() || !tr.cursor.IsZero() {
		t.Errorf("cursor %v", kept.Cursor)
	}
	busy = false
	tr.round(t.Context(), s.deliver)
	if kept, _ := m.State(t.Context(), "f"); !kept.Cursor.Equal(now.Add(-time.Minute)) {
		t.Errorf("cursor %v", kept.Cursor)
	}
}
