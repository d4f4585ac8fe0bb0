package alerts

import (
	"slices"
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

	Neighbours []Neighbour // other authorities, beside or inside us
}

// Neighbour is another authority.
type Neighbour struct {
	Slug  string
	Name  string
	Areas []string // codes of the areas of kind neighbour that are its own
	Sites []Site   // places of its own that matter to us, where its areas are not drawn

	Emergency string // whom to call for a hand-over; empty: not known
}

// Site is a place and what lies around it.
type Site struct {
	Position geo.Position
	RadiusM  float64
}

// Standing is whose a position is. At most one of Area and Neighbour is set; neither where nobody is known to be in charge.
type Standing struct {
	Area      *area.Area // of ours
	Neighbour *Neighbour
	InWatch   bool // ours, or within the watch margin
}

// Owns tells whose a position is: ours, a known neighbour's, or nobody's that we know of. Areas decide at their finest cells or by their
// polygons; without areas everywhere is ours and has no name. A position that is none is nobody's.
func (p Place) Owns(at geo.Position) Standing {
	if at.Validate() != nil {
		return Standing{}
	}
	out := Standing{InWatch: p.Watch().Contains(at)}
	if a, ok := p.Areas.Find(at); ok {
		if a.Ours() {
			out.Area, out.InWatch = &a, true
			return out
		}
		out.Neighbour = p.neighbourOf(a)
		return out
	}
	for i, n := range p.Neighbours {
		for _, s := range n.Sites {
			if geo.Distance(s.Position, at) <= s.RadiusM {
				out.Neighbour = &p.Neighbours[i]
				return out
			}
		}
	}
	return out
}

// neighbourOf is the authority of an area of kind neighbour; one that the profile does not list goes by the area's own name.
func (p Place) neighbourOf(a area.Area) *Neighbour {
	for i, n := range p.Neighbours {
		if slices.Contains(n.Areas, a.Code) {
			return &p.Neighbours[i]
		}
	}
	return &Neighbour{Slug: a.Code, Name: a.Name, Areas: []string{a.Code}}
}

// Watch is the box around our areas that concerns us: their bound and the margin. The whole world for a place without areas.
func (p Place) Watch() geo.Bound { return p.Areas.Bound().Grow(p.marginKm()) }

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
	b := p.Watch()
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
