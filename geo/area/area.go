// Package area is named areas of the city (districts, zones) as polygons and as cells.
package area

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"kentongan/geo"
)

// The kinds of areas.
const (
	District  = "district"
	Lake      = "lake"
	Zone      = "zone"
	Neighbour = "neighbour" // another authority's: known, but not ours
)

// coverLimit bounds the cells of one polygon at the resolution of the set: about 200,000 km² at resolution 9.
const coverLimit = 2_000_000

// Area is a named part of the map: cells, a polygon, or both.
type Area struct {
	Code  string            // in the code system of its source, such as BPS "id1303080"
	Codes map[string]string // of the same place by code system: bps "1303080", kemendagri "13.02.07"; may be nil
	Name  string
	Kind  string     // district, lake, zone, neighbour; empty is district
	Seat  string     // its capital, may be empty
	Cells []geo.Cell // may be compacted: mixed resolutions
	Shape geo.Shape  // polygons; points and lines are refused
}

// Center is a place in the middle of the area, inside it: the mean of its ground, or the part of it that is nearest to that. The zero
// Position for an area without extent.
func (a Area) Center() geo.Position {
	var sum geo.Position
	var weight float64
	add := func(p geo.Position, w float64) {
		sum.Lat, sum.Lng, weight = sum.Lat+p.Lat*w, sum.Lng+p.Lng*w, weight+w
	}
	cells := a.Cells
	for _, p := range a.Shape.Polygons {
		if whole, edge, err := p.Cover(geo.ResMatch, coverLimit); len(a.Cells) == 0 && err == nil {
			cells = append(append(cells, whole...), edge[:min(1, len(edge))]...)
		}
		if len(p.Rings) > 0 {
			mid, size := middle(p.Rings[0])
			add(mid, size)
		}
	}
	for _, c := range a.Cells {
		if len(a.Shape.Polygons) == 0 {
			add(c.Center(), math.Pow(7, -float64(c.Resolution())))
		}
	}
	if weight == 0 {
		return geo.Position{}
	}
	mean := geo.Position{Lat: sum.Lat / weight, Lng: sum.Lng / weight}
	for _, p := range a.Shape.Polygons {
		if p.Contains(mean) {
			return mean
		}
	}
	best, least := mean, math.Inf(1)
	for _, c := range cells {
		if at, err := geo.CellAt(mean, c.Resolution()); err == nil && at == c && len(a.Shape.Polygons) == 0 {
			return mean
		}
		if d := geo.Distance(mean, c.Center()); d < least {
			best, least = c.Center(), d
		}
	}
	return best
}

// middle is the centroid of a ring and its size in square degrees.
func middle(ring []geo.Position) (geo.Position, float64) {
	o := ring[0]
	var lat, lng, double float64
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		c := (a.Lng-o.Lng)*(b.Lat-o.Lat) - (b.Lng-o.Lng)*(a.Lat-o.Lat)
		double += c
		lat += (a.Lat + b.Lat - 2*o.Lat) * c
		lng += (a.Lng + b.Lng - 2*o.Lng) * c
	}
	if double == 0 {
		return o, 0
	}
	return geo.Position{Lat: o.Lat + lat/(3*double), Lng: o.Lng + lng/(3*double)}, math.Abs(double) / 2
}

// Ours tells an area of our own jurisdiction.
func (a Area) Ours() bool { return a.Kind != Neighbour }

// Outline is an area and the polygons around it.
type Outline struct {
	Area  Area
	Shape geo.Shape
}

// Set is areas made ready to be asked. A nil or empty Set is a jurisdiction without limits: everywhere is ours, nowhere has a name.
// Safe for concurrent use.
type Set struct {
	areas    []Area
	finest   geo.Resolution
	coarsest geo.Resolution
	whole    map[geo.Cell]int   // cell -> area
	edge     map[geo.Cell][]cut // cell at finest -> polygons that cut it
	outlines []Outline
	hull     geo.Shape
	bound    geo.Bound
	names    []name
}

// cut is one polygon of an area.
type cut struct {
	area  int
	fence *geo.Fence
}

// Fault is one thing that is wrong with one of the areas given.
type Fault struct {
	Area int // its number in the list
	Code string
	Name string
	Err  error
}

// Faults is every fault of a list of areas; it is an error when it is not empty.
type Faults []Fault

// Error lists one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = fmt.Sprintf("area %s %q: %v", f.Code, f.Name, f.Err)
	}
	return strings.Join(lines, "\n")
}

// overlapShare is how much of the smaller of two polygons may lie in the other before it is held to be a mistake: two careful sources of
// one border differ by slivers.
const overlapShare = 0.01

