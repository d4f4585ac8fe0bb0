package api

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"kentongan/geo/redistest"
	"kentongan/server/devices"
	"kentongan/server/walls"
	"kentongan/server/wire"
)

func TestARateIsAnsweredWithWhenToComeBack(t *testing.T) {
	h := build(t)
	_, token := h.key(`{"name":"n","feed":"awlr","rate":3}`)
	for i := range 3 {
		if w := h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(token)...); w.Code != 202 {
			t.Fatalf("delivery %d: %d %s", i, w.Code, w.Body)
		}
	}
	w := h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(token)...)
	wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if w.Code != http.StatusTooManyRequests || err != nil || wait < 1 || wait > 20 || !strings.Contains(w.Header().Get("Content-Type"), "problem+json") {
		t.Errorf("the fourth: %d, %v, %s", w.Code, w.Header(), w.Body)
	}
	_, other := h.key(`{"name":"n","feed":"awlr"}`)
	h.want(h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(other)...), 202)
}

func TestBoundsOfKeysOverHTTP(t *testing.T) {
	h := build(t)
	made := h.want(h.admin("POST", "/api/v1/keys", `{"name":"n","feed":"awlr","ranges":["192.0.2.0/24"],"rate":600,"expires_at":"2030-01-01T00:00:00Z"}`), 201)
	if made["rate"] != 600.0 || made["ranges"].([]any)[0] != "192.0.2.0/24" || made["expires_at"] != "2030-01-01T00:00:00.000Z" || made["marks"] == nil || made["uses_24h"] != 0.0 {
		t.Errorf("%v", made)
	}
	h.want(h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(made["token"].(string))...), 202) // from 192.0.2.7
	_, elsewhere := h.key(`{"name":"n","feed":"awlr","ranges":["198.51.100.0/24","fd00::/8"]}`)
	h.want(h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(elsewhere)...), 401)
	if actions := h.actions(); !strings.Contains(actions, "right.denied") {
		t.Errorf("audit: %s", actions)
	}
	for body, place := range map[string]string{
		`{"name":"n","feed":"awlr","ranges":["kantor"]}`: "body.ranges", `{"name":"n","feed":"awlr","agency":"dishub"}`: "body.agency", `{"name":"n","feed":"awlr","rate":-1}`: "body.rate",
		`{"name":"n","feed":"awlr","expires_at":"2020-01-01T00:00:00Z"}`: "body.expires_at", `{"name":"n","scope":"read","agency":"bpbd"}`: "body.agency", `{"name":"n","agency":"BPBD"}`: "body.agency",
	} {
		doc := h.want(h.admin("POST", "/api/v1/keys", body), 422)
		if list, ok := doc["errors"].([]any); !ok || len(list) == 0 || list[0].(map[string]any)["location"] != place {
			t.Errorf("%s: %v, want %s", body, doc, place)
		}
	}
	id := made["id"].(string)
	next := h.want(h.admin("POST", "/api/v1/keys/"+id+"/rotate", `{"overlap":"1h"}`), 201)
	if next["replaces"] != id || next["rate"] != 600.0 {
		t.Errorf("%v", next)
	}
	for _, token := range []any{made["token"], next["token"]} {
		h.want(h.ask("POST", "/api/v1/ingest/awlr", "x", bearer(token.(string))...), 202)
	}
	h.want(h.admin("POST", "/api/v1/keys/"+id+"/rotate", `{}`), 409)
	h.want(h.admin("POST", "/api/v1/keys/nobody/rotate", `{}`), 404)
	h.want(h.admin("POST", "/api/v1/keys/"+next["id"].(string)+"/rotate", `{"overlap":"never"}`), 422)
	h.want(h.ask("POST", "/api/v1/keys/"+id+"/rotate", `{}`, append(bearer(next["token"].(string)), "Content-Type", "application/json")...), 403)
}

