package api

import (
	"net/http"
	"testing"

	"kentongan/server/access"
)

// A crew sees what it was sent to whole, whichever agency leads; every other crew sees the district.
func TestACrewSeesWhereItIsSent(t *testing.T) {
	h := build(t)
	h.rostered(t, "pmi", "amb-1", "ambulance")
	h.rostered(t, "bpbd", "trc-1", "trc")
	in := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","severity":"Moderate","title":"Banjir di SD 07","lng":100.6312,"lat":-0.8345}`), http.StatusCreated)
	path := "/api/v1/incidents/" + in["id"].(string)
	sent := h.person("sent", "pmi/amb-1", access.Grant{Role: access.Field, Agency: "pmi"})
	other := h.person("other", "bpbd/trc-1", access.Grant{Role: access.Field, Agency: "bpbd"})
	lng := func(ask asker) float64 {
		return h.want(ask("GET", path, ""), http.StatusOK)["location"].(map[string]any)["lng"].(float64)
	}
	if lng(sent) == 100.6312 {
		t.Error("the place is told before anybody is sent")
	}
	d := h.want(h.admin("POST", path+"/dispatches", `{"unit":"pmi/amb-1"}`), http.StatusCreated)
	if lng(sent) != 100.6312 || lng(other) == 100.6312 {
		t.Errorf("sent: the crew sees %v, another %v", lng(sent), lng(other))
	}
	h.want(sent("POST", path+"/comments", `{"text":"Air naik"}`), http.StatusCreated)
	h.want(other("POST", path+"/comments", `{"text":"Air naik"}`), http.StatusForbidden)
	h.want(h.admin("POST", "/api/v1/dispatches/"+d["id"].(string)+"/transitions", `{"to":"cancelled"}`), http.StatusOK)
	if lng(sent) != 100.6312 {
		t.Error("recalled: what the crew did there has no place any more")
	}
}
