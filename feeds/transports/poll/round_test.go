package poll

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kentongan/feeds"
)

// source is a server that answers by path and query, and keeps what it was asked.
type source struct {
	mu      sync.Mutex
	asked   []string
	answers map[string]string // by path and query; a body "404" answers so
	headers map[string]string // Link, by path and query
	plain   bool              // without validators
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := r.URL.RequestURI()
	s.asked = append(s.asked, at)
	body, ok := s.answers[at]
	if code, err := strconv.Atoi(body); err == nil || !ok {
		w.WriteHeader(max(code, 404*(1-min(code, 1))))
		return
	}
	if l := s.headers[at]; l != "" {
		w.Header().Add("Link", l)
	}
	if !s.plain {
		tag := fmt.Sprintf(`"%x"`, body)
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			s.asked[len(s.asked)-1] += " 304"
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	fmt.Fprint(w, body)
}

func (s *source) set(at, body string) { s.mu.Lock(); s.answers[at] = body; s.mu.Unlock() }

// heard gives what was asked since the last time.
func (s *source) heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := strings.Join(s.asked, ", ")
	s.asked = nil
	return out
}

// list is a sink whose bodies read: words, one an item; >X is a link to where the state goes on, =X one to what never changes.
func list(s *sink) *sink {
	known := map[string]bool{}
	s.answer = func(_ int, body string) (feeds.Outcome, error) {
		var out feeds.Outcome
		for _, w := range strings.Fields(body) {
			switch {
			case strings.HasPrefix(w, ">"):
				out.Next = append(out.Next, w[1:])
			case strings.HasPrefix(w, "="):
				out.Follow = append(out.Follow, w[1:])
			case w == "<html>":
				return feeds.Outcome{}, feeds.Permanentf("format: not a list")
			case known[w]:
				out.Duplicates++
			default:
				known[w] = true
				out.Accepted++
			}
		}
		return out, nil
	}
	return s
}

func TestPagesAreReadAnewToTheirEnd(t *testing.T) {
	src := &source{answers: map[string]string{"/1": "a >/2", "/2": "b >/3#x", "/3": "c"}}
	srv := serve(t, src.ServeHTTP)
	tr, watch := transport(t, srv.URL+"/1", nil)
	s := list(&sink{})
	tr.round(t.Context(), s.deliver)
	tr.round(t.Context(), s.deliver)
	if got := src.heard(); got != "/1, /2, /3, /1 304, /2 304, /3 304" || watch.last() != "" {
		t.Errorf("asked %s; %s", got, watch.last())
	}
	src.set("/3", "c d >/4")
	src.set("/4", "e")
	tr.round(t.Context(), s.deliver)
	if got := src.heard(); got != "/1 304, /2 304, /3, /4" {
		t.Errorf("a list that has grown: asked %s", got)
	}
	if d := tr.saved; d.ETag != "" {
		t.Error("the validator of a first page is kept as if it spoke for the whole list")
	}
}

// One page that fails: the round is not whole, its validators are forgotten, and everything is asked again in full.
func TestARoundThatIsNotWholeCountsForNothing(t *testing.T) {
	src := &source{answers: map[string]string{"/1": "a >/2", "/2": "b >/3", "/3": "404"}}
	srv := serve(t, src.ServeHTTP)
	tr, watch := transport(t, srv.URL+"/1", nil)
	s := list(&sink{})
	tr.round(t.Context(), s.deliver)
	if got := watch.last(); got != "incomplete: 1 of 3 addresses are not read: http: 404 Not Found" || tr.saved.Source != "" || tr.whole {
		t.Errorf("fault %q", got)
	}
	src.set("/3", "<html>")
	tr.round(t.Context(), s.deliver)
	if got := watch.last(); got != "incomplete: 1 of 3 addresses are not read: format: not a list" {
		t.Errorf("fault %q", got)
	}
	src.set("/3", "c")
	src.heard()
	tr.round(t.Context(), s.deliver)
	if got := src.heard(); got != "/1, /2, /3" || !tr.whole {
		t.Errorf("asked %s", got)
	}
	faults := len(watch.faults)
	tr.round(t.Context(), s.deliver)
	if got := src.heard(); got != "/1 304, /2 304, /3 304" || len(watch.faults) != faults {
		t.Errorf("asked %s", got)
	}
}

