package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kentongan/geo/redistest"
	"kentongan/server/devices"
)

// atTheEdge is the interface with every route that it can have, and its list.
func atTheEdge(t *testing.T) (*house, []Route) {
	t.Helper()
	h := build(t, func(h *house, d *Deps) {
		d.Devices = devices.New(devices.Deps{Redis: redistest.Start(t), Keys: redistest.Keys(t), Filter: func(string) (string, bool) { return "", false }, Now: time.Now})
		h.auth.Know(d.Devices)
	})
	routes := h.handler.(*table).routes
	if len(routes) < 80 {
		t.Fatalf("only %d routes", len(routes))
	}
	return h, routes
}

// endless is a body far beyond every bound that counts what was taken of it.
type endless struct{ taken int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.taken > 80<<20 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = ' '
	}
	e.taken += int64(len(p))
	return len(p), nil
}

// Routes that take more than their bound of a body: 0. A body without an end is sent to each, by somebody who may do everything.
func TestEveryRouteBoundsItsBody(t *testing.T) {
	h, routes := atTheEdge(t)
	const slack = 64 << 10 // buffers on the way
	read := 0
	for _, route := range routes {
		body := &endless{}
		at := strings.TrimSuffix(variables.ReplaceAllLiteralString(route.Path(), "x"), "{$}")
		r := httptest.NewRequest(route.Method(), "http://127.0.0.1:8080"+at, body)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		h.handler.ServeHTTP(httptest.NewRecorder(), r)
		if route.Body <= 0 || route.Body > 64<<20 || body.taken > route.Body+slack {
			t.Errorf("%s took %d bytes of a body; its bound is %d", route.Pattern, body.taken, route.Body)
		}
		if body.taken > 0 {
			read++
		}
	}
	if read < 20 {
		t.Errorf("only %d routes read a body", read)
	}
	t.Logf("%d routes, %d of them read a body, 0 beyond their bound", len(routes), read)
}

