package fusion

import (
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/geo"
)

// besideM is how far apart two areas may lie and still adjoin: borders are drawn by several hands.
const besideM = 500

// besideFor is how far apart in time warnings over adjoining areas may begin.
const besideFor = 30 * time.Minute

// Beside tells whether two warnings are one over areas that adjoin or overlap: of one sender, of one event, about the same time. A version of
// the same warning is none beside it.
func Beside(a, b *alerts.Alert) bool {
	if a.ID == b.ID || a.Rule != "" || b.Rule != "" || a.Quake != nil || b.Quake != nil || a.Simulated != b.Simulated || a.Sender != b.Sender ||
		!strings.EqualFold(strings.TrimSpace(a.Event), strings.TrimSpace(b.Event)) || a.Area.Geometry.IsZero() || b.Area.Geometry.IsZero() {
		return false
	}
	apart := a.Sent.Sub(b.Sent.Time)
	if apart > besideFor || -apart > besideFor {
		return false
	}
	return adjoin(a.Area.Geometry, b.Area.Geometry)
}

// adjoin tells whether two shapes meet, or come as near as besideM: by their bounds first, then corner by corner.
func adjoin(a, b geo.Shape) bool {
	if !a.Bound().Grow(besideM / 1000.0).Intersects(b.Bound()) {
		return false
	}
	return reaches(a, b) || reaches(b, a)
}

// reaches tells whether some corner of a, or a point between two, lies in b or close to one of b's edges.
func reaches(a, b geo.Shape) bool {
	for _, p := range a.Points {
		if touches(p, b) {
			return true
		}
	}
	lines := a.Lines
	for _, g := range a.Polygons {
		lines = append(lines, g.Rings...)
	}
	for _, l := range lines {
		for _, p := range l {
			if touches(p, b) {
				return true
			}
		}
	}
	return false
}

// touches tells whether a position lies in a shape or within besideM of one of its edges.
func touches(p geo.Position, s geo.Shape) bool {
	for _, q := range s.Points {
		if geo.Distance(p, q) <= besideM {
			return true
		}
	}
	for _, g := range s.Polygons {
		if g.Contains(p) {
			return true
		}
		for _, ring := range g.Rings {
			if along(p, ring) {
				return true
			}
		}
	}
	for _, l := range s.Lines {
		if along(p, l) {
			return true
		}
	}
	return false
}

// along tells whether a position lies within besideM of a line.
func along(p geo.Position, line []geo.Position) bool {
	for i := range line {
		if geo.Distance(p, line[i]) <= besideM {
			return true
		}
		if i > 0 && geo.Distance(p, nearestOn(p, line[i-1], line[i])) <= besideM {
			return true
		}
	}
	return false
}

// nearestOn is the point of a short edge that is nearest to a position.
func nearestOn(p, a, b geo.Position) geo.Position {
	dx, dy := b.Lng-a.Lng, b.Lat-a.Lat
	if dx == 0 && dy == 0 {
		return a
	}
	t := clamp(((p.Lng-a.Lng)*dx+(p.Lat-a.Lat)*dy)/(dx*dx+dy*dy), 0, 1)
	return geo.Position{Lat: a.Lat + t*dy, Lng: a.Lng + t*dx}
}
