package rules

import (
	"math"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/feeds/cap"
)

// FaultRule is the id of the built-in rule that tells of an instrument which is out of order. A rule of that id in the list takes its place:
// it needs no `when`, and may say words, severity, incident and consequence of its own, or `enabled: false`.
const (
	FaultRule = "sensor-fault"
	faultType = "sensor_fault"
)

// What is wrong with an instrument, as Decision.Why says it.
const (
	FaultClock   = "clock"   // dated ahead of our clock, or a year behind it
	FaultRange   = "range"   // beyond what the rule's range, or physics, allows
	FaultUnit    = "unit"    // in another unit than before
	FaultValue   = "value"   // no number where there is one: NaN, infinite
	FaultSuspect = "suspect" // its feed or the house marked it so
	FaultStuck   = "stuck"   // the same value for far longer than ever
	FaultJump    = "jump"    // leaps far out and comes back, again and again
)

const (
	badNeeded  = 3  // readings, with fewer than goodNeeded good ones between them, until a fault is told
	goodNeeded = 10 // good readings in a row until it is over
	oldest     = 366 * 24 * int64(time.Hour/time.Millisecond)
	learned    = 30 // readings until a series is known
	stuckRun   = 30 // equal values at least, and stuckTimes the longest run ever, of a series that has changed stuckMoves times
	stuckTimes = 6
	stuckMoves = 20
	spikeMost  = 3 // leaps and returns, with fewer than spikeSpan readings between them, until they count as a fault
	spikeSpan  = 100

	unitReadings = 100                                    // in another unit, all of them, until that is the one that counts
	unitMs       = 24 * int64(time.Hour/time.Millisecond) // and for how long
	mutedMs      = 24 * int64(time.Hour/time.Millisecond) // of the property that is at fault, while its instrument says others: then nothing is held any more
	goneMs       = 31 * 24 * int64(time.Hour/time.Millisecond)
)

// faultRule is the built-in rule.
func faultRule() *Rule {
	return &Rule{ID: FaultRule,
		Alert:       AlertBlock{Event: "Gangguan sensor", Category: "Infra", Severity: cap.Minor, Urgency: "Expected", Certainty: "Likely"},
		Consequence: "Alat ini tidak menilai keadaan sampai beres / this instrument judges nothing until it is mended",
		Response:    "Periksa alat, satuan, jam dan kabelnya / check the instrument, its unit, clock and wiring",
		ActWithin:   24 * time.Hour, Owner: "kominfo"}
}

// possible is what physics allows where no rule says a range, by property and unit.
var possible = map[[2]string][2]float64{
	{"water_level", "m"}: {-20, 40}, {"rainfall", "mm/h"}: {0, 500}, {"temperature", "Cel"}: {-60, 65}, {"humidity", "%"}: {0, 110}, {"wind_speed", "m/s"}: {0, 110},
}

// watch is what is known of instruments.
type watch struct {
	things map[string]*instrument
}

func newWatch() *watch { return &watch{things: map[string]*instrument{}} }

// instrument is one Thing.
type instrument struct {
	thing    *feeds.Thing // as heard last; nil where it is in order
	series   []series
	bad      uint8
	good     uint8
	fault    string // empty: in order
	property string // on which the fault is
	since    int64
	heard    int64   // our clock when that property was heard last
	spoke    int64   // our clock when the instrument was heard last
	pairs    []*pair // of rules that looked at it lately, so that they need not be looked up by name; not all there are
}

// series is one property of an instrument.
type series struct {
	property string
	unit     string
	at       int64
	last     float64
	before   float64 // the value before a leap
	step     float64 // usual difference from reading to reading
	low      float64
	high     float64
	n        uint32
	run      uint32 // equal values in a row
	longest  uint32 // run, of those that ended
	moves    uint32
	calm     uint32 // readings since the last leap
	spikes   uint8
	away     uint8 // readings since a leap that has not come back; 0: none
	other    other
	sudden   bool // it leaps by its nature
}

// other is a unit in which a series speaks since it is known in another.
type other struct {
	unit     string
	n        uint32
	from, at int64
}

// settle says that an instrument is in order.
func (x *instrument) settle() {
	x.fault, x.property, x.since, x.heard, x.bad, x.good, x.thing = "", "", 0, 0, 0, 0, nil
}

// gone tells an instrument that has been silent for so long that nothing is known of it any more.
func (x *instrument) gone(now int64) bool { return x.spoke+goneMs < now }

// holds tells whether the fault that stands keeps a reading of a property from being judged: a clock dates all of them, all else is the trouble
// of one.
func (x *instrument) holds(property string) bool {
	return x.fault != "" && (x.property == property || x.fault == FaultClock)
}

func (x *instrument) of(property string) *series {
	for i := range x.series {
		if x.series[i].property == property {
			return &x.series[i]
		}
	}
	if len(x.series) >= mostProperties {
		return nil
	}
	x.series = append(x.series, series{property: property, sudden: sudden(property)})
	return &x.series[len(x.series)-1]
}

