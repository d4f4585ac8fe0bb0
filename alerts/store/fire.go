package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// titled begins with the event, then says where.
func titled(event, place string) string {
	if place == "" {
		return event
	}
	return event + ", " + place
}

// identify gives the id and the identifier of the alert that a rule raises on a Thing by one crossing.
func identify(f Firing) (id, identifier string) {
	at := strconv.FormatInt(f.At.UnixMilli(), 10)
	id = alerts.ID(f.At, "rule\x00"+f.Rule.ID+"\x00"+f.Thing.ID+"\x00"+at)
	return id, f.Rule.ID + "/" + f.Thing.ID + "/" + id
}

// Fire stores that a rule begins to fire on a Thing: its alert, and the incident it opens or joins. The same crossing again, or a rule
// that fires there already, changes nothing.
func (s *Store) Fire(ctx context.Context, f Firing) error {
	return s.retry(ctx, func() error { return s.fireOnce(ctx, f) })
}

func (s *Store) fireOnce(ctx context.Context, f Firing) error {
	id, identifier := identify(f)
	known, err := s.alertsOf(ctx, []string{id})
	if err != nil {
		return err
	}
	if len(known) > 0 {
		return s.rest(ctx, "rev", s.keys.Alert(id), "", known[0].rev)
	}
	if s.unread.has(s.keys.Alert(id)) { // the crossing was kept, if in words that nobody reads: it is not told again
		return nil
	}
	standing, err := s.firingOn(ctx, f)
	if err != nil {
		return err
	}
	if standing != "" {
		if _, err := s.alertsOf(ctx, []string{standing}); err != nil {
			return err
		}
		if !s.unread.has(s.keys.Alert(standing)) { // else nobody knows whether it stands, and a new crossing is told
			return s.rest(ctx, "field", s.keys.Firing(f.Rule.ID), f.Thing.ID, standing)
		}
	}
	now := s.now()
	st := s.newStep(now)
	who := audit.Actor{Subject: "rule:" + f.Rule.ID}
	a := s.ofRule(f, id, identifier, now)
	st.check("rev", s.keys.Alert(id), "", "")
	st.check("field", s.keys.Firing(f.Rule.ID), f.Thing.ID, standing)
	st.write("hset", s.keys.Firing(f.Rule.ID), f.Thing.ID, id)
	st.write("sadd", s.keys.FiringRules(), f.Rule.ID)
	reason := a.Description
	neighbour := s.abroad(f.Thing)
	if neighbour != nil {
		a.Parameters = map[string]string{"neighbour": neighbour.Slug}
		reason += "; not ours: neighbour:" + neighbour.Slug
	}
	if f.Rule.Incident != nil && neighbour == nil {
		if a.Incident, err = s.openOrJoin(ctx, st, s.ruleSignal(f, &a, who.Subject)); err != nil {
			return err
		}
		reason += "; incident:" + a.Incident
	}
	if f.Rule.ID == rules.FaultRule {
		if err := s.doubt(ctx, st, f); err != nil {
			return err
		}
	}
	if err := s.putAlert(st, "", &a, origin{Feed: f.Thing.Feed}, false); err != nil {
		return err
	}
	if err := st.audited(who, "alert.raised", "alert:"+id, reason, nil, a); err != nil {
		return err
	}
	return s.run(ctx, st)
}

// firingOn is the id of the alert that stands for a rule on a Thing, empty where it does not fire.
func (s *Store) firingOn(ctx context.Context, f Firing) (string, error) {
	id, err := s.rdb.HGet(ctx, s.keys.Firing(f.Rule.ID), f.Thing.ID).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("%w: what fires: %w", feeds.ErrBusy, err)
	}
	return id, nil
}

