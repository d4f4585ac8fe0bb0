package tally

import (
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/simulator/storm"
	"kentongan/geo/moment"
)

// One storm by hand: a with four reports and a gauge, b with two reports, one of them misplaced, and a prank.
func small() (*storm.Storm, time.Time) {
	t0 := time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC)
	s := &storm.Storm{Incidents: []storm.Incident{{Label: "a", Type: "flood", LifeSafety: true}, {Label: "b", Type: "flood", LifeSafety: true}}}
	add := func(label, id string, told bool, f storm.Fault) {
		s.Items = append(s.Items, storm.Item{Feed: "wa", Delivered: t0, Report: &feeds.Report{ID: id}, Truth: storm.Truth{Incident: label, Told: told, Fault: f}})
	}
	for _, id := range []string{"a1", "a2", "a3", "a4"} {
		add("a", id, true, "")
	}
	add("b", "b1", true, "")
	add("b", "b2", false, storm.Wrong)
	add("", "p", true, storm.Prank)
	for n := range 3 {
		at := t0.Add(time.Duration(n) * time.Minute)
		s.Items = append(s.Items, storm.Item{Feed: "awlr", Delivered: at, Observation: &feeds.Observation{Thing: "g", At: moment.Of(at)}, Truth: storm.Truth{Incident: "a", Told: true}})
	}
	return s, t0
}

func pieces(ids ...string) (out []Piece) {
	for _, id := range ids {
		out = append(out, Piece{Kind: "report", Ref: "wa:" + id})
	}
	return out
}

func TestJudge(t *testing.T) {
	s, t0 := small()
	gauge := Piece{Kind: "observation", Ref: "awlr:g", At: t0.Add(time.Minute)}
	k := Of(s)
	for name, c := range map[string]struct {
		groups                     []Group
		joins, wanted, told, pairs Share
		over, any, about           int
		missed                     int
	}{
		"as it was": {[]Group{{ID: "1", Opened: t0.Add(time.Minute), Pieces: append(pieces("a1", "a2", "a3", "a4"), gauge)}, {ID: "2", Opened: t0, Pieces: pieces("b1", "b2")}},
			Share{5, 5}, Share{5, 5}, Share{4, 4}, Share{11, 11}, 0, 0, 0, 0},
		"nothing stands": {nil, Share{0, 0}, Share{0, 5}, Share{0, 4}, Share{0, 0}, 0, 0, 0, 1},
		"torn":           {[]Group{{ID: "1", Pieces: pieces("a1", "a2")}, {ID: "2", Pieces: append(pieces("a3", "a4"), gauge)}}, Share{3, 3}, Share{2, 5}, Share{2, 4}, Share{4, 4}, 0, 0, 0, 0},
		"all in one":     {[]Group{{ID: "1", Pieces: append(pieces("a1", "a2", "a3", "a4", "b1", "b2", "p"), gauge)}}, Share{4, 7}, Share{4, 5}, Share{4, 4}, Share{11, 28}, 1, 1, 0, 0},
		"a misplaced one is no over-merge": {[]Group{{ID: "1", Pieces: append(pieces("a1", "a2", "a3", "a4", "b2"), gauge)}},
			Share{4, 5}, Share{4, 5}, Share{4, 4}, Share{10, 15}, 0, 1, 0, 0},
		"a prank alone": {[]Group{{ID: "1", Pieces: pieces("p")}}, Share{0, 0}, Share{0, 5}, Share{0, 4}, Share{0, 0}, 0, 0, 1, 1},
		"twice the same, and a stranger": {[]Group{{ID: "1", Pieces: append(pieces("a1", "a1", "a2", "x"), gauge, Piece{Kind: "observation", Ref: "awlr:g", At: t0})}},
			Share{2, 2}, Share{2, 5}, Share{2, 4}, Share{3, 3}, 0, 0, 0, 0},
	} {
		got := k.Judge(c.groups)
		if got.Joins != c.joins || got.Wanted != c.wanted || got.WantedTold != c.told || got.PairsRight != c.pairs || got.Over.Of != c.over || got.OverAny.Of != c.any || got.False.Of != c.about || len(got.Missed) != c.missed {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := k.Judge([]Group{{ID: "1", Opened: t0.Add(3 * time.Minute), Pieces: pieces("a1", "a2")}}); got.Opened["a"] != 3*time.Minute || got.Opening(.5) != 3*time.Minute {
		t.Errorf("opened after %v", got.Opened)
	}
}