// trusted tells whether a reading may be judged, and tells of its instrument where that is out of order.
func (e *Engine) trusted(v *view, at, now int64) bool {
	o := v.obs
	if !e.program.Load().fault.rule.On() {
		return e.program.Load().wrong(v, at, now) == ""
	}
	x := e.series.things[v.thing.ID]
	if x != nil && x.gone(now) {
		e.forget(v.thing.ID, x)
		x = nil
	}
	if x == nil {
		x = &instrument{}
		e.series.things[v.thing.ID] = x
	}
	v.instrument, x.spoke = x, max(x.spoke, now)
	s := e.states[FaultRule]
	shard, bad, fault := shardOf(v.thing.ID), x.bad, x.fault
	s.dirty[shard] = true
	defer func() { s.urgent[shard] = s.urgent[shard] || bad != x.bad || fault != x.fault }()
	kind := e.program.Load().wrong(v, at, now)
	stuck, moved := false, false
	if kind == "" && o.Value.Type == feeds.Number {
		if r := x.of(o.Property); r != nil {
			kind, moved = r.take(o.Value.Num, o.Unit, at)
			stuck = kind == FaultStuck
		}
	}
	held := x.holds(o.Property)
	if held {
		x.heard = now
	}
	switch {
	case kind != "" && held:
		x.good = 0
	case kind != "" && x.fault != "": // one instrument, one fault: this reading alone is not judged
	case kind != "":
		x.good = 0
		if x.bad++; x.bad >= badNeeded || stuck || kind == FaultJump {
			x.fault, x.property, x.since, x.heard, x.bad = kind, o.Property, at, now, 0
			if kind == FaultClock { // its own time says nothing; the receipt is the same live, tried again and replayed
				x.since = receipt(o, now)
			}
			x.thing = v.thing
			e.outOfOrder(v, x, true, x.since)
		}
	case x.fault == "":
		if x.bad > 0 {
			if x.good++; x.good >= goodNeeded {
				x.bad, x.good = 0, 0
			}
		}
		return true
	case held:
		if x.good++; x.good < goodNeeded && !(x.fault == FaultStuck && moved) {
			return false
		}
		e.outOfOrder(v, x, false, max(at, x.since))
		x.settle()
		return true
	default:
		if now > x.heard+mutedMs { // it no longer says the property that was at fault, and never may
			e.faultOver(e.program.Load().fault, v.thing.ID, x, max(x.heard+mutedMs, x.since), x.why()+" ended=silent")
			x.settle()
		}
		return true
	}
	return false
}

// receipt is when a reading came, by our clock.
func receipt(o *feeds.Observation, now int64) int64 {
	if o.ReceivedAt.IsZero() {
		return now
	}
	return o.ReceivedAt.UnixMilli()
}

// wrong names what is wrong with a reading by itself.
func (p *Program) wrong(v *view, at, now int64) string {
	o := v.obs
	switch {
	case o.Quality == feeds.ClockSkew, at > now+feeds.ClockSkewLimit.Milliseconds(), at < now-oldest:
		return FaultClock
	case o.Quality != "" && o.Quality != feeds.Good && o.Quality != feeds.Received:
		return FaultSuspect
	case o.Value.Type == feeds.Text:
		return ""
	case !finite(o.Value.Num):
		return FaultValue
	case o.Value.Type == feeds.Number && !p.within(v):
		return FaultRange
	}
	return ""
}

// within tells a number that rules, or else physics, allow.
func (p *Program) within(v *view) bool {
	x := v.obs.Value.Num
	asked := false
	for _, c := range p.ranges[v.obs.Property] {
		if !c.tied(v) {
			continue
		}
		asked = true
		if x < c.rule.Range[0] || x > c.rule.Range[1] {
			return false
		}
	}
	if asked {
		return true
	}
	r, ok := possible[[2]string{v.obs.Property, v.obs.Unit}]
	return !ok || x >= r[0] && x <= r[1]
}

// take learns a value and names what is wrong with the series; moved where the value is another than before. Late readings and copies say
// nothing here.
func (s *series) take(x float64, unit string, at int64) (wrong string, moved bool) {
	if at <= s.at {
		return "", false
	}
	if s.n >= learned && unit != "" && s.unit != "" && unit != s.unit {
		if !s.other.stands(unit, at) {
			return FaultUnit, false
		}
		s.n = 0 // so long, and nobody has mended it: that is its unit now, and all else is learned anew
	}
	s.at, s.other = at, other{}
	if s.n == 0 {
		*s = series{property: s.property, sudden: s.sudden, unit: unit, at: at, last: x, low: x, high: x, n: 1, run: 1, calm: spikeSpan}
		return "", true
	}
	if s.unit == "" {
		s.unit = unit
	}
	moved = x != s.last
	s.count(moved)
	if s.sudden {
		s.low, s.high = min(s.low, x), max(s.high, x)
	} else if wrong = s.leap(x); wrong != "" {
		s.last = x
		return wrong, moved
	}
	s.last = x
	if x != 0 && s.moves >= stuckMoves && s.run >= max(stuckRun, stuckTimes*s.longest) {
		return FaultStuck, moved
	}
	return "", moved
}

