package api

import (
	"strings"
	"testing"

	"kentongan/server/auth"
)

// key makes a key over the interface, and gives its id and token.
func (h *house) key(body string) (id, token string) {
	h.t.Helper()
	doc := h.want(h.admin("POST", "/api/v1/keys", body), 201)
	return doc["id"].(string), doc["token"].(string)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func TestKeysOverHTTP(t *testing.T) {
	h := build(t)
	w := h.admin("POST", "/api/v1/keys", `{"name":"AWLR gateway","feed":"awlr","scope":"ingest"}`)
	made := h.want(w, 201)
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a token may be cached: %v", w.Header())
	}
	for _, field := range []string{"id", "name", "feed", "scope", "created_at", "created_by", "last_used_at", "revoked_at", "token"} {
		if _, ok := made[field]; !ok {
			t.Errorf("no %s in %v", field, made)
		}
	}
	id, token := made["id"].(string), made["token"].(string)
	if made["last_used_at"] != nil || made["revoked_at"] != nil || made["created_by"] != "token:admin" {
		t.Errorf("%v", made)
	}
	for name, headers := range map[string][]string{"bearer": bearer(token), "X-Api-Key": {"X-Api-Key", token}} {
		if h.want(h.ask("POST", "/api/v1/ingest/awlr", "x", headers...), 202)["accepted"] != 1.0 {
			t.Errorf("%s is not taken", name)
		}
	}
	_, other := h.key(`{"name":"second","feed":"awlr"}`)
	h.want(h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(other)...), 202)
	list := h.admin("GET", "/api/v1/keys", "")
	doc := h.want(list, 200)
	if items := doc["items"].([]any); len(items) != 2 || doc["next_page"] != "" || strings.Contains(list.Body.String(), token[30:]) {
		t.Errorf("%s", list.Body)
	} else if first := items[1].(map[string]any); first["id"] != id || first["last_used_at"] == nil || first["token"] != nil || first["hash"] != nil {
		t.Errorf("%v", first)
	}
	for range 2 {
		h.want(h.admin("DELETE", "/api/v1/keys/"+id, ""), 204)
	}
	if len(h.ended) == 0 || h.ended[0] != auth.KeySession(id) {
		t.Errorf("its sockets stay: %v", h.ended)
	}
	h.want(h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(token)...), 401)
	h.want(h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(other)...), 202)
	h.want(h.admin("DELETE", "/api/v1/keys/nobody", ""), 404)
	if actions := h.actions(); !strings.Contains(actions, "key.revoked key.revoked") || strings.Count(actions, "key.made") != 2 {
		t.Errorf("audit: %s", actions)
	}
}

// actions gives what the audit log names, the newest first.
func (h *house) actions() string {
	h.t.Helper()
	var out []string
	for _, r := range h.want(h.admin("GET", "/api/v1/audit", ""), 200)["items"].([]any) {
		out = append(out, r.(map[string]any)["action"].(string))
	}
	return strings.Join(out, " ")
}

func TestFaultyKeysNameTheirPlace(t *testing.T) {
	h := build(t)
	for body, place := range map[string]string{
		`{"name":"n","feed":"nowhere","scope":"ingest"}`: "body.feed", `{"name":"n","scope":"ingest"}`: "body.feed", `{"name":"n"}`: "body.feed",
		`{"name":"n","feed":"awlr","scope":"read"}`: "body.feed", `{"name":"","feed":"awlr"}`: "body.name", `{"feed":"awlr"}`: "body.name",
		`{"name":"n","feed":"awlr","scope":"root"}`: "body.scope", `{"name":"  ","feed":"awlr"}`: "body.name", `{"name":"n","feed":"awlr","admin":true}`: "body.admin",
	} {
		doc := h.want(h.admin("POST", "/api/v1/keys", body), 422)
		faults, _ := doc["errors"].([]any)
		if len(faults) == 0 || faults[0].(map[string]any)["location"] != place {
			t.Errorf("%s: %v, want %s", body, doc, place)
		}
	}
	h.want(h.admin("POST", "/api/v1/keys", `{`), 400)
}

func TestAFeedsKeyOpensNoOtherDoor(t *testing.T) {
	h := build(t)
	_, token := h.key(`{"name":"n","feed":"awlr"}`)
	h.want(h.ask("POST", "/api/v1/ingest/siren", "x", bearer(token)...), 403)
	h.want(h.ask("POST", "/api/v1/ingest/awlr%2Fx", "x", bearer(token)...), 403)
	h.want(h.ask("GET", "/api/v1/things", "", bearer(token)...), 403)
	h.want(h.ask("GET", "/api/v1/keys", "", bearer(token)...), 403)
	h.want(h.ask("POST", "/api/v1/session", "", bearer(token)...), 403)
	h.want(h.ask("GET", "/api/v1/things", "", "X-Api-Key", token), 401)
	if w := h.ask("POST", "/api/v1/session", "", bearer(token)...); len(w.Result().Cookies()) != 0 {
		t.Error("a key got a session")
	}
	if got := strings.Count(h.actions(), "right.denied"); got < 5 {
		t.Errorf("%d refusals in the audit log", got)
	}
}

func TestEachScopeAtTheDoors(t *testing.T) {
	h := build(t)
	doors := []struct{ method, path, body string }{
		{"GET", "/api/v1/things", ""}, {"GET", "/metrics", ""}, {"POST", "/api/v1/incidents", `{"type":"flood"}`}, {"POST", "/api/v1/ingest/awlr", "x"},
		{"GET", "/api/v1/audit", ""}, {"GET", "/api/v1/keys", ""}, {"POST", "/api/v1/keys", `{"name":"n","scope":"read"}`}, {"GET", "/wall", ""}, {"GET", "/api/v1/live", ""},
	}
	for scope, want := range map[string][]int{
		"read": {200, 403, 403, 403, 403, 403, 403, 200, 426}, "metrics": {403, 200, 403, 403, 403, 403, 403, 403, 403}, "automation": {200, 200, 201, 202, 403, 403, 403, 200, 426},
	} {
		_, token := h.key(`{"name":"n","scope":"` + scope + `"}`)
		for i, door := range doors {
			if w := h.ask(door.method, door.path, door.body, append(bearer(token), "Content-Type", "application/json")...); w.Code != want[i] {
				t.Errorf("%s: %s %s: %d, want %d: %.200s", scope, door.method, door.path, w.Code, want[i], w.Body)
			}
		}
	}
	h.want(h.ask("GET", "/metrics", ""), 401)
	if w := h.ask("GET", "/metrics", "", bearer(token)...); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("the admin token at /metrics: %d %s", w.Code, w.Header().Get("Content-Type"))
	}
}
