package contract

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Thresholds. DECISIONS.md says how they were chosen.
const (
	driftShare   = 0.2 // of readings, messages or items: the figure
	enoughAlone  = 10  // messages that are judged by themselves; fewer where they are half of the Things
	fewestValues = 20  // for a judgement by the distribution of values
	fewestItems  = 3   // for a judgement by what is refused or passed over
	collapse     = 0.2 // of the least that has come
	burst        = 10  // times the most that has come
)

// judgement is one sample held against one profile. It changes neither.
type judgement struct {
	p      *Profile
	s      *sample
	c      Config
	now    time.Time
	few    bool // the sample is one small delivery that is asked for its symptoms: one record is enough
	window bool // the sample is several deliveries: what is new in it is only a part
	out    []Finding
}

func (j *judgement) add(f Finding) {
	f.say()
	if f.Declared && slices.Contains(j.p.Waived, f.key()) {
		return
	}
	j.out = append(j.out, f)
}

// enough tells whether so many messages are worth a judgement.
func (j *judgement) enough(messages int) bool {
	return messages >= 1 && (j.few || messages >= enoughAlone || 2*float64(messages) >= j.p.things.count()-0.5)
}

// judge gives every finding.
func judge(p *Profile, s *sample, c Config, now time.Time, few, window bool) []Finding {
	j := judgement{p: p, s: s, c: c, now: now, few: few, window: window}
	j.declared()
	if c.learns() && p.Ripe(now) {
		for i := range s.groups {
			j.group(&s.groups[i])
		}
		j.series()
		j.places()
		j.times()
		j.refused()
	}
	return j.out
}

// group judges the properties of one kind.
func (j *judgement) group(g *group) {
	k := j.p.Kinds[g.kind]
	if k == nil || g.messages == 0 {
		return
	}
	var newcomers []*prop
	for i := range g.props {
		q := &g.props[i]
		e := k.Properties[q.name]
		switch {
		case e == nil:
			newcomers = append(newcomers, q)
		case q.n > 0 && e.ripe() && j.enough(q.n):
			j.unit(g, q, e)
			j.typed(g, q, e)
			j.possible(g, q, e)
			j.distribution(g, q, e)
		}
	}
	if k.Epochs < ripeEpochs || k.Messages < ripeReadings && k.Epochs < 5 {
		return
	}
	seen := len(g.props)
	for i := range g.props {
		if g.props[i].n == 0 {
			seen--
		}
	}
	if seen == len(k.Properties) && len(newcomers) == 0 && !j.lacks(g, k) {
		return
	}
	for _, name := range sortedKeys(k.Properties) {
		j.presence(g, name, k.Properties[name], &newcomers)
	}
}

// lacks is the quick look whether any property is in fewer messages than usual.
func (j *judgement) lacks(g *group, k *Kind) bool {
	for i := range g.props {
		e := k.Properties[g.props[i].name]
		if least, _, ok := e.Presence.span(); ok && float64(g.props[i].n) < least*(1-driftShare)*float64(g.messages) {
			return true
		}
	}
	return false
}

// presence finds a property that was always there and is missing; where a new one has come instead, it was renamed.
func (j *judgement) presence(g *group, name string, e *Expected, newcomers *[]*prop) {
	n := 0
	if i := slices.IndexFunc(g.props, func(q prop) bool { return q.name == name }); i >= 0 {
		n = g.props[i].n
	}
	least, _, ok := e.Presence.span()
	messages := float64(g.messages)
	share := min(1, float64(n)/messages)
	always := least >= 0.5 && share < least*(1-driftShare)
	gone := n == 0 && least > 0 && e.Share*messages >= 8 // one property a message: never in all, but never in none
	if !ok || !e.ripe() || !always && !gone || !j.enough(g.messages) || !j.regular(g, name) {
		return
	}
	for i, q := range *newcomers {
		if float64(q.n) < (e.Share-share)*messages/2 || (q.numbers > 0) != (e.Numbers > 0) {
			continue
		}
		*newcomers = slices.Delete(*newcomers, i, i+1)
		j.add(Finding{Field: name, Was: name, Now: q.name, What: Renamed, Share: float64(q.n) / messages, Kind: g.kind, prop: name, to: q.name, holds: true})
		return
	}
	words := g.kind == alertKind || g.kind == reportKind
	lone := j.p.things.count() < 2.5 && !words // a device alone may miss a reading or two
	if !always || words && (g.messages < 5 || share > least-0.5) || !j.few && !lone && g.messages < 3 || lone && !j.overdue(g, name, 3.5) {
		return
	}
	j.add(Finding{Field: name, Was: percent(least), Now: percent(share), What: Absent, Share: 1 - share, Kind: g.kind, prop: name})
}

