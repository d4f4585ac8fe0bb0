package hub

import (
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/server/access"
	"kentongan/server/wire"
)

// A wall before visitors is told of no unit, neither as a noun nor as a Thing, and of no Thing that may be one: not in the first picture, not as
// it happens, not near and not from afar, whatever it asks for. A wall before nobody is told of all of them.
func TestAWallBeforeVisitorsIsNotToldOfUnits(t *testing.T) {
	const hidden = "Bripka Rahasia"
	there := func() []*feeds.Thing {
		list := []*feeds.Thing{thing("gps:polres/patroli-1", "unit", -0.8, 100.6, 1), thing("gps:amb-1", "ambulance", -0.81, 100.61, 1), thing("hp:1", "phone", -0.82, 100.62, 1),
			thing("awlr:1", "river_gauge", -0.83, 100.63, 1)}
		for _, th := range list[:3] {
			th.Name = hidden
		}
		list[3].Name = "AWLR Batang Lembang"
		return list
	}
	guests := grant(access.Wall, "")
	guests.Guests = true
	for name, c := range map[string]struct {
		who  access.Subject
		told bool
	}{"before visitors": {guests, false}, "in the control room": {grant(access.Wall, ""), true}} {
		t.Run(name, func(t *testing.T) {
			stream := newStream()
			r := newRoom(t, stream, "e1", quick(), there()...)
			s := r.sitAs(t, c.who)
			var heard strings.Builder
			listen := func(until string) {
				t.Helper()
				for {
					text, err := s.raw("")
					if err != nil {
						t.Fatal(err)
					}
					heard.WriteString(text)
					if strings.Contains(text, until) {
						return
					}
				}
			}
			stream.doc(wire.TypeUnit, "polres/patroli-1", `{"id":"polres/patroli-1","agency":"polres","name":"`+hidden+`","status":"available","lng":100.6,"lat":-0.8}`)
			s.say(here)
			listen(`"snapshot"`)
			for _, th := range there() {
				old := th.Clone()
				th.Position.Lat += 0.001
				r.ThingsChanged([]Change{r.changed(old, th)})
			}
			stream.doc(wire.TypeUnit, "polres/patroli-2", `{"id":"polres/patroli-2","agency":"polres","name":"`+hidden+`","status":"available"}`)
			// What comes last comes after all of it.
			stream.incident(flood(nil))
			listen("SLK-2026-000001")
			s.say(strings.Replace(here, `"zoom":11`, `"zoom":7`, 1))
			listen(`"snapshot"`)
			text := heard.String()
			for _, what := range []string{hidden, "patroli-1", "patroli-2", "amb-1", "hp:1", `"ambulance"`, `"phone"`} {
				if got := strings.Contains(text, what); got != c.told && (got || what[0] != '"') {
					t.Errorf("%s: told %t, want %t", what, got, c.told)
				}
			}
			if !strings.Contains(text, "AWLR Batang Lembang") {
				t.Errorf("a station is not told of: %.600s", text)
			}
			a := access.Can(c.who, access.ReadUnits, access.Object{}, time.Now())
			if a.Allowed() != c.told {
				t.Errorf("HTTP: %+v", a)
			}
		})
	}
}
