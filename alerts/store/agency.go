package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// keyLife is how long an alert is found by its names after it has expired; longestKey bounds what a far expiry makes of that.
const (
	keyLife    = 30 * 24 * time.Hour
	longestKey = 10 * 365 * 24 * time.Hour
)

// life is how long an alert's names are kept: one whose names are gone while it is in force would come again as a new one beside itself.
func life(a *alerts.Alert, now time.Time) time.Duration {
	return keyLife + min(max(0, a.Expires.Sub(now)), longestKey)
}

// bmkgOID begins the identifiers of BMKG's nowcasts, which replace each other without saying so (feeds.md section 3).
const bmkgOID = "2.49.0.1.360."

// PutAgencyAlert takes an agency's message: stores it, joins it to what it repeats or revises, ends what it updates or cancels, and
// opens the incident that the profile consents to. It is stored when the error is nil and Result.Kind is not Ignored; with Meta.Dry the
// same is decided and nothing is written.
func (s *Store) PutAgencyAlert(ctx context.Context, in feeds.Alert, m feeds.Meta) (Result, error) {
	if s.wrong != nil {
		return Result{}, s.wrong
	}
	msg := in.Message
	if msg.MsgType == "Ack" || msg.MsgType == "Error" {
		return Result{Kind: Ignored, Reason: "msgType " + msg.MsgType + " answers another message and says nothing new"}, nil
	}
	var out Result
	err := s.retry(ctx, func() (err error) {
		p := &putting{Store: s, in: in, m: m, now: s.now(), who: audit.Actor{Subject: "feed:" + m.Feed, Agency: m.Agency}}
		p.a = alerts.FromAgency(in, m, s.place, p.now)
		if s.regrade != nil {
			s.regrade.Regrade(&p.a) // before anything is decided on its severity
		}
		p.own = origin{Feed: m.Feed, Agency: m.Agency}
		out, err = p.put(ctx)
		return err
	})
	return out, err
}

// putting is one try to take a message.
type putting struct {
	*Store
	in  feeds.Alert
	m   feeds.Meta
	now time.Time
	who audit.Actor
	a   alerts.Alert
	own origin

	besides map[string]string // incidents of the warnings that this one belongs with -> their event
}

// run takes the step, but not on a dry run, which ends where the step would begin.
func (p *putting) run(ctx context.Context, st *step) error {
	if p.m.Dry {
		return nil
	}
	return p.Store.run(ctx, st)
}

// rest confirms what is there already, but not on a dry run.
func (p *putting) rest(ctx context.Context, kind, key, field, value string) error {
	if p.m.Dry {
		return nil
	}
	return p.Store.rest(ctx, kind, key, field, value)
}

func (p *putting) put(ctx context.Context) (Result, error) {
	if p.a.Quake != nil && p.a.MsgType != "Cancel" {
		return p.quake(ctx)
	}
	known, err := p.get(ctx, p.nameKey(p.in.Message.Reference().String()))
	if err != nil {
		return Result{}, err
	}
	if known != "" {
		return p.again(ctx, known)
	}
	if p.a.MsgType == "Cancel" || p.a.MsgType == "Update" && p.allClear() {
		return p.cancel(ctx)
	}
	return p.store(ctx)
}

// allClear tells an update whose every info says that the danger is over (CAP-v1.2 section 3.2.2, responseType).
func (p *putting) allClear() bool {
	for _, i := range p.in.Message.Infos {
		if !slices.Contains(i.Responses, "AllClear") {
			return false
		}
	}
	return len(p.in.Message.Infos) > 0
}

// nameKey finds an alert by one of its names; simulated and real names never meet.
func (p *putting) nameKey(name string) string { return p.keys.AlertKey(p.hashed(name)) }

func (p *putting) hashed(name string) string {
	sum := sha256.Sum256([]byte(name))
	if p.m.Simulated {
		return "sim-" + hex.EncodeToString(sum[:16])
	}
	return hex.EncodeToString(sum[:16])
}

// get reads a string, empty where it is absent.
func (s *Store) get(ctx context.Context, key string) (string, error) {
	v, err := s.rdb.Get(ctx, key).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("%w: read %s: %w", feeds.ErrBusy, key, err)
	}
	return v, nil
}

