package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/area"
	"kentongan/geo/moment"
)

func minute(n int) moment.Time { return moment.Of(noon.Add(time.Duration(n) * time.Minute)) }

func works(t *testing.T, s *Store, from, to int) plan.Plan {
	t.Helper()
	p, err := plan.Draft{Kind: plan.Works, Title: "Perbaikan jembatan", Area: alerts.Feature{Geometry: geo.Circle(center, 500)}, Holds: true, From: minute(from), To: minute(to)}.Validate(plan.Known{}, s.now())
	if err != nil {
		t.Fatal(err)
	}
	if p, err = s.Announce(t.Context(), p, anna); err != nil {
		t.Fatal(err)
	}
	return p
}

// told gives the states of a case in the stream, in their order.
func told[T any](t *testing.T, s *Store, noun, id string, read func(T) string) (out []string) {
	t.Helper()
	list, ok, err := s.Since(t.Context(), 0, 10_000)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for _, c := range list {
		if c.Type != noun || c.ID != id {
			continue
		}
		var doc T
		if err := json.Unmarshal(c.Doc, &doc); err != nil {
			t.Fatal(err)
		}
		out = append(out, read(doc))
	}
	return out
}

func acts(t *testing.T, s *Store, object string) (out []string) {
	t.Helper()
	list, _, err := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 1000, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range slices.Backward(list) {
		if r.Object == object {
			out = append(out, r.Action)
		}
	}
	return out
}

func TestAPlanFollowsTheClockAndIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		p := works(t, s, 10, 60)
		other := New(s.rdb, s.keys, Options{Now: c.now}) // another server that keeps the same house
		total := 0
		for range 7 {
			var work sync.WaitGroup
			var mu sync.Mutex
			for _, one := range []*Store{s, other, s} {
				work.Go(func() {
					n, err := one.TickPlans(t.Context(), c.now())
					mu.Lock()
					defer mu.Unlock()
					if total += n; err != nil {
						t.Error(err)
					}
				})
			}
			work.Wait()
			c.add(10 * time.Minute)
		}
		if got := told(t, s, "plan", p.ID, func(p plan.Plan) string { return string(p.State) }); fmt.Sprint(got) != "[planned running over]" || total != 2 {
			t.Errorf("told is %v, counted %d", got, total)
		}
		if got := acts(t, s, "plan:"+p.ID); fmt.Sprint(got) != "[plan.announced plan.running plan.over]" {
			t.Errorf("audited is %v", got)
		}
		slept := works(t, s, 80, 90) // nobody looked while it ran
		c.add(time.Hour)
		if _, err := s.TickPlans(t.Context(), c.now()); err != nil {
			t.Fatal(err)
		}
		if got := told(t, s, "plan", slept.ID, func(p plan.Plan) string { return string(p.State) }); fmt.Sprint(got) != "[planned running over]" {
			t.Errorf("told is %v", got)
		}
		if n, err := s.DropPlans(t.Context(), c.now().Add(time.Hour)); err != nil || n != 2 {
			t.Errorf("%d are dropped: %v", n, err)
		}
	})
}

func TestAPlanIsEditedAndCancelled(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		p := works(t, s, 10, 60)
		said := p
		said.Title, said.From, said.Simulated = "Jembatan Lolo", minute(0), true
		if _, err := s.EditPlan(t.Context(), p.ID, 7, said, budi); !conflicts[*PlanConflict](err) {
			t.Errorf("of a version that never was: %v", err)
		}
		p, err := s.EditPlan(t.Context(), p.ID, 1, said, budi)
		if err != nil || p.Version != 2 || p.State != plan.Running || p.By != anna.Subject || p.Title != "Jembatan Lolo" || p.Simulated {
			t.Fatalf("%+v, %v", p, err)
		}
		if _, err := s.CancelPlan(t.Context(), p.ID, 1, "hujan", budi); !conflicts[*PlanConflict](err) {
			t.Errorf("cancelled too late: %v", err)
		}
		p, err = s.CancelPlan(t.Context(), p.ID, 2, "hujan", budi)
		if err != nil || p.State != plan.Cancelled || p.EndReason != "hujan" || p.EndedBy != budi.Subject {
			t.Fatalf("%+v, %v", p, err)
		}
		if _, err := s.EditPlan(t.Context(), p.ID, 3, said, budi); !conflicts[*PlanConflict](err) {
			t.Errorf("edited though cancelled: %v", err)
		}
		c.add(24 * time.Hour)
		if n, err := s.TickPlans(t.Context(), c.now()); err != nil || n != 0 {
			t.Errorf("the clock has changed %d: %v", n, err)
		}
		if _, err := s.Plan(t.Context(), "nosuch"); !errors.Is(err, ErrNoPlan) {
			t.Error(err)
		}
		if open, err := s.Snapshot(t.Context()); err != nil || len(open.Plans) != 0 {
			t.Errorf("%+v, %v", open.Plans, err)
		}
	})
}

