package hub

import (
	"context"
	"time"

	"kentongan/geo"
	"kentongan/server/auth"
	"kentongan/server/wire"
)

// mostMissed is how many case messages a client may have missed and still resume.
const mostMissed = 20_000

// catchLimit bounds asking the store for what a client missed.
const catchLimit = 10 * time.Second

// catchUp is how long a client that has seen more than this hub, from another server or before a restart, waits for it to see that too.
const catchUp = time.Second

// mostAnswered is how many bytes of snapshots are queued in one tick: when thousands come at once they are let in one after another, and
// the writers keep up with everybody else.
const mostAnswered = 32 << 20

// view is what a client asks for, checked.
type view struct {
	bound  geo.Bound
	zoom   float64
	layers string
	cursor string
	wall   string // id of the wall that is asked for, or "*"; empty: none
	asked  time.Time
}

// answerWaiting answers views in the order in which they came, as many as a tick may.
func (h *Hub) answerWaiting() {
	h.answered, h.phase = 0, time.Now()
	later := h.waiting[:0]
	for i, c := range h.waiting {
		if c.next == nil { // it has gone
			continue
		}
		// A client that asks faster than it reads gets the newest of its views once it has read.
		if !c.out.free() || h.answered > mostAnswered || i > 0 && h.spent() || !h.answer(c) {
			later = append(later, c)
		}
	}
	clear(h.waiting[len(later):])
	h.waiting = later
}

// ask notes a client's newest view.
func (h *Hub) ask(c *client, v *view) {
	if _, here := h.clients[c]; !here {
		return
	}
	if c.next == nil {
		h.waiting = append(h.waiting, c)
	}
	c.next = v
	c.wall = v.wall
	switch _, device := auth.OfSession(c.session); {
	case c.wall == "":
	case device != "":
		c.wall = device // a wall hears of itself alone
	case !c.audience.walls:
		c.wall = ""
	}
}

// keyOf gives the scope that shows a view.
func (h *Hub) keyOf(c *client, v *view) scopeKey {
	key := scopeKey{bound: v.bound, layers: v.layers, form: c.form.id(), who: c.audience, crowd: !far(v.zoom)}
	key.res = fitting(resAt(v.zoom), v.bound, mostCells)
	if !key.crowd {
		key.cells = true
		return key
	}
	was := c.scope != nil && c.scope.key.crowd && c.scope.key.cells
	key.cells = h.crowded(h.inView(v.bound, wantsOf(v.layers, c.audience.units, c.audience.guests)), was)
	return key
}

// crowded tells whether so many Things are shown as cells; it was so before, or not.
func (h *Hub) crowded(n int, was bool) bool {
	return n > h.cfg.Crowd || was && n >= h.cfg.Crowd-h.cfg.Crowd/10
}

// answer takes a client's newest view; false: it is still to be prepared. The first one with a cursor that the hub remembers, or that
// the store knows, is answered by the missed changes, in order; then comes the snapshot.
func (h *Hub) answer(c *client) bool {
	v := c.next
	key := h.keyOf(c, v)
	if h.scopes[key] == nil && key.cells && key.who.things && !h.prepare(&key) {
		return false
	}
	epoch, offset, ok := wire.ParseCursor(v.cursor)
	ok = ok && epoch == h.d.Epoch
	if ok && offset > h.cases.offset && time.Since(v.asked) < catchUp {
		return false
	}
	ok = ok && offset <= h.cases.offset
	c.next = nil
	h.enter(c, key)
	switch {
	case c.live: // all was sent already, or waits in order
		h.snapshot(c, ok)
	case c.catching: // what the store answers comes back here
	case !ok:
		h.snapshot(c, false)
	default:
		h.resume(c, offset)
	}
	return true
}

// enter moves a client into the scope of a key.
func (h *Hub) enter(c *client, key scopeKey) {
	s := h.scope(key, c.form)
	if s == c.scope {
		h.caughtUp(c)
		return
	}
	h.part(c)
	h.join(c, s)
}

// resume sends what was missed, from memory or after asking the store.
func (h *Hub) resume(c *client, offset int64) {
	if missed, ok := h.cases.since(offset); ok {
		if ok = h.fits(c, missed); ok {
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
		if ok = known && h.fits(c, list, rest); ok {
			h.missed(c, list)
			h.missed(c, rest)
		}
	}
	h.snapshot(c, ok)
}

// fits tells whether missed changes may wait for one client together; more than that counts as too old, else a client that comes back
// would be closed for them again and again. What the client may not see is not sent, so it takes no room, and tells by no snapshot that it was.
func (h *Hub) fits(c *client, lists ...[]change) bool {
	n, now := 0, h.d.Now()
	for _, list := range lists {
		for i := range list {
			if doc, _ := c.audience.shows(&list[i], now); doc != nil {
				n += len(doc) + 128
			}
		}
	}
	return n <= mostCaseBytes/2
}

func (h *Hub) missed(c *client, list []change) {
	now := h.d.Now()
	for i := range list {
		if doc, _ := c.audience.shows(&list[i], now); doc != nil {
			h.push(c, ofCase, h.caseFrame(c.form, &list[i], doc))
		}
	}
}

// snapshot answers a view; from now on the client is live.
func (h *Hub) snapshot(c *client, resumed bool) {
	b := h.snapshotOf(c.scope, c.audience, resumed)
	if b == nil {
		return
	}
	c.live = true
	h.answered += len(b)
	if !h.push(c, things, b) { // its room was taken while the store was asked
		h.lag(c, wholeView)
	}
}

// snapshotOf builds a scope's snapshot, or gives the last one while nothing has changed.
func (h *Hub) snapshotOf(s *scope, a *audience, resumed bool) []byte {
	now := h.d.Now()
	if k := &s.snap; k.bytes != nil && k.offset == h.cases.offset && k.resumed == resumed && now.Sub(k.at) < time.Second {
		return k.bytes
	}
	var p parcel
	h.whole(s, &p, now.UnixMilli())
	w := wire.BinarySnapshot{Resumed: resumed, Cursor: wire.Cursor(h.d.Epoch, h.cases.offset)}
	n := 4096
	for _, k := range p.chunks {
		n += len(k) + 1
	}
	if s.key.cells {
		w.Cells = p.chunks
	} else {
		w.Things = p.chunks
	}
	h.docs(&w, a)
	b, err := s.form.snapshot(sheet(n), w)
	if err != nil {
		h.log.Error().Err(err).Msg("snapshot not written")
		return nil
	}
	h.built++
	s.snap = snapshotOf{framed(b, s.form.opcode()), h.cases.offset, resumed, now}
	return s.snap.bytes
}

// rescale turns views from Things to cells and back as they fill and empty. The first message of the other type is the whole view.
func (h *Hub) rescale() {
	h.phase = time.Now()
	for _, s := range h.scopes {
		if !s.key.crowd || !s.key.who.things {
			continue
		}
		cells := h.crowded(h.inView(s.key.bound, s.wants), s.key.cells)
		if cells == s.key.cells {
			continue
		}
		key := s.key
		key.cells = cells
		if cells && h.scopes[key] == nil && !h.prepare(&key) {
			continue // more of it in the next second
		}
		to := h.scope(key, s.form)
		for len(s.members) > 0 {
			c := s.members[len(s.members)-1]
			h.part(c)
			h.join(c, to)
			if c.live {
				h.lag(c, wholeView)
			}
		}
	}
}
