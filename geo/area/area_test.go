package area

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kentongan/geo"
)

// town is near the middle of the areas that the tests make up.
var town = geo.Position{Lat: -0.8, Lng: 100.6}

func cellAt(t testing.TB, p geo.Position, r geo.Resolution) geo.Cell {
	t.Helper()
	c, err := geo.CellAt(p, r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// quarters splits a disk of cells at ResArea by longitude into west and east, with a lake of one cell inside each and an enclave of a
// neighbour, finer, in the east.
func quarters(t testing.TB) *Set {
	t.Helper()
	mid := cellAt(t, town, geo.ResArea)
	disk, err := mid.Disk(6)
	if err != nil {
		t.Fatal(err)
	}
	west, east := Area{Code: "w", Name: "Barat", Seat: "Muara"}, Area{Code: "e", Name: "Timur Raya", Kind: District}
	pond := cellAt(t, geo.Position{Lat: town.Lat, Lng: town.Lng - 0.03}, geo.ResArea)
	lake := Area{Code: "l", Name: "Danau", Kind: Lake, Cells: []geo.Cell{pond}}
	for _, c := range disk {
		switch {
		case c == pond:
		case c.Center().Lng < town.Lng:
			west.Cells = append(west.Cells, c)
		default:
			east.Cells = append(east.Cells, c)
		}
	}
	enclave := Area{Code: "k", Name: "Kota", Kind: Neighbour,
		Cells: []geo.Cell{cellAt(t, geo.Position{Lat: town.Lat, Lng: town.Lng + 0.02}, geo.ResMatch)}}
	s, err := New([]Area{west, east, lake, enclave})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFind(t *testing.T) {
	s := quarters(t)
	pond, city := s.Areas()[2].Cells[0].Center(), s.Areas()[3].Cells[0].Center()
	for _, c := range []struct {
		name string
		at   geo.Position
		want string
		ours bool
	}{
		{"west", geo.Position{Lat: town.Lat, Lng: town.Lng - 0.01}, "w", true},
		{"east", geo.Position{Lat: town.Lat + 0.01, Lng: town.Lng + 0.03}, "e", true},
		{"a lake is ours", pond, "l", true},
		{"the finer cell of a neighbour wins", city, "k", false},
		{"far away", geo.Position{Lat: 1, Lng: 100}, "", false},
		{"no position", geo.Position{Lat: 91, Lng: 100}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, ok := s.Find(c.at)
			if a.Code != c.want || ok != (c.want != "") {
				t.Errorf("found %q, %v; want %q", a.Code, ok, c.want)
			}
			if got := s.Contains(c.at); got != c.ours {
				t.Errorf("contains: %v", got)
			}
			if d := s.DistanceM(c.at); (d == 0) != c.ours {
				t.Errorf("distance %.0f m", d)
			}
		})
	}
}

func TestNewNamesEveryFault(t *testing.T) {
	c := cellAt(t, town, geo.ResArea)
	_, err := New([]Area{
		{Code: "1", Cells: []geo.Cell{c}},
		{Code: "2", Name: "Nothing"},
		{Code: "3", Name: "Odd", Kind: "planet", Cells: []geo.Cell{c}},
		{Code: "4", Name: "Broken", Cells: []geo.Cell{42}},
		{Code: "5", Name: "Point", Shape: geo.Shape{Points: []geo.Position{town}}, Cells: []geo.Cell{c}},
	})
	if err == nil {
		t.Fatal("faulty areas pass")
	}
	for _, want := range []string{"area 1", "area 2", "planet", "2a", "area 5"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %q:\n%v", want, err)
		}
	}
	_, err = New([]Area{{Code: "a", Name: "A", Cells: []geo.Cell{c}}, {Code: "b", Name: "B", Cells: []geo.Cell{c}}})
	if err == nil || !strings.Contains(err.Error(), c.String()) {
		t.Errorf("a cell of two areas: %v", err)
	}
	fine := cellAt(t, town, geo.ResMatch)
	sibling := fine.Parent(geo.ResArea)
	_, err = New([]Area{{Code: "a", Name: "A", Cells: []geo.Cell{sibling.Parent(7)}}, {Code: "b", Name: "B", Cells: []geo.Cell{sibling}}})
	if err != nil {
		t.Errorf("finer cells within coarser ones are allowed: %v", err)
	}
}

func TestSetWithoutAreasIsEverywhere(t *testing.T) {
	empty, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Set{"nil": nil, "empty": empty} {
		if _, ok := s.Find(town); ok {
			t.Errorf("%s: found an area", name)
		}
		if !s.Contains(town) || s.DistanceM(town) != 0 || !s.Intersects(geo.Circle(town, 10)) {
			t.Errorf("%s: somewhere is not ours", name)
		}
		if s.Contains(geo.Position{Lat: 91}) || s.Intersects(geo.Shape{}) {
			t.Errorf("%s: nowhere is ours", name)
		}
		if len(s.Outlines()) != 0 || !s.Hull().IsZero() || len(s.ByName("Solok")) != 0 || !s.Bound().Contains(town) {
			t.Errorf("%s: it has an outline, a name or a limit", name)
		}
	}
}

func TestByName(t *testing.T) {
	c := cellAt(t, town, geo.ResArea)
	near, _ := c.Disk(1)
	var areas []Area
	for i, n := range []string{"Solok", "Kota Solok", "X Koto", "IX Koto Sungai Lasi", "Pantai  Cermin"} {
		areas = append(areas, Area{Code: n, Name: n, Cells: []geo.Cell{near[i]}})
	}
	s, err := New(areas)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"hujan lebat di Kota Solok":              "Kota Solok",
		"KOTA SOLOK dan solok, serta sekitarnya": "Solok|Kota Solok",
		"Soloknya":                               "",
		"di IX Koto":                             "",
		"IX Koto Sungai\n Lasi":                  "IX Koto Sungai Lasi",
		"pantai cermin;x koto":                   "X Koto|Pantai  Cermin",
		"Solokan Solok":                          "Solok",
		"Pantai (Cermin)":                        "",
		"":                                       "",
		"éSolok":                                 "",
	} {
		var got []string
		for _, a := range s.ByName(text) {
			got = append(got, a.Name)
		}
		if g := strings.Join(got, "|"); g != want {
			t.Errorf("%q: found %q, want %q", text, g, want)
		}
	}
}

