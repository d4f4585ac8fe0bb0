package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

var anyChange = func(*unit.Unit) error { return nil }

func acted(t *testing.T, s *Store, action string) (n int) {
	t.Helper()
	list, err := s.rdb.XRange(t.Context(), s.keys.Audit(), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if strings.Contains(m.Values["record"].(string), `"action":"`+action+`"`) {
			n++
		}
	}
	return n
}

// A call for help opens an incident that the unit's agency leads, or joins the one that it is on; called twice it is one call.
func TestACrewCallsForHelp(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		rostered(t, s, "trc-1", "trc-2")
		at := &geo.Position{Lat: -0.83, Lng: 100.63}
		var u unit.Unit
		for range 2 {
			var err error
			if u, err = s.CallForHelp(t.Context(), "bpbd/trc-1", Help{Last: at}, sender, anyChange); err != nil || u.Panic == nil || u.Panic.Incident == "" || u.Version != 2 {
				t.Fatal(err, u)
			}
		}
		in, err := s.Incident(t.Context(), u.Panic.Incident)
		if err != nil || in.LeadAgency != "bpbd" || in.Severity != cap.Extreme || in.Location == nil || in.Why.Unit != u.ID {
			t.Errorf("%v %+v", err, in)
		}
		if _, err := s.ClearCall(t.Context(), u.ID, "", sender, anyChange); !errors.Is(err, unit.ErrInvalid) {
			t.Errorf("cleared without a word: %v", err)
		}
		if u, err = s.ClearCall(t.Context(), u.ID, "semua selamat", sender, anyChange); err != nil || u.Panic != nil {
			t.Errorf("%v %+v", err, u)
		}
		var late *UnitConflict
		if _, err := s.ClearCall(t.Context(), u.ID, "lagi", sender, anyChange); !errors.As(err, &late) {
			t.Errorf("cleared again: %v", err)
		}
		call := func(key string) bool {
			t.Helper()
			one, err := s.CallForHelp(t.Context(), u.ID, Help{Key: key}, sender, anyChange)
			if err != nil {
				t.Fatal(err)
			}
			return one.Panic != nil
		}
		first := call("k-1")
		if _, err := s.ClearCall(t.Context(), u.ID, "semua selamat", sender, anyChange); err != nil || !first {
			t.Fatal(err, first)
		}
		if call("k-1") {
			t.Error("a call that was cleared is made again by its repetition")
		}
		if !call("k-2") {
			t.Error("the next call is not heard")
		}
		flood := flooded(t, s)
		if _, err := s.Send(t.Context(), Order{Incident: flood.ID, Unit: "bpbd/trc-2"}, sender, anyUnit); err != nil {
			t.Fatal(err)
		}
		if u, err = s.CallForHelp(t.Context(), "bpbd/trc-2", Help{Place: at}, sender, anyChange); err != nil || u.Panic.Incident != flood.ID || *u.Panic.Lat != at.Lat {
			t.Errorf("%v %+v", err, u.Panic)
		}
		flood, _ = s.Incident(t.Context(), flood.ID)
		if last := flood.Timeline[len(flood.Timeline)-1]; last.Act != "panic" || last.Note != u.ID {
			t.Errorf("%+v", last)
		}
		if n, m := acted(t, s, "unit.panic"), acted(t, s, "incident.opened"); n != 4 || m != 4 {
			t.Errorf("%d calls and %d incidents in the log", n, m)
		}
	})
}

// Who is silent on scene is asked for, until there is a word.
func TestARollCall(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		rostered(t, s, "trc-1")
		d, err := s.Send(t.Context(), Order{Incident: flooded(t, s).ID, Unit: "bpbd/trc-1"}, sender, anyUnit)
		if err != nil {
			t.Fatal(err)
		}
		moves(t, s, d.ID, dispatch.Act{To: dispatch.EnRoute}, dispatch.Act{To: dispatch.OnScene})
		var heard time.Time
		r := s.DispatchReader(nil, func(unit.Unit) time.Time { return heard })
		asked := func(want bool, when string) {
			t.Helper()
			for range 2 {
				if err := r.Tick(t.Context(), s.now()); err != nil {
					t.Fatal(err)
				}
			}
			u, err := s.Unit(t.Context(), "bpbd/trc-1")
			if err != nil || u.RollCallAt.IsZero() == want {
				t.Errorf("%s: %v, asked since %v", when, err, u.RollCallAt)
			}
		}
		asked(false, "on scene")
		c.add(unit.RollCall)
		asked(true, "silent")
		if _, err := s.AnswerRollCall(t.Context(), "bpbd/trc-1", sender, anyChange); err != nil {
			t.Fatal(err)
		}
		asked(false, "answered")
		c.add(unit.RollCall)
		asked(true, "silent again")
		heard = s.now()
		asked(false, "its tracker moves")
		c.add(unit.RollCall)
		asked(true, "its tracker is silent too")
		moves(t, s, d.ID, dispatch.Act{To: dispatch.Done})
		asked(false, "gone")
		if n := acted(t, s, "unit.rollcall"); n != 4 {
			t.Errorf("%d in the log", n)
		}
	})
}

// Nobody goes: every unit that was sent has declined, until another is sent.
func TestAnIncidentToWhichNobodyGoes(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		rostered(t, s, "trc-1", "trc-2")
		in := flooded(t, s)
		is := func(want bool, when string) {
			t.Helper()
			if now, err := s.Incident(t.Context(), in.ID); err != nil || now.Unanswered() != want {
				t.Errorf("%s: %v %+v", when, err, now.Timeline)
			}
		}
		is(false, "new")
		for _, sign := range []string{"bpbd/trc-1", "bpbd/trc-2"} {
			d, err := s.Send(t.Context(), Order{Incident: in.ID, Unit: sign}, sender, anyUnit)
			if err != nil {
				t.Fatal(err)
			}
			is(false, "sent")
			moves(t, s, d.ID, dispatch.Act{To: dispatch.Declined, Reason: "ban bocor"})
			is(true, "declined")
		}
		now, _ := s.Incident(t.Context(), in.ID)
		if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Cancelled, Version: now.Version, Reason: "false"}, sender); err != nil {
			t.Fatal(err)
		}
		is(false, "cancelled")
	})
}
