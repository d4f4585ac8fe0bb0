package rules

import (
	"slices"
)

// encode writes the witnesses in the cells of a shard; false where there are none.
func (n *near) encode(w *writer, shard int) bool {
	var cells []place
	for at := range n.cells {
		if shardOf(at.keyOf()) == shard {
			cells = append(cells, at)
		}
	}
	slices.SortFunc(cells, func(a, b place) int { return compareText(a.keyOf(), b.keyOf()) })
	w.uint(uint64(len(cells)))
	for _, at := range cells {
		w.place(at)
		w.uint(uint64(len(n.cells[at])))
		for _, x := range n.cells[at] {
			w.int(x.at)
			w.text(x.thing)
		}
	}
	return len(cells) > 0
}

// decode takes them up.
func (n *near) decode(r *reader) {
	for k := r.count(); k > 0 && r.err == nil; k-- {
		at := r.place()
		var list []witness
		for m := r.count(); m > 0 && r.err == nil; m-- {
			list = append(list, witness{r.int(), r.text()})
		}
		if r.err == nil && len(list) > 0 {
			n.cells[at] = list
		}
	}
}

// sweep forgets what is too old to stand for anything.
func (n *near) sweep(dirty *[shards]bool) {
	for at, list := range n.cells {
		if !slices.ContainsFunc(list, func(x witness) bool { return x.at >= n.oldest() }) {
			delete(n.cells, at)
			dirty[shardOf(at.keyOf())] = true
		}
	}
}

// clockPart is the part of a rule's state that belongs to no Thing and no cell.
const clockPart = "clock"

// saveClock writes how far a rule that looks at many Things has come.
func (s *standing) saveClock(put func(string, []byte)) {
	var newest, lag int64
	switch {
	case s.piles != nil && s.piles.moved:
		newest, lag, s.piles.moved = s.piles.newest, s.piles.lag, false
	case s.near != nil && s.near.moved:
		newest, s.near.moved = s.near.newest, false
	default:
		return
	}
	w := &writer{}
	w.uint(stateVersion)
	w.uint(printHash(s.rule.print))
	w.int(newest)
	w.int(lag)
	put(s.rule.rule.ID+"/"+clockPart, w.b)
}

// restoreClock takes it up; that of another rule says nothing.
func (e *Engine) restoreClock(id string, b []byte) error {
	r := &reader{b: b}
	if err := r.begin(); err != nil {
		return err
	}
	print, newest, lag := r.uint(), r.int(), r.span()
	s := e.states[id]
	if r.err != nil || s == nil || printHash(s.rule.print) != print {
		return r.err
	}
	if s.piles != nil {
		s.piles.newest, s.piles.lag = newest, lag
	}
	if s.near != nil {
		s.near.newest = newest
	}
	return nil
}
