package store

import (
	"context"
	"errors"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
)

// Both is what may is asked of: the incidents that an act touches, at the very revisions that it changes.
type Both func(in, other *incident.Incident) error

// Merge makes an incident part of another. Errors: ErrNotFound, *Conflict, incident.ErrInvalid, feeds.ErrBusy, and what may says.
func (s *Store) Merge(ctx context.Context, id, into string, version int, note string, who audit.Actor, may Both) (gone, stays incident.Incident, err error) {
	return s.pair(ctx, id, func(incident.Incident) string { return into }, "incident.merged", note, who, may, func(in, other *incident.Incident, now time.Time) (a, b incident.Incident, err error) {
		return incident.Merge(in, other, version, note, who.Subject, now)
	})
}

// Unmerge takes a merge back. Errors: as Merge, and incident.ErrNotMerged.
func (s *Store) Unmerge(ctx context.Context, id string, version int, note string, who audit.Actor, may Both) (back, stays incident.Incident, err error) {
	return s.pair(ctx, id, func(in incident.Incident) string { return in.MergedInto }, "incident.unmerged", note, who, may, func(in, other *incident.Incident, now time.Time) (a, b incident.Incident, err error) {
		return incident.Unmerge(in, other, version, note, who.Subject, now)
	})
}

// pair does an act on two incidents in one step.
func (s *Store) pair(ctx context.Context, id string, otherOf func(incident.Incident) string, action, note string, who audit.Actor, may Both,
	act func(in, other *incident.Incident, now time.Time) (a, b incident.Incident, err error),
) (a, b incident.Incident, err error) {
	err = s.retry(ctx, func() error {
		in, err := s.incidentOf(ctx, id)
		if err != nil {
			return err
		}
		to := otherOf(in.doc)
		if to == "" {
			if err := may(&in.doc, &in.doc); err != nil {
				return err
			}
			return s.conflict(&in.doc, who, s.now(), incident.ErrNotMerged)
		}
		other, err := s.incidentOf(ctx, to)
		if err != nil {
			return err
		}
		if err := may(&in.doc, &other.doc); err != nil {
			return err
		}
		now := s.now()
		if a, b, err = act(&in.doc, &other.doc, now); err != nil {
			return s.conflict(&in.doc, who, now, err)
		}
		st := s.newStep(now)
		if err := errors.Join(s.putIncident(st, in.rev, &a), s.putIncident(st, other.rev, &b)); err != nil {
			return err
		}
		s.unkeep(st, &in.doc, &a)
		s.unkeep(st, &other.doc, &b)
		if err := st.audited(who, action, "incident:"+id, "incident:"+to+": "+note, in.doc, a); err != nil {
			return err
		}
		if err := st.audited(who, action, "incident:"+to, "incident:"+id+": "+note, other.doc, b); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return a, b, err
}

// conflict says what an act met that came too late or is not allowed now.
func (s *Store) conflict(in *incident.Incident, who audit.Actor, now time.Time, err error) error {
	if errors.Is(err, incident.ErrUnproven) {
		return &Conflict{Current: *in, Allowed: in.Allowed(who.Subject, now), Missing: in.Unproven(who.Subject), Cause: err}
	}
	if errors.Is(err, incident.ErrStale) || errors.Is(err, incident.ErrNotAllowed) || errors.Is(err, incident.ErrNotMerged) {
		return &Conflict{Current: *in, Allowed: in.Allowed(who.Subject, now), Cause: err}
	}
	return err
}

// Split takes evidence out of an incident into a new one; the alerts among it, and those that stand on its Things, go with it. Errors: as Merge.
func (s *Store) Split(ctx context.Context, id string, how incident.Splitting, who audit.Actor, may func(*incident.Incident) error) (rest, part incident.Incident, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.incidentOf(ctx, id)
		if err != nil {
			return err
		}
		if err := may(&k.doc); err != nil {
			return err
		}
		now := s.now()
		how.AreaName, how.Terms = s.areaOf(how.Position), s.terms
		st := s.newStep(now)
		last, err := s.lastNumber(ctx, now, k.doc.Simulated)
		if err != nil {
			return err
		}
		number, err := s.number(st, last, now, k.doc.Simulated)
		if err != nil {
			return err
		}
		if rest, part, err = incident.Split(&k.doc, how, alerts.ID(now, "split\x00"+id+"\x00"+number), number, who.Subject, now); err != nil {
			return s.conflict(&k.doc, who, now, err)
		}
		if err := errors.Join(s.putIncident(st, k.rev, &rest), s.putIncident(st, "", &part)); err != nil {
			return err
		}
		if err := s.moveAlerts(ctx, st, id, &part, who); err != nil {
			return err
		}
		if err := st.audited(who, "incident.split", "incident:"+id, "incident:"+part.ID+": "+how.Note, k.doc, rest); err != nil {
			return err
		}
		if err := st.audited(who, "incident.opened", "incident:"+part.ID, "split from incident:"+id, nil, part); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return rest, part, err
}

// moveAlerts lets the alerts of evidence that left an incident tell the new one what becomes of them.
func (s *Store) moveAlerts(ctx context.Context, st *step, from string, part *incident.Incident, who audit.Actor) error {
	var ids []string
	for _, e := range part.Evidence {
		if e.Kind == "alert" {
			ids = append(ids, e.Ref)
		}
	}
	list, err := s.alertsOf(ctx, ids)
	if err != nil {
		return err
	}
	active, err := s.active(ctx)
	if err != nil {
		return err
	}
	for _, k := range active {
		if k.doc.Thing != "" && part.Evident(k.doc.Thing) {
			list = append(list, k)
		}
	}
	for _, k := range list {
		if k.doc.Incident == "" || st.index[s.keys.Alert(k.doc.ID)] != 0 {
			continue
		}
		if k.doc.Incident != from { // it came with an incident that was merged into this one
			of, found, err := s.standsFor(ctx, k.doc.Incident)
			if err != nil {
				return err
			}
			if !found || of.doc.ID != from {
				continue
			}
		}
		a := k.doc
		a.Incident, a.UpdatedAt = part.ID, st.now
		if err := s.putAlert(st, k.rev, &a, k.own, false); err != nil {
			return err
		}
		if err := st.audited(who, "alert.moved", "alert:"+a.ID, "incident:"+part.ID, k.doc, a); err != nil {
			return err
		}
	}
	return nil
}

// Edit changes an incident by an act of a person that is no transition, such as adding evidence. Errors: as Merge.
func (s *Store) Edit(ctx context.Context, id, action, reason string, who audit.Actor, may func(*incident.Incident) error, change func(in *incident.Incident, now time.Time) (incident.Incident, error)) (out incident.Incident, err error) {
	return s.EditOnce(ctx, id, "", nil, action, reason, who, may, change)
}

// EditOnce is Edit under an Idempotency-Key, where one is given: asked again by the same person it answers what it answered first, and does
// nothing. Said is all that they say with it. Errors besides: ErrKeyReused.
func (s *Store) EditOnce(ctx context.Context, id, key string, said any, action, reason string, who audit.Actor, may func(*incident.Incident) error, change func(in *incident.Incident, now time.Time) (incident.Incident, error)) (out incident.Incident, err error) {
	doc, err := marshal(said)
	if err != nil {
		return out, err
	}
	return s.change(ctx, changing{id: id, key: key, said: digest(string(doc)), action: action, reason: reason, who: who}, may, change)
}

// standsFor is the incident that one is part of by now: itself, where it was not merged. Of a chain it is the last.
func (s *Store) standsFor(ctx context.Context, id string) (kept[incident.Incident], bool, error) {
	for range 10 {
		list, err := s.incidentsOf(ctx, []string{id})
		if err != nil || len(list) == 0 {
			return kept[incident.Incident]{}, false, err
		}
		if list[0].doc.MergedInto == "" {
			return list[0], true, nil
		}
		id = list[0].doc.MergedInto
	}
	return kept[incident.Incident]{}, false, nil
}
