package alarm

import (
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// chattering tells a source that was activated as often within a minute as makes it chatter.
func (p *plane) chattering(e *entry, now time.Time) bool {
	acts := e.own.Acts
	return e.Code == "" && len(acts) >= p.config.Chatter && now.UnixMilli()-acts[len(acts)-p.config.Chatter] <= chatterWindow.Milliseconds()
}

// chatter collapses what a chattering source says into one alarm, that counts, behind one that suggests a fault of the sensor. What threatens
// life stays in the queue with its count: a sensor that fails may fail in a flood.
func (p *plane) chatter(e *entry, now time.Time) {
	if e.Chattering {
		return
	}
	e.Chattering = true
	p.chatters[e.ID] = e
	key := "house:chattering/" + e.Source
	row := p.byKey[key]
	if row != nil && row.Active { // of the alarm of before, and it has not been quiet since
		row.Worst, row.LastAt = e.worst(), moment.Of(now)
		p.mark(row, now)
	} else {
		row = p.house(CodeChattering, key, e.called(), cap.Minor, now)
		row.Type, row.Thing, row.ThingName, row.Feed, row.AreaName, row.Location, row.Cell = "sensor_fault", e.Thing, e.ThingName, e.Feed, e.AreaName, e.Location, e.Cell
		if e.Restricted() {
			row.Type = e.Type
		}
		row.Priority = max(P2, e.Priority) // as urgent as what it stands for, and never P1
		row.Members, row.Worst = 1, e.worst()
		p.raised(row, now)
	}
	if e.Priority != P1 {
		p.leave(e)
		e.Presented, e.Sound, e.Withheld, e.Group = false, false, WithheldChattering, row.ID
	}
	p.release(suppressedBy("incident", e.Incident), now)
}

// calm lets sources go that have been quiet: what still holds returns to the queue.
func (p *plane) calm(now time.Time) {
	for _, e := range sorted(p.chatters) {
		if now.Sub(e.LastAt.Time) < p.config.Quiet {
			continue
		}
		delete(p.chatters, e.ID)
		e.Chattering = false
		if e.Withheld == WithheldChattering {
			e.Withheld, e.Group = "", ""
		}
		if row := p.byKey["house:chattering/"+e.Source]; row != nil && !p.stillChatters(e.Source) {
			p.clear(row, now)
		}
		p.mark(e, now)
		p.evaluate(e, now)
	}
}

// stillChatters tells whether another alarm of a source does: one that cleared, and one that was raised after it.
func (p *plane) stillChatters(source string) bool {
	for _, e := range p.chatters {
		if e.Source == source {
			return true
		}
	}
	return false
}
