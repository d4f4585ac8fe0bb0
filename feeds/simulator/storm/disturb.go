package storm

import (
	"slices"
	"time"
)

// Disturbance is what a bad network does to a storm.
type Disturbance struct {
	Seed   uint64
	Within time.Duration // an item comes up to so much later than it would
	Copies float64       // this share of the items comes again
}

// Disturbed gives the items as they come over a bad network: each late by its own chance, some again, in the new order. What they say stays.
func (s *Storm) Disturbed(how Disturbance) []Item {
	d := (&maker{Making: Making{Seed: s.Seed ^ how.Seed<<17}}).dice(forDisturbance)
	out := make([]Item, 0, len(s.Items)*5/4)
	for _, i := range s.Items {
		late := i
		late.Delivered = i.Delivered.Add(d.span(0, how.Within))
		out = append(out, late)
		if d.chance(how.Copies) {
			late.Delivered, late.Truth.Copy = i.Delivered.Add(d.span(0, how.Within)), true
			out = append(out, late)
		}
	}
	slices.SortStableFunc(out, func(a, b Item) int { return a.Delivered.Compare(b.Delivered) })
	return out
}

// Clean gives the items in the order in which they were meant: each once, at the time it would come without delay, those that only a fault of
// the way made late at their own time.
func (s *Storm) Clean() []Item {
	out := make([]Item, 0, len(s.Items))
	for _, i := range s.Items {
		if !i.Truth.Copy {
			out = append(out, i)
		}
	}
	return out
}
