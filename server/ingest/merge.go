package ingest

import (
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/moment"
)

// mostProperties bounds the state of one Thing.
const mostProperties = 128

// track is what the committer knows of one Thing that was touched lately. Only its goroutine touches it.
type track struct {
	id      string
	entry   *index.Entry // the picture's; nil until the first commit
	locator *geo.Locator // a memory of those that move, right whatever became of the batch
	recent  recent
	cadence cadence
	staged  *staged // while the open batch touches the Thing
	leap    *leap   // of a unit: where it was last said to be, and could not be
	odd     bool    // recent holds a reading that is newer than the state: it was dated ahead
	touched int64   // ms
	younger *track  // touched after it
	older   *track
}

// packed is the Thing as committed last; empty where it was not.
func (t *track) packed() feeds.Packed {
	if t.entry == nil {
		return ""
	}
	return packedOf(t.entry)
}

// staged is a Thing in the open batch: a copy, which becomes the Thing only after the commit.
type staged struct {
	track    *track
	thing    *feeds.Thing // our own copy; nil while the batch has changed nothing of it
	entry    *index.Entry // made of the copy for the commit
	cadence  cadence
	mark     int // readings remembered before the batch
	readings [][]byte
}

// judgement is one reading for the rules, after its commit.
type judgement struct {
	thing  *feeds.Thing
	obs    feeds.Observation
	stored int64 // ms, by the clock of the server that committed it: the rules' clock for it
}

// batch is the open batch.
type batch struct {
	stamp  int64 // ms; later batches have later stamps
	list   []*staged
	judge  []pending
	arena  []byte
	change []index.Change
	spare  []*staged
}

// pending is a judgement whose Thing is still a copy.
type pending struct {
	s   *staged
	obs feeds.Observation
}

// reset empties the batch and keeps its buffers.
func (b *batch) reset() {
	for _, s := range b.list {
		s.track.staged = nil
		r := s.readings
		clear(r)
		*s = staged{readings: r[:0]}
		b.spare = append(b.spare, s)
	}
	clear(b.judge)
	clear(b.change)
	b.list, b.judge, b.change, b.arena = b.list[:0], b.judge[:0], b.change[:0], b.arena[:0]
}

// stage gives the Thing's copy in the open batch.
func (p *Pipeline) stage(t *track) *staged {
	if t.staged != nil {
		return t.staged
	}
	var s *staged
	if n := len(p.open.spare); n > 0 {
		s, p.open.spare = p.open.spare[n-1], p.open.spare[:n-1]
	} else {
		s = &staged{}
	}
	s.track, s.cadence, s.mark = t, t.cadence, len(t.recent.keys)
	t.staged = s
	p.open.list = append(p.open.list, s)
	return s
}

// own makes the copy that may be changed, once per batch and Thing.
func (s *staged) own() {
	if s.thing != nil {
		return
	}
	if s.track.entry == nil {
		s.thing = &feeds.Thing{ID: s.track.id, State: make(map[string]feeds.Reading, 4)}
		return
	}
	s.thing = thingOf(s.track.entry)
}

// last is the newest value of a property as the batch has made it so far.
func (s *staged) last(property string) (last feeds.Reading, known bool) {
	if s.thing != nil {
		last, known = s.thing.State[property]
		return last, known
	}
	if p := s.track.packed(); p != "" {
		return p.Reading(property)
	}
	return last, false
}

// properties counts them; fresh where nothing is known of the Thing yet.
func (s *staged) properties() (n int, fresh bool) {
	if s.thing != nil {
		return len(s.thing.State), false
	}
	if p := s.track.packed(); p != "" {
		return p.Properties(), false
	}
	return 0, true
}

// find gives the track of a Thing. The lookup makes no garbage.
func (p *Pipeline) find(feed, native string) *track {
	p.key = append(append(append(p.key[:0], feed...), ':'), native...)
	if t := p.tracks.of[string(p.key)]; t != nil {
		p.tracks.touch(t, p.open.stamp)
		return t
	}
	return p.track(string(p.key))
}

