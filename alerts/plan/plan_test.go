package plan

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kentongan/alerts"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var noon = time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)

func at(minutes int) moment.Time { return moment.Of(noon.Add(time.Duration(minutes) * time.Minute)) }

func shape(t testing.TB, text string) geo.Shape {
	t.Helper()
	var s geo.Shape
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	road   = `{"type":"LineString","coordinates":[[100.60,-0.90],[100.62,-0.92],[100.65,-0.93]]}`
	market = `{"type":"Polygon","coordinates":[[[100.60,-0.80],[100.61,-0.80],[100.61,-0.79],[100.60,-0.79],[100.60,-0.80]]]}`
)

func closure(t testing.TB) Draft {
	return Draft{Kind: Closure, Title: "Jembatan Lolo ditutup", Area: alerts.Feature{Geometry: shape(t, road)}, Holds: true, From: at(10), To: at(70)}
}

func TestValidate(t *testing.T) {
	known := Known{Thing: func(id string) bool { return id == "awlr:1" }, Feed: func(n string) bool { return n == "awlr" },
		Rule: func(id string) bool { return id == "muka-air" }, Agency: func(s string) bool { return s == "pupr" }}
	buffer := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		name   string
		change func(*Draft)
		want   []string // fields at fault
	}{
		{"a closure", func(*Draft) {}, nil},
		{"everything named", func(d *Draft) {
			d.Things, d.Feeds, d.Rules, d.Types, d.Agency, d.BufferM = []string{"awlr:1"}, []string{"awlr"}, []string{"muka-air"}, []string{"flood"}, "pupr", buffer(0)
		}, nil},
		{"no such kind", func(d *Draft) { d.Kind = "party" }, []string{"kind"}},
		{"no title", func(d *Draft) { d.Title = " " }, []string{"title"}},
		{"a long title", func(d *Draft) { d.Title = strings.Repeat("é", MaxTitle+1) }, []string{"title"}},
		{"a closure without a line", func(d *Draft) { d.Area.Geometry = shape(t, market) }, []string{"area"}},
		{"works nowhere", func(d *Draft) { d.Kind, d.Area.Geometry = Works, geo.Shape{} }, []string{"area"}},
		{"a line of one position", func(d *Draft) {
			d.Area.Geometry = geo.Shape{Lines: [][]geo.Position{{{Lat: -0.9, Lng: 100.6}}}}
		}, []string{"area"}},
		{"an open ring", func(d *Draft) {
			d.Kind = Works
			d.Area.Geometry = geo.Shape{Polygons: []geo.Polygon{{Rings: [][]geo.Position{{{Lat: -0.9, Lng: 100.6}, {Lat: -0.9, Lng: 100.7}, {Lat: -0.8, Lng: 100.6}, {Lat: -0.8, Lng: 100.7}}}}}}
		}, []string{"area"}},
		{"half the island", func(d *Draft) { d.Area.Geometry.Lines[0][0].Lng = 96 }, []string{"area"}},
		{"maintenance of nothing", func(d *Draft) { d.Kind, d.Area.Geometry = Maintenance, geo.Shape{} }, []string{"things"}},
		{"maintenance of a Thing needs no area", func(d *Draft) {
			d.Kind, d.Area.Geometry, d.Things = Maintenance, geo.Shape{}, []string{"awlr:1"}
		}, nil},
		{"times turned round", func(d *Draft) { d.From, d.To = d.To, d.From }, []string{"to"}},
		{"no times", func(d *Draft) { d.From, d.To = moment.Time{}, moment.Time{} }, []string{"from"}},
		{"over already", func(d *Draft) { d.From, d.To = at(-60), at(0) }, []string{"to"}},
		{"for ever", func(d *Draft) { d.To = moment.Of(noon.AddDate(5, 0, 0)) }, []string{"to"}},
		{"a buffer of kilometres", func(d *Draft) { d.BufferM = buffer(MaxBufferM + 1) }, []string{"buffer_m"}},
		{"a buffer that is no number", func(d *Draft) { d.BufferM = buffer(math.NaN()) }, []string{"buffer_m"}},
		{"names that nobody knows", func(d *Draft) {
			d.Things, d.Feeds, d.Rules, d.Types, d.Agency = []string{"awlr:9"}, []string{"x"}, []string{"y"}, []string{"dragons"}, "z"
		}, []string{"things[0]", "feeds[0]", "rules[0]", "types[0]", "agency"}},
		{"a restricted type", func(d *Draft) { d.Types = []string{"domestic_violence"} }, []string{"types[0]"}},
		{"twice", func(d *Draft) { d.Things = []string{"awlr:1", "awlr:1"} }, []string{"things[1]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := closure(t)
			c.change(&d)
			p, err := d.Validate(known, noon)
			var faults Faults
			if errors.As(err, &faults); err != nil && !errors.Is(err, ErrInvalid) {
				t.Fatalf("%v is no ErrInvalid", err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Field)
			}
			if strings.Join(got, " ") != strings.Join(c.want, " ") {
				t.Fatalf("faults %q, want %q: %v", got, c.want, err)
			}
			if err == nil && (p.State != Planned || p.Things == nil || p.Feeds == nil || p.Types == nil || p.Rules == nil) {
				t.Errorf("%+v", p)
			}
		})
	}
	p, err := closure(t).Validate(Known{}, noon)
	if err != nil || p.BufferM != DefaultBufferM {
		t.Errorf("a line without a buffer has %v m: %v", p.BufferM, err)
	}
}

