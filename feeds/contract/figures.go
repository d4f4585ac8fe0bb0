package contract

import (
	"math"
	"slices"
	"strings"
	"time"

	"kentongan/geo/moment"
)

// conversions are the factors by which a value changes when its unit does and nobody says so.
var conversions = []struct {
	factor float64
	text   string
}{
	{1e6, "1000000"}, {1000, "1000"}, {100, "100"}, {10, "10"}, {60, "60 (s, min)"}, {25.4, "25.4 (mm, in)"},
	{3.6, "3.6 (m/s, km/h)"}, {3.28084, "3.28 (m, ft)"}, {2.54, "2.54 (cm, in)"}, {2.23694, "2.24 (m/s, mph)"},
}

// A factor is taken for a conversion where the values keep to it. Small factors happen in nature, but not to every Thing within some per cent.
const (
	smallFactor    = 8
	floodFactor    = 20   // below it nature does the same to a few gauges of one river: they must keep to it as to a small one
	closeTo        = 0.10 // of a great factor
	closeToSmall   = 0.05
	nearFactor     = 0.04 // of the Things' middle to the conversion
	fewestTogether = 3    // Things
	fewestAny      = 5    // Things, for a small factor or one that is no conversion
	fewestSparse   = 8    // Things, for a property that is often zero, as rain is
	anyAfter       = 24 * time.Hour
)

// conversion finds the factor's name; ok is false where it is none of a unit's.
func conversion(factor, near float64) (text string, ok bool) {
	text = figure(factor)
	for _, c := range conversions {
		if d := math.Abs(math.Log(factor / c.factor)); d < near {
			text, near, ok = c.text, d, true
		}
		if d := math.Abs(math.Log(factor * c.factor)); d < near {
			text, near, ok = "1/"+c.text, d, true
		}
	}
	return text, ok
}

// jump is a series that has left what it was.
type jump struct {
	group, prop uint8
	thing       uint64
	was, now    float64
}

// series finds properties that have jumped in many Things together. What one Thing does, however wild, is no drift; nor what several do each in
// its own measure, as gauges in a flood do.
func (j *judgement) series() {
	var jumps []jump
	var followed [mostKinds][mostProps]uint16
	for _, pt := range j.s.series {
		s := j.p.table.find(pt.series)
		if s == nil || s.seen < 3 || s.last == 0 || pt.value == 0 {
			continue
		}
		followed[pt.group][pt.prop]++
		if was, now := float64(s.last), float64(pt.value); s.beyond(now, 1.2) || converted(was, now) != "" {
			jumps = append(jumps, jump{pt.group, pt.prop, pt.thing, was, now})
		}
	}
	if len(jumps) == 0 {
		return
	}
	slices.SortStableFunc(jumps, func(a, b jump) int {
		return int(a.group)*mostProps + int(a.prop) - int(b.group)*mostProps - int(b.prop)
	})
	alone := true
	for from := 0; from < len(jumps); {
		to := from
		for to < len(jumps) && jumps[to].group == jumps[from].group && jumps[to].prop == jumps[from].prop {
			to++
		}
		of := int(followed[jumps[from].group][jumps[from].prop])
		if j.together(jumps[from:to], of) {
			alone = false
		}
		from = to
	}
	if alone && !j.few {
		j.whole(jumps, len(j.s.series))
	}
}

// together judges one property.
func (j *judgement) together(jumps []jump, of int) bool {
	g := &j.s.groups[jumps[0].group]
	q := &g.props[jumps[0].prop]
	e := j.expected(g, q)
	if e == nil || j.spared(q) {
		return false
	}
	most := 0.8
	if j.window {
		most = 0.5
	}
	if float64(len(jumps)) < most*float64(of) {
		return false
	}
	things := distinct(jumps)
	need := fewestTogether
	if e.Values.zeros > 0.3*e.Values.total {
		need = fewestSparse
	}
	text, small, ok := j.factorOf(jumps, e, q)
	if small {
		need = max(need, fewestAny)
	}
	if !ok || things < need && !j.few {
		return false
	}
	j.add(Finding{Field: q.name, Was: figure(jumps[len(jumps)/2].was), Now: figure(jumps[len(jumps)/2].now), What: Scale, Share: float64(len(jumps)) / float64(of), Kind: g.kind,
		prop: q.name, to: text, holds: true})
	return true
}

