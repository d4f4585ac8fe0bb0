//go:build !race

package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
)

// TestMatrixOfTheSocket holds the live socket against socket.tsv: the door, the snapshot, what happens while everybody listens, and that it
// ends with what opened it. It runs alone, as TestMatrix does.
func TestMatrixOfTheSocket(t *testing.T) {
	c := newCast(t)
	m := &listening{matrix: &matrix{cast: c, table: readGrid(t, "socket.tsv"), known: readDifferences(t, "socket_differs.tsv")}, changing: map[string]incident.Incident{}}
	for object := range place {
		m.changing[object] = m.open(object, m.incident[object].Severity)
	}
	secret(true)
	t.Cleanup(func() { secret(false) })
	// The hub has judged what it holds by what its type was: what becomes restricted is told to it anew, before anybody listens.
	m.incident["restricted"] = m.moved(m.incident["restricted"], incident.Acknowledged)
	m.changing["restricted"] = m.moved(m.changing["restricted"], incident.Acknowledged)
	m.doors(t)
	m.pictures(t)
	m.happens(t)
	for _, e := range m.ears {
		_ = e.conn.Close()
	}
	m.revoked(t)
	if missed := m.table.missed(); len(missed) > 0 {
		t.Errorf("%d cells are not asserted: %q", len(missed), missed[:min(len(missed), 20)])
	}
	for _, cell := range m.known.mended() {
		t.Errorf("%s: socket_differs.tsv says that it differs, and it does not", cell)
	}
	text, total := m.table.summary()
	tell(t, fmt.Sprintf("live socket: %d cells in %d rows for %d subjects, %d assertions", len(m.table.rows)*len(m.table.columns), len(m.table.rows), len(m.table.columns), total), text)
}

// patience is how long anything of the socket is waited for.
const patience = 5 * aSecond

// listening is the matrix with a socket of each who gets one.
type listening struct {
	*matrix
	ears  map[string]*ear
	codes map[string]int // of the handshakes

	changing map[string]incident.Incident // what changes while everybody listens
}

// ear is the live socket of one subject, with all that it has heard.
type ear struct {
	conn  *websocket.Conn
	mu    sync.Mutex
	said  []string
	last  time.Time // the newest of it came
	ended chan error
}

// heard gives what came of some types since a mark, as one text.
func (e *ear) heard(since int, kinds ...string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, text := range e.said[since:] {
		if kind, _, _ := strings.Cut(strings.TrimPrefix(text, `{"type":"`), `"`); slices.Contains(kinds, kind) {
			out = append(out, text)
		}
	}
	return strings.Join(out, "\n")
}

func (e *ear) mark() int { e.mu.Lock(); defer e.mu.Unlock(); return len(e.said) }

func (e *ear) newest() time.Time { e.mu.Lock(); defer e.mu.Unlock(); return e.last }

func (e *ear) say(text string) error { return e.conn.WriteMessage(websocket.TextMessage, []byte(text)) }

func (e *ear) view(layers string) error {
	return e.say(`{"op":"view","bbox":[100.4,-1.3,101.2,-0.5],"zoom":13,"layers":[` + layers + `]}`)
}

// dial opens a socket with the headers of somebody; where it is refused the status says how.
func (m *listening) dial(header http.Header) (*ear, int) {
	header = header.Clone()
	n := m.address.Add(1)
	header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
	conn, resp, err := (&websocket.Dialer{Subprotocols: []string{"kentongan.v1"}, HandshakeTimeout: patience}).Dial("ws://"+m.Addr()+"/api/v1/live?format=json", header)
	if err != nil {
		if resp == nil {
			return nil, 0
		}
		return nil, resp.StatusCode
	}
	m.t.Cleanup(func() { _ = conn.Close() })
	e := &ear{conn: conn, ended: make(chan error, 1)}
	go func() {
		for {
			_, text, err := conn.ReadMessage()
			if err != nil {
				e.ended <- err
				return
			}
			e.mu.Lock()
			e.said, e.last = append(e.said, string(text)), time.Now()
			e.mu.Unlock()
		}
	}()
	return e, http.StatusSwitchingProtocols
}

