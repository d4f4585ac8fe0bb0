package alarm

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"kentongan/alerts"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// groupAt is the resolution of the cells by which alarms are grouped: about 36 km², a third of a kecamatan.
const groupAt = geo.ResShard

// groupKey is what alarms of one group have in common.
type groupKey struct {
	desk string
	kind string // type of incident, else the event in its source's words
	cell geo.Cell
}

// group is alarms that are presented as one, or wait for that. It has a head once it is presented.
type group struct {
	key     groupKey
	head    *entry // nil: not presented yet
	members map[string]*entry
	count   int    // activations of its members since it has a head, and of those it began with before
	stale   bool   // the head says less than is so
	first   *entry // the worst member, nil: to be found
}

func (p *plane) groupOf(e *entry) groupKey { return e.kind(e.Desk) }

func (e *entry) kind(desk string) groupKey {
	k := groupKey{desk: desk, kind: cmp.Or(e.Type, string(e.Code), e.Event)}
	if e.Cell != 0 {
		k.cell = e.Cell.Parent(groupAt)
	}
	return k
}

// join puts an alarm into the group of its kind and place.
func (p *plane) join(e *entry, now time.Time) {
	key := p.groupOf(e)
	g := p.groups[key]
	if g == nil {
		g = &group{key: key, members: map[string]*entry{}}
		p.groups[key] = g
	}
	g.members[e.ID] = e
	e.group = g
	g.changed(e)
	g.count++
	e.Presented, e.Sound = false, false
	switch {
	case g.head != nil:
		e.Group, e.Withheld = g.head.ID, WithheldGroup
	case p.at(key.desk).flood && p.floodRow != nil:
		e.Group, e.Withheld = p.floodRow.ID, WithheldFlood
	default:
		e.Withheld = WithheldBudget
	}
	p.mark(e, now)
}

// leave takes an alarm out of its group.
func (p *plane) leave(e *entry) {
	g := e.group
	if g == nil {
		return
	}
	e.group, e.Group = nil, ""
	if g.head == e {
		return
	}
	delete(g.members, e.ID)
	if g.stale = true; g.first == e {
		g.first = nil
	}
	if len(g.members) == 0 && g.head == nil {
		delete(p.groups, g.key)
	}
}

// close lets no more alarms into a presented group: what comes later was not acknowledged with it.
func (p *plane) close(g *group) {
	if p.groups[g.key] == g {
		delete(p.groups, g.key)
	}
}

// scatter offers the members of a group that has not been presented anew.
func (p *plane) scatter(g *group, now time.Time) {
	p.close(g)
	if g.head != nil {
		return
	}
	for _, m := range sorted(g.members) {
		m.group, m.Group, m.Withheld = nil, "", ""
		if r := m.own.Raised; r != nil {
			m.own.Raised = &Claim{At: r.At} // by the house it is counted already
		}
		p.offer(m, now)
	}
}

