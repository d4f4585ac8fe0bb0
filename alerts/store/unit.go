package store

import (
	"context"
	"errors"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/unit"
)

// ErrNoUnit means that there is no unit of that id: 404.
var ErrNoUnit = errors.New("there is no such unit")

// UnitConflict is a change of a unit that came too late, or that it does not allow now: 409. By is the dispatch that has it, where one does.
type UnitConflict struct {
	Current unit.Unit
	By      *dispatch.Dispatch
	Cause   error
}

func (c *UnitConflict) Error() string { return c.Cause.Error() }
func (c *UnitConflict) Unwrap() error { return c.Cause }

// unitDoc is the stored form, version 1.
type unitDoc struct {
	V int `json:"v"`
	unit.Unit
}

func (s *Store) unitForm() form[unit.Unit] {
	return formOf(s.keys.Unit, func(d *unitDoc) (unit.Unit, string) { return d.Unit.Clone(), d.ID }) // with lists where an older document has none
}

func (s *Store) unitsOf(ctx context.Context, ids []string) ([]kept[unit.Unit], error) {
	return load(ctx, s, s.unitForm(), ids)
}

func (s *Store) unitOf(ctx context.Context, id string) (kept[unit.Unit], error) {
	return loadOne(ctx, s, s.unitForm(), id, ErrNoUnit)
}

// putUnit writes a unit into the step, and tells it.
func (s *Store) putUnit(st *step, rev string, u *unit.Unit, own origin) error {
	doc, err := marshal(unitDoc{1, *u})
	if err != nil {
		return err
	}
	inside, err := marshal(own)
	if err != nil {
		return err
	}
	key := s.keys.Unit(u.ID)
	st.check("rev", key, "", rev)
	st.doc(key, nextRev(rev), doc, string(inside), own.Salt)
	if rev == "" {
		st.write("sadd", s.keys.Units(), u.ID)
	}
	st.event("unit", u.ID, doc)
	return nil
}

// Unit by id; ErrNoUnit.
func (s *Store) Unit(ctx context.Context, id string) (unit.Unit, error) {
	k, err := s.unitOf(ctx, id)
	return k.doc, err
}

// EditUnit changes what a unit says of itself, or its status between dispatches; may is asked of the very revision that changes. Errors:
// ErrNoUnit, *UnitConflict, unit.ErrInvalid, feeds.ErrBusy, of may.
func (s *Store) EditUnit(ctx context.Context, id string, e unit.Edit, known func(capability string) bool, who audit.Actor, may func(*unit.Unit) error) (unit.Unit, error) {
	return s.changeUnit(ctx, id, "unit.edited", e.Reason, who, may, func(_ *step, u *unit.Unit, now time.Time) (unit.Unit, error) { return u.Apply(e, known, now) })
}
