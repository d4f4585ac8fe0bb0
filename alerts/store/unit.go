package store

import (
	"context"
	"encoding/json"
	"errors"
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
	return single(list, err, ErrNoUnit, id)
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

func samePost(a, b *unit.Post) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// EditUnit changes what a unit says of itself, or its status between dispatches. Errors: ErrNoUnit, *UnitConflict, unit.ErrInvalid, feeds.ErrBusy.
func (s *Store) EditUnit(ctx context.Context, id string, e unit.Edit, known func(capability string) bool, who audit.Actor) (out unit.Unit, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.unitOf(ctx, id)
		if err != nil {
			return err
		}
		now := s.now()
		if out, err = k.doc.Apply(e, known, now); errors.Is(err, unit.ErrStale) || errors.Is(err, unit.ErrNotAllowed) {
			return &UnitConflict{Current: k.doc, Cause: err}
		} else if err != nil {
			return err
		}
		st := s.newStep(now)
		if err := s.putUnit(st, k.rev, &out); err != nil {
			return err
		}
		if err := st.audited(who, "unit.edited", "unit:"+id, e.Reason, k.doc, out); err != nil {
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
