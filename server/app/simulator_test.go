package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/geo/redistest"
)

// simulated is the demo with its rules, without the feeds that ask outside, and with an inlet for what is real.
func simulated(t *testing.T, things string) string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, ok := strings.Cut(string(text), "\nrules:\n")
	if !ok {
		t.Fatal("deploy/demo.yaml has no rules")
	}
	return "listen: 127.0.0.1:0\nprofile: solok\nfeeds:\n" +
		"  - {name: simulator, format: native, transport: simulator, things: " + things + ", simulated: true}\n" +
		"  - {name: awlr, format: native, transport: push, kind: river_gauge}\nrules:\n" + rules
}

// list asks for a list.
func (r *running) list(path string) []map[string]any {
	r.t.Helper()
	code, doc := r.ask("GET", path, "")
	items, ok := doc["items"].([]any)
	if code != 200 || !ok {
		r.t.Fatalf("%s: %d %v", path, code, doc)
	}
	out := make([]map[string]any, len(items))
	for i := range items {
		out[i] = items[i].(map[string]any)
	}
	return out
}

// The whole way: the order, the city, the rules, the incidents, the agencies' alerts, and beside them a real gauge that no simulated
// one joins.
func TestScenariosOpenIncidents(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it lasts as long as the disasters do")
	}
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	r := launch(t, "test", simulated(t, "2000"), []string{"KENTONGAN_DATA_DIR=" + dir})
	deadline := time.Now().Add(20 * time.Second)
	for len(r.list("/api/v1/things?kind=river_gauge&limit=5")) < 5 {
		if time.Now().After(deadline) {
			t.Fatalf("no city\n%s", r.log)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if open := r.list("/api/v1/incidents"); len(open) != 0 {
		t.Fatalf("a calm city has incidents: %v", open)
	}
	for _, g := range r.list("/api/v1/things?kind=river_gauge&limit=5") { // each kind declares its own interval
		said, err1 := time.Parse(time.RFC3339, fmt.Sprint(g["at"]))
		stale, err2 := time.Parse(time.RFC3339, fmt.Sprint(g["stale_after"]))
		if held := stale.Sub(said); err1 != nil || err2 != nil || held < 14*time.Second || held > 30*time.Second || g["simulated"] != true {
			t.Errorf("a gauge that reports every 10 s: %v", g)
		}
	}
	began := time.Now()
	ids := map[string]string{}
	for _, s := range []string{"galodo", "quake", "truck", "ashfall"} {
		code, run := r.ask("POST", "/api/v1/simulator/runs", `{"scenario":"`+s+`"}`)
		if code != 201 || run["state"] != "running" {
			t.Fatalf("%s: %d %v", s, code, run)
		}
		ids[s], _ = run["id"].(string)
	}
	if code, doc := r.ask("POST", "/api/v1/simulator/runs", `{"scenario":"galodo"}`); code != 409 {
		t.Errorf("twice at once: %d %v", code, doc)
	}
	if code, doc := r.ask("POST", "/api/v1/simulator/runs", `{"scenario":"godzilla"}`); code != 422 {
		t.Errorf("unknown: %d %v", code, doc)
	}
	r.await(began, 2*time.Minute, map[string]time.Duration{"flash_flood": 0, "eq": 0, "traffic_injury": 0, "volcano": 0})

	// A real gauge beside the simulated one that fired.
	var at map[string]any
	for _, i := range r.list("/api/v1/incidents?type=flash_flood") {
		at = i["location"].(map[string]any)
	}
	place, _ := json.Marshal(at)
	body := `{"thing":"real","name":"AWLR nyata","property":"water_level_rise","value":2.4,"unit":"m",` + strings.TrimPrefix(string(place), "{") + "\n"
	for range 2 {
		if code, doc := r.ask("POST", "/api/v1/ingest/awlr", body); code != 202 {
			t.Fatalf("%d %v", code, doc)
		}
	}
	deadline = time.Now().Add(20 * time.Second)
	for len(r.list("/api/v1/incidents?type=flash_flood")) < 2 {
		if time.Now().After(deadline) {
			t.Fatalf("the real flood joined the simulated one\n%v", r.list("/api/v1/incidents?type=flash_flood"))
		}
		time.Sleep(100 * time.Millisecond)
	}
	marks := map[any]int{}
	for _, i := range r.list("/api/v1/incidents") {
		marks[i["simulated"]]++
		for _, e := range i["evidence"].([]any) {
			if ref, _ := e.(map[string]any)["ref"].(string); (strings.HasPrefix(ref, "awlr:") && i["simulated"] == true) || (strings.HasPrefix(ref, "simulator:") && i["simulated"] == false) {
				t.Errorf("%s joined %v", ref, i["title"])
			}
		}
	}
	if marks[false] != 1 || marks[true] < 4 {
		t.Errorf("incidents by simulated: %v", marks)
	}
	for _, a := range r.list("/api/v1/alerts?limit=200") {
		if feed := a["sources"].([]any)[0]; (feed == "simulator") != (a["simulated"] == true) {
			t.Errorf("alert of %v is simulated %v", feed, a["simulated"])
		}
	}
	r.stopped(dir, ids)
}

// await waits until an incident of every type is open, and says how long each took.
func (r *running) await(began time.Time, most time.Duration, types map[string]time.Duration) {
	r.t.Helper()
	for missing := len(types); missing > 0; time.Sleep(200 * time.Millisecond) {
		if time.Since(began) > most {
			r.t.Fatalf("after %v: %v\n%s", most, types, r.log)
		}
		for _, i := range r.list("/api/v1/incidents?limit=100") {
			kind := i["type"].(string)
			if took, wanted := types[kind]; wanted && took == 0 {
				types[kind] = time.Since(began)
				missing--
			}
		}
	}
	for kind, took := range types {
		r.t.Logf("%s opened after %v", kind, took.Round(100*time.Millisecond))
	}
}

// stopped stops every run and looks at what is told of them.
func (r *running) stopped(dir string, ids map[string]string) {
	t := r.t
	t.Helper()
	for s, id := range ids {
		if code, run := r.ask("DELETE", "/api/v1/simulator/runs/"+id, ""); code != 200 || run["state"] != "stopped" {
			t.Errorf("stop %s: %d %v", s, code, run)
		}
		text, err := os.ReadFile(filepath.Join(dir, "simulator", id+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var truth struct {
			Run     struct{ Scenario string }
			Happens []struct{ At time.Time }
			Expect  []struct {
				Type     string
				Lng, Lat float64
			}
		}
		if err := json.Unmarshal(text, &truth); err != nil || truth.Run.Scenario != s || len(truth.Happens) == 0 {
			t.Errorf("truth of %s: %v %s", s, err, text)
		}
	}
	if code, doc := r.ask("DELETE", "/api/v1/simulator/runs/nope", ""); code != 404 {
		t.Errorf("%d %v", code, doc)
	}
	code, state := r.ask("GET", "/api/v1/simulator", "")
	if code != 200 || len(state["runs"].([]any)) != len(ids) || len(state["scenarios"].([]any)) != 4 || state["things"] != 2000.0 {
		t.Errorf("%d %v", code, state)
	}
	acts := map[string]int{}
	for _, a := range r.list("/api/v1/audit?limit=1000") {
		acts[a["action"].(string)]++
	}
	if acts["simulator.start"] != len(ids) || acts["simulator.stop"] != len(ids) {
		t.Errorf("audited: %v", acts)
	}
}

// One of two servers plays the city. An order given to either is played, told by both and stopped by the other; nothing is doubled, also
// when the one that plays is gone.
func TestTwoServersOneCity(t *testing.T) {
	t.Parallel()
	needRedis(t)
	store := redistest.Private(t).URL()
	a, b := beside(t, "a", store, simulated(t, "300")), beside(t, "b", store, simulated(t, "300"))
	gauges := func(r *running) int { return len(r.list("/api/v1/things?kind=river_gauge")) }
	for name, r := range map[string]*running{"a": a, "b": b} {
		eventually(t, 30*time.Second, "the city on "+name, func() bool { return gauges(r) >= 15 })
	}
	ids := map[string]string{}
	for r, s := range map[*running]string{a: "truck", b: "quake"} {
		code, run := r.ask("POST", "/api/v1/simulator/runs", `{"scenario":"`+s+`"}`)
		if code != 201 {
			t.Fatalf("%s: %d %v", s, code, run)
		}
		ids[s], _ = run["id"].(string)
	}
	for name, r := range map[string]*running{"a": a, "b": b} {
		eventually(t, 40*time.Second, "the earthquake's incident on "+name, func() bool { return len(r.list("/api/v1/incidents?type=eq")) == 1 })
		if _, state := r.ask("GET", "/api/v1/simulator", ""); len(state["runs"].([]any)) != 2 {
			t.Errorf("%s tells of %v", name, state["runs"])
		}
	}
	before := len(a.list("/api/v1/things/simulator:acc-001/observations?limit=1000"))
	if err := a.end(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 40*time.Second, "b plays on", func() bool { return len(b.list("/api/v1/things/simulator:acc-001/observations?limit=1000")) > before+5 })
	seen := map[any]bool{}
	for _, o := range b.list("/api/v1/things/simulator:acc-001/observations?limit=1000") {
		if seen[o["at"]] {
			t.Errorf("the reading of %v is doubled", o["at"])
		}
		seen[o["at"]] = true
	}
	if code, run := b.ask("DELETE", "/api/v1/simulator/runs/"+ids["truck"], ""); code != 200 || run["state"] != "stopped" {
		t.Errorf("%d %v", code, run)
	}
	if n := len(b.list("/api/v1/incidents?type=eq")); n != 1 {
		t.Errorf("%d incidents of one earthquake", n)
	}
}

func TestWithoutASimulatorThereIsNone(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, filepath.Join(t.TempDir(), "data"))
	for _, c := range [][2]string{{"GET", ""}, {"POST", "/runs"}, {"DELETE", "/runs/x"}} {
		if code, doc := r.ask(c[0], "/api/v1/simulator"+c[1], `{"scenario":"galodo"}`); code != 404 || !strings.Contains(doc["detail"].(string), "transport simulator") {
			t.Errorf("%s: %d %v", c[0], code, doc)
		}
	}
	if err := r.StartScenario(t.Context(), "galodo"); err != ErrNoCity {
		t.Error(err)
	}
}
