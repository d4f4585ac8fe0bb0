package cap

import (
	"math"
	"strconv"
	"strings"

	"kentongan/geo"
)

// maxRadiusKm is half the way round the Earth.
const maxRadiusKm = 20_038

// minRadiusKm is one metre: a smaller circle is a point.
const minRadiusKm = 0.001

// area reads one <area>. Polygons, circles and geocodes add up; an area of geocodes alone has no shape (CAP-v1.2 section 3.2.4).
func (r *reader) area(e *Element) Area {
	r.check(e, areaOnce, areaMany)
	a := Area{Name: r.required(e, "areaDesc", maxProse), Geocodes: r.values(e, "geocode")}
	for _, c := range e.All(r.space, "polygon") {
		ring, repaired := r.ring(c)
		if r.err != nil {
			return a
		}
		if ring != nil {
			a.Shape.Polygons = append(a.Shape.Polygons, geo.Polygon{Rings: [][]geo.Position{ring}})
			a.Repaired = a.Repaired || repaired
		}
	}
	for _, c := range e.All(r.space, "circle") {
		s := r.circle(c)
		a.Shape.Points = append(a.Shape.Points, s.Points...)
		a.Shape.Polygons = append(a.Shape.Polygons, s.Polygons...)
	}
	return a
}

// ring reads "lat,lon lat,lon …" and closes it where the producer did not. An empty element is no ring, nor is one of nothing but 0,0,
// as programs write what they do not know.
func (r *reader) ring(e *Element) (ring []geo.Position, repaired bool) {
	pairs := strings.Fields(r.text(e, maxBytes))
	if len(pairs) == 0 {
		return nil, false
	}
	ring = make([]geo.Position, 0, len(pairs)+1)
	known := false
	for i, pair := range pairs {
		p, ok := r.pair(e, pair)
		if !ok {
			return nil, false
		}
		known = known || !p.IsNull()
		if i > 0 && p == ring[len(ring)-1] {
			continue
		}
		ring = append(ring, p)
	}
	if !known {
		return nil, false
	}
	if ring[0] != ring[len(ring)-1] {
		ring, repaired = append(ring, ring[0]), true
	}
	if len(ring) < 4 {
		r.fault(e, "has fewer than three corners")
		return nil, false
	}
	return ring, repaired
}

// circle reads "lat,lon radius", the radius in kilometres; a radius of zero is a point. An empty element is no circle,
// nor is one about 0,0, which stands for an unknown place.
func (r *reader) circle(e *Element) geo.Shape {
	parts := strings.Fields(r.text(e, maxName))
	if len(parts) == 0 {
		return geo.Shape{}
	}
	if len(parts) != 2 {
		r.fault(e, "%.60q is not lat,lon radius", e.Text)
		return geo.Shape{}
	}
	p, ok := r.pair(e, parts[0])
	if !ok {
		return geo.Shape{}
	}
	km, err := strconv.ParseFloat(parts[1], 64)
	if err != nil || math.IsNaN(km) || km < 0 || km > maxRadiusKm {
		r.fault(e, "radius %.20q is not a number of kilometres from 0 to %d", parts[1], maxRadiusKm)
		return geo.Shape{}
	}
	if p.IsNull() {
		return geo.Shape{}
	}
	if km < minRadiusKm {
		km = 0
	}
	return geo.Circle(p, km*1000)
}

func (r *reader) pair(e *Element, pair string) (geo.Position, bool) {
	lat, lng, ok := strings.Cut(pair, ",")
	p := geo.Position{}
	var err1, err2 error
	p.Lat, err1 = strconv.ParseFloat(lat, 64)
	p.Lng, err2 = strconv.ParseFloat(lng, 64)
	if !ok || err1 != nil || err2 != nil {
		r.fault(e, "%.40q is not lat,lon", pair)
		return p, false
	}
	if err := p.Validate(); err != nil {
		r.fault(e, "%.40q: %v", pair, err)
		return p, false
	}
	return p, true
}
