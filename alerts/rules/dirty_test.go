package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// mixed is one rule of each kind that looks at readings.
const mixed = `
- {id: one, when: 'obs.property == "level" && obs.value >= 3.0', clear: obs.value < 2.5, samples: 1, alert: &a {event: X, category: Met, severity: Severe, urgency: Immediate, certainty: Observed}}
- {id: two, when: 'obs.property == "level" && obs.value >= 3.0', alert: *a}
- {id: held, when: 'obs.property == "level" && obs.value >= 3.0', for: 3m, clear_for: 2m, samples: 1, alert: *a}
- {id: band, when: 'obs.property == "level" && obs.value >= 3.0', deadband: 0.6, alert: *a}
- {id: rate, when: 'obs.property == "level"', rate: {of: 5m, per: 1m, rise: 0.3}, samples: 1, alert: *a}
- {id: silent, when: 'obs.property == "level"', absence: {of: 12m}, alert: *a}
- {id: near, when: 'obs.property == "level" && obs.value >= 3.5', samples: 3, corroborate: {within: 2m, disk: 2}, alert: *a}
- {id: many, when: 'obs.property == "level" && obs.value >= 3.2', count: {of: things, at_least: 2, disk: 2, within: 5m}, alert: *a}
- {id: enter, when: 'obs.property == "gps"', fence: {on: enter, polygon: &g {type: Polygon, coordinates: [[[100.62, -0.84], [100.64, -0.84], [100.64, -0.82], [100.62, -0.82], [100.62, -0.84]]]}}, alert: *a}
- {id: inside, when: 'obs.property == "gps"', fence: {on: inside, polygon: *g}, samples: 2, alert: *a}
- {id: exit, when: 'obs.property == "gps"', fence: {on: exit, polygon: *g}, alert: *a}
- {id: dwell, when: 'obs.property == "gps"', fence: {on: dwell, dwell: 4m, polygon: *g}, alert: *a}
- {id: sensor-fault, enabled: false, alert: *a}
`

func program(t testing.TB, text string) *Program {
	t.Helper()
	var list []Rule
	if err := yaml.UnmarshalWithOptions([]byte(text), &list, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	p, err := Compile(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// given is one reading and when it arrives.
type given struct {
	thing   string
	o       feeds.Observation
	arrives time.Time
}

// where the instruments of the tests stand.
var where = map[string]geo.Position{"a:1": {Lng: 100.63, Lat: -0.83}, "a:2": {Lng: 100.632, Lat: -0.831}, "a:3": {Lng: 100.9, Lat: -1.1}}

func (g given) give(e *Engine) []Decision {
	t := &feeds.Thing{ID: g.thing, Feed: "a", Name: g.thing, Position: where[g.thing], Placed: true, State: map[string]feeds.Reading{}}
	if g.o.Placed {
		t.Position = g.o.Position
	}
	return e.Reading(t, g.o, g.arrives)
}

// story is an hour and a half of readings in order, each heard at once.
func story(t *rapid.T) []given {
	var out []given
	for _, thing := range []string{"a:1", "a:2", "a:3"} {
		at, level := 0, rapid.SampledFrom([]float64{1, 2.4, 2.9}).Draw(t, "level")
		for at < 90*60 {
			at += rapid.SampledFrom([]int{20, 60, 60, 60, 61, 180, 900}).Draw(t, "gap")
			level = rapid.SampledFrom([]float64{level, level, level + 0.1, level + 0.5, level - 0.5, 2.0, 2.6, 3.1, 3.6}).Draw(t, "value")
			out = append(out, given{thing, feeds.Observation{Property: "level", Value: feeds.Value{Num: level}}, noon.Add(time.Duration(at) * time.Second)})
		}
	}
	at, inside := 0, false
	for at < 90*60 {
		at += rapid.SampledFrom([]int{15, 60, 60, 120, 700}).Draw(t, "gap of the gps")
		if rapid.IntRange(0, 3).Draw(t, "crosses") == 0 {
			inside = !inside
		}
		p := geo.Position{Lng: 100.60, Lat: -0.83}
		if inside {
			p.Lng = 100.63
		}
		out = append(out, given{"a:car", feeds.Observation{Property: "gps", Position: p, Placed: true}, noon.Add(time.Duration(at) * time.Second)})
	}
	for i := range out {
		out[i].o.At, out[i].o.Quality = moment.Of(out[i].arrives), feeds.Good
	}
	slices.SortStableFunc(out, func(a, b given) int { return a.arrives.Compare(b.arrives) })
	return out
}

// soiled is the same readings, each up to ten minutes late, some of them twice or three times.
func soiled(t *rapid.T, clean []given) []given {
	var out []given
	for _, g := range clean {
		for range 1 + rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2}).Draw(t, "copies") {
			late := rapid.SampledFrom([]int{0, 0, 0, 1, 30, 90, 300, 599}).Draw(t, "late")
			g.arrives = g.o.At.Add(time.Duration(late) * time.Second)
			out = append(out, g)
		}
	}
	slices.SortStableFunc(out, func(a, b given) int { return a.arrives.Compare(b.arrives) })
	return out
}

// played gives every reading and lets the time after it pass.
func played(e *Engine, list []given) []Decision {
	var out []Decision
	for _, g := range list {
		out = append(out, g.give(e)...)
	}
	return append(out, e.Tick(noon.Add(4*time.Hour))...)
}

// episode is what stands in the case store at the end: an alert from its crossing to its clearing.
type episode struct {
	rule, key string
	from, to  time.Time // to zero: it stands
	withdrawn bool
}

// episodes tells what becomes of decisions: a rule that fires on something already does nothing, and so does one that clears where it does not
// fire.
func episodes(t interface{ Fatalf(string, ...any) }, ds []Decision) []episode {
	var out []episode
	at := func(rule, key string, when func(*episode) bool) *episode {
		for i := len(out) - 1; i >= 0; i-- {
			if x := &out[i]; x.rule == rule && x.key == key && when(x) {
				return x
			}
		}
		return nil
	}
	for _, d := range ds {
		open := at(d.Rule.ID, d.Key, func(x *episode) bool { return x.to.IsZero() })
		switch {
		case d.Fire && open != nil:
			t.Fatalf("%s on %s at %s: fires already since %s", d.Rule.ID, d.Key, d.At, open.from)
		case d.Fire:
			if same := at(d.Rule.ID, d.Key, func(x *episode) bool { return x.from.Equal(d.At) }); same != nil {
				t.Fatalf("%s on %s at %s: has fired at that moment before", d.Rule.ID, d.Key, d.At)
			}
			out = append(out, episode{rule: d.Rule.ID, key: d.Key, from: d.At})
		case open != nil:
			open.to, open.withdrawn = d.At, d.Withdrawn
		case d.Withdrawn:
			x := at(d.Rule.ID, d.Key, func(x *episode) bool { return x.from.Equal(d.At) })
			if x == nil {
				t.Fatalf("%s on %s at %s: withdrawn, and never was", d.Rule.ID, d.Key, d.At)
			}
			x.withdrawn = true
		default:
			t.Fatalf("%s on %s at %s: clears, and does not fire", d.Rule.ID, d.Key, d.At)
		}
	}
	return slices.DeleteFunc(out, func(x episode) bool { return x.withdrawn })
}

// cases joins episodes as the case store does: one rule on one key, within a time of what is there. A count's key is a place, and near places
// are one.
func cases(list []episode, within time.Duration) map[string][]episode {
	slices.SortStableFunc(list, func(a, b episode) int { return a.from.Compare(b.from) })
	out := map[string][]episode{}
	for _, x := range list {
		key := x.rule + " " + caseKey(x)
		if n := len(out[key]); n > 0 {
			last := &out[key][n-1]
			if last.to.IsZero() || x.from.Sub(last.to) <= within {
				if !last.to.IsZero() && (x.to.IsZero() || x.to.After(last.to)) {
					last.to = x.to
				}
				continue
			}
		}
		out[key] = append(out[key], x)
	}
	return out
}

// beside tells that an episode overlaps one of a list, or lies within the time by which a reading may be late.
func beside(x episode, list []episode) bool {
	const late = historyMs * time.Millisecond
	return slices.ContainsFunc(list, func(y episode) bool {
		return y.rule == x.rule && caseKey(y) == caseKey(x) && (x.to.IsZero() || !y.from.After(x.to.Add(late))) && (y.to.IsZero() || !x.from.After(y.to.Add(late)))
	})
}

func caseKey(x episode) string {
	if x.rule == "many" {
		return "here"
	}
	return x.key
}

func told(list []episode) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "%s %s %s..%s\n", x.rule, x.key, x.from.Format("15:04:05"), x.to.Format("15:04:05"))
	}
	return b.String()
}

