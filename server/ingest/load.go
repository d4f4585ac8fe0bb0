package ingest

import (
	"context"
	"fmt"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/moment"
)

// row is an entry and its packed Thing in one piece.
type row struct {
	entry  index.Entry
	packed feeds.Packed
}

// entryOf gives the entry of a Thing; it keeps nothing of the Thing but its id and kind.
func entryOf(t *feeds.Thing) *index.Entry {
	r := &row{index.Entry{ID: t.ID, Kind: feeds.Intern(t.Kind), Position: t.Position, Placed: t.Placed, Cell: t.Cell}, feeds.Pack(t)}
	r.entry.Payload = &r.packed
	return &r.entry
}

// thingOf gives the Thing of an entry.
func thingOf(e *index.Entry) *feeds.Thing {
	return feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell)
}

// packedOf gives the packed Thing of an entry that entryOf made.
func packedOf(e *index.Entry) feeds.Packed {
	if p, ok := e.Payload.(*feeds.Packed); ok {
		return *p
	}
	return ""
}

// Load fills the picture from the store, and the memory against copies from the tail of the streams. It comes before Run.
func (p *Pipeline) Load(ctx context.Context) error {
	p.loadedAt = p.d.Now()
	if err := p.d.Index.Load(ctx, p.loadThing); err != nil {
		return fmt.Errorf("ingest: load the picture: %w", err)
	}
	if err := p.d.Index.Tail(ctx, p.loadedAt.Add(-recentWindow), p.loadReading); err != nil {
		return fmt.Errorf("ingest: read the tail of the streams: %w", err)
	}
	return nil
}

// loadThing puts a stored state into the picture, packed from its record without being made a Thing between.
func (p *Pipeline) loadThing(s index.Stored) error {
	packed, err := feeds.PackRecord(s.ID, s.Payload)
	if err != nil {
		return fmt.Errorf("%w: thing %s: %w", index.ErrRecord, s.ID, err)
	}
	r := &row{index.Entry{ID: s.ID, Kind: s.Kind, Position: s.Position, Placed: s.Placed, Cell: s.Cell}, packed}
	r.entry.Payload = &r.packed
	p.d.Picture.Put(&r.entry)
	return nil
}

// loadReading remembers a reading of the tail. One that is newer than the stored state enters it: two servers may have changed the Thing at
// once, and ended before either wrote what came of it.
func (p *Pipeline) loadReading(at time.Time, b []byte) error {
	r, err := DecodeReading(b)
	if err != nil {
		p.passOver("readings of the tail", at, b, err)
		return nil
	}
	p.lastStamp = max(p.lastStamp, r.StoredAt.Milli())
	if p.tracks.of[r.Thing] == nil && p.d.Picture.Get(r.Thing) == nil {
		return nil // its state was never written, or the Thing was removed
	}
	t := p.track(r.Thing)
	t.recent.add(identity(r.ID, r.Property, r.At.Milli(), r.Quality, r.Value), uint32(r.ReceivedAt.Unix()))
	t.odd = t.odd || r.Quality == feeds.ClockSkew
	if last, known := t.packed().Reading(r.Property); r.Quality != feeds.ClockSkew && (!known || r.At.After(last.At.Time)) {
		p.absorb(t, &r)
	}
	return nil
}

// absorb brings a reading into a state that lacks it, and sees to it that the state is written.
func (p *Pipeline) absorb(t *track, r *Reading) {
	m := thingOf(t.entry)
	if len(m.State) >= mostProperties {
		return
	}
	m.State[r.Property] = feeds.Reading{Value: r.Value, Unit: r.Unit, At: r.At, ReceivedAt: r.ReceivedAt, Quality: r.Quality}
	if !r.At.Before(m.At.Time) {
		if !m.StaleAfter.IsZero() {
			m.StaleAfter = moment.Of(m.StaleAfter.Add(r.ReceivedAt.Sub(m.ReceivedAt.Time)))
		}
		m.At, m.ReceivedAt = r.At, r.ReceivedAt
		if r.Placed {
			if cell, err := t.cellOf(r.Position, m); err == nil {
				m.Position, m.Placed, m.Cell = r.Position, true, cell
			}
		}
	}
	old := t.entry
	p.put(m, old)
	again := &repair{due: p.loadedAt, left: map[geo.Cell]struct{}{}}
	if index.Shard(old.Cell) != index.Shard(m.Cell) {
		again.left[index.Shard(old.Cell)] = struct{}{}
	}
	p.repairs[m.ID] = again
}

// native is a Thing's id as its feed says it.
func native(t *feeds.Thing) string {
	if n := len(t.Feed) + 1; n <= len(t.ID) {
		return t.ID[n:]
	}
	return t.ID
}
