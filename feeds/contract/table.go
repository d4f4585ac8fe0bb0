package contract

import "math"

// table is what each series, one property of one Thing, said last: a bounded open table, never kept on disk. Where it is full, a new series is
// not followed.
type table struct {
	slots []slot
	used  int
}

const (
	fewestSlots = 256
	mostSlots   = 8192
	probes      = 8
	awayTimes   = 3 // so often must a series say something far from what it said before it is believed
)

type slot struct {
	series     uint64
	at         int64
	gap        float32 // usual milliseconds between two values
	last       float32
	low, high  float32
	seen, away uint8
}

func (t *table) find(series uint64) *slot {
	if len(t.slots) == 0 {
		return nil
	}
	mask := uint64(len(t.slots) - 1)
	for i := range uint64(probes) {
		if s := &t.slots[(series+i)&mask]; s.series == series && s.seen > 0 {
			return s
		}
	}
	return nil
}

func (t *table) learn(p point) {
	s := t.find(p.series)
	if s == nil {
		if s = t.room(p.series); s == nil {
			return
		}
		*s = slot{series: p.series, at: p.at, last: p.value, low: p.value, high: p.value, seen: 1}
		t.used++
		return
	}
	if p.at != 0 && p.at < s.at { // late
		return
	}
	if gap := float32(p.at - s.at); gap > 0 {
		if s.gap == 0 {
			s.gap = gap
		}
		s.gap += (gap - s.gap) / 4
	}
	if s.seen >= 3 && s.beyond(float64(p.value), 2) && s.away < awayTimes {
		s.away++
		s.at = p.at
		return
	}
	s.away = 0
	s.at, s.last = p.at, p.value
	s.low, s.high = min(s.low, p.value), max(s.high, p.value)
	if s.seen < math.MaxUint8 {
		s.seen++
	}
}

// room finds a free slot, in a greater table where this one is half full.
func (t *table) room(series uint64) *slot {
	if 2*t.used >= len(t.slots) && len(t.slots) < mostSlots {
		old := t.slots
		t.slots, t.used = make([]slot, max(fewestSlots, 4*len(old))), 0
		for i := range old {
			if old[i].seen > 0 {
				if s := t.free(old[i].series); s != nil {
					*s = old[i]
					t.used++
				}
			}
		}
	}
	return t.free(series)
}

func (t *table) free(series uint64) *slot {
	mask := uint64(len(t.slots) - 1)
	for i := range uint64(probes) {
		if s := &t.slots[(series+i)&mask]; s.seen == 0 {
			return s
		}
	}
	return nil
}

// beyond tells a value that lies outside what the series has said, by this factor and half its range.
func (s *slot) beyond(v, factor float64) bool {
	low, high := float64(s.low), float64(s.high)
	margin := (high - low) / 2
	return v > max(high*factor, high/factor)+margin || v < min(low*factor, low/factor)-margin
}

// overdue tells whether a series should have said something by then; known is false where too little of it was heard.
func (t *table) overdue(series uint64, at int64, gaps float64) (late, known bool) {
	s := t.find(series)
	if s == nil || s.gap == 0 || at == 0 {
		return false, false
	}
	return float64(at-s.at) >= gaps*float64(s.gap), true
}

// standing counts series whose value has changed while their time has not.
func (t *table) standing(series []point) (still, of int) {
	for i := range series {
		s := t.find(series[i].series)
		if s == nil || series[i].at == 0 || s.at == 0 {
			continue
		}
		if of++; s.at == series[i].at && s.last != series[i].value {
			still++
		}
	}
	return still, of
}

// forget lets every series begin anew.
func (t *table) forget() { *t = table{} }

// homes is where Things were last, of some of them.
type homes [1024]home

type home struct {
	thing    uint64
	lat, lng float32
}

func (h *homes) of(thing uint64) *home { return &h[thing>>24%uint64(len(h))] }

// turned tells a Thing that is where it was with its axes exchanged; known is false for one whose home is not known.
func (h *homes) turned(x home) (turned, known bool) {
	was := h.of(x.thing)
	if was.thing != x.thing {
		return false, false
	}
	near := func(a, b float32) bool { return math.Abs(float64(a-b)) < 0.05 }
	return near(was.lat, x.lng) && near(was.lng, x.lat) && !near(was.lat, x.lat), true
}
