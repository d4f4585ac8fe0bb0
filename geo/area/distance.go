package area

import (
	"math"

	"kentongan/geo"
)

// DistanceM is how far a position lies from what is ours, in metres along the great circle to the smoothed outline (up to half a cell off
// the cells themselves); 0 inside. A set without areas is everywhere: 0. +Inf where nothing is ours, or the position is none.
func (s *Set) DistanceM(p geo.Position) float64 {
	switch {
	case p.Validate() != nil:
		return math.Inf(1)
	case s.Contains(p):
		return 0
	}
	best := math.Inf(1)
	for _, pg := range s.hull.Polygons {
		for _, ring := range pg.Rings {
			for i := 1; i < len(ring); i++ {
				best = math.Min(best, distanceToSide(p, ring[i-1], ring[i]))
			}
		}
	}
	return best
}

// distanceToSide finds the nearest point of a side on a plane laid at the position, and measures to it on the sphere.
func distanceToSide(p, a, b geo.Position) float64 {
	k := math.Cos(p.Lat * math.Pi / 180)
	turn := func(d float64) float64 { return math.Remainder(d, 360) } // the short way round the world
	ax, ay := turn(a.Lng-p.Lng)*k, a.Lat-p.Lat
	dx, dy := turn(b.Lng-a.Lng)*k, b.Lat-a.Lat
	t := 0.0
	if n := dx*dx + dy*dy; n > 0 {
		t = math.Max(0, math.Min(1, -(ax*dx+ay*dy)/n))
	}
	return geo.Distance(p, geo.Position{Lat: a.Lat + t*(b.Lat-a.Lat), Lng: a.Lng + t*turn(b.Lng-a.Lng)})
}

// Intersects tells whether a shape shares a point with what is ours. A set without areas meets every shape that is somewhere.
func (s *Set) Intersects(shape geo.Shape) bool {
	if shape.IsZero() {
		return false
	}
	if s.unlimited() {
		return true
	}
	for _, p := range shape.Points {
		if s.Contains(p) {
			return true
		}
	}
	for _, l := range shape.Lines {
		if s.meets(l) {
			return true
		}
	}
	for _, p := range shape.Polygons {
		for _, r := range p.Rings {
			if s.meets(r) {
				return true
			}
		}
		// No outline meets the other: one may still lie within the other.
		fence := p.Fence()
		for _, ours := range s.hull.Polygons {
			if fence.Contains(ours.Rings[0][0]) {
				return true
			}
		}
	}
	return false
}

// meets tells whether a line has a corner in what is ours or crosses its outline.
func (s *Set) meets(line []geo.Position) bool {
	for _, p := range line {
		if s.Contains(p) {
			return true
		}
	}
	for i := 1; i < len(line); i++ {
		b := geo.BoundOf(line[i-1], line[i])
		if !b.Intersects(s.bound) {
			continue
		}
		for _, pg := range s.hull.Polygons {
			for _, ring := range pg.Rings {
				for j := 1; j < len(ring); j++ {
					if crosses(line[i-1], line[i], ring[j-1], ring[j]) {
						return true
					}
				}
			}
		}
	}
	return false
}

// crosses tells whether two sides share a point.
func crosses(a, b, c, d geo.Position) bool {
	side := func(p, q, r geo.Position) float64 { return (q.Lng-p.Lng)*(r.Lat-p.Lat) - (q.Lat-p.Lat)*(r.Lng-p.Lng) }
	s1, s2, s3, s4 := side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
	if (s1 > 0) != (s2 > 0) && (s3 > 0) != (s4 > 0) {
		return true
	}
	on := func(p, q, r geo.Position, v float64) bool { return v == 0 && geo.BoundOf(p, q).Contains(r) }
	return on(a, b, c, s1) || on(a, b, d, s2) || on(c, d, a, s3) || on(c, d, b, s4)
}
