package store

import (
	"context"
	"fmt"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/geo"
)

// second notes that a unit is on scene where one of another agency was too: two agencies have seen it.
func (s *Store) second(ctx context.Context, in *incident.Incident, d *dispatch.Dispatch) error {
	if d.Status != dispatch.OnScene {
		return nil
	}
	docs, err := s.dispatchesOf(ctx, in.Dispatches)
	for _, k := range docs {
		if o := k.doc; o.ID != d.ID && o.Agency != d.Agency && !o.Times.OnScene.IsZero() {
			in.Prove(incident.Proven{Kind: incident.SecondAgency, Ref: d.ID, At: d.Since()})
			break
		}
	}
	return err
}

// Amend corrects an incident. may is asked of it as it is and, where somebody may do that, as it would be. Errors: as Edit.
func (s *Store) Amend(ctx context.Context, id string, a incident.Amendment, who audit.Actor, may func(*incident.Incident) error) (incident.Incident, error) {
	area := func(p geo.Position) string { return s.areaOf(&p) }
	c := changing{id: id, action: "incident.edited", last: true, who: who}
	return s.change(ctx, c, may, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		out, err := in.Amend(a, area, s.terms, who.Subject, now)
		if err == nil {
			err = may(&out)
		}
		return out, err
	})
}

// Affirm keeps the word of a report's reporter that an incident is over, once while it is awaited. Errors: as Edit; incident.ErrNotAllowed where it is not.
func (s *Store) Affirm(ctx context.Context, id, report string, who audit.Actor) (incident.Incident, error) {
	c := changing{id: id, action: "incident.confirmed", who: who}
	anybody := func(*incident.Incident) error { return nil }
	return s.change(ctx, c, anybody, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		if !in.Awaits(report) {
			return incident.Incident{}, fmt.Errorf("%w: the word of this reporter is not awaited", incident.ErrNotAllowed)
		}
		return in.Confirm(incident.Confirmation{Report: report}, who.Subject, now)
	})
}

// Contest keeps a citizen's word that an incident is not over; accept tells, of the incident as it is, whether whoever enters it may open it again,
// which is then done in the same step. Errors: as Edit.
func (s *Store) Contest(ctx context.Context, id string, what incident.Contesting, who audit.Actor, may func(*incident.Incident) error, accept func(*incident.Incident) bool) (incident.Incident, error) {
	c := changing{id: id, action: "incident.disputed", reason: what.Text, who: who}
	return s.change(ctx, c, may, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		return in.Contest(what, accept(in), who.Subject, now)
	})
}
