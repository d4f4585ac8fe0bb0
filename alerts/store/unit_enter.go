package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"kentongan/alerts/audit"
	"kentongan/alerts/unit"
	"kentongan/geo/moment"
)

// Entry is what somebody says of one unit of a roster: of a unit that is there, only what is said changes.
type Entry struct {
	Agency, CallSign string
	unit.Edit
}

// ID is the unit's identity.
func (e *Entry) ID() string { return unit.ID(e.Agency, e.CallSign) }

// Fault is what is wrong with one entry; Cause is unit.ErrInvalid, *UnitConflict, or of may.
type Fault struct {
	Entry int // which, from 0
	Cause error
}

// Entered is what entries have come to, or would come to.
type Entered struct {
	Units                       []unit.Unit // as they are then, in the order of the entries
	Created, Changed, Unchanged int
	Faults                      []Fault // where there are any, nothing is written
}

// Entering is how units are entered.
type Entering struct {
	Known func(capability string) bool
	May   func(*unit.Unit) error // asked of each unit as it is, of a new one as it would be
	Fresh bool                   // a unit that is there already is a fault
	Dry   bool                   // nothing is written
}

// EnterUnits makes and changes units in one step: all of them, or where one entry is at fault none. Errors: feeds.ErrBusy; what is wrong with
// entries stands in Faults.
func (s *Store) EnterUnits(ctx context.Context, entries []Entry, how Entering, who audit.Actor) (out Entered, err error) {
	ids := make([]string, len(entries))
	for i := range entries {
		ids[i] = entries[i].ID()
	}
	err = s.retry(ctx, func() error {
		known, err := s.unitsByID(ctx, ids)
		if err != nil {
			return err
		}
		out = Entered{Units: []unit.Unit{}}
		st, changed := s.newStep(s.now()), []string{}
		for i := range entries {
			k, there := known[ids[i]]
			was := k.doc.Version
			if err := s.legible(s.keys.Unit(ids[i])); err != nil && !there {
				out.Faults = append(out.Faults, Fault{i, err})
				continue
			}
			next, err := s.entered(&entries[i], k, how)
			if err != nil {
				out.Faults = append(out.Faults, Fault{i, err})
				continue
			}
			out.Units = append(out.Units, next)
			switch {
			case k.rev == "":
				out.Created++
			case next.Version == was:
				out.Unchanged++
				continue
			default:
				out.Changed++
			}
			changed = append(changed, ids[i])
			if err := s.putUnit(st, k.rev, &next, k.own); err != nil {
				return err
			}
			k.doc = next
			known[ids[i]] = k
		}
		if how.Dry || len(out.Faults) > 0 || len(changed) == 0 {
			return nil
		}
		action, object := "unit.imported", "units"
		if len(entries) == 1 {
			action, object = "unit.entered", "unit:"+ids[0]
		}
		if err := st.audited(who, action, object, "", nil, changed); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}

// entered is the unit after an entry, under the version that it had where nothing changes.
func (s *Store) entered(e *Entry, k kept[unit.Unit], how Entering) (unit.Unit, error) {
	now := s.now()
	if k.rev == "" {
		fresh, err := unit.Draft{Agency: e.Agency, CallSign: e.CallSign}.Unit(how.Known, now)
		if err == nil {
			fresh, err = fresh.Apply(e.Edit, how.Known, now)
		}
		if err != nil {
			return fresh, err
		}
		return fresh, how.May(&fresh)
	}
	if err := how.May(&k.doc); err != nil {
		return k.doc, err
	}
	if how.Fresh {
		return k.doc, &UnitConflict{Current: k.doc, Cause: fmt.Errorf("%w: there is one of that call sign already", unit.ErrNotAllowed)}
	}
	next, err := k.doc.Apply(e.Edit, how.Known, now)
	if err != nil {
		if errors.Is(err, unit.ErrNotAllowed) || errors.Is(err, unit.ErrStale) {
			err = &UnitConflict{Current: k.doc, Cause: err}
		}
		return next, err
	}
	same := k.doc.Clone()
	same.Version, same.StatusAt = next.Version, next.StatusAt
	if reflect.DeepEqual(same, next) {
		return k.doc, nil
	}
	return next, nil
}

func (s *Store) unitsByID(ctx context.Context, ids []string) (map[string]kept[unit.Unit], error) {
	docs, err := s.unitsOf(ctx, ids)
	out := make(map[string]kept[unit.Unit], len(docs))
	for _, k := range docs {
		out[k.doc.ID] = k
	}
	return out, err
}

// ImportUnits takes a profile's roster in, in one step: what is there keeps its status, crew and dispatch, and what a person has edited since
// the profile last changed. It counts what has changed; told the same roster again it changes nothing. Errors: feeds.ErrBusy.
func (s *Store) ImportUnits(ctx context.Context, roster []unit.Unit, who audit.Actor) (n int, err error) {
	ids := make([]string, len(roster))
	for i := range roster {
		ids[i] = roster[i].ID
	}
	err = s.retry(ctx, func() error {
		known, err := s.unitsByID(ctx, ids)
		if err != nil {
			return err
		}
		now := s.now()
		st := s.newStep(now)
		changed := []string{}
		for _, u := range roster {
			said, err := audit.Hash([]any{u.Name, u.Capabilities, u.Post, u.Example})
			if err != nil {
				return err
			}
			k, there := known[u.ID]
			if !there && s.unread.has(s.keys.Unit(u.ID)) || there && k.own.Roster == said {
				continue
			}
			out := u.Clone()
			out.Version, out.StatusAt = 1, moment.Of(now)
			if there {
				out = k.doc.Clone()
				out.Name, out.Capabilities, out.Post, out.Example, out.Version = u.Name, u.Capabilities, u.Post, u.Example, out.Version+1
			}
			k.own.Roster = said
			if err := s.putUnit(st, k.rev, &out, k.own); err != nil {
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
