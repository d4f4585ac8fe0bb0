package api

import (
	"fmt"
	"strings"
	"testing"

	"kentongan/server/access"
)

// Two incidents that are one, one that is two, and what belongs to it: each act is in the timeline and can be taken back.
func TestWhatBelongsTogether(t *testing.T) {
	h := build(t)
	h.put("awlr:lembang", "river_gauge", -0.83, 100.63, true)
	const root = "/api/v1/incidents/"
	a := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","title":"Selayo","lng":100.63,"lat":-0.83,"note":"a"}`), 201)["id"].(string)
	b := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","title":"Saok Laweh","lng":100.631,"lat":-0.83,"note":"b"}`), 201)["id"].(string)
	post := func(id, act, body string, want int) map[string]any {
		t.Helper()
		return h.want(h.admin("POST", root+id+"/"+act, body), want)
	}
	get := func(id string) map[string]any { t.Helper(); return h.want(h.admin("GET", root+id, ""), 200) }
	evidence := func(doc map[string]any) int { return len(doc["evidence"].([]any)) }

	post(b, "merge", fmt.Sprintf(`{"into":%q,"version":7}`, a), 409)
	post(b, "merge", `{"into":"01NOWHERE","version":1}`, 404)
	post(b, "merge", fmt.Sprintf(`{"into":%q,"version":1}`, b), 422)
	stays := post(b, "merge", fmt.Sprintf(`{"into":%q,"version":1,"note":"same water"}`, a), 200)
	if stays["id"] != a || evidence(stays) != 2 || stays["version"] != 2.0 || len(stays["merged"].([]any)) != 1 {
		t.Fatalf("%v", stays)
	}
	gone := get(b)
	if gone["status"] != "cancelled" || gone["merged_into"] != a || gone["outcome"] != "duplicate" {
		t.Errorf("%v", gone)
	}
	back := post(b, "unmerge", `{"version":2}`, 200)
	if back["status"] != "new" || back["merged_into"] != nil || evidence(get(a)) != 1 {
		t.Errorf("%v\n%v", back, get(a))
	}
	post(b, "unmerge", `{"version":3}`, 409)

	more := post(a, "evidence", `{"kind":"observation","ref":"awlr:lembang","version":3,"note":"it rises"}`, 200)
	if evidence(more) != 2 || more["version"] != 4.0 {
		t.Errorf("%v", more)
	}
	for _, bad := range []string{`{"kind":"observation","ref":"awlr:nowhere"}`, `{"kind":"report","ref":"lapor:1"}`, `{"kind":"alert","ref":"01X"}`, `{"kind":"statement","ref":"01X"}`, `{"kind":"alert"}`,
		`{"kind":"alert","ref":"x","remove":"x"}`, `{"remove":"awlr:nowhere"}`, `{"note":"x"}`} {
		post(a, "evidence", strings.Replace(bad, "{", `{"version":4,`, 1), 422)
	}
	part := post(a, "split", `{"evidence":["awlr:lembang"],"type":"river_high","title":"Lembang","version":4}`, 201)
	if part["split_from"] != a || part["type"] != "river_high" || part["status"] != "new" || evidence(part) != 1 || evidence(get(a)) != 1 || part["number"] == get(a)["number"] {
		t.Errorf("%v\n%v", part, get(a))
	}
	one := post(part["id"].(string), "merge", fmt.Sprintf(`{"into":%q,"version":1}`, a), 200)
	if evidence(one) != 2 {
		t.Errorf("taken back: %v", one)
	}
	less := post(a, "evidence", fmt.Sprintf(`{"remove":"awlr:lembang","version":%v}`, one["version"]), 200)
	if evidence(less) != 1 {
		t.Errorf("%v", less)
	}
	var acts []string
	for _, e := range get(a)["timeline"].([]any) {
		acts = append(acts, e.(map[string]any)["act"].(string))
	}
	if got := strings.Join(acts, " "); got != "opened merged unmerged evidence_added split merged evidence_removed" {
		t.Errorf("the timeline tells %q", got)
	}
}

// Whoever may not end an incident does not merge it away, and what somebody does not see is not there.
func TestWhoMayMerge(t *testing.T) {
	h := build(t)
	in := func(typ, severity string) string {
		t.Helper()
		return h.want(h.admin("POST", "/api/v1/incidents", fmt.Sprintf(`{"type":%q,"severity":%q,"lng":100.63,"lat":-0.83}`, typ, severity)), 201)["id"].(string)
	}
	minor, grave := in("flood", "Minor"), in("flood", "Extreme")
	operator, leader := h.person("op", "", access.Grant{Role: access.Operator}), h.person("lead", "", access.Grant{Role: access.Leader})
	elsewhere := h.person("else", "", access.Grant{Role: access.Supervisor, Areas: []string{"Gunung Talang"}})
	for _, c := range []struct {
		who      asker
		id, into string
		want     int
	}{
		{leader, minor, grave, 403}, {operator, grave, minor, 403}, {elsewhere, minor, grave, 404}, {operator, minor, grave, 200},
	} {
		got := c.who("POST", "/api/v1/incidents/"+c.id+"/merge", fmt.Sprintf(`{"into":%q,"version":1}`, c.into))
		if got.Code != c.want {
			t.Errorf("%s into %s: %d, want %d: %s", c.id, c.into, got.Code, c.want, got.Body)
		}
	}
}
