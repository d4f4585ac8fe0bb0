package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// AnswerRollCall notes that a crew is well. Errors as EditUnit.
func (s *Store) AnswerRollCall(ctx context.Context, id string, who audit.Actor, may func(*unit.Unit) error) (unit.Unit, error) {
	return s.changeUnit(ctx, id, "unit.answered", "", who, may, func(_ *step, u *unit.Unit, now time.Time) (unit.Unit, error) { return u.Answered(now), nil })
}

// Help is a crew's call for help.
type Help struct {
	At    time.Time     // zero: now
	Place *geo.Position // nil: as the unit's last place, which Last gives
	Last  *geo.Position // nil: not known
	Key   string        // Idempotency-Key; empty: none
}

// panicField of a unit's hash is the key of its last call for help: the one that is repeated where its answer was lost.
const panicField = "panic"

// CallForHelp sets a unit's panic, and joins the incident that it is on, or opens one that its own agency leads: all in one step. Where it
// calls already the first call stands, and its last call under the same key of the same person is not made again after it was cleared: a retried
// call is done once. Errors as EditUnit.
func (s *Store) CallForHelp(ctx context.Context, id string, h Help, who audit.Actor, may func(*unit.Unit) error) (unit.Unit, error) {
	opened := ulid.Make().String()
	return s.changeUnit(ctx, id, "unit.panic", "", who, may, func(st *step, u *unit.Unit, now time.Time) (unit.Unit, error) {
		if u.Panic != nil {
			return *u, nil
		}
		once := onceOf(h.Key, who)
		if once != "" {
			was, err := s.rdb.HGet(ctx, s.keys.Unit(id), panicField).Result()
			if err != nil && !errors.Is(err, redis.Nil) {
				return *u, fmt.Errorf("%w: the last call of unit %s: %w", feeds.ErrBusy, id, err)
			}
			if was == once {
				return *u, nil
			}
		}
		out, err := u.Call(who.Subject, h.At, h.Place, "", now)
		if err != nil {
			return out, err
		}
		st.write("hset", s.keys.Unit(id), panicField, once)
		out.Panic.Incident, err = s.helped(ctx, st, u, h, opened, who, now)
		return out, err
	})
}

// helped joins or opens the incident of a call for help, and gives its id as the unit may tell it.
func (s *Store) helped(ctx context.Context, st *step, u *unit.Unit, h Help, id string, who audit.Actor, now time.Time) (string, error) {
	if u.Dispatch != nil {
		d, err := s.dispatchOf(ctx, *u.Dispatch)
		if err != nil && !errors.Is(err, ErrNoDispatch) && !errors.Is(err, ErrUnreadable) { // where it is sent is not known: that keeps nobody from being helped
			return "", err
		}
		in, found, err := s.standsFor(ctx, d.doc.Incident)
		if err != nil {
			return "", err
		}
		if found && in.doc.TakesUnits() && !in.doc.Simulated { // whoever calls for help in an exercise calls for help
			next := in.doc.Clone()
			next.Remark(who.Subject, "panic", u.ID, now)
			return d.doc.Told(), s.putIncident(st, in.rev, &next)
		}
	}
	at := h.Place
	if at == nil {
		at = h.Last
	}
	area := s.areaOf(at)
	last, err := s.lastNumber(ctx, now, false)
	if err != nil {
		return "", err
	}
	number, err := s.number(st, last, now, false)
	if err != nil {
		return "", err
	}
	st.check("rev", s.keys.Incident(id), "", "")
	in, err := incident.Open(incident.Opening{ID: id, Number: number, Type: helpType, Title: titled("Darurat personel "+u.Name, area), Severity: cap.Extreme, Position: at, AreaName: area, At: now,
		Actor: who.Subject, Why: incident.Why{Person: who.Subject, Unit: u.ID}, Terms: s.terms(helpType, area),
		Evidence: []incident.Evidence{{Kind: "note", Ref: who.Subject, Reason: "a crew calls for help", Weight: 1, At: moment.Of(now)}}})
	if err != nil {
		return "", err
	}
	in.LeadAgency = u.Agency
	if err := s.putIncident(st, "", &in); err != nil {
		return "", err
	}
	return id, st.audited(who, "incident.opened", "incident:"+id, "", nil, in)
}

// helpType is the type of an incident that a call for help opens: life is at risk, and nobody knows yet of what.
const helpType = "medical"

// ClearCall takes a call for help back, by a person who says how the crew is. Errors as EditUnit.
func (s *Store) ClearCall(ctx context.Context, id, reason string, who audit.Actor, may func(*unit.Unit) error) (unit.Unit, error) {
	return s.changeUnit(ctx, id, "unit.panic.cleared", reason, who, may, func(_ *step, u *unit.Unit, now time.Time) (unit.Unit, error) { return u.Cleared(reason, now) })
}

// rollCall asks for the units on scene that have been silent too long, and no longer for those that were heard of. Seen is when a tracker told
// last where a unit is.
func (s *Store) rollCall(ctx context.Context, ids []string, seen func(unit.Unit) time.Time) error {
	docs, err := s.unitsOf(ctx, ids)
	if err != nil {
		return err
	}
	anybody := func(*unit.Unit) error { return nil }
	for _, k := range docs {
		heard := seen(k.doc)
		if _, due := k.doc.Called(heard, s.now()); !due {
			continue
		}
		_, err := s.changeUnit(ctx, k.doc.ID, "unit.rollcall", "", clockwork, anybody, func(_ *step, u *unit.Unit, now time.Time) (unit.Unit, error) {
			out, _ := u.Called(heard, now)
			return out, nil
		})
		if err != nil && !errors.Is(err, ErrNoUnit) && !errors.Is(err, ErrUnreadable) {
			return err
		}
	}
	return nil
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
