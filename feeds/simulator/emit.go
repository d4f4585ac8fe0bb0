package simulator

import (
	"math"
	"strconv"
	"strings"
)

func round6(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// writer makes lines of the native format.
type writer struct {
	b     []byte
	lines int
}

// begin writes what every line of a Thing begins with.
func (w *writer) begin(t *thing, property string) {
	w.b = append(w.b, `{"thing":"`...)
	w.b = append(w.b, t.id...)
	w.b = append(w.b, `","name":"`...)
	w.b = append(w.b, t.name...)
	w.b = append(w.b, `","kind":"`...)
	w.b = append(w.b, specs[t.kind].name...)
	w.b = append(w.b, `","property":"`...)
	w.b = append(w.b, property...)
	w.b = append(w.b, `","value":`...)
}

// end writes the unit, the time, the place.
func (w *writer) end(t *thing, unit string, ms int64) {
	if unit != "" {
		w.b = append(append(append(w.b, `,"unit":"`...), unit...), '"')
	}
	w.b = strconv.AppendInt(append(w.b, `,"at":`...), ms, 10)
	w.place(t)
}

func (w *writer) place(t *thing) {
	w.b = strconv.AppendFloat(append(w.b, `,"lng":`...), t.pos.Lng, 'f', 6, 64)
	w.b = strconv.AppendFloat(append(w.b, `,"lat":`...), t.pos.Lat, 'f', 6, 64)
	w.b = append(w.b, '}', '\n')
	w.lines++
}

func (w *writer) number(t *thing, property string, v float64, digits int, unit string, ms int64) {
	w.begin(t, property)
	w.b = strconv.AppendFloat(w.b, v, 'f', digits, 64)
	w.end(t, unit, ms)
}

func (w *writer) text(t *thing, property, v string, ms int64) {
	w.begin(t, property)
	w.b = append(append(append(w.b, '"'), v...), '"')
	w.end(t, "", ms)
}

// position writes where a crew is, as the unit position that it is.
func (w *writer) position(t *thing, m motion, ms int64) {
	w.b = append(append(append(w.b, `{"record":"position","unit":"`...), t.id...), `","kind":"unit","name":"`...)
	w.b = append(append(w.b, t.name...), `","speed_mps":`...)
	w.b = strconv.AppendFloat(w.b, m.speed, 'f', 1, 64)
	w.b = strconv.AppendFloat(append(w.b, `,"heading":`...), m.heading, 'f', 0, 64)
	w.b = strconv.AppendInt(append(w.b, `,"at":`...), ms, 10)
	w.place(t)
}

// Thresholds from which a device reports more often than it promised, as real ones do.
const (
	heavyRain = 20.0  // mm/h
	thickAir  = 90.0  // ug/m3
	hotBrakes = 280.0 // degrees Celsius
)

// scan lets a Thing look round at a moment and report where it is time to, or worth it.
func (c *City) scan(t *thing, ms int64, w *writer) {
	due := t.last == 0 || ms-t.last >= specs[t.kind].interval.Milliseconds()*95/100
	since := t.last
	before := w.lines
	switch t.kind {
	case riverGauge:
		level := c.level(t, ms)
		w.number(t, "water_level", level, 3, "m", ms)
		w.number(t, "water_level_rise", c.rise(t, level, ms), 3, "m", ms)
	case rainGauge:
		if rate := c.rain(t.pos, ms); due || rate >= heavyRain {
			w.number(t, "rainfall", rate, 1, "mm/h", ms)
			w.number(t, "rainfall_1h", c.lastHour(t, ms), 1, "mm", ms)
		}
	case airQuality:
		if fine := c.pm25(t, ms); due || fine >= thickAir {
			w.number(t, "pm2_5", fine, 1, "ug/m3", ms)
			w.number(t, "pm10", c.pm10(fine, c.ash(t.pos, ms)), 1, "ug/m3", ms)
		}
	case seismometer:
		w.number(t, "pga", c.pga(t, ms), 3, "cm/s2", ms)
	case waterQuality:
		temperature, oxygen, ph, turbidity := c.lake(t, ms)
		w.number(t, "water_temperature", temperature, 2, "Cel", ms)
		w.number(t, "dissolved_oxygen", oxygen, 2, "mg/L", ms)
		w.number(t, "ph", ph, 2, "[pH]", ms)
		w.number(t, "turbidity", turbidity, 1, "NTU", ms)
	case streetlight:
		state, watts := c.lamp(t, ms)
		w.text(t, "lamp", state, ms)
		w.number(t, "power", watts, 1, "W", ms)
		if strings.HasSuffix(t.name, " 1") { // the first of a town measures its line
			w.number(t, "voltage", c.voltage(t, ms), 1, "V", ms)
		}
	case roadSensor:
		w.number(t, "water_depth", c.roadWater(t, ms), 3, "m", ms)
		w.number(t, "traffic_speed", c.roadSpeed(t, ms), 1, "km/h", ms)
	case market:
		for i := range goods {
			w.number(t, goods[i].property, c.price(t, &goods[i], ms), 0, "Rp/kg", ms)
		}
	case truck, bus:
		c.scanVehicle(t, since, ms, due, w)
	case crew:
		m := c.move(t, ms)
		t.pos = m.pos
		w.position(t, m, ms)
	case phone:
		w.number(t, "battery", 20+75*math.Abs(wander(hash(t.seed, 5), ms, 7*hourMS)), 0, "%", ms)
		if t.told > 0 && ms > t.told+30*secondMS { // the shaking is over, and what was told of it does not stand for ever
			w.number(t, "shaking", 0, 1, "cm/s2", ms)
			t.told = 0
		}
	case camera:
		if !c.blind(t, ms) {
			w.text(t, "picture", "ok", ms)
		}
	}
	if w.lines > before {
		t.last = ms
	}
}

func (c *City) scanVehicle(t *thing, since, ms int64, due bool, w *writer) {
	m := c.drive(t, ms)
	wild := t.kind == truck && t.id == runaway
	brakes := 0.0
	if t.kind == truck {
		brakes = c.brakes(t, m, ms)
	}
	hot := wild && brakes >= hotBrakes
	if !due && !hot {
		return
	}
	t.pos = m.pos
	w.number(t, "speed", m.speed, 1, "m/s", ms)
	w.number(t, "heading", m.heading, 0, "deg", ms)
	if t.kind == truck && (hot || since == 0 || ms/30000 != since/30000) {
		w.number(t, "brake_temperature", brakes, 0, "Cel", ms)
	}
	if wild && (hot || since == 0) {
		w.number(t, "impact", c.impact(max(since, ms-30000), ms), 1, "[g]", ms)
	}
}

// lastHour is the rain of the last sixty minutes, mm.
func (c *City) lastHour(t *thing, ms int64) float64 {
	sum := 0.0
	minute := floorDiv(ms, minuteMS)
	for m := minute - 59; m <= minute; m++ {
		sum += c.rain(t.pos, m*minuteMS)
	}
	return sum / 60
}

// tell lets a phone tell of a shock. It is no report of its own time: the next one comes when it would have.
func (c *City) tell(t *thing, from, to int64, w *writer) {
	if gal, at, ok := c.felt(t, from, to); ok {
		w.number(t, "shaking", gal, 1, "cm/s2", at)
		t.told = at
	}
}
