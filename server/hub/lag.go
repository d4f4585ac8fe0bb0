package hub

import (
	"time"

	"kentongan/geo/index"
	"kentongan/server/wire"
)

// A client that has not read what waits for it lags: nothing more of its view is queued, and it keeps the tick since when. What changed
// since then is read off the rows and cells, which carry the tick of their last change; so a client that lags costs nothing, and those
// who lag since the same tick share a message. A scope keeps a log of what left its view while one of its members lags.

// wholeView is a tick before all: what changed since is everything.
const wholeView = 1

// leastLog is how long a log may be before it is gone through for what is named twice.
const leastLog = 4096

// lag notes since when a client lags.
func (h *Hub) lag(c *client, since uint32) {
	if c.lagging == 0 {
		c.scope.lagging++
	}
	c.lagging = since
	h.lagging[c] = struct{}{}
}

// caughtUp notes that a client lags no more.
func (h *Hub) caughtUp(c *client) {
	if c.lagging == 0 {
		return
	}
	c.lagging = 0
	delete(h.lagging, c)
	if s := c.scope; s != nil {
		if s.lagging--; s.lagging == 0 {
			s.log, s.most = nil, 0
		}
	}
}

// remember logs what left the view, for those who lag.
func (h *Hub) remember(s *scope, p *parcel) {
	if s.lagging == 0 {
		return
	}
	for _, e := range p.gone {
		s.log = append(s.log, left{tick: h.city.tick, entry: e})
	}
	for _, t := range p.empty {
		if s.wants(h.city.kinds.names[t.agg.kind], "") {
			s.log = append(s.log, left{tick: h.city.tick, cell: t})
		}
	}
	if len(s.log) > max(s.most, leastLog) {
		s.log = newest(s.log)
		s.most = 2 * len(s.log)
	}
}

// newest keeps the last word on each Thing and cell, which bounds a log by what was ever in view.
func newest(log []left) []left {
	type name struct {
		id   string
		hex  *hex
		kind uint16
	}
	nameOf := func(l *left) name {
		if l.entry != nil {
			return name{id: l.entry.ID}
		}
		return name{hex: l.cell.hex, kind: l.cell.agg.kind}
	}
	last := make(map[name]int, len(log))
	for i := range log {
		last[nameOf(&log[i])] = i
	}
	out := make([]left, 0, len(last))
	for i := range log {
		if last[nameOf(&log[i])] == i {
			out = append(out, log[i])
		}
	}
	return out
}

// flushLagging sends what has gathered to clients that have room again. It comes after send, which adds to it. What takes longer than a
// tick may is left to the next one.
func (h *Hub) flushLagging(nowMS int64) {
	var busy []*scope
	h.phase = time.Now()
	for c := range h.lagging {
		if c.next != nil || !c.out.free() {
			continue
		}
		s := c.scope
		b, ok := s.late[c.lagging]
		if !ok {
			if len(busy) > 0 && h.spent() {
				continue
			}
			if s.late == nil {
				s.late = map[uint32][]byte{}
				busy = append(busy, s)
			}
			b = h.since(s, c.lagging, nowMS)
			s.late[c.lagging] = b
		}
		if b == nil || h.push(c, things, b) {
			h.caughtUp(c)
		}
	}
	for _, s := range busy {
		s.late = nil
	}
}

// since builds the message of what changed in a view since a tick; nil: nothing. For wholeView it is all that is in view, even nothing.
func (h *Hub) since(s *scope, tick uint32, nowMS int64) []byte {
	var p parcel
	switch {
	case tick == wholeView:
		h.whole(s, &p, nowMS)
	case s.key.cells:
		h.cellsSince(s, &p, tick, nowMS)
	default:
		h.thingsSince(s, &p, tick, nowMS)
	}
	if tick != wholeView && len(p.chunks)+len(p.gone) == 0 {
		return nil
	}
	return s.messageOf(&p)
}

// whole picks everything in a view.
func (h *Hub) whole(s *scope, p *parcel, nowMS int64) {
	for _, b := range h.bucketsOf(s) {
		s.pick(p, h.city.all(b, s.form, nowMS))
	}
	for _, t := range s.tiles {
		h.grid.ready(t, nowMS)
		s.pick(p, h.grid.all(t, s.form, nowMS))
	}
}

func (h *Hub) thingsSince(s *scope, p *parcel, tick uint32, nowMS int64) {
	var rows []wire.Row
	for _, b := range h.bucketsOf(s) {
		if b.tick < tick {
			continue
		}
		for _, slot := range b.slots {
			r := &h.city.rows[slot]
			if r.tick < tick || !s.wants(r.entry.Kind, h.owner(r.entry.Kind, r.entry.ID)) {
				continue
			}
			if t := thingOf(r.entry); t != nil {
				rows = append(rows, wire.Row{Slot: slot, Thing: t, Announce: true, Values: true})
			}
		}
	}
	for _, k := range encode(s.form, nowMS, rows, h.owner) {
		p.chunks = append(p.chunks, k.bytes)
	}
	var gone []*index.Entry
	for i := range s.log {
		if l := &s.log[i]; l.tick >= tick && l.entry != nil && !h.sees(s, l.entry) {
			gone = append(gone, l.entry)
		}
	}
	p.gone = unique(gone)
}

func (h *Hub) cellsSince(s *scope, p *parcel, tick uint32, nowMS int64) {
	var list []told
	shows := map[uint64]struct{}{}
	name := func(t *told) uint64 { return uint64(t.hex.slot)<<16 | uint64(t.agg.kind) }
	for _, t := range s.tiles {
		for _, one := range t.since(0) {
			if !s.wants(h.city.kinds.names[one.agg.kind], "") {
				continue
			}
			shows[name(&one)] = struct{}{}
			if one.hex.tick >= tick {
				list = append(list, one)
			}
		}
	}
	for i := range s.log {
		l := &s.log[i]
		if l.tick < tick || l.entry != nil {
			continue
		}
		if _, again := shows[name(&l.cell)]; !again {
			shows[name(&l.cell)] = struct{}{}
			list = append(list, told{hex: l.cell.hex, agg: agg{kind: l.cell.agg.kind, value: nan}})
		}
	}
	for _, k := range h.grid.encode(s.form, nowMS, list) {
		p.chunks = append(p.chunks, k.bytes)
	}
}
