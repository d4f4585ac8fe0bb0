package alerts

import (
	"strings"

	"kentongan/geo"
	"kentongan/geo/area"
)

// Place is the jurisdiction that judges alerts for itself.
type Place struct {
	Center    geo.Position // distances to earthquakes are measured from here
	Areas     *area.Set
	MarginKm  float64  // watch margin around the areas' bound; 0: 28 (0.25 degrees)
	Sender    string   // of our own alerts, such as "kentongan:solok"
	Languages []string // in the order we like to read; empty: id, en
	Names     []string // of the whole jurisdiction as agencies write it in lists of felt places: "Solok", "Kabupaten Solok"
	Provinces []string // a kecamatan's name counts only in a text that names one of these: "Sumatera Barat", "West Sumatra"
	Coastal   bool     // a tsunami warning concerns us
}

func (p Place) languages() []string {
	if len(p.Languages) == 0 {
		return []string{"id", "en"}
	}
	return p.Languages
}

func (p Place) marginKm() float64 {
	if p.MarginKm == 0 {
		return 28
	}
	return p.MarginKm
}

// named tells whether the text names one of our areas as whole words.
func (p Place) named(text string) bool {
	for _, a := range p.Areas.ByName(text) {
		if a.Ours() {
			return true
		}
	}
	return false
}

// isUs tells that a place in a list of felt places is the jurisdiction: the name alone, so that "Solok Selatan" is not "Solok".
func (p Place) isUs(place string) bool {
	for _, n := range p.Names {
		if strings.EqualFold(strings.TrimSpace(place), n) {
			return true
		}
	}
	return false
}

// inProvince tells whether the text names one of our provinces.
func (p Place) inProvince(text string) bool {
	text = strings.ToLower(text)
	for _, n := range p.Provinces {
		if n != "" && strings.Contains(text, strings.ToLower(n)) {
			return true
		}
	}
	return false
}

// touches tells whether a shape meets our areas or the watch margin around their bound.
func (p Place) touches(s geo.Shape) bool {
	if s.IsZero() {
		return false
	}
	if p.Areas.Intersects(s) {
		return true
	}
	const kmPerDegree = 111.2
	d := p.marginKm() / kmPerDegree
	b := p.Areas.Bound()
	b = geo.Bound{West: max(-180, b.West-d), South: max(-90, b.South-d), East: min(180, b.East+d), North: min(90, b.North+d)}
	if !b.Intersects(s.Bound()) {
		return false
	}
	for _, q := range s.Points {
		if b.Contains(q) {
			return true
		}
	}
	for _, l := range s.Lines {
		if crossesBound(b, l) {
			return true
		}
	}
	for _, pg := range s.Polygons {
		if len(pg.Rings) == 0 {
			continue
		}
		if crossesBound(b, pg.Rings[0]) || inRing(pg.Rings[0], geo.Position{Lat: b.South, Lng: b.West}) {
			return true
		}
	}
	return false
}

// crossesBound tells whether a line has a part within the bound (Liang and Barsky's clipping, ACM TOG 3(1), 1984).
func crossesBound(b geo.Bound, line []geo.Position) bool {
	for i, q := range line {
		if b.Contains(q) {
			return true
		}
		if i == 0 {
			continue
		}
		from, t0, t1, out := line[i-1], 0.0, 1.0, false
		dx, dy := q.Lng-from.Lng, q.Lat-from.Lat
		for _, e := range [4][2]float64{{-dx, from.Lng - b.West}, {dx, b.East - from.Lng}, {-dy, from.Lat - b.South}, {dy, b.North - from.Lat}} {
			switch {
			case e[0] == 0:
				out = out || e[1] < 0
			case e[0] < 0:
				t0 = max(t0, e[1]/e[0])
			default:
				t1 = min(t1, e[1]/e[0])
			}
		}
		if !out && t0 <= t1 {
			return true
		}
	}
	return false
}

// inRing counts crossings to the east of the position.
func inRing(ring []geo.Position, p geo.Position) bool {
	in := false
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[i], ring[j]
		if (a.Lat > p.Lat) != (b.Lat > p.Lat) && p.Lng < (b.Lng-a.Lng)*(p.Lat-a.Lat)/(b.Lat-a.Lat)+a.Lng {
			in = !in
		}
	}
	return in
}
