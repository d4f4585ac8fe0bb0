//go:build !race

package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/frontend"
	"kentongan/server/api"
)

// TestMatrix holds the whole house against testdata/matrix: every route, as every subject, on objects of one's own
// agency and of another. It runs alone, for it makes a type restricted while it runs.
func TestMatrix(t *testing.T) {
	table, known := readGrid(t, "table.tsv"), readDifferences(t, "differs.tsv")
	lines := routeLines(t)
	c := newCast(t)
	for _, name := range table.columns {
		if c.subjects[name] == nil {
			t.Fatalf("nobody is %s", name)
		}
	}
	m := &matrix{cast: c, table: table, known: known, secrets: map[string][]incident.Incident{}}
	m.hoard(lines)
	secret(true)
	t.Cleanup(func() { secret(false) })

	var work sync.WaitGroup
	next := make(chan routeLine)
	for range 4 {
		work.Go(func() {
			for line := range next {
				m.hold(t, line)
			}
		})
	}
	for _, line := range lines {
		next <- line
	}
	close(next)
	work.Wait()

	if missed := table.missed(); len(missed) > 0 {
		t.Errorf("%d cells are not asserted: %q", len(missed), missed[:min(len(missed), 20)])
	}
	for _, cell := range known.mended() {
		t.Errorf("%s: differs.tsv says that it differs, and it does not", cell)
	}
	text, total := table.summary()
	tell(t, fmt.Sprintf("routes: %d cells in %d rows for %d subjects, %d assertions", len(table.rows)*len(table.columns), len(table.rows), len(table.columns), total), text)
	if cells := len(table.rows) * len(table.columns); cells < 3000 {
		t.Errorf("%d cells; 3000 are wanted", cells)
	}
}

// routeLine is one line of routes.tsv.
type routeLine struct {
	pattern, action, object, path, body string
	ok                                  []int
	fresh, see                          string
}

func (l routeLine) row() string { return l.action + "|" + l.object }

// personal tells a line whose fresh object is each subject's own.
func (l routeLine) personal() bool {
	return l.fresh == "session" || l.fresh == "call" || l.fresh == "own-change" || strings.HasPrefix(l.fresh, "resolved-by-self")
}

// secretOf names the store of incidents of the secret type that a line takes from, for a subject.
func (l routeLine) secretOf(who *whom) string {
	if l.personal() {
		return l.fresh + " " + who.name
	}
	return l.fresh
}

// routeLines reads routes.tsv, and holds it against the routes that the server has: neither may know one that the other does not.
func routeLines(t *testing.T) []routeLine {
	t.Helper()
	var out []routeLine
	for _, f := range sheet(t, "routes.tsv")[1:] {
		if len(f) != 8 {
			t.Fatalf("routes.tsv: %q", f)
		}
		l := routeLine{pattern: f[0], action: f[1], object: f[2], path: f[3], body: strings.TrimPrefix(f[4], "-"), fresh: strings.TrimPrefix(f[6], "-"), see: strings.TrimPrefix(f[7], "-")}
		for code := range strings.SplitSeq(f[5], "|") {
			n, err := strconv.Atoi(code)
			if err != nil {
				t.Fatal(err)
			}
			l.ok = append(l.ok, n)
		}
		out = append(out, l)
	}
	routes, err := api.Routes(frontend.Files(), 16<<20)
	if err != nil {
		t.Fatal(err)
	}
	var kept []routeLine
	for _, l := range out {
		method, path, _ := strings.Cut(l.pattern, " ")
		begin, many := strings.CutSuffix(path, "*")
		i := slices.IndexFunc(routes, func(r api.Route) bool {
			return r.Method() == method && (r.Path() == path || many && strings.HasPrefix(r.Path(), begin))
		})
		switch {
		case i < 0 && (many || path == "/mark.svg"): // the screens are not built
		case i < 0:
			t.Errorf("routes.tsv knows %s, the server does not", l.pattern)
		default:
			if many {
				l.path = routes[i].Path()
			}
			kept = append(kept, l)
		}
	}
	for _, r := range routes {
		if !slices.ContainsFunc(out, func(l routeLine) bool {
			begin, many := strings.CutSuffix(l.pattern, "*")
			return l.pattern == r.Pattern || many && strings.HasPrefix(r.Pattern, begin)
		}) {
			t.Errorf("the server has %s, which routes.tsv does not know: say which act it is, and who may do it", r.Pattern)
		}
	}
	return kept
}

