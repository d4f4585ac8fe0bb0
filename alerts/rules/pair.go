package rules

import (
	"slices"
	"sort"

	"kentongan/feeds"
	"kentongan/geo"
)

// historyMs is how late a reading may come, by event time against the newest of its series, to be judged as if it had come in order; most
// marks are kept for one rule on one Thing, of a series that is faster than that history is shorter.
const (
	historyMs = 10 * 60 * 1000
	mostMarks = 4096
)

// pair is one rule on one Thing.
type pair struct {
	rule     *compiled
	key      string
	thing    *feeds.Thing // as it was heard last
	lag      int64        // our clock when the newest mark came, less its event time; never negative
	props    []string     // by mark.prop
	inside   bool         // of a fence, when it was heard last
	gone     bool         // its memory was given back
	position geo.Position // of a fence: where it was heard last
	at       place        // where it was heard last, for corroborate

	base  fold // before the oldest mark
	floor int64
	marks []mark // by event time; those before from are done with
	from  int
	head  fold // after the newest mark and the time that has passed

	raised []span // what was said of late, the last of them may be open
	timer  int64  // for which the clock is set; 0: none
}

// span is a firing from its crossing until it cleared; to is 0 while it stands.
type span struct {
	from, to  int64
	since     int64 // when its condition began to hold
	said      int64 // crossing under which it was raised; late readings may move from
	withdrawn bool
}

// open tells that the latest thing said is that it fires.
func (p *pair) open() bool { return len(p.raised) > 0 && p.raised[len(p.raised)-1].to == 0 }

func (p *pair) kept() []mark { return p.marks[p.from:] }

// placed is what became of a mark.
type placed int8

const (
	appended placed = iota // the newest
	inserted               // among the others: judge again
	copied                 // known already
	tooLate                // older than what is kept
)

// put puts a mark where its event time belongs.
func (p *pair) put(m mark) (int, placed) {
	if p.floor != 0 && m.at <= p.floor {
		return 0, tooLate
	}
	list := p.kept()
	n := len(list)
	if n == 0 || m.at > list[n-1].at || m.at == list[n-1].at && m.said&timed != 0 && list[n-1].said&timed != 0 {
		p.append(m)
		return n, appended
	}
	i := sort.Search(n, func(i int) bool { return list[i].at >= m.at })
	for j := i; j < n && list[j].at == m.at; j++ {
		if list[j].prop == m.prop && (m.said|list[j].said)&timed == 0 {
			return j, copied
		}
	}
	if i < n && list[i].at == m.at { // of another property: in the order of properties, so that the order of arrival is no matter
		for i < n && list[i].at == m.at && (list[i].prop <= m.prop) {
			i++
		}
		if i == n {
			p.append(m)
			return n, appended
		}
	}
	p.marks = slices.Insert(p.marks, p.from+i, m)
	return i, inserted
}

// append makes room at the front before it makes a greater slice.
func (p *pair) append(m mark) {
	if len(p.marks) == cap(p.marks) && p.from > len(p.marks)/2 {
		n := copy(p.marks, p.marks[p.from:])
		clear(p.marks[n:])
		p.marks, p.from = p.marks[:n], 0
	}
	p.marks = append(p.marks, m)
}

// trim lets the base take up the marks that are too old to be passed by a late one.
func (p *pair) trim() {
	list := p.kept()
	newest := list[len(list)-1].at
	n := 0
	for n < len(list)-1 && (list[n].at < newest-p.rule.historyMs || len(list)-n > mostMarks) {
		p.base.step(&p.rule.pace, &list[n], func(turn) {})
		p.floor = list[n].at
		list[n].value = nil
		n++
	}
	p.from += n
	known := p.floor
	if p.base.firing { // what began before the floor and may end after it
		known = min(known, p.base.fired)
	}
	for len(p.raised) > 1 && p.raised[0].to != 0 && max(p.raised[0].to, p.raised[0].said) < known {
		p.raised = p.raised[1:]
	}
}

// again judges all marks anew and gives the firings that in-order input has.
func (p *pair) again(now int64) []span {
	f := p.base
	var out []span
	if f.firing {
		out = append(out, span{from: f.fired, since: f.fired})
	}
	turned := func(t turn) {
		if t.fire {
			out = append(out, span{from: t.at, since: t.since})
		} else if len(out) > 0 {
			out[len(out)-1].to = t.at
		}
	}
	list := p.kept()
	for i := range list {
		f.step(&p.rule.pace, &list[i], turned)
	}
	for {
		t, ok := f.until(&p.rule.pace, now-p.lag)
		if !ok {
			break
		}
		turned(t)
	}
	p.head = f
	return out
}

