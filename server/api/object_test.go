package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/people"
	"kentongan/server/wire"
)

// asker sends requests as one person.
type asker func(method, path, body string) *httptest.ResponseRecorder

// person makes an account, signs it in, and gives who asks for it.
func (h *house) person(login, unit string, grants ...access.Grant) asker {
	h.t.Helper()
	p, err := h.people.Create(h.t.Context(), people.Person{Login: login, Name: login, Unit: unit, Grants: grants, Password: "unused"})
	if err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "http://127.0.0.1:8080/api/v1/session", nil)
	_, session, err := h.auth.OpenFor(h.t.Context(), r, p, "by test", auth.Opening{})
	if err != nil {
		h.t.Fatal(err)
	}
	cookie := h.auth.Cookie(r, session)
	return func(method, path, body string) *httptest.ResponseRecorder {
		return h.ask(method, path, body, "Cookie", cookie.Name+"="+cookie.Value, "Content-Type", "application/json", "Origin", "http://127.0.0.1:8080")
	}
}

// cast is one person of each kind that the tests below need.
func (h *house) cast() map[string]asker {
	g := func(r access.Role, agency string) access.Grant { return access.Grant{Role: r, Agency: agency} }
	return map[string]asker{
		"calltaker": h.person("ct", "", g(access.CallTaker, "")), "operator": h.person("op", "", g(access.Operator, "")),
		"dispatcher": h.person("di", "", g(access.Dispatcher, "")), "supervisor": h.person("su", "", g(access.Supervisor, "")),
		"lead": h.person("le", "", g(access.Liaison, "bpbd")), "supporter": h.person("sp", "", g(access.Liaison, "pupr")),
		"stranger": h.person("st", "", g(access.Liaison, "damkar")), "crew": h.person("cr", "bpbd/trc-1", g(access.Field, "bpbd")),
		"leader": h.person("ld", "", g(access.Leader, "")), "pio": h.person("pi", "", g(access.PIO, "")),
		"admin": h.person("ad", "", g(access.Admin, "")), "auditor": h.person("au", "", g(access.Auditor, "")),
		"elsewhere": h.person("el", "", access.Grant{Role: access.Supervisor, Areas: []string{"Gunung Talang"}}),
	}
}

// flood opens an incident with words in it, by a rule's hand or by a person's.
func (h *house) flood(severity cap.Severity) incident.Incident {
	h.t.Helper()
	lng, lat := 100.63456, -0.83123
	in, err := h.cases.Create(h.t.Context(), incident.Draft{Type: "flood", Title: "Rumah Bu Ani", Severity: severity, Lng: &lng, Lat: &lat, Note: "Bu Ani, 0812"}, audit.Actor{Subject: "user:pembuka"})
	if err != nil {
		h.t.Fatal(err)
	}
	return in
}

func TestWhoSeesWhatOfAnIncident(t *testing.T) {
	h := build(t)
	in, who := h.flood(cap.Moderate), h.cast()
	path := "/api/v1/incidents/" + in.ID
	for name, want := range map[string]string{
		"calltaker": "full", "operator": "full", "dispatcher": "full", "supervisor": "full", "lead": "full", "supporter": "full",
		"stranger": "coarse", "crew": "coarse", "leader": "coarse", "pio": "coarse", "auditor": "facts", "admin": "forbidden", "elsewhere": "none",
	} {
		one, list, found := who[name]("GET", path, ""), who[name]("GET", "/api/v1/incidents", ""), who[name]("GET", "/api/v1/search?q=1", "")
		all := one.Body.String() + list.Body.String() + found.Body.String()
		switch want {
		case "forbidden":
			h.want(one, 403)
			h.want(list, 403)
		case "none":
			h.want(one, 404)
		default:
			h.want(one, 200)
		}
		if words := strings.Contains(all, "Ani"); words != (want == "full") {
			t.Errorf("%s: people's words are seen: %v: %s", name, words, all)
		}
		if place := strings.Contains(all, "100.63456"); place != (want == "full" || want == "facts") {
			t.Errorf("%s: the place is seen: %v: %s", name, place, all)
		}
		if there := strings.Contains(list.Body.String()+found.Body.String(), in.ID); there != (want != "none" && want != "forbidden") {
			t.Errorf("%s: listed or found: %v", name, there)
		}
		if strings.Contains(found.Body.String(), "Ani") != strings.Contains(who[name]("GET", "/api/v1/search?q=ani", "").Body.String(), in.ID) {
			t.Errorf("%s: finds by a title that is not seen, or not by one that is", name)
		}
		for _, query := range []string{"q=bu%20ani", "bbox=100.6345,-0.8313,100.6346,-0.8312"} {
			hit := strings.Contains(who[name]("GET", "/api/v1/incidents?"+query, "").Body.String(), in.ID)
			if wanted := want == "full" || want == "facts" && !strings.HasPrefix(query, "q="); hit != wanted {
				t.Errorf("%s: ?%s finds it: %v", name, query, hit)
			}
		}
	}
}