// factorOf gives what all jumps have in common; ok is false where that is nothing.
func (j *judgement) factorOf(jumps []jump, e *Expected, q *prop) (text string, small, ok bool) {
	if warm(q, e) {
		if text := allConverted(jumps); text != "" {
			return text, false, true
		}
	}
	logs := make([]float64, 0, len(jumps))
	for _, x := range jumps {
		if x.was*x.now > 0 {
			logs = append(logs, math.Log(x.now/x.was))
		}
	}
	if len(logs) == 0 || len(logs) < len(jumps)*4/5 {
		return "", false, false
	}
	slices.Sort(logs)
	middle := logs[len(logs)/2]
	small = math.Abs(middle) < math.Log(smallFactor)
	near := closeTo
	if math.Abs(middle) < math.Log(floodFactor) {
		near = closeToSmall
	}
	same := 0
	for _, l := range logs {
		if math.Abs(l-middle) < near {
			same++
		}
	}
	text, known := conversion(math.Exp(middle), nearFactor)
	if !known {
		small = true // needs as many Things
		ok = math.Abs(middle) > math.Log(smallFactor) && !e.Since.IsZero() && j.now.Sub(e.Since.Time) >= anyAfter
	} else {
		ok = true
	}
	return text, small, ok && float64(same) >= 0.8*float64(len(logs))
}

// whole judges a feed of one or two Things by all their properties: where each of three or more jumps by one great factor, the units have changed.
func (j *judgement) whole(jumps []jump, of int) {
	if len(jumps) < 3 || len(jumps) < of*4/5 || distinct(jumps) >= fewestTogether {
		return
	}
	first := jumps[0].now / jumps[0].was
	text, ok := conversion(first, nearFactor)
	if !ok || math.Abs(math.Log(math.Abs(first))) < math.Log(smallFactor) {
		return
	}
	for _, x := range jumps {
		if !(math.Abs(math.Log(x.now/x.was/first)) < closeToSmall) {
			return
		}
	}
	g := &j.s.groups[jumps[0].group]
	q := &g.props[jumps[0].prop]
	j.add(Finding{Field: q.name, Was: figure(jumps[0].was), Now: figure(jumps[0].now), What: Scale, Share: 1, Kind: g.kind, prop: q.name, to: text, holds: true})
}

func distinct(jumps []jump) int {
	things := map[uint64]bool{}
	for _, x := range jumps {
		things[x.thing] = true
	}
	return len(things)
}

func (j *judgement) expected(g *group, q *prop) *Expected {
	k := j.p.Kinds[g.kind]
	if k == nil {
		return nil
	}
	e := k.Properties[q.name]
	if e == nil || !e.ripe() {
		return nil
	}
	return e
}

// spared tells a property whose values lie within a declared range: what an operator allows is no jump.
func (j *judgement) spared(q *prop) bool {
	d, ok := j.c.Properties[q.name]
	if !ok || d.Min == nil && d.Max == nil {
		return false
	}
	inside := 0
	for _, v := range q.values {
		if (d.Min == nil || float64(v) >= *d.Min) && (d.Max == nil || float64(v) <= *d.Max) {
			inside++
		}
	}
	return float64(inside) >= (1-driftShare)*float64(len(q.values))
}

// warm tells a temperature, by its name or unit.
func warm(q *prop, e *Expected) bool {
	for _, word := range []string{"temp", "suhu", "dew"} {
		if strings.Contains(strings.ToLower(q.name), word) {
			return true
		}
	}
	return slices.Contains([]string{"Cel", "[degF]", "K"}, e.unit())
}

