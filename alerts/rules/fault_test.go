package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// A fault of one property holds that one: the others of the instrument are judged, and once the property has not come for a day nothing is held.
func TestAFaultHoldsItsPropertyOnly(t *testing.T) {
	g := newGauge(t)
	g.e = NewEngine(program(t, `- {id: high, when: 'obs.property in ["water_level", "rainfall"] && obs.value >= 3.0', `+alertX+`}`))
	g.say(noisy(1.2, 60)...)
	if got := summary(g.say(980, 981, 979)); got != "sensor-fault range" {
		t.Fatal(got)
	}
	g.o.Property, g.o.Unit = "rainfall", "mm/h"
	if got := summary(g.say(20, 21, 22)); got != "high" {
		t.Errorf("another property: %q", got)
	}
	if got := summary(g.say(980, 981, 0.1, 0.2)); got != "high clears" { // of which two are not believed
		t.Errorf("bad readings of another property: %q", got)
	}
	g.at = g.at.Add(23 * time.Hour)
	if got := summary(g.say(0.1)); got != "" {
		t.Errorf("within the day: %q", got)
	}
	g.at = g.at.Add(time.Hour)
	ds := g.say(0.1)
	if len(ds) != 1 || ds[0].Fire || ds[0].Why != "fault=range property=water_level ended=silent" {
		t.Errorf("after the day: %+v", ds)
	}
	g.o.Property, g.o.Unit = "water_level", "m"
	if got := summary(g.say(3.4, 3.5)); got != "high" {
		t.Errorf("the property is there again: %q", got)
	}
	if got := summary(g.say(980, 981, 979)); got != "sensor-fault range" {
		t.Errorf("and out of order again: %q", got)
	}
}

// A unit that has stood for a day, in all of a hundred readings, is the one that counts; which it is is said.
func TestALastingUnitIsLearned(t *testing.T) {
	g := newGauge(t)
	g.say(noisy(1.2, 60)...)
	g.o.Unit = "cm"
	hourly := func(n int) (out []Decision) {
		for range n {
			g.at = g.at.Add(29 * time.Minute)
			out = append(out, g.say(noisy(1.2, 1)...)...)
		}
		return out
	}
	if got := summary(hourly(90)); got != "sensor-fault unit" {
		t.Fatal(got)
	}
	g.o.Unit = "m"
	if got := summary(g.say(noisy(1.2, 2)...)); got != "" { // the old one in between: not all of them
		t.Fatal(got)
	}
	g.o.Unit = "cm"
	if got := summary(hourly(99)); got != "" {
		t.Fatal(got)
	}
	ds := hourly(12)
	if len(ds) != 1 || ds[0].Fire || ds[0].Why != "fault=unit property=water_level unit=cm" {
		t.Fatalf("%+v", ds)
	}
	if got := summary(g.say(4, 4.1)); got != "high" {
		t.Errorf("judged again: %q", got)
	}
	g.o.Unit = "m" // the new one is known as the old one was
	if got := summary(hourly(30)); got != "high clears; sensor-fault unit" && got != "sensor-fault unit" {
		t.Errorf("back: %q", got)
	}
}

// An instrument that is out of order is not silent: the rule on silence waits until it says nothing at all.
func TestAnInstrumentOutOfOrderIsNotSilent(t *testing.T) {
	for name, bad := range map[string]func(*feeds.Observation){
		"range": func(o *feeds.Observation) { o.Value.Num = 980 },
		"clock": func(o *feeds.Observation) { o.At = moment.Of(time.Date(2000, 1, 1, 0, 0, 5, 0, time.UTC)) },
		"ahead": func(o *feeds.Observation) { o.At, o.Quality = moment.Of(o.At.Add(48*time.Hour)), feeds.ClockSkew },
	} {
		e := NewEngine(program(t, `- {id: silent, when: 'obs.property == "water_level"', absence: {of: 10m}, `+alertX+`}`))
		say := func(minute int, change func(*feeds.Observation)) string {
			at := noon.Add(time.Duration(minute) * time.Minute)
			o := feeds.Observation{Property: "water_level", Unit: "m", Quality: feeds.Good, Value: feeds.Value{Num: 1.2 + float64(minute%3)/100}, At: moment.Of(at), ReceivedAt: moment.Of(at)}
			change(&o)
			return summary(append(e.Reading(&feeds.Thing{ID: "awlr:1"}, o, at), e.Tick(at.Add(30*time.Second))...))
		}
		got := ""
		for minute := range 20 {
			got += say(minute, func(*feeds.Observation) {})
		}
		for minute := 20; minute < 60; minute++ {
			got += say(minute, bad)
		}
		if got != "sensor-fault "+map[string]string{"range": "range", "clock": "clock", "ahead": "clock"}[name] {
			t.Errorf("%s: %q", name, got)
		}
		if got := summary(e.Tick(noon.Add(70*time.Minute + 2*time.Second))); got != "silent" {
			t.Errorf("%s, and then nothing: %q", name, got)
		}
	}
}

