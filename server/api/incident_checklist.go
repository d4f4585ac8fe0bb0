package api

import (
	"context"
	"time"

	"kentongan/alerts/incident"
	"kentongan/server/access"
)

type checkIn struct {
	ID   string `path:"id"`
	Body struct {
		Key  string `json:"key" minLength:"1" maxLength:"64" doc:"Of a line of the incident's checklist"`
		Done bool   `json:"done"`
	}
}

// checkIncident needs no version: whoever does a line second finds it done.
func (s *server) checkIncident(ctx context.Context, in *checkIn) (*body[incidentOut], error) {
	return s.sees(ctx).edited(ctx, in.ID, "", nil, "incident.checked", in.Body.Key, access.ActIncidents, func(one *incident.Incident, who string, now time.Time) (incident.Incident, error) {
		return one.Tick(in.Body.Key, in.Body.Done, who, now)
	})
}
