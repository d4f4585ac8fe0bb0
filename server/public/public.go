// Package public is positions that anybody may see: coarse, late, and never one alone. Pure.
//
// A city may show where its buses are without showing where a driver is. What is shown is a count of Things per cell of H3 resolution 7 or
// coarser (5 km²), as it was a quarter of an hour ago or more, only where five or more are, and only rounded down to a multiple of that
// five. So no two releases, taken from each other, tell of one Thing: each count stands for five true ones, and each difference for nine.
package public

import (
	"cmp"
	"slices"
	"time"

	"kentongan/geo"
)

// The bounds that no setting passes.
const (
	MostResolution geo.Resolution = 7
	LeastDelay                    = 15 * time.Minute
	LeastTogether                 = 5
)

// unit is the kind that is never shown, whatever is asked for: where officers are is nobody's business but the room's.
const unit = "unit"

// Transport are the kinds that are shown where a profile names none: vehicles that run for the public, by a timetable that is public.
var Transport = []string{"bus", "transit", "train", "tram", "metro", "ferry", "angkot"}

// Thing is what is counted: where something was, and when.
type Thing struct {
	ID        string
	Kind      string
	Position  geo.Position
	At        time.Time
	Simulated bool
}

// Options of a release. Whatever is weaker than the bounds is taken as the bound.
type Options struct {
	Kinds      []string       // none: Transport
	Resolution geo.Resolution // at most MostResolution
	Delay      time.Duration  // at least LeastDelay
	Together   int            // at least LeastTogether
	Window     time.Duration  // how long before the delay a Thing may have been seen last; 0: 15 minutes
}

func (o Options) bounded() Options {
	if len(o.Kinds) == 0 {
		o.Kinds = Transport
	}
	o.Resolution = max(min(o.Resolution, MostResolution), 0)
	o.Delay, o.Together = max(o.Delay, LeastDelay), max(o.Together, LeastTogether)
	if o.Window <= 0 {
		o.Window = 15 * time.Minute
	}
	return o
}

// Crowd is how many Things of a kind were in a cell.
type Crowd struct {
	Cell  geo.Cell `json:"cell"`
	Kind  string   `json:"kind"`
	Count int      `json:"count" doc:"Rounded down to a multiple of at_least"`
}

// Cells counts what may be shown at a time, sorted by cell and kind. Of a Thing that is given several times its last place that is old enough
// counts, once: taking a Thing away changes its own cell, or nothing.
func Cells(things []Thing, now time.Time, opts Options) []Crowd {
	o := opts.bounded()
	to := now.Add(-o.Delay)
	from := to.Add(-o.Window)
	last := map[string]Thing{}
	for _, t := range things {
		if t.Simulated || t.Kind == unit || !slices.Contains(o.Kinds, t.Kind) || t.At.After(to) || t.At.Before(from) || t.Position.Validate() != nil || t.Position.IsNull() {
			continue
		}
		if was, ok := last[t.ID]; !ok || newer(t, was) {
			last[t.ID] = t
		}
	}
	type place struct {
		cell geo.Cell
		kind string
	}
	counts := map[place]int{}
	for _, t := range last {
		if cell, err := geo.CellAt(t.Position, o.Resolution); err == nil {
			counts[place{cell, t.Kind}]++
		}
	}
	out := []Crowd{}
	for p, n := range counts {
		if n -= n % o.Together; n > 0 {
			out = append(out, Crowd{p.cell, p.kind, n})
		}
	}
	slices.SortFunc(out, func(a, b Crowd) int { return cmp.Or(cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Kind, b.Kind)) })
	return out
}

// newer orders two places of one Thing whatever order they come in.
func newer(a, b Thing) bool {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Position.Lng, b.Position.Lng), cmp.Compare(a.Position.Lat, b.Position.Lat)) > 0
}