// Readings that come twice, in another order or up to ten minutes late make the same cases as clean ones. To each episode there is one of the
// same rule on the same Thing that overlaps it, or lies within ten minutes; and as many cases come of them, but where two episodes are by
// those ten minutes nearer or farther than the merge window.
func TestDirtyInputMakesTheSameCases(t *testing.T) {
	p := program(t, mixed)
	rapid.Check(t, func(t *rapid.T) {
		clean := story(t)
		want := episodes(t, played(NewEngine(p), clean))
		got := episodes(t, played(NewEngine(p), soiled(t, clean)))
		fail := func(why string) { t.Fatalf("%s\nclean:\n%sdirty:\n%s", why, told(want), told(got)) }
		for _, x := range want {
			if !beside(x, got) {
				fail("missed: " + told([]episode{x}))
			}
		}
		for _, x := range got {
			if !beside(x, want) {
				fail("invented: " + told([]episode{x}))
			}
		}
		const late = historyMs * time.Millisecond
		most, least, is := cases(want, DefaultMergeWindow-late), cases(want, DefaultMergeWindow+late), cases(got, DefaultMergeWindow)
		for key := range most {
			if n := len(is[key]); n > len(most[key]) || n < len(least[key]) {
				fail(fmt.Sprintf("%s: %d cases, want %d to %d", key, n, len(least[key]), len(most[key])))
			}
		}
	})
}

// Order alone, with what arrives together: the same readings shuffled within one moment give the same decisions in the end.
func TestWhatIsOpenInTheEndIsTheSame(t *testing.T) {
	p := program(t, mixed)
	rapid.Check(t, func(t *rapid.T) {
		clean := story(t)
		want, got := NewEngine(p), NewEngine(p)
		played(want, clean)
		played(got, soiled(t, clean))
		a, b := want.List(), got.List()
		for i := range a {
			if a[i].ID != "many" && !slices.Equal(a[i].Firing, b[i].Firing) {
				t.Fatalf("%s: clean fires on %v, dirty on %v", a[i].ID, a[i].Firing, b[i].Firing)
			}
		}
	})
}