// ofRule makes the alert that a rule raises.
func (s *Store) ofRule(f Firing, id, identifier string, now time.Time) alerts.Alert {
	r, t, at := f.Rule, f.Thing, moment.Of(now)
	language := ""
	if len(s.place.Languages) > 0 {
		language = s.place.Languages[0]
	}
	a := alerts.Alert{
		ID: id, Identifier: identifier, Sender: s.place.Sender, Sent: at, MsgType: "Alert", Status: "Actual", Category: r.Alert.Category,
		Event: r.Alert.Event, Urgency: r.Alert.Urgency, Severity: r.Alert.Severity, Certainty: r.Alert.Certainty, Effective: at,
		Onset: moment.Of(f.Since), Expires: moment.Of(now.Add(r.Expiry())), Headline: r.Alert.Headline, Description: said(f.Inputs),
		Language: language, Area: alerts.Feature{Type: "Feature"}, References: []string{}, Sources: []string{t.Feed}, Rule: r.ID,
		Thing: t.ID, State: alerts.Active, Revision: 1, ReceivedAt: at, UpdatedAt: at, Attribution: t.Attribution, Relevant: s.abroad(t) == nil || s.place.Owns(t.Position).InWatch,
		Simulated: t.Simulated,
	}
	a.Area.Properties.Name = s.thingPlace(t)
	if t.Placed {
		a.Area.Geometry = geo.Shape{Points: []geo.Position{t.Position}}
	}
	if a.Headline == "" {
		a.Headline = titled(a.Event, a.Area.Properties.Name)
	}
	return a
}

// abroad is the neighbour on whose ground a Thing stands; nil where it is ours, where nobody is known to be in charge, or where nobody
// knows where the Thing is. What happens there is shown and listed, and is the neighbour's to work on (domain.md section 5, out_of_area).
func (s *Store) abroad(t *feeds.Thing) *alerts.Neighbour {
	if !t.Placed {
		return nil
	}
	return s.place.Owns(t.Position).Neighbour
}

// thingPlace is how people name where a Thing is: its own name, else the area's, else its id.
func (s *Store) thingPlace(t *feeds.Thing) string {
	if t.Name != "" {
		return t.Name
	}
	if t.Placed {
		if name := s.areaOf(&t.Position); name != "" {
			return name
		}
	}
	return t.ID
}

// said writes readings for people: "water_level 3.41 m".
func said(inputs []incident.Input) string {
	var out []string
	for _, i := range inputs {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %v %s", i.Property, i.Value, i.Unit)))
	}
	return strings.Join(out, ", ")
}

func (s *Store) ruleSignal(f Firing, a *alerts.Alert, actor string) signal {
	sig := signal{
		block: *f.Rule.Incident, severity: a.Severity, title: titled(a.Event, a.Area.Properties.Name), event: f.At,
		received: f.Thing.ReceivedAt.Time, actor: actor, name: a.ID, simul: a.Simulated,
		why: incident.Why{Rule: f.Rule.ID, Alert: a.ID, Inputs: f.Inputs},
		evidence: incident.Evidence{
			Kind: "observation", Ref: f.Thing.ID, Reason: "rule " + f.Rule.ID, Text: said(f.Inputs), Weight: 1, At: moment.Of(f.At),
		},
	}
	if f.Thing.Placed {
		p := f.Thing.Position
		sig.at, sig.area = &p, s.areaOf(&p)
	}
	return sig
}

// actCleared is what an incident is told when a rule that told of it has cleared.
const actCleared = "cleared"

// actWithdrawn is what an incident is told when what an instrument said of it does not count any more, though nothing says that it is over:
// the rule was changed, a late reading disproves the crossing, or the instrument is out of order. Whoever works on it decides; nothing closes.
const actWithdrawn = "basis_withdrawn"

// Why the basis of an incident was withdrawn, as the entry's note begins.
const (
	goneRule      = "rule_changed"
	goneDisproved = "disproved"
	goneFault     = "sensor_fault"
)

// clearing tells what an incident hears of a firing that ends.
func clearing(f Firing) (act, note string) {
	switch {
	case f.Why == rules.WhyChanged:
		return actWithdrawn, goneRule + ": " + f.Rule.ID + ", " + f.Thing.ID
	case f.Withdrawn:
		return actWithdrawn, goneDisproved + ": " + f.Rule.ID + ", " + f.Thing.ID
	}
	return actCleared, said(f.Inputs)
}