func TestALeaderSeesTheFactsOfWhatIsGrave(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Extreme)
	doc := h.want(h.person("bupati", "", access.Grant{Role: access.Leader})("GET", "/api/v1/incidents/"+in.ID, ""), 200)
	if doc["title"] != "banjir" || doc["location"].(map[string]any)["lng"] != 100.63456 || len(allowedOf(doc)) != 0 {
		t.Errorf("%v", doc)
	}
}

// What may not be known to be there is answered as what is not there, and what is restricted is for whom it is named.
func TestASecretIsAsMissing(t *testing.T) {
	h := build(t)
	in, who := h.flood(cap.Severe), h.cast()
	named := h.person("dp3a", "", access.Grant{Role: access.Supervisor, Types: []string{"flood"}})
	restrict(t, "flood")
	for _, ask := range []string{"GET /api/v1/incidents/ID", "POST /api/v1/incidents/ID/transitions"} {
		method, path, _ := strings.Cut(ask, " ")
		secret := who["supervisor"](method, strings.Replace(path, "ID", in.ID, 1), `{"to":"acknowledged","version":1}`)
		missing := who["supervisor"](method, strings.Replace(path, "ID", "01JD0000000000000000000000", 1), `{"to":"acknowledged","version":1}`)
		h.want(secret, 404)
		h.want(missing, 404)
		if got, want := secret.Body.String(), strings.Replace(missing.Body.String(), "01JD0000000000000000000000", in.ID, 1); got != want {
			t.Errorf("%s: %s is not %s", ask, got, want)
		}
		if a, b := secret.Header(), missing.Header(); a.Get("Cache-Control") != b.Get("Cache-Control") || len(a) != len(b) {
			t.Errorf("%s: headers differ: %v, %v", ask, a, b)
		}
	}
	for _, path := range []string{"/api/v1/incidents", "/api/v1/incidents?type=flood&status=open", "/api/v1/search?q=1"} {
		for name, w := range map[string]*httptest.ResponseRecorder{"supervisor": who["supervisor"]("GET", path, ""), "auditor": who["auditor"]("GET", path, "")} {
			if strings.Contains(w.Body.String(), in.ID) || strings.Contains(w.Body.String(), in.Number) {
				t.Errorf("%s sees what is restricted at %s", name, path)
			}
		}
		if !strings.Contains(named("GET", path, "").Body.String(), in.ID) {
			t.Errorf("whom it is named does not see it at %s", path)
		}
	}
	h.want(named("GET", "/api/v1/incidents/"+in.ID, ""), 200)
	if _, key, err := h.auth.MakeKey(t.Context(), auth.Key{Name: "program", Scope: auth.ScopeAutomation}, auth.Act{}); err != nil {
		t.Fatal(err)
	} else {
		h.want(h.ask("GET", "/api/v1/incidents/"+in.ID, "", "Authorization", "Bearer "+key), 404)
	}
	if log := h.admin("GET", "/api/v1/audit", "").Body.String(); !strings.Contains(log, "needs incident.read: a restricted type is for named people") {
		t.Errorf("the refusal is not kept with its reason: %s", log)
	}
}