// openGroups gives the groups that take members, the worst first, then the fullest.
func (p *plane) openGroups() []*group {
	out := make([]*group, 0, len(p.groups))
	for _, g := range p.groups {
		out = append(out, g)
	}
	worst := make(map[*group]*entry, len(out))
	for _, g := range out {
		worst[g] = g.worst()
	}
	slices.SortFunc(out, func(a, b *group) int {
		x, y := worst[a], worst[b]
		if x == nil || y == nil {
			return cmp.Or(cmp.Compare(len(b.members), len(a.members)), cmp.Compare(a.key.kind, b.key.kind), cmp.Compare(a.key.cell, b.key.cell), cmp.Compare(a.key.desk, b.key.desk))
		}
		return cmp.Or(cmp.Compare(x.Priority, y.Priority), cmp.Compare(x.Severity.Rank(), y.Severity.Rank()), cmp.Compare(len(b.members), len(a.members)),
			x.RaisedAt.Compare(y.RaisedAt.Time), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// worst is the worst member, the first to have been raised of those.
func (g *group) worst() *entry {
	if g.first == nil {
		for _, m := range g.members {
			if g.first == nil || worseThan(m, g.first) {
				g.first = m
			}
		}
	}
	return g.first
}

// changed notes that a member is other than it was.
func (g *group) changed(m *entry) {
	g.stale = true
	switch {
	case g.first == m:
		g.first = nil
	case g.first != nil && worseThan(m, g.first):
		g.first = m
	}
}

func worseThan(a, b *entry) bool {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), a.RaisedAt.Compare(b.RaisedAt.Time), cmp.Compare(a.ID, b.ID)) < 0
}

// promote presents what waits as far as the desks have room: a single one as itself, more of a kind and place by a head that counts them.
func (p *plane) promote(now time.Time) {
	room := func(t *tallied) bool {
		most := p.config.Budget - p.config.ForUrgent
		if !t.flood {
			most-- // for the flood's own alarm
		}
		return t.rows(now) < most
	}
	wanted := false
	for _, g := range p.groups {
		wanted = wanted || g.head == nil && room(p.at(g.key.desk))
	}
	if !wanted {
		return
	}
	for _, g := range p.openGroups() {
		if g.head != nil || len(g.members) == 0 || !room(p.at(g.key.desk)) {
			continue
		}
		if len(g.members) == 1 {
			m := g.worst()
			p.leave(m)
			p.show(m, []string{g.key.desk}, now)
			continue
		}
		p.lead(g, now)
	}
}

// lead gives a group its head.
func (p *plane) lead(g *group, now time.Time) {
	w := g.worst()
	e := p.entry(alerts.ID(now, fmt.Sprintf("group\x00%s\x00%s\x00%s\x00%t", g.key.desk, g.key.kind, g.key.cell, p.simulated)), "", now)
	e.Source, e.Code, e.Type, e.Desk, e.AreaName = "house:group/"+g.key.kind, CodeGroup, w.Type, g.key.desk, w.AreaName
	e.own.Desk = g.key.desk
	e.Event, e.Response = w.called(), w.Response
	if g.key.cell != 0 {
		e.place(g.key.cell.Center())
		e.Cell = g.key.cell
	}
	g.head, e.group, g.count = e, g, 0
	for _, m := range g.members {
		g.count += m.Count
	}
	p.heads[e.ID] = g
	p.adopt(e)
	p.total(g)
	p.show(e, []string{g.key.desk}, now)
	for _, m := range sorted(g.members) {
		m.Group, m.Withheld = e.ID, WithheldGroup
		p.mark(m, now)
	}
}

// total lets a head say what is so of its group; it tells whether that is news.
func (p *plane) total(g *group) bool {
	h, w := g.head, g.worst()
	g.stale = false
	if w == nil {
		return false
	}
	before, was := h.Alarm, Worst{}
	if h.Worst != nil {
		was = *h.Worst
	}
	now := *w.worst()
	h.Members, h.Count, h.Worst, h.Severity, h.Priority, h.ActBy = len(g.members), g.count, &now, w.Severity, w.Priority, w.ActBy
	h.LastAt = before.LastAt
	for _, m := range g.members {
		if m.LastAt.After(h.LastAt.Time) {
			h.LastAt = m.LastAt
		}
	}
	return h.Members != before.Members || h.Count != before.Count || was != now
}

// tally brings the heads up to date; a group that nobody is left in is over.
func (p *plane) tally(now time.Time) {
	for _, id := range keysOf(p.heads) {
		g := p.heads[id]
		if !g.stale {
			continue
		}
		if len(g.members) == 0 {
			g.stale = false
			delete(p.heads, id)
			p.close(g)
			p.clear(g.head, now)
			continue
		}
		if p.total(g) {
			p.mark(g.head, now)
		}
	}
	p.floodTotal(now)
}

// floods begins and ends the floods of desks, with one alarm for all of them that tells the supervisor.
func (p *plane) floods(now time.Time) {
	p.everyone.news(now)
	for _, d := range keysOf(p.desks) {
		t := p.desks[d]
		n := t.news(now)
		switch {
		case !t.flood && n >= p.config.FloodFrom:
			t.flood, t.since = true, now
			p.everyone.begin(now)
			p.memo = true
			if p.floodRow == nil || !p.floodRow.Active {
				p.beginFlood(t, now)
			}
		case t.flood && n < p.config.FloodUntil:
			t.end(now)
			p.memo = true
		}
	}
	for _, t := range p.desks {
		if t.flood {
			return
		}
	}
	if p.everyone.flood {
		p.everyone.end(now)
	}
	if p.floodRow != nil && p.floodRow.Active {
		p.floodRow.log = "alarm.flood_ended"
		p.clear(p.floodRow, now)
	}
}

// beginFlood raises the flood's own alarm and notes what came first: where it began is often its cause.
func (p *plane) beginFlood(t *tallied, now time.Time) {
	if was := p.floodRow; was != nil && now.Sub(was.ClearedAt.Time) < Window { // it has not been over for long: the same flood
		p.revive(was, now)
		was.Presented, was.log = true, "alarm.flood_began"
		return
	}
	e := p.house(CodeFlood, "house:flood", "", cap.Severe, now)
	e.Priority = P2
	if first := p.all[t.raised[0].id]; first != nil {
		first.FirstOut = true
		p.mark(first, now)
	}
	for _, r := range t.raised { // everybody sees the flood: what is for named people is not named in it
		if first := p.all[r.id]; first != nil && !first.Restricted() {
			e.Worst, e.Alert = first.worst(), first.Alert
			break
		}
	}
	e.log = "alarm.flood_began"
	p.floodRow = e
	p.adopt(e)
	p.show(e, p.seats(), now)
	p.floodTotal(now)
}

// floodTotal lets the flood's alarm count what has no other row: Worst stays what came first.
func (p *plane) floodTotal(now time.Time) {
	e := p.floodRow
	if e == nil || !e.Active {
		return
	}
	n := 1
	for _, g := range p.groups {
		if g.head == nil {
			n += len(g.members)
		}
	}
	if raised := max(1, p.everyone.news(now)); e.Members != n || e.Count != raised {
		e.Members, e.Count, e.LastAt = n, raised, moment.Of(now)
		p.mark(e, now)
	}
}
