package hub

import (
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
)

// city is the hub's picture of placed Things: by slot, and by cell at geo.ResFrame, the piece that viewers share. The hub's goroutine
// owns it.
type city struct {
	rows    []row     // by slot
	buckets []*bucket // by number; nil: free
	free    []uint32
	frames  map[geo.Cell]*bucket
	regions map[geo.Cell]*region
	kinds   words
	feeds   words
	dirty   []*bucket // changed since the last tick
	tick    uint32    // of the clock of ticks; 1: loaded at the start
	placed  int
	built   map[*bucket]struct{} // have sums
	alarms  alarms
	owner   func(kind, id string) string // whose a unit is
}

// row is one Thing, 40 bytes. The four sums stand for what viewers were last told of it; they count only where its bucket has viewers in
// the binary form. A sum that happens to be equal for another value (one in four thousand million) is put right by the next reading.
type row struct {
	entry                *index.Entry // nil: nothing is here
	bucket               uint32
	at                   uint32 // in the bucket's slots
	turn                 uint32 // place in the bucket's changed, from 1; 0: not changed in this tick
	tick                 uint32 // of its last change
	stale                uint32 // StaleAfter - At in ms, as announced; 0: unknown
	static, state, stamp uint32 // of what is announced, of the columns, and of the times
}

// bucket is the Things of one cell.
type bucket struct {
	cell    geo.Cell
	number  uint32
	tick    uint32 // of its last change
	bound   geo.Bound
	region  *region
	slots   []uint32
	counts  []count
	scopes  []uint32       // numbers of those that show its Things: most viewers have a view of their own, of hundreds of buckets
	binary  int            // of scopes, those in the binary form
	queued  bool           // it is in city.dirty
	changed []touched      // since the last tick
	gone    []*index.Entry // left this bucket, or their kind, since the last tick
	now     [forms][]chunk // what changed; nil: to be built
	full    [forms][]chunk // every row, for snapshots; nil: to be built
	folded                 // as the cells see it
}

// count is how many Things of a kind a bucket holds.
type count struct {
	kind uint16
	n    uint32
}

// touched is one Thing's changes of one tick.
type touched struct {
	slot             uint32
	announce, values bool
	thing            *feeds.Thing // nil: it has left
}

// region groups buckets, so that a question about a view skips what is far away.
type region struct {
	cell    geo.Cell
	bound   geo.Bound
	buckets []*bucket
	scopes  map[*scope]struct{} // whose view touches it
}

// resRegion is of regions: about 1,770 km², 343 buckets.
const resRegion geo.Resolution = 4

// Widening of bounds, as a part of their size: a Thing's cell may stick out of the outline of its ancestor.
const (
	padBucket = 0.15
	padRegion = 0.3
)

func newCity() *city {
	return &city{frames: map[geo.Cell]*bucket{}, regions: map[geo.Cell]*region{}, tick: 1, kinds: newWords(), feeds: newWords(),
		built: map[*bucket]struct{}{}, alarms: alarms{}, owner: func(string, string) string { return "" }}
}

// thingOf reads a Thing from its entry; nil where it holds none.
func thingOf(e *index.Entry) *feeds.Thing {
	return feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell)
}

// padded is a bound around a cell, widened.
func padded(c geo.Cell, pad float64) geo.Bound {
	b := geo.BoundOf(c.Boundary()...)
	w, h := (b.East-b.West)*pad, (b.North-b.South)*pad
	return geo.Bound{West: b.West - w, South: b.South - h, East: b.East + w, North: b.North + h}
}

// row gives the row of a slot; it is valid until the next call.
func (c *city) row(slot uint32) *row {
	for int(slot) >= len(c.rows) {
		c.rows = append(c.rows, row{})
	}
	return &c.rows[slot]
}

// at gives the row of a slot, or nil.
func (c *city) at(slot uint32) *row {
	if int(slot) < len(c.rows) && c.rows[slot].entry != nil {
		return &c.rows[slot]
	}
	return nil
}

// loadAll takes over a picture, in no more room than it needs.
func (c *city) loadAll(p *index.Picture) {
	c.rows = make([]row, 0, p.Len()+1024)
	p.All(func(e *index.Entry) bool {
		c.load(e)
		return true
	})
	for _, b := range c.buckets {
		b.slots = append(make([]uint32, 0, len(b.slots)), b.slots...)
	}
}

// load puts in what was there before the hub; nobody is told.
func (c *city) load(e *index.Entry) {
	if !e.Placed || e.Cell == 0 {
		return
	}
	r := c.row(e.Slot)
	r.entry, r.tick = e, c.tick
	c.enter(r, c.bucket(e.Cell.Parent(geo.ResFrame)))
}