// restrict makes a type one for named people while a test runs.
func restrict(t *testing.T, code string) {
	i := slices.IndexFunc(incident.Types, func(one incident.Type) bool { return one.Code == code })
	incident.Types[i].Restricted = true
	t.Cleanup(func() { incident.Types[i].Restricted = false })
}

func TestTransitionsAskTheActionOfTheirTo(t *testing.T) {
	h := build(t)
	who := h.cast()
	for _, c := range []struct {
		name     string
		severity cap.Severity
		before   []incident.Act
		body     string
		may      []string
	}{
		{"acknowledge", cap.Severe, nil, `{"to":"acknowledged","version":1}`, []string{"operator", "dispatcher", "supervisor", "lead"}},
		{"dispatch", cap.Severe, nil, `{"to":"dispatched","version":1}`, []string{"dispatcher", "supervisor"}},
		{"arrive", cap.Severe, []incident.Act{{To: incident.Dispatched}}, `{"to":"on_scene","version":2}`, []string{"dispatcher", "supervisor"}},
		{"resolve by advice", cap.Severe, []incident.Act{{To: incident.Acknowledged}}, `{"to":"resolved","outcome":"advice_given","version":2}`, []string{"operator", "supervisor"}},
		{"resolve on scene", cap.Severe, []incident.Act{{To: incident.Dispatched}, {To: incident.OnScene}}, `{"to":"resolved","outcome":"air surut","cause":"hujan deras","victims":{"injured":0},"version":3}`, []string{"dispatcher", "supervisor"}},
		{"cancel", cap.Minor, nil, `{"to":"cancelled","reason":"false","version":1}`, []string{"operator", "supervisor"}},
		{"cancel what is grave", cap.Severe, nil, `{"to":"cancelled","reason":"false","version":1}`, []string{"supervisor"}},
		{"cancel on scene", cap.Minor, []incident.Act{{To: incident.Dispatched}, {To: incident.OnScene}}, `{"to":"cancelled","reason":"false","version":3}`, []string{"supervisor"}},
		{"cancel a duplicate", cap.Minor, nil, `{"to":"cancelled","reason":"duplicate","version":1}`, []string{"operator", "dispatcher", "supervisor"}},
		{"open again", cap.Severe, []incident.Act{{To: incident.Acknowledged}, {To: incident.Resolved}}, `{"to":"reopened","version":3}`, []string{"dispatcher", "supervisor"}},
		{"close", cap.Severe, []incident.Act{{To: incident.Acknowledged}, {To: incident.Resolved}}, `{"to":"closed","version":3}`, []string{"supervisor", "lead"}},
		{"open again what is closed", cap.Severe, []incident.Act{{To: incident.Acknowledged}, {To: incident.Resolved}, {To: incident.Closed, Override: "uji"}}, `{"to":"reopened","reason":"salah","version":4}`, []string{"supervisor"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, ask := range who {
				in := h.flood(c.severity)
				for i, act := range c.before {
					act.Version = in.Version
					var err error
					if in, err = h.cases.Transition(t.Context(), in.ID, act, audit.Actor{Subject: []string{"user:a", "user:b"}[i%2]}); err != nil {
						t.Fatal(err)
					}
				}
				if c.name == "close" {
					h.prove(in.ID)
				}
				doc, path := map[string]any{}, "/api/v1/incidents/"+in.ID
				_ = json.Unmarshal(ask("GET", path, "").Body.Bytes(), &doc)
				var act struct{ To, Reason string }
				if err := json.Unmarshal([]byte(c.body), &act); err != nil {
					t.Fatal(err)
				}
				w, may := ask("POST", path+"/transitions", c.body), slices.Contains(c.may, name)
				switch {
				case may:
					h.want(w, 200)
				case name == "elsewhere":
					h.want(w, 404)
				default:
					if got := h.want(w, 403); got["reason"] == "" || got["reason"] == nil {
						t.Errorf("%s: refused without a reason: %v", name, got)
					}
				}
				if offered := slices.Contains(allowedOf(doc), act.To); offered != may && act.Reason != "false" {
					t.Errorf("%s: %s is offered: %v, and may be asked: %v", name, act.To, offered, may)
				}
			}
		})
	}
}

