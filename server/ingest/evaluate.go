package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
)

// verdict is the readings of one commit, of this server or another, for the rules; without readings it only moves the checkpoint.
type verdict struct {
	upto  int64 // ms: what this server committed until then comes before it
	known int64 // ms: what others committed until then comes before it
	list  []judgement
}

// How often holds (`for:`) are looked at and the checkpoint is written, and how far the clocks of servers and store may lie apart.
const (
	holdEvery       = 100 * time.Millisecond
	checkpointEvery = time.Second
	clockSlack      = 5 * time.Second
)

// evaluation is the lane on which commits reach the evaluator.
type evaluation struct {
	queue   chan verdict
	gone    chan struct{} // nobody reads the queue any more
	waiting atomic.Int64
}

// evaluator is one call of Evaluate. Only its goroutine touches it.
type evaluator struct {
	p             *Pipeline
	cases         Cases
	seen          int64 // checkpoint at the beginning, ms
	judged, saved int64

	timeless      map[uint64]struct{} // readings that our clock dates, judged while catching up; the engine knows copies of all others itself
	timelessUntil time.Time
}

// Evaluate judges readings by the rules until ctx ends: first what was not judged in the life of an earlier evaluator, then every commit of
// every server. One server at a time may do so; the caller holds the lease and lends cases that check it. A decision is tried until the
// store takes it, and the checkpoint moves only behind it; what is judged twice is stored once, because a crossing is its own name. So an
// evaluator may die at any moment. The error is store.ErrFenced where the lease has gone to another server.
//
// While nobody evaluates, readings wait in the streams alone.
func (p *Pipeline) Evaluate(ctx context.Context, cases Cases) error {
	if !p.judging {
		<-ctx.Done()
		return nil
	}
	if !p.evaluating.CompareAndSwap(false, true) {
		return errors.New("ingest: somebody evaluates already")
	}
	defer p.evaluating.Store(false)
	v := &evaluator{p: p, cases: cases, timeless: map[uint64]struct{}{}}
	if err := v.insist(ctx, v.begin); err != nil {
		return ended(ctx, err)
	}
	e := &evaluation{queue: make(chan verdict, 64), gone: make(chan struct{})}
	defer close(e.gone)
	defer p.evaluation.Store(nil)
	if err := v.catchUp(ctx, e); err != nil {
		return ended(ctx, err)
	}
	return ended(ctx, v.live(ctx, e))
}

// ended is nil where ctx ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// insist tries until it is done; it gives up where the lease is lost or ctx ends.
func (v *evaluator) insist(ctx context.Context, do func(context.Context) error) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 50*time.Millisecond, 5*time.Second
	for tried := 0; ; tried++ {
		err := do(ctx)
		if err == nil || errors.Is(err, store.ErrFenced) || ctx.Err() != nil {
			return err
		}
		if tried == 0 {
			v.p.log.Error().Err(err).Msg("rules wait for the store; trying until it answers")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait.NextBackOff()):
		}
	}
}

// begin sets the engine anew: what fires, and up to when readings have been judged.
func (v *evaluator) begin(ctx context.Context) error {
	at, err := v.cases.RulesSeen(ctx)
	if err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if at.IsZero() { // the first life with rules: the next one must know from where on readings may be unjudged, also when this one ends at once
		at = v.p.d.Now().Add(-recentWindow)
		if err := v.cases.SetRulesSeen(ctx, at); err != nil {
			return fmt.Errorf("ingest: %w", err)
		}
	}
	firing, err := v.cases.Firing(ctx)
	if err != nil {
		return fmt.Errorf("ingest: what fires: %w", err)
	}
	v.seen = at.UnixMilli()
	v.p.d.Rules.Reset()
	for rule, things := range firing {
		for thing, alert := range things {
			v.p.d.Rules.Seed(rule, thing, alert)
		}
	}
	return nil
}

// catchUp judges from the streams until the rest is short, opens the lane, and judges that rest: whatever was committed before the lane was
// open is in the streams. What was judged in an earlier life is judged again, so that the rules know their samples and holds, but decides
// nothing; the last seconds before the checkpoint decide again, because clocks differ.
func (v *evaluator) catchUp(ctx context.Context, e *evaluation) error {
	const short, most = 300 * time.Millisecond, 8
	decide := time.UnixMilli(v.seen).Add(-clockSlack)
	since := decide.Add(-max(recentWindow, 2*v.p.d.Rules.LongestFor()))
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
	err := v.insist(ctx, func(ctx context.Context) error { return v.pass(ctx, since, decide) })
	v.timelessUntil = v.p.d.Now().Add(6 * clockSlack)
	return err
}

