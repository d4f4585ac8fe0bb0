package store

import (
	"context"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
)

// AskHandover asks another agency, or a neighbour, to lead an incident. known tells agencies and neighbours. Errors: as Edit.
func (s *Store) AskHandover(ctx context.Context, id string, h incident.HandingOver, known func(to string) bool, who audit.Actor, may func(*incident.Incident) error) (incident.Incident, error) {
	return s.change(ctx, changing{id: id, action: "incident.handover_asked", last: true, who: who}, may, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		return in.Ask(h, known, who.Subject, now)
	})
}

// AcceptHandover says yes: whoever was asked leads. Errors: as Edit, and incident.ErrOwnAnswer, incident.ErrNoNumber.
func (s *Store) AcceptHandover(ctx context.Context, id string, h incident.HandingOver, who audit.Actor, may func(*incident.Incident) error) (incident.Incident, error) {
	return s.change(ctx, changing{id: id, action: "incident.handover_accepted", last: true, who: who}, may, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		return in.Accept(h, who.Subject, now)
	})
}

// DeclineHandover says no, or takes the question back. Errors: as Edit.
func (s *Store) DeclineHandover(ctx context.Context, id string, h incident.HandingOver, who audit.Actor, may func(*incident.Incident) error) (incident.Incident, error) {
	return s.change(ctx, changing{id: id, action: "incident.handover_declined", last: true, who: who}, may, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		return in.Decline(h, who.Subject, now)
	})
}
