package storm

import (
	"fmt"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// channel is one way by which people tell, and how exactly it tells.
type channel struct {
	feed, name string
	share      float64
	coded      float64 // chance that a type is filed with it
	wrong      float64 // chance that it is the wrong one, of those that people confuse
	offM       float64 // how far off its place usually is, metres
	coarse     float64 // chance of the middle of the town
	unplaced   float64
	elsewhere  float64 // chance of a place that has nothing to do with it
	late       float64 // chance that it is told half an hour or more later
}

// channels of a regency: the 112 desk files a type and sets a pin by landmark, the application has the telephone's own position, a chat has
// often only words, officers say by radio where they stand.
var channels = []channel{
	{"lapor112", "call", .55, .86, .06, 110, .04, .02, .02, .05},
	{"warga", "app", .17, .92, .08, 45, .01, 0, .02, .10},
	{"wa", "chat", .20, .25, .05, 70, .05, .10, .01, .12},
	{"radio", "radio", .08, .60, .03, 40, .01, .03, 0, .03},
}

// calls: what people say of the incidents. Most call in the first quarter of an hour; a few know of it only later, and say so.
func (k *maker) calls() {
	d := k.dice(forCalls)
	for i := range k.storm.Incidents {
		in := &k.storm.Incidents[i]
		t := tradeOf(in.Type)
		for range d.count(t.calls[0], t.calls[1]) {
			k.call(d, t, in)
		}
	}
}

func (k *maker) call(d dice, t *trade, in *Incident) {
	c := k.channel(d)
	at := in.From.Add(time.Minute + d.soon(in.Until.Sub(in.From)/4))
	if at.After(in.Until) {
		at = in.From.Add(d.span(time.Minute, in.Until.Sub(in.From)))
	}
	truth := Truth{Incident: in.Label, Told: true}
	delay := d.span(5*time.Second, 50*time.Second)
	if d.chance(c.late) {
		truth.Fault = Late
		if wait := d.span(20*time.Minute, time.Hour); d.chance(.5) {
			at = at.Add(wait) // told late
		} else {
			delay = wait // it lay in a queue
		}
	}
	r := &feeds.Report{Channel: c.name, At: moment.Of(at), Address: in.Place}
	typ := ""
	if d.chance(c.coded) {
		if typ = t.code; len(t.taken) > 0 && d.chance(c.wrong) {
			typ, truth.Fault = d.pick(t.taken), WrongType
		}
		r.Code, r.Type = typ, named(typ)
	} else if truth.Fault == Sound {
		truth.Fault = NoType
	}
	r.Text = k.wording(d, t.code, in.Place, c.name)
	k.pin(d, &c, r, in, &truth)
	k.report(d, c.feed, r, at.Add(delay), truth)
	if d.chance(.05) { // the same person again by another way, in a hurry
		again, other := *r, channels[d.IntN(len(channels))]
		again.Channel, again.ID = other.name, ""
		again.At = moment.Of(at.Add(d.span(time.Minute, 4*time.Minute)))
		k.report(d, other.feed, &again, again.At.Add(delay), truth)
	}
}

func (k *maker) channel(d dice) channel {
	at := d.Float64()
	for _, c := range channels {
		if at -= c.share; at < 0 {
			return c
		}
	}
	return channels[0]
}

// pin places a report as its channel would. Told is taken back where neither place nor words say which incident is meant.
func (k *maker) pin(d dice, c *channel, r *feeds.Report, in *Incident, truth *Truth) {
	stands := d.inside(in.Position, in.ExtentM)
	if in.Type == "eq" { // people tell of it from where they live
		stands = d.near(k.land.Towns[d.IntN(len(k.land.Towns))].Position, 900)
	}
	r.Placed = true
	at := d.Float64()
	switch {
	case at < c.unplaced:
		r.Placed, truth.Fault, truth.Told = false, Unplaced, false
	case at < c.unplaced+c.coarse:
		r.Position, truth.Fault = rounded(k.town(stands).Position), Coarse
		truth.Told = geo.Distance(r.Position, in.Position) < in.ExtentM+300
	case at < c.unplaced+c.coarse+c.elsewhere:
		r.Position, truth.Fault = d.near(k.land.Towns[d.IntN(len(k.land.Towns))].Position, 700), Wrong
		truth.Told = geo.Distance(r.Position, in.Position) < in.ExtentM+300
	default:
		r.Position = d.near(stands, c.offM)
	}
	if in.Type == "eq" { // there is but one, wherever it was felt
		truth.Told = true
	}
}

func (k *maker) report(d dice, feed string, r *feeds.Report, delivered time.Time, truth Truth) {
	r.ID = fmt.Sprintf("%s-%05d", feed, len(k.storm.Items)*7919%100_000)
	r.UpdatedAt = moment.Time{}
	k.add(Item{Feed: feed, Delivered: delivered, Report: r, Truth: truth})
}

// copies: one item in forty is delivered twice, as retries and careless gateways do.
func (k *maker) copies() {
	d := k.dice(forCopies)
	for _, i := range k.storm.Items {
		if d.chance(.025) {
			i.Delivered, i.Truth.Copy = i.Delivered.Add(d.span(2*time.Second, 90*time.Second)), true
			k.storm.Items = append(k.storm.Items, i)
		}
	}
}