func conflicts[T error](err error) bool {
	var c T
	return errors.As(err, &c)
}

func TestPlansAreListed(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		a, b := works(t, s, 0, 30), works(t, s, 60, 90)
		far := &geo.Bound{West: 10, South: 50, East: 11, North: 51}
		near := &geo.Bound{West: 100.7, South: -1, East: 100.8, North: -0.9}
		for _, q := range []struct {
			name string
			q    PlanQuery
			want []string
		}{
			{"all", PlanQuery{}, []string{b.ID, a.ID}},
			{"running", PlanQuery{State: plan.Running}, []string{a.ID}},
			{"planned", PlanQuery{State: plan.Planned}, []string{b.ID}},
			{"over", PlanQuery{State: plan.Over}, nil},
			{"here", PlanQuery{Bound: near}, []string{b.ID, a.ID}},
			{"elsewhere", PlanQuery{Bound: far}, nil},
			{"of a kind", PlanQuery{Kind: plan.Event}, nil},
			{"from its end on", PlanQuery{From: minute(30).Time}, []string{b.ID}},
			{"until it begins", PlanQuery{To: minute(60).Time}, []string{a.ID}},
			{"by words", PlanQuery{Text: "JEMBATAN", Limit: 1}, []string{b.ID}},
		} {
			items, next, err := s.Plans(t.Context(), q.q)
			var got []string
			for _, p := range items {
				got = append(got, p.ID)
			}
			if err != nil || !slices.Equal(got, q.want) || (next != "") != (q.q.Limit == 1) {
				t.Errorf("%s: %v (next %q), want %v: %v", q.name, got, next, q.want, err)
			}
		}
		c.add(time.Hour / 2) // nobody has told yet that one is over
		if items, _, err := s.Plans(t.Context(), PlanQuery{State: plan.Over}); err != nil || len(items) != 1 {
			t.Errorf("%v, %v", items, err)
		}
	})
}

var volcanoes = append(statement.Scales{{Code: "pvmbg", Hazard: "volcano", Steps: []statement.Step{{Code: "I", Status: 1}, {Code: "II", Status: 2}, {Code: "III", Status: 3}, {Code: "IV", Status: 4}}}}, statement.House()...)

func declare(t *testing.T, s *Store, d statement.Draft) statement.Statement {
	t.Helper()
	said, err := d.Validate(volcanoes, s.now())
	if err != nil {
		t.Fatal(err)
	}
	if said, err = s.Declare(t.Context(), said, anna); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestOneStatementStands(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		talang := statement.Draft{Scale: "pvmbg", Subject: "talang", Step: "II", Source: "PVMBG", StatedAt: minute(-60)}
		first := declare(t, s, talang)
		drill := talang
		drill.Simulated, drill.Step = true, "IV"
		third := declare(t, s, drill)
		talang.Step, talang.StatedAt, talang.ValidUntil = "III", minute(-10), minute(120)
		second := declare(t, s, talang)
		stand := func(want ...string) {
			t.Helper()
			items, _, err := s.Statements(t.Context(), StatementQuery{State: statement.InForce})
			var got []string
			for _, x := range items {
				got = append(got, x.ID)
			}
			slices.Sort(got)
			slices.Sort(want)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("in force are %v, want %v: %v", got, want, err)
			}
			open, err := s.Snapshot(t.Context())
			if err != nil || len(open.Statements) != len(want) {
				t.Errorf("%d in the snapshot, want %d: %v", len(open.Statements), len(want), err)
			}
		}
		stand(second.ID, third.ID)
		was, err := s.Statement(t.Context(), first.ID)
		if err != nil || was.State != statement.Replaced || was.EndReason != "statement:"+second.ID || was.Step != "II" {
			t.Errorf("%+v, %v", was, err)
		}
		late := talang
		late.StatedAt, late.ValidUntil = minute(-20), moment.Time{}
		said, err := late.Validate(volcanoes, s.now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Declare(t.Context(), said, anna); !errors.Is(err, statement.ErrInvalid) {
			t.Errorf("what was said before replaces what was said after: %v", err)
		}
		if _, err := s.Withdraw(t.Context(), second.ID, 9, "salah", budi); !conflicts[*StatementConflict](err) {
			t.Errorf("withdrawn too late: %v", err)
		}
		if _, err := s.Withdraw(t.Context(), first.ID, 2, "salah", budi); !conflicts[*StatementConflict](err) {
			t.Errorf("withdrawn though replaced: %v", err)
		}
		c.add(3 * time.Hour)
		for range 2 { // the second time nothing is left to do
			if _, err := s.ExpireStatements(t.Context(), c.now()); err != nil {
				t.Fatal(err)
			}
		}
		stand(third.ID)
		if got := told(t, s, "statement", second.ID, func(x statement.Statement) string { return string(x.State) }); fmt.Sprint(got) != "[in_force expired]" {
			t.Errorf("told is %v", got)
		}
		again := talang
		again.StatedAt, again.ValidUntil = moment.Time{}, moment.Time{}
		fourth := declare(t, s, again)
		if _, err := s.Withdraw(t.Context(), fourth.ID, 1, "salah gunung", budi); err != nil {
			t.Fatal(err)
		}
		stand(third.ID)
		if got := acts(t, s, "statement:"+fourth.ID); fmt.Sprint(got) != "[statement.declared statement.withdrawn]" {
			t.Errorf("audited is %v", got)
		}
		if n, err := s.DropStatements(t.Context(), c.now().Add(time.Hour)); err != nil || n != 3 {
			t.Errorf("%d are dropped: %v", n, err)
		}
	})
}

