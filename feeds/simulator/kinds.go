package simulator

import (
	"fmt"
	"math"
	"slices"
	"time"

	"kentongan/geo"
)

// kind is what a Thing is.
type kind uint8

const (
	riverGauge kind = iota
	rainGauge
	airQuality
	seismometer
	waterQuality
	streetlight
	roadSensor
	market
	truck
	bus
	crew // kind "unit" in the house: patrols, ambulances, fire engines
	phone
	camera
	kinds
)

// spec is how many of a kind there are and how often each reports.
type spec struct {
	name     string
	interval time.Duration // declared: from 1.2 x interval + 2 s without a report its value is drawn stale
	scan     time.Duration // how often it looks whether something is worth a report of its own; interval where it never does
	share    float64       // of the Things
	least    int
	most     int
}

// specs, by kind. Phones take what is left. The intervals are those of such devices on mobile networks.
var specs = [kinds]spec{
	riverGauge:   {"river_gauge", 10 * time.Second, 10 * time.Second, 0.012, 0, 300},
	rainGauge:    {"rain_gauge", 30 * time.Second, 10 * time.Second, 0.02, 16, 600},
	airQuality:   {"air_quality", 60 * time.Second, 15 * time.Second, 0.015, 8, 300},
	seismometer:  {"seismometer", time.Second, time.Second, 0.008, 6, 40},
	waterQuality: {"lake_buoy", 60 * time.Second, 60 * time.Second, 0.002, 3, 24},
	streetlight:  {"streetlight", 5 * time.Minute, 5 * time.Minute, 0.35, 20, 20000},
	roadSensor:   {"road_sensor", 15 * time.Second, 15 * time.Second, 0.012, 8, 300},
	market:       {"market", 10 * time.Minute, 10 * time.Minute, 0.005, 5, 40},
	truck:        {"truck", 4 * time.Second, 2 * time.Second, 0.11, 12, 4000},
	bus:          {"bus", 4 * time.Second, 4 * time.Second, 0.03, 4, 1000},
	crew:         {"unit", 5 * time.Second, 5 * time.Second, 0.015, 10, 120},
	phone:        {"phone", 2 * time.Minute, 2 * time.Minute, 0, 0, 0},
	camera:       {"camera", 30 * time.Second, 30 * time.Second, 0.004, 4, 60},
}

// Fewest and most Things of a city.
const (
	FewestThings = 150
	MostThings   = 50_000
)

// thing is one device. What moves is placed anew at every report.
type thing struct {
	kind  kind
	id    string
	name  string
	pos   geo.Position
	seed  uint64
	line  int     // river or road, where it belongs to one
	km    float64 // along it
	next  int64   // when it scans next, ms
	last  int64   // when it reported last, ms; 0: never
	told  int64   // phones: when it told of a shock that still stands, ms; 0: none
	extra float64 // by kind: vs30 factor of ground, lamp power, and so on
}

// counts divides a number of Things among the kinds: shares, held between their bounds; phones take the rest.
func counts(things, gauges int) [kinds]int {
	var n [kinds]int
	left := things
	for k := range kinds {
		if k == phone {
			continue
		}
		s := specs[k]
		n[k] = max(s.least, min(s.most, int(math.Round(s.share*float64(things)))))
		if k == riverGauge {
			n[k] = max(gauges, n[k])
		}
		left -= n[k]
	}
	n[phone] = max(0, left)
	return n
}

// build lays out every Thing. The order is by kind; ids stay the same when the number of Things grows.
func (c *City) build(n [kinds]int) {
	for k := range kinds {
		c.first[k] = len(c.things)
		for i := range n[k] {
			t := thing{kind: k, seed: hash(c.seed, uint64(k), uint64(i))}
			c.place(&t, i)
			t.next = c.phase(&t)
			c.things = append(c.things, t)
		}
	}
}

// phase spreads the first scans evenly by chance.
func (c *City) phase(t *thing) int64 {
	return int64(unit(hash(t.seed, 1)) * float64(specs[t.kind].scan.Milliseconds()))
}

