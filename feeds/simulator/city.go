// Package simulator is a city that behaves, with its ground truth; knows nothing of alerts.
//
// Its model is a function of seed, place, runs and time: rain falls from cells that drift over the land and becomes runoff, a discharge
// that takes its time down the river, and a level; trucks keep timetables whose speeds follow the grade; shocks arrive by the distance.
// Scenarios (scenarios/*.yaml) add causes, never readings, and beside each stands what really happens (*.truth.yaml), which the model
// does not read. Constants are named with their source; the rest is chosen to look like West Sumatra.
package simulator

import (
	"fmt"
	"math"
	"time"

	"kentongan/geo"
)

// City is one simulated city. It is not safe for concurrent use; two of one seed and place tell the same.
type City struct {
	city   Place
	seed   uint64
	land   terrain
	things []thing
	first  [kinds + 1]int
	number [kinds]int
	strips [][]segment
	tables [][2]timetable // by road: trucks, buses
	now    effects

	nearRoad  map[geo.Position]reach
	skies     [1024]overhead
	stormDay  int64
	stormList []storm
	dry       bool // no weather of its own: tests of one storm
}

// New builds a city of so many Things (FewestThings to MostThings). Seed 0 is taken from the place's name.
func New(place Place, things int, seed uint64) (*City, error) {
	if things < FewestThings || things > MostThings {
		return nil, fmt.Errorf("%d things: want %d to %d", things, FewestThings, MostThings)
	}
	place = place.sized()
	if place.Zone == nil {
		place.Zone = time.UTC
	}
	if place.Name == "" {
		place.Name = "Kota"
	}
	if seed == 0 {
		seed = word(place.Slug)
	}
	c := &City{city: place, seed: seed, land: terrainOf(place), nearRoad: map[geo.Position]reach{}, stormDay: math.MinInt64}
	for i := range c.land.rivers {
		c.strips = append(c.strips, segmentsOf(&c.land.rivers[i]))
	}
	for i := range c.land.roads {
		w := &c.land.roads[i]
		c.tables = append(c.tables, [2]timetable{tableOf(w, truck), tableOf(w, bus)})
	}
	c.number = counts(things, c.land.gauges())
	c.things = make([]thing, 0, things)
	c.build(c.number)
	return c, nil
}

// Len is how many Things there are.
func (c *City) Len() int { return len(c.things) }

// Kinds counts the Things by kind.
func (c *City) Kinds() map[string]int {
	out := map[string]int{}
	for k, n := range c.number {
		if n > 0 {
			out[specs[k].name] = n
		}
	}
	return out
}

// Proportions counts the Things by kind that a city of so many would have, without building it.
func Proportions(place Place, things int) (map[string]int, error) {
	if things < FewestThings || things > MostThings {
		return nil, fmt.Errorf("%d things: want %d to %d", things, FewestThings, MostThings)
	}
	land := terrainOf(place.sized())
	return (&City{number: counts(things, land.gauges())}).Kinds(), nil
}

// gauges counts the gauges that have a name.
func (t *terrain) gauges() int {
	n := 0
	for i := range t.rivers {
		n += len(t.rivers[i].gauges)
	}
	return n
}