func TestPolygonAreaIsExact(t *testing.T) {
	ring := geo.Circle(town, 4000).Polygons[0].Rings[0]
	hole := geo.Circle(town, 1000).Polygons[0].Rings[0]
	pg := geo.Polygon{Rings: [][]geo.Position{ring, hole}}
	s, err := New([]Area{{Code: "z", Name: "Zona", Kind: Zone, Shape: geo.Shape{Polygons: []geo.Polygon{pg}}}})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := geo.Position{Lat: town.Lat + rapid.Float64Range(-0.05, 0.05).Draw(t, "lat"), Lng: town.Lng + rapid.Float64Range(-0.05, 0.05).Draw(t, "lng")}
		if got, want := s.Contains(p), pg.Contains(p); got != want {
			t.Fatalf("%v: %v, the polygon says %v", p, got, want)
		}
	})
	far := geo.Position{Lat: town.Lat, Lng: town.Lng + 0.1}
	if got, want := s.DistanceM(far), geo.Distance(town, far)-4000; math.Abs(got-want) > 20 {
		t.Errorf("from outside %.0f m, want %.0f", got, want)
	}
	if got := s.DistanceM(town); math.Abs(got-1000) > 10 {
		t.Errorf("from the hole %.0f m, want 1000", got)
	}
	if got := s.Outlines()[0].Shape.Polygons[0]; len(got.Rings) != 2 || got.Rings[0][1] != ring[1] {
		t.Error("the outline is not the polygon as it was given")
	}
}

