package contract

import (
	"hash/maphash"
	"math"
	"slices"
	"time"

	"kentongan/feeds"
	capfmt "kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Bounds of a sample.
const (
	mostKinds  = 32  // kinds of one feed
	mostProps  = 64  // properties of one kind
	mostUnits  = 8   // units of one property
	mostValues = 256 // values of one property that are looked at
	mostSeries = 512 // series (one property of one Thing) that are followed in one delivery
	mostHeard  = 4096
	mostHomes  = 512
)

// The kinds under which what is no reading is judged.
const (
	alertKind    = "alert"
	reportKind   = "report"
	positionKind = "position:" // and the unit's kind
)

// sample is what deliveries say, in figures. Several small ones may share one.
type sample struct {
	deliveries int
	items      int // with those refused
	ignored    int // and those that the format passes over
	refused    int
	reason     string // of the refusals that share one, the most
	sameReason int

	messages int // Thing-messages: what one Thing says at one time; of readings and positions
	groups   []group
	series   []point
	mask     uint64 // which series are followed
	last     int    // the group of the record before

	ages      []float32 // seconds, of every ageStride-th record
	ageStride int
	homes     []home // where Things are
	homed     int    // Things whose home is known
	turned    int    // of those, such that lie there with axes exchanged

	placeable, placed int
	outside, mirrored int // outside the learned bound; of those, such whose mirror lies in it
	bound             box
	timed, ahead      int // ahead: more than feeds.ClockSkewLimit
	oldest, newest    int64
	far               int      // outside the learned bound by more than its own size
	foreign           int      // outside the declared bound
	fresh             int      // messages of Things that were never heard
	heard             []uint64 // those Things, at most mostHeard
}

type group struct {
	kind     string
	messages int
	thing    uint64
	at       int64
	props    []prop
	hint     int
}

type prop struct {
	name                   string
	hash                   uint64
	n                      int
	numbers, texts, truths int
	units                  []tally
	values                 []float32
	stride                 int
	quarters               *[4]float64 // of values, once they are asked for
}

type tally struct {
	text string
	n    int
}

// point is one value of one series.
type point struct {
	series uint64
	at     int64
	thing  uint64
	group  uint8
	prop   uint8
	value  float32
}

// box is where records lie.
type box struct {
	South, North, West, East float64
	Any                      bool
}

func (b *box) add(p geo.Position) {
	if !b.Any {
		*b = box{p.Lat, p.Lat, p.Lng, p.Lng, true}
		return
	}
	b.South, b.North = min(b.South, p.Lat), max(b.North, p.Lat)
	b.West, b.East = min(b.West, p.Lng), max(b.East, p.Lng)
}

func (b box) holds(lat, lng, margin float64) bool {
	return lat >= b.South-margin && lat <= b.North+margin && lng >= b.West-margin && lng <= b.East+margin
}

// span is the longer side of the box, in degrees.
func (b box) span() float64 { return max(b.North-b.South, b.East-b.West) }

// margin is how far beyond the box a record may lie: a tenth of it, and 0.05 degrees.
func (b box) margin() float64 { return b.span()/10 + 0.05 }

var seed = maphash.MakeSeed()

func (s *sample) reset() {
	groups := s.groups
	for i := range groups {
		groups[i].reset()
	}
	*s = sample{groups: groups[:0], series: s.series[:0], heard: s.heard[:0], ages: s.ages[:0], homes: s.homes[:0], ageStride: 1}
}

func (g *group) reset() {
	props := g.props
	for i := range props {
		props[i] = prop{units: props[i].units[:0], values: props[i].values[:0]}
	}
	*g = group{props: props[:0]}
}

// of finds or makes the group of a kind; nil: there are too many.
func (s *sample) of(kind string) *group {
	if s.last < len(s.groups) && s.groups[s.last].kind == kind {
		return &s.groups[s.last]
	}
	for i := range s.groups {
		if s.groups[i].kind == kind {
			s.last = i
			return &s.groups[i]
		}
	}
	if len(s.groups) >= mostKinds {
		return nil
	}
	s.last = len(s.groups)
	if s.last < cap(s.groups) {
		s.groups = s.groups[:s.last+1]
	} else {
		s.groups = append(s.groups, group{})
	}
	s.groups[s.last].kind = kind
	return &s.groups[s.last]
}

// of finds or makes a property; nil: there are too many. Records come in turns, so that the next is mostly where the one before was, or after it.
func (g *group) of(name string) *prop {
	for try := range 2 {
		if i := g.hint + try; i < len(g.props) && g.props[i].name == name {
			g.hint = i
			return &g.props[i]
		}
	}
	for i := range g.props {
		if g.props[i].name == name {
			g.hint = i
			return &g.props[i]
		}
	}
	n := len(g.props)
	if n >= mostProps {
		return nil
	}
	if n < cap(g.props) {
		g.props = g.props[:n+1]
	} else {
		g.props = append(g.props, prop{})
	}
	g.hint = n
	g.props[n].name, g.props[n].hash, g.props[n].stride = name, maphash.String(seed, name), 1
	return &g.props[n]
}

func (p *prop) unit(u string, n int) {
	for i := range p.units {
		if p.units[i].text == u {
			p.units[i].n += n
			return
		}
	}
	if len(p.units) < mostUnits {
		p.units = append(p.units, tally{u, n})
	}
}

func (p *prop) number(v float64) {
	p.numbers++
	if p.numbers%p.stride != 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if len(p.values) == mostValues { // every second one stays
		for i := range mostValues / 2 {
			p.values[i] = p.values[2*i]
		}
		p.values, p.stride = p.values[:mostValues/2], p.stride*2
		if p.numbers%p.stride != 0 {
			return
		}
	}
	p.values = append(p.values, float32(v))
}

// message notes that a record is of this Thing at this time; a Thing's records at one time, one after the other, are one message.
func (s *sample) message(g *group, thing uint64, at int64, k known, pos geo.Position, placed bool) {
	if g.messages > 0 && g.thing == thing && g.at == at {
		return
	}
	if placed && len(s.homes) < mostHomes {
		h := home{thing, float32(pos.Lat), float32(pos.Lng)}
		s.homes = append(s.homes, h)
		if turned, known := k.homes.turned(h); known {
			s.homed++
			if turned {
				s.turned++
			}
		}
	}
	g.messages++
	s.messages++
	g.thing, g.at = thing, at
	if !k.things.has(thing) {
		s.fresh++
		if len(s.heard) < mostHeard {
			s.heard = append(s.heard, thing)
		}
	}
}

func (s *sample) place(p geo.Position, placed bool, k known) {
	s.placeable++
	if !placed || p.IsNull() {
		return
	}
	s.placed++
	s.bound.add(p)
	if k.declared.Any && !k.declared.holds(p.Lat, p.Lng, 0) {
		s.foreign++
	}
	if k.bound.Any && !k.bound.holds(p.Lat, p.Lng, 0) && !k.bound.holds(p.Lat, p.Lng, k.bound.margin()) {
		s.outside++
		if k.bound.holds(p.Lng, p.Lat, k.bound.margin()) {
			s.mirrored++
		}
		if !k.bound.holds(p.Lat, p.Lng, max(1, k.bound.span())) {
			s.far++
		}
	}
}

func (s *sample) time(at moment.Time, received int64) (ms int64) {
	if at.IsZero() {
		return 0
	}
	ms = at.UnixMilli()
	s.timed++
	if ms-received > feeds.ClockSkewLimit.Milliseconds() {
		s.ahead++
	}
	if s.timed%s.ageStride == 0 {
		if len(s.ages) == mostValues {
			for i := range mostValues / 2 {
				s.ages[i] = s.ages[2*i]
			}
			s.ages, s.ageStride = s.ages[:mostValues/2], 2*s.ageStride
		}
		s.ages = append(s.ages, float32(received-ms)/1000)
	}
	if s.timed == 1 {
		s.oldest, s.newest = ms, ms
	}
	s.oldest, s.newest = min(s.oldest, ms), max(s.newest, ms)
	return ms
}

// age is the median age of the records, in seconds.
func (s *sample) age() (float64, bool) {
	if len(s.ages) == 0 {
		return 0, false
	}
	var room [mostValues]float32
	ages := append(room[:0], s.ages...)
	slices.Sort(ages)
	return float64(ages[len(ages)/2]), true
}

// spread is how far the times of most records lie apart, in milliseconds. Gauges that have been dead for days say nothing of the others.
func (s *sample) spread() float64 {
	if len(s.ages) == 0 {
		return 0
	}
	var room [mostValues]float32
	ages := append(room[:0], s.ages...)
	slices.Sort(ages)
	return 1000 * float64(ages[len(ages)*4/5]-ages[len(ages)/5])
}

func seriesOf(thing, property uint64) uint64 { return (thing ^ property) * 0x9e3779b97f4a7c15 }

// follow keeps a value of a series where the mask lets it.
func (s *sample) follow(g int, p *prop, i int, thing uint64, at int64, v float64) {
	series := seriesOf(thing, p.hash)
	if series>>40&s.mask != 0 || len(s.series) >= mostSeries {
		return
	}
	s.series = append(s.series, point{series, at, thing, uint8(g), uint8(i), float32(v)})
}

// known is what a delivery is compared with while it is read.
type known struct {
	bound    box // learned
	declared box
	things   *counter
	homes    *homes
}

// read adds a delivery.
func (s *sample) read(b *feeds.Batch, received time.Time, k known) {
	s.deliveries++
	s.items += b.Records() + len(b.Rejected)
	s.ignored += len(b.Ignored)
	s.refusals(b.Rejected)
	now := received.UnixMilli()
	for s.mask = 0; len(b.Observations) > mostSeries*int(s.mask+1); s.mask = s.mask*2 + 1 {
	}
	thing, hash := "", uint64(0)
	for i := range b.Observations {
		o := &b.Observations[i]
		if o.Thing != thing || i == 0 {
			thing, hash = o.Thing, maphash.String(seed, o.Thing)
		}
		at := s.time(o.At, now)
		s.place(o.Position, o.Placed, k)
		g := s.of(o.Kind)
		if g == nil {
			continue
		}
		s.message(g, hash, at, k, o.Position, o.Placed)
		p := g.of(o.Property)
		if p == nil {
			continue
		}
		p.n++
		if len(p.units) > 0 && p.units[0].text == o.Unit {
			p.units[0].n++
		} else {
			p.unit(o.Unit, 1)
		}
		switch o.Value.Type {
		case feeds.Text:
			p.texts++
		case feeds.Bool:
			p.truths++
		default:
			p.number(o.Value.Num)
			s.follow(s.last, p, g.hint, hash, at, o.Value.Num)
		}
	}
	s.positions(b, now, k)
	s.words(b, now, k)
}

func (s *sample) positions(b *feeds.Batch, now int64, k known) {
	for i := range b.Positions {
		p := &b.Positions[i]
		at := s.time(p.At, now)
		s.place(p.Position, true, k)
		g := s.of(positionKind + p.Kind)
		if g == nil {
			continue
		}
		hash := maphash.String(seed, p.Unit)
		s.message(g, hash, at, k, p.Position, true)
		for _, f := range [...]struct {
			name string
			v    *float64
		}{{"speed", p.SpeedMps}, {"heading", p.Heading}, {"accuracy", p.AccuracyM}} {
			if f.v == nil {
				continue
			}
			q := g.of(f.name)
			q.n++
			q.unit("", 1)
			q.number(*f.v)
			s.follow(s.last, q, g.hint, hash, at, *f.v)
		}
	}
}

// words reads alerts and reports: which of their fields are there.
func (s *sample) words(b *feeds.Batch, now int64, k known) {
	for i := range b.Alerts {
		a := &b.Alerts[i]
		s.time(a.Message.Sent, now)
		g := s.of(alertKind)
		if g == nil {
			return
		}
		g.messages++
		if len(a.Message.Infos) > 0 {
			info := &a.Message.Infos[0]
			g.text("event", info.Event)
			g.text("headline", info.Headline)
			if info.Severity != capfmt.Unknown {
				g.text("severity", string(info.Severity))
			}
			if len(info.Areas) > 0 {
				g.text("area", "x")
			}
		}
		if q := a.Quake; q != nil {
			s.place(q.Position, true, k)
			if q.Magnitude != nil {
				g.figure("magnitude", *q.Magnitude)
			}
			g.figure("depth", q.DepthKm)
		}
	}
	for i := range b.Reports {
		r := &b.Reports[i]
		s.time(r.At, now)
		s.place(r.Position, r.Placed, k)
		g := s.of(reportKind)
		if g == nil {
			return
		}
		g.messages++
		g.text("text", r.Text)
		g.text("type", r.Type)
		g.text("address", r.Address)
	}
}

func (g *group) text(name, v string) {
	if v == "" {
		return
	}
	if p := g.of(name); p != nil {
		p.n++
		p.texts++
		p.unit("", 1)
	}
}

func (g *group) figure(name string, v float64) {
	if p := g.of(name); p != nil {
		p.n++
		p.unit("", 1)
		p.number(v)
	}
}

func (s *sample) refusals(list []feeds.Refusal) {
	if len(list) == 0 {
		return
	}
	s.refused += len(list)
	by := map[string]int{}
	for _, r := range list {
		code := ReasonCode(r.Reason)
		if by[code]++; by[code] > s.sameReason {
			s.sameReason, s.reason = by[code], r.Reason
		}
	}
}

// add takes the figures of another sample in.
func (s *sample) add(o *sample) {
	s.deliveries += o.deliveries
	s.items += o.items
	s.ignored += o.ignored
	s.refused += o.refused
	if o.sameReason > 0 && s.reason == "" {
		s.reason = o.reason
	}
	s.sameReason += o.sameReason
	s.messages += o.messages
	s.placeable, s.placed = s.placeable+o.placeable, s.placed+o.placed
	s.outside, s.mirrored, s.far, s.foreign = s.outside+o.outside, s.mirrored+o.mirrored, s.far+o.far, s.foreign+o.foreign
	if o.bound.Any {
		s.bound.add(geo.Position{Lat: o.bound.South, Lng: o.bound.West})
		s.bound.add(geo.Position{Lat: o.bound.North, Lng: o.bound.East})
	}
	if o.timed > 0 {
		if s.timed == 0 {
			s.oldest, s.newest = o.oldest, o.newest
		}
		s.oldest, s.newest = min(s.oldest, o.oldest), max(s.newest, o.newest)
	}
	s.timed, s.ahead, s.fresh = s.timed+o.timed, s.ahead+o.ahead, s.fresh+o.fresh
	if room := mostValues - len(s.ages); room > 0 {
		s.ages = append(s.ages, o.ages[:min(room, len(o.ages))]...)
	}
	if room := mostHomes - len(s.homes); room > 0 {
		s.homes = append(s.homes, o.homes[:min(room, len(o.homes))]...)
	}
	s.homed, s.turned = s.homed+o.homed, s.turned+o.turned
	if room := mostHeard - len(s.heard); room > 0 {
		s.heard = append(s.heard, o.heard[:min(room, len(o.heard))]...)
	}
	var groups [mostKinds]uint8
	var props [mostKinds][mostProps]uint8
	for i := range o.groups {
		from := &o.groups[i]
		g := s.of(from.kind)
		if g == nil {
			groups[i] = math.MaxUint8
			continue
		}
		groups[i] = uint8(s.last)
		g.messages += from.messages
		for j := range from.props {
			p := g.of(from.props[j].name)
			if p == nil {
				props[i][j] = math.MaxUint8
				continue
			}
			props[i][j] = uint8(g.hint)
			p.add(&from.props[j])
		}
	}
	for _, pt := range o.series {
		if g := groups[pt.group]; g != math.MaxUint8 && len(s.series) < mostSeries {
			if p := props[pt.group][pt.prop]; p != math.MaxUint8 {
				pt.group, pt.prop = g, p
				s.series = append(s.series, pt)
			}
		}
	}
}

func (p *prop) add(o *prop) {
	p.n += o.n
	p.numbers, p.texts, p.truths = p.numbers+o.numbers, p.texts+o.texts, p.truths+o.truths
	for _, u := range o.units {
		p.unit(u.text, u.n)
	}
	if room := mostValues - len(p.values); room > 0 {
		p.values = append(p.values, o.values[:min(room, len(o.values))]...)
	}
}
