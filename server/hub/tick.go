package hub

import (
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/server/wire"
)

// tick takes over what was committed and brings it to the views it concerns, then answers new views.
func (h *Hub) tick() {
	h.lastTick = time.Now()
	h.takeOver()
	h.send()
	h.flushLagging()
	h.city.settle()
	if h.loaded {
		for c := range h.viewing {
			if !c.out.free() { // a client that asks faster than it reads gets the newest of its views once it has read
				continue
			}
			delete(h.viewing, c)
			h.answer(c)
		}
	}
}

// takeOver puts pending changes into the city.
func (h *Hub) takeOver() {
	h.mu.Lock()
	pending := h.pending
	h.pending = nil
	h.mu.Unlock()
	now := h.d.Now()
	for _, list := range pending {
		for i := range list {
			t := list[i].Thing
			if t == nil {
				continue
			}
			var old *feeds.Thing
			if e := list[i].Old; e != nil {
				old = feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell)
			}
			if old == nil || !old.ReceivedAt.Equal(t.ReceivedAt.Time) || !old.At.Equal(t.At.Time) {
				h.latency.add(now, t)
			}
			if b := h.city.put(t); b != nil {
				h.welcome(b)
			}
		}
	}
}

// welcome shows a bucket that has just come to be to the clients whose view touches it.
func (h *Hub) welcome(b *bucket) {
	for c := range h.clients {
		if c.viewed && c.bound.Intersects(b.bound) {
			c.watch(b)
		}
	}
}

// parcel is what one tick has for one client.
type parcel struct {
	chunks  [][]byte
	removed []string
}

// send brings each changed bucket to its watchers: encoded once, shared by all, one message per client.
func (h *Hub) send() {
	parcels := map[*client]*parcel{}
	for _, b := range h.city.dirty {
		for c := range b.watchers {
			if !c.live || !c.things {
				continue
			}
			p := parcels[c]
			if p == nil {
				if h.isLagging(c) || h.isViewing(c) || !c.out.free() { // a view that waits must find room
					h.lag(c, b)
					continue
				}
				p = &parcel{}
				parcels[c] = p
			}
			for _, k := range b.changes(c.form) {
				if c.wants(k.kind) {
					p.chunks = append(p.chunks, k.bytes)
				}
			}
			for _, id := range b.gone {
				if !h.sees(c, id) {
					p.removed = append(p.removed, id)
				}
			}
		}
	}
	for c, p := range parcels {
		if len(p.chunks)+len(p.removed) > 0 {
			h.push(c, things, c.form.things(make([]byte, 0, size(p)), p.chunks, unique(p.removed)))
		}
	}
}

func size(p *parcel) int {
	n := 64
	for _, c := range p.chunks {
		n += len(c) + 1
	}
	for _, r := range p.removed {
		n += len(r) + 3
	}
	return n
}

// unique drops ids named twice: a Thing may leave two buckets of one view within a tick.
func unique(ids []string) []string {
	if len(ids) < 2 {
		return ids
	}
	seen := make(map[string]struct{}, len(ids))
	out := ids[:0]
	for _, id := range ids {
		if _, ok := seen[id]; !ok {
			seen[id] = struct{}{}
			out = append(out, id)
		}
	}
	return out
}

// sees tells whether a Thing is in a client's view now.
func (h *Hub) sees(c *client, id string) bool {
	r := h.city.rows[id]
	if r == nil || r.bucket == nil || !c.wants(r.thing.Kind) {
		return false
	}
	_, ok := c.frames[r.bucket.cell]
	return ok
}

func (h *Hub) isLagging(c *client) bool {
	_, ok := h.lagging[c]
	return ok
}

func (h *Hub) isViewing(c *client) bool {
	_, ok := h.viewing[c]
	return ok
}

// lag notes what a client could not be sent; the newest state of it is sent when it can. The set is bounded by what was in its view.
func (h *Hub) lag(c *client, b *bucket) {
	for _, r := range b.changed {
		if c.wants(r.thing.Kind) {
			c.dirty[r.thing.ID] = struct{}{}
		}
	}
	for _, id := range b.gone {
		c.dirty[id] = struct{}{}
	}
	h.lagging[c] = struct{}{}
}

// flushLagging sends what has gathered to clients that have room again. It comes after send, which
// adds to it.
func (h *Hub) flushLagging() {
	for c := range h.lagging {
		if h.isViewing(c) || !c.out.free() {
			continue
		}
		var rows []*row
		var removed []string
		for id := range c.dirty {
			if h.sees(c, id) {
				rows = append(rows, h.city.rows[id])
			} else {
				removed = append(removed, id)
			}
		}
		clear(c.dirty)
		delete(h.lagging, c)
		p := parcel{removed: removed}
		for _, k := range encode(c.form, rows) {
			p.chunks = append(p.chunks, k.bytes)
		}
		if len(p.chunks)+len(p.removed) > 0 {
			h.push(c, things, c.form.things(make([]byte, 0, size(&p)), p.chunks, p.removed))
		}
	}
}

// caseChanges brings changes of cases to every client that may see them, at once and in order.
func (h *Hub) caseChanges(list []change) {
	for _, ch := range list {
		if !h.cases.apply(ch) {
			continue
		}
		h.metrics.cases.Inc()
		var encoded [forms][]byte
		for c := range h.clients {
			if !c.live || !c.may(ch.noun) {
				continue
			}
			b := encoded[c.form.id()]
			if b == nil {
				b = c.form.change(nil, ch.noun, wire.Cursor(h.d.Epoch, ch.offset), ch.doc)
				encoded[c.form.id()] = b
			}
			h.push(c, ofCase, b)
		}
	}
}

// push queues a message; a client for which too much waits is closed.
func (h *Hub) push(c *client, s urgency, b []byte) {
	if !c.out.push(s, b) {
		h.slow(c, "too many cases wait")
	}
}

// slow closes a client that cannot keep up with cases.
func (h *Hub) slow(c *client, why string) {
	h.metrics.slow.Inc()
	h.end(c, wire.CloseSlow, why)
}

// eachSecond tells the state of feeds and figures, pings, and looks after slow clients.
func (h *Hub) eachSecond() {
	now := h.d.Now()
	var feed, stats [forms][]byte
	for c := range h.clients {
		if h.cfg.Patience <= c.out.stuck(now) {
			h.slow(c, "cases could not be sent for "+h.cfg.Patience.String())
			continue
		}
		if now.Sub(c.pinged) >= h.cfg.Ping {
			c.pinged = now
			h.push(c, ping, nil)
		}
		if !c.live || !c.out.free() {
			continue
		}
		f := c.form.id()
		if stats[f] == nil {
			stats[f], _ = c.form.control(wire.Stats{Type: wire.TypeStats, LatencyMS: h.latency.figures(now)})
			feed[f], _ = c.form.control(wire.Feed{Type: wire.TypeFeed, Feeds: h.feeds()})
		}
		if c.seesFeeds {
			h.push(c, asIs, feed[f])
		}
		h.push(c, asIs, stats[f])
	}
	h.metrics.state(len(h.clients), len(h.city.rows), len(h.lagging))
}

// boundOf is the view as geo has it.
func boundOf(b [4]float64) geo.Bound {
	return geo.Bound{West: b[0], South: b[1], East: b[2], North: b[3]}
}
