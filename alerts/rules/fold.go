package rules

import "kentongan/feeds"

// A rule on one Thing is a fold: a state, moved by marks in the order of their event times. The state before the oldest mark that is kept
// (base) and the marks give the state now (head), so that a late mark is put where it belongs and the rest is judged again.

// mark is what one reading says to a rule.
type mark struct {
	at    int64   // event time, ms
	value *sample // nil where nobody will ask for it
	prop  uint8   // which of the pair's properties
	said  said
}

// said is the judgement of one reading.
type said uint8

const (
	held   said = 1 << iota // the condition holds
	over                    // the condition to clear holds
	backed                  // another instrument says the same
	timed                   // our clock dates it: an equal time is no copy
)

// sample is a reading's value.
type sample struct {
	value feeds.Value
	unit  string
}

// fold is where a rule stands on one Thing. Times are event times in ms; 0 is none.
type fold struct {
	firing  bool
	armed   bool  // the opposite has been seen, which enter and exit need
	claimed bool  // prop raised it: other properties neither confirm nor clear
	prop    uint8 // see claimed
	agree   int32 // consecutive marks for the change
	since   int64 // first of them
	enough  int64 // when they were enough
	fired   int64 // crossing of the firing that stands
	last    int64 // newest mark
	moved   int64 // crossing of the latest turn; later than last where time brought it
}

// turn is one change that the fold made.
type turn struct {
	fire  bool
	at    int64
	since int64
}

// pace is what a fold needs to know of its rule.
type pace struct {
	samples  int32
	holdMs   int64 // for, or dwell
	clearMs  int64 // clear_for
	absentMs int64 // a dead man's switch
	opposite bool  // fires only on a change that was seen
}

// due is when the fold will turn by itself, if nothing else is heard; 0: never.
func (f *fold) due(p *pace) int64 {
	switch {
	case p.absentMs > 0:
		if f.firing || f.last == 0 {
			return 0
		}
		return f.last + p.absentMs
	case f.enough == 0:
		return 0
	case f.firing:
		return max(f.enough, f.since+p.clearMs)
	}
	return max(f.enough, f.since+p.holdMs)
}

// until lets time pass; what was due before then turns. At the very moment a mark may still say otherwise.
func (f *fold) until(p *pace, at int64) (turn, bool) {
	due := f.due(p)
	if due == 0 || due >= at {
		return turn{}, false
	}
	t := turn{fire: !f.firing, at: due, since: f.since}
	if p.absentMs > 0 {
		t.since = f.last
	}
	f.turned(t)
	return t, true
}

func (f *fold) turned(t turn) {
	f.firing, f.fired, f.moved = t.fire, 0, t.at
	if t.fire {
		f.fired = t.at
	} else {
		f.claimed = false
	}
	f.agree, f.since, f.enough = 0, 0, 0
}

// step moves the fold by one mark, which must not be older than the last, and calls turned for each change: at most one that was due before
// it and one that it makes.
func (f *fold) step(p *pace, m *mark, turned func(turn)) {
	if t, ok := f.until(p, m.at); ok {
		turned(t)
	}
	f.last = m.at
	if p.absentMs > 0 {
		if f.firing {
			t := turn{at: m.at, since: m.at}
			f.turned(t)
			turned(t)
		}
		return
	}
	if f.claimed && f.prop != m.prop {
		return
	}
	want := held
	if f.firing {
		want = over
	}
	if m.said&want == 0 || !f.firing && p.opposite && !f.armed {
		if !f.firing {
			f.claimed = false
			f.armed = f.armed || m.said&held == 0
		}
		f.agree, f.since, f.enough = 0, 0, 0
		return
	}
	f.claimed, f.prop = true, m.prop
	if f.agree++; f.agree == 1 {
		f.since = m.at
	}
	if f.enough == 0 && (f.agree >= p.samples || !f.firing && m.said&backed != 0) {
		f.enough = m.at
	}
	if t, ok := f.until(p, m.at+1); ok {
		turned(t)
	}
}
