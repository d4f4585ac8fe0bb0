package store

import (
	"context"
	"errors"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/unit"
)

// AnswerRollCall notes that a crew is well. Errors as EditUnit.
func (s *Store) AnswerRollCall(ctx context.Context, id string, who audit.Actor, may func(*unit.Unit) error) (unit.Unit, error) {
	return s.changeUnit(ctx, id, "unit.answered", "", who, may, func(_ *step, u *unit.Unit, now time.Time) (unit.Unit, error) { return u.Answered(now), nil })
}

// changeUnit does one act on a unit, with whatever it writes besides, in one step.
func (s *Store) changeUnit(ctx context.Context, id, action, reason string, who audit.Actor, may func(*unit.Unit) error, change func(*step, *unit.Unit, time.Time) (unit.Unit, error)) (out unit.Unit, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.unitOf(ctx, id)
		if err != nil {
			return err
		}
		if err := may(&k.doc); err != nil {
			return err
		}
		now := s.now()
		st := s.newStep(now)
		if out, err = change(st, &k.doc, now); errors.Is(err, unit.ErrStale) || errors.Is(err, unit.ErrNotAllowed) {
			return &UnitConflict{Current: k.doc, Cause: err}
		} else if err != nil {
			return err
		}
		if out.Version == k.doc.Version { // done before
			return nil
		}
		if err := s.putUnit(st, k.rev, &out, k.own); err != nil {
			return err
		}
		if err := st.audited(who, action, "unit:"+id, reason, k.doc, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}
