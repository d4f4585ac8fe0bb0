package contract

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"kentongan/geo/moment"
)

// How much must have come before anything is judged: deliveries and items, or a day; and not all at once.
const (
	ripeDeliveries = 5
	ripeItems      = 50
	ripeAfter      = 24 * time.Hour
	ripeSpan       = 5 * time.Minute // at the least: what comes at once teaches no habit
	ripeEpochs     = 3               // of one property
	ripeReadings   = 20              // of one property
)

// Profile is what a feed usually says. It is bounded: kinds, properties, units, buckets and sources each have a limit, beyond which nothing more
// is learned. It is kept as JSON; what is known of single Things is not kept, and is learned anew within a few deliveries.
type Profile struct {
	Version    int               `json:"v"`
	Since      moment.Time       `json:"since"`
	Deliveries int64             `json:"deliveries"`
	Items      int64             `json:"items"`
	Kinds      map[string]*Kind  `json:"kinds"`
	Bound      box               `json:"bound"`
	Placed     Extreme           `json:"placed"`   // share of records that have a place
	Ahead      float64           `json:"ahead"`    // usual share of records dated ahead
	Refused    float64           `json:"refused"`  // usual share of items refused
	Ignored    Extreme           `json:"ignored"`  // share of items that the format passes over
	Standing   float64           `json:"standing"` // usual share of values that change while their time stays
	SpreadMS   Extreme           `json:"spread_ms"`
	AgeS       float64           `json:"age_s"`     // usual median age of a delivery's records
	AgeDevS    float64           `json:"age_dev_s"` // how far it usually is from that
	Sources    map[string]Volume `json:"sources"`
	Waived     []string          `json:"waived"` // findings that somebody accepted although the declaration says otherwise
	Day        moment.Time       `json:"day"`    // when the extremes were turned

	table  *table
	homes  homes
	things counter
}

// Kind is what is known of one kind of Thing, of alerts or of reports.
type Kind struct {
	Messages   int64                `json:"messages"`
	Epochs     int                  `json:"epochs"`
	Whole      Extreme              `json:"whole"` // messages in a whole state
	Properties map[string]*Expected `json:"properties"`
}

// Expected is what is known of a property.
type Expected struct {
	Readings int64            `json:"readings"`
	Epochs   int              `json:"epochs"`
	Numbers  int64            `json:"numbers"`
	Texts    int64            `json:"texts"`
	Truths   int64            `json:"truths"`
	Units    map[string]int64 `json:"units"`
	Presence Extreme          `json:"presence"` // share of a Thing's messages that have it
	Share    float64          `json:"share"`    // the same, as usual
	Values   Histogram        `json:"values"`
	Lately   [4]float64       `json:"lately"` // magnitudes of the newest deliveries
	Since    moment.Time      `json:"since"`
}

// Extreme is the least and the most of a day or two. The zero value has seen nothing.
type Extreme struct {
	Now [2]float64 `json:"now"`
	Was [2]float64 `json:"was"`
	Had int        `json:"had"` // bit 0: now holds, bit 1: was holds
}

func (e *Extreme) see(v float64) {
	if e.Had&1 == 0 {
		e.Now, e.Had = [2]float64{v, v}, e.Had|1
		return
	}
	e.Now = [2]float64{min(e.Now[0], v), max(e.Now[1], v)}
}

func (e *Extreme) turn() {
	if e.Had&1 != 0 {
		e.Was, e.Had = e.Now, 2
	}
}

// span gives the least and the most; false: nothing was seen.
func (e *Extreme) span() (least, most float64, ok bool) {
	switch e.Had {
	case 1:
		return e.Now[0], e.Now[1], true
	case 2:
		return e.Was[0], e.Was[1], true
	case 3:
		return min(e.Now[0], e.Was[0]), max(e.Now[1], e.Was[1]), true
	}
	return 0, 0, false
}

// Volume is how much comes from one address or topic.
type Volume struct {
	Deliveries int64   `json:"deliveries"`
	Messages   Extreme `json:"messages"` // Thing-messages of a delivery
	Lately     float64 `json:"lately"`
	Paged      bool    `json:"paged,omitempty"` // parts of a whole: their sizes tell nothing
}

