package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	center = geo.Position{Lat: -0.96, Lng: 100.75}
	anna   = audit.Actor{Subject: "user:anna", Agency: "bpbd"}
	budi   = audit.Actor{Subject: "user:budi", Agency: "bpbd"}
)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newStore(t testing.TB, rdb redis.UniversalClient) (*Store, *clock) {
	c := &clock{t: noon}
	s := New(rdb, redistest.Keys(t), Options{
		Place: alerts.Place{Center: center, Sender: "kentongan:test", Names: []string{"Solok"}}, Prefix: "SLK",
		Zone: time.FixedZone("WIB", 7*3600), Now: c.now,
		Consents: []Consent{
			{ID: "mmi", When: `quake.mmi_here >= 6`, Incident: rules.IncidentBlock{Type: "eq"}},
			{ID: "big", When: `quake.known && quake.magnitude >= 6.0 && quake.distance_km <= 150.0 && !quake.felt_known`, Incident: rules.IncidentBlock{Type: "eq"}},
			{ID: "gate", When: `alert.event == "Siaga I"`, Incident: rules.IncidentBlock{Type: "flood"}},
		},
	})
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s, c
}

// only is the store that each uses alone, where it is set (TestOnACluster).
var only redis.UniversalClient

// each runs a test on a real redis-server and on miniredis.
func each(t *testing.T, fn func(t *testing.T, s *Store, c *clock)) {
	if only != nil {
		s, c := newStore(t, only)
		fn(t, s, c)
		return
	}
	t.Run("redis-server", func(t *testing.T) {
		s, c := newStore(t, redistest.Start(t))
		fn(t, s, c)
	})
	t.Run("miniredis", func(t *testing.T) {
		m := miniredis.RunT(t)
		rdb := redis.NewClient(&redis.Options{Addr: m.Addr()})
		t.Cleanup(func() { _ = rdb.Close() })
		s, c := newStore(t, rdb)
		fn(t, s, c)
	})
}

var flood = rules.Rule{
	ID: "muka-air", When: `obs.property == "water_level" && obs.value >= 3.0`,
	Alert:    rules.AlertBlock{Event: "Muka air tinggi", Category: "Met", Severity: cap.Severe, Urgency: "Immediate", Certainty: "Observed"},
	Incident: &rules.IncidentBlock{Type: "flood", MergeRadiusM: 1500, MergeWindow: 30 * time.Minute},
}

func firing(thing string, p geo.Position, at time.Time) Firing {
	return Firing{
		Rule: &flood, Fire: true, At: at, Since: at,
		Thing:  &feeds.Thing{ID: thing, Feed: "awlr", Name: "Pos " + thing, Position: p, Placed: true},
		Inputs: []incident.Input{{Thing: thing, Property: "water_level", Value: 3.41, Unit: "m", At: moment.Of(at)}},
	}
}

func message(id string, change func(*cap.Message)) feeds.Alert {
	m := cap.Message{
		Identifier: id, Sender: "bpbd@example.org", Sent: moment.Of(noon.Add(-time.Minute)), Status: "Actual", MsgType: "Alert", Scope: "Public",
		Infos: []cap.Info{{
			Language: "id", Categories: []string{"Met"}, Event: "Banjir", Urgency: "Immediate", Severity: cap.Severe, Certainty: "Observed",
			Headline: "Banjir di hilir", Areas: []cap.Area{{Name: "Kubung", Shape: geo.Circle(center, 2000)}},
		}},
	}
	if change != nil {
		change(&m)
	}
	return feeds.Alert{Message: m}
}

func update(kind string, refs ...feeds.Alert) func(*cap.Message) {
	return func(m *cap.Message) {
		m.MsgType = kind
		m.Sent = moment.Of(noon)
		for _, r := range refs {
			m.References = append(m.References, r.Message.Reference())
		}
	}
}

