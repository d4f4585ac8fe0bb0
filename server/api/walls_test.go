package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/feeds/cap"
	"kentongan/server/access"
	"kentongan/server/book"
	"kentongan/server/devices"
	"kentongan/server/walls"
)

// wallReport is what the page of a wall sends, to the letter (frontend/src/api/walls.ts, WallReport).
const wallReport = `{"scene":"normal","width":1920,"height":1080,"ratio":1,"heap_bytes":73400320,"nodes":1200,"latency_ms":{"p50":420,"p95":1300,"p99":2100},"worst_source":"awlr","webgl_lost":1,"reconnects":2,"uptime_s":3600,"sound_blocked":true,"build":"0.1.0"}`

// fleet is a house with one wall that was let in, and who that wall is.
func fleet(t *testing.T) (h *house, id string, wall asker) {
	h = build(t, func(h *house, d *Deps) {
		d.Devices = devices.New(devices.Deps{Redis: h.rdb, Keys: h.keys, Book: book.New(h.rdb, h.keys, time.Now, nil), Filter: func(string) (string, bool) { return "", false }, Now: time.Now})
		h.auth.Know(d.Devices)
		scenes, err := walls.Load("")
		if err != nil {
			t.Fatal(err)
		}
		d.Walls = walls.New(walls.Deps{Cases: h.cases, Redis: h.rdb, Keys: h.keys, Devices: d.Devices, Scenes: scenes, Now: time.Now})
		d.Devices.Guests = d.Walls.Guests
	})
	h.want(h.ask("POST", "/api/v1/session/device", `{"kind":"wall","name":"x"}`, "Content-Type", "application/json"), 200) // a code, kept by the book's step
	made := h.want(h.admin("POST", "/api/v1/devices", `{"kind":"wall","name":"Utara","screen":"utara"}`), 201)
	let := h.ask("POST", "/api/v1/session/device", `{"token":"`+made["token"].(string)+`"}`, "Content-Type", "application/json")
	h.want(let, 200)
	cookie := let.Result().Cookies()[0]
	return h, made["id"].(string), func(method, path, body string) *httptest.ResponseRecorder {
		return h.ask(method, path, body, "Cookie", cookie.Name+"="+cookie.Value, "Content-Type", "application/json", "Origin", "http://127.0.0.1:8080")
	}
}

func (h *house) wall(who asker) map[string]any {
	h.t.Helper()
	return h.want(who("GET", "/api/v1/walls", ""), 200)["items"].([]any)[0].(map[string]any)
}

func TestAWallSaysHowItFares(t *testing.T) {
	h, id, wall := fleet(t)
	admin := h.person("ad", "", access.Grant{Role: access.Admin})
	if w := h.wall(admin); w["report"] != nil {
		t.Errorf("before it has said anything: %v", w["report"])
	}
	if w := wall("POST", "/api/v1/walls/me/report", wallReport); w.Code != http.StatusNoContent {
		t.Fatalf("what the page sends: %d %s", w.Code, w.Body)
	}
	w := h.wall(admin)
	told, _ := w["report"].(map[string]any)
	if w["id"] != id || told["worst_source"] != "awlr" || told["heap_bytes"] != 73400320.0 || told["sound_blocked"] != true || told["latency_ms"].(map[string]any)["p95"] != 1300.0 {
		t.Errorf("in the list: %v", w)
	}
	if at, err := time.Parse(time.RFC3339, told["at"].(string)); err != nil || time.Since(at) > time.Minute {
		t.Errorf("its time is the server's: %v %v", told["at"], err)
	}
	h.want(wall("POST", "/api/v1/walls/me/report", strings.Replace(wallReport, `"width":1920`, `"width":-1`, 1)), 422)
}

func TestWhatAWallShowsIsWhoeverSteers(t *testing.T) {
	h, id, _ := fleet(t)
	admin, supervisor := h.person("ad", "", access.Grant{Role: access.Admin}), h.person("su", "", access.Grant{Role: access.Supervisor})
	path := "/api/v1/walls/" + id
	for _, body := range []string{`{"scene":"briefing"}`, `{"tour":["normal","flood"]}`, `{"name":"x","scene":"briefing"}`} {
		h.want(admin("PATCH", path, body), 403)
	}
	h.want(admin("POST", "/api/v1/walls/steer", `{"walls":["*"],"scene":"briefing"}`), 403)
	h.want(supervisor("PATCH", path, `{"place":"Lobi"}`), 403)
	if w := h.wall(admin); w["name"] != "Utara" || w["scene"] != "normal" || w["place"] != "" {
		t.Errorf("a refusal changed it: %v", w)
	}
	h.want(admin("PATCH", path, `{"place":"Lobi","distance_m":8,"mm_per_px":1.2}`), 200)
	h.want(supervisor("POST", "/api/v1/walls/steer", `{"walls":["*"],"scene":"briefing","hold_minutes":30}`), 200)
	if w := h.wall(admin); w["scene"] != "briefing" || w["held_by"] != "su" || w["place"] != "Lobi" {
		t.Errorf("steered: %v", w)
	}
}

