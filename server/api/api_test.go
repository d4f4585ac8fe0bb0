package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts/audit"
	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/feeds/transports/push"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
	"kentongan/server/auth"
	"kentongan/server/book"
	"kentongan/server/people"
	"kentongan/server/profile"
	"kentongan/server/wire"
)

const token = "0123456789abcdef0123456789abcdef"

// house is the interface over a real store, with a feed that takes everything.
type house struct {
	t       testing.TB
	rdb     redis.UniversalClient
	keys    keyspace.Keys
	handler http.Handler
	auth    *auth.Auth
	cases   *store.Store
	people  *people.Store
	changes *people.Changes
	picture *index.Picture
	ended   []string
	got     []byte // what the feed was given last
	meta    feeds.Meta
	receipt *feeds.Receipt // what the feed answers; nil: one taken
	ready   Readiness
	doors   map[string]push.Door
	cells   func(ctx context.Context, b geo.Bound, r geo.Resolution, layers []string, _ bool) ([]wire.Cell, error)
}

func build(t testing.TB, change ...func(*house, *Deps)) *house {
	t.Helper()
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	p, err := profile.Load("solok")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, rdb: rdb, keys: keys, picture: index.NewPicture(), ready: Readiness{Ready: true, Storage: "durable", Store: "redis 7.0.15"}}
	h.cases = store.New(rdb, keys, store.Options{Place: p.Place(), Zone: p.Zone, Prefix: p.Prefix, Consents: p.Consents, Now: time.Now, Log: zerolog.Nop(),
		Status: store.StatusSettings{Rules: p.StatusRules, Levels: p.StatusLevels(), Scales: p.StatementScales()}})
	record := func(ctx context.Context, a auth.Act) error {
		return h.cases.Record(ctx, audit.Record{Actor: a.Actor.Subject, Action: a.Action, Object: a.Object, Reason: a.Reason})
	}
	if h.auth, err = auth.New(rdb, keys, auth.Config{AdminToken: token}, record, time.Now, zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	h.people = people.NewStore(rdb, keys, time.Now)
	written := book.New(rdb, keys, time.Now, func() int { return 0 })
	h.auth.Book(written)
	h.people.Book(written)
	h.changes = people.NewChanges(h.people, nil, time.Now)
	program, err := rules.Compile(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	engine := rules.NewEngine(program)
	deps := Deps{
		Auth: h.auth, Picture: h.picture, History: index.NewStore(rdb, keys, index.Config{}, time.Now), Cases: h.cases, Deliver: h.deliver,
		Door: func(feed string) push.Door { return h.doors[feed] },
		Feeds: func() []feeds.FeedStatus {
			return []feeds.FeedStatus{{Name: "awlr", State: feeds.FeedOK}, {Name: "simulator", State: feeds.FeedOK, Simulated: true}}
		}, Rules: engine.List, Profile: p,
		Live: func(w http.ResponseWriter, _ *http.Request, id auth.Identity, _ bool) {
			_, _ = io.WriteString(w, "live "+id.Subject)
		},
		Cells: func(ctx context.Context, b geo.Bound, r geo.Resolution, layers []string, units bool) ([]wire.Cell, error) {
			return h.cells(ctx, b, r, layers, units)
		},
		SignedOut: func(session string) { h.ended = append(h.ended, session) },
		People:    h.people, Changes: h.changes,
		Ready: func(context.Context) Readiness { return h.ready }, Gather: prometheus.NewRegistry(), Files: screens(), Version: "test",
		MaxBody: 1000, MaxInflated: 5000, Now: time.Now, Log: zerolog.Nop(),
	}
	for _, f := range change {
		f(h, &deps)
	}
	if h.handler, err = New(deps); err != nil {
		t.Fatal(err)
	}
	return h
}

func screens() fstest.MapFS {
	return fstest.MapFS{
		"wall.html": {Data: []byte("<!doctype html><title>wall</title>")}, "login.html": {Data: []byte("<!doctype html><title>login</title>")},
		"assets/app-1a2b.js": {Data: []byte(strings.Repeat("console.log('kentongan');\n", 100))}, "mark.svg": {Data: []byte("<svg/>")}, ".gitkeep": {},
	}
}

func (h *house) deliver(_ context.Context, feed string, body []byte, m feeds.Meta) (feeds.Outcome, error) {
	if feed != "awlr" {
		return feeds.Outcome{}, push.ErrUnknownFeed
	}
	h.got, h.meta = body, m
	if string(body) == "busy" {
		return feeds.Outcome{}, feeds.ErrBusy
	}
	if h.receipt != nil {
		return feeds.Outcome{Receipt: *h.receipt}, nil
	}
	return feeds.Outcome{Receipt: feeds.Receipt{Accepted: 1, DryRun: m.Dry}}, nil
}

// ask sends a request; header pairs follow the body.
func (h *house) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.7:5000"
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// admin asks with the admin token.
func (h *house) admin(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.ask(method, path, body, append([]string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}, headers...)...)
}

