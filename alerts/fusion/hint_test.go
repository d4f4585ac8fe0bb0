package fusion_test

import (
	"fmt"
	"testing"
	"time"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var evening = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func openedAgo(t testing.TB, id, kind string, at geo.Position, ago time.Duration) incident.Incident {
	t.Helper()
	when := evening.Add(-ago)
	in, err := incident.Open(incident.Opening{ID: id, Number: "SLK-" + id, Type: kind, Title: kind, Position: &at, At: when, Evidence: []incident.Evidence{{Kind: "note", Ref: "x", At: moment.Of(when)}}})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func calledAgo(id, text string, at *geo.Position, ago time.Duration) report.Report {
	in := feeds.Report{ID: id, Channel: "call", Text: text, At: moment.Of(evening.Add(-ago))}
	if at != nil {
		in.Position, in.Placed = *at, true
	}
	return report.From(in, feeds.Meta{Feed: "desk", ReceivedAt: evening.Add(-ago)}, func(*geo.Position) string { return "Kubung" })
}

func north(metres float64) geo.Position {
	return geo.Position{Lat: -0.83 + metres/111_195, Lng: 100.63}
}

func TestHints(t *testing.T) {
	here := north(0)
	incidents := []incident.Incident{
		openedAgo(t, "near", "fire_building", north(100), 5*time.Minute), openedAgo(t, "other", "crime", north(200), 5*time.Minute),
		openedAgo(t, "far", "fire_building", north(3000), 5*time.Minute), openedAgo(t, "old", "fire_building", north(150), 9*time.Hour),
		openedAgo(t, "secret", "domestic_violence", here, time.Minute),
	}
	linked := calledAgo("linked", "rumah terbakar", &here, time.Minute)
	linked, err := linked.Judge(report.Triage{As: report.AsDuplicate, Incident: "near"}, "user:a", evening)
	if err != nil {
		t.Fatal(err)
	}
	reports := []report.Report{calledAgo("asap", "kebakaran rumah", new(north(80)), 10*time.Minute), calledAgo("kdrt", "istri dipukul, KDRT", &here, time.Minute), linked}
	ids := func(d fusion.Draft) (out []string) {
		d.When = evening
		for _, h := range fusion.Hints(fusion.DefaultTable(), d, incidents, nil, reports, evening) {
			out = append(out, h.ID)
			if (h.DistanceM == nil) != (d.At == nil) || h.AgeS < 0 {
				t.Errorf("%s: %v m, %d s", h.ID, h.DistanceM, h.AgeS)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		draft fusion.Draft
		want  []string
	}{
		"a fire here":          {fusion.Draft{Text: "ada kebakaran", At: &here}, []string{"near", "desk:asap", "old", "other"}},
		"of a type":            {fusion.Draft{Type: "fire_building", At: &here}, []string{"near", "desk:asap", "old", "other"}},
		"nothing said yet":     {fusion.Draft{At: &here}, []string{"near", "old", "other", "desk:asap"}},
		"no place yet":         {fusion.Draft{Text: "kebakaran"}, []string{"far", "near", "old", "desk:asap"}},
		"nothing at all":       {fusion.Draft{}, nil},
		"what is secret":       {fusion.Draft{Text: "KDRT di rumah", At: &here}, nil},
		"it is no hint itself": {fusion.Draft{Report: "desk:asap", Text: "kebakaran", At: &here}, []string{"near", "old", "other"}},
	} {
		if got := ids(c.draft); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	best := fusion.Hints(fusion.DefaultTable(), fusion.Draft{Text: "kebakaran", At: &here, When: evening}, incidents, nil, reports, evening)[0]
	if *best.DistanceM != 100 || best.AgeS != 300 || best.Weight < fusion.JoinAt || len(best.Reasons) < 3 || best.Number != "SLK-near" {
		t.Errorf("the best is %+v", best)
	}
}

func BenchmarkHints(b *testing.B) {
	var incidents []incident.Incident
	var reports []report.Report
	for i := range 1000 {
		incidents = append(incidents, openedAgo(b, fmt.Sprint(i), "flood", north(float64(i*7)), time.Duration(i)*time.Second))
	}
	for i := range 300 {
		reports = append(reports, calledAgo(fmt.Sprint(i), "banjir masuk rumah, air setinggi lutut", new(north(float64(i*9))), time.Duration(i)*time.Second))
	}
	here := north(0)
	for b.Loop() {
		fusion.Hints(fusion.DefaultTable(), fusion.Draft{Text: "banjir di simpang", At: &here, When: evening}, incidents, nil, reports, evening)
	}
}
