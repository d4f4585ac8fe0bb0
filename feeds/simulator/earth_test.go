package simulator

import (
	"math"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
)

// Joyner and Boore's own figures: M 6.5 at 10 km gives about 0.3 g, at 50 km about 0.05 g.
func TestShaking(t *testing.T) {
	q := quake{at: midnight.UnixMilli(), position: geo.Position{Lat: -0.8, Lng: 100.6}, depthKm: 10, magnitude: 6.5}
	for _, c := range []struct{ km, low, high float64 }{{0, 0.3, 0.6}, {10, 0.2, 0.4}, {50, 0.03, 0.08}, {150, 0.003, 0.02}} {
		if g := q.gal(moved(q.position, c.km, 0)) / 980.665; g < c.low || g > c.high {
			t.Errorf("%.0f km: %.3f g", c.km, g)
		}
	}
	p := moved(q.position, 0, 40)
	pAt, sAt := q.arrivals(p)
	d := math.Sqrt(40*40 + 10*10)
	if math.Abs(float64(pAt-q.at)/1000-d/6) > 0.01 || math.Abs(float64(sAt-q.at)/1000-d/3.5) > 0.01 {
		t.Errorf("P after %d ms, S after %d ms", pAt-q.at, sAt-q.at)
	}
	if q.shaking(p, pAt-1) != 0 || q.shaking(p, pAt+1) >= q.shaking(p, sAt+500) || q.shaking(p, sAt+3*minuteMS) > 0.01*q.gal(p) {
		t.Error("nothing before P, less in P than in S, and silence in the end")
	}
	for _, c := range []struct {
		gal float64
		mmi int
	}{{0.2, 1}, {5, 3}, {40, 4}, {92, 6}, {340, 8}} {
		if got := mmi(c.gal); got < c.mmi-1 || got > c.mmi+1 {
			t.Errorf("%v cm/s2 is MMI %d, want about %d", c.gal, got, c.mmi)
		}
	}
}

func order(t *testing.T, scenario string, at time.Time) Run {
	t.Helper()
	r, err := NewRun("01RUN", scenario, "test", at)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Accelerometers see a shock when its waves arrive, and phones tell of it within seconds.
func TestAQuakeIsSeenWhenItArrives(t *testing.T) {
	c := city(t, home(), 1000)
	began := midnight.Add(10 * time.Hour)
	run := order(t, "quake", began)
	seen, phones := map[string]time.Time{}, 0
	live(t, c, began.Add(-30*time.Second), 2*time.Minute, []Run{run}, func(o *feeds.Observation) {
		if o.Property == "pga" && o.Value.Num > 1 && seen[o.Thing].IsZero() {
			seen[o.Thing] = o.At.Time
		}
		if o.Property == "shaking" {
			phones++
		}
	})
	q := c.now.quakes[0]
	for i := range c.number[seismometer] {
		x := &c.things[c.first[seismometer]+i]
		p, s := q.arrivals(x.pos)
		at, ok := seen[x.id]
		if q.gal(x.pos)*x.extra > 8 && (!ok || at.UnixMilli() < p || at.UnixMilli() > s+1500) {
			t.Errorf("%s saw it at %v; P %v, S %v", x.name, at, time.UnixMilli(p).UTC(), time.UnixMilli(s).UTC())
		}
	}
	if phones < 50 {
		t.Errorf("%d phones told of it", phones)
	}
}

// Ash comes with the wind: first near, then far, never against it.
func TestAshGoesWithTheWind(t *testing.T) {
	c := city(t, home(), FewestThings)
	began := midnight.Add(8 * time.Hour)
	if err := c.SetRuns([]Run{order(t, "ashfall", began)}, began); err != nil {
		t.Fatal(err)
	}
	p := c.now.plumes[0]
	to := p.to * math.Pi / 180
	arrival := func(km float64) time.Duration {
		at := moved(p.at, math.Sin(to)*km, math.Cos(to)*km)
		for s := range 7200 {
			if p.ash(at, began.UnixMilli()+int64(s)*1000) > 20 {
				return time.Duration(s) * time.Second
			}
		}
		return -1
	}
	if near, far := arrival(2), arrival(12); near < 0 || far < near+time.Duration(9/p.speed*1e3)*time.Second {
		t.Errorf("2 km after %v, 12 km after %v at %.1f m/s", near, far, p.speed)
	}
	if v := p.ash(moved(p.at, -math.Sin(to)*3, -math.Cos(to)*3), began.Add(time.Hour).UnixMilli()); v != 0 {
		t.Errorf("%.1f ug/m3 upwind", v)
	}
	if v := p.ash(moved(p.at, math.Sin(to)*3, math.Cos(to)*3), p.until+3*hourMS); v > 5 {
		t.Errorf("%.1f ug/m3 three hours after the end", v)
	}
}

func TestSun(t *testing.T) {
	c := city(t, home(), FewestThings)
	p := c.city.Center
	for _, x := range []struct {
		hour float64 // WIB
		low  float64
		high float64
	}{{0, -90, -50}, {5.5, -14, -2}, {6.5, 0, 14}, {12.1, 60, 90}, {17.8, -2, 10}, {18.5, -12, 0}} {
		if h := c.sun(p, midnight.UnixMilli()+int64(x.hour*float64(hourMS))); h < x.low || h > x.high {
			t.Errorf("%.1f h: the sun stands at %.1f", x.hour, h)
		}
	}
}
