package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/geo/moment"
)

// Transition does an act on an incident. Errors: ErrNotFound, *Conflict, incident.ErrInvalid, incident.ErrSeparation, feeds.ErrBusy.
func (s *Store) Transition(ctx context.Context, id string, act incident.Act, who audit.Actor) (incident.Incident, error) {
	return s.TransitionIf(ctx, id, act, who, func(*incident.Incident) error { return nil })
}

// TransitionIf is Transition where may allows it. It is asked of the very revision that the act changes, so that what was judged is what
// is done; its error comes back as it is.
func (s *Store) TransitionIf(ctx context.Context, id string, act incident.Act, who audit.Actor, may func(*incident.Incident) error) (incident.Incident, error) {
	return s.TransitionOnce(ctx, id, "", act, who, may)
}

// TransitionOnce is TransitionIf under an Idempotency-Key, where one is given: asked again by the same person it answers what it answered first,
// and does nothing. Errors besides: ErrKeyReused.
func (s *Store) TransitionOnce(ctx context.Context, id, key string, act incident.Act, who audit.Actor, may func(*incident.Incident) error) (incident.Incident, error) {
	act.Device = who.Role == fieldRole
	said := act
	said.Version = 0 // who does not name one follows the incident: asked again it is another
	doc, err := marshal(said)
	if err != nil {
		return incident.Incident{}, err
	}
	c := changing{id: id, key: key, said: digest(string(doc)), action: "incident." + string(act.To), who: who, last: true}
	return s.change(ctx, c, may, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
		if act.To == incident.Resolved && act.Version == in.Version {
			if err := s.served(ctx, in); err != nil {
				return incident.Incident{}, err
			}
		}
		return in.Apply(act, who.Subject, now)
	})
}

// fieldRole is the role of crews: the times that they tell are those of their devices.
const fieldRole = "field"

// served tells whether every unit that was sent is done, recalled or handed over: before that nothing is resolved.
func (s *Store) served(ctx context.Context, in *incident.Incident) error {
	bound, err := s.UnitsOn(ctx, in)
	if err != nil {
		return err
	}
	for _, id := range in.Dispatches {
		if err := s.legible(s.keys.Dispatch(id)); err != nil { // it may bind its unit still
			return err
		}
	}
	if len(bound) == 0 {
		return nil
	}
	names := make([]string, len(bound))
	for i, d := range bound {
		names[i] = d.Unit + " is " + string(d.Status)
	}
	return fmt.Errorf("%w: %s: each unit is done or recalled first", incident.ErrNotAllowed, strings.Join(names, ", "))
}

// changing is one change of an incident by an act of somebody.
type changing struct {
	id, key        string
	said           string // digest of all that is said with the act, under a key; empty: it is not compared
	action, reason string
	last           bool // the reason is what the change wrote into the timeline last
	who            audit.Actor
}

// change does it in one step. may is asked of the very revision that is changed; its error comes back as it is.
func (s *Store) change(ctx context.Context, c changing, may func(*incident.Incident) error, change func(in *incident.Incident, now time.Time) (incident.Incident, error)) (out incident.Incident, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.incidentOf(ctx, c.id)
		if err != nil {
			return err
		}
		now := s.now()
		once, was, err := s.once(ctx, c, now)
		if err != nil {
			return err
		}
		if was != nil { // before may is asked: what was done has changed what may be done
			if out, err = k.doc, nil; was.Doc != nil {
				out = incident.Incident{}
				err = json.Unmarshal(was.Doc, &out)
				out.Fill()
			}
			if err != nil {
				return fmt.Errorf("answer of incident %s: %w", c.id, err)
			}
			return s.rest(ctx, "rev", s.keys.Incident(c.id), "", k.rev)
		}
		if err := may(&k.doc); err != nil {
			return err
		}
		out, err = change(&k.doc, now)
		if errors.Is(err, incident.ErrNothing) {
			out = k.doc
			return nil
		}
		if err != nil {
			return s.conflict(&k.doc, c.who, now, err)
		}
		st := s.newStep(now)
		if err := s.putIncident(st, k.rev, &out); err != nil {
			return err
		}
		if err := once.keep(st, s.keys.Incident(c.id), "", &out); err != nil {
			return err
		}
		reason := c.reason
		if c.last {
			reason = out.Timeline[len(out.Timeline)-1].Note
		}
		if err := st.audited(c.who, c.action, "incident:"+c.id, reason, k.doc, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	if err != nil {
		return incident.Incident{}, err
	}
	return out, nil
}

// Create opens an incident that a person reports; it joins no other.
func (s *Store) Create(ctx context.Context, d incident.Draft, who audit.Actor) (incident.Incident, error) {
	return s.CreateOnce(ctx, "", d, who)
}

// CreateOnce is Create under an Idempotency-Key, where one is given: asked again by the same person within seven days it answers with the incident
// that is there, as it stands. Errors: incident.ErrInvalid, ErrKeyReused where they say something else, feeds.ErrBusy.
func (s *Store) CreateOnce(ctx context.Context, key string, d incident.Draft, who audit.Actor) (incident.Incident, error) {
	if err := d.Validate(); err != nil {
		return incident.Incident{}, err
	}
	doc, err := marshal(d)
	if err != nil {
		return incident.Incident{}, err
	}
	var in incident.Incident
	id, said := ulid.Make().String(), digest(string(doc))
	err = s.retry(ctx, func() error {
		now := s.now()
		st := s.newStep(now)
		was, err := s.madeOnce(ctx, st, key, said, who)
		if err != nil {
			return err
		}
		if was != nil {
			in = was.doc
			return s.rest(ctx, "rev", s.keys.Incident(in.ID), "", was.rev)
		}
		at := d.Position()
		area := s.areaOf(at)
		title := d.Title
		if title == "" {
			t, _ := incident.TypeOf(d.Type) // Validate has found it
			title = titled(t.ID, area)
		}
		st.check("rev", s.keys.Incident(id), "", "")
		last, err := s.lastNumber(ctx, now, d.Exercise)
		if err != nil {
			return err
		}
		number, err := s.number(st, last, now, d.Exercise)
		if err != nil {
			return err
		}
		signal, err := d.Signal(now)
		if err != nil {
			return err
		}
		in, err = incident.Open(incident.Opening{
			SignalAt: signal, SignalByHand: !signal.IsZero(),
			ID: id, Number: number, Type: d.Type, Title: title, Severity: d.Severity, Position: at, AreaName: area, At: now,
			Actor: who.Subject, Note: d.Note, Why: incident.Why{Person: who.Subject}, Terms: s.terms(d.Type, area), Exercise: d.Exercise,
			Evidence: []incident.Evidence{{Kind: "note", Ref: who.Subject, Reason: "reported by a person", Text: d.Note, Weight: 1, At: moment.Of(now)}},
		})
		if err != nil {
			return err
		}
		if err := s.putIncident(st, "", &in); err != nil {
			return err
		}
		if key != "" {
			st.set(s.keys.OpenedOnce(onceOf(key, who)), said+" "+id, onceLife)
		}
		if err := st.audited(who, "incident.opened", "incident:"+id, d.Note, nil, in); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	if err != nil {
		return incident.Incident{}, err
	}
	return in, nil
}