// New makes a set. It refuses an area without name or extent, an unknown kind, a cell that is none, a cell that two areas claim at one
// resolution, and polygons that lie over each other; all faults at once, as Faults. Where areas overlap at different resolutions finer
// cells win. A lake's polygon lies over those of others and wins.
func New(areas []Area) (*Set, error) {
	s := &Set{areas: slices.Clone(areas), finest: geo.ResMatch, coarsest: geo.ResMatch, whole: map[geo.Cell]int{}, edge: map[geo.Cell][]cut{}}
	var faults Faults
	for i := range s.areas {
		a := &s.areas[i]
		if a.Kind == "" {
			a.Kind = District
		}
		if err := a.check(); err != nil {
			faults = append(faults, Fault{i, s.areas[i].Code, s.areas[i].Name, err})
		}
		for _, c := range a.Cells {
			s.finest, s.coarsest = max(s.finest, c.Resolution()), min(s.coarsest, c.Resolution())
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	ground := map[geo.Cell]int{}
	for _, lakes := range []bool{true, false} {
		for i := range s.areas {
			if (s.areas[i].Kind == Lake) != lakes {
				continue
			}
			for _, err := range s.enter(i, ground) {
				faults = append(faults, Fault{i, s.areas[i].Code, s.areas[i].Name, err})
			}
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	if err := s.draw(); err != nil {
		return nil, err
	}
	s.names = namesOf(s.areas)
	return s, nil
}

func (a *Area) check() error {
	switch {
	case a.Name == "":
		return errors.New("it has no name")
	case !slices.Contains([]string{District, Lake, Zone, Neighbour}, a.Kind):
		return fmt.Errorf("kind %q is none of district, lake, zone, neighbour", a.Kind)
	case len(a.Cells) == 0 && len(a.Shape.Polygons) == 0:
		return errors.New("it has neither cells nor polygons")
	case len(a.Shape.Points) > 0 || len(a.Shape.Lines) > 0:
		return errors.New("its shape has points or lines; only polygons have an inside")
	}
	for _, c := range a.Cells {
		if _, err := geo.ParseCell(c.String()); err != nil {
			return fmt.Errorf("cell %x: %w", uint64(c), err)
		}
	}
	return nil
}

// enter puts the cells of an area into the maps. Ground remembers which polygon holds which cell at the finest resolution.
func (s *Set) enter(i int, ground map[geo.Cell]int) (faults []error) {
	a := s.areas[i]
	for _, c := range a.Cells {
		if j, taken := s.whole[c]; taken && j != i {
			return append(faults, fmt.Errorf("cell %s belongs to %s %q already", c, s.areas[j].Code, s.areas[j].Name))
		}
		s.whole[c] = i
	}
	over, size := map[int]int{}, 0
	for n, p := range a.Shape.Polygons {
		whole, edge, err := p.Cover(s.finest, coverLimit)
		if err != nil {
			return append(faults, fmt.Errorf("polygon %d: %w", n, err))
		}
		fence := p.Fence()
		for _, c := range edge {
			s.edge[c] = append(s.edge[c], cut{i, &fence})
		}
		compact, err := geo.Compact(whole)
		if err != nil {
			return append(faults, fmt.Errorf("polygon %d: %w", n, err))
		}
		size += len(whole)
		for _, c := range whole {
			if j, taken := ground[c]; taken && j != i {
				over[j]++
				continue
			}
			ground[c] = i
		}
		for _, c := range compact {
			s.coarsest = min(s.coarsest, c.Resolution())
			// What two polygons both hold stays with the one that came first.
			if _, taken := s.whole[c]; !taken {
				s.whole[c] = i
			}
		}
	}
	for j := range s.areas { // in order, so that the same list gives the same words
		if n := over[j]; n > 0 && s.areas[j].Kind != Lake && float64(n) > overlapShare*float64(size) {
			faults = append(faults, fmt.Errorf("it lies over %s %q: %d of its %d cells of resolution %d", s.areas[j].Code, s.areas[j].Name, n, size, s.finest))
		}
	}
	return faults
}

// unlimited tells the set without areas.
func (s *Set) unlimited() bool { return s == nil || len(s.areas) == 0 }

// Find gives the area that holds a position; where several do, that of the finest cell, and among polygons that cut one cell the first.
func (s *Set) Find(p geo.Position) (Area, bool) {
	if s.unlimited() {
		return Area{}, false
	}
	// Index once at the finest resolution and derive the rest: the cell of a point at a coarser one is not always the parent of it.
	c, err := geo.CellAt(p, s.finest)
	if err != nil {
		return Area{}, false
	}
	for _, e := range s.edge[c] {
		if e.fence.Contains(p) {
			return s.areas[e.area], true
		}
	}
	for r := s.finest; r >= s.coarsest; r-- {
		if i, ok := s.whole[c.Parent(r)]; ok {
			return s.areas[i], true
		}
	}
	return Area{}, false
}

// Contains tells whether a position lies in an area of ours. A set without areas contains every position that is one.
func (s *Set) Contains(p geo.Position) bool {
	if s.unlimited() {
		return p.Validate() == nil
	}
	a, ok := s.Find(p)
	return ok && a.Ours()
}

// Areas lists all areas in the order given. The caller must not change what they hold.
func (s *Set) Areas() []Area {
	if s == nil {
		return nil
	}
	return slices.Clone(s.areas)
}

// Bound is around our areas; the whole world for a set without areas.
func (s *Set) Bound() geo.Bound {
	if s.unlimited() {
		return geo.Bound{West: -180, South: -90, East: 180, North: 90}
	}
	return s.bound
}

// Outlines are the polygons of every area, for drawing: cell sets with smoothed edges, which neighbours share point by point; polygons as
// they were given. The caller must not change what they hold.
func (s *Set) Outlines() []Outline {
	if s == nil {
		return nil
	}
	return slices.Clone(s.outlines)
}

// Hull is the outline of all that is ours, with what is enclosed and not ours as holes. Areas given as polygons are in it one by one.
// Zero for a set without areas. The caller must not change what it holds.
func (s *Set) Hull() geo.Shape {
	if s == nil {
		return geo.Shape{}
	}
	return s.hull
}