const (
	mostSources = 16
	mostLearned = 32 // values of one property that one delivery adds to its histogram
)

// New gives a profile that knows nothing.
func New(now time.Time) *Profile {
	p := &Profile{Version: 1, Since: moment.Of(now), Day: moment.Of(now)}
	p.ready()
	return p
}

// ready makes what a profile from JSON lacks.
func (p *Profile) ready() {
	if p.Kinds == nil {
		p.Kinds = map[string]*Kind{}
	}
	if p.Sources == nil {
		p.Sources = map[string]Volume{}
	}
	for name, k := range p.Kinds {
		if k == nil {
			p.Kinds[name] = &Kind{}
			k = p.Kinds[name]
		}
		if k.Properties == nil {
			k.Properties = map[string]*Expected{}
		}
		for prop, e := range k.Properties {
			if e == nil {
				delete(k.Properties, prop)
			}
		}
	}
	p.table = &table{}
}

// Ripe tells whether enough has come to judge by.
func (p *Profile) Ripe(now time.Time) bool {
	return p.Deliveries >= ripeDeliveries && now.Sub(p.Since.Time) >= ripeSpan && (p.Items >= ripeItems || now.Sub(p.Since.Time) >= ripeAfter)
}

func (e *Expected) ripe() bool {
	return e.Epochs >= ripeEpochs && e.Readings >= ripeReadings || e.Epochs >= 5
}

// usual gives the type that nearly all readings have.
func (e *Expected) usual() (numbers bool, ok bool) {
	n := float64(e.Readings) * 0.95
	return float64(e.Numbers) >= n, float64(e.Numbers) >= n || float64(e.Texts) >= n
}

// learn takes in what was found good. A share moves a tenth of the way, so that twenty deliveries make a habit.
func (p *Profile) learn(s *sample, now time.Time) {
	if now.Sub(p.Day.Time) > 24*time.Hour {
		p.turn(now)
	}
	p.Deliveries += int64(s.deliveries)
	p.Items += int64(s.items)
	for i := range s.groups {
		p.learnGroup(&s.groups[i], now)
	}
	p.learnPlaces(s)
	for _, pt := range s.series {
		p.table.learn(pt)
	}
	for _, thing := range s.heard {
		p.things.add(thing)
	}
}

func (p *Profile) learnPlaces(s *sample) {
	if s.bound.Any {
		if !p.Bound.Any {
			p.Bound = s.bound
		}
		p.Bound = box{min(p.Bound.South, s.bound.South), max(p.Bound.North, s.bound.North), min(p.Bound.West, s.bound.West), max(p.Bound.East, s.bound.East), true}
	}
	if s.placeable >= 5 {
		p.Placed.see(float64(s.placed) / float64(s.placeable))
	}
	for _, h := range s.homes {
		*p.homes.of(h.thing) = h
	}
	if age, ok := s.age(); ok {
		if p.Deliveries > ripeDeliveries {
			toward(&p.AgeDevS, math.Abs(age-p.AgeS), p.Deliveries-ripeDeliveries)
		}
		toward(&p.AgeS, age, p.Deliveries)
	}
	if s.timed > 0 {
		toward(&p.Ahead, float64(s.ahead)/float64(s.timed), p.Deliveries)
	}
	if s.items > 0 {
		toward(&p.Refused, float64(s.refused)/float64(s.items), p.Deliveries)
	}
	if n := s.items + s.ignored; n >= fewestItems {
		p.Ignored.see(float64(s.ignored) / float64(n))
	}
	if s.timed >= 10 && s.deliveries == 1 {
		p.SpreadMS.see(s.spread())
	}
	if still, n := p.table.standing(s.series); n >= 10 {
		toward(&p.Standing, float64(still)/float64(n), p.Deliveries)
	}
}

// toward moves a share a tenth of the way, faster while little is known.
func toward(share *float64, now float64, n int64) {
	*share += (now - *share) * max(0.1, 1/float64(max(n, 1)))
}