// levelled is a store whose status has the default rules.
func levelled(t *testing.T, s *Store) *Store {
	t.Helper()
	r, err := status.Compile(status.DefaultRules(), 4)
	if err != nil {
		t.Fatal(err)
	}
	s.status = StatusSettings{Rules: r, Levels: []status.Level{{Level: 1, Code: "normal"}, {Level: 2, Code: "waspada"}, {Level: 3, Code: "siaga"}, {Level: 4, Code: "awas"}}, Scales: volcanoes}
	return s
}

// following begins a new reader of the status and lets it take all that is there, as a server does that has taken the lease.
func following(t *testing.T, s *Store) *statusReader {
	t.Helper()
	m := &marking{Store: s, r: s.StatusReader()}
	if err := m.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := m.r.(*statusReader)
	catchUp(t, s, r, m.at)
	return r
}

func catchUp(t *testing.T, s *Store, r *statusReader, from int64) {
	t.Helper()
	for range 20 { // what it writes comes back to it
		list, ok, err := s.Since(t.Context(), from, 10_000)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if len(list) == 0 {
			return
		}
		if err := r.Take(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		from = list[len(list)-1].Offset
	}
	t.Fatal("it never comes to rest: it answers itself")
}

func anyone(*status.Status, int) error { return nil }

func TestTheStatusIsProposedConfirmedAndReverted(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		levelled(t, s)
		r := following(t, s)
		list, err := s.AreaStatus(t.Context())
		if err != nil || len(list) != len(status.Hazards()) || list[0].ID != status.House || list[0].Level != 1 || list[0].By != status.ByHouse {
			t.Fatalf("%+v, %v", list, err)
		}
		c.add(time.Minute)
		one, err := s.Create(t.Context(), incident.Draft{Type: "flood", Severity: cap.Extreme, Lng: &center.Lng, Lat: &center.Lat}, anna)
		if err != nil {
			t.Fatal(err)
		}
		catchUp(t, s, r, r.offset)
		flood, err := s.StatusOf(t.Context(), "flood")
		if err != nil || flood.Level != 1 || flood.Proposal == nil || flood.Proposal.Level != 2 || flood.Proposal.Evidence[0].Ref != one.ID || flood.Proposal.Evidence[0].Text != one.Number {
			t.Fatalf("%+v, %v", flood, err)
		}
		c.add(time.Minute)
		no := errors.New("no")
		if _, err := s.SetStatus(t.Context(), "flood", status.Setting{Level: 2, Version: 1}, anna, func(*status.Status, int) error { return no }); !errors.Is(err, no) {
			t.Errorf("it was not asked: %v", err)
		}
		if _, err := s.SetStatus(t.Context(), "flood", status.Setting{Level: 2, Version: 3}, anna, anyone); !conflicts[*StatusConflict](err) {
			t.Errorf("confirmed too late: %v", err)
		}
		if _, err := s.SetStatus(t.Context(), "dragon", status.Setting{Level: 2, Version: 1}, anna, anyone); !errors.Is(err, ErrNoStatus) {
			t.Errorf("of no hazard: %v", err)
		}
		flood, err = s.SetStatus(t.Context(), "flood", status.Setting{Level: 2, Note: "sesuai", Version: 1}, anna, anyone)
		if err != nil || flood.Level != 2 || flood.Proposal != nil || flood.By != anna.Subject || len(flood.Evidence) != 1 {
			t.Fatalf("%+v, %v", flood, err)
		}
		catchUp(t, s, r, r.offset)

		// It is lowered only once it has been lower for a while, and only by somebody.
		for _, act := range []incident.Act{{To: incident.Acknowledged, Version: 1}, {To: incident.Resolved, Version: 2}} {
			if _, err := s.Transition(t.Context(), one.ID, act, anna); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Transition(t.Context(), one.ID, incident.Act{To: incident.Closed, Override: "sudah surut", Version: 3}, budi); err != nil {
			t.Fatal(err)
		}
		catchUp(t, s, r, r.offset)
		for range 20 {
			c.add(time.Minute)
			if err := r.Tick(t.Context(), c.now()); err != nil {
				t.Fatal(err)
			}
		}
		catchUp(t, s, r, r.offset)
		flood, err = s.StatusOf(t.Context(), "flood")
		if err != nil || flood.Level != 2 || flood.Proposal == nil || flood.Proposal.Level != 1 {
			t.Fatalf("%+v, %v", flood, err)
		}
		flood, err = s.RevertStatus(t.Context(), "flood", 2, "salah", budi, anyone)
		if err != nil || flood.Level != 1 || flood.By != budi.Subject || flood.Note != "salah" {
			t.Fatalf("%+v, %v", flood, err)
		}
		if _, err := s.RevertStatus(t.Context(), "flood", 3, "lagi", budi, anyone); !conflicts[*StatusConflict](err) {
			t.Errorf("there is nothing before the beginning: %v", err)
		}
		catchUp(t, s, r, r.offset)
		want := "begun 1, proposed 1, confirmed 2, proposed 2, reverted 1"
		history, _, err := s.StatusHistory(t.Context(), "flood", 0, "")
		var got []string
		for _, e := range slices.Backward(history) {
			got = append(got, fmt.Sprintf("%s %d", e.Act, e.Status.Level))
		}
		if err != nil || strings.Join(got, ", ") != want {
			t.Errorf("the history is %v, want %s: %v", got, want, err)
		}
		if got := acts(t, s, "status:flood"); fmt.Sprint(got) != "[status.begun status.proposed status.confirmed status.proposed status.reverted]" {
			t.Errorf("audited is %v", got)
		}
		part, next, err := s.StatusHistory(t.Context(), "flood", 2, "")
		if err != nil || len(part) != 2 || next == "" {
			t.Fatalf("%d, next %q: %v", len(part), next, err)
		}
		if rest, next, err := s.StatusHistory(t.Context(), "flood", 10, next); err != nil || len(rest) != 3 || next != "" || rest[0].Seq != 3 {
			t.Errorf("%+v, next %q: %v", rest, next, err)
		}
	})
}

