package simulator

import "kentongan/geo"

// Land is what a city is built on, for who makes other things happen there: names and lines, without the model.
type Land struct {
	Towns   []Site
	Rivers  []Course
	Roads   []Course
	Volcano Site
	Fault   Course
}

// Course is a river or a road as drawn.
type Course struct {
	Name string
	line line
}

// Km is its length.
func (c Course) Km() float64 { return c.line.length() }

// At is the place so many km along; beyond its ends, the end.
func (c Course) At(km float64) geo.Position { p, _ := c.line.at(km); return p }

// LandOf gives the land of a place, as City lays it out.
func LandOf(p Place) Land {
	t := terrainOf(p.sized())
	out := Land{Towns: t.towns, Volcano: t.volcano, Fault: Course{"sesar", t.fault}}
	for _, r := range t.rivers {
		out.Rivers = append(out.Rivers, Course{r.name, r.line})
	}
	for _, r := range t.roads {
		out.Roads = append(out.Roads, Course{r.name, r.line})
	}
	return out
}
