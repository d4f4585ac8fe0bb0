package hub

import (
	"encoding/json"
	"time"

	"kentongan/geo"
	"kentongan/server/access"
	"kentongan/server/wire"
)

// tick takes over what was committed and brings it to the views it concerns, then answers new views.
func (h *Hub) tick() {
	h.lastTick = time.Now()
	h.city.tick++
	h.takeOver()
	now := h.d.Now().UnixMilli()
	for _, b := range h.city.dirty {
		h.grid.stir(b)
	}
	h.grid.refresh(now)
	h.send(now)
	h.flushLagging(now)
	h.city.settle()
	h.grid.settle()
	if h.loaded {
		h.answerWaiting()
	}
}

// due tells whether a tick has anything to do.
func (h *Hub) due() bool {
	if len(h.lagging) > 0 || len(h.waiting) > 0 && h.loaded || len(h.city.dirty) > 0 || len(h.grid.dirty) > 0 {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.pending) > 0
}

// spent tells that a phase of a tick has worked for viewers who come or lag as long as others shall wait for it.
func (h *Hub) spent() bool { return time.Since(h.phase) > h.cfg.Tick/4 }

// takeOver puts pending changes into the city.
func (h *Hub) takeOver() {
	h.mu.Lock()
	pending := h.pending
	h.pending = nil
	h.mu.Unlock()
	now := h.d.Now()
	for _, list := range pending {
		for i := range list {
			e, t := list[i].Entry, list[i].Thing
			if t == nil || e == nil {
				continue
			}
			stamp := stampOf(t)
			if r := h.city.at(e.Slot); r == nil || r.stamp != stamp || r.entry.ID != e.ID {
				h.latency.add(now, t)
			}
			if b := h.city.put(e, t); b != nil {
				h.welcome(b)
			}
			if r := h.city.at(e.Slot); r != nil {
				r.stamp = stamp
			}
		}
	}
}

// send brings each changed bucket and tile to the views that show it: encoded once, shared by all, one message per scope.
func (h *Hub) send(nowMS int64) {
	for _, b := range h.city.dirty {
		for _, n := range b.scopes {
			s := h.numbered[n]
			p := h.parcel(s)
			s.pick(p, h.city.changes(b, s.form, nowMS))
			for _, e := range b.gone {
				if !h.sees(s, e) && s.wants(e.Kind, h.owner(e.Kind, e.ID)) {
					p.gone = append(p.gone, e)
				}
			}
		}
	}
	for _, t := range h.grid.dirty {
		for s := range t.scopes {
			p := h.parcel(s)
			s.pick(p, h.grid.changes(t, s.form, nowMS))
			p.empty = append(p.empty, t.emptied...)
		}
	}
	for _, s := range h.parcels {
		h.post(s)
	}
	clear(h.parcels)
	h.parcels = h.parcels[:0]
}

// parcel gives the tick's parcel of a scope.
func (h *Hub) parcel(s *scope) *parcel {
	if !s.queued {
		s.queued = true
		h.parcels = append(h.parcels, s)
	}
	return &s.parcel
}

// post sends a scope's parcel to its members; those who cannot take it lag from now on.
func (h *Hub) post(s *scope) {
	p := &s.parcel
	p.gone = unique(p.gone)
	s.queued, s.snap = false, snapshotOf{}
	if len(p.chunks)+len(p.gone) > 0 {
		var b []byte
		for _, c := range s.members {
			if !c.live || c.lagging != 0 {
				continue
			}
			if c.next == nil { // a view that waits must find room
				if b == nil {
					b = s.messageOf(p)
				}
				if h.push(c, things, b) {
					continue
				}
			}
			h.lag(c, h.city.tick)
		}
		h.remember(s, p)
	}
	clear(p.chunks)
	clear(p.gone)
	clear(p.empty)
	p.chunks, p.gone, p.empty = p.chunks[:0], p.gone[:0], p.empty[:0]
}

