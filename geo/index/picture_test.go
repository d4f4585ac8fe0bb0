package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"kentongan/geo"
)

func ids(visit func(func(*Entry) bool)) string {
	var out []string
	visit(func(e *Entry) bool { out = append(out, e.ID); return true })
	sort.Strings(out)
	return strings.Join(out, " ")
}

// around draws a position in one of: a town, the antimeridian, a pole, anywhere.
func around(t *rapid.T) geo.Position {
	c := rapid.SampledFrom([]geo.Position{solok, {Lat: 0, Lng: 180}, {Lat: 89.9, Lng: 0}, {Lat: -17, Lng: -179.9}, {}}).Draw(t, "place")
	r := rapid.SampledFrom([]float64{0.01, 0.3, 180}).Draw(t, "reach")
	lat := math.Max(-90, math.Min(90, c.Lat+rapid.Float64Range(-r/2, r/2).Draw(t, "lat")))
	return geo.Position{Lat: lat, Lng: math.Remainder(c.Lng+rapid.Float64Range(-r, r).Draw(t, "lng"), 360)}
}

// The picture is held to a plain map that looks at everything.
func TestPictureAnswersAsAPlainMapWould(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, plain := NewPicture(), map[string]*Entry{}
		for range rapid.IntRange(0, 120).Draw(rt, "acts") {
			id := fmt.Sprint("f:", rapid.IntRange(0, 40).Draw(rt, "id"))
			switch rapid.IntRange(0, 9).Draw(rt, "act") {
			case 0:
				if got := p.Remove(id); got != plain[id] {
					rt.Fatalf("removed %v, want %v", got, plain[id])
				}
				delete(plain, id)
			case 1:
				e := &Entry{ID: id}
				if got := p.Put(e); got != plain[id] {
					rt.Fatalf("replaced %v, want %v", got, plain[id])
				}
				plain[id] = e
			default:
				e := thing(t, id, around(rt), "")
				if got := p.Put(e); got != plain[id] {
					rt.Fatalf("replaced %v, want %v", got, plain[id])
				}
				plain[id] = e
			}
		}
		checkPicture(rt, p, plain, around(rt), around(rt))
	})
}

func checkPicture(rt *rapid.T, p *Picture, plain map[string]*Entry, a, b geo.Position) {
	if p.Len() != len(plain) {
		rt.Fatalf("%d Things, want %d", p.Len(), len(plain))
	}
	if got, want := ids(p.All), ids(func(y func(*Entry) bool) { each(plain, func(*Entry) bool { return true }, y) }); got != want {
		rt.Fatalf("all: %q, want %q", got, want)
	}
	bound := geo.Bound{West: a.Lng, South: math.Min(a.Lat, b.Lat), East: b.Lng, North: math.Max(a.Lat, b.Lat)} // may cross the antimeridian
	got := ids(func(y func(*Entry) bool) { p.Within(bound, y) })
	want := ids(func(y func(*Entry) bool) {
		each(plain, func(e *Entry) bool { return e.Placed && bound.Contains(e.Position) }, y)
	})
	if got != want {
		rt.Fatalf("within %v: %q, want %q", bound, got, want)
	}
	for _, r := range []geo.Resolution{2, 4, 6, 7, 9, 10} {
		cell, _ := geo.CellAt(a, geo.ResThing)
		cell = cell.Parent(r)
		got := ids(func(y func(*Entry) bool) { p.In(cell, y) })
		want := ids(func(y func(*Entry) bool) {
			each(plain, func(e *Entry) bool { return e.Placed && e.Cell.Parent(r) == cell }, y)
		})
		if got != want {
			rt.Fatalf("in %s: %q, want %q", cell, got, want)
		}
	}
	k := rapid.IntRange(0, 12).Draw(rt, "k")
	keep := func(e *Entry) bool { return !strings.HasSuffix(e.ID, "7") }
	var near []Near
	for _, e := range plain {
		if e.Placed && keep(e) {
			near = append(near, Near{e, geo.Distance(a, e.Position)})
		}
	}
	sort.Slice(near, func(i, j int) bool {
		return near[i].DistanceM < near[j].DistanceM || near[i].DistanceM == near[j].DistanceM && near[i].Entry.ID < near[j].Entry.ID
	})
	near = near[:min(k, len(near))]
	list := p.Nearest(a, k, keep)
	if len(list) != len(near) {
		rt.Fatalf("%d nearest, want %d", len(list), len(near))
	}
	for i := range list {
		if list[i] != near[i] {
			rt.Fatalf("nearest %d of %v: %s at %v m, want %s at %v m", i, a, list[i].Entry.ID, list[i].DistanceM, near[i].Entry.ID, near[i].DistanceM)
		}
	}
}