func (h *house) want(w *httptest.ResponseRecorder, status int) map[string]any {
	h.t.Helper()
	if w.Code != status {
		h.t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	var doc map[string]any
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			h.t.Fatalf("%v: %s", err, w.Body)
		}
	}
	if status >= 400 && (w.Header().Get("Content-Type") != "application/problem+json" || doc["status"] != float64(status) || doc["title"] == "") {
		h.t.Fatalf("%d is no problem document: %s %s", status, w.Header().Get("Content-Type"), w.Body)
	}
	return doc
}

var variables = regexp.MustCompile(`\{[^}]*\}`)

// Strangers get 401, 403, 404 or the way to the sign-in page, on every route and every spelling of it, but for what is public.
func TestAnonymousSweep(t *testing.T) {
	h := build(t)
	public := map[string]bool{"/healthz": true, "/readyz": true, "/login": true, "/api/v1/session": true, "/api/openapi.json": true, "/assets/app-1a2b.js": true, "/mark.svg": true, "/public": true}
	routes := h.handler.(*table).routes
	if len(routes) < 20 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, route := range routes {
		method, pattern, _ := strings.Cut(route.Pattern, " ")
		if route.Public != (public[pattern] || strings.HasPrefix(pattern, "/api/v1/session/") || strings.HasPrefix(pattern, "/public/") || slices.Contains([]string{"/api/v1/audit/checkpoint", "/api/v1/audit/key", "/api/v1/audit/tile/{path...}"}, pattern)) {
			t.Errorf("%s: public is %v", route.Pattern, route.Public)
		}
		if !route.Public && route.Right == "" {
			t.Errorf("%s needs no right", route.Pattern)
		}
		if route.Public {
			continue
		}
		pattern = strings.TrimSuffix(pattern, "{$}")
		for _, fill := range []string{"x", "*", "{id}", "%7Bid%7D", "", "..", "%2e%2e", "a%2Fb"} {
			path := strings.ReplaceAll(variables.ReplaceAllLiteralString(pattern, fill), " ", "%20")
			for _, m := range []string{method, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
				w := h.ask(m, path, "{}")
				switch w.Code {
				case 401, 403, 404, 405, 303, 307, 301:
				default:
					t.Errorf("%s %s: %d %s", m, path, w.Code, w.Body)
				}
				if to := w.Header().Get("Location"); w.Code == 303 && !strings.HasPrefix(to, "/login?next=") {
					t.Errorf("%s %s leads to %s", m, path, to)
				}
			}
		}
	}
}

