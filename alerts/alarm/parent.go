package alarm

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

func suppressedBy(kind, name string) string { return kind + ":" + name }

// evaluate decides where an alarm stands: in the queue, or behind something that explains it. What somebody has shelved stays there.
func (p *plane) evaluate(e *entry, now time.Time) {
	if !e.Active || e.State == Shelved {
		return
	}
	if parent, reason, why := p.parentOf(e, now); parent != "" {
		p.suppress(e, parent, reason, why, now)
		return
	}
	if e.State == Suppressed {
		e.State, e.Suppress, e.Withheld = Raised, nil, ""
		if e.Ack != nil {
			e.State = Acknowledged
		}
		e.Version++
		delete(p.held, e.ID)
		p.mark(e, now)
	}
	if e.Chattering && e.Priority != P1 {
		if row := p.byKey["house:chattering/"+e.Source]; row != nil && e.Withheld == "" {
			e.Withheld, e.Group = WithheldChattering, row.ID
			p.mark(e, now)
		}
		return
	}
	p.offer(e, now)
}

// parentOf is what an alarm is the consequence of now; empty: nothing. What threatens life is held by a plan that names it, and follows an
// incident that a person merged; nothing else keeps it back.
func (p *plane) parentOf(e *entry, now time.Time) (parent, reason, why string) {
	if e.Code != "" {
		return "", "", ""
	}
	if pl, by, ok := p.set.Explains(e.subject(), now); ok {
		return suppressedBy("plan", pl.ID), pl.Title + " (" + string(by) + ")", WithheldPlan
	}
	if into := p.merged[e.Incident]; into != "" {
		return suppressedBy("incident", into), "its incident was merged", WithheldIncident
	}
	if e.Priority == P1 {
		return "", "", ""
	}
	if row := p.down[e.Feed]; row != nil && row.Active {
		return suppressedBy("feed", e.Feed), row.Event, WithheldFeed
	}
	if first := p.firstOf(e); first != nil {
		reason := "the incident has an alarm already"
		if !first.Restricted() {
			reason += ": " + first.called()
		}
		return suppressedBy("incident", e.Incident), reason, WithheldIncident
	}
	return "", "", ""
}

func (e *entry) subject() plan.Subject {
	s := plan.Subject{Thing: e.Thing, Feed: e.Feed, Rule: e.Rule, Type: e.Type, Severity: e.Severity, Simulated: e.Simulated}
	if e.Location != nil {
		s.Position, s.Placed = geo.Position{Lat: e.Location.Lat, Lng: e.Location.Lng}, true
	}
	return s
}

// firstOf is the alarm that speaks for an alarm's incident, nil where it is that alarm itself, or nothing: it is at least as urgent, and was
// shown or came first of those.
func (p *plane) firstOf(e *entry) *entry {
	if e.Incident == "" {
		return nil
	}
	var first *entry
	for _, o := range p.byIncident[e.Incident] {
		if o.Code != "" || o.State == Suppressed || o.State == Shelved || o.Chattering || e.Priority.before(o.Priority) || o == e {
			continue
		}
		if first == nil || speaksBefore(o, first) {
			first = o
		}
	}
	if first == nil || first.Priority == e.Priority && e.State != Suppressed && speaksBefore(e, first) {
		return nil
	}
	return first
}

// speaksBefore tells which of two alarms of one incident speaks for it: the more urgent one, then the one that somebody was shown, for what
// comes in one moment has one time, then the first.
func speaksBefore(a, b *entry) bool {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(one(b.Presented), one(a.Presented)), a.RaisedAt.Compare(b.RaisedAt.Time), cmp.Compare(a.ID, b.ID)) < 0
}

func (p *plane) suppress(e *entry, parent, reason, why string, now time.Time) {
	if e.State == Suppressed && e.Suppress != nil && e.Suppress.Parent == parent {
		return
	}
	e.State, e.Suppress = Suppressed, &Suppression{Parent: parent, Reason: reason, Since: moment.Of(now)}
	e.Presented, e.Withheld, e.Sound = false, why, false
	e.Version++
	p.leave(e)
	delete(p.urgent.waiting, e.ID)
	delete(p.held, e.ID)
	if why == WithheldPlan {
		p.held[e.ID] = e
	}
	p.mark(e, now)
	if why != WithheldIncident { // others may speak for its incident
		p.release(suppressedBy("incident", e.Incident), now)
	}
}

