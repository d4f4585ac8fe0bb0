package rules

import (
	"time"

	"kentongan/feeds"
)

// rated gives the mark at i, and those after it that look back on it, their rate, and tries the conditions on it.
func (p *pair) rated(i int, v *view) {
	list := p.kept()
	of := p.rule.rule.Rate.Of.Milliseconds()
	mine := *v.obs
	for j := i; j < len(list) && list[j].at <= list[i].at+of; j++ {
		m := &list[j]
		if m.value == nil {
			continue
		}
		if j != i {
			v.obs.Property, v.obs.Value, v.obs.Unit, v.obs.At = p.props[m.prop], m.value.value, m.value.unit, momentOf(m.at)
		}
		v.rate, v.rated = p.rateAt(j)
		m.said = m.said&^(held|over) | p.rule.says(v)
	}
	*v.obs = mine
	v.rate, v.rated = 0, false
}

// rateAt is the rate at a mark, in the value's unit per Rate.Per; false where too little is known.
func (p *pair) rateAt(j int) (float64, bool) {
	list, r := p.kept(), p.rule.rule.Rate
	m := &list[j]
	if m.value.value.Type != feeds.Number {
		return 0, false
	}
	first := j
	for i := j - 1; i >= 0 && list[i].at >= m.at-r.Of.Milliseconds(); i-- {
		if list[i].prop == m.prop && list[i].value != nil && list[i].value.value.Type == feeds.Number && list[i].value.unit == m.value.unit {
			first = i
		}
	}
	span := m.at - list[first].at
	if span <= 0 || 2*span < r.Of.Milliseconds() {
		return 0, false
	}
	return (m.value.value.Num - list[first].value.value.Num) / float64(span) * float64(r.per().Milliseconds()), true
}

// per is the time that the rate is over.
func (r *Rate) per() time.Duration {
	if r.Per == 0 {
		return DefaultRatePer
	}
	return r.Per
}
