package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/geo/moment"
)

// meant is a message of the live socket, as far as these tests read it.
type meant struct {
	Type       string
	Plan       *struct{ ID, State string }
	Statement  *struct{ ID, State, Step string }
	Status     *hazardLevel
	Plans      []struct{ ID, State string }
	Statements []struct{ ID, State string }
	Statuses   []hazardLevel
}

type hazardLevel struct {
	ID, Code string
	Level    int
	By       string
	Since    string
	Proposal *struct {
		Level    int
		Rules    []string
		Evidence []struct{ Kind, At string }
	}
}

// A plan, a statement and the level of the area go the whole way: by the interface into the store, by the clock and the reader on, and down
// the socket; whoever comes later finds what stands in the snapshot.
func TestPlansStatementsAndLevelsReachTheSocket(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, filepath.Join(t.TempDir(), "data"))
	dial := func() func() meant {
		dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
		c, _, err := dialer.Dial("ws://"+r.Addr()+"/api/v1/live?format=json", http.Header{"Authorization": {"Bearer " + token}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[100,-2,101.5,0],"zoom":11,"layers":["*"]}`)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(60 * time.Second))
		return func() (m meant) {
			_, raw, err := c.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			return m
		}
	}
	next := dial()
	for next().Type != "snapshot" {
	}
	at := func(d time.Duration) string { return moment.Of(time.Now().Add(d)).String() }
	post := func(path, body string) string {
		t.Helper()
		code, doc := r.ask("POST", path, body)
		if code != 201 {
			t.Fatalf("%s: %d %v", path, code, doc)
		}
		id, _ := doc["id"].(string)
		return id
	}
	plan := func(from, to time.Duration) string {
		return post("/api/v1/plans", fmt.Sprintf(`{"kind":"event","title":"Pasar malam","area":{"type":"Feature","geometry":{"type":"Point","coordinates":[100.63,-0.83]}},"from":%q,"to":%q}`, at(from), at(to)))
	}
	short, long := plan(time.Second, 2*time.Second), plan(-time.Second, time.Hour)
	volcano := post("/api/v1/statements", `{"scale":"pvmbg","subject":"talang","step":"III","source":"PVMBG"}`)
	post("/api/v1/incidents", `{"type":"flood","severity":"Extreme","lng":100.63,"lat":-0.83}`)

	var states []string
	var said, flood, mountain, area bool
	for !said || !flood || !mountain || !area || len(states) < 3 {
		m := next()
		switch {
		case m.Plan != nil && m.Plan.ID == short:
			states = append(states, m.Plan.State)
		case m.Statement != nil:
			said = m.Statement.ID == volcano && m.Statement.State == "in_force" && m.Statement.Step == "III"
		case m.Status != nil && m.Status.Proposal != nil:
			p := m.Status.Proposal
			if m.Status.By != "house" || m.Status.Level != 1 || len(p.Evidence) == 0 || p.Evidence[0].At == "" {
				t.Errorf("%+v", m.Status)
			}
			flood = flood || m.Status.ID == "flood" && p.Level == 2 && p.Evidence[0].Kind == "incident"
			mountain = mountain || m.Status.ID == "volcano" && p.Level == 3 && p.Evidence[0].Kind == "statement"
			area = area || m.Status.ID == "area" && p.Level == 3
		}
	}
	if got := fmt.Sprint(states); got != "[planned running over]" {
		t.Errorf("the plan was %s", got)
	}
	late := dial()
	for {
		m := late()
		if m.Type != "snapshot" {
			continue
		}
		if len(m.Plans) != 1 || m.Plans[0].ID != long || m.Plans[0].State != "running" || len(m.Statements) != 1 || m.Statements[0].ID != volcano || len(m.Statuses) != 8 {
			t.Errorf("plans %v, statements %v, %d statuses", m.Plans, m.Statements, len(m.Statuses))
		}
		break
	}
}