func TestDocumentsOfAnIndexAreAskedByTheirLifetimes(t *testing.T) {
	src := &source{plain: true, answers: map[string]string{"/gbfs": "index >/info >/status >/status", "/info": "i", "/status": "s"}}
	srv := serve(t, src.ServeHTTP)
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	tr, watch := transport(t, srv.URL+"/gbfs", func(c *Config) { c.Every, c.Now = 30*time.Second, func() time.Time { return now } })
	s := list(&sink{})
	inner := s.answer
	s.answer = func(n int, body string) (feeds.Outcome, error) {
		out, err := inner(n, body)
		out.TTL = map[string]time.Duration{"i": time.Hour, "s": time.Minute}[body]
		return out, err
	}
	if wait := tr.round(t.Context(), s.deliver); wait < 27*time.Second || wait > 33*time.Second {
		t.Errorf("an index without a lifetime: waits %v", wait)
	}
	s.mu.Lock()
	s.answer = func(_ int, body string) (feeds.Outcome, error) {
		out, err := inner(0, body)
		out.TTL = map[string]time.Duration{"i": time.Hour, "s": time.Minute}[body]
		if len(out.Next) > 0 {
			out.TTL = 10 * time.Minute
		}
		return out, err
	}
	s.mu.Unlock()
	src.heard()
	var waits []time.Duration
	for range 7 {
		waits = append(waits, tr.round(t.Context(), s.deliver))
		now = now.Add(time.Minute + time.Second)
	}
	if got := src.heard(); got != "/gbfs, /status, /status, /status, /status, /gbfs, /info, /status, /status" {
		t.Errorf("asked %s", got)
	}
	for _, w := range waits[1:] {
		if w < time.Minute || w > 66*time.Second {
			t.Errorf("waits %v, want at least the shortest lifetime", w)
		}
	}
	if watch.last() != "" || watch.cadence != time.Minute {
		t.Errorf("fault %q, cadence %v", watch.last(), watch.cadence)
	}
}

func TestLoopsAndBoundsEndARound(t *testing.T) {
	for _, c := range []struct {
		name, want string
		next       func(n int) string
		change     func(*Config)
		asked      int
	}{
		{"to itself", "incomplete: 1 of 1 addresses are not read: pages: a page leads back", func(int) string { return "/0" }, nil, 1},
		{"in a circle", "incomplete: 1 of 3 addresses are not read: pages: a page leads back", func(n int) string { return "/" + strconv.Itoa((n+1)%3) }, nil, 3},
		{"endless", "incomplete: 1 of 100 addresses are not read: pages: more follows after 100 pages", func(n int) string { return "/" + strconv.Itoa(n+1) }, nil, 100},
		{"as many as wanted", "", func(n int) string { return "/" + strconv.Itoa(n+1) }, func(c *Config) { c.Pages.Max = 5 }, 5},
		{"as many as wanted, but since", "incomplete: 1 of 5 addresses are not read: pages: more follows after 5 pages", func(n int) string { return "/" + strconv.Itoa(n+1) },
			func(c *Config) { c.Pages.Max, c.Since = 5, Since{Param: "s", First: time.Hour} }, 5},
		{"too many bytes", "incomplete: 1 of 11 addresses are not read: pages: the round is larger than 1000 bytes", func(n int) string { return "/" + strconv.Itoa(n+1) }, func(c *Config) { c.RoundBytes = 1000 }, 10},
		{"another host", "incomplete: 1 of 1 addresses are not read: address: address not allowed: host", func(int) string { return "http://169.254.169.254/" }, nil, 1},
		{"no address", "incomplete: 1 of 1 addresses are not read: address: ", func(int) string { return "::" }, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				n, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
				fmt.Fprintf(w, "%d >%s %s", n, c.next(n), strings.Repeat(" ", 100))
			})
			tr, watch := transport(t, srv.URL+"/0", c.change)
			tr.round(t.Context(), list(&sink{}).deliver)
			if !strings.HasPrefix(watch.last(), c.want) || (c.want == "") != (watch.last() == "") || asked != c.asked {
				t.Errorf("asked %d times, fault %q", asked, watch.last())
			}
		})
	}
}

func TestARoundHasATimeLimit(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		select {
		case <-r.Context().Done():
		case <-time.After(30 * time.Millisecond):
		}
		fmt.Fprintf(w, "%d >/%d", n, n+1)
	})
	tr, watch := transport(t, srv.URL+"/0", func(c *Config) { c.RoundTime, c.Pages.Max = 200*time.Millisecond, 1000 })
	began := time.Now()
	tr.round(t.Context(), list(&sink{}).deliver)
	if took := time.Since(began); took > 5*time.Second || !strings.Contains(watch.last(), "pages: the round took longer than 200ms") {
		t.Errorf("after %v: %q", took, watch.last())
	}
}

