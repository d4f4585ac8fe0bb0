package figures

import "time"

// Weeks is how many days of the same weekday a mean is of: 28 days.
const Weeks = 4

// Count is a number of incidents, held against the mean of the same hours one to four weeks before.
type Count struct {
	N     int      `json:"n"`
	Mean  *float64 `json:"mean" doc:"Of the same hours on the same weekday, one to four weeks before; null where the record does not reach back so far, or the period is over a week"`
	Weeks int      `json:"weeks" doc:"How many of those four the record covers"`
}

// Counting is one question to a record: which cases, when, as seen at an instant.
type Counting struct {
	All    []Case // that the record holds, over the period and 28 days before
	Began  time.Time
	Zone   *time.Location
	AsOf   time.Time
	Counts func(*Case) bool // nil: every one of the population
}

// In counts a period. Weeks before are those of the local calendar, so that a change of the clock shifts nothing.
func (q Counting) In(from, to time.Time) Count {
	c := Count{N: q.number(from, to)}
	if to.Sub(from) > mostCompared {
		return c
	}
	sum := 0
	for k := 1; k <= Weeks; k++ {
		f, t := q.back(from, k), q.back(to, k)
		if q.Began.IsZero() || f.Before(q.Began) {
			break
		}
		sum += q.number(f, t)
		c.Weeks++
	}
	if c.Weeks == Weeks {
		mean := round(float64(sum) / Weeks)
		c.Mean = &mean
	}
	return c
}

func (q Counting) back(t time.Time, weeks int) time.Time { return t.In(q.Zone).AddDate(0, 0, -7*weeks) }

func (q Counting) number(from, to time.Time) int {
	n := 0
	f, t, at := from.UnixMilli(), to.UnixMilli(), q.AsOf.UnixMilli()
	for i := range q.All {
		if !q.All[i].Within(f, t) {
			continue
		}
		if c, known := q.All[i].Seen(at); known && c.Counted() && (q.Counts == nil || q.Counts(c)) {
			n++
		}
	}
	return n
}

// Slot is one part of a series.
type Slot struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Count
}

// mostCompared is up to which length a period is held against those before it: a longer one would be held against itself.
const mostCompared = 7*24*time.Hour + time.Hour

// mostHours is up to which length a period is told by hours, and mostDays by days; longer ones by months.
const (
	mostHours = 48 * time.Hour
	mostDays  = 93 * 24 * time.Hour
)

// Series tells a period in hours, days or months of the local calendar, whichever suits its length.
func (q Counting) Series(from, to time.Time) []Slot {
	within := q
	if to.Sub(from) <= mostHours { // many slots over few cases: what lies outside of all of them is left out once
		within.All = nil
		start := q.back(from, Weeks).UnixMilli()
		for _, c := range q.All {
			if c.Within(start, to.UnixMilli()) {
				within.All = append(within.All, c)
			}
		}
	}
	step := func(t time.Time) time.Time { return t.Add(time.Hour) }
	if length := to.Sub(from); length > mostDays {
		step = func(t time.Time) time.Time { return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, q.Zone) }
	} else if length > mostHours {
		step = func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	}
	var out []Slot
	for t := from.In(q.Zone); t.Before(to); {
		next := step(t)
		if next.After(to) {
			next = to.In(q.Zone)
		}
		out = append(out, Slot{t.UTC(), next.UTC(), within.In(t, next)})
		t = next
	}
	return out
}
