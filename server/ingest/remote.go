package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
)

// repairAfter is how long after a clash of two servers the merged state is written; most Things report again before and need it not.
const repairAfter = time.Second

// repair is a Thing whose last state in the store may lack what another server wrote into it at the same time.
type repair struct {
	due  time.Time
	left map[geo.Cell]struct{} // cells of shards in which an older state of it may lie
}

// Follow brings in what other servers commit, until ctx ends: their readings become known (a copy sent here is a duplicate), are judged
// where this server evaluates, and their states are merged into the picture, per property the newest. It comes after Load, beside Run.
func (p *Pipeline) Follow(ctx context.Context) error {
	p.known.Store(p.loadedAt.UnixMilli())
	p.following.Store(true)
	err := p.d.Index.Follow(ctx, p.loadedAt, func(r index.Remote) error {
		select {
		case p.remote <- r:
			return nil
		case <-p.closed:
			return errors.New("the pipeline has ended")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ingest: follow other servers: %w", err)
	}
	return nil
}

// mostAtOnce bounds how many commits of others are taken between two of our own.
const mostAtOnce = 2048

// adopt takes what other servers committed: first, then what else waits.
func (p *Pipeline) adopt(ctx context.Context, first index.Remote) {
	var changed []ThingChange
	v := verdict{}
	r := first
more:
	for n := 0; ; {
		changed = p.adoptStates(&r, changed)
		v.list = p.adoptReadings(&r, v.list)
		p.known.Store(r.Known.UnixMilli()) // after a commit in doubt it goes back
		if n++; n == mostAtOnce {
			break
		}
		select {
		case r = <-p.remote:
		default:
			break more
		}
	}
	if p.d.OnThings != nil && len(changed) > 0 {
		p.d.OnThings(changed)
	}
	inOrder(v.list)
	v.upto, v.known = p.moved(), p.known.Load()
	p.tell(ctx, v)
}

// moved moves the stamp to now: what is committed from here on has a later one.
func (p *Pipeline) moved() int64 {
	p.lastStamp = max(p.lastStamp, p.d.Now().UnixMilli())
	return p.lastStamp
}

// adoptStates merges last states of others into the picture.
func (p *Pipeline) adoptStates(r *index.Remote, changed []ThingChange) []ThingChange {
	for i := range r.States {
		s := &r.States[i]
		theirs := feeds.Thing{ID: s.ID, Kind: s.Kind, Position: s.Position, Placed: s.Placed, Cell: s.Cell}
		if err := theirs.ReadRecord(s.Payload); err != nil {
			p.log.Error().Err(err).Str("thing", s.ID).Msg("a state that another server wrote cannot be read")
			continue
		}
		old := p.d.Picture.Get(s.ID)
		if old == nil {
			changed = append(changed, p.put(&theirs, nil))
			continue
		}
		merged, news, lacks := mergeThings(thingOf(old), &theirs)
		if p.clash(old.Cell, merged, s, lacks); news {
			changed = append(changed, p.put(merged, old))
		}
	}
	return changed
}

// put makes a Thing the picture's.
func (p *Pipeline) put(t *feeds.Thing, old *index.Entry) ThingChange {
	e := entryOf(t)
	p.d.Picture.Put(e)
	if k := p.tracks.of[t.ID]; k != nil {
		k.entry = e
	}
	return ThingChange{Entry: e, Old: old, Thing: t}
}

// clash notes a state to be written again: where theirs lacks something of ours, it may have hidden it; and where both moved the Thing
// into different shards, a state of it lies in each.
func (p *Pipeline) clash(ours geo.Cell, merged *feeds.Thing, theirs *index.Stored, lacks bool) {
	var left []geo.Cell
	for _, c := range []geo.Cell{ours, theirs.Cell} {
		if index.Shard(c) != index.Shard(merged.Cell) && !theirs.Left(c) {
			left = append(left, c)
		}
	}
	if !lacks && len(left) == 0 {
		return
	}
	r := p.repairs[merged.ID]
	if r == nil {
		r = &repair{due: p.d.Now().Add(repairAfter), left: map[geo.Cell]struct{}{}}
		p.repairs[merged.ID] = r
	}
	for _, c := range left {
		r.left[index.Shard(c)] = struct{}{}
	}
}

// mend writes the merged states that are due.
func (p *Pipeline) mend(ctx context.Context) {
	if len(p.repairs) == 0 {
		return
	}
	now := p.d.Now()
	var changes []index.Change
	var ids []string
	for id, r := range p.repairs {
		if now.Before(r.due) {
			continue
		}
		e := p.d.Picture.Get(id)
		if ids = append(ids, id); e == nil {
			continue
		}
		changes = append(changes, index.Change{Entry: e, State: thingOf(e)})
		for shard := range r.left {
			if shard != index.Shard(e.Cell) {
				changes = append(changes, index.Change{Entry: e, State: thingOf(e), From: shard, Moved: true})
			}
		}
	}
	if len(changes) > 0 {
		ctx, cancel := context.WithTimeoutCause(ctx, commitLimit, fmt.Errorf("no answer to a commit within %s", commitLimit))
		defer cancel()
		if err := p.d.Index.Commit(ctx, changes); err != nil {
			p.log.Warn().Err(err).Int("things", len(ids)).Msg("states that two servers changed are not written yet")
			return
		}
		p.metrics.repairs.Add(float64(len(ids)))
	}
	for _, id := range ids {
		delete(p.repairs, id)
	}
}

// adoptReadings remembers readings of others against copies, and gives those that were not known for the rules.
func (p *Pipeline) adoptReadings(r *index.Remote, list []judgement) []judgement {
	judging := p.evaluation.Load() != nil
	for i := range r.Groups {
		g := &r.Groups[i]
		t := p.track(g.ID)
		for _, b := range g.Readings {
			got, err := DecodeReading(b)
			if err != nil {
				p.passOver("readings of other servers", r.Known, b, err)
				continue
			}
			key := identity(got.ID, got.Property, got.At.Milli(), got.Quality, got.Value)
			if t.recent.has(key) {
				continue
			}
			t.recent.add(key, uint32(got.ReceivedAt.Unix()))
			t.odd = t.odd || got.Quality == feeds.ClockSkew
			if judging && p.d.Rules.Concerns(got.Property) {
				list = append(list, p.judgementOf(&got))
			}
		}
		t.recent.prune(uint32(p.d.Now().Unix()))
	}
	return list
}

// judgementOf gives a reading of history to the rules, with its Thing as it is now. A Thing that is not known is made of the reading: it has
// moved on to a shard that is read later.
func (p *Pipeline) judgementOf(r *Reading) judgement {
	t := (*feeds.Thing)(nil)
	if e := p.d.Picture.Get(r.Thing); e != nil {
		t = thingOf(e)
	}
	if t == nil {
		feed, name := feeds.SplitID(r.Thing)
		t = &feeds.Thing{ID: r.Thing, Feed: feed, Kind: "thing", Name: name, Position: r.Position, Placed: r.Placed, At: r.At, ReceivedAt: r.ReceivedAt}
	}
	return judgement{thing: t, stored: r.StoredAt.Milli(), obs: feeds.Observation{ID: r.ID, Thing: native(t), Property: r.Property, Value: r.Value, Unit: r.Unit, At: r.At,
		ReceivedAt: r.ReceivedAt, Position: r.Position, Placed: r.Placed, Kind: t.Kind, Name: t.Name, Quality: r.Quality, Attrs: r.Attrs}}
}

// mergeThings gives a Thing of both, per property the newest, and for all else the one whose newest reading is newest. news: it says more
// than ours; lacks: theirs says less than it. Every server comes to the same end, in whatever order it hears of states.
func mergeThings(ours, theirs *feeds.Thing) (merged *feeds.Thing, news, lacks bool) {
	m := ours.Clone()
	switch c := compareThings(theirs, ours); {
	case c > 0:
		state := m.State
		*m = *theirs
		m.State, news = state, true
		if !m.Placed && ours.Placed {
			m.Position, m.Placed, m.Cell, lacks = ours.Position, true, ours.Cell, true
		}
	case c < 0:
		lacks = true
		if !m.Placed && theirs.Placed {
			m.Position, m.Placed, m.Cell, news = theirs.Position, true, theirs.Cell, true
		}
	}
	for name, r := range theirs.State {
		o, known := m.State[name]
		switch c := compareReadings(&r, &o); {
		case !known || c > 0:
			m.State[name], news = r, true
		case c < 0:
			lacks = true
		}
	}
	if len(theirs.State) < len(m.State) {
		lacks = true
	}
	return m, news, lacks
}

// compareThings tells which of two states of one Thing is newer; states that say the same in all but their properties are equal.
func compareThings(a, b *feeds.Thing) int {
	if c := a.At.Compare(b.At.Time); c != 0 {
		return c
	}
	if c := a.ReceivedAt.Compare(b.ReceivedAt.Time); c != 0 {
		return c
	}
	for _, v := range [][2]float64{{a.Position.Lat, b.Position.Lat}, {a.Position.Lng, b.Position.Lng}} {
		if v[0] != v[1] {
			return int(math.Copysign(1, v[0]-v[1]))
		}
	}
	return a.StaleAfter.Compare(b.StaleAfter.Time)
}

func compareReadings(a, b *feeds.Reading) int {
	if c := a.At.Compare(b.At.Time); c != 0 {
		return c
	}
	if c := a.ReceivedAt.Compare(b.ReceivedAt.Time); c != 0 {
		return c
	}
	switch {
	case a.Value.Num < b.Value.Num:
		return -1
	case a.Value.Num > b.Value.Num:
		return 1
	}
	return bytes.Compare([]byte(a.Value.Text), []byte(b.Value.Text))
}
