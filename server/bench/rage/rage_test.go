package rage

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/rules"
	"kentongan/feeds/simulator/storm"
	"kentongan/feeds/simulator/storm/tally"
)

// seeds draws seeds at test time. KENTONGAN_STORM_SEEDS names some (comma-separated), so that a storm can be repeated.
func seeds(t testing.TB, drawn int) []uint64 {
	t.Helper()
	var out []uint64
	for _, word := range strings.FieldsFunc(os.Getenv("KENTONGAN_STORM_SEEDS"), func(r rune) bool { return r == ',' }) {
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			t.Fatalf("KENTONGAN_STORM_SEEDS: %v", err)
		}
		out = append(out, n)
	}
	for len(out) < drawn && os.Getenv("KENTONGAN_STORM_SEEDS") == "" {
		out = append(out, uint64(rand.Uint32()))
	}
	return out
}

func newGround(t testing.TB) *Ground {
	t.Helper()
	g, err := NewGround()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Floors of one storm, and of all that are drawn together. Over 150 fresh storms precision is .9882 on average with a standard deviation of
// .0041 (worst .975), recall .9748 with .0074 (worst .948, whose goal is .95), incidents that hold two truths .0016 with .0022 (worst .0092): one
// storm drawn at test time may lie a little below a goal without anything being wrong, and lies below these floors if something broke. The
// average of three has a sampling error of .0024, .0043 and .0013, of twenty of .0009, .0017 and .0005.
const (
	leastPrecision = .965
	leastRecall    = .93
	mostOver       = .02

	leastPrecisionOfAll = .975
	leastRecallOfAll    = .955
)

func TestStormsAreJoinedAsTheyWere(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	var worst tally.Score
	var right, wanted, over tally.Share
	add := func(to *tally.Share, s tally.Share) { to.Of, to.All = to.Of+s.Of, to.All+s.All }
	said := ""
	for n, seed := range seeds(t, 3) {
		s := g.Make(seed)
		began := time.Now()
		h := NewHouse(g)
		h.Rage(s.Items)
		score := tally.Of(s).Judge(h.Groups())
		t.Logf("seed %d (%s): %s", seed, time.Since(began).Round(time.Millisecond), score.String())
		if os.Getenv("KENTONGAN_STORM_SEEDS") != "" { // whoever names seeds looks for what went wrong in each
			t.Logf("seed %d: %s", seed, score.Detail(s))
		}
		if n == 0 || score.Worse(&worst) {
			worst, said = score, fmt.Sprintf("worst seed %d: %s\n%s", seed, score.String(), score.Detail(s))
		}
		add(&right, score.Joins)
		add(&wanted, score.WantedTold)
		add(&over, score.Over)
		if score.Unknown > 0 {
			t.Errorf("seed %d: %d pieces of which the storm knows nothing", seed, score.Unknown)
		}
		if score.Joins.Value() < leastPrecision || score.WantedTold.Value() < leastRecall || score.Over.Value() > mostOver || len(score.Missed) > 1 {
			t.Errorf("KENTONGAN_STORM_SEEDS=%d repeats it: %s\n%s", seed, score.String(), score.Detail(s))
		}
	}
	t.Log(said)
	if os.Getenv("KENTONGAN_STORM_SEEDS") == "" && (right.Value() < leastPrecisionOfAll || wanted.Value() < leastRecallOfAll || over.Value() > tally.GoalOver) {
		t.Errorf("all together: precision %.4f, recall %.4f, over-merged %.4f", right.Value(), wanted.Value(), over.Value())
	}
}

// partition is what a house took for one, in words of the truth: which accounts stand together, whatever the incidents are called.
func partition(h *House) []string {
	var out []string
	for _, g := range h.Groups() {
		var pieces []string
		for _, p := range g.Pieces {
			pieces = append(pieces, p.Kind+" "+p.Ref)
		}
		slices.Sort(pieces)
		if pieces = slices.Compact(pieces); len(pieces) > 0 {
			out = append(out, strings.Join(pieces, ", "))
		}
	}
	slices.Sort(out)
	return out
}

// What comes twice changes nothing at all.
func TestCopiesChangeNothing(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, seed := range seeds(t, 1) {
		s := g.Make(seed)
		plain, copied := NewHouse(g), NewHouse(g)
		plain.Rage(s.Items)
		copied.Rage(s.Disturbed(storm.Disturbance{Seed: 1, Copies: .2}))
		a, b := partition(plain), partition(copied)
		for _, x := range a {
			if !slices.Contains(b, x) {
				t.Errorf("seed %d: without copies stand together: %s", seed, x)
			}
		}
		if len(a) != len(b) {
			t.Errorf("seed %d: %d groups, with copies %d", seed, len(a), len(b))
		}
	}
}

// By how much a disturbed storm may be joined worse than the same in order. Over 27 storms its precision is less by .0005 on average (standard
// deviation .0013, worst .0034), its recall by .0029 (.0048, worst .0188: what comes first opens, so a flood or a shock may begin elsewhere).
const (
	lessPrecise = .01
	lessRecall  = .025
)

// What comes late and out of order, up to ten minutes, twice here and there, opens the incidents that it would have opened in time: every
// instrument's incident stands for the same truths, and who was joined to what is as good as before.
func TestADisturbedStormIsTheSameStorm(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, seed := range seeds(t, 1) {
		s := g.Make(seed)
		clean, late := NewHouse(g), NewHouse(g)
		clean.Rage(s.Items)
		late.Rage(s.Disturbed(storm.Disturbance{Seed: 1, Within: 10 * time.Minute, Copies: .1}))
		truth := tally.Of(s)
		// Out of order the second of two samples may be another one than in order, so crossings are named by what they are about.
		about := func(h *House) map[string]bool {
			out := map[string]bool{}
			for _, c := range h.Fired() {
				if c.Rule == rules.FaultRule {
					continue // opens no incident; it is judged by the order in which an instrument speaks
				}
				if label := truth.About(tally.Piece{Kind: "observation", Ref: c.Key, At: c.At}); label != "" {
					out[c.Rule+" on "+c.Key+" of "+label] = true
				}
			}
			return out
		}
		a, b := about(clean), about(late)
		for x := range a {
			if !b[x] {
				t.Errorf("seed %d: in order fires %s, disturbed it does not", seed, x)
			}
		}
		for x := range b {
			if !a[x] {
				t.Errorf("seed %d: disturbed fires %s, in order it does not", seed, x)
			}
		}
		t.Logf("seed %d: %d crossings about incidents, in order and disturbed", seed, len(a))
		one, two := truth.Judge(clean.Groups()), truth.Judge(late.Groups())
		t.Logf("seed %d: clean     %s", seed, one.String())
		t.Logf("seed %d: disturbed %s", seed, two.String())
		for _, in := range s.LifeSafety() {
			if one.Opened[in.Label] != 0 && two.Opened[in.Label] == 0 {
				t.Errorf("seed %d: %s is opened in order, and disturbed it is not", seed, in.Label)
			}
		}
		if two.Joins.Value() < one.Joins.Value()-lessPrecise || two.WantedTold.Value() < one.WantedTold.Value()-lessRecall {
			t.Errorf("seed %d: a disturbed storm is joined worse: precision %.3f, was %.3f; recall %.3f, was %.3f", seed, two.Joins.Value(), one.Joins.Value(), two.WantedTold.Value(), one.WantedTold.Value())
		}
	}
}
