package api

import (
	"context"
	"net/http"
	"time"

	"kentongan/alerts/unit"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// UnitFeed stands for the feed of places that crews tell here: their Things are "unit:<agency>/<call sign>".
const UnitFeed = "unit"

// aheadMost is how far the clock of a crew's device may be ahead of ours.
const aheadMost = 2 * time.Minute

func (s *server) unitPlaces() {
	const one = "/api/v1/units/{agency}/{callsign}"
	operation(s, needs(access.ReportUnits), "POST", one+"/position", "place-unit", "Where a unit is: answered once it is stored; kept says whether it is the last place, or history only", http.StatusOK, s.placeUnit)
	operation(s, needs(access.ReportUnits), "POST", one+"/rollcall", "answer-roll-call", "The crew is well: a word of it that changes nothing else", http.StatusOK, s.answerRollCall)
}

type placeUnitIn struct {
	UnitPath
	Body struct {
		Lng       float64   `json:"lng" minimum:"-180" maximum:"180"`
		Lat       float64   `json:"lat" minimum:"-90" maximum:"90"`
		At        time.Time `json:"at,omitzero" doc:"When it was there, where it is told later"`
		AccuracyM *float64  `json:"accuracy_m,omitempty" minimum:"0" maximum:"100000"`
	}
}

// unitPlaced is a unit after it has told its place.
type unitPlaced struct {
	unit.Unit
	Kept string `json:"kept" enum:"last,history" doc:"history: it is older than the last place, or too far from it to have come there"`
}

func (s *server) placeUnit(ctx context.Context, in *placeUnitIn) (*body[unitPlaced], error) {
	v := s.sees(ctx)
	u, err := s.Cases.Unit(ctx, in.id())
	if err == nil {
		err = v.mayOf(ctx, access.ReportUnits)(&u)
	}
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	at := in.Body.At
	switch {
	case at.IsZero():
		at = v.now
	case at.After(v.now.Add(aheadMost)):
		return nil, problem.New(problem.Invalid, "at has not come yet", problem.At("body.at", problem.Late, "has not come yet"))
	}
	p := feeds.UnitPosition{Unit: u.ID, Kind: scope.KindUnit, Name: u.Name, At: moment.Of(at), Position: geo.Position{Lat: in.Body.Lat, Lng: in.Body.Lng}, AccuracyM: in.Body.AccuracyM}
	receipt, err := s.Place(ctx, feeds.Batch{Positions: []feeds.UnitPosition{p}}, feeds.Meta{Feed: UnitFeed, Agency: u.Agency, Kind: scope.KindUnit, ReceivedAt: v.now.UTC()})
	if err != nil {
		return nil, s.fault(err)
	}
	if len(receipt.Rejected) > 0 {
		return nil, problem.New(problem.Invalid, receipt.Rejected[0].Reason)
	}
	out := unitPlaced{s.Places.Fill([]unit.Unit{u}, v.now)[0], "history"}
	if out.Lng != nil && *out.Lng == p.Position.Lng && *out.Lat == p.Position.Lat && out.PositionAt.Equal(p.At.Time) {
		out.Kept = "last"
	}
	return &body[unitPlaced]{out}, nil
}

func (s *server) answerRollCall(ctx context.Context, in *UnitPath) (*body[unit.Unit], error) {
	v := s.sees(ctx)
	one, err := s.Cases.AnswerRollCall(ctx, in.id(), actor(ctx), v.mayOf(ctx, access.ReportUnits))
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	return v.unitBody(one), nil
}
