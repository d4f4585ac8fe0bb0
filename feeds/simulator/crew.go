package simulator

import (
	"fmt"
	"math"
)

// runaway is the truck whose brakes fail in the scenario; on all other days it waits in a lay-by.
const runaway = "truk-0001"

// The descent: the truck breaks loose at the lay-by and comes to its end chaseKm further down.
const (
	chaseKm    = 1.1
	chaseStart = 8.0  // m/s
	chaseGain  = 0.35 // m/s2
)

// layby is where the truck waits, km along the road of the descent.
func (c *City) layby() float64 { return c.crash() - chaseKm }

// crash is where it ends, km.
func (c *City) crash() float64 {
	d := c.land.descent
	return max(chaseKm+0.2, (d.from+d.to)/2)
}

// chase is a truck without brakes.
type chase struct {
	from, until int64
}

// chaseSeconds is how long the ride takes.
var chaseSeconds = (math.Sqrt(chaseStart*chaseStart+2*chaseGain*chaseKm*1000) - chaseStart) / chaseGain

// hits is when the truck comes to its end, ms.
func (k *chase) hits() int64 { return k.from + int64(chaseSeconds*1000) }

func (k *chase) brakes(ms int64) (float64, bool) {
	s := float64(ms-k.from) / 1000
	if s < -60 || ms > k.until {
		return 0, false
	}
	return 290 + 370*math.Max(0, math.Min(1, (s+4)/18))*math.Exp(-math.Max(0, s-chaseSeconds)/900), true
}

// impact is the largest deceleration since the last report in g, as the truck's box tells it.
func (c *City) impact(from, to int64) float64 {
	for i := range c.now.chases {
		if at := c.now.chases[i].hits(); at > from && at <= to && at < c.now.chases[i].until {
			return 7.8
		}
	}
	return 0.2
}

func (c *City) runaway(t *thing, ms int64) motion {
	w := &c.land.roads[t.line]
	m := motion{km: c.layby()}
	for i := range c.now.chases {
		k := &c.now.chases[i]
		switch s := float64(ms-k.from) / 1000; {
		case s < 0:
		case ms < k.hits():
			m.km, m.speed = c.layby()+(chaseStart*s+chaseGain*s*s/2)/1000, chaseStart+chaseGain*s
		case ms < k.until:
			m.km = c.crash()
		default: // towed back
			m.km = max(c.layby(), c.crash()-float64(ms-k.until)/1e6*8)
		}
	}
	m.pos, m.heading = w.line.at(m.km)
	m.grade = w.grade(m.km)
	return m
}

// role is what a crew does.
type role string

// The roles of crews, in turn.
const (
	patrol    role = "patrol"
	ambulance role = "ambulance"
	fire      role = "fire"
	rescue    role = "rescue"
)

// crews are the agencies' call signs by role.
var crews = [...]struct {
	role     role
	unit     string
	name     string
	patrols  bool
	speedMps float64
}{
	{patrol, "polres-arosuka/patroli", "Patroli Polres", true, 10},
	{ambulance, "dinkes/psc", "Ambulans PSC 119", false, 16},
	{rescue, "bpbd/trc", "TRC BPBD", false, 14},
	{fire, "damkar/regu", "Damkar", false, 15},
	{patrol, "dishub/patroli", "Patroli Dishub", true, 9},
}

func (c *City) placeCrew(t *thing, i int) {
	k := &crews[i%len(crews)]
	number := i/len(crews) + 1
	t.id, t.name = fmt.Sprintf("%s-%d", k.unit, number), fmt.Sprintf("%s %d", k.name, number)
	t.extra = float64(i % len(crews))
	town := c.land.towns[i/len(crews)%len(c.land.towns)]
	t.line, t.km = c.onRoad(town.Position)
	t.pos, _ = c.land.roads[t.line].line.at(t.km)
}

// trip is a crew that is sent.
type trip struct {
	unit     string
	from     int64
	stay     int64 // ms at the place
	road     int
	km       float64
	speedMps float64
}

// move gives a crew's motion: on its round, at its post, or where it was sent.
func (c *City) move(t *thing, ms int64) motion {
	k := &crews[int(t.extra)]
	w := &c.land.roads[t.line]
	m := motion{km: t.km}
	if k.patrols {
		half := 2200 + float64(t.seed%900) // s from one end of the round to the other
		x := math.Mod(float64(ms)/1000+float64(t.seed%5000), 2*half)
		if m.speed = k.speedMps * 0.6; x > half {
			x, m.way = 2*half-x, backward
		}
		m.km += m.speed * (x - half/2) / 1000
		if m.km <= 0 || m.km >= w.line.length() {
			m.speed = 0
		}
	}
	for i := range c.now.trips {
		if p := &c.now.trips[i]; p.unit == t.id && ms >= p.from {
			p.follow(&m, t.km, ms)
		}
	}
	m.km = max(0, min(w.line.length(), m.km))
	m.pos, m.heading = w.line.at(m.km)
	if m.way == backward {
		m.heading = math.Mod(m.heading+180, 360)
	}
	return m
}

// follow puts a crew where its trip has brought it.
func (p *trip) follow(m *motion, home float64, ms int64) {
	way := math.Abs(p.km-home) * 1000 / p.speedMps // s
	s := float64(ms-p.from) / 1000
	stay := float64(p.stay) / 1000
	switch {
	case s < way:
		m.km, m.speed, m.way = home+(p.km-home)*s/way, p.speedMps, wayOf(home, p.km)
	case s < way+stay:
		m.km, m.speed = p.km, 0
	case s < 2*way+stay:
		m.km, m.speed, m.way = p.km+(home-p.km)*(s-way-stay)/way, p.speedMps, wayOf(p.km, home)
	}
}

func wayOf(from, to float64) int {
	if to < from {
		return backward
	}
	return forward
}

// sent picks the crew of a role whose post is nearest to a place on its road.
func (c *City) sent(r role, road int, km float64) (unit string, speed float64) {
	best := math.Inf(1)
	for n := c.first[crew]; n < c.first[crew]+c.number[crew]; n++ {
		t := &c.things[n]
		if k := &crews[int(t.extra)]; k.role == r && t.line == road && !k.patrols && math.Abs(t.km-km) < best {
			best, unit, speed = math.Abs(t.km-km), t.id, k.speedMps
		}
	}
	return unit, speed
}