// put takes the newest state of a Thing. It gives a bucket that is new, or nil.
func (c *city) put(e *index.Entry, t *feeds.Thing) (fresh *bucket) {
	placed := e.Placed && e.Cell != 0
	frame := e.Cell.Parent(geo.ResFrame)
	r := c.row(e.Slot)
	if r.entry != nil && (!placed || r.entry.ID != e.ID || r.entry.Kind != e.Kind || c.buckets[r.bucket].cell != frame) {
		c.leave(r)
	}
	if !placed {
		return nil
	}
	entered := r.entry == nil
	r.entry = e
	if entered {
		b := c.frames[frame]
		if b == nil {
			b = c.bucket(frame)
			fresh = b
		}
		c.enter(r, b)
	}
	b := c.buckets[r.bucket]
	c.touch(b)
	if r.turn == 0 {
		b.changed = append(b.changed, touched{slot: e.Slot})
		r.turn = uint32(len(b.changed))
	}
	n := &b.changed[r.turn-1]
	n.thing = t
	r.tick = c.tick
	if b.binary > 0 || entered { // a bucket that is new will be watched within this tick
		announce, values := r.tell(t)
		n.announce, n.values = n.announce || announce || entered, n.values || values || entered
	}
	c.fold(b, r, t)
	return fresh
}

// enter puts a row into a bucket.
func (c *city) enter(r *row, b *bucket) {
	r.bucket, r.at, r.turn = b.number, uint32(len(b.slots)), 0
	b.slots = append(b.slots, r.entry.Slot)
	b.count(c.kinds.number(r.entry.Kind), 1)
	c.placed++
}

// leave takes a row out of its bucket.
func (c *city) leave(r *row) {
	b := c.buckets[r.bucket]
	c.touch(b)
	last := len(b.slots) - 1
	b.slots[r.at] = b.slots[last]
	c.rows[b.slots[r.at]].at = r.at
	b.slots = b.slots[:last]
	if b.built {
		b.sums[r.at] = b.sums[last]
		b.sums = b.sums[:last]
	}
	b.count(c.kinds.number(r.entry.Kind), -1)
	if r.turn > 0 {
		b.changed[r.turn-1].thing = nil
	}
	b.gone = append(b.gone, r.entry)
	*r = row{}
	c.placed--
}

func (b *bucket) count(kind uint16, by int) {
	for i := range b.counts {
		if b.counts[i].kind == kind {
			b.counts[i].n += uint32(by)
			return
		}
	}
	b.counts = append(b.counts, count{kind, uint32(by)})
}

// bucket makes the bucket of a cell, or gives it where it is there.
func (c *city) bucket(frame geo.Cell) *bucket {
	if b := c.frames[frame]; b != nil {
		return b
	}
	key := frame.Parent(resRegion)
	g := c.regions[key]
	if g == nil {
		g = &region{cell: key, bound: padded(key, padRegion)}
		c.regions[key] = g
	}
	b := &bucket{cell: frame, bound: padded(frame, padBucket), region: g}
	if n := len(c.free); n > 0 {
		b.number = c.free[n-1]
		c.free = c.free[:n-1]
		c.buckets[b.number] = b
	} else {
		b.number = uint32(len(c.buckets))
		c.buckets = append(c.buckets, b)
	}
	g.buckets = append(g.buckets, b)
	c.frames[frame] = b
	return b
}

// drop forgets a bucket that is empty and that nobody watches.
func (c *city) drop(b *bucket) {
	if len(b.slots) > 0 || len(b.scopes) > 0 || len(b.tiles) > 0 || b.queued || c.frames[b.cell] != b {
		return
	}
	delete(c.frames, b.cell)
	delete(c.built, b)
	c.buckets[b.number] = nil
	c.free = append(c.free, b.number)
	for i, o := range b.region.buckets {
		if o == b {
			last := len(b.region.buckets) - 1
			b.region.buckets[i], b.region.buckets[last] = b.region.buckets[last], nil
			b.region.buckets = b.region.buckets[:last]
			break
		}
	}
	if len(b.region.buckets) == 0 && len(b.region.scopes) == 0 {
		delete(c.regions, b.region.cell)
	}
}

func (c *city) touch(b *bucket) {
	b.full, b.tick = [forms][]chunk{}, c.tick
	if !b.queued {
		b.queued = true
		c.dirty = append(c.dirty, b)
	}
}

// settle ends a tick: what was changed is told.
func (c *city) settle() {
	for _, b := range c.dirty {
		for i := range b.changed {
			if b.changed[i].thing != nil {
				c.rows[b.changed[i].slot].turn = 0
			}
		}
		clear(b.changed)
		clear(b.gone)
		b.changed, b.gone, b.queued, b.now = b.changed[:0], b.gone[:0], false, [forms][]chunk{}
		if cap(b.changed) > 4*len(b.slots)+64 {
			b.changed = nil
		}
		c.drop(b)
	}
	clear(c.dirty)
	c.dirty = c.dirty[:0]
}

// words numbers names that come again and again.
type words struct {
	numbers map[string]uint16
	names   []string
}

func newWords() words { return words{numbers: map[string]uint16{}} }

// number of a name. There is room for 65,535 of them; all beyond share the last number, and its name.
func (w *words) number(name string) uint16 {
	if n, ok := w.numbers[name]; ok {
		return n
	}
	const most = 1<<16 - 1
	if len(w.names) > most {
		return most
	}
	n := uint16(len(w.names))
	w.names = append(w.names, name)
	w.numbers[name] = n
	return n
}