// Every route that writes refuses what a foreign page sends with somebody's cookie, however the browser says so. What is open to strangers
// does too, for a page elsewhere must sign nobody in.
func TestForeignPagesWriteNowhere(t *testing.T) {
	h, routes := atTheEdge(t)
	cookie := h.signIn()
	pages := map[string][]string{
		"another site":            {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		"no referrer, no origin":  {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
		"another port":            {"Origin", "http://127.0.0.1:8081", "Sec-Fetch-Site", "same-site"},
		"an old browser":          {"Origin", "http://evil.example"},
		"a browser without words": {"Sec-Fetch-Site", "cross-site"},
	}
	writes, tried := 0, 0
	for _, route := range routes {
		if m := route.Method(); m == http.MethodGet || m == http.MethodHead {
			continue
		}
		if strings.HasSuffix(route.Path(), "/oidc/logout") {
			continue // a provider's own call: a signed token, no cookie counts
		}
		writes++
		at := variables.ReplaceAllLiteralString(route.Path(), "x")
		for name, headers := range pages {
			for _, kind := range []string{"application/json", "text/plain"} {
				got := h.ask(route.Method(), at, "{}", append([]string{"Cookie", cookie, "Content-Type", kind}, headers...)...)
				tried++
				if want := http.StatusForbidden; got.Code != want {
					t.Errorf("%s from %s as %s: %d, want %d: %.120s", route.Pattern, name, kind, got.Code, want, got.Body)
				}
			}
		}
	}
	h.want(h.ask("GET", "/api/v1/session", "", "Cookie", cookie), 200) // nobody was signed out
	if writes < 40 {
		t.Errorf("only %d routes write", writes)
	}
	t.Logf("%d routes that write, %d tries from foreign pages, 0 done", writes, tried)
}

// Every answer carries the headers: of every route, of files, of faults, of what leads on and of what is not there.
func TestHeadersOfEveryRoute(t *testing.T) {
	h, routes := atTheEdge(t)
	want := map[string]string{
		"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy": "no-referrer", "Permissions-Policy": unplacedPolicy, "X-Frame-Options": "DENY", "Strict-Transport-Security": "",
		"Access-Control-Allow-Origin": "", "Server": "",
	}
	codes := map[int]int{}
	see := func(what string, w *httptest.ResponseRecorder) {
		t.Helper()
		codes[w.Code]++
		for name, value := range want {
			if what == "GET /field of the administrator" && name == "Permissions-Policy" {
				value = placedPolicy
			}
			if got := w.Header().Get(name); got != value {
				t.Errorf("%s, %d: %s is %q", what, w.Code, name, got)
			}
		}
		if w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: no X-Request-Id", what)
		}
	}
	for i, route := range routes {
		at := strings.TrimSuffix(variables.ReplaceAllLiteralString(route.Path(), "x"), "{$}")
		see(route.Pattern+" of a stranger", h.ask(route.Method(), at, "{}"))
		if !strings.HasSuffix(at, "/replay") {
			see(route.Pattern+" of the administrator", h.admin(route.Method(), at, "{"))
		}
		if i%10 == 0 {
			see("TRACE "+at, h.ask("TRACE", at, ""))
		}
	}
	see("nowhere", h.ask("GET", "/nowhere", ""))
	see("OPTIONS from elsewhere", h.ask("OPTIONS", "/api/v1/incidents", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"))
	see("too long", h.ask("GET", "/"+strings.Repeat("a", 2049), ""))
	for _, code := range []int{200, 303, 400, 401, 404, 405} {
		if codes[code] == 0 {
			t.Errorf("no answer was %d: %v", code, codes)
		}
	}
	t.Logf("answers by status: %v", codes)
}

// Whatever a path is spelled like, a stranger gets nothing: 400, 401, 403, 404, 405, or the way to the sign-in page from a page.
func TestPathTricksOnEveryRoute(t *testing.T) {
	h, routes := atTheEdge(t)
	fills := []string{"x", "*", "{id}", "%7Bid%7D", "%00", "%2e%2e", "..", "%2F", "a%2Fb", "%252e%252e", "a;b", "%0d%0a", "", strings.Repeat("a", 2049)}
	tried := 0
	hold := func(what, method, at string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://127.0.0.1:8080"+at, strings.NewReader("{}"))
		if err != nil {
			return // no such address can be written
		}
		r.RemoteAddr = "192.0.2.7:5000"
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		tried++
		switch w.Code {
		case 400, 401, 403, 404, 405:
		case 303:
			if to := w.Header().Get("Location"); !strings.HasPrefix(to, "/login?next=") {
				t.Errorf("%s: %s %.80s leads to %s", what, method, at, to)
			}
		default:
			t.Errorf("%s: %s %.80s: %d %.120s", what, method, at, w.Code, w.Body)
		}
	}
	for _, route := range routes {
		if route.Public {
			continue
		}
		pattern := strings.TrimSuffix(route.Path(), "{$}")
		own := strings.NewReplacer("{", "%7B", "}", "%7D", "$", "%24").Replace(route.Path())
		tricks := []string{own, "/" + pattern, pattern + "/", pattern + "//", pattern + "/.", pattern + "/%2e%2e/", "/%2e" + pattern, "/x/.." + pattern, "/x/%2e%2e" + pattern,
			"/login/.." + pattern, "/assets/..%2f" + pattern, strings.ToUpper(pattern), pattern + "%00", pattern + "/" + strings.Repeat("a", 2049), pattern + "?" + strings.Repeat("a", 3000)}
		for _, fill := range fills {
			tricks = append(tricks, pattern)
			at := variables.ReplaceAllLiteralString(pattern, fill)
			hold(route.Pattern, route.Method(), at)
		}
		for _, at := range tricks {
			at = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(at)
			for _, m := range []string{route.Method(), http.MethodGet, http.MethodHead, "QUERY"} {
				hold(route.Pattern, m, at)
			}
		}
	}
	t.Logf("%d tries over %d routes", tried, len(routes))
	if w := h.ask("GET", "//evil.example/%2e%2e", ""); w.Header().Get("Location") != "" {
		t.Errorf("a path leads to %s", w.Header().Get("Location"))
	}
	h.put("https://awlr.example//1", "river_gauge", -0.83, 100.63, true)
	h.want(h.admin("GET", "/api/v1/things/https:%2F%2Fawlr.example%2F%2F1", ""), 200) // slashes of an id are no parts of the path
	if b, _ := io.ReadAll(h.ask("GET", "/assets/%2e%2e/wall.html", "").Body); strings.Contains(string(b), "<title>wall") {
		t.Error("a page through the files")
	}
}
