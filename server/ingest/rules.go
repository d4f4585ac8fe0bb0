package ingest

import (
	"context"

	"kentongan/alerts/rules"
)

// SetRules puts other rules in force. Where this server evaluates, its evaluator takes them up between two inputs, and what fired under a rule
// that is changed or gone is cleared; otherwise it matters for what is handed to an evaluator here later. Safe for concurrent use.
func (p *Pipeline) SetRules(program *rules.Program) {
	p.ruling.Lock()
	defer p.ruling.Unlock()
	p.program = program
	if !p.evaluating {
		p.d.Rules.Swap(program)
		return
	}
	select {
	case p.swapped <- struct{}{}:
	default: // it will look for the newest
	}
}

// Judging tells whether this server evaluates the rules.
func (p *Pipeline) Judging() bool {
	p.ruling.Lock()
	defer p.ruling.Unlock()
	return p.evaluating
}

// takeRules begins an evaluation; false where there is one.
func (p *Pipeline) takeRules() bool {
	p.ruling.Lock()
	defer p.ruling.Unlock()
	if p.evaluating {
		return false
	}
	p.evaluating = true
	return true
}

// leaveRules ends it. What the engine holds is the next evaluator's to know, not ours.
func (p *Pipeline) leaveRules() {
	p.ruling.Lock()
	defer p.ruling.Unlock()
	p.evaluating = false
	select {
	case <-p.swapped:
	default:
	}
	if p.program != nil && p.program != p.d.Rules.Program() {
		p.d.Rules.Swap(p.program)
	}
	_ = p.d.Rules.Restore(nil) // nothing cannot be read wrongly
}

// newest is the program that is to be in force.
func (p *Pipeline) newest() *rules.Program {
	p.ruling.Lock()
	defer p.ruling.Unlock()
	return p.program
}

// swap takes up the newest rules.
func (v *evaluator) swap(ctx context.Context) error {
	program := v.p.newest()
	if program == nil || program == v.p.d.Rules.Program() {
		return nil
	}
	v.saved = min(v.saved, v.judged-1)
	return v.decide(ctx, v.p.d.Rules.Swap(program))
}
