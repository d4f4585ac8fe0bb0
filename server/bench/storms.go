package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kentongan/feeds/simulator/storm/tally"
	"kentongan/server/bench/rage"
)

// stormSeeds draws seeds; KENTONGAN_STORM_SEEDS names some (comma-separated) to repeat them.
func stormSeeds(drawn int) ([]uint64, error) {
	var out []uint64
	for _, word := range strings.FieldsFunc(os.Getenv("KENTONGAN_STORM_SEEDS"), func(r rune) bool { return r == ',' }) {
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("KENTONGAN_STORM_SEEDS: %w", err)
		}
		out = append(out, n)
	}
	for len(out) < drawn && os.Getenv("KENTONGAN_STORM_SEEDS") == "" {
		out = append(out, uint64(rand.Uint32()))
	}
	return out, nil
}

// benchStorms lets labelled storms of 200 incidents and 20,000 items rage over rules and fusion, and prints each, the worst first.
func benchStorms(_ string, short bool) ([]figure, error) {
	drawn := 20
	if short {
		drawn = 3
	}
	seeds, err := stormSeeds(drawn)
	if err != nil {
		return nil, err
	}
	g, err := rage.NewGround()
	if err != nil {
		return nil, err
	}
	type one struct {
		seed  uint64
		score tally.Score
		said  string
	}
	var all []one
	for _, seed := range seeds {
		s := g.Make(seed)
		h := rage.NewHouse(g)
		h.Rage(s.Items)
		score := tally.Of(s).Judge(h.Groups())
		all = append(all, one{seed, score, score.Detail(s)})
	}
	slices.SortStableFunc(all, func(a, b one) int {
		switch {
		case a.score.Worse(&b.score):
			return -1
		case b.score.Worse(&a.score):
			return 1
		}
		return 0
	})
	for n, o := range all {
		fmt.Fprintf(os.Stderr, "  seed %d: %s\n", o.seed, o.score.String())
		if n == 0 {
			fmt.Fprint(os.Stderr, o.said)
		}
	}
	spread := func(of func(*tally.Score) float64, worst func(...float64) float64) string {
		var v []float64
		for i := range all {
			v = append(v, of(&all[i].score))
		}
		slices.Sort(v)
		at := v[0]
		if worst(v[0], v[len(v)-1]) != v[0] {
			at = v[len(v)-1]
		}
		var seed uint64
		for i := range all {
			if of(&all[i].score) == at {
				seed = all[i].seed
			}
		}
		return fmt.Sprintf("worst %.3f (seed %d), median %.3f, n %d", at, seed, v[len(v)/2], len(v))
	}
	least := func(v ...float64) float64 { return min(v[0], v[1]) }
	most := func(v ...float64) float64 { return max(v[0], v[1]) }
	missed, lives, meets := 0, 0, 0
	for i := range all {
		missed, lives = missed+len(all[i].score.Missed), lives+all[i].score.Lives
		if all[i].score.Meets() {
			meets++
		}
	}
	return []figure{
		{"storm: precision of joins", ">= 0.95", spread(func(s *tally.Score) float64 { return s.Joins.Value() }, least)},
		{"storm: recall of joins, of what tells", ">= 0.95", spread(func(s *tally.Score) float64 { return s.WantedTold.Value() }, least)},
		{"storm: recall of joins, of all items", "-", spread(func(s *tally.Score) float64 { return s.Wanted.Value() }, least)},
		{"storm: precision of pairs", "-", spread(func(s *tally.Score) float64 { return s.PairsRight.Value() }, least)},
		{"storm: recall of pairs", "-", spread(func(s *tally.Score) float64 { return s.PairsMade.Value() }, least)},
		{"storm: incidents that hold two truths, share", "<= 0.01", spread(func(s *tally.Score) float64 { return s.Over.Value() }, most)},
		{"storm: minutes to open, p90", "-", spread(func(s *tally.Score) float64 { return s.Opening(.9).Minutes() }, most)},
		{"storm: life-safety missed", "0", fmt.Sprintf("%d of %d in %d storms", missed, lives, len(all))},
		{"storm: storms that meet all of it", "all", fmt.Sprintf("%d of %d", meets, len(all))},
	}, nil
}

// scratchFile is a file that is left for people to read.
func scratchFile(name string) string { return filepath.Join(os.TempDir(), name) }