// release asks anew about everything that a parent keeps back.
func (p *plane) release(parent string, now time.Time) {
	kind, name := parent, ""
	for i := range parent {
		if parent[i] == ':' {
			kind, name = parent[:i], parent[i+1:]
			break
		}
	}
	in := p.byIncident
	if kind == "feed" {
		in = p.byFeed
	}
	if name == "" {
		return
	}
	for _, e := range sorted(in[name]) {
		if e.State == Suppressed && e.Suppress != nil && e.Suppress.Parent == parent {
			p.evaluate(e, now)
		}
	}
}

// sorted gives alarms by priority, time and id, so that equal states decide equally.
func sorted(in map[string]*entry) []*entry {
	out := make([]*entry, 0, len(in))
	for _, e := range in {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.RaisedAt.Compare(b.RaisedAt.Time), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Incident takes over a change of an incident.
//
// An incident that an alert opened has the alert's alarm. One that a person opened has an alarm of its own only while it is new and Extreme
// or not assessed: somebody must take note of it. Whoever acknowledges an incident takes note of its alarms; to acknowledge an alarm changes
// no incident.
func (g *Governor) Incident(in *incident.Incident, now time.Time) {
	g.plane(in.Simulated).incident(in, now)
}

func (p *plane) incident(in *incident.Incident, now time.Time) {
	p.unanswered(in, now)
	into := in.MergedInto
	key := "incident:" + in.ID
	own := p.byKey[key]
	asks := in.Why.Alert == "" && in.Why.Unit == "" && in.Status == incident.New && (in.Severity == cap.Extreme || in.Severity == cap.Unknown)
	switch {
	case asks && own == nil:
		p.raised(p.ofIncident(in, key, now), now)
	case asks && own.Active:
		p.retold(own, in, now)
	case !asks && own != nil && own.Active:
		if own.Ack == nil { // whoever acknowledged, cancelled, merged or judged it took note of it
			own.Ack = &Ack{At: in.Times.TAck, By: in.Owner, Note: noteIncident}
			if in.Times.TAck.IsZero() {
				own.Ack.At, own.Ack.By = moment.Of(now), lastHand(in)
			}
		}
		p.clear(own, now)
	}
	if into != "" && p.merged[in.ID] != into {
		p.merged[in.ID] = into
		for _, e := range sorted(p.byIncident[in.ID]) {
			p.evaluate(e, now)
		}
	} else if was := p.merged[in.ID]; into == "" && was != "" {
		delete(p.merged, in.ID)
		for _, e := range sorted(p.byIncident[in.ID]) {
			p.evaluate(e, now)
		}
	}
	if !in.Times.TAck.IsZero() {
		for _, e := range sorted(p.byIncident[in.ID]) {
			repeat := e.State == Suppressed && e.Withheld == WithheldIncident // it does not ask again once it speaks for the incident
			if e.Code == "" && e.Ack == nil && (e.State == Raised || e.Latched || repeat) && !e.RaisedAt.After(in.Times.TAck.Time) {
				p.acknowledge(e, Ack{At: in.Times.TAck, By: in.Owner, Note: noteIncident}, now)
				e.Version++
				p.mark(e, now)
			}
		}
	}
}

// noteIncident is the note of an acknowledgement that follows from an act on the incident.
const noteIncident = "incident acknowledged"

// lastHand is the person who last did something to an incident.
func lastHand(in *incident.Incident) string {
	for _, e := range slices.Backward(in.Timeline) {
		if kind, _, _ := strings.Cut(e.Actor, ":"); !slices.Contains([]string{"rule", "feed", "house", "consent"}, kind) {
			return e.Actor
		}
	}
	return in.Owner
}

func (p *plane) ofIncident(in *incident.Incident, key string, now time.Time) *entry {
	e := p.entry(alerts.ID(now, "alarm\x00"+in.ID), key, now)
	e.Source, e.Incident = sourcePerson, in.ID
	p.describeIncident(e, in)
	return e
}

func (p *plane) describeIncident(e *entry, in *incident.Incident) {
	e.Event, e.Type, e.Severity, e.AreaName = strings.TrimSuffix(in.Title, ", "+in.AreaName), in.Type, in.Severity, in.AreaName // the place is beside it
	e.Priority = p.config.PriorityOf(in.Severity, 0)
	if pos, ok := in.Position(); ok {
		e.place(pos)
	}
}

// retold takes over what a person has said anew of an incident that still asks.
func (p *plane) retold(e *entry, in *incident.Incident, now time.Time) {
	before := e.Alarm
	p.describeIncident(e, in)
	same := e.Location == before.Location || e.Location != nil && before.Location != nil && *e.Location == *before.Location
	if same && e.Event == before.Event && e.Type == before.Type && e.Severity == before.Severity && e.AreaName == before.AreaName {
		e.Location = before.Location
		return
	}
	if e.Type != before.Type { // a group is of one type, and who may see it depends on that
		p.leave(e)
	}
	p.worsened(e, before.Priority, now)
	p.moved(e)
	p.mark(e, now)
	p.evaluate(e, now)
}

// feeds raises one alarm for a feed that is down and whose sensors have raised alarms before, in place of what they say until it is back.
func (p *plane) feeds(list []Feed, simulated bool, now time.Time) {
	down := map[string]string{}
	for _, f := range list {
		if f.Down && f.Simulated == simulated && p.seen[f.Name] {
			down[f.Name] = f.Reason
		}
	}
	for _, name := range keysOf(down) {
		if row := p.down[name]; row != nil && row.Active {
			continue
		}
		key := "house:feed/" + name
		row := p.byKey[key]
		if row != nil && now.Sub(row.ClearedAt.Time) < again {
			p.revive(row, now)
		} else {
			row = p.house(CodeFeed, key, name, cap.Moderate, now)
			row.Feed = name
			p.down[name] = row
			p.raised(row, now)
		}
		p.down[name] = row
		for _, e := range sorted(p.byFeed[name]) {
			p.evaluate(e, now)
		}
	}
	for _, name := range keysOf(p.down) {
		if _, still := down[name]; still || !p.down[name].Active {
			continue
		}
		p.clear(p.down[name], now)
		delete(p.down, name)
		p.release(suppressedBy("feed", name), now)
	}
}

func keysOf[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// house makes an alarm of the house's own.
func (p *plane) house(code Code, key, about string, s cap.Severity, now time.Time) *entry {
	e := p.entry(alerts.ID(now, "alarm\x00"+key), key, now)
	e.Source, e.Code, e.Event, e.Names, e.Severity, e.Priority = key, code, told(p.words, code, about), names(code, about), s, P3
	return e
}

// revive lets an alarm of the house's own, that cleared a moment ago, hold again.
func (p *plane) revive(e *entry, now time.Time) {
	e.Count++
	e.LastAt, e.Active, e.ClearedAt, e.Latched, e.State = moment.Of(now), true, moment.Time{}, false, Raised
	if e.Ack != nil {
		e.State = Acknowledged
	}
	e.Version++
	p.keep(p.byFeed, e.Feed, e)
	p.mark(e, now)
	p.evaluate(e, now)
}

// holds asks of every alarm anew whether a plan explains it.
func (p *plane) holds(now time.Time) {
	for _, e := range sorted(p.held) {
		p.evaluate(e, now)
	}
	if p.set == nil {
		return
	}
	explained := map[string]*entry{}
	for _, e := range p.all {
		if e.State == Raised && e.Active && e.Code == "" {
			if _, _, ok := p.set.Explains(e.subject(), now); ok {
				explained[e.ID] = e
			}
		}
	}
	for _, e := range sorted(explained) {
		p.evaluate(e, now)
	}
}