func TestRouteWithoutPolicyStopsTheStart(t *testing.T) {
	s := &server{Deps: Deps{Log: zerolog.Nop()}}
	s.table = newTable(s)
	s.table.HandleFunc("GET /open", func(http.ResponseWriter, *http.Request) {})
	s.table.handle("GET /rightless", policy{kind: interfaces}, func(http.ResponseWriter, *http.Request) {})
	if len(s.table.faults) != 2 {
		t.Errorf("faults: %v", s.table.faults)
	}
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	h := build(t)
	for _, path := range []string{"/wall", "/login", "/nowhere", "/api/v1/things", "/assets/app-1a2b.js", "/healthz"} {
		got := h.ask("GET", path, "").Header()
		if !strings.Contains(got.Get("Content-Security-Policy"), "require-trusted-types-for 'script'") || strings.Contains(got.Get("Content-Security-Policy"), "unsafe") ||
			got.Get("X-Content-Type-Options") != "nosniff" || got.Get("Cross-Origin-Opener-Policy") != "same-origin" || got.Get("Referrer-Policy") != "no-referrer" || got.Get("X-Request-Id") == "" {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestProblems(t *testing.T) {
	h := build(t)
	h.want(h.ask("GET", "/nowhere", ""), 404)
	if w := h.ask("POST", "/healthz", ""); w.Header().Get("Allow") == "" {
		t.Error("405 without Allow")
	} else {
		h.want(w, 405)
	}
	if w := h.ask("GET", "/api/v1/things", ""); w.Header().Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
	h.want(h.ask("GET", "/api/v1/things", "", "Authorization", "Bearer nonsense"), 401)
	h.want(h.admin("POST", "/api/v1/incidents", "{"), 400)
	h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","version":7}`), 422)
	h.want(h.admin("POST", "/api/v1/incidents", `{"type":"no such type"}`), 422)
	h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","note":"`+strings.Repeat("x", 2<<20)+`"}`), 413)
	h.want(h.admin("GET", "/api/v1/incidents/none", ""), 404)
	h.want(h.admin("GET", "/api/v1/things?bbox=1,2,3", ""), 422)
	h.want(h.admin("GET", "/api/v1/things?bbox=0,91,1,92", ""), 422)
	h.want(h.admin("GET", "/api/v1/things?near=NaN,0", ""), 422)
	h.want(h.admin("GET", "/api/v1/things?cell=zz", ""), 422)
	h.want(h.admin("GET", "/api/v1/things?limit=-1", ""), 422)
	h.want(h.admin("GET", "/api/v1/incidents?page=nonsense", ""), 422)
}

func (h *house) put(id, kind string, lat, lng float64, placed bool) {
	h.t.Helper()
	t := &feeds.Thing{ID: id, Feed: "awlr", Kind: kind, Name: id, Placed: placed, At: moment.Of(time.Now()),
		State: map[string]feeds.Reading{"water_level": {Value: feeds.Value{Num: 1.5}, Unit: "m", Quality: feeds.Good}}}
	if placed {
		t.Position = geo.Position{Lat: lat, Lng: lng}
		c, err := geo.CellAt(t.Position, geo.ResThing)
		if err != nil {
			h.t.Fatal(err)
		}
		t.Cell = c
	}
	h.picture.Put(&index.Entry{ID: id, Kind: kind, Position: t.Position, Placed: placed, Cell: t.Cell, Payload: t})
}

func ids(doc map[string]any) string {
	var out []string
	for _, item := range doc["items"].([]any) {
		out = append(out, item.(map[string]any)["id"].(string))
	}
	return strings.Join(out, " ")
}

func TestThings(t *testing.T) {
	h := build(t)
	h.put("awlr:a", "river_gauge", -0.83, 100.63, true)
	h.put("awlr:b", "river_gauge", -0.84, 100.64, true)
	h.put("awlr:c", "rain_gauge", -0.95, 100.75, true)
	h.put("awlr:d/1", "rain_gauge", 0, 0, false)
	cell, _ := geo.CellAt(geo.Position{Lat: -0.83, Lng: 100.63}, geo.ResThing)
	for _, c := range []struct{ query, want string }{
		{"", "awlr:a awlr:b awlr:c awlr:d/1"},
		{"?bbox=100.6,-0.9,100.7,-0.8", "awlr:a awlr:b"},
		{"?bbox=100.7,-0.9,100.6,-0.8", ""},
		{"?kind=rain_gauge", "awlr:c awlr:d/1"},
		{"?kind=rain_gauge,river_gauge&bbox=100,-2,101,0", "awlr:a awlr:b awlr:c"},
		{"?cell=" + cell.Parent(geo.ResFrame).String(), "awlr:a"},
		{"?near=100.75,-0.95&k=2", "awlr:c awlr:b"},
		{"?near=100.75,-0.95&kind=river_gauge&k=1", "awlr:b"},
	} {
		if got := ids(h.want(h.admin("GET", "/api/v1/things"+c.query, ""), 200)); got != c.want {
			t.Errorf("%s: %q, want %q", c.query, got, c.want)
		}
	}
	var walked []string
	for page, n := "", 0; n < 10; n++ {
		doc := h.want(h.admin("GET", "/api/v1/things?limit=3&page="+page, ""), 200)
		walked = append(walked, ids(doc))
		if page = doc["next_page"].(string); page == "" {
			break
		}
	}
	if got := strings.Join(walked, "|"); got != "awlr:a awlr:b awlr:c|awlr:d/1" {
		t.Errorf("pages: %s", got)
	}
	one := h.want(h.admin("GET", "/api/v1/things/awlr:d%2F1", ""), 200)
	if one["lng"] != nil || one["id"] != "awlr:d/1" {
		t.Errorf("unplaced: %v", one)
	}
	near := h.want(h.admin("GET", "/api/v1/things?near=100.63,-0.83&k=1", ""), 200)
	if d := near["items"].([]any)[0].(map[string]any)["distance_m"]; d != 0.0 {
		t.Errorf("distance_m %v", d)
	}
	h.want(h.admin("GET", "/api/v1/things/nobody", ""), 404)
	h.want(h.admin("GET", "/api/v1/things/nobody/observations", ""), 404)
	h.want(h.admin("GET", "/api/v1/things/awlr:a/observations?page=x", ""), 422)
}

func TestIncidentFromOpeningToConflict(t *testing.T) {
	h := build(t)
	in := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","title":"Banjir Selayo","severity":"Severe","lng":100.63,"lat":-0.83,"note":"laporan warga"}`), 201)
	id := in["id"].(string)
	if in["number"] != fmt.Sprintf("SLK-%d-000001", time.Now().In(time.FixedZone("WIB", 7*3600)).Year()) || in["area_name"] != "Kubung" || in["version"] != 1.0 {
		t.Errorf("%v", in)
	}
	path := "/api/v1/incidents/" + id + "/transitions"
	ack := h.want(h.admin("POST", path, `{"to":"acknowledged","version":1,"note":"diterima"}`), 200)
	if ack["status"] != "acknowledged" || ack["version"] != 2.0 {
		t.Errorf("%v", ack)
	}
	w := h.admin("POST", path, `{"to":"resolved","version":1,"outcome":"advice_given"}`)
	doc := h.want(w, 409)
	current, _ := doc["current"].(map[string]any)
	if current["version"] != 2.0 || current["id"] != id || len(doc["allowed"].([]any)) == 0 {
		t.Errorf("conflict: %v", doc)
	}
	h.want(h.admin("POST", path, `{"to":"flying","version":2}`), 422)
	if now := h.want(h.admin("POST", path, `{"to":"resolved","outcome":"no_unit_needed"}`), 200); now["version"] != 3.0 {
		t.Errorf("without a version, by token: %v", now)
	}
	h.want(h.admin("POST", path, `{"to":"closed"}`), 403) // whoever resolved does not also close
	for query, want := range map[string]int{"": 1, "?status=open": 1, "?status=closed": 0, "?type=eq": 0, "?q=selayo": 1, "?severity=Severe&agency=bpbd": 1, "?bbox=0,0,1,1": 0, "?bbox=100,-2,101,0": 1} {
		if got := h.want(h.admin("GET", "/api/v1/incidents"+query, ""), 200); len(got["items"].([]any)) != want {
			t.Errorf("%s: %d, want %d", query, len(got["items"].([]any)), want)
		}
	}
	var actions []string
	for _, r := range h.want(h.admin("GET", "/api/v1/audit", ""), 200)["items"].([]any) {
		actions = append(actions, r.(map[string]any)["action"].(string))
	}
	if got := strings.Join(actions, " "); !strings.HasPrefix(got, "right.denied incident.resolved incident.acknowledged incident.opened") {
		t.Errorf("audit: %s", got)
	}
}

// signIn goes the way of the one-time link and gives the cookie.
func (h *house) signIn() string {
	h.t.Helper()
	code, err := h.auth.SignInLink(h.t.Context(), auth.Admin())
	if err != nil {
		h.t.Fatal(err)
	}
	w := h.ask("POST", "/api/v1/session", `{"code":"`+code+`"}`, "Content-Type", "application/json", "Origin", "http://127.0.0.1:8080")
	h.want(w, 200)
	h.want(h.ask("POST", "/api/v1/session", `{"code":"`+code+`"}`), 401)
	return strings.SplitN(w.Header().Get("Set-Cookie"), ";", 2)[0]
}

func TestSession(t *testing.T) {
	h := build(t)
	h.want(h.ask("GET", "/api/v1/session", ""), 401)
	h.want(h.ask("POST", "/api/v1/session", ""), 400)
	cookie := h.signIn()
	if me := h.want(h.ask("GET", "/api/v1/session", "", "Cookie", cookie), 200); me["role"] != "admin" || len(me["rights"].([]any)) == 0 {
		t.Errorf("%v", me)
	}
	h.want(h.ask("GET", "/wall", "", "Cookie", cookie), 200)
	in := h.want(h.ask("POST", "/api/v1/incidents", `{"type":"flood"}`, "Cookie", cookie, "Content-Type", "application/json", "Origin", "http://127.0.0.1:8080"), 201)
	path := "/api/v1/incidents/" + in["id"].(string) + "/transitions"
	h.want(h.ask("POST", path, `{"to":"acknowledged"}`, "Cookie", cookie, "Content-Type", "application/json"), 422)
	h.want(h.ask("POST", path, `{"to":"acknowledged","version":1}`, "Cookie", cookie, "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"), 403)
	h.want(h.ask("DELETE", "/api/v1/session", "", "Cookie", cookie, "Origin", "http://evil.example"), 403)
	h.want(h.ask("DELETE", "/api/v1/session", "", "Cookie", cookie, "Origin", "http://127.0.0.1:8080"), 204)
	if len(h.ended) != 1 || len(h.ended[0]) != 64 {
		t.Errorf("told of sessions that ended: %q", h.ended)
	}
	h.want(h.ask("GET", "/api/v1/session", "", "Cookie", cookie), 401)
	h.want(h.ask("POST", "/api/v1/session", "", "Authorization", "Bearer "+token, "Origin", "http://evil.example"), 403)
	if w := h.ask("POST", "/api/v1/session", "", "Authorization", "Bearer "+token); w.Header().Get("Set-Cookie") == "" {
		t.Error("a token becomes no session")
	}
	text := h.admin("GET", "/api/v1/audit", "").Body.String()
	for _, action := range []string{"session.opened", "session.closed", "session.denied", "right.denied"} {
		if !strings.Contains(text, action) {
			t.Errorf("the audit log lacks %s", action)
		}
	}
}

func TestFailedSignInsAreLimited(t *testing.T) {
	h := build(t)
	codes := map[int]int{}
	for range 300 {
		codes[h.ask("POST", "/api/v1/session", `{"code":"guess"}`).Code]++
	}
	if codes[401] < 60 || codes[429] < 100 || len(codes) != 2 { // one more a second is let through
		t.Errorf("%v", codes)
	}
}

func TestLive(t *testing.T) {
	h := build(t)
	cookie := h.signIn()
	up := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}
	for _, c := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"stranger", nil, 401},
		{"our page", []string{"Cookie", cookie, "Origin", "http://127.0.0.1:8080"}, 200},
		{"cookie without Origin", []string{"Cookie", cookie}, 403},
		{"cookie from a foreign page", []string{"Cookie", cookie, "Origin", "http://evil.example"}, 403},
		{"bearer without Origin", []string{"Authorization", "Bearer " + token}, 200},
		{"bearer from a foreign page", []string{"Authorization", "Bearer " + token, "Origin", "http://evil.example"}, 403},
		{"bearer from null", []string{"Authorization", "Bearer " + token, "Origin", "null"}, 403},
		{"bearer from our page", []string{"Authorization", "Bearer " + token, "Origin", "http://127.0.0.1:8080"}, 200},
	} {
		if w := h.ask("GET", "/api/v1/live", "", append(c.headers, up...)...); w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
	h.want(h.admin("GET", "/api/v1/live", ""), 426)
}

func TestIngest(t *testing.T) {
	h := build(t)
	zip := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, s)
		_ = z.Close()
		return b.String()
	}
	bearer := []string{"Authorization", "Bearer " + token}
	for _, c := range []struct {
		name, path, body string
		headers          []string
		want             int
	}{
		{"bearer", "awlr", "x", bearer, 202},
		{"key", "awlr", "x", []string{"X-Api-Key", token}, 202},
		{"basic", "awlr", "x", []string{"Authorization", "Basic YXdscjowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="}, 202},
		{"stranger", "awlr", "x", nil, 401},
		{"wrong key", "awlr", "x", []string{"X-Api-Key", "nonsense"}, 401},
		{"unknown feed", "nope", "x", bearer, 404},
		{"too large", "awlr", strings.Repeat("x", 1001), bearer, 413},
		{"gzip", "awlr", zip("hello"), append([]string{"Content-Encoding", "gzip"}, bearer...), 202},
		{"gzip bomb", "awlr", zip(strings.Repeat("x", 5001)), append([]string{"Content-Encoding", "gzip"}, bearer...), 413},
		{"broken gzip", "awlr", "x", append([]string{"Content-Encoding", "gzip"}, bearer...), 400},
		{"store away", "awlr", "busy", bearer, 503},
		{"dry", "awlr?dry_run=1", "x", bearer, 202},
		{"odd dry run", "awlr?dry_run=maybe", "x", bearer, 400},
	} {
		w := h.ask("POST", "/api/v1/ingest/"+c.path, c.body, c.headers...)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, w.Code, c.want, w.Body)
			continue
		}
		doc := h.want(w, c.want)
		switch c.name {
		case "gzip":
			if string(h.got) != "hello" {
				t.Errorf("inflated to %q", h.got)
			}
		case "dry":
			if !h.meta.Dry || doc["dry_run"] != true {
				t.Errorf("%+v %v", h.meta, doc)
			}
		case "store away":
			if w.Header().Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
		case "bearer":
			if doc["accepted"] != 1.0 || doc["ignored"] == nil || doc["rejected"] == nil {
				t.Errorf("receipt %v", doc)
			}
		}
	}
}

