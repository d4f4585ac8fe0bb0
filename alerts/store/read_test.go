package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/redistest"
)

// A list that grows while it is read gives nothing twice and leaves nothing out.
func TestListGrowsWhileItIsRead(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	add := func(from, to int) {
		for i := from; i < to; i++ {
			if err := s.rdb.ZAdd(t.Context(), s.keys.Incidents(), redis.Z{Score: float64(i), Member: fmt.Sprint("in", i)}).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	const before = 2*batch + 50
	add(0, before)
	got, calls := map[string]int{}, 0
	err := s.walkIndex(t.Context(), s.keys.Incidents(), Query{}, page{}, func(ids []string) (bool, error) {
		for _, id := range ids {
			got[id]++
		}
		add(before+7*calls, before+7*(calls+1))
		calls++
		return true, nil
	})
	if err != nil || calls < 3 {
		t.Fatalf("%d batches, %v", calls, err)
	}
	for i := range before {
		if id := fmt.Sprint("in", i); got[id] != 1 {
			t.Errorf("%s is given %d times", id, got[id])
		}
	}
}

// Whoever sees little gets pages that are full of what they see, and finds nothing by what they do not see.
func TestAListIsOfWhatIsSeen(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	lng, lat := 100.63, -0.83
	for i := range 7 {
		if _, err := s.Create(t.Context(), incident.Draft{Type: []string{"flood", "fire_building"}[i%2], Title: fmt.Sprintf("rahasia-%d", i), Lng: &lng, Lat: &lat}, anna); err != nil {
			t.Fatal(err)
		}
	}
	see := func(in *incident.Incident) (incident.Incident, bool) { return in.Coarse(), in.Type == "flood" }
	for _, c := range []struct {
		name  string
		q     Query
		pages []int
	}{
		{"all", Query{}, []int{4}},
		{"in pages", Query{Limit: 3}, []int{3, 1}},
		{"open", Query{Status: "open", Limit: 2}, []int{2, 2}},
		{"by a title that is not seen", Query{Text: "rahasia"}, []int{0}},
		{"by a title that is", Query{Text: "banjir"}, []int{4}},
		{"by a place that is not seen", Query{Bound: &geo.Bound{West: 100.62999, South: -0.83001, East: 100.63001, North: -0.82999}}, []int{0}},
		{"by an agency that is not seen", Query{Agency: "pupr"}, []int{0}},
	} {
		c.q.SeeIncident = see
		var got []int
		for {
			items, next, err := s.Incidents(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range items {
				if in.Type != "flood" || in.Title != "banjir" {
					t.Errorf("%s: gave %s %q", c.name, in.Type, in.Title)
				}
			}
			got = append(got, len(items))
			if c.q.Page = next; next == "" {
				break
			}
		}
		if !slices.Equal(got, c.pages) {
			t.Errorf("%s: pages of %v, want %v", c.name, got, c.pages)
		}
	}
}

func TestATransitionJudgesTheRevisionThatItChanges(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	in, err := s.Create(t.Context(), incident.Draft{Type: "flood"}, anna)
	if err != nil {
		t.Fatal(err)
	}
	refused, asked := errors.New("not this one"), 0
	may := func(got *incident.Incident) error {
		if asked++; asked == 1 { // somebody else acts between the question and the act
			if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Acknowledged, Version: 1}, budi); err != nil {
				t.Fatal(err)
			}
			return nil
		}
		if got.Status != incident.Acknowledged {
			t.Errorf("judged %s", got.Status)
		}
		return refused
	}
	if _, err := s.TransitionIf(t.Context(), in.ID, incident.Act{To: incident.Cancelled, Version: 1}, anna, may); !errors.Is(err, refused) || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	now, err := s.Incident(t.Context(), in.ID)
	if err != nil || now.Status != incident.Acknowledged {
		t.Errorf("%s %v", now.Status, err)
	}
}

func TestAReportSaysWhoseDeskItCameBy(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	out, _, err := s.EnterReport(t.Context(), feeds.Report{Channel: "call", Text: "asap"}, "", audit.Actor{Subject: "user:ani", Agency: "damkar"})
	if err != nil || out.Agency != "damkar" || len(out.External) != 0 {
		t.Errorf("%+v %v", out, err)
	}
	if _, err := s.PutReports(t.Context(), []feeds.Report{{ID: "1", Text: "lubang"}}, feeds.Meta{Feed: "lapor", Agency: "pupr"}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Report(t.Context(), "lapor:1"); err != nil || got.Agency != "pupr" {
		t.Errorf("%+v %v", got, err)
	}
	hide := func(r *report.Report) (report.Report, bool) { return r.Facts(), r.Agency == "pupr" }
	for text, want := range map[string]int{"": 1, "lubang": 0} {
		if items, _, err := s.Reports(t.Context(), Query{Text: text, SeeReport: hide}); err != nil || len(items) != want {
			t.Errorf("%q: %+v %v", text, items, err)
		}
	}
}
