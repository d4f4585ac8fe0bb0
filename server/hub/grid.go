package hub

import (
	"math"
	"slices"
	"time"

	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/wire"
)

// grid is the cells that somebody watches: tiles of some fifty cells, the piece that viewers share. The hub's goroutine owns it.
type grid struct {
	city   *city
	tiles  map[tileKey]*tile
	bounds map[geo.Cell]geo.Bound // of tiles, once computed
	dirty  []*tile
	free   []uint32 // numbers of cells
	next   uint32
	cells  int
}

type tileKey struct {
	res  geo.Resolution // of its cells
	cell geo.Cell       // that it covers
}

// tile is the cells of one resolution below one coarser cell.
type tile struct {
	key      tileKey
	buckets  []*bucket
	hexes    map[geo.Cell]*hex
	scopes   map[*scope]struct{}
	queued   bool // it is in grid.dirty
	stirred  map[*bucket]struct{}
	young    bool // nobody has been told anything of it
	owes     bool // a cell's times moved by less than is told at once
	changed  []told
	now      [forms][]chunk // what changed in this tick; nil: to be built
	full     [forms][]chunk // everything; nil: to be built
	emptied  []told         // those of changed that hold nothing any more
	unneeded []*hex         // empty cells, to go once that is told
}

// hex is one cell.
type hex struct {
	cell    geo.Cell
	slot    uint32
	tick    uint32 // of what was last told
	buckets []*bucket
	aggs    folds // as it is
	told    []agg // what viewers know
}

// told is one cell's aggregate of one layer, for one message.
type told struct {
	hex     *hex
	agg     agg
	outline bool
}

// restSlots is how many numbers rest before one is given again: whoever lags has long been told that the old cell is empty.
const restSlots = 1 << 14

func newGrid(c *city) *grid {
	return &grid{city: c, tiles: map[tileKey]*tile{}, bounds: map[geo.Cell]geo.Bound{}}
}

// tileRes is the resolution of the cell that a tile covers: two above its cells, so that frames are neither many nor much too wide, and
// never finer than a bucket.
func tileRes(r geo.Resolution) geo.Resolution { return min(max(r-2, 0), geo.ResFrame) }

// bound around a tile.
func (g *grid) bound(c geo.Cell) geo.Bound {
	b, ok := g.bounds[c]
	if !ok {
		b = padded(c, padRegion)
		g.bounds[c] = b
	}
	return b
}

// watch makes a tile part of a view, and a bucket part of the tile.
func (g *grid) watch(s *scope, b *bucket) {
	key := tileKey{s.key.res, b.cell.Parent(tileRes(s.key.res))}
	t := g.tiles[key]
	if t == nil {
		t = &tile{key: key, hexes: map[geo.Cell]*hex{}, scopes: map[*scope]struct{}{}, stirred: map[*bucket]struct{}{}, young: true}
		g.tiles[key] = t
	}
	if !slices.Contains(b.tiles, t) {
		g.city.build(b)
		b.tiles = append(b.tiles, t)
		t.buckets = append(t.buckets, b)
		if key.res <= geo.ResFrame {
			h := g.hex(t, b.cell.Parent(key.res))
			h.buckets = append(h.buckets, b)
		}
		g.stirIn(t, b)
	}
	if _, known := t.scopes[s]; !known {
		t.scopes[s] = struct{}{}
		s.tiles = append(s.tiles, t)
	}
}

// unwatch takes a tile out of a view. A tile that nobody watches goes.
func (g *grid) unwatch(s *scope, t *tile, now time.Time) {
	delete(t.scopes, s)
	if len(t.scopes) > 0 {
		return
	}
	for _, b := range t.buckets {
		if i := slices.Index(b.tiles, t); i >= 0 {
			b.tiles = slices.Delete(b.tiles, i, i+1)
		}
		b.kept = now
		g.city.drop(b)
	}
	for _, h := range t.hexes {
		g.forget(t, h)
	}
	delete(g.tiles, t.key)
}

func (g *grid) hex(t *tile, c geo.Cell) *hex {
	h := t.hexes[c]
	if h == nil {
		h = &hex{cell: c}
		if len(g.free) > restSlots {
			h.slot = g.free[0]
			g.free = g.free[1:]
		} else {
			h.slot = g.next
			g.next++
		}
		t.hexes[c] = h
		g.cells++
	}
	return h
}

