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
	p := pass{decide: time.UnixMilli(v.seen).Add(-clockSlack)}
	p.since = p.decide
	if !v.kept {
		p.since = p.decide.Add(-max(recentWindow, 2*v.p.d.Rules.LongestFor()))
	}
	for n := 0; ; n++ {
		began := v.p.d.Now()
		if err := v.insist(ctx, func(ctx context.Context) error { return v.read(ctx, &p) }); err != nil {
			return err
		}
		took := v.p.d.Now().Sub(began)
		p = pass{since: began.Add(-clockSlack)}
		if took < short || n == most {
			break
		}
	}
	v.p.evaluation.Store(e)
	began := v.p.d.Now()
	p.beyond = &v.beyond
	err := v.insist(ctx, func(ctx context.Context) error { v.beyond = v.beyond[:0]; return v.read(ctx, &p) })
	v.judged = max(v.judged, began.Add(-clockSlack).UnixMilli())
	v.beyondAt, v.knownUntil = v.p.d.Now().Add(2*clockSlack), v.p.d.Now().Add(6*clockSlack)
	return err
}

// pass is one reading of the tail of the streams.
type pass struct {
	since  time.Time
	decide time.Time    // what was committed before decides nothing
	beyond *[]judgement // takes what was committed after the pass began; nil: it is left to the next pass
}

// read judges the tail of the streams as it was when the pass began, and moves the checkpoint on the way. What is committed meanwhile would come
// from one stream before, from another after it was read, and so out of order.
func (v *evaluator) read(ctx context.Context, p *pass) error {
	until, err := v.p.d.Index.Clock(ctx)
	if err != nil {
		return err
	}
	g := gathering{}
	n := 0
	judge := func(list []judgement) error {
		for i := range list {
			if err := v.judge(ctx, &list[i], list[i].stored >= p.decide.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	}
	err = v.p.d.Index.Tail(ctx, p.since, func(at time.Time, b []byte) error {
		if n++; n%4096 == 0 && !at.After(until) {
			if v.judged = max(v.judged, at.Add(-clockSlack).UnixMilli()); !at.Before(p.decide) {
				if err := v.save(ctx); err != nil {
					return err
				}
			}
		}
		if name, err := propertyOf(b); err == nil && !v.p.d.Rules.Concerns(name) {
			return nil
		}
		r, err := DecodeReading(b)
		if err != nil { // it would be as unreadable the next time, and nothing else would be judged until it is too old
			v.p.passOver("readings of the tail", at, b, err)
			return nil
		}
		if at.After(until) {
			if p.beyond != nil {
				*p.beyond = append(*p.beyond, v.p.judgementOf(&r))
			}
			return nil
		}
		v.replayed++
		return judge(g.add(v.p.judgementOf(&r)))
	})
	if err != nil {
		return err
	}
	return judge(g.end())
}

// rest judges what was committed while the last pass ran, once it must have come by the lane, where nobody did: a store whose clock was put back.
func (v *evaluator) rest(ctx context.Context) error {
	if v.beyond == nil || v.p.d.Now().Before(v.beyondAt) {
		return nil
	}
	for i := range v.beyond {
		if err := v.judge(ctx, &v.beyond[i], true); err != nil {
			return err
		}
	}
	v.beyond = nil
	return nil
}