// caseChanges brings changes of cases to every client that may see them, at once and in order.
func (h *Hub) caseChanges(list []change) {
	for i := range list {
		ch := &list[i]
		was := h.cases.open[ch.noun][ch.id]
		if !h.cases.apply(ch) || ch.sight.junk { // of junk its offset is known, and every screen keeps what it shows
			continue
		}
		h.alarm(ch)
		h.metrics.cases.Inc()
		h.deliver(ch, was)
	}
}

// deliver brings one change to everyone who may see it now, at the level at which they may. Whom it leaves behind comes back for a picture
// without it.
func (h *Hub) deliver(ch, was *change) {
	now := h.d.Now()
	levels := make(map[*audience]access.Level, len(h.audiences))
	for _, a := range h.audiences {
		levels[a] = a.level(ch, now)
		if levels[a] == access.None && was != nil && a.level(was, now) > access.None {
			h.dismiss(a)
		}
	}
	var encoded [forms][access.Full + 1][]byte
	for c := range h.clients {
		level := levels[c.audience]
		if !c.live || level == access.None {
			continue
		}
		b := encoded[c.form.id()][level]
		if b == nil {
			doc := ch.at(level)
			if doc == nil {
				continue
			}
			b = h.caseFrame(c.form, ch, doc)
			encoded[c.form.id()][level] = b
		}
		h.push(c, ofCase, b)
	}
}

func (h *Hub) caseFrame(f form, ch *change, doc json.RawMessage) []byte {
	return framed(f.change(sheet(len(doc)+128), ch.noun, wire.Cursor(h.d.Epoch, ch.offset), doc), f.opcode())
}

// push queues a message. False: it does not fit; a client for which too many cases wait is closed.
func (h *Hub) push(c *client, s urgency, b []byte) bool {
	fits, start := c.out.push(s, b, h.d.Now())
	if start {
		h.ready = append(h.ready, c)
	}
	if !fits && s == ofCase {
		h.slow(c, "too many cases wait")
	}
	return fits
}

// slow closes a client that cannot keep up with cases.
func (h *Hub) slow(c *client, why string) {
	h.metrics.slow.Inc()
	h.end(c, wire.CloseSlow, why)
}

// eachSecond tells the state of feeds and figures, pings, looks after slow clients, and lets time turn cells and scales.
func (h *Hub) eachSecond() {
	now := h.d.Now()
	var second [forms][2][]byte // with and without feeds
	for c := range h.clients {
		if h.cfg.Patience <= c.out.stuck(now) {
			h.slow(c, "cases could not be sent for "+h.cfg.Patience.String())
			continue
		}
		if now.UnixNano()-c.pinged >= int64(h.cfg.Ping) {
			c.pinged = now.UnixNano()
			h.push(c, asIs, pingFrame)
		}
		if !c.live || !c.out.free() {
			continue
		}
		f, seen := c.form.id(), 0
		if c.audience.feeds {
			seen = 1
		}
		if second[f][seen] == nil {
			second[f][seen] = h.secondOf(c.form, c.audience.feeds, now)
		}
		h.push(c, asIs, second[f][seen])
	}
	h.lapse(now)
	h.grid.second(now.UnixMilli())
	h.city.tidy(now)
	for _, s := range h.scopes {
		if now.Sub(s.snap.at) > time.Second {
			s.snap = snapshotOf{}
		}
	}
	h.rescale()
	h.metrics.state(len(h.clients), h.city.placed, len(h.lagging), len(h.scopes), h.grid.cells)
}

// secondOf is what every client hears each second, as frames one after the other.
func (h *Hub) secondOf(f form, withFeeds bool, now time.Time) []byte {
	var all []byte
	if withFeeds {
		if b, err := f.control(sheet(1024), wire.Feed{Type: wire.TypeFeed, Feeds: h.feeds()}); err == nil {
			all = append(all, framed(b, f.opcode())...)
		}
	}
	if b, err := f.control(sheet(256), wire.Stats{Type: wire.TypeStats, LatencyMS: h.latency.figures(now)}); err == nil {
		all = append(all, framed(b, f.opcode())...)
	}
	return all
}

// boundOf is the view as geo has it.
func boundOf(b [4]float64) geo.Bound {
	return geo.Bound{West: b[0], South: b[1], East: b[2], North: b[3]}
}
