package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/oklog/ulid/v2"

	"kentongan/alerts"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const muka = `
- id: muka-air
  when: obs.property == "water_level" && obs.value >= 3.0
  clear: obs.value < 2.5
  for: 0s
  samples: 1
  alert: {event: "Muka air tinggi", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
  incident: {type: flood, merge_radius_m: 1500, merge_window: 30m}
`

func engine(t testing.TB, text string, change func(*Rule)) *Engine {
	t.Helper()
	var list []Rule
	if err := yaml.UnmarshalWithOptions([]byte(text), &list, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&list[0])
	}
	p, err := Compile(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return NewEngine(p)
}

type run struct {
	*testing.T
	e *Engine
}

// read judges one reading, seconds after noon, and wants "fire", "clear" or "".
func (r run) read(seconds int, property string, value any, want string) []Decision {
	r.Helper()
	return r.readOf(feeds.Observation{Property: property, Quality: feeds.Good, At: moment.Of(noon.Add(time.Duration(seconds) * time.Second))}, value, want)
}

// now is a moment after the reading's own time; some are dated ahead of it.
func (r run) now(o feeds.Observation) time.Time {
	if o.At.IsZero() {
		return o.ReceivedAt.Time
	}
	return noon.Add(max(0, min(time.Hour, o.At.Sub(noon))))
}

func (r run) readOf(o feeds.Observation, value any, want string) []Decision {
	r.Helper()
	switch v := value.(type) {
	case float64:
		o.Value.Num = v
	case string:
		o.Value = feeds.Value{Type: feeds.Text, Text: v}
	}
	thing := &feeds.Thing{ID: "awlr:1", Kind: "river_gauge", State: map[string]feeds.Reading{o.Property: {Value: o.Value}}}
	return r.want(r.e.Reading(thing, o, r.now(o)), fmt.Sprintf("%s = %v at %s", o.Property, value, o.At), want)
}

func (r run) want(got []Decision, what, want string) []Decision {
	r.Helper()
	is := ""
	for _, d := range got {
		is += map[bool]string{true: "fire", false: "clear"}[d.Fire]
	}
	if is != want {
		r.Errorf("%s: %q, want %q", what, is, want)
	}
	return got
}

func TestThresholdWithHysteresis(t *testing.T) {
	r := run{t, engine(t, muka, nil)}
	r.read(1, "water_level", 2.9, "")
	d := r.read(2, "water_level", 3.0, "fire")
	r.read(3, "water_level", 3.5, "")
	r.read(4, "water_level", 2.7, "") // between the two
	r.read(5, "temperature", 1.0, "")
	r.read(3, "water_level", 1.0, "") // late
	r.read(5, "water_level", 2.4, "clear")
	r.read(6, "water_level", 3.0, "fire")
	if in := d[0].Inputs; len(in) != 1 || in[0].Value != 3.0 || !d[0].At.Equal(noon.Add(2*time.Second)) {
		t.Errorf("decision: %+v", d[0])
	}
}

func TestDefaultSamplesAgreeBothWays(t *testing.T) {
	r := run{t, engine(t, muka, func(r *Rule) { r.Samples, r.Clear = 0, "" })}
	r.read(1, "water_level", 3.0, "")
	r.read(1, "water_level", 3.0, "") // the same reading again is no second sample
	r.read(2, "water_level", 1.0, "")
	r.read(3, "water_level", 3.0, "")
	r.read(4, "water_level", 3.1, "fire")
	r.read(5, "water_level", 1.0, "")
	r.read(6, "water_level", 3.0, "")
	r.read(7, "water_level", 1.0, "")
	r.read(8, "water_level", 1.0, "clear")
}

func TestHeldByFor(t *testing.T) {
	r := run{t, engine(t, muka, func(r *Rule) { r.For = time.Minute })}
	r.read(0, "water_level", 3.0, "")
	r.want(r.e.Tick(noon.Add(59*time.Second)), "tick at 59 s", "")
	r.read(30, "water_level", 2.0, "")
	r.want(r.e.Tick(noon.Add(61*time.Second)), "tick after it fell", "")
	r.read(70, "water_level", 3.0, "")
	d := r.want(r.e.Tick(noon.Add(131*time.Second)), "tick at 131 s", "fire")
	if len(d) == 1 && !d[0].At.Equal(noon.Add(130*time.Second)) {
		t.Errorf("crossing at %s", d[0].At)
	}
	r.want(r.e.Tick(noon.Add(140*time.Second)), "second tick", "")
}

