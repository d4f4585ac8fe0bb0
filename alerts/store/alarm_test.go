package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
)

var defined = alarm.Options{Language: "en", Define: func(string) alarm.Definition {
	return alarm.Definition{Type: "flood", Response: "look at the gauge", ActWithin: 20 * time.Minute}
}}

func governor(s *Store) *governing {
	return s.AlarmReader(Governing{Options: defined, Desks: func(context.Context) ([]string, error) { return []string{"desk-1", "desk-2"}, nil }}).(*governing)
}

// follow lets a new governor, as after a kill, deal with everything that there is, and the clock.
func (s *Store) follow(t *testing.T, g *governing) *governing {
	t.Helper()
	if g == nil {
		g = governor(s)
		if err := (&marking{Store: s, r: g}).begin(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for {
		at, err := s.ReaderAt(t.Context(), "alarm")
		if err != nil {
			t.Fatal(err)
		}
		list, ok, err := s.Since(t.Context(), at, 10_000)
		if err != nil || !ok {
			t.Fatalf("since %d: %t, %v", at, ok, err)
		}
		if len(list) == 0 {
			break
		}
		if err := g.Take(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		m := &marking{Store: s, r: g, at: list[len(list)-1].Offset}
		if err := m.mark(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Tick(t.Context(), s.now()); err != nil {
		t.Fatal(err)
	}
	return g
}

func (s *Store) mustAlarms(t *testing.T, q AlarmQuery, want int) []alarm.Alarm {
	t.Helper()
	list, _, err := s.Alarms(t.Context(), q)
	if err != nil || len(list) != want {
		t.Fatalf("%d alarms, %v; want %d: %+v", len(list), err, want, list)
	}
	return list
}

func anybody(*alarm.Alarm) error { return nil }

// plain is a rule that opens no incident, so that each alert speaks for itself.
func plain(s cap.Severity, thing string, at time.Time) Firing {
	f := firing(thing, center, at)
	r := flood
	r.ID, r.Incident, r.Alert.Severity = "plain-"+strings.ToLower(string(s)), nil, s
	f.Rule = &r
	return f
}

func TestAlertBecomesAlarm(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		g := s.follow(t, nil)
		a := s.mustAlarms(t, AlarmQuery{Query: Query{Status: "raised"}}, 1)[0]
		if a.Priority != alarm.P2 || !a.Presented || !a.Sound || a.Desk != "desk-1" || a.Source != "rule:muka-air/awlr:1" || a.Thing != "awlr:1" || a.Type != "flood" || a.Incident == "" ||
			a.Response == "" || !a.ActBy.Equal(noon.Add(20*time.Minute)) || a.Version != 1 || a.Location == nil || a.Cell == 0 {
			t.Errorf("%+v", a)
		}
		open, err := s.Snapshot(t.Context())
		if err != nil || len(open.Alarms) != 1 || open.Alarms[0].ID != a.ID {
			t.Errorf("a screen starts with %+v, %v", open.Alarms, err)
		}
		c.add(3 * time.Second)
		acked, err := s.AcknowledgeAlarm(t.Context(), a.ID, alarm.Ack{By: anna.Subject, Desk: "desk-1", Note: "seen"}, 1, anna, anybody)
		if err != nil || acked.State != alarm.Acknowledged || acked.Version != 2 || !acked.Ack.At.Equal(c.now()) {
			t.Fatalf("%+v, %v", acked, err)
		}
		if in := s.mustIncidents(t, Query{}, 1)[0]; in.Status != incident.New {
			t.Errorf("to acknowledge an alarm made its incident %s", in.Status)
		}
		var conflict *AlarmConflict
		if _, err := s.AcknowledgeAlarm(t.Context(), a.ID, alarm.Ack{By: "user:budi"}, 1, budi, anybody); !errors.As(err, &conflict) || conflict.Current.Version != 2 || !errors.Is(err, alarm.ErrStale) {
			t.Errorf("a stale version: %v", err)
		}
		s.follow(t, g)
		log, _, err := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "")
		if err != nil || log[0].Action != "alarm.acknowledged" || log[0].Object != "alarm:"+a.ID {
			t.Errorf("audit: %+v, %v", log, err)
		}
		f, ok, err := s.AlarmHealth(t.Context())
		if err != nil || !ok || f.House.Presented24h != 1 || len(f.Desks) != 2 || f.Desks[0].Mix[alarm.P2] != 1 || f.House.AckP50Ms == nil && f.House.Open[alarm.P2] != 1 {
			t.Errorf("figures %+v, %t, %v", f, ok, err)
		}
		off := firing("awlr:1", center, noon.Add(time.Minute))
		off.Fire = false
		if err := s.Clear(t.Context(), off); err != nil {
			t.Fatal(err)
		}
		s.follow(t, g)
		if a := s.mustAlarms(t, AlarmQuery{Query: Query{Status: "cleared"}}, 1)[0]; a.Presented || a.Latched || a.Active || a.Ack == nil {
			t.Errorf("cleared: %+v", a)
		}
		if open, _ := s.Snapshot(t.Context()); len(open.Alarms) != 0 {
			t.Errorf("%d alarms stand", len(open.Alarms))
		}
	})
}

func TestPeopleAndTheGovernorActAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		f := plain(cap.Severe, "awlr:1", noon)
		if err := s.Fire(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		g := s.follow(t, nil)
		a := s.mustAlarms(t, AlarmQuery{}, 1)[0]
		// Somebody shelves it while the governor has not heard that it has cleared: both happen, and the shelf is empty again.
		until := moment.Of(noon.Add(time.Hour))
		if _, err := s.ShelveAlarm(t.Context(), a.ID, alarm.Shelf{Until: until, By: anna.Subject, Desk: "desk-1", Reason: "works"}, 0, 1, false, alarm.DefaultConfig(), anna, anybody); err != nil {
			t.Fatal(err)
		}
		if n, _, _ := s.shelvedBy(t.Context(), "desk-1"); n != 1 {
			t.Errorf("%d on the shelf", n)
		}
		f.Fire, f.At = false, noon.Add(time.Second)
		if err := s.Clear(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		list, _, err := s.Since(t.Context(), 2, 100) // the alert's end alone: the word of the shelf comes too late
		if err != nil || list[len(list)-1].Type != "alert" {
			t.Fatal(list, err)
		}
		if err := g.Take(t.Context(), list[len(list)-1:]); err != nil {
			t.Fatal(err)
		}
		if b := s.mustAlarms(t, AlarmQuery{}, 1)[0]; b.State != alarm.Cleared || b.Shelf != nil || b.Version < 3 {
			t.Errorf("%+v", b)
		}
		if n, _, _ := s.shelvedBy(t.Context(), "desk-1"); n != 0 {
			t.Errorf("%d on the shelf of an alarm that is over", n)
		}
		// Shelved by one, it returns when the time is over, and its desk may shelve no more than it may.
		for i := range 11 {
			if err := s.Fire(t.Context(), plain(cap.Moderate, fmt.Sprint("awlr:x", i), noon.Add(time.Minute))); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok, _ := s.Since(t.Context(), 0, 1000); !ok {
			t.Fatal("the stream is cut")
		}
		g = s.follow(t, nil)
		raised := s.mustAlarms(t, AlarmQuery{Query: Query{Status: "raised", Type: "flood"}, Code: ""}, 11+len(s.heads(t)))
		n := 0
		for _, a := range raised {
			if a.Code != "" {
				continue
			}
			_, err := s.ShelveAlarm(t.Context(), a.ID, alarm.Shelf{By: anna.Subject, Desk: "desk-1", Reason: "works"}, time.Hour, 0, false, alarm.DefaultConfig(), anna, anybody)
			if n++; n <= 10 && err != nil || n == 11 && !errors.Is(err, alarm.ErrShelves) {
				t.Errorf("the %d. on the shelf: %v", n, err)
			}
		}
		s.follow(t, g)
		c.add(time.Hour + time.Minute)
		s.follow(t, g)
		if list := s.mustAlarms(t, AlarmQuery{Query: Query{Status: "shelved"}}, 0); len(list) != 0 {
			t.Error(list)
		}
		if n, _, _ := s.shelvedBy(t.Context(), "desk-1"); n != 0 {
			t.Errorf("%d on the shelf after its time", n)
		}
		log, _, _ := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 1000, "")
		ended := 0
		for _, r := range log {
			if r.Action == "alarm.shelf_ended" {
				ended++
			}
		}
		if ended != 10 {
			t.Errorf("the log knows of %d shelves that ended", ended)
		}
	})
}

func (s *Store) heads(t *testing.T) []alarm.Alarm {
	t.Helper()
	list, _, err := s.Alarms(t.Context(), AlarmQuery{Code: alarm.CodeGroup, Query: Query{Type: "flood", Status: "raised"}})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// What nobody is shown does not travel, is counted, and is found.
func TestWithheldAlarmsStayEvidence(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		g := s.follow(t, nil)
		for i := range 60 {
			if err := s.Fire(t.Context(), plain(cap.Moderate, fmt.Sprint("awlr:", i), noon.Add(time.Duration(i)*time.Second))); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Fire(t.Context(), plain(cap.Extreme, "awlr:worst", noon)); err != nil {
			t.Fatal(err)
		}
		s.follow(t, g)
		c.add(time.Second)
		s.follow(t, g)
		open, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows, p1 := 0, 0
		for _, a := range open.Alarms {
			if a.Presented {
				rows++
			}
			if a.Priority == alarm.P1 && a.Presented && a.Sound && a.Desk == "" {
				p1++
			}
		}
		if p1 != 1 || rows > 1+2*6 {
			t.Errorf("%d rows, %d of them P1: %+v", rows, p1, open.Alarms)
		}
		no := false
		withheld := s.mustAlarms(t, AlarmQuery{Query: Query{Status: "open"}, Presented: &no}, 60-len(open.Alarms)+len(s.ours(open.Alarms))+1)
		for _, a := range withheld {
			if a.Withheld == "" {
				t.Errorf("nobody says why %+v is not presented", a)
			}
		}
		if rest, ok, err := s.Since(t.Context(), 0, 10_000); err != nil || !ok || len(rest) > 61+4*rows {
			t.Errorf("%d changes travelled, %v", len(rest), err)
		}
		first, next, err := s.Alarms(t.Context(), AlarmQuery{Query: Query{Limit: 7, Text: "muka air"}})
		if err != nil || len(first) != 7 || next == "" {
			t.Fatalf("%d, %q, %v", len(first), next, err)
		}
		more, _, err := s.Alarms(t.Context(), AlarmQuery{Query: Query{Limit: 1000, Text: "muka air", Page: next}})
		if err != nil || len(more) < 54 {
			t.Errorf("%d more, %v", len(more), err)
		}
	})
}

// ours are the house's own alarms among some.
func (s *Store) ours(list []alarm.Alarm) (out []alarm.Alarm) {
	for _, a := range list {
		if a.Code != "" {
			out = append(out, a)
		}
	}
	return out
}

// A governor that is killed between any two steps, and begins again, has every alarm once.
func TestGovernorKilledAnywhere(t *testing.T) {
	server := redistest.Private(t)
	s, c := newStore(t, server.Client(t))
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 1))
	fired, g := 0, s.follow(t, nil)
	for round := range 15 {
		for range 1 + rnd.IntN(30) {
			sev := cap.Moderate
			if rnd.IntN(8) == 0 {
				sev = cap.Extreme
			}
			if err := s.Fire(t.Context(), plain(sev, fmt.Sprint("awlr:", fired), c.now())); err != nil {
				t.Fatal(err)
			}
			fired++
		}
		switch round % 3 {
		case 0: // killed after some of its steps
			at, _ := s.ReaderAt(t.Context(), "alarm")
			list, _, err := s.Since(t.Context(), at, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Take(t.Context(), list[:rnd.IntN(len(list)+1)]); err != nil {
				t.Fatal(err)
			}
			g = nil
		case 1: // the store is killed
			s.follow(t, g)
			server.Kill()
			server.Restart(t)
			g = nil
			deadline := time.Now().Add(20 * time.Second)
			for {
				if _, err := s.ReaderAt(t.Context(), "alarm"); err == nil {
					break
				} else if time.Now().After(deadline) {
					t.Fatal(err)
				}
			}
		}
		c.add(time.Second)
		g = s.follow(t, g)
		alarms, _, err := s.Alarms(t.Context(), AlarmQuery{Query: Query{Limit: 1000}})
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]int{}
		for _, a := range alarms {
			if a.Code == "" {
				by[a.Alert]++
				if a.Count != 1 {
					t.Errorf("%s was activated %d times", a.Source, a.Count)
				}
				if a.Priority == alarm.P1 && !a.Presented {
					t.Errorf("P1 %s is not presented", a.Source)
				}
			}
		}
		if len(by) != fired || len(alarms) == fired && fired > 30 {
			t.Fatalf("round %d: %d alarms of %d alerts, %d in all", round, len(by), fired, len(alarms))
		}
		for id, n := range by {
			if n != 1 {
				t.Errorf("alert %s has %d alarms", id, n)
			}
		}
	}
	begins := 0
	for _, a := range s.mustAll(t) {
		if a.Code == alarm.CodeFlood {
			begins++
		}
	}
	if begins != 1 {
		t.Errorf("the flood has %d alarms of its own", begins)
	}
}

