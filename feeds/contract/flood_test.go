package contract

import (
	"fmt"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// fleet is Things of one kind that each say one value of one property, in one delivery or one delivery each.
type fleet struct {
	kind, property, unit string
	n                    int
	alone                bool
}

func (f fleet) say(w *Watch, now time.Time, value func(thing int) (float64, bool)) (held int, reasons map[string]bool) {
	reasons = map[string]bool{}
	var all []feeds.Observation
	for i := range f.n {
		if v, ok := value(i); ok {
			all = append(all, feeds.Observation{Index: i, Thing: fmt.Sprint("g-", i), Kind: f.kind, Property: f.property, Unit: f.unit, At: moment.Of(now.Add(-time.Second)),
				Value: feeds.Value{Num: v}, Placed: true, Position: geo.Position{Lat: -0.8 - float64(i)/100, Lng: 100.6}})
		}
	}
	judge := func(list []feeds.Observation) {
		v := w.Check(&feeds.Batch{Observations: list}, feeds.Meta{Feed: "f", ReceivedAt: now})
		if v.Readings {
			held += len(list)
		}
		for i := range v.Findings {
			reasons[v.Findings[i].TextEN] = true
		}
	}
	if !f.alone {
		judge(all)
		return held, reasons
	}
	for i := range all {
		judge(all[i : i+1])
	}
	return held, reasons
}

func ptr(v float64) *float64 { return &v }

// What a flood, a storm or a dark city looks like is no lie, whatever the feed has learned in dry days.
func TestATrueDisasterIsHeldByNobody(t *testing.T) {
	wobble := func(v float64, i, step int) float64 { return v * (1 + 0.04*float64((i*7+step*3)%5-2)/2) }
	for _, c := range []struct {
		name   string
		fleet  fleet
		before func(i, step int) (float64, bool)
		after  func(i, step int) (float64, bool)
		config Config
	}{
		{"rain 0 to 60 at 30 gauges, drizzle of 1 before", fleet{"rain_gauge", "rainfall", "mm/h", 30, false},
			func(i, step int) (float64, bool) {
				if step%8 == 3 {
					return wobble(1, i, step), true
				}
				return 0, true
			},
			func(i, step int) (float64, bool) { return wobble(60, i, step), true }, Config{}},
		{"rain 0 to 60 at 30 gauges, one always drizzles", fleet{"rain_gauge", "rainfall", "mm/h", 30, false},
			func(i, step int) (float64, bool) {
				if i < 4 {
					return wobble(1, i, step), true
				}
				return 0, true
			},
			func(i, step int) (float64, bool) { return wobble(60, i, step), true }, Config{}},
		{"rain 0 to 60 at 12 gauges, each alone", fleet{"rain_gauge", "rainfall", "mm/h", 12, true},
			func(i, step int) (float64, bool) {
				if step%8 == 3 {
					return wobble(1, i, step), true
				}
				return 0, true
			},
			func(i, step int) (float64, bool) { return wobble(60, i, step), true }, Config{}},
		{"the river x10 at three of six gauges", fleet{"river_gauge", "water_level", "m", 6, false},
			func(i, step int) (float64, bool) { return wobble(0.4, i, step), true },
			func(i, step int) (float64, bool) {
				if i < 3 {
					return wobble(4, i, step), true
				}
				return wobble(0.4, i, step), true
			}, Config{}},
		{"the river x12 at all of three gauges", fleet{"river_gauge", "water_level", "m", 3, false},
			func(i, step int) (float64, bool) { return wobble(0.3, i, step), true },
			func(i, step int) (float64, bool) { return []float64{2.1, 3.6, 5.2}[i], true }, Config{}},
		{"the river about x10 at all of three gauges", fleet{"river_gauge", "water_level", "m", 3, false},
			func(i, step int) (float64, bool) { return wobble(0.3, i, step), true },
			func(i, step int) (float64, bool) { return []float64{2.8, 3.0, 3.3}[i], true }, Config{}},
		{"the river x10 within what is declared", fleet{"river_gauge", "water_level", "m", 3, false},
			func(i, step int) (float64, bool) { return wobble(0.3, i, step), true },
			func(i, step int) (float64, bool) { return wobble(3, i, step), true }, Config{Properties: map[string]Property{"water_level": {Unit: "m", Min: ptr(-1), Max: ptr(12)}}}},
		{"a gauge in centimetres that names no unit", fleet{"river_gauge", "water_level", "", 4, false},
			func(i, step int) (float64, bool) { return wobble(25, i, step), true },
			func(i, step int) (float64, bool) { return 180 + 60*float64(i), true }, Config{}},
		{"a gauge in centimetres, alone", fleet{"river_gauge", "water_level", "", 4, true},
			func(i, step int) (float64, bool) { return wobble(25, i, step), true },
			func(i, step int) (float64, bool) { return 180 + 60*float64(i), true }, Config{}},
		{"a storm in km/h that names no unit", fleet{"weather", "wind_gust", "", 4, false},
			func(i, step int) (float64, bool) { return wobble(20, i, step), true },
			func(i, step int) (float64, bool) { return 115 + 9*float64(i), true }, Config{}},
		{"a season's rain", fleet{"rain_gauge", "rainfall", "mm", 5, false},
			func(i, step int) (float64, bool) { return 440 + float64(step) + float64(i), true },
			func(i, step int) (float64, bool) { return 700 + 10*float64(step) + float64(i), true }, Config{}},
		{"half of a dark city", fleet{"power_meter", "voltage", "V", 40, false},
			func(i, step int) (float64, bool) { return wobble(220, i, step), true },
			func(i, step int) (float64, bool) { return wobble(220, i, step), i%2 == 0 }, Config{}},
		{"a dark city that says so", fleet{"power_meter", "voltage", "V", 40, false},
			func(i, step int) (float64, bool) { return wobble(220, i, step), true },
			func(i, step int) (float64, bool) {
				if i%2 == 0 {
					return 0, true
				}
				return wobble(220, i, step), true
			}, Config{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)
			w := NewWatch(c.config, now)
			for step := range 60 {
				now = now.Add(10 * time.Minute)
				if held, why := c.fleet.say(w, now, func(i int) (float64, bool) { return c.before(i, step) }); held > 0 {
					t.Fatalf("before, step %d: %d held: %v", step, held, why)
				}
			}
			for step := range 12 {
				now = now.Add(10 * time.Minute)
				if held, why := c.fleet.say(w, now, func(i int) (float64, bool) { return c.after(i, step) }); held > 0 {
					t.Errorf("step %d: %d held: %v", step, held, why)
				}
			}
		})
	}
}

// Gauges of one list share the hour of their reading; one that was dead for days and is repaired, or taken from the list, makes them no lie.
func TestAGaugeThatComesBackIsNoLie(t *testing.T) {
	now := time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)
	w := NewWatch(Config{}, now)
	died := now.Add(-72 * time.Hour)
	list := func(dead bool) feeds.Batch {
		var b feeds.Batch
		for i := range 12 {
			at := now.Truncate(10 * time.Minute)
			if i == 7 && dead {
				at = died
			}
			b.Observations = append(b.Observations, feeds.Observation{Index: i, Thing: fmt.Sprint("g-", i), Kind: "river_gauge", Property: "water_level", Unit: "m", At: moment.Of(at),
				Value: feeds.Value{Num: 1 + float64(i)/10}, Placed: true, Position: geo.Position{Lat: -0.8, Lng: 100.6}})
		}
		return b
	}
	for step := range 24 {
		now = now.Add(10 * time.Minute)
		b := list(step < 12)
		if v := w.Check(&b, feeds.Meta{Feed: "f", ReceivedAt: now}); v.Readings {
			t.Fatalf("step %d: held: %s", step, v.Reason())
		}
	}
}
