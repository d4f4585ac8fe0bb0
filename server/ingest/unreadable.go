package ingest

import (
	"sync"
	"time"
)

// tellEvery is how often at most a line is written of what cannot be read: a writer that has gone wrong writes many.
const tellEvery = 10 * time.Second

// unreadable is what was passed over since the last line about it.
type unreadable struct {
	mu     sync.Mutex
	told   time.Time
	silent int
	total  int
	last   time.Time
}

// passOver counts a reading that cannot be read, and tells of it: where it was met, when it was committed (the first half of its entry's id in the
// stream), and its Thing, as far as that can be read. It is as unreadable the next time, so that nobody waits for it.
func (p *Pipeline) passOver(where string, at time.Time, b []byte, err error) {
	p.metrics.unreadable.Inc()
	if silent, now := p.silent(); now {
		p.log.Error().Err(err).Str("thing", thingIn(b)).Time("committed", at.UTC()).Int("bytes", len(b)).Int("before", silent).Msg(where + " cannot be read; they are passed over")
	}
}

// Unreadable counts a record that cannot be read, and tells of it; it is index.Config.Unreadable. Safe for concurrent use.
func (p *Pipeline) Unreadable(key, id string, err error) {
	p.metrics.unreadable.Inc()
	if silent, now := p.silent(); now {
		p.log.Error().Err(err).Str("key", key).Str("id", id).Int("before", silent).Msg("a record of readings cannot be read; it is passed over")
	}
}

// PassedOver is how often since the start a record of readings was met that cannot be read, and when last. Safe for concurrent use.
func (p *Pipeline) PassedOver() (n int, last time.Time) {
	p.unread.mu.Lock()
	defer p.unread.mu.Unlock()
	return p.unread.total, p.unread.last
}

// silent tells whether a line is due, and of how many none was written before it.
func (p *Pipeline) silent() (before int, due bool) {
	u := &p.unread
	u.mu.Lock()
	defer u.mu.Unlock()
	now := p.d.Now()
	u.total, u.last = u.total+1, now
	if now.Sub(u.told) < tellEvery && !now.Before(u.told) {
		u.silent++
		return 0, false
	}
	before, u.told, u.silent = u.silent, now, 0
	return before, true
}
