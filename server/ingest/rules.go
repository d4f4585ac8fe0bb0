package ingest

import (
	"context"

	"kentongan/alerts/rules"
)

// ruling is which rules are in force, and who judges by them.
type ruling struct {
	evaluating bool            // somebody is in Evaluate
	program    *rules.Program  // what SetRules gave last; nil: the engine's own
	changed    chan struct{}   // room for one: there is another program
	waiting    []chan struct{} // closed once the newest program is in force
}

// over is a wait that is over.
var over = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// SetRules puts other rules in force. Where this server evaluates, its evaluator takes them up between two inputs, and what fired under a rule
// that is changed or gone is cleared; otherwise it matters for what is handed to an evaluator here later. What it gives is closed once they are
// in force. Safe for concurrent use.
func (p *Pipeline) SetRules(program *rules.Program) <-chan struct{} {
	p.rulingLock.Lock()
	defer p.rulingLock.Unlock()
	p.ruling.program = program
	if !p.ruling.evaluating {
		p.d.Rules.Swap(program) // nothing fires in an engine that nobody gives anything
		return over
	}
	taken := make(chan struct{})
	p.ruling.waiting = append(p.ruling.waiting, taken)
	select {
	case p.ruling.changed <- struct{}{}:
	default: // it will look for the newest
	}
	return taken
}

// Judging tells whether this server evaluates the rules.
func (p *Pipeline) Judging() bool {
	p.rulingLock.Lock()
	defer p.rulingLock.Unlock()
	return p.ruling.evaluating
}

// takeRules begins an evaluation; false where there is one.
func (p *Pipeline) takeRules() bool {
	p.rulingLock.Lock()
	defer p.rulingLock.Unlock()
	if p.ruling.evaluating {
		return false
	}
	p.ruling.evaluating = true
	return true
}

// leaveRules ends it. What the engine holds is the next evaluator's to know, not ours.
func (p *Pipeline) leaveRules() {
	p.rulingLock.Lock()
	defer p.rulingLock.Unlock()
	p.ruling.evaluating = false
	if p.ruling.program != nil && p.ruling.program != p.d.Rules.Program() {
		p.d.Rules.Swap(p.ruling.program)
	}
	_ = p.d.Rules.Restore(nil) // nothing cannot be read wrongly
	p.ruling.inForce()
}

// inForce ends the waits.
func (r *ruling) inForce() {
	select {
	case <-r.changed:
	default:
	}
	for _, c := range r.waiting {
		close(c)
	}
	r.waiting = nil
}

// swap takes up the newest rules.
func (v *evaluator) swap(ctx context.Context) error { return v.decide(ctx, v.swapped()) }

func (v *evaluator) swapped() []rules.Decision {
	p := v.p
	p.rulingLock.Lock()
	defer p.rulingLock.Unlock()
	defer p.ruling.inForce()
	if p.ruling.program == nil || p.ruling.program == p.d.Rules.Program() {
		return nil
	}
	v.saved = min(v.saved, v.judged-1) // there is something to save
	return p.d.Rules.Swap(p.ruling.program)
}
