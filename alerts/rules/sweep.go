package rules

import (
	"maps"
	"slices"
	"time"
)

// sweepEvery is how often Things that have been quiet for long give their memory back, by our clock in ms.
const sweepEvery = int64(time.Minute / time.Millisecond)

// forgetEvery is how often what is long gone is forgotten, by our clock in ms, and mostRest of how many Things it is known at most, by rule and of
// fences together, until when they have been judged.
const (
	forgetEvery = int64(time.Hour / time.Millisecond)
	mostRest    = 200_000
)

// forgetGone forgets Things that are gone. Of those that were silent for a year it makes no difference: what would still come for them is dated too
// far back to be believed.
func (e *Engine) forgetGone() {
	if e.swipe != 0 && e.now < e.swipe+forgetEvery {
		return
	}
	e.swipe = e.now
	for _, s := range e.states {
		forgetRest(s.rest, mostRest, e.now, &s.dirty)
		s.forgetUsual(e.now)
	}
	forgetRest(e.tracks.rest, mostRest, e.now, &e.tracks.dirty)
	var gone []string
	for key, x := range e.series.things {
		if x.gone(e.now) {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		e.forget(key, e.series.things[key])
	}
}

// forgetRest forgets what was judged a year ago, and of more Things than most those that have been silent for longest.
func forgetRest(rest map[string]int64, most int, now int64, dirty *[shards]bool) {
	upto := now - oldest
	if len(rest) > most {
		times := slices.Sorted(maps.Values(rest))
		upto = max(upto, times[len(times)-most*9/10])
	}
	for key, at := range rest {
		if at < upto {
			delete(rest, key)
			dirty[shardOf(key)] = true
		}
	}
}

// quiet tells a pair that stands nowhere and has not been heard for long: what would still come for it is too late.
func (p *pair) quiet(now int64) bool {
	n := len(p.marks)
	return n > p.from && p.marks[n-1].at+p.lag+2*p.rule.historyMs < now && !p.head.firing && p.head.agree == 0 && p.head.due(&p.rule.pace) == 0 &&
		(p.rule.kind != KindFence || !p.inside)
}

// sweep frees what is quiet. Whether it has run makes no difference: a quiet pair is taken for a free one by pair as well.
func (e *Engine) sweep() {
	if e.now < e.swept+sweepEvery {
		return
	}
	e.swept = e.now
	for _, s := range e.states {
		for key, p := range s.pairs {
			if p.quiet(e.now) {
				s.free(key, p)
			}
		}
		if s.near != nil {
			s.near.sweep(&s.dirty)
		}
		if s.piles != nil {
			s.piles.sweep(&s.dirty)
		}
	}
	e.tracks.sweep(e.now)
	e.forgetGone()
}

// free gives the memory of a pair back. Of a fence the track knows when its Thing was seen.
func (s *standing) free(key string, p *pair) {
	list := p.kept()
	if s.rule.kind != KindFence {
		s.rest[key] = list[len(list)-1].at
	}
	delete(s.pairs, key)
	p.gone = true
	s.dirty[shardOf(key)] = true
}
