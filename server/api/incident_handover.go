package api

import (
	"context"

	"kentongan/alerts/incident"
)

type handoverIn struct {
	ID   string `path:"id"`
	Body struct {
		To      string `json:"to" minLength:"1" maxLength:"80" doc:"Slug of an agency, or neighbour:NAME"`
		Note    string `json:"note,omitempty" maxLength:"4000"`
		Version int    `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session"`
	}
}

func (s *server) handoverIncident(ctx context.Context, in *handoverIn) (*body[incidentOut], error) {
	v, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	return s.sees(ctx).askHandover(ctx, in.ID, incident.HandingOver{To: in.Body.To, Note: in.Body.Note, Version: v})
}

type handoverAnswerIn struct {
	ID   string `path:"id"`
	Body struct {
		Note       string `json:"note,omitempty" maxLength:"4000" doc:"Required from whoever declines what another asked"`
		ExternalID string `json:"external_id,omitempty" maxLength:"320" doc:"The agency's own number of the case; required of a neighbour"`
		Version    int    `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session"`
	}
}

func (s *server) acceptHandover(ctx context.Context, in *handoverAnswerIn) (*body[incidentOut], error) {
	v, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	return s.sees(ctx).acceptHandover(ctx, in.ID, incident.HandingOver{Note: in.Body.Note, ExternalID: in.Body.ExternalID, Version: v})
}

func (s *server) declineHandover(ctx context.Context, in *handoverAnswerIn) (*body[incidentOut], error) {
	v, err := version(ctx, in.Body.Version)
	if err != nil {
		return nil, err
	}
	return s.sees(ctx).declineHandover(ctx, in.ID, incident.HandingOver{Note: in.Body.Note, Version: v})
}
