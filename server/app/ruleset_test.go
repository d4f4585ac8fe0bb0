package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"kentongan/geo/redistest"
)

// defined is what a rule needs beside its condition to be switched on.
const defined = `"samples":1,"alert":{"event":"Hujan deras","category":"Met","severity":"Severe","urgency":"Immediate","certainty":"Observed"},"consequence":"c","response":"r","act_within":"20m","owner":"bpbd","review":"2027-06-01"`

func ruleAt(r *running, id string) map[string]any {
	_, doc := r.ask("GET", "/api/v1/rules", "")
	items, _ := doc["items"].([]any)
	for _, one := range items {
		if m, _ := one.(map[string]any); m["id"] == id {
			return m
		}
	}
	return nil
}

// readingAt says a value of a property of a Thing of feed awlr.
func readingAt(thing, property string, value float64, at time.Time) string {
	return fmt.Sprintf(`{"thing":%q,"property":%q,"value":%g,"at":%q,"lat":-0.83,"lng":100.63}`, thing, property, value, at.UTC().Format(time.RFC3339Nano))
}

func alertsOf(r *running, rule string) (active, over int) {
	_, doc := r.ask("GET", "/api/v1/alerts?limit=1000", "")
	items, _ := doc["items"].([]any)
	for _, one := range items {
		if m, _ := one.(map[string]any); m["rule"] == rule {
			if m["state"] == "active" {
				active++
			} else {
				over++
			}
		}
	}
	return active, over
}

// A rule made at one server is judged, wherever that is, within 2 s; changed, it clears what it had firing; removed and put back the same.
func TestRulesComeAndGoOnTwoServers(t *testing.T) {
	t.Parallel() // it mostly waits
	store := redistest.Private(t).URL()
	a, b := beside(t, "a", store, several), beside(t, "b", store, several)
	both := map[string]*running{"a": a, "b": b}
	if code, doc := a.ask("POST", "/api/v1/ingest/awlr", readingAt("r1", "rainfall", 1, time.Now())); code != http.StatusAccepted {
		t.Fatal(code, doc)
	}
	put := func(r *running, config string, version int) (int, map[string]any) {
		return r.ask("PUT", "/api/v1/rules/hujan", fmt.Sprintf(`{"config":{%s,%s},"version":%d}`, config, defined, version))
	}
	eventually(t, 5*time.Second, "the property is known", func() bool {
		code, _ := put(a, `"when":"obs.property == \"rainfall\" && obs.value > 20.0"`, 0)
		return code == http.StatusOK
	})
	for name, r := range both {
		took := eventually(t, 2*time.Second, name+" has it", func() bool { m := ruleAt(r, "hujan"); return m != nil && m["source"] == "api" && m["version"] == 1.0 })
		t.Logf("%s has it after %s", name, took.Round(time.Millisecond))
	}
	if code, doc := b.ask("POST", "/api/v1/ingest/awlr", readingAt("r1", "rainfall", 30, time.Now())); code != http.StatusAccepted {
		t.Fatal(code, doc)
	}
	eventually(t, 20*time.Second, "it fires", func() bool { n, _ := alertsOf(a, "hujan"); return n == 1 })
	for name, r := range both {
		eventually(t, 5*time.Second, name+" knows where", func() bool { return strings.Contains(fmt.Sprint(ruleAt(r, "hujan")["firing"]), "awlr:r1") })
	}
	if code, doc := put(b, `"when":"obs.property == \"rainfall\" && obs.value > 50.0"`, 1); code != http.StatusOK || doc["version"] != 2.0 {
		t.Fatal(code, doc)
	}
	eventually(t, 5*time.Second, "what fired under the old rule is over", func() bool { n, over := alertsOf(a, "hujan"); return n == 0 && over == 1 })
	if code, doc := a.ask("POST", "/api/v1/rules/hujan/rollback", `{"to":1,"version":2}`); code != http.StatusOK || doc["version"] != 3.0 || !strings.Contains(fmt.Sprint(doc["when"]), "20.0") {
		t.Fatal(code, doc)
	}
	if code, doc := a.ask("DELETE", "/api/v1/rules/hujan?version=3", ""); code != http.StatusNoContent {
		t.Fatal(code, doc)
	}
	for name, r := range both {
		eventually(t, 2*time.Second, "it is gone at "+name, func() bool { return ruleAt(r, "hujan") == nil })
	}
	code, doc := b.ask("GET", "/api/v1/rules/hujan/versions", "")
	items, _ := doc["items"].([]any)
	if code != http.StatusOK || len(items) != 4 || items[0].(map[string]any)["deleted"] != true {
		t.Errorf("%d %v", code, doc)
	}
	known(t, a.rdb)
}