// place gives a Thing its id, name and place.
func (c *City) place(t *thing, i int) {
	switch t.kind {
	case riverGauge:
		c.placeGauge(t, i)
	case rainGauge:
		t.pos = c.somewhere(t, i, 2.5)
		t.id, t.name = fmt.Sprintf("arr-%03d", i+1), "Penakar hujan "+c.nth(t.pos, i)
		if i < 4 { // the slopes of the volcano are watched, for the galodo begins there
			t.pos = moved(c.land.rivers[0].line.points[0], float64(i%2)*1.6-0.6, float64(i/2)*1.6-0.9)
			t.name = fmt.Sprintf("Penakar hujan lereng %s %d", c.land.volcano.Name, i+1)
		}
	case airQuality:
		t.pos = c.somewhere(t, i, 1.2)
		t.id, t.name = fmt.Sprintf("ispu-%03d", i+1), "Kualitas udara "+c.nth(t.pos, i)
		if i < 2 { // the observatory's post and the rim
			t.pos = moved(c.land.volcano.Position, 1.1*float64(1+i), 0.9*float64(1+i))
			t.name = fmt.Sprintf("Kualitas udara pos %s %d", c.land.volcano.Name, i+1)
		}
	case seismometer:
		t.pos = c.somewhere(t, i, 4)
		t.id, t.name, t.extra = fmt.Sprintf("acc-%03d", i+1), "Akselerometer "+c.nth(t.pos, i), within(hash(t.seed, 7), 0.75, 1.3)
	case waterQuality:
		lake := c.land.lakes[i%len(c.land.lakes)]
		t.pos = moved(lake.Position, bell(hash(t.seed, 2))*0.4, bell(hash(t.seed, 3))*0.4)
		t.id, t.name = fmt.Sprintf("buoy-%02d", i+1), fmt.Sprintf("Pelampung %s %d", lake.Name, i/len(c.land.lakes)+1)
	case streetlight:
		c.placeLight(t, i)
	case roadSensor:
		t.line = i % len(c.land.roads)
		r := &c.land.roads[t.line]
		t.km = r.line.length() * (0.5 + float64(i/len(c.land.roads))) / math.Ceil(float64(c.number[roadSensor])/float64(len(c.land.roads)))
		t.pos, _ = r.line.at(t.km)
		t.id, t.name = fmt.Sprintf("jalan-%03d", i+1), fmt.Sprintf("Sensor %s km %.1f", r.name, t.km)
	case market:
		town := c.land.towns[i%len(c.land.towns)]
		t.pos = moved(town.Position, bell(hash(t.seed, 2))*0.3, bell(hash(t.seed, 3))*0.3)
		t.id, t.name = fmt.Sprintf("pasar-%02d", i+1), "Pasar "+town.Name
	case truck, bus:
		c.placeVehicle(t, i)
	case crew:
		c.placeCrew(t, i)
	case phone:
		t.pos = c.somewhere(t, i, 2)
		t.id, t.name = fmt.Sprintf("hp-%05d", i+1), "Ponsel warga"
	case camera:
		c.placeCamera(t, i)
	}
}

func (c *City) placeGauge(t *thing, i int) {
	named := 0
	for r := range c.land.rivers {
		for _, g := range c.land.rivers[r].gauges {
			if named == i {
				t.line, t.km, t.name = r, g.km, g.name
			}
			named++
		}
	}
	t.id = fmt.Sprintf("awlr-%03d", i+1)
	if i >= named {
		t.line = (i - named) % len(c.land.rivers)
		r := &c.land.rivers[t.line]
		t.km = within(hash(t.seed, 2), 0.15, 0.98) * r.line.length()
		t.name = fmt.Sprintf("Pos duga %s km %.1f", r.name, t.km)
	}
	t.pos, _ = c.land.rivers[t.line].line.at(t.km)
}

// placeLight strings lamps along the roads near towns, every 40 m.
func (c *City) placeLight(t *thing, i int) {
	town := i % len(c.land.towns)
	row := i / len(c.land.towns)
	t.line, t.km = c.onRoad(c.land.towns[town].Position)
	r := &c.land.roads[t.line].line
	km := t.km + 0.04*float64(row/2)*float64(1-2*(row%2))
	if km < 0 || km > r.length() || flat(c.land.towns[town].Position, c.along(r, t.km)) > 3 { // a town without a road of the table
		angle := unit(hash(c.seed, word("street"), uint64(town), uint64(row%4))) * 2 * math.Pi
		t.pos = moved(c.land.towns[town].Position, math.Sin(angle)*0.04*float64(row/4+1), math.Cos(angle)*0.04*float64(row/4+1))
	} else {
		at, heading := r.at(km)
		side := (heading + 90) * math.Pi / 180
		t.pos = moved(at, math.Sin(side)*0.006, math.Cos(side)*0.006)
	}
	t.extra = float64(town)
	t.id, t.name = fmt.Sprintf("pju-%05d", i+1), fmt.Sprintf("PJU %s %d", c.land.towns[town].Name, row+1)
}

func (c *City) along(l *line, km float64) geo.Position { p, _ := l.at(km); return p }

// onRoad is the road that passes nearest to a place, and how far along; remembered, for it is asked once per lamp.
func (c *City) onRoad(p geo.Position) (road int, km float64) {
	if at, ok := c.nearRoad[p]; ok {
		return at.road, at.from
	}
	best := math.Inf(1)
	for i := range c.land.roads {
		l := &c.land.roads[i].line
		at := l.nearest(p)
		if d := flat(p, c.along(l, at)); d < best {
			best, road, km = d, i, at
		}
	}
	c.nearRoad[p] = reach{road: road, from: km}
	return road, km
}

// somewhere spreads Things over the towns, a first one each in its middle, and every fifth over the open land.
func (c *City) somewhere(t *thing, i int, spread float64) geo.Position {
	towns := c.land.towns
	town := towns[i%len(towns)].Position
	if i >= len(towns) && t.seed%5 == 0 {
		b := c.city.Bound
		return geo.Position{Lat: within(hash(t.seed, 4), b.South, b.North), Lng: within(hash(t.seed, 5), b.West, b.East)}
	}
	if i < len(towns) {
		spread = min(spread, 0.5)
	}
	return moved(town, bell(hash(t.seed, 2))*spread, bell(hash(t.seed, 3))*spread)
}

// nth is the name of the nearest town, and from the second round over the towns on a number beside it.
func (c *City) nth(p geo.Position, i int) string {
	if round := i / len(c.land.towns); round > 0 {
		return fmt.Sprintf("%s %d", c.near(p), i+1)
	}
	return c.near(p)
}

// near is the name of the nearest town.
func (c *City) near(p geo.Position) string {
	towns := c.land.towns
	return slices.MinFunc(towns, func(a, b Site) int {
		return int(math.Copysign(1, flat(p, a.Position)-flat(p, b.Position)))
	}).Name
}
