package api

import (
	"context"
	"net/http"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// incidentActs are what people do to incidents beside moving them along: what belongs together, and what does not.
func (s *server) incidentActs() {
	const one = "/api/v1/incidents/{id}"
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/merge", "merge-incident", "Make an incident part of another: evidence and dispatches go over, the earliest signal wins; can be taken back for 24 h. Answers with the one that stays", http.StatusOK, s.mergeIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/unmerge", "unmerge-incident", "Take back that an incident became part of another", http.StatusOK, s.unmergeIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/split", "split-incident", "Take evidence out of an incident into a new one, which is the answer; merging it back takes that back", http.StatusCreated, s.splitIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/evidence", "incident-evidence", "Add a piece of evidence to an incident, or take one away: its timeline keeps that it was there", http.StatusOK, s.incidentEvidence)
}

// life are the acts that are neither a transition nor about what belongs together.
func (s *server) life() {
	const one = "/api/v1/incidents/{id}"
	operation(s, about(access.ActIncidents, scope.NounIncident), "PATCH", one, "edit-incident", "Correct title, type, severity, place or the numbers that partners have for it; another type brings its own agencies, service class and checklist", http.StatusOK, s.patchIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/hold", "hold-incident", "Let work on an incident rest for at most 24 h, or go on; the clocks of the service stand still for unsafe_access and outside_party alone", http.StatusOK, s.holdIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/checklist", "incident-checklist", "Do a line of the checklist, or take it back", http.StatusOK, s.checkIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/dispute", "dispute-incident", "Enter a citizen's word that what is resolved or closed is not done; whoever may reopen it does so with it", http.StatusOK, s.disputeIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/confirm", "confirm-incident", "Enter a reporter's word, or that of your own supporting agency, that it is over: a kind of proof that closing needs", http.StatusOK, s.confirmIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/decision", "decide-incident", "Decide on what is watched (class E), due 30 min after its first signal; what is new is acknowledged by it, and sending a unit or resolving decides too", http.StatusOK, s.decideIncident)
	operation(s, needs(access.ReadIncidents), "GET", "/api/v1/decisions", "decisions", "What may be decided of an incident that is watched", http.StatusOK, listDecisions)
	operation(s, needs(access.ReadIncidents), "GET", "/api/v1/hold-reasons", "hold-reasons", "Why work on an incident may rest", http.StatusOK, listHoldReasons)
	s.together()
}

// version gives the version that an act names, else that of the incident as the route found it; a session must name one.
func version(ctx context.Context, named int) (int, error) {
	if named > 0 {
		return named, nil
	}
	if who, _ := auth.FromContext(ctx); who.Via == auth.ViaSession {
		return 0, problem.New(problem.VersionMissing, "version is required: the version that you saw", problem.At("body.version", problem.Missing, "is required"))
	}
	return objectOf(ctx).incident.Version, nil
}

type mergeIn struct {
	ID   string `path:"id"`
	Body struct {
		Into    string `json:"into" minLength:"1" maxLength:"64" doc:"Id of the incident that stays"`
		Version int    `json:"version,omitempty" minimum:"0" doc:"Of the incident that goes; required from a session"`
		Note    string `json:"note,omitempty" maxLength:"4000"`
	}
}

func (s *server) mergeIncident(ctx context.Context, in *mergeIn) (*body[incidentOut], error) {
	v, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	stays, err := s.sees(ctx).merge(ctx, in.ID, in.Body.Into, v, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return s.sees(ctx).seenBy(&stays), nil
}

type unmergeIn struct {
	ID   string `path:"id"`
	Body struct {
		Version int    `json:"version,omitempty" minimum:"0"`
		Note    string `json:"note,omitempty" maxLength:"4000"`
	}
}

func (s *server) unmergeIncident(ctx context.Context, in *unmergeIn) (*body[incidentOut], error) {
	v, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	back, err := s.sees(ctx).unmerge(ctx, in.ID, v, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return s.sees(ctx).seenBy(&back), nil
}

type splitIn struct {
	ID   string `path:"id"`
	Body struct {
		Evidence []string `json:"evidence" minItems:"1" maxItems:"1000" doc:"Refs of what goes; some must stay"`
		Version  int      `json:"version,omitempty" minimum:"0"`
		Title    string   `json:"title,omitempty" maxLength:"200" doc:"Empty: as before; type, severity and place likewise"`
		Type     string   `json:"type,omitempty"`
		Severity string   `json:"severity,omitempty" enum:"Extreme,Severe,Moderate,Minor,Unknown"`
		Lng      *float64 `json:"lng,omitempty"`
		Lat      *float64 `json:"lat,omitempty"`
		Note     string   `json:"note,omitempty" maxLength:"4000"`
	}
}

func (s *server) splitIncident(ctx context.Context, in *splitIn) (*body[incidentOut], error) {
	v, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	how := incident.Splitting{Evidence: in.Body.Evidence, Version: v, Title: in.Body.Title, Type: in.Body.Type, Severity: cap.Severity(in.Body.Severity), Note: in.Body.Note}
	if (in.Body.Lng == nil) != (in.Body.Lat == nil) {
		return nil, problem.New(problem.Invalid, "lng and lat go together", problem.At("body.lng", problem.Together, "lng and lat go together"))
	}
	if in.Body.Lng != nil {
		how.Position = &geo.Position{Lat: *in.Body.Lat, Lng: *in.Body.Lng}
		if err := how.Position.Validate(); err != nil {
			return nil, problem.New(problem.Invalid, err.Error(), problem.At("body.lng", problem.Outside, err.Error()))
		}
	}
	part, err := s.sees(ctx).split(ctx, in.ID, how)
	if err != nil {
		return nil, err
	}
	return s.sees(ctx).seenBy(&part), nil
}

type evidenceIn struct {
	ID   string `path:"id"`
	Body struct {
		Kind    string `json:"kind,omitempty" enum:"observation,alert,report,statement"`
		Ref     string `json:"ref,omitempty" maxLength:"256" doc:"Id of the Thing, alert, report or statement"`
		Remove  string `json:"remove,omitempty" maxLength:"256" doc:"Ref of what to take away, in place of kind and ref"`
		Note    string `json:"note,omitempty" maxLength:"4000"`
		Version int    `json:"version,omitempty" minimum:"0"`
	}
}

func (s *server) incidentEvidence(ctx context.Context, in *evidenceIn) (*body[incidentOut], error) {
	v, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	if (in.Body.Remove == "") == (in.Body.Ref == "" || in.Body.Kind == "") {
		return nil, problem.New(problem.Invalid, "either kind and ref, or remove", problem.At("body.remove", problem.Either, "either kind and ref, or remove"))
	}
	view := s.sees(ctx)
	var out incident.Incident
	if in.Body.Remove != "" {
		out, err = view.detach(ctx, in.ID, in.Body.Remove, v, in.Body.Note)
	} else {
		out, err = view.attach(ctx, in.ID, in.Body.Kind, in.Body.Ref, v, in.Body.Note)
	}
	if err != nil {
		return nil, err
	}
	return s.sees(ctx).seenBy(&out), nil
}