// doubt tells the open incidents which rest on an instrument that it is out of order now.
func (s *Store) doubt(ctx context.Context, st *step, f Firing) error {
	open, err := s.open(ctx)
	if err != nil {
		return err
	}
	for _, k := range open {
		if _, told := st.index[s.keys.Incident(k.doc.ID)]; told || !slices.ContainsFunc(k.doc.Evidence, func(e incident.Evidence) bool {
			return e.Kind == "observation" && e.Ref == f.Thing.ID
		}) {
			continue
		}
		in := k.doc.Clone()
		in.Remark("rule:"+f.Rule.ID, actWithdrawn, goneFault+": "+f.Thing.ID+", "+f.Why, st.now.Time)
		if err := s.putIncident(st, k.rev, &in); err != nil {
			return err
		}
	}
	return nil
}

// Clear stores that a rule has cleared on a Thing: its alert is resolved and its incident, if open, is told. Where the rule does not
// fire there is nothing to do.
func (s *Store) Clear(ctx context.Context, f Firing) error {
	return s.retry(ctx, func() error {
		id, err := s.firingOn(ctx, f)
		if err != nil {
			return err
		}
		if id == "" || crossedLater(id, f.At) {
			return s.rest(ctx, "field", s.keys.Firing(f.Rule.ID), f.Thing.ID, id)
		}
		list, err := s.alertsOf(ctx, []string{id})
		if err != nil {
			return err
		}
		if s.unread.has(s.keys.Alert(id)) { // it is not resolved: it fires until it can be read, or the rule fires there anew
			return s.rest(ctx, "field", s.keys.Firing(f.Rule.ID), f.Thing.ID, id)
		}
		now := s.now()
		st := s.newStep(now)
		who := audit.Actor{Subject: "rule:" + f.Rule.ID}
		var before, after any
		if len(list) > 0 {
			a := list[0].doc
			if a.State == alerts.Active {
				a.State = alerts.Resolved
			}
			a.UpdatedAt = moment.Of(now)
			if err := s.putAlert(st, list[0].rev, &a, list[0].own, false); err != nil {
				return err
			}
			act, note := clearing(f)
			if err := s.remark(ctx, st, &a, who.Subject, act, note); err != nil {
				return err
			}
			before, after = list[0].doc, a
		}
		st.check("field", s.keys.Firing(f.Rule.ID), f.Thing.ID, id)
		st.write("hdel", s.keys.Firing(f.Rule.ID), f.Thing.ID)
		if err := st.audited(who, "alert.resolved", "alert:"+id, said(f.Inputs), before, after); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
}

// ExpireAlerts ends the alerts whose time has passed, and counts them. A rule that still fires raises no other until it has cleared.
// Of two servers that do it at once each alert is ended by one.
func (s *Store) ExpireAlerts(ctx context.Context, now time.Time) (int, error) {
	over, err := s.ended(ctx, now)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, k := range over {
		st := s.newStep(now)
		who := audit.Actor{Subject: "house:expiry"}
		a, err := s.end(ctx, st, k, alerts.Expired, who.Subject, "")
		if err != nil {
			return n, err
		}
		if err := st.audited(who, "alert.expired", "alert:"+a.ID, "", k.doc, a); err != nil {
			return n, err
		}
		// A conflict means that somebody else has changed it: the next sweep looks again.
		if err := s.run(ctx, st); err != nil && !errors.Is(err, errConflict) {
			return n, err
		} else if err == nil {
			n++
		}
	}
	return n, nil
}

// end puts an alert into a state that is no longer active, and tells its incident.
func (s *Store) end(ctx context.Context, st *step, k kept[alerts.Alert], to alerts.State, actor, note string) (alerts.Alert, error) {
	a := k.doc
	a.State, a.UpdatedAt = to, st.now
	if err := s.putAlert(st, k.rev, &a, k.own, false); err != nil {
		return a, err
	}
	return a, s.remark(ctx, st, &a, actor, "alert_"+string(to), titled(a.Event, note))
}