// What the interface refuses, with line and reason; the rule in force stays.
func TestRulesThroughTheInterfaceAreStrict(t *testing.T) {
	t.Parallel()
	r := serve(t, t.TempDir())
	r.ask("POST", "/api/v1/ingest/awlr", readingAt("r1", "rainfall", 1, time.Now()))
	r.ask("POST", "/api/v1/ingest/awlr", readingAt("r1", "water_level", 1, time.Now()))
	ask := func(id, body string) (int, string) {
		code, doc := r.ask("PUT", "/api/v1/rules/"+id, body)
		text, _ := json.Marshal(doc)
		return code, string(text)
	}
	config := func(when string) string { return fmt.Sprintf(`{"config":{"when":%q,%s}}`, when, defined) }
	for _, c := range []struct {
		name, id, body string
		code           int
		says           []string
	}{
		{"of the file", "muka-air", config(`obs.value > 3.0`), 409, []string{`"source":"file"`, "configuration file"}},
		{"type", "a", config(`obs.property > 3.0`), 422, []string{`"location":"body.config.when"`, `"line":1`, "column"}},
		{"name", "a", config(`obs.propert == "x"`), 422, []string{"obs.propert", "did you mean"}},
		{"property", "a", config(`obs.property == "rainfal" && obs.value > 3.0`), 422, []string{`did you mean \"rainfall\"?`, "force=1"}},
		{"endless", "a", config(`[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, a+b+c+d+e > 0)))))`), 422, []string{"body.config.when"}},
		{"definition", "a", `{"config":{"when":"obs.property == \"rainfall\"","alert":{"event":"x","category":"Met","severity":"Severe","urgency":"Immediate","certainty":"Observed"}}}`, 422,
			[]string{"consequence", "response", "act_within", "owner", "review"}},
		{"key", "a", strings.Replace(config(`obs.value > 3.0`), `"owner"`, `"owners"`, 1), 422, []string{"body.config.owners"}},
		{"text", "a", `{"config":`, 422, []string{"errors"}},
		{"well", "a", config(`obs.property == "rainfall" && obs.value > 3.0`), 200, []string{`"source":"api"`, `"version":1`}},
		{"stale", "a", config(`obs.property == "rainfall" && obs.value > 4.0`), 409, []string{`"version":1`}},
	} {
		code, text := ask(c.id, c.body)
		if code != c.code {
			t.Errorf("%s: %d %s", c.name, code, text)
		}
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s\nlacks %s", c.name, text, want)
			}
		}
	}
	if code, text := ask("a", strings.Replace(config(`obs.property > 3.0`), `}}`, `},"version":1}`, 1)); code != 422 {
		t.Errorf("%d %s", code, text)
	}
	if m := ruleAt(r, "a"); m == nil || m["version"] != 1.0 {
		t.Errorf("the rule in force: %v", m)
	}
	if code, _ := r.ask("PUT", "/api/v1/rules/b?force=1", config(`obs.property == "snow" && obs.value > 3.0`)); code != 200 {
		t.Errorf("with force: %d", code)
	}
	if m := ruleAt(r, "b"); !strings.Contains(fmt.Sprint(m["warnings"]), `no feed has said "snow" yet`) {
		t.Errorf("%v", m["warnings"])
	}
	for _, c := range []struct {
		path string
		code int
	}{{"/api/v1/rules/muka-air?version=1", 409}, {"/api/v1/rules/nosuch?version=1", 404}, {"/api/v1/rules/a?version=7", 409}, {"/api/v1/rules/a?version=1", 204}} {
		if code, doc := r.ask("DELETE", c.path, ""); code != c.code {
			t.Errorf("DELETE %s: %d %v", c.path, code, doc)
		}
	}
}

// The rules of the file follow the file; with faults in it those of before stay, and /readyz says so.
func TestRulesOfTheFileFollowTheFile(t *testing.T) {
	t.Parallel()
	r := serve(t, t.TempDir())
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(r.ruleSet.from.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.ask("POST", "/api/v1/ingest/awlr", readingAt("r1", "water_level", 3.4, time.Now()))
	eventually(t, 5*time.Second, "it fires", func() bool { n, _ := alertsOf(r, "muka-air"); return n == 1 })
	write(strings.Replace(settings, "obs.value >= 3.0", "obs.value >= x", 1))
	eventually(t, 3*time.Second, "the fault is told", func() bool {
		_, doc := r.ask("GET", "/readyz", "")
		return strings.Contains(fmt.Sprint(doc["warnings"]), "rules[0].when")
	})
	if m := ruleAt(r, "muka-air"); m == nil || !strings.Contains(fmt.Sprint(m["when"]), "3.0") {
		t.Errorf("%v", m)
	}
	write(strings.Replace(settings, "obs.value >= 3.0", "obs.value >= 5.0", 1))
	took := eventually(t, 2*time.Second, "the change is in force", func() bool { return strings.Contains(fmt.Sprint(ruleAt(r, "muka-air")["when"]), "5.0") })
	t.Logf("in force %s after it was written", took.Round(time.Millisecond))
	eventually(t, 3*time.Second, "what fired under the old rule is over", func() bool { n, over := alertsOf(r, "muka-air"); return n == 0 && over == 1 })
	if _, doc := r.ask("GET", "/readyz", ""); strings.Contains(fmt.Sprint(doc["warnings"]), "rules[0]") {
		t.Errorf("%v", doc["warnings"])
	}
	// A rule that names what no feed says is refused by itself, with its line; the one of before stays.
	write(strings.Replace(settings, `obs.property == "water_level" && obs.value >= 3.0`, `obs.property == "watr_level" && obs.value >= 6.0`, 1))
	eventually(t, 15*time.Second, "the property is told", func() bool {
		_, doc := r.ask("GET", "/readyz", "")
		text := fmt.Sprint(doc["warnings"])
		return strings.Contains(text, "rules[0].when: rule muka-air: no feed has ever said the property \"watr_level\"; did you mean \"water_level\"?") && strings.Contains(text, "line ")
	})
	if m := ruleAt(r, "muka-air"); m == nil || !strings.Contains(fmt.Sprint(m["when"]), "5.0") {
		t.Errorf("%v", m)
	}
	// What nobody can read in the store is replaced through the interface.
	if err := r.rdb.HSet(t.Context(), r.keys.RuleConfig(), "hujan", `{"v":`).Err(); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"config":{"when":"obs.property == \"water_level\" && obs.value > 50.0",%s}}`, defined)
	if code, doc := r.ask("PUT", "/api/v1/rules/hujan", body); code != http.StatusOK {
		t.Errorf("%d %v", code, doc)
	}
}
