package hub

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/wire"
)

// seatOf gives a seat to somebody with a role; a device has its session.
func (r *room) seatOf(t *testing.T, role access.Role, session string) *seat {
	t.Helper()
	return r.seatFor(t, access.Subject{ID: "x:" + session, Grants: []access.Grant{{Role: role}}}, session)
}

func (r *room) seatFor(t *testing.T, who access.Subject, session string) *seat {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		id := auth.Of(who, "x", time.Time{})
		id.Session = session
		r.Serve(w, req, id, true)
	}))
	t.Cleanup(srv.Close)
	c, _, err := (&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}).Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &seat{t, c}
}

// told lists the walls that a seat is told of until the pong of its own ping.
func (s *seat) told() (ids []string) {
	s.t.Helper()
	s.say(`{"op":"ping"}`)
	for {
		_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, b, err := s.ReadMessage()
		if err != nil {
			s.t.Fatal(err)
		}
		var m struct {
			Type string
			Wall wire.Wall
		}
		if err := json.Unmarshal(b, &m); err != nil {
			s.t.Fatal(err)
		}
		switch m.Type {
		case wire.TypeWall:
			ids = append(ids, m.Wall.ID+" "+m.Wall.Scene)
		case wire.TypePong:
			return ids
		}
	}
}

// A wall hears of itself, whatever it asks for; who steers or sets up hears of those that were asked for; others hear nothing.
func TestWhoIsToldOfWalls(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick())
	asks := func(s *seat, wall string) *seat {
		s.say(strings.Replace(here, "}", `,"wall":"`+wall+`"}`, 1))
		s.cases("snapshot")
		return s
	}
	session := "device:01"
	seats := map[string]*seat{
		"the wall":         asks(r.seatOf(t, access.Wall, session), "me"),
		"another's":        asks(r.seatOf(t, access.Wall, "device:02"), "01"),
		"all, supervisor":  asks(r.seatOf(t, access.Supervisor, "s"), "*"),
		"one, admin":       asks(r.seatOf(t, access.Admin, "a"), "02"),
		"all, operator":    asks(r.seatOf(t, access.Operator, "o"), "*"),
		"none, supervisor": asks(r.seatOf(t, access.Supervisor, "n"), ""),
	}
	r.WallsChanged([]wire.Wall{{ID: "01", Scene: "flood", Tour: []string{}}, {ID: "02", Scene: "quake", Tour: []string{}}})
	for name, want := range map[string]string{"the wall": "01 flood", "another's": "02 quake", "all, supervisor": "01 flood, 02 quake", "one, admin": "02 quake", "all, operator": "", "none, supervisor": ""} {
		if got := strings.Join(seats[name].told(), ", "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Before visitors a wall is told that somebody holds it, and not who.
func TestAWallBeforeVisitorsIsNotToldWhoHoldsIt(t *testing.T) {
	r := newRoom(t, newStream(), "e1", quick())
	r.d.Guests = func(w wire.Wall) bool { return w.Scene == "visitor" }
	guests := grant(access.Wall, "")
	guests.Guests = true
	const name = "Dewi Rahasia"
	for who, c := range map[string]struct {
		seat *seat
		told bool
	}{
		"visitors":                       {r.seatFor(t, guests, "device:01"), false},
		"the room":                       {r.seatOf(t, access.Wall, "device:02"), true},
		"a room that visitors enter now": {r.seatOf(t, access.Wall, "device:03"), false},
		"who steers":                     {r.seatOf(t, access.Supervisor, "s"), true},
	} {
		c.seat.say(strings.Replace(here, "}", `,"wall":"*"}`, 1))
		c.seat.cases("snapshot")
		r.WallsChanged([]wire.Wall{{ID: "01", HeldBy: name, Tour: []string{}}, {ID: "02", HeldBy: name, Tour: []string{}}, {ID: "03", Scene: "visitor", HeldBy: name, Tour: []string{}}})
		text, err := c.seat.raw(wire.TypeWall)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, name) != c.told || strings.Contains(text, `"held_by":"user"`) == c.told {
			t.Errorf("%s: %s", who, text)
		}
	}
}