func TestWhatIsNotJudged(t *testing.T) {
	r := run{t, engine(t, muka, nil)}
	at := moment.Of(noon)
	r.read(0, "water_level", "tinggi", "")
	r.readOf(feeds.Observation{Property: "water_level", Quality: feeds.Suspect, At: at}, 9.0, "")
	r.readOf(feeds.Observation{Property: "water_level", Quality: feeds.ClockSkew, At: at}, 9.0, "")
	if l := r.e.List()[0]; l.Errors != 0 || l.State != "normal" || !l.Undefined || len(l.Warnings) != 5 || l.Source != "file" {
		t.Errorf("listed: %+v", l)
	}
	r.readOf(feeds.Observation{Property: "water_level", Quality: feeds.Received, ReceivedAt: moment.Of(noon.Add(time.Minute))}, 9.0, "fire")
	r = run{t, engine(t, muka, nil)}
	r.readOf(feeds.Observation{Property: "water_level", Quality: feeds.Good, At: moment.Of(noon.Add(2 * time.Hour))}, 9.0, "")
}

func TestSeedSkipsWhatWasJudged(t *testing.T) {
	r := run{t, engine(t, muka, nil)}
	id := ulid.MustNew(ulid.Timestamp(noon.Add(5*time.Second)), zeros{})
	if !r.e.Seed("muka-air", "awlr:1", id.String()) || r.e.Seed("gone", "awlr:1", id.String()) {
		t.Error("seed")
	}
	r.read(1, "water_level", 2.0, "") // replayed, from before the crossing
	r.read(5, "water_level", 3.1, "")
	r.read(6, "water_level", 3.1, "")
	r.read(7, "water_level", 2.0, "clear")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestFaultsNameRuleAndPlace(t *testing.T) {
	alert := AlertBlock{Event: "x", Category: "Met", Severity: cap.Severe, Urgency: "Immediate", Certainty: "Observed"}
	_, err := Compile([]Rule{
		{ID: "a", When: `obs.propertty == "x"`, Alert: alert},
		{ID: "b", When: `obs.value + 1.0`, Alert: alert},
		{ID: "b2", When: `obs.property == 3`, Alert: alert},
		{ID: "c", When: `true`, Clear: `obs.value <`, Alert: AlertBlock{}, Incident: &IncidentBlock{Type: "banjir"}},
		{ID: "d", When: `true`, Alert: alert}, {ID: "d", When: `true`, Alert: alert},
	}, nil)
	if err == nil {
		t.Fatal("faulty rules compiled")
	}
	for _, want := range []string{
		`rule "a": when: ERROR: <input>:1:4`, `rule "b": when: 1:1: is double`, `rule "b2": when: ERROR: <input>:1:14`, `rule "c": clear:`,
		`rule "c": alert.event: is required`, `rule "c": incident.type: "banjir"`, `rule "d": id: is used twice`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestCostIsBounded(t *testing.T) {
	list := strings.TrimSuffix(strings.Repeat("1,", 60), ",")
	alert := AlertBlock{Event: "x", Category: "Met", Severity: cap.Severe, Urgency: "Immediate", Certainty: "Observed"}
	for _, bomb := range []string{
		fmt.Sprintf("[%s].all(a, [%s].all(b, [%s].all(c, a + b + c > 0)))", list, list, list),
		`thing.state.all(a, thing.state.all(b, thing.state.all(c, thing.state.all(d, a != b || c != d))))`,
		`[0].map(a, [a, a, a, a, a, a, a, a]).map(b, [b, b, b, b, b, b, b, b].all(c, c.all(d, [1,2,3,4,5,6,7,8].all(e, [1,2,3,4,5,6,7,8].all(f, [1,2,3,4,5,6,7,8].all(g, d + e + f + g >= 0)))))).all(x, x)`,
	} {
		began := time.Now()
		_, err := Compile([]Rule{{ID: "bomb", When: "obs.value > 1.0 &&\n " + bomb, Alert: alert}}, nil)
		if err == nil || !strings.Contains(err.Error(), `rule "bomb": when: 2:`) {
			t.Errorf("%.60s: %v", bomb, err)
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%.60s: refused after %s", bomb, d)
		}
	}
	// Without a loop it is texts that cost: many searches, or one in what has been made long.
	search := strings.TrimSuffix(strings.Repeat(`thing.name.matches("(a|b|c|d|e|f|g|h|i|j|k|l|m)*z") || `, 30), " || ")
	long := "(" + strings.TrimSuffix(strings.Repeat("thing.name + ", 100), " + ") + `).matches("(a|b|c)*d")`
	for _, bomb := range []string{search, long, `obs.unit.matches(` + strings.TrimSuffix(strings.Repeat("thing.name + ", 9), " + ") + `)`} {
		_, err := Compile([]Rule{{ID: "bomb", When: "obs.value > 1.0 &&\n (" + bomb + ")", Alert: alert}}, nil)
		if err == nil || !strings.Contains(err.Error(), `rule "bomb": when: 2:`) {
			t.Errorf("%.60s: %v", bomb, err)
		}
	}
	for _, well := range []string{
		`thing.name.matches("(?i)(pintu air|tinggi muka air|muka air|river gate)") || thing.name.matches("(?i)^(panic|panik|mayday|darurat personel)")`,
		`obs.property in ["a", "b", "c"] && thing.name.contains("x") && obs.unit.startsWith("m") && obs.value * 2.0 > 3.0`,
	} {
		if _, err := Compile([]Rule{{ID: "well", When: well, Alert: alert}}, nil); err != nil {
			t.Errorf("%.60s: %v", well, err)
		}
	}
	// What is larger than it may be is cut, and said.
	r := run{t, engine(t, muka, func(r *Rule) { r.When = `thing.state.exists(k, k == "x")` })}
	thing := &feeds.Thing{ID: "awlr:1", State: map[string]feeds.Reading{}}
	for i := range 5000 {
		thing.State[fmt.Sprint(i)] = feeds.Reading{}
	}
	r.want(r.e.Reading(thing, feeds.Observation{Property: "water_level", At: moment.Of(noon)}, noon), "a state of 5000 properties", "")
	if l := r.e.List()[0]; l.Errors != 1 || !strings.Contains(l.LastError, "when: ") {
		t.Errorf("%d errors, want 1; last %q", l.Errors, l.LastError)
	}
}

// Whatever names a property is looked at, in either condition.
func TestUnknownProperties(t *testing.T) {
	p := program(t, `- {id: a, when: 'obs.property == "level" && thing.state["rain"] > 3.0 && has(thing.state.wind)', clear: 'obs.property in ["lvel", "level"] || "sun" in thing.state', `+alertX+`}
- {id: b, when: 'obs.property != "level" && thing.state.exists(k, k == "x")', `+alertX+`}`)
	got := fmt.Sprint(p.Unknown([]string{"level"}))
	if want := "[{a when rain} {a when wind} {a clear lvel} {a clear sun}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := p.Unknown([]string{"level", "rain", "wind", "lvel", "sun"}); len(got) > 0 {
		t.Error(got)
	}
}

func TestConsents(t *testing.T) {
	c, err := CompileConsents([]Consent{
		{ID: "volcano", When: `alert.event == "Gunung api" && alert.parameters["level"] in ["III", "IV"]`, Incident: IncidentBlock{Type: "volcano"}},
		{ID: "big", When: `quake.magnitude >= 6 && quake.distance_km <= 150 && !quake.felt_known`, Incident: IncidentBlock{Type: "eq"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := 6.1
	for _, v := range []struct {
		a    alerts.Alert
		want string
	}{
		{alerts.Alert{Event: "Gunung api"}, ""},
		{alerts.Alert{Event: "Gunung api", Parameters: map[string]string{"level": "III"}}, "volcano"},
		{alerts.Alert{Quake: &alerts.Quake{Quake: feeds.Quake{Magnitude: &m}, DistanceKm: 100}}, "big"},
		{alerts.Alert{Quake: &alerts.Quake{Quake: feeds.Quake{Magnitude: &m}, DistanceKm: 100, MMIHere: 3}}, ""},
		{alerts.Alert{Quake: &alerts.Quake{Quake: feeds.Quake{}, DistanceKm: 100}}, ""},
	} {
		got, ok := c.Match(&v.a)
		if ok != (v.want != "") || ok && got.ID != v.want {
			t.Errorf("%+v: %v, want %q", v.a, got, v.want)
		}
	}
	if _, err := CompileConsents([]Consent{{ID: "x", When: `alert.sevrity == "Severe"`, Incident: IncidentBlock{Type: "eq"}}}); err == nil {
		t.Error("a misspelt field compiled")
	}
}

func BenchmarkThousandRules(b *testing.B) {
	var list []Rule
	for i := range 1000 {
		list = append(list, Rule{
			ID: fmt.Sprintf("r%d", i), When: fmt.Sprintf(`obs.property == "p%d" && obs.value >= 3.0`, i), Samples: 1,
			Alert: AlertBlock{Event: "x", Category: "Met", Severity: cap.Severe, Urgency: "Immediate", Certainty: "Observed"},
		})
	}
	p, err := Compile(list, nil)
	if err != nil {
		b.Fatal(err)
	}
	e := NewEngine(p)
	thing := &feeds.Thing{ID: "a:1"}
	b.ReportAllocs()
	for i := range b.N {
		o := feeds.Observation{Property: "p7", Quality: feeds.Good, Value: feeds.Value{Num: 1}, At: moment.Of(noon.Add(time.Duration(i) * time.Millisecond))}
		e.Reading(thing, o, o.At.Time)
	}
}