// TestAKilledReaderOfTheStatusRepeatsNothing begins a new reader after every change, as after a kill: what it finds is what is written.
func TestAKilledReaderOfTheStatusRepeatsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		levelled(t, s)
		r := following(t, s)
		for i := range 4 {
			c.add(time.Minute)
			if _, err := s.Create(t.Context(), incident.Draft{Type: "flood", Severity: cap.Extreme, Lng: &center.Lng, Lat: &center.Lat}, anna); err != nil {
				t.Fatal(err)
			}
			if i == 1 { // before it has read that
				r = following(t, s)
			}
			catchUp(t, s, r, r.offset)
			offset, err := s.offset(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r = following(t, s)
			if now, err := s.offset(t.Context()); err != nil || now != offset {
				t.Errorf("a reader that begins anew writes: %d after %d, %v", now, offset, err)
			}
		}
		if got := acts(t, s, "status:flood"); fmt.Sprint(got) != "[status.begun status.proposed status.changed status.proposed status.changed]" {
			t.Errorf("audited is %v", got)
		}
	})
}

func TestAnOfficerIsFasterThanTheReader(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		levelled(t, s)
		r := following(t, s)
		c.add(time.Minute)
		if _, err := s.Create(t.Context(), incident.Draft{Type: "flood", Severity: cap.Extreme, Lng: &center.Lng, Lat: &center.Lat}, anna); err != nil {
			t.Fatal(err)
		}
		list, _, err := s.Since(t.Context(), r.offset, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetStatus(t.Context(), "flood", status.Setting{Level: 3, Note: "saya melihatnya", Version: 1}, anna, anyone); err != nil {
			t.Fatal(err)
		}
		if err := r.Take(t.Context(), list); err != nil { // its step rests on what was before
			t.Fatal(err)
		}
		catchUp(t, s, r, r.offset)
		flood, err := s.StatusOf(t.Context(), "flood")
		if err != nil || flood.Level != 3 || flood.By != anna.Subject || flood.Proposal == nil || flood.Proposal.Level != 2 || flood.Version != 2 {
			t.Fatalf("%+v, %v", flood, err)
		}
	})
}

