package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/geo/redistest"
	"kentongan/server/wire"
)

// A wall whose socket is at one server is steered from the other, and its report there stands in the list here.
func TestAWallIsSteeredFromAnotherServer(t *testing.T) {
	t.Parallel() // it mostly waits
	store := redistest.Private(t).URL()
	a, b := beside(t, "a", store, several), beside(t, "b", store, several)
	_, made := a.ask("POST", "/api/v1/devices", `{"kind":"wall","name":"Utara","screen":"utara"}`)
	token, _ := made["token"].(string)
	let, err := http.Post("http://"+b.Addr()+"/api/v1/session/device", "application/json", strings.NewReader(`{"token":"`+token+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer let.Body.Close()
	if let.StatusCode != http.StatusOK || len(let.Cookies()) != 1 {
		t.Fatalf("let in: %d", let.StatusCode)
	}
	cookie := let.Cookies()[0].Name + "=" + let.Cookies()[0].Value
	dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	var c *websocket.Conn
	open := func() {
		t.Helper()
		if c, _, err = dialer.Dial("ws://"+b.Addr()+"/api/v1/live?format=json", http.Header{"Cookie": {cookie}, "Origin": {"http://" + b.Addr()}}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func(c *websocket.Conn) func() { return func() { _ = c.Close() } }(c))
		if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[100,-2,101.5,0],"zoom":11,"layers":["*"],"wall":"me"}`)); err != nil {
			t.Fatal(err)
		}
	}
	open()
	type heard struct {
		Type string
		Wall struct {
			ID, Scene string
			ApplyAt   time.Time `json:"apply_at"`
		}
	}
	next := func(kind string) heard {
		for {
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, raw, err := c.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			var m heard
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			if m.Type == kind {
				return m
			}
		}
	}
	next("snapshot")
	// Before visitors it comes back, and may then see less; so again when they have gone.
	units := func() int {
		req, err := http.NewRequest("GET", "http://"+b.Addr()+"/api/v1/units", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Cookie": {cookie}}
		told, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = told.Body.Close()
		return told.StatusCode
	}
	for _, turn := range []struct {
		scene string
		units int
	}{{"visitor", http.StatusForbidden}, {"normal", http.StatusOK}} {
		if code, doc := a.ask("POST", "/api/v1/walls/steer", `{"walls":["*"],"scene":"`+turn.scene+`"}`); code != http.StatusOK {
			t.Fatalf("steer: %d %v", code, doc)
		}
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		for err = nil; err == nil; {
			_, _, err = c.ReadMessage()
		}
		if !websocket.IsCloseError(err, wire.CloseChanged) {
			t.Fatalf("%s: %v", turn.scene, err)
		}
		if code := units(); code != turn.units {
			t.Errorf("%s: units answer %d, want %d", turn.scene, code, turn.units)
		}
		open()
	}
	if code, doc := a.ask("POST", "/api/v1/walls/steer", `{"walls":["*"],"scene":"briefing"}`); code != http.StatusOK {
		t.Fatalf("steer: %d %v", code, doc)
	}
	m := next("wall")
	if early := time.Until(m.Wall.ApplyAt); m.Wall.ID != made["id"] || m.Wall.Scene != "briefing" || early < -10*time.Second {
		t.Errorf("told %+v, %s before it takes effect; a slow machine may be late, not this late", m.Wall, early)
	} else {
		t.Logf("told %s before it takes effect", early.Round(time.Millisecond))
	}
	req, err := http.NewRequest("POST", "http://"+b.Addr()+"/api/v1/walls/me/report", strings.NewReader(`{"scene":"briefing","width":1920,"height":1080,"ratio":1,"heap_bytes":0,"nodes":1,"latency_ms":{"p50":0,"p95":0,"p99":0},"worst_source":"","webgl_lost":0,"reconnects":0,"uptime_s":1,"build":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Cookie": {cookie}, "Origin": {"http://" + b.Addr()}, "Content-Type": {"application/json"}}
	told, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = told.Body.Close()
	if told.StatusCode != http.StatusNoContent {
		t.Errorf("report: %d", told.StatusCode)
	}
	_, list := a.ask("GET", "/api/v1/walls", "")
	items, _ := list["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["report"] == nil {
		t.Errorf("at the other server: %v", list)
	}
}
