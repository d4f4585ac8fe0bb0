package api

import (
	"net/http"
	"strings"
	"testing"

	"kentongan/server/access"
)

const excavator = `{"kind":"equipment","name":"PC200","phone":"0755-123456","agency":"pupr","types":["landslide","road_blocked"],"provides":["excavator"],"lng":100.63,"lat":-0.83}`

func TestContacts(t *testing.T) {
	h := build(t)
	sup := h.person("su", "", access.Grant{Role: access.Supervisor})
	digger := h.want(sup("POST", "/api/v1/contacts", excavator), http.StatusCreated)
	h.want(sup("POST", "/api/v1/contacts", `{"kind":"duty_officer","name":"Kalaksa","phone":"0812-3456-7890","personal":true,"agency":"bpbd","hours":[{"from":"00:00","to":"24:00"}]}`), http.StatusCreated)
	h.want(sup("POST", "/api/v1/contacts", `{"kind":"facility","name":"RSUD Arosuka","phone":"119","areas":["Gunung Talang"]}`), http.StatusCreated)
	if all := h.list(sup, "GET", "/api/v1/contacts", ""); len(all) != 3 {
		t.Errorf("%d contacts", len(all))
	}
	if found := h.list(sup, "GET", "/api/v1/contacts?q=EXCAV&kind=equipment", ""); len(found) != 1 || found[0].(map[string]any)["id"] != digger["id"] {
		t.Errorf("found %v", found)
	}
	duty := h.list(sup, "GET", "/api/v1/contacts/duty?type=landslide&near=100.631,-0.83", "")
	if len(duty) != 2 || duty[0].(map[string]any)["name"] != "Kalaksa" || duty[1].(map[string]any)["distance_m"].(float64) > 120 || duty[1].(map[string]any)["for_type"] != true {
		t.Errorf("on duty for a landslide %v", duty)
	}
	if fire := h.list(sup, "GET", "/api/v1/contacts/duty?type=fire_building&area=Gunung%20Talang", ""); len(fire) != 2 || fire[1].(map[string]any)["name"] != "RSUD Arosuka" {
		t.Errorf("on duty for a fire %v", fire)
	}
	path := "/api/v1/contacts/" + digger["id"].(string)
	edited := h.want(sup("PUT", path, strings.Replace(excavator, `"kind"`, `"version":1,"kind"`, 1)), http.StatusOK)
	if edited["version"] != 2.0 {
		t.Errorf("edited %v", edited)
	}
	late := h.want(sup("PUT", path, strings.Replace(excavator, `"kind"`, `"version":1,"kind"`, 1)), http.StatusConflict)
	if late["current"].(map[string]any)["version"] != 2.0 {
		t.Errorf("the later one is told %v", late)
	}
	h.want(sup("DELETE", path+"?version=1", ""), http.StatusConflict)
	if w := sup("DELETE", path+"?version=2", ""); w.Code != http.StatusNoContent {
		t.Errorf("deleted: %d %s", w.Code, w.Body)
	}
	h.want(sup("DELETE", path+"?version=2", ""), http.StatusNotFound)
	for name, body := range map[string]string{
		"kind": `{"kind":"friend","name":"x","phone":"112"}`, "phone": `{"kind":"facility","name":"x","phone":"<b>"}`, "area": `{"kind":"facility","name":"x","phone":"112","areas":["Bulan"]}`,
		"type": `{"kind":"facility","name":"x","phone":"112","types":["flut"]}`, "hour": `{"kind":"facility","name":"x","phone":"112","hours":[{"from":"8","to":"9"}]}`,
	} {
		t.Run(name, func(t *testing.T) { h.t = t; h.want(sup("POST", "/api/v1/contacts", body), 422) })
	}
	h.t = t
	h.want(sup("GET", "/api/v1/contacts/duty?near=x", ""), 422)
}

// A person's own number is for the house and the agency; who works for another sees it masked, and changes nothing of it.
func TestWhoSeesNumbers(t *testing.T) {
	h := build(t)
	all := h.cast()
	one := h.want(all["lead"]("POST", "/api/v1/contacts", `{"kind":"duty_officer","name":"Kalaksa","phone":"0812-3456-7890","personal":true,"agency":"bpbd"}`), http.StatusCreated)
	h.want(all["lead"]("POST", "/api/v1/contacts", excavator), http.StatusForbidden)
	for who, want := range map[string]string{"calltaker": "0812-3456-7890", "operator": "0812-3456-7890", "dispatcher": "0812-3456-7890", "lead": "0812-3456-7890", "admin": "0812-3456-7890", "stranger": "+62 812-••••-••90"} {
		if list := h.list(all[who], "GET", "/api/v1/contacts", ""); len(list) != 1 || list[0].(map[string]any)["phone"] != want {
			t.Errorf("%s sees %v", who, list)
		}
	}
	for _, who := range []string{"leader", "pio", "auditor", "crew"} {
		h.want(all[who]("GET", "/api/v1/contacts", ""), http.StatusForbidden)
	}
	path := "/api/v1/contacts/" + one["id"].(string) + "?version=1"
	for who, want := range map[string]int{"stranger": 403, "calltaker": 403, "dispatcher": 403} {
		h.want(all[who]("DELETE", path, ""), want)
	}
}
