package simulator

import (
	"math"

	"kentongan/geo"
)

// Lamps: on below 2 degrees of sun, each with its own sensor; a few are broken for days at a time, and a cut of power darkens a town.
func (c *City) lamp(t *thing, ms int64) (state string, watts float64) {
	if unit(hash(t.seed, uint64(c.day(ms)/5), 3)) < 0.012 {
		return "failed", 0
	}
	if c.powerCut(t.pos, ms) {
		return "off", 0
	}
	if c.sun(t.pos, ms) < 2+0.8*bell(hash(t.seed, 4)) {
		return "on", within(hash(t.seed, 5), 58, 63)
	}
	return "off", 0
}

// voltage of the lamp's line, V.
func (c *City) voltage(t *thing, ms int64) float64 {
	if c.powerCut(t.pos, ms) {
		return 0
	}
	return 221 - 7*peak(c.hour(ms), 19, 2) + 1.5*bell(hash(t.seed, uint64(ms), 6))
}

// cut is power that is out around a place.
type cut struct {
	from, until int64
	at          geo.Position
	km          float64
}

func (c *City) powerCut(p geo.Position, ms int64) bool {
	for i := range c.now.cuts {
		if k := &c.now.cuts[i]; ms >= k.from && ms < k.until && flat(k.at, p) <= k.km {
			return true
		}
	}
	return false
}

// good is what markets sell: Rp per kg, near the prices of West Sumatra in 2025.
type good struct {
	property string
	price    float64
	swing    float64 // share by which it wanders over weeks
}

var goods = [...]good{
	{"price_rice", 16500, 0.04}, {"price_red_chilli", 52000, 0.22}, {"price_shallot", 38000, 0.15},
	{"price_egg", 29000, 0.06}, {"price_chicken", 36000, 0.08}, {"price_cooking_oil", 19000, 0.03},
}

// shift is what an event does to a price, in the end; prices follow over hours.
type shift struct {
	from, until int64
	property    string
	factor      float64
}

// price at a market: a slow walk that all markets share, a little of its own, rounded to 500 as markets do.
func (c *City) price(t *thing, g *good, ms int64) float64 {
	v := g.price * (1 + g.swing*wander(hash(c.seed, word(g.property)), ms, 9*dayMS) + 0.02*wander(hash(t.seed, word(g.property)), ms, 2*dayMS))
	for i := range c.now.shifts {
		if s := &c.now.shifts[i]; s.property == g.property && ms > s.from && ms < s.until {
			v *= 1 + (s.factor-1)*(1-math.Exp(-float64(ms-s.from)/float64(20*minuteMS)))
		}
	}
	return math.Round(v/500) * 500
}

// flood is water on a road.
type flood struct {
	from, until int64
	road        int
	km          float64
	depth       float64 // m
}

// roadWater is the depth at a road sensor, m.
func (c *City) roadWater(t *thing, ms int64) float64 {
	v := 0.0
	if r := c.rain(t.pos, ms); r > 25 {
		v = min(0.06, (r-25)/900)
	}
	for i := range c.now.floods {
		f := &c.now.floods[i]
		if f.road != t.line || ms < f.from || ms > f.until {
			continue
		}
		if near := math.Exp(-math.Pow((t.km-f.km)/1.2, 2)); near > 0.05 {
			v = max(v, f.depth*near*min(1, float64(ms-f.from)/90000)*min(1, float64(f.until-ms)/float64(10*minuteMS)))
		}
	}
	return v
}

// roadSpeed is the mean speed at a road sensor, km/h.
func (c *City) roadSpeed(t *thing, ms int64) float64 {
	free := 42 + 8*bell(hash(t.seed, 4)) - 10*peak(c.hour(ms), 7, 1) - 12*peak(c.hour(ms), 17.5, 1.5)
	for i := range c.now.blocks {
		b := &c.now.blocks[i]
		if b.road == t.line && ms >= b.from && ms < b.until {
			if d := math.Abs(t.km - b.km); d < 2 {
				free *= d / 2
			}
		}
	}
	return max(0, free/(1+4*c.roadWater(t, ms))+2*bell(hash(t.seed, uint64(ms))))
}
