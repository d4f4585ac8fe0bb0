package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

func (s *server) reports() {
	const root = "/api/v1/reports"
	operation(s, needs(access.ReadReports), "GET", root, "reports", "Citizens' and officers' reports, the newest received first", http.StatusOK, s.listReports)
	operation(s, needs(access.WriteReports), "POST", root, "enter-report", "Enter a report that came by call, chat or radio", http.StatusCreated, s.enterReport)
	operation(s, about(access.ReadReports, scope.NounReport), "GET", root+"/{id}", "report", "One report", http.StatusOK, s.oneReport)
	s.reportsTriage()
	s.cti()
	s.contacts()
}

type reportsIn struct {
	Status    string    `query:"status" enum:"open,closed" doc:"As its producer says it"`
	Channel   string    `query:"channel" maxLength:"256" doc:"call, chat, radio, app, open311, or as the feed says it"`
	Feed      string    `query:"feed" maxLength:"256" doc:"The feed it came by; desk for those entered here"`
	BBox      string    `query:"bbox" doc:"west,south,east,north in degrees; leaves out reports without a place"`
	From      time.Time `query:"from" doc:"Received at or after"`
	To        time.Time `query:"to" doc:"Received before"`
	Simulated string    `query:"simulated" enum:"true,false" doc:"Only what is simulated, or only what is real; default: both, each marked"`
	Q         string    `query:"q" maxLength:"200" doc:"Part of text, notes, type, address, place, id or a partner's number, in any case"`
	Limit     int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page      string    `query:"page"`
}

func (s *server) listReports(ctx context.Context, in *reportsIn) (*body[List[report.Report]], error) {
	bound, err := boundOf(in.BBox)
	if err != nil {
		return nil, err
	}
	items, next, err := s.sees(ctx).reports(ctx, store.Query{Status: in.Status, Channel: in.Channel, Feed: in.Feed, Bound: bound, From: in.From, To: in.To, Simulated: either(in.Simulated),
		Text: in.Q, Limit: in.Limit, Page: in.Page})
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}

func (s *server) oneReport(ctx context.Context, _ *struct {
	ID string `path:"id" doc:"feed:service_request_id"`
}) (*body[report.Report], error) {
	return &body[report.Report]{objectOf(ctx).seenReport()}, nil
}

// reportDraft is what a person may say of a new report. Who called goes apart from it.
type reportDraft struct {
	Channel string    `json:"channel" enum:"call,chat,radio,app,open311" doc:"How it reached us"`
	Text    string    `json:"text" minLength:"1" maxLength:"16384"`
	Type    string    `json:"type,omitempty" maxLength:"256" doc:"What it is about, in a word"`
	Lng     *float64  `json:"lng,omitempty" doc:"With lat, or neither"`
	Lat     *float64  `json:"lat,omitempty"`
	Address string    `json:"address,omitempty" maxLength:"4096"`
	At      time.Time `json:"at,omitempty" doc:"When it was said; now where it is left out"`

	External []refIn `json:"external_refs,omitempty" maxItems:"20" doc:"The numbers that partners have for it, as of the exchange that handed the call over"`

	Reporter *reporterDraft `json:"reporter,omitempty" doc:"Who called; kept sealed and apart from the report"`
}

type enterReportIn struct {
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key answers the same report"`
	Body reportDraft
}

func (s *server) enterReport(ctx context.Context, in *enterReportIn) (*body[report.Report], error) {
	r, fault := in.Body.report(s.Now())
	if fault != nil {
		return nil, problem.New(problem.Invalid, "the report cannot be taken", fault)
	}
	one, err := s.sees(ctx).enter(ctx, r, in.Key, in.Body.Reporter)
	if err != nil {
		return nil, err
	}
	return &body[report.Report]{one}, nil
}

// report gives what is stored of a draft, or what is wrong with it.
func (d reportDraft) report(now time.Time) (feeds.Report, *problem.Place) {
	r := feeds.Report{Channel: d.Channel, Text: strings.TrimSpace(d.Text), Type: strings.TrimSpace(d.Type), Address: strings.TrimSpace(d.Address), At: moment.Of(d.At)}
	fault := func(field string, code problem.Fault, message string) (feeds.Report, *problem.Place) {
		return r, problem.At("body."+field, code, message)
	}
	switch {
	case r.Text == "":
		return fault("text", problem.Missing, "says nothing")
	case d.At.After(now.Add(feeds.ClockSkewLimit)):
		return fault("at", problem.Late, "lies ahead")
	case (d.Lng == nil) != (d.Lat == nil):
		return fault("lng", problem.Together, "lng and lat belong together")
	}
	refs, err := incident.References(refsOf(d.External))
	if err != nil {
		return fault("external_refs", problem.Form, err.Error())
	}
	for _, one := range refs {
		r.External = append(r.External, feeds.ReportRef(one))
	}
	if d.Lng != nil {
		r.Position, r.Placed = geo.Position{Lng: *d.Lng, Lat: *d.Lat}, true
		if err := r.Position.Validate(); err != nil {
			return fault("lng", problem.Outside, err.Error())
		}
		if r.Position.IsNull() {
			return fault("lng", problem.Outside, "0,0 stands for an unknown place: leave both out")
		}
	}
	return r, nil
}
