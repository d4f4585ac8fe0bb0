package ingest

import (
	"context"
	"fmt"
	"math"
	"time"

	"kentongan/feeds"
)

// commits is the committer: it takes what waits into one batch, commits it, and goes on. While a commit runs, others wait, so that
// batches grow with the load and become cheaper; without load a reading waits for nothing.
func (p *Pipeline) commits(ctx context.Context) {
	taken := make([]*submission, 0, 256)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-p.remote:
			p.adopt(ctx, r)
			continue
		case <-tick.C:
			p.mend(ctx)
			p.tracks.letGo(p.d.Now().UnixMilli())
			if e := p.evaluation.Load(); e != nil && e.waiting.Load() == 0 && (p.doubt == nil || p.doubt.asked) {
				p.tell(ctx, verdict{upto: p.moved(), known: p.knownOfOthers()})
			}
			continue
		case s := <-p.queue:
			taken = append(taken[:0], s)
		}
		n := len(taken[0].observations)
	more:
		for n < mostInBatch {
			select {
			case s := <-p.queue:
				taken = append(taken, s)
				n += len(s.observations)
			default:
				break more
			}
		}
		p.process(ctx, taken)
		clear(taken)
		select { // a server under load hears of the others all the same
		case r := <-p.remote:
			p.adopt(ctx, r)
		default:
		}
	}
}

// process brings submissions through merge, commit and apply, and answers them.
func (p *Pipeline) process(ctx context.Context, taken []*submission) {
	p.metrics.size(taken)
	if err := p.settle(ctx); err != nil {
		p.refused(err)
		answer(taken, err)
		return
	}
	p.begin()
	rest := taken[:0:len(taken)]
	for _, s := range taken {
		if s.meta.Dry {
			p.mergeAll(s)
			p.undo()
			s.done <- nil
			continue
		}
		rest = append(rest, s)
	}
	if len(rest) == 0 {
		return
	}
	for _, s := range rest {
		p.mergeAll(s)
	}
	if err := p.commit(ctx); err != nil {
		p.undo()
		p.metrics.failed()
		p.refused(err)
		p.log.Warn().Err(err).Int("batches", len(rest)).Msg("commit failed; senders are told to come again")
		answer(rest, fmt.Errorf("%w: %w", feeds.ErrBusy, err))
		return
	}
	p.refusing.Store(nil)
	for _, s := range rest {
		s.ledger.stored = p.open.stamp
	}
	changed := p.apply()
	answer(rest, nil)
	p.publish(ctx, changed)
}

// refused notes that the store takes no commits, since the first that it did not take.
func (p *Pipeline) refused(err error) {
	if p.refusing.Load() == nil {
		p.refusing.Store(&refusal{p.d.Now(), err})
	}
}

// Refusing tells since when the store has taken no commits, and why; a nil error where it took the last one.
func (p *Pipeline) Refusing() (since time.Time, why error) {
	if r := p.refusing.Load(); r != nil {
		return r.since, r.err
	}
	return time.Time{}, nil
}

func answer(to []*submission, err error) {
	for _, s := range to {
		s.done <- err
	}
}

// begin opens a batch with a stamp later than every one before.
func (p *Pipeline) begin() {
	p.open.reset()
	p.lastStamp = max(p.lastStamp+1, p.d.Now().UnixMilli())
	p.open.stamp = p.lastStamp
}

func (p *Pipeline) mergeAll(s *submission) {
	for i := range s.observations {
		o := &s.observations[i]
		if s.ledger.barred(o.Index) {
			continue
		}
		got, reason := p.merge(o, s.meta)
		if reason != "" {
			s.ledger.refuse(o.Index, got, reason)
			continue
		}
		s.ledger.note(o.Index, got)
	}
}

// undo forgets the open batch.
func (p *Pipeline) undo() {
	for _, s := range p.open.list {
		s.track.recent.cut(s.mark)
		if s.track.entry == nil && len(s.track.recent.keys) == 0 {
			p.tracks.drop(s.track)
		}
	}
	p.open.reset()
}

func (p *Pipeline) commit(ctx context.Context) error {
	changes := p.open.changes()
	ctx, cancel := context.WithTimeoutCause(ctx, commitLimit, fmt.Errorf("no answer to a commit within %s", commitLimit))
	defer cancel()
	if len(changes) == 0 { // copies are acknowledged only where what they are copies of can be there
		return p.d.Index.Ping(ctx)
	}
	began := time.Now()
	err := p.d.Index.Commit(ctx, changes)
	p.metrics.committed(time.Since(began))
	if err != nil {
		p.doubtBatch()
		p.known.Store(min(p.known.Load(), p.open.stamp)) // until the index has looked, it may hold what nobody has judged
	}
	return err
}

// apply makes the committed batch the picture, and gives what changed.
func (p *Pipeline) apply() []ThingChange {
	if p.doubt != nil && len(p.doubt.keys) == 0 {
		p.doubt = nil
	}
	changed := make([]ThingChange, 0, len(p.open.change))
	now := uint32(p.open.stamp / 1000)
	for _, s := range p.open.list {
		t := s.track
		if s.entry == nil {
			continue
		}
		changed = append(changed, ThingChange{Entry: s.entry, Old: t.entry, Thing: s.thing})
		t.entry, t.cadence = s.entry, s.cadence
		p.d.Picture.Put(s.entry)
		if r := p.repairs[t.id]; r != nil && len(r.left) == 0 {
			delete(p.repairs, t.id) // what was just written holds all that is known
		}
	}
	for _, s := range p.open.list {
		s.track.recent.prune(now)
	}
	return changed
}

// publish tells the hub, and hands the readings to the rules; where those lag behind, it waits.
func (p *Pipeline) publish(ctx context.Context, changed []ThingChange) {
	if p.d.OnThings != nil && len(changed) > 0 {
		p.d.OnThings(changed)
	}
	if p.evaluation.Load() == nil || len(p.open.judge) == 0 {
		return
	}
	v := verdict{upto: p.open.stamp, known: p.knownOfOthers(), list: make([]judgement, 0, len(p.open.judge))}
	for i := range p.open.judge {
		j := &p.open.judge[i]
		thing := j.s.thing
		switch { // a late one has changed nothing of its Thing, and has no copy of it
		case thing == nil && i > 0 && v.list[i-1].thing.ID == j.s.track.id:
			thing = v.list[i-1].thing
		case thing == nil:
			thing = thingOf(j.s.track.entry)
		}
		v.list = append(v.list, judgement{thing, j.obs, p.open.stamp})
	}
	inOrder(v.list)
	p.tell(ctx, v)
}

// knownOfOthers is up to when commits of other servers have been taken, in ms; the end of time where nobody is followed.
func (p *Pipeline) knownOfOthers() int64 {
	if !p.following.Load() {
		return math.MaxInt64
	}
	return p.known.Load()
}
