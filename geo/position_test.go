package geo

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b Position
		want float64
	}{
		{"nowhere to go", Position{-0.79, 100.65}, Position{-0.79, 100.65}, 0},
		{"a degree of the equator", Position{0, 0}, Position{0, 1}, 111195.08},
		{"across the antimeridian", Position{0, 179.5}, Position{0, -179.5}, 111195.08},
		{"pole to pole", Position{90, 12}, Position{-90, 80}, math.Pi * EarthRadius},
		{"antipodes", Position{10, 20}, Position{-10, -160}, math.Pi * EarthRadius},
		{"Solok to Padang", Position{-0.79, 100.65}, Position{-0.95, 100.35}, 37772},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Distance(c.a, c.b); math.Abs(got-c.want) > 0.001*c.want+0.01 {
				t.Errorf("%.2f m, want %.2f", got, c.want)
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anywhere(t), anywhere(t), anywhere(t)
		if d := Distance(a, b); d != Distance(b, a) && math.Abs(d-Distance(b, a)) > 1e-6 {
			t.Fatal("not the same both ways")
		}
		if Distance(a, c) > Distance(a, b)+Distance(b, c)+1e-3 {
			t.Fatal("a way round is shorter")
		}
	})
}

func TestBound(t *testing.T) {
	pacific := Bound{170, -20, -170, 20}
	for _, c := range []struct {
		name string
		b    Bound
		p    Position
		want bool
	}{
		{"inside", Bound{100, -1, 101, 0}, Position{-0.5, 100.5}, true},
		{"on the edge", Bound{100, -1, 101, 0}, Position{0, 101}, true},
		{"north of it", Bound{100, -1, 101, 0}, Position{0.1, 100.5}, false},
		{"east of the antimeridian", pacific, Position{0, -175}, true},
		{"west of the antimeridian", pacific, Position{0, 175}, true},
		{"on the far side of the world", pacific, Position{0, 0}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.b.Contains(c.p); got != c.want {
				t.Errorf("got %v", got)
			}
			if got := c.b.Intersects(BoundOf(c.p)); got != c.want {
				t.Errorf("as a bound of one position: got %v", got)
			}
		})
	}
	for name, b := range map[string]Bound{"upside down": {0, 1, 1, 0}, "longitude 181": {0, 0, 181, 1}, "NaN": {math.NaN(), 0, 1, 1}} {
		if b.Validate() == nil {
			t.Errorf("%s: %v passes", name, b)
		}
	}
	if err := pacific.Validate(); err != nil {
		t.Errorf("across the antimeridian: %v", err)
	}
	if got := BoundOf(Position{1, 2}, Position{-3, 5}); got != (Bound{2, -3, 5, 1}) {
		t.Errorf("around two positions: %v", got)
	}
}

func TestShapeTurnsAxesOnce(t *testing.T) {
	s := Shape{Points: []Position{{Lat: -0.79, Lng: 100.65}}}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), `{"type":"Point","coordinates":[100.65,-0.79]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestShapeRoundTrip(t *testing.T) {
	some := func(t *rapid.T, name string, n int) []Position {
		out := make([]Position, n)
		for i := range out {
			out[i] = Position{rapid.Float64Range(-90, 90).Draw(t, name), rapid.Float64Range(-180, 180).Draw(t, name)}
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		var s Shape
		if n := rapid.IntRange(0, 3).Draw(t, "points"); n > 0 {
			s.Points = some(t, "point", n)
		}
		for range rapid.IntRange(0, 2).Draw(t, "lines") {
			s.Lines = append(s.Lines, some(t, "line", 3))
		}
		for range rapid.IntRange(0, 2).Draw(t, "polygons") {
			ring := some(t, "ring", 3)
			s.Polygons = append(s.Polygons, Polygon{Rings: [][]Position{append(ring, ring[0])}})
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Shape
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if d := cmp.Diff(s, back); d != "" {
			t.Fatalf("%s came back otherwise:\n%s", b, d)
		}
	})
}

func TestFaultyGeometriesAreRefused(t *testing.T) {
	for name, in := range map[string]string{
		"no type":                `{"coordinates":[1,2]}`,
		"unknown type":           `{"type":"Blob","coordinates":[1,2]}`,
		"swapped axes":           `{"type":"Point","coordinates":[-0.79,100.65]}`,
		"longitude 181":          `{"type":"Point","coordinates":[181,0]}`,
		"one number":             `{"type":"Point","coordinates":[1]}`,
		"no number":              `{"type":"Polygon","coordinates":[[[0,0],[null,1],[1,1],[0,0]]]}`,
		"text":                   `{"type":"Point","coordinates":["1","2"]}`,
		"a number beyond floats": `{"type":"Point","coordinates":[1e999,0]}`,
		"in a collection":        `{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[0,91]}]}`,
		"in a hole":              `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]],[[0,0],[0,-91],[0.1,0.1],[0,0]]]}`,
		"an array":               `[1,2]`,
	} {
		t.Run(name, func(t *testing.T) {
			var s Shape
			err := json.Unmarshal([]byte(in), &s)
			if err == nil {
				t.Errorf("%s is read as %+v", in, s)
			}
		})
	}
	var s Shape
	if err := json.Unmarshal([]byte("null"), &s); err != nil || !s.IsZero() {
		t.Errorf("null: %+v, %v", s, err)
	}
}

func TestCircle(t *testing.T) {
	for _, center := range []Position{{-0.79, 100.65}, {60, 10}, {0, 0}} {
		ring := Circle(center, 1500).Polygons[0].Rings[0]
		if ring[0] != ring[len(ring)-1] {
			t.Errorf("around %v: not closed", center)
		}
		for _, p := range ring {
			if d := Distance(center, p); math.Abs(d-1500) > 5 {
				t.Errorf("around %v: a corner at %.1f m", center, d)
			}
		}
	}
	if s := Circle(Position{1, 2}, 0); len(s.Points) != 1 || len(s.Polygons) != 0 {
		t.Errorf("radius 0: %+v", s)
	}
	b, _ := json.Marshal(Circle(Position{90, 180}, 1000))
	var back Shape
	if err := json.Unmarshal(b, &back); err != nil || !strings.Contains(string(b), "Polygon") {
		t.Errorf("at the corner of the world: %v", err)
	}
}
