package rules

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cel.dev/cel-go/cel"
	"github.com/oklog/ulid/v2"

	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// Engine judges readings. It is safe for concurrent use; two readings of one Thing must come in the order they are to be judged.
type Engine struct {
	list       []*compiled
	byID       map[string]*compiled
	byProperty map[string][]*compiled // rules pinned to a property
	loose      []*compiled            // rules that look at every property

	mu      sync.Mutex
	last    map[series]int64  // event time of the newest judged reading, ms
	pending map[spot]struct{} // held by `for`
}

type compiled struct {
	rule    *Rule
	when    cel.Program
	clear   cel.Program // nil: clears when `when` does not hold
	samples int
	pins    []string
	errors  atomic.Int64
	states  map[string]*state // by Thing; guarded by the engine
}

type series struct{ thing, property string }

type spot struct {
	rule  *compiled
	thing string
}

// state is where a rule stands on one Thing.
type state struct {
	firing   bool
	fired    time.Time // crossing of the alert that stands; readings up to it were judged in an earlier life
	property string    // what raised it: other properties neither confirm nor clear
	agree    int       // consecutive readings for the change
	since    time.Time // first of them
	enough   time.Time // when they were enough
	inputs   []incident.Input
	thing    *feeds.Thing
}

func newEngine() *Engine {
	return &Engine{
		byID: map[string]*compiled{}, byProperty: map[string][]*compiled{}, last: map[series]int64{}, pending: map[spot]struct{}{},
	}
}

func (e *Engine) add(c *compiled) {
	c.states = map[string]*state{}
	e.list = append(e.list, c)
	e.byID[c.rule.ID] = c
	if c.pins == nil {
		e.loose = append(e.loose, c)
		return
	}
	slices.Sort(c.pins)
	for _, p := range slices.Compact(c.pins) {
		e.byProperty[p] = append(e.byProperty[p], c)
	}
}

// Reset forgets every reading and where every rule stands: another server may have judged meanwhile. Seed comes after it.
func (e *Engine) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.last)
	clear(e.pending)
	for _, c := range e.list {
		c.states = map[string]*state{}
	}
}

// Concerns tells whether any rule looks at readings of a property.
func (e *Engine) Concerns(property string) bool {
	return len(e.loose) > 0 || len(e.byProperty[property]) > 0
}

// LongestFor is the longest time for which a rule wants its condition to hold.
func (e *Engine) LongestFor() time.Duration {
	var most time.Duration
	for _, c := range e.list {
		most = max(most, c.rule.For)
	}
	return most
}