func TestNumberedPages(t *testing.T) {
	for _, c := range []struct {
		name    string
		pages   Pages
		answers map[string]string
		rounds  int
		asked   string
	}{
		{"until empty", Pages{Param: "page", Start: 1, Step: 1, SizeParam: "n", Size: 2},
			map[string]string{"/x?k=1&n=2&page=1": "a b", "/x?k=1&n=2&page=2": "c", "/x?k=1&n=2&page=3": ""}, 1, "/x?k=1&n=2&page=1, /x?k=1&n=2&page=2, /x?k=1&n=2&page=3"},
		{"by offset", Pages{Param: "offset", Start: 0, Step: 50}, map[string]string{"/x?k=1&offset=0": "a", "/x?k=1&offset=50": ""}, 1, "/x?k=1&offset=0, /x?k=1&offset=50"},
		{"the last page again and again", Pages{Param: "p", Start: 1, Step: 1}, map[string]string{"/x?k=1&p=1": "a", "/x?k=1&p=2": "b", "/x?k=1&p=3": "b"}, 1, "/x?k=1&p=1, /x?k=1&p=2, /x?k=1&p=3"},
		{"404 beyond the last", Pages{Param: "p", Start: 1, Step: 1}, map[string]string{"/x?k=1&p=1": "a", "/x?k=1&p=2": "404"}, 1, "/x?k=1&p=1, /x?k=1&p=2"},
		{"empty from the first", Pages{Param: "p", Start: 1, Step: 1}, map[string]string{"/x?k=1&p=1": ""}, 1, "/x?k=1&p=1"},
		{"until known", Pages{Param: "p", Start: 1, Step: 1, UntilKnown: true}, map[string]string{"/x?k=1&p=1": "a", "/x?k=1&p=2": "b", "/x?k=1&p=3": ""}, 2,
			"/x?k=1&p=1, /x?k=1&p=2, /x?k=1&p=3, /x?k=1&p=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := &source{answers: c.answers, plain: true}
			srv := serve(t, src.ServeHTTP)
			tr, watch := transport(t, srv.URL+"/x?k=1", func(cfg *Config) { cfg.Pages = c.pages })
			s := list(&sink{})
			for range c.rounds {
				tr.round(t.Context(), s.deliver)
			}
			if got := src.heard(); got != c.asked || watch.last() != "" {
				t.Errorf("asked %s; %s", got, watch.last())
			}
		})
	}
}

// A page that brings nothing new ends a list only where the round before has reached the end of it.
func TestKnownEndsNothingAfterAGap(t *testing.T) {
	src := &source{plain: true, answers: map[string]string{"/x?p=1": "a", "/x?p=2": "500", "/x?p=3": ""}}
	srv := serve(t, src.ServeHTTP)
	tr, _ := transport(t, srv.URL+"/x", func(c *Config) { c.Pages = Pages{Param: "p", Start: 1, Step: 1, UntilKnown: true} })
	s := list(&sink{})
	tr.round(t.Context(), s.deliver)
	src.set("/x?p=2", "b")
	src.heard()
	tr.round(t.Context(), s.deliver)
	if got := src.heard(); got != "/x?p=1, /x?p=2, /x?p=3" {
		t.Errorf("asked %s", got)
	}
}

func TestLinkHeaders(t *testing.T) {
	for value, want := range map[string]string{
		`</2>; rel="next"`: "/2",
		`<a>; rel=prev, <b?x=1,2>; title="x, <y>"; rel="last next"`: "b?x=1,2",
		`<a>; REL=Next`:               "a",
		`<a>; rel="prev"; rel="next"`: "",
		`<a>; title="rel=next"`:       "",
		`<a`:                          "",
		`next`:                        "",
		`<>; rel=next`:                "",
		`<a>; title="\"; rel=next`:    "",
	} {
		if got := nextLink(http.Header{"Link": {"<z>; rel=self", value}}); got != want {
			t.Errorf("%s gives %q, want %q", value, got, want)
		}
	}
	src := &source{answers: map[string]string{"/1": "a", "/2": "b"}, headers: map[string]string{"/1": `</2>; rel="next"`}}
	srv := serve(t, src.ServeHTTP)
	tr, _ := transport(t, srv.URL+"/1", nil)
	s := list(&sink{})
	tr.round(t.Context(), s.deliver)
	tr.round(t.Context(), s.deliver)
	if got := src.heard(); got != "/1, /2, /1 304, /2 304" {
		t.Errorf("asked %s", got)
	}
}