// cell holds one answer of the socket against the table.
func (m *listening) cell(t *testing.T, action, object, subject, fault string) {
	t.Helper()
	row := action + "|" + object
	m.table.counts(row, subject)
	if fault != "" && !m.known.known(row+"|"+subject) {
		t.Errorf("%s|%s: want %s: %s", row, subject, m.table.cells[row][subject], fault)
	}
}

// door judges a handshake.
func door(letter string, code int) string {
	want := map[string]int{"D": http.StatusForbidden, "S": http.StatusUnauthorized}[letter]
	if want == 0 {
		want = http.StatusSwitchingProtocols
	}
	if code != want {
		return fmt.Sprintf("the handshake answers %d, %d is wanted", code, want)
	}
	return ""
}

// doors tries the handshake as everybody: from a page of another house, without Origin, with an Origin alone, and as it should be.
func (m *listening) doors(t *testing.T) {
	m.ears, m.codes = map[string]*ear{}, map[string]int{}
	for _, name := range m.table.columns {
		who := m.subjects[name]
		foreign, none := who.header.Clone(), who.header.Clone()
		foreign.Set("Origin", "https://jahat.example")
		none.Del("Origin")
		for action, header := range map[string]http.Header{"socket from a foreign page": foreign, "socket without Origin": none, "socket without anything": {"Origin": {"http://" + m.Addr()}}} {
			e, code := m.dial(header)
			if e != nil {
				_ = e.conn.Close()
			}
			m.cell(t, action, "-", name, door(m.table.cells[action+"|-"][name], code))
		}
		e, code := m.dial(who.header)
		m.codes[name] = code
		fault := door(m.table.cells["socket greeting|-"][name], code)
		if e != nil {
			m.ears[name] = e
			if fault == "" {
				fault = m.greeted(t, who, e)
			}
		}
		m.cell(t, "socket greeting", "-", name, fault)
	}
}

// greeted holds the rights of a greeting against those of GET /session.
func (m *listening) greeted(t *testing.T, who *whom, e *ear) string {
	eventually(t, patience, who.name+" is greeted", func() bool { return e.mark() > 0 })
	e.mu.Lock()
	text := strings.Join(e.said, "\n")
	e.mu.Unlock()
	var hello struct {
		Type   string   `json:"type"`
		Rights []string `json:"rights"`
	}
	if err := json.Unmarshal([]byte(text), &hello); err != nil || hello.Type != "hello" {
		return "first comes " + text
	}
	if me := m.try(who, "GET", "/api/v1/session", ""); fmt.Sprint(me.doc["rights"]) != fmt.Sprint(hello.Rights) {
		return fmt.Sprintf("rights %v, and of GET /session %v", hello.Rights, me.doc["rights"])
	}
	return ""
}

// everybody waits, once for all, until each who listens has heard something.
func everybody(t *testing.T, ears map[string]*ear, what string, has func(*ear) bool) {
	t.Helper()
	var wait []string
	eventually(t, patience, "everybody hears "+what, func() bool {
		wait = wait[:0]
		for name, e := range ears {
			if !has(e) {
				wait = append(wait, name)
			}
		}
		return len(wait) == 0
	})
	if len(wait) > 0 {
		slices.Sort(wait)
		t.Fatalf("%s: not %s", what, wait)
	}
}

// look asks for a view as everybody, and waits for the snapshots.
func (m *listening) look(t *testing.T, layers string, n int) {
	t.Helper()
	for name, e := range m.ears {
		if err := e.view(layers); err != nil {
			t.Fatal(name, err)
		}
	}
	everybody(t, m.ears, fmt.Sprintf("snapshot %d", n), func(e *ear) bool { return strings.Count(e.heard(0, "snapshot"), `{"type":"snapshot"`) == n })
}