func each(plain map[string]*Entry, want func(*Entry) bool, yield func(*Entry) bool) {
	for _, e := range plain {
		if want(e) && !yield(e) {
			return
		}
	}
}

func TestPictureStopsWhenTold(t *testing.T) {
	p := NewPicture()
	for i := range 10 {
		p.Put(thing(t, fmt.Sprint("f:", i), solok, ""))
	}
	for name, visit := range map[string]func(func(*Entry) bool){
		"all":         p.All,
		"within":      func(y func(*Entry) bool) { p.Within(geo.Bound{West: 100, South: -1, East: 101, North: 0}, y) },
		"in a bucket": func(y func(*Entry) bool) { p.In(p.Get("f:1").Cell, y) },
		"in many":     func(y func(*Entry) bool) { p.In(p.Get("f:1").Cell.Parent(3), y) },
	} {
		n := 0
		visit(func(*Entry) bool { n++; return n < 3 })
		if n != 3 {
			t.Errorf("%s: called %d times, want 3", name, n)
		}
	}
	if p.Get("f:nobody") != nil || p.Remove("f:nobody") != nil {
		t.Error("an unknown id is known")
	}
}

func TestEmptyBucketsGo(t *testing.T) {
	p := NewPicture()
	for i := range 50 { // a bus that drives round the world
		p.Put(thing(t, "f:bus", geo.Position{Lat: 0.1, Lng: float64(i * 7 % 180)}, ""))
	}
	if len(p.buckets) != 1 || len(p.regions) != 1 {
		t.Errorf("%d buckets, %d regions for one Thing", len(p.buckets), len(p.regions))
	}
	p.Remove("f:bus")
	if len(p.buckets)+len(p.regions)+len(p.things) != 0 {
		t.Error("something is left")
	}
}

func TestPictureIsSafeForManyAtOnce(t *testing.T) {
	p := NewPicture()
	entries := make([]*Entry, 200)
	for i := range entries {
		entries[i] = thing(t, fmt.Sprint("f:", i), geo.Position{Lat: solok.Lat + float64(i%20)*0.01, Lng: solok.Lng}, "")
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 500 {
				e := entries[(i*7+w)%len(entries)]
				p.Put(e)
				p.Nearest(solok, 3, nil)
				p.Within(geo.BoundOf(solok), func(*Entry) bool { return true })
				if i%50 == 0 {
					p.Remove(e.ID)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	p.All(func(*Entry) bool { n++; return true })
	if n != p.Len() || n == 0 {
		t.Errorf("%d visited, %d counted", n, p.Len())
	}
}

// regency fills a picture with n Things over an area as large as a regency.
func regency(b *testing.B, n int) *Picture {
	b.Helper()
	p, r := NewPicture(), rand.New(rand.NewPCG(1, 2))
	for i := range n {
		p.Put(thing(b, fmt.Sprint("f:", i), geo.Position{Lat: -1.2 + 0.7*r.Float64(), Lng: 100.4 + 0.6*r.Float64()}, ""))
	}
	return p
}

func BenchmarkWithin(b *testing.B) {
	p := regency(b, 100_000)
	view := geo.Bound{West: 100.6, South: -0.85, East: 100.7, North: -0.75}
	n := 0
	for b.Loop() {
		n = 0
		p.Within(view, func(*Entry) bool { n++; return true })
	}
	b.ReportMetric(float64(n), "things")
}

func BenchmarkNearest(b *testing.B) {
	p := regency(b, 100_000)
	for b.Loop() {
		if len(p.Nearest(solok, 10, nil)) != 10 {
			b.Fatal("not ten")
		}
	}
}

func BenchmarkPut(b *testing.B) {
	p := regency(b, 100_000)
	e := p.Get("f:77")
	for b.Loop() {
		p.Put(e)
	}
}
