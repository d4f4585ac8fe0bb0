package store

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/figures"
	"kentongan/alerts/figures/figurestest"
	"kentongan/alerts/incident"
	"kentongan/geo/redistest"
)

// keep writes incidents as an older server left them: whole documents, and no index of figures.
func keep(t testing.TB, s *Store, all []incident.Incident) {
	t.Helper()
	ctx := context.Background()
	for part := range slices.Chunk(all, 1000) {
		pipe := s.rdb.Pipeline()
		for i := range part {
			doc, err := json.Marshal(incidentDoc{1, part[i]})
			if err != nil {
				t.Fatal(err)
			}
			pipe.HSet(ctx, s.keys.Incident(part[i].ID), "rev", "1", "doc", doc, "own", "", "step", "")
			pipe.ZAdd(ctx, s.keys.Incidents(), redis.Z{Score: float64(part[i].OpenedAt.Milli()), Member: part[i].ID})
			if part[i].Status.Open() {
				pipe.SAdd(ctx, s.keys.IncidentsOpen(), part[i].ID)
			}
		}
		if _, err := pipe.Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// The record follows an incident step by step, and what is deleted is in no figure.
func TestFiguresFollowTheIncident(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		ctx := context.Background()
		in, err := s.Create(ctx, incident.Draft{Type: "flood", Lng: &center.Lng, Lat: &center.Lat}, anna)
		if err != nil {
			t.Fatal(err)
		}
		one := func() figures.Case {
			t.Helper()
			r, err := s.Figures(ctx, noon.Add(-time.Hour), noon.Add(time.Hour))
			if err != nil || len(r.Cases) != 1 || r.Cases[0].ID != in.ID || !r.Began.Equal(noon) {
				t.Fatalf("%+v %v", r, err)
			}
			return r.Cases[0]
		}
		if got := one(); got.Status() != figures.New || got.Stamps[figures.Signal] != noon.UnixMilli() {
			t.Errorf("new: %+v", got)
		}
		c.add(time.Minute)
		if in, err = s.Transition(ctx, in.ID, incident.Act{To: incident.Acknowledged, Version: 1}, anna); err != nil {
			t.Fatal(err)
		}
		if got := one(); got.Status() != figures.Acknowledged || got.Stamps[figures.Ack] != noon.Add(time.Minute).UnixMilli() {
			t.Errorf("acknowledged: %+v", got)
		}
		r, err := s.Figures(ctx, noon.Add(time.Hour), noon.Add(2*time.Hour))
		if err != nil || len(r.Cases) != 1 {
			t.Errorf("what is open is in every record: %+v %v", r, err)
		}
		if in, err = s.Transition(ctx, in.ID, incident.Act{To: incident.Cancelled, Reason: "false", Version: 2}, anna); err != nil {
			t.Fatal(err)
		}
		if got := one(); got.Status() != figures.Cancelled || got.Reason != "false" {
			t.Errorf("cancelled: %+v", got)
		}
		c.add(48 * time.Hour)
		if n, err := s.DropIncidents(ctx, c.now()); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if r, err := s.Figures(ctx, noon.Add(-time.Hour), noon.Add(time.Hour)); err != nil || len(r.Cases) != 0 || !r.Began.IsZero() {
			t.Errorf("deleted: %+v %v", r, err)
		}
	})
}

// An index that is not there is made from the incidents, and is the one that the steps would have written.
func TestFiguresOfAnOlderStore(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		ctx := context.Background()
		all := figurestest.Incidents(figurestest.Draw{Seed: 3, From: noon.AddDate(0, 0, -20), To: noon, N: 450, Now: noon})
		keep(t, s, all)
		r, err := s.Figures(ctx, noon.AddDate(0, 0, -20), noon)
		if err != nil || len(r.Cases) != len(all) {
			t.Fatalf("%d of %d: %v", len(r.Cases), len(all), err)
		}
		byID := map[string]figures.Case{}
		for _, c := range r.Cases {
			byID[c.ID] = c
		}
		for i := range all {
			want, got := figures.Of(&all[i]), byID[all[i].ID]
			if string(want.Append(nil)) != string(got.Append(nil)) {
				t.Fatalf("%+v\n%+v", want, got)
			}
		}
	})
}

// BenchmarkYear reads a year of 100,000 incidents from a real redis and makes the figures of a day out of it.
func BenchmarkYear(b *testing.B) {
	s, _ := newStore(b, redistest.Start(b))
	ctx := context.Background()
	keep(b, s, figurestest.Incidents(figurestest.Draw{Seed: 5, From: noon.AddDate(-1, 0, 0), To: noon, N: 100_000, Now: noon}))
	if err := s.IndexFigures(ctx); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := s.Figures(ctx, noon.AddDate(-1, 0, 0), noon)
		if err != nil {
			b.Fatal(err)
		}
		population := figures.Population(r.Cases, noon.AddDate(-1, 0, 0), noon, noon)
		if d := figures.Response.Times(population, noon); len(r.Cases) < 100_000 || d.P90 == nil {
			b.Fatal(len(r.Cases), d)
		}
	}
}
