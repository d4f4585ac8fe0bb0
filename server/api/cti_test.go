package api

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kentongan/server/access"
	"kentongan/server/outbox"
	"kentongan/server/privacy"
	"kentongan/server/seal"
)

// reporters gives a house a store of reporters.
func reporters(t *testing.T) func(*house, *Deps) {
	return func(h *house, d *Deps) {
		ring, err := seal.Open(filepath.Join(t.TempDir(), "secret.key"))
		if err != nil {
			t.Fatal(err)
		}
		d.Privacy = &Privacy{Record: h.cases.Record, Reporters: privacy.NewReporters(h.rdb, h.keys, ring, time.UTC, time.Now)}
	}
}

func TestCTI(t *testing.T) {
	h := build(t, reporters(t))
	_, automation := h.key(`{"name":"pbx","scope":"automation"}`)
	exchange := func(body string) *httptest.ResponseRecorder {
		return h.ask("POST", "/api/v1/cti", body, "Authorization", "Bearer "+automation)
	}
	call, other := h.person("ct", "", access.Grant{Role: access.CallTaker}), h.person("ct2", "", access.Grant{Role: access.CallTaker})
	const ring = `{"call_id":"0812-3456-7890#1","number":"0812-3456-7890","line":"112-3"}`
	rang := h.want(exchange(ring), http.StatusOK)
	if rang["state"] != "ringing" || rang["number"] != "+62 812-••••-••90" || strings.Contains(rang["id"].(string), "3456") {
		t.Errorf("rang as %v", rang)
	}
	if again := h.want(exchange(ring), http.StatusOK); again["id"] != rang["id"] {
		t.Errorf("rang again as %v", again)
	}
	if list := h.list(call, "GET", "/api/v1/cti", ""); len(list) != 1 || list[0].(map[string]any)["state"] != "ringing" {
		t.Errorf("rings: %v", list)
	}
	take := "/api/v1/cti/" + rang["id"].(string) + "/take"
	taken := h.want(call("POST", take, ""), http.StatusOK)
	if taken["caller"] != "+6281234567890" || taken["call"].(map[string]any)["state"] != "taken" {
		t.Errorf("taken as %v", taken)
	}
	h.want(call("POST", take, ""), http.StatusOK)
	late := h.want(other("POST", take, ""), http.StatusConflict)
	if late["current"].(map[string]any)["taken_by"] == "" || strings.Contains(late["detail"].(string), "6281") {
		t.Errorf("the later one is told %v", late)
	}
	if over := h.want(exchange(`{"call_id":"0812-3456-7890#1","state":"over"}`), http.StatusOK); over["state"] != "over" {
		t.Errorf("hung up: %v", over)
	}
	// Who pranked is known when the same number rings again, and rings all the same.
	prank := h.called(call, `{"channel":"call","text":"ha ha","reporter":{"phone":"+62 812 3456 7890"}}`)
	h.want(call("POST", prank+"/triage", `{"as":"prank"}`), http.StatusOK)
	if next := h.want(exchange(`{"call_id":"2","number":"081234567890"}`), http.StatusOK); next["known"] != 1.0 || next["pranks"] != 1.0 || next["state"] != "ringing" {
		t.Errorf("rings again as %v", next)
	}
	second := h.called(other, `{"channel":"call","text":"kali ini sungguh","reporter":{"phone":"081234567890"}}`)
	if who := h.want(other("GET", second+"/reporter", ""), http.StatusOK); who["pranks"] != 1.0 || who["calls_today"] != 2.0 {
		t.Errorf("masked: %v", who)
	}
	// The number is nowhere in the clear: not in the store, so not in the case stream nor in the audit log.
	for _, key := range h.rdb.Keys(t.Context(), "*").Val() {
		if dump := h.rdb.Dump(t.Context(), key).Val(); strings.Contains(key+dump, "81234567890") || strings.Contains(dump, "3456-7890") {
			t.Errorf("%s holds the number", key)
		}
	}
}