func TestDevicesOverHTTP(t *testing.T) {
	h := build(t, func(h *house, d *Deps) {
		d.Devices = devices.New(devices.Deps{Redis: redistest.Start(t), Keys: redistest.Keys(t), Filter: func(string) (string, bool) { return "", false }, Now: time.Now})
		h.auth.Know(d.Devices)
		scenes, err := walls.Load("")
		if err != nil {
			t.Fatal(err)
		}
		d.Walls = walls.New(walls.Deps{Cases: h.cases, Redis: h.rdb, Keys: h.keys, Devices: d.Devices, Scenes: scenes, Tell: func([]wire.Wall) {}, Word: func() {}, Now: time.Now})
	})
	post := func(path, body string) int {
		return h.ask("POST", path, body, "Content-Type", "application/json").Code
	}
	asked := h.want(h.ask("POST", "/api/v1/session/device", `{"kind":"wall","name":"x"}`, "Content-Type", "application/json"), 200)
	if code := asked["code"].(string); len(code) != 9 || asked["poll"] == "" || asked["expires_at"] == nil {
		t.Errorf("%v", asked)
	}
	for body, want := range map[string]int{`{"kind":"toaster"}`: 422, `{"kind":"wall","csr":"x"}`: 422, `{"kind":"broker"}`: 409, `{}`: 422, ``: 400, `{"kind":"wall","admin":true}`: 400, `{"token":"ke_x"}`: 401, `{"certificate":"x","csr":"x"}`: 409} {
		if got := post("/api/v1/session/device", body); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
	if got := post("/api/v1/session/device/poll", `{"poll":"`+asked["poll"].(string)+`"}`); got != 202 {
		t.Errorf("not approved: %d", got)
	}
	if got := post("/api/v1/session/device/poll", `{"poll":"x"}`); got != 401 {
		t.Errorf("nonsense: %d", got)
	}
	if w := h.ask("POST", "/api/v1/session/device", `{"kind":"wall"}`, "Origin", "https://elsewhere.example", "Content-Type", "application/json"); w.Code != 403 {
		t.Errorf("from a foreign page: %d", w.Code)
	}
	if list, _ := h.want(h.admin("GET", "/api/v1/devices", ""), 200)["pending"].([]any); len(list) == 0 || list[0].(map[string]any)["kind"] != "wall" || list[0].(map[string]any)["from"] == "" || list[0].(map[string]any)["poll"] != nil {
		t.Errorf("who asks: %v", list)
	}
	h.want(h.admin("POST", "/api/v1/devices/approve", `{"code":"KBTQ-93RF","name":"n","screen":"a"}`), 404)
	h.want(h.admin("POST", "/api/v1/devices/approve", `{"code":"`+asked["code"].(string)+`","name":"n","screen":"../x"}`), 422)
	h.want(h.admin("POST", "/api/v1/devices", `{"kind":"broker","name":"n","feed":"awlr"}`), 422)
	made := h.want(h.admin("POST", "/api/v1/devices", `{"kind":"wall","name":"n","screen":"a"}`), 201)
	let := h.ask("POST", "/api/v1/session/device", `{"token":"`+made["token"].(string)+`"}`, "Content-Type", "application/json")
	if h.want(let, 200); len(let.Result().Cookies()) != 1 || strings.Contains(let.Body.String(), "kd_") {
		t.Errorf("%v %s", let.Header(), let.Body)
	}
	h.want(h.admin("DELETE", "/api/v1/devices/"+made["id"].(string), ""), 204)
	if len(h.ended) != 1 || h.ended[0] != "device:"+made["id"].(string) {
		t.Errorf("its sockets stay: %v", h.ended)
	}
	h.want(h.admin("DELETE", "/api/v1/devices/nobody", ""), 404)
	if list := h.want(h.admin("GET", "/api/v1/walls", ""), 200)["items"].([]any); len(list) != 1 || list[0].(map[string]any)["removed_at"] == nil || list[0].(map[string]any)["token"] != nil {
		t.Errorf("%v", list)
	}
}
