package alarm

import "time"

// tick does what follows from the clock alone.
func (p *plane) tick(now time.Time) {
	for _, e := range sorted(p.replaced) {
		if now.UnixMilli()-e.own.Replaced >= replacedFor.Milliseconds() {
			p.clear(e, now)
		}
	}
	for _, e := range sorted(p.shelved) {
		if e.Shelf != nil && !now.Before(e.Shelf.Until.Time) {
			e.log = "alarm.shelf_ended"
			p.unshelve(e, now)
			e.Version++
		}
	}
	for _, e := range sorted(p.held) {
		p.evaluate(e, now)
	}
	p.calm(now)
	p.floods(now)
	for _, e := range sorted(p.urgent.waiting) {
		p.announce(e, now)
	}
	p.promote(now)
	p.tally(now)
	if now.Sub(p.minute) >= time.Minute {
		p.minute = now
		p.slow(now)
	}
}

// slow looks at every alarm: which are standing, which a plan that has begun explains, which are to be forgotten.
func (p *plane) slow(now time.Time) {
	p.holds(now)
	p.busy.trim(now)
	long := map[string]*entry{}
	for _, e := range p.all {
		if e.Active && !e.Standing && now.Sub(e.RaisedAt.Time) > p.config.Stale {
			long[e.ID] = e
		}
		if !e.Stands() && !e.dirty && !e.Chattering && now.Sub(e.ClearedAt.Time) > forgetAfter && (e.PresentAt.IsZero() || now.Sub(e.PresentAt.Time) > shownFor) {
			p.forget(e)
		}
	}
	for _, e := range sorted(long) {
		e.Standing = true
		p.mark(e, now)
	}
}

func (p *plane) forget(e *entry) {
	delete(p.all, e.ID)
	for _, id := range e.own.Alerts {
		if p.byAlert[id] == e {
			delete(p.byAlert, id)
		}
	}
	if p.byKey[e.own.Key] == e {
		delete(p.byKey, e.own.Key)
	}
	delete(p.heads, e.ID)
}
