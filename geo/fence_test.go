package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/uber/h3-go/v4"
	"pgregory.net/rapid"
)

// anywhere draws positions from pole to pole, so that the whole surface is as likely.
func anywhere(t *rapid.T) Position {
	z := rapid.Float64Range(-1, 1).Draw(t, "z")
	return Position{Lat: math.Asin(z) * 180 / math.Pi, Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")}
}

func TestFenceThatSaysYesIsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Resolution(rapid.IntRange(0, 12).Draw(t, "resolution"))
		at := anywhere(t)
		c, err := CellAt(at, r)
		if err != nil {
			t.Fatal(err)
		}
		f := NewCellFence(c)
		mid := c.Center()
		ring := c.Boundary()
		for range 20 { // near and over each edge: there a fence can be wrong
			i := rapid.IntRange(0, len(ring)-1).Draw(t, "edge")
			a, b := ring[i], ring[(i+1)%len(ring)]
			u, k := rapid.Float64Range(0, 1).Draw(t, "along"), rapid.Float64Range(0.9, 1.1).Draw(t, "out")
			p := Position{
				Lat: mid.Lat + k*(a.Lat+u*(b.Lat-a.Lat)-mid.Lat),
				Lng: mid.Lng + k*(a.Lng+u*(b.Lng-a.Lng)-mid.Lng),
			}
			if p.Validate() != nil || !f.Contains(p) {
				continue
			}
			if got, err := CellAt(p, r); err != nil || got != c {
				t.Fatalf("fence of %s at resolution %d holds %v, h3 says %s, %v", c, r, p, got, err)
			}
		}
	})
}

func TestFenceAnswersMostly(t *testing.T) {
	const asked = 5000
	dice, yes := rand.New(rand.NewPCG(1, 2)), 0
	for range asked {
		at := Position{Lat: -75 + 150*dice.Float64(), Lng: -180 + 360*dice.Float64()}
		c, err := CellAt(at, Resolution(5+dice.IntN(8)))
		if err != nil {
			t.Fatal(err)
		}
		if f := NewCellFence(c); f.Contains(at) {
			yes++
		}
	}
	if yes < asked*9/10 {
		t.Errorf("the fence answered %d of %d positions in its cell: too rarely to be of use", yes, asked)
	}
}

func TestFenceOfOddCellsHoldsNothing(t *testing.T) {
	pentagons, err := h3.Pentagons(int(ResThing))
	if err != nil {
		t.Fatal(err)
	}
	odd := map[string]Cell{"no cell": 0, "no such cell": 0x8a2a1072b59fffe}
	for _, p := range pentagons {
		odd["pentagon "+p.String()] = Cell(p)
	}
	for name, p := range map[string]Position{"antimeridian": {0.001, 180}, "north pole": {90, 0}, "south pole": {-90, 0}} {
		if odd[name], err = CellAt(p, ResThing); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range odd {
		f := NewCellFence(c)
		if c != 0 && f.Contains(c.Center()) {
			// The cell at the antimeridian may lie on one side as a whole; then it is not odd.
			if name != "antimeridian" || len(c.Boundary()) != 6 {
				t.Errorf("%s: the fence holds its centre", name)
			}
		}
		if f.Contains(Position{math.NaN(), 0}) || f.Contains(Position{0, math.Inf(1)}) {
			t.Errorf("%s: the fence holds what is no position", name)
		}
	}
}

func TestLocatorAgreesWithH3(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Locator
		p := anywhere(t)
		for range 50 { // a walk of up to about 30 m a step
			p.Lat += rapid.Float64Range(-3e-4, 3e-4).Draw(t, "north")
			p.Lng += rapid.Float64Range(-3e-4, 3e-4).Draw(t, "east")
			got, err := l.CellNear(p, ResThing)
			want, wantErr := CellAt(p, ResThing)
			if got != want || (err == nil) != (wantErr == nil) {
				t.Fatalf("%v: locator says %s, %v; h3 says %s, %v", p, got, err, want, wantErr)
			}
		}
	})
	var l Locator
	if _, err := l.CellNear(Position{91, 0}, ResThing); err == nil {
		t.Error("latitude 91 has a cell")
	}
	if a, _ := l.CellNear(Position{-0.8, 100.6}, 9); a.Resolution() != 9 {
		t.Errorf("asked at resolution 9, got %d", a.Resolution())
	}
	if a, _ := l.CellNear(Position{-0.8, 100.6}, 7); a.Resolution() != 7 {
		t.Errorf("the same place asked at another resolution: got %d", a.Resolution())
	}
}

// The house asks where something is for every reading; these two are what the fence saves.
func BenchmarkCellByFence(b *testing.B) {
	p := Position{-0.789275, 100.652187}
	var l Locator
	for b.Loop() {
		if _, err := l.CellNear(p, ResThing); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCellByH3(b *testing.B) {
	p := Position{-0.789275, 100.652187}
	for b.Loop() {
		if _, err := CellAt(p, ResThing); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParentByBits(b *testing.B) {
	c, err := CellAt(Position{-0.789275, 100.652187}, ResThing)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if c.Parent(ResShard) == 0 {
			b.Fatal("no parent")
		}
	}
}
