package api

import (
	"fmt"
	"testing"
	"time"

	"kentongan/feeds/cap"
	"kentongan/server/access"
)

// An act in the field carries when it was done and a key; sent again it is answered as the first time.
func TestAFieldActIsDoneOnceAtItsOwnTime(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Minor)
	path, at := "/api/v1/incidents/"+in.ID+"/transitions", in.Times.TSignal.Add(time.Millisecond)
	body := fmt.Sprintf(`{"to":"acknowledged","at":%q}`, at.Format(time.RFC3339Nano))
	dispatcher := h.person("dis", "", access.Grant{Role: access.Dispatcher})
	h.want(dispatcher("POST", path, body), 422) // no version, no key
	keyed := func(body string) map[string]any {
		t.Helper()
		return h.want(h.admin("POST", path, body, "Idempotency-Key", "k-1"), 200)
	}
	first := keyed(body)
	times := first["times"].(map[string]any)
	if first["status"] != "acknowledged" || times["t_ack"] != in.Times.TSignal.UTC().Add(time.Millisecond).Format("2006-01-02T15:04:05.000Z") || first["times_source"].(map[string]any)["t_ack"] != "manual" {
		t.Errorf("%v", first)
	}
	h.want(h.admin("POST", path, `{"to":"resolved","outcome":"referred"}`), 200)
	if again := keyed(body); again["version"] != first["version"] || again["status"] != "acknowledged" {
		t.Errorf("the second call answers %v", again)
	}
	for _, wrong := range []string{in.Times.TSignal.Add(-time.Hour).Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339)} {
		h.want(h.admin("POST", path, fmt.Sprintf(`{"to":"reopened","at":%q}`, wrong)), 422)
	}
}

// Work rests for a reason and a time, and whoever may not let it rest is told.
func TestWorkRestsAndGoesOn(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Moderate)
	path := "/api/v1/incidents/" + in.ID
	dispatcher := h.person("dis", "", access.Grant{Role: access.Dispatcher})
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	h.want(dispatcher("POST", path+"/hold", fmt.Sprintf(`{"on":true,"reason":"unsafe_access","until":%q,"version":1}`, until)), 409) // new
	h.want(dispatcher("POST", path+"/transitions", `{"to":"acknowledged","version":1}`), 200)
	h.want(dispatcher("POST", path+"/hold", `{"on":true,"reason":"unsafe_access","version":2}`), 422)
	h.want(dispatcher("POST", path+"/hold", fmt.Sprintf(`{"on":true,"reason":"coffee","until":%q,"version":2}`, until)), 422)
	held := h.want(dispatcher("POST", path+"/hold", fmt.Sprintf(`{"on":true,"reason":"unsafe_access","until":%q,"version":2}`, until)), 200)
	if hold, _ := held["on_hold"].(map[string]any); hold["reason"] != "unsafe_access" || hold["pausable"] != true || held["version"] != 3.0 {
		t.Errorf("%v", held["on_hold"])
	}
	if on := h.want(dispatcher("POST", path+"/hold", `{"on":false,"version":3}`), 200); on["on_hold"] != nil {
		t.Errorf("%v", on["on_hold"])
	}
	grave := h.flood(cap.Severe)
	h.want(dispatcher("POST", "/api/v1/incidents/"+grave.ID+"/transitions", `{"to":"acknowledged","version":1}`), 200)
	h.want(dispatcher("POST", "/api/v1/incidents/"+grave.ID+"/hold", fmt.Sprintf(`{"on":true,"reason":"unsafe_access","until":%q,"version":2}`, until)), 403)
}

// A correction needs the right on the incident as it is and as it would be; a restricted type takes it out of sight of everybody else.
func TestCorrectionsAreJudgedBeforeAndAfter(t *testing.T) {
	h := build(t)
	in := h.flood(cap.Moderate)
	path := "/api/v1/incidents/" + in.ID
	operator, leader := h.person("op", "", access.Grant{Role: access.Operator}), h.person("pim", "", access.Grant{Role: access.Leader})
	h.want(leader("PATCH", path, `{"severity":"Severe","version":1}`), 403)
	h.want(operator("PATCH", path, `{"severity":"Severe"}`), 422)
	got := h.want(operator("PATCH", path, `{"severity":"Severe","type":"fire_building","title":"Rumah terbakar","version":1}`), 200)
	if got["lead_agency"] != "damkar" || got["severity"] != "Severe" || got["sla"].(map[string]any)["class"] != "A" || got["version"] != 2.0 {
		t.Errorf("%v", got)
	}
	h.want(operator("PATCH", path, `{"severity":"Minor","version":1}`), 409)
	h.want(operator("PATCH", path, `{"lng":100.63,"version":2}`), 422)
	h.want(operator("PATCH", path, `{"type":"domestic_violence","version":2}`), 403)
	if same := h.want(operator("PATCH", path, `{"severity":"Severe","version":2}`), 200); same["version"] != 2.0 {
		t.Errorf("nothing has changed: %v", same)
	}
	named := h.person("dp3a", "", access.Grant{Role: access.Supervisor}, access.Grant{Role: access.Supervisor, Types: []string{"domestic_violence"}})
	h.want(named("PATCH", path, `{"type":"domestic_violence","version":2}`), 200)
	h.want(operator("GET", path, ""), 404)
}

// A citizen's word opens again what is resolved where whoever enters it may, and else waits for somebody who may.
func TestADisputeOpensAgain(t *testing.T) {
	h := build(t)
	taker, dispatcher := h.person("ct", "", access.Grant{Role: access.CallTaker}), h.person("dis", "", access.Grant{Role: access.Dispatcher})
	resolved := func() string {
		t.Helper()
		path := "/api/v1/incidents/" + h.flood(cap.Moderate).ID
		h.want(h.admin("POST", path+"/transitions", `{"to":"acknowledged","version":1}`), 200)
		h.want(taker("POST", path+"/dispute", `{"text":"belum"}`), 409)
		h.want(h.admin("POST", path+"/transitions", `{"to":"resolved","version":2}`), 200)
		return path
	}
	waits := h.want(taker("POST", resolved()+"/dispute", `{"text":"air masih di rumah"}`), 200)
	if d, _ := waits["disputed"].(map[string]any); waits["status"] != "resolved" || d["text"] != "air masih di rumah" {
		t.Errorf("%v", waits)
	}
	open := h.want(dispatcher("POST", resolved()+"/dispute", `{"text":"air masih di rumah"}`), 200)
	if open["status"] != "acknowledged" || open["reopened"] != 1.0 {
		t.Errorf("%v", open)
	}
	if doc := h.want(h.admin("GET", "/api/v1/hold-reasons", ""), 200); len(doc["items"].([]any)) != 5 {
		t.Errorf("%v", doc)
	}
}
