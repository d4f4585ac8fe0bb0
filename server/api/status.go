package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"kentongan/alerts/status"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
)

// areaStatus is the status level of the area by hazard: proposed by the rules, confirmed by an officer.
func (s *server) areaStatus() {
	const root = "/api/v1/area-status"
	operation(s, needs(access.ReadStatus), "GET", root, "area-status", "The level of every hazard, the area's as a whole first, with what it rests on and what is proposed; those of an exercise last", http.StatusOK, s.listStatus)
	operation(s, needs(access.Propose), "POST", root, "set-area-status", "Confirm a level, raise or lower it, as a named officer: up to 3 the shift supervisor, from 4 on and back from there leadership", http.StatusOK, s.setStatus)
	operation(s, needs(access.ReadStatus), "GET", root+"/{hazard}/history", "area-status-history", "What became of a status, the newest first", http.StatusOK, s.statusHistory)
	operation(s, needs(access.Propose), "POST", root+"/{hazard}/revert", "revert-area-status", "Go back to what was confirmed before, with its evidence", http.StatusOK, s.revertStatus)
}

func (s *server) listStatus(ctx context.Context, _ *struct{}) (*body[List[status.Status]], error) {
	items, err := s.Cases.AreaStatus(ctx)
	if err != nil {
		return nil, s.statusFault(err)
	}
	return listOf(items, ""), nil
}

type setStatusIn struct {
	Body struct {
		Hazard    string `json:"hazard" maxLength:"64" doc:"area, flood, landslide, eq, volcano, weather, fire, road"`
		Level     int    `json:"level" minimum:"1"`
		Note      string `json:"note,omitempty" maxLength:"4000" doc:"Why; required where the rules propose another level"`
		Version   int    `json:"version" minimum:"1" doc:"The version that was seen"`
		Simulated bool   `json:"simulated,omitempty" doc:"Of the exercise"`
	}
}

func (s *server) setStatus(ctx context.Context, in *setStatusIn) (*body[status.Status], error) {
	b := in.Body
	one, err := s.Cases.SetStatus(ctx, statusID(b.Hazard, b.Simulated), status.Setting{Level: b.Level, Note: b.Note, Version: b.Version}, actor(ctx), s.sees(ctx).mayLevel(ctx))
	if err != nil {
		return nil, s.statusFault(err)
	}
	return &body[status.Status]{one}, nil
}

type revertStatusIn struct {
	Hazard string `path:"hazard" maxLength:"64" doc:"Or the id of a status of the exercise, flood~simulated"`
	Body   struct {
		Version int    `json:"version" minimum:"1" doc:"The version that was seen"`
		Reason  string `json:"reason" minLength:"1" maxLength:"4000"`
	}
}

func (s *server) revertStatus(ctx context.Context, in *revertStatusIn) (*body[status.Status], error) {
	one, err := s.Cases.RevertStatus(ctx, in.Hazard, in.Body.Version, in.Body.Reason, actor(ctx), s.sees(ctx).mayLevel(ctx))
	if err != nil {
		return nil, s.statusFault(err)
	}
	return &body[status.Status]{one}, nil
}

// statusID is the id of a status by its hazard, or as it is where somebody gives that.
func statusID(hazard string, simulated bool) string {
	if _, already := status.OfID(hazard); already {
		return hazard
	}
	return status.ID(hazard, simulated)
}

// mayLevel tells whether this person may bring a status to a level: where leadership's level is set or left, leadership alone; and where the
// rules that propose the level name who confirms it, one of those.
func (v view) mayLevel(ctx context.Context) func(*status.Status, int) error {
	return func(now *status.Status, level int) error {
		right := access.Propose
		if max(now.Level, level) >= status.Leadership {
			right = access.Confirm
		}
		if err := v.may(ctx, right, access.Object{Noun: "status"}); err != nil {
			return err
		}
		if p := now.Proposal; p != nil && p.Level == level && !v.who.Who.Whole && !holdsOne(v.who, p.Who) {
			reason := "this level is confirmed by " + strings.Join(p.Who, ", ")
			v.forbid(ctx, right, reason)
			return deny(right, reason)
		}
		return nil
	}
}

// holdsOne tells whoever holds one of some roles.
func holdsOne(who auth.Identity, roles []string) bool {
	return slices.ContainsFunc(who.Roles, func(r access.Role) bool { return slices.Contains(roles, string(r)) })
}

type statusHistoryIn struct {
	Hazard string `path:"hazard" maxLength:"64" doc:"Or the id of a status of the exercise, flood~simulated"`
	Limit  int    `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page   string `query:"page"`
}

func (s *server) statusHistory(ctx context.Context, in *statusHistoryIn) (*body[List[status.Entry]], error) {
	if hazard, _ := status.OfID(in.Hazard); !slices.Contains(status.HazardCodes(), hazard) {
		return nil, problem.New(problem.NotFound, fmt.Sprintf("there is no such hazard: %.60q; there are %s", in.Hazard, strings.Join(status.HazardCodes(), ", ")))
	}
	items, next, err := s.Cases.StatusHistory(ctx, in.Hazard, in.Limit, in.Page)
	if err != nil {
		return nil, s.statusFault(err)
	}
	return listOf(items, next), nil
}

// statusFault turns an error of the status into an answer.
func (s *server) statusFault(err error) error {
	var late *store.StatusConflict
	switch {
	case errors.As(err, &late):
		return staleOf(late, late.Current)
	}
	return s.fault(err)
}