func TestHealth(t *testing.T) {
	h := build(t)
	h.want(h.ask("GET", "/healthz", ""), 200)
	if doc := h.want(h.ask("GET", "/readyz", ""), 200); doc["ready"] != true || doc["storage"] != "durable" || doc["warnings"] == nil {
		t.Errorf("%v", doc)
	}
	h.ready = Readiness{Reason: "the store does not answer"}
	if w := h.ask("GET", "/readyz", ""); w.Code != 503 || !strings.Contains(w.Body.String(), `"reason":"the store does not answer"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.want(h.ask("GET", "/metrics", ""), 401)
	if w := h.admin("GET", "/metrics", ""); w.Code != 200 {
		t.Errorf("metrics %d", w.Code)
	}
}

func TestFiles(t *testing.T) {
	h := build(t)
	w := h.ask("GET", "/assets/app-1a2b.js", "", "Accept-Encoding", "br, gzip")
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Cache-Control") != forever || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(z); !strings.HasPrefix(string(text), "console.log") {
		t.Errorf("%.20q", text)
	}
	if w := h.ask("GET", "/assets/app-1a2b.js", "", "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("gzip was refused and given")
	}
	page := h.ask("GET", "/login", "")
	if page.Header().Get("Cache-Control") != revisit || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		t.Errorf("%v", page.Header())
	}
	if w := h.ask("GET", "/login", "", "If-None-Match", page.Header().Get("ETag")); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("%d with %d bytes", w.Code, w.Body.Len())
	}
	for path, to := range map[string]string{"/wall?kiosk=1": "/login?next=%2Fwall%3Fkiosk%3D1", "/": "/login?next=%2F"} {
		if w := h.ask("GET", path, ""); w.Code != 303 || w.Header().Get("Location") != to {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Location"))
		}
	}
	h.want(h.ask("GET", "/.gitkeep", ""), 404)
	h.want(h.ask("GET", "/wall.html", ""), 404)
}

func TestProfileIsDrawable(t *testing.T) {
	h := build(t)
	w := h.admin("GET", "/api/v1/profile", "", "Accept-Encoding", "gzip")
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Error("the profile is not compressed")
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		TimeZone string `json:"time_zone"`
		Areas    struct {
			Features []struct {
				Geometry   struct{ Type string }
				Properties struct{ Name, Kind, Seat string }
			}
		}
		Outline *struct{ Geometry struct{ Type string } }
	}
	if err := json.NewDecoder(z).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if len(p.Areas.Features) != 17 || p.Outline == nil || p.TimeZone != "Asia/Jakarta" {
		t.Errorf("%d areas, outline %v", len(p.Areas.Features), p.Outline)
	}
	for _, f := range p.Areas.Features {
		if f.Geometry.Type != "Polygon" && f.Geometry.Type != "MultiPolygon" {
			t.Errorf("%s is a %s", f.Properties.Name, f.Geometry.Type)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	h := build(t)
	doc := h.want(h.ask("GET", "/api/openapi.json", ""), 200)
	if v, _ := doc["openapi"].(string); !strings.HasPrefix(v, "3.1") {
		t.Errorf("openapi %v", doc["openapi"])
	}
	paths := doc["paths"].(map[string]any)
	for _, route := range h.handler.(*table).routes {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if !strings.HasPrefix(path, "/api/v1/") || path == "/api/v1/live" {
			continue
		}
		if one, ok := paths[path].(map[string]any); !ok || one[strings.ToLower(method)] == nil {
			t.Errorf("%s is not in the document", route.Pattern)
		}
	}
	h.want(h.ask("GET", "/api/docs", ""), 404)
}
