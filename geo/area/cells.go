package area

import (
	"fmt"
	"maps"
	"slices"

	"kentongan/geo"
)

// Cells gives the cells at r that hold ground of ours, sorted, each with the name of the area that holds most of it. More than limit of
// them are an error. Nil for a set without areas, which has no end.
func (s *Set) Cells(r geo.Resolution, limit int) ([]geo.Cell, map[geo.Cell]string, error) {
	if s.unlimited() {
		return nil, nil, nil
	}
	share := map[geo.Cell]map[string]float64{}
	for i := range s.areas {
		a := &s.areas[i]
		if !a.Ours() {
			continue
		}
		if err := a.cover(r, limit, func(c geo.Cell, size float64) {
			if share[c] == nil {
				share[c] = map[string]float64{}
			}
			share[c][a.Name] += size
		}); err != nil {
			return nil, nil, err
		}
		if len(share) > limit {
			return nil, nil, fmt.Errorf("more than %d cells at resolution %d", limit, r)
		}
	}
	names := make(map[geo.Cell]string, len(share))
	for c, of := range share {
		most := 0.0
		for _, name := range slices.Sorted(maps.Keys(of)) {
			if of[name] > most {
				most, names[c] = of[name], name
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), names, nil
}

// cover gives every cell at r that the area touches, with how many cells of r its part of it is worth.
func (a *Area) cover(r geo.Resolution, limit int, give func(geo.Cell, float64)) error {
	for _, c := range a.Cells {
		if c.Resolution() >= r {
			size := 1.0
			for range c.Resolution() - r {
				size /= 7
			}
			give(c.Parent(r), size)
			continue
		}
		finer, err := geo.Expand([]geo.Cell{c}, r)
		if err != nil {
			return err
		}
		for _, f := range finer {
			give(f, 1)
		}
	}
	if len(a.Cells) > 0 {
		return nil
	}
	for _, p := range a.Shape.Polygons {
		whole, edge, err := p.Cover(r, limit)
		if err != nil {
			return err
		}
		for _, c := range whole {
			give(c, 1)
		}
		for _, c := range edge {
			give(c, 0.5)
		}
	}
	return nil
}