// pass judges the tail of the streams. What was committed before decide decides nothing.
func (v *evaluator) pass(ctx context.Context, since, decide time.Time) error {
	return v.p.d.Index.Tail(ctx, since, func(at time.Time, b []byte) error {
		if name, err := propertyOf(b); err == nil && !v.p.d.Rules.Concerns(name) {
			return nil
		}
		r, err := DecodeReading(b)
		if err != nil {
			return fmt.Errorf("a reading of the tail: %w", err)
		}
		if r.Quality == feeds.ClockSkew {
			return nil
		}
		j := v.p.judgementOf(&r)
		if r.Quality == feeds.Received {
			key := timelessKey(&j)
			if _, known := v.timeless[key]; known {
				return nil
			}
			v.timeless[key] = struct{}{}
		}
		if !at.Before(decide) || !r.StoredAt.Before(decide) {
			return v.judge(ctx, &j)
		}
		v.p.d.Rules.Judge(j.thing, j.obs, r.ReceivedAt.Time)
		return nil
	})
}

func timelessKey(j *judgement) uint64 {
	o := &j.obs
	return mix(identity(o.ID, o.Property, o.At.Milli(), o.Quality, o.Value) ^ hash(j.thing.ID))
}

// live judges every commit, in order.
func (v *evaluator) live(ctx context.Context, e *evaluation) error {
	hold, save := time.NewTicker(holdEvery), time.NewTicker(checkpointEvery)
	defer hold.Stop()
	defer save.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case got := <-e.queue:
			err = v.take(ctx, &got)
			e.waiting.Add(-1)
		case <-hold.C:
			err = v.decide(ctx, v.p.d.Rules.Tick(v.p.d.Now()))
		case <-save.C:
			err = v.save(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (v *evaluator) take(ctx context.Context, got *verdict) error {
	if v.timeless != nil && v.p.d.Now().After(v.timelessUntil) {
		v.timeless = nil
	}
	for i := range got.list {
		j := &got.list[i]
		if j.obs.Quality == feeds.Received && v.timeless != nil {
			if _, known := v.timeless[timelessKey(j)]; known {
				continue
			}
		}
		if err := v.judge(ctx, j); err != nil {
			return err
		}
	}
	v.judged = max(v.judged, min(got.upto, got.known))
	return nil
}

// judge looks at one reading and stores what the rules decide.
func (v *evaluator) judge(ctx context.Context, j *judgement) error {
	return v.decide(ctx, v.p.d.Rules.Judge(j.thing, j.obs, v.p.d.Now()))
}

// save writes the checkpoint; one that is too old only means that more is judged again, with the same end.
func (v *evaluator) save(ctx context.Context) error {
	if v.judged <= v.saved || v.judged <= v.seen {
		return nil
	}
	err := v.cases.SetRulesSeen(ctx, time.UnixMilli(v.judged))
	switch {
	case err == nil:
		v.saved = v.judged
	case errors.Is(err, store.ErrFenced):
		return err
	case ctx.Err() == nil:
		v.p.log.Warn().Err(err).Msg("checkpoint of the rules not written; tried again in a second")
	}
	return nil
}

// decide brings decisions into the case store, each until it is taken.
func (v *evaluator) decide(ctx context.Context, ds []rules.Decision) error {
	for i := range ds {
		if err := v.store(ctx, &ds[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *evaluator) store(ctx context.Context, d *rules.Decision) error {
	kind, put := "clear", v.cases.Clear
	if d.Fire {
		kind, put = "fire", v.cases.Fire
	}
	return v.insist(ctx, func(ctx context.Context) error {
		err := put(ctx, *d)
		switch {
		case err == nil:
			v.p.metrics.decisions.WithLabelValues(kind).Inc()
			return nil
		case errors.Is(err, feeds.ErrPermanent): // trying on would hold up every other rule for good
			v.p.log.Error().Err(err).Str("rule", d.Rule.ID).Str("thing", d.Thing.ID).Str("decision", kind).Msg("the store refuses a decision")
			return nil
		case ctx.Err() == nil && !errors.Is(err, store.ErrFenced):
			v.p.metrics.retries.Inc()
		}
		return fmt.Errorf("rule %s %s on %s: %w", d.Rule.ID, kind, d.Thing.ID, err)
	})
}

// tell hands a commit to the evaluator, where there is one; where it lags behind, the committer waits.
func (p *Pipeline) tell(ctx context.Context, v verdict) {
	e := p.evaluation.Load()
	if e == nil {
		return
	}
	e.waiting.Add(1)
	select {
	case e.queue <- v:
	case <-e.gone: // the next evaluator judges it from the streams
	case <-ctx.Done():
	}
}

// unjudged counts the commits that wait for the evaluator.
func (p *Pipeline) unjudged() int64 {
	if e := p.evaluation.Load(); e != nil {
		return e.waiting.Load()
	}
	return 0
}
