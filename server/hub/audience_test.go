package hub

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/wire"
)

const canary = "rahasia"

// flood is an incident of bpbd with a person's words in it.
func flood(change func(*incident.Incident)) incident.Incident {
	in := incident.Incident{ID: "01INCIDENT", Number: "SLK-2026-000001", Type: "flood", Title: canary, Severity: "Severe", Status: incident.New, Version: 1, LeadAgency: "bpbd",
		Support: []string{"pupr"}, Location: &incident.Location{Lng: 100.63, Lat: -0.83}, AreaName: "Kubung", OpenedAt: moment.Of(time.Now()),
		Why:      incident.Why{Person: "user:a"},
		Timeline: []incident.Entry{{Actor: "user:a", Act: "opened", Note: canary}}, Evidence: []incident.Evidence{{Kind: "report", Ref: "lapor:1", Text: canary}}}
	if change != nil {
		change(&in)
	}
	return in
}

func (f *fakeStream) incident(in incident.Incident) {
	doc, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	f.doc(wire.TypeIncident, in.ID, string(doc))
}

func (f *fakeStream) doc(noun, id, doc string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, store.Change{Offset: f.base + int64(len(f.list)) + 1, Type: noun, ID: id, Doc: json.RawMessage(doc)})
	close(f.wake)
	f.wake = make(chan struct{})
}

// sitAs takes a seat as somebody.
func (r *room) sitAs(t *testing.T, who access.Subject) *seat {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.Serve(w, req, auth.Of(who, "x", time.Now()), true)
	}))
	t.Cleanup(srv.Close)
	c, _, err := (&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}).Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &seat{t, c}
}

// raw gives the next message of a type as it came; of any type where kind is empty.
func (s *seat) raw(kind string) (string, error) {
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, b, err := s.ReadMessage()
		if err != nil {
			return "", err
		}
		if kind == "" || strings.HasPrefix(string(b), `{"type":"`+kind+`"`) {
			return string(b), nil
		}
	}
}

func grant(role access.Role, agency string) access.Subject {
	return access.Subject{ID: "user:x", Grants: []access.Grant{{Role: role, Agency: agency}}}
}

