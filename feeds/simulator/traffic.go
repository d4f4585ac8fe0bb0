package simulator

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"kentongan/geo"
)

// Vehicles keep a timetable: where one is follows from the time alone. Speeds follow the grade; groups of four drive as convoys. What a
// scenario blocks, holds them; once free they drive a little faster until they are back in their timetable.
const (
	tableKm  = 0.1
	convoy   = 4
	gapKm    = 0.014 // between vehicles that stand in a queue
	catchUp  = 0.12  // share by which a late vehicle is faster
	forward  = 0
	backward = 1
)

// timetable is how long a class of vehicles takes along a road, s at every tableKm, each way from its own end.
type timetable struct{ seconds [2][]float64 }

// pace in m/s by the grade (rise over run, positive uphill).
func pace(k kind, grade float64) float64 {
	flatOut, up, down := 15.0, 75.0, 45.0 // trucks
	switch k {
	case bus:
		flatOut, up, down = 16, 40, 25
	case crew:
		flatOut, up, down = 18, 35, 20
	}
	if grade > 0 {
		return max(4.5, flatOut-up*grade*2)
	}
	return max(6.5, flatOut+down*grade*3)
}

func (w *way) grade(km float64) float64 {
	i := max(1, min(len(w.line.km)-1, sort.SearchFloat64s(w.line.km, km)))
	return (w.heights[i] - w.heights[i-1]) / (1000 * (w.line.km[i] - w.line.km[i-1]))
}

func tableOf(w *way, k kind) timetable {
	n := int(w.line.length()/tableKm) + 2
	var t timetable
	for way := range 2 {
		t.seconds[way] = make([]float64, n)
		for i := 1; i < n; i++ {
			km, sign := (float64(i)-0.5)*tableKm, 1.0
			if way == backward {
				km, sign = w.line.length()-km, -1
			}
			t.seconds[way][i] = t.seconds[way][i-1] + 1000*tableKm/pace(k, sign*w.grade(km))
		}
	}
	return t
}

// total seconds one way.
func (t *timetable) total(way int) float64 { return t.seconds[way][len(t.seconds[way])-1] }

// after gives how far from its own end a vehicle is after so many seconds, km, and its speed there, m/s.
func (t *timetable) after(way int, s float64) (km, speed float64) {
	list := t.seconds[way]
	i := max(1, min(len(list)-1, sort.SearchFloat64s(list, s)))
	step := list[i] - list[i-1]
	return (float64(i-1) + max(0, min(1, (s-list[i-1])/step))) * tableKm, 1000 * tableKm / step
}

// until is how long it takes to so many km from its own end, s.
func (t *timetable) until(way int, km float64) float64 {
	list := t.seconds[way]
	x := max(0, min(float64(len(list)-1), km/tableKm))
	i := min(len(list)-2, int(x))
	return list[i] + (list[i+1]-list[i])*(x-float64(i))
}

// motion is where a vehicle is and how it moves. Held: it stands in a queue.
type motion struct {
	pos     geo.Position
	km      float64
	way     int
	speed   float64 // m/s
	heading float64
	grade   float64
	held    bool
}

// plan is a vehicle's timetable: it goes there, waits, comes back and waits.
func (c *City) plan(t *thing) (tt *timetable, factor, wait, phase float64) {
	group := hash(c.seed, word("convoy"), uint64(t.kind), uint64(t.line), uint64(t.extra))
	tt = &c.tables[t.line][0]
	if t.kind == bus {
		tt = &c.tables[t.line][1]
	}
	factor, wait = within(hash(group, 1), 0.88, 1.1), within(hash(group, 2), 600, 2400)
	cycle := (tt.total(forward) + tt.total(backward) + 2*wait) / factor
	place := math.Floor(math.Mod(float64(t.seed), convoy))
	return tt, factor, wait, within(hash(group, 3), 0, cycle) - place*22
}

func (c *City) placeVehicle(t *thing, i int) {
	x := unit(hash(c.seed, uint64(t.kind), uint64(i/convoy), 8))
	for r := range c.land.roads {
		if t.line = r; x < c.land.roads[r].traffic {
			break
		}
		x -= c.land.roads[r].traffic
	}
	t.extra = float64(i / convoy)
	t.seed = t.seed - t.seed%convoy + uint64(i%convoy)
	plate := hash(t.seed, 7)
	id, name := "truk", "Truk"
	if t.kind == bus {
		id, name = "angkot", "Angkot"
	}
	t.id = fmt.Sprintf("%s-%04d", id, i+1)
	t.name = fmt.Sprintf("%s BA %d %c%c", name, 8000+plate%2000, 'A'+rune((plate>>16)%26), 'A'+rune((plate>>32)%26))
	if t.kind == truck && i == 0 { // it waits at the head of the descent for the day on which its brakes fail
		t.line, t.km = c.land.descent.road, c.layby()
	}
	t.pos = c.drive(t, 0).pos
}

