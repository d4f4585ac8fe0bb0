package rules

import (
	"time"

	"github.com/oklog/ulid/v2"

	"kentongan/feeds"
)

// Judge is Reading.
func (e *Engine) Judge(thing *feeds.Thing, o feeds.Observation, now time.Time) []Decision {
	return e.Reading(thing, o, now)
}

// Reset forgets every reading and where every rule stands: another server may have judged meanwhile. Seed comes after it.
func (e *Engine) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reset(e.program.Load())
}

// Seed tells the engine after a restart that a rule already fires on a Thing; the alert's id is a ULID of the crossing, and readings
// up to it are not judged again. False: there is no such rule any more.
func (e *Engine) Seed(rule, thing, alertID string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.states[rule]
	if s == nil {
		return false
	}
	p := s.pair(thing, e.now)
	p.thing = &feeds.Thing{ID: thing}
	p.base.firing = true
	if id, err := ulid.ParseStrict(alertID); err == nil {
		p.base.fired = int64(id.Time())
		p.floor = p.base.fired
	}
	p.head = p.base
	p.raised = append(p.raised, span{from: p.base.fired})
	return true
}
