package ingest

import (
	"context"
	"fmt"
	"time"

	"kentongan/alerts/store"
)

// begin sets the engine anew: where the evaluator before us stood, and how far it had come.
func (v *evaluator) begin(ctx context.Context) error {
	was, err := v.cases.RuleState(ctx)
	if err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if was.At.IsZero() { // the first life with rules: the next one must know from where on readings may be unjudged, also when this one ends at once
		was.At, was.Kept = v.p.d.Now().Add(-recentWindow), true
		if err := v.cases.SaveRuleState(ctx, store.RuleState{At: was.At, Cases: was.Cases}); err != nil {
			return fmt.Errorf("ingest: %w", err)
		}
	}
	v.seen, v.kept, v.caseAt = was.At.UnixMilli(), was.Kept, was.Cases
	v.judged, v.saved = v.seen, 0
	v.known.keep(v.ahead.restore(was.Parts))
	if err := v.p.d.Rules.Restore(was.Parts); err != nil {
		v.p.log.Error().Err(err).Msg("a part of the rules' state cannot be read; the rules learn it anew")
	}
	if !v.kept {
		return v.seed(ctx)
	}
	return nil
}

// seed tells an engine without a state what fires, as a store of an earlier version says.
func (v *evaluator) seed(ctx context.Context) error {
	firing, err := v.cases.Firing(ctx)
	if err != nil {
		return fmt.Errorf("ingest: what fires: %w", err)
	}
	for rule, things := range firing {
		for thing, alert := range things {
			v.p.d.Rules.Seed(rule, thing, alert)
		}
	}
	return nil
}

// catchUp judges from the streams until the rest is short, opens the lane, and judges that rest: whatever was committed before the lane was
// open is in the streams. The streams are read from a little before the checkpoint, because clocks differ; what had been judged there is known.
// Where no state was kept, what an earlier life judged is judged again, so that the rules know their samples and holds, but decides nothing.
func (v *evaluator) catchUp(ctx context.Context, e *evaluation) error {
	const short, most = 300 * time.Millisecond, 8
	decide := time.UnixMilli(v.seen).Add(-clockSlack)
	since := decide
	if !v.kept {
		since = decide.Add(-max(recentWindow, 2*v.p.d.Rules.LongestFor()))
	}
	for pass := 0; ; pass++ {
		began := v.p.d.Now()
		if err := v.insist(ctx, func(ctx context.Context) error { return v.pass(ctx, since, decide) }); err != nil {
			return err
		}
		took := v.p.d.Now().Sub(began)
		since, decide = began.Add(-clockSlack), time.Time{}
		if took < short || pass == most {
			break
		}
	}
	v.p.evaluation.Store(e)
	began := v.p.d.Now()
	err := v.insist(ctx, func(ctx context.Context) error { return v.pass(ctx, since, time.Time{}) })
	v.judged = max(v.judged, began.Add(-clockSlack).UnixMilli())
	v.knownUntil = v.p.d.Now().Add(6 * clockSlack)
	return err
}

// pass judges the tail of the streams, and moves the checkpoint on the way. What was committed before decide decides nothing.
func (v *evaluator) pass(ctx context.Context, since, decide time.Time) error {
	n := 0
	return v.p.d.Index.Tail(ctx, since, func(at time.Time, b []byte) error {
		if n++; n%4096 == 0 {
			if v.judged = max(v.judged, at.Add(-clockSlack).UnixMilli()); !at.Before(decide) {
				if err := v.save(ctx); err != nil {
					return err
				}
			}
		}
		if name, err := propertyOf(b); err == nil && !v.p.d.Rules.Concerns(name) {
			return nil
		}
		r, err := DecodeReading(b)
		if err != nil {
			return fmt.Errorf("a reading of the tail: %w", err)
		}
		v.replayed++
		j := v.p.judgementOf(&r)
		return v.judge(ctx, &j, !at.Before(decide) || !r.StoredAt.Before(decide))
	})
}
