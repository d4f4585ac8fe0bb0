package api

import (
	"slices"
	"strings"
	"testing"
)

// allowedOf reads what an incident says of the acts that may be asked of it.
func allowedOf(doc map[string]any) (out []string) {
	list, _ := doc["allowed"].([]any)
	for _, a := range list {
		out = append(out, a.(string))
	}
	return out
}

// The desk draws its buttons from this: an incident tells each reader what they may ask of it, and whoever resolved it may not close it.
func TestIncidentTellsWhatMayBeAsked(t *testing.T) {
	h := build(t)
	in := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","lng":100.63,"lat":-0.83}`), 201)
	path := "/api/v1/incidents/" + in["id"].(string)
	if got := allowedOf(in); !slices.Equal(got, []string{"acknowledged", "dispatched", "cancelled"}) {
		t.Errorf("new: %v", got)
	}
	h.want(h.admin("POST", path+"/transitions", `{"to":"acknowledged","version":1}`), 200)
	done := h.want(h.admin("POST", path+"/transitions", `{"to":"resolved","version":2,"outcome":"referred"}`), 200)
	if got := allowedOf(done); !slices.Equal(got, []string{"reopened", "cancelled"}) {
		t.Errorf("resolved, for whoever resolved it: %v", got)
	}
	cookie := h.signIn() // somebody else
	if got := allowedOf(h.want(h.ask("GET", path, "", "Cookie", cookie), 200)); !slices.Equal(got, []string{"closed", "reopened", "cancelled"}) {
		t.Errorf("resolved, for another: %v", got)
	}
	closed := h.want(h.ask("POST", path+"/transitions", `{"to":"closed","override":"cukup lewat telepon","version":3}`, "Cookie", cookie, "Content-Type", "application/json", "Origin", "http://127.0.0.1:8080"), 200)
	if closed["status"] != "closed" || !slices.Equal(allowedOf(closed), []string{"reopened"}) {
		t.Errorf("closed: %v", closed)
	}
}

func TestIncidentTypesAreListedButNotTheRestricted(t *testing.T) {
	h := build(t)
	text := h.admin("GET", "/api/v1/incident-types", "").Body.String()
	if !strings.Contains(text, `"code":"flash_flood","id":"banjir bandang / galodo","en":"flash flood, debris flow"`) || strings.Contains(text, "domestic_violence") {
		t.Error(text)
	}
	if text := h.admin("GET", "/api/v1/grants", "").Body.String(); !strings.Contains(text, `"code":"domestic_violence"`) || !strings.Contains(text, `"restricted":true`) || !strings.Contains(text, `"liaison"`) || strings.Contains(text, `"citizen"`) {
		t.Errorf("whoever gives roles cannot name what is restricted: %s", text)
	}
}