func TestFaultyCalls(t *testing.T) {
	h := build(t, reporters(t))
	for name, body := range map[string]string{
		"no id": `{"number":"0812"}`, "an old one": `{"call_id":"1","at":"2020-01-01T00:00:00Z"}`, "ahead": `{"call_id":"1","at":"2090-01-01T00:00:00Z"}`,
		"a state": `{"call_id":"1","state":"busy"}`, "long": `{"call_id":"1","number":"` + strings.Repeat("1", 65) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := h.admin("POST", "/api/v1/cti", body)
			if w.Code != 422 || strings.Contains(w.Body.String(), "0812") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	h.want(h.admin("POST", "/api/v1/cti/nosuch/take", ""), 404)
}

// Only an exchange tells of calls, and only call takers and supervisors hear of them.
func TestWhoHearsCalls(t *testing.T) {
	h := build(t, reporters(t))
	all := h.cast()
	for who, want := range map[string]int{"calltaker": 200, "supervisor": 200, "operator": 403, "dispatcher": 403, "lead": 403, "leader": 403, "admin": 403, "auditor": 403, "crew": 403} {
		h.want(all[who]("GET", "/api/v1/cti", ""), want)
		h.want(all[who]("POST", "/api/v1/cti", `{"call_id":"1"}`), 403)
	}
	_, agency := h.key(`{"name":"pbx","scope":"automation","agency":"bpbd"}`)
	rang := h.want(h.ask("POST", "/api/v1/cti", `{"call_id":"1","number":"0812"}`, "Authorization", "Bearer "+agency), http.StatusOK)
	bpbd, damkar := h.person("aa", "", access.Grant{Role: access.CallTaker, Agency: "bpbd"}), h.person("bb", "", access.Grant{Role: access.CallTaker, Agency: "damkar"})
	if len(h.list(bpbd, "GET", "/api/v1/cti", "")) != 1 || len(h.list(damkar, "GET", "/api/v1/cti", "")) != 0 {
		t.Error("an agency's exchange rings at another's desks")
	}
	h.want(damkar("POST", "/api/v1/cti/"+rang["id"].(string)+"/take", ""), 404)
	h.want(h.ask("GET", "/api/v1/cti", "", "Authorization", "Bearer "+agency), 403)
}

// With a secret the exchange signs what it sends, as our own webhooks are: an unsigned call, a bent one and a copy are refused by a code.
func TestCTISigned(t *testing.T) {
	secret := []byte("012345678901234567890123")
	h := build(t, reporters(t), func(_ *house, d *Deps) { d.CTISecret = secret })
	_, automation := h.key(`{"name":"pbx","scope":"automation"}`)
	ask := func(body string, more ...string) *httptest.ResponseRecorder {
		return h.ask("POST", "/api/v1/cti", body, append([]string{"Authorization", "Bearer " + automation}, more...)...)
	}
	const ring = `{"call_id":"1","number":"0812-3456-7890"}`
	signed := func(id string, at time.Time) []string {
		return []string{"Webhook-Id", id, "Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10), "Webhook-Signature", outbox.Signature(secret, id, at, ring)}
	}
	refused := func(name string, w *httptest.ResponseRecorder) {
		t.Helper()
		if doc := h.want(w, http.StatusUnauthorized); doc["code"] != "unsigned" {
			t.Errorf("%s: %v", name, doc)
		}
	}
	now := time.Now()
	refused("unsigned", ask(ring))
	refused("another body", ask(`{"call_id":"2","number":"0812-3456-7890"}`, signed("a", now)...))
	refused("old", ask(ring, signed("a", now.Add(-6*time.Minute))...))
	h.want(ask(ring, signed("a", now)...), http.StatusOK)
	refused("a copy", ask(ring, signed("a", now)...))
	h.want(ask(ring, signed("b", now)...), http.StatusOK)
}
