package api

import (
	"fmt"
	"testing"

	"kentongan/feeds/cap"
	"kentongan/server/access"
)

// A comment is said once under a key, also of what somebody else changed meanwhile, and only by who works the incident.
func TestACommentIsSaidOnce(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Moderate)
	path := "/api/v1/incidents/" + in.ID
	operator, leader := h.person("op", "", access.Grant{Role: access.Operator}), h.person("pim", "", access.Grant{Role: access.Leader})
	first := h.want(h.admin("POST", path+"/comments", `{"text":"air \u202esurut"}`, "Idempotency-Key", "k-1"), 201)
	if first["text"] != "air surut" {
		t.Errorf("%v", first)
	}
	h.want(operator("POST", path+"/transitions", `{"to":"acknowledged","version":1}`), 200) // a comment makes nobody late
	if again := h.want(h.admin("POST", path+"/comments", `{"text":"air surut"}`, "Idempotency-Key", "k-1"), 201); again["id"] != first["id"] {
		t.Errorf("%v", again)
	}
	h.want(h.admin("POST", path+"/comments", `{"text":"lain"}`, "Idempotency-Key", "k-1"), 422)
	h.want(operator("POST", path+"/comments", `{"text":" "}`), 422)
	h.want(leader("POST", path+"/comments", `{"text":"cepat"}`), 403) // not grave
	if doc := h.want(operator("GET", path, ""), 200); len(doc["comments"].([]any)) != 1 {
		t.Errorf("%v", doc["comments"])
	}
	h.want(operator("GET", "/api/v1/incidents/"+in.ID+"/comments", ""), 405)
}

// Leadership comments on what is grave, reads its own words, and nobody else's; it does nothing else.
func TestLeadershipComments(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Severe)
	path := "/api/v1/incidents/" + in.ID
	operator, leader, pio := h.person("op", "", access.Grant{Role: access.Operator}), h.person("pim", "", access.Grant{Role: access.Leader}), h.person("humas", "", access.Grant{Role: access.PIO})
	auditing := h.person("dua", "", access.Grant{Role: access.Leader}, access.Grant{Role: access.Auditor})
	h.want(operator("POST", path+"/comments", `{"text":"warga naik ke atap"}`), 201)
	said := h.want(leader("POST", path+"/comments", `{"text":"Dahulukan rumah sakit"}`), 201)
	if said["text"] != "Dahulukan rumah sakit" {
		t.Errorf("%v", said)
	}
	h.want(pio("POST", path+"/comments", `{"text":"cek"}`), 403)
	h.want(auditing("POST", path+"/comments", `{"text":"cek"}`), 403)
	for _, act := range []string{"/transitions", "/dispute", "/checklist", "/attachments?kind=file"} {
		h.want(leader("POST", path+act, map[string]string{"/transitions": `{"to":"acknowledged","version":1}`, "/dispute": `{"text":"x"}`, "/checklist": `{"key":"x","done":true}`}[act]), 403)
	}
	if seen := h.want(leader("GET", path, ""), 200)["comments"].([]any); len(seen) != 1 || seen[0].(map[string]any)["id"] != said["id"] {
		t.Errorf("the leader reads %v", seen)
	}
	if seen := h.want(operator("GET", path, ""), 200)["comments"].([]any); len(seen) != 2 {
		t.Errorf("the desk reads %v", seen)
	}
}

// The agency that is asked sees the incident, and its own desk says yes; another agency's does not.
func TestTheAgencyThatIsAskedAnswers(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Moderate)
	path := "/api/v1/incidents/" + in.ID
	liaison := func(name, agency string) asker {
		return h.person(name, "", access.Grant{Role: access.Liaison, Agency: agency})
	}
	operator, damkar, dishub := h.person("op", "", access.Grant{Role: access.Operator}), liaison("dk", "damkar"), liaison("dh", "dishub")
	h.want(operator("POST", path+"/handover", `{"to":"damkar"}`), 422)
	h.want(operator("POST", path+"/handover", `{"to":"nosuch","version":1}`), 422)
	h.want(damkar("POST", path+"/handover", `{"to":"damkar","version":1}`), 403)
	asked := h.want(operator("POST", path+"/handover", `{"to":"damkar","note":"tabung gas","version":1}`), 200)
	if ho, _ := asked["handover"].(map[string]any); ho["to"] != "damkar" || ho["due"] == nil || asked["lead_agency"] != "bpbd" {
		t.Fatalf("%v", asked["handover"])
	}
	h.want(operator("POST", path+"/handover/accept", `{"version":2}`), 403)
	h.want(dishub("POST", path+"/handover/accept", `{"version":2}`), 403)
	h.want(damkar("POST", path+"/handover/decline", `{"version":2}`), 422)
	h.want(damkar("POST", path+"/handover/accept", `{"version":1}`), 409)
	led := h.want(damkar("POST", path+"/handover/accept", `{"version":2,"external_id":"DK-9"}`), 200)
	if led["lead_agency"] != "damkar" || led["handover"] != nil {
		t.Errorf("%v", led)
	}
	for i, act := range []string{"accept", "decline"} {
		h.want(damkar("POST", path+"/handover/"+act, fmt.Sprintf(`{"version":%d,"note":"x"}`, 3+0*i)), 409)
	}
	h.want(operator("POST", path+"/handover", `{"to":"neighbour:kota-solok","version":3}`), 200)
	h.want(operator("POST", path+"/handover/accept", `{"version":4}`), 422)
	h.want(operator("POST", path+"/transitions", `{"to":"cancelled","reason":"out_of_area","version":4}`), 409)
	taken := h.want(operator("POST", path+"/handover/accept", `{"version":4,"external_id":"SJJ-1"}`), 200)
	if refs := taken["external_refs"].([]any); len(refs) != 2 {
		t.Errorf("%v", refs)
	}
}
