package api

import (
	"fmt"
	"slices"
	"strings"
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

// The numbers that partners have for a case are said whole, found, and told in its timeline; those of orders and reports stand with them.
func TestPartnersNumbers(t *testing.T) {
	h := build(t)
	h.rostered(t, "bpbd", "trc-1", "trc")
	in := h.flood(cap.Moderate)
	path := "/api/v1/incidents/" + in.ID
	operator := h.person("op", "", access.Grant{Role: access.Operator})
	for name, refs := range map[string]string{"no agency": `[{"agency":"","id":"1"}]`, "no slug": `[{"agency":"PLN 123","id":"1"}]`, "no number": `[{"agency":"pln","id":" "}]`, "two lines": `[{"agency":"pln","id":"1\n2"}]`,
		"too long": `[{"agency":"pln","id":"` + strings.Repeat("9", 81) + `"}]`, "too many": "[" + strings.TrimSuffix(strings.Repeat(`{"agency":"pln","id":"1"},`, 21), ",") + "]", "a word": `"PLN-7"`} {
		if got := operator("PATCH", path, `{"external_refs":`+refs+`,"version":1}`); got.Code != 422 {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	got := h.want(operator("PATCH", path, `{"external_refs":[{"agency":"pln","id":"PLN-0"},{"agency":"neighbour:padang","id":"PDG\u202e-9"},{"agency":"pln","id":"PLN-7"}],"version":1}`), 200)
	if refs := fmt.Sprint(got["external_refs"]); refs != "[map[agency:neighbour:padang id:PDG-9] map[agency:pln id:PLN-7]]" || got["version"] != 2.0 {
		t.Errorf("%s", refs)
	}
	if line := got["timeline"].([]any)[1].(map[string]any); line["act"] != "edited" || line["note"] != "external_refs neighbour:padang PDG-9, pln PLN-7" {
		t.Errorf("%v", line)
	}
	for _, q := range []string{"/api/v1/incidents?q=pln-7", "/api/v1/search?q=pdg-9"} {
		if found := h.want(operator("GET", q, ""), 200)["items"].([]any); len(found) != 1 || found[0].(map[string]any)["id"] != in.ID {
			t.Errorf("%s finds %v", q, found)
		}
	}
	if same := h.want(operator("PATCH", path, `{"title":"Rumah Bu Ani","version":2}`), 200); len(same["external_refs"].([]any)) != 2 {
		t.Errorf("what is not said stays: %v", same["external_refs"])
	}
	if none := h.want(operator("PATCH", path, `{"external_refs":[],"version":2}`), 200); len(none["external_refs"].([]any)) != 0 {
		t.Errorf("%v", none["external_refs"])
	}
	h.want(h.admin("POST", path+"/dispatches", `{"unit":"bpbd/trc-1","external_refs":[{"agency":"PLN","id":"1"}]}`), 422)
	d := h.want(h.admin("POST", path+"/dispatches", `{"unit":"bpbd/trc-1","external_refs":[{"agency":"basarnas","id":"OPS-1"}]}`), 201)
	moved := h.want(h.admin("POST", "/api/v1/dispatches/"+d["id"].(string)+"/transitions", `{"to":"accepted","external_refs":[{"agency":"pmi","id":"A-2"}]}`), 200)
	if refs := fmt.Sprint(moved["external_refs"]); refs != "[map[agency:basarnas id:OPS-1] map[agency:pmi id:A-2]]" {
		t.Errorf("%s", refs)
	}
	h.want(operator("POST", "/api/v1/reports", `{"channel":"call","text":"air","external_refs":[{"agency":"112 padang","id":"1"}]}`), 422)
	r := h.want(operator("POST", "/api/v1/reports", `{"channel":"call","text":"air naik","external_refs":[{"agency":"neighbour:padang","id":"112-77"}]}`), 201)
	if found := h.want(operator("GET", "/api/v1/reports?q=112-77", ""), 200)["items"].([]any); len(found) != 1 || found[0].(map[string]any)["id"] != r["id"] {
		t.Errorf("%v finds %v", r, found)
	}
}

// A crew that has been on scene resolves there what is not grave, once every unit is done; another crew, and one that never arrived, does not.
func TestACrewResolvesOnScene(t *testing.T) {
	h := build(t)
	for _, sign := range []string{"trc-1", "trc-2", "trc-3", "trc-4"} {
		h.rostered(t, "bpbd", sign, "trc")
	}
	crew := map[string]asker{}
	for _, sign := range []string{"trc-1", "trc-2", "trc-3", "trc-4"} {
		crew[sign] = h.person(sign, "bpbd/"+sign, access.Grant{Role: access.Field, Agency: "bpbd"})
	}
	for severity, may := range map[cap.Severity]bool{cap.Moderate: true, cap.Severe: false} {
		path := "/api/v1/incidents/" + h.flood(severity).ID
		order := func(sign string, acts ...string) string {
			t.Helper()
			d := h.want(h.admin("POST", path+"/dispatches", `{"unit":"bpbd/`+sign+`"}`), 201)["id"].(string)
			for _, to := range acts {
				h.want(crew[sign]("POST", "/api/v1/dispatches/"+d+"/transitions", `{"to":"`+to+`","reason":"ban bocor"}`), 200)
			}
			return d
		}
		order("trc-2", "declined")
		h.want(h.admin("POST", "/api/v1/dispatches/"+order("trc-4", "en_route", "on_scene")+"/transitions", `{"to":"cancelled","reason":"kembali"}`), 200)
		order("trc-1", "en_route", "on_scene")
		version := func() string { return fmt.Sprint(h.want(h.admin("GET", path, ""), 200)["version"]) }
		whole := `{"to":"resolved","outcome":"selesai","cause":"hujan","victims":{},"version":`
		for _, sign := range []string{"trc-2", "trc-3", "trc-4"} { // declined, not sent at all, and recalled from there
			if got := crew[sign]("POST", path+"/transitions", whole+version()+"}"); got.Code != 403 {
				t.Errorf("%s %s: %d %s", severity, sign, got.Code, got.Body)
			}
		}
		h.want(crew["trc-1"]("POST", path+"/transitions", `{"to":"cancelled","reason":"false","version":`+version()+"}"), 403)
		busy := crew["trc-1"]("POST", path+"/transitions", whole+version()+"}")
		if want := map[bool]int{true: 409, false: 403}[may]; busy.Code != want { // it is not done there yet
			t.Errorf("%s: %d %s", severity, busy.Code, busy.Body)
		}
		open := h.want(crew["trc-1"]("GET", "/api/v1/dispatches?status=open", ""), 200)["items"].([]any)
		h.want(crew["trc-1"]("POST", "/api/v1/dispatches/"+open[0].(map[string]any)["id"].(string)+"/transitions", `{"to":"done"}`), 200)
		if offered := slices.Contains(allowedOf(h.want(crew["trc-1"]("GET", path, ""), 200)), "resolved"); offered != may {
			t.Errorf("%s: resolving is offered: %v", severity, offered)
		}
		got := crew["trc-1"]("POST", path+"/transitions", whole+version()+"}")
		if want := map[bool]int{true: 200, false: 403}[may]; got.Code != want {
			t.Errorf("%s: %d, want %d: %s", severity, got.Code, want, got.Body)
		}
		for _, sign := range []string{"trc-1", "trc-2", "trc-4"} { // free again
			h.want(crew[sign]("PATCH", "/api/v1/units/bpbd/"+sign, `{"status":"available"}`), 200)
		}
	}
}

// What is watched is decided on by whoever acknowledges, once for one key; what is worked is not.
func TestWhatIsWatchedIsDecided(t *testing.T) {
	h := build(t)
	operator := h.person("op", "", access.Grant{Role: access.Operator})
	made := h.want(operator("POST", "/api/v1/incidents", `{"type":"river_high","title":"Batang Lembang naik","severity":"Moderate","lng":100.63,"lat":-0.83}`), 201)
	path := "/api/v1/incidents/" + made["id"].(string)
	due := made["sla"].(map[string]any)
	if due["decision_due"] == nil || due["dispatch_due"] != nil {
		t.Fatalf("%v", due)
	}
	h.want(operator("POST", path+"/decision", `{"as":"panic","version":1}`), 422)
	h.want(operator("POST", path+"/decision", `{"as":"watch"}`), 422) // a desk names the version that it saw
	body := fmt.Sprintf(`{"as":"watch","note":"turun lagi","version":%v}`, made["version"])
	out := h.want(operator("POST", path+"/decision", body), 200)
	decided, _ := out["decision"].(map[string]any)
	if out["status"] != "acknowledged" || decided["as"] != "watch" || out["times"].(map[string]any)["t_decision"] == nil || out["times"].(map[string]any)["t_ack"] == nil {
		t.Errorf("%v", out)
	}
	h.want(operator("POST", path+"/decision", body), 409) // that version is gone
	worked := "/api/v1/incidents/" + h.flood(cap.Moderate).ID
	h.want(operator("POST", worked+"/decision", `{"as":"watch","version":1}`), 409)
	if doc := h.want(operator("GET", "/api/v1/decisions", ""), 200); len(doc["items"].([]any)) != 4 {
		t.Errorf("%v", doc)
	}
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
