package api

import (
	"context"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/server/problem"
)

type patchIn struct {
	ID   string `path:"id"`
	Body struct {
		Title    *string  `json:"title,omitempty" maxLength:"200"`
		Type     string   `json:"type,omitempty" maxLength:"64" doc:"One of the incident types"`
		Severity string   `json:"severity,omitempty" enum:"Extreme,Severe,Moderate,Minor,Unknown"`
		Lng      *float64 `json:"lng,omitempty"`
		Lat      *float64 `json:"lat,omitempty"`
		External *[]refIn `json:"external_refs,omitempty" maxItems:"20" doc:"The numbers that partners have for the case, all of them: an empty list takes them away"`
		Version  int      `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session"`
	}
}

// refIn is a partner's own number of a case.
type refIn struct {
	Agency string `json:"agency" minLength:"1" maxLength:"80" doc:"Slug, or neighbour:SLUG"`
	ID     string `json:"id" minLength:"1" maxLength:"320" doc:"At most 80 characters"`
}

func refsOf(list []refIn) []incident.ExternalRef {
	out := make([]incident.ExternalRef, len(list))
	for i, r := range list {
		out[i] = incident.ExternalRef(r)
	}
	return out
}

func (s *server) patchIncident(ctx context.Context, in *patchIn) (*body[incidentOut], error) {
	named, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	a := incident.Amendment{Title: in.Body.Title, Type: in.Body.Type, Severity: cap.Severity(in.Body.Severity), Version: named}
	if in.Body.External != nil {
		refs := refsOf(*in.Body.External)
		a.External = &refs
	}
	if (in.Body.Lng == nil) != (in.Body.Lat == nil) {
		return nil, problem.New(problem.Invalid, "lng and lat go together", problem.At("body.lng", problem.Together, "lng and lat go together"))
	}
	if in.Body.Lng != nil {
		a.Position = &geo.Position{Lat: *in.Body.Lat, Lng: *in.Body.Lng}
		if err := a.Position.Validate(); err != nil {
			return nil, problem.New(problem.Invalid, err.Error(), problem.At("body.lng", problem.Outside, err.Error()))
		}
	}
	return s.sees(ctx).amend(ctx, in.ID, a)
}