// matrix holds the house against the table.
type matrix struct {
	*cast
	table *grid
	known *differences

	mu      sync.Mutex
	secrets map[string][]incident.Incident // of the secret type, by how they stand
}

// hoard opens what of the secret type will be needed, as long as it may be opened.
func (m *matrix) hoard(lines []routeLine) {
	for _, l := range lines {
		if l.object == "restricted" && l.fresh != "" {
			for _, name := range m.table.columns {
				who, letter := m.subjects[name], m.table.cells[l.row()][name]
				if self := strings.HasPrefix(l.fresh, "resolved-by-self"); self || letter == "F" || letter == "D" { // D: a wrong success shall not stop the rest
					key := l.secretOf(who)
					m.secrets[key] = append(m.secrets[key], m.stand("restricted", l.fresh, who.subject))
				}
			}
		}
	}
}

// steps to where an incident stands.
var stands = map[string][]incident.Act{
	"new": nil, "acknowledged": {{To: incident.Acknowledged}}, "dispatched": {{To: incident.Dispatched}}, "on_scene": {{To: incident.Dispatched}, {To: incident.OnScene}},
	"resolved": {{To: incident.Acknowledged}, {To: incident.Resolved}}, "resolved-by-self": {{To: incident.Acknowledged}, {To: incident.Resolved}},
	"closed": {{To: incident.Acknowledged}, {To: incident.Resolved}, {To: incident.Closed, Override: "uji"}},
}

// stand opens an incident and brings it to where it stands; by resolves it where the line says so.
func (m *matrix) stand(object, how, by string) incident.Incident {
	state, severity, _ := strings.Cut(how, " ")
	one := m.open(object, cap.Severity(severity))
	for _, act := range stands[state] {
		act.Version = one.Version
		who := audit.Actor{Subject: "user:lain"}
		if act.To == incident.Resolved && state == "resolved-by-self" {
			who.Subject = by
		}
		if act.To == incident.Closed {
			who.Subject = "user:ketiga"
		}
		var err error
		if one, err = m.cases.Transition(m.t.Context(), one.ID, act, who); err != nil {
			panic(fmt.Sprint(object, how, err))
		}
	}
	return one
}

// made is an object that a call may use up.
type made struct {
	id, version string
	header      http.Header // another session
}

