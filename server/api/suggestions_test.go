package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"kentongan/server/access"
)

// fuse lets the reader of fusion run until a suggestion of a kind is offered, and gives it.
func (h *house) fuse(t *testing.T, kind string) map[string]any {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.cases.Read(ctx, h.cases.FusionReader()) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		list := h.want(h.admin("GET", "/api/v1/suggestions?state=offered&kind="+kind, ""), http.StatusOK)["items"].([]any)
		if len(list) > 0 {
			return list[0].(map[string]any)
		}
	}
	t.Fatal("nothing is suggested within 20 s")
	return nil
}

// A suggestion is seen by whoever works its type and place, and deciding needs the right that doing it by hand would need.
func TestWhoDecidesOnSuggestions(t *testing.T) {
	h := build(t)
	for range 2 {
		h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","severity":"Extreme","lng":100.63,"lat":-0.83}`), http.StatusCreated)
	}
	g := h.fuse(t, "merge")
	path := fmt.Sprintf("/api/v1/suggestions/%s", g["id"])
	operator, leader := h.person("op", "", access.Grant{Role: access.Operator}), h.person("lead", "", access.Grant{Role: access.Leader})
	elsewhere := h.person("else", "", access.Grant{Role: access.Supervisor, Areas: []string{"Gunung Talang"}})
	supervisor := h.person("sup", "", access.Grant{Role: access.Supervisor})
	for _, c := range []struct {
		name         string
		who          asker
		method, path string
		body         string
		want         int
	}{
		{"a leader works no incidents", leader, "GET", "/api/v1/suggestions", "", http.StatusForbidden},
		{"an operator sees it", operator, "GET", path, "", http.StatusOK},
		{"and merges nothing grave", operator, "POST", path + "/accept", `{"version":1}`, http.StatusForbidden},
		{"elsewhere it is not there", elsewhere, "GET", path, "", http.StatusNotFound},
		{"nor decided on", elsewhere, "POST", path + "/refuse", `{"version":1}`, http.StatusNotFound},
		{"a session names the version", supervisor, "POST", path + "/accept", `{}`, http.StatusUnprocessableEntity},
		{"another version", supervisor, "POST", path + "/accept", `{"version":9}`, http.StatusConflict},
		{"a supervisor merges", supervisor, "POST", path + "/accept", `{"version":1,"note":"satu genangan"}`, http.StatusOK},
		{"twice is once", supervisor, "POST", path + "/accept", `{"version":1}`, http.StatusOK},
		{"too late", supervisor, "POST", path + "/refuse", `{"version":2}`, http.StatusConflict},
		{"there is none", supervisor, "POST", "/api/v1/suggestions/nosuch/accept", `{"version":1}`, http.StatusNotFound},
	} {
		if got := c.who(c.method, c.path, c.body); got.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, got.Code, c.want, got.Body)
		}
	}
	list := h.want(h.admin("GET", "/api/v1/incidents?status=open", ""), http.StatusOK)["items"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["id"] != g["incident"] {
		t.Errorf("open: %v", list)
	}
	done := h.want(h.admin("GET", "/api/v1/suggestions?state=accepted&incident="+g["other"].(string), ""), http.StatusOK)["items"].([]any)
	if len(done) != 1 || done[0].(map[string]any)["note"] != "satu genangan" {
		t.Errorf("%v", done)
	}
}
