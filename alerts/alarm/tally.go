package alarm

import (
	"slices"
	"time"
)

// shift is how far back the mean load of a desk looks.
const shift = 8 * time.Hour

// tallies is what every desk has had, and the house as a whole.
type tallies struct {
	desks    map[string]*tallied
	everyone *tallied
	staffed  []string // sorted
	memo     bool     // floods have begun or ended since it was written
}

func newTallies() tallies { return tallies{desks: map[string]*tallied{}, everyone: &tallied{}} }

// at gives a desk's tally.
func (t *tallies) at(desk string) *tallied {
	d := t.desks[desk]
	if d == nil {
		d = &tallied{}
		t.desks[desk] = d
	}
	return d
}

// tallied is what one desk has had.
type tallied struct {
	presented []presented // within a shift: rows of P2 and P3, announcements of P1
	raised    []raising   // within ten minutes
	flood     bool
	since     time.Time
	spans     []Span // floods that are over
}

// presented is one claim on somebody's attention, and the alarm that made it.
type presented struct {
	at     time.Time
	urgent bool
	id     string
}

type raising struct {
	at time.Time
	id string
}

// Span is a time from and to, in ms.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// claim notes that an alarm has claimed the attention of desks.
func (p *plane) claim(e *entry, desks []string, urgent bool, now time.Time) {
	if e.own.Claims = append(e.own.Claims, Claim{now.UnixMilli(), slices.Clone(desks), urgent}); len(e.own.Claims) > claimsKept {
		e.own.Claims = slices.Delete(e.own.Claims, 0, 1)
	}
	for _, d := range desks {
		p.at(d).note(now, urgent, e.ID)
	}
	p.everyone.note(now, urgent, e.ID)
}

// inherit counts at every seat what stands in its queue though it was presented elsewhere: what was shown where nobody sits is every desk's, and
// whoever sits there has it before their eyes. What somebody has acknowledged asks nobody any more.
func (p *plane) inherit(now time.Time) {
	var left []presented
	for _, d := range keysOf(p.desks) {
		if slices.Contains(p.seats(), d) {
			continue
		}
		for _, c := range p.desks[d].presented {
			if e := p.all[c.id]; now.Sub(c.at) < Window && e != nil && e.Presented && e.Ack == nil {
				left = append(left, c)
			}
		}
	}
	for _, d := range p.seats() {
		t := p.at(d)
		for _, c := range left {
			if !slices.Contains(t.presented, c) {
				t.presented = append(t.presented, c)
			}
		}
		t.order()
	}
}

func (t *tallied) order() {
	slices.SortStableFunc(t.presented, func(a, b presented) int { return a.at.Compare(b.at) })
}

func (t *tallied) note(now time.Time, urgent bool, id string) {
	t.presented = append(t.presented, presented{now, urgent, id})
	if n := cut(t.presented, func(p presented) bool { return now.Sub(p.at) >= shift }); n > 0 {
		t.presented = slices.Delete(t.presented, 0, n)
	}
}

// cut counts the first ones of a list that are old.
func cut[T any](list []T, old func(T) bool) int {
	n := 0
	for n < len(list) && old(list[n]) {
		n++
	}
	return n
}

// within counts what was presented in the last ten minutes.
func (t *tallied) within(now time.Time, want func(presented) bool) int {
	n := 0
	for i := len(t.presented) - 1; i >= 0 && now.Sub(t.presented[i].at) < Window; i-- {
		if want(t.presented[i]) {
			n++
		}
	}
	return n
}

func (t *tallied) shown(now time.Time) int {
	return t.within(now, func(presented) bool { return true })
}

// rows counts P2 and P3.
func (t *tallied) rows(now time.Time) int {
	return t.within(now, func(p presented) bool { return !p.urgent })
}

// news counts what was raised in the last ten minutes.
func (t *tallied) news(now time.Time) int {
	if n := cut(t.raised, func(r raising) bool { return now.Sub(r.at) >= Window }); n > 0 {
		t.raised = t.raised[n:]
	}
	return len(t.raised)
}

func (t *tallied) begin(now time.Time) {
	if !t.flood {
		t.flood, t.since = true, now
	}
}

func (t *tallied) end(now time.Time) {
	t.spans = append(t.spans, Span{t.since.UnixMilli(), now.UnixMilli()})
	if n := cut(t.spans, func(s Span) bool { return now.UnixMilli()-s.To >= shownFor.Milliseconds() }); n > 0 {
		t.spans = slices.Delete(t.spans, 0, n)
	}
	t.flood, t.since = false, time.Time{}
}

// flooded is how much of the last 24 h was flood.
func (t *tallied) flooded(now time.Time) float64 {
	from, sum := now.Add(-shownFor).UnixMilli(), int64(0)
	for _, s := range t.spans {
		sum += max(0, s.To-max(s.From, from))
	}
	if t.flood {
		sum += now.UnixMilli() - max(t.since.UnixMilli(), from)
	}
	return float64(sum) / float64(shownFor.Milliseconds())
}

// raise counts an alarm as raised at desks, once by the house and once by each desk that it comes to, and looks whether that makes a flood.
func (p *plane) raise(e *entry, desks []string, now time.Time) {
	was := e.own.Raised
	if was != nil && len(was.Desks) > 0 || e.Code != "" {
		return
	}
	e.own.Raised = &Claim{At: now.UnixMilli(), Desks: slices.Clone(desks)}
	for _, d := range desks {
		p.at(d).raised = append(p.at(d).raised, raising{now, e.ID})
	}
	if was == nil {
		p.everyone.raised = append(p.everyone.raised, raising{now, e.ID})
	}
	for _, d := range desks {
		if t := p.at(d); !t.flood && len(t.raised) >= p.config.FloodFrom {
			p.floods(now)
			return
		}
	}
}

// sources counts activations by source and hour.
type sources map[string]*source

type source struct {
	event string
	hours map[int64]int
}

func (s sources) note(name, event string, now time.Time) { s.add(name, event, now, 1) }

func (s sources) add(name, event string, at time.Time, n int) {
	one := s[name]
	if one == nil {
		one = &source{hours: map[int64]int{}}
		s[name] = one
	}
	one.event = event
	one.hours[at.Unix()/3600] += n
}

// trim forgets hours of more than a day ago.
func (s sources) trim(now time.Time) {
	oldest := now.Unix()/3600 - 23
	for name, one := range s {
		for h := range one.hours {
			if h < oldest {
				delete(one.hours, h)
			}
		}
		if len(one.hours) == 0 {
			delete(s, name)
		}
	}
}