// Seed tells the engine after a restart that a rule already fires on a Thing; the alert's id is a ULID of the crossing, and readings
// up to it are not judged again. False: there is no such rule any more.
func (e *Engine) Seed(rule, thing, alertID string) bool {
	c, ok := e.byID[rule]
	if !ok {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &state{firing: true}
	if id, err := ulid.ParseStrict(alertID); err == nil {
		s.fired = ulid.Time(id.Time()).UTC()
	}
	c.states[thing] = s
	return true
}

// Judge looks at one reading with every rule it concerns. The Thing holds the state after the reading. Only good readings with a
// known or received time are judged, none older than the newest of its Thing and property, none dated ahead of our clock.
func (e *Engine) Judge(thing *feeds.Thing, o feeds.Observation, now time.Time) []Decision {
	pinned := e.byProperty[o.Property]
	if len(pinned)+len(e.loose) == 0 || !judged(o, now) {
		return nil
	}
	at := o.At
	if at.IsZero() {
		at = o.ReceivedAt
	}
	if at.IsZero() {
		at = moment.Of(now)
	}
	o.At = at
	e.mu.Lock()
	defer e.mu.Unlock()
	key := series{thing.ID, o.Property}
	// An equal time is the same reading again, unless our clock stands in for the producer's: one delivery may bring several of those.
	if last, ok := e.last[key]; ok && (at.Milli() < last || at.Milli() == last && o.Quality != feeds.Received) {
		return nil
	}
	e.last[key] = at.Milli()
	view := &reading{thing: thing, obs: &o}
	var out []Decision
	for _, group := range [2][]*compiled{pinned, e.loose} {
		for _, c := range group {
			if d, ok := e.step(c, thing, view, now); ok {
				out = append(out, d)
			}
		}
	}
	return out
}

func judged(o feeds.Observation, now time.Time) bool {
	if o.Quality != "" && o.Quality != feeds.Good && o.Quality != feeds.Received {
		return false
	}
	if o.Value.Type != feeds.Text && !finite(o.Value.Num) {
		return false
	}
	return o.At.IsZero() || !o.At.After(now.Add(feeds.ClockSkewLimit))
}

// step moves one rule's state on one Thing by one reading.
func (e *Engine) step(c *compiled, thing *feeds.Thing, view *reading, now time.Time) (Decision, bool) {
	s := c.states[thing.ID]
	at := view.obs.At.Time
	if s != nil && s.firing {
		return e.toClear(c, s, thing, view, at)
	}
	if !c.holds(c.when, view) {
		if s != nil && s.property == view.obs.Property {
			e.forget(c, thing.ID)
		}
		return Decision{}, false
	}
	if s == nil {
		s = &state{property: view.obs.Property}
		c.states[thing.ID] = s
	}
	if s.property != view.obs.Property {
		return Decision{}, false
	}
	s.count(c, thing, view, at)
	if s.enough.IsZero() {
		return Decision{}, false
	}
	if c.rule.For > 0 && at.Sub(s.since) < c.rule.For {
		e.pending[spot{c, thing.ID}] = struct{}{}
		return Decision{}, false
	}
	return e.fire(c, s, thing.ID), true
}

// count takes one more reading that agrees.
func (s *state) count(c *compiled, thing *feeds.Thing, view *reading, at time.Time) {
	s.agree++
	s.thing = thing
	if s.agree == 1 {
		s.since = at
	}
	if s.agree == c.samples {
		s.enough = at
	}
	s.inputs = append(s.inputs, view.input())
	if len(s.inputs) > min(c.samples, 5) {
		s.inputs = s.inputs[1:]
	}
}

func (e *Engine) fire(c *compiled, s *state, thing string) Decision {
	delete(e.pending, spot{c, thing})
	at := s.enough
	if held := s.since.Add(c.rule.For); held.After(at) {
		at = held
	}
	d := Decision{Rule: c.rule, Fire: true, Thing: s.thing, Inputs: s.inputs, At: at, Since: s.since}
	*s = state{firing: true, fired: at, property: s.property}
	return d
}

// toClear counts the readings that say the condition is over.
func (e *Engine) toClear(c *compiled, s *state, thing *feeds.Thing, view *reading, at time.Time) (Decision, bool) {
	if !at.After(s.fired) || s.property != "" && s.property != view.obs.Property {
		return Decision{}, false
	}
	over := false
	if c.clear != nil {
		over = c.holds(c.clear, view)
	} else {
		over = !c.holds(c.when, view)
	}
	if !over {
		s.agree, s.enough, s.inputs = 0, time.Time{}, nil
		return Decision{}, false
	}
	s.count(c, thing, view, at)
	if s.enough.IsZero() {
		return Decision{}, false
	}
	d := Decision{Rule: c.rule, Thing: thing, Inputs: s.inputs, At: at, Since: s.since}
	delete(c.states, thing.ID)
	return d, true
}

func (e *Engine) forget(c *compiled, thing string) {
	delete(c.states, thing)
	delete(e.pending, spot{c, thing})
}

// holds evaluates a condition; what cannot be evaluated does not hold.
func (c *compiled) holds(p cel.Program, view *reading) bool {
	v, _, err := p.Eval(view)
	if err != nil {
		if !expected(err) {
			c.errors.Add(1)
		}
		return false
	}
	b, ok := v.Value().(bool)
	return ok && b
}

// Tick fires the rules whose condition has held for their time without a new reading to show it. Call it each second or so.
func (e *Engine) Tick(now time.Time) []Decision {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Decision
	for at := range e.pending {
		s := at.rule.states[at.thing]
		if s == nil || s.firing {
			delete(e.pending, at)
			continue
		}
		if now.Sub(s.since) >= at.rule.rule.For {
			out = append(out, e.fire(at.rule, s, at.thing))
		}
	}
	return out
}

// List gives every rule in the order of the file, and how it stands.
func (e *Engine) List() []Listed {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Listed, 0, len(e.list))
	for _, c := range e.list {
		l := listed(c.rule)
		l.Errors = c.errors.Load()
		if c.pins == nil {
			l.Warnings = append(l.Warnings, "when names no property, so every reading is judged by it")
		}
		for thing, s := range c.states {
			if s.firing {
				l.State = "firing"
				l.Firing = append(l.Firing, thing)
			} else if l.State == "normal" {
				l.State = "pending"
			}
		}
		slices.Sort(l.Firing)
		out = append(out, l)
	}
	return out
}
