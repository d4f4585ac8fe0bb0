package status

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/incident"
	"kentongan/alerts/statement"
	"kentongan/geo/moment"
)

// Options of an engine.
type Options struct {
	Rules      *Rules
	Levels     []Level // of the profile, from 1 up
	Scales     statement.Scales
	LowerAfter time.Duration // 0: DefaultLowerAfter
	Place      Place
}

// Engine follows the cases and proposes levels. It is a pure function of what it is given and the times of it: the same cases at the same
// times give the same statuses. For one goroutine.
//
// Rules are asked at every change that they could ask for, at its own time, and at every full minute between.
type Engine struct {
	Options
	planes [2]*picture // the real one, and the simulated one
	tracks map[string]*Track
	clock  time.Time // up to when it has judged; zero: never
}

// Change is what has become of a status, with the entries that it adds to its history. Without entries its proposal rests on other evidence,
// or only what it remembers has changed: then Told is false.
type Change struct {
	Track
	Entries []Entry
	Told    bool // the status itself differs
}

// NewEngine makes an engine that knows nothing yet.
func NewEngine(o Options) *Engine {
	if o.LowerAfter == 0 {
		o.LowerAfter = DefaultLowerAfter
	}
	e := &Engine{Options: o, tracks: map[string]*Track{}}
	for i := range e.planes {
		e.planes[i] = newPicture(o.Place, o.Scales)
	}
	return e
}

func (e *Engine) plane(simulated bool) *picture {
	if simulated {
		return e.planes[1]
	}
	return e.planes[0]
}

// Know takes a status as it is kept, which then is what changes are made to.
func (e *Engine) Know(t Track) {
	e.tracks[t.ID] = &t
}

// Begin makes the statuses that are not there yet and judges once. Call it when everything that stands is told.
func (e *Engine) Begin(now time.Time) []Change {
	return e.judge(e.at(now))
}

// Incident, Alert, Alarm, Statement and Unit take the new state of a case as of its own time, and give what has become of the statuses.
func (e *Engine) Incident(in *incident.Incident) []Change {
	return e.taken(in.UpdatedAt.Time, func() bool { return e.plane(in.Simulated).incident(in) })
}

// Alert takes the new state of an alert.
func (e *Engine) Alert(a *alerts.Alert) []Change {
	return e.taken(a.UpdatedAt.Time, func() bool { return e.plane(a.Simulated).alert(a) })
}

// Alarm takes the new state of an alarm.
func (e *Engine) Alarm(a *alarm.Alarm) []Change {
	return e.taken(a.UpdatedAt.Time, func() bool { return e.plane(a.Simulated).alarm(a) })
}

// Statement takes the new state of a statement.
func (e *Engine) Statement(s *statement.Statement) []Change {
	return e.taken(s.UpdatedAt.Time, func() bool { return e.plane(s.Simulated).statement(s) })
}

// Unit takes the new state of a unit.
func (e *Engine) Unit(u *Unit) []Change {
	return e.taken(u.StatusAt.Time, func() bool { return e.plane(u.Simulated).unit(u) })
}

func (e *Engine) taken(at time.Time, take func() bool) []Change {
	out := e.Tick(at)
	if !take() || e.clock.IsZero() {
		return out // before it begins it only listens
	}
	return Merge(out, e.judge(e.at(at)))
}

// at is a time that is not before what was judged: what comes late is judged when it comes.
func (e *Engine) at(t time.Time) time.Time {
	if t.Before(e.clock) {
		return e.clock
	}
	return t
}

// mostMinutes is how many of them are judged one by one after a pause; of what lies before, only the end is.
const mostMinutes = 7 * 24 * 60

// Tick judges at every full minute up to a time.
func (e *Engine) Tick(now time.Time) []Change {
	if e.clock.IsZero() || !now.After(e.clock) {
		return nil
	}
	var out []Change
	next := e.clock.Truncate(time.Minute).Add(time.Minute)
	if from := now.Add(-mostMinutes * time.Minute).Truncate(time.Minute); next.Before(from) {
		next = from
	}
	for ; !next.After(now); next = next.Add(time.Minute) {
		out = Merge(out, e.judge(next))
	}
	return out
}

// judge asks the rules at a time of every status, and gives those that have changed.
func (e *Engine) judge(now time.Time) []Change {
	e.clock = now
	var out []Change
	for _, simulated := range []bool{false, true} {
		p := e.plane(simulated)
		if simulated && p.empty() && e.tracks[ID(House, true)] == nil {
			continue // there is no exercise, and never was one
		}
		found := e.Rules.judge(p, now)
		for _, h := range Hazards() {
			if c, changed := e.judgeOne(h, simulated, found[h.Code], now); changed {
				out = append(out, c)
			}
		}
	}
	return out
}

func (e *Engine) judgeOne(h Hazard, simulated bool, f finding, now time.Time) (Change, bool) {
	var entries []Entry
	id := ID(h.Code, simulated)
	was, known := e.tracks[id]
	var next Track
	if known {
		next = *was
	} else {
		next = begin(h, simulated, e.Levels, now)
		entries = append(entries, next.enter(Begun, ByHouse, now))
	}
	before := next.Status
	next.found(f, e.Levels, e.LowerAfter, now)
	next.propose()
	next.Scales, next.Blind, next.Names = e.plane(simulated).scalesOf(h.Code, now), f.blind, h.Names
	told := !known || !reflect.DeepEqual(before, next.Status)
	if told {
		next.UpdatedAt = moment.Of(now)
	}
	switch {
	case next.Proposal != nil && (before.Proposal == nil || before.Proposal.Level != next.Proposal.Level):
		entries = append(entries, next.enter(Proposed, ByHouse, now))
	case next.Proposal == nil && before.Proposal != nil:
		entries = append(entries, next.enter(Withdrawn, ByHouse, now))
	}
	if known && !told && reflect.DeepEqual(was.Memory, next.Memory) {
		return Change{}, false
	}
	e.tracks[id] = &next
	return Change{next, entries, told}, true
}

// Again judges once more as of the last time, after a status was read anew (Know).
func (e *Engine) Again() []Change {
	if e.clock.IsZero() {
		return nil
	}
	return e.judge(e.clock)
}

// Merge joins the changes of two moments: of each status the later one, with the entries of both.
func Merge(a, b []Change) []Change {
	if len(a) == 0 {
		return b
	}
	for _, c := range b {
		i := slices.IndexFunc(a, func(x Change) bool { return x.ID == c.ID })
		if i < 0 {
			a = append(a, c)
			continue
		}
		a[i] = Change{c.Track, append(slices.Clone(a[i].Entries), c.Entries...), a[i].Told || c.Told}
	}
	return a
}

// Statuses gives every status, the real ones first, the area first among them.
func (e *Engine) Statuses() []Status {
	out := make([]Status, 0, len(e.tracks))
	for _, id := range slices.Sorted(maps.Keys(e.tracks)) {
		out = append(out, e.tracks[id].Status)
	}
	Sort(out)
	return out
}

// Sort puts statuses in the order of Hazards, the real ones before the simulated.
func Sort(list []Status) {
	codes := HazardCodes()
	place := func(s Status) int {
		n := slices.Index(codes, s.Hazard)
		if n < 0 {
			n = len(codes)
		}
		if s.Simulated {
			n += 1000
		}
		return n
	}
	slices.SortFunc(list, func(a, b Status) int {
		if d := place(a) - place(b); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
}
