package api

import (
	"net/http/httptest"
	"strings"
	"testing"

	"kentongan/alerts/incident"
	"kentongan/server/access"
)

// stranger asks without an account, from an address.
func (h *house) stranger(method, path, text, from string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	r.RemoteAddr = from + ":4000"
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func TestACitizenFollowsAReport(t *testing.T) {
	h := build(t)
	taker := h.person("ct", "", access.Grant{Role: access.CallTaker})
	report := h.want(taker("POST", "/api/v1/reports", `{"channel":"call","text":"air naik di rumah Pak Budi","lng":100.63,"lat":-0.83}`), 201)["id"].(string)
	given := h.want(taker("POST", "/api/v1/reports/"+report+"/ticket", ""), 200)
	code := given["ticket"].(string)
	if again := h.want(taker("POST", "/api/v1/reports/"+report+"/ticket", ""), 200); again["ticket"] != code {
		t.Errorf("a second code: %v, %v", given, again)
	}
	path := "/public/tickets/" + strings.ToLower(strings.ReplaceAll(code, "-", ""))
	if got := h.want(h.stranger("GET", path, "", "10.0.0.1"), 200); got["now"] != "received" || got["ticket"] != code || got["disputable"] != false {
		t.Errorf("%v", got)
	}
	h.want(h.stranger("POST", path+"/dispute", `{"text":"belum"}`, "10.0.0.1"), 409)

	id := h.want(taker("POST", "/api/v1/reports/"+report+"/triage", `{"as":"incident","type":"flood"}`), 200)["incident"].(map[string]any)["id"].(string)
	act := func(body string) {
		h.want(h.admin("POST", "/api/v1/incidents/"+id+"/transitions", body), 200)
	}
	act(`{"to":"acknowledged"}`)
	act(`{"to":"resolved","outcome":"referred"}`)
	got := h.want(h.stranger("GET", path, "", "10.0.0.1"), 200)
	if got["now"] != "done" || got["disputable"] != true || strings.Contains(h.stranger("GET", path, "", "10.0.0.1").Body.String(), "Budi") {
		t.Errorf("%v", got)
	}
	if got = h.want(h.stranger("POST", path+"/dispute", `{"text":"air masih di rumah"}`, "10.0.0.1"), 200); got["disputed"] == nil || got["disputable"] != false {
		t.Errorf("%v", got)
	}
	h.want(h.stranger("POST", path+"/dispute", `{"text":"lagi"}`, "10.0.0.1"), 409)
	one, err := h.cases.Incident(t.Context(), id)
	if err != nil || one.Disputed == nil || one.Disputed.Text != "air masih di rumah" || one.Status != incident.Resolved {
		t.Errorf("%+v, %v", one.Disputed, err)
	}
}

func TestTicketsCannotBeGuessed(t *testing.T) {
	h := build(t)
	for _, code := range []string{"nosuch", "0000-0000", "%E2%80%AE", "0000-0000-0000"} {
		h.want(h.stranger("GET", "/public/tickets/"+code, "", "10.0.0.2"), 404)
	}
	slow := false
	for range 2 * handBurst {
		slow = slow || h.stranger("GET", "/public/tickets/0000-0000", "", "10.0.0.3").Code == 429
	}
	if !slow {
		t.Error("one address tries as fast as it likes")
	}
	h.want(h.stranger("GET", "/public/tickets/0000-0000", "", "10.0.0.4"), 404) // another is not held back by it
}
