package ingest

import (
	"cmp"
	"slices"
)

// The readings of one commit have no order of their own: they lie in several streams, and those of one stream by Thing. Rules that look at
// several Things see them by event time, live as from the streams.

// inOrder puts judgements of any number of commits in the order in which rules see them. Readings of one property of a Thing at one time stay as
// they are.
func inOrder(list []judgement) {
	slices.SortStableFunc(list, func(a, b judgement) int {
		return cmp.Or(cmp.Compare(a.stored, b.stored), a.obs.At.Compare(b.obs.At.Time), cmp.Compare(a.thing.ID, b.thing.ID), cmp.Compare(a.obs.Property, b.obs.Property))
	})
}

// gathering gathers judgements of one commit, which come one after the other.
type gathering struct{ list, out []judgement }

// add takes one, and gives those of the commit before, in order, where this one is of another. They are valid until the next call.
func (g *gathering) add(j judgement) []judgement {
	var before []judgement
	if len(g.list) > 0 && g.list[0].stored != j.stored {
		before = g.end()
	}
	g.list = append(g.list, j)
	return before
}

// end gives what is left.
func (g *gathering) end() []judgement {
	g.list, g.out = g.out[:0], g.list
	inOrder(g.out)
	return g.out
}
