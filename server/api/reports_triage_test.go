package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"kentongan/server/access"
)

func (h *house) called(who asker, body string) string {
	h.t.Helper()
	return "/api/v1/reports/" + url.PathEscape(h.want(who("POST", "/api/v1/reports", body), http.StatusCreated)["id"].(string))
}

func (h *house) list(who asker, method, path, body string) []any {
	h.t.Helper()
	return h.want(who(method, path, body), http.StatusOK)["items"].([]any)
}

const smoke = `{"channel":"call","text":"Asap tebal, rumah terbakar","lng":100.63,"lat":-0.83}`

func TestTriage(t *testing.T) {
	h := build(t)
	call, other := h.person("ct", "", access.Grant{Role: access.CallTaker}), h.person("ct2", "", access.Grant{Role: access.CallTaker})
	first := h.called(call, smoke)
	opened := h.want(call("POST", first+"/triage", `{"as":"incident","type":"fire_building"}`), http.StatusOK)
	in := opened["incident"].(map[string]any)
	if in["status"] != "new" || in["number"] == "" || opened["report"].(map[string]any)["state"] != "linked" {
		t.Errorf("opened %v", opened)
	}
	late := h.want(other("POST", first+"/triage", `{"as":"prank"}`), http.StatusConflict)
	if late["current"].(map[string]any)["triage"].(map[string]any)["as"] != "incident" {
		t.Errorf("the later one is told %v", late)
	}
	second := h.called(other, `{"channel":"call","text":"Rumah kebakaran di simpang","lng":100.6305,"lat":-0.8303}`)
	hints := h.list(other, "GET", second+"/hints", "")
	hint := hints[0].(map[string]any)
	if hint["id"] != in["id"] || hint["distance_m"].(float64) < 20 || hint["distance_m"].(float64) > 120 || len(hint["reasons"].([]any)) < 3 || hint["weight"].(float64) < .6 {
		t.Errorf("the first hint is %v", hint)
	}
	typing := h.list(other, "POST", "/api/v1/reports/hints", `{"text":"kebakaran","lng":100.6305,"lat":-0.8303}`)
	if len(typing) == 0 || typing[0].(map[string]any)["id"] != in["id"] {
		t.Errorf("while typing: %v", typing)
	}
	joined := h.want(other("POST", second+"/triage", fmt.Sprintf(`{"as":"duplicate","incident":%q}`, in["id"])), http.StatusOK)
	if n := len(joined["incident"].(map[string]any)["evidence"].([]any)); n != 2 {
		t.Errorf("joined it has %d pieces", n)
	}
	back := h.want(other("POST", second+"/triage/undo", `{}`), http.StatusOK)
	if back["report"].(map[string]any)["state"] != "new" || len(back["incident"].(map[string]any)["evidence"].([]any)) != 1 {
		t.Errorf("taken back: %v", back)
	}
	h.want(other("POST", second+"/triage/undo", `{}`), http.StatusConflict)
	gone := h.want(other("POST", second+"/triage", `{"as":"prank","note":"tertawa"}`), http.StatusOK)
	if _, with := gone["incident"]; with || gone["report"].(map[string]any)["status"] != "closed" {
		t.Errorf("a prank: %v", gone)
	}
}

func TestFaultyTriage(t *testing.T) {
	h := build(t)
	one := h.called(func(m, p, b string) *httptest.ResponseRecorder { return h.admin(m, p, b) }, smoke)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"nothing": {`{}`, 422}, "unknown": {`{"as":"joke"}`, 422}, "no type": {`{"as":"incident"}`, 422}, "no such type": {`{"as":"incident","type":"flut"}`, 422},
		"which": {`{"as":"duplicate"}`, 422}, "no such incident": {`{"as":"duplicate","incident":"01NOSUCH"}`, 422}, "a type of a prank": {`{"as":"prank","type":"flood"}`, 422},
		"restricted": {`{"as":"incident","type":"domestic_violence"}`, 422}, "more": {`{"as":"prank","by":"me"}`, 422},
	} {
		t.Run(name, func(t *testing.T) { h.want(h.admin("POST", one+"/triage", c.body), c.want) })
	}
	h.want(h.admin("POST", "/api/v1/reports/desk:nosuch/triage", `{"as":"prank"}`), 404)
	h.want(h.admin("POST", "/api/v1/reports/hints", `{"lng":100}`), 422)
	h.want(h.admin("POST", "/api/v1/reports/hints", `{"lng":100,"lat":91}`), 422)
}

// Whoever enters reports triages them; what opens or joins needs the right to that.
func TestWhoTriages(t *testing.T) {
	h := build(t)
	all := h.cast()
	in := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","lng":100.63,"lat":-0.83}`), http.StatusCreated)["id"]
	join := fmt.Sprintf(`{"as":"duplicate","incident":%q}`, in)
	for _, c := range []struct {
		who, act, body string
		want           int
	}{
		{"calltaker", "/triage", `{"as":"prank"}`, 200}, {"operator", "/triage", join, 200}, {"supervisor", "/triage", `{"as":"incident","type":"flood"}`, 200},
		{"dispatcher", "/triage", `{"as":"prank"}`, 403}, {"admin", "/triage", `{"as":"prank"}`, 403}, {"leader", "/triage", `{"as":"prank"}`, 403},
		{"elsewhere", "/triage", `{"as":"prank"}`, 404}, {"dispatcher", "/triage/undo", `{}`, 403}, {"auditor", "/triage/undo", `{}`, 403},
	} {
		t.Run(c.who+c.act, func(t *testing.T) {
			h.t = t
			h.want(all[c.who]("POST", h.called(func(m, p, b string) *httptest.ResponseRecorder { return h.admin(m, p, b) }, smoke)+c.act, c.body), c.want)
		})
	}
	h.want(all["leader"]("POST", "/api/v1/reports/hints", `{}`), 403)
}
