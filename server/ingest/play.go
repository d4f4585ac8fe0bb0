package ingest

import (
	"time"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// Player gives what was recorded to rules, in its order, as the evaluator gave it to them when it came. It is pure: its Things are made of the
// recording, its clock is the recording's. Used by one goroutine.
type Player struct {
	Readings   int // that were given to the rules
	Unreadable int // records and changes that could not be read; they were passed over, as the evaluator passes over them

	engine *rules.Engine
	about  func(id string) *feeds.Thing
	things map[string]*feeds.Thing
	seen   twoSpans
	commit gathering
}

// NewPlayer makes a player. About tells what history does not say of a Thing: its kind and name, and where it stands when no reading says so; nil
// knows nothing. Span is how long a copy is known for one: the window of the recording's way in.
func NewPlayer(program *rules.Program, about func(id string) *feeds.Thing, span time.Duration) *Player {
	return &Player{engine: rules.NewEngine(program), about: about, things: map[string]*feeds.Thing{}, seen: twoSpans{span: span.Milliseconds()}}
}

// Span of copies in history, which holds few, and of deliveries, which may come again.
const (
	HistorySpan  = aheadFor
	DeliverySpan = recentWindow
)

// Record plays a record of history: it gives what came of the commit before, once one of the next comes. What is no record is passed
// over.
func (p *Player) Record(b []byte) []rules.Decision {
	if name, err := propertyOf(b); err == nil && !p.engine.Concerns(name) {
		return nil
	}
	r, err := DecodeReading(b)
	if err != nil {
		p.Unreadable++
		return nil
	}
	_, name := feeds.SplitID(r.Thing)
	o := feeds.Observation{ID: r.ID, Thing: name, Property: r.Property, Value: r.Value, Unit: r.Unit, At: r.At, ReceivedAt: r.ReceivedAt, Position: r.Position,
		Placed: r.Placed, Quality: r.Quality, Attrs: r.Attrs}
	return p.play(p.commit.add(judgement{p.thing(r.Thing, nil), o, r.StoredAt.Milli()}))
}

// Delivery plays what one delivery said, received when its meta says and committed at stored; zero: that is not known, and it was committed as it
// came. Items that the way in would refuse are passed over. As with Record, what came of a commit is given once the next one comes.
func (p *Player) Delivery(b feeds.Batch, m feeds.Meta, stored time.Time) []rules.Decision {
	l := newLedger(&b)
	l.faults(&b)
	var out []rules.Decision
	now := m.ReceivedAt.UnixMilli()
	clock := now
	if !stored.IsZero() {
		clock = stored.UnixMilli()
	}
	for _, of := range [][]feeds.Observation{b.Observations, ofPositions(b.Positions, &m)} {
		for i := range of {
			if o := of[i]; !l.barred(o.Index) && p.engine.Concerns(o.Property) {
				date(&o, &m, now)
				out = append(out, p.play(p.commit.add(judgement{p.thing(m.Feed+":"+o.Thing, &m), o, clock}))...)
			}
		}
	}
	return out
}

func (p *Player) play(list []judgement) []rules.Decision {
	var out []rules.Decision
	for i := range list {
		j := &list[i]
		if !p.seen.add(readingKey(j.thing.ID, &j.obs), j.stored) {
			continue
		}
		p.Readings++
		tell(j.thing, &j.obs)
		out = append(out, p.engine.Reading(j.thing, j.obs, time.UnixMilli(j.stored))...)
	}
	return out
}

// thing gives a Thing as it was before a reading.
func (p *Player) thing(id string, m *feeds.Meta) *feeds.Thing {
	t := p.things[id]
	if t == nil {
		t = &feeds.Thing{ID: id}
		if p.about != nil {
			if known := p.about(id); known != nil {
				*t = *known
				t.At, t.ReceivedAt, t.StaleAfter = moment.Time{}, moment.Time{}, moment.Time{}
			}
		}
		t.State = map[string]feeds.Reading{}
		if t.Feed == "" {
			t.Feed, t.Name = feeds.SplitID(id)
		}
		p.things[id] = t
	}
	if m != nil {
		t.Simulated, t.Attribution = m.Simulated, m.Attribution
		if t.Kind == "" {
			t.Kind = m.Kind
		}
	}
	return t
}

// tell lets a Thing take up a reading.
func tell(t *feeds.Thing, o *feeds.Observation) {
	if o.Kind != "" {
		t.Kind = o.Kind
	} else if t.Kind == "" {
		t.Kind = "thing"
	}
	if o.Name != "" {
		t.Name = o.Name
	}
	if o.Quality == feeds.ClockSkew {
		return
	}
	newest := !o.At.Before(t.At.Time)
	if o.Placed && (newest || !t.Placed) {
		t.Position, t.Placed = o.Position, true
	}
	if last, known := t.State[o.Property]; !known || !last.At.After(o.At.Time) {
		t.State[o.Property] = feeds.Reading{Value: o.Value, Unit: o.Unit, At: o.At, ReceivedAt: o.ReceivedAt, Quality: o.Quality}
	}
	if newest {
		t.At, t.ReceivedAt = o.At, o.ReceivedAt
	}
}

// Case plays a change of the cases. One that cannot be read is passed over.
func (p *Player) Case(c *store.Change) []rules.Decision {
	ds, err := judgeCase(p.engine, c, time.Time{})
	if err != nil {
		p.Unreadable++
	}
	return ds
}

// Tick plays what is left of the last commit, and lets time pass.
func (p *Player) Tick(now time.Time) []rules.Decision {
	return append(p.play(p.commit.end()), p.engine.Tick(now)...)
}

// List is how the rules stand.
func (p *Player) List() []rules.Listed { return p.engine.List() }

// date fills in when a reading was made and received, and how far that is to be believed. Stamp is our clock, in ms, where nobody else says.
func date(o *feeds.Observation, m *feeds.Meta, stamp int64) {
	if o.ReceivedAt.IsZero() {
		o.ReceivedAt = moment.Of(m.ReceivedAt)
		if o.ReceivedAt.IsZero() {
			o.ReceivedAt = moment.OfMilli(stamp)
		}
	}
	if o.Quality == "" {
		o.Quality = feeds.Good
	}
	if o.At.IsZero() {
		o.At, o.Quality = o.ReceivedAt, feeds.Received
	}
	if o.At.Sub(o.ReceivedAt.Time) > feeds.ClockSkewLimit {
		o.Quality = feeds.ClockSkew
	}
}
