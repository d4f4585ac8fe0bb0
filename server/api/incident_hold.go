package api

import (
	"context"
	"strings"
	"time"

	"kentongan/alerts/incident"
	"kentongan/server/access"
)

type holdIn struct {
	ID   string `path:"id"`
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key of the same person is answered as the first time, for 7 days"`
	Body struct {
		On      bool      `json:"on" doc:"false: work goes on"`
		Reason  string    `json:"reason,omitempty" enum:"unsafe_access,outside_party,no_resources,daylight,other" doc:"Required with on"`
		Until   time.Time `json:"until,omitzero" doc:"Required with on: within the next 24 h; it ends by itself then"`
		Note    string    `json:"note,omitempty" maxLength:"4000"`
		Version int       `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session"`
	}
}

func (s *server) holdIncident(ctx context.Context, in *holdIn) (*body[incidentOut], error) {
	named, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	h := incident.Holding{On: in.Body.On, Reason: in.Body.Reason, Until: in.Body.Until, Note: strings.TrimSpace(in.Body.Note), Version: named}
	action := "incident.resumed"
	if h.On {
		action = "incident.held"
	}
	said := in.Body
	said.Version = 0 // who asks again may have seen another
	return s.sees(ctx).edited(ctx, in.ID, in.Key, said, action, strings.TrimSpace(h.Reason+" "+h.Note), access.HoldIncident, func(one *incident.Incident, who string, now time.Time) (incident.Incident, error) {
		return one.Rest(h, who, now)
	})
}

func listHoldReasons(context.Context, *struct{}) (*body[List[incident.HoldReason]], error) {
	return listOf(incident.HoldReasons, ""), nil
}
