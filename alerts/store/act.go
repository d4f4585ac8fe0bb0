package store

import (
	"context"
	"errors"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/geo/moment"
)

// Transition does an act on an incident. Errors: ErrNotFound, *Conflict, incident.ErrInvalid, incident.ErrSeparation, feeds.ErrBusy.
func (s *Store) Transition(ctx context.Context, id string, act incident.Act, who audit.Actor) (incident.Incident, error) {
	return s.TransitionIf(ctx, id, act, who, func(*incident.Incident) error { return nil })
}

// TransitionIf is Transition where may allows it. It is asked of the very revision that the act changes, so that what was judged is what
// is done; its error comes back as it is.
func (s *Store) TransitionIf(ctx context.Context, id string, act incident.Act, who audit.Actor, may func(*incident.Incident) error) (incident.Incident, error) {
	var out incident.Incident
	err := s.retry(ctx, func() error {
		k, err := s.incidentOf(ctx, id)
		if err != nil {
			return err
		}
		if err := may(&k.doc); err != nil {
			return err
		}
		now := s.now()
		out, err = k.doc.Apply(act, who.Subject, now)
		if errors.Is(err, incident.ErrStale) || errors.Is(err, incident.ErrNotAllowed) {
			return &Conflict{Current: k.doc, Allowed: k.doc.Allowed(who.Subject, now), Cause: err}
		}
		if err != nil {
			return err
		}
		st := s.newStep(now)
		if err := s.putIncident(st, k.rev, &out); err != nil {
			return err
		}
		reason := out.Timeline[len(out.Timeline)-1].Note
		if err := st.audited(who, "incident."+string(act.To), "incident:"+id, reason, k.doc, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	if err != nil {
		return incident.Incident{}, err
	}
	return out, nil
}

// Create opens an incident that a person reports; it joins no other.
func (s *Store) Create(ctx context.Context, d incident.Draft, who audit.Actor) (incident.Incident, error) {
	if err := d.Validate(); err != nil {
		return incident.Incident{}, err
	}
	var in incident.Incident
	id := ulid.Make().String()
	err := s.retry(ctx, func() error {
		now := s.now()
		st := s.newStep(now)
		at := d.Position()
		area := s.areaOf(at)
		title := d.Title
		if title == "" {
			t, _ := incident.TypeOf(d.Type) // Validate has found it
			title = titled(t.ID, area)
		}
		st.check("rev", s.keys.Incident(id), "", "")
		last, err := s.lastNumber(ctx, now, false)
		if err != nil {
			return err
		}
		number, err := s.number(st, last, now, false)
		if err != nil {
			return err
		}
		in, err = incident.Open(incident.Opening{
			ID: id, Number: number, Type: d.Type, Title: title, Severity: d.Severity, Position: at, AreaName: area, At: now,
			Actor: who.Subject, Note: d.Note, Why: incident.Why{Person: who.Subject},
			Evidence: []incident.Evidence{{Kind: "note", Ref: who.Subject, Reason: "reported by a person", Text: d.Note, Weight: 1, At: moment.Of(now)}},
		})
		if err != nil {
			return err
		}
		if err := s.putIncident(st, "", &in); err != nil {
			return err
		}
		if err := st.audited(who, "incident.opened", "incident:"+id, d.Note, nil, in); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	if err != nil {
		return incident.Incident{}, err
	}
	return in, nil
}
