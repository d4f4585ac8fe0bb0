package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/unit"
	"kentongan/geo/moment"
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

func (s *Store) unitsOf(ctx context.Context, ids []string) ([]kept[unit.Unit], error) {
	return load(ctx, s.rdb, ids, s.keys.Unit, func(b []byte) (unit.Unit, error) {
		var d unitDoc
		err := json.Unmarshal(b, &d)
		return d.Unit, err
	})
}

func (s *Store) unitOf(ctx context.Context, id string) (kept[unit.Unit], error) {
	list, err := s.unitsOf(ctx, []string{id})
	if err != nil {
		return kept[unit.Unit]{}, err
	}
	if len(list) == 0 {
		return kept[unit.Unit]{}, fmt.Errorf("%w: %.80q", ErrNoUnit, id)
	}
	return list[0], nil
}

// putUnit writes a unit into the step, and tells it.
func (s *Store) putUnit(st *step, rev string, u *unit.Unit) error {
	doc, err := marshal(unitDoc{1, *u})
	if err != nil {
		return err
	}
	key := s.keys.Unit(u.ID)
	st.check("rev", key, "", rev)
	st.write("doc", key, nextRev(rev), string(doc), "")
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

// Units is the whole roster, by id.
func (s *Store) Units(ctx context.Context) ([]unit.Unit, error) {
	list := []unit.Unit{}
	err := s.walkSet(ctx, s.keys.Units(), func(ids []string) (bool, error) {
		docs, err := s.unitsOf(ctx, ids)
		for _, k := range docs {
			list = append(list, k.doc)
		}
		return true, err
	})
	slices.SortFunc(list, func(a, b unit.Unit) int { return strings.Compare(a.ID, b.ID) })
	return list, err
}

// AddUnit takes a unit that a Draft made into the roster; one that is there keeps its status, crew and dispatch, and takes on what else the
// draft says. It tells whether anything has changed. Errors: feeds.ErrBusy.
func (s *Store) AddUnit(ctx context.Context, u unit.Unit, who audit.Actor) (out unit.Unit, changed bool, err error) {
	err = s.retry(ctx, func() error {
		now := s.now()
		k, err := s.unitOf(ctx, u.ID)
		action, before := "unit.edited", any(k.doc)
		switch {
		case errors.Is(err, ErrNoUnit):
			out, action, before = u.Clone(), "unit.added", nil
			out.Version, out.StatusAt = 1, moment.Of(now)
		case err != nil:
			return err
		default:
			out = k.doc.Clone()
			if out.Name == u.Name && slices.Equal(out.Capabilities, u.Capabilities) && samePost(out.Post, u.Post) && out.Example == u.Example && (len(u.Crew) == 0 || slices.Equal(out.Crew, u.Crew)) {
				changed = false
				return nil
			}
			out.Name, out.Capabilities, out.Post, out.Example, out.Version = u.Name, u.Capabilities, u.Post, u.Example, out.Version+1
			if len(u.Crew) > 0 {
				out.Crew = u.Crew
			}
		}
		changed = true
		st := s.newStep(now)
		if err := s.putUnit(st, k.rev, &out); err != nil {
			return err
		}
		if err := st.audited(who, action, "unit:"+u.ID, "", before, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, changed, err
}

func samePost(a, b *unit.Post) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// EditUnit changes what a unit says of itself, or its status between dispatches. Errors: ErrNoUnit, *UnitConflict, unit.ErrInvalid, feeds.ErrBusy.
func (s *Store) EditUnit(ctx context.Context, id string, e unit.Edit, known func(capability string) bool, who audit.Actor) (unit.Unit, error) {
	return s.changeUnit(ctx, id, "unit.edited", e.Reason, who, func(u *unit.Unit) (unit.Unit, error) { return u.Apply(e, known, s.now()) })
}

// Panic notes that a unit calls for help; it stands until ClearPanic. Repeated it changes nothing. Errors: ErrNoUnit, feeds.ErrBusy.
func (s *Store) Panic(ctx context.Context, id string, p unit.Panic, who audit.Actor) (unit.Unit, error) {
	return s.changeUnit(ctx, id, "unit.panic", "", who, func(u *unit.Unit) (unit.Unit, error) {
		out := u.Clone()
		if out.Panic == nil {
			out.Panic, out.Version = &p, out.Version+1
		}
		return out, nil
	})
}

// ClearPanic ends a unit's call for help. Errors: ErrNoUnit, feeds.ErrBusy.
func (s *Store) ClearPanic(ctx context.Context, id, reason string, who audit.Actor) (unit.Unit, error) {
	return s.changeUnit(ctx, id, "unit.panic_cleared", reason, who, func(u *unit.Unit) (unit.Unit, error) {
		out := u.Clone()
		if out.Panic != nil {
			out.Panic, out.Version = nil, out.Version+1
		}
		return out, nil
	})
}

func (s *Store) changeUnit(ctx context.Context, id, action, reason string, who audit.Actor, change func(*unit.Unit) (unit.Unit, error)) (out unit.Unit, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.unitOf(ctx, id)
		if err != nil {
			return err
		}
		if out, err = change(&k.doc); errors.Is(err, unit.ErrStale) || errors.Is(err, unit.ErrNotAllowed) {
			return &UnitConflict{Current: k.doc, Cause: err}
		} else if err != nil {
			return err
		}
		if out.Version == k.doc.Version {
			return nil
		}
		st := s.newStep(s.now())
		if err := s.putUnit(st, k.rev, &out); err != nil {
			return err
		}
		if err := st.audited(who, action, "unit:"+id, reason, k.doc, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}

// ImportUnits takes a profile's roster in, in one step: what is there keeps its status, crew and dispatch. It counts what has changed; told
// the same roster again it changes nothing. Errors: feeds.ErrBusy.
func (s *Store) ImportUnits(ctx context.Context, roster []unit.Unit, who audit.Actor) (n int, err error) {
	err = s.retry(ctx, func() error {
		n = 0
		ids := make([]string, len(roster))
		for i := range roster {
			ids[i] = roster[i].ID
		}
		docs, err := s.unitsOf(ctx, ids)
		if err != nil {
			return err
		}
		known := map[string]kept[unit.Unit]{}
		for _, k := range docs {
			known[k.doc.ID] = k
		}
		now := s.now()
		st := s.newStep(now)
		var changed []string
		for _, u := range roster {
			k, there := known[u.ID]
			out := u.Clone()
			out.Version, out.StatusAt = 1, moment.Of(now)
			if there {
				if out = k.doc.Clone(); out.Name == u.Name && slices.Equal(out.Capabilities, u.Capabilities) && samePost(out.Post, u.Post) && out.Example == u.Example {
					continue
				}
				out.Name, out.Capabilities, out.Post, out.Example, out.Version = u.Name, u.Capabilities, u.Post, u.Example, out.Version+1
			}
			if err := s.putUnit(st, k.rev, &out); err != nil {
				return err
			}
			changed = append(changed, u.ID)
		}
		if n = len(changed); n == 0 {
			return nil
		}
		if err := st.audited(who, "unit.imported", "units", "", nil, changed); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return n, err
}
