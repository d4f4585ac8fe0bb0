package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

func account(id string, change func(*feeds.Report)) feeds.Report {
	r := feeds.Report{ID: id, Channel: "open311", Text: "Jembatan putus", Type: "Jalan", At: moment.Of(noon.Add(-time.Hour)), Position: center, Placed: true, Address: "Jl. Lembang"}
	if change != nil {
		change(&r)
	}
	return r
}

func (s *Store) mustReports(t *testing.T, m feeds.Meta, list []feeds.Report, want ...Kind) {
	t.Helper()
	if m.Feed == "" {
		m.Feed = "lapor"
	}
	if m.ReceivedAt.IsZero() {
		m.ReceivedAt = s.now()
	}
	got, err := s.PutReports(t.Context(), list, m)
	if err != nil {
		t.Fatal(err)
	}
	kinds := []Kind{}
	for _, r := range got {
		kinds = append(kinds, r.Kind)
	}
	if !slices.Equal(kinds, want) {
		t.Fatalf("became %v, want %v", kinds, want)
	}
}

func TestReportsAreKept(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		from, err := s.offset(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		one := account("14-01", nil)
		s.mustReports(t, feeds.Meta{Agency: "pupr", Attribution: "PUPR"}, []feeds.Report{one, one}, Stored, Duplicate)
		r, err := s.Report(t.Context(), "lapor:14-01")
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != report.Open || r.State != report.New || r.Revision != 1 || r.Cell == 0 || r.ReceivedAt.IsZero() || r.Attribution != "PUPR" ||
			!slices.Equal(r.External, []feeds.ReportRef{{Agency: "pupr", ID: "14-01"}}) {
			t.Errorf("kept as %+v", r)
		}
		c.add(time.Minute)
		closed := account("14-01", func(r *feeds.Report) {
			r.Status, r.StatusNotes, r.UpdatedAt = "closed", "sudah diperbaiki", moment.Of(noon)
		})
		s.mustReports(t, feeds.Meta{Agency: "pupr"}, []feeds.Report{closed}, Stored)
		s.mustReports(t, feeds.Meta{Agency: "pupr"}, []feeds.Report{closed}, Duplicate)
		stale := account("14-01", func(r *feeds.Report) { r.UpdatedAt = moment.Of(noon.Add(-time.Minute)) })
		s.mustReports(t, feeds.Meta{Agency: "pupr"}, []feeds.Report{stale}, Duplicate)
		after, err := s.Report(t.Context(), "lapor:14-01")
		if err != nil || after.Status != report.Closed || after.Revision != 2 || !after.ReceivedAt.Equal(r.ReceivedAt.Time) || after.StatusNotes != "sudah diperbaiki" {
			t.Errorf("revised to %+v, %v", after, err)
		}
		// One that comes closed is kept and calls nobody.
		s.mustReports(t, feeds.Meta{}, []feeds.Report{account("old", func(r *feeds.Report) { r.Status = "Closed" })}, Stored)
		changes, ok, err := s.Since(t.Context(), from, 10)
		if err != nil || !ok || len(changes) != 2 || changes[0].Type != "report" || changes[1].ID != "lapor:14-01" {
			t.Errorf("changes %+v, %t, %v", changes, ok, err)
		}
		log, _, err := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 10, "")
		if err != nil || len(log) != 3 || log[1].Action != "report.revised" || log[1].Reason != "status, status_notes" || log[1].Object != "report:lapor:14-01" {
			t.Errorf("audit %+v, %v", log, err)
		}
	})
}

func TestReportsWithoutAnID(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		said := account("", nil)
		other := account("", func(r *feeds.Report) { r.Text = "Jalan ambles" })
		s.mustReports(t, feeds.Meta{}, []feeds.Report{said, other, said}, Stored, Stored, Duplicate)
	})
}

func TestADryRunStoresNoReport(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		s.mustReports(t, feeds.Meta{Dry: true}, []feeds.Report{account("1", nil)}, Stored)
		if _, err := s.Report(t.Context(), "lapor:1"); !errors.Is(err, ErrNoReport) {
			t.Errorf("error %v", err)
		}
	})
}

