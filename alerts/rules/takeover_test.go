package rules

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// said is one reading of a Thing in a place, minutes after noon.
func readOf(e *Engine, minute int, thing, property string, x float64, place geo.Position) []Decision {
	at := noon.Add(time.Duration(minute) * time.Minute)
	o := feeds.Observation{Property: property, Quality: feeds.Good, At: moment.Of(at), ReceivedAt: moment.Of(at), Value: feeds.Value{Num: x}, Position: place, Placed: true}
	return e.Reading(&feeds.Thing{ID: thing, Kind: "bus"}, o, at)
}

// What fired under a rule that is no more clears once in the life that takes over, however often that one begins, and not at all in another.
func TestClearsOfATakeOverAreToldOnce(t *testing.T) {
	one := func(limit string) *Program {
		return program(t, `- {id: high, when: 'obs.property == "x" && obs.value >= `+limit+`', samples: 1, `+alertX+`}`)
	}
	e := NewEngine(one("3.0"))
	if got := summary(readOf(e, 1, "t", "x", 5, geo.Position{})); got != "high" {
		t.Fatal(got)
	}
	kept := e.Save()
	next := NewEngine(one("4.0"))
	for range 3 { // a begin that is tried again
		if err := next.Restore(maps.Clone(kept)); err != nil {
			t.Fatal(err)
		}
	}
	if got := summary(next.Tick(noon.Add(2 * time.Minute))); got != "high clears" {
		t.Errorf("took over: %q", got)
	}
	if err := next.Restore(maps.Clone(kept)); err != nil {
		t.Fatal(err)
	}
	if err := next.Restore(nil); err != nil { // the tenure was lost before anything was told
		t.Fatal(err)
	}
	if got := summary(next.Tick(noon.Add(2 * time.Minute))); got != "" {
		t.Errorf("a life that has nothing to do with it tells %q", got)
	}
}

// A fence that is new, or another one, after a restart finds inside what was inside; one that was always there still sees who comes in.
func TestFencesBeginAcrossARestart(t *testing.T) {
	in, out := geo.Position{Lng: 100.63, Lat: -0.83}, geo.Position{Lng: 100.60, Lat: -0.83}
	square := func(east string) string {
		return fmt.Sprintf("[[[100.62, -0.84], [%s, -0.84], [%s, -0.82], [100.62, -0.82], [100.62, -0.84]]]", east, east)
	}
	rule := func(id, east string) string {
		return fmt.Sprintf("- {id: %s, when: 'thing.kind == \"bus\"', fence: {on: enter, polygon: {type: Polygon, coordinates: %s}}, %s}\n", id, square(east), alertX)
	}
	far := strings.ReplaceAll(rule("far", "100.64"), "100.", "101.")
	for name, c := range map[string]struct{ before, after, want string }{
		"a new one":               {far, far + rule("gate", "100.64"), ""},
		"another one":             {far + strings.ReplaceAll(rule("gate", "100.64"), "100.", "101."), far + rule("gate", "100.64"), ""},
		"another one with a past": {rule("gate", "100.64"), rule("gate", "100.65"), ""},
		"one that was there":      {far + rule("gate", "100.64"), far + rule("gate", "100.64"), "gate"},
	} {
		e := NewEngine(program(t, c.before))
		kept := map[string][]byte{}
		for minute := range 5 {
			readOf(e, minute, "bus", "gps", 0, out)
			merged(kept, e.Save())
		}
		if name == "another one with a past" {
			readOf(e, 5, "other", "gps", 0, in)
			merged(kept, e.Save())
		}
		for life := range 3 { // it is as new after the next restart
			next := NewEngine(program(t, c.after))
			if err := next.Restore(maps.Clone(kept)); err != nil {
				t.Fatal(name, err)
			}
			if life == 2 {
				if got := summary(readOf(next, 6, "bus", "gps", 0, in)); got != c.want {
					t.Errorf("%s: %q, want %q", name, got, c.want)
				}
			}
			merged(kept, next.Save())
			e = next
		}
		if c.want == "" { // who leaves and comes back enters
			readOf(e, 7, "bus", "gps", 0, out)
			if got := summary(readOf(e, 8, "bus", "gps", 0, in)); got != "gate" {
				t.Errorf("%s, coming in: %q", name, got)
			}
		}
	}
}

// A state of the version before is read: an instrument of it was heard now.
func TestStateOfTheVersionBeforeIsRead(t *testing.T) {
	g := newGauge(t)
	g.say(noisy(1.2, 40)...)
	kept := g.e.Save()
	name := partName(FaultRule, shardOf("awlr:1"))
	w := &writer{}
	w.uint(1)
	w.uint(printHash(g.e.states[FaultRule].rule.print))
	w.text(string(KindFault))
	w.flags(false)
	w.int(0)
	w.uint(0)
	w.uint(0)
	w.uint(1)
	w.text("awlr:1")
	w.flags(false)
	w.uint(0)
	w.uint(0)
	w.text("")
	w.text("")
	w.int(0)
	w.uint(0)
	if _, there := kept[name]; !there {
		t.Fatalf("%s is not saved", name)
	}
	kept[name] = w.b
	delete(kept, beganField)
	next := NewEngine(g.e.Program())
	if err := next.Restore(kept); err != nil {
		t.Fatal(err)
	}
	if x := next.series.things["awlr:1"]; x == nil || x.spoke != next.now || x.gone(next.now) {
		t.Errorf("%+v", x)
	}
}

// A report does not make an instrument silent whose readings wait to be judged; and the count is what it is without that.
func TestReportsDoNotPassReadingsThatWait(t *testing.T) {
	p := program(t, `- {id: silent, when: 'obs.property == "x"', absence: {of: 5m}, `+alertX+`}
- {id: many, when: 'report.type == "banjir"', count: {of: reports, at_least: 2, disk: 1, within: 10m}, `+alertX+`}`)
	e := NewEngine(p)
	readOf(e, 0, "t", "x", 1, geo.Position{})
	lng, lat := 100.63, -0.83
	at := noon.Add(20 * time.Minute)
	var got string
	for i := range 2 {
		got += summary(e.Report(&report.Report{ID: fmt.Sprint(i), Type: "banjir", Lng: &lng, Lat: &lat, At: moment.Of(at), ReceivedAt: moment.Of(at)}, at, noon.Add(4*time.Minute)))
	}
	if got != "many" {
		t.Errorf("%q, want the count alone", got)
	}
	if got := summary(readOf(e, 4, "t", "x", 1, geo.Position{})); got != "" {
		t.Errorf("the reading that waited: %q", got)
	}
	if got := summary(e.Tick(noon.Add(31 * time.Minute))); got != "silent; many clears" {
		t.Errorf("later: %q", got)
	}
}

// All polygons of a fence together are bounded, and the error says which is too much.
func TestAFenceOfManyPolygonsIsBounded(t *testing.T) {
	s := &shape{}
	for i := range 4 { // some 30 cells each
		s.Shape.Polygons = append(s.Shape.Polygons, geo.Circle(geo.Position{Lng: 100 + float64(i), Lat: -1}, 1000).Polygons...)
	}
	if err := s.cover("polygon", 100); err == nil || !strings.HasPrefix(err.Error(), "polygon: polygon 3: ") && !strings.HasPrefix(err.Error(), "polygon: polygon 4: ") {
		t.Errorf("%v", err)
	}
	if err := (&shape{Shape: s.Shape}).cover("polygon", 400); err != nil {
		t.Error(err)
	}
}
