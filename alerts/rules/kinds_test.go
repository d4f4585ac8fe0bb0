package rules

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"kentongan/alerts"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/area"
	"kentongan/geo/moment"
)

const alertX = "alert: {event: X, category: Met, severity: Severe, urgency: Immediate, certainty: Observed}"

// instrument is one gauge of a test: it says values, one a minute.
type gauge struct {
	e  *Engine
	at time.Time
	o  feeds.Observation
}

func newGauge(t testing.TB) *gauge {
	p := program(t, `- {id: high, when: 'obs.property == "water_level" && obs.value >= 3.0', `+alertX+`}`)
	return &gauge{NewEngine(p), noon, feeds.Observation{Property: "water_level", Unit: "m", Quality: feeds.Good}}
}

func (g *gauge) say(values ...float64) []Decision {
	var out []Decision
	for _, x := range values {
		g.at = g.at.Add(time.Minute)
		o := g.o
		o.Value.Num, o.ReceivedAt = x, moment.Of(g.at)
		if o.At.IsZero() {
			o.At = moment.Of(g.at)
		}
		out = append(out, g.e.Reading(&feeds.Thing{ID: "awlr:1"}, o, g.at)...)
	}
	return out
}

// noisy is an hour of a river that lies around a level.
func noisy(level float64, n int) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Round((level+r.Float64()*0.06)*100) / 100
	}
	return out
}

func summary(ds []Decision) string {
	var out []string
	for _, d := range ds {
		word := d.Rule.ID
		if !d.Fire {
			word += " clears"
		}
		if d.Rule.ID == FaultRule {
			kind, _, _ := strings.Cut(d.Why, " ")
			word += " " + strings.TrimPrefix(kind, "fault=")
		}
		out = append(out, word)
	}
	return strings.Join(out, "; ")
}

// An instrument that is out of order raises one fault and no flood, and is believed again once it is in order.
func TestBadInstruments(t *testing.T) {
	repeat := func(x float64, n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = x
		}
		return out
	}
	odd := func(change func(*feeds.Observation), n int) func(*gauge) []Decision {
		return func(g *gauge) []Decision {
			was := g.o
			change(&g.o)
			out := g.say(noisy(5, n)...)
			g.o = was
			return out
		}
	}
	say := func(x []float64) func(*gauge) []Decision {
		return func(g *gauge) []Decision { return g.say(x...) }
	}
	spikes := noisy(1.2, 60)
	for i := 5; i < 60; i += 6 {
		spikes[i] = 19
	}
	for name, c := range map[string]struct {
		bad  func(*gauge) []Decision
		want string
	}{
		"stuck":                     {say(repeat(1.23, 200)), "sensor-fault stuck"},
		"jumps":                     {say(spikes), "sensor-fault jump; sensor-fault clears jump; sensor-fault jump; sensor-fault clears jump; sensor-fault jump"},
		"counts in centimetres":     {say(noisy(123, 50)), "sensor-fault range"},
		"says another unit":         {odd(func(o *feeds.Observation) { o.Unit = "cm" }, 50), "sensor-fault unit"},
		"clock in 2000":             {odd(func(o *feeds.Observation) { o.At = moment.Of(time.Date(2000, 1, 1, 0, 0, 5, 0, time.UTC)) }, 50), "sensor-fault clock"},
		"clock of tomorrow":         {odd(func(o *feeds.Observation) { o.At, o.Quality = moment.Of(noon.Add(48*time.Hour)), feeds.ClockSkew }, 50), "sensor-fault clock"},
		"doubted by its feed":       {odd(func(o *feeds.Observation) { o.Quality = feeds.Suspect }, 50), "sensor-fault suspect"},
		"no numbers":                {say(repeat(math.NaN(), 50)), "sensor-fault value"},
		"one odd reading":           {say([]float64{1.2, 19, 1.21, 1.19}), ""},
		"a flood":                   {say([]float64{1.3, 1.9, 2.6, 3.4, 4.1, 4.8, 5.0, 5.1, 5.05, 5.2}), "high"},
		"a flood within one minute": {say(noisy(4.4, 20)), "high"},
	} {
		g := newGauge(t)
		if ds := g.say(noisy(1.2, 120)...); len(ds) > 0 {
			t.Errorf("%s: in order, and yet %s", name, summary(ds))
		}
		if got := summary(c.bad(g)); got != c.want && name != "jumps" || name == "jumps" && (!strings.HasPrefix(got, "sensor-fault jump") || strings.Contains(got, "high")) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		back := summary(g.say(noisy(1.2, 20)...))
		if strings.HasPrefix(c.want, FaultRule) && !strings.HasPrefix(back, "sensor-fault clears") {
			t.Errorf("%s: in order again: %q", name, back)
		}
		if got := summary(g.say(noisy(3.6, 3)...)); c.want != "high" && got != "high" {
			t.Errorf("%s: the flood after it: %q", name, got)
		}
	}
}

