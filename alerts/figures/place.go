package figures

import (
	"cmp"
	"slices"
	"time"

	"kentongan/geo"
)

// RecurWindow is in which time incidents of one place are held together.
const RecurWindow = 90 * 24 * time.Hour

// What makes a place recur (domain.md section 7): how often in 90 days, and how much more than in its own year.
const (
	recurYear  = 365 * 24 * time.Hour
	recurLeast = 3
	recurTimes = 2
	// recurKnown is how much of a year the record must hold: in less nothing can be twice its own mean.
	recurKnown = 180 * 24 * time.Hour
)

// Place is a cell of geo.ResArea and how many incidents it had.
type Place struct {
	Cell geo.Cell `json:"cell"`
	Area string   `json:"area"`
	Type string   `json:"type,omitempty"`
	N    int      `json:"n"`
}

// Recurring is a place that had incidents of one type again and again.
type Recurring struct {
	Place
	YearMean float64 `json:"year_mean" doc:"How many it had in 90 days, on the mean of its own year"`
}

type spot struct {
	cell geo.Cell
	kind string
}

// Recurrent lists cells with 3 or more incidents of one type in the 90 days before an instant, twice what their own year has. Known is false
// where the record holds less than half a year.
func Recurrent(all []Case, began, asOf time.Time) (places []Recurring, known bool) {
	places = []Recurring{}
	covered := min(asOf.Sub(began), recurYear)
	if began.IsZero() || covered < recurKnown {
		return places, false
	}
	lately, yearly := map[spot]int{}, map[spot]int{}
	areas := map[geo.Cell]string{}
	for _, c := range Population(all, asOf.Add(-recurYear), asOf, asOf) {
		if c.Cell == 0 {
			continue
		}
		s := spot{c.Cell, c.Type}
		areas[c.Cell] = max(areas[c.Cell], c.Area)
		yearly[s]++
		if c.Within(asOf.Add(-RecurWindow).UnixMilli(), asOf.UnixMilli()) {
			lately[s]++
		}
	}
	for s, n := range lately {
		mean := round(float64(yearly[s]) * float64(RecurWindow) / float64(covered))
		if n >= recurLeast && float64(n) >= recurTimes*mean {
			places = append(places, Recurring{Place{s.cell, areas[s.cell], s.kind, n}, mean})
		}
	}
	slices.SortFunc(places, func(a, b Recurring) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Area, b.Area), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Cell, b.Cell))
	})
	return places, true
}

// Most lists the cells of a population with the most incidents, at most so many, and none with a single one.
func Most(population []*Case, most int) []Place {
	by := map[geo.Cell]*Place{}
	for _, c := range population {
		if c.Cell == 0 {
			continue
		}
		p := by[c.Cell]
		if p == nil {
			p = &Place{Cell: c.Cell}
			by[c.Cell] = p
		}
		p.N++
		p.Area = max(p.Area, c.Area)
	}
	out := []Place{}
	for _, p := range by {
		if p.N > 1 {
			out = append(out, *p)
		}
	}
	slices.SortFunc(out, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Area, b.Area), cmp.Compare(a.Cell, b.Cell))
	})
	return out[:min(most, len(out))]
}
