package figures

import "slices"

// Least is how many cases a time or share must rest on to be told (domain.md section 7).
const Least = 5

// Rank gives the percentile by nearest rank: of n sorted values the one at ceil(percent/100 * n). False: there is none.
func Rank(sorted []int64, percent int) (int64, bool) {
	if len(sorted) == 0 || percent < 1 || percent > 100 {
		return 0, false
	}
	return sorted[(len(sorted)*percent+99)/100-1], true
}

// Durations is what is told of times, in seconds; nil where fewer than Least are known.
type Durations struct {
	N           int      `json:"n"`
	Mean        *float64 `json:"mean_s"`
	P50         *float64 `json:"p50_s"`
	P90         *float64 `json:"p90_s"`
	ManualShare *float64 `json:"manual_share" doc:"Of the stamps that the times rest on: how many a person entered, 0 to 1; null where that was kept of fewer than 5 cases"`
	Hidden      bool     `json:"hidden" doc:"Fewer than 5 cases: not told"`
}

// span is one time and how many of its two stamps a person entered.
type span struct {
	ms      int64
	manual  int
	sourced bool // it is kept who set them
}

func durations(spans []span) Durations {
	d := Durations{N: len(spans), Hidden: len(spans) < Least}
	if d.Hidden {
		return d
	}
	ms := make([]int64, len(spans))
	sum, manual, sourced := int64(0), 0, 0
	for i, s := range spans {
		ms[i] = s.ms
		sum += s.ms
		if s.sourced {
			manual += s.manual
			sourced++
		}
	}
	slices.Sort(ms)
	p50, _ := Rank(ms, 50)
	p90, _ := Rank(ms, 90)
	d.Mean, d.P50, d.P90 = seconds(float64(sum)/float64(len(ms))), seconds(float64(p50)), seconds(float64(p90))
	if sourced >= Least {
		share := round(float64(manual) / float64(2*sourced))
		d.ManualShare = &share
	}
	return d
}

// Share is how many of how many; nil where fewer than Least are known.
type Share struct {
	Met    int      `json:"met"`
	N      int      `json:"n"`
	Share  *float64 `json:"share" doc:"0 to 1"`
	Hidden bool     `json:"hidden" doc:"Fewer than 5 cases: not told"`
}

func share(met, n int) Share {
	s := Share{Met: met, N: n, Hidden: n < Least}
	if s.Hidden {
		s.Met = 0
		return s
	}
	v := round(float64(met) / float64(n))
	s.Share = &v
	return s
}

func seconds(ms float64) *float64 {
	v := float64(int64(ms+0.5)) / 1000
	return &v
}

// round keeps four digits, so that a figure is the same bytes wherever it is made.
func round(v float64) float64 { return float64(int64(v*10000+0.5)) / 10000 }
