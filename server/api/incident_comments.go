package api

import (
	"context"
	"net/http"

	"kentongan/alerts/incident"
	"kentongan/server/access"
	"kentongan/server/scope"
)

// together are the acts of several who work one incident: what they say, what they enclose, and who leads.
func (s *server) together() {
	const one = "/api/v1/incidents/{id}"
	operation(s, about(access.CommentIncident, scope.NounIncident), "POST", one+"/comments", "comment-incident", "Say something of an incident to all who work it; leadership too, of what is grave; its version stays. Marks that turn the direction of writing are taken out", http.StatusCreated, s.commentIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/handover", "handover-incident", "Ask another agency, or neighbour:NAME, to lead; who leads goes on until it accepts. An answer is due in 5 min for class A, 10 for B, 30 for C and E, 24 h for D", http.StatusOK, s.handoverIncident)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/handover/accept", "accept-handover", "Take the lead over, for the agency that was asked; of a neighbour: enter its own number of the case", http.StatusOK, s.acceptHandover)
	operation(s, about(access.ActIncidents, scope.NounIncident), "POST", one+"/handover/decline", "decline-handover", "Say no, with a reason; whoever asked takes the question back by the same", http.StatusOK, s.declineHandover)
	s.attachments()
}

type commentIn struct {
	ID   string `path:"id"`
	Key  string `header:"Idempotency-Key" maxLength:"256" doc:"The same key of the same person is answered with the comment that is there"`
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"4000" doc:"At most 1,000 characters; an incident takes 200 comments"`
	}
}

func (s *server) commentIncident(ctx context.Context, in *commentIn) (*body[incident.Comment], error) {
	v := s.sees(ctx)
	said, err := v.comment(ctx, in.ID, in.Key, in.Body.Text)
	if err != nil {
		return nil, err
	}
	return &body[incident.Comment]{said}, nil
}
