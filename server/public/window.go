package public

import (
	"slices"
	"sync"
	"time"
)

// Window remembers where things were, until that is old enough to be shown. The live picture knows only where they are. Safe for concurrent use.
type Window struct {
	mu       sync.Mutex
	opts     Options
	seen     []taken
	released time.Time
	cells    []Crowd
}

// taken is the picture of a moment.
type taken struct {
	at     time.Time
	things []Thing
}

// Step is how often a new release is made. Between two of them everybody sees the same, however often they ask.
const Step = 5 * time.Minute

// NewWindow makes an empty window.
func NewWindow(o Options) *Window { return &Window{opts: o.bounded(), cells: []Crowd{}} }

// Take remembers the picture of a moment: what may be shown of it at all.
func (w *Window) Take(things []Thing, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	things = slices.DeleteFunc(slices.Clone(things), func(t Thing) bool {
		return t.Simulated || t.Kind == unit || !slices.Contains(w.opts.Kinds, t.Kind)
	})
	w.seen = append(w.seen, taken{now, things})
	w.seen = slices.DeleteFunc(w.seen, func(t taken) bool { return t.at.Before(now.Add(-w.opts.Delay - w.opts.Window - Step)) })
}

// Release is what anybody may see now, and of which moment it is; zero: of none yet, for the house has not run for long enough.
func (w *Window) Release(now time.Time) (cells []Crowd, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	moment := now.Truncate(Step)
	if moment.Equal(w.released) {
		return slices.Clone(w.cells), moment.Add(-w.opts.Delay)
	}
	var all []Thing
	for _, t := range w.seen {
		all = append(all, t.things...)
	}
	w.cells, w.released = Cells(all, moment, w.opts), moment
	return slices.Clone(w.cells), moment.Add(-w.opts.Delay)
}

// Options are those that hold, bounds included.
func (w *Window) Options() Options { return w.opts }