// again adds the feed to the sources of an alert that it repeats. The words of an identity never change: other bytes are a repeat too.
func (p *putting) again(ctx context.Context, id string) (Result, error) {
	out := Result{Kind: Duplicate, Alert: id}
	list, err := p.alertsOf(ctx, []string{id})
	if err != nil {
		return out, err
	}
	if len(list) > 0 {
		if done, err := p.relisted(ctx, list[0]); done || err != nil {
			return Result{Kind: Stored, Alert: id, Incident: list[0].doc.Incident}, err
		}
	}
	// A Cancel heard again names the alert it ended.
	if len(list) == 0 || slices.Contains(list[0].doc.Sources, p.m.Feed) || p.in.Message.Reference() != capReference(list[0].doc) {
		return out, p.rest(ctx, "str", p.nameKey(p.in.Message.Reference().String()), "", id)
	}
	a := list[0].doc
	a.Sources = append(slices.Clone(a.Sources), p.m.Feed)
	a.UpdatedAt = moment.Of(p.now)
	st := p.newStep(p.now)
	if err := p.putAlert(st, list[0].rev, &a, list[0].own, false); err != nil {
		return out, err
	}
	if err := st.audited(p.who, "alert.heard", "alert:"+id, "also by feed "+p.m.Feed, list[0].doc, a); err != nil {
		return out, err
	}
	return out, p.run(ctx, st)
}

// entitled tells whether this delivery may update or end an alert: it names the same sender, and comes by the feed that brought the
// alert first (INTERFACES section 2).
func (p *putting) entitled(k kept[alerts.Alert]) bool {
	return p.sameSender(k) && k.own.Feed == p.m.Feed
}

func (p *putting) sameSender(k kept[alerts.Alert]) bool {
	return k.doc.Rule == "" && k.doc.Sender == p.a.Sender && k.doc.Simulated == p.m.Simulated
}

// parents loads what the message refers to, by references and, of earthquakes, by the producer's own keys; missing are references not
// known yet.
func (p *putting) parents(ctx context.Context) (found []kept[alerts.Alert], missing []string, err error) {
	names := []string{}
	for _, r := range p.in.Message.References {
		names = append(names, r.String())
	}
	for _, k := range p.in.Keys {
		names = append(names, "event "+k)
	}
	for i, name := range names {
		id, err := p.get(ctx, p.nameKey(name))
		if err != nil {
			return nil, nil, err
		}
		list, err := p.alertsOf(ctx, strings.Fields(id)) // a producer's key may name several
		if err != nil {
			return nil, nil, err
		}
		if len(list) == 0 && i < len(p.in.Message.References) {
			missing = append(missing, name)
		}
		for _, l := range list {
			if !slices.ContainsFunc(found, func(k kept[alerts.Alert]) bool { return k.doc.ID == l.doc.ID }) {
				found = append(found, l)
			}
		}
	}
	return found, missing, nil
}

// merged is both lists, each alert once.
func merged(a, b []kept[alerts.Alert]) []kept[alerts.Alert] {
	for _, k := range b {
		if !slices.ContainsFunc(a, func(o kept[alerts.Alert]) bool { return o.doc.ID == k.doc.ID }) {
			a = append(a, k)
		}
	}
	return a
}

// cancel ends what the message names. What has not come yet is remembered for a day.
func (p *putting) cancel(ctx context.Context) (Result, error) {
	found, missing, err := p.parents(ctx)
	if err != nil {
		return Result{}, err
	}
	same, err := p.keyed(ctx)
	if err != nil {
		return Result{}, err
	}
	older, late := p.newest(same)
	found = merged(found, older)
	st := p.newStep(p.now)
	ended, foreign := "", 0
	var before, after any
	for _, k := range found {
		if !p.entitled(k) {
			foreign++
			continue
		}
		if ended == "" {
			ended = k.doc.ID
		}
		if k.doc.State != alerts.Active {
			continue
		}
		a, err := p.end(ctx, st, k, alerts.Cancelled, p.who.Subject, p.in.Message.Note)
		if err != nil {
			return Result{}, err
		}
		before, after = k.doc, a
	}
	if ended == "" && len(missing) == 0 {
		reason := "a Cancel that names no alert ends nothing"
		if late {
			reason = "a later version of what it ends is known"
		} else if foreign > 0 {
			reason = "only the feed that brought an alert first may end it"
		}
		return Result{Kind: Ignored, Reason: reason}, nil
	}
	if err := p.wait(ctx, st, missing, "cancel"); err != nil {
		return Result{}, err
	}
	out := Result{Kind: Stored, Alert: ended}
	if ended == "" {
		ended = "-"
		out.Reason = "what it names has not come yet; kept for 24 h"
	}
	key := p.nameKey(p.in.Message.Reference().String())
	st.check("str", key, "", "")
	st.set(key, ended, keyLife)
	if err := st.audited(p.who, "alert.cancelled", "alert:"+ended, p.in.Message.Reference().String(), before, after); err != nil {
		return Result{}, err
	}
	return out, p.run(ctx, st)
}

