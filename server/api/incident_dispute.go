package api

import (
	"context"
	"time"

	"kentongan/alerts/incident"
	"kentongan/server/access"
)

type disputeIn struct {
	ID   string `path:"id"`
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"2000" doc:"What is not done, in the citizen's words"`
	}
}

func (s *server) disputeIncident(ctx context.Context, in *disputeIn) (*body[incidentOut], error) {
	return s.sees(ctx).contest(ctx, in.ID, in.Body.Text)
}

type confirmIn struct {
	ID   string `path:"id"`
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key of the same person is answered as the first time, for 7 days"`
	Body struct {
		Report string `json:"report,omitempty" maxLength:"256" doc:"Id of the report whose reporter says so; without it your own agency says so"`
		Text   string `json:"text,omitempty" maxLength:"2000"`
	}
}

// confirmIncident keeps somebody's word that an incident is over.
func (s *server) confirmIncident(ctx context.Context, in *confirmIn) (*body[incidentOut], error) {
	c := incident.Confirmation{Report: in.Body.Report, Agency: actor(ctx).Agency, Text: in.Body.Text}
	return s.sees(ctx).edited(ctx, in.ID, in.Key, c, "incident.confirmed", in.Body.Text, access.ActIncidents, func(one *incident.Incident, who string, now time.Time) (incident.Incident, error) {
		return one.Confirm(c, who, now)
	})
}
