package storm

import (
	"fmt"
	"math"
	"slices"
	"time"

	"kentongan/geo"
)

// Two incidents that could be taken for one another are two because something lies between them: this much between their edges at one time,
// or this much time between the end of one and the beginning of the other at one place.
const (
	GapM    = 600.0
	GapTime = time.Hour
)

// happen lets the incidents happen. One in four is put on purpose as near to another as two can be: beside it at the same time, or at its
// place after it.
func (k *maker) happen() {
	d := k.dice(forIncidents)
	k.numbers = map[string]int{}
	k.try(d, tradeOf("eq"))
	for tries := 0; len(k.storm.Incidents) < k.Making.Incidents && tries < 200*k.Making.Incidents; tries++ {
		k.try(d, k.draw(d))
	}
	slices.SortStableFunc(k.storm.Incidents, func(a, b Incident) int { return a.From.Compare(b.From) })
	for i := range k.storm.Incidents {
		k.confuse(&k.storm.Incidents[i])
	}
}

func (k *maker) draw(d dice) *trade {
	sum := 0.0
	for i := range trades {
		sum += trades[i].share
	}
	at := d.Float64() * sum
	for i := range trades {
		if at -= trades[i].share; at < 0 {
			return &trades[i]
		}
	}
	return &trades[0]
}

// try lets one happen where there is room for it.
func (k *maker) try(d dice, t *trade) {
	in := Incident{Type: t.code, Severity: t.severity, LifeSafety: d.chance(t.life), ExtentM: math.Round(d.within(t.extent[0], t.extent[1]))}
	lasts := d.span(t.lasts[0], t.lasts[1])
	in.From = k.Begin.Add(d.span(5*time.Minute, k.Lasts-20*time.Minute))
	in.Position = k.somewhere(d, t)
	if other := k.another(d, t.code); other != nil && d.chance(.25) {
		if d.chance(.7) {
			away, angle := other.ExtentM+in.ExtentM+GapM*d.within(1, 2), d.Float64()*2*math.Pi
			in.Position = moved(other.Position, away*math.Cos(angle), away*math.Sin(angle))
			in.From = other.From.Add(d.span(-20*time.Minute, 20*time.Minute))
		} else {
			in.Position = d.near(other.Position, 60)
			in.From = other.Until.Add(d.span(GapTime, GapTime+20*time.Minute))
		}
	}
	in.Until = in.From.Add(lasts)
	if in.From.Before(k.Begin) || in.From.After(k.end().Add(-15*time.Minute)) || !k.Inside(in.Position) || k.crowded(&in) {
		return
	}
	k.numbers[t.code]++
	in.Label, in.Place = fmt.Sprintf("%s-%02d", t.code, k.numbers[t.code]), k.town(in.Position).Name
	k.storm.Incidents = append(k.storm.Incidents, in)
}

// another is one of those that an incident of the type could be taken for; nil where there is none.
func (k *maker) another(d dice, code string) *Incident {
	var near []int
	for i := range k.storm.Incidents {
		if code != "eq" && k.storm.Incidents[i].Type != "eq" && confusable(code, k.storm.Incidents[i].Type) {
			near = append(near, i)
		}
	}
	if len(near) == 0 {
		return nil
	}
	return &k.storm.Incidents[near[d.IntN(len(near))]]
}

// crowded tells that an incident would be one with another.
func (k *maker) crowded(in *Incident) bool {
	return slices.ContainsFunc(k.storm.Incidents, func(o Incident) bool {
		return confusable(in.Type, o.Type) && between(in, &o) < GapTime && geo.Distance(in.Position, o.Position) < GapM+in.ExtentM+o.ExtentM
	})
}

// between is the time between the end of one and the beginning of the other; 0 where they overlap.
func between(a, b *Incident) time.Duration {
	if a.From.After(b.From) {
		a, b = b, a
	}
	return max(0, b.From.Sub(a.Until))
}

// confuse writes down the nearest that an incident could be taken for.
func (k *maker) confuse(in *Incident) {
	best := math.Inf(1)
	for i := range k.storm.Incidents {
		o := &k.storm.Incidents[i]
		far, apart := geo.Distance(in.Position, o.Position), between(in, o)
		if o.Label == in.Label || !confusable(in.Type, o.Type) || far > 5000 || apart > 3*time.Hour {
			continue
		}
		if score := far/GapM + float64(apart)/float64(GapTime); score < best {
			best = score
			in.Confusable, in.DistanceM, in.Apart = o.Label, math.Round(far), apart
		}
	}
}

// somewhere is a place for an incident: where an instrument stands that can see it, or anywhere on its ground.
func (k *maker) somewhere(d dice, t *trade) geo.Position {
	if t.sensor != "" && d.chance(t.sensed) {
		var can []int
		for i := range k.things {
			if k.things[i].property == t.sensor {
				can = append(can, i)
			}
		}
		return d.inside(k.things[can[d.IntN(len(can))]].at, t.extent[0]*.7)
	}
	return k.place(d, t.ground)
}

// place is a place on a ground.
func (k *maker) place(d dice, g ground) geo.Position {
	town := k.land.Towns[d.IntN(len(k.land.Towns))].Position
	switch g {
	case onRiver, onUpperRiver:
		r := k.land.Rivers[d.IntN(len(k.land.Rivers))]
		from, to := .25, .98
		if g == onUpperRiver {
			from, to = .02, .4
		}
		return d.near(r.At(d.within(from, to)*r.Km()), 80)
	case onSlope, onRoad:
		r := k.land.Roads[d.IntN(len(k.land.Roads))]
		return d.near(r.At(d.Float64()*r.Km()), 25)
	case onFault:
		return k.land.Fault.At(d.within(.2, .8) * k.land.Fault.Km())
	case inFields:
		return d.near(town, 3500)
	default:
		return d.near(town, 1100)
	}
}

// LifeSafety lists the incidents on which a life hangs.
func (s *Storm) LifeSafety() []Incident {
	var out []Incident
	for _, in := range s.Incidents {
		if in.LifeSafety {
			out = append(out, in)
		}
	}
	return out
}

// Apart is how far two incidents lie from each other in place, and in time: between the end of one and the beginning of the other, 0 where
// they overlap.
func Apart(a, b *Incident) (metres float64, apart time.Duration) {
	return geo.Distance(a.Position, b.Position), between(a, b)
}
