package hub

import (
	"strings"
	"testing"

	"kentongan/server/access"
	"kentongan/server/wire"
)

// A wall says who is on the way and when they arrive, in nobody's words; one before visitors is told of no unit, and one of a restricted type is on
// no wall.
func TestAWallIsToldWhoIsOnTheWay(t *testing.T) {
	const unit, due = "bpbd/trc-1", `"travel_s":420`
	doc := func(id, kind string) string {
		return `{"id":"` + id + `","incident":"01INCIDENT","type":"` + kind + `","unit":"` + unit + `","agency":"bpbd","status":"en_route","version":2,"times":{"en_route":"2026-01-01T00:00:00Z"},` +
			`"by":"user:` + canary + `","note":"` + canary + `","reason":"` + canary + `","travel_s":420,"next":null,"external_refs":[{"agency":"x","id":"` + canary + `"}]}`
	}
	guests := grant(access.Wall, "")
	guests.Guests = true
	for name, c := range map[string]struct {
		who         access.Subject
		kind        string
		told, words bool
	}{
		"a wall":                 {grant(access.Wall, ""), "flood", true, false},
		"a wall, restricted":     {grant(access.Wall, ""), "domestic_violence", false, false},
		"a wall before visitors": {guests, "flood", false, false},
		"a dispatcher":           {grant(access.Dispatcher, ""), "flood", true, true},
		"another agency":         {grant(access.Liaison, "damkar"), "flood", false, false},
		"an operator elsewhere":  {grant(access.Operator, "damkar"), "flood", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			stream := newStream()
			r := newRoom(t, stream, "e1", quick())
			judge := func(where, text string) {
				t.Helper()
				if got := strings.Contains(text, unit) && strings.Contains(text, due); got != c.told {
					t.Errorf("%s: told %t, want %t: %.900s", where, got, c.told, text)
				}
				if got := strings.Contains(text, canary); got != c.words {
					t.Errorf("%s: words %t, want %t: %.900s", where, got, c.words, text)
				}
			}
			s := r.sitAs(t, c.who)
			s.say(here)
			if _, err := s.raw("snapshot"); err != nil {
				t.Fatal(err)
			}
			stream.doc(wire.TypeDispatch, "01DISPATCH", doc("01DISPATCH", c.kind))
			stream.doc(wire.TypeAlert, "last", `{"id":"last","state":"active"}`)
			var heard strings.Builder
			for {
				text, err := s.raw("")
				if err != nil {
					t.Fatal(err)
				}
				if heard.WriteString(text); strings.HasPrefix(text, `{"type":"alert"`) {
					break
				}
			}
			judge("as it happens", heard.String())
			again := r.sitAs(t, c.who)
			again.say(here)
			text, err := again.raw("snapshot")
			if err != nil {
				t.Fatal(err)
			}
			judge("snapshot", text)
		})
	}
}
