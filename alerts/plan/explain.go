package plan

import (
	"math"
	"slices"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
)

// Subject is what a plan may explain: an alarm, an alert, an incident or a Thing, as far as plans look at it.
type Subject struct {
	Thing     string // id, empty: none
	Feed      string
	Rule      string
	Type      string // of incident, empty: not known
	Severity  cap.Severity
	Position  geo.Position
	Placed    bool // Position is known
	Simulated bool
}

// Reason is why a plan explains something, as a code that screens have words for.
type Reason string

// The reasons.
const (
	ByThing Reason = "thing" // the Thing is under maintenance
	ByFeed  Reason = "feed"  // the feed is
	ByPlace Reason = "place" // it lies in the plan's area or within its buffer
)

// coverAt is the resolution of the cells that are asked first, and coverLimit how many of them one plan may have; MaxSpan keeps within it.
const (
	coverAt    = geo.ResFrame
	coverLimit = 40_000
)

// Set is plans made ready to be asked. Never changed after NewSet; a nil Set explains nothing. Safe for concurrent use.
type Set struct {
	plans  []ready
	cells  map[geo.Cell][]int // the plans that may reach into a cell
	things map[string][]int
	feeds  map[string][]int
}

// ready is a plan with its polygons prepared.
type ready struct {
	Plan
	fences []geo.Fence
	wide   bool // its cells could not be told: it is always asked
}

// NewSet makes plans ready; those that hold nothing or are cancelled are left out. Which of the rest run is asked by the time.
func NewSet(list []Plan) *Set {
	s := &Set{cells: map[geo.Cell][]int{}, things: map[string][]int{}, feeds: map[string][]int{}}
	for _, p := range list {
		if !p.Holds || p.State == Cancelled {
			continue
		}
		i, r := len(s.plans), ready{Plan: p}
		for _, pg := range p.Area.Geometry.Polygons {
			r.fences = append(r.fences, pg.Fence())
		}
		if p.explainsPlaces() {
			cells, err := cover(p.Area.Geometry, p.BufferM)
			r.wide = err != nil
			for _, c := range cells {
				s.cells[c] = append(s.cells[c], i)
			}
		}
		for _, t := range p.Things {
			s.things[t] = append(s.things[t], i)
		}
		for _, f := range p.Feeds {
			s.feeds[f] = append(s.feeds[f], i)
		}
		s.plans = append(s.plans, r)
	}
	return s
}

// explainsPlaces tells a plan whose area counts; that of maintenance is only where it is drawn.
func (p *Plan) explainsPlaces() bool { return p.Kind != Maintenance && !p.Area.Geometry.IsZero() }

// Explains gives the running plan that explains a subject at a time, the first to have begun where there are several, and why. What it
// explains is held while it runs, not dropped.
func (s *Set) Explains(x Subject, at time.Time) (Plan, Reason, bool) {
	if s == nil {
		return Plan{}, "", false
	}
	best, why := -1, Reason("")
	take := func(i int, by Reason) {
		p := &s.plans[i].Plan
		if p.At(at) != Running || p.Simulated != x.Simulated || !p.concerns(x, by) {
			return
		}
		if best < 0 || p.From.Before(s.plans[best].From.Time) || p.From.Equal(s.plans[best].From.Time) && p.ID < s.plans[best].ID {
			best, why = i, by
		}
	}
	for _, i := range s.things[x.Thing] {
		take(i, ByThing)
	}
	for _, i := range s.feeds[x.Feed] {
		take(i, ByFeed)
	}
	if x.Placed {
		if c, err := geo.CellAt(x.Position, coverAt); err == nil {
			for _, i := range s.cells[c] {
				if s.plans[i].reaches(x.Position) {
					take(i, ByPlace)
				}
			}
		}
		for i := range s.plans {
			if s.plans[i].wide && s.plans[i].reaches(x.Position) {
				take(i, ByPlace)
			}
		}
	}
	if best < 0 {
		return Plan{}, "", false
	}
	return s.plans[best].Plan, why, true
}

// concerns tells a subject that the plan's types and rules let through. Without any, everything but what threatens life: nobody who
// announces a street market means the fire in it.
func (p *Plan) concerns(x Subject, by Reason) bool {
	if len(p.Types) == 0 && len(p.Rules) == 0 {
		return by != ByPlace || x.Severity != cap.Extreme
	}
	return x.Rule != "" && slices.Contains(p.Rules, x.Rule) || x.Type != "" && slices.Contains(p.Types, x.Type)
}

// reaches tells exactly whether a position lies in the plan's area or within its buffer.
func (r *ready) reaches(p geo.Position) bool {
	for i := range r.fences {
		if r.fences[i].Contains(p) {
			return true
		}
	}
	return r.BufferM > 0 && metresTo(r.Area.Geometry, p) <= r.BufferM
}

// cover gives every cell that a shape and its buffer touch, and some more: those of the box around both.
func cover(shape geo.Shape, bufferM float64) ([]geo.Cell, error) {
	b := shape.Bound().Grow((bufferM + 1) / 1000) // a metre, so that a point has a box
	box := geo.Polygon{Rings: [][]geo.Position{{{Lat: b.South, Lng: b.West}, {Lat: b.South, Lng: b.East}, {Lat: b.North, Lng: b.East}, {Lat: b.North, Lng: b.West}, {Lat: b.South, Lng: b.West}}}}
	whole, edge, err := box.Cover(coverAt, coverLimit)
	return append(whole, edge...), err
}

// metresTo is the distance from a position to the nearest point, line or outline of a shape.
func metresTo(s geo.Shape, p geo.Position) float64 {
	best := math.Inf(1)
	for _, q := range s.Points {
		best = min(best, geo.Distance(p, q))
	}
	lines := slices.Clone(s.Lines)
	for _, pg := range s.Polygons {
		lines = append(lines, pg.Rings...)
	}
	for _, l := range lines {
		for i := 1; i < len(l); i++ {
			best = min(best, metresToSide(p, l[i-1], l[i]))
		}
	}
	return best
}

// metresToSide is the distance to a line between two positions, on the plane that touches the earth at p: within 0.1 % for sides of some
// tens of kilometres.
func metresToSide(p, a, b geo.Position) float64 {
	const perDegree = geo.EarthRadius * math.Pi / 180
	k := math.Cos(p.Lat * math.Pi / 180)
	ax, ay := (a.Lng-p.Lng)*k*perDegree, (a.Lat-p.Lat)*perDegree
	dx, dy := (b.Lng-a.Lng)*k*perDegree, (b.Lat-a.Lat)*perDegree
	t := 0.0
	if length := dx*dx + dy*dy; length > 0 {
		t = math.Max(0, math.Min(1, -(ax*dx+ay*dy)/length))
	}
	return math.Hypot(ax+t*dx, ay+t*dy)
}