// converted names the scale that a temperature has gone over to.
func converted(was, now float64) string {
	const near = 2
	switch {
	case math.Abs(now-was) < 15:
		return ""
	case math.Abs(1.8*was+32-now) < 1.8*near:
		return "Cel, [degF]"
	case math.Abs((was-32)/1.8-now) < near:
		return "[degF], Cel"
	case math.Abs(math.Abs(now-was)-273.15) < near:
		return "K, Cel"
	}
	return ""
}

func allConverted(jumps []jump) string {
	text := converted(jumps[0].was, jumps[0].now)
	n := 0
	for _, x := range jumps {
		if converted(x.was, x.now) == text {
			n++
		}
	}
	if text == "" || float64(n) < 0.8*float64(len(jumps)) {
		return ""
	}
	return text
}

// quarters are where distributions are compared.
var quarters = [4]float64{0.2, 0.4, 0.6, 0.8}

// magnitudes gives quantiles of the absolute values that are not zero.
func (q *prop) magnitudes() (out [4]float64) {
	if q.quarters != nil {
		return *q.quarters
	}
	q.quarters = &out
	var room [mostValues]float32
	list := room[:0]
	for _, v := range q.values {
		if v != 0 {
			list = append(list, float32(math.Abs(float64(v))))
		}
	}
	if len(list) == 0 {
		return out
	}
	slices.Sort(list)
	for i, q := range quarters {
		out[i] = float64(list[int(q*float64(len(list)-1)+0.5)])
	}
	return out
}

// distribution finds a whole distribution that has moved by a factor and kept its form, against what was learned and against the delivery
// before: for Things that move, come and go, or are named anew each time. Where the Things themselves are known and have not jumped, series says
// so, and this rule holds its tongue.
func (j *judgement) distribution(g *group, q *prop, e *Expected) {
	if j.few || j.window || len(q.values) < fewestValues || e.Values.total < 100 || g.messages < enoughAlone || j.spared(q) || q.otherwise(e) {
		return
	}
	now := q.magnitudes()
	lately, ok := moved(e.Lately, now)
	if e.Lately[0] > 0 && (!ok || math.Abs(math.Log(lately)) < math.Log(2)) {
		return
	}
	was := e.Values.magnitudes(quarters)
	factor, ok := moved(was, now)
	if !ok || math.Abs(math.Log(factor)) < math.Log(2) || e.Lately[0] > 0 && math.Abs(math.Log(lately/factor)) > 0.2 || j.steady(g, q) {
		return
	}
	text, conversionKnown := conversion(factor, 0.08)
	great := math.Abs(math.Log(factor)) > math.Log(smallFactor)
	if !conversionKnown && (!great || j.now.Sub(e.Since.Time) < anyAfter) {
		return
	}
	j.add(Finding{Field: q.name, Was: figure(was[1]), Now: figure(now[1]), What: Scale, Share: 1, Kind: g.kind, prop: q.name, to: text, holds: true})
}

// otherwise tells that other parts of the values are zero than usual: it rains where it was dry, and what is not zero cannot be compared. A
// change of unit leaves zeros as they are.
func (q *prop) otherwise(e *Expected) bool {
	zeros := 0
	for _, v := range q.values {
		if v == 0 {
			zeros++
		}
	}
	return math.Abs(float64(zeros)/float64(len(q.values))-e.Values.zeros/e.Values.total) > driftShare
}

// moved gives the factor between two distributions of one form.
func moved(was, now [4]float64) (float64, bool) {
	var logs [4]float64
	for i := range was {
		if was[i] <= 0 || now[i] <= 0 {
			return 0, false
		}
		logs[i] = math.Log(now[i] / was[i])
	}
	middle := (logs[1] + logs[2]) / 2
	for _, l := range logs {
		if math.Abs(l-middle) > 0.25 {
			return 0, false
		}
	}
	return math.Exp(middle), true
}

