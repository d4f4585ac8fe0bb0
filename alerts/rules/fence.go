package rules

import (
	"errors"
	"fmt"
	"slices"

	"kentongan/geo"
)

// mostFenceCells bounds one fence, all its polygons together: about 30,000 km² at geo.ResMatch.
const mostFenceCells = 300_000

// shape is the ground of a fence: cells that lie in it whole, cells that its outline cuts, and the polygons to ask for those.
type shape struct {
	Shape    geo.Shape
	whole    []geo.Cell // compacted
	edge     []geo.Cell // at geo.ResMatch
	polygons []geo.Fence
}

// shapeOf covers a fence with cells; the error begins with the key.
func shapeOf(f *Fence, places Places) (*shape, error) {
	s, key := &shape{}, "area"
	switch {
	case f.Polygon != nil:
		s.Shape, key = f.Polygon.Shape, "polygon"
	case places == nil:
		return nil, errors.New("area: no areas are known here")
	default:
		known := false
		if s.Shape, known = places.Area(f.Area); !known {
			return nil, fmt.Errorf("area: %.60q is no area's code or name", f.Area)
		}
	}
	return s, s.cover(key, mostFenceCells)
}

// cover fills in the cells, at most so many of all polygons together; the error begins with the key.
func (s *shape) cover(key string, most int) error {
	whole, edge := map[geo.Cell]bool{}, map[geo.Cell]bool{}
	left := most
	for i, p := range s.Shape.Polygons {
		in, cut, err := p.Cover(geo.ResMatch, max(left, 1))
		if left -= len(in) + len(cut); err == nil && left < 0 {
			err = fmt.Errorf("a fence has at most %d cells, all its polygons together", most)
		}
		if err != nil {
			return fmt.Errorf("%s: polygon %d: %w", key, i+1, err)
		}
		for _, c := range in {
			whole[c] = true
		}
		for _, c := range cut {
			edge[c] = true
		}
		s.polygons = append(s.polygons, p.Fence())
	}
	if len(whole)+len(edge) == 0 {
		return fmt.Errorf("%s: it has no extent", key)
	}
	var full []geo.Cell
	for c := range whole {
		full = append(full, c)
		delete(edge, c)
	}
	if len(full) > 0 { // a fence smaller than a cell holds none whole
		slices.Sort(full)
		compact, err := geo.Compact(full)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		s.whole = compact
	}
	for c := range edge {
		s.edge = append(s.edge, c)
	}
	slices.Sort(s.edge)
	return nil
}

// contains asks the polygons.
func (s *shape) contains(p geo.Position) bool {
	for i := range s.polygons {
		if s.polygons[i].Contains(p) {
			return true
		}
	}
	return false
}

// fences finds those that hold a position: by its cell, and by polygons only where an outline cuts the cell.
type fences struct {
	list     []*compiled
	whole    map[geo.Cell][]*compiled
	edge     map[geo.Cell][]*compiled
	coarsest geo.Resolution
}

func newFences(list []*compiled) *fences {
	f := &fences{list: list, whole: map[geo.Cell][]*compiled{}, edge: map[geo.Cell][]*compiled{}, coarsest: geo.ResMatch}
	for _, c := range list {
		for _, cell := range c.area.whole {
			f.whole[cell] = append(f.whole[cell], c)
			f.coarsest = min(f.coarsest, cell.Resolution())
		}
		for _, cell := range c.area.edge {
			f.edge[cell] = append(f.edge[cell], c)
		}
	}
	return f
}

// holding appends the fences that hold a position, whose cell at geo.ResMatch is given.
func (f *fences) holding(to []*compiled, p geo.Position, cell geo.Cell) []*compiled {
	for r := geo.ResMatch; r >= f.coarsest; r-- {
		to = append(to, f.whole[cell.Parent(r)]...)
	}
	for _, c := range f.edge[cell] {
		if c.area.contains(p) {
			to = append(to, c)
		}
	}
	return to
}
