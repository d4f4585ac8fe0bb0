package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"kentongan/alerts/rules"
	"kentongan/feeds"
)

// verdict is the readings of one commit, for the rules.
type verdict struct {
	stamp int64
	list  []judgement
}

// How often holds (`for:`) are looked at, and the checkpoint is written while nothing is decided.
const (
	holdEvery       = 100 * time.Millisecond
	checkpointEvery = time.Second
)

// seedRules tells the engine what fires, and gives the stamp up to which readings have been judged.
func (p *Pipeline) seedRules(ctx context.Context) (seen int64, err error) {
	if !p.judging {
		return 0, nil
	}
	at, err := p.d.Cases.RulesSeen(ctx)
	if err != nil {
		return 0, fmt.Errorf("ingest: %w", err)
	}
	if !at.IsZero() {
		seen = at.UnixMilli()
	} else if err := p.d.Cases.SetRulesSeen(ctx, p.d.Now().Add(-recentWindow)); err != nil {
		// The first life with rules: the next one must know from where on readings may be unjudged, also when this one ends at once.
		return 0, fmt.Errorf("ingest: %w", err)
	}
	firing, err := p.d.Cases.Firing(ctx)
	if err != nil {
		return 0, fmt.Errorf("ingest: what fires: %w", err)
	}
	for rule, things := range firing {
		for thing, alert := range things {
			p.d.Rules.Seed(rule, thing, alert)
		}
	}
	return seen, nil
}

// judge is the rules' goroutine: what Load found unjudged, then every commit in order. A decision is tried until the store takes it; the
// checkpoint moves only behind it, so that a crash loses no crossing.
func (p *Pipeline) judge(ctx context.Context) {
	if !p.judging {
		<-ctx.Done()
		return
	}
	c := checkpoint{p: p}
	for _, v := range p.replay {
		if !c.judge(ctx, v) {
			return
		}
	}
	p.replay = nil
	hold, save := time.NewTicker(holdEvery), time.NewTicker(checkpointEvery)
	defer hold.Stop()
	defer save.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case v := <-p.verdict:
			ok := c.judge(ctx, v)
			p.waiting.Add(-1)
			if !ok {
				return
			}
		case <-hold.C:
			if !p.decideAll(ctx, p.d.Rules.Tick(p.d.Now())) {
				return
			}
		case <-save.C:
			c.save(ctx)
		}
	}
}

// checkpoint is how far the rules have judged.
type checkpoint struct {
	p             *Pipeline
	judged, saved int64
}

// judge gives false when ctx ended before a decision was stored.
func (c *checkpoint) judge(ctx context.Context, v verdict) bool {
	decided := false
	for i := range v.list {
		ds := c.p.d.Rules.Judge(v.list[i].thing, v.list[i].obs, c.p.d.Now())
		if len(ds) == 0 {
			continue
		}
		decided = true
		if !c.p.decideAll(ctx, ds) {
			return false
		}
	}
	c.judged = v.stamp
	if decided {
		c.save(ctx)
	}
	return true
}

// save writes the checkpoint; one that is too old only means that more is judged again, with the same end.
func (c *checkpoint) save(ctx context.Context) {
	if c.judged == c.saved {
		return
	}
	if err := c.p.d.Cases.SetRulesSeen(ctx, time.UnixMilli(c.judged)); err != nil {
		if ctx.Err() == nil {
			c.p.log.Warn().Err(err).Msg("checkpoint of the rules not written; tried again in a second")
		}
		return
	}
	c.saved = c.judged
}

func (p *Pipeline) decideAll(ctx context.Context, ds []rules.Decision) bool {
	for i := range ds {
		if !p.insist(ctx, &ds[i]) {
			return false
		}
	}
	return true
}

// insist tries until the store has taken the decision; false when ctx ends before.
func (p *Pipeline) insist(ctx context.Context, d *rules.Decision) bool {
	kind := "clear"
	if d.Fire {
		kind = "fire"
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 50*time.Millisecond, 5*time.Second
	for tried := 0; ; tried++ {
		err := p.decide(ctx, d)
		if err == nil {
			p.metrics.decisions.WithLabelValues(kind).Inc()
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if errors.Is(err, feeds.ErrPermanent) { // trying on would hold up every other rule for good
			p.log.Error().Err(err).Str("rule", d.Rule.ID).Str("thing", d.Thing.ID).Str("decision", kind).Msg("the store refuses a decision")
			return true
		}
		p.metrics.retries.Inc()
		if tried == 0 {
			p.log.Error().Err(err).Str("rule", d.Rule.ID).Str("thing", d.Thing.ID).Str("decision", kind).Msg("the store does not take a decision; trying until it does")
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait.NextBackOff()):
		}
	}
}