func (g *grid) forget(t *tile, h *hex) {
	delete(t.hexes, h.cell)
	g.free = append(g.free, h.slot)
	g.cells--
}

// stir notes that a bucket's Things have changed.
func (g *grid) stir(b *bucket) {
	for _, t := range b.tiles {
		g.stirIn(t, b)
	}
}

func (g *grid) stirIn(t *tile, b *bucket) {
	t.stirred[b] = struct{}{}
	g.queue(t)
}

func (g *grid) queue(t *tile) {
	if !t.queued {
		t.queued = true
		g.dirty = append(g.dirty, t)
	}
}

// Times of a cell that moved by less than this alone are told with the next second.
const slackMS = 1000

// refresh folds what was stirred, and finds what is to be told.
func (g *grid) refresh(nowMS int64) {
	for _, t := range g.dirty {
		if g.tiles[t.key] != t {
			continue
		}
		for _, h := range g.fold(t, nowMS) {
			g.compare(t, h, slackMS)
		}
		t.young = false
		for i := range t.changed {
			t.changed[i].hex.tick = g.city.tick
		}
	}
}

// fold folds the stirred buckets of a tile, and gives the cells concerned.
func (g *grid) fold(t *tile, nowMS int64) []*hex {
	concerned := map[*hex]struct{}{}
	for b := range t.stirred {
		if t.key.res > geo.ResFrame {
			fine := b.recountFine(t.key.res, nowMS)
			b.recount(nowMS) // for its flip
			for c, h := range t.hexes {
				if c.Parent(geo.ResFrame) == b.cell {
					h.aggs = fine[c]
					concerned[h] = struct{}{}
					delete(fine, c)
				}
			}
			for c, f := range fine {
				h := g.hex(t, c)
				h.aggs = f
				concerned[h] = struct{}{}
			}
			continue
		}
		b.recount(nowMS)
		concerned[g.hex(t, b.cell.Parent(t.key.res))] = struct{}{}
	}
	clear(t.stirred)
	list := make([]*hex, 0, len(concerned))
	for h := range concerned {
		if t.key.res <= geo.ResFrame {
			h.aggs = nil
			for _, b := range h.buckets {
				h.aggs.merge(b.aggs)
			}
		}
		list = append(list, h)
	}
	t.full = [forms][]chunk{}
	return list
}

// compare finds what viewers of a cell have not been told.
func (g *grid) compare(t *tile, h *hex, slack int64) {
	show := shown(h.aggs)
	for i := range show {
		at := slices.IndexFunc(h.told, func(o agg) bool { return o.kind == show[i].kind })
		if at >= 0 && h.told[at].same(&show[i], slack) {
			if !h.told[at].same(&show[i], 0) {
				t.owes = true
				show[i].seen, show[i].until = h.told[at].seen, h.told[at].until // told is what was told
			}
			continue
		}
		t.changed = append(t.changed, told{h, show[i], at < 0})
	}
	for i := range h.told {
		if !slices.ContainsFunc(show, func(o agg) bool { return o.kind == h.told[i].kind }) {
			t.changed = append(t.changed, told{h, agg{kind: h.told[i].kind, value: nan}, false})
			t.emptied = append(t.emptied, told{hex: h, agg: agg{kind: h.told[i].kind}})
		}
	}
	h.told = show
	if len(show) == 0 {
		t.unneeded = append(t.unneeded, h)
	}
	if len(t.changed) > 0 {
		g.queue(t)
	}
}

// second lets cells flip that time alone has turned, and pays what is owed.
func (g *grid) second(nowMS int64) {
	for _, t := range g.tiles {
		for _, b := range t.buckets {
			if b.flip != 0 && b.flip <= nowMS {
				g.stirIn(t, b)
			}
		}
		if t.owes {
			t.owes = false
			for _, h := range t.hexes {
				g.compare(t, h, 0)
			}
		}
	}
}