func (s *Store) mustPut(t *testing.T, a feeds.Alert, feed, agency string, want Kind) Result {
	t.Helper()
	r, err := s.PutAgencyAlert(t.Context(), a, feeds.Meta{Feed: feed, Agency: agency, ReceivedAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != want {
		t.Fatalf("message %s by %s: %+v, want %s", a.Message.Identifier, feed, r, want)
	}
	return r
}

func (s *Store) mustAlert(t *testing.T, id string) alerts.Alert {
	t.Helper()
	list, err := s.alertsOf(t.Context(), []string{id})
	if err != nil || len(list) != 1 {
		t.Fatalf("alert %s: %d found, %v", id, len(list), err)
	}
	return list[0].doc
}

func (s *Store) mustIncidents(t *testing.T, q Query, want int) []incident.Incident {
	t.Helper()
	list, _, err := s.Incidents(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != want {
		t.Fatalf("%d incidents for %+v, want %d", len(list), q, want)
	}
	return list
}

func TestRuleOpensJoinsAndClears(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		near := geo.Position{Lat: center.Lat + 0.009, Lng: center.Lng} // 1 km
		far := geo.Position{Lat: center.Lat + 0.1, Lng: center.Lng}
		for _, f := range []Firing{firing("awlr:1", center, noon), firing("awlr:1", center, noon), firing("awlr:2", near, noon.Add(time.Minute)), firing("awlr:3", far, noon)} {
			if err := s.Fire(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		list := s.mustIncidents(t, Query{Status: "open"}, 2)
		first := list[slices.IndexFunc(list, func(in incident.Incident) bool { return strings.HasSuffix(in.Title, "awlr:1") })]
		if first.Number != "SLK-2026-000001" || len(first.Evidence) != 2 || first.Version != 1 || first.LeadAgency != "bpbd" || first.SLA.Class != "B" {
			t.Errorf("incident: %+v", first)
		}
		if !strings.HasPrefix(first.Title, "Muka air tinggi") || first.SLA.AckDue.Sub(first.Times.TSignal.Time) != 3*time.Minute {
			t.Errorf("title %q, due %s after %s", first.Title, first.SLA.AckDue, first.Times.TSignal)
		}
		firings, err := s.Firing(t.Context())
		if err != nil || len(firings["muka-air"]) != 3 {
			t.Fatalf("fires: %v, %v", firings, err)
		}
		off := firing("awlr:1", center, noon.Add(2*time.Minute))
		off.Fire = false
		if err := s.Clear(t.Context(), off); err != nil {
			t.Fatal(err)
		}
		if a := s.mustAlert(t, firings["muka-air"]["awlr:1"]); a.State != alerts.Resolved || a.Incident != first.ID {
			t.Errorf("alert after clear: %+v", a)
		}
		// A replay of the crossing after a crash changes nothing.
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		if again, _ := s.Firing(t.Context()); len(again["muka-air"]) != 2 {
			t.Errorf("a replayed crossing fires again: %v", again)
		}
	})
}

func TestStillFiringAfterCloseOpensNoOther(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		in := s.mustIncidents(t, Query{}, 1)[0]
		if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Cancelled, Reason: "false", Version: 1}, anna); err != nil {
			t.Fatal(err)
		}
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon.Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
		s.mustIncidents(t, Query{}, 1)
		if err := s.Clear(t.Context(), firing("awlr:1", center, noon.Add(2*time.Minute))); err != nil {
			t.Fatal(err)
		}
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon.Add(3*time.Minute))); err != nil {
			t.Fatal(err)
		}
		s.mustIncidents(t, Query{}, 2)
		s.mustIncidents(t, Query{Status: "open"}, 1)
	})
}

