package hub

import (
	"encoding/json"

	"kentongan/alerts"
	"kentongan/feeds/cap"
)

// alarms is the active alerts that rules hold on Things: thing -> alert -> rank of its severity + 1.
type alarms map[string]map[string]uint8

// ranks are the severities, the worst first, as they stand in sums.
var ranks = [...]cap.Severity{cap.Extreme, cap.Severe, cap.Moderate, cap.Unknown, cap.Minor}

// severityOf writes what stands in sums; empty for none.
func severityOf(rank uint8) string {
	if rank == 0 || int(rank) > len(ranks) {
		return ""
	}
	return string(ranks[rank-1])
}

// take follows one change of an alert. It gives the Thing whose worst alert may be another now, or nothing.
func (a alarms) take(ch *change) (thing string) {
	if ch.noun != "alert" {
		return ""
	}
	var doc struct {
		Thing    string       `json:"thing"`
		Severity cap.Severity `json:"severity"`
		State    alerts.State `json:"state"`
	}
	if json.Unmarshal(ch.doc, &doc) != nil || doc.Thing == "" {
		return ""
	}
	held := a[doc.Thing]
	switch {
	case doc.State == alerts.Active:
		if held == nil {
			held = map[string]uint8{}
			a[doc.Thing] = held
		}
		held[ch.id] = uint8(doc.Severity.Rank() + 1)
	case held != nil:
		if delete(held, ch.id); len(held) == 0 {
			delete(a, doc.Thing)
		}
	}
	return doc.Thing
}

// worst is the rank of the worst alert on a Thing, + 1; 0: none.
func (a alarms) worst(thing string) (rank uint8) {
	for _, r := range a[thing] {
		if rank == 0 || r < rank {
			rank = r
		}
	}
	return rank
}

// alarm takes a change of an alert into the cells.
func (h *Hub) alarm(ch *change) {
	id := h.city.alarms.take(ch)
	if id == "" {
		return
	}
	e := h.d.Picture.Get(id)
	if e == nil {
		return // read when it comes
	}
	r := h.city.at(e.Slot)
	if r == nil || r.entry.ID != id {
		return
	}
	if b := h.city.buckets[r.bucket]; b.built {
		b.sums[r.at].severity = h.city.alarms.worst(id)
		h.grid.stir(b)
	}
}

// rearm takes over all alerts that stand.
func (h *Hub) rearm() {
	before := h.city.alarms
	h.city.alarms = alarms{}
	for _, ch := range h.cases.open["alert"] {
		h.alarm(ch)
	}
	for thing := range before {
		if h.city.alarms.worst(thing) == 0 {
			h.calm(thing)
		}
	}
}

// calm takes a Thing's severity out of its cell.
func (h *Hub) calm(thing string) {
	e := h.d.Picture.Get(thing)
	if e == nil {
		return
	}
	if r := h.city.at(e.Slot); r != nil && r.entry.ID == thing {
		if b := h.city.buckets[r.bucket]; b.built {
			b.sums[r.at].severity = 0
			h.grid.stir(b)
		}
	}
}
