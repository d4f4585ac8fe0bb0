// Package area is named areas of the city (districts, zones) as polygons and as cells.
package area

import (
	"errors"
	"fmt"
	"slices"

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
	Code  string // in the code system of its source, such as BPS "id1303080"
	Name  string
	Kind  string     // district, lake, zone, neighbour; empty is district
	Seat  string     // its capital, may be empty
	Cells []geo.Cell // may be compacted: mixed resolutions
	Shape geo.Shape  // polygons; points and lines are refused
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

// New makes a set. It refuses an area without name or extent, an unknown kind, a cell that is none, and a cell that two areas claim at one
// resolution; all faults at once, each with the area's code and name. Where areas overlap at different resolutions finer cells win.
func New(areas []Area) (*Set, error) {
	s := &Set{areas: slices.Clone(areas), finest: geo.ResMatch, coarsest: geo.ResMatch, whole: map[geo.Cell]int{}, edge: map[geo.Cell][]cut{}}
	var faults []error
	for i := range s.areas {
		a := &s.areas[i]
		if a.Kind == "" {
			a.Kind = District
		}
		if err := a.check(); err != nil {
			faults = append(faults, fmt.Errorf("area %s %q: %w", a.Code, a.Name, err))
		}
		for _, c := range a.Cells {
			s.finest, s.coarsest = max(s.finest, c.Resolution()), min(s.coarsest, c.Resolution())
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	for i := range s.areas {
		if err := s.enter(i); err != nil {
			faults = append(faults, fmt.Errorf("area %s %q: %w", s.areas[i].Code, s.areas[i].Name, err))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
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

// enter puts the cells of an area into the maps.
func (s *Set) enter(i int) error {
	a := s.areas[i]
	for _, c := range a.Cells {
		if err := s.claim(c, i); err != nil {
			return err
		}
	}
	for n, p := range a.Shape.Polygons {
		whole, edge, err := p.Cover(s.finest, coverLimit)
		if err != nil {
			return fmt.Errorf("polygon %d: %w", n, err)
		}
		fence := p.Fence()
		for _, c := range edge {
			s.edge[c] = append(s.edge[c], cut{i, &fence})
		}
		compact, err := geo.Compact(whole)
		if err != nil {
			return fmt.Errorf("polygon %d: %w", n, err)
		}
		for _, c := range compact {
			s.coarsest = min(s.coarsest, c.Resolution())
			// Two polygons may overlap by more than their edges; the one named first holds.
			if _, taken := s.whole[c]; !taken {
				s.whole[c] = i
			}
		}
	}
	return nil
}

func (s *Set) claim(c geo.Cell, i int) error {
	if j, taken := s.whole[c]; taken && j != i {
		return fmt.Errorf("cell %s belongs to %s %q already", c, s.areas[j].Code, s.areas[j].Name)
	}
	s.whole[c] = i
	return nil
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
