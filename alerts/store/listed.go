package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// eventKey finds the newest version of an event by the producer's own name for it. Earthquakes are joined across senders (quake.go); all
// else only within its sender and feed, for only they may revise it.
func (p *putting) eventKey(name string) string {
	return p.nameKey(strings.Join([]string{"event of", p.m.Feed, p.a.Sender, name}, "\x00"))
}

// keyed loads what this feed and sender said before of the same event.
func (p *putting) keyed(ctx context.Context) (out []kept[alerts.Alert], err error) {
	var ids []string
	for _, k := range p.in.Keys {
		id, err := p.get(ctx, p.eventKey(k))
		if err != nil {
			return nil, err
		}
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	list, err := p.alertsOf(ctx, ids)
	return slices.DeleteFunc(list, func(k kept[alerts.Alert]) bool { return !p.entitled(k) }), err
}

// newest takes out of what was found by key what is newer than this message, which then came late: it is kept, and steps back over nothing.
func (p *putting) newest(found []kept[alerts.Alert]) (older []kept[alerts.Alert], late bool) {
	older = slices.DeleteFunc(found, func(k kept[alerts.Alert]) bool { return newer(&k.doc, &p.a) })
	late = len(older) < len(found)
	if late && p.a.State == alerts.Active {
		p.a.State = alerts.Updated
	}
	return older, late
}

// claim makes the alert the newest version of its event.
func (p *putting) claim(ctx context.Context, st *step, id string) error {
	for _, k := range p.in.Keys {
		key := p.eventKey(k)
		was, err := p.get(ctx, key)
		if err != nil {
			return err
		}
		st.check("str", key, "", was)
		st.set(key, id, life(&p.a, p.now))
	}
	return nil
}

// newer tells whether a is a later version than b of the same event: by when they were sent, else by the numbers in their identifiers
// (GDACS episodes, SIRI versions). Where neither says, what came last is the later one.
func newer(a, b *alerts.Alert) bool {
	if !a.Sent.Equal(b.Sent.Time) {
		return a.Sent.After(b.Sent.Time)
	}
	parts := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	x, y := parts(a.Identifier), parts(b.Identifier)
	for i := range min(len(x), len(y)) {
		if x[i] == y[i] {
			continue
		}
		m, err := strconv.ParseUint(strings.TrimPrefix(x[i], "v"), 10, 64)
		n, other := strconv.ParseUint(strings.TrimPrefix(y[i], "v"), 10, 64)
		return err == nil && other == nil && m > n
	}
	return false
}

// relisted makes an alert active again that its feed had left out of a list and lists anew. done is false where there is nothing to mend.
func (p *putting) relisted(ctx context.Context, k kept[alerts.Alert]) (done bool, err error) {
	a := k.doc
	if !k.own.Unlisted || a.State != alerts.Expired || !a.Expires.After(p.now) || !p.entitled(k) || p.in.Message.Reference() != capReference(a) {
		return false, nil
	}
	st := p.newStep(p.now)
	for _, name := range p.in.Keys {
		key := p.eventKey(name)
		was, err := p.get(ctx, key)
		if err != nil || was != a.ID {
			return false, err // another version stands for the event
		}
		st.check("str", key, "", was)
	}
	own := k.own
	own.Unlisted = false
	a.State, a.EndReason, a.Changes, a.Revision, a.UpdatedAt = alerts.Active, "", []string{"listed again"}, a.Revision+1, moment.Of(p.now)
	if err := p.putAlert(st, k.rev, &a, own, false); err != nil {
		return false, err
	}
	if err := p.remark(ctx, st, &a, p.who.Subject, "alert_listed", a.Event); err != nil {
		return false, err
	}
	if err := st.audited(p.who, "alert.listed", "alert:"+a.ID, "listed again by "+p.m.Feed, k.doc, a); err != nil {
		return false, err
	}
	return true, p.run(ctx, st)
}

// EndUnlisted ends the alerts that a feed has brought and that its newest list no longer holds, and counts them; listed is every alert of
// that list, stored before. An alert that another feed also names stays, as do earthquakes, whose lists are of the newest only. Of an event
// that is listed in another version that version stands.
func (s *Store) EndUnlisted(ctx context.Context, listed []feeds.Alert, m feeds.Meta) (int, error) {
	in := listOf(listed)
	n := 0
	err := s.retry(ctx, func() error {
		active, err := s.active(ctx)
		if err != nil {
			return err
		}
		for _, k := range active {
			if k.doc.Rule != "" || k.doc.Quake != nil || k.own.Feed != m.Feed || k.doc.Simulated != m.Simulated || in.holds(&k.doc) {
				continue
			}
			ended, err := s.endUnlisted(ctx, k, in, m)
			if err != nil {
				return err
			}
			if ended {
				n++
			}
		}
		return nil
	})
	return n, err
}

// listing is what a list says: every alert by its reference, and by the producer's keys.
type listing struct {
	refs    map[cap.Reference]bool
	undated map[string]bool // identifiers of alerts without a time of sending
	keys    map[string]*feeds.Alert
}

func listOf(listed []feeds.Alert) listing {
	l := listing{refs: map[cap.Reference]bool{}, undated: map[string]bool{}, keys: map[string]*feeds.Alert{}}
	for i := range listed {
		a := &listed[i]
		if a.Message.MsgType == "Cancel" {
			continue
		}
		l.refs[a.Message.Reference()] = true
		if a.Message.Sent.IsZero() {
			l.undated[a.Message.Sender+"\x00"+a.Message.Identifier] = true
		}
		for _, k := range a.Keys {
			l.keys[a.Message.Sender+"\x00"+k] = a
		}
	}
	return l
}

func (l listing) holds(a *alerts.Alert) bool {
	return l.refs[capReference(*a)] || l.undated[a.Sender+"\x00"+a.Identifier]
}

// version gives the listed version of an alert's event, nil where none is.
func (l listing) version(a *alerts.Alert) *feeds.Alert {
	for _, k := range a.Keys {
		if v := l.keys[a.Sender+"\x00"+k]; v != nil {
			return v
		}
	}
	return nil
}

// endUnlisted ends one alert that a list leaves out.
func (s *Store) endUnlisted(ctx context.Context, k kept[alerts.Alert], in listing, m feeds.Meta) (bool, error) {
	now := s.now()
	who := audit.Actor{Subject: "feed:" + m.Feed, Agency: m.Agency}
	if v := in.version(&k.doc); v != nil {
		return s.giveWay(ctx, k, v, m, now)
	}
	if len(k.doc.Sources) > 1 {
		return false, nil
	}
	st := s.newStep(now)
	k.own.Unlisted = true
	was := k.doc
	k.doc.EndReason = "no longer listed by " + m.Feed
	a, err := s.end(ctx, st, k, alerts.Expired, who.Subject, k.doc.EndReason)
	if err != nil {
		return false, err
	}
	if err := st.audited(who, "alert.expired", "alert:"+a.ID, a.EndReason, was, a); err != nil {
		return false, err
	}
	return true, s.run(ctx, st)
}

// giveWay lets the listed version of an event stand in place of one that stands now. Producers without versions (GTFS Realtime) may go back
// to words that they have used before; an older version in the list changes nothing.
func (s *Store) giveWay(ctx context.Context, k kept[alerts.Alert], v *feeds.Alert, m feeds.Meta, now time.Time) (bool, error) {
	p := &putting{Store: s, in: *v, m: m, now: now, who: audit.Actor{Subject: "feed:" + m.Feed, Agency: m.Agency}}
	p.a = alerts.Alert{Sender: v.Message.Sender, Expires: k.doc.Expires}
	id, err := p.get(ctx, p.nameKey(v.Message.Reference().String()))
	if err != nil || id == "" || id == k.doc.ID {
		return false, err
	}
	list, err := s.alertsOf(ctx, []string{id})
	if err != nil || len(list) == 0 || newer(&k.doc, &list[0].doc) {
		return false, err
	}
	st := s.newStep(now)
	next := list[0].doc
	if next.State == alerts.Updated && p.entitled(list[0]) && next.Expires.After(now) {
		next.State, next.UpdatedAt, next.Revision, next.Changes = alerts.Active, moment.Of(now), k.doc.Revision+1, []string{"listed again"}
		if next.Incident == "" {
			next.Incident = k.doc.Incident
		}
		if err := s.putAlert(st, list[0].rev, &next, list[0].own, false); err != nil {
			return false, err
		}
		if err := p.claim(ctx, st, next.ID); err != nil {
			return false, err
		}
	}
	a, err := s.end(ctx, st, k, alerts.Updated, p.who.Subject, next.Headline)
	if err != nil {
		return false, err
	}
	if err := st.audited(p.who, "alert.updated", "alert:"+a.ID, "listed as "+next.Identifier, k.doc, a); err != nil {
		return false, err
	}
	return true, s.run(ctx, st)
}
