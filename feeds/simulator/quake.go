package simulator

import (
	"math"

	"kentongan/geo"
)

// quake is a shock, as it happened.
type quake struct {
	at        int64 // origin, ms
	position  geo.Position
	depthKm   float64
	magnitude float64
}

// Speeds in the crust, km/s, along a straight ray.
const (
	pSpeed = 6.0
	sSpeed = 3.5
)

// hypocentral distance, km.
func (q *quake) distance(p geo.Position) float64 {
	d := flat(q.position, p)
	return math.Sqrt(d*d + q.depthKm*q.depthKm)
}

// arrivals of P and S, ms.
func (q *quake) arrivals(p geo.Position) (pAt, sAt int64) {
	d := q.distance(p)
	return q.at + int64(d/pSpeed*1000), q.at + int64(d/sSpeed*1000)
}

// gal is the largest ground acceleration in cm/s2 on firm ground, by Joyner and Boore (1981), BSSA 71(6), equation 2:
// log A = -1.02 + 0.249 M - log r - 0.00255 r, r = sqrt(d^2 + 7.3^2), A in g, d in km; here d is from the epicentre, for the shock is
// a point.
func (q *quake) gal(p geo.Position) float64 {
	d := flat(q.position, p)
	r := math.Sqrt(d*d + 7.3*7.3)
	return 980.665 * math.Pow(10, -1.02+0.249*q.magnitude-math.Log10(r)-0.00255*r)
}

// mmi from the acceleration in cm/s2 (Wald et al. 1999, Earthquake Spectra 15(3)): 3.66 log A - 1.66 from V on, 2.20 log A + 1.00 below.
func mmi(gal float64) int {
	if gal <= 0.5 {
		return 1
	}
	low := 2.20*math.Log10(gal) + 1.00
	if low < 5 {
		return max(1, int(math.Round(low)))
	}
	return min(10, int(math.Round(3.66*math.Log10(gal)-1.66)))
}

// shaking is what an accelerometer sees of a shock in the second that ends now: a little from P, all of it from S, then the coda.
func (q *quake) shaking(p geo.Position, ms int64) float64 {
	pAt, sAt := q.arrivals(p)
	if ms < pAt {
		return 0
	}
	peak := q.gal(p)
	if ms < sAt {
		return 0.18 * peak
	}
	s := float64(ms-sAt) / 1000
	held := 2 + q.magnitude/3 // s of strong shaking
	if s <= held {
		return peak
	}
	return peak * math.Exp(-(s-held)/(3+q.magnitude))
}

// pga at a place in cm/s2: the noise of the ground, louder by day, and every shock.
func (c *City) pga(t *thing, ms int64) float64 {
	noise := 0.015 * (1 + 0.8*peak(c.hour(ms), 13, 4)) * math.Exp(0.5*bell(hash(t.seed, uint64(ms))))
	sum := noise * noise
	for i := range c.now.quakes {
		v := c.now.quakes[i].shaking(t.pos, ms)
		if t.extra > 0 {
			v *= t.extra // the ground below it
		}
		sum += v * v
	}
	return math.Sqrt(sum)
}

// phoneNotices is from which acceleration on a phone that lies still tells an earthquake, cm/s2.
const phoneNotices = 12

// felt gives the shock that a phone tells of between two moments, and when; phones tell it within a few seconds of the S waves.
func (c *City) felt(t *thing, from, to int64) (gal float64, at int64, ok bool) {
	for i := range c.now.quakes {
		q := &c.now.quakes[i]
		if q.at > to || from-q.at > 5*minuteMS {
			continue
		}
		_, s := q.arrivals(t.pos)
		at := s + int64(within(hash(t.seed, uint64(q.at)), 1, 6)*1000)
		if at <= from || at > to || unit(hash(t.seed, uint64(q.at), 2)) > 0.6 { // the others are being carried about
			continue
		}
		if gal := q.gal(t.pos) * within(hash(t.seed, 9), 0.7, 1.4); gal >= phoneNotices {
			return gal, at, true
		}
	}
	return 0, 0, false
}