// fresh makes what a line needs anew, for a subject.
func (m *matrix) fresh(l routeLine, who *whom) made {
	tok, n := m.subjects["token"], m.count.Add(1)
	ask := func(method, path, body string) map[string]any {
		got := m.try(tok, method, path, body)
		if got.code/100 != 2 {
			m.t.Errorf("%s %s %s: %d %s", method, path, body, got.code, got.body)
		}
		return got.doc
	}
	id := func(doc map[string]any) made { return made{id: fmt.Sprint(doc["id"])} }
	kind, _, _ := strings.Cut(l.fresh, " ")
	switch kind {
	case "session":
		if who.person == "" || who.name == "disabled" {
			return made{header: who.header}
		}
		return made{header: m.seat(who.name, who.person).header}
	case "call":
		one := m.call(who, "sendiri")
		if one == "" { // who may not enter one asks about somebody else's
			one = m.report["house"]
		}
		return made{id: one}
	case "feed":
		name, agency := fmt.Sprintf("uji-%d", n), map[string]string{"own": "bpbd", "other": "damkar"}[l.object]
		doc := ask("PUT", "/api/v1/feeds/"+name, `{"config":{"format":"native","transport":"push","kind":"rain_gauge","agency":"`+agency+`"}}`)
		return made{id: name, version: fmt.Sprint(doc["version"])}
	case "user", "sealed":
		doc := ask("POST", "/api/v1/users", fmt.Sprintf(`{"login":"baru-%d","name":"Baru","break_glass":%t}`, n, kind == "sealed"))
		user, _ := doc["user"].(map[string]any)
		return made{id: fmt.Sprint(user["id"]), version: fmt.Sprint(user["version"])}
	case "key":
		return id(ask("POST", "/api/v1/keys", `{"name":"sementara","scope":"read"}`))
	case "device":
		return id(ask("POST", "/api/v1/devices", `{"kind":"wall","name":"Sementara","screen":"uji"}`))
	case "code":
		got := m.try(m.subjects["anonymous"], "POST", "/api/v1/session/device", `{"kind":"wall","name":"Sementara"}`)
		return made{id: fmt.Sprint(got.doc["code"])}
	case "change":
		return m.proposed(m.proposer, fmt.Sprintf(`{"days":%d,"reason":"keputusan bupati"}`, 60+n%300))
	case "own-change":
		if slices.Contains([]string{"admin", "dual", "token"}, who.name) {
			return m.proposed(who, fmt.Sprintf(`{"days":%d,"reason":"keputusan bupati"}`, 60+n%300))
		}
		if who.person == "" {
			return m.proposed(m.proposer, fmt.Sprintf(`{"days":%d,"reason":"keputusan bupati"}`, 60+n%300))
		}
		seen := m.try(tok, "GET", "/api/v1/users/"+who.person, "")
		got := m.try(m.proposer, "PATCH", "/api/v1/users/"+who.person, fmt.Sprintf(`{"version":%v,"grants":[{"role":"pio"},{"role":"calltaker"}]}`, seen.doc["version"]))
		change, _ := got.doc["change"].(map[string]any)
		return id(change)
	}
	if _, ok := stands[kind]; ok {
		one := incident.Incident{}
		if l.object == "restricted" {
			m.mu.Lock()
			if list := m.secrets[l.secretOf(who)]; len(list) > 0 {
				one, m.secrets[l.secretOf(who)] = list[0], list[1:]
			} else {
				m.t.Errorf("%s: more calls succeed than the table allows", l.row())
			}
			m.mu.Unlock()
		} else {
			one = m.stand(l.object, l.fresh, who.subject)
		}
		return made{id: one.ID, version: strconv.Itoa(one.Version)}
	}
	panic("routes.tsv: nobody makes a " + l.fresh)
}

// proposed is a change that waits.
func (m *matrix) proposed(by *whom, body string) made {
	got := m.try(by, "PUT", "/api/v1/retention/"+retained, body)
	change, _ := got.doc["change"].(map[string]any)
	if got.code != http.StatusAccepted {
		m.t.Errorf("%s proposes: %d %s", by.name, got.code, got.body)
	}
	return made{id: fmt.Sprint(change["id"])}
}

// retained is a class of data whose time may be changed.
const retained = "reporters"

// hold asks one line as every subject. What a refused call was about is asked about again: a refusal that has changed something shows in
// the version or the state that the next call meets.
func (m *matrix) hold(t *testing.T, l routeLine) {
	cells := m.table.cells[l.row()]
	if cells == nil {
		t.Errorf("%s: table.tsv has no row %s", l.pattern, l.row())
		return
	}
	var thing made
	have := false
	for _, name := range m.table.columns {
		who, letter := m.subjects[name], cells[name]
		if l.fresh != "" && (!have || l.personal()) {
			thing, have = m.fresh(l, who), true
		}
		as := who
		if thing.header != nil {
			as = &whom{name: name, header: thing.header}
		}
		n := strconv.FormatInt(m.count.Add(1), 10)
		fill := strings.NewReplacer("{fresh}", thing.id, "{version}", thing.version, "{n}", n, "{incident}", m.incident[l.object].ID, "{number}", m.incident[l.object].Number,
			"{report}", m.report[l.object], "{thing}", "awlr:sensor-1", "{unit}", strings.ReplaceAll(unitOf[l.object], "/", "%2F"), "{user}", m.proposer.person, "{class}", retained,
			"{agency}", map[string]string{"own": "bpbd", "other": "damkar"}[l.object], "{freshreport}", m.report["house"])
		method, _, _ := strings.Cut(l.pattern, " ")
		got := m.try(as, method, fill.Replace(l.path), fill.Replace(l.body))
		if got.code == http.StatusConflict && strings.Contains(got.body, "try again") { // another call of the matrix came between
			got = m.try(as, method, fill.Replace(l.path), fill.Replace(l.body))
		}
		m.table.counts(l.row(), name)
		if got.code/100 == 2 {
			have = false
		}
		fault := m.judge(l, letter, got)
		cell := l.row() + "|" + name
		if fault != "" && !m.known.known(cell) {
			t.Errorf("%s: %s\n\t%s %s: want %s, %s: %d %.240s", cell, l.pattern, method, fill.Replace(l.path), letter, fault, got.code, got.body)
		}
	}
}

