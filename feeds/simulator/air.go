package simulator

import (
	"math"

	"kentongan/geo"
)

// pm25 in ug/m3: a background, a city's share that follows cooking and traffic (06.30 and 18.30), less in rain, and ash.
func (c *City) pm25(t *thing, ms int64) float64 {
	h := c.hour(ms)
	town := math.Exp(-math.Pow(c.toTown(t), 2) / 8)
	daily := 0.35 + peak(h, 6.5, 1.3) + 1.1*peak(h, 18.5, 1.8) + 0.3*peak(h, 12, 2)
	v := 9 + 4*wander(hash(t.seed, 5), ms, 5*hourMS) + 24*town*daily*within(hash(t.seed, 6), 0.7, 1.2)
	v *= 1 / (1 + c.rain(t.pos, ms)/12)
	return max(2, v+1.2*bell(hash(t.seed, uint64(ms)))) + 0.35*c.ash(t.pos, ms)
}

// pm10 in ug/m3: ash is coarse, smoke is fine.
func (c *City) pm10(pm25, ash float64) float64 { return (pm25-0.35*ash)*1.55 + ash }

// peak of the day, 1 at its hour.
func peak(h, at, width float64) float64 {
	d := math.Abs(h - at)
	d = min(d, 24-d) / width
	return math.Exp(-d * d / 2)
}

// toTown is how far the nearest town is, km.
func (c *City) toTown(t *thing) float64 {
	best := math.Inf(1)
	for i := range c.land.towns {
		best = min(best, flat(t.pos, c.land.towns[i].Position))
	}
	return best
}

// plume is an eruption that feeds the wind.
type plume struct {
	from, until int64
	at          geo.Position
	rate        float64 // ug/m3 of PM10 that 1 km of way would meet on the axis
	to          float64 // degrees; the wind of its beginning holds
	speed       float64 // m/s
}

// ashRise is how long an eruption takes to its full rate.
const ashRise = 40 * 1000

// ash in ug/m3 of PM10: a plume after Gauss at the ground, its width and depth growing with the way, moving with the wind; what stands
// at a place now left the crater one journey ago.
func (p *plume) ash(at geo.Position, ms int64) float64 {
	dy := (at.Lat - p.at.Lat) * kmPerDegree
	dx := (at.Lng - p.at.Lng) * kmPerDegree * math.Cos(at.Lat*math.Pi/180)
	to := p.to * math.Pi / 180
	along, across := dx*math.Sin(to)+dy*math.Cos(to), dx*math.Cos(to)-dy*math.Sin(to)
	if along <= 0.05 {
		return 0
	}
	left := ms - int64(along*1e6/p.speed)
	if left <= p.from {
		return 0
	}
	strength := min(1, float64(left-p.from)/ashRise)
	if p.until > 0 && left > p.until { // it dies down, and the air clears
		strength *= math.Exp(-float64(left-p.until) / float64(10*minuteMS))
	}
	width := 0.35 + 0.16*along
	return p.rate * strength * math.Exp(-across*across/(2*width*width)) / (0.5 + 0.5*along)
}

func (c *City) ash(at geo.Position, ms int64) float64 {
	sum := 0.0
	for i := range c.now.plumes {
		sum += c.now.plumes[i].ash(at, ms)
	}
	return sum
}

// Lakes: temperature and oxygen follow the sun, turbidity the rain.
func (c *City) lake(t *thing, ms int64) (temperature, oxygen, ph, turbidity float64) {
	day := math.Sin((c.hour(ms) - 9) / 24 * 2 * math.Pi)
	temperature = 25.5 + 0.8*day + 0.3*wander(hash(t.seed, 5), ms, 12*hourMS)
	oxygen = 6.6 + 0.9*day + 0.4*wander(hash(t.seed, 6), ms, 9*hourMS)
	ph = 7.9 + 0.15*day + 0.1*wander(hash(t.seed, 7), ms, 20*hourMS)
	turbidity = 3 + 1.5*wander(hash(t.seed, 8), ms, 7*hourMS) + 0.4*c.rain(t.pos, ms)
	return temperature, oxygen, ph, turbidity
}
