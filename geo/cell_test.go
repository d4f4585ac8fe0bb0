package geo

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/uber/h3-go/v4"
	"pgregory.net/rapid"
)

func TestParentAgreesWithH3(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.IntRange(0, 15).Draw(t, "resolution")
		c, err := CellAt(anywhere(t), Resolution(r))
		if err != nil {
			t.Fatal(err)
		}
		if got := int(c.Resolution()); got != r {
			t.Fatalf("%s: resolution %d, want %d", c, got, r)
		}
		for q := 0; q <= r; q++ {
			want, err := h3.Cell(c).Parent(q)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Parent(Resolution(q)); got != Cell(want) {
				t.Fatalf("%s: parent at %d is %s, h3 says %s", c, q, got, want)
			}
		}
	})
}

func TestParentOfPentagons(t *testing.T) {
	for r := 1; r <= 15; r++ {
		ps, err := h3.Pentagons(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range ps {
			want, err := p.Parent(r - 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := Cell(p).Parent(Resolution(r - 1)); got != Cell(want) {
				t.Errorf("pentagon %s: parent %s, h3 says %s", p, got, want)
			}
		}
	}
}

func TestParentThatIsNotCoarserIsTheCell(t *testing.T) {
	c, _ := CellAt(Position{-0.8, 100.6}, 8)
	for _, r := range []Resolution{8, 9, 15, -1} {
		if got := c.Parent(r); got != c {
			t.Errorf("parent at %d: %s, want the cell itself", r, got)
		}
	}
	if got := Cell(0).Parent(5); got != 0 {
		t.Errorf("parent of no cell: %s", got)
	}
}

// The trap of DESIGN.md 2.2, kept as a test: who indexes twice gets two answers.
func TestCoarserCellOfAPointIsNotAlwaysTheParent(t *testing.T) {
	differs := 0
	const n = 20000
	for i := range n {
		p := Position{-1.2 + 0.7*float64(i%141)/141, 100.4 + 0.6*float64(i)/n}
		fine, _ := CellAt(p, ResMatch)
		coarse, _ := CellAt(p, ResFrame)
		if fine.Parent(ResFrame) != coarse {
			differs++
		}
	}
	if differs == 0 || differs > n/5 {
		t.Errorf("%d of %d differ; some per cent were measured", differs, n)
	}
}

// The fault corpus for geometry: each is refused, or answered rightly.
func TestFaultyPositionsAreRefused(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for name, p := range map[string]Position{
		"latitude NaN": {nan, 0}, "longitude NaN": {0, nan}, "latitude +Inf": {inf, 0}, "latitude -Inf": {-inf, 0},
		"longitude +Inf": {0, inf}, "longitude -Inf": {0, -inf}, "latitude 91": {91, 0}, "latitude -90.0001": {-90.0001, 0},
		"longitude 181": {0, 181}, "longitude -181": {0, -181}, "longitude 540": {0, 540}, "latitude 1e308": {1e308, 0},
		"longitude 1e308": {0, 1e308}, "swapped": {100.65, -0.79},
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := CellAt(p, ResThing); err == nil {
				t.Errorf("%v has the cell %s", p, c)
			}
			if err := (Bound{p.Lng, p.Lat, p.Lng, p.Lat}).Validate(); err == nil {
				t.Errorf("a bound of %v passes", p)
			}
		})
	}
}

func TestPositionsAtTheEdgeOfTheWorld(t *testing.T) {
	for name, p := range map[string]Position{
		"null island": {0, 0}, "north pole": {90, 0}, "north pole, another longitude": {90, 137}, "south pole": {-90, -20},
		"antimeridian east": {10, 180}, "antimeridian west": {10, -180},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := CellAt(p, ResThing)
			if err != nil {
				t.Fatal(err)
			}
			if d := Distance(p, c.Center()); d > 100 {
				t.Errorf("the centre of its cell is %.0f m away", d)
			}
		})
	}
	east, _ := CellAt(Position{10, 180}, ResThing)
	west, _ := CellAt(Position{10, -180}, ResThing)
	if east != west {
		t.Errorf("180 and -180 are one meridian, cells %s and %s", east, west)
	}
	if !(Position{}).IsNull() || (Position{0, 1e-9}).IsNull() {
		t.Error("only 0,0 is null")
	}
}

