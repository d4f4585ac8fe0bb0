package rules

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// Engine is where the rules of a Program stand: a pure function of the state it was given, of the inputs in their order and of the clock that
// comes with each of them. It asks nobody for the time. An input is given once, in the order in which it was committed, with the clock of
// then; how often Tick is called between makes no difference to what is decided, nor to any time in it.
//
// One goroutine gives it inputs; Concerns and List may be called by others.
type Engine struct {
	program atomic.Pointer[Program]

	mu     sync.Mutex
	now    int64 // our clock, ms: the latest that came with an input
	swept  int64
	states map[string]*standing
	list   []*standing // by compiled.order
	timers timers
	out    []Decision
	view   view
	obs    feeds.Observation
	series *watch
	saved  map[string]bool // fields that the last Saves gave
	fresh  bool            // the beginnings of the fences have changed since the last Save
	swipe  int64           // our clock when what is long gone was forgotten last
	tracks *tracks
}

// standing is where one rule stands.
type standing struct {
	rule    *compiled
	pairs   map[string]*pair
	rest    map[string]int64 // Things that were quiet for long: event time up to which they have been judged
	dirty   [shards]bool     // parts of the state that have changed since the last Save
	began   int64            // our clock when the rule was taken up by Swap; 0: it was there from the beginning
	urgent  [shards]bool     // of those that need not be saved each time
	savedAt [shards]int64
	late    int64  // readings that came too late to be judged
	near    *near  // where the condition held lately, for corroborate
	piles   *piles // of a count
	usual   map[string]*usual
}

// NewEngine makes an engine without a state.
func NewEngine(p *Program) *Engine {
	e := &Engine{}
	e.reset(p)
	return e
}

func (e *Engine) reset(p *Program) {
	e.program.Store(p)
	e.saved = map[string]bool{}
	e.now, e.swept, e.swipe, e.states, e.timers, e.series, e.tracks = 0, 0, 0, map[string]*standing{}, nil, newWatch(), newTracks()
	e.out, e.fresh = nil, true // what another life decided is not this one's to tell
	for _, c := range p.list {
		e.states[c.rule.ID] = newStanding(c)
	}
	e.enlist(p)
}

// enlist puts the standings in the order of their rules.
func (e *Engine) enlist(p *Program) {
	e.list = make([]*standing, len(p.list))
	for i, c := range p.list {
		e.list[i] = e.states[c.rule.ID]
	}
}

func newStanding(c *compiled) *standing {
	s := &standing{rule: c, pairs: map[string]*pair{}, rest: map[string]int64{}}
	switch {
	case c.kind == KindCount:
		s.piles = newPiles(c)
	case c.kind == KindAnomaly:
		s.usual = map[string]*usual{}
	case c.rule.Corroborate != nil:
		s.near = newNear(c.rule.Corroborate)
	}
	return s
}

// Program is what the engine runs.
func (e *Engine) Program() *Program { return e.program.Load() }

// Concerns tells whether any rule looks at readings of a property.
func (e *Engine) Concerns(property string) bool { return e.program.Load().Concerns(property) }

// LongestFor is Program.LongestFor.
func (e *Engine) LongestFor() time.Duration { return e.program.Load().LongestFor() }

// Reading judges one reading by the rules it concerns. The Thing holds the state after the reading. Now is our clock when the reading was
// committed, also where it is judged later. One that is late by up to ten minutes against the newest of its Thing is judged as if it had come
// in order; one that is later still, or a copy, says nothing.
func (e *Engine) Reading(t *feeds.Thing, o feeds.Observation, now time.Time) []Decision {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.advance(now.UnixMilli())
	p := e.program.Load()
	if !p.Concerns(o.Property) {
		return e.take()
	}
	at := eventTime(&o, now)
	o.At = momentOf(at)
	e.obs = o
	e.view = view{thing: t, obs: &e.obs, places: p.places}
	v := &e.view
	lag := max(0, now.UnixMilli()-at)
	if !e.trusted(v, at, now.UnixMilli()) {
		e.alive(p, v, at, now.UnixMilli())
		return e.take()
	}
	for _, name := range p.keys {
		for _, c := range p.index[name][fields[name].text(v)] {
			e.judge(c, v, at, lag)
		}
	}
	for _, c := range p.loose {
		e.judge(c, v, at, lag)
	}
	e.fenced(p, v, at, lag)
	return e.take()
}