// Things that are gone give their memory back, and their parts of the state.
func TestThingsThatAreGoneAreForgotten(t *testing.T) {
	const many = 20_000
	e := NewEngine(program(t, `- {id: high, when: 'obs.property == "x" && obs.value >= 3.0', `+alertX+`}
- {id: gate, when: 'obs.property == "x"', fence: {on: enter, polygon: {type: Polygon, coordinates: [[[100.62, -0.84], [100.64, -0.84], [100.64, -0.82], [100.62, -0.82], [100.62, -0.84]]]}}, `+alertX+`}
- {id: odd, when: 'obs.property == "y"', anomaly: {}, `+alertX+`}`))
	for i := range 300 {
		readOf(e, i, fmt.Sprint("y", i), "y", 1, geo.Position{Lng: 100.63, Lat: -0.83})
	}
	bad := noon
	for i := range 4 {
		bad = noon.Add(time.Duration(i) * time.Minute)
		e.Reading(&feeds.Thing{ID: "bad"}, feeds.Observation{Property: "x", Quality: feeds.Suspect, At: moment.Of(bad), ReceivedAt: moment.Of(bad)}, bad)
	}
	kept := map[string][]byte{}
	merged(kept, e.Save())
	for i := range many {
		at := noon.Add(time.Duration(i) * time.Second)
		o := feeds.Observation{Property: "x", Quality: feeds.Good, At: moment.Of(at), ReceivedAt: moment.Of(at), Value: feeds.Value{Num: 1}, Position: geo.Position{Lng: 100.60, Lat: -0.83}, Placed: true}
		e.Reading(&feeds.Thing{ID: fmt.Sprint("x", i)}, o, at)
	}
	end := noon.Add(many * time.Second)
	if n := len(e.states["high"].rest); n < many/2 {
		t.Errorf("of %d Things %d are known for what has been judged", many, n)
	}
	var dirty [shards]bool
	forgetRest(e.tracks.rest, 1000, end.UnixMilli(), &dirty)
	if n, newest := len(e.tracks.rest), maxOf(e.tracks.rest); n != 900 || newest < end.Add(-time.Hour).UnixMilli() || !dirty[0] {
		t.Errorf("%d tracks rest, the newest of %s", n, timeOf(newest))
	}
	ds := e.Tick(end.Add(32 * 24 * time.Hour))
	if n := len(e.series.things); n != 0 {
		t.Errorf("%d instruments are known after a month of silence", n)
	}
	if len(ds) != 1 || ds[0].Key != "bad" || ds[0].Fire || ds[0].Why != "fault=suspect property=x ended=silent" || !ds[0].At.Equal(bad.Add(31*24*time.Hour)) {
		t.Errorf("the fault of one of them: %+v", ds)
	}
	e.Tick(end.Add(184 * 24 * time.Hour))
	if n := len(e.states["odd"].usual); n != 0 {
		t.Errorf("%d Things have usual values after half a year", n)
	}
	e.Tick(end.Add(368 * 24 * time.Hour))
	if n := len(e.states["high"].rest) + len(e.tracks.rest) + len(e.tracks.things) + len(e.states["high"].pairs); n != 0 {
		t.Errorf("%d are known after a year", n)
	}
	merged(kept, e.Save())
	for name := range kept {
		if name != clockField && name != beganField && name != "many/clock" {
			t.Errorf("%s is kept", name)
			break
		}
	}
	// One that comes after all is a new one.
	back := end.Add(369 * 24 * time.Hour)
	for i := range 2 {
		at := back.Add(time.Duration(i) * time.Minute)
		if got := summary(e.Reading(&feeds.Thing{ID: "x1"}, feeds.Observation{Property: "x", Quality: feeds.Good, At: moment.Of(at), Value: feeds.Value{Num: 5}}, at)); i == 1 && got != "high" {
			t.Errorf("%q", got)
		}
	}
}

func maxOf(rest map[string]int64) int64 { return slices.Max(slices.Collect(maps.Values(rest))) }

// Shocks that leap out of the calm and come back are what an accelerometer is for; a level that does the same is out of order.
func TestWhatLeapsByItsNatureIsNoFault(t *testing.T) {
	for property, want := range map[string]string{"pga": "", "acceleration_x": "", "Vibration": "", "water_level": "sensor-fault jump", "tilt": "sensor-fault jump"} {
		g := newGauge(t)
		g.e = NewEngine(program(t, `- {id: never, when: 'obs.value > 1e9', range: [-1, 1000], `+alertX+`}`))
		g.o.Property, g.o.Unit = property, ""
		g.say(noisy(1.2, 60)...)
		var all []Decision
		for range 4 { // a shock, and its aftershocks
			all = append(all, g.say(120, 90)...)
			all = append(all, g.say(noisy(1.2, 6)...)...)
		}
		if got, _, _ := strings.Cut(summary(all), ";"); got != want {
			t.Errorf("%s: %q, want %q", property, got, want)
		}
	}
}
