package hub

import (
	"sort"

	"kentongan/feeds"
	"kentongan/geo"
)

// city is the hub's picture of placed Things: by id, and by cell at geo.ResFrame, the piece that viewers share. The hub's goroutine owns it.
type city struct {
	rows    map[string]*row
	buckets map[geo.Cell]*bucket
	dirty   []*bucket // changed since the last tick
}

// row is one Thing.
type row struct {
	thing  *feeds.Thing
	bucket *bucket
	dirty  bool // changed since the last tick
}

// bucket is the Things of one cell.
type bucket struct {
	cell     geo.Cell
	bound    geo.Bound
	rows     map[string]*row
	watchers map[*client]struct{}
	queued   bool     // it is in city.dirty
	changed  []*row   // since the last tick; a row may have left meanwhile
	gone     []string // left this bucket, or their kind, since the last tick
	tick     [forms][]chunk
	full     [forms][]chunk // every row, for snapshots; nil: to be built
}

// chunk is the encoded rows of one kind in one bucket, parted by commas, shared by every viewer.
type chunk struct {
	kind  string
	bytes []byte
}

// pad widens a bucket's bound, as a part of its size: a Thing's cell may stick out of the outline of its ancestor three levels above.
const pad = 0.15

func newCity() *city {
	return &city{rows: map[string]*row{}, buckets: map[geo.Cell]*bucket{}}
}

func newBucket(c geo.Cell) *bucket {
	b := geo.BoundOf(c.Boundary()...)
	w, h := (b.East-b.West)*pad, (b.North-b.South)*pad
	return &bucket{cell: c, bound: geo.Bound{West: b.West - w, South: b.South - h, East: b.East + w, North: b.North + h},
		rows: map[string]*row{}, watchers: map[*client]struct{}{}}
}

// put takes the newest state of a Thing; nil for old tells that nothing is known of it. It gives a bucket that is new, or nil.
func (c *city) put(t *feeds.Thing) (fresh *bucket) {
	r := c.rows[t.ID]
	if !t.Placed || t.Cell == 0 {
		if r != nil {
			c.leave(r)
			delete(c.rows, t.ID)
		}
		return nil
	}
	frame := t.Cell.Parent(geo.ResFrame)
	if r == nil {
		r = &row{}
		c.rows[t.ID] = r
	} else if r.bucket.cell != frame {
		c.leave(r)
	} else if r.thing.Kind != t.Kind {
		c.touch(r.bucket)
		r.bucket.gone = append(r.bucket.gone, t.ID)
	}
	r.thing = t
	if r.bucket == nil {
		b := c.buckets[frame]
		if b == nil {
			b = newBucket(frame)
			c.buckets[frame] = b
			fresh = b
		}
		r.bucket, b.rows[t.ID] = b, r
		r.dirty = false
	}
	if !r.dirty {
		r.dirty = true
		r.bucket.changed = append(r.bucket.changed, r)
	}
	c.touch(r.bucket)
	return fresh
}

// leave takes a row out of its bucket.
func (c *city) leave(r *row) {
	b := r.bucket
	c.touch(b)
	delete(b.rows, r.thing.ID)
	b.gone = append(b.gone, r.thing.ID)
	r.bucket = nil
}

func (c *city) touch(b *bucket) {
	b.full = [forms][]chunk{}
	if !b.queued {
		b.queued = true
		c.dirty = append(c.dirty, b)
	}
}

// settle ends a tick: what was changed is told.
func (c *city) settle() {
	for _, b := range c.dirty {
		for _, r := range b.changed {
			r.dirty = false
		}
		clear(b.changed)
		b.changed, b.gone, b.queued, b.tick = b.changed[:0], b.gone[:0], false, [forms][]chunk{}
		if len(b.rows) == 0 {
			for w := range b.watchers {
				delete(w.frames, b.cell)
			}
			delete(c.buckets, b.cell)
		}
	}
	clear(c.dirty)
	c.dirty = c.dirty[:0]
}

// changes gives the rows changed in this tick, encoded once for all.
func (b *bucket) changes(f form) []chunk {
	if b.tick[f.id()] == nil {
		list := make([]*row, 0, len(b.changed))
		for _, r := range b.changed {
			if r.bucket == b {
				list = append(list, r)
			}
		}
		b.tick[f.id()] = encode(f, list)
	}
	return b.tick[f.id()]
}

// all gives every row, encoded once until the bucket changes.
func (b *bucket) all(f form) []chunk {
	if b.full[f.id()] == nil {
		list := make([]*row, 0, len(b.rows))
		for _, r := range b.rows {
			list = append(list, r)
		}
		b.full[f.id()] = encode(f, list)
	}
	return b.full[f.id()]
}

// encode writes rows as one chunk per kind. A row that moved away and back within a tick is there twice and written once.
func encode(f form, list []*row) []chunk {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i].thing, list[j].thing
		if a.Kind != b.Kind {
			return a.Kind < b.Kind
		}
		return a.ID < b.ID
	})
	chunks := []chunk{}
	for i, r := range list {
		if i > 0 && list[i-1] == r {
			continue
		}
		last := len(chunks) - 1
		if last < 0 || chunks[last].kind != r.thing.Kind {
			chunks = append(chunks, chunk{kind: r.thing.Kind})
			last++
		} else {
			chunks[last].bytes = append(chunks[last].bytes, ',')
		}
		chunks[last].bytes = f.row(chunks[last].bytes, r.thing)
	}
	return chunks
}
