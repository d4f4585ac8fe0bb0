package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
)

// freely lets anybody do anything.
func freely(*fusion.Suggestion, *incident.Incident, *incident.Incident) error { return nil }

// fused lets the reader of fusion deal with everything up to now, as Read would: it begins, and takes what has changed since.
func (s *Store) fused(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Read(ctx, s.FusionReader()) }()
	deadline := time.Now().Add(20 * time.Second)
	for calm := 0; calm < 2 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		last, err := s.offset(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if at, err := s.ReaderAt(ctx, "fusion"); err == nil && at == last {
			calm++
		} else {
			calm = 0
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func (s *Store) suggested(t *testing.T, kind fusion.Kind, state fusion.State) []fusion.Suggestion {
	t.Helper()
	list, _, err := s.Suggestions(t.Context(), SuggestionQuery{Kind: kind, State: state})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func caller(id, text string, p geo.Position, at time.Time) feeds.Report {
	return feeds.Report{ID: id, Channel: "call", Text: text, At: moment.Of(at), Position: p, Placed: true}
}

func metres(east float64) geo.Position {
	return geo.Position{Lat: center.Lat, Lng: center.Lng + east/111_300}
}

// Reports are suggested, never joined by themselves; once a person agrees they are evidence, each with its reason and weight.
func TestReportsAreSuggestedAndJoin(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		in := s.onlyIncident(t)
		s.mustReports(t, feeds.Meta{}, []feeds.Report{caller("1", "Banjir, air masuk rumah", metres(120), noon.Add(time.Minute)),
			caller("2", "rumah terendam banjir", metres(-150), noon.Add(2*time.Minute)), caller("3", "lampu jalan mati", metres(100), noon)}, Stored, Stored, Stored)
		s.fused(t)
		got := s.suggested(t, fusion.Join, fusion.Offered)
		if len(got) != 1 || got[0].Incident != in.ID || len(got[0].Evidence) != 2 || got[0].Weight < fusion.JoinAt || len(got[0].Reasons) < 3 || got[0].Type != "flood" {
			t.Fatalf("suggested %+v", got)
		}
		if n := len(s.onlyIncident(t).Evidence); n != 1 {
			t.Fatalf("%d pieces of evidence before anybody has agreed", n)
		}
		s.fused(t) // a second life of the reader finds all that, and says nothing anew
		if again := s.suggested(t, fusion.Join, fusion.Offered); len(again) != 1 || again[0].ID != got[0].ID {
			t.Fatalf("suggested again %+v", again)
		}
		var late *SuggestionConflict
		if _, err := s.AcceptSuggestion(t.Context(), got[0].ID, 7, "", anna, freely); !errors.As(err, &late) || late.Current.ID != got[0].ID {
			t.Fatalf("another version: %v", err)
		}
		for range 2 { // twice is once
			if out, err := s.AcceptSuggestion(t.Context(), got[0].ID, 1, "betul", anna, freely); err != nil || out.Suggestion.State != fusion.Accepted || out.Suggestion.DecidedBy != anna.Subject {
				t.Fatalf("%+v, %v", out, err)
			}
		}
		now := s.onlyIncident(t)
		if len(now.Evidence) != 3 || now.Version != in.Version+1 || !now.Evident("lapor:1") || now.Evidence[2].Weight < fusion.JoinAt || now.Evidence[2].Reason == "" {
			t.Fatalf("%+v", now)
		}
		if _, err := s.RefuseSuggestion(t.Context(), got[0].ID, 2, "", anna, freely); !errors.As(err, &late) {
			t.Errorf("refused after it was accepted: %v", err)
		}
	})
}

func (s *Store) onlyIncident(t *testing.T) incident.Incident {
	t.Helper()
	list, _, err := s.Incidents(t.Context(), Query{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d incidents, %v", len(list), err)
	}
	return list[0]
}

// A refused suggestion does not come again for the same evidence, in no later life of the reader.
func TestRefusedStaysRefused(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		one := caller("1", "Banjir, air masuk rumah", metres(120), noon)
		s.mustReports(t, feeds.Meta{}, []feeds.Report{one}, Stored)
		s.fused(t)
		got := s.suggested(t, fusion.Join, fusion.Offered)
		if len(got) != 1 {
			t.Fatalf("suggested %+v", got)
		}
		if _, err := s.RefuseSuggestion(t.Context(), got[0].ID, 1, "lain", anna, freely); err != nil {
			t.Fatal(err)
		}
		one.Text, one.UpdatedAt = "Banjir, air masuk rumah lagi", moment.Of(noon.Add(time.Minute))
		s.mustReports(t, feeds.Meta{}, []feeds.Report{one}, Stored)
		for range 2 {
			s.fused(t)
			if again := s.suggested(t, fusion.Join, fusion.Offered); len(again) != 0 {
				t.Fatalf("suggested again %+v", again)
			}
		}
	})
}

