package rules

import (
	"maps"
	"slices"
	"sort"
	"strconv"

	"kentongan/geo"
)

// tracksField is the part of the state that belongs to no rule: when Things have been seen.
const tracksField = "#track"

// tracks is what fences know of Things that have a place.
type tracks struct {
	things map[string]*track
	rest   map[string]int64 // Things that were quiet for long: when they were seen last
	dirty  [shards]bool
	inside []*compiled // room for one answer
}

// track is one Thing: when it was seen somewhere, in the last ten minutes, and the fences that watch it.
type track struct {
	locator geo.Locator
	times   []int64
	floor   int64 // it was seen before the first of times; 0: it was not
	lag     int64
	pairs   []*pair
	linked  bool // pairs are all there are
}

func newTracks() *tracks { return &tracks{things: map[string]*track{}, rest: map[string]int64{}} }

// fenced tries the fences on where a reading was made.
func (e *Engine) fenced(p *Program, v *view, at, lag int64) {
	if len(p.fences.list) == 0 {
		return
	}
	pos, placed := v.position()
	if !placed {
		return
	}
	key := v.thing.ID
	t := e.tracks.of(key, e.now)
	if !v.obs.Placed && len(t.times) > 0 && at < t.times[len(t.times)-1] { // late, and where it was made is not known
		return
	}
	i, known := slices.BinarySearch(t.times, at)
	if known || t.floor != 0 && at <= t.floor {
		return
	}
	cell, err := t.locator.CellNear(pos, geo.ResMatch)
	if err != nil {
		return
	}
	e.link(p, t, key)
	e.tracks.inside = p.fences.holding(e.tracks.inside[:0], pos, cell)
	for _, c := range e.tracks.inside {
		if !slices.ContainsFunc(t.pairs, func(p *pair) bool { return p.rule == c }) && c.selects(v) {
			t.pairs = append(t.pairs, e.enclose(c, v, t))
			slices.SortFunc(t.pairs, func(a, b *pair) int { return a.rule.order - b.rule.order })
		}
	}
	t.times = slices.Insert(t.times, i, at)
	if i == len(t.times)-1 {
		t.lag = lag
	}
	n := sort.Search(len(t.times), func(i int) bool { return t.times[i] >= t.times[len(t.times)-1]-historyMs })
	if n > 0 {
		t.floor = t.times[n-1]
		t.times = t.times[n:]
	}
	e.tracks.dirty[shardOf(key)] = true
	for _, pair := range t.pairs {
		if !pair.rule.selects(v) {
			continue
		}
		inside := slices.Contains(e.tracks.inside, pair.rule)
		pair.position = pos
		if e.markPair(e.list[pair.rule.order], pair, v, mark{at: at, said: pair.rule.fenced(inside)}, lag) == appended {
			pair.inside = inside
		}
	}
}

// selects tells whether a fence watches the Thing.
func (c *compiled) selects(v *view) bool { return c.tied(v) && (c.when == nil || c.when.holds(v)) }

// fenced is what being inside or outside says.
func (c *compiled) fenced(inside bool) said {
	if inside == (c.rule.Fence.On != FenceExit) {
		return held
	}
	return over
}

// enclose begins to watch a Thing that is seen inside for the first time: wherever else it has been seen since the rule began was outside.
func (e *Engine) enclose(c *compiled, v *view, t *track) *pair {
	s := e.states[c.rule.ID]
	p := &pair{rule: c, key: v.thing.ID, thing: v.thing, lag: t.lag, floor: t.floor}
	p.propertyOf(placeProperty)
	outside := mark{said: c.fenced(false)}
	if t.floor > s.began {
		outside.at = t.floor
		p.base.step(&c.pace, &outside, func(turn) {})
	}
	p.head = p.base
	for _, at := range t.times {
		if at > s.began {
			outside.at = at
			p.marks = append(p.marks, outside)
			p.head.step(&c.pace, &outside, func(turn) {})
		}
	}
	s.pairs[p.key] = p
	return p
}

// link finds the fences that watch a Thing, and lets go those to which it has long been nothing.
func (e *Engine) link(p *Program, t *track, key string) {
	if !t.linked {
		t.linked = true
		t.pairs = nil
		for _, c := range p.fences.list {
			if pair := e.states[c.rule.ID].pairs[key]; pair != nil {
				t.pairs = append(t.pairs, pair)
			}
		}
	}
	t.pairs = slices.DeleteFunc(t.pairs, func(p *pair) bool {
		if !p.gone && p.quiet(e.now) {
			e.list[p.rule.order].free(key, p)
		}
		return p.gone
	})
}

// of gives the track of a Thing.
func (x *tracks) of(key string, now int64) *track {
	t := x.things[key]
	if t != nil && t.quiet(now) {
		x.free(key, t)
		t = nil
	}
	if t == nil {
		t = &track{floor: x.rest[key]}
		delete(x.rest, key)
		x.things[key] = t
	}
	return t
}

func (t *track) quiet(now int64) bool {
	return len(t.times) > 0 && t.times[len(t.times)-1]+t.lag+2*historyMs < now
}

func (x *tracks) free(key string, t *track) {
	x.rest[key] = t.times[len(t.times)-1]
	delete(x.things, key)
	x.dirty[shardOf(key)] = true
}

func (x *tracks) sweep(now int64) {
	for key, t := range x.things {
		if t.quiet(now) {
			x.free(key, t)
		}
	}
}

// unlink makes every track look again for the fences that watch it.
func (x *tracks) unlink() {
	for _, t := range x.things {
		t.linked = false
	}
}

func (x *tracks) save(put func(string, []byte)) {
	for shard := range shards {
		if !x.dirty[shard] {
			continue
		}
		x.dirty[shard] = false
		keys, rest := keysOf(x.things, shard), keysOf(x.rest, shard)
		var b []byte
		if len(keys)+len(rest) > 0 {
			w := &writer{}
			w.uint(stateVersion)
			w.uint(uint64(len(keys)))
			for _, k := range keys {
				t := x.things[k]
				w.text(k)
				w.int(t.floor)
				w.int(t.lag)
				w.uint(uint64(len(t.times)))
				last := int64(0)
				for _, at := range t.times {
					w.int(at - last)
					last = at
				}
			}
			w.uint(uint64(len(rest)))
			for _, k := range rest {
				w.text(k)
				w.int(x.rest[k])
			}
			b = w.b
		}
		put(partName(tracksField, shard), b)
	}
}

func (x *tracks) restore(b []byte) error {
	r := &reader{b: b}
	if err := r.begin(); err != nil {
		return err
	}
	things, rest := map[string]*track{}, map[string]int64{}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		key := r.text()
		t := &track{floor: r.int(), lag: r.span()}
		last := int64(0)
		for m := r.count(); m > 0 && r.err == nil; m-- {
			d := r.int()
			if last += d; len(t.times) > 0 && d <= 0 || last > mostInt || last < -mostInt {
				r.fail()
			}
			t.times = append(t.times, last)
		}
		things[key] = t
	}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		key := r.text()
		rest[key] = r.int()
	}
	if r.err != nil {
		return r.err
	}
	maps.Copy(x.things, things)
	maps.Copy(x.rest, rest)
	return nil
}

// placeProperty is the property under which a fence's evidence stands.
const placeProperty = "position"

// placeText writes a position down as evidence.
func placeText(p geo.Position) string {
	return strconv.FormatFloat(p.Lng, 'f', 5, 64) + "," + strconv.FormatFloat(p.Lat, 'f', 5, 64)
}
