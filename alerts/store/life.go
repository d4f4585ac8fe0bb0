package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Where gives the last place of a unit, and when it was there; false: nobody knows.
type Where func(u unit.Unit) (geo.Position, time.Time, bool)

// clockman is who acts where only time has passed.
var clockman = audit.Actor{Subject: "house:clock"}

// lostAfter is how old a unit's place may be before it proves nothing ("hilang sinyal", domain.md section 5).
const lostAfter = 10 * time.Minute

// lifeReader ends holds, notes missed steps of the service, closes what is minor and proved, and notes units that are where they were sent. Of every
// open incident it remembers when the clock will change something of it, so that a tick costs nothing while nothing is due.
type lifeReader struct {
	s      *Store
	where  Where
	due    map[string]moment.Time // incident -> when
	scenes map[string]string      // dispatch that is on scene -> its incident
}

// LifeReader makes the reader "life". Where may be nil: then no unit is known to be anywhere.
func (s *Store) LifeReader(where Where) Reader {
	return &lifeReader{s: s, where: where, due: map[string]moment.Time{}, scenes: map[string]string{}}
}

// Name implements Reader.
func (r *lifeReader) Name() string { return "life" }

// Start implements Starter: it looks at everything that is open, wherever its checkpoint is.
func (r *lifeReader) Start(ctx context.Context, offset int64, open *Open) error {
	list, err := r.s.open(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		r.look(&list[i].doc)
	}
	bound, err := r.s.openDispatches(ctx)
	for i := range bound {
		r.arrive(&bound[i].doc)
	}
	return err
}

// Take follows incidents and dispatches.
func (r *lifeReader) Take(_ context.Context, changes []Change) error {
	for i := range changes {
		switch changes[i].Type {
		case "incident":
			if in, ok := readable[incident.Incident](r.s, r.Name(), &changes[i]); ok {
				r.look(in)
			}
		case "dispatch":
			if d, ok := readable[dispatch.Dispatch](r.s, r.Name(), &changes[i]); ok {
				r.arrive(d)
			}
		}
	}
	return nil
}

func (r *lifeReader) look(in *incident.Incident) {
	if next := in.NextDue(); next.IsZero() {
		delete(r.due, in.ID)
	} else {
		r.due[in.ID] = next
	}
}

func (r *lifeReader) arrive(d *dispatch.Dispatch) {
	if d.Status == dispatch.OnScene {
		r.scenes[d.ID] = d.Incident
	} else {
		delete(r.scenes, d.ID)
	}
}

// Tick does what is due. Each change is a step of its own that rests on what the incident was: done again it finds nothing to do, and where
// somebody else changed the incident meanwhile the next tick looks again.
func (r *lifeReader) Tick(ctx context.Context, now time.Time) error {
	for id, at := range r.due {
		if at.After(now) {
			continue
		}
		next, err := r.s.passTime(ctx, id, now)
		if errors.Is(err, errConflict) {
			continue
		}
		if err != nil {
			return err
		}
		if next.IsZero() {
			delete(r.due, id)
		} else {
			r.due[id] = next
		}
	}
	return r.witness(ctx, now)
}

// passTime changes an incident by what the clock alone changes, one act after the other, and tells when it does so next.
func (s *Store) passTime(ctx context.Context, id string, now time.Time) (next moment.Time, err error) {
	list, err := s.incidentsOf(ctx, []string{id})
	if err != nil || len(list) == 0 {
		return next, err
	}
	k := list[0]
	for _, change := range []struct {
		action string
		by     func(in *incident.Incident) (incident.Incident, bool)
	}{
		{"incident.resumed", func(in *incident.Incident) (incident.Incident, bool) { return in.HoldOver(clockman.Subject, now) }},
		{"incident.sla_missed", func(in *incident.Incident) (incident.Incident, bool) { return in.Missing(clockman.Subject, now) }},
		{"incident.handover_late", func(in *incident.Incident) (incident.Incident, bool) { return in.HandoverLate(clockman.Subject, now) }},
		{"incident.closed", func(in *incident.Incident) (incident.Incident, bool) { return in.Close(clockman.Subject, now) }},
	} {
		out, changed := change.by(&k.doc)
		if !changed {
			continue
		}
		st := s.newStep(now)
		if err := s.putIncident(st, k.rev, &out); err != nil {
			return next, err
		}
		if err := st.audited(clockman, change.action, "incident:"+id, out.Timeline[len(out.Timeline)-1].Note, k.doc, out); err != nil {
			return next, err
		}
		if err := s.run(ctx, st); err != nil {
			return next, err
		}
		k.doc, k.rev = out, nextRev(k.rev)
	}
	return k.doc.NextDue(), nil
}

// witness notes units on scene that are seen there: their last place lies in the incident's cell of the matching resolution, or the ring around it.
func (r *lifeReader) witness(ctx context.Context, now time.Time) error {
	if r.where == nil {
		return nil
	}
	for id, in := range r.scenes {
		d, err := r.s.dispatchOf(ctx, id)
		if errors.Is(err, ErrNoDispatch) || err == nil && d.doc.Status != dispatch.OnScene {
			delete(r.scenes, id)
			continue
		}
		if errors.Is(err, ErrUnreadable) {
			continue
		}
		if err != nil {
			return err
		}
		u, err := r.s.unitOf(ctx, d.doc.Unit)
		if errors.Is(err, ErrNoUnit) || errors.Is(err, ErrUnreadable) {
			continue
		}
		if err != nil {
			return err
		}
		at, seen, known := r.where(u.doc)
		if !known || now.Sub(seen) > lostAfter {
			continue
		}
		done, err := r.s.seenAt(ctx, in, &d.doc, at, now)
		if err != nil && !errors.Is(err, errConflict) {
			return err
		}
		if done {
			delete(r.scenes, id)
		}
	}
	return nil
}

// seenAt notes that the unit of a dispatch is where the incident is; false: it is not, or somebody else changed the incident meanwhile.
func (s *Store) seenAt(ctx context.Context, id string, d *dispatch.Dispatch, at geo.Position, now time.Time) (bool, error) {
	k, found, err := s.standsFor(ctx, id)
	if err != nil || !found || !k.doc.Status.Open() {
		return err == nil, err
	}
	if !near(&k.doc, at) {
		return false, nil
	}
	out := k.doc.Clone()
	if !out.Prove(incident.Proven{Kind: incident.UnitInCell, Ref: d.ID, At: moment.Of(now)}) {
		return true, nil
	}
	out.Remark(clockman.Subject, "proved", string(incident.UnitInCell)+": "+d.Unit, now)
	st := s.newStep(now)
	if err := s.putIncident(st, k.rev, &out); err != nil {
		return false, err
	}
	if err := st.audited(clockman, "incident.proved", "incident:"+k.doc.ID, string(incident.UnitInCell)+": "+d.Unit, k.doc, out); err != nil {
		return false, err
	}
	return true, s.run(ctx, st)
}

// near tells whether a place lies in the incident's cell of the matching resolution, or the ring around it (domain.md section 4).
func near(in *incident.Incident, at geo.Position) bool {
	p, placed := in.Position()
	if !placed {
		return false
	}
	mine, err := geo.CellAt(p, geo.ResMatch)
	if err != nil {
		return false
	}
	theirs, err := geo.CellAt(at, geo.ResMatch)
	if err != nil {
		return false
	}
	disk, err := mine.Disk(1)
	return err == nil && slices.Contains(disk, theirs)
}
