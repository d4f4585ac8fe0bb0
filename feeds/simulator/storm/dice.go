package storm

import (
	"math"
	"math/rand/v2"
	"time"

	"kentongan/geo"
)

// dice are chance of one purpose: another purpose's throws never move them.
type dice struct{ *rand.Rand }

func (k *maker) dice(purpose uint64) dice { return dice{rand.New(rand.NewPCG(k.Seed, purpose))} }

// Purposes of dice.
const (
	forNetwork = iota + 1
	forIncidents
	forSensors
	forBulletins
	forWarnings
	forCalls
	forCopies
	forNoise
	forCalm
	forDisturbance
)

func (d dice) within(low, high float64) float64 { return low + (high-low)*d.Float64() }

func (d dice) chance(p float64) bool { return d.Float64() < p }

func (d dice) span(low, high time.Duration) time.Duration {
	return (low + time.Duration(d.Float64()*float64(high-low))).Truncate(time.Second)
}

// soon is a waiting time of that mean, memoryless, at most six times the mean.
func (d dice) soon(mean time.Duration) time.Duration {
	return min(6*mean, time.Duration(d.ExpFloat64()*float64(mean))).Truncate(time.Second)
}

// round one in three or so of a count: at least low, mean between.
func (d dice) count(low, high int) int { return low + d.IntN(high-low+1) }

func (d dice) pick(words []string) string { return words[d.IntN(len(words))] }

// near is a place about so many metres off, normal in both directions.
func (d dice) near(p geo.Position, metres float64) geo.Position {
	return moved(p, d.NormFloat64()*metres, d.NormFloat64()*metres)
}

// inside is a place within a radius, even over the disc.
func (d dice) inside(p geo.Position, radius float64) geo.Position {
	r, a := radius*math.Sqrt(d.Float64()), d.Float64()*2*math.Pi
	return moved(p, r*math.Cos(a), r*math.Sin(a))
}

// moved is a place some metres to the east and north, to six digits, as instruments and forms write it.
func moved(p geo.Position, east, north float64) geo.Position {
	const degree = math.Pi / 180 * geo.EarthRadius
	return rounded(geo.Position{Lat: p.Lat + north/degree, Lng: p.Lng + east/(degree*math.Cos(p.Lat*math.Pi/180))})
}

func rounded(p geo.Position) geo.Position {
	return geo.Position{Lat: math.Round(p.Lat*1e6) / 1e6, Lng: math.Round(p.Lng*1e6) / 1e6}
}

func digits(v float64, n int) float64 {
	scale := math.Pow10(n)
	return math.Round(v*scale) / scale
}