var unitOf = map[string]string{"own": "kota:bpbd/trc-1", "other": "damkar:damkar/1"}

// judge says what is wrong with an answer; empty: nothing.
func (m *matrix) judge(l routeLine, letter string, got answered) string {
	led := got.code == http.StatusSeeOther
	refused := func(code int) string {
		if got.code != code {
			return fmt.Sprintf("%d is wanted", code)
		}
		return m.silent(l, got.body)
	}
	switch letter {
	case "S":
		if led && strings.HasPrefix(got.location, "/login?") {
			return ""
		}
		return refused(http.StatusUnauthorized)
	case "D":
		return refused(http.StatusForbidden)
	case "H":
		return refused(http.StatusNotFound)
	case "X":
		if got.code == http.StatusForbidden {
			return m.silent(l, got.body)
		}
		return refused(http.StatusNotFound)
	case "L":
		if !led || !strings.HasPrefix(got.location, "/wall?") {
			return "is not led to the wall"
		}
		return ""
	}
	if !slices.Contains(l.ok, got.code) || led && strings.HasPrefix(got.location, "/login") {
		return fmt.Sprintf("%v is wanted", l.ok)
	}
	return m.form(l.see, l.object, letter, got.body)
}

// silent holds a refusal to saying nothing of what it is about.
func (m *matrix) silent(l routeLine, body string) string {
	for _, word := range []string{kanari, "Kanariwan", "77774321", "7777-4321"} {
		if strings.Contains(body, word) {
			return "the refusal says " + word
		}
	}
	if one, ok := m.incident[l.object]; ok && strings.Contains(body, one.Number) {
		return "the refusal says the number"
	}
	return ""
}

// form holds what is told of an object to its level.
func (m *matrix) form(see, object, letter, body string) string {
	var id, words, spot string
	switch see {
	case "":
		return ""
	case "incident", "hit":
		one := m.incident[object]
		id, words, spot = one.ID, kanari, fmt.Sprint(place[object][0])
		body = about(body, one.ID)
	case "report":
		id, words = m.report[object], kanari+" "+object
		body = about(body, id)
	case "thing":
		id, words = "awlr:sensor-1", "awlr:sensor-1"
	case "unit":
		id, words = unitOf[object], unitOf[object]
	}
	return levelled(letter, body, id, words, spot)
}

// levelled holds a text to a level: whether an object is in it, people's words of it, and its exact place.
func levelled(letter, body, id, words, spot string) string {
	there, said, placed := strings.Contains(body, id), strings.Contains(body, words), spot != "" && strings.Contains(body, spot)
	want := map[string][3]bool{"F": {true, true, spot != ""}, "A": {true, false, spot != ""}, "C": {true, false, false}, "N": {false, false, false}}[letter]
	if got := [3]bool{there, said, placed}; got != want {
		return fmt.Sprintf("there, words, place are %v and not %v", got, want)
	}
	return ""
}

// about gives of an answer the one object that is asked about: a list holds others too.
func about(body, id string) string {
	var doc map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &doc) != nil {
		return body
	}
	if doc["items"] == nil {
		return body
	}
	var items []json.RawMessage
	if json.Unmarshal(doc["items"], &items) != nil {
		return body
	}
	var out strings.Builder
	for _, one := range items {
		if strings.Contains(string(one), `"`+id+`"`) {
			out.Write(one)
		}
	}
	return out.String()
}
