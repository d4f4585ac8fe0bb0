package store

import (
	"context"
	"errors"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
)

// clockwork is who acts where nobody does: the house, by its clock and its rules.
var clockwork = audit.Actor{Subject: "house:dispatch"}

// Proposing gives the unit to ask next for an incident, without those that were asked; empty: there is none. It sends nobody.
type Proposing func(ctx context.Context, in *incident.Incident, without []string) (unit string, err error)

// dispatchReader lets offers run out and recalls the units of what is over.
type dispatchReader struct {
	s       *Store
	propose Proposing
	seen    func(unit.Unit) time.Time
}

// DispatchReader makes the reader "dispatch". Propose may be nil: then nobody is proposed. Seen is when a tracker told last where a unit is,
// zero: never; it may be nil.
func (s *Store) DispatchReader(propose Proposing, seen func(unit.Unit) time.Time) Reader {
	if seen == nil {
		seen = func(unit.Unit) time.Time { return time.Time{} }
	}
	return &dispatchReader{s, propose, seen}
}

// Name implements Reader.
func (r *dispatchReader) Name() string { return "dispatch" }

// Take recalls the units of every incident that was cancelled, resolved or closed. Each recall is a step of its own that finds nothing to do
// when it is done again, so the checkpoint needs to move with none.
func (r *dispatchReader) Take(ctx context.Context, changes []Change) error {
	for i := range changes {
		if changes[i].Type != "incident" {
			continue
		}
		in, ok := readable[incident.Incident](r.s, r.Name(), &changes[i])
		if !ok || in.TakesUnits() || len(in.Dispatches) == 0 {
			continue
		}
		now, err := r.s.Incident(ctx, in.ID)
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrUnreadable) || err == nil && now.TakesUnits() { // opened again meanwhile
			continue
		}
		if err != nil {
			return err
		}
		if err := r.recall(ctx, &now); err != nil {
			return err
		}
	}
	return nil
}

func (r *dispatchReader) recall(ctx context.Context, in *incident.Incident) error {
	bound, err := r.s.UnitsOn(ctx, in)
	if err != nil {
		return err
	}
	for _, d := range bound {
		act := dispatch.Act{To: dispatch.Cancelled, Reason: "incident_" + string(in.Status)}
		if d.Status == dispatch.OnScene && in.Status != incident.Cancelled {
			act = dispatch.Act{To: dispatch.Done}
		}
		_, err := r.s.Move(ctx, d.ID, act, "", clockwork, func(*dispatch.Dispatch) error { return nil })
		var late *DispatchConflict
		if errors.Is(err, ErrUnreadable) { // it, or its unit: all others are recalled
			r.s.log.Error().Err(err).Str("dispatch", d.ID).Msg("a unit is not recalled")
			continue
		}
		if err != nil && !errors.As(err, &late) && !errors.Is(err, ErrNoDispatch) { // late: its crew has ended it first
			return err
		}
	}
	return nil
}

// Tick lets offers run out, and proposes whom to ask next: to the dispatcher, from the second failure on to the supervisor. It asks for the
// units on scene that are silent.
func (r *dispatchReader) Tick(ctx context.Context, now time.Time) error {
	open, err := r.s.openDispatches(ctx)
	if err != nil {
		return err
	}
	var there []string
	for _, k := range open {
		if k.doc.Status == dispatch.OnScene {
			there = append(there, k.doc.Unit)
		}
		out, due := k.doc.Expire(now)
		if !due {
			continue
		}
		if out.Next, err = r.next(ctx, &out); err != nil {
			return err
		}
		err := r.s.advance(ctx, k, out, clockwork, "")
		if err != nil && !errors.Is(err, errConflict) && !errors.Is(err, ErrUnreadable) { // a conflict: it has been answered; what cannot be read is tried again
			return err
		}
	}
	return r.s.rollCall(ctx, there, r.seen)
}

func (r *dispatchReader) next(ctx context.Context, d *dispatch.Dispatch) (*dispatch.Next, error) {
	in, found, err := r.s.standsFor(ctx, d.Incident)
	if err != nil || !found || !in.doc.TakesUnits() {
		return nil, err
	}
	docs, err := r.s.dispatchesOf(ctx, in.doc.Dispatches)
	if err != nil {
		return nil, err
	}
	asked, failed := []string{}, 0
	for _, k := range docs {
		asked = append(asked, k.doc.Unit)
		if k.doc.Status.Failed() {
			failed++
		}
	}
	n := &dispatch.Next{To: "dispatcher"}
	if failed > 0 {
		n.To = "supervisor"
	}
	if r.propose != nil {
		if n.Unit, err = r.propose(ctx, &in.doc, asked); errors.Is(err, ErrUnreadable) { // nobody is proposed; the offer runs out all the same
			return n, nil
		}
	}
	return n, err
}