func TestFaultOfATypeAndItsOwnRule(t *testing.T) {
	g := newGauge(t)
	g.say(noisy(1.2, 60)...)
	ds := g.say(980, 981, 979)
	if len(ds) != 1 || ds[0].Type != "sensor_fault" || ds[0].Rule.Alert.Severity != "Minor" || ds[0].Why != "fault=range property=water_level" || len(ds[0].Inputs) != 1 {
		t.Fatalf("%+v", ds)
	}
	l := g.e.List()
	if f := l[len(l)-1]; f.ID != FaultRule || f.State != "firing" || f.Source != "built-in" || len(f.Firing) != 1 {
		t.Errorf("%+v", f)
	}
	// Switched off it tells nobody, but what is impossible is not judged.
	p := program(t, `- {id: high, when: 'obs.property == "water_level" && obs.value >= 3.0', `+alertX+"}\n- {id: sensor-fault, enabled: false, "+alertX+"}")
	if ds := g.e.Swap(p); summary(ds) != "sensor-fault clears rule=changed" {
		t.Errorf("swapped: %s", summary(ds))
	}
	if ds := g.say(980, 981, 979); len(ds) > 0 {
		t.Errorf("switched off: %s", summary(ds))
	}
}

func TestSwapKeepsWhatIsUnchanged(t *testing.T) {
	one := `- {id: a, when: 'obs.property == "x" && obs.value >= 3.0', samples: 1, ` + alertX + `}`
	two := `- {id: b, when: 'obs.property == "x" && obs.value >= 2.0', samples: 1, ` + alertX + `}`
	e := NewEngine(program(t, one+"\n"+two))
	read := func(minute int, x float64) string {
		at := noon.Add(time.Duration(minute) * time.Minute)
		return summary(e.Reading(&feeds.Thing{ID: "t"}, feeds.Observation{Property: "x", Value: feeds.Value{Num: x}, At: moment.Of(at)}, at))
	}
	if got := read(1, 5); got != "a; b" {
		t.Fatal(got)
	}
	if got := summary(e.Swap(program(t, one+"\n"+strings.Replace(two, "2.0", "1.0", 1)))); got != "b clears" {
		t.Errorf("a rule that was changed: %q", got)
	}
	if got := read(2, 5); got != "b" {
		t.Errorf("the changed rule begins anew: %q", got)
	}
	if got := summary(e.Swap(program(t, two))); got != "a clears; b clears" {
		t.Errorf("one gone, one changed back: %q", got)
	}
	// What is kept of a rule that is changed while nobody runs clears in the next life.
	kept := whole(e)
	read(3, 5)
	merged(kept, e.Save())
	next := NewEngine(program(t, one))
	if err := next.Restore(kept); err != nil {
		t.Fatal(err)
	}
	if got := summary(next.Tick(noon.Add(time.Hour))); got != "b clears" {
		t.Errorf("restored under other rules: %q", got)
	}
}

// square is ground of a few kilometres with a hole.
func square() geo.Polygon {
	ring := func(w, s, e, n float64) []geo.Position {
		return []geo.Position{{Lng: w, Lat: s}, {Lng: e, Lat: s}, {Lng: e, Lat: n}, {Lng: w, Lat: n}, {Lng: w, Lat: s}}
	}
	return geo.Polygon{Rings: [][]geo.Position{ring(100.60, -0.86, 100.66, -0.80), ring(100.62, -0.84, 100.63, -0.83)}}
}