// regular tells whether messages without a property are such as should have it: another property that is always there is in them, or the
// Things should have said it by now. What a phone or a gauge sends besides, of its own accord, because the earth shakes, is neither.
func (j *judgement) regular(g *group, without string) bool {
	for i := range g.props {
		q := &g.props[i]
		e := j.p.Kinds[g.kind].Properties[q.name]
		if e == nil || q.name == without {
			continue
		}
		if least, _, ok := e.Presence.span(); ok && e.ripe() && least >= 0.5 && float64(q.n) >= least*(1-driftShare)*float64(g.messages) {
			return true
		}
	}
	return g.kind == alertKind || g.kind == reportKind || j.overdue(g, without, 0.8)
}

// overdue tells whether most of the Things of a kind should have told a property by now: so many of their usual pauses have gone by.
func (j *judgement) overdue(g *group, name string, gaps float64) bool {
	hash, late, known := maphash.String(seed, name), 0, 0
	for i := range j.s.series {
		pt := &j.s.series[i]
		if &j.s.groups[pt.group] != g {
			continue
		}
		if l, ok := j.p.table.overdue(seriesOf(pt.thing, hash), pt.at, gaps); ok {
			known++
			if l {
				late++
			}
		}
	}
	return known > 0 && float64(late) >= 0.7*float64(known)
}

// unit finds readings with a unit that never was.
func (j *judgement) unit(g *group, q *prop, e *Expected) {
	if j.c.Properties[q.name].Unit != "" {
		return
	}
	strange, most := 0, tally{}
	for _, u := range q.units {
		if float64(e.Units[u.text]) < 0.01*float64(e.Readings) {
			strange += u.n
			if u.n > most.n {
				most = u
			}
		}
	}
	if share := float64(strange) / float64(q.n); share > driftShare {
		j.add(Finding{Field: q.name + ".unit", Was: e.unit(), Now: most.text, What: Unit, Share: share, Kind: g.kind, prop: q.name, to: most.text, holds: true})
	}
}

// unit is the one that most readings have.
func (e *Expected) unit() string {
	best, n := "", int64(-1)
	for _, u := range sortedKeys(e.Units) {
		if e.Units[u] > n {
			best, n = u, e.Units[u]
		}
	}
	return best
}

func (j *judgement) typed(g *group, q *prop, e *Expected) {
	numbers, ok := e.usual()
	if !ok {
		return
	}
	was, now, strange := "text", "number", q.numbers+q.truths
	if numbers {
		was, now, strange = "number", "text", q.texts+q.truths
	}
	if q.truths > strange/2 {
		now = "bool"
	}
	if share := float64(strange) / float64(q.n); share > driftShare {
		j.add(Finding{Field: q.name + ".type", Was: was, Now: now, What: Type, Share: share, Kind: g.kind, prop: q.name, to: now, holds: true})
	}
}

// declared holds the sample against what an operator has written.
func (j *judgement) declared() {
	if len(j.c.Properties) == 0 && len(j.c.Bbox) == 0 {
		return
	}
	for i := range j.s.groups {
		g := &j.s.groups[i]
		ours := false
		for k := range g.props {
			if d, ok := j.c.Properties[g.props[k].name]; ok && g.props[k].n > 0 {
				ours = true
				j.declaredProperty(g, &g.props[k], d)
			}
		}
		for _, name := range sortedKeys(j.c.Properties) {
			if j.c.Properties[name].Required && g.messages > 0 && (ours || len(j.s.groups) == 1) {
				j.required(g, name)
			}
		}
	}
	if share := float64(j.s.foreign) / float64(max(j.s.placed, 1)); j.s.placed > 0 && share > driftShare {
		b, _ := j.c.bound()
		j.add(Finding{Field: "position", Was: boxOf(b).String(), Now: j.s.bound.String(), What: Place, Share: share, Declared: true, holds: true})
	}
}

