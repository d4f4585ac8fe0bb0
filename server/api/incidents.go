package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

func (s *server) incidents() {
	const root = "/api/v1/incidents"
	operation(s, needs(access.ReadIncidents), "GET", root, "incidents", "Incidents, the newest opened first", http.StatusOK, s.listIncidents)
	operation(s, needs(access.CreateIncident), "POST", root, "open-incident", "Open an incident by hand", http.StatusCreated, s.openIncident)
	operation(s, needs(access.ReadIncidents), "GET", "/api/v1/incident-types", "incident-types", "The types that an incident may have", http.StatusOK, listTypes)
	operation(s, about(access.ReadIncidents, scope.NounIncident), "GET", root+"/{id}", "incident", "One incident, as far as you see it, with what you may ask of it now", http.StatusOK, s.oneIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", root+"/{id}/transitions", "transition", "Move an incident along its life", http.StatusOK, s.transition)
}

type incidentsIn struct {
	CaseFilter
	FigureFilter
	Status string `query:"status" enum:"open,new,acknowledged,dispatched,on_scene,resolved,closed,cancelled" doc:"open: every status but closed and cancelled"`
	Agency string `query:"agency" doc:"Leads or supports"`
	Type   string `query:"type"`

	Exercise string `query:"exercise" enum:"true,false" doc:"Only those of an exercise, or only others; default: both, each marked"`
}

func (s *server) listIncidents(ctx context.Context, in *incidentsIn) (*body[List[incident.Incident]], error) {
	if in.Figure != "" {
		return s.listFigure(ctx, in)
	}
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	q.Status, q.Agency, q.Type, q.Exercise = in.Status, in.Agency, in.Type, either(in.Exercise)
	items, next, err := s.sees(ctx).incidents(ctx, q)
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}

type incidentIn struct {
	ID string `path:"id"`
}

// incidentOut is an incident as one person sees it: with the acts that this person may ask of it now.
type incidentOut struct {
	incident.Incident
	Allowed []incident.Status `json:"allowed" doc:"What to of a transition you may ask now; closed is missing for whoever resolved it"`
}

// seenBy gives the incident as the one who asks sees it, with what they may ask of it.
func (v view) seenBy(one *incident.Incident) *body[incidentOut] {
	return &body[incidentOut]{incidentOut{v.form(one), v.allowed(one, one.Allowed(v.who.Subject, v.now))}}
}

// listTypes gives the types of domain.md section 4 but those that are not kept here, in the table's order.
func listTypes(context.Context, *struct{}) (*body[List[incident.Type]], error) {
	out := []incident.Type{}
	for _, t := range incident.Types {
		if !t.Restricted {
			out = append(out, t)
		}
	}
	return listOf(out, ""), nil
}

func (s *server) oneIncident(ctx context.Context, _ *incidentIn) (*body[incidentOut], error) {
	return s.sees(ctx).seenAs(objectOf(ctx)), nil
}

// draft is what a person may say of a new incident; everything else is the house's to say.
type draft struct {
	Type     string    `json:"type" doc:"One of the incident types, such as flood"`
	Title    string    `json:"title,omitempty" maxLength:"200"`
	Severity string    `json:"severity,omitempty" enum:"Extreme,Severe,Moderate,Minor,Unknown"`
	Lng      *float64  `json:"lng,omitempty"`
	Lat      *float64  `json:"lat,omitempty"`
	Note     string    `json:"note,omitempty" maxLength:"4000"`
	Exercise bool      `json:"exercise,omitempty" doc:"Of an exercise: it is simulated, has a number of that series and enters no figure"`
	At       time.Time `json:"at,omitzero" doc:"When it was first told, where it is entered later, as from paper: within the last 7 days"`
}

type openIn struct {
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key of the same person is answered with the incident that it opened, for 7 days"`
	Body draft
}

func (s *server) openIncident(ctx context.Context, in *openIn) (*body[incidentOut], error) {
	d, v := incident.Draft{Type: in.Body.Type, Title: in.Body.Title, Severity: cap.Severity(in.Body.Severity), Lng: in.Body.Lng, Lat: in.Body.Lat, Note: in.Body.Note, Exercise: in.Body.Exercise, At: in.Body.At}, s.sees(ctx)
	if err := d.Validate(); err != nil {
		return nil, s.fault(err)
	}
	if err := v.mayOpen(ctx, d); err != nil {
		return nil, err
	}
	one, err := v.open(ctx, in.Key, d)
	if err != nil {
		return nil, s.fault(err)
	}
	return v.seenBy(&one), nil
}

type transitionIn struct {
	ID   string `path:"id"`
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key of the same person is answered as the first time, for 7 days"`
	Body struct {
		To       string     `json:"to" enum:"acknowledged,dispatched,on_scene,resolved,closed,cancelled,reopened"`
		Note     string     `json:"note,omitempty" maxLength:"4000"`
		Version  int        `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session; a token, and an act with at and an Idempotency-Key, may leave it out"`
		At       time.Time  `json:"at,omitzero" doc:"When it was done, where it is told later: not before the incident began nor before the step before it, not ahead of us"`
		Outcome  string     `json:"outcome,omitempty" doc:"With resolved: advice_given, no_unit_needed or referred where no unit went"`
		Cause    string     `json:"cause,omitempty" maxLength:"4000" doc:"With resolved; what a session resolves on scene has outcome, cause and victims"`
		Victims  *victimsIn `json:"victims,omitempty" doc:"With resolved; each may be 0"`
		Override string     `json:"override,omitempty" maxLength:"4000" doc:"With closed: a supervisor's reason to close with less proof than is needed; it is kept and counted"`
		Reason   string     `json:"reason,omitempty" doc:"With cancelled and reopened"`
	}
}

// victimsIn are victims as somebody says them: what is left out is none.
type victimsIn struct {
	Dead       int `json:"dead,omitempty" minimum:"0"`
	Missing    int `json:"missing,omitempty" minimum:"0"`
	Injured    int `json:"injured,omitempty" minimum:"0"`
	Displaced  int `json:"displaced,omitempty" minimum:"0"`
	Affected   int `json:"affected,omitempty" minimum:"0"`
	Households int `json:"households,omitempty" minimum:"0"`
}

func (v *victimsIn) victims() *incident.Victims {
	if v == nil {
		return nil
	}
	out := incident.Victims(*v)
	return &out
}

func (s *server) transition(ctx context.Context, in *transitionIn) (*body[incidentOut], error) {
	b := in.Body
	who, _ := auth.FromContext(ctx)
	desk := who.Via == auth.ViaSession
	act := incident.Act{To: incident.Status(b.To), Note: b.Note, Version: b.Version, Outcome: b.Outcome, Reason: b.Reason, Cause: strings.TrimSpace(b.Cause), Victims: b.Victims.victims(),
		Override: strings.TrimSpace(b.Override), At: b.At, Whole: desk}
	if act.Version == 0 && desk && (b.At.IsZero() || in.Key == "") {
		return nil, problem.New(problem.VersionMissing, "version is required: the version that you saw", problem.At("body.version", problem.Missing, "is required"))
	}
	one, err := s.sees(ctx).transition(ctx, in.ID, in.Key, act)
	if err != nil {
		return nil, err
	}
	return s.sees(ctx).seenBy(&one), nil
}

// actor is who acts, from the current request alone.
func actor(ctx context.Context) audit.Actor {
	id, _ := auth.FromContext(ctx)
	return audit.Actor{Subject: id.Subject, Name: id.Name, Role: id.Role, Agency: id.Agency, Request: requestID(ctx)}
}
