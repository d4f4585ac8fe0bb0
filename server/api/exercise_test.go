package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/figures"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// unmarked lists the places of a document in which an object that is, or belongs to, one of the ids does not say that it is simulated.
func unmarked(doc any, ids []string, path string) (out []string) {
	switch v := doc.(type) {
	case map[string]any:
		for _, key := range []string{"id", "incident"} {
			if id, _ := v[key].(string); slices.Contains(ids, id) && v["simulated"] != true {
				out = append(out, path+"."+key)
			}
		}
		for key, more := range v {
			out = append(out, unmarked(more, ids, path+"."+key)...)
		}
	case []any:
		for i, more := range v {
			out = append(out, unmarked(more, ids, fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return out
}

// outputs are all addresses that answer without naming anything, as the document of the interface has them.
func (h *house) outputs() (out []string) {
	h.t.Helper()
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(h.ask("GET", "/api/openapi.json", "").Body.Bytes(), &doc); err != nil {
		h.t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		if methods["get"] != nil && !strings.Contains(path, "{") {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// An exercise is in no figure and on no public page, and whatever else tells of it says that it is not real: every address is asked before and after.
func TestAnExerciseIsMarkedWhereverItIsTold(t *testing.T) {
	h := build(t)
	h.govern()
	h.rostered(t, "bpbd", "trc-1", "trc")
	h.rostered(t, "bpbd", "trc-2", "trc")
	real := h.flood(cap.Severe)
	h.want(h.admin("POST", "/api/v1/incidents/"+real.ID+"/dispatches", `{"unit":"bpbd/trc-1"}`), 201)
	asOf := time.Now().Add(50 * time.Second).UTC()
	within := url.Values{"since": {asOf.Add(-time.Hour).Format(time.RFC3339Nano)}, "until": {asOf.Format(time.RFC3339Nano)}, "as_of": {asOf.Format(time.RFC3339Nano)}}
	briefing := "/api/v1/briefing?" + url.Values{"from": within["since"], "to": within["until"], "as_of": within["as_of"]}.Encode()
	before := h.want(h.admin("GET", briefing, ""), 200)["hash"]
	if n := h.want(h.admin("GET", briefing, ""), 200)["counts"].(map[string]any)["incidents"].(map[string]any)["n"]; n != 1.0 {
		t.Fatalf("the briefing counts %v", n)
	}

	played, _, err := h.cases.EnterReport(t.Context(), feeds.Report{Channel: "call", Text: "Latihan banjir", At: moment.Of(time.Now())}, "", audit.Actor{Subject: "user:anna"})
	if err != nil {
		t.Fatal(err)
	}
	made := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","severity":"Extreme","title":"Latihan Selayo","lng":100.63,"lat":-0.83,"exercise":true}`), 201)
	id := made["id"].(string)
	sent := h.want(h.admin("POST", "/api/v1/incidents/"+id+"/dispatches", `{"unit":"bpbd/trc-2"}`), 201)
	if made["simulated"] != true || made["exercise"] != true || sent["simulated"] != true || sent["exercise"] != true || !strings.HasPrefix(made["number"].(string), "SIM-") {
		t.Fatalf("%v\n%v", made, sent)
	}
	ids := []string{id, sent["id"].(string)}
	told := 0
	for _, path := range append(h.outputs(), "/api/v1/search?q=latihan", "/api/v1/incidents/"+id, "/api/v1/dispatches/"+ids[1], "/api/v1/incidents?status=open", "/api/v1/dispatches?status=open") {
		if strings.HasPrefix(path, "/api/v1/units") || path == "/api/v1/audit" { // a unit is real, and leads to what it is on; the log keeps acts
			continue
		}
		got := h.admin("GET", path, "")
		text := got.Body.String()
		if open := []string{"/public", "/cap", "/open311", "/ogc"}; slices.ContainsFunc(open, func(p string) bool { return strings.HasPrefix(path, p) }) || path == "/api/v1/briefing" {
			if strings.Contains(text, id) || strings.Contains(text, "Latihan Selayo") || strings.Contains(text, "SIM-") {
				t.Errorf("%s tells of it: %s", path, text)
			}
			continue
		}
		var doc any
		if json.Unmarshal(got.Body.Bytes(), &doc) != nil {
			continue
		}
		if strings.Contains(text, id) {
			told++
		}
		for _, at := range unmarked(doc, ids, path) {
			t.Errorf("%s does not say that it is simulated: %s", at, text)
		}
	}
	if told < 5 {
		t.Errorf("only %d addresses tell of it: the walk reaches nothing", told)
	}

	if now := h.want(h.admin("GET", briefing, ""), 200)["hash"]; now != before {
		t.Error("an exercise changes the briefing")
	}
	for _, f := range figures.Figures() {
		q := url.Values{"figure": {string(f)}, "as_of": within["as_of"]}
		if !f.Anytime() {
			q["since"], q["until"] = within["since"], within["until"]
		}
		if got := h.admin("GET", "/api/v1/incidents?"+q.Encode(), ""); got.Code != 200 || strings.Contains(got.Body.String(), id) {
			t.Errorf("figure %s: %d %s", f, got.Code, got.Body)
		}
	}
	h.flood(cap.Severe)
	if now := h.want(h.admin("GET", briefing, ""), 200)["hash"]; now == before {
		t.Error("a real one does not")
	}

	for query, want := range map[string]int{"": 3, "?exercise=true": 1, "?exercise=false": 2, "?simulated=true": 1, "?simulated=false&status=open": 2} {
		if got := h.want(h.admin("GET", "/api/v1/incidents"+query, ""), 200)["items"].([]any); len(got) != want {
			t.Errorf("incidents%s: %d, want %d", query, len(got), want)
		}
	}
	for query, want := range map[string]int{"": 2, "?exercise=true": 1, "?exercise=false": 1, "?simulated=true": 1} {
		if got := h.want(h.admin("GET", "/api/v1/dispatches"+query, ""), 200)["items"].([]any); len(got) != want {
			t.Errorf("dispatches%s: %d, want %d", query, len(got), want)
		}
	}
	h.want(h.admin("POST", "/api/v1/incidents/"+id+"/evidence", fmt.Sprintf(`{"kind":"report","ref":%q}`, played.ID)), 422) // a call that came is real
	h.want(h.admin("POST", "/api/v1/reports/"+played.ID+"/triage", fmt.Sprintf(`{"as":"duplicate","incident":%q}`, id)), 422)
	h.want(h.admin("POST", "/api/v1/incidents/"+id+"/merge", fmt.Sprintf(`{"into":%q}`, real.ID)), 422)
}

// A crew that calls for help in an exercise calls for help: what is opened is real.
func TestACallForHelpInAnExerciseIsReal(t *testing.T) {
	h := build(t)
	h.rostered(t, "bpbd", "trc-1", "trc")
	id := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","lng":100.63,"lat":-0.83,"exercise":true}`), 201)["id"].(string)
	h.want(h.admin("POST", "/api/v1/incidents/"+id+"/dispatches", `{"unit":"bpbd/trc-1"}`), 201)
	help := h.want(h.admin("POST", "/api/v1/units/bpbd/trc-1/panic", ""), 200)["panic"].(map[string]any)
	in, err := h.cases.Incident(t.Context(), help["incident"].(string))
	if err != nil || in.ID == id || in.Simulated || in.Exercise || in.Why.Unit != "bpbd/trc-1" {
		t.Errorf("%v %+v", err, in)
	}
}