// pictures holds the snapshots against the table. A layer that is named gives no more than all of them.
func (m *listening) pictures(t *testing.T) {
	for i, layers := range []string{`"*"`, `"unit"`, `"*"`} {
		m.look(t, layers, i+1)
		for _, name := range m.table.columns {
			picture := ""
			if e := m.ears[name]; e != nil {
				all := strings.Split(e.heard(0, "snapshot"), "\n")
				picture = all[len(all)-1]
			}
			for _, row := range m.table.rows {
				action, object, _ := strings.Cut(row, "|")
				whole := slices.Contains([]string{"socket sensor", "socket incidents", "socket reports", "socket feeds"}, action)
				if action == "socket units" || whole && layers == `"*"` {
					m.cell(t, action, object, name, m.shown(action, object, name, picture))
				}
			}
		}
	}
}

// shown judges what the snapshot of a subject tells of an object.
func (m *listening) shown(action, object, name, picture string) string {
	letter := m.table.cells[action+"|"+object][name]
	if letter == "D" || letter == "S" {
		return door(letter, m.codes[name])
	}
	var whole struct {
		Incidents, Reports, Things, Feeds []json.RawMessage
	}
	if err := json.Unmarshal([]byte(picture), &whole); err != nil {
		return "the snapshot: " + err.Error()
	}
	one := func(list []json.RawMessage) string {
		b, _ := json.Marshal(map[string]any{"items": list}) // of what was just read
		return string(b)
	}
	switch action {
	case "socket sensor":
		return m.form("thing", object, letter, one(whole.Things))
	case "socket units":
		return m.form("unit", object, letter, one(whole.Things))
	case "socket incidents":
		return m.form("incident", object, letter, one(whole.Incidents))
	case "socket reports":
		return m.form("report", object, letter, one(whole.Reports))
	}
	if there := strings.Contains(one(whole.Feeds), `"kota"`); there != (letter == "F") {
		return fmt.Sprintf("feeds are told: %t", there)
	}
	return ""
}

// happens lets one thing of each object happen while everybody listens.
func (m *listening) happens(t *testing.T) {
	marks := map[string]int{}
	for name, e := range m.ears {
		marks[name] = e.mark()
	}
	tok := m.subjects["token"]
	for object, one := range m.changing {
		to := incident.Acknowledged
		if object == "restricted" { // it is
			to = incident.Dispatched
		}
		m.moved(one, to)
	}
	reports := map[string]string{"own": "kota:2", "other": "damkar:2", "house": m.call(tok, "house")}
	for feed, body := range map[string]string{
		"kota":   `{"thing":"bpbd/trc-1","name":"regu own","property":"speed","value":2,"lat":-0.8317,"lng":100.6317}` + "\n" + `{"record":"report","id":"2","channel":"chat","text":"` + kanari + ` own lagi","lat":-0.8317,"lng":100.6317}`,
		"damkar": `{"thing":"damkar/1","name":"regu other","property":"speed","value":2,"lat":-0.8318,"lng":100.6318}` + "\n" + `{"record":"report","id":"2","channel":"chat","text":"` + kanari + ` other lagi","lat":-0.8318,"lng":100.6318}`,
	} {
		if got := m.try(tok, "POST", "/api/v1/ingest/"+feed, body); got.code != http.StatusAccepted {
			t.Fatal(got)
		}
	}
	last := m.open("own", cap.Minor)

	// Whoever has every right hears all of it; what anybody hears was on its way by then, and two answers later it is there.
	heardAll := append([]string{last.ID, unitOf["own"], unitOf["other"]}, reports["own"], reports["other"], reports["house"])
	for _, one := range m.changing {
		heardAll = append(heardAll, one.ID)
	}
	everybody(t, map[string]*ear{"token": m.ears["token"]}, "all that happened", func(e *ear) bool {
		text := e.heard(marks["token"], "incident", "report", "things")
		return !slices.ContainsFunc(heardAll, func(id string) bool { return !strings.Contains(text, `"`+id+`"`) })
	})
	for n := range 2 {
		for name, e := range m.ears {
			if err := e.say(`{"op":"ping"}`); err != nil {
				t.Fatal(name, err)
			}
		}
		everybody(t, m.ears, "the answer to a ping", func(e *ear) bool { return strings.Count(e.heard(0, "pong"), `{"type":"pong"`) == n+1 })
	}
	for _, name := range m.table.columns {
		e := m.ears[name]
		judge := func(action, object, id, words, spot string, kind string) {
			letter := m.table.cells[action+"|"+object][name]
			if letter == "D" || letter == "S" {
				m.cell(t, action, object, name, door(letter, m.codes[name]))
				return
			}
			if e == nil {
				m.cell(t, action, object, name, "no socket")
				return
			}
			m.cell(t, action, object, name, levelled(letter, naming(e.heard(marks[name], kind), id), id, words, spot))
		}
		for object, one := range m.changing {
			judge("socket changed incident", object, one.ID, kanari, fmt.Sprint(place[object][0]), "incident")
		}
		for object, id := range reports {
			judge("socket new report", object, id, kanari, "", "report")
		}
		for object, id := range unitOf {
			judge("socket moving unit", object, id, id, "", "things")
		}
	}
}