// Two incidents in one place are suggested to be one, and are never made one by themselves, however alike they are.
func TestNothingMergesByItself(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		for i := range 2 {
			lng, lat := center.Lng, center.Lat
			if _, err := s.Create(t.Context(), incident.Draft{Type: "flood", Title: "Banjir di Kubung", Lng: &lng, Lat: &lat, Note: fmt.Sprint(i)}, anna); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			s.fused(t)
		}
		list, _, err := s.Incidents(t.Context(), Query{Status: "open"})
		if err != nil || len(list) != 2 || list[0].Version != 1 || list[1].Version != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		got := s.suggested(t, fusion.Merge, fusion.Offered)
		if len(got) != 1 || got[0].Incident == got[0].Other || got[0].Weight < fusion.JoinAt {
			t.Fatalf("suggested %+v", got)
		}
		out, err := s.AcceptSuggestion(t.Context(), got[0].ID, 1, "", anna, freely)
		if err != nil || out.Incident == nil || len(out.Incident.Evidence) != 2 {
			t.Fatalf("%+v, %v", out, err)
		}
		gone, err := s.Incident(t.Context(), got[0].Other)
		if err != nil || gone.MergedInto != got[0].Incident || gone.Status != incident.Cancelled {
			t.Fatalf("%+v, %v", gone, err)
		}
		if _, _, err := s.Unmerge(t.Context(), gone.ID, gone.Version, "dua", anna, func(_, _ *incident.Incident) error { return nil }); err != nil {
			t.Fatal(err)
		}
		s.fused(t)
		if again := s.suggested(t, fusion.Merge, fusion.Offered); len(again) != 0 {
			t.Fatalf("what a person has parted is suggested again: %+v", again)
		}
	})
}

// Three reports of one kind in one place, of what can wait, make one ask for an incident; nobody opens it by himself. When they are gone so is the suggestion.
func TestReportsAskForAnIncident(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		var all []feeds.Report
		for i := range 3 {
			all = append(all, caller(fmt.Sprint(i), "Kekeringan, krisis air", metres(float64(80*i)), noon.Add(time.Duration(i)*time.Minute)))
		}
		s.mustReports(t, feeds.Meta{}, all[:2], Stored, Stored)
		s.fused(t)
		if got := s.suggested(t, fusion.Open, fusion.Offered); len(got) != 0 {
			t.Fatalf("two are not enough: %+v", got)
		}
		s.mustReports(t, feeds.Meta{}, all[2:], Stored)
		s.fused(t)
		got := s.suggested(t, fusion.Open, fusion.Offered)
		if len(got) != 1 || len(got[0].Evidence) != 3 || got[0].Type != "drought" || got[0].Location == nil {
			t.Fatalf("suggested %+v", got)
		}
		if list, _, err := s.Incidents(t.Context(), Query{}); err != nil || len(list) != 0 {
			t.Fatalf("an incident opened by itself: %+v, %v", list, err)
		}
		closed := all[0]
		closed.Status, closed.UpdatedAt = "closed", moment.Of(noon.Add(time.Hour))
		s.mustReports(t, feeds.Meta{}, []feeds.Report{closed}, Stored)
		s.fused(t)
		if left := s.suggested(t, fusion.Open, fusion.Withdrawn); len(left) != 1 {
			t.Fatalf("what it rested on is gone, and it stands: %+v", s.suggested(t, "", ""))
		}
		again := caller("4", "krisis air sejak lama", metres(40), noon.Add(4*time.Minute))
		s.mustReports(t, feeds.Meta{}, []feeds.Report{again}, Stored)
		s.fused(t)
		got = s.suggested(t, fusion.Open, fusion.Offered)
		if len(got) != 1 {
			t.Fatalf("suggested %+v", s.suggested(t, "", ""))
		}
		out, err := s.AcceptSuggestion(t.Context(), got[0].ID, got[0].Version, "buka", anna, freely)
		if err != nil || out.Incident == nil || out.Incident.Number == "" || len(out.Incident.Evidence) != 3 || out.Incident.Why.Person != anna.Subject {
			t.Fatalf("%+v, %v", out, err)
		}
		s.fused(t)
		if left := s.suggested(t, "", fusion.Offered); len(left) != 0 {
			t.Errorf("still offered: %+v", left)
		}
	})
}

