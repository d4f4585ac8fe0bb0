package alarm

import (
	"cmp"
	"slices"
	"time"

	"kentongan/geo/moment"
)

// acknowledge takes note of an alarm, and with it of all that it stands for.
func (p *plane) acknowledge(e *entry, by Ack, now time.Time) {
	latched := e.Latched
	e.Alarm.acknowledge(by)
	e.Version-- // whoever asks says by how much it grows
	delete(p.urgent.waiting, e.ID)
	if latched {
		p.over(e, now)
	}
	if g := p.heads[e.ID]; g != nil {
		p.close(g)
		for _, m := range sorted(g.members) {
			if m.State == Raised {
				m.Alarm.acknowledge(Ack{At: by.At, By: by.By, Desk: by.Desk, Note: "with " + e.ID})
				p.mark(m, now)
			}
		}
	}
}

func (p *plane) shelve(e *entry, on Shelf, now time.Time) {
	e.Alarm.shelve(on)
	e.Version--
	delete(p.urgent.waiting, e.ID)
	p.shelved[e.ID] = e
	if g := p.heads[e.ID]; g != nil {
		p.close(g)
	} else {
		p.leave(e)
	}
	p.release(suppressedBy("incident", e.Incident), now)
}

// unshelve returns an alarm to the queue, where it asks for an acknowledgement again.
func (p *plane) unshelve(e *entry, now time.Time) {
	delete(p.shelved, e.ID)
	e.Alarm.unshelve(now)
	e.Version--
	e.Announced, e.AnnounceAt = "", moment.Time{}
	p.mark(e, now)
	if e.Active {
		p.evaluate(e, now)
	}
}

// offer brings an alarm into the queue: P1 at once and by itself, others as far as a desk can take them.
func (p *plane) offer(e *entry, now time.Time) {
	head := p.heads[e.ID] != nil
	if e.Presented || e.group != nil && !head || e.State != Raised && e.State != Acknowledged {
		return
	}
	if e.State == Acknowledged { // somebody knows it: it returns to the queue without a word
		e.Presented, e.Withheld, e.Group = true, "", ""
		p.mark(e, now)
		return
	}
	if e.Code == CodeFlood { // beginFlood shows it
		return
	}
	if head { // it returns from the shelf
		p.show(e, []string{e.Desk}, now)
		return
	}
	if e.Priority == P1 {
		e.Desk = ""
		p.raise(e, p.seats(), now)
		p.show(e, p.seats(), now)
		p.announce(e, now)
		return
	}
	desk := p.route(e, now)
	e.Desk = desk
	p.raise(e, []string{desk}, now)
	g, t := p.groups[p.groupOf(e)], p.at(desk)
	switch {
	case g == nil && !t.flood && t.rows(now) < p.config.AtOnce:
		p.show(e, []string{desk}, now)
	default:
		p.join(e, now)
	}
}

// seats are the staffed desks; where nobody sits, the one that everybody is at.
func (p *plane) seats() []string {
	if len(p.staffed) == 0 {
		return []string{""}
	}
	return p.staffed
}

// route chooses the desk of an alarm: where more of its kind and place are already, else the one that has had least.
func (p *plane) route(e *entry, now time.Time) string {
	seats := p.seats()
	for _, d := range seats {
		if g := p.groups[e.kind(d)]; g != nil {
			return d
		}
	}
	return slices.MinFunc(seats, func(a, b string) int {
		x, y := p.at(a), p.at(b)
		return cmp.Or(cmp.Compare(x.news(now), y.news(now)), cmp.Compare(x.shown(now), y.shown(now)), cmp.Compare(a, b))
	})
}

// show lets a row stand in the queue of desks.
func (p *plane) show(e *entry, desks []string, now time.Time) {
	e.Presented, e.Withheld, e.Group, e.PresentAt = true, "", "", moment.Of(now)
	if e.Priority != P1 {
		flood := false
		for _, d := range desks {
			flood = flood || p.at(d).flood
		}
		p.claim(e, desks, false, now)
		e.Sound = e.Priority == P2 && !flood && e.Code != CodeFlood
	}
	p.mark(e, now)
}

// announcer is what was said aloud of P1. In a flood announcements keep apart: a P1 in between is a row at once, and shares the announcement
// that still sounds. Where nothing sounds any more, for everything was acknowledged, it waits for the next turn.
type announcer struct {
	last    time.Time
	leader  string
	sounds  map[string]*entry // announced and not acknowledged
	waiting map[string]*entry
}

// led takes over who led the last announcement; of several in one millisecond the oldest alarm.
func (u *announcer) led(id string, at time.Time) {
	if at, last := at.UnixMilli(), u.last.UnixMilli(); at > last || at == last && id < u.leader {
		u.leader = id
	}
	if at.After(u.last) {
		u.last = at
	}
}

func (p *plane) announce(e *entry, now time.Time) {
	u := &p.urgent
	if e.Priority != P1 { // while it waited it became less urgent
		delete(u.waiting, e.ID)
		return
	}
	sounding := false
	for id, o := range u.sounds {
		if o.Ack != nil || !o.Presented {
			delete(u.sounds, id)
		} else {
			sounding = true
		}
	}
	room, flood := true, false
	for _, d := range p.seats() {
		room = room && p.at(d).shown(now) < p.config.Budget
		flood = flood || p.at(d).flood
	}
	due := now.Sub(u.last) >= p.config.Announce
	switch {
	case due && (room || !sounding), !flood && room:
		u.led(e.ID, now)
		e.Announced = e.ID
		p.claim(e, p.seats(), true, now)
	case sounding:
		e.Announced = u.leader
	default:
		u.waiting[e.ID] = e
		return
	}
	delete(u.waiting, e.ID)
	u.sounds[e.ID] = e
	e.Sound, e.AnnounceAt = true, moment.Of(now)
	p.mark(e, now)
}

// sit takes over which desks are staffed.
func (p *plane) sit(staffed []string, now time.Time) {
	list := slices.Clone(staffed)
	slices.Sort(list)
	list = slices.Compact(list)
	if slices.Equal(list, p.staffed) {
		return
	}
	p.staffed = list
	for _, d := range list {
		p.at(d)
	}
	for _, e := range sorted(p.all) {
		if e.Desk == "" || !e.Stands() || slices.Contains(list, e.Desk) {
			continue
		}
		e.Desk = ""
		p.mark(e, now)
	}
	p.inherit(now)
	for _, g := range p.openGroups() { // of a desk that nobody sits at: what has not been presented finds another
		if g.key.desk != "" && !slices.Contains(list, g.key.desk) || g.key.desk == "" && len(list) > 0 {
			p.scatter(g, now)
		}
	}
}
