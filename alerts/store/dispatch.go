package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
)

// ErrNoDispatch means that there is no dispatch of that id: 404.
var ErrNoDispatch = errors.New("there is no such dispatch")

// DispatchConflict is an act on a dispatch that came too late, or that it does not allow now: 409.
type DispatchConflict struct {
	Current dispatch.Dispatch
	Allowed []dispatch.Status
	Cause   error
}

func (c *DispatchConflict) Error() string { return c.Cause.Error() }
func (c *DispatchConflict) Unwrap() error { return c.Cause }

// dispatchDoc is the stored form, version 1.
type dispatchDoc struct {
	V int `json:"v"`
	dispatch.Dispatch
}

// answered is what an act under an Idempotency-Key was, and what it made of the dispatch.
type answered struct {
	Subject string            `json:"subject"`
	To      dispatch.Status   `json:"to"`
	Said    string            `json:"said,omitempty"` // digest of the act; absent: an older server took it
	Doc     dispatch.Dispatch `json:"doc"`
}

func (s *Store) dispatchForm() form[dispatch.Dispatch] {
	return formOf(s.keys.Dispatch, func(d *dispatchDoc) (dispatch.Dispatch, string) {
		if d.ExternalRefs == nil { // an older server did not write them
			d.ExternalRefs = []incident.ExternalRef{}
		}
		return d.Dispatch, d.ID
	})
}

func (s *Store) dispatchesOf(ctx context.Context, ids []string) ([]kept[dispatch.Dispatch], error) {
	return load(ctx, s, s.dispatchForm(), ids)
}

func (s *Store) dispatchOf(ctx context.Context, id string) (kept[dispatch.Dispatch], error) {
	return loadOne(ctx, s, s.dispatchForm(), id, ErrNoDispatch)
}

// putDispatch writes a dispatch into the step, and tells it.
func (s *Store) putDispatch(st *step, rev string, d *dispatch.Dispatch, own origin) error {
	doc, err := marshal(dispatchDoc{1, *d})
	if err != nil {
		return err
	}
	inside, err := marshal(own)
	if err != nil {
		return err
	}
	key := s.keys.Dispatch(d.ID)
	st.check("rev", key, "", rev)
	st.doc(key, nextRev(rev), doc, string(inside), own.Salt)
	if rev == "" {
		st.write("zadd", s.keys.Dispatches(), strconv.FormatInt(d.Times.Offered.Milli(), 10), d.ID)
	}
	if d.Status.Open() {
		st.write("sadd", s.keys.DispatchesOpen(), d.ID)
	} else {
		st.write("srem", s.keys.DispatchesOpen(), d.ID)
	}
	st.event("dispatch", d.ID, doc)
	return nil
}

// Order is what a dispatcher sends.
type Order struct {
	Incident, Unit, Note string
	TravelS              *float64 // as it was expected; nil: not known
	External             []incident.ExternalRef
	Key                  string // Idempotency-Key; empty: none
}

