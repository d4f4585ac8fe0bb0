package rules

import (
	"maps"
	"slices"

	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo"
)

// piles is where a count stands: what was counted lately, by cell, and the places that fire.
type piles struct {
	rule   *compiled
	within int64
	cells  map[place][]counted
	list   map[string][]*pile // by key; the last of each may stand
	newest int64
	lag    int64
	moved  bool // newest or lag, since the last Save
}

// counted is one thing that was counted.
type counted struct {
	at     int64
	source string
	feed   string
}

// pile is one firing of a count, around a cell.
type pile struct {
	rule    *compiled
	key     string
	at      place
	from    int64
	to      int64 // until when enough of them are known to be there
	stands  bool
	due     int64 // for which the clock is set
	feed    string
	sources []string
}

func newPiles(c *compiled) *piles {
	return &piles{rule: c, within: c.rule.Count.Within.Milliseconds(), cells: map[place][]counted{}, list: map[string][]*pile{}}
}

// keyOf is the key of a decision about a cell.
func (p place) keyOf() string {
	if p.simulated {
		return p.cell.String() + "/sim"
	}
	return p.cell.String()
}

// countThing counts a Thing whose reading meets the condition.
func (e *Engine) countThing(s *standing, v *view, at int64) {
	if !s.rule.when.holds(v) {
		return
	}
	pos, placed := v.position()
	e.count(s, pos, placed, v.thing.Simulated, counted{at, v.thing.ID, v.thing.Feed}, e.now)
}

// count takes up one more, which came at a time of our clock. What comes late, or in another order, is counted where its time belongs; more can only make a place fire, never
// keep it from it, so that the order of arrival does not matter.
func (e *Engine) count(s *standing, pos geo.Position, placed, simulated bool, x counted, came int64) {
	if !placed {
		return
	}
	cell, err := geo.CellAt(pos, geo.ResMatch)
	if err != nil {
		return
	}
	ps, at := s.piles, place{cell, simulated}
	if x.at < ps.newest-historyMs-ps.within {
		s.late++
		return
	}
	if x.at > ps.newest {
		ps.newest, ps.lag, ps.moved = x.at, max(0, came-x.at), true
	}
	if !ps.add(at, x) {
		return
	}
	s.dirty[shardOf(at.keyOf())] = true
	z, when := ps.complete(at, x.at)
	if z.cell == 0 {
		return
	}
	if old := ps.covering(z, when); old != nil {
		e.lengthen(ps, old)
		return
	}
	n := &pile{rule: s.rule, key: z.keyOf(), at: z, from: when, feed: x.feed}
	ps.list[n.key] = append(ps.list[n.key], n)
	e.raise(ps, n, when)
}

// raise lets a place fire, and clear where it is over already.
func (e *Engine) raise(ps *piles, n *pile, at int64) {
	n.stands, n.sources = true, ps.sources(n.at, at)
	n.to = ps.until(n, at)
	e.pile(n, true, at, e.now)
	e.closeOrArm(ps, n, e.now)
}

// lengthen looks until when a place fires now that one more is counted.
func (e *Engine) lengthen(ps *piles, n *pile) {
	was := n.to
	to := max(was, ps.until(n, max(n.from, min(was, ps.newest-historyMs))))
	if to > was {
		n.to = to
		e.states[n.rule.rule.ID].dirty[shardOf(n.key)] = true
	}
	if n.stands || to <= was || ps.standing(n.at) || to+ps.lag <= e.now {
		return // its clock looks for itself, or the place has been told anew
	}
	n.to = was // it was said to be over, and is not
	again := &pile{rule: n.rule, key: n.key, at: n.at, from: was + 1, to: to, feed: n.feed, stands: true, sources: ps.sources(n.at, ps.newest)}
	ps.list[n.key] = append(ps.list[n.key], again)
	e.pile(again, true, again.from, e.now)
	e.closeOrArm(ps, again, e.now)
}

// closeOrArm clears a place that is over at a time of our clock, or sets the clock for it.
func (e *Engine) closeOrArm(ps *piles, n *pile, now int64) {
	e.states[n.rule.rule.ID].dirty[shardOf(n.key)] = true
	if n.to+ps.lag > now {
		n.due = n.to + ps.lag
		e.timers.push(timer{due: n.due, pile: n})
		return
	}
	n.stands = false
	e.pile(n, false, n.to, n.to)
}

// ring looks at a place whose time may be over.
func (e *Engine) ring(n *pile, now int64) {
	s := e.states[n.rule.rule.ID]
	if s == nil || s.piles == nil || !n.stands || !slices.Contains(s.piles.list[n.key], n) {
		return
	}
	n.to = s.piles.until(n, max(n.from, min(n.to, s.piles.newest-historyMs)))
	e.closeOrArm(s.piles, n, now)
}

