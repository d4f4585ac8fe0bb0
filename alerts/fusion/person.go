package fusion

import (
	"maps"
	"slices"

	"kentongan/alerts/incident"
)

// What follows for the accounts and suggestions around an incident when a person has ended it, moved it, or called it by another name.

// released finds a place for accounts that were to join an incident just when somebody ended it: what is no evidence of it is of something else.
func (c *Core) released(old *hold, in *incident.Incident) {
	for _, ref := range slices.Sorted(maps.Keys(old.refs)) {
		if in.Evident(ref) {
			continue
		}
		for _, key := range slices.Clone(c.byRef[ref]) {
			if t := c.signals[key]; t != nil && t.in == in.ID {
				t.in = ""
				c.place(t)
			}
		}
	}
}

// moved asks again about what was suggested to join an incident, after somebody has said that it is of another type or elsewhere. What goes
// with it no more is looked at as if it had come now: else a flood would wait beside a fire, and nobody would be asked to open it.
func (c *Core) moved(k *hold) {
	g := c.offers[c.joining[k.id]]
	if g == nil || g.State != Offered {
		return
	}
	for _, p := range slices.Clone(g.Evidence) {
		for _, key := range slices.Clone(c.byRef[p.Ref]) {
			t := c.signals[key]
			if weight, _ := c.weigh(&t.Signal, k); weight >= SuggestAt {
				continue
			}
			c.unoffer(t)
			if t.in == k.id {
				t.in = ""
				c.place(t)
			}
		}
	}
	if g.State == Offered {
		g.Type, g.AreaName = k.types[0].Type, k.areaName
		c.touch(g)
	}
}

// samePlace tells whether two cases are of one type in one place.
func samePlace(a, b *hold) bool {
	return slices.Equal(a.types, b.types) && (a.place == nil) == (b.place == nil) && (a.place == nil || *a.place == *b.place)
}

// dropMerges withdraws what was suggested of two incidents that cannot be one any more: somebody has moved one, named another type, or said that
// they belong apart.
func (c *Core) dropMerges(k *hold) {
	for _, id := range slices.Sorted(maps.Keys(c.offers)) {
		g := c.offers[id]
		if g.Kind != Merge || g.State != Offered || g.Incident != k.id && g.Other != k.id {
			continue
		}
		other := g.Other
		if other == k.id {
			other = g.Incident
		}
		if o := c.cases[other]; o != nil && (k.apart[other] || o.apart[k.id] || c.between(k, o) == 0) {
			c.withdraw(g)
		}
	}
}

// between is how well two incidents go together.
func (c *Core) between(k, o *hold) float64 {
	if k.place == nil || o.place == nil {
		return 0
	}
	one := k.signal(o)
	weight, _ := c.weigh(&one, o)
	return weight
}