// steady tells that enough Things of this property are known, and most of them say about what they said.
func (j *judgement) steady(g *group, q *prop) bool {
	at := slices.IndexFunc(j.s.groups, func(x group) bool { return x.kind == g.kind })
	known, far := 0, 0
	for _, pt := range j.s.series {
		if int(pt.group) != at || g.props[pt.prop].name != q.name {
			continue
		}
		if s := j.p.table.find(pt.series); s != nil && s.seen >= 3 && s.last != 0 {
			known++
			if r := math.Abs(math.Log(math.Abs(float64(pt.value) / float64(s.last)))); r > math.Log(1.8) {
				far++
			}
		}
	}
	return known >= fewestAny && far < known/2
}

// possible is what physics allows, by property; where a feed has never left it, it cannot leave it now, not even one Thing. A number without a
// unit may be of any: levels in centimetres are told so, and a flood in them is no lie. An amount of rain may be that of a season.
var possible = []struct {
	names     []string
	units     []string
	low, high float64
	text      string
}{
	{[]string{"water_level", "river_level", "tinggi_muka_air"}, []string{"m"}, -20, 40, "-20..40 m"},
	{[]string{"rainfall", "rain", "curah_hujan", "precipitation"}, []string{"mm/h"}, 0, 500, "0..500 mm/h"},
	{[]string{"temperature", "air_temperature", "suhu"}, []string{"Cel"}, -60, 65, "-60..65 Cel"},
	{[]string{"humidity", "relative_humidity", "kelembapan"}, []string{"%", ""}, 0, 110, "0..110 %"},
	{[]string{"wind_speed", "wind_gust"}, []string{"m/s"}, 0, 110, "0..110 m/s"},
}

func (j *judgement) possible(g *group, q *prop, e *Expected) {
	if len(q.values) == 0 || j.spared(q) {
		return
	}
	for i := range possible {
		p := &possible[i]
		if !slices.Contains(p.names, q.name) || !slices.Contains(p.units, e.unit()) {
			continue
		}
		outside, example := 0, 0.0
		for _, v := range q.values {
			if float64(v) < p.low || float64(v) > p.high {
				outside++
				example = float64(v)
			}
		}
		if share := float64(outside) / float64(len(q.values)); share > driftShare && e.Values.quantile(0) >= p.low && e.Values.quantile(1) <= p.high {
			j.add(Finding{Field: q.name + ".range", Was: p.text, Now: figure(example), What: Range, Share: share, Kind: g.kind, prop: q.name, holds: true})
		}
		return
	}
}

// accept lets the profile forget what contradicts these findings, so that the new shape is learned from what comes.
func (p *Profile) accept(findings []Finding, now time.Time) {
	for i := range findings {
		f := &findings[i]
		if f.Declared && len(p.Waived) < 64 {
			p.Waived = append(p.Waived, f.key())
		}
		if k := p.Kinds[f.Kind]; k != nil && f.What == Absent {
			k.Whole = Extreme{}
		}
		if k := p.Kinds[f.Kind]; k != nil && f.prop != "" {
			delete(k.Properties, f.prop)
			switch f.What {
			case Renamed:
				k.Properties[f.to] = &Expected{Units: map[string]int64{}, Since: moment.Of(now)}
			case Unit, Type, Scale, Range:
				k.Properties[f.prop] = &Expected{Units: map[string]int64{}, Since: moment.Of(now)}
			}
		}
		switch f.What {
		case Scale:
			p.table.forget()
		case Swapped, Place:
			p.Bound = box{}
		case Unplaced:
			p.Placed = Extreme{}
		case Future:
			p.Ahead = 1
		case Times:
			p.SpreadMS, p.Standing = Extreme{}, 1
		case Collapse, Burst:
			p.Sources = map[string]Volume{}
		case Ignored:
			p.Ignored = Extreme{}
		case Refused:
			p.Refused = min(1, p.Refused+f.Share)
		}
	}
	p.Day = moment.Of(now)
}