// drive gives a vehicle's motion now.
func (c *City) drive(t *thing, ms int64) motion {
	if t.kind == truck && t.id == runaway {
		return c.runaway(t, ms)
	}
	h, stuck := c.now.holds[t.id]
	held := false
	if stuck {
		ms, held = h.effective(ms)
	}
	m := c.scheduled(t, ms)
	m.speed *= 1 + 0.04*bell(hash(t.seed, uint64(ms)))
	if m.held = held; held {
		m.speed = 0
	}
	return m
}

// scheduled is a vehicle's motion by its timetable.
func (c *City) scheduled(t *thing, ms int64) motion {
	tt, factor, wait, phase := c.plan(t)
	u := c.cyclePlace(tt, factor, wait, phase, ms)
	there, back := tt.total(forward), tt.total(backward)
	w := &c.land.roads[t.line]
	m := motion{}
	switch {
	case u < there:
		m.km, m.speed = tt.after(forward, u)
	case u < there+wait:
		m.km = w.line.length()
	case u < there+wait+back:
		km, speed := tt.after(backward, u-there-wait)
		m.km, m.speed, m.way = w.line.length()-km, speed, backward
	}
	m.km = max(0, min(w.line.length(), m.km))
	m.pos, m.heading = w.line.at(m.km)
	m.grade = w.grade(m.km)
	side := m.heading + 90
	if m.way == backward {
		m.heading, m.grade, side = math.Mod(m.heading+180, 360), -m.grade, m.heading-90
	}
	m.pos = moved(m.pos, math.Sin((side-180)*math.Pi/180)*0.003, math.Cos((side-180)*math.Pi/180)*0.003) // Indonesia drives on the left
	m.speed *= factor
	return m
}

// cyclePlace is the place in a vehicle's round, s at factor 1.
func (c *City) cyclePlace(tt *timetable, factor, wait, phase float64, ms int64) float64 {
	cycle := tt.total(forward) + tt.total(backward) + 2*wait
	u := math.Mod((float64(ms)/1000+phase)*factor, cycle)
	if u < 0 {
		u += cycle
	}
	return u
}

// block is a road that is closed at a place.
type block struct {
	from, until int64
	road        int
	km          float64
}

// hold is a vehicle that a block stops.
type hold struct{ from, until int64 }

// effective is the time of the timetable at which a held vehicle is.
func (h *hold) effective(ms int64) (at int64, held bool) {
	switch {
	case ms < h.from:
		return ms, false
	case ms < h.until:
		return h.from, true
	}
	late := float64(h.until-h.from) - float64(ms-h.until)*catchUp
	if late <= 0 {
		return ms, false
	}
	return ms - int64(late), false
}

// holdsOf finds every vehicle that a block will stop, and where in the queue: who comes first stands first.
func (c *City) holdsOf(blocks []block) map[string]hold {
	out := map[string]hold{}
	for i := range blocks {
		b := &blocks[i]
		type arrival struct {
			t  *thing
			at int64
		}
		var queues [2][]arrival
		for n := c.first[truck]; n < c.first[crew]; n++ {
			t := &c.things[n]
			if t.line != b.road || t.id == runaway {
				continue
			}
			for way := range 2 {
				if at, ok := c.passes(t, way, b.km, b.from); ok && at < b.until {
					queues[way] = append(queues[way], arrival{t, at})
				}
			}
		}
		for way := range queues {
			slices.SortFunc(queues[way], func(x, y arrival) int { return int(x.at - y.at) })
			for n, a := range queues[way] {
				km := b.km - float64(n+1)*gapKm
				if way == backward {
					km = b.km + float64(n+1)*gapKm
				}
				at, ok := c.passes(a.t, way, km, b.from)
				if !ok || at > a.at { // it stands beyond its place already
					at = max(b.from, a.at-int64(n)*1000)
				}
				if h, twice := out[a.t.id]; !twice || at < h.from {
					out[a.t.id] = hold{at, b.until + int64(n)*2500}
				}
			}
		}
	}
	return out
}

// passes is when a vehicle next comes by a place in one direction.
func (c *City) passes(t *thing, way int, km float64, from int64) (int64, bool) {
	tt, factor, wait, phase := c.plan(t)
	w := &c.land.roads[t.line]
	if km < 0 || km > w.line.length() {
		return 0, false
	}
	want := tt.until(forward, km)
	if way == backward {
		want = tt.total(forward) + wait + tt.until(backward, w.line.length()-km)
	}
	cycle := tt.total(forward) + tt.total(backward) + 2*wait
	left := math.Mod(want-c.cyclePlace(tt, factor, wait, phase, from)+cycle, cycle)
	return from + int64(left/factor*1000), true
}

// brakes in degrees Celsius: hot on the way down.
func (c *City) brakes(t *thing, m motion, ms int64) float64 {
	if t.id == runaway {
		for i := range c.now.chases {
			if v, ok := c.now.chases[i].brakes(ms); ok {
				return v
			}
		}
	}
	v := 85 + 18*bell(hash(t.seed, uint64(ms/30000)))
	if m.grade < 0 && m.speed > 1 {
		v += -m.grade * 2200
	}
	return max(40, min(330, v))
}