func TestDiskAroundPentagonsIsSmaller(t *testing.T) {
	ps, err := h3.Pentagons(int(ResFrame))
	if err != nil {
		t.Fatal(err)
	}
	if len(ps) != 12 {
		t.Fatalf("%d pentagons", len(ps))
	}
	for _, p := range ps {
		d, err := Cell(p).Disk(1)
		if err != nil || len(d) != 6 {
			t.Errorf("pentagon %s: disk of %d cells, %v; want itself and 5", p, len(d), err)
		}
		if vs, err := Cell(p).Corners(); err != nil || len(vs) != 5 {
			t.Errorf("pentagon %s: %d corners, %v", p, len(vs), err)
		}
	}
	c, _ := CellAt(Position{-0.8, 100.6}, ResFrame)
	if d, err := c.Disk(2); err != nil || len(d) != 19 {
		t.Errorf("disk of 2: %d cells, %v", len(d), err)
	}
	if _, err := Cell(12345).Disk(1); err == nil {
		t.Error("the disk of no cell passes")
	}
}

func TestCellAsText(t *testing.T) {
	c, _ := CellAt(Position{-0.8, 100.6}, ResThing)
	b, err := json.Marshal(map[Cell]Cell{c: c})
	if err != nil {
		t.Fatal(err)
	}
	var back map[Cell]Cell
	if err := json.Unmarshal(b, &back); err != nil || back[c] != c {
		t.Errorf("%s came back as %v, %v", b, back, err)
	}
	for _, s := range []string{"8a", "zz", "8a2a1072b59fffe", "-1", "ffffffffffffffffff", "08a"} {
		if c, err := ParseCell(s); err == nil {
			t.Errorf("%q is read as cell %s", s, c)
		}
	}
	var none Cell
	if err := none.UnmarshalText(nil); err != nil || none != 0 || none.String() != "" {
		t.Errorf("empty text: %v, %v", none, err)
	}
}

func TestCornersAreThoseOfTheBoundary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Position{rapid.Float64Range(-11, 6).Draw(t, "lat"), rapid.Float64Range(95, 141).Draw(t, "lng")}
		c, err := CellAt(p, Resolution(rapid.IntRange(5, 10).Draw(t, "resolution")))
		if err != nil {
			t.Fatal(err)
		}
		vs, err := c.Corners()
		if err != nil {
			t.Fatal(err)
		}
		ring := c.Boundary()
		if len(ring) != len(vs) {
			t.Skip("an edge of the icosahedron crosses the cell")
		}
		for i, v := range vs {
			if d := Distance(v.Position(), ring[i]); d > 0.01 {
				t.Fatalf("%s: corner %d lies %.3f m from that of the outline", c, i, d)
			}
		}
	})
}

func TestExpandAndCompact(t *testing.T) {
	c, _ := CellAt(Position{-0.8, 100.6}, ResFrame)
	fine, err := Expand([]Cell{c}, ResMatch)
	if err != nil || len(fine) != 49 {
		t.Fatalf("%d cells, %v; want 49", len(fine), err)
	}
	if back, err := Compact(fine); err != nil || len(back) != 1 || back[0] != c {
		t.Errorf("compacted to %v, %v", back, err)
	}
	if _, err := Expand(fine, ResFrame); err == nil {
		t.Error("cells are expanded to a coarser resolution")
	}
	if _, err := Compact([]Cell{fine[0], fine[0], fine[1], fine[2], fine[3], fine[4], fine[5], fine[6]}); err == nil {
		t.Error("a cell that is there twice is compacted")
	}
}

func TestCoverLeavesNothingOut(t *testing.T) {
	hole := Circle(Position{-0.8, 100.6}, 800).Polygons[0].Rings[0]
	pg := Circle(Position{-0.8, 100.6}, 3000).Polygons[0]
	pg.Rings = append(pg.Rings, hole)
	whole, edge, err := pg.Cover(ResMatch, 10000)
	if err != nil {
		t.Fatal(err)
	}
	in, cut := map[Cell]bool{}, map[Cell]bool{}
	for _, c := range whole {
		in[c] = true
	}
	for _, c := range edge {
		cut[c] = true
	}
	fence := pg.Fence()
	rapid.Check(t, func(t *rapid.T) {
		p := Position{rapid.Float64Range(-0.84, -0.76).Draw(t, "lat"), rapid.Float64Range(100.56, 100.64).Draw(t, "lng")}
		c, _ := CellAt(p, ResMatch)
		inside := pg.Contains(p)
		if fence.Contains(p) != inside {
			t.Fatalf("%v: fence and polygon disagree", p)
		}
		if in[c] && !inside || inside && !in[c] && !cut[c] {
			t.Fatalf("%v: inside %v, its cell whole %v, cut %v", p, inside, in[c], cut[c])
		}
	})
	if len(whole) == 0 || len(edge) == 0 {
		t.Errorf("%d whole, %d edge", len(whole), len(edge))
	}
	if _, _, err := pg.Cover(ResMatch, 10); err == nil {
		t.Error("more cells than the limit are given")
	}
	if _, _, err := (Polygon{}).Cover(ResMatch, 10); err == nil {
		t.Error("a polygon of nothing is covered")
	}
}
