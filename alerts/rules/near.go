package rules

import (
	"slices"

	"kentongan/geo"
)

// near remembers where the condition of a rule held lately, so that one instrument can stand for another's further samples.
type near struct {
	block  *Corroborate
	within int64
	cells  map[place][]witness
	newest int64
	moved  bool // newest, since the last Save
}

// place is a cell at geo.ResMatch; what is simulated and what is real never meet.
type place struct {
	cell      geo.Cell
	simulated bool
}

// witness is one Thing on which the condition held.
type witness struct {
	at    int64
	thing string
}

func newNear(b *Corroborate) *near {
	within := b.Within
	if within == 0 {
		within = DefaultCorroborateWithin
	}
	return &near{block: b, within: within.Milliseconds(), cells: map[place][]witness{}}
}

// needs is how many others must say the same.
func (n *near) needs() int { return max(1, n.block.Sources) }

// add takes up a witness.
func (n *near) add(at place, w witness) {
	if w.at > n.newest {
		n.newest, n.moved = w.at, true
	}
	list := slices.DeleteFunc(n.cells[at], func(x witness) bool { return x.at < n.oldest() || x == w })
	n.cells[at] = append(list, w)
}

func (n *near) oldest() int64 { return n.newest - 2*n.within - historyMs }

// others lists the witnesses of other Things around a place, within the time.
func (n *near) others(at place, thing string, when int64) []witness {
	cells, err := at.cell.Disk(n.block.Disk)
	if err != nil {
		return nil
	}
	var out []witness
	for _, c := range cells {
		for _, w := range n.cells[place{c, at.simulated}] {
			if d := w.at - when; w.thing != thing && d <= n.within && -d <= n.within {
				out = append(out, w)
			}
		}
	}
	return out
}

func things(ws []witness) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w.thing
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// corroborate looks whether others say what a mark says, and tells those others.
func (e *Engine) corroborate(s *standing, p *pair, i int, v *view) {
	pos, placed := v.position()
	if !placed {
		return
	}
	cell, err := geo.CellAt(pos, geo.ResMatch)
	if err != nil {
		return
	}
	at := place{cell, v.thing.Simulated}
	p.at = at
	m := &p.kept()[i]
	s.near.add(at, witness{m.at, p.key})
	s.dirty[shardOf(at.keyOf())] = true
	others := s.near.others(at, p.key, m.at)
	if len(things(others)) >= s.near.needs() {
		m.said |= backed
	}
	for _, w := range others {
		o := s.pairs[w.thing]
		if o == nil {
			continue
		}
		changed := false
		for j := range o.kept() {
			om := &o.kept()[j]
			if om.said&held == 0 || om.said&backed != 0 || om.at != w.at {
				continue
			}
			if len(things(s.near.others(o.at, o.key, om.at))) >= s.near.needs() {
				om.said |= backed
				changed = true
			}
		}
		if changed {
			s.dirty[shardOf(o.key)] = true
			e.rejudge(o)
			e.arm(o)
		}
	}
}

// beside lists who else said what made a rule fire.
func (n *near) beside(p *pair, t turn) []string {
	if p.at.cell == 0 {
		return nil
	}
	var out []string
	for _, m := range p.kept() {
		if m.said&backed != 0 && m.at >= t.since && m.at <= t.at {
			out = append(out, things(n.others(p.at, p.key, m.at))...)
		}
	}
	return out
}