// What each audience hears of one and the same incident, in the snapshot, as it happens, and after coming back.
func TestAnIncidentAsEachAudienceMaySeeIt(t *testing.T) {
	const whole, number = `"note":"` + canary, "SLK-2026-000001"
	named := grant(access.Supervisor, "")
	named.Grants[0].Types = []string{"corruption_tip"}
	for name, c := range map[string]struct {
		who          access.Subject
		in           incident.Incident
		there, words bool
	}{
		"a supervisor":                      {grant(access.Supervisor, ""), flood(nil), true, true},
		"the agency that leads":             {grant(access.Liaison, "bpbd"), flood(nil), true, true},
		"an agency that supports":           {grant(access.Liaison, "pupr"), flood(nil), true, true},
		"another agency":                    {grant(access.Liaison, "dishub"), flood(nil), true, false},
		"a wall":                            {grant(access.Wall, ""), flood(nil), true, false},
		"humas":                             {grant(access.PIO, ""), flood(nil), true, false},
		"an administrator":                  {grant(access.Admin, ""), flood(nil), false, false},
		"nobody":                            {access.Subject{ID: "user:x"}, flood(nil), false, false},
		"a supervisor, restricted":          {grant(access.Supervisor, ""), flood(func(in *incident.Incident) { in.Type = "corruption_tip" }), false, false},
		"a supervisor who is named for it":  {named, flood(func(in *incident.Incident) { in.Type = "corruption_tip" }), true, true},
		"a wall, restricted":                {grant(access.Wall, ""), flood(func(in *incident.Incident) { in.Type = "corruption_tip" }), false, false},
		"the agency that leads, restricted": {grant(access.Liaison, "bpbd"), flood(func(in *incident.Incident) { in.Type = "domestic_violence" }), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			stream := newStream()
			r := newRoom(t, stream, "e1", quick())
			judge := func(where, text string) {
				t.Helper()
				if there := strings.Contains(text, number); there != c.there {
					t.Errorf("%s: there %t, want %t: %.300s", where, there, c.there, text)
				}
				if words := strings.Contains(text, whole); words != c.words || !c.words && strings.Contains(text, canary) {
					t.Errorf("%s: words %t, want %t: %.900s", where, words, c.words, text)
				}
			}
			s := r.sitAs(t, c.who)
			s.say(here)
			first, err := s.raw("snapshot")
			if err != nil {
				t.Fatal(err)
			}
			stream.incident(c.in)
			stream.incident(flood(func(in *incident.Incident) {
				in.ID, in.Number, in.Title, in.LeadAgency = "02", "the other", "", "dishub"
				in.Timeline, in.Evidence = nil, nil
			}))
			if c.there {
				text, err := s.raw("incident")
				if err != nil {
					t.Fatal(err)
				}
				judge("as it happens", text)
			} else if s.who(t); true {
				s.say(strings.Replace(here, "11", "12", 1))
				text, err := s.raw("")
				for ; err == nil && !strings.Contains(text, `"snapshot"`); text, err = s.raw("") {
					judge("as it happens", text)
				}
			}
			again := r.sitAs(t, c.who)
			again.say(here)
			text, err := again.raw("snapshot")
			if err != nil {
				t.Fatal(err)
			}
			judge("snapshot", text)
			var m message
			if err := json.Unmarshal([]byte(first), &m); err != nil {
				t.Fatal(err)
			}
			back := r.sitAs(t, c.who)
			back.say(strings.Replace(here, `}`, `,"cursor":"`+m.Cursor+`"}`, 1))
			var missed strings.Builder
			for {
				text, err := back.raw("")
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(text, `{"type":"snapshot"`) {
					break
				}
				missed.WriteString(text)
			}
			judge("missed", missed.String())
		})
	}
}

// who is nothing but a breath for the hub: what was put before it has been delivered once it answers.
func (s *seat) who(t *testing.T) {
	t.Helper()
	s.say(`{"op":"ping"}`)
	if _, err := s.raw("pong"); err != nil {
		t.Fatal(err)
	}
}

// An incident that an audience may see no more is taken from its screens: they are asked to come back.
func TestWhoMaySeeItNoMoreComesBack(t *testing.T) {
	stream := newStream()
	r := newRoom(t, stream, "e1", quick())
	named := grant(access.Operator, "")
	named.Grants[0].Areas = []string{"Kubung"}
	leaves, stays := r.sitAs(t, named), r.sitAs(t, grant(access.Supervisor, ""))
	for _, s := range []*seat{leaves, stays} {
		s.say(here)
		if _, err := s.raw("snapshot"); err != nil {
			t.Fatal(err)
		}
	}
	stream.incident(flood(nil))
	for _, s := range []*seat{leaves, stays} {
		if _, err := s.raw("incident"); err != nil {
			t.Fatal(err)
		}
	}
	stream.incident(flood(func(in *incident.Incident) { in.AreaName = "Gunung Talang" }))
	if text, err := stays.raw("incident"); err != nil || !strings.Contains(text, "Gunung Talang") {
		t.Errorf("%s, %v", text, err)
	}
	text, err := leaves.raw("incident")
	if !websocket.IsCloseError(err, wire.CloseChanged) {
		t.Errorf("heard %s, %v", text, err)
	}
}

// A grant for a time ends while its holder looks.
func TestAGrantEndsWhileSomebodyLooks(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick())
	lent := grant(access.Operator, "")
	lent.Grants[0].Until = time.Now().Add(1500 * time.Millisecond)
	s := r.sitAs(t, lent)
	s.say(here)
	if _, err := s.raw("incident"); !websocket.IsCloseError(err, wire.CloseChanged) {
		t.Errorf("after its end: %v", err)
	}
	if over := time.Since(lent.Grants[0].Until); over < 0 || over > 2*time.Second {
		t.Errorf("ended %v after the grant", over)
	}
}

