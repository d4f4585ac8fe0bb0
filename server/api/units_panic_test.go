package api

import (
	"net/http"
	"strings"
	"testing"

	"kentongan/alerts/alarm"
	"kentongan/alerts/store"
	"kentongan/server/access"
)

// A crew calls for help: once, whoever else may see it takes note of it, and a named person ends it with a word.
func TestACrewCallsForHelpAndIsHeard(t *testing.T) {
	h := build(t)
	h.govern()
	h.rostered(t, "bpbd", "trc-1", "trc")
	crew, other := h.person("crew", "bpbd/trc-1", access.Grant{Role: access.Field, Agency: "bpbd"}), h.person("fire", "damkar/1", access.Grant{Role: access.Field, Agency: "damkar"})
	operator, dispatcher := h.person("op", "", access.Grant{Role: access.Operator}), h.person("di", "", access.Grant{Role: access.Dispatcher})
	const path = "/api/v1/units/bpbd/trc-1/panic"

	h.want(other("POST", path, ""), http.StatusNotFound)
	h.want(operator("POST", path, ""), http.StatusForbidden)
	h.want(h.stranger("POST", path, "", "10.0.0.9"), http.StatusUnauthorized)
	for _, wrong := range []string{`{"lng":100.63}`, `{"lng":200,"lat":-0.83}`, `{"at":"2126-01-01T00:00:00Z"}`, `{"where":"sini"}`} {
		h.want(crew("POST", path, wrong), http.StatusUnprocessableEntity)
	}
	first := h.want(crew("POST", path, `{"lng":100.63,"lat":-0.83}`), http.StatusOK)
	help, _ := first["panic"].(map[string]any)
	if help["lng"] != 100.63 || help["by"] == "" || help["incident"] == "" {
		t.Fatalf("raised: %v", first)
	}
	again := h.want(crew("POST", path, `{"lng":100.7,"lat":-0.9}`), http.StatusOK)
	if same := again["panic"].(map[string]any); same["at"] != help["at"] || same["incident"] != help["incident"] || same["lng"] != 100.63 || again["version"] != first["version"] {
		t.Errorf("called again: %v, first %v", again, first)
	}
	in := h.want(dispatcher("GET", "/api/v1/incidents/"+help["incident"].(string), ""), http.StatusOK)
	if in["severity"] != "Extreme" || in["lead_agency"] != "bpbd" || in["simulated"] != false {
		t.Errorf("what it opened: %v", in)
	}
	a := h.alarmOf(store.AlarmQuery{Code: alarm.CodePanic})
	if a.Priority != alarm.P1 || !strings.HasSuffix(a.Names["id"], ": DARURAT PERSONEL") || !strings.HasSuffix(a.Names["en"], ": CREW CALLS FOR HELP") {
		t.Errorf("its alarm: %+v", a)
	}
	if seen := h.want(operator("POST", "/api/v1/alarms/"+a.ID+"/acknowledge", `{"version":1}`), http.StatusOK); seen["state"] != "acknowledged" || seen["names"].(map[string]any)["en"] != a.Names["en"] {
		t.Errorf("taken note of: %v", seen)
	}
	if still := h.want(dispatcher("GET", "/api/v1/units?agency=bpbd", ""), http.StatusOK)["items"].([]any)[0].(map[string]any); still["panic"] == nil {
		t.Error("taking note of the alarm ends the call")
	}

	h.want(crew("DELETE", path+"?reason=aman", ""), http.StatusForbidden)
	h.want(operator("DELETE", path+"?reason=aman", ""), http.StatusForbidden)
	h.want(h.admin("DELETE", path+"?reason=aman", ""), http.StatusForbidden) // no token is a named person
	h.want(dispatcher("DELETE", path, ""), http.StatusUnprocessableEntity)
	if over := h.want(dispatcher("DELETE", path+"?reason=semua+selamat", ""), http.StatusOK); over["panic"] != nil {
		t.Errorf("ended: %v", over)
	}
	h.want(dispatcher("DELETE", path+"?reason=lagi", ""), http.StatusConflict)
	h.want(dispatcher("DELETE", "/api/v1/units/bpbd/nosuch/panic?reason=x", ""), http.StatusNotFound)
}