func TestTheStateFollowsTheClock(t *testing.T) {
	p, err := closure(t).Validate(Known{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		minute int
		want   State
	}{{0, Planned}, {9, Planned}, {10, Running}, {69, Running}, {70, Over}, {1000, Over}} {
		if got := p.At(at(c.minute).Time); got != c.want {
			t.Errorf("at minute %d it is %s, want %s", c.minute, got, c.want)
		}
	}
	p.State = Cancelled
	if got := p.At(at(20).Time); got != Cancelled {
		t.Errorf("cancelled it is %s", got)
	}
}

func TestExplains(t *testing.T) {
	plan := func(id string, change func(*Draft)) Plan {
		d := closure(t)
		d.From, d.To = at(0), at(60)
		change(&d)
		p, err := d.Validate(Known{}, noon)
		if err != nil {
			t.Fatal(id, err)
		}
		p.ID = id
		return p
	}
	inside, beside, far := geo.Position{Lat: -0.91, Lng: 100.61}, geo.Position{Lat: -0.9106, Lng: 100.61}, geo.Position{Lat: -0.95, Lng: 100.61}
	street := geo.Position{Lat: -0.795, Lng: 100.605}
	for _, c := range []struct {
		name string
		plan Plan
		x    Subject
		at   int
		why  Reason
	}{
		{"on the line", plan("p", func(*Draft) {}), Subject{Position: inside, Placed: true, Type: "congestion"}, 5, ByPlace},
		{"within the buffer", plan("p", func(*Draft) {}), Subject{Position: beside, Placed: true}, 5, ByPlace},
		{"beyond the buffer", plan("p", func(*Draft) {}), Subject{Position: far, Placed: true}, 5, ""},
		{"before it begins", plan("p", func(d *Draft) { d.From = at(10) }), Subject{Position: inside, Placed: true}, 9, ""},
		{"at its end", plan("p", func(*Draft) {}), Subject{Position: inside, Placed: true}, 60, ""},
		{"it holds nothing", plan("p", func(d *Draft) { d.Holds = false }), Subject{Position: inside, Placed: true}, 5, ""},
		{"another type", plan("p", func(d *Draft) { d.Types = []string{"congestion"} }), Subject{Position: inside, Placed: true, Type: "flood"}, 5, ""},
		{"its type", plan("p", func(d *Draft) { d.Types = []string{"flood"} }), Subject{Position: inside, Placed: true, Type: "flood"}, 5, ByPlace},
		{"its rule", plan("p", func(d *Draft) { d.Rules = []string{"macet"} }), Subject{Position: inside, Placed: true, Rule: "macet"}, 5, ByPlace},
		{"what threatens life in a plan of no type", plan("p", func(*Draft) {}), Subject{Position: inside, Placed: true, Severity: cap.Extreme}, 5, ""},
		{"what threatens life and is named", plan("p", func(d *Draft) { d.Types = []string{"fire_building"} }), Subject{Position: inside, Placed: true, Severity: cap.Extreme, Type: "fire_building"}, 5, ByPlace},
		{"in a polygon", plan("p", func(d *Draft) { d.Kind, d.Area.Geometry = Event, shape(t, market) }), Subject{Position: street, Placed: true}, 5, ByPlace},
		{"a Thing under maintenance", plan("p", func(d *Draft) { d.Kind, d.Area.Geometry, d.Things = Maintenance, geo.Shape{}, []string{"awlr:1"} }), Subject{Thing: "awlr:1", Severity: cap.Extreme}, 5, ByThing},
		{"another Thing", plan("p", func(d *Draft) { d.Kind, d.Area.Geometry, d.Things = Maintenance, geo.Shape{}, []string{"awlr:1"} }), Subject{Thing: "awlr:2"}, 5, ""},
		{"a feed under maintenance", plan("p", func(d *Draft) { d.Kind, d.Area.Geometry, d.Feeds = Maintenance, geo.Shape{}, []string{"awlr"} }), Subject{Thing: "awlr:2", Feed: "awlr"}, 5, ByFeed},
		{"beside a Thing under maintenance", plan("p", func(d *Draft) { d.Kind, d.Things = Maintenance, []string{"awlr:1"} }), Subject{Position: inside, Placed: true}, 5, ""},
		{"real and simulated never join", plan("p", func(d *Draft) { d.Simulated = true }), Subject{Position: inside, Placed: true}, 5, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, why, ok := NewSet([]Plan{c.plan}).Explains(c.x, at(c.at).Time)
			if why != c.why || ok != (c.why != "") || ok && p.ID != "p" {
				t.Errorf("explained %v by %q (%s), want %q", ok, why, p.ID, c.why)
			}
		})
	}
	early, late := plan("b", func(*Draft) {}), plan("a", func(d *Draft) { d.From = at(1) })
	if p, _, _ := NewSet([]Plan{late, early}).Explains(Subject{Position: inside, Placed: true}, at(5).Time); p.ID != "b" {
		t.Errorf("of two the one that began later explains: %s", p.ID)
	}
	if _, _, ok := (*Set)(nil).Explains(Subject{Thing: "x"}, noon); ok {
		t.Error("no plans explain something")
	}
}