// correction is what must be said so that what was said agrees with what is so.
type correction struct {
	turn
	withdrawn bool
}

// corrections compares what was said with what in-order input has, and takes note of what it gives. Afterwards the last word agrees: it
// fires exactly where in-order input has it firing.
func (p *pair) corrections(truth []span) []correction {
	var out []correction
	clear := func(s *span, to int64, withdrawn bool) {
		s.to, s.withdrawn = to, withdrawn
		out = append(out, correction{turn{at: max(to, s.said), since: s.since}, withdrawn})
	}
	rest := truth
	if p.open() {
		stands := &p.raised[len(p.raised)-1]
		i := slices.IndexFunc(truth, func(t span) bool { return t.to == 0 || t.to >= stands.from })
		switch {
		case i < 0:
			clear(stands, stands.from, true)
		case truth[i].to == 0: // what ended before it belongs to the same case
			stands.from = min(stands.from, truth[i].from)
			return nil
		default:
			stands.from = min(stands.from, truth[i].from)
			clear(stands, truth[i].to, false)
			rest = truth[i+1:]
		}
	}
	for _, t := range rest {
		known := p.told(t)
		if known && (t.to != 0 || p.open()) {
			continue
		}
		at := t.from
		if known { // it was said to be over, and is not
			at = max(at, p.raised[len(p.raised)-1].to)
		}
		at = p.name(at)
		out = append(out, correction{turn{fire: true, at: at, since: t.since}, false})
		p.raised = append(p.raised, span{from: t.from, since: t.since, said: at})
		if t.to != 0 {
			clear(&p.raised[len(p.raised)-1], t.to, false)
		}
	}
	for i := range p.raised { // what was said and was over, and never was
		s := &p.raised[i]
		if p.open() || s.withdrawn || s.from <= p.floor || slices.ContainsFunc(truth, func(t span) bool { return t.meets(s) }) {
			continue
		}
		s.withdrawn = true
		out = append(out, correction{turn{at: s.said, since: s.since}, true})
	}
	return out
}

// told tells that a firing has been said, if not in every detail.
func (p *pair) told(t span) bool {
	return slices.ContainsFunc(p.raised, func(s span) bool { return !s.withdrawn && t.meets(&s) })
}

// meets tells that two firings have a moment in common.
func (s *span) meets(o *span) bool {
	return (s.to == 0 || o.from <= s.to) && (o.to == 0 || s.from <= o.to)
}

// name gives a crossing its own name: one that was withdrawn, and that another late reading shows to have been right, cannot be raised again
// under the old one.
func (p *pair) name(at int64) int64 {
	for slices.ContainsFunc(p.raised, func(s span) bool { return s.said == at }) {
		at++
	}
	return at
}

// turned takes note of a change of the head that needs no correction, and gives it as it is to be said; false where it has been said.
func (p *pair) turned(t turn) (turn, bool) {
	switch {
	case t.fire == p.open():
		return t, false
	case t.fire:
		from := t.at
		t.at = p.name(t.at)
		p.raised = append(p.raised, span{from: from, since: t.since, said: t.at})
	default:
		s := &p.raised[len(p.raised)-1]
		s.to, t.at = t.at, max(t.at, s.said)
	}
	return t, true
}

// inputs are the latest readings that led to a change, oldest first, at most five.
func (p *pair) inputs(t turn) []sampled {
	flag := over
	if t.fire {
		flag = held
	}
	list := p.kept()
	most := min(int(p.rule.pace.samples), 5)
	var out []sampled
	for i := len(list) - 1; i >= 0 && len(out) < most; i-- {
		m := &list[i]
		if m.at > t.at {
			continue
		}
		if m.said&flag == 0 || m.at < t.since {
			break
		}
		if m.value != nil {
			out = append(out, sampled{m.at, p.props[m.prop], m.value})
		}
	}
	slices.Reverse(out)
	return out
}

// sampled is a mark's value with its property.
type sampled struct {
	at       int64
	property string
	value    *sample
}
