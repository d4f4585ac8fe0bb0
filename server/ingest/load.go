package ingest

import (
	"context"
	"fmt"
	"sort"
	"time"

	"kentongan/feeds"
	"kentongan/geo/index"
)

// thingOf gives the Thing of an entry.
func thingOf(e *index.Entry) *feeds.Thing {
	return feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell)
}

// Load fills the picture from the store, the memory against copies from the tail of the streams, and brings the rules to where they
// were. It comes before Run.
func (p *Pipeline) Load(ctx context.Context) error {
	if err := p.d.Index.Load(ctx, p.loadThing); err != nil {
		return fmt.Errorf("ingest: load the picture: %w", err)
	}
	seen, err := p.seedRules(ctx)
	if err != nil {
		return err
	}
	p.lastStamp = max(p.lastStamp, seen)
	since := p.d.Now().Add(-recentWindow)
	if p.judging && seen > 0 { // after a long rest there may be readings that are older and not judged; the store's clock may run behind ours
		if unjudged := time.UnixMilli(seen).Add(-5 * time.Second); unjudged.Before(since) {
			since = unjudged
		}
	}
	if err := p.d.Index.Tail(ctx, since, func(_ time.Time, b []byte) error { return p.loadReading(b, seen) }); err != nil {
		return fmt.Errorf("ingest: read the tail of the streams: %w", err)
	}
	sort.SliceStable(p.replay, func(i, j int) bool { return p.replay[i].stamp < p.replay[j].stamp })
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

// loadReading remembers a reading of the tail, and judges it again so that the rules know their samples and holds; what they decide
// counts only where it was not judged before.
func (p *Pipeline) loadReading(b []byte, seen int64) error {
	r, err := DecodeReading(b)
	if err != nil {
		return fmt.Errorf("a reading of the tail: %w", err)
	}
	stamp := r.StoredAt.Milli()
	p.lastStamp = max(p.lastStamp, stamp)
	t := p.tracks[r.Thing]
	if t == nil {
		return nil // its state was never written, or the Thing was removed
	}
	t.recent.add(identity(r.ID, r.Property, r.At.Milli(), r.Quality, r.Value), uint32(r.ReceivedAt.Unix()))
	if !p.judging || r.Quality == feeds.ClockSkew {
		return nil
	}
	j := judgement{t.thing, feeds.Observation{ID: r.ID, Thing: native(t.thing), Property: r.Property, Value: r.Value, Unit: r.Unit, At: r.At,
		ReceivedAt: r.ReceivedAt, Position: r.Position, Placed: r.Placed, Kind: t.thing.Kind, Name: t.thing.Name, Quality: r.Quality, Attrs: r.Attrs}}
	if stamp > seen {
		if n := len(p.replay); n > 0 && p.replay[n-1].stamp == stamp {
			p.replay[n-1].list = append(p.replay[n-1].list, j)
		} else {
			p.replay = append(p.replay, verdict{stamp: stamp, list: []judgement{j}})
		}
		return nil
	}
	p.d.Rules.Judge(j.thing, j.obs, r.ReceivedAt.Time)
	return nil
}

// native is a Thing's id as its feed says it.
func native(t *feeds.Thing) string {
	if n := len(t.Feed) + 1; n <= len(t.ID) {
		return t.ID[n:]
	}
	return t.ID
}