// alive tells the rules on silence of a reading that nobody believes: an instrument that says what is wrong is not silent. One whose clock is
// wrong spoke when its reading came.
func (e *Engine) alive(p *Program, v *view, at, now int64) {
	m := mark{at: at}
	if p.wrong(v, at, now) == FaultClock {
		m = mark{at: receipt(v.obs, now), said: timed}
		v.obs.At = momentOf(m.at)
	}
	if v.obs.Quality == feeds.Received {
		m.said = timed
	}
	heard := func(list []*compiled) {
		for _, c := range list {
			if c.kind == KindAbsence && c.tied(v) && c.when.holds(v) {
				e.mark(e.list[c.order], v, m, max(0, now-m.at))
			}
		}
	}
	for _, name := range p.keys {
		heard(p.index[name][fields[name].text(v)])
	}
	heard(p.loose)
}

// judge tries one rule on a reading.
func (e *Engine) judge(c *compiled, v *view, at, lag int64) {
	if !c.tied(v) {
		return
	}
	s := e.list[c.order]
	switch c.kind {
	case KindCount:
		e.countThing(s, v, at)
		return
	case KindAbsence:
		if !c.when.holds(v) {
			return
		}
	case KindAnomaly:
		e.anomalous(s, v, at, lag)
		return
	}
	m := mark{at: at}
	if v.obs.Quality == feeds.Received {
		m.said = timed
	}
	if c.kind == KindThreshold {
		m.said |= c.says(v)
	}
	e.mark(s, v, m, lag)
}

// says tries the conditions of a threshold or a rate.
func (c *compiled) says(v *view) said {
	var out said
	if c.holdsAt(v, 0) {
		out = held
	}
	switch {
	case c.clear != nil:
		if c.clear.holds(v) {
			out |= over
		}
	case out == held:
	case c.deadband == 0 || !c.holdsAt(v, c.deadband) && !c.holdsAt(v, -c.deadband):
		out |= over
	}
	return out
}

// holdsAt tries `when` on the value, or the rate, moved by an amount.
func (c *compiled) holdsAt(v *view, by float64) bool {
	if c.kind == KindRate {
		was := v.rate
		v.rate += by
		defer func() { v.rate = was }()
		r := c.rule.Rate
		if r.Rise > 0 || r.Fall > 0 {
			if !v.rated || !(r.Rise > 0 && v.rate >= r.Rise || r.Fall > 0 && v.rate <= -r.Fall) {
				return false
			}
		}
		return c.when.holds(v)
	}
	if by == 0 {
		return c.when.holds(v)
	}
	if v.obs.Value.Type != feeds.Number {
		return false
	}
	was := v.obs.Value.Num
	v.obs.Value.Num += by
	defer func() { v.obs.Value.Num = was }()
	return c.when.holds(v)
}

// mark lets a rule take up what a reading says about its Thing.
func (e *Engine) mark(s *standing, v *view, m mark, lag int64) {
	p := e.pairOf(s, v)
	m.prop = p.propertyOf(v.obs.Property)
	if s.rule.kind == KindRate || m.said&held != 0 || p.head.firing && m.said&over != 0 {
		m.value = &sample{v.obs.Value, v.obs.Unit}
	}
	e.markPair(s, p, v, m, lag)
}

// pairOf finds the pair of a rule and the reading's Thing.
func (e *Engine) pairOf(s *standing, v *view) *pair {
	x := v.instrument
	if x == nil {
		return s.pair(v.thing.ID, e.now)
	}
	for i, p := range x.pairs {
		if p.rule != s.rule {
			continue
		}
		if !p.gone && !p.quiet(e.now) {
			return p
		}
		x.pairs[i] = s.pair(v.thing.ID, e.now)
		return x.pairs[i]
	}
	p := s.pair(v.thing.ID, e.now)
	x.pairs = append(x.pairs, p)
	return p
}

func (e *Engine) markPair(s *standing, p *pair, v *view, m mark, lag int64) placed {
	c := s.rule
	i, how := p.put(m)
	switch how {
	case tooLate:
		s.late++
		return how
	case copied:
		return how
	case appended:
		p.thing, p.lag = v.thing, lag
	case inserted:
		if p.thing == nil {
			p.thing = v.thing
		}
	}
	s.dirty[shardOf(p.key)] = true
	if c.kind == KindRate {
		p.rated(i, v)
	}
	if s.near != nil && p.kept()[i].said&held != 0 {
		e.corroborate(s, p, i, v)
	}
	if how == inserted || m.at <= p.head.moved { // time has brought a turn of which this reading, which is of before it, knows nothing
		e.rejudge(p)
	} else {
		p.head.step(&c.pace, &p.kept()[i], func(t turn) { e.turned(p, t) })
	}
	if how == appended {
		p.trim()
	}
	e.arm(p)
	return how
}

