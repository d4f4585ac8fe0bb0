package ingest

import (
	"context"
	"fmt"
	"time"

	"kentongan/feeds"
)

// doubt is held after a commit that failed: some of its readings may be in the store all the same. When their senders come again, they
// must not be written twice.
type doubt struct {
	since   time.Time // the first commit that is not settled
	asked   bool      // the store has been asked what it holds
	suspect map[doubtKey]struct{}
	keys    map[doubtKey]struct{} // found in the store, not in the picture
}

type doubtKey struct {
	thing string
	key   uint64
}

// doubtBatch notes the readings of the open batch before it is undone.
func (p *Pipeline) doubtBatch() {
	if p.doubt == nil {
		p.doubt = &doubt{since: time.UnixMilli(p.open.stamp), suspect: map[doubtKey]struct{}{}, keys: map[doubtKey]struct{}{}}
	}
	if p.doubt.asked { // what failed earlier is settled: the store need not be asked for it again, however long ago that was
		p.doubt.since = time.UnixMilli(p.open.stamp)
	}
	p.doubt.asked = false
	for _, s := range p.open.list {
		for _, k := range s.track.recent.keys[s.mark:] {
			p.doubt.suspect[doubtKey{s.track.id, k}] = struct{}{}
		}
	}
}

// settle asks the store, once it answers again, which of the doubtful readings it holds. Until then nothing is taken.
func (p *Pipeline) settle(ctx context.Context) error {
	if p.doubt == nil || p.doubt.asked {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Second, fmt.Errorf("no answer within 5s"))
	defer cancel()
	// The store's clock may run behind ours by some seconds.
	err := p.d.Index.TailConfirmed(ctx, p.doubt.since.Add(-5*time.Second), func(_ time.Time, b []byte) error {
		r, err := DecodeReading(b)
		if err != nil {
			return err
		}
		k := doubtKey{r.Thing, identity(r.ID, r.Property, r.At.Milli(), r.Quality, r.Value)}
		if _, ok := p.doubt.suspect[k]; ok {
			p.doubt.keys[k] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: after a failed commit: %w", feeds.ErrBusy, err)
	}
	p.doubt.asked = true
	clear(p.doubt.suspect)
	return nil
}

// resumed tells a reading that the store holds already; it is merged as any other, but not written again.
func (p *Pipeline) resumed(thing string, key uint64) bool {
	if p.doubt == nil || len(p.doubt.keys) == 0 {
		return false
	}
	_, ok := p.doubt.keys[doubtKey{thing, key}]
	return ok
}