// An agency that was there joins by itself, and its alert names the incident; simulated and real never join; what only named people may know
// is suggested to nobody.
func TestAgenciesJoin(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		near := func(m *cap.Message) { m.Infos[0].Areas[0].Shape = geo.Circle(metres(200), 300) }
		drill := message("drill", near)
		if _, err := s.PutAgencyAlert(t.Context(), message("one", near), feeds.Meta{Feed: "cap", Agency: "bpbd", ReceivedAt: noon}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PutAgencyAlert(t.Context(), drill, feeds.Meta{Feed: "sim", Agency: "bpbd", ReceivedAt: noon, Simulated: true}); err != nil {
			t.Fatal(err)
		}
		secret := caller("9", "Banjir, dan KDRT: dipukul suami", metres(50), noon)
		s.mustReports(t, feeds.Meta{}, []feeds.Report{secret}, Stored)
		s.mustReports(t, feeds.Meta{Feed: "sim", Simulated: true}, []feeds.Report{caller("8", "Banjir, air masuk rumah", metres(50), noon)}, Stored)
		s.fused(t)
		in := s.onlyIncident(t)
		if len(in.Evidence) != 2 || in.Evidence[1].Kind != "alert" || in.Evidence[1].Weight < fusion.JoinAt || in.Version != 1 || in.Timeline[1].Actor != fusionActor {
			t.Fatalf("%+v", in)
		}
		if got := s.suggested(t, "", ""); slices.ContainsFunc(got, func(g fusion.Suggestion) bool { return g.Incident == in.ID || !g.Simulated }) {
			t.Fatalf("suggested %+v", got)
		}
		list, _, err := s.Alerts(t.Context(), Query{Status: "active"})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			if a.Rule == "" && (a.Incident == in.ID) == a.Simulated {
				t.Errorf("%s (simulated: %t) names %q", a.ID, a.Simulated, a.Incident)
			}
		}
	})
}

// Warnings of one sender and event over adjoining districts are one incident and one line; each of them is kept.
func TestWarningsCollapse(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		box := func(i float64) geo.Shape {
			const side = .06
			w, e := center.Lng+i*side, center.Lng+(i+1)*side
			return geo.Shape{Polygons: []geo.Polygon{{Rings: [][]geo.Position{{{Lat: -1, Lng: w}, {Lat: -1, Lng: e}, {Lat: -.94, Lng: e}, {Lat: -.94, Lng: w}, {Lat: -1, Lng: w}}}}}}
		}
		put := func(id string, i float64, event string) Result {
			r, err := s.PutAgencyAlert(t.Context(), message(id, func(m *cap.Message) {
				m.Infos[0].Event, m.Infos[0].Areas[0].Shape, m.Infos[0].Areas[0].Name = event, box(i), id
			}), feeds.Meta{Feed: "cap", Agency: "bpbd", ReceivedAt: noon})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		a, b, far, other := put("a", 0, "Siaga I"), put("b", 1, "Siaga I"), put("c", 2, "Siaga I"), put("d", 1, "Angin kencang")
		if a.Incident == "" || b.Incident != a.Incident || far.Incident != a.Incident || other.Incident != "" {
			t.Fatalf("%+v %+v %+v %+v", a, b, far, other)
		}
		list, err := s.alertsOf(t.Context(), []string{a.Alert, b.Alert, far.Alert, other.Alert})
		if err != nil || len(list) != 4 {
			t.Fatal(list, err)
		}
		for i, want := range []string{a.Alert, a.Alert, a.Alert, other.Alert} {
			if got := Warned(&list[i].doc); got != want || list[i].doc.State != alerts.Active {
				t.Errorf("%d stands under %s, want %s", i, got, want)
			}
		}
		if in := s.onlyIncident(t); len(in.Evidence) != 3 {
			t.Errorf("%+v", in.Evidence)
		}
	})
}

// Reports are matched within seconds.
func TestReportsAreMatchedSoon(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Read(ctx, s.FusionReader()) }()
	var took []time.Duration
	for i := range 100 {
		began := time.Now()
		id := fmt.Sprint("r", i)
		s.mustReports(t, feeds.Meta{}, []feeds.Report{caller(id, "Banjir, air masuk rumah", metres(float64(i)), noon)}, Stored)
		for {
			list, _, err := s.Suggestions(t.Context(), SuggestionQuery{State: fusion.Offered})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 1 && slices.ContainsFunc(list[0].Evidence, func(p fusion.Piece) bool { return p.Ref == "lapor:"+id }) {
				break
			}
			if time.Since(began) > 10*time.Second {
				t.Fatalf("report %d is not matched after 10 s", i)
			}
			time.Sleep(time.Millisecond)
		}
		took = append(took, time.Since(began))
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	slices.Sort(took)
	t.Logf("100 reports, from the door to the suggestion: median %s, p99 %s", took[50], took[98])
	if took[98] > 3*time.Second {
		t.Errorf("p99 %s", took[98])
	}
}