func TestIntersects(t *testing.T) {
	s := quarters(t)
	b := s.Bound()
	west := geo.Position{Lat: town.Lat, Lng: b.West - 0.05}
	for _, c := range []struct {
		name string
		in   geo.Shape
		want bool
	}{
		{"nowhere", geo.Shape{}, false},
		{"a point inside", geo.Shape{Points: []geo.Position{{Lat: town.Lat, Lng: town.Lng - 0.01}}}, true},
		{"a point outside", geo.Shape{Points: []geo.Position{west}}, false},
		{"a line through, with no corner inside", geo.Shape{Lines: [][]geo.Position{{west, {Lat: town.Lat, Lng: b.East + 0.05}}}}, true},
		{"a line beside", geo.Shape{Lines: [][]geo.Position{{west, {Lat: b.North + 0.1, Lng: b.West - 0.05}}}}, false},
		{"a circle around all", geo.Circle(town, 60000), true},
		{"a circle inside", geo.Circle(geo.Position{Lat: town.Lat, Lng: town.Lng - 0.01}, 200), true},
		{"a circle far away", geo.Circle(geo.Position{Lat: 2, Lng: 99}, 5000), false},
		{"a circle that only touches", geo.Circle(geo.Position{Lat: town.Lat, Lng: b.West - 0.05}, 6000), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.Intersects(c.in); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// sides counts every directed side of the outlines of the areas.
func sides(t *testing.T, outlines []Outline) map[[2]geo.Position]int {
	t.Helper()
	out := map[[2]geo.Position]int{}
	for _, o := range outlines {
		for _, p := range o.Shape.Polygons {
			for _, r := range p.Rings {
				if r[0] != r[len(r)-1] {
					t.Fatalf("%s: a ring is not closed", o.Area.Name)
				}
				for i := 1; i < len(r); i++ {
					out[[2]geo.Position{r[i-1], r[i]}]++
				}
			}
		}
	}
	return out
}

func size(s geo.Shape) (sum float64) {
	for _, p := range s.Polygons {
		for _, r := range p.Rings {
			sum += signedArea(r)
		}
	}
	return sum
}

// checkNoSlivers holds outlines of one resolution to three things: no side is drawn twice, what has a neighbour is drawn by both with
// the very same numbers, and the parts together are as large as the hull.
func checkNoSlivers(t *testing.T, outlines []Outline, hull geo.Shape) {
	t.Helper()
	all := sides(t, outlines)
	onHull := sides(t, []Outline{{Area: Area{Name: "hull"}, Shape: hull}})
	shared := 0
	var sum float64
	for s, n := range all {
		back := [2]geo.Position{s[1], s[0]}
		switch {
		case n != 1:
			t.Fatalf("side %v is drawn %d times", s, n)
		case all[back] == 1 && onHull[s] == 0:
			shared++
		case all[back] == 0 && onHull[s] == 1:
		default:
			t.Fatalf("side %v: neighbour draws it %d times, hull %d times", s, all[back], onHull[s])
		}
	}
	for _, o := range outlines {
		sum += size(o.Shape)
	}
	if shared == 0 {
		t.Error("no side is shared: the test proves nothing")
	}
	if h := size(hull); math.Abs(sum-h) > 1e-9*h {
		t.Errorf("parts together %v, hull %v square degrees", sum, h)
	}
}

// turns are the turns of the outlines away from the corners where three areas meet, in degrees, the sharpest last.
func turns(outlines []Outline) (out []float64) {
	next := map[geo.Position]map[geo.Position]bool{}
	join := func(a, b geo.Position) {
		if next[a] == nil {
			next[a] = map[geo.Position]bool{}
		}
		next[a][b] = true
	}
	for _, o := range outlines {
		for _, p := range o.Shape.Polygons {
			for _, r := range p.Rings {
				for i := 1; i < len(r); i++ {
					join(r[i-1], r[i])
					join(r[i], r[i-1])
				}
			}
		}
	}
	for _, o := range outlines {
		for _, p := range o.Shape.Polygons {
			for _, r := range p.Rings {
				for i := 1; i < len(r)-1; i++ {
					if len(next[r[i-1]]) > 2 || len(next[r[i]]) > 2 || len(next[r[i+1]]) > 2 {
						continue
					}
					a := math.Atan2(r[i].Lat-r[i-1].Lat, r[i].Lng-r[i-1].Lng)
					b := math.Atan2(r[i+1].Lat-r[i].Lat, r[i+1].Lng-r[i].Lng)
					out = append(out, math.Abs(math.Remainder(b-a, 2*math.Pi))*180/math.Pi)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestOutlinesOfMadeUpAreas(t *testing.T) {
	s := quarters(t)
	var same []Outline
	for _, o := range s.Outlines() {
		if o.Area.Ours() {
			same = append(same, o)
		}
	}
	checkNoSlivers(t, same, s.Hull())
	if got := s.Outlines()[0].Shape.Polygons; len(got) != 1 || len(got[0].Rings) != 2 {
		t.Errorf("the west should be one polygon with its lake as a hole, it is %d polygons", len(got))
	}
}

func TestOutlinesOfAnyAreas(t *testing.T) {
	mid := cellAt(t, town, geo.ResArea)
	disk, err := mid.Disk(4)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		areas := []Area{{Code: "a", Name: "A"}, {Code: "b", Name: "B"}, {Code: "c", Name: "C"}}
		for _, c := range disk {
			if i := rapid.IntRange(0, 5).Draw(rt, "owner"); i < 3 {
				areas[i].Cells = append(areas[i].Cells, c)
			}
		}
		for _, a := range areas {
			if len(a.Cells) == 0 {
				rt.Skip("an area without cells")
			}
		}
		s, err := New(areas)
		if err != nil {
			rt.Fatal(err)
		}
		checkNoSlivers(t, s.Outlines(), s.Hull())
		for _, a := range areas {
			for _, c := range a.Cells {
				if got, _ := s.Find(c.Center()); got.Code != a.Code {
					rt.Fatalf("cell %s of %s is found in %q", c, a.Code, got.Code)
				}
			}
		}
	})
}

type profile struct {
	Areas []struct {
		Code, Name string
		Cells      []geo.Cell
		N          int
	}
}

// shared reads a profile that lies beside the repository.
func shared(t testing.TB, file string) profile {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "profile", file)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("%s is not there: %v", path, err)
	}
	var p profile
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func regency(t testing.TB) *Set {
	t.Helper()
	var areas []Area
	for _, a := range shared(t, "kabupaten-solok-h3.json").Areas {
		kind := District
		if strings.HasPrefix(a.Code, "lake-") {
			kind = Lake
		}
		areas = append(areas, Area{Code: a.Code, Name: a.Name, Kind: kind, Cells: a.Cells})
	}
	s, err := New(areas)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOutlinesOfKabupatenSolok(t *testing.T) {
	s := regency(t)
	checkNoSlivers(t, s.Outlines(), s.Hull())
	// A hexagon turns by 60 degrees at every corner. What is left of sharp turns are lakes of few cells, which more passes would shrink away.
	ts := turns(s.Outlines())
	mid, high, top := ts[len(ts)/2], ts[len(ts)*99/100], ts[len(ts)-1]
	t.Logf("turns: half below %.1f, 99 %% below %.1f, sharpest %.1f degrees; hull of %d polygons", mid, high, top, len(s.Hull().Polygons))
	if mid > 10 || high > 35 || top > 60.5 {
		t.Errorf("the outlines are not smooth: half of the turns below %.1f, 99 %% below %.1f, sharpest %.1f degrees", mid, high, top)
	}
	for _, o := range s.Outlines() {
		if len(o.Shape.Polygons) == 0 || size(o.Shape) <= 0 {
			t.Errorf("%s has no outline", o.Area.Name)
		}
	}
	again := regency(t)
	a, _ := json.Marshal(s.Hull())
	b, _ := json.Marshal(again.Hull())
	if string(a) != string(b) {
		t.Error("the same cells give two hulls")
	}
}

func TestCountsOfTheProfileHold(t *testing.T) {
	for file, r := range map[string]geo.Resolution{"kabupaten-solok-h3.json": 8, "kota-solok-h3.json": 9, "kota-bandung-h3.json": 9} {
		for _, a := range shared(t, file).Areas {
			if cells, err := geo.Expand(a.Cells, r); err != nil || len(cells) != a.N {
				t.Errorf("%s, %s: %d cells, %v; want %d", file, a.Name, len(cells), err, a.N)
			}
		}
	}
}

func BenchmarkFind(b *testing.B) {
	s := regency(b)
	for b.Loop() {
		if _, ok := s.Find(geo.Position{Lat: -0.83, Lng: 100.63}); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		regency(b)
	}
}
