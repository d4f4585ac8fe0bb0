//go:build !race

// Hours of a city in one goroutine: the race detector would find nothing here and take six times as long (make go-test-plain).

package simulator

import (
	"fmt"
	"math"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/formats/native"
	"kentongan/geo"
)

// The thresholds of the demo's rules (deploy/demo.yaml), as plain numbers: this package knows no rules.
var alarming = map[string]float64{
	"water_level": 3.0, "water_level_rise": 1.5, "rainfall": 60, "pm2_5": 150, "pm10": 300, "pga": 40, "brake_temperature": 450,
	"impact": 4, "water_depth": 0.3, "shaking": 12, "price_red_chilli": 72000,
}

// coarse is how seldom a kind may look round where only its extremes matter.
var coarse = map[kind]time.Duration{truck: 2 * time.Minute, bus: 5 * time.Minute, crew: 10 * time.Minute, seismometer: time.Minute, roadSensor: 2 * time.Minute, airQuality: 5 * time.Minute}

// wholeDay lets every Thing look round twice a minute, or as often as its extremes ask for, for a day.
func wholeDay(t testing.TB, c *City, from time.Time, each func(o *feeds.Observation)) {
	t.Helper()
	for at := from; at.Before(from.Add(24 * time.Hour)); at = at.Add(30 * time.Second) {
		var w writer
		for i := range c.things {
			x := &c.things[i]
			if step := max(30*time.Second, specs[x.kind].scan, coarse[x.kind]); at.Sub(from)%step == 0 {
				c.scan(x, at.UnixMilli(), &w)
			}
		}
		b, err := native.Format{}.Decode(w.b, feeds.Meta{ContentType: "application/x-ndjson", ReceivedAt: at})
		if err != nil || len(b.Rejected) > 0 {
			t.Fatalf("%v %v", err, b.Rejected)
		}
		for i := range b.Observations {
			each(&b.Observations[i])
		}
	}
}

func TestACalmDayAlarmsNobody(t *testing.T) {
	for name, place := range places {
		for day := range 1 {
			t.Run(fmt.Sprint(name, " day ", day), func(t *testing.T) {
				t.Parallel()
				c := city(t, place(), FewestThings)
				highest := map[string]float64{}
				wet := 0
				wholeDay(t, c, midnight.Add(time.Duration(day)*24*time.Hour), func(o *feeds.Observation) {
					if o.Value.Type != feeds.Number {
						return
					}
					if math.IsNaN(o.Value.Num) || math.IsInf(o.Value.Num, 0) {
						t.Fatalf("%s %s is %v", o.Thing, o.Property, o.Value.Num)
					}
					highest[o.Property] = max(highest[o.Property], o.Value.Num)
					if o.Property == "rainfall" && o.Value.Num > 1 {
						wet++
					}
					if limit, ok := alarming[o.Property]; ok && o.Value.Num >= limit {
						t.Fatalf("%s %s is %v at %s", o.Name, o.Property, o.Value.Num, o.At)
					}
					if o.Property == "voltage" && o.Value.Num < 150 {
						t.Fatalf("%s: no power at %s", o.Name, o.At)
					}
				})
				if wet == 0 {
					t.Error("not a drop of rain in a day of the tropics")
				}
			})
		}
	}
}

// Nothing jumps: between two reports no vehicle comes further than it can drive, whatever happens and also when a run is stopped.
func TestVehiclesDoNotJump(t *testing.T) {
	for _, scenario := range []string{"", "galodo", "truck"} {
		c := city(t, home(), 1000)
		began := midnight.Add(9 * time.Hour)
		var runs []Run
		if scenario != "" {
			runs = []Run{order(t, scenario, began.Add(time.Minute))}
		}
		type spot struct {
			pos geo.Position
			at  time.Time
		}
		last := map[string]spot{}
		queue, worst := 0, 0.0
		look := func(o *feeds.Observation) {
			if o.Kind != "truck" && o.Kind != "bus" || o.Property != "speed" {
				return
			}
			if l, ok := last[o.Thing]; ok {
				if speed := flat(l.pos, o.Position) * 1000 / o.At.Sub(l.at).Seconds(); speed > worst {
					if worst = speed; speed > 45 {
						t.Fatalf("%q: %s goes %.0f m/s from %v to %v at %s", scenario, o.Name, speed, l.pos, o.Position, o.At)
					}
				}
			}
			last[o.Thing] = spot{o.Position, o.At.Time}
			if o.Value.Num < 0 || o.Value.Num > 40 {
				t.Fatalf("%s says %v m/s", o.Name, o.Value.Num)
			}
		}
		live(t, c, began, 20*time.Minute, runs, look)
		for _, h := range c.now.holds {
			if h.from < began.Add(20*time.Minute).UnixMilli() {
				queue++
			}
		}
		t.Logf("%q: fastest %.1f m/s, %d vehicles were held", scenario, worst, queue)
		if (queue > 0) != (scenario != "") {
			t.Errorf("%q: %d vehicles held", scenario, queue)
		}
	}
}