// rejudge judges all marks of a pair anew and says what was said wrongly.
func (e *Engine) rejudge(p *pair) {
	for _, c := range p.corrections(p.again(e.now)) {
		e.say(p, c.turn, c.withdrawn)
	}
}

func (e *Engine) turned(p *pair, t turn) {
	if t, ok := p.turned(t); ok {
		e.say(p, t, false)
	}
}

// say makes a decision of a turn.
func (e *Engine) say(p *pair, t turn, withdrawn bool) {
	d := Decision{
		Rule: p.rule.rule, Fire: t.fire, Key: p.key, Thing: p.thing, Position: p.thing.Position, Placed: p.thing.Placed, Type: p.rule.about(),
		Sources: []string{p.key}, At: timeOf(t.at), Since: timeOf(t.since), Withdrawn: withdrawn, Inputs: []incident.Input{},
	}
	if p.rule.kind == KindFence {
		d.Position, d.Placed = p.position, true
		d.Inputs = append(d.Inputs, inputOf(p.key, placeProperty, feeds.Value{Type: feeds.Text, Text: placeText(p.position)}, "", t.at))
	}
	for _, in := range p.inputs(t) {
		d.Inputs = append(d.Inputs, inputOf(p.key, in.property, in.value.value, in.value.unit, in.at))
	}
	if s := e.list[p.rule.order]; s.near != nil && t.fire {
		d.Sources = append(d.Sources, s.near.beside(p, t)...)
		slices.Sort(d.Sources)
		d.Sources = slices.Compact(d.Sources)
	}
	e.list[p.rule.order].dirty[shardOf(p.key)] = true
	e.out = append(e.out, d)
}

// about is the type of incident that a rule is about.
func (c *compiled) about() string {
	switch {
	case c.rule.Incident != nil:
		return c.rule.Incident.Type
	case c.kind == KindFault:
		return faultType
	}
	return ""
}

// arm sets the clock for what will turn by itself. A clock that is set too early is set again when it rings.
func (e *Engine) arm(p *pair) {
	due := p.head.due(&p.rule.pace)
	if due == 0 {
		return
	}
	due += p.lag + 1
	if p.timer == 0 || due < p.timer {
		p.timer = due
		e.timers.push(timer{due: due, pair: p})
	}
}

// advance lets time pass.
func (e *Engine) advance(now int64) {
	e.now = max(e.now, now)
	for len(e.timers) > 0 && e.timers[0].due <= e.now {
		t := e.timers.pop()
		if t.pile != nil {
			e.ring(t.pile, t.due)
			continue
		}
		p := t.pair
		if p.timer != t.due {
			continue
		}
		p.timer = 0
		e.list[p.rule.order].dirty[shardOf(p.key)] = true
		if turn, ok := p.head.until(&p.rule.pace, t.due-p.lag); ok {
			e.turned(p, turn)
		}
		e.arm(p)
	}
	e.sweep()
}

// take hands over what was decided.
func (e *Engine) take() []Decision {
	if len(e.out) == 0 {
		return nil
	}
	out := e.out
	e.out = nil
	return out
}

// Tick lets time pass without an input: what has held for its time fires, what has been silent for its time fires, windows end.
func (e *Engine) Tick(now time.Time) []Decision {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.advance(now.UnixMilli())
	return e.take()
}

// pair gives where the rule stands on a Thing.
func (s *standing) pair(key string, now int64) *pair {
	p := s.pairs[key]
	if p != nil && p.quiet(now) {
		s.free(key, p)
		p = nil
	}
	if p == nil {
		p = &pair{rule: s.rule, key: key, floor: s.rest[key]}
		p.base.last = p.floor
		p.head = p.base
		delete(s.rest, key)
		s.pairs[key] = p
	}
	return p
}

// propertyOf gives the number of a property; past 250 they share one.
func (p *pair) propertyOf(name string) uint8 {
	for i, n := range p.props {
		if n == name {
			return uint8(i)
		}
	}
	if len(p.props) >= 250 {
		return 249
	}
	p.props = append(p.props, name)
	return uint8(len(p.props) - 1)
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func momentOf(ms int64) moment.Time { return moment.Time{Time: timeOf(ms)} }
