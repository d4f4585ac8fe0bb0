package simulator

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/formats/native"
	"kentongan/geo"
)

// home is Kabupaten Solok as its profile says it.
func home() Place {
	zone := time.FixedZone("WIB", 7*3600)
	return Place{Slug: "solok", Name: "Kabupaten Solok", Bound: geo.Bound{West: 100.426, South: -1.33, East: 101.263, North: -0.532}, Center: geo.Position{Lat: -0.96, Lng: 100.75}, Zone: zone}
}

// elsewhere is a city that has no table of its own.
func elsewhere() Place {
	return Place{Slug: "bandung", Name: "Kota Bandung", Bound: geo.Bound{West: 107.545, South: -6.97, East: 107.739, North: -6.837}, Center: geo.Position{Lat: -6.9147, Lng: 107.6098}, Zone: time.FixedZone("WIB", 7*3600)}
}

var places = map[string]func() Place{"solok": home, "elsewhere": elsewhere}

// midnight WIB, from which the tests count.
var midnight = time.Date(2026, 11, 26, 17, 0, 0, 0, time.UTC)

func city(t testing.TB, p Place, things int) *City {
	t.Helper()
	c, err := New(p, things, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// live lets a city live and gives every reading as the house would read it.
func live(t testing.TB, c *City, from time.Time, dur time.Duration, runs []Run, each func(o *feeds.Observation)) {
	t.Helper()
	if err := c.SetRuns(runs, from); err != nil {
		t.Fatal(err)
	}
	list, of := rhythmsOf()
	a := c.open(from.UnixMilli())
	last := from.UnixMilli()
	for at := from; at.Before(from.Add(dur)); at = at.Add(5 * time.Second) {
		now := at.UnixMilli()
		a.run(c, now, &of)
		c.shake(last, now, &of[phone].writer)
		last = now
		for _, r := range list {
			if r.writer.lines == 0 {
				continue
			}
			b, err := native.Format{}.Decode(r.writer.b, feeds.Meta{ContentType: "application/x-ndjson", ReceivedAt: at})
			if err != nil || len(b.Rejected) > 0 {
				t.Fatalf("%v %v", err, b.Rejected)
			}
			if each != nil {
				for i := range b.Observations {
					each(&b.Observations[i])
				}
			}
			r.writer = writer{b: r.writer.b[:0]}
		}
	}
}

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

func TestShares(t *testing.T) {
	for _, n := range []int{FewestThings, 500, 2000, 20000, MostThings} {
		c := city(t, home(), n)
		if c.Len() != n {
			t.Errorf("%d things asked, %d there: %v", n, c.Len(), c.Kinds())
		}
		text, _ := json.Marshal(c.Kinds())
		t.Log(n, string(text))
		seen := map[string]bool{}
		for i := range c.things {
			x := &c.things[i]
			if seen[x.id] || x.name == "" || x.pos.Validate() != nil || strings.ContainsAny(x.name+x.id, "\"\\") {
				t.Fatalf("%+v", x)
			}
			seen[x.id] = true
			if !c.city.Bound.Contains(x.pos) && flat(x.pos, c.city.Center) > 80 {
				t.Errorf("%s stands at %v", x.id, x.pos)
			}
		}
	}
}