func TestStandingReports(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		s.mustReports(t, feeds.Meta{}, []feeds.Report{account("yesterday", nil)}, Stored)
		c.add(23 * time.Hour)
		s.mustReports(t, feeds.Meta{}, []feeds.Report{account("closed", nil), account("open", nil)}, Stored, Stored)
		s.mustReports(t, feeds.Meta{}, []feeds.Report{account("closed", func(r *feeds.Report) { r.Status = "closed" })}, Stored)
		want := func(ids ...string) {
			t.Helper()
			o, err := s.Snapshot(t.Context())
			if err != nil || o.Cut {
				t.Fatalf("cut %t, %v", o.Cut, err)
			}
			got := []string{}
			for _, r := range o.Reports {
				got = append(got, r.RequestID)
			}
			if !slices.Equal(got, ids) {
				t.Errorf("standing %v, want %v", got, ids)
			}
		}
		want("open", "yesterday")
		c.add(time.Hour)
		want("open")
		s.mustReports(t, feeds.Meta{}, []feeds.Report{account("next", nil)}, Stored)
		if n, err := s.rdb.ZCard(t.Context(), s.keys.ReportsOpen()).Result(); err != nil || n != 2 {
			t.Errorf("%d are kept as standing, %v; want 2", n, err)
		}
	})
}

func TestMoreReportsThanAScreenTakes(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		list := make([]feeds.Report, MostReports+1)
		for i := range list {
			list[i] = account(fmt.Sprint(i), nil)
		}
		if _, err := s.PutReports(t.Context(), list, feeds.Meta{Feed: "lapor", ReceivedAt: s.now()}); err != nil {
			t.Fatal(err)
		}
		o, err := s.Snapshot(t.Context())
		if err != nil || len(o.Reports) != MostReports || !o.Cut {
			t.Errorf("%d reports, cut %t, %v", len(o.Reports), o.Cut, err)
		}
	})
}

func TestListReports(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		for i := range 25 {
			c.add(time.Second)
			s.mustReports(t, feeds.Meta{Feed: []string{"lapor", "warga"}[i%2]}, []feeds.Report{account(fmt.Sprint(i), func(r *feeds.Report) {
				r.Channel = []string{"call", "chat"}[i%2]
				r.Position.Lat += float64(i) / 10
				r.Placed = i != 3
				if i == 7 {
					r.Text = "Pohon tumbang"
				}
			})}, Stored)
		}
		page, seen := "", 0
		for {
			items, next, err := s.Reports(t.Context(), Query{Limit: 10, Page: page})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range items {
				if r.RequestID != fmt.Sprint(24-seen) {
					t.Fatalf("place %d holds %s", seen, r.ID)
				}
				seen++
			}
			if page = next; next == "" {
				break
			}
		}
		if seen != 25 {
			t.Errorf("%d listed", seen)
		}
		near := geo.Bound{West: 100, South: -1, East: 101, North: -0.55}
		for _, q := range []struct {
			name string
			q    Query
			want int
		}{
			{"channel", Query{Channel: "chat"}, 12}, {"feed", Query{Feed: "lapor"}, 13}, {"text", Query{Text: "pohon"}, 1},
			{"status", Query{Status: "closed"}, 0}, {"place", Query{Bound: &near}, 4}, {"from", Query{From: noon.Add(21 * time.Second)}, 5},
			{"to", Query{To: noon.Add(3 * time.Second)}, 2},
		} {
			items, _, err := s.Reports(t.Context(), q.q)
			if err != nil || len(items) != q.want {
				t.Errorf("%s: %d, %v; want %d", q.name, len(items), err, q.want)
			}
		}
	})
}

func TestEnterReport(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		said := feeds.Report{Channel: "call", Text: "Air naik"}
		one, created, err := s.EnterReport(t.Context(), said, "k-1", anna)
		if err != nil || !created || one.Feed != DeskFeed || one.State != report.New || one.At.IsZero() {
			t.Fatalf("%+v, %t, %v", one, created, err)
		}
		c.add(time.Minute)
		again, created, err := s.EnterReport(t.Context(), said, "k-1", anna)
		if err != nil || created || again.ID != one.ID || !again.ReceivedAt.Equal(one.ReceivedAt.Time) {
			t.Errorf("again %+v, %t, %v", again, created, err)
		}
		if other, created, err := s.EnterReport(t.Context(), said, "k-1", budi); err != nil || !created || other.ID == one.ID {
			t.Errorf("somebody else's key: %+v, %t, %v", other, created, err)
		}
		said.Text = "Air surut"
		if _, _, err := s.EnterReport(t.Context(), said, "k-1", anna); !errors.Is(err, ErrKeyReused) {
			t.Errorf("error %v", err)
		}
		if a, _, err := s.EnterReport(t.Context(), said, "", anna); err != nil || a.ID == one.ID {
			t.Errorf("%+v, %v", a, err)
		}
	})
}