func (j *judgement) declaredProperty(g *group, q *prop, d Property) {
	strange, most := 0, tally{}
	for _, u := range q.units {
		if d.Unit != "" && u.text != d.Unit {
			if strange += u.n; u.n > most.n {
				most = u
			}
		}
	}
	if share := float64(strange) / float64(q.n); share > driftShare {
		j.add(Finding{Field: q.name + ".unit", Was: d.Unit, Now: most.text, What: Unit, Share: share, Kind: g.kind, Declared: true, prop: q.name, to: most.text, holds: true})
	}
	outside, example := 0, 0.0
	for _, v := range q.values {
		if d.Min != nil && float64(v) < *d.Min || d.Max != nil && float64(v) > *d.Max {
			outside++
			example = float64(v)
		}
	}
	if share := float64(outside) / float64(max(len(q.values), 1)); share > driftShare {
		j.add(Finding{Field: q.name + ".range", Was: rangeText(d.Min, d.Max), Now: figure(example), What: Range, Share: share, Kind: g.kind, Declared: true, prop: q.name, holds: true})
	}
}

func rangeText(low, high *float64) string {
	text := [2]string{"", ""}
	for i, v := range []*float64{low, high} {
		if v != nil {
			text[i] = figure(*v)
		}
	}
	return text[0] + ".." + text[1]
}

func (j *judgement) required(g *group, name string) {
	n := 0
	if i := slices.IndexFunc(g.props, func(q prop) bool { return q.name == name }); i >= 0 {
		n = g.props[i].n
	}
	if share := min(1, float64(n)/float64(g.messages)); share < 1-driftShare && (j.few || j.enough(g.messages)) {
		j.add(Finding{Field: name, Was: "100%", Now: percent(share), What: Absent, Share: 1 - share, Kind: g.kind, Declared: true, prop: name})
	}
}

func (j *judgement) places() {
	s, p := j.s, j.p
	if s.placeable == 0 || !j.enough(s.placeable) {
		return
	}
	switch {
	case s.placed > 0 && 2*s.mirrored > s.placed:
		j.add(Finding{Field: "position", Was: p.Bound.String(), Now: s.bound.String(), What: Swapped, Share: float64(s.mirrored) / float64(s.placed), holds: true})
	case s.homed > 0 && 2*s.turned > s.homed:
		j.add(Finding{Field: "position", Was: p.Bound.String(), Now: s.bound.String(), What: Swapped, Share: float64(s.turned) / float64(s.homed), holds: true})
	case s.placed > 0 && float64(s.far) > 0.8*float64(s.placed) && p.things.count() > 4.5:
		j.add(Finding{Field: "position", Was: p.Bound.String(), Now: s.bound.String(), What: Place, Share: float64(s.far) / float64(s.placed), holds: true})
	}
	share := float64(s.placed) / float64(s.placeable)
	if least, _, ok := p.Placed.span(); ok && s.placeable >= 5 && share < least-driftShare {
		j.add(Finding{Field: "position", Was: percent(least), Now: percent(share), What: Unplaced, Share: 1 - share})
	}
}

func (j *judgement) times() {
	s, p := j.s, j.p
	if s.timed == 0 {
		return
	}
	if 2*s.ahead > s.timed && p.Ahead < driftShare && j.enough(s.timed) || j.moved() {
		j.add(Finding{Field: "at", Now: time.UnixMilli(s.newest).UTC().Format(time.RFC3339), What: Future, Share: float64(s.ahead) / float64(s.timed), holds: true})
		return
	}
	if j.few || j.window {
		return
	}
	if least, _, ok := p.SpreadMS.span(); ok && s.timed >= 10 && s.messages >= 5 && s.newest == s.oldest && least >= 60_000 {
		j.add(Finding{Field: "at", Was: (time.Duration(least) * time.Millisecond).String(), Now: time.UnixMilli(s.newest).UTC().Format(time.RFC3339), What: Times, Share: 1, holds: true})
	}
	if still, of := p.table.standing(s.series); of >= 10 && 2*still > of && p.Standing < driftShare/2 {
		j.add(Finding{Field: "at", Now: time.UnixMilli(s.newest).UTC().Format(time.RFC3339), What: Times, Share: float64(still) / float64(of)})
	}
}

