package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
)

// Opening an incident and sending a unit are done once under a key as well, and each person has keys of their own.
func TestWhatIsOpenedAndSentUnderAKeyIsThereOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		lng, lat := 100.6, -0.8
		open := func(who audit.Actor, key, note string) (incident.Incident, error) {
			return s.CreateOnce(t.Context(), key, incident.Draft{Type: "flood", Lng: &lng, Lat: &lat, Note: note}, who)
		}
		in, err := open(anna, "k-1", "naik")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := open(anna, "k-1", "naik"); err != nil || again.ID != in.ID || again.Number != in.Number {
			t.Errorf("again: %s %v, want %s", again.Number, err, in.Number)
		}
		if _, err := open(anna, "k-1", "surut"); !errors.Is(err, ErrKeyReused) {
			t.Errorf("other words: %v", err)
		}
		other, err := open(budi, "k-1", "naik")
		if err != nil || other.ID == in.ID || other.Number == in.Number {
			t.Errorf("another person: %s after %s, %v", other.Number, in.Number, err)
		}
		one, err := unit.Draft{Agency: "damkar", CallSign: "d-1"}.Unit(nil, noon)
		two, err2 := unit.Draft{Agency: "damkar", CallSign: "d-2"}.Unit(nil, noon)
		if _, err3 := s.ImportUnits(t.Context(), []unit.Unit{one, two}, anna); errors.Join(err, err2, err3) != nil {
			t.Fatal(err, err2, err3)
		}
		send := func(who audit.Actor, id string) (dispatch.Dispatch, error) {
			return s.Send(t.Context(), Order{Incident: in.ID, Unit: id, Key: "k-2"}, who, func(*incident.Incident, *unit.Unit) error { return nil })
		}
		first, err := send(anna, "damkar/d-1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Move(t.Context(), first.ID, dispatch.Act{To: dispatch.Accepted}, "", budi, anyMove); err != nil {
			t.Fatal(err)
		}
		if again, err := send(anna, "damkar/d-1"); err != nil || again.ID != first.ID || again.Status != dispatch.Offered {
			t.Errorf("again: %+v %v", again, err)
		}
		if _, err := send(anna, "damkar/d-2"); !errors.Is(err, ErrKeyReused) {
			t.Errorf("another unit: %v", err)
		}
		do := func(who audit.Actor, version int, note string) error {
			_, err := s.TransitionOnce(t.Context(), other.ID, "k-3", incident.Act{To: incident.Acknowledged, Version: version, Note: note}, who, func(*incident.Incident) error { return nil })
			return err
		}
		before, err := s.Incident(t.Context(), other.ID)
		if err := errors.Join(err, do(anna, before.Version, "ya"), do(anna, before.Version+1, "ya")); err != nil {
			t.Errorf("the same words: %v", err)
		}
		if err := do(anna, before.Version, "tidak"); !errors.Is(err, ErrKeyReused) {
			t.Errorf("other words: %v", err)
		}
		if err := do(budi, before.Version, "ya"); !errors.Is(err, ErrKeyReused) || strings.Contains(err.Error(), anna.Subject) {
			t.Errorf("another person is told %v", err)
		}
		if now, err := s.Incident(t.Context(), in.ID); err != nil || len(now.Dispatches) != 1 {
			t.Errorf("%v %v", now.Dispatches, err)
		}
		c.add(8 * 24 * time.Hour)
		var late *UnitConflict
		if _, err := send(anna, "damkar/d-1"); !errors.As(err, &late) {
			t.Errorf("after a week: %v", err)
		}
	})
}

// What an incident remembers of its keys is bounded: an act that has grown old is known to be done, and answered with what stands.
func TestAnswersUnderKeysAreBounded(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		in := flooded(t, s)
		said := strings.Repeat("air ", 2000)
		rest := func(i int) (incident.Incident, error) {
			return s.EditOnce(t.Context(), in.ID, fmt.Sprint("k-", i), i, "incident.checked", "", anna, func(*incident.Incident) error { return nil }, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
				out := in.Clone()
				out.Title, out.Version = fmt.Sprint(i, said), out.Version+1
				return out, nil
			})
		}
		var last incident.Incident
		for i := range 80 {
			var err error
			if last, err = rest(i); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := s.rdb.HGet(t.Context(), s.keys.Incident(in.ID), onceField).Result()
		if err != nil || len(kept) > mostOnceBytes+mostOnce*200 {
			t.Errorf("%d bytes are kept, %v", len(kept), err)
		}
		if again, err := rest(79); err != nil || again.Title != last.Title || again.Version != last.Version {
			t.Errorf("the last: %v", err)
		}
		if again, err := rest(76); err != nil || again.Version != last.Version-3 {
			t.Errorf("one that is kept whole: version %d, %v", again.Version, err)
		}
		if again, err := rest(20); err != nil || again.Version != last.Version {
			t.Errorf("one that is known: version %d, %v", again.Version, err)
		}
	})
}
