package simulator

import (
	"math"
	"time"

	"kentongan/geo"
)

// Place is where the city stands, as plain data from the profile.
type Place struct {
	Slug   string // a table of real rivers and roads is known for some
	Name   string
	Bound  geo.Bound
	Center geo.Position
	Zone   *time.Location // nil: UTC
	Sites  []Site         // named places; a place without a table of its own lays out its towns on them
}

// widest is how many degrees a city may span; what is wider is a country, and the city stands in its middle.
const widest = 4

// sized gives the place a bound in which a city fits. Where everywhere is ours the city is Kabupaten Solok.
func (p Place) sized() Place {
	b := p.Bound
	wide := b.East-b.West > widest || b.North-b.South > widest
	if wide && p.Center.IsNull() {
		p.Slug, p.Name, p.Sites = "solok", "Kabupaten Solok", nil
		p.Center, p.Bound = geo.Position{Lat: -0.96, Lng: 100.75}, geo.Bound{West: 100.426, South: -1.33, East: 101.263, North: -0.532}
		return p
	}
	if wide || b.Validate() != nil || b.East-b.West < 0.02 || b.North-b.South < 0.02 {
		c := p.Center
		p.Bound, p.Sites = geo.Bound{West: c.Lng - 0.2, East: c.Lng + 0.2, South: c.Lat - 0.2, North: c.Lat + 0.2}, nil
	}
	return p
}

// Site is a named place.
type Site struct {
	Name     string
	Position geo.Position
}

// terrain is what the city is built on. The first river carries the galodo; the descent is the part of a road on which brakes fail.
type terrain struct {
	towns   []Site
	rivers  []channel
	roads   []way
	lakes   []Site
	volcano Site
	fault   line
	descent reach
	valley  int // the road along the upper part of the first river
}

// channel is a river as drawn, source first.
type channel struct {
	name   string
	line   line
	gauges []station
	bed    float64 // metres of fall per km, for the speed of a wave
}

// station is a named place on a line.
type station struct {
	name string
	km   float64
}

// way is a road as drawn, with the height of each point in metres.
type way struct {
	name    string
	line    line
	heights []float64
	traffic float64 // share of the vehicles
}

// reach is a part of a road.
type reach struct {
	road     int
	from, to float64 // km
}

// pt is a point of a table: latitude, longitude and height in metres.
type pt struct{ lat, lng, high float64 }

func positions(points []pt) []geo.Position {
	out := make([]geo.Position, len(points))
	for i, p := range points {
		out[i] = geo.Position{Lat: p.lat, Lng: p.lng}
	}
	return out
}

func road(name string, traffic float64, points ...pt) way {
	w := way{name: name, line: lineOf(positions(points)), traffic: traffic}
	for _, p := range points {
		w.heights = append(w.heights, p.high)
	}
	return w
}

// river makes a channel whose gauges stand at the points that bear a name.
func river(name string, names []string, points ...pt) channel {
	c := channel{name: name, line: lineOf(positions(points))}
	for i, n := range names {
		if n != "" {
			c.gauges = append(c.gauges, station{n, c.line.km[i]})
		}
	}
	c.bed = (points[0].high - points[len(points)-1].high) / c.line.length()
	return c
}

// terrainOf gives the table of a place, or a layout of the kind that most places have.
func terrainOf(p Place) terrain {
	if p.Slug == "solok" {
		return solok()
	}
	return anywhere(p)
}

// anywhere lays a city out within its bound: two rivers from the north, a high road across the middle and one down from a hill, a
// volcano in the north-west, a fault through the south, a lake, and towns on the profile's sites.
func anywhere(p Place) terrain {
	b := p.Bound
	in := func(x, y float64) pt {
		return pt{b.South + (b.North-b.South)*y, b.West + (b.East-b.West)*x, 300 + 900*math.Pow(y, 2)}
	}
	at := func(x, y float64) geo.Position { q := in(x, y); return geo.Position{Lat: q.lat, Lng: q.lng} }
	t := terrain{towns: p.Sites, volcano: Site{"Gunung Simulasi", at(0.2, 0.97)}, lakes: []Site{{"Danau " + p.Name, at(0.82, 0.2)}}}
	for i := len(t.towns); i < 6; i++ {
		t.towns = append(t.towns, Site{p.Name + " " + string(rune('A'+i)), at(0.2+0.3*float64(i%3), 0.3+0.4*float64(i/3))})
	}
	stops := []string{"", "hulu", "tengah", "kota", "hilir"}
	named := func(river string) []string {
		out := make([]string, len(stops))
		for i, s := range stops {
			if s != "" {
				out[i] = "AWLR " + river + " " + s
			}
		}
		return out
	}
	t.rivers = []channel{
		river("Sungai Barat", named("Sungai Barat"), in(0.24, 0.95), in(0.28, 0.85), in(0.33, 0.65), in(0.38, 0.4), in(0.45, 0.08)),
		river("Sungai Timur", named("Sungai Timur"), in(0.75, 0.95), in(0.72, 0.8), in(0.66, 0.6), in(0.62, 0.35), in(0.55, 0.08)),
	}
	t.roads = []way{
		road("Jalan nasional", 0.5, in(0.55, 0.97), in(0.52, 0.85), in(0.5, 0.7), in(0.5, 0.5), in(0.5, 0.3), in(0.52, 0.03)),
		road("Jalan lingkar", 0.35, in(0.03, 0.45), in(0.3, 0.5), in(0.5, 0.5), in(0.7, 0.5), in(0.97, 0.55)),
		road("Jalan lembah", 0.15, in(0.45, 0.2), in(0.39, 0.4), in(0.34, 0.64), in(0.29, 0.84)),
	}
	t.fault = lineOf([]geo.Position{at(0.05, 0.2), at(0.5, 0.28), at(0.95, 0.36)})
	r := &t.roads[0]
	t.descent, t.valley = reach{0, r.line.km[1], r.line.km[2]}, 2
	return t
}
