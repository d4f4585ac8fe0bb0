package store

import (
	"fmt"
	"testing"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/status"
	"kentongan/alerts/unit"
	"kentongan/feeds/cap"
)

func (s *Store) mustPropose(t *testing.T, level int, rules ...string) {
	t.Helper()
	one, err := s.StatusOf(t.Context(), status.House)
	if err != nil {
		t.Fatal(err)
	}
	switch p := one.Proposal; {
	case level == 1 && p != nil:
		t.Errorf("proposed is %d by %v, want none", p.Level, p.Rules)
	case level > 1 && (p == nil || p.Level != level || fmt.Sprint(p.Rules) != fmt.Sprint(rules) || p.Evidence[0].At.IsZero()):
		t.Errorf("proposed is %+v, want %d by %v", p, level, rules)
	}
}

// A reader that begins anew knows which units stand ready, and not only those that have moved since.
func TestTheStatusKnowsTheUnitsAfterARestart(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		levelled(t, s)
		rostered(t, s, "trc-1", "trc-2")
		for _, sign := range []string{"bpbd/trc-1", "bpbd/trc-2"} {
			u, err := s.Unit(t.Context(), sign)
			if err != nil {
				t.Fatal(err)
			}
			if u.Status != unit.Available {
				t.Fatalf("%s is %s", sign, u.Status)
			}
		}
		r := following(t, s)
		s.mustPropose(t, 1)
		off := func(sign string) {
			t.Helper()
			u, err := s.Unit(t.Context(), sign)
			if err != nil {
				t.Fatal(err)
			}
			c.add(time.Minute)
			to, reason := unit.OffDuty, "rusak"
			if _, err := s.EditUnit(t.Context(), sign, unit.Edit{Status: &to, Reason: reason, Version: u.Version}, nil, sender, func(*unit.Unit) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		off("bpbd/trc-1")
		catchUp(t, s, r, r.offset)
		s.mustPropose(t, 1)
		r = following(t, s) // the server was killed
		off("bpbd/trc-2")
		catchUp(t, s, r, r.offset)
		s.mustPropose(t, 2, "no-unit")
	})
}

// A flood of alarms is what the governor calls one, however few of them it presents; and a restart does not begin it anew.
func TestTheStatusKnowsTheFloodOfAlarms(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		levelled(t, s)
		g := s.follow(t, nil)
		r := following(t, s)
		for i := range 12 { // ten minutes and more of twelve each
			for k := range 12 {
				if err := s.Fire(t.Context(), plain(cap.Moderate, fmt.Sprintf("awlr:%d-%d", i, k), c.now())); err != nil {
					t.Fatal(err)
				}
			}
			g = s.follow(t, g)
			catchUp(t, s, r, r.offset)
			if i == 6 {
				s.mustPropose(t, 1)
				r = following(t, s)
			}
			c.add(3 * time.Minute)
			if err := r.Tick(t.Context(), c.now()); err != nil {
				t.Fatal(err)
			}
		}
		s.mustPropose(t, 3, "alarm-flood")
	})
}

// A change that this server cannot read, for a newer one wrote it, stops neither the alarms nor the status.
func TestWhatCannotBeReadIsPassedOver(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		levelled(t, s)
		g, r := s.follow(t, nil), following(t, s)
		st := s.newStep(c.now())
		for _, noun := range []string{"alert", "incident", "plan", "alarm", "statement", "unit"} {
			st.event(noun, "odd", []byte(`{"id":["odd"]}`))
		}
		if err := s.run(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		if err := s.Fire(t.Context(), plain(cap.Moderate, "awlr:1", c.now())); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(t.Context(), incident.Draft{Type: "flood", Severity: cap.Extreme, Lng: &center.Lng, Lat: &center.Lat}, anna); err != nil {
			t.Fatal(err)
		}
		s.follow(t, g)
		catchUp(t, s, r, r.offset)
		s.mustAlarms(t, AlarmQuery{Thing: "awlr:1"}, 1)
		s.mustPropose(t, 2, "one-extreme")
	})
}
