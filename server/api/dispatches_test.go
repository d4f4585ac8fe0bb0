package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/unit"
	"kentongan/server/access"
)

func (h *house) rostered(t *testing.T, agency, sign string, able ...string) {
	t.Helper()
	u, err := unit.Draft{Agency: agency, CallSign: sign, Capabilities: able, Post: &unit.Post{Name: "Pos", Lng: 100.63, Lat: -0.84}}.Unit(nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.ImportUnits(t.Context(), []unit.Unit{u}, audit.Actor{Subject: "test"}); err != nil {
		t.Fatal(err)
	}
}

// From the recommendation to the scene: who may what, who has the unit, and what the others are told.
func TestAUnitIsSentAndArrives(t *testing.T) {
	h := build(t)
	h.rostered(t, "bpbd", "trc-1", "trc", "boat")
	h.rostered(t, "damkar", "damkar-1", "engine")
	flood := func() string {
		return h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","severity":"Moderate","lng":100.63,"lat":-0.83}`), http.StatusCreated)["id"].(string)
	}
	one, other := "/api/v1/incidents/"+flood(), "/api/v1/incidents/"+flood()
	dispatcher, operator := h.person("disp", "", access.Grant{Role: access.Dispatcher}), h.person("op", "", access.Grant{Role: access.Operator})
	crew, strangers := h.person("crew", "bpbd/trc-1", access.Grant{Role: access.Field, Agency: "bpbd"}), h.person("fire", "damkar/damkar-1", access.Grant{Role: access.Field, Agency: "damkar"})

	got := h.want(dispatcher("GET", one+"/recommendations", ""), http.StatusOK)
	items := got["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["unit"].(map[string]any)["id"] != "bpbd/trc-1" || items[0].(map[string]any)["capable"] != true {
		t.Errorf("recommended: %v", items)
	}
	h.want(operator("POST", one+"/dispatches", `{"unit":"bpbd/trc-1"}`), http.StatusForbidden)
	h.want(dispatcher("POST", one+"/dispatches", `{"unit":"bpbd/nosuch"}`), http.StatusNotFound)
	d := h.want(dispatcher("POST", one+"/dispatches", `{"unit":"bpbd/trc-1"}`), http.StatusCreated)
	path := "/api/v1/dispatches/" + d["id"].(string)
	if way, _ := d["travel_s"].(float64); way <= 0 {
		t.Errorf("how long its way is expected to take is not told: %v", d["travel_s"])
	}
	lost := h.want(dispatcher("POST", other+"/dispatches", `{"unit":"bpbd/trc-1"}`), http.StatusConflict)
	if by, _ := lost["by"].(map[string]any); by["id"] != d["id"] {
		t.Errorf("who has it is not told: %v", lost)
	}
	h.want(strangers("GET", path, ""), http.StatusNotFound)
	h.want(strangers("POST", path+"/transitions", `{"to":"accepted"}`), http.StatusNotFound)
	h.want(crew("POST", path+"/transitions", `{"to":"declined"}`), http.StatusUnprocessableEntity)
	h.want(crew("POST", path+"/transitions", `{"to":"cancelled"}`), http.StatusForbidden)
	late := h.want(crew("POST", path+"/transitions", `{"to":"done"}`), http.StatusConflict)
	if allowed := late["allowed"].([]any); !slices.Contains(allowed, any("accepted")) {
		t.Errorf("allowed: %v", allowed)
	}
	for _, to := range []string{"accepted", "en_route", "on_scene"} {
		h.want(crew("POST", path+"/transitions", `{"to":"`+to+`"}`), http.StatusOK)
	}
	if in := h.want(h.admin("GET", one, ""), http.StatusOK); in["status"] != "on_scene" {
		t.Errorf("the incident is %v", in["status"])
	}
	units := h.want(dispatcher("GET", "/api/v1/units?agency=bpbd", ""), http.StatusOK)["items"].([]any)
	if len(units) != 1 || units[0].(map[string]any)["status"] != "on_scene" {
		t.Errorf("units: %v", units)
	}
	if list := h.want(crew("GET", "/api/v1/dispatches?status=open", ""), http.StatusOK)["items"].([]any); len(list) != 1 {
		t.Errorf("the crew sees %d", len(list))
	}
}
