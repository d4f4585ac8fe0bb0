package storm

import (
	"fmt"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/simulator"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// network is one kind of instruments: how many, where, what they say when nothing is wrong and when something is.
type network struct {
	feed, kind, prefix, name string
	property, unit           string
	number                   int
	ground                   ground
	calm, wild               [2]float64
	digits                   int
	truth                    bool    // it says true or false; wild is true
	sees                     float64 // metres beyond the edge of an incident up to which it sees it
}

// networks of Solok. Calm and wild are what such instruments read; where the line between lies is the business of rules (Settings).
var networks = []network{
	{"awlr", "river_gauge", "awlr", "Pos duga air", "water_level", "m", 44, onRiver, [2]float64{.6, 1.9}, [2]float64{3.2, 5.4}, 2, false, 300},
	{"awlr", "river_gauge", "galodo", "Pos galodo", "water_level_rise", "m", 16, onUpperRiver, [2]float64{-.05, .12}, [2]float64{.8, 2.5}, 2, false, 300},
	{"lereng", "tilt_meter", "tilt", "Tiltmeter", "tilt", "deg", 34, onSlope, [2]float64{0, .8}, [2]float64{6, 20}, 1, false, 150},
	{"lereng", "rain_gauge", "arr", "Penakar hujan", "rainfall_1h", "mm", 30, inFields, [2]float64{2, 24}, [2]float64{26, 44}, 1, false, 0},
	{"lereng", "anemometer", "angin", "Anemometer", "wind_gust", "m/s", 18, inTown, [2]float64{1, 11}, [2]float64{21, 33}, 1, false, 300},
	{"lereng", "seismometer", "acc", "Akselerometer", "pga", "cm/s2", 8, inTown, [2]float64{0, 1.5}, [2]float64{60, 160}, 1, false, 40_000},
	{"alarm", "smoke_detector", "asap", "Detektor asap", "smoke", "%", 40, inTown, [2]float64{0, 3}, [2]float64{18, 70}, 1, false, 25},
	{"alarm", "gas_detector", "gas", "Detektor gas", "gas", "%", 10, inTown, [2]float64{0, 4}, [2]float64{22, 80}, 1, false, 60},
	{"alarm", "lookout", "menara", "Menara api", "smoke_plume", "", 12, inFields, [2]float64{}, [2]float64{}, 0, true, 400},
	{"jalan", "road_sensor", "jalan", "Sensor jalan", "incident_detected", "", 36, onRoad, [2]float64{}, [2]float64{}, 0, true, 120},
	{"meter", "power_meter", "pln", "Meter listrik", "voltage", "V", 40, inTown, [2]float64{205, 231}, [2]float64{0, 90}, 0, false, 100},
	{"sos", "call_point", "sos", "Tombol darurat", "sos", "", 24, inTown, [2]float64{}, [2]float64{}, 0, true, 20},
}

// thing is one instrument.
type thing struct {
	*network
	id, label string
	at        geo.Position
}

// span of time.
type span struct{ from, to time.Time }

// network sets up the instruments. They stand where they stand, whatever will happen.
func (k *maker) network() {
	d := k.dice(forNetwork)
	k.busy = map[int][]span{}
	for i := range networks {
		n := &networks[i]
		for j := range n.number {
			at := k.place(d, n.ground)
			for tries := 0; !k.Inside(at) && tries < 100; tries++ {
				at = k.place(d, n.ground)
			}
			k.things = append(k.things, thing{n, fmt.Sprintf("%s-%03d", n.prefix, j+1), n.name + " " + k.town(at).Name, rounded(at)})
		}
	}
}

// town is the nearest.
func (k *maker) town(p geo.Position) simulator.Site {
	best := k.land.Towns[0]
	for _, t := range k.land.Towns[1:] {
		if geo.Distance(p, t.Position) < geo.Distance(p, best.Position) {
			best = t
		}
	}
	return best
}

// read makes a reading of an instrument; x of 0 to 1 is how far it lies between the bounds.
func (t *thing) read(at time.Time, wild bool, x float64) *feeds.Observation {
	o := &feeds.Observation{Thing: t.id, Property: t.property, Unit: t.unit, At: moment.Of(at), Position: t.at, Placed: true, Kind: t.kind, Name: t.label, Quality: feeds.Good}
	switch {
	case t.truth:
		o.Value = feeds.Value{Type: feeds.Bool}
		if wild {
			o.Value.Num = 1
		}
	case wild:
		o.Value.Num = digits(t.wild[0]+(t.wild[1]-t.wild[0])*x, t.digits)
	default:
		o.Value.Num = digits(t.calm[0]+(t.calm[1]-t.calm[0])*x, t.digits)
	}
	return o
}

// take claims an instrument for a time; false where it is claimed already.
func (k *maker) take(thing int, from, to time.Time) bool {
	for _, s := range k.busy[thing] {
		if from.Before(s.to) && to.After(s.from) {
			return false
		}
	}
	k.busy[thing] = append(k.busy[thing], span{from, to})
	return true
}

// free tells that nothing claims an instrument at a moment.
func (k *maker) free(thing int, at time.Time) bool {
	for _, s := range k.busy[thing] {
		if !at.Before(s.from) && at.Before(s.to) {
			return false
		}
	}
	return true
}
