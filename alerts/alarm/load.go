package alarm

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"kentongan/geo/moment"
)

// Memo is what the governor needs to remember beside its alarms: the floods that were and are, of the real plane and the simulated one, by
// desk; the whole house under "*".
type Memo map[string]FloodMemo

// FloodMemo is the floods of a desk: those of the last day that are over, and since when there is one, in ms, 0: there is none.
type FloodMemo struct {
	Since int64  `json:"since,omitempty"`
	Over  []Span `json:"over,omitempty"`
}

const (
	memoHouse     = "*"
	memoSimulated = "simulated/"
)

// Memo gives what is to be remembered; false: nothing has changed since it was asked last.
func (g *Governor) Memo() ([]byte, bool) {
	if !g.planes[0].memo && !g.planes[1].memo {
		return nil, false
	}
	m := Memo{}
	for _, p := range g.planes {
		p.tallies.memo = false
		put := func(name string, t *tallied) {
			f := FloodMemo{Over: slices.Clone(t.spans)}
			if t.flood {
				f.Since = t.since.UnixMilli()
			}
			if p.simulated {
				name = memoSimulated + name
			}
			if f.Since != 0 || len(f.Over) > 0 {
				m[name] = f
			}
		}
		put(memoHouse, p.everyone)
		for d, t := range p.desks {
			put(d, t)
		}
	}
	b, _ := json.Marshal(m) // it holds nothing that could fail
	return b, true
}

// Loaded is an alarm as it was kept.
type Loaded struct {
	Alarm Alarm
	Own   Own
}

// Load takes over what was kept: every alarm that stands and those raised within a day, in any order, and the memo, empty for none. The
// governor must be new.
func (g *Governor) Load(list []Loaded, memo []byte, now time.Time) error {
	var m Memo
	if len(memo) > 0 {
		if err := json.Unmarshal(memo, &m); err != nil {
			return err
		}
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Loaded) int {
		return cmp.Or(a.Alarm.RaisedAt.Compare(b.Alarm.RaisedAt.Time), cmp.Compare(a.Alarm.ID, b.Alarm.ID))
	})
	for _, l := range list {
		g.plane(l.Alarm.Simulated).load(l, now)
	}
	for _, p := range g.planes {
		p.loaded(m, now)
	}
	return nil
}

func (p *plane) load(l Loaded, now time.Time) {
	e := &entry{Alarm: l.Alarm, own: l.Own.clone(), plane: p}
	e.said = !e.PresentAt.IsZero() || e.Shelf != nil || e.Ack != nil
	if e.Code == "" && now.Sub(e.RaisedAt.Time) < shownFor {
		source, event := e.counted()
		p.busy.add(source, event, e.RaisedAt.Time, e.Count)
	}
	if !e.Stands() && now.Sub(e.ClearedAt.Time) > forgetAfter && e.PresentAt.IsZero() {
		if e.Feed != "" {
			p.seen[e.Feed] = true
		}
		return
	}
	p.adopt(e)
	switch {
	case e.Code == CodeFlood:
		p.floodRow = e
	case e.Code == CodeFeed && e.Active:
		p.down[e.Feed] = e
	}
	if e.Chattering {
		p.chatters[e.ID] = e
	}
	if e.State == Shelved {
		p.shelved[e.ID] = e
	}
	if e.own.Replaced != 0 && e.Active {
		p.replaced[e.ID] = e
	}
	if e.State == Suppressed && e.Withheld == WithheldPlan {
		p.held[e.ID] = e
	}
	if e.Suppress != nil && e.Withheld == WithheldIncident && e.Suppress.Parent != suppressedBy("incident", e.Incident) {
		p.merged[e.Incident] = strings.TrimPrefix(e.Suppress.Parent, "incident:")
	}
	p.reckon(e, now)
}

// reckon counts what a kept alarm has claimed of the desks' attention.
func (p *plane) reckon(e *entry, now time.Time) {
	if r := e.own.Raised; r != nil {
		if at := time.UnixMilli(r.At).UTC(); now.Sub(at) < Window {
			for _, d := range r.Desks {
				p.at(d).raised = append(p.at(d).raised, raising{at, e.ID})
			}
			p.everyone.raised = append(p.everyone.raised, raising{at, e.ID})
		}
	}
	for _, c := range e.own.Claims {
		at := time.UnixMilli(c.At).UTC()
		if c.Urgent {
			p.urgent.led(e.ID, at)
		}
		if now.Sub(at) >= shift {
			continue
		}
		for _, d := range c.Desks {
			p.at(d).presented = append(p.at(d).presented, presented{at, c.Urgent, e.ID})
		}
		p.everyone.presented = append(p.everyone.presented, presented{at, c.Urgent, e.ID})
	}
	switch {
	case !e.Presented || e.Ack != nil:
	case e.Announced != "": // it sounds on until somebody acknowledges it, though it may have become less urgent
		p.urgent.sounds[e.ID] = e
	case e.Priority == P1 && e.State == Raised:
		p.urgent.waiting[e.ID] = e
	}
}

// loaded puts groups and floods together once every alarm is there.
func (p *plane) loaded(m Memo, now time.Time) {
	for _, e := range sorted(p.all) {
		if e.Code == CodeGroup && e.Active {
			w := e.Worst
			key := groupKey{desk: e.own.Desk, kind: strings.TrimPrefix(e.Source, "house:group/"), cell: e.Cell}
			g := &group{key: key, head: e, members: map[string]*entry{}, count: e.Count, stale: true}
			e.group, p.heads[e.ID] = g, g
			if e.State == Raised && w != nil {
				p.groups[key] = g
			}
		}
	}
	for _, e := range sorted(p.all) {
		if e.Code == CodeGroup || !e.Active || e.Presented || e.State == Suppressed || e.State == Shelved || e.Chattering {
			continue
		}
		g := p.heads[e.Group]
		if g == nil {
			key := p.groupOf(e)
			if g = p.groups[key]; g == nil {
				g = &group{key: key, members: map[string]*entry{}}
				p.groups[key] = g
			}
		}
		g.members[e.ID], e.group, g.stale = e, g, true
	}
	order := func(t *tallied) {
		t.order()
		slices.SortStableFunc(t.raised, func(a, b raising) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	}
	order(p.everyone)
	for _, t := range p.desks {
		order(t)
	}
	for name, f := range m {
		name, simulated := strings.CutPrefix(name, memoSimulated)
		if simulated != p.simulated {
			continue
		}
		t := p.everyone
		if name != memoHouse {
			t = p.at(name)
		}
		t.spans = slices.Clone(f.Over)
		if f.Since != 0 {
			t.flood, t.since = true, time.UnixMilli(f.Since).UTC()
		}
	}
}

// Settle clears the alarms whose alert no longer holds: for a governor that has missed changes. Incidents do the same for their own.
func (g *Governor) Settle(alert func(id string) bool, incident func(id string) bool, now time.Time) {
	for _, p := range g.planes {
		for _, e := range sorted(p.all) {
			gone := e.Alert != "" && !alert(e.Alert) || e.Alert == "" && e.Incident != "" && !incident(e.Incident)
			if e.Active && (e.Code == "" || e.Code == CodeUnanswered) && gone {
				if e.Alert == "" && e.Ack == nil { // whoever ended the incident took note of it
					e.Ack = &Ack{At: moment.Of(now), By: "house:governor", Note: noteIncident}
				}
				p.clear(e, now)
			}
		}
	}
}
