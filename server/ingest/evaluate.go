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

// How often holds (`for:`) and absences are looked at, how often the checkpoint is written at most, which share of the time that may take, and how
// far the clocks of servers and store may lie apart.
const (
	holdEvery       = 100 * time.Millisecond
	checkpointEvery = time.Second
	checkpointShare = 10
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
	p     *Pipeline
	cases Cases
	began time.Time

	seen     int64 // checkpoint at the beginning, ms
	kept     bool  // there was a state at the beginning
	judged   int64 // ms: whatever was committed before has been judged
	saved    int64
	caseAt   int64 // offset of the case stream, likewise
	replayed int   // readings judged from the streams

	ahead    ahead
	parts    map[string][]byte // changes of the state that the store has not taken yet
	nextSave time.Time

	known      *twoSpans // what was judged lately, while a reading may come from the streams and from the lane; nil: it no longer may
	knownUntil time.Time
	beyond     []judgement // committed while the last pass ran
	beyondAt   time.Time
}

// Evaluate judges readings, reports and alerts by the rules until ctx ends: first what was not judged in the life of an earlier evaluator, then
// every commit of every server. One server at a time may do so; the caller holds the lease and lends cases that check it. A decision is tried
// until the store takes it, and the checkpoint, with the state of the engine, moves only behind it; what is decided twice is stored once,
// because a crossing is its own name. So an evaluator may die at any moment. The error is store.ErrFenced where the lease has gone to another
// server.
//
// The clock of the rules is that of the commits: a hold or an absence is told once everything that was committed before it has been judged, so
// that a store that does not answer makes nobody absent, and a back-test finds the same.
//
// While nobody evaluates, readings wait in the streams alone.
func (p *Pipeline) Evaluate(ctx context.Context, cases Cases) error {
	if p.d.Rules == nil {
		<-ctx.Done()
		return nil
	}
	if !p.takeRules() {
		return errors.New("ingest: somebody evaluates already")
	}
	defer p.leaveRules()
	v := &evaluator{p: p, cases: cases, began: p.d.Now(), known: &twoSpans{span: aheadFor.Milliseconds()}, ahead: newAhead()}
	if err := v.insist(ctx, v.begin); err != nil {
		return ended(ctx, err)
	}
	if v.kept { // what fired under a rule that is no more, before a state is saved that no longer knows of it
		if err := v.decide(ctx, p.d.Rules.Tick(time.UnixMilli(v.judged))); err != nil {
			return ended(ctx, err)
		}
	}
	e := &evaluation{queue: make(chan verdict, 64), gone: make(chan struct{})}
	defer close(e.gone)
	defer p.evaluation.Store(nil)
	if err := v.catchUp(ctx, e); err != nil {
		return ended(ctx, err)
	}
	took := p.d.Now().Sub(v.began)
	p.metrics.takeover.Set(took.Seconds())
	p.log.Info().Str("took", took.Round(time.Millisecond).String()).Int("readings", v.replayed).Bool("state", v.kept).Msg("the rules are judged here")
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
	wait.InitialInterval, wait.MaxInterval = 50*time.Millisecond, time.Second // nobody judges meanwhile
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

// live judges every commit, in order.
func (v *evaluator) live(ctx context.Context, e *evaluation) error {
	hold := time.NewTicker(holdEvery)
	defer hold.Stop()
	changes := make(chan store.Change, 256)
	following, stop := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() { defer close(told); v.p.followCases(following, v.cases, v.caseAt, changes) }()
	defer func() { stop(); <-told }()
	for {
		var err error
		select {
		case <-ctx.Done():
			v.lastWord(ctx)
			return nil
		case got := <-e.queue:
			err = v.take(ctx, &got)
			e.waiting.Add(-1)
		case c := <-changes:
			err = v.change(ctx, &c)
		case <-v.p.ruling.changed:
			err = v.swap(ctx)
		case <-hold.C:
			if err = v.tick(ctx); err == nil {
				err = v.save(ctx)
			}
		}
		if err != nil {
			return err
		}
	}
}

// lastWord leaves the checkpoint where we have come to, so that who comes next begins there.
func (v *evaluator) lastWord(ctx context.Context) {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	v.nextSave = time.Time{}
	_ = v.save(late) // an older one only means that more is judged again
}

// tick lets time pass for the rules, up to where everything has been judged.
func (v *evaluator) tick(ctx context.Context) error {
	if err := v.rest(ctx); err != nil || v.judged == 0 {
		return err
	}
	return v.decide(ctx, v.p.d.Rules.Tick(time.UnixMilli(v.judged)))
}

func (v *evaluator) take(ctx context.Context, got *verdict) error {
	if v.known != nil && v.p.d.Now().After(v.knownUntil) {
		v.known = nil
	}
	for i := range got.list {
		if err := v.judge(ctx, &got.list[i], true); err != nil {
			return err
		}
	}
	v.judged = max(v.judged, min(got.upto, got.known))
	return nil
}

// judge looks at one reading, once, and stores what the rules decide; or does not, where that was done in an earlier life.
func (v *evaluator) judge(ctx context.Context, j *judgement, deciding bool) error {
	key := readingKey(j.thing.ID, &j.obs)
	if v.known != nil && !v.known.add(key, j.stored) {
		return nil
	}
	v.ahead.add(j.stored, key)
	ds := v.p.d.Rules.Reading(j.thing, j.obs, time.UnixMilli(j.stored))
	if !deciding || len(ds) == 0 {
		return nil
	}
	return v.decide(ctx, ds)
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
