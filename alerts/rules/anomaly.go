package rules

import (
	"maps"
	"math"
	"slices"
	"time"

	"kentongan/feeds"
)

// What is usual is learned by hour of the week: four values of each hour, of the last eight weeks.
const (
	baselineWeeks = 8
	perHour       = 4
	hourMs        = int64(time.Hour / time.Millisecond)
	weekHours     = 7 * 24
	usualWeeks    = 26   // of silence, until what was usual is not known any more
	usualPart     = "u/" // the part of a state that is one Thing's usual values
)

// usual is what one Thing usually says.
type usual struct {
	hours [weekHours]*hourly
	last  int64 // the newest quarter of an hour of any hour
	dirty bool
}

// gone tells what nobody has added to for so long that it is usual no more.
func (u *usual) gone(now int64) bool {
	return (u.last+1)*(hourMs/perHour)+usualWeeks*weekHours*hourMs < now
}

// hourly is what it said at one hour of the week, the oldest first.
type hourly struct {
	quarter int64 // the newest quarter of an hour that was learned, since 1970
	values  []weekly
}

type weekly struct {
	week  int32 // since 1970
	value float32
}

func hourOf(at int64) (hour int, week int32) {
	h := at / hourMs
	return int(((h % weekHours) + weekHours) % weekHours), int32(h / weekHours)
}

// learn takes a value up; one a quarter of an hour, the first.
func (u *usual) learn(at int64, x float64) {
	hour, week := hourOf(at)
	h := u.hours[hour]
	if h == nil {
		h = &hourly{}
		u.hours[hour] = h
	}
	quarter := at / (hourMs / perHour)
	if quarter <= h.quarter {
		return
	}
	h.quarter, u.last = quarter, max(u.last, quarter)
	if len(h.values) == baselineWeeks*perHour {
		h.values = append(h.values[:0], h.values[1:]...)
	}
	h.values = append(h.values, weekly{week, float32(x)})
	u.dirty = true
}

// before gives what earlier weeks said at that hour, and how many weeks there are.
func (u *usual) before(at int64, room []float64) (values []float64, weeks int) {
	hour, week := hourOf(at)
	h := u.hours[hour]
	if h == nil {
		return room[:0], 0
	}
	last := int32(math.MinInt32)
	values = room[:0]
	for _, v := range h.values {
		if v.week >= week {
			continue
		}
		if v.week != last {
			weeks, last = weeks+1, v.week
		}
		values = append(values, float64(v.value))
	}
	return values, weeks
}

// distance is how far a value is from the median, in distances of 1.4826 MAD and no less than the floor; false where nothing is known of it.
func distance(x float64, values []float64, floor float64) (float64, bool) {
	mid := median(values)
	for i := range values {
		values[i] = math.Abs(values[i] - mid)
	}
	one := max(1.4826*median(values), floor)
	if floor == 0 {
		one = max(one, math.Abs(mid)/100)
	}
	if one == 0 { // it has always been 0, and nobody says what would be much
		return 0, false
	}
	return math.Abs(x-mid) / one, true
}

// median sorts the values.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	slices.Sort(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}

// anomalous holds a reading against what is usual at this hour of the week, and learns from it. Where too little is known nothing is said.
func (e *Engine) anomalous(s *standing, v *view, at, lag int64) {
	c := s.rule
	if v.obs.Value.Type != feeds.Number || !c.when.holds(v) {
		return
	}
	u := s.usual[v.thing.ID]
	if u == nil || u.gone(e.now) {
		u = &usual{}
		s.usual[v.thing.ID] = u
	}
	x := v.obs.Value.Num
	var room [baselineWeeks * perHour]float64
	values, weeks := u.before(at, room[:])
	u.learn(at, x)
	if weeks < c.rule.Anomaly.least() {
		return
	}
	d, known := distance(x, values, c.rule.Anomaly.Floor)
	if !known {
		return
	}
	m := mark{at: at}
	if v.obs.Quality == feeds.Received {
		m.said = timed
	}
	switch {
	case d >= c.rule.Anomaly.spread():
		m.said |= held
	case c.clear == nil || c.clear.holds(v):
		m.said |= over
	}
	e.mark(s, v, m, lag)
}

// knows counts the Things that a rule looks at, and those of which enough is known at an hour.
func (s *standing) knows(now int64) (known, all int) {
	var room [baselineWeeks * perHour]float64
	for _, u := range s.usual {
		if _, weeks := u.before(now, room[:]); weeks >= s.rule.rule.Anomaly.least() {
			known++
		}
	}
	return known, len(s.usual)
}

// forgetUsual forgets Things that are long gone.
func (s *standing) forgetUsual(now int64) {
	for thing, u := range s.usual {
		if u.gone(now) {
			delete(s.usual, thing)
		}
	}
}

func (s *standing) saveUsual(put func(string, []byte)) {
	for _, thing := range slices.Sorted(maps.Keys(s.usual)) {
		u := s.usual[thing]
		if !u.dirty {
			continue
		}
		u.dirty = false
		w := &writer{}
		w.uint(stateVersion)
		w.uint(printHash(s.rule.print))
		for hour, h := range u.hours {
			if h == nil {
				continue
			}
			w.uint(uint64(hour))
			w.int(h.quarter)
			w.uint(uint64(len(h.values)))
			for _, v := range h.values {
				w.int(int64(v.week))
				w.uint(uint64(math.Float32bits(v.value)))
			}
		}
		put(s.rule.rule.ID+"/"+usualPart+thing, w.b)
	}
}

func (e *Engine) restoreUsual(id, thing string, b []byte) error {
	r := &reader{b: b}
	if err := r.begin(); err != nil {
		return err
	}
	print, s := r.uint(), e.states[id]
	if s == nil || s.usual == nil || printHash(s.rule.print) != print {
		return nil
	}
	u := &usual{}
	for len(r.b) > 0 {
		hour := r.uint()
		h := &hourly{quarter: r.int()}
		for n := r.count(); n > 0 && r.err == nil; n-- {
			h.values = append(h.values, weekly{int32(r.int()), math.Float32frombits(uint32(r.uint()))})
		}
		if hour >= weekHours || len(h.values) > baselineWeeks*perHour {
			r.fail()
		}
		if r.err != nil {
			return r.err
		}
		u.hours[hour], u.last = h, max(u.last, h.quarter)
	}
	if r.err != nil {
		return r.err
	}
	s.usual[thing] = u
	return nil
}
