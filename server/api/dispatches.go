package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/recommend"
	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// dispatches is who was sent where, and how far each has come.
func (s *server) dispatches() {
	operation(s, about(access.DispatchIncident, scope.NounIncident), "POST", "/api/v1/incidents/{id}/dispatches", "dispatch-unit", "Offer an incident to a unit; 409 with who has it where somebody was first", http.StatusCreated, s.sendUnit)
	operation(s, needs(access.ActIncidents), "GET", "/api/v1/dispatches", "dispatches", "Dispatches, the last offered first", http.StatusOK, s.listDispatches)
	operation(s, needs(access.ActIncidents), "GET", "/api/v1/dispatches/{id}", "dispatch", "One dispatch", http.StatusOK, s.oneDispatch)
	operation(s, needs(access.ActIncidents), "POST", "/api/v1/dispatches/{id}/transitions", "move-dispatch", "Move a dispatch along: the crew's side, and the dispatcher's recall. A retried call under its Idempotency-Key is done once", http.StatusOK, s.moveDispatch)
}

type sendIn struct {
	ID   string `path:"id" maxLength:"64"`
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key of the same person is answered with the order that it gave, for 7 days"`
	Body struct {
		Unit string `json:"unit" minLength:"3" maxLength:"130" doc:"bpbd/trc-1"`
		Note string `json:"note,omitempty" maxLength:"4000"`

		External []refIn `json:"external_refs,omitempty" maxItems:"20" doc:"The numbers that partners have for the order"`
	}
}

func (s *server) sendUnit(ctx context.Context, in *sendIn) (*body[dispatch.Dispatch], error) {
	v := s.sees(ctx)
	one, err := s.Cases.Send(ctx, store.Order{Incident: in.ID, Unit: in.Body.Unit, Note: strings.TrimSpace(in.Body.Note), TravelS: s.travel(ctx, in.Body.Unit), External: refsOf(in.Body.External), Key: in.Key}, actor(ctx), func(on *incident.Incident, u *unit.Unit) error {
		if !v.who.May(access.ReadUnits, scope.Unit(u), v.now).Allowed() {
			return store.ErrNoUnit // that it is there is told to nobody who may not see it
		}
		return v.may(ctx, access.DispatchIncident, scope.Incident(on))
	})
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	return &body[dispatch.Dispatch]{one}, nil
}

// travel is how long a unit's way to the incident is expected to take, in seconds; nil: nobody knows. An order never waits for it to be right.
func (s *server) travel(ctx context.Context, id string) *float64 {
	on := objectOf(ctx).incident
	to, placed := on.Position()
	u, err := s.Cases.Unit(ctx, id)
	if err != nil || !placed {
		return nil
	}
	now := s.Now()
	one := s.Places.Fill([]unit.Unit{u}, now)
	seconds, known := recommend.Travel(&one[0], to, s.Roads.Routes(ctx, on, one, 1, now))
	if !known {
		return nil
	}
	return &seconds
}

type dispatchesIn struct {
	Incident  string `query:"incident" maxLength:"64"`
	Unit      string `query:"unit" maxLength:"130"`
	Status    string `query:"status" enum:"open,offered,accepted,declined,expired,en_route,on_scene,done,cancelled"`
	Simulated string `query:"simulated" enum:"true,false" doc:"Only to what is simulated, exercises among it, or only to what is real"`
	Exercise  string `query:"exercise" enum:"true,false" doc:"Only of an exercise, or only others"`
	Limit     int    `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page      string `query:"page"`
}

func (s *server) listDispatches(ctx context.Context, in *dispatchesIn) (*body[List[dispatch.Dispatch]], error) {
	v := s.sees(ctx)
	items, next, err := s.Cases.Dispatches(ctx, store.DispatchQuery{Incident: in.Incident, Unit: in.Unit, Status: in.Status, Simulated: either(in.Simulated), Exercise: either(in.Exercise), Limit: in.Limit, Page: in.Page, See: v.seesDispatch})
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}

func (v view) seesDispatch(d *dispatch.Dispatch) bool {
	return v.who.May(access.ActIncidents, scope.Dispatch(d), v.now).Allowed()
}

func (s *server) oneDispatch(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*body[dispatch.Dispatch], error) {
	one, err := s.Cases.Dispatch(ctx, in.ID)
	if err == nil && !s.sees(ctx).seesDispatch(&one) {
		err = store.ErrNoDispatch
	}
	if err != nil {
		return nil, s.sees(ctx).dispatchFault(err)
	}
	return &body[dispatch.Dispatch]{one}, nil
}

type moveIn struct {
	ID   string `path:"id" maxLength:"64"`
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key is answered as the first time"`
	Body struct {
		To      string    `json:"to" enum:"accepted,declined,en_route,on_scene,done,cancelled"`
		At      time.Time `json:"at,omitzero" doc:"When it was done, where it is told later"`
		Reason  string    `json:"reason,omitempty" maxLength:"4000" doc:"Required with declined"`
		Note    string    `json:"note,omitempty" maxLength:"4000"`
		Version int       `json:"version,omitempty" minimum:"0" doc:"The version that was seen; 0: whichever stands"`

		External []refIn `json:"external_refs,omitempty" maxItems:"20" doc:"The numbers that partners have for the order, beside those that are there"`
	}
}

func (s *server) moveDispatch(ctx context.Context, in *moveIn) (*body[dispatch.Dispatch], error) {
	v := s.sees(ctx)
	act := dispatch.Act{To: dispatch.Status(in.Body.To), At: in.Body.At, Reason: strings.TrimSpace(in.Body.Reason), Note: strings.TrimSpace(in.Body.Note), Version: in.Body.Version, External: refsOf(in.Body.External)}
	one, err := s.Cases.Move(ctx, in.ID, act, in.Key, actor(ctx), func(d *dispatch.Dispatch) error {
		if !v.seesDispatch(d) {
			return store.ErrNoDispatch
		}
		if act.To == dispatch.Cancelled { // a recall is the dispatcher's
			return v.may(ctx, access.DispatchIncident, scope.Dispatch(d))
		}
		return v.may(ctx, access.ArriveIncident, scope.Dispatch(d))
	})
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	return &body[dispatch.Dispatch]{one}, nil
}

// late is the 409 of an act on a dispatch, or of a unit that somebody has.
type late struct {
	problem.Head
	Current any                `json:"current"`
	Allowed []dispatch.Status  `json:"allowed,omitempty"`
	By      *dispatch.Dispatch `json:"by,omitempty"` // the dispatch that has the unit
}

// dispatchFault turns an error of units and dispatches into an answer.
func (v view) dispatchFault(err error) error {
	var taken *store.UnitConflict
	var moved *store.DispatchConflict
	var on *store.Conflict
	switch {
	case errors.As(err, &taken):
		by := taken.By
		if by != nil && !v.seesDispatch(by) {
			by = nil
		}
		return &late{unitStanding(taken), taken.Current, nil, by}
	case errors.As(err, &moved):
		return &late{standing(moved), moved.Current, slices.Clone(moved.Allowed), nil}
	case errors.As(err, &on):
		return v.conflict(on)
	}
	return v.s.fault(err)
}
