package rules

import "time"

// sweepEvery is how often Things that have been quiet for long give their memory back, by our clock in ms.
const sweepEvery = int64(time.Minute / time.Millisecond)

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
