package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/geo"
	"kentongan/server/access"
	"kentongan/server/problem"
)

// unitPanic is a crew's call for help.
func (s *server) unitPanic() {
	const path = "/api/v1/units/{agency}/{callsign}/panic"
	operation(s, needs(access.ReportUnits), "POST", path, "call-for-help", "A crew calls for help: P1 until somebody clears it; it joins the incident that the unit is on, or opens one. Called again, the first call stands", http.StatusOK, s.callForHelp)
	operation(s, needs(access.DispatchIncident), "DELETE", path, "clear-call", "Clear a call for help: a named person says how the crew is", http.StatusOK, s.clearCall)
}

type panicIn struct {
	UnitPath
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The last call under the same key of the same person is not made again, also once it was cleared"`
	Body *struct {
		Lng *float64  `json:"lng,omitempty"`
		Lat *float64  `json:"lat,omitempty"`
		At  time.Time `json:"at,omitzero" doc:"When it was called, where it is told later"`
	}
}

func (s *server) callForHelp(ctx context.Context, in *panicIn) (*body[unit.Unit], error) {
	v, h := s.sees(ctx), store.Help{Key: in.Key}
	if b := in.Body; b != nil {
		if (b.Lng == nil) != (b.Lat == nil) {
			return nil, problem.New(problem.Invalid, "lng and lat go together", problem.At("body.lng", problem.Together, "lng and lat go together"))
		}
		if h.At = b.At; b.Lng != nil {
			h.Place = &geo.Position{Lat: *b.Lat, Lng: *b.Lng}
		}
	}
	if u, err := s.Cases.Unit(ctx, in.id()); err == nil {
		if at, _, ok := s.Places.Fill([]unit.Unit{u}, v.now)[0].Position(); ok {
			h.Last = &at
		}
	}
	one, err := s.Cases.CallForHelp(ctx, in.id(), h, actor(ctx), v.mayOf(ctx, access.ReportUnits))
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	return v.unitBody(one), nil
}

type clearCallIn struct {
	UnitPath
	Reason string `query:"reason" maxLength:"500" doc:"How the crew is; required, here or in the body"`
	Body   *struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *server) clearCall(ctx context.Context, in *clearCallIn) (*body[unit.Unit], error) {
	v := s.sees(ctx)
	if !strings.HasPrefix(v.who.Subject, "user:") {
		return nil, deny(access.DispatchIncident, "a named person clears a call for help")
	}
	reason := strings.TrimSpace(in.Reason)
	if in.Body != nil {
		reason = cmp.Or(strings.TrimSpace(in.Body.Reason), reason)
	}
	one, err := s.Cases.ClearCall(ctx, in.id(), reason, actor(ctx), v.mayOf(ctx, access.DispatchIncident))
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	return v.unitBody(one), nil
}
