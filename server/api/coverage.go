package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/wire"
)

// coverageCells bounds an answer.
const coverageCells = 20_000

func (s *server) coverage() {
	operation(s, needs(access.ReadThings), "GET", "/api/v1/coverage", "coverage", "The map of blindness: which cells of our area nobody observes, and when and by whom each was observed last",
		http.StatusOK, s.coverageOf)
}

// Coverage is how much of our area is observed now.
type Coverage struct {
	Res      int           `json:"res"`
	Reach    int           `json:"reach"`
	Cells    int           `json:"cells" doc:"Cells of our area"`
	Observed int           `json:"observed" doc:"Of them: something in reach reported within its interval"`
	Stale    int           `json:"stale" doc:"Something in reach reported once, and is silent now"`
	Never    int           `json:"never" doc:"Nothing in reach has ever reported"`
	Items    []CoveredCell `json:"items" doc:"Sorted by cell; those observed now only with all"`
	Areas    []CoveredArea `json:"areas" doc:"By area, the blindest first"`
}

// CoveredCell is one cell of our area.
type CoveredCell struct {
	Cell       geo.Cell    `json:"cell"`
	Area       string      `json:"area"`
	State      string      `json:"state" enum:"observed,stale,never"`
	ObservedAt moment.Time `json:"observed_at" doc:"By the newest reading in reach; null: never"`
	Observers  []string    `json:"observers" doc:"The feeds that have Things in reach"`
}

// CoveredArea sums an area.
type CoveredArea struct {
	Name     string `json:"name"`
	Cells    int    `json:"cells"`
	Observed int    `json:"observed"`
}

type coverageIn struct {
	Res   int    `query:"res" minimum:"5" maximum:"9" default:"7" doc:"H3 resolution"`
	Reach int    `query:"reach" minimum:"0" maximum:"3" default:"1" doc:"How many cells far a Thing observes: 1 is its cell and the ring round it"`
	Layer string `query:"layer" doc:"One kind, or several parted by commas; default all"`
	All   bool   `query:"all" doc:"Also the cells that are observed now"`
}

func (s *server) coverageOf(ctx context.Context, in *coverageIn) (*body[Coverage], error) {
	res := geo.Resolution(in.Res)
	ground, names, err := s.Profile.Areas.Cells(res, coverageCells)
	switch {
	case err != nil:
		return nil, problem.New(problem.Invalid, "res: "+err.Error(), problem.At("query.res", problem.Wrong, err.Error()))
	case ground == nil:
		return nil, problem.New(problem.EverywhereOurs, "everywhere is ours: the profile names no areas, so there is no whole to be covered")
	}
	var layers []string
	if in.Layer != "" {
		layers = strings.Split(in.Layer, ",")
	}
	rows, err := s.sees(ctx).cells(ctx, wider(s.Profile.Areas.Bound(), res, in.Reach), res, layers)
	if err != nil {
		return nil, s.fault(fmt.Errorf("coverage: %w", err))
	}
	out, err := covered(ground, names, s.real(rows), in.Reach)
	if err != nil {
		return nil, s.fault(err)
	}
	out.Res = in.Res
	if !in.All {
		out.Items = slices.DeleteFunc(out.Items, func(c CoveredCell) bool { return c.State == "observed" })
	}
	return &body[Coverage]{out}, nil
}

// real leaves out what is simulated, which observes nothing. A row of cells is one or the other.
func (s *server) real(rows []wire.Cell) []wire.Cell {
	invented := map[string]bool{}
	for _, f := range s.Feeds() {
		invented[f.Name] = f.Simulated
	}
	return slices.DeleteFunc(rows, func(row wire.Cell) bool {
		return len(row.Observers) > 0 && !slices.ContainsFunc(row.Observers, func(feed string) bool { return !invented[feed] })
	})
}

// wider is a bound with room for the Things just outside it that observe its edge.
func wider(b geo.Bound, r geo.Resolution, reach int) geo.Bound {
	margin := 0.0
	if c, err := geo.CellAt(geo.Position{Lat: b.South, Lng: b.West}, r); err == nil {
		of := geo.BoundOf(c.Boundary()...)
		margin = float64(reach) * max(of.North-of.South, of.East-of.West)
	}
	return geo.Bound{West: max(-180, b.West-margin), South: max(-90, b.South-margin), East: min(180, b.East+margin), North: min(90, b.North+margin)}
}

// covered holds the cells of our ground against those that Things stand in.
func covered(ground []geo.Cell, names map[geo.Cell]string, rows []wire.Cell, reach int) (Coverage, error) {
	seen := map[geo.Cell]*CoveredCell{}
	for _, row := range rows {
		disk, err := row.Cell.Disk(reach)
		if err != nil {
			return Coverage{}, err
		}
		for _, c := range disk {
			if _, ours := names[c]; ours {
				observe(seen, c, row)
			}
		}
	}
	out := Coverage{Reach: reach, Cells: len(ground), Items: make([]CoveredCell, 0, len(ground))}
	areas := map[string]*CoveredArea{}
	for _, c := range ground {
		one := seen[c]
		if one == nil {
			one = &CoveredCell{State: "never", Observers: []string{}}
		}
		one.Cell, one.Area = c, names[c]
		slices.Sort(one.Observers)
		a := areas[one.Area]
		if a == nil {
			a = &CoveredArea{Name: one.Area}
			areas[one.Area] = a
		}
		a.Cells++
		switch one.State {
		case "observed":
			out.Observed++
			a.Observed++
		case "stale":
			out.Stale++
		default:
			out.Never++
		}
		out.Items = append(out.Items, *one)
	}
	for _, a := range areas {
		out.Areas = append(out.Areas, *a)
	}
	slices.SortFunc(out.Areas, func(a, b CoveredArea) int {
		if d := a.Observed*b.Cells - b.Observed*a.Cells; d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, nil
}

// observe adds a row of Things to a cell in their reach.
func observe(seen map[geo.Cell]*CoveredCell, c geo.Cell, row wire.Cell) {
	one := seen[c]
	if one == nil {
		one = &CoveredCell{State: "stale", Observers: []string{}}
		seen[c] = one
	}
	if !row.Unobserved {
		one.State = "observed"
	}
	if row.ObservedAt.After(one.ObservedAt.Time) {
		one.ObservedAt = row.ObservedAt
	}
	for _, feed := range row.Observers {
		if !slices.Contains(one.Observers, feed) {
			one.Observers = append(one.Observers, feed)
		}
	}
}
