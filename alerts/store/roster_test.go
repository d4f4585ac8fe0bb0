package store

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/geo/redistest"
)

// crowd puts so many units into a store.
func crowd(t testing.TB, s *Store, n int) {
	t.Helper()
	roster := make([]unit.Unit, n)
	for i := range roster {
		var err error
		if roster[i], err = (unit.Draft{Agency: "bpbd", CallSign: fmt.Sprint("u-", i), Capabilities: []string{"trc"}, Crew: []string{"Anna", "Budi"},
			Post: &unit.Post{Name: "Pusdalops", Lng: 100.6, Lat: -0.9}}).Unit(nil, noon); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ImportUnits(t.Context(), roster, anna); err != nil {
		t.Fatal(err)
	}
}

// What another server changes of a unit is seen by the next question, and whatever a caller does to its list is its own.
func TestTheRosterIsAsItStands(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		crowd(t, s, 3)
		other := *s // another server over the same store
		other.roster = newRoster()
		same := func(what string) []unit.Unit {
			t.Helper()
			list, err := s.Units(t.Context())
			anew := *s
			anew.roster = newRoster()
			fresh, err2 := anew.Units(t.Context())
			if errors.Join(err, err2) != nil || !reflect.DeepEqual(list, fresh) {
				t.Errorf("%s: %+v, in the store %+v, %v", what, list, fresh, errors.Join(err, err2))
			}
			return list
		}
		list := same("at first")
		if len(list) != 3 {
			t.Fatalf("%d units", len(list))
		}
		list[0].Status, list[1].ID = unit.OffDuty, "mine"
		same("after a caller wrote into its list")
		in := flooded(t, s)
		d, err := other.Send(t.Context(), Order{Incident: in.ID, Unit: "bpbd/u-1"}, sender, func(*incident.Incident, *unit.Unit) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if list = same("after another server sent it"); list[1].Status != unit.Offered || list[1].Dispatch == nil || *list[1].Dispatch != d.ID {
			t.Errorf("%+v", list[1])
		}
		for _, to := range []dispatch.Status{dispatch.Accepted, dispatch.EnRoute} {
			if _, err := other.Move(t.Context(), d.ID, dispatch.Act{To: to}, "", sender, anyMove); err != nil {
				t.Fatal(err)
			}
		}
		if list = same("after it set out"); list[1].Status != unit.EnRoute || len(list[1].Recent) != 1 {
			t.Errorf("%+v", list[1])
		}
		crowd(t, &other, 4)
		if list = same("with a new unit"); len(list) != 4 {
			t.Errorf("%d units", len(list))
		}
		for range rosterChanges + 2 {
			c.add(time.Second)
			status := unit.OffDuty
			if list[0].Status == status {
				status = unit.Available
			}
			if list[0], err = other.EditUnit(t.Context(), "bpbd/u-0", unit.Edit{Status: &status, Reason: "x"}, nil, anna, func(*unit.Unit) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		same("after more changes than are looked at")
		if err := s.rdb.XTrimMaxLen(t.Context(), s.keys.Case(), 1).Err(); err != nil {
			t.Fatal(err)
		}
		same("with a stream that was cut")
		other.roster = newRoster()
		if err := s.rdb.Del(t.Context(), s.keys.Case()).Err(); err != nil {
			t.Fatal(err)
		}
		same("without a stream")
	})
}

// A failover may put another change where the last one stood that was read.
func TestTheRosterAfterAFailover(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		crowd(t, s, 2)
		if _, err := s.Units(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The new primary does not have the last change, and has others up to the same offset.
		last, err := s.rdb.XRevRangeN(t.Context(), s.keys.Case(), "+", "-", 1).Result()
		if err != nil {
			t.Fatal(err)
		}
		key := s.keys.Unit("bpbd/u-0")
		doc, err := s.rdb.HGet(t.Context(), key, "doc").Result()
		if err != nil {
			t.Fatal(err)
		}
		u, err := readUnit([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		u.Name = "lain"
		changed, err := marshal(unitDoc{1, u})
		if err != nil {
			t.Fatal(err)
		}
		offset, err := offsetOf(last[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		all, err := s.rdb.XRange(t.Context(), s.keys.Case(), "-", streamID(offset-1)).Result()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.rdb.Del(t.Context(), s.keys.Case()).Err(); err != nil {
			t.Fatal(err)
		}
		put := func(id string, values map[string]any) {
			if err := s.rdb.Do(t.Context(), "XADD", s.keys.Case(), id, "type", values["type"], "id", values["id"], "doc", values["doc"]).Err(); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range all {
			put(e.ID, e.Values)
		}
		put(last[0].ID, map[string]any{"type": "unit", "id": u.ID, "doc": string(changed)})
		if err := s.rdb.HSet(t.Context(), key, "doc", string(changed)).Err(); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Units(t.Context()); err != nil || list[0].Name != "lain" {
			t.Errorf("%+v %v", list[0], err)
		}
	})
}

// The roster of 2,000 as a recommendation asks for it, with another change of the cases in between.
func BenchmarkUnits2000(b *testing.B) {
	s, _ := newStore(b, redistest.Start(b))
	crowd(b, s, 2000)
	if _, err := s.Units(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if list, err := s.Units(b.Context()); err != nil || len(list) != 2000 {
			b.Fatal(len(list), err)
		}
	}
}
