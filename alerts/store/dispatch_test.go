package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
)

var (
	sender  = audit.Actor{Subject: "user:d"}
	anyUnit = func(*incident.Incident, *unit.Unit) error { return nil }
	anyMove = func(*dispatch.Dispatch) error { return nil }
)

func rostered(t *testing.T, s *Store, signs ...string) {
	t.Helper()
	var roster []unit.Unit
	for _, sign := range signs {
		u, err := unit.Draft{Agency: "bpbd", CallSign: sign, Capabilities: []string{"trc"}}.Unit(nil, noon)
		if err != nil {
			t.Fatal(err)
		}
		roster = append(roster, u)
	}
	if n, err := s.ImportUnits(t.Context(), roster, sender); err != nil || n != len(signs) {
		t.Fatal(n, err)
	}
}

func flooded(t *testing.T, s *Store) incident.Incident {
	t.Helper()
	lng, lat := 100.63, -0.83
	in, err := s.Create(t.Context(), incident.Draft{Type: "flood", Lng: &lng, Lat: &lat}, sender)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func moves(t *testing.T, s *Store, id string, acts ...dispatch.Act) (d dispatch.Dispatch) {
	t.Helper()
	for _, a := range acts {
		var err error
		if d, err = s.Move(t.Context(), id, a, "", sender, anyMove); err != nil {
			t.Fatalf("%s: %v", a.To, err)
		}
	}
	return d
}

func stands(t *testing.T, s *Store, in string, status incident.Status, u string, does unit.Status) {
	t.Helper()
	one, err := s.Incident(t.Context(), in)
	if err != nil || one.Status != status {
		t.Errorf("incident: %v %s, want %s", err, one.Status, status)
	}
	has, err := s.Unit(t.Context(), u)
	if err != nil || has.Status != does {
		t.Errorf("unit: %v %s, want %s", err, has.Status, does)
	}
}

func TestADispatchMovesItsUnitAndIncident(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		rostered(t, s, "trc-1")
		in := flooded(t, s)
		d, err := s.Send(t.Context(), Order{Incident: in.ID, Unit: "bpbd/trc-1"}, sender, anyUnit)
		if err != nil {
			t.Fatal(err)
		}
		stands(t, s, in.ID, incident.Dispatched, "bpbd/trc-1", unit.Offered)
		moves(t, s, d.ID, dispatch.Act{To: dispatch.Accepted})
		stands(t, s, in.ID, incident.Dispatched, "bpbd/trc-1", unit.Offered)
		moves(t, s, d.ID, dispatch.Act{To: dispatch.EnRoute})
		stands(t, s, in.ID, incident.Dispatched, "bpbd/trc-1", unit.EnRoute)
		moves(t, s, d.ID, dispatch.Act{To: dispatch.OnScene})
		stands(t, s, in.ID, incident.OnScene, "bpbd/trc-1", unit.OnScene)
		one, _ := s.Incident(t.Context(), in.ID)
		if on, err := s.UnitsOn(t.Context(), &one); err != nil || len(on) != 1 {
			t.Errorf("%v, %d units on it, want 1", err, len(on))
		}
		moves(t, s, d.ID, dispatch.Act{To: dispatch.Done})
		stands(t, s, in.ID, incident.OnScene, "bpbd/trc-1", unit.Returning)
		if on, err := s.UnitsOn(t.Context(), &one); err != nil || len(on) != 0 {
			t.Errorf("%v, %d units on it, want none", err, len(on))
		}
		if one.Times.TEnroute.IsZero() || one.Times.TScene.IsZero() || !slices.Equal(one.Dispatches, []string{d.ID}) {
			t.Errorf("%+v %v", one.Times, one.Dispatches)
		}
	})
}

func TestOfTwoWhoSendOneUnitOneWins(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		rostered(t, s, "trc-1")
		var all sync.WaitGroup
		const n = 8
		errs := make([]error, n)
		for i := range n {
			in := flooded(t, s)
			all.Go(func() {
				_, errs[i] = s.Send(t.Context(), Order{Incident: in.ID, Unit: "bpbd/trc-1"}, audit.Actor{Subject: fmt.Sprintf("user:%d", i)}, anyUnit)
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			var lost *UnitConflict
			switch {
			case err == nil:
				won++
			case !errors.As(err, &lost):
				t.Errorf("lost by %v", err)
			case lost.By == nil || lost.By.Unit != "bpbd/trc-1":
				t.Errorf("it is not told who has it: %+v", lost)
			}
		}
		if open, err := s.openDispatches(t.Context()); won != 1 || err != nil || len(open) != 1 {
			t.Errorf("%d won, %d dispatches, %v", won, len(open), err)
		}
	})
}

func TestARetriedActIsDoneOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		rostered(t, s, "trc-1")
		in := flooded(t, s)
		d, err := s.Send(t.Context(), Order{Incident: in.ID, Unit: "bpbd/trc-1"}, sender, anyUnit)
		if err != nil {
			t.Fatal(err)
		}
		first, err := s.Move(t.Context(), d.ID, dispatch.Act{To: dispatch.Accepted}, "k", sender, anyMove)
		if err != nil {
			t.Fatal(err)
		}
		moves(t, s, d.ID, dispatch.Act{To: dispatch.EnRoute})
		again, err := s.Move(t.Context(), d.ID, dispatch.Act{To: dispatch.Accepted}, "k", sender, anyMove)
		if err != nil || !reflect.DeepEqual(again, first) {
			t.Errorf("%v: %+v, want %+v", err, again, first)
		}
		if _, err := s.Move(t.Context(), d.ID, dispatch.Act{To: dispatch.OnScene}, "k", sender, anyMove); !errors.Is(err, ErrKeyReused) {
			t.Errorf("the key serves another act: %v", err)
		}
		at := c.now()
		told := dispatch.Act{To: dispatch.OnScene, At: at, Note: "air 40 cm"}
		arrived, err := s.Move(t.Context(), d.ID, told, "k-2", sender, anyMove)
		if err != nil {
			t.Fatal(err)
		}
		told.At, told.Version = at.In(time.FixedZone("WIB", 7*3600)), arrived.Version
		if again, err := s.Move(t.Context(), d.ID, told, "k-2", sender, anyMove); err != nil || !reflect.DeepEqual(again, arrived) {
			t.Errorf("the same words, with the instant in another zone and the version of now: %v", err)
		}
		for name, other := range map[string]dispatch.Act{
			"a note": {To: dispatch.OnScene, At: at, Note: "air 80 cm"}, "a reason": {To: dispatch.OnScene, At: at, Note: told.Note, Reason: "x"},
			"a time":   {To: dispatch.OnScene, At: at.Add(time.Second), Note: told.Note},
			"a number": {To: dispatch.OnScene, At: at, Note: told.Note, External: []incident.ExternalRef{{Agency: "112", ID: "7"}}},
		} {
			if _, err := s.Move(t.Context(), d.ID, other, "k-2", sender, anyMove); !errors.Is(err, ErrKeyReused) {
				t.Errorf("the key serves the act with %s changed: %v", name, err)
			}
		}
		var late *DispatchConflict
		if _, err := s.Move(t.Context(), d.ID, dispatch.Act{To: dispatch.Accepted}, "", sender, anyMove); !errors.As(err, &late) || len(late.Allowed) != 2 {
			t.Errorf("%v %+v", err, late)
		}
	})
}

func TestAnOfferRunsOutAndTheNextIsProposed(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		rostered(t, s, "trc-1", "trc-2")
		in := flooded(t, s)
		r := s.DispatchReader(func(_ context.Context, _ *incident.Incident, without []string) (string, error) {
			if slices.Contains(without, "bpbd/trc-2") {
				return "", nil
			}
			return "bpbd/trc-2", nil
		}, nil)
		for i, want := range []dispatch.Next{{Unit: "bpbd/trc-2", To: "dispatcher"}, {To: "supervisor"}} {
			d, err := s.Send(t.Context(), Order{Incident: in.ID, Unit: fmt.Sprintf("bpbd/trc-%d", i+1)}, sender, anyUnit)
			if err != nil {
				t.Fatal(err)
			}
			early, due := d.Times.Offered.Add(119*time.Second), d.Times.Offered.Add(120*time.Second) // a flood is of class B
			if err := r.Tick(t.Context(), early); err != nil {
				t.Fatal(err)
			}
			if d, _ = s.Dispatch(t.Context(), d.ID); d.Status != dispatch.Offered {
				t.Fatalf("%s before its time", d.Status)
			}
			for range 2 { // twice: it runs out once
				if err := r.Tick(t.Context(), due); err != nil {
					t.Fatal(err)
				}
			}
			d, err = s.Dispatch(t.Context(), d.ID)
			if err != nil || d.Status != dispatch.Expired || d.Version != 2 || d.Next == nil || *d.Next != want {
				t.Errorf("%v %+v next %+v, want %+v", err, d, d.Next, want)
			}
			stands(t, s, in.ID, incident.Acknowledged, "bpbd/trc-1", unit.Available)
		}
	})
}

func TestTheUnitsOfWhatIsOverAreRecalled(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		rostered(t, s, "trc-1", "trc-2")
		in := flooded(t, s)
		for _, sign := range []string{"bpbd/trc-1", "bpbd/trc-2"} {
			d, err := s.Send(t.Context(), Order{Incident: in.ID, Unit: sign}, sender, anyUnit)
			if err != nil {
				t.Fatal(err)
			}
			if sign == "bpbd/trc-2" {
				moves(t, s, d.ID, dispatch.Act{To: dispatch.EnRoute})
			}
		}
		now, _ := s.Incident(t.Context(), in.ID)
		if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Cancelled, Version: now.Version}, sender); err != nil {
			t.Fatal(err)
		}
		over, _ := s.Incident(t.Context(), in.ID)
		doc, err := marshal(over)
		if err != nil {
			t.Fatal(err)
		}
		r := s.DispatchReader(nil, nil)
		for range 2 {
			if err := r.Take(t.Context(), []Change{{Offset: 1, Type: "incident", ID: in.ID, Doc: doc}}); err != nil {
				t.Fatal(err)
			}
		}
		stands(t, s, in.ID, incident.Cancelled, "bpbd/trc-1", unit.Available)
		stands(t, s, in.ID, incident.Cancelled, "bpbd/trc-2", unit.Returning)
		if open, err := s.openDispatches(t.Context()); err != nil || len(open) != 0 {
			t.Errorf("%v, %d dispatches are open", err, len(open))
		}
	})
}