// prove lets a unit in the cell and a photo show that an incident is over.
func (h *house) prove(id string) {
	h.t.Helper()
	_, err := h.cases.Edit(h.t.Context(), id, "incident.proved", "", audit.Actor{Subject: "house:clock"}, func(*incident.Incident) error { return nil }, func(in *incident.Incident, _ time.Time) (incident.Incident, error) {
		out := in.Clone()
		out.Prove(incident.Proven{Kind: incident.UnitInCell, Ref: "d"})
		out.Prove(incident.Proven{Kind: incident.Photo, Ref: "p"})
		return out, nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// Whoever resolved an incident does not also close it, whichever hat they wear; and whoever configures does not dispatch.
func TestDutiesArePartedOnTheWire(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Severe)
	path := "/api/v1/incidents/" + in.ID
	both := h.person("dua", "", access.Grant{Role: access.Supervisor}, access.Grant{Role: access.Liaison, Agency: "bpbd"})
	h.want(both("POST", path+"/transitions", `{"to":"acknowledged","version":1}`), 200)
	resolved := h.want(both("POST", path+"/transitions", `{"to":"resolved","version":2,"outcome":"referred"}`), 200)
	if slices.Contains(allowedOf(resolved), "closed") {
		t.Error("closing is offered to whoever resolved")
	}
	if doc := h.want(both("POST", path+"/transitions", `{"to":"closed","version":3}`), 403); doc["reason"] != "the same person may not do both" {
		t.Errorf("%v", doc)
	}
	other := h.person("lain", "", access.Grant{Role: access.Supervisor})
	if doc := h.want(other("POST", path+"/transitions", `{"to":"closed","version":3}`), 409); len(doc["missing"].([]any)) != 5 {
		t.Errorf("nothing shows that it is over: %v", doc)
	}
	liaison := h.person("opd", "", access.Grant{Role: access.Liaison, Agency: "bpbd"})
	h.want(liaison("POST", path+"/transitions", `{"to":"closed","override":"sudah","version":3}`), 403)
	if doc := h.want(other("POST", path+"/transitions", `{"to":"closed","override":"dijawab lewat telepon","version":3}`), 200); doc["override"] != "dijawab lewat telepon" {
		t.Errorf("%v", doc)
	}
	config := h.person("atur", "", access.Grant{Role: access.Dispatcher}, access.Grant{Role: access.Admin})
	if doc := h.want(config("POST", "/api/v1/incidents/"+h.flood(cap.Minor).ID+"/transitions", `{"to":"dispatched","version":1}`), 403); !strings.Contains(doc["reason"].(string), "configures") {
		t.Errorf("%v", doc)
	}
	log := h.admin("GET", "/api/v1/audit", "").Body.String()
	for _, want := range []string{"needs incident.close: the same person may not do both", "whoever configures or audits does not work incidents"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

// A conflict tells its way on in the form in which the incident is seen.
func TestAConflictShowsNoMoreThanIsSeen(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Severe)
	if _, err := h.cases.Transition(t.Context(), in.ID, incident.Act{To: incident.Acknowledged, Version: 1}, audit.Actor{Subject: "user:a"}); err != nil {
		t.Fatal(err)
	}
	ask := h.person("op", "", access.Grant{Role: access.Operator})
	doc := h.want(ask("POST", "/api/v1/incidents/"+in.ID+"/transitions", `{"to":"acknowledged","version":1}`), 409)
	if got := allowedOf(doc); !slices.Equal(got, []string{"resolved"}) { // it is grave: only a supervisor cancels
		t.Errorf("allowed %v", got)
	}
	if doc["current"].(map[string]any)["version"] != 2.0 {
		t.Errorf("%v", doc)
	}
}

func TestOpeningAsksOfTheTypeAndThePlace(t *testing.T) {
	h := build(t)
	here, there := `"lng":100.63,"lat":-0.83`, `"lng":100.62,"lat":-0.97`
	for name, c := range map[string]struct {
		grant access.Grant
		body  string
		want  int
	}{
		"a call taker":               {access.Grant{Role: access.CallTaker}, `{"type":"flood",` + here + `}`, 201},
		"a dispatcher":               {access.Grant{Role: access.Dispatcher}, `{"type":"flood",` + here + `}`, 403},
		"of another area":            {access.Grant{Role: access.Operator, Areas: []string{"Gunung Talang"}}, `{"type":"flood",` + here + `}`, 403},
		"of this area":               {access.Grant{Role: access.Operator, Areas: []string{"Gunung Talang"}}, `{"type":"flood",` + there + `}`, 201},
		"of an area, without place":  {access.Grant{Role: access.Operator, Areas: []string{"Gunung Talang"}}, `{"type":"flood"}`, 403},
		"of another type":            {access.Grant{Role: access.Operator, Types: []string{"fire_building"}}, `{"type":"flood",` + here + `}`, 403},
		"of another agency":          {access.Grant{Role: access.Operator, Agency: "damkar"}, `{"type":"flood",` + here + `}`, 403},
		"of the agency that leads":   {access.Grant{Role: access.Operator, Agency: "bpbd"}, `{"type":"flood",` + here + `}`, 201},
		"of a type that is not ours": {access.Grant{Role: access.Operator}, `{"type":"ufo"}`, 422},
	} {
		w := h.person(strings.NewReplacer(" ", "-", ",", "").Replace(name), "", c.grant)("POST", "/api/v1/incidents", c.body)
		doc := h.want(w, c.want)
		if c.want == 403 && doc["reason"] == nil {
			t.Errorf("%s: refused without a reason: %v", name, doc)
		}
	}
	h.want(h.person("wali", "", access.Grant{Role: access.Leader})("POST", "/api/v1/incidents", `{"type":"flood"}`), 403)
}

func (h *house) units() {
	h.put("awlr:a", "river_gauge", -0.83, 100.63, true)
	h.put("city:bpbd/trc-1", "unit", -0.831, 100.631, true)
	h.put("city:bpbd/trc-2", "unit", -0.832, 100.632, true)
	h.put("city:damkar/1", "unit", -0.833, 100.633, true)
	h.put("ponsel:hp-7", "unit", -0.834, 100.634, true)
}

func TestUnitsAreSeenByWhomTheyConcern(t *testing.T) {
	h := build(t)
	h.units()
	who := h.cast()
	all := "awlr:a city:bpbd/trc-1 city:bpbd/trc-2 city:damkar/1 ponsel:hp-7"
	for name, want := range map[string]string{
		"dispatcher": all, "supervisor": all, "lead": "awlr:a city:bpbd/trc-1 city:bpbd/trc-2", "stranger": "awlr:a city:damkar/1", "crew": "awlr:a city:bpbd/trc-1",
		"operator": "awlr:a", "calltaker": "awlr:a", "leader": "awlr:a", "pio": "awlr:a", "admin": "awlr:a",
	} {
		ask := who[name]
		seen := strings.Fields(want)
		for _, query := range []string{"", "?bbox=100.6,-0.9,100.7,-0.8", "?near=100.63,-0.83&k=50", "?cell=" + frame(t)} {
			if got := strings.Fields(ids(h.want(ask("GET", "/api/v1/things"+query, ""), 200))); !same(got, seen) {
				t.Errorf("%s: %s shows %v, want %v", name, query, got, seen)
			}
		}
		if got := ids(h.want(ask("GET", "/api/v1/things?kind=unit", ""), 200)); got != strings.TrimPrefix(strings.TrimPrefix(want, "awlr:a"), " ") {
			t.Errorf("%s: kind=unit shows %q", name, got)
		}
		if got := ids(h.want(ask("GET", "/api/v1/things?near=100.63,-0.83&k=2", ""), 200)); len(strings.Fields(got)) != min(2, len(seen)) {
			t.Errorf("%s: the two nearest are %q", name, got)
		}
		walked, pages := []string{}, 0
		for page := ""; pages < 10; pages++ {
			doc := h.want(ask("GET", "/api/v1/things?limit=2&page="+url.QueryEscape(page), ""), 200)
			got := strings.Fields(ids(doc))
			if page = doc["next_page"].(string); page != "" && len(got) != 2 {
				t.Errorf("%s: a page of %d is not the last", name, len(got))
			}
			if walked = append(walked, got...); page == "" {
				break
			}
		}
		if !same(walked, seen) {
			t.Errorf("%s: pages show %v", name, walked)
		}
		for _, id := range strings.Fields(all) {
			status := 404
			if slices.Contains(seen, id) {
				status = 200
			}
			h.want(ask("GET", "/api/v1/things/"+url.PathEscape(id), ""), status)
			h.want(ask("GET", "/api/v1/things/"+url.PathEscape(id)+"/observations", ""), status)
			found := strings.Contains(ask("GET", "/api/v1/search?q="+url.QueryEscape(id[strings.IndexByte(id, ':')+1:]), "").Body.String(), id)
			if found != (status == 200) {
				t.Errorf("%s finds %s: %v", name, id, found)
			}
		}
		asked := false
		h.cells = func(_ context.Context, _ geo.Bound, _ geo.Resolution, _ []string, units bool) ([]wire.Cell, error) {
			asked = units
			return nil, nil
		}
		for _, path := range []string{"/api/v1/cells?bbox=100.6,-0.9,100.7,-0.8", "/api/v1/coverage"} {
			h.want(ask("GET", path, ""), 200)
			if asked != (want == all) {
				t.Errorf("%s: %s sums up units: %v", name, path, asked)
			}
		}
	}
}

func frame(t *testing.T) string {
	c, err := geo.CellAt(geo.Position{Lat: -0.83, Lng: 100.63}, geo.ResThing)
	if err != nil {
		t.Fatal(err)
	}
	return c.Parent(4).String()
}

func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func TestReportsAreSeenByWhomTheyConcern(t *testing.T) {
	h := build(t)
	list := []feeds.Report{{ID: "1", Channel: "open311", Text: "Bu Ani: lubang", Address: "Jl. Ani", At: moment.Of(time.Now()), Position: geo.Position{Lat: -0.83123, Lng: 100.63456}, Placed: true}}
	if _, err := h.cases.PutReports(t.Context(), list, feeds.Meta{Feed: "lapor", Agency: "pupr", ReceivedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	who := h.cast()
	for name, want := range map[string]int{"calltaker": 200, "operator": 200, "dispatcher": 200, "supervisor": 200, "supporter": 200, "stranger": 404, "lead": 404, "elsewhere": 404,
		"crew": 403, "leader": 403, "pio": 403, "admin": 403, "auditor": 403} {
		w := who[name]("GET", "/api/v1/reports/lapor:1", "")
		h.want(w, want)
		rows := who[name]("GET", "/api/v1/reports", "").Body.String()
		if seen := strings.Contains(w.Body.String()+rows, "Ani"); seen != (want == 200) || strings.Contains(rows, "lapor:1") != (want == 200) {
			t.Errorf("%s: %s %s", name, w.Body, rows)
		}
	}
	_, key, err := h.auth.MakeKey(t.Context(), auth.Key{Name: "papan", Scope: auth.ScopeRead}, auth.Act{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(path string) *httptest.ResponseRecorder {
		return h.ask("GET", path, "", "Authorization", "Bearer "+key)
	}
	if doc := h.want(read("/api/v1/reports/lapor:1"), 200); doc["text"] != "" || doc["lng"] == 100.63456 || doc["area_name"] != "Kubung" {
		t.Errorf("a program that only reads: %v", doc)
	}
	for query, want := range map[string]int{"": 1, "?q=ani": 0, "?bbox=100.6345,-0.8313,100.6346,-0.8312": 0} {
		if got := h.want(read("/api/v1/reports"+query), 200)["items"].([]any); len(got) != want {
			t.Errorf("%q: %v", query, got)
		}
	}
}

func TestAReportIsEnteredForADesk(t *testing.T) {
	h := build(t)
	const call = `{"channel":"call","text":"Asap"}`
	house := h.want(h.person("ct", "", access.Grant{Role: access.CallTaker})("POST", "/api/v1/reports", call), 201)
	if house["agency"] != nil {
		t.Errorf("%v", house)
	}
	damkar := h.person("dk", "", access.Grant{Role: access.Liaison, Agency: "bpbd"}, access.Grant{Role: access.CallTaker, Agency: "damkar"})
	own := h.want(damkar("POST", "/api/v1/reports", call), 201)
	if own["agency"] != "damkar" {
		t.Errorf("%v", own)
	}
	h.want(damkar("GET", "/api/v1/reports/"+own["id"].(string), ""), 200)
	h.want(damkar("GET", "/api/v1/reports/"+house["id"].(string), ""), 404)
	h.want(h.person("le", "", access.Grant{Role: access.Liaison, Agency: "bpbd"})("POST", "/api/v1/reports", call), 403)
}

// Who gave a report is a call taker's own to see for a day; a dispatcher's when needed.
func TestACallIsItsTakersForADay(t *testing.T) {
	h := build(t)
	one, _, err := h.cases.EnterReport(t.Context(), feeds.Report{Channel: "call", Text: "asap"}, "", audit.Actor{Subject: "user:ani"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		subject string
		role    access.Role
		later   time.Duration
		may     bool
	}{
		{"user:ani", access.CallTaker, 0, true}, {"user:ani", access.CallTaker, 25 * time.Hour, false}, {"user:budi", access.CallTaker, 0, false},
		{"user:budi", access.Dispatcher, 25 * time.Hour, true}, {"user:ani", access.Operator, 0, false}, {"user:ani", access.Leader, 0, false},
	} {
		who := auth.Of(access.Subject{ID: c.subject, Grants: []access.Grant{{Role: c.role}}}, c.subject, time.Now())
		v := h.handler.(*table).s.sees(auth.Context(t.Context(), who))
		v.now = v.now.Add(c.later)
		if got := v.may(t.Context(), access.Reveal, v.reportObject(&one)); (got == nil) != c.may {
			t.Errorf("%s, %s, %v later: %v", c.subject, c.role, c.later, got)
		}
	}
}

func TestAWallSeesNoReports(t *testing.T) {
	wall := auth.Of(access.Subject{ID: "wall:a", Grants: []access.Grant{{Role: access.Wall}}}, "wall", time.Now())
	for _, right := range []access.Action{access.ReadReports, access.WriteReports, access.Reveal, access.ActIncidents} {
		if wall.Can(right) {
			t.Errorf("a wall may %s", right)
		}
	}
	if !wall.Can(access.ReadIncidents) || !wall.Can(access.ReadUnits) {
		t.Error("a wall shows neither incidents nor units")
	}
}

func TestAPolicyThatCannotHoldStopsTheStart(t *testing.T) {
	serve := func(http.ResponseWriter, *http.Request) {}
	for name, c := range map[string]struct {
		pattern string
		policy  policy
		want    string
	}{
		"none":                    {"GET /a", policy{}, "declares no policy"},
		"no right":                {"GET /a", policy{kind: page}, "declares no policy"},
		"an action nobody knows":  {"GET /a", needs("incident.fly"), "access does not know"},
		"a noun nobody loads":     {"GET /a/{id}", about(access.ReadThings, "ufo"), "not loaded"},
		"an object without id":    {"GET /a", about(access.ReadThings, "thing"), "has no {id}"},
		"an incident, not judged": {"GET /api/v1/incidents/{id}/notes", needs(access.ReadIncidents), "does not have it judged"},
		"a report, as an incident": {"GET /api/v1/reports/{id}", about(access.ReadIncidents, "incident"),
			"does not have it judged"},
	} {
		s := &server{Deps: Deps{Log: zerolog.Nop()}}
		s.table = newTable(s)
		s.table.handle(c.pattern, c.policy, serve)
		if len(s.table.faults) != 1 || !strings.Contains(s.table.faults[0].Error(), c.want) || len(s.table.routes) != 0 {
			t.Errorf("%s: %v", name, s.table.faults)
		}
	}
	s := &server{Deps: Deps{Log: zerolog.Nop()}}
	s.table = newTable(s)
	s.table.HandleFunc("GET /open", serve)
	s.table.handle("GET /fine/{id}", about(access.ReadThings, "thing"), serve)
	if len(s.table.faults) != 1 || len(s.table.routes) != 1 {
		t.Errorf("%v %v", s.table.faults, s.table.routes)
	}
}
