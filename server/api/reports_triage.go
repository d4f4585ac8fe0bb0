package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"kentongan/alerts/fusion"
	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// reportsTriage is what intake does with a report: what it may be of, what it is, and that it was judged wrongly.
func (s *server) reportsTriage() {
	const root = "/api/v1/reports"
	operation(s, about(access.WriteReports, scope.NounReport), "GET", root+"/{id}/hints", "report-hints", "Open incidents and reports nearby that a report may be of, the likeliest first, with why", http.StatusOK, s.reportHints)
	operation(s, needs(access.WriteReports), "POST", root+"/hints", "draft-hints", "The same for an account that somebody is taking down; nothing is kept", http.StatusOK, s.draftHints)
	operation(s, about(access.WriteReports, scope.NounReport), "POST", root+"/{id}/triage", "triage-report", "Say what a report is: open an incident on it, join it to one, or close it. Said again by the same person it is done once; said by two, the later gets 409 with what it is now", http.StatusOK, s.triageReport)
	operation(s, about(access.WriteReports, scope.NounReport), "POST", root+"/{id}/triage/undo", "untriage-report", "Take back within 24 h what a report was said to be: it waits again", http.StatusOK, s.untriageReport)
}

type reportID struct {
	ID string `path:"id" doc:"feed:service_request_id"`
}

func (s *server) reportHints(ctx context.Context, _ *reportID) (*body[List[fusion.Hint]], error) {
	r := objectOf(ctx).report
	d := fusion.Draft{Report: r.ID, Type: r.Type, Text: r.Text, When: r.At.Time, Received: r.ReceivedAt.Time}
	if r.Code != "" {
		d.Type = r.Code
	}
	if p, placed := r.Position(); placed {
		d.At = &p
	}
	return s.hinted(ctx, d)
}

type draftHintsIn struct {
	Body struct {
		Type string   `json:"type,omitempty" maxLength:"256" doc:"Incident type, or a word"`
		Text string   `json:"text,omitempty" maxLength:"16384"`
		Lng  *float64 `json:"lng,omitempty" doc:"With lat, or neither"`
		Lat  *float64 `json:"lat,omitempty"`
	}
}

func (s *server) draftHints(ctx context.Context, in *draftHintsIn) (*body[List[fusion.Hint]], error) {
	d := fusion.Draft{Type: strings.TrimSpace(in.Body.Type), Text: in.Body.Text, When: s.Now()}
	if (in.Body.Lng == nil) != (in.Body.Lat == nil) {
		return nil, problem.New(problem.Invalid, "lng and lat belong together", problem.At("body.lng", problem.Together, "lng and lat belong together"))
	}
	if in.Body.Lng != nil {
		d.At = &geo.Position{Lng: *in.Body.Lng, Lat: *in.Body.Lat}
		if err := d.At.Validate(); err != nil {
			return nil, problem.New(problem.Invalid, "the place cannot be taken", problem.At("body.lng", problem.Outside, err.Error()))
		}
	}
	return s.hinted(ctx, d)
}

func (s *server) hinted(ctx context.Context, d fusion.Draft) (*body[List[fusion.Hint]], error) {
	if d.When.IsZero() || d.When.After(s.Now().Add(time.Hour)) {
		d.When = s.Now()
	}
	list, err := s.sees(ctx).hints(ctx, d)
	if err != nil {
		return nil, err
	}
	return listOf(list, ""), nil
}

type triageIn struct {
	ID   string `path:"id"`
	Body struct {
		As       string `json:"as" enum:"incident,duplicate,referred,not_an_emergency,prank"`
		Incident string `json:"incident,omitempty" maxLength:"64" doc:"With duplicate: id of the open incident that it tells of"`
		Type     string `json:"type,omitempty" maxLength:"64" doc:"With incident: one of the incident types, such as flood"`
		Severity string `json:"severity,omitempty" enum:"Extreme,Severe,Moderate,Minor,Unknown" doc:"With incident; left out: the type's own"`
		Title    string `json:"title,omitempty" maxLength:"200" doc:"With incident; left out: the type's name and the place"`
		Agency   string `json:"agency,omitempty" maxLength:"64" doc:"With referred: slug of who answers"`
		Note     string `json:"note,omitempty" maxLength:"4000"`
	}
}

// triaged is a report after a judgement, with its incident as it is seen.
type triaged struct {
	Report   report.Report `json:"report"`
	Incident *incidentOut  `json:"incident,omitempty" doc:"That was opened, joined or left; absent: none"`
}

func (s *server) triageReport(ctx context.Context, in *triageIn) (*body[triaged], error) {
	b := in.Body
	for _, f := range []struct{ name, value, as string }{
		{"incident", b.Incident, "duplicate"}, {"type", b.Type, "incident"}, {"severity", b.Severity, "incident"}, {"title", b.Title, "incident"}, {"agency", b.Agency, "referred"},
	} {
		if f.value != "" && b.As != f.as {
			return nil, problem.New(problem.Invalid, "the triage cannot be taken", problem.At("body."+f.name, problem.Unasked, "goes with "+f.as+" alone"))
		}
	}
	v := s.sees(ctx)
	out, err := v.triage(ctx, objectOf(ctx).report.ID, store.Judgement{As: report.As(b.As), Incident: b.Incident, Type: b.Type, Severity: cap.Severity(b.Severity), Title: strings.TrimSpace(b.Title), Agency: b.Agency, Note: b.Note})
	if err != nil {
		return nil, err
	}
	return v.showsTriage(out), nil
}

type untriageIn struct {
	ID   string `path:"id"`
	Body struct {
		Note string `json:"note,omitempty" maxLength:"4000"`
	}
}

func (s *server) untriageReport(ctx context.Context, in *untriageIn) (*body[triaged], error) {
	v := s.sees(ctx)
	out, err := v.untriage(ctx, objectOf(ctx).report.ID, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return v.showsTriage(out), nil
}

func (v view) showsTriage(j store.Judged) *body[triaged] {
	out := triaged{Report: j.Report} // whoever may triage sees the report whole
	if j.Incident != nil && v.who.May(access.ReadIncidents, scope.Incident(j.Incident), v.now).Level > access.None {
		out.Incident = &v.seenBy(j.Incident).Body
	}
	return &body[triaged]{out}
}