// moved brings an incident further.
func (m *listening) moved(one incident.Incident, to incident.Status) incident.Incident {
	m.t.Helper()
	out, err := m.cases.Transition(m.t.Context(), one.ID, incident.Act{To: to, Version: one.Version}, audit.Actor{Subject: "user:lain"})
	if err != nil {
		m.t.Fatal(one.Title, err)
	}
	return out
}

// naming gives the messages that name an id.
func naming(text, id string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"`+id+`"`) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// revoked takes back what everybody carries while readings stream, one after another: no message comes later than a second.
func (m *listening) revoked(t *testing.T) {
	m.ears = map[string]*ear{}
	for _, name := range m.table.columns {
		e, code := m.dial(m.subjects[name].header)
		if letter := m.table.cells["socket revoked|-"][name]; letter == "D" || letter == "S" {
			m.cell(t, "socket revoked", "-", name, door(letter, code))
		} else if e == nil {
			m.cell(t, "socket revoked", "-", name, fmt.Sprintf("no socket: %d", code))
		} else {
			m.ears[name] = e
		}
	}
	m.look(t, `"*"`, 1)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			m.try(m.subjects["token"], "POST", "/api/v1/ingest/awlr", fmt.Sprintf(`{"thing":"sensor-1","property":"water_level","value":%d,"lat":-0.83,"lng":100.63}`, n%9+1))
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	slowest := time.Duration(0)
	for _, name := range m.table.columns {
		e, who := m.ears[name], m.subjects[name]
		if e == nil || name == "token" {
			continue
		}
		mark := e.mark()
		eventually(t, patience, name+" hears readings", func() bool { return e.mark() > mark })
		asked := time.Now()
		who.end()
		since := time.Now()
		fault := ""
		select {
		case err := <-e.ended:
			var closed *websocket.CloseError
			if !errors.As(err, &closed) {
				fault = fmt.Sprintf("ended with %v", err)
			}
			slowest = max(slowest, time.Since(asked))
		case <-time.After(patience):
			fault = "open after " + patience.String()
		}
		if late := e.newest().Sub(since); fault == "" && late > time.Second {
			fault = fmt.Sprintf("a message came %s after", late)
		}
		m.cell(t, "socket revoked", "-", name, fault)
	}
	fault := ""
	select {
	case err := <-m.ears["token"].ended:
		fault = fmt.Sprintf("has ended: %v", err)
	default:
	}
	m.cell(t, "socket revoked", "-", "token", fault)
	close(stop)
	<-stopped
	t.Logf("the slowest socket ended %s after its end was asked for", slowest.Round(time.Millisecond))
}
