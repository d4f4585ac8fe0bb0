package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/recommend"
	"kentongan/alerts/unit"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// reachTime bounds how long one answer is reckoned.
const reachTime = 2 * time.Second

func (s *server) unitReach() {
	operation(s, needs(access.ReadUnits), "GET", "/api/v1/units/coverage", "units-coverage", "Cells of our area that no unit which you see and that may be sent now reaches in time, by distance and terrain", http.StatusOK, s.unitsCoverage)
}

// Unreached is which cells nobody reaches in time.
type Unreached struct {
	Minutes      int             `json:"minutes"`
	Capability   string          `json:"capability,omitempty"`
	Res          int             `json:"res"`
	AsOf         moment.Time     `json:"as_of"`
	TravelSource string          `json:"travel_source" enum:"distance"`
	Units        int             `json:"units" doc:"That may be sent now, are able, and whose place is known"`
	Cells        int             `json:"cells" doc:"Of our area"`
	Items        []UnreachedCell `json:"items" doc:"Sorted by cell"`
}

// UnreachedCell is a cell that nobody reaches in time.
type UnreachedCell struct {
	Cell geo.Cell `json:"cell"`
	Area string   `json:"area"`
}

type unreachedIn struct {
	Minutes    int    `query:"minutes" minimum:"1" maximum:"240" default:"15"`
	Capability string `query:"capability" maxLength:"64" doc:"Only units that can do this"`
	Res        int    `query:"res" minimum:"6" maximum:"8" default:"7" doc:"H3 resolution"`
}

func (s *server) unitsCoverage(ctx context.Context, in *unreachedIn) (*body[Unreached], error) {
	v := s.sees(ctx)
	if in.Capability != "" && !s.knownCapability(in.Capability) {
		return nil, problem.New(problem.Invalid, fmt.Sprintf("there is no capability %.60q", in.Capability), problem.At("query.capability", problem.Unknown, "is none of the profile's"))
	}
	ours, areas, err := s.Profile.Areas.Cells(geo.Resolution(in.Res), coverageCells)
	if err != nil {
		return nil, problem.New(problem.Invalid, err.Error())
	}
	if ours == nil {
		return nil, problem.New(problem.NoAreas, "the profile lists no areas: our area has no end, and no coverage")
	}
	all, err := s.Cases.Units(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	seen := slices.DeleteFunc(all, func(u unit.Unit) bool { return !v.who.May(access.ReadUnits, scope.Unit(&u), v.now).Allowed() })
	ctx, cancel := context.WithTimeoutCause(ctx, reachTime, errors.New("the cells were not reckoned in time"))
	defer cancel()
	beyond, free, err := recommend.Beyond(ctx, ours, s.Places.Fill(seen, v.now), in.Capability, time.Duration(in.Minutes)*time.Minute, v.now)
	if err != nil {
		return nil, problem.New(problem.ReachLate, context.Cause(ctx).Error()+": ask at a coarser resolution")
	}
	out := Unreached{Minutes: in.Minutes, Capability: in.Capability, Res: in.Res, AsOf: moment.Of(v.now), TravelSource: "distance", Units: free, Cells: len(ours), Items: make([]UnreachedCell, len(beyond))}
	for i, c := range beyond {
		out.Items[i] = UnreachedCell{c, areas[c]}
	}
	return &body[Unreached]{out}, nil
}

// Roads asks a router for travel times from places to one; it gives NaN where there is no road.
type Roads func(ctx context.Context, from []geo.Position, to geo.Position) ([]float64, error)

// Routes asks for the roads of those that are nearest to an incident, at most as many as are asked for at once; nil where there are none, or
// nobody answers: then the distance stands in.
func (ask Roads) Routes(ctx context.Context, in *incident.Incident, units []unit.Unit, most int, now time.Time) recommend.Route {
	to, placed := in.Position()
	if ask == nil || !placed {
		return nil
	}
	var from []geo.Position
	for i := range units {
		if at, _, ok := units[i].Position(); ok {
			if _, ready := units[i].Ready(now); ready {
				from = append(from, at)
			}
		}
	}
	slices.SortFunc(from, func(a, b geo.Position) int { return cmp.Compare(geo.Distance(a, to), geo.Distance(b, to)) })
	from = slices.Compact(from)
	from = from[:min(most, len(from))]
	if len(from) == 0 {
		return nil
	}
	seconds, err := ask(ctx, from, to)
	if err != nil {
		return nil // its client keeps from asking again and again; each recommendation says that it is by distance
	}
	known := make(map[geo.Position]float64, len(from))
	for i, at := range from {
		if !math.IsNaN(seconds[i]) {
			known[at] = seconds[i]
		}
	}
	return func(at geo.Position) (float64, bool) { s, ok := known[at]; return s, ok }
}