// settle ends a tick: what was changed is told.
func (g *grid) settle() {
	for _, t := range g.dirty {
		t.queued = false
		clear(t.changed)
		t.changed, t.emptied, t.now = t.changed[:0], t.emptied[:0], [forms][]chunk{}
		for _, h := range t.unneeded {
			if len(h.told) == 0 && len(h.aggs) == 0 && len(h.buckets) == 0 && t.hexes[h.cell] == h {
				g.forget(t, h)
			}
		}
		t.unneeded = nil
		if len(t.stirred) > 0 { // a tile that came to be after the refresh
			t.queued = true
		}
	}
	g.dirty = slices.DeleteFunc(g.dirty, func(t *tile) bool { return !t.queued })
}

// ready folds what has been stirred since the last tick, so that a viewer can be told all of the tile. Earlier viewers hear of it in
// the next tick.
func (g *grid) ready(t *tile, nowMS int64) {
	if len(t.stirred) > 0 {
		for _, h := range g.fold(t, nowMS) {
			g.compare(t, h, slackMS)
		}
	}
	if t.young {
		t.young = false
		t.changed, t.emptied = t.changed[:0], t.emptied[:0]
	}
}

// changes gives what is to be told of a tile in this tick, encoded once for all.
func (g *grid) changes(t *tile, f form, nowMS int64) []chunk {
	if t.now[f.id()] == nil {
		t.changed = lastWords(t.changed)
		t.now[f.id()] = g.encode(f, nowMS, t.changed)
	}
	return t.now[f.id()]
}

// all gives everything of a tile, encoded once until it changes.
func (g *grid) all(t *tile, f form, nowMS int64) []chunk {
	if t.full[f.id()] == nil {
		t.full[f.id()] = g.encode(f, nowMS, t.since(0))
	}
	return t.full[f.id()]
}

// since gives what was told of a tile since a tick, with every outline.
func (t *tile) since(tick uint32) []told {
	var list []told
	for _, h := range t.hexes {
		if h.tick < tick {
			continue
		}
		for _, a := range shown(h.aggs) {
			list = append(list, told{h, a, true})
		}
	}
	return list
}

var nan = math.NaN()

// encode writes cells as one chunk per layer.
func (g *grid) encode(f form, nowMS int64, list []told) []chunk {
	list = lastWords(list)
	chunks := []chunk{}
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].agg.kind == list[0].agg.kind {
			n++
		}
		layer := g.city.kinds.names[list[0].agg.kind]
		rows := make([]wire.CellRow, n)
		for i := range rows {
			rows[i] = g.row(&list[i])
		}
		chunks = append(chunks, chunk{layer, "", f.cellRows(nil, nowMS, layer, rows)})
		list = list[n:]
	}
	return chunks
}

// lastWords sorts cells by layer and slot, and keeps the last word on each: one may have been compared twice since the last tick.
func lastWords(list []told) []told {
	slices.SortStableFunc(list, func(a, b told) int {
		if a.agg.kind != b.agg.kind {
			return int(a.agg.kind) - int(b.agg.kind)
		}
		return int(a.hex.slot) - int(b.hex.slot)
	})
	out := list[:0]
	for i := range list {
		last := len(out) - 1
		if last >= 0 && out[last].hex == list[i].hex && out[last].agg.kind == list[i].agg.kind {
			list[i].outline = list[i].outline || out[last].outline
			out[last] = list[i]
			continue
		}
		out = append(out, list[i])
	}
	return out
}

func (g *grid) row(t *told) wire.CellRow {
	r := g.city.cellRow(t.hex.cell, &t.agg)
	r.Slot, r.Outline = t.hex.slot, t.outline
	return r
}

// cellRow writes an aggregate as the wire has it.
func (c *city) cellRow(cell geo.Cell, a *agg) wire.CellRow {
	r := wire.CellRow{Cell: cell, Count: a.count, Value: a.value, Severity: severityOf(a.severity), ObservedAt: moment.OfMilli(a.seen),
		StaleAfter: moment.OfMilli(a.until), Observers: make([]string, len(a.observers)), Unobserved: a.count > 0 && !a.fresh}
	for i, f := range a.observers {
		r.Observers[i] = c.feeds.names[f]
	}
	slices.Sort(r.Observers)
	return r
}