// store keeps a new alert, ends what it supersedes, and looks whether somebody waited for it.
func (p *putting) store(ctx context.Context) (Result, error) {
	a := &p.a
	st := p.newStep(p.now)
	st.check("rev", p.keys.Alert(a.ID), "", "")
	found, missing, err := p.superseded(ctx)
	if err != nil {
		return Result{}, err
	}
	same, err := p.keyed(ctx)
	if err != nil {
		return Result{}, err
	}
	older, late := p.newest(same)
	if !late && a.State != alerts.Logged {
		if err := p.claim(ctx, st, a.ID); err != nil {
			return Result{}, err
		}
	}
	for _, k := range merged(found, older) {
		a.Supersedes = append(a.Supersedes, k.doc.ID)
		a.Revision = max(a.Revision, k.doc.Revision+1)
		if a.Incident == "" {
			a.Incident = k.doc.Incident
		}
		if k.doc.State != alerts.Active || a.State == alerts.Logged {
			continue
		}
		if _, err := p.end(ctx, st, k, alerts.Updated, p.who.Subject, a.Headline); err != nil {
			return Result{}, err
		}
	}
	if a.MsgType == "Update" {
		if err := p.wait(ctx, st, missing, "update"); err != nil {
			return Result{}, err
		}
	}
	if err := p.waited(ctx, st); err != nil {
		return Result{}, err
	}
	key := p.nameKey(p.in.Message.Reference().String())
	st.check("str", key, "", "")
	st.set(key, a.ID, life(a, p.now))
	return p.finish(ctx, st, "", nil, "alert.stored")
}

// finish opens the incident that the profile consents to, writes the alert and takes the step.
func (p *putting) finish(ctx context.Context, st *step, rev string, before any, action string) (Result, error) {
	a := &p.a
	if err := p.beside(ctx, st); err != nil {
		return Result{}, err
	}
	if err := p.consent(ctx, st); err != nil {
		return Result{}, err
	}
	if err := p.putAlert(st, rev, a, p.own, false); err != nil {
		return Result{}, err
	}
	if err := st.audited(p.who, action, "alert:"+a.ID, strings.Join(a.Changes, ", "), before, *a); err != nil {
		return Result{}, err
	}
	return Result{Kind: Stored, Alert: a.ID, Incident: a.Incident}, p.run(ctx, st)
}

// consent opens or joins an incident where the profile's list names this alert. Only what is real and concerns us opens one, and an
// event opens one only once: its revisions carry the incident on.
func (p *putting) consent(ctx context.Context, st *step) error {
	a := &p.a
	if a.Incident != "" || a.State != alerts.Active || a.Status != "Actual" || !a.Relevant {
		return nil
	}
	c, ok := p.consents.Match(a)
	if !ok {
		return nil
	}
	at := p.spot(a)
	area := p.areaOf(at)
	place := area
	if a.Quake != nil && a.Quake.Place != "" {
		place = a.Quake.Place
	} else if place == "" {
		place = a.Area.Properties.Name
	}
	event := a.Onset
	if event.IsZero() {
		event = a.Sent
	}
	var err error
	a.Incident, err = p.openOrJoin(ctx, st, signal{
		beside: p.besides,
		block:  c.Incident, severity: a.Severity, title: titled(a.Event, place), at: at, area: area, event: event.Time,
		received: a.ReceivedAt.Time, actor: p.who.Subject, name: a.ID, simul: a.Simulated,
		why:      incident.Why{Consent: c.ID, Alert: a.ID},
		evidence: incident.Evidence{Kind: "alert", Ref: a.ID, Reason: "consent " + c.ID, Text: a.Headline, Weight: 1, At: event},
	})
	return err
}

// spot is where an alert's incident stands: the epicentre; else the middle of its shape where that is ours; else our own centre.
func (p *putting) spot(a *alerts.Alert) *geo.Position {
	at := p.place.Center
	if a.Quake != nil {
		at = a.Quake.At()
	} else if !a.Area.Geometry.IsZero() {
		b := a.Area.Geometry.Bound()
		if mid := (geo.Position{Lat: (b.South + b.North) / 2, Lng: (b.West + b.East) / 2}); p.place.Areas.Contains(mid) {
			at = mid
		}
	}
	return &at
}