func TestUnplacedJoinsOnlyItself(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		lost := func(thing string, at time.Time) Firing {
			f := firing(thing, geo.Position{}, at)
			f.Thing.Placed = false
			return f
		}
		for _, f := range []Firing{firing("awlr:1", center, noon), lost("awlr:2", noon), lost("awlr:3", noon)} {
			if err := s.Fire(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		s.mustIncidents(t, Query{Status: "open"}, 3)
		if err := s.Clear(t.Context(), lost("awlr:2", noon.Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
		if err := s.Fire(t.Context(), lost("awlr:2", noon.Add(2*time.Minute))); err != nil {
			t.Fatal(err)
		}
		s.mustIncidents(t, Query{Status: "open"}, 3)
	})
}

func TestSimulatedNeverJoinsReal(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		sim := firing("sim:1", center, noon)
		sim.Thing.Simulated = true
		for _, f := range []Firing{firing("awlr:1", center, noon), sim} {
			if err := s.Fire(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		list := s.mustIncidents(t, Query{Status: "open"}, 2)
		if list[0].Simulated == list[1].Simulated {
			t.Error("one simulated and one real incident are wanted")
		}
		for _, in := range list {
			if want := map[bool]string{false: "SLK-2026-000001", true: "SIM-2026-000001"}[in.Simulated]; in.Number != want {
				t.Errorf("number %s, want %s: what is simulated leaves no gap in the real series", in.Number, want)
			}
		}
	})
}

func TestTransitions(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		lng, lat := center.Lng, center.Lat
		in, err := s.Create(t.Context(), incident.Draft{Type: "flood", Title: "Banjir Selayo", Lng: &lng, Lat: &lat, Note: "telepon"}, anna)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(t.Context(), incident.Draft{Type: "corruption_tip"}, anna); !errors.Is(err, incident.ErrInvalid) {
			t.Errorf("restricted type: %v", err)
		}
		version := 1
		do := func(who audit.Actor, act incident.Act) error {
			act.Version = version
			out, err := s.Transition(t.Context(), in.ID, act, who)
			if err == nil {
				version = out.Version
			}
			return err
		}
		var conflict *Conflict
		if err := do(anna, incident.Act{To: incident.Resolved, Outcome: "referred"}); !errors.As(err, &conflict) || !slices.Contains(conflict.Allowed, incident.Acknowledged) || conflict.Current.Version != 1 {
			t.Fatalf("resolve of a new one: %v", err)
		}
		for i, want := range []struct {
			who audit.Actor
			act incident.Act
			err error
		}{
			{anna, incident.Act{To: incident.Acknowledged}, nil},
			{anna, incident.Act{To: incident.Resolved, Outcome: "vanished"}, incident.ErrInvalid},
			{anna, incident.Act{To: incident.Resolved, Outcome: "advice_given"}, nil},
			{anna, incident.Act{To: incident.Closed}, incident.ErrSeparation},
			{budi, incident.Act{To: incident.Reopened}, nil},
			{anna, incident.Act{To: incident.Resolved, Outcome: "no_unit_needed"}, nil},
			{budi, incident.Act{To: incident.Closed}, incident.ErrUnproven},
			{budi, incident.Act{To: incident.Closed, Override: "dijawab lewat telepon"}, nil},
			{anna, incident.Act{To: incident.Reopened}, incident.ErrInvalid},
			{anna, incident.Act{To: incident.Reopened, Reason: "air naik lagi"}, nil},
			{anna, incident.Act{To: incident.Cancelled, Reason: "whim"}, incident.ErrInvalid},
			{anna, incident.Act{To: incident.Cancelled, Reason: "test"}, nil},
		} {
			c.add(time.Minute)
			if err := do(want.who, want.act); !errors.Is(err, want.err) {
				t.Fatalf("act %d %+v: %v, want %v", i, want.act, err, want.err)
			}
		}
		end, err := s.Incident(t.Context(), in.ID)
		if err != nil || end.Status != incident.Cancelled || end.Version != 8 || end.Reopened != 2 || len(end.Timeline) != 8 {
			t.Errorf("end: %+v, %v", end, err)
		}
		log, _, err := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "")
		if err != nil || len(log) != 8 || log[7].Seq != 1 || log[7].BeforeHash != "" || log[0].BeforeHash != log[1].AfterHash {
			t.Errorf("audit log: %+v, %v", log, err)
		}
		doc, err := s.rdb.HGet(t.Context(), s.keys.Incident(in.ID), "doc").Bytes()
		if want := audit.HashOf(doc, ""); err != nil || log[0].AfterHash != want {
			t.Errorf("the last record's hash is %s, the incident's %s, %v", log[0].AfterHash, want, err)
		}
		changes, ok, err := s.Since(t.Context(), 0, 100)
		if err != nil || !ok || len(changes) != 8 {
			t.Errorf("stream: %d changes, %t, %v", len(changes), ok, err)
		}
		if _, ok, _ := s.Since(t.Context(), 99, 100); ok {
			t.Error("an offset of the future was accepted")
		}
	})
}

