package hub

import (
	"math"
	"slices"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
)

// freshWithout is how long a Thing without a known interval counts as fresh, from receipt.
const freshWithout = 5 * time.Minute

// sum is what a cell needs to know of one Thing, 40 bytes. Buckets have them while somebody looks at their cells, and a while longer.
type sum struct {
	cell       geo.Cell
	value      float64 // of the leading property; NaN: none
	seen       int64   // event time, ms; 0: never
	until      int64   // fresh until then, ms
	kind, feed uint16
	simulated  bool
	severity   uint8 // rank + 1 of the worst alert that a rule holds on it; 0: none
}

// agg is what a cell shows of one kind. What plays or is invented is folded apart from what is real.
type agg struct {
	kind      uint16
	simulated bool
	severity  uint8
	fresh     bool // one of the Things is
	count     int
	value     float64 // the largest among the fresh; where none is, that of the newest; NaN: none
	valueSeen int64   // where none is fresh: of that value
	seen      int64   // the newest event time, ms; 0: never
	until     int64   // one of them is fresh until then, ms
	observers []uint16
}

// folded is a bucket as cells see it.
type folded struct {
	built bool // sums stand beside slots
	sums  []sum
	aggs  []agg // of the whole bucket
	flip  int64 // ms: then one of its Things goes stale; 0: none will
	tiles []*tile
	kept  time.Time // when sums were last needed
}

// sumOf gives what cells need of a Thing.
func (c *city) sumOf(e *index.Entry, t *feeds.Thing) sum {
	s := sum{cell: e.Cell, value: math.NaN(), kind: c.kinds.number(e.Kind)}
	if t == nil {
		return s
	}
	s.value, s.seen, s.feed, s.simulated = leadingValue(t), t.At.Milli(), c.feeds.number(t.Feed), t.Simulated
	switch {
	case !t.StaleAfter.IsZero():
		s.until = t.StaleAfter.Milli()
	case !t.ReceivedAt.IsZero():
		s.until = t.ReceivedAt.Add(freshWithout).UnixMilli()
	}
	s.severity = c.alarms.worst(e.ID)
	return s
}

// fold notes a Thing's new state in its bucket's sums, where there are any.
func (c *city) fold(b *bucket, r *row, t *feeds.Thing) {
	if !b.built {
		return
	}
	s := c.sumOf(r.entry, t)
	if int(r.at) == len(b.sums) {
		b.sums = append(b.sums, s)
	} else {
		b.sums[r.at] = s
	}
}

// build reads every Thing of a bucket into sums.
func (c *city) build(b *bucket) {
	if b.built {
		return
	}
	b.sums = make([]sum, len(b.slots))
	for i, slot := range b.slots {
		e := c.rows[slot].entry
		b.sums[i] = c.sumOf(e, thingOf(e))
	}
	b.built = true
	c.built[b] = struct{}{}
}

// keepSums is how long sums stay that nobody needs: a view that comes back finds them.
const keepSums = time.Minute

// tidy drops sums that nobody has needed for a while.
func (c *city) tidy(now time.Time) {
	for b := range c.built {
		if len(b.tiles) == 0 && now.Sub(b.kept) > keepSums {
			b.folded = folded{}
			delete(c.built, b)
		}
	}
}

// add folds one Thing in.
func (a *agg) add(s *sum, nowMS int64) {
	one := agg{kind: s.kind, simulated: s.simulated, severity: s.severity, fresh: s.until > nowMS, count: 1, value: s.value, valueSeen: s.seen, seen: s.seen, until: s.until}
	if one.fresh {
		at, known := slices.BinarySearch(a.observers, s.feed)
		if !known {
			a.observers = slices.Insert(a.observers, at, s.feed)
		}
	}
	a.merge(&one)
}

// merge folds another aggregate of the same kind in.
func (a *agg) merge(o *agg) {
	switch {
	case o.fresh && !a.fresh, a.count == 0:
		a.value, a.valueSeen = o.value, o.valueSeen
	case a.fresh && !o.fresh, math.IsNaN(o.value):
	case math.IsNaN(a.value), a.fresh && o.value > a.value, !a.fresh && o.valueSeen > a.valueSeen:
		a.value, a.valueSeen = o.value, o.valueSeen
	}
	a.fresh = a.fresh || o.fresh
	a.count += o.count
	a.seen, a.until = max(a.seen, o.seen), max(a.until, o.until)
	if o.severity != 0 && (a.severity == 0 || o.severity < a.severity) {
		a.severity = o.severity
	}
	for _, f := range o.observers {
		if at, known := slices.BinarySearch(a.observers, f); !known {
			a.observers = slices.Insert(a.observers, at, f)
		}
	}
}

// same tells that two aggregates look the same; times may differ by less than slackMS.
func (a *agg) same(o *agg, slackMS int64) bool {
	near := func(x, y int64) bool { return x == y || (x-y < slackMS && y-x < slackMS && x != 0 && y != 0) }
	return a.kind == o.kind && a.simulated == o.simulated && a.severity == o.severity && a.fresh == o.fresh && a.count == o.count &&
		(a.value == o.value || math.IsNaN(a.value) && math.IsNaN(o.value)) && near(a.seen, o.seen) && near(a.until, o.until) && slices.Equal(a.observers, o.observers)
}

// folds is aggregates by kind and, within a kind, the real before the simulated.
type folds []agg

func (f *folds) of(kind uint16, simulated bool) *agg {
	for i := range *f {
		a := &(*f)[i]
		if a.kind == kind && a.simulated == simulated {
			return a
		}
		if a.kind > kind || a.kind == kind && a.simulated {
			*f = slices.Insert(*f, i, agg{kind: kind, simulated: simulated})
			return &(*f)[i]
		}
	}
	*f = append(*f, agg{kind: kind, simulated: simulated})
	return &(*f)[len(*f)-1]
}

func (f *folds) merge(list []agg) {
	for i := range list {
		f.of(list[i].kind, list[i].simulated).merge(&list[i])
	}
}

// shown gives what a cell shows: of each kind what is real; what is simulated only where nothing of the kind is real, so that the two
// never meet in one figure. The feeds among the observers say which it is.
func shown(list []agg) []agg {
	out := make([]agg, 0, len(list))
	for i := range list {
		if i > 0 && list[i].kind == list[i-1].kind {
			continue
		}
		out = append(out, list[i])
	}
	return out
}

// recount folds a bucket's Things anew.
func (b *bucket) recount(nowMS int64) {
	var f folds
	b.flip = 0
	for i := range b.sums {
		s := &b.sums[i]
		f.of(s.kind, s.simulated).add(s, nowMS)
		if s.until > nowMS && (b.flip == 0 || s.until < b.flip) {
			b.flip = s.until
		}
	}
	b.aggs = f
}

// recountFine folds a bucket's Things by their cells at a resolution finer than the bucket's.
func (b *bucket) recountFine(r geo.Resolution, nowMS int64) map[geo.Cell]folds {
	out := map[geo.Cell]folds{}
	for i := range b.sums {
		s := &b.sums[i]
		cell := s.cell.Parent(r)
		f := out[cell]
		f.of(s.kind, s.simulated).add(s, nowMS)
		out[cell] = f
	}
	return out
}