func (s *Store) mustAll(t *testing.T) []alarm.Alarm {
	t.Helper()
	list, _, err := s.Alarms(t.Context(), AlarmQuery{Query: Query{Limit: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// What a person opens has an alarm only while it is new, and Extreme or not assessed.
func TestIncidentThatAPersonOpens(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		g := s.follow(t, nil)
		lat, lng := center.Lat, center.Lng
		for _, sev := range []cap.Severity{cap.Extreme, cap.Severe, cap.Unknown} {
			if _, err := s.Create(t.Context(), incident.Draft{Type: "flood", Title: string(sev), Severity: sev, Lat: &lat, Lng: &lng}, anna); err != nil {
				t.Fatal(err)
			}
		}
		s.follow(t, g)
		for _, a := range s.mustAlarms(t, AlarmQuery{Query: Query{Status: "raised"}}, 2) {
			want := map[cap.Severity]alarm.Priority{cap.Extreme: alarm.P1, cap.Unknown: alarm.P2}[a.Severity]
			if a.Priority != want || a.Source != "person" || a.Alert != "" {
				t.Errorf("%+v", a)
			}
			in, err := s.Incident(t.Context(), a.Incident)
			if err != nil {
				t.Fatal(err)
			}
			c.add(time.Second)
			if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Acknowledged, Version: in.Version}, budi); err != nil {
				t.Fatal(err)
			}
		}
		s.follow(t, g)
		for _, a := range s.mustAlarms(t, AlarmQuery{Query: Query{Status: "cleared"}}, 2) {
			if a.Ack == nil || a.Ack.By != budi.Subject || a.Latched {
				t.Errorf("%+v", a)
			}
		}
	})
}

func TestAlarmsAreDropped(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		g := s.follow(t, nil)
		for i := range 3 {
			if err := s.Fire(t.Context(), plain(cap.Severe, fmt.Sprint("awlr:", i), noon)); err != nil {
				t.Fatal(err)
			}
		}
		off := plain(cap.Severe, "awlr:1", noon.Add(time.Second))
		off.Fire = false
		if err := s.Clear(t.Context(), off); err != nil {
			t.Fatal(err)
		}
		s.follow(t, g)
		c.add(100 * 24 * time.Hour)
		if n, err := s.DropAlarms(t.Context(), c.now().Add(-24*time.Hour)); n != 1 || err != nil {
			t.Errorf("%d dropped, %v; want the one that is over", n, err)
		}
		if list := s.mustAll(t); len(s.ours(list)) != 0 || len(list) != 2 {
			t.Errorf("%+v", list)
		}
	})
}
