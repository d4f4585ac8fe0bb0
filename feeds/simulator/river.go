package simulator

import (
	"math"

	"kentongan/geo"
)

// Rain becomes runoff, runoff a discharge, discharge a level. Each river is cut into strips of about segmentKm; the rain on a strip,
// times its area and the runoff coefficient, passes through a linear store (a unit hydrograph of K = storeMin) and then takes the time of
// its way to each gauge. The chain is linear, so water is conserved: what a gauge sees over time is what fell above it, times the
// coefficient (TestWaterIsConserved). A wave that a scenario lets go travels on top of it, flattening as it goes, and keeps its volume.
const (
	segmentKm   = 3.0
	stripKm     = 5.0 // width of the land that drains into a strip
	runoff      = 0.35
	storeMin    = 25
	kernelMin   = 240 // the hydrograph is cut here and made whole again
	waterSpeed  = 1.8 // m/s, of ordinary high water
	seriesCells = 1024
)

// kernel is the unit hydrograph by the minute; its sum is 1.
var kernel = func() (k [kernelMin]float64) {
	sum := 0.0
	for i := range k {
		x := (float64(i) + 0.5) / storeMin
		k[i] = x * math.Exp(-x) // two stores in series: nothing at once
		sum += k[i]
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}()

// segment is a strip of a river's catchment, with its rain and its outflow by the minute.
type segment struct {
	km   float64 // where it joins the river
	at   [3]geo.Position
	area float64 // km2
	rain series  // mm/h
	out  series  // m3/s
}

// series is the newest values by the minute.
type series struct {
	minute [seriesCells]int64
	value  [seriesCells]float32
}

func (s *series) get(minute int64, make func(int64) float64) float64 {
	i := uint64(minute) % seriesCells
	if s.minute[i] != minute {
		s.value[i], s.minute[i] = float32(make(minute)), minute
	}
	return float64(s.value[i])
}

// segmentsOf cuts a river.
func segmentsOf(r *channel) []segment {
	n := max(1, int(math.Round(r.line.length()/segmentKm)))
	step := r.line.length() / float64(n)
	out := make([]segment, n)
	for i := range out {
		km := (float64(i) + 0.5) * step
		at, heading := r.line.at(km)
		side := (heading + 90) * math.Pi / 180
		east, north := math.Sin(side)*stripKm/3, math.Cos(side)*stripKm/3
		out[i] = segment{km: km, area: step * stripKm, at: [3]geo.Position{moved(at, -east, -north), at, moved(at, east, north)}}
	}
	return out
}

// forget drops what was computed from the rain of other runs.
func (s *segment) forget() { clear(s.rain.minute[:]); clear(s.out.minute[:]) }

func (c *City) segmentRain(s *segment, minute int64) float64 {
	return s.rain.get(minute, func(m int64) float64 {
		sum := 0.0
		for _, p := range s.at {
			sum += c.rain(p, m*minuteMS+minuteMS/2)
		}
		return sum / float64(len(s.at))
	})
}

// segmentOut is the discharge that a strip gives to the river, m3/s.
func (c *City) segmentOut(s *segment, minute int64) float64 {
	return s.out.get(minute, func(m int64) float64 {
		mm := 0.0
		for k := range int64(kernelMin) {
			mm += kernel[k] * c.segmentRain(s, m-1-k)
		}
		return mm * s.area * runoff / 3.6 // 1 mm/h on 1 km2 is 1/3.6 m3/s
	})
}

// flow at so many km along a river in m3/s, beyond what springs give: rain, and the waves of scenarios.
func (c *City) flow(river int, km float64, ms int64) float64 {
	q := 0.0
	for i := range c.strips[river] {
		s := &c.strips[river][i]
		if s.km > km {
			break
		}
		lag := (km - s.km) * 1000 / waterSpeed // s
		at := float64(ms)/float64(minuteMS) - lag/60
		m := int64(math.Floor(at))
		x := at - float64(m)
		q += c.segmentOut(s, m-1)*(1-x) + c.segmentOut(s, m)*x
	}
	for i := range c.now.waves {
		if w := &c.now.waves[i]; w.river == river {
			q += w.flow(km, ms)
		}
	}
	return q
}

// wave is water let go at once: a natural dam that breaks.
type wave struct {
	river  int
	km     float64
	from   int64   // ms
	until  int64   // ms; 0: never ends before it has run out
	volume float64 // m3
	speed  float64 // m/s of its front
}

// Shape of a wave: a gamma curve of order 2, so that the front is steep and the tail long, whose scale grows with the way.
const (
	waveScale = 70.0 // s, where it begins
	waveGrow  = 0.16 // s per s of travel
)

// arrives is when the front passes, ms.
func (w *wave) arrives(km float64) int64 { return w.from + int64((km-w.km)*1e6/w.speed) }

func (w *wave) scale(km float64) float64 { return waveScale + waveGrow*(km-w.km)*1000/w.speed }

func (w *wave) flow(km float64, ms int64) float64 {
	if km < w.km || w.until > 0 && ms > w.until {
		return 0
	}
	s := float64(ms-w.arrives(km)) / 1000
	if s <= 0 {
		return 0
	}
	scale := w.scale(km)
	x := s / scale
	if x > 40 {
		return 0
	}
	return w.volume / scale * x * math.Exp(-x)
}

// Rating: level over the gauge's zero from discharge, h = dry + step (q / unit)^0.6, a wide channel after Manning. The unit grows with
// the area above, as beds do.
const (
	ratingStep  = 0.62 // m
	ratingPower = 0.6
)

// level at a gauge in metres.
func (c *City) level(t *thing, ms int64) float64 {
	length := max(t.km, segmentKm)
	bed := 1.3 * math.Pow(length*stripKm, 0.75) / 3.6 // m3/s
	dry := within(hash(t.seed, 5), 0.7, 1.25) + 0.06*wander(hash(t.seed, 6), ms, 18*hourMS)
	return dry + ratingStep*math.Pow(c.flow(t.line, t.km, ms)/bed, ratingPower) + 0.004*bell(hash(t.seed, uint64(ms)))
}

// rise of the level in metres over the last ten minutes.
func (c *City) rise(t *thing, level float64, ms int64) float64 {
	return level - c.level(t, ms-10*minuteMS)
}