func (p *Profile) learnGroup(g *group, now time.Time) {
	k := p.Kinds[g.kind]
	if k == nil {
		if len(p.Kinds) >= mostKinds {
			return
		}
		k = &Kind{Properties: map[string]*Expected{}}
		p.Kinds[g.kind] = k
	}
	k.Messages += int64(g.messages)
	k.Epochs++
	for i := range g.props {
		from := &g.props[i]
		e := k.Properties[from.name]
		if e == nil {
			if len(k.Properties) >= mostProps {
				continue
			}
			e = &Expected{Units: map[string]int64{}, Since: moment.Of(now)}
			if k.Epochs > 1 { // it was not there before
				e.Presence.see(0)
			}
			k.Properties[from.name] = e
		}
		e.learn(from)
	}
	for name, e := range k.Properties {
		share := 0.0
		if i := slices.IndexFunc(g.props, func(q prop) bool { return q.name == name }); i >= 0 && g.messages > 0 {
			share = min(1, float64(g.props[i].n)/float64(g.messages))
		}
		e.Presence.see(share)
		toward(&e.Share, share, int64(k.Epochs))
	}
}

func (e *Expected) learn(q *prop) {
	e.Readings += int64(q.n)
	e.Epochs++
	e.Numbers, e.Texts, e.Truths = e.Numbers+int64(q.numbers), e.Texts+int64(q.texts), e.Truths+int64(q.truths)
	for _, u := range q.units {
		if _, known := e.Units[u.text]; known || len(e.Units) < mostUnits {
			e.Units[u.text] += int64(u.n)
		}
	}
	for i := 0; i < len(q.values); i += len(q.values)/mostLearned + 1 {
		e.Values.add(q.values[i])
	}
	if len(q.values) >= fewestValues {
		e.Lately = q.magnitudes()
	}
}

// volume learns how much a whole delivery brings.
func (p *Profile) volume(source string, messages int, paged bool) {
	v, known := p.Sources[source]
	if !known && len(p.Sources) >= mostSources {
		return
	}
	v.Deliveries++
	v.Paged = v.Paged || paged
	v.Messages.see(float64(messages))
	toward(&v.Lately, float64(messages), min(v.Deliveries, 3))
	p.Sources[source] = v
}

// whole learns which kinds a whole state has.
func (p *Profile) whole(s *sample) {
	for kind, k := range p.Kinds {
		n := 0
		if i := slices.IndexFunc(s.groups, func(g group) bool { return g.kind == kind }); i >= 0 {
			n = s.groups[i].messages
		}
		k.Whole.see(float64(n))
	}
}

// turn begins a new day: an extreme that has not come for two days is forgotten.
func (p *Profile) turn(now time.Time) {
	p.Day = moment.Of(now)
	p.Placed.turn()
	p.SpreadMS.turn()
	p.Ignored.turn()
	for _, k := range p.Kinds {
		k.Whole.turn()
		for _, e := range k.Properties {
			e.Presence.turn()
		}
	}
	for name, v := range p.Sources {
		v.Messages.turn()
		p.Sources[name] = v
	}
	p.things.turn()
}

// counter counts Things without keeping them: one bit each, of two days.
type counter struct {
	now, was [counterBits / 64]uint64
	set      int
	known    float64
	stale    bool
}

const counterBits = 1 << 13

func (c *counter) has(thing uint64) bool {
	i := thing >> 20 % counterBits
	return (c.now[i/64]|c.was[i/64])>>(i%64)&1 != 0
}

func (c *counter) add(thing uint64) {
	i := thing >> 20 % counterBits
	if c.now[i/64]>>(i%64)&1 == 0 {
		c.now[i/64] |= 1 << (i % 64)
		c.set++
		c.stale = true
	}
}

func (c *counter) turn() { c.was, c.now, c.set, c.stale = c.now, [counterBits / 64]uint64{}, 0, true }

// count estimates how many Things have been heard.
func (c *counter) count() float64 {
	if c.stale {
		set := 0
		for i := range c.now {
			set += bits.OnesCount64(c.now[i] | c.was[i])
		}
		c.known, c.stale = -counterBits*math.Log(max(1, float64(counterBits-set))/counterBits), false
	}
	return c.known
}
