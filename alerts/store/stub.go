package store

import (
	"context"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds"
)

// PutAgencyAlert takes an agency's message.
func (s *Store) PutAgencyAlert(ctx context.Context, in feeds.Alert, m feeds.Meta) (Result, error) {
	return Result{}, feeds.ErrBusy
}

// Fire stores that a rule begins to fire on a Thing.
func (s *Store) Fire(ctx context.Context, f Firing) error { return feeds.ErrBusy }

// Clear stores that a rule has cleared on a Thing.
func (s *Store) Clear(ctx context.Context, f Firing) error { return feeds.ErrBusy }

// Transition does an act on an incident.
func (s *Store) Transition(ctx context.Context, id string, act incident.Act, who audit.Actor) (incident.Incident, error) {
	return incident.Incident{}, feeds.ErrBusy
}

// Create opens an incident that a person reports.
func (s *Store) Create(ctx context.Context, d incident.Draft, who audit.Actor) (incident.Incident, error) {
	return incident.Incident{}, feeds.ErrBusy
}

// ExpireAlerts ends the alerts whose time has passed, and counts them.
func (s *Store) ExpireAlerts(ctx context.Context, now time.Time) (int, error) { return 0, feeds.ErrBusy }
