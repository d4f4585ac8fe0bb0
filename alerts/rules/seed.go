package rules

import (
	"github.com/oklog/ulid/v2"

	"kentongan/feeds"
)

// Seed tells an engine without a state that a rule fires on a Thing already, as a store says whose state was lost or never kept; the alert's id
// is a ULID of the crossing, and readings up to it are not judged again. False: there is no such rule any more.
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
	p.raised = append(p.raised, span{from: p.base.fired, said: p.base.fired})
	s.dirty[shardOf(thing)] = true
	return true
}

// CountsCases tells whether any rule that is switched on counts reports or alerts.
func (p *Program) CountsCases() bool { return len(p.reports)+len(p.alerts) > 0 }