// A session is over at its hour, whoever holds a socket of it.
func TestASessionIsOverWhileSomebodyLooks(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick())
	end := time.Now().Add(1500 * time.Millisecond)
	s, stays := r.sitBy(t, "one&ends="+url.QueryEscape(end.Format(time.RFC3339Nano))), r.sitBy(t, "two")
	s.say(here)
	if _, err := s.raw("incident"); !websocket.IsCloseError(err, wire.ClosePolicy) {
		t.Errorf("after its end: %v", err)
	}
	if over := time.Since(end); over < 0 || over > 2*time.Second {
		t.Errorf("ended %v after the session", over)
	}
	stays.who(t)
}

// Where officers are is shown to whoever may see units, of their agency or of all; in Things and in cells.
func TestUnitsShowToWhomTheyMay(t *testing.T) {
	bus := thing("angkot:1", "bus", -0.8, 100.6, 1)
	bpbd, second, damkar, loose := thing("radio:bpbd/trc-1", "unit", -0.8, 100.6, 1), thing("radio:bpbd/trc-2", "unit", -0.8, 100.6, 1), thing("radio:damkar/1", "unit", -0.8, 100.6, 1), thing("radio:7", "unit", -0.8, 100.6, 1)
	for name, c := range map[string]struct {
		who  access.Subject
		want []string
	}{
		"a dispatcher":        {grant(access.Dispatcher, ""), []string{"angkot:1", "radio:7", "radio:bpbd/trc-1", "radio:bpbd/trc-2", "radio:damkar/1"}},
		"a liaison":           {grant(access.Liaison, "damkar"), []string{"angkot:1", "radio:damkar/1"}},
		"two agencies add up": {access.Subject{ID: "user:x", Grants: []access.Grant{{Role: access.Liaison, Agency: "damkar"}, {Role: access.Liaison, Agency: "bpbd"}}}, []string{"angkot:1", "radio:bpbd/trc-1", "radio:bpbd/trc-2", "radio:damkar/1"}},
		"a crew":              {access.Subject{ID: "user:x", Unit: "bpbd/trc-1", Grants: []access.Grant{{Role: access.Field, Agency: "bpbd"}}}, []string{"angkot:1", "radio:bpbd/trc-1"}},
		"a crew of no unit":   {grant(access.Field, "bpbd"), []string{"angkot:1"}},
		"a unit of others":    {access.Subject{ID: "user:x", Unit: "damkar/1", Grants: []access.Grant{{Role: access.Field, Agency: "bpbd"}}}, []string{"angkot:1"}},
		"a leader":            {grant(access.Leader, ""), []string{"angkot:1"}},
		"nobody":              {access.Subject{ID: "user:x"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, newStream(), "e1", quick(), bus, bpbd, second, damkar, loose)
			ids := func(m message) (out []string) {
				for _, th := range m.Things {
					out = append(out, th.ID)
				}
				slices.Sort(out)
				return out
			}
			s := r.sitAs(t, c.who)
			s.say(here)
			if m := s.hear("snapshot"); !slices.Equal(ids(m), c.want) {
				t.Errorf("snapshot: %v, want %v", ids(m), c.want)
			}
			var list []Change
			for _, old := range []struct {
				id, kind string
			}{{"angkot:1", "bus"}, {"radio:bpbd/trc-1", "unit"}, {"radio:bpbd/trc-2", "unit"}, {"radio:damkar/1", "unit"}, {"radio:7", "unit"}} {
				list = append(list, r.changed(thing(old.id, old.kind, -0.8, 100.6, 1), thing(old.id, old.kind, -0.8, 100.6, 2)))
			}
			r.ThingsChanged(list)
			if len(c.want) > 0 {
				if m := s.hear("things"); !slices.Equal(ids(m), c.want) {
					t.Errorf("changes: %v, want %v", ids(m), c.want)
				}
			}
			s.say(`{"op":"view","bbox":[100,-1,101,0],"zoom":7,"layers":["*"]}`)
			text, err := s.raw("snapshot")
			if err != nil {
				t.Fatal(err)
			}
			if all := c.who.Grants != nil && c.who.Grants[0].Role == access.Dispatcher; strings.Contains(text, `"layer":"unit"`) != all {
				t.Errorf("cells of units: %.500s", text)
			}
		})
	}
}

