package rules

import (
	"maps"
	"slices"
)

// Swap takes up another program: rules that do the same go on where they stand, those that are new begin, and what fired under a rule that is
// changed, switched off or gone clears, which is what Swap gives (other decisions may be among them that were due).
func (e *Engine) Swap(p *Program) []Decision {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.states
	e.states, e.timers = map[string]*standing{}, nil
	e.program.Store(p)
	for _, c := range p.list {
		s := old[c.rule.ID]
		if s == nil || s.rule.print != c.print {
			fresh := newStanding(c)
			fresh.began = e.now
			e.states[c.rule.ID] = fresh
			continue
		}
		s.take(c)
		e.states[c.rule.ID] = s
		delete(old, c.rule.ID)
	}
	e.enlist(p)
	e.fresh = true
	for _, id := range slices.Sorted(maps.Keys(old)) {
		e.end(old[id], e.series)
	}
	for _, c := range p.list {
		s := e.states[c.rule.ID]
		for _, p := range s.pairs {
			e.wind(p)
		}
		e.armPiles(s)
	}
	e.tracks.unlink()
	for _, x := range e.series.things {
		x.pairs = nil
	}
	return e.take()
}

// take puts an equal rule of another program in the place of the one that stood.
func (s *standing) take(c *compiled) {
	s.rule = c
	for _, p := range s.pairs {
		p.rule = c
	}
	s.takePiles(c)
}

// end clears what fired.
func (e *Engine) end(s *standing, faults *watch) {
	for _, key := range slices.Sorted(maps.Keys(s.pairs)) {
		e.ended(s.pairs[key])
	}
	e.endPiles(s)
	if s.rule.kind == KindFault {
		e.endFaults(s.rule, faults)
	}
	if now := e.states[s.rule.rule.ID]; now != nil { // its fields are written over
		for i := range now.dirty {
			now.dirty[i] = true
		}
	}
}

// endFaults clears what the rule of faults had told.
func (e *Engine) endFaults(c *compiled, faults *watch) {
	for _, key := range slices.Sorted(maps.Keys(faults.things)) {
		x := faults.things[key]
		if x.fault == "" {
			continue
		}
		if c.rule.On() {
			e.faultOver(c, key, x, max(e.now, x.since), WhyChanged)
		}
		x.settle()
	}
}
