package storm

import (
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// noise fills the calls up with those that belong to nothing. Of a hundred calls to a 112 centre three or four are incidents (domain.md
// section 13: 1,395 of 42,337 in Bandung in 2024); the others are silent, questions, tests, services that are asked for, and pranks, of
// which one in a hundred invents an emergency. In a storm people also hear of other regencies.
func (k *maker) noise() {
	d := k.dice(forNoise)
	calls := 0
	for _, i := range k.storm.Items {
		if i.Report != nil {
			calls++
		}
	}
	for ; calls < k.Making.Calls && k.left() > k.Making.Items/8; calls++ {
		c := k.channel(d)
		at := k.Begin.Add(d.span(0, k.Lasts))
		town := k.land.Towns[d.IntN(len(k.land.Towns))]
		r := &feeds.Report{Channel: c.name, At: moment.Of(at), Address: "lokasi tidak disebut"}
		if r.Placed = d.chance(.6); r.Placed { // silent calls are placed by the mast, others by their pin
			r.Position = d.near(town.Position, 1200)
		}
		truth := Truth{Told: true}
		switch x := d.Float64(); {
		case x < .55:
			truth.Fault, r.Text = Empty, d.pick(silences)
			if r.Placed && d.chance(.7) {
				r.Position = rounded(town.Position)
			}
		case x < .80:
			truth.Fault, r.Text = Empty, spelled(d, d.pick(questions), c.name)
		case x < .978:
			truth.Fault = Complaint
			w := complaints[d.IntN(len(complaints))]
			r.Text, r.Code, r.Type = spelled(d, fillIn(d.pick(w.texts), town.Name), c.name), w.code, named(w.code)
			r.Address = town.Name
			r.Placed, r.Position = true, d.near(town.Position, 1200)
		case x < .99:
			truth.Fault = Prank
			t := &trades[d.IntN(len(trades)-1)]
			if t.code == "water_out" || t.code == "animal" {
				t = tradeOf("fire_building")
			}
			r.Text = k.wording(d, t.code, town.Name, c.name)
			if d.chance(c.coded) {
				r.Code, r.Type = t.code, named(t.code)
			}
			r.Placed, r.Position, r.Address = true, d.near(town.Position, 1200), town.Name
		default:
			truth.Fault, r.Text = Elsewhere, spelled(d, d.pick(hearsay), c.name)
			r.Placed, r.Position = false, geo.Position{}
		}
		k.report(d, c.feed, r, at.Add(d.span(5*time.Second, time.Minute)), truth)
	}
}