// What the house makes of its cases comes as it changes and stands in the snapshot, for whom it may: an alarm of a restricted type for
// nobody here, and a suggestion for those who work on such a thing.
func TestWhatTheHouseMakesOfItTravels(t *testing.T) {
	stream := newStream()
	r := newRoom(t, stream, "e1", quick())
	first := r.sitAs(t, grant(access.Supervisor, ""))
	first.say(here)
	if _, err := first.raw(wire.TypeSnapshot); err != nil {
		t.Fatal(err)
	}
	for _, d := range [][3]string{
		{wire.TypeAlarm, "A", `{"id":"A","state":"raised","type":"flood"}`},
		{wire.TypeAlarm, "OVER", `{"id":"OVER","state":"cleared"}`},
		{wire.TypeAlarm, "LATCHED", `{"id":"LATCHED","state":"cleared","latched":true,"type":"flood"}`},
		{wire.TypeAlarm, "HIDDEN", `{"id":"HIDDEN","state":"raised","type":"domestic_violence"}`},
		{wire.TypeAlarm, "WORDS", `{"id":"WORDS","state":"raised","source":"person","type":"fire_building","severity":"Extreme","event":"Rumah Pak Ahmad","ack":{"by":"user:sari","note":"kata Sari"}}`},
		{wire.TypeSuggestion, "S", `{"id":"S","state":"offered","type":"flood"}`},
		{wire.TypePlan, "P", `{"id":"P","state":"running"}`},
		{wire.TypePlan, "PAST", `{"id":"PAST","state":"over"}`},
		{wire.TypeStatement, "T", `{"id":"T","state":"in_force"}`},
		{wire.TypeStatus, "area", `{"id":"area","level":2}`},
	} {
		stream.doc(d[0], d[1], d[2])
	}
	if text, err := first.raw(wire.TypeStatus); err != nil || !strings.Contains(text, `"status":{"id":"area","level":2}`) {
		t.Fatalf("%s %v", text, err)
	}
	for _, c := range []struct {
		who  access.Subject
		want string
		all  bool // people's own words, too
	}{
		{grant(access.Operator, ""), "A LATCHED WORDS S P T area", true},
		{grant(access.Operator, "bpbd"), "A LATCHED WORDS S P T area", false},
		{grant(access.Liaison, "bpbd"), "A LATCHED WORDS S P T area", false},
		{grant(access.Liaison, "damkar"), "A LATCHED WORDS P T area", false},
		{grant(access.Field, "bpbd"), "P T area", false},
		{grant(access.Wall, ""), "A LATCHED WORDS P T area", false},
		{grant(access.Admin, ""), "A LATCHED P T area", false}, // who may not see the incident does not see its words
		{access.Subject{ID: "user:x"}, "", false},
	} {
		s := r.sitAs(t, c.who)
		s.say(here)
		text, err := s.raw(wire.TypeSnapshot)
		if err != nil {
			t.Fatal(err)
		}
		type docs []struct{ ID string }
		var snap struct{ Alarms, Suggestions, Plans, Statements, Statuses docs }
		if err := json.Unmarshal([]byte(text), &snap); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, list := range []docs{snap.Alarms, snap.Suggestions, snap.Plans, snap.Statements, snap.Statuses} {
			var ids []string
			for _, d := range list {
				ids = append(ids, d.ID)
			}
			slices.Sort(ids)
			got = append(got, ids...)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v sees %q, want %q", c.who.Grants, got, c.want)
		}
		if words := strings.Contains(text, "Rumah Pak Ahmad"); words != c.all || words != strings.Contains(text, "kata Sari") || words != strings.Contains(text, "user:sari") {
			t.Errorf("%v: whole: %t: %s", c.who.Grants, words, text)
		}
	}
}
