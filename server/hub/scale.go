package hub

import (
	"math"

	"kentongan/geo"
)

// When a view is answered by cells in place of Things.
const (
	crowdZoom   = 9     // below it always
	mostCells   = 8_000 // of a view, by its area
	coarsestRes = 2     // at which the world holds fewer than mostCells
	nearestZoom = 22    // of a view that gives none: as near as maps go
)

// cellArea is the average area of a cell in km², by resolution (https://h3geo.org/docs/core-library/restable).
var cellArea = [...]float64{4357449.416, 609788.442, 86801.780, 12393.435, 1770.348, 252.904, 36.129, 5.161, 0.7373, 0.1053, 0.01505}

// area of a bound in km².
func area(b geo.Bound) float64 {
	const rad, km = math.Pi / 180, geo.EarthRadius / 1000
	width := b.East - b.West
	if width < 0 {
		width += 360
	}
	return km * km * width * rad * math.Abs(math.Sin(b.North*rad)-math.Sin(b.South*rad))
}

// fitting makes a resolution coarser until a bound holds at most so many of its cells.
func fitting(r geo.Resolution, b geo.Bound, most float64) geo.Resolution {
	for r > coarsestRes && area(b)/cellArea[r] > most {
		r--
	}
	return r
}

// far tells whether a zoom shows cells whatever is there.
func far(zoom float64) bool { return zoom < crowdZoom }

// resAt is the resolution of cells at a zoom, before it is made to fit.
func resAt(zoom float64) geo.Resolution {
	steps := [...]struct {
		below float64
		res   geo.Resolution
	}{{5, 3}, {6, 4}, {7.5, 5}, {crowdZoom, 6}, {10.5, 7}, {12, 8}, {13.5, 9}}
	for _, s := range steps {
		if zoom < s.below {
			return s.res
		}
	}
	return 10
}
