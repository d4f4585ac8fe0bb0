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

// A feed made at one server is there at both within 2 s, its pushes are taken by both, and a poll runs on one; changed and removed the same.
func TestFeedsComeAndGoOnTwoServers(t *testing.T) {
	t.Parallel() // it mostly waits
	store := redistest.Private(t).URL()
	a, b := beside(t, "a", store, several), beside(t, "b", store, several)
	both := map[string]*running{"a": a, "b": b}
	code, doc := a.ask("PUT", "/api/v1/feeds/baru", `{"config":{"format":"native","transport":"push","kind":"river_gauge","interval":"60s"}}`)
	if code != http.StatusOK || doc["version"] != 1.0 || doc["source"] != "api" {
		t.Fatal(code, doc)
	}
	reading := `{"thing":"n1","property":"water_level","value":1,"lat":-0.83,"lng":100.63}`
	for name, r := range both {
		took := eventually(t, 2*time.Second, "a push at "+name, func() bool {
			code, doc := r.ask("POST", "/api/v1/ingest/baru", reading)
			return code == http.StatusAccepted && doc["accepted"] == 1.0
		})
		t.Logf("%s takes it after %s", name, took.Round(time.Millisecond))
		st := status(r, "baru")
		if st["source"] != "api" || st["version"] != 1.0 || status(r, "awlr")["source"] != "file" {
			t.Errorf("%s: %v", name, st)
		}
	}
	s := newSource(t)
	if code, doc := b.ask("PUT", "/api/v1/feeds/tanya", fmt.Sprintf(`{"config":{"format":"native","transport":"poll","url":%q,"every":"1s","allow_private":true}}`, s.URL)); code != http.StatusOK {
		t.Fatal(code, doc)
	}
	eventually(t, 10*time.Second, "the poll runs", func() bool { return s.count() > 3 })
	s.mu.Lock()
	if s.most > 1 {
		t.Errorf("%d servers ask at once", s.most)
	}
	s.mu.Unlock()
	for name, r := range both {
		eventually(t, 5*time.Second, name+" knows how it fares", func() bool { st := status(r, "tanya"); return st["state"] == "ok" && st["last_success"] != nil })
	}
	if code, doc := b.ask("PUT", "/api/v1/feeds/baru", `{"config":{"format":"native","kind":"rain_gauge"},"version":1}`); code != http.StatusOK || doc["version"] != 2.0 {
		t.Fatal(code, doc)
	}
	eventually(t, 2*time.Second, "a has the change", func() bool { return status(a, "baru")["version"] == 2.0 && status(a, "baru")["kind"] == "rain_gauge" })
	_, made := a.ask("POST", "/api/v1/keys", `{"name":"n","feed":"baru"}`)
	for _, feed := range []string{"baru?version=2", "tanya?version=1"} {
		if code, doc := a.ask("DELETE", "/api/v1/feeds/"+feed, ""); code != http.StatusNoContent {
			t.Fatal(code, doc)
		}
	}
	for name, r := range both {
		eventually(t, 2*time.Second, "it is gone at "+name, func() bool {
			code, _ := r.ask("POST", "/api/v1/ingest/baru", reading)
			return code == http.StatusNotFound && status(r, "tanya") == nil
		})
	}
	eventually(t, 5*time.Second, "nobody asks any longer", func() bool { n := s.count(); time.Sleep(1500 * time.Millisecond); return s.count() == n })
	if code, doc := b.ask("GET", "/api/v1/things/baru:n1", ""); code != http.StatusOK {
		t.Errorf("what the feed brought is gone with it: %d %v", code, doc)
	}
	_, list := b.ask("GET", "/api/v1/keys", "")
	if k := list["items"].([]any)[0].(map[string]any); k["id"] != made["id"] || k["revoked_at"] == nil {
		t.Errorf("the key of a feed that is gone: %v, made %v", k, made)
	}
	known(t, a.rdb)
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func status(r *running, feed string) map[string]any {
	_, doc := r.ask("GET", "/api/v1/feeds", "")
	items, _ := doc["items"].([]any)
	for _, one := range items {
		if st, _ := one.(map[string]any); st["name"] == feed {
			return st
		}
	}
	return nil
}

// What the interface refuses, and what it never shows.
func TestFeedsThroughTheInterfaceAreStrict(t *testing.T) {
	t.Parallel()
	server := redistest.Private(t)
	r := beside(t, "a", server.URL(), several)
	put := func(name, config string, version int) (int, string) {
		code, doc := r.ask("PUT", "/api/v1/feeds/"+name, fmt.Sprintf(`{"config":%s,"version":%d}`, config, version))
		text, _ := json.Marshal(doc)
		return code, string(text)
	}
	for _, c := range []struct {
		name, config string
		version      int
		code         int
		says         []string
	}{
		{"awlr", `{"format":"native"}`, 0, 409, []string{`"source":"file"`, `"kind":"river_gauge"`}},
		{"x", `{"format":"native"}`, 3, 409, []string{"there is no such feed"}},
		{"x", `{"format":"nativ","evry":"5s","transport":"poll","map":"{"}`, 0, 422, []string{`"key":"format"`, `"key":"evry"`, "did you mean every?", `"key":"url"`, `"key":"map"`}},
		{"x", `{"format":"native","format":"cap"}`, 0, 422, []string{`"key":"format"`, "given twice"}},
		{"x", `{"name":"y","format":"native"}`, 0, 422, []string{`"key":"name"`}},
		{"x", `{"format":"native","transport":"file","path":"/etc/passwd"}`, 0, 422, []string{`"key":"path"`, `"key":"transport"`}},
		{"x", `{"format":"native","register":"/etc/passwd"}`, 0, 422, []string{`"key":"register"`}},
		{"x", `{"format":"gtfsrt","options":{"static":"/etc/passwd"}}`, 0, 422, []string{`"key":"options.static"`}},
		{"x", `{"format":"native","transport":"poll","url":"https://x.example/","auth":{"bearer_file":"/etc/passwd"}}`, 0, 422, []string{`"key":"auth.bearer_file"`}},
		{"x", `{"format":"native","transport":"poll","url":"https://x.example/","auth":{"bearer":"<secret>"}}`, 0, 422, []string{`"key":"auth.bearer"`, "no secret to keep"}},
		{"x", `{"format":"native"`, 0, 422, []string{"does not parse"}},
	} {
		code, text := put(c.name, c.config, c.version)
		for _, says := range c.says {
			if code != c.code || !strings.Contains(text, says) {
				t.Errorf("%s: %d %s, want %d and %s", c.config, code, text, c.code, says)
			}
		}
		if strings.Contains(text, "root:") || strings.Contains(text, "columns") {
			t.Errorf("%s: a file was read: %s", c.config, text)
		}
	}
	const secret, second = "s3cr3t-of-the-agency", "an0ther-secret"
	config := func(bearer, every string) string {
		return fmt.Sprintf(`{"format":"native","transport":"poll","url":"https://x.invalid/a?key=1","every":%q,"auth":{"bearer":%q},"headers":{"X-Key":%q}}`, every, bearer, bearer)
	}
	if code, text := put("rahasia", config(secret, "60s"), 0); code != 200 || !strings.Contains(text, `"bearer":"\u003csecret\u003e"`) {
		t.Error(code, text)
	}
	if code, text := put("rahasia", config("<secret>", "90s"), 1); code != 200 {
		t.Error(code, text)
	}
	if code, text := put("rahasia", config("<secret>", "90s"), 1); code != 409 || !strings.Contains(text, `"version":2`) || !strings.Contains(text, `"every":"1m30s"`) {
		t.Error(code, text)
	}
	if code, text := put("rahasia", config(second, "90s"), 2); code != 200 {
		t.Error(code, text)
	}
	kept, err := r.cases.FeedVersions(t.Context(), "rahasia")
	for i := range kept {
		if strings.Contains(string(kept[i].Config), secret) || strings.Contains(string(kept[i].Config), second) {
			t.Error("a secret lies open in the store")
		}
		kept[i] = r.unsealFeed(kept[i])
	}
	if err != nil || len(kept) != 3 || strings.Count(string(kept[1].Config), secret) != 2 || !strings.Contains(string(kept[0].Config), second) {
		t.Errorf("%v: the secret is not kept: %+v", err, kept)
	}
	for _, path := range []string{"/api/v1/feeds", "/api/v1/feeds/rahasia", "/api/v1/feeds/rahasia/versions", "/api/v1/audit", "/readyz"} {
		_, doc := r.ask("GET", path, "")
		text, _ := json.Marshal(doc)
		if strings.Contains(string(text), secret) || strings.Contains(string(text), second) {
			t.Errorf("%s shows a secret: %s", path, text)
		}
		if path == "/api/v1/audit" && (!strings.Contains(string(text), "feed.made") || !strings.Contains(string(text), "changed: every")) {
			t.Errorf("audit: %s", text)
		}
	}
	if log := r.log.String(); strings.Contains(log, secret) || strings.Contains(log, second) {
		t.Error("the log shows a secret")
	}
	if e, _ := r.feedSet.Entry("rahasia", false); strings.Contains(fmt.Sprint(e), "key=1") {
		t.Errorf("a query is shown to who may not change feeds: %v", e)
	}
}

// The file wins over the store, and says so.
func TestTheFilesFeedIsInForce(t *testing.T) {
	t.Parallel()
	store := redistest.Private(t).URL()
	a := beside(t, "a", store, several)
	if code, doc := a.ask("PUT", "/api/v1/feeds/dua", `{"config":{"format":"cap"}}`); code != http.StatusOK {
		t.Fatal(code, doc)
	}
	b := beside(t, "b", store, several+"  # the file has it now\n"+"")
	if st := status(b, "dua"); st["format"] != "cap" {
		t.Errorf("a server that starts later: %v", st)
	}
	c := beside(t, "c", store, strings.Replace(several, "feeds:\n", "feeds:\n  - {name: dua, format: native}\n", 1))
	if st := status(c, "dua"); st["format"] != "native" || st["source"] != "file" {
		t.Errorf("%v", st)
	}
	if _, doc := c.ask("GET", "/readyz", ""); !strings.Contains(fmt.Sprint(doc["warnings"]), "feed dua: the configuration file has a feed of this name") {
		t.Errorf("%v", doc)
	}
}

// A try through the interface: the store judges, nothing is stored, and settings do not reach into the machine.
func TestTryThroughTheInterface(t *testing.T) {
	t.Parallel()
	r := beside(t, "a", redistest.Private(t).URL(), several)
	yaml := "- name: sungai\n  format: json\n  options: {each: '.data[]'}\n  places: |\n    thing,lat,lng\n    LB-1,-0.83,100.63\n  map: |\n    {thing: .k, property: \"water_level\", unit: \"m\", value: .v}\n"
	ask := func(in map[string]any) (int, map[string]any) {
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		return r.ask("POST", "/api/v1/feeds/try", string(b))
	}
	code, doc := ask(map[string]any{"yaml": yaml, "body": `{"data":[{"k":"LB-1","v":1.5},{"k":"","v":2}]}`})
	records := doc["records"].(map[string]any)["observations"].([]any)
	receipt := doc["receipt"].(map[string]any)
	if code != 200 || receipt["accepted"] != 1.0 || len(receipt["rejected"].([]any)) != 1 || records[0].(map[string]any)["lat"] != -0.83 || doc["bytes"] != 46.0 {
		t.Errorf("%d %v", code, doc)
	}
	if _, things := r.ask("GET", "/api/v1/things", ""); len(things["items"].([]any)) != 0 {
		t.Errorf("a try is stored: %v", things)
	}
	path := t.TempDir() + "/r.csv"
	if err := os.WriteFile(path, []byte("TOPSECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in   map[string]any
		says string
	}{
		{map[string]any{"config": map[string]any{"name": "a", "format": "native", "register": path}, "body": "{}"}, "names a file"},
		{map[string]any{"config": map[string]any{"name": "a", "format": "native"}, "body": "{"}, `"key":"body"`},
		{map[string]any{"config": map[string]any{"name": "a", "format": "native", "transport": "poll", "url": "http://127.0.0.1:1/"}, "fetch": true}, "address"},
		{map[string]any{"yaml": "- name: a\n  format: native\n  evry: 5s\n", "body": "{}"}, `"line":3`},
		{map[string]any{"body": "{}"}, "give config or yaml"},
		{map[string]any{"yaml": yaml, "body": "x", "fetch": true}, "give one of"},
		{map[string]any{"yaml": yaml, "bodi": "x"}, "bodi"},
	} {
		_, doc := ask(c.in)
		if text, _ := json.Marshal(doc); !strings.Contains(string(text), c.says) || strings.Contains(string(text), "TOPSECRET") {
			t.Errorf("%v: %s", c.in, text)
		}
	}
}