// suddenly are parts of the names of properties that leap and come back by their nature: a shock, a blow, a bang. A leap says nothing of the
// instrument there, also where it is the only one that felt it.
var suddenly = []string{"accel", "pga", "pgv", "pgd", "ground_velocity", "vibration", "shaking", "shock", "intensity", "mmi", "sound", "noise", "gust"}

// sudden tells a property that leaps by its nature.
func sudden(property string) bool {
	property = strings.ToLower(property)
	return slices.ContainsFunc(suddenly, func(part string) bool { return strings.Contains(property, part) })
}

// stands takes note of a reading in another unit than the one that is known, and tells whether that has lasted.
func (o *other) stands(unit string, at int64) bool {
	switch {
	case o.unit != unit:
		*o = other{unit: unit, n: 1, from: at, at: at}
	case at > o.at:
		o.n++
		o.at = at
	}
	return o.n >= unitReadings && o.at-o.from >= unitMs
}

// count learns for how long the series says the same.
func (s *series) count(moved bool) {
	if s.n < math.MaxUint32 {
		s.n++
	}
	if !moved {
		if s.run < math.MaxUint32 {
			s.run++
		}
		return
	}
	if s.moves < stuckMoves || s.run < max(stuckRun, stuckTimes*s.longest) { // a run that was a fault is none to learn from
		s.longest = max(s.longest, s.run)
	}
	s.run = 1
	if s.moves < math.MaxUint32 {
		s.moves++
	}
}

// leap learns how the series moves, and finds leaps that come back. A flood does not come back with the next reading.
func (s *series) leap(x float64) string {
	if s.calm < spikeSpan {
		s.calm++
	} else {
		s.spikes = 0
	}
	far := func(from float64) bool {
		d := math.Abs(x - from)
		return s.n > learned && d > 20*s.step && d > 4*(s.high-s.low) && d > 0
	}
	if s.away > 0 {
		if !far(s.before) { // it has come back
			s.away, s.calm = 0, 0
			if s.spikes++; s.spikes >= spikeMost {
				s.spikes = 0
				return FaultJump
			}
			return ""
		}
		if s.away++; s.away <= 3 {
			return ""
		}
		s.away = 0 // it stays there: that is where it is now
		s.low, s.high = min(s.low, x), max(s.high, x)
		return ""
	}
	if far(s.last) {
		s.before, s.away = s.last, 1
		return ""
	}
	s.step += (math.Abs(x-s.last) - s.step) / 16
	s.low, s.high = min(s.low, x), max(s.high, x)
	return ""
}

// outOfOrder tells of an instrument.
func (e *Engine) outOfOrder(v *view, x *instrument, fire bool, at int64) {
	c := e.program.Load().fault
	t, o, why := v.thing, v.obs, x.why()
	if !fire && x.fault == FaultUnit { // it may be another one now
		why += " unit=" + o.Unit
	}
	e.out = append(e.out, Decision{
		Rule: c.rule, Fire: fire, Key: t.ID, Thing: t, Position: t.Position, Placed: t.Placed, Type: c.about(), Sources: []string{t.ID},
		Why: why, At: timeOf(at), Since: timeOf(x.since),
		Inputs: []incident.Input{inputOf(t.ID, o.Property, o.Value, o.Unit, o.At.Milli())},
	})
}

// why names a fault.
func (x *instrument) why() string { return "fault=" + x.fault + " property=" + x.property }

// faultOver tells that a fault is over for another reason than ten good readings.
func (e *Engine) faultOver(c *compiled, key string, x *instrument, at int64, why string) {
	e.out = append(e.out, Decision{Rule: c.rule, Key: key, Thing: x.thing, Position: x.thing.Position, Placed: x.thing.Placed, Type: c.about(),
		Sources: []string{key}, Inputs: []incident.Input{}, At: timeOf(at), Since: timeOf(x.since), Why: why})
}

// forget lets an instrument go that is long gone; a fault of it is over.
func (e *Engine) forget(key string, x *instrument) {
	if c := e.program.Load().fault; x.fault != "" && c.rule.On() {
		e.faultOver(c, key, x, max(x.spoke+goneMs, x.since), x.why()+" ended=silent")
	}
	delete(e.series.things, key)
	shard := shardOf(key)
	if s := e.states[FaultRule]; s != nil {
		s.dirty[shard], s.urgent[shard] = true, s.urgent[shard] || x.fault != ""
	}
}