// Cells first, polygons only on the outline: the answer is that of the polygon, for every place.
func TestFenceIsItsPolygon(t *testing.T) {
	set, err := area.New([]area.Area{{Code: "13.02.10", Name: "Kubung", Shape: geo.Shape{Polygons: []geo.Polygon{square()}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"13.02.10", "Kubung"} {
		s, err := shapeOf(&Fence{Area: name, On: FenceEnter}, PlacesOf(set))
		if err != nil {
			t.Fatal(err)
		}
		f := newFences([]*compiled{{area: s}})
		p, r := square(), rand.New(rand.NewPCG(3, 4))
		whole := 0
		for range 20_000 {
			at := geo.Position{Lng: 100.59 + r.Float64()*0.08, Lat: -0.87 + r.Float64()*0.08}
			cell, err := geo.CellAt(at, geo.ResMatch)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.edge[cell]) == 0 {
				whole++
			}
			if got := len(f.holding(nil, at, cell)) > 0; got != p.Contains(at) {
				t.Fatalf("%v: %v by cells, %v by the polygon", at, got, !got)
			}
		}
		if whole < 10_000 {
			t.Errorf("only %d of 20000 were answered without asking a polygon", whole)
		}
	}
	tiny := geo.Circle(geo.Position{Lng: 100.63, Lat: -0.83}, 10)
	if s, err := shapeOf(&Fence{Polygon: &Polygon{tiny}, On: FenceInside}, nil); err != nil || len(s.edge) == 0 || len(s.whole) != 0 {
		t.Errorf("a fence of ten metres: %+v, %v", s, err)
	}
	if _, err := shapeOf(&Fence{Area: "Nowhere"}, PlacesOf(set)); err == nil || !strings.Contains(err.Error(), `"Nowhere"`) {
		t.Errorf("an unknown area: %v", err)
	}
}

func TestAreaInConditions(t *testing.T) {
	set, err := area.New([]area.Area{{Code: "k", Name: "Kubung", Kind: area.District, Shape: geo.Shape{Polygons: []geo.Polygon{square()}}}})
	if err != nil {
		t.Fatal(err)
	}
	var list []Rule
	if err := yaml.Unmarshal([]byte(`- {id: a, when: 'area.code == "k" && area.ours && obs.value > 1.0', samples: 1, `+alertX+`}`), &list); err != nil {
		t.Fatal(err)
	}
	p, err := Compile(list, PlacesOf(set))
	if err != nil {
		t.Fatal(err)
	}
	e := NewEngine(p)
	for lng, want := range map[float64]string{100.61: "a", 100.9: ""} {
		thing := &feeds.Thing{ID: fmt.Sprint("t:", lng), Placed: true, Position: geo.Position{Lng: lng, Lat: -0.82}}
		if got := summary(e.Reading(thing, feeds.Observation{Property: "x", Value: feeds.Value{Num: 2}, At: moment.Of(noon)}, noon)); got != want {
			t.Errorf("at %v: %q, want %q", lng, got, want)
		}
	}
}

func TestCountOfReportsAndAlerts(t *testing.T) {
	e := NewEngine(program(t, `
- {id: reports, when: 'report.type == "banjir"', count: {of: reports, at_least: 2, disk: 1, within: 10m}, alert: &a {event: X, category: Met, severity: Severe, urgency: Immediate, certainty: Observed}}
- {id: alerts, when: 'alert.severity == "Severe"', count: {of: alerts, at_least: 2, disk: 1, within: 10m}, alert: *a}`))
	lng, lat := 100.63, -0.83
	say := func(id string, minute int, simulated bool) string {
		at := noon.Add(time.Duration(minute) * time.Minute)
		return summary(e.Report(&report.Report{ID: id, Type: "banjir", Lng: &lng, Lat: &lat, At: moment.Of(at), Simulated: simulated}, at, at))
	}
	for _, c := range []struct {
		id     string
		minute int
		sim    bool
		want   string
	}{{"a", 0, false, ""}, {"a", 0, false, ""}, {"s", 0, true, ""}, {"b", 3, false, "reports"}, {"c", 5, false, ""}, {"d", 16, false, "reports clears"}} {
		if got := say(c.id, c.minute, c.sim); got != c.want {
			t.Errorf("%s at %d: %q, want %q", c.id, c.minute, got, c.want)
		}
	}
	give := func(id, rule string, minute int) []Decision {
		at := noon.Add(time.Duration(minute) * time.Minute)
		return e.Alert(&alerts.Alert{ID: id, Rule: rule, Severity: "Severe", State: alerts.Active, Sent: moment.Of(at), Area: alerts.Feature{Geometry: geo.Shape{Points: []geo.Position{{Lng: lng, Lat: lat}}}}}, at, at)
	}
	give("1", "", 20)
	if got := summary(give("2", "own", 21)); got != "" {
		t.Errorf("an alert of our own rules counts: %q", got)
	}
	ds := give("3", "", 22)
	if len(ds) != 1 || ds[0].Thing == nil || ds[0].Thing.ID != ds[0].Key || ds[0].Thing.Kind != "cell" || !ds[0].Placed || fmt.Sprint(ds[0].Sources) != "[1 3]" {
		t.Errorf("%+v", ds)
	}
}

func TestAnomalyKnowsTheHour(t *testing.T) {
	e := NewEngine(program(t, `- {id: odd, when: 'obs.property == "count"', anomaly: {spread: 5, least: 3 weeks}, samples: 1, `+alertX+`}`))
	read := func(at time.Time, x float64) string {
		return summary(e.Reading(&feeds.Thing{ID: "cam:1"}, feeds.Observation{Property: "count", Value: feeds.Value{Num: x}, At: moment.Of(at)}, at))
	}
	usual := func(at time.Time) float64 { // busy by day, quiet by night, never quite the same
		return 20 + 10*math.Sin(float64(at.Hour())/24*2*math.Pi) + float64(at.Day()%3)
	}
	at := noon
	for range 3 * 7 * 24 * 4 { // three weeks
		if got := read(at, usual(at)); got != "" {
			t.Fatalf("%s: %q while it learns", at, got)
		}
		if l := e.List()[0]; l.Anomaly.Known > 0 && at.Before(noon.Add(2*7*24*time.Hour)) || l.Anomaly.Known == 0 && at.Before(noon.Add(2*7*24*time.Hour)) && !strings.Contains(strings.Join(l.Warnings, " "), "fewer than 3 weeks") {
			t.Fatalf("%s: known %d of %d, %v", at, l.Anomaly.Known, l.Anomaly.Things, l.Warnings)
		}
		at = at.Add(15 * time.Minute)
	}
	if got := read(at, usual(at)); got != "" {
		t.Errorf("usual in the fourth week: %q", got)
	}
	if got := read(at.Add(15*time.Minute), 90); got != "odd" {
		t.Errorf("90 where about 20 is usual: %q", got)
	}
	if got := read(at.Add(30*time.Minute), usual(at)); got != "odd clears" {
		t.Errorf("usual again: %q", got)
	}
}

func TestFaultsOfBlocks(t *testing.T) {
	for text, want := range map[string]string{
		`when: 'obs.value > 1.0', absence: {of: 0s}`:                            "absence.of:",
		`when: 'obs.value > 1.0', absence: {of: 1m}, rate: {of: 1m}`:            "absence: a rule is of one kind; rate is another",
		`when: 'obs.rate > 1.0'`:                                                "obs.rate needs a rate block",
		`when: 'alert.event == "x"'`:                                            "a rule over readings sees",
		`when: 'obs.value > 1.0', regrade: {severity: Minor}`:                   "regrade sees alert.*",
		`when: 'obs.value > 1.0', deadband: 5%`:                                 "deadband: a percentage is one of range",
		`when: 'obs.value > 1.0', range: [3, 1]`:                                "range: [3 1]",
		`when: 'obs.value > 1.0', count: {of: cars, at_least: 2, within: 1m}`:   "count.of:",
		`when: 'obs.value > 1.0', count: {of: things, at_least: 1, within: 1m}`: "count.at_least:",
		`fence: {on: near, area: x}`:                                            "fence.on:",
		`fence: {on: enter, area: x}`:                                           "fence.area: no areas are known",
		`fence: {on: enter}`:                                                    "want either area or polygon",
		`when: 'obs.value > 1.0', anomaly: {least: 9}`:                          "anomaly.least:",
		`when: 'obs.value > 1.0', corroborate: {disk: 9}`:                       "corroborate.disk:",
		`when: 'obs.value > 1.0', clear_for: -1s`:                               "clear_for:",
		`when: 'obs.value > 1.0', absence: {of: 1m}, samples: 3`:                "samples: does not go with absence",
	} {
		var list []Rule
		if err := yaml.UnmarshalWithOptions([]byte("- {id: a, "+text+", "+alertX+"}"), &list, yaml.Strict()); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := Compile(list, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `rule "a": `) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{`deadband: x`, `deadband: -1`, `fence: {on: enter, polygon: {type: Point, coordinates: [1, 2]}}`, `anomaly: {least: many}`} {
		var list []Rule
		if err := yaml.UnmarshalWithOptions([]byte("- {id: a, when: 'true', "+text+"}"), &list, yaml.Strict()); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	p := program(t, `- {id: a, when: 'obs.property in ["level", "levle"] && obs.value > 1.0', `+alertX+`}`)
	if got := fmt.Sprint(p.Unknown([]string{"level", "rain"})); got != "[{a when levle}]" {
		t.Errorf("unknown: %s", got)
	}
}