func TestOneOfTwentyWins(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		in := s.mustIncidents(t, Query{}, 1)[0]
		var wg sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = s.Transition(t.Context(), in.ID, incident.Act{To: incident.Acknowledged, Version: 1}, audit.Actor{Subject: fmt.Sprintf("user:%d", i)})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			var conflict *Conflict
			switch {
			case err == nil:
				won++
			case !errors.As(err, &conflict) || conflict.Current.Status != incident.Acknowledged:
				t.Errorf("loser: %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d have won", won)
		}
	})
}

func TestNumbersAreGapless(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if _, err := s.Create(t.Context(), incident.Draft{Type: "waste", Title: fmt.Sprint(i)}, anna); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, in := range s.mustIncidents(t, Query{Limit: 100}, 20) {
			seen[in.Number] = true
		}
		for i := 1; i <= 20; i++ {
			if n := fmt.Sprintf("SLK-2026-%06d", i); !seen[n] {
				t.Errorf("%s is missing", n)
			}
		}
	})
}

func TestTwoServersFireOnce(t *testing.T) {
	rdb := redistest.Start(t)
	a, _ := newStore(t, rdb)
	b := New(rdb, a.keys, Options{Place: a.place, Prefix: "SLK", Now: a.now})
	var wg sync.WaitGroup
	for _, s := range []*Store{a, b} {
		for i := range 5 {
			wg.Go(func() {
				if err := s.Fire(t.Context(), firing(fmt.Sprintf("awlr:%d", i), center, noon)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if in := a.mustIncidents(t, Query{}, 1)[0]; len(in.Evidence) != 5 {
		t.Errorf("%d pieces of evidence, want 5", len(in.Evidence))
	}
}

func TestKillBetweenActs(t *testing.T) {
	server := redistest.Private(t)
	s, _ := newStore(t, server.Client(t))
	for i := range 5 {
		f := firing(fmt.Sprintf("awlr:%d", i), geo.Position{Lat: center.Lat + float64(i), Lng: center.Lng}, noon)
		if err := s.Fire(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		server.Kill()
		if err := s.Fire(t.Context(), f); !errors.Is(err, feeds.ErrBusy) {
			t.Fatalf("without a server: %v", err)
		}
		server.Restart(t)
		// The sender tries again until it is told: the client's pool may remember for a second that nobody answered.
		deadline, tick := time.After(20*time.Second), time.NewTicker(10*time.Millisecond)
		for err := s.Fire(t.Context(), f); err != nil; err = s.Fire(t.Context(), f) {
			select {
			case <-deadline:
				t.Fatal(err)
			case <-tick.C:
			}
		}
		tick.Stop()
	}
	s.mustIncidents(t, Query{}, 5)
	log, _, err := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "")
	if err != nil || len(log) != 10 || log[0].Seq != 10 {
		t.Errorf("audit: %d records, %v", len(log), err)
	}
	if changes, ok, err := s.Since(t.Context(), 0, 100); err != nil || !ok || len(changes) != 10 {
		t.Errorf("stream: %d, %t, %v", len(changes), ok, err)
	}
}

func TestLostAnswerIsNotAConflict(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		in, err := incident.Open(incident.Opening{ID: "01J", Type: "flood", Title: "x", At: noon})
		if err != nil {
			t.Fatal(err)
		}
		st := s.newStep(noon)
		if err := s.putIncident(st, "", &in); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second is what a client sends that has not heard the answer
			if err := s.run(context.Background(), st); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.offset(t.Context()); err != nil || n != 1 {
			t.Errorf("offset %d, %v", n, err)
		}
	})
}
