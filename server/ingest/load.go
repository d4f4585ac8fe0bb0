package ingest

import (
	"context"
	"fmt"
	"time"

	"kentongan/feeds"
	"kentongan/geo/index"
)

// thingOf gives the Thing of an entry.
func thingOf(e *index.Entry) *feeds.Thing {
	return feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell)
}

// entryOf gives the entry of a Thing, which must not be changed afterwards.
func entryOf(t *feeds.Thing) *index.Entry {
	return &index.Entry{ID: t.ID, Kind: t.Kind, Position: t.Position, Placed: t.Placed, Cell: t.Cell, Payload: t}
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

func (p *Pipeline) loadThing(s index.Stored) error {
	row := &struct {
		entry index.Entry
		thing feeds.Thing
	}{thing: feeds.Thing{ID: s.ID, Kind: s.Kind, Position: s.Position, Placed: s.Placed, Cell: s.Cell}}
	if err := row.thing.ReadRecord(s.Payload); err != nil {
		return fmt.Errorf("thing %s: %w", s.ID, err)
	}
	row.entry = index.Entry{ID: s.ID, Kind: s.Kind, Position: s.Position, Placed: s.Placed, Cell: s.Cell, Payload: &row.thing}
	t := &track{id: s.ID, entry: &row.entry, thing: &row.thing}
	if d := row.thing.StaleAfter.Sub(row.thing.ReceivedAt.Time); !row.thing.StaleAfter.IsZero() && d > 0 {
		t.cadence.seed = float32((d.Seconds() - 2) / 1.2)
	}
	p.tracks[s.ID] = t
	p.d.Picture.Put(&row.entry)
	return nil
}

// loadReading remembers a reading of the tail.
func (p *Pipeline) loadReading(_ time.Time, b []byte) error {
	r, err := DecodeReading(b)
	if err != nil {
		return fmt.Errorf("a reading of the tail: %w", err)
	}
	p.lastStamp = max(p.lastStamp, r.StoredAt.Milli())
	t := p.tracks[r.Thing]
	if t == nil {
		return nil // its state was never written, or the Thing was removed
	}
	t.recent.add(identity(r.ID, r.Property, r.At.Milli(), r.Quality, r.Value), uint32(r.ReceivedAt.Unix()))
	return nil
}

// native is a Thing's id as its feed says it.
func native(t *feeds.Thing) string {
	if n := len(t.Feed) + 1; n <= len(t.ID) {
		return t.ID[n:]
	}
	return t.ID
}
