package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/server/access"
	"kentongan/server/hub"
	"kentongan/server/problem"
	"kentongan/server/wire"
)

func (s *server) cells() {
	operation(s, needs(access.ReadThings), "GET", "/api/v1/cells", "cells", "Things by cell: how many, how bad, and how well observed", http.StatusOK, s.listCells)
}

type cellsIn struct {
	BBox  string `query:"bbox" required:"true" doc:"west,south,east,north in degrees; west > east crosses the antimeridian. Every cell that it touches is answered"`
	Res   int    `query:"res" doc:"H3 resolution, 3 to 10; default: the finest that fits the bbox"`
	Layer string `query:"layer" doc:"One kind, or several parted by commas; default all"`
}

func (s *server) listCells(ctx context.Context, in *cellsIn) (*body[List[wire.Cell]], error) {
	bound, err := boundOf(in.BBox)
	if err != nil {
		return nil, err
	}
	if bound == nil {
		return nil, problem.New(problem.Invalid, "bbox: is missing", problem.At("query.bbox", problem.Missing, "is missing"))
	}
	res := geo.Resolution(in.Res)
	if res != 0 && (res < hub.LeastRes || res > hub.MostRes) {
		return nil, problem.New(problem.Invalid, fmt.Sprintf("res: %d, want %d to %d", in.Res, hub.LeastRes, hub.MostRes), problem.At("query.res", problem.Wrong, "is no resolution that is shown"))
	}
	var layers []string
	if in.Layer != "" {
		layers = strings.Split(in.Layer, ",")
	}
	list, err := s.sees(ctx).cells(ctx, *bound, res, layers)
	var many *hub.ManyCells
	if errors.As(err, &many) {
		return nil, problem.New(problem.Invalid, "res: "+many.Error(), problem.At("query.res", problem.Most, many.Error()))
	}
	if err != nil {
		return nil, s.fault(fmt.Errorf("%w: cells: %w", feeds.ErrBusy, err))
	}
	return listOf(list, ""), nil
}
