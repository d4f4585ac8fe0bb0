package api

import (
	"context"
	"net/http"
	"slices"

	"kentongan/geo/moment"
	"kentongan/server/problem"
	openly "kentongan/server/public"
)

func (s *server) public() {
	operation(s, anyone(), "GET", "/public/positions", "public-positions", "Where vehicles of public transport are, for everybody: coarse, late, and never one alone", http.StatusOK, s.publicPositions)
	s.tickets()
}

// publicOut is a release.
type publicOut struct {
	At         moment.Time    `json:"at" doc:"Of which moment it is"`
	Resolution int            `json:"resolution" doc:"Of the H3 cells"`
	DelayS     int            `json:"delay_s"`
	AtLeast    int            `json:"at_least" doc:"How many there are at the least in a cell that is shown; counts are rounded down to a multiple of it"`
	Kinds      []string       `json:"kinds"`
	Cells      []openly.Crowd `json:"cells"`
}

func (s *server) publicPositions(_ context.Context, in *struct {
	Kind string `query:"kind" maxLength:"64" doc:"One of kinds; all of them where it is left out"`
}) (*body[publicOut], error) {
	o := s.Privacy.Public.Options()
	if in.Kind != "" && !slices.Contains(o.Kinds, in.Kind) {
		return nil, problem.New(problem.NotFound, "this kind is not shown to everybody")
	}
	cells, at := s.Privacy.Public.Release(s.Now())
	cells = slices.DeleteFunc(cells, func(c openly.Crowd) bool { return in.Kind != "" && c.Kind != in.Kind })
	return &body[publicOut]{publicOut{moment.Of(at), int(o.Resolution), int(o.Delay.Seconds()), o.Together, o.Kinds, cells}}, nil
}
