package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/alerts/ladder"
	"kentongan/feeds/cap"
)

// climbing is a new reader of the ladder, as after a kill.
func (s *Store) climbing(t *testing.T) *ladderReader {
	t.Helper()
	r := s.LadderReader(Climbing{ladder.DefaultConfig(), func(context.Context) ([]string, error) { return []string{"desk-1"}, nil }}).(*ladderReader)
	if err := r.Start(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// What the ladder notes is kept over restarts and over all that the governor writes; each rung is climbed once.
func TestAnUnseenAlarmClimbsOverRestartsAndIsSeen(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		if err := s.Fire(t.Context(), plain(cap.Extreme, "awlr:1", noon)); err != nil {
			t.Fatal(err)
		}
		g := s.follow(t, nil)
		a := s.mustAlarms(t, AlarmQuery{Query: Query{Status: "raised"}}, 1)[0]
		if a.Priority != alarm.P1 || !a.Presented || a.Seen != nil {
			t.Fatalf("%+v", a)
		}
		yes := func(*alarm.Alarm) bool { return true }
		if err := s.Paint(t.Context(), []string{a.ID}, "", anna, yes); !errors.Is(err, ladder.ErrNoDesk) {
			t.Errorf("painted at no desk: %v", err)
		}
		if err := s.Paint(t.Context(), []string{a.ID}, "desk-1", budi, func(*alarm.Alarm) bool { return false }); err != nil {
			t.Error(err)
		}
		for range 4 { // to desks, wall, duty, and a restart each time
			r := s.climbing(t)
			for range 2 {
				if err := r.Tick(t.Context(), c.now()); err != nil {
					t.Fatal(err)
				}
			}
			c.add(40 * time.Second)
		}
		a, err := s.Alarm(t.Context(), a.ID)
		if err != nil || len(a.Climbed) != 3 || a.Climbed[2].To != ladder.Duty || a.Climbed[0].Why != alarm.WhyUnpainted || a.Painted != nil || a.Version != 1 {
			t.Fatalf("%+v, %v", a, err)
		}
		if err := s.Paint(t.Context(), []string{"nosuch", a.ID}, "desk-1", budi, yes); err != nil {
			t.Error(err)
		}
		if _, err := s.AcknowledgeAlarm(t.Context(), a.ID, alarm.Ack{By: anna.Subject, Desk: "desk-1"}, 1, anna, anybody); err != nil {
			t.Fatal(err) // the version that was seen still stands
		}
		if err := s.climbing(t).Tick(t.Context(), c.now()); err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour)
		if err := s.climbing(t).Tick(t.Context(), c.now()); err != nil {
			t.Fatal(err)
		}
		off := plain(cap.Extreme, "awlr:1", c.now())
		off.Fire = false
		if err := s.Clear(t.Context(), off); err != nil {
			t.Fatal(err)
		}
		s.follow(t, g) // the governor, which knew nothing of all this, writes the alarm anew
		a, err = s.Alarm(t.Context(), a.ID)
		if err != nil || a.State != alarm.Cleared || a.Seen == nil || a.Seen.Desk != "desk-1" || a.Seen.By != anna.Subject || a.Painted == nil || a.Painted.By != budi.Subject || len(a.Climbed) != 3 {
			t.Errorf("%+v, %v", a, err)
		}
		acts := map[string]int{}
		log, _, err := s.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "")
		for _, l := range log {
			acts[l.Action]++
		}
		if err != nil || acts["alarm.climbed"] != 3 || acts["alarm.painted"] != 1 || acts["alarm.seen"] != 1 {
			t.Errorf("log: %v, %v", acts, err)
		}
	})
}