// merge takes one observation into the open batch and says what became of it.
func (p *Pipeline) merge(o *feeds.Observation, m *feeds.Meta) (outcome, string) {
	o = p.stamped(o, m)
	t := p.find(m.Feed, o.Thing)
	s := p.stage(t)
	key := identity(o.ID, o.Property, o.At.Milli(), o.Quality, o.Value)
	skewed := o.Quality == feeds.ClockSkew
	if p := t.packed(); s.thing == nil && p != "" && !skewed && o.At.Milli() > p.At() {
		s.own() // it will become the last state: what it is compared with need not be looked for in the packed one
	}
	last, known := s.last(o.Property)
	// One that is newer than all that were dated by its producer can be no copy of them; most are so, and need not be looked for.
	newest := known && o.ID == "" && o.Quality == feeds.Good && o.At.After(last.At.Time) && !t.odd
	if !newest && t.recent.has(key) {
		return duplicate, ""
	}
	if known && o.ID == "" && last.At.Equal(o.At.Time) && (o.Quality != feeds.Received || last.Value == o.Value) {
		return duplicate, "" // older than our memory, but the state still knows it
	}
	fresh := false
	if !known {
		n := 0
		if n, fresh = s.properties(); n >= mostProperties {
			return ignored, "the thing has 128 properties already"
		}
	}
	leapt := !skewed && p.leaps(s, o)
	if leapt {
		o.Quality = feeds.Suspect
	}
	late := skewed || leapt || known && last.At.After(o.At.Time)
	if !late || fresh {
		s.own()
		if reason := p.update(s, o, m, last, known, skewed); reason != "" {
			return rejected, reason
		}
	}
	t.recent.add(key, uint32(o.ReceivedAt.Unix()))
	t.odd = t.odd || skewed || leapt
	if !p.resumed(t.id, key) {
		from := len(p.open.arena)
		p.open.arena = appendReading(p.open.arena, t.id, o, p.open.stamp)
		s.readings = append(s.readings, p.open.arena[from:len(p.open.arena):len(p.open.arena)])
	}
	if p.d.Rules != nil && p.d.Rules.Concerns(o.Property) { // whether somebody evaluates counts after the commit: before it, he may look for the reading in the stream too soon
		p.open.judge = append(p.open.judge, pending{s, *o})
	}
	return accepted, ""
}

// stamped fills in what the producer left out; the batch of the caller stays as it is.
func (p *Pipeline) stamped(o *feeds.Observation, m *feeds.Meta) *feeds.Observation {
	p.obs = *o
	o = &p.obs
	date(o, m, p.open.stamp)
	return o
}

// cellOf gives the cell of a new position of a Thing. Most Things stay where they are, and need no locator.
func (t *track) cellOf(at geo.Position, now *feeds.Thing) (geo.Cell, error) {
	switch {
	case now.Placed && now.Position == at:
		return now.Cell, nil
	case t.locator == nil && !now.Placed:
		return geo.CellAt(at, geo.ResThing)
	case t.locator == nil:
		t.locator = &geo.Locator{}
	}
	return t.locator.CellNear(at, geo.ResThing)
}

// update writes a reading into the copy. A skewed one comes here only to make a Thing known, and leaves its state and times alone.
func (p *Pipeline) update(s *staged, o *feeds.Observation, m *feeds.Meta, last feeds.Reading, known, skewed bool) string {
	t := s.thing
	newest := !o.At.Before(t.At.Time)
	if o.Placed && (newest || !t.Placed) { // any place is better than none
		cell, err := s.track.cellOf(o.Position, t)
		if err != nil {
			return err.Error()
		}
		t.Position, t.Placed, t.Cell = o.Position, true, cell
	}
	if t.Feed == "" {
		t.Feed, t.Name = m.Feed, t.ID[len(m.Feed)+1:]
	}
	if o.Kind != "" {
		t.Kind = o.Kind
	} else if t.Kind == "" {
		t.Kind = m.Kind
		if t.Kind == "" {
			t.Kind = "thing"
		}
	}
	if o.Name != "" {
		t.Name = o.Name
	}
	t.Simulated, t.Attribution = m.Simulated, m.Attribution
	if skewed {
		return ""
	}
	if known {
		s.cadence.learn(o.At.Sub(last.At.Time))
	}
	t.State[o.Property] = feeds.Reading{Value: o.Value, Unit: o.Unit, At: o.At, ReceivedAt: o.ReceivedAt, Quality: o.Quality}
	if newest {
		t.At, t.ReceivedAt = o.At, o.ReceivedAt
		t.StaleAfter = staleAfter(o.ReceivedAt.Time, m.Interval, &s.cadence)
	}
	return ""
}

// staleAfter is when the Thing's value is drawn stale: by the declared interval, else by the learned one, else not known.
func staleAfter(received time.Time, declared time.Duration, c *cadence) moment.Time {
	if declared <= 0 {
		declared = c.interval()
	}
	if declared <= 0 {
		return moment.Time{}
	}
	return moment.Of(feeds.StaleAfterInterval(received, declared))
}

// changes turns the open batch into what the index commits.
func (b *batch) changes() []index.Change {
	for _, s := range b.list {
		old := s.track.entry
		if s.thing == nil {
			if len(s.readings) > 0 {
				b.change = append(b.change, index.Change{Entry: old, Keep: true, Readings: s.readings})
			}
			continue
		}
		s.entry = entryOf(s.thing)
		c := index.Change{Entry: s.entry, State: s.thing, Readings: s.readings}
		if old != nil {
			c.From, c.Moved = old.Cell, old.Cell != s.entry.Cell
		}
		b.change = append(b.change, c)
	}
	return b.change
}
