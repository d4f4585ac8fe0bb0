package tally

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds/simulator/storm"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Goals of joining.
const (
	GoalJoins = .95 // precision and recall, at least
	GoalOver  = .01 // over-merge, at most
)

// Meets tells whether precision and recall of joins, and over-merge, meet their goals, and no life was missed. Recall is of what tells.
func (s *Score) Meets() bool {
	return s.Joins.Value() >= GoalJoins && s.WantedTold.Value() >= GoalJoins && s.Over.Value() <= GoalOver && len(s.Missed) == 0
}

// Opening gives a percentile of the times until incidents were opened, nearest rank.
func (s *Score) Opening(p float64) time.Duration {
	var all []time.Duration
	for _, d := range s.Opened {
		all = append(all, d)
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	i := int(p*float64(len(all))+.999999) - 1
	return all[max(0, min(i, len(all)-1))].Truncate(time.Second)
}

// String is one line of figures.
func (s *Score) String() string {
	return fmt.Sprintf("joins: precision %.3f (%d of %d), recall %.3f (%d of %d), of all items %.3f; pairs: precision %.3f, recall %.3f; over-merged %d of %d groups (%.1f %%; %d with misplaced ones), about nothing %d; life-safety missed %d of %d; opened after p50 %s, p90 %s, %d of %d",
		s.Joins.Value(), s.Joins.Of, s.Joins.All, s.WantedTold.Value(), s.WantedTold.Of, s.WantedTold.All, s.Wanted.Value(), s.PairsRight.Value(), s.PairsMade.Value(),
		s.Over.Of, s.Over.All, 100*s.Over.Value(), s.OverAny.Of, s.False.Of, len(s.Missed), s.Lives, s.Opening(.5), s.Opening(.9), len(s.Opened), s.Incidents)
}

// Detail tells what went wrong, in lines.
func (s *Score) Detail(of *storm.Storm) string {
	var b strings.Builder
	line := func(name string, list []string) {
		fmt.Fprintf(&b, "  %s (%d): %s\n", name, len(list), strings.Join(list[:min(len(list), 40)], "; "))
	}
	near := make([]string, len(s.Mixed))
	for i, m := range s.Mixed {
		near[i] = m + apart(of, m)
	}
	line("over-merged", near)
	line("torn", s.Torn)
	line("life-safety missed", s.Missed)
	fmt.Fprintf(&b, "  about nothing, yet joined, by fault: %v\n", s.Strays)
	fmt.Fprintf(&b, "  not with the others, by fault: %v\n", s.Lone)
	line("warnings", s.Warned)
	return b.String()
}

// apart tells how far the first two truths of a mixture are from each other.
func apart(of *storm.Storm, mixture string) string {
	_, rest, _ := strings.Cut(mixture, ": ")
	var found []*storm.Incident
	for _, part := range strings.Split(rest, ", ") {
		label, _, _ := strings.Cut(part, " ")
		if in := of.Of(label); in != nil {
			found = append(found, in)
		}
	}
	if len(found) < 2 {
		return ""
	}
	metres, between := storm.Apart(found[0], found[1])
	return fmt.Sprintf(" (%.0f m, %s)", metres, between)
}

// Worse tells whether a score is worse than another: by what is farthest below its goal.
func (s *Score) Worse(than *Score) bool { return s.shortfall() > than.shortfall() }

func (s *Score) shortfall() float64 {
	return max(GoalJoins-s.Joins.Value(), GoalJoins-s.WantedTold.Value(), (s.Over.Value()-GoalOver)*2) + float64(len(s.Missed))
}