// pile makes a decision about a place.
func (e *Engine) pile(n *pile, fire bool, at, received int64) {
	mid := n.at.cell.Center()
	e.out = append(e.out, Decision{
		Rule: n.rule.rule, Fire: fire, Key: n.key, Thing: n.standIn(received), Position: mid, Placed: true, Type: n.rule.about(),
		Sources: slices.Clone(n.sources), Inputs: []incident.Input{}, At: timeOf(at), Since: timeOf(n.from),
	})
}

// standIn is a Thing in the place of a cell.
func (n *pile) standIn(received int64) *feeds.Thing {
	t := &feeds.Thing{ID: n.key, Feed: n.feed, Kind: "cell", Position: n.at.cell.Center(), Placed: true, Simulated: n.at.simulated,
		At: momentOf(n.from), ReceivedAt: momentOf(max(received, n.from))}
	if c, err := geo.CellAt(t.Position, geo.ResThing); err == nil {
		t.Cell = c
	}
	return t
}

// add puts one among those of its cell; false where it is known.
func (ps *piles) add(at place, x counted) bool {
	list := ps.cells[at]
	i, _ := slices.BinarySearchFunc(list, x, func(a, b counted) int { return int(max(-1, min(1, a.at-b.at))) })
	for j := i; j < len(list) && list[j].at == x.at; j++ {
		if list[j].source == x.source {
			return false
		}
	}
	list = slices.Insert(list, i, x)
	n := 0
	for n < len(list) && list[n].at < ps.oldest() {
		n++
	}
	ps.cells[at] = list[n:]
	return true
}

func (ps *piles) oldest() int64 { return ps.newest - historyMs - 2*ps.within }

// around calls each for what was counted in the disk around a place, from (not included) to (included).
func (ps *piles) around(z place, from, to int64, each func(counted)) {
	cells, err := z.cell.Disk(ps.rule.rule.Count.Disk)
	if err != nil {
		return
	}
	for _, c := range cells {
		for _, x := range ps.cells[place{c, z.simulated}] {
			if x.at > from && x.at <= to {
				each(x)
			}
		}
	}
}

// sources lists who is counted around a place at a time.
func (ps *piles) sources(z place, at int64) []string {
	var out []string
	ps.around(z, at-ps.within, at, func(x counted) { out = append(out, x.source) })
	return unique(out)
}

// complete looks for the first place and time at which enough are counted now that one more is known, at a time, in a cell. The place is the
// cell of the one that completes the number by event time.
func (ps *piles) complete(at place, from int64) (place, int64) {
	cells, err := at.cell.Disk(ps.rule.rule.Count.Disk)
	if err != nil {
		return place{}, 0
	}
	slices.Sort(cells)
	var best place
	var when int64
	for _, c := range cells {
		z := place{c, at.simulated}
		for _, x := range ps.cells[z] {
			if x.at < from || x.at >= from+ps.within || best.cell != 0 && x.at >= when {
				continue
			}
			if len(ps.sources(z, x.at)) >= ps.rule.rule.Count.AtLeast {
				best, when = z, x.at
			}
		}
	}
	return best, when
}

// standing tells that a place, or one near it, fires.
func (ps *piles) standing(z place) bool {
	cells, err := z.cell.Disk(ps.rule.rule.Count.Disk)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(cells, func(c geo.Cell) bool {
		list := ps.list[place{c, z.simulated}.keyOf()]
		return len(list) > 0 && list[len(list)-1].stands
	})
}

// covering is the firing to which a place and time belong already. Where one stands, what was there before it is the same case.
func (ps *piles) covering(z place, at int64) *pile {
	cells, err := z.cell.Disk(ps.rule.rule.Count.Disk)
	if err != nil {
		return nil
	}
	for _, c := range cells {
		list := ps.list[place{c, z.simulated}.keyOf()]
		for i := len(list) - 1; i >= 0; i-- {
			if n := list[i]; n.stands || at > n.from-ps.within && at <= n.to {
				return n
			}
		}
	}
	return nil
}

// until is the time at which fewer than enough are counted around a firing that has enough at a time.
func (ps *piles) until(n *pile, from int64) int64 {
	end := from
	for {
		latest := map[string]int64{}
		ps.around(n.at, from-ps.within, end, func(x counted) { latest[x.source] = max(latest[x.source], x.at) })
		times := slices.Sorted(maps.Values(latest))
		k := len(times) - ps.rule.rule.Count.AtLeast
		if k < 0 {
			return max(end, n.to)
		}
		next := times[k] + ps.within
		if next <= end {
			return end
		}
		end = next
	}
}

// sweep forgets what is too old to count.
func (ps *piles) sweep(dirty *[shards]bool) {
	for at, list := range ps.cells {
		if list[len(list)-1].at < ps.oldest() {
			delete(ps.cells, at)
			dirty[shardOf(at.keyOf())] = true
		}
	}
	for key, list := range ps.list {
		n := len(list)
		list = slices.DeleteFunc(list, func(n *pile) bool { return !n.stands && n.to < ps.oldest() })
		if len(list) < n {
			dirty[shardOf(key)] = true
		}
		if len(list) == 0 {
			delete(ps.list, key)
		} else {
			ps.list[key] = list
		}
	}
}