// Send offers a dispatch of a unit to an incident: dispatch, unit and incident change in one step, so that of two who send the same unit
// one wins, and the other is told who has it. may is asked of the very revisions that change. Errors: ErrNotFound, ErrNoUnit, *UnitConflict,
// *Conflict where the incident takes no unit now, dispatch.ErrInvalid, feeds.ErrBusy, of may. Under a key the same person gets the order that they
// gave, and no second one; ErrKeyReused where it was another.
func (s *Store) Send(ctx context.Context, o Order, who audit.Actor, may func(*incident.Incident, *unit.Unit) error) (out dispatch.Dispatch, err error) {
	id := ulid.Make().String()
	doc, err := marshal([]any{o.Note, o.External}) // what the person says: the time of travel is reckoned
	if err != nil {
		return out, err
	}
	said := digest(string(doc))
	err = s.retry(ctx, func() error {
		in, err := s.incidentOf(ctx, o.Incident)
		if err != nil {
			return err
		}
		now := s.now()
		once, was, err := s.once(ctx, changing{id: in.doc.ID, key: o.Key, said: said, action: "dispatch.offered " + o.Unit, who: who}, now)
		if err != nil {
			return err
		}
		if was != nil { // before may is asked: the unit is not free any more
			if out, err = s.orderOf(ctx, was); err != nil {
				return err
			}
			return s.rest(ctx, "rev", s.keys.Incident(in.doc.ID), "", in.rev)
		}
		u, err := s.unitOf(ctx, o.Unit)
		if err != nil {
			return err
		}
		if err := may(&in.doc, &u.doc); err != nil {
			return err
		}
		if !in.doc.TakesUnits() {
			return &Conflict{Current: in.doc, Allowed: in.doc.Allowed(who.Subject, now), Cause: fmt.Errorf("%w: it is %s and takes no unit", incident.ErrNotAllowed, in.doc.Status)}
		}
		if why, ok := u.doc.Ready(now); !ok {
			return s.taken(ctx, &u.doc, why)
		}
		if out, err = dispatch.Offer(id, &in.doc, &u.doc, who.Subject, o.Note, now); err != nil {
			return err
		}
		out.TravelS = o.TravelS
		if out.ExternalRefs, err = incident.References(o.External); err != nil {
			return err
		}
		sent := u.doc.Follow(id, out.Told(), out.Status.Unit(u.doc.Status), now)
		worked := in.doc.Offered(id, u.doc.ID, who.Subject, now)
		st := s.newStep(now)
		if err := errors.Join(s.putDispatch(st, "", &out, origin{}), s.putUnit(st, u.rev, &sent, u.own), s.putIncident(st, in.rev, &worked), once.keep(st, s.keys.Incident(in.doc.ID), id, &out)); err != nil {
			return err
		}
		if err := st.audited(who, "dispatch.offered", "dispatch:"+id, o.Note, nil, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}

// orderOf is the dispatch that an act under a key made: as it was then, or where that is not kept as it stands.
func (s *Store) orderOf(ctx context.Context, was *onceAnswer) (out dispatch.Dispatch, err error) {
	if was.Doc == nil {
		return s.Dispatch(ctx, was.Object)
	}
	if err := json.Unmarshal(was.Doc, &out); err != nil {
		return out, fmt.Errorf("answer of dispatch %s: %w", was.Object, err)
	}
	return out, nil
}

// taken tells why a unit cannot be sent, and which dispatch has it.
func (s *Store) taken(ctx context.Context, u *unit.Unit, why string) error {
	c := &UnitConflict{Current: *u, Cause: fmt.Errorf("%w: %s", unit.ErrNotAllowed, why)}
	if u.Dispatch != nil {
		by, err := s.dispatchOf(ctx, *u.Dispatch)
		if err != nil && !errors.Is(err, ErrNoDispatch) {
			return err
		}
		if err == nil {
			c.By = &by.doc
			c.Cause = fmt.Errorf("%w: somebody was first", unit.ErrNotAllowed)
		}
	}
	return c
}

// Move does an act on a dispatch, with what follows for its unit and incident, in one step. An act under a key that was used is not done
// again: the answer is the first one's. Errors: ErrNoDispatch, *DispatchConflict, dispatch.ErrInvalid, ErrKeyReused where the key stands for another
// act or for other words, feeds.ErrBusy, of may.
func (s *Store) Move(ctx context.Context, id string, a dispatch.Act, key string, who audit.Actor, may func(*dispatch.Dispatch) error) (out dispatch.Dispatch, err error) {
	said, err := digestOf(a)
	if err != nil {
		return out, err
	}
	err = s.retry(ctx, func() error {
		k, err := s.dispatchOf(ctx, id)
		if err != nil {
			return err
		}
		if err := may(&k.doc); err != nil {
			return err
		}
		if was, known := k.own.Keys[key]; known && key != "" {
			if was.Subject != who.Subject || was.To != a.To {
				return ErrKeyReused // whose it was is not told
			}
			if was.Said != "" && was.Said != said {
				return fmt.Errorf("%w: it was %s with other words", ErrKeyReused, was.To)
			}
			out = was.Doc
			return s.rest(ctx, "rev", s.keys.Dispatch(id), "", k.rev)
		}
		now := s.now()
		out, err = k.doc.Apply(a, now)
		if errors.Is(err, dispatch.ErrStale) || errors.Is(err, dispatch.ErrNotAllowed) {
			return &DispatchConflict{k.doc, k.doc.Allowed(), err}
		}
		if err != nil {
			return err
		}
		if key != "" {
			keys := map[string]answered{key: {who.Subject, a.To, said, out}}
			for name, was := range k.own.Keys {
				keys[name] = was
			}
			k.own.Keys = keys
		}
		by := who
		if handed(&out, who) && out.Status != dispatch.Cancelled { // a desk enters what the crew said by radio; a recall is its own act
			by.OnBehalf = "unit:" + out.Unit
		}
		return s.advance(ctx, k, out, by, a.Reason)
	})
	return out, err
}

// digestOf an act is alike for two that say the same: an instant counts, not the zone in which it is written, and not the version that was seen,
// which is another one when the act is told again.
func digestOf(a dispatch.Act) (string, error) {
	a.Version = 0
	if !a.At.IsZero() {
		a.At = a.At.UTC()
	}
	doc, err := marshal(a)
	return digest(string(doc)), err
}

// advance writes a dispatch that has moved, and what follows from it.
func (s *Store) advance(ctx context.Context, k kept[dispatch.Dispatch], out dispatch.Dispatch, who audit.Actor, reason string) error {
	now := s.now()
	st := s.newStep(now)
	if err := s.putDispatch(st, k.rev, &out, k.own); err != nil {
		return err
	}
	u, err := s.unitOf(ctx, out.Unit)
	if err != nil && !errors.Is(err, ErrNoUnit) {
		return err
	}
	if err == nil && u.doc.Dispatch != nil && *u.doc.Dispatch == out.ID {
		bound := out.ID
		if !out.Status.Open() {
			bound = ""
		}
		next := u.doc.Follow(bound, out.Told(), out.Status.Unit(u.doc.Status), now)
		if err := s.putUnit(st, u.rev, &next, u.own); err != nil {
			return err
		}
	}
	in, found, err := s.standsFor(ctx, out.Incident)
	if err != nil {
		return err
	}
	if found {
		left, err := s.left(ctx, in.doc.Dispatches, out)
		if err != nil {
			return err
		}
		next := in.doc.Moved(string(out.Status), out.Unit, reason, who.Subject, out.Since(), handed(&out, who), left, now)
		if err := s.second(ctx, &next, &out); err != nil {
			return err
		}
		if err := s.putIncident(st, in.rev, &next); err != nil {
			return err
		}
	}
	if err := st.audited(who, "dispatch."+string(out.Status), "dispatch:"+out.ID, reason, k.doc, out); err != nil {
		return err
	}
	return s.run(ctx, st)
}

// handed tells whether the time of a dispatch's last step was entered by a person: one that a crew's device tells was not.
func handed(d *dispatch.Dispatch, who audit.Actor) bool { return !d.ByClock() && who.Role != fieldRole }

// left counts the dispatches of an incident, with one as it is to be, that have not failed.
func (s *Store) left(ctx context.Context, ids []string, with dispatch.Dispatch) (int, error) {
	docs, err := s.dispatchesOf(ctx, ids)
	n := 0
	for _, k := range docs {
		if k.doc.ID == with.ID {
			k.doc = with
		}
		if !k.doc.Status.Failed() {
			n++
		}
	}
	return n, err
}

// Dispatch by id; ErrNoDispatch.
func (s *Store) Dispatch(ctx context.Context, id string) (dispatch.Dispatch, error) {
	k, err := s.dispatchOf(ctx, id)
	return k.doc, err
}

// DispatchQuery chooses dispatches; empty members choose all.
type DispatchQuery struct {
	Incident, Unit string
	Status         string // "open", or one status
	Simulated      *bool  // nil: both
	Exercise       *bool  // likewise
	Limit          int
	Page           string
	See            func(*dispatch.Dispatch) bool // nil: all are seen
}

// Dispatches lists, the last offered first.
func (s *Store) Dispatches(ctx context.Context, q DispatchQuery) ([]dispatch.Dispatch, string, error) {
	from := shelf[dispatch.Dispatch]{
		index: s.keys.Dispatches(), set: s.keys.DispatchesOpen(), load: s.dispatchesOf, live: q.Status == "open" || dispatch.Status(q.Status).Open(),
		id: func(d dispatch.Dispatch) string { return d.ID }, score: func(d dispatch.Dispatch) int64 { return d.Times.Offered.Milli() },
	}
	return list(ctx, s, Query{Limit: q.Limit, Page: q.Page}, from, func(d dispatch.Dispatch) (dispatch.Dispatch, bool) {
		fits := (q.Incident == "" || d.Incident == q.Incident) && (q.Unit == "" || d.Unit == q.Unit) && isAs(q.Simulated, d.Simulated) && isAs(q.Exercise, d.Exercise) &&
			(q.Status == "" || q.Status == "open" && d.Status.Open() || q.Status == string(d.Status))
		return d, fits && (q.See == nil || q.See(&d))
	})
}

// UnitsOn lists the dispatches that still bind a unit to an incident: it is not resolved before they are done, recalled or handed over.
func (s *Store) UnitsOn(ctx context.Context, in *incident.Incident) ([]dispatch.Dispatch, error) {
	docs, err := s.dispatchesOf(ctx, in.Dispatches)
	out := []dispatch.Dispatch{}
	for _, k := range docs {
		if k.doc.Status.Open() {
			out = append(out, k.doc)
		}
	}
	return out, err
}

// openDispatches loads those that bind their unit, by id.
func (s *Store) openDispatches(ctx context.Context) (out []kept[dispatch.Dispatch], err error) {
	err = s.walkSet(ctx, s.keys.DispatchesOpen(), func(ids []string) (bool, error) {
		out, err = s.dispatchesOf(ctx, ids)
		return true, err
	})
	out = slices.DeleteFunc(out, func(k kept[dispatch.Dispatch]) bool { return !k.doc.Status.Open() })
	slices.SortFunc(out, func(a, b kept[dispatch.Dispatch]) int { return strings.Compare(a.doc.ID, b.doc.ID) })
	return out, err
}

// response fills in units and dispatches of a snapshot.
func (s *Store) response(ctx context.Context, o *Open) (err error) {
	if o.Units, err = s.Units(ctx); err != nil {
		return err
	}
	open, err := s.openDispatches(ctx)
	o.Dispatches = make([]dispatch.Dispatch, len(open))
	for i, k := range open {
		o.Dispatches[i] = k.doc
	}
	return err
}

// DropDispatches deletes dispatches that ended and were offered before a time.
func (s *Store) DropDispatches(ctx context.Context, before time.Time) (int, error) {
	return drop(ctx, s, shelf[dispatch.Dispatch]{index: s.keys.Dispatches(), set: s.keys.DispatchesOpen(), load: s.dispatchesOf, id: func(d dispatch.Dispatch) string { return d.ID }},
		s.keys.Dispatch, before, func(d dispatch.Dispatch) bool { return !d.Status.Open() && d.Times.Offered.Before(before) }, nil)
}