// Its name is its device's; all that a patch says is one step, with a record of each.
func TestAPatchIsOneStep(t *testing.T) {
	h, id, _ := fleet(t)
	path := "/api/v1/walls/" + id
	h.want(h.admin("PATCH", path, `{"name":"Lobi","screen":"../x","place":"Lobi"}`), 422)
	h.want(h.admin("PATCH", path, `{"name":"Lobi","text_scale":9}`), 422)
	if w := h.wall(asker(func(m, p, b string) *httptest.ResponseRecorder { return h.admin(m, p, b) })); w["name"] != "Utara" || w["place"] != "" {
		t.Errorf("half of a patch was done: %v", w)
	}
	done := h.want(h.admin("PATCH", path, `{"name":"Lobi","screen":"lobi","place":"Lantai 1","language":"en"}`), 200)
	if done["name"] != "Lobi" || done["screen"] != "lobi" || done["place"] != "Lantai 1" || done["language"] != "en" {
		t.Errorf("answered %v", done)
	}
	var log struct{ Items []audit.Record }
	if err := json.Unmarshal(h.admin("GET", "/api/v1/audit", "").Body.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	seen := map[string]audit.Record{}
	for _, r := range log.Items {
		seen[r.Action] = r
	}
	if r := seen["wall.changed"]; r.Object != "wall:"+id || r.Actor != "token:admin" || r.AfterHash == "" || r.BeforeHash == "" || r.AfterHash == r.BeforeHash {
		t.Errorf("record of the settings: %+v", r)
	}
	if r := seen["device.renamed"]; r.Object != "device:"+id || r.Actor != "token:admin" || r.AfterHash == "" {
		t.Errorf("record of the device: %+v", r)
	}
}

// A focus is judged whenever it is read: an incident that becomes restricted leaves every wall.
func TestAFocusThatBecomesRestrictedIsDropped(t *testing.T) {
	h, _, wall := fleet(t)
	supervisor := h.person("su", "", access.Grant{Role: access.Supervisor})
	in := h.flood(cap.Severe)
	h.want(supervisor("POST", "/api/v1/walls/steer", `{"walls":["*"],"focus":"nosuch"}`), 422)
	h.want(supervisor("POST", "/api/v1/walls/steer", `{"walls":["*"],"focus":"`+in.ID+`"}`), 200)
	own := func() map[string]any { return h.want(wall("GET", "/api/v1/walls/me", ""), 200) }
	if own()["focus"] != in.ID {
		t.Fatalf("focus: %v", own())
	}
	named := h.person("dp3a", "", access.Grant{Role: access.Supervisor}, access.Grant{Role: access.Supervisor, Types: []string{"domestic_violence"}})
	h.want(named("PATCH", "/api/v1/incidents/"+in.ID, `{"type":"domestic_violence","version":1}`), 200)
	if own()["focus"] != nil || h.wall(supervisor)["focus"] != nil {
		t.Errorf("still in focus: %v", own())
	}
	h.want(supervisor("POST", "/api/v1/walls/steer", `{"walls":["*"],"focus":"`+in.ID+`"}`), 422)
}

// Before visitors a wall reads of itself that somebody holds it, and not who.
func TestAWallBeforeVisitorsDoesNotReadWhoHoldsIt(t *testing.T) {
	h, _, wall := fleet(t)
	supervisor := h.person("dewi", "", access.Grant{Role: access.Supervisor})
	for scene, want := range map[string]string{"visitor": "user", "normal": "dewi"} {
		h.want(supervisor("POST", "/api/v1/walls/steer", `{"walls":["*"],"scene":"`+scene+`","hold_minutes":30}`), 200)
		if by := h.want(wall("GET", "/api/v1/walls/me", ""), 200)["held_by"]; by != want {
			t.Errorf("%s: held by %v, want %s", scene, by, want)
		}
	}
}
