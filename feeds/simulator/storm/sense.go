package storm

import (
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// sense lets the instruments see the incidents, and go wrong.
func (k *maker) sense() {
	d := k.dice(forSensors)
	for i := range k.storm.Incidents {
		in := &k.storm.Incidents[i]
		for n := range k.things {
			t := &k.things[n]
			if t.property != tradeOf(in.Type).sensor || geo.Distance(in.Position, t.at) > in.ExtentM+t.sees {
				continue
			}
			if in.Type == "eq" {
				k.shake(d, n, in)
			} else {
				k.watch(d, n, in)
			}
		}
	}
	k.faults(d)
}

// watch lets an instrument follow an incident: every minute at first, then every three; at the end a few readings that all is over.
func (k *maker) watch(d dice, n int, in *Incident) {
	from := in.From.Add(d.span(0, 4*time.Minute))
	until := in.Until.Add(5 * time.Minute)
	if !k.take(n, from.Add(-2*time.Minute), until) {
		return
	}
	t, x := &k.things[n], d.within(.1, .5)
	for at := from; at.Before(until); {
		over := at.After(in.Until)
		x = min(1, max(0, x+d.within(-.12, .15)))
		k.reading(d, t.read(at, !over, x), t, Truth{Incident: in.Label, Told: true})
		if at.Sub(from) < 15*time.Minute || over {
			at = at.Add(time.Minute)
		} else {
			at = at.Add(3 * time.Minute)
		}
	}
}

// shake lets a seismometer feel the shock at the beginning and its aftershocks.
func (k *maker) shake(d dice, n int, in *Incident) {
	t := &k.things[n]
	if !k.take(n, in.From, in.Until) {
		return
	}
	for i, at := range shocks(k, in) {
		strength := max(0, d.within(.4, 1)-.18*float64(i))
		for j := range 3 {
			k.reading(d, t.read(at.Add(time.Duration(2+3*j)*time.Second), true, strength), t, Truth{Incident: in.Label, Told: true})
		}
		for j := range 2 {
			k.reading(d, t.read(at.Add(time.Duration(40+30*j)*time.Second), false, d.Float64()), t, Truth{Incident: in.Label, Told: true})
		}
	}
}

// shocks of an earthquake: the main one, and two to four after it.
func shocks(k *maker, in *Incident) []time.Time {
	d := k.dice(1000 + uint64(in.From.Unix()))
	out := []time.Time{in.From}
	for range d.count(2, 4) {
		out = append(out, out[len(out)-1].Add(d.span(4*time.Minute, 12*time.Minute)))
	}
	return out
}

// reading sends one reading on its way: seconds by radio, and one in fifty waits minutes in a gateway.
func (k *maker) reading(d dice, o *feeds.Observation, t *thing, truth Truth) {
	delay := d.span(time.Second, 12*time.Second)
	if d.chance(.02) {
		delay, truth.Fault = d.span(time.Minute, 9*time.Minute), Late
	}
	k.add(Item{Feed: t.feed, Delivered: o.At.Add(delay), Observation: o, Truth: truth})
}

// faults of instruments: some stick, some jump, some lose their clock, a gauge counts in centimetres. None of it is about anything.
func (k *maker) faults(d dice) {
	none := func(f Fault) Truth { return Truth{Fault: f, Told: true} }
	for range 6 { // stuck for an hour at one value, half of them at one that would mean disaster
		if n := d.IntN(len(k.things)); !k.things[n].truth {
			t, from, x, wild := &k.things[n], k.Begin.Add(d.span(10*time.Minute, k.Lasts-80*time.Minute)), d.Float64(), d.chance(.5)
			if !k.take(n, from, from.Add(time.Hour)) {
				continue
			}
			for i := range 60 {
				k.reading(d, t.read(from.Add(time.Duration(i)*time.Minute), wild, x), t, none(Stuck))
			}
		}
	}
	for range 60 {
		n, at := d.IntN(len(k.things)), k.Begin.Add(d.span(5*time.Minute, k.Lasts-5*time.Minute))
		if k.take(n, at.Add(-time.Minute), at.Add(2*time.Minute)) {
			t := &k.things[n]
			k.reading(d, t.read(at, true, d.Float64()), t, none(Jump))
			k.reading(d, t.read(at.Add(time.Minute), false, d.Float64()), t, Truth{Told: true})
		}
	}
	for range 40 {
		n, at := d.IntN(len(k.things)), k.Begin.Add(d.span(5*time.Minute, k.Lasts-5*time.Minute))
		t := &k.things[n]
		o := t.read(at, d.chance(.3), d.Float64())
		if d.chance(.5) {
			o.At = moment.Of(time.Date(2000, 1, 1, 0, at.Minute(), at.Second(), 0, time.UTC))
		} else {
			o.At = moment.Of(at.Add(24 * time.Hour))
		}
		k.add(Item{Feed: t.feed, Delivered: at.Add(3 * time.Second), Observation: o, Truth: none(Clock)})
	}
	for n := range k.things {
		from := k.Begin.Add(time.Hour)
		if t := &k.things[n]; t.property == "water_level" && k.take(n, from, from.Add(30*time.Minute)) {
			for i := range 30 {
				o := t.read(from.Add(time.Duration(i)*time.Minute), false, d.Float64())
				o.Value.Num = digits(o.Value.Num*100, 0)
				k.reading(d, o, t, none(OtherUnit))
			}
			break
		}
	}
}

// calm fills the storm up with what the instruments say when nothing is wrong, evenly over its time.
func (k *maker) calm() {
	d := k.dice(forCalm)
	left := k.left()
	for i := range left {
		at := k.Begin.Add(time.Duration(float64(k.Lasts) * (float64(i) + d.Float64()) / float64(left))).Truncate(time.Second)
		n := i * 7919 % len(k.things)
		for tries := 0; !k.free(n, at) && tries < len(k.things); tries++ {
			n = (n + 1) % len(k.things)
		}
		t := &k.things[n]
		k.reading(d, t.read(at, false, d.Float64()), t, Truth{Told: true})
	}
}
