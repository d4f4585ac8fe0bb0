package simulator

import (
	"math"
	"time"

	"kentongan/geo"
)

const (
	secondMS = int64(1000)
	minuteMS = 60 * secondMS
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
)

// calmRain is the most that calm weather rains anywhere, mm/h.
const calmRain = 32

// storm is a convective cell: it is born, drifts, and rains itself out.
type storm struct {
	born, dies int64 // ms
	at         geo.Position
	east       float64 // km/h
	north      float64
	peak       float64 // mm/h in its middle
	radius     float64 // km, one deviation
}

// rate of a storm at a place, mm/h.
func (s *storm) rate(p geo.Position, ms int64) float64 {
	if ms <= s.born || ms >= s.dies {
		return 0
	}
	hours := float64(ms-s.born) / float64(hourMS)
	age := float64(ms-s.born) / float64(s.dies-s.born)
	d := flat(p, moved(s.at, s.east*hours, s.north*hours)) / s.radius
	if d > 4 {
		return 0
	}
	return s.peak * math.Sin(math.Pi*age) * math.Exp(-d*d/2)
}

// day is the number of the local day, from 1970.
func (c *City) day(ms int64) int64 { return floorDiv(ms+c.offset(ms), dayMS) }

// offset of local time from UTC in ms.
func (c *City) offset(ms int64) int64 {
	_, s := time.UnixMilli(ms).In(c.city.Zone).Zone()
	return int64(s) * secondMS
}

// hour of the local day, 0 to 24.
func (c *City) hour(ms int64) float64 {
	local := ms + c.offset(ms)
	return float64(local-floorDiv(local, dayMS)*dayMS) / float64(hourMS)
}

// storms of a local day: most are born between half past twelve and six, over the hills, and drift east.
func (c *City) storms(day int64) []storm {
	b := c.city.Bound
	km2 := (b.East - b.West) * (b.North - b.South) * kmPerDegree * kmPerDegree
	wet := within(hash(c.seed, word("wet"), uint64(day)), 0.4, 1.2)
	n := int(max(3, min(24, km2/380*wet)))
	out := make([]storm, 0, n)
	midnight := day*dayMS - c.offset(day*dayMS)
	for i := range n {
		h := hash(c.seed, word("storm"), uint64(day), uint64(i))
		hour := within(hash(h, 1), 12.5, 18)
		if i%5 == 4 {
			hour = within(hash(h, 1), 0, 24)
		}
		s := storm{
			born: midnight + int64(hour*float64(hourMS)), peak: within(hash(h, 2), 6, 26), radius: within(hash(h, 3), 1.5, 3.5),
			east: within(hash(h, 4), 4, 16), north: within(hash(h, 5), -5, 7),
			at: geo.Position{Lat: within(hash(h, 6), b.South, b.North), Lng: within(hash(h, 7), b.West-0.05, b.East-0.05)},
		}
		s.dies = s.born + int64(within(hash(h, 8), 35, 85)*float64(minuteMS))
		out = append(out, s)
	}
	return out
}

// overhead keeps the storms that rain in one minute, for everybody asks about the same minute.
type overhead struct {
	minute int64
	list   []storm
}

func (c *City) overhead(ms int64) []storm {
	if c.dry {
		return nil
	}
	minute := floorDiv(ms, minuteMS)
	o := &c.skies[uint64(minute)%uint64(len(c.skies))]
	if o.minute == minute && o.list != nil {
		return o.list
	}
	day := c.day(ms)
	if c.stormDay != day || c.stormList == nil {
		c.stormDay, c.stormList = day, append(c.storms(day-1), c.storms(day)...)
	}
	o.minute, o.list = minute, make([]storm, 0, 4)
	for i := range c.stormList {
		if s := &c.stormList[i]; s.born < (minute+1)*minuteMS && s.dies > minute*minuteMS {
			o.list = append(o.list, *s)
		}
	}
	return o.list
}

// rain at a place in mm/h: calm storms and what the scenarios add.
func (c *City) rain(p geo.Position, ms int64) float64 {
	sum := 0.0
	storms := c.overhead(ms)
	for i := range storms {
		sum += storms[i].rate(p, ms)
	}
	sum = min(sum, calmRain)
	for i := range c.now.rains {
		sum += c.now.rains[i].rate(p, ms)
	}
	return sum
}

// wind blows where (degrees clockwise from north) and how fast (m/s). It turns slowly about east.
func (c *City) wind(ms int64) (to, speed float64) {
	to = 60 + 35*wander(hash(c.seed, word("wind")), ms, 6*hourMS)
	speed = 5.5 + 2.5*wander(hash(c.seed, word("speed")), ms, 3*hourMS)
	return to, speed
}

// sun is the height of the sun over the horizon in degrees, good to about half a degree (Spencer 1971, as in most texts).
func (c *City) sun(p geo.Position, ms int64) float64 {
	t := time.UnixMilli(ms).UTC()
	g := 2 * math.Pi * (float64(t.YearDay()-1) + float64(ms%dayMS)/float64(dayMS)) / 365
	decl := 0.006918 - 0.399912*math.Cos(g) + 0.070257*math.Sin(g) - 0.006758*math.Cos(2*g) + 0.000907*math.Sin(2*g)
	minutes := 229.18 * (0.000075 + 0.001868*math.Cos(g) - 0.032077*math.Sin(g) - 0.014615*math.Cos(2*g) - 0.040849*math.Sin(2*g))
	solar := float64(ms%dayMS)/float64(minuteMS) + minutes + 4*p.Lng
	angle := (solar/4 - 180) * math.Pi / 180
	lat := p.Lat * math.Pi / 180
	return math.Asin(math.Sin(lat)*math.Sin(decl)+math.Cos(lat)*math.Cos(decl)*math.Cos(angle)) * 180 / math.Pi
}