// TestTheReaderOfTheStatusRuns is the frame's own way: Read, until its context ends.
func TestTheReaderOfTheStatusRuns(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		levelled(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Read(ctx, s.StatusReader()) }()
		declare(t, s, statement.Draft{Scale: "pvmbg", Subject: "talang", Step: "III", Source: "PVMBG"})
		deadline := time.Now().Add(20 * time.Second)
		for {
			one, err := s.StatusOf(t.Context(), "volcano")
			if err == nil && one.Proposal != nil && one.Proposal.Level == 3 && len(one.Scales) == 1 && one.Scales[0].Step == "III" {
				break
			}
			if err != nil && !errors.Is(err, ErrNoStatus) || time.Now().After(deadline) {
				t.Fatalf("%+v, %v", one, err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// twoDistricts are west and east of 100.6, each 0.2 degrees wide, and a neighbour beside them.
func twoDistricts(t *testing.T) *area.Set {
	t.Helper()
	square := func(west float64) geo.Shape {
		return geo.Shape{Polygons: []geo.Polygon{{Rings: [][]geo.Position{{{Lat: -1, Lng: west}, {Lat: -1, Lng: west + 0.2}, {Lat: -0.8, Lng: west + 0.2}, {Lat: -0.8, Lng: west}, {Lat: -1, Lng: west}}}}}}
	}
	set, err := area.New([]area.Area{{Code: "b", Name: "Kubung", Shape: square(100.4)}, {Code: "t", Name: "Surian", Shape: square(100.6)}, {Code: "k", Name: "Kota", Kind: area.Neighbour, Shape: square(100.8)}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestCovered(t *testing.T) {
	everywhere := newDistricts(alerts.Place{})
	if got := everywhere.Covered(&alerts.Alert{}); len(got) != 1 || !everywhere.District("Mana Saja") || everywhere.District("") {
		t.Errorf("without areas an alert covers %v", got)
	}
	d := newDistricts(alerts.Place{Areas: twoDistricts(t)})
	of := func(s geo.Shape, words string) *alerts.Alert {
		return &alerts.Alert{Headline: words, Area: alerts.Feature{Geometry: s}}
	}
	for _, c := range []struct {
		name  string
		alert *alerts.Alert
		want  string
	}{
		{"over the border", of(geo.Circle(geo.Position{Lat: -0.9, Lng: 100.6}, 6000), ""), "[Kubung Surian]"},
		{"of a hundred metres", of(geo.Circle(geo.Position{Lat: -0.91, Lng: 100.47}, 100), ""), "[Kubung]"},
		{"at the neighbour's", of(geo.Circle(geo.Position{Lat: -0.9, Lng: 100.9}, 2000), ""), "[]"},
		{"a point", of(geo.Shape{Points: []geo.Position{{Lat: -0.9, Lng: 100.7}}}, ""), "[Surian]"},
		{"all of it", of(geo.Circle(geo.Position{Lat: -0.9, Lng: 100.6}, 90_000), ""), "[Kubung Surian]"},
		{"by words", of(geo.Shape{}, "Hujan lebat di Surian dan Kota"), "[Surian]"},
		{"by words that an area overrules", of(geo.Circle(geo.Position{Lat: -0.9, Lng: 100.9}, 2000), "Hujan lebat di Surian"), "[]"},
	} {
		if got := fmt.Sprint(d.Covered(c.alert)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if d.District("Kota") || !d.District("Kubung") {
		t.Error("a neighbour is no kecamatan of ours")
	}
}
