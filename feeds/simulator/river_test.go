package simulator

import (
	"math"
	"slices"
	"testing"
	"time"
)

// drench gives a city one burst of rain over the upper part of a river, and no weather of its own.
func drench(t *testing.T, river int, peak float64, at time.Time, lasts time.Duration) *City {
	t.Helper()
	c := city(t, home(), FewestThings)
	c.dry = true
	c.now.rains = []burst{{at.UnixMilli(), at.Add(lasts).UnixMilli(), 60000, c.land.rivers[river].line.points[0], peak, 4}}
	return c
}

// Water is conserved: what passes the last gauge over the days after a storm is the runoff of what fell above it, to half a percent.
func TestWaterIsConserved(t *testing.T) {
	for river := range 4 {
		c := drench(t, river, 40, midnight, 50*time.Minute)
		km := c.land.rivers[river].line.length()
		fell, passed, highest := 0.0, 0.0, 0.0
		for m := range int64(24 * 60) {
			minute := midnight.UnixMilli()/minuteMS + m
			for i := range c.strips[river] {
				s := &c.strips[river][i]
				fell += c.segmentRain(s, minute) / 60 * s.area * 1000 // m3
			}
			q := c.flow(river, km, minute*minuteMS)
			passed += q * 60
			highest = max(highest, q)
		}
		if want := fell * runoff; want < 10000 || math.Abs(passed-want) > 0.005*want {
			t.Errorf("river %d: %.0f m3 fell, %.0f should run off, %.0f passed", river, fell, want, passed)
		}
		if q := c.flow(river, km, midnight.Add(24*time.Hour).UnixMilli()); q > highest/1000 {
			t.Errorf("river %d: %.2f m3/s a day later, after a crest of %.2f", river, q, highest)
		}
	}
}

// A wave keeps its volume, comes later and flatter the further down, and is gone in the end.
func TestAWaveTravels(t *testing.T) {
	w := wave{river: 0, km: 3, from: midnight.UnixMilli(), volume: 330000, speed: 4.5}
	before, crest := int64(0), math.Inf(1)
	for _, km := range []float64{3.1, 6, 10, 20, 30} {
		volume, highest, at := 0.0, 0.0, int64(0)
		for s := range int64(8 * 3600) {
			ms := w.from + s*1000
			q := w.flow(km, ms)
			if volume += q; q > highest {
				highest, at = q, ms
			}
		}
		if math.Abs(volume-w.volume) > 0.01*w.volume {
			t.Errorf("km %v: %.0f m3 of %.0f", km, volume, w.volume)
		}
		if at <= before || highest >= crest {
			t.Errorf("km %v: a crest of %.0f m3/s after %d s; before it %.0f after %d s", km, highest, (at-w.from)/1000, crest, (before-w.from)/1000)
		}
		if w.flow(km, w.arrives(km)) != 0 || w.flow(km, w.arrives(km)+5000) <= 0 {
			t.Errorf("km %v: it does not arrive when it should", km)
		}
		before, crest = at, highest
	}
}

// Without rain upstream within the time that water needs there is no rise; with it there is, first at the upper gauge. The level returns.
func TestRiversObeyTheRain(t *testing.T) {
	storms := midnight.Add(6 * time.Hour)
	c := drench(t, 0, 45, storms, time.Hour)
	dry := drench(t, 0, 0, storms, time.Hour)
	type gauge struct {
		t          *thing
		top        float64
		start, end time.Duration
	}
	var list []gauge
	for i := range c.number[riverGauge] {
		if x := &c.things[c.first[riverGauge]+i]; x.line == 0 {
			list = append(list, gauge{t: x, start: -1})
		}
	}
	slices.SortFunc(list, func(a, b gauge) int { return int(math.Copysign(1, a.t.km-b.t.km)) })
	for m := range 30 * 60 {
		at := midnight.Add(time.Duration(m) * time.Minute)
		for i := range list {
			g := &list[i]
			rise := c.level(g.t, at.UnixMilli()) - dry.level(g.t, at.UnixMilli())
			if at.Before(storms) && math.Abs(rise) > 1e-9 {
				t.Fatalf("%s rises by %.3f m at %s, before the rain", g.t.name, rise, at)
			}
			if rise > 0.05 && g.start < 0 {
				g.start = at.Sub(storms)
			}
			if rise > 0.05 {
				g.end = at.Sub(storms)
			}
			g.top = max(g.top, rise)
		}
	}
	for i, g := range list {
		t.Logf("%s: up to %.2f m, from %v to %v after the rain began", g.t.name, g.top, g.start, g.end)
		if g.top < 0.15 || g.end > 20*time.Hour {
			t.Errorf("%s rose by %.2f m and was back after %v", g.t.name, g.top, g.end)
		}
		if i > 0 && g.start < list[i-1].start {
			t.Errorf("%s rises before %s, which is upstream", g.t.name, list[i-1].t.name)
		}
	}
	for i := range c.number[riverGauge] {
		if x := &c.things[c.first[riverGauge]+i]; x.line == 3 {
			at := storms.Add(2 * time.Hour).UnixMilli()
			if math.Abs(c.level(x, at)-dry.level(x, at)) > 0.02 {
				t.Errorf("%s rises, and the rain fell on another river", x.name)
			}
		}
	}
}
