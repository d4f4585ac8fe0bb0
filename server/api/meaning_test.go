package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
	"kentongan/server/access"
)

func in(d time.Duration) string { return moment.Of(time.Now().Add(d)).String() }

const line = `{"type":"Feature","geometry":{"type":"LineString","coordinates":[[100.60,-0.90],[100.62,-0.92]]},"properties":{}}`

func closes(change string) string {
	doc := map[string]any{}
	for _, part := range []string{fmt.Sprintf(`{"kind":"closure","title":"Jembatan Lolo ditutup","area":%s,"from":%q,"to":%q}`, line, in(time.Hour), in(2*time.Hour)), change} {
		if part == "" {
			continue
		}
		if err := json.Unmarshal([]byte(part), &doc); err != nil {
			panic(err)
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// places lists where a 422 finds faults.
func places(doc map[string]any) string {
	var out []string
	list, _ := doc["errors"].([]any)
	for _, e := range list {
		out = append(out, fmt.Sprint(e.(map[string]any)["location"]))
	}
	return strings.Join(out, " ")
}

func TestPlans(t *testing.T) {
	h := build(t)
	h.put("awlr:1", "river_gauge", -0.9, 100.6, true)
	one := h.want(h.admin("POST", "/api/v1/plans", closes("")), 201)
	if one["state"] != "planned" || one["version"] != 1.0 || one["buffer_m"] != 100.0 || one["holds"] != true || one["by"] != "token:admin" || one["id"] == "" {
		t.Errorf("%v", one)
	}
	if area := one["area"].(map[string]any); area["type"] != "Feature" || area["geometry"].(map[string]any)["type"] != "LineString" || area["properties"].(map[string]any)["name"] == "" {
		t.Errorf("%v", area)
	}
	for _, c := range []struct {
		name, change, at string
	}{
		{"no title", `{"title":" "}`, "body.title"},
		{"no line", `{"area":{"type":"Feature","geometry":{"type":"Point","coordinates":[100.6,-0.9]}}}`, "body.area"},
		{"nothing that is there", `{"things":["awlr:1","awlr:9"],"feeds":["x"],"types":["dragon"],"rules":["y"],"agency":"nobody"}`, "body.things[1] body.feeds[0] body.rules[0] body.types[0] body.agency"},
		{"the wrong way round", fmt.Sprintf(`{"to":%q}`, in(time.Minute)), "body.to"},
		{"over", fmt.Sprintf(`{"from":%q,"to":%q}`, in(-2*time.Hour), in(-time.Hour)), "body.to"},
		{"too wide", `{"buffer_m":9000}`, "body.buffer_m"},
		{"a kind that is none", `{"kind":"party"}`, "body.kind"},
		{"a key that is none", `{"colour":"red"}`, "body.colour"},
	} {
		if got := places(h.want(h.admin("POST", "/api/v1/plans", closes(c.change)), 422)); got != c.at {
			t.Errorf("%s: at %s, want %s", c.name, got, c.at)
		}
	}
	if w := h.admin("POST", "/api/v1/plans", closes(`{"area":{"type":"Feature","geometry":{"type":"LineString","coordinates":[[100.6]]}}}`)); w.Code != 400 && w.Code != 422 {
		t.Errorf("a position of one number: %d %s", w.Code, w.Body)
	}
	path := "/api/v1/plans/" + one["id"].(string)
	h.want(h.admin("PUT", path, closes(`{"version":7}`)), 409)
	late := h.want(h.admin("PUT", path, closes(`{"version":7}`)), 409)
	if late["current"].(map[string]any)["version"] != 1.0 {
		t.Errorf("%v", late)
	}
	edited := h.want(h.admin("PUT", path, closes(fmt.Sprintf(`{"version":1,"title":"Jembatan Lolo","from":%q}`, in(-time.Minute)))), 200)
	if edited["state"] != "running" || edited["version"] != 2.0 || edited["title"] != "Jembatan Lolo" {
		t.Errorf("%v", edited)
	}
	for query, want := range map[string]int{"": 1, "state=running": 1, "state=planned": 0, "kind=closure": 1, "kind=event": 0, "bbox=100.5,-1,100.7,-0.8": 1, "bbox=101,-1,101.1,-0.8": 0, "q=LOLO": 1,
		"from=2090-01-01T00:00:00Z": 0, "to=2020-01-01T00:00:00Z": 0} {
		if got := len(h.want(h.admin("GET", "/api/v1/plans?"+query, ""), 200)["items"].([]any)); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	ended := h.want(h.admin("POST", path+"/cancel", `{"version":2,"reason":"hujan"}`), 200)
	if ended["state"] != "cancelled" || ended["end_reason"] != "hujan" {
		t.Errorf("%v", ended)
	}
	h.want(h.admin("POST", path+"/cancel", `{"version":3}`), 409)
	h.want(h.admin("GET", path, ""), 200)
	h.want(h.admin("GET", "/api/v1/plans/nosuch", ""), 404)

	liaison := h.person("liaison", "", access.Grant{Role: access.Liaison, Agency: "pupr"})
	own := h.want(liaison("POST", "/api/v1/plans", closes("")), 201)
	if own["agency"] != "pupr" {
		t.Errorf("a plan of a liaison is %v's", own["agency"])
	}
	h.want(liaison("POST", "/api/v1/plans", closes(`{"agency":"bpbd"}`)), 403)
	others := h.want(h.admin("POST", "/api/v1/plans", closes(`{"agency":"bpbd"}`)), 201)
	h.want(liaison("POST", "/api/v1/plans/"+others["id"].(string)+"/cancel", `{"version":1}`), 403)
	h.want(liaison("PUT", "/api/v1/plans/"+others["id"].(string), closes(`{"version":1,"agency":"pupr"}`)), 403)
	h.want(liaison("POST", "/api/v1/plans/"+own["id"].(string)+"/cancel", `{"version":1}`), 200)
	h.want(liaison("GET", "/api/v1/plans/"+others["id"].(string), ""), 200)
}

func TestStatements(t *testing.T) {
	h := build(t)
	volcano := `{"scale":"pvmbg","subject":"talang","step":"III","source":"PVMBG","web":"https://magma.esdm.go.id"%s}`
	one := h.want(h.admin("POST", "/api/v1/statements", fmt.Sprintf(volcano, "")), 201)
	if one["state"] != "in_force" || one["name"] != "Gunung Talang" || one["location"] == nil || one["area_name"] == "" || one["stated_at"] == nil || one["by"] != "token:admin" || one["valid_until"] != nil {
		t.Errorf("%v", one)
	}
	for _, c := range []struct{ name, doc, at string }{
		{"a step of a gate", `{"scale":"pvmbg","subject":"talang","step":"V","source":"PVMBG"}`, "body.step"},
		{"no such scale", `{"scale":"richter","subject":"talang","step":"V","source":"PVMBG"}`, "body.scale"},
		{"half a place", `{"scale":"pvmbg","subject":"talang","step":"V","source":"PVMBG","lng":100}`, "body.lng"},
		{"a decree without a number", fmt.Sprintf(`{"scale":"decree","subject":"kabupaten","step":"tanggap_darurat","source":"Bupati","decree":{"number":" ","from":%q}}`, in(0)), "body.decree.number"},
		{"before what stands", fmt.Sprintf(volcano, `,"stated_at":"2020-01-01T00:00:00Z"`), "body.stated_at"},
	} {
		if got := places(h.want(h.admin("POST", "/api/v1/statements", c.doc), 422)); got != c.at {
			t.Errorf("%s: at %s, want %s", c.name, got, c.at)
		}
	}
	two := h.want(h.admin("POST", "/api/v1/statements", fmt.Sprintf(volcano, fmt.Sprintf(`,"valid_until":%q`, in(time.Hour)))), 201)
	for query, want := range map[string]int{"": 2, "state=in_force": 1, "state=replaced": 1, "scale=road": 0, "subject=talang": 2, "q=magma": 0, "q=pvmbg": 2} {
		if got := len(h.want(h.admin("GET", "/api/v1/statements?"+query, ""), 200)["items"].([]any)); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	path := "/api/v1/statements/" + two["id"].(string)
	h.want(h.admin("POST", path+"/withdraw", `{"reason":" ","version":1}`), 422)
	if late := h.want(h.admin("POST", path+"/withdraw", `{"reason":"salah gunung","version":4}`), 409); late["current"].(map[string]any)["id"] != two["id"] {
		t.Errorf("%v", late)
	}
	h.want(h.admin("POST", path+"/withdraw", `{"reason":"salah gunung","version":1}`), 200)
	if got := h.want(h.admin("GET", path, ""), 200); got["state"] != "withdrawn" || got["end_reason"] != "salah gunung" {
		t.Errorf("%v", got)
	}
	h.want(h.admin("GET", "/api/v1/statements/nosuch", ""), 404)

	_, key := h.key(`{"name":"program","scope":"automation"}`)
	h.want(h.ask("POST", "/api/v1/statements", fmt.Sprintf(volcano, ""), "Authorization", "Bearer "+key, "Content-Type", "application/json"), 403) // a person answers for it
	h.want(h.person("op", "", access.Grant{Role: access.Operator})("POST", "/api/v1/statements", fmt.Sprintf(volcano, "")), 403)
	h.want(h.person("sv", "", access.Grant{Role: access.Supervisor})("POST", "/api/v1/statements", fmt.Sprintf(volcano, "")), 201)
}

func TestAreaStatus(t *testing.T) {
	h := build(t)
	const root = "/api/v1/area-status"
	if items := h.want(h.admin("GET", root, ""), 200)["items"].([]any); len(items) != 0 {
		t.Errorf("before anything was judged: %v", items)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.cases.Read(ctx, h.cases.StatusReader()) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	status := func(hazard string) map[string]any {
		for _, one := range h.want(h.admin("GET", root, ""), 200)["items"].([]any) {
			if one := one.(map[string]any); one["id"] == hazard {
				return one
			}
		}
		return nil
	}
	wait := func(hazard string, level float64) map[string]any {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for time.Now().Before(deadline) {
			if one := status(hazard); one != nil {
				if p, ok := one["proposal"].(map[string]any); ok && p["level"] == level || !ok && one["level"] == level {
					return one
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("%s never comes to %v: %v", hazard, level, status(hazard))
		return nil
	}
	wait("area", 1)
	lng, lat := 100.63, -0.83
	if _, err := h.cases.Create(t.Context(), incident.Draft{Type: "flood", Severity: cap.Extreme, Lng: &lng, Lat: &lat}, audit.Actor{Subject: "user:anna"}); err != nil {
		t.Fatal(err)
	}
	flood := wait("flood", 2)
	p := flood["proposal"].(map[string]any)
	evidence := p["evidence"].([]any)[0].(map[string]any)
	if flood["level"] != 1.0 || flood["by"] != "house" || p["code"] != "waspada" || fmt.Sprint(p["rules"]) != "[one-extreme]" || evidence["kind"] != "incident" || evidence["at"] == nil || evidence["area_name"] != "Kubung" ||
		p["reasons"].([]any)[0].(map[string]any)["id"] == "" || flood["names"].(map[string]any)["en"] != "Flood" {
		t.Errorf("%v", flood)
	}
	supervisor, leader, operator := h.person("sv", "", access.Grant{Role: access.Supervisor}), h.person("ld", "", access.Grant{Role: access.Leader}), h.person("op", "", access.Grant{Role: access.Operator})
	set := func(who asker, doc string, want int) map[string]any {
		t.Helper()
		return h.want(who("POST", root, doc), want)
	}
	set(operator, `{"hazard":"flood","level":2,"version":1}`, 403)
	set(supervisor, `{"hazard":"dragon","level":2,"version":1}`, 404)
	set(supervisor, `{"hazard":"flood","level":9,"version":1,"note":"x"}`, 403) // leadership's, whatever it is
	if got := places(set(leader, `{"hazard":"flood","level":9,"version":1,"note":"x"}`, 422)); got != "body.level" {
		t.Errorf("at %s", got)
	}
	if got := places(set(supervisor, `{"hazard":"flood","level":3,"version":1}`, 422)); got != "body.note" {
		t.Errorf("at %s", got)
	}
	if late := set(supervisor, `{"hazard":"flood","level":2,"version":5}`, 409); late["current"].(map[string]any)["id"] != "flood" {
		t.Errorf("%v", late)
	}
	if got := set(supervisor, `{"hazard":"flood","level":2,"version":1,"note":"sesuai"}`, 200); got["level"] != 2.0 || got["code"] != "waspada" || got["proposal"] != nil || got["note"] != "sesuai" || len(got["evidence"].([]any)) != 1 || !strings.HasPrefix(got["by"].(string), "user:") {
		t.Errorf("%v", got)
	}
	set(supervisor, `{"hazard":"flood","level":4,"version":2,"note":"x"}`, 403)
	set(leader, `{"hazard":"flood","level":4,"version":2,"note":"bendung jebol"}`, 200)
	set(supervisor, `{"hazard":"flood","level":2,"version":3,"note":"x"}`, 403) // nor may it be taken back
	h.want(supervisor("POST", root+"/flood/revert", `{"version":3,"reason":"x"}`), 403)
	h.want(leader("POST", root+"/flood/revert", `{"version":9,"reason":"kabar salah"}`), 409)
	back := h.want(leader("POST", root+"/flood/revert", `{"version":3,"reason":"kabar salah"}`), 200)
	if back["level"] != 2.0 || len(back["evidence"].([]any)) != 1 || back["note"] != "kabar salah" {
		t.Errorf("%v", back)
	}
	h.want(supervisor("POST", root+"/flood/revert", `{"version":4,"reason":"sudah surut"}`), 200)
	h.want(supervisor("POST", root+"/flood/revert", `{"version":5,"reason":"lagi"}`), 409)

	history := h.want(operator("GET", root+"/flood/history", ""), 200)["items"].([]any)
	var acts []string
	for _, e := range history {
		e := e.(map[string]any)
		acts = append(acts, fmt.Sprintf("%v %v", e["act"], e["status"].(map[string]any)["level"]))
	}
	if got := strings.Join(acts, ", "); got != "reverted 1, reverted 2, confirmed 4, confirmed 2, proposed 1, begun 1" {
		t.Errorf("the history is %s", got)
	}
	h.want(h.admin("GET", root+"/dragon/history", ""), 404)
	h.want(h.admin("GET", root+"/flood/history?page=x", ""), 422)
	_, key := h.key(`{"name":"program","scope":"automation"}`)
	h.want(h.ask("POST", root, `{"hazard":"flood","level":2,"version":6,"note":"x"}`, "Authorization", "Bearer "+key, "Content-Type", "application/json"), 403)
}
