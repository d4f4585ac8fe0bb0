package ingest

import (
	"time"

	"kentongan/feeds"
	"kentongan/geo"
)

// What a unit cannot do: from one place to the next faster than a helicopter flies, farther than a receiver of satellites errs.
const (
	leapMps    = 90.0
	leapMeters = 2000.0
	// leapTimes is how many places that agree with each other make a leap believed: then the place before was the wrong one.
	leapTimes = 3
)

// kindUnit is the kind of a Thing that is a unit's position.
const kindUnit = "unit"

// leap is where a unit was last said to be, and could not have come.
type leap struct {
	at    geo.Position
	when  time.Time
	times int
}

// leaps tells a place of a unit to which it cannot have come from its last one: it is kept as history, and is not its last place. A wrong
// place is not believed for ever: time makes the way possible, and so do places that agree with each other.
func (p *Pipeline) leaps(s *staged, o *feeds.Observation) bool {
	at, when, ok := s.standsAt(o)
	if !ok || !tooFast(at, when, o.Position, o.At.Time) {
		return false
	}
	l := s.track.leap
	switch {
	case l != nil && l.when.Equal(o.At.Time) && l.at == o.Position: // another property of the same place
	case l != nil && o.At.After(l.when) && !tooFast(l.at, l.when, o.Position, o.At.Time):
		l.at, l.when, l.times = o.Position, o.At.Time, l.times+1
	default:
		l = &leap{o.Position, o.At.Time, 1}
	}
	if l.times < leapTimes {
		s.track.leap = l
		return true
	}
	s.track.leap = nil
	return false
}

// standsAt gives the last place of a unit and when it was there; false: the reading places no unit, or is not newer.
func (s *staged) standsAt(o *feeds.Observation) (geo.Position, time.Time, bool) {
	if !o.Placed {
		return geo.Position{}, time.Time{}, false
	}
	if t := s.thing; t != nil {
		return t.Position, t.At.Time, t.Kind == kindUnit && t.Placed && o.At.After(t.At.Time)
	}
	e, last := s.track.entry, s.track.packed()
	if e == nil || last == "" || e.Kind != kindUnit || !e.Placed || e.Position == o.Position {
		return geo.Position{}, time.Time{}, false
	}
	return e.Position, time.UnixMilli(last.At()), o.At.Milli() > last.At()
}

func tooFast(from geo.Position, at time.Time, to geo.Position, then time.Time) bool {
	d := geo.Distance(from, to)
	return d > leapMeters && d > leapMps*then.Sub(at).Seconds()
}
