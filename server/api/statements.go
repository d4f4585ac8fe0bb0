package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"kentongan/alerts/statement"
	"kentongan/alerts/store"
	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
)

// statements is what authorities have said officially, entered by a named officer.
func (s *server) statements() {
	const root = "/api/v1/statements"
	operation(s, needs(access.ReadStatus), "GET", root, "statements", "Official statements, the last stated first", http.StatusOK, s.listStatements)
	operation(s, needs(access.Declare), "POST", root, "declare-statement", "Enter what an authority has said: it replaces what stands of the same scale and subject", http.StatusCreated, s.declareStatement)
	operation(s, needs(access.ReadStatus), "GET", root+"/{id}", "statement", "One official statement", http.StatusOK, s.oneStatement)
	operation(s, needs(access.Declare), "POST", root+"/{id}/withdraw", "withdraw-statement", "Take a statement back that was wrong, or that its authority has taken back", http.StatusOK, s.withdrawStatement)
}

type statementsIn struct {
	State   string    `query:"state" enum:"in_force,expired,replaced,withdrawn"`
	Scale   string    `query:"scale" maxLength:"64" doc:"Of the profile's levels.scales: pvmbg, river_gate, road, decree ..."`
	Subject string    `query:"subject" maxLength:"120"`
	From    time.Time `query:"from" doc:"Stated at or after"`
	To      time.Time `query:"to" doc:"Stated before"`
	Q       string    `query:"q" maxLength:"200" doc:"Part of name, source, reference, note or place, in any case"`
	Limit   int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page    string    `query:"page"`
}

func (s *server) listStatements(ctx context.Context, in *statementsIn) (*body[List[statement.Statement]], error) {
	items, next, err := s.Cases.Statements(ctx, store.StatementQuery{State: statement.State(in.State), Scale: in.Scale, Subject: in.Subject, From: in.From, To: in.To, Text: in.Q,
		Limit: in.Limit, Page: in.Page})
	if err != nil {
		return nil, s.statementFault(err)
	}
	return listOf(items, next), nil
}

func (s *server) oneStatement(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*body[statement.Statement], error) {
	one, err := s.Cases.Statement(ctx, in.ID)
	if err != nil {
		return nil, s.statementFault(err)
	}
	return &body[statement.Statement]{one}, nil
}

// statementDraft is what an officer enters.
type statementDraft struct {
	Scale      string       `json:"scale" maxLength:"64" doc:"Of the profile's levels.scales: pvmbg, river_gate, road, decree ..."`
	Subject    string       `json:"subject" maxLength:"120" doc:"What it is about: a volcano, the Thing of a gate, a road"`
	Name       string       `json:"name,omitempty" maxLength:"200" doc:"The subject for people"`
	Step       string       `json:"step" maxLength:"64" doc:"Of that scale: III, I, tertutup ..."`
	Source     string       `json:"source" maxLength:"200" doc:"Who said so: PVMBG, BPJN, Bupati"`
	Reference  string       `json:"reference,omitempty" maxLength:"200" doc:"Number of the letter or notice"`
	Web        string       `json:"web,omitempty" maxLength:"1000" doc:"Where it is published"`
	StatedAt   *time.Time   `json:"stated_at,omitempty" doc:"Absent: now"`
	ValidUntil *time.Time   `json:"valid_until,omitempty" doc:"Absent: until it is replaced"`
	Note       string       `json:"note,omitempty" maxLength:"4000"`
	Lng        *float64     `json:"lng,omitempty" doc:"With lat, or neither"`
	Lat        *float64     `json:"lat,omitempty"`
	Decree     *decreeDraft `json:"decree,omitempty" doc:"Of scale decree; the same step again extends the one that stands"`
	National   bool         `json:"national,omitempty" doc:"Of scale road: a national road"`
	Simulated  bool         `json:"simulated,omitempty" doc:"Of an exercise"`
}

type decreeDraft struct {
	Number string     `json:"number" maxLength:"200"`
	From   time.Time  `json:"from"`
	To     *time.Time `json:"to,omitempty"`
}

func (d *statementDraft) draft() (statement.Draft, error) {
	when := func(t *time.Time) moment.Time {
		if t == nil {
			return moment.Time{}
		}
		return moment.Of(*t)
	}
	out := statement.Draft{Scale: d.Scale, Subject: d.Subject, Name: d.Name, Step: d.Step, Source: d.Source, Reference: d.Reference, Web: d.Web, StatedAt: when(d.StatedAt),
		ValidUntil: when(d.ValidUntil), Note: d.Note, National: d.National, Simulated: d.Simulated}
	if (d.Lng == nil) != (d.Lat == nil) {
		return out, statement.Faults{fault.At("lng", fault.Together, nil, "lng and lat belong together")}
	}
	if d.Lng != nil {
		out.Position = &geo.Position{Lng: *d.Lng, Lat: *d.Lat}
	}
	if d.Decree != nil {
		out.Decree = &statement.Decree{Number: d.Decree.Number, From: moment.Of(d.Decree.From), To: when(d.Decree.To)}
	}
	return out, nil
}

// declareStatement takes a statement. What it is about is known by its site or Thing, where the officer gives neither name nor place.
func (s *server) declareStatement(ctx context.Context, in *struct{ Body statementDraft }) (*body[statement.Statement], error) {
	d, err := in.Body.draft()
	if err != nil {
		return nil, s.statementFault(err)
	}
	s.sees(ctx).about(&d)
	one, err := d.Validate(s.Profile.StatementScales(), s.Now())
	if err == nil {
		one, err = s.Cases.Declare(ctx, one, actor(ctx))
	}
	if err != nil {
		return nil, s.statementFault(err)
	}
	return &body[statement.Statement]{one}, nil
}

// about fills in the name and place of a subject that the house knows.
func (v view) about(d *statement.Draft) {
	name, at := "", (*geo.Position)(nil)
	for _, h := range v.s.Profile.Hazards {
		if h.Slug == d.Subject {
			p := h.Position()
			name, at = h.Name, &p
		}
	}
	if e := v.picture().Get(d.Subject); at == nil && v.knowsThing()(d.Subject) {
		if t := thingOf(e); t != nil {
			name = t.Name
			if t.Placed {
				p := t.Position
				at = &p
			}
		}
	}
	if d.Name == "" {
		d.Name = name
	}
	if d.Position == nil {
		d.Position = at
	}
}

type withdrawIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Reason  string `json:"reason" minLength:"1" maxLength:"500"`
		Version int    `json:"version" minimum:"1" doc:"The version that was seen"`
	}
}

func (s *server) withdrawStatement(ctx context.Context, in *withdrawIn) (*body[statement.Statement], error) {
	reason := strings.TrimSpace(in.Body.Reason)
	if reason == "" {
		return nil, invalid("the statement cannot be withdrawn", fault.At("reason", fault.Missing, nil, "says nothing"))
	}
	one, err := s.Cases.Withdraw(ctx, in.ID, in.Body.Version, reason, actor(ctx))
	if err != nil {
		return nil, s.statementFault(err)
	}
	return &body[statement.Statement]{one}, nil
}

// statementFault turns an error of statements into an answer.
func (s *server) statementFault(err error) error {
	var faults statement.Faults
	var late *store.StatementConflict
	switch {
	case errors.As(err, &faults):
		return invalid("the statement cannot be taken", faults...)
	case errors.As(err, &late):
		return staleOf(late, late.Current)
	}
	return s.fault(err)
}