// moved tells a list whose newest records lie ahead, and all of which has grown younger by the same.
func (j *judgement) moved() bool {
	age, ok := j.s.age()
	return ok && !j.few && !j.window && j.s.ahead > 0 && j.p.Ahead < 0.01 && j.p.AgeS-age > max(20*60, 4*j.p.AgeDevS)
}

func (j *judgement) refused() {
	s := j.s
	if s.items+s.ignored < fewestItems || j.few {
		return
	}
	if _, most, ok := j.p.Ignored.span(); ok {
		if share := float64(s.ignored) / float64(s.items+s.ignored); share > most+0.5 {
			j.add(Finding{Field: "items", Was: percent(most), Now: percent(share), What: Ignored, Share: share})
		}
	}
	if s.items < 5 {
		return
	}
	if share := float64(s.sameReason) / float64(s.items); share > j.p.Refused+driftShare {
		j.add(Finding{Field: "items", Was: percent(j.p.Refused), Now: s.reason, What: Refused, Share: share, to: ReasonCode(s.reason)})
	}
}

// amount judges how much a whole delivery brings.
func (j *judgement) amount(source string, paged bool) {
	s := j.s
	for _, d := range []struct {
		field string
		n     int
		span  Span
	}{{"items", s.items, j.c.Items}, {"things", s.messages, j.c.Things}} {
		if d.span.Min > 0 && d.n < d.span.Min {
			j.add(Finding{Field: d.field, Was: strconv.Itoa(d.span.Min), Now: strconv.Itoa(d.n), What: Collapse, Share: float64(d.n) / float64(d.span.Min), Declared: true})
		}
		if d.span.Max > 0 && d.n > d.span.Max {
			j.add(Finding{Field: d.field, Was: strconv.Itoa(d.span.Max), Now: strconv.Itoa(d.n), What: Burst, Share: float64(d.n) / float64(d.span.Max), Declared: true, holds: true})
		}
	}
	v := j.p.Sources[source]
	least, most, ok := v.Messages.span()
	if !ok || paged || v.Paged || v.Deliveries < ripeDeliveries || !j.p.Ripe(j.now) || !j.c.learns() {
		return
	}
	n := float64(s.messages)
	switch {
	case least >= enoughAlone && n < collapse*least && n < collapse*v.Lately:
		j.add(Finding{Field: "items", Was: figure(least), Now: strconv.Itoa(s.messages), What: Collapse, Share: n / least})
	case n >= 50 && n > burst*most && float64(s.fresh) > 0.8*n: // Things that were never heard: a gateway that catches up sends much of known ones
		j.add(Finding{Field: "items", Was: figure(most), Now: strconv.Itoa(s.messages), What: Burst, Share: n / most, holds: true})
	}
}

// kinds finds a kind that was in every whole state, and is gone from one.
func (j *judgement) kinds() {
	if j.s.messages < enoughAlone || !j.p.Ripe(j.now) || !j.c.learns() {
		return
	}
	for _, kind := range sortedKeys(j.p.Kinds) {
		k := j.p.Kinds[kind]
		least, _, ok := k.Whole.span()
		if !ok || least < 5 || k.Epochs < ripeDeliveries || slices.ContainsFunc(j.s.groups, func(g group) bool { return g.kind == kind && float64(g.messages) >= collapse*least }) {
			continue
		}
		j.add(Finding{Field: kind, Was: "100%", Now: "0%", What: Absent, Share: 1, Kind: kind})
	}
}

// same tells two findings of one cause, whatever their figures.
func same(a, b *Finding) bool {
	return a.Kind == b.Kind && a.What == b.What && strings.EqualFold(a.Field, b.Field)
}
