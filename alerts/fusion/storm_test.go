package fusion_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"kentongan/feeds/simulator/storm"
	"kentongan/feeds/simulator/storm/tally"
)

// A labelled storm: of what is told of 200 incidents in 20,000 items, nearly all that belongs together comes together, and nearly nothing
// else. The seeds are drawn anew each time; the worst is printed.
func TestTheLabelledStorm(t *testing.T) {
	seeds := 20
	if testing.Short() {
		seeds = 3
	}
	worst, low := "", 2.0
	began := time.Now()
	for range seeds {
		seed := rand.Uint64N(1 << 32)
		s := storm.Make(storm.Making{Seed: seed})
		h := newHouse(t)
		for i := range s.Items {
			h.take(&s.Items[i])
		}
		judged := tally.Of(s).Judge(h.groups())
		score := &judged
		if !score.Meets() {
			t.Errorf("seed %d: %s\n%s", seed, score, score.Detail(s))
		}
		if v := min(score.Joins.Value(), score.WantedTold.Value()) - score.Over.Value(); v < low {
			low, worst = v, score.String()
			t.Logf("seed %d is the worst so far: %s", seed, worst)
		}
	}
	t.Logf("worst of %d seeds: %s; %s a storm", seeds, worst, (time.Since(began) / time.Duration(seeds)).Round(time.Millisecond))
}
