package hub

import (
	"context"
	"time"

	"kentongan/feeds"
	"kentongan/server/wire"
)

// mostMissed is how many case messages a client may have missed and still resume.
const mostMissed = 20_000

// catchLimit bounds asking the store for what a client missed.
const catchLimit = 10 * time.Second

func (h *Hub) feeds() []feeds.FeedStatus {
	list := []feeds.FeedStatus{}
	if h.d.Feeds != nil {
		list = append(list, h.d.Feeds()...)
	}
	return list
}

// watch makes a bucket part of a client's view.
func (c *client) watch(b *bucket) {
	c.frames[b.cell] = struct{}{}
	b.watchers[c] = struct{}{}
}

// unwatch takes a client out of every bucket.
func (h *Hub) unwatch(c *client) {
	for f := range c.frames {
		if b := h.city.buckets[f]; b != nil {
			delete(b.watchers, c)
		}
	}
	clear(c.frames)
}

// answer takes the client's newest view. The first one with a cursor that the hub remembers, or that the store knows, is answered by
// the missed changes, in order; then comes the snapshot.
func (h *Hub) answer(c *client) {
	if _, ok := h.clients[c]; !ok || c.next == nil {
		return
	}
	v := c.next
	c.next = nil
	h.unwatch(c)
	c.viewed, c.bound = true, boundOf(v.Bbox)
	c.all, c.kinds = false, map[string]struct{}{}
	for _, k := range v.Layers {
		if k == "*" {
			c.all = true
		}
		c.kinds[k] = struct{}{}
	}
	for _, b := range h.city.buckets {
		if c.bound.Intersects(b.bound) {
			c.watch(b)
		}
	}
	clear(c.dirty)
	delete(h.lagging, c)
	epoch, offset, ok := wire.ParseCursor(v.Cursor)
	ok = ok && epoch == h.d.Epoch && offset <= h.cases.offset
	switch {
	case c.live: // all was sent already, or waits in order
		h.snapshot(c, ok)
	case c.catching: // what the store answers comes back here
	case !ok:
		h.snapshot(c, false)
	default:
		h.resume(c, offset)
	}
}

// resume sends what was missed, from memory or after asking the store.
func (h *Hub) resume(c *client, offset int64) {
	if missed, ok := h.cases.since(offset); ok {
		if ok = fits(missed); ok {
			h.missed(c, missed)
		}
		h.snapshot(c, ok)
		return
	}
	c.catching = true
	h.conns.Add(1)
	go func() {
		defer h.conns.Add(-1)
		ctx, cancel := context.WithTimeoutCause(context.Background(), catchLimit, context.DeadlineExceeded)
		defer cancel()
		list, ok, err := h.d.Cases.Since(ctx, offset, mostMissed)
		if err != nil {
			h.log.Warn().Err(err).Msg("what a client missed could not be read; it gets a snapshot only")
		}
		h.call(func() { h.caught(c, changesOf(list), ok && err == nil) })
	}()
}

// caught goes on where resume asked the store. The store may be ahead of the hub: what is beyond it comes by the stream. It may be
// behind by now: the rest is remembered.
func (h *Hub) caught(c *client, list []change, ok bool) {
	c.catching = false
	if _, here := h.clients[c]; !here {
		return
	}
	for len(list) > 0 && list[len(list)-1].offset > h.cases.offset {
		list = list[:len(list)-1]
	}
	if ok && len(list) > 0 {
		rest, known := h.cases.since(list[len(list)-1].offset)
		if ok = known && fits(list, rest); ok {
			h.missed(c, list)
			h.missed(c, rest)
		}
	}
	h.snapshot(c, ok)
}

// fits tells whether missed changes may wait for one client together; more than that counts as too old, else a client that comes back
// would be closed for them again and again.
func fits(lists ...[]change) bool {
	n := 0
	for _, list := range lists {
		for i := range list {
			n += len(list[i].doc) + 128
		}
	}
	return n <= mostCaseBytes/2
}

func (h *Hub) missed(c *client, list []change) {
	for _, ch := range list {
		if c.may(ch.noun) {
			h.push(c, ofCase, c.form.change(nil, ch.noun, wire.Cursor(h.d.Epoch, ch.offset), ch.doc))
		}
	}
}

// snapshot answers a view; from now on the client is live.
func (h *Hub) snapshot(c *client, resumed bool) {
	s := wire.RawSnapshot{Resumed: resumed, Cursor: wire.Cursor(h.d.Epoch, h.cases.offset)}
	n := 4096
	if c.things {
		for f := range c.frames {
			b := h.city.buckets[f]
			if b == nil {
				continue
			}
			for _, k := range b.all(c.form) {
				if c.wants(k.kind) {
					s.Things = append(s.Things, k.bytes)
					n += len(k.bytes) + 1
				}
			}
		}
	}
	if c.may(wire.TypeIncident) {
		s.Incidents = h.cases.docs(wire.TypeIncident)
	}
	if c.may(wire.TypeAlert) {
		s.Alerts = h.cases.docs(wire.TypeAlert)
	}
	if c.seesFeeds {
		s.Feeds = h.feeds()
	}
	b, err := c.form.snapshot(make([]byte, 0, n), s)
	if err != nil {
		h.log.Error().Err(err).Msg("snapshot not written")
		h.end(c, wire.CloseInternal, "snapshot")
		return
	}
	c.live = true
	h.push(c, things, b)
}