// Pages may be indexes too: what they list is fetched once, the pages themselves every time.
func TestFollowAndNextBesideEachOther(t *testing.T) {
	src := &source{plain: true, answers: map[string]string{"/1": "=/a =/a >/2", "/2": "=/b =/a", "/a": "x =/deeper", "/b": "y"}}
	srv := serve(t, src.ServeHTTP)
	tr, _ := transport(t, srv.URL+"/1", nil)
	var parts []bool
	s := list(&sink{})
	deliver := func(ctx context.Context, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
		parts = append(parts, meta.Part)
		return s.deliver(ctx, body, meta)
	}
	tr.round(t.Context(), deliver)
	tr.round(t.Context(), deliver)
	if got := src.heard(); got != "/1, /a, /2, /b, /1, /2" {
		t.Errorf("asked %s", got)
	}
	if fmt.Sprint(parts) != "[false true true true false true]" {
		t.Errorf("parts %v", parts)
	}
}

func TestNothingContent(t *testing.T) {
	status := http.StatusNoContent
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	tr, watch := transport(t, srv.URL, nil)
	s := &sink{}
	tr.round(t.Context(), s.deliver)
	if watch.fresh != 1 || len(s.bodies) != 0 || watch.last() != "" {
		t.Errorf("204: %d fresh, %d deliveries, %q", watch.fresh, len(s.bodies), watch.last())
	}
}

// forgetting is a memory that is away.
type forgetting struct{ *Recent }

func (forgetting) State(context.Context, string) (State, error) {
	return State{}, errors.New("the store is away")
}

func TestAPollDoesNotBeginWithoutKnowingWhereItWas(t *testing.T) {
	srv := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	tr, _ := transport(t, srv.URL, func(c *Config) { c.Memory = forgetting{NewMemory(1)} })
	if err := tr.Run(t.Context(), (&sink{}).deliver); err == nil || !strings.Contains(err.Error(), "the store is away") {
		t.Error(err)
	}
}

func TestStateOfAnotherSourceIsNotUsed(t *testing.T) {
	src := &source{answers: map[string]string{"/1": "a"}}
	srv := serve(t, src.ServeHTTP)
	m := NewMemory(10)
	at := func(source string) string {
		tr, _ := transport(t, srv.URL+"/1", func(c *Config) { c.Memory, c.Source = m, source })
		if err := tr.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		tr.round(t.Context(), list(&sink{}).deliver)
		return src.heard()
	}
	if got := at("one") + "; " + at("one") + "; " + at("two"); got != "/1; /1 304; /1" {
		t.Errorf("asked %s", got)
	}
}

func TestSince(t *testing.T) {
	at := func(s string) time.Time {
		p, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	now := at("2026-11-27T02:00:00.5Z")
	var asked []url.Values
	fail := false
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query())
		if fail {
			w.WriteHeader(500)
			return
		}
		fmt.Fprint(w, len(asked))
	})
	m := NewMemory(10)
	open := func() *Transport {
		tr, _ := transport(t, srv.URL+"/x?k=1", func(c *Config) {
			c.Memory, c.Now, c.Every = m, func() time.Time { return now }, time.Hour
			c.Since = Since{Param: "start", ToParam: "end", Overlap: 10 * time.Minute, First: 72 * time.Hour, Window: 24 * time.Hour}
		})
		if err := tr.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		return tr
	}
	newest := time.Time{}
	s := &sink{answer: func(int, string) (feeds.Outcome, error) { return feeds.Outcome{Newest: newest}, nil }}
	tr := open()
	step := func(want string) time.Duration {
		t.Helper()
		wait := tr.round(t.Context(), s.deliver)
		q := asked[len(asked)-1]
		if got := q.Get("start") + " " + q.Get("end"); got != want || q.Get("k") != "1" {
			t.Errorf("asked %s, want %s", got, want)
		}
		return wait
	}
	if wait := step("2026-11-24T02:00:00Z 2026-11-25T02:00:00Z"); wait > catchUp {
		t.Errorf("behind by days it waits %v", wait)
	}
	fail = true
	step("2026-11-25T01:50:00Z 2026-11-26T01:50:00Z")
	fail = false
	step("2026-11-25T01:50:00Z 2026-11-26T01:50:00Z")
	newest = now.Add(time.Hour) // a clock ahead of ours
	tr = open()                 // a restart
	step("2026-11-26T01:40:00Z 2026-11-27T01:40:00Z")
	newest = at("2026-11-27T01:55:00Z")
	if wait := step("2026-11-27T01:30:00Z 2026-11-27T02:00:00Z"); wait < 54*time.Minute {
		t.Errorf("in step it waits %v", wait)
	}
	now = now.Add(time.Hour)
	newest = time.Time{}
	step("2026-11-27T01:45:00Z 2026-11-27T03:00:00Z")
	step("2026-11-27T01:45:00Z 2026-11-27T03:00:00Z")
}
