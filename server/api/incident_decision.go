package api

import (
	"context"
	"strings"
	"time"

	"kentongan/alerts/incident"
	"kentongan/server/access"
)

type decisionIn struct {
	ID   string `path:"id"`
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key of the same person is answered as the first time, for 7 days"`
	Body struct {
		As      string `json:"as" enum:"watch,field_check,upgrade,no_action" doc:"watch: no unit is sent; field_check: a unit goes and looks; upgrade: another type or severity is needed; no_action: nothing needs doing"`
		Note    string `json:"note,omitempty" maxLength:"4000"`
		Version int    `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session"`
	}
}

func (s *server) decideIncident(ctx context.Context, in *decisionIn) (*body[incidentOut], error) {
	named, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	d := incident.Deciding{As: in.Body.As, Note: strings.TrimSpace(in.Body.Note), Version: named}
	said := in.Body
	said.Version = 0 // who asks again may have seen another
	return s.sees(ctx).edited(ctx, in.ID, in.Key, said, "incident.decided", strings.TrimSpace(d.As+" "+d.Note), access.AcknowledgeIncident, func(one *incident.Incident, who string, now time.Time) (incident.Incident, error) {
		return one.Decide(d, who, now)
	})
}

func listDecisions(context.Context, *struct{}) (*body[List[incident.DecisionKind]], error) {
	return listOf(incident.Decisions, ""), nil
}