// TestCellsLoseNothing holds the cells against asking every plan exactly: wherever a plan reaches, the cells find it.
func TestCellsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		position := rapid.Custom(func(t *rapid.T) geo.Position {
			return geo.Position{Lat: rapid.Float64Range(-1.2, -0.6).Draw(t, "lat"), Lng: rapid.Float64Range(100.4, 101).Draw(t, "lng")}
		})
		var s geo.Shape
		switch rapid.IntRange(0, 2).Draw(t, "shape") {
		case 0:
			s.Points = rapid.SliceOfN(position, 1, 4).Draw(t, "points")
		case 1:
			s.Lines = [][]geo.Position{rapid.SliceOfN(position, 2, 6).Draw(t, "line")}
		default:
			s = geo.Circle(position.Draw(t, "centre"), rapid.Float64Range(10, 8000).Draw(t, "radius"))
		}
		p := Plan{ID: "p", Kind: Works, State: Planned, Holds: true, Area: alerts.Feature{Geometry: s}, BufferM: rapid.Float64Range(0, MaxBufferM).Draw(t, "buffer"), From: at(0), To: at(60)}
		set := NewSet([]Plan{p})
		if set.plans[0].wide {
			t.Fatal("its cells are not told")
		}
		for range 40 {
			q := position.Draw(t, "at")
			if near := rapid.Bool().Draw(t, "near"); near && len(s.Points) > 0 { // else most draws are far away
				q = geo.Position{Lat: s.Points[0].Lat + rapid.Float64Range(-0.05, 0.05).Draw(t, "dlat"), Lng: s.Points[0].Lng + rapid.Float64Range(-0.05, 0.05).Draw(t, "dlng")}
			}
			_, _, got := set.Explains(Subject{Position: q, Placed: true}, at(5).Time)
			if want := set.plans[0].reaches(q); got != want {
				t.Fatalf("%v: by cells %v, exactly %v", q, got, want)
			}
		}
	})
}

func BenchmarkExplains(b *testing.B) {
	var plans []Plan
	for i := range 200 {
		mid := geo.Position{Lat: -0.6 - float64(i%20)*0.03, Lng: 100.4 + float64(i/20)*0.06}
		plans = append(plans, Plan{ID: string(rune('a' + i)), Kind: Works, State: Running, Holds: true, Area: alerts.Feature{Geometry: geo.Circle(mid, 900)}, From: at(0), To: at(60)})
	}
	s := NewSet(plans)
	x := Subject{Position: geo.Position{Lat: -0.81, Lng: 100.63}, Placed: true}
	for b.Loop() {
		s.Explains(x, at(5).Time)
	}
}
