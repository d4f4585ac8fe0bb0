package contract

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func came(at time.Time, cause string, passed bool) Held {
	h := Held{Feed: "awlr", At: moment.Of(at), FirstAt: moment.Of(at), Times: 1, Items: 3, Bytes: 100, State: StateHeld, Fingerprint: cause, Passed: passed}
	if !passed {
		h.Readings = 2
	}
	return h
}

func put(t *testing.T, s *Shelf, h Held, size int64, id string) Held {
	t.Helper()
	out, err := s.Put(h, size, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryWithheldDeliveryIsLaidDown(t *testing.T) {
	s := NewShelf(nil)
	for i := range 3 {
		put(t, s, came(noon.Add(time.Duration(i)*time.Second), "a", false), 50, "one")
	}
	h := s.Causes[0]
	if len(s.Causes) != 1 || len(s.Added) != 3 || s.Added[2].Number != 3 || h.Times != 3 || h.Deliveries != 3 || h.Items != 9 || h.Readings != 6 || h.Bytes != 300 || h.Size != 3*SizeOf(50) || !h.Whole {
		t.Errorf("%+v %+v", h, s.Added)
	}
	if !h.OldestAt.Equal(noon) || !h.At.Equal(noon.Add(2*time.Second)) {
		t.Errorf("from %v to %v", h.OldestAt, h.At)
	}
	put(t, s, came(noon, "note", true), 50, "two")
	put(t, s, came(noon, "note", true), 70, "two")
	if h := s.Causes[1]; h.Times != 2 || h.Deliveries != 1 || h.Size != SizeOf(70) || !s.Emptied["two"] || len(s.Added) != 4 {
		t.Errorf("a note keeps more than its sample: %+v %+v", h, s.Added)
	}
	seen := s.Causes[0]
	after, err := s.Take(seen, []Delivery{{Items: 3, Readings: 2, Bytes: 100, Size: SizeOf(50)}}, moment.Of(noon.Add(time.Second)))
	if err != nil || after.Deliveries != 2 || after.Taken != 1 || after.Readings != 4 || after.Size != 2*SizeOf(50) || !after.OldestAt.Equal(noon.Add(time.Second)) {
		t.Errorf("%+v %v", after, err)
	}
	if _, err := s.Take(seen, []Delivery{{}}, moment.Time{}); !errors.Is(err, ErrMore) {
		t.Errorf("taken twice: %v", err)
	}
	if _, err := s.Decide("one", StateAccepted, "ani", "", noon); !errors.Is(err, ErrMore) {
		t.Errorf("accepted with deliveries that nobody has taken: %v", err)
	}
}

// What is undecided never makes room; what is decided, or withholds nothing, does.
func TestUndecidedMakesNoRoom(t *testing.T) {
	s := NewShelf(nil)
	for i := range MostCauses {
		put(t, s, came(noon, fmt.Sprint(i), false), 50, fmt.Sprint("c", i))
	}
	if _, err := s.Put(came(noon, "more", false), 50, "more", 0); !errors.Is(err, ErrFull) || !errors.Is(err, feeds.ErrBusy) || len(s.Causes) != MostCauses || !s.Refused {
		t.Errorf("%v, %d causes", err, len(s.Causes))
	}
	if out, err := s.Put(came(noon, "note", true), 50, "note", 0); err != nil || out.ID != "" {
		t.Errorf("a note that finds no room holds a delivery up: %v", err)
	}
	if _, err := s.Decide("c7", StateKept, "ani", "", noon); err != nil {
		t.Fatal(err)
	}
	put(t, s, came(noon, "more", false), 50, "more")
	if s.find("c7") >= 0 || !s.Removed["c7"] || len(s.Causes) != MostCauses {
		t.Error("what was decided has not made room")
	}

	s = NewShelf(nil)
	for i := range MostSize / LargestBody {
		h, err := s.Put(came(noon, "a", false), LargestBody-deliveryCost, "one", i)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if i == 3 {
			if _, err := s.Decide(h.ID, StateKept, "ani", "", noon.Add(-25*time.Hour)); err != nil { // long ago: what comes is of a new cause
				t.Fatal(err)
			}
			s.Causes[0].ID, s.Causes[0].Fingerprint = "aside", "aside"
		}
	}
	if _, err := s.Put(came(noon, "a", false), LargestBody+1, "one", 0); !errors.Is(err, ErrLarge) {
		t.Errorf("too large: %v", err)
	}
	put(t, s, came(noon, "b", false), 50, "two")
	if h := s.Causes[s.find("aside")]; h.Deliveries != 0 || h.Dropped != 4 || !s.Emptied["aside"] {
		t.Errorf("what was set aside has not made room: %+v", h)
	}
	for s.Room().Size+SizeOf(1<<20) <= MostSize {
		put(t, s, came(noon, "b", false), 1<<20, "two")
	}
	if _, err := s.Put(came(noon, "b", false), 1<<20, "two", 0); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the bytes: %v", err)
	}
	for i := range s.Causes {
		if s.Causes[i].State == StateHeld && s.Causes[i].Dropped > 0 {
			t.Errorf("dropped before anybody has decided: %+v", s.Causes[i])
		}
	}

	s = NewShelf([]Held{{ID: "one", Fingerprint: "a", State: StateHeld, At: moment.Of(noon), Deliveries: MostDeliveries, Size: MostDeliveries}})
	if _, err := s.Put(came(noon, "a", false), 1, "", 0); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the deliveries: %v", err)
	}
}

func TestCausesExpireAndAreMourned(t *testing.T) {
	s := NewShelf(nil)
	put(t, s, came(noon, "a", false), 50, "one")
	put(t, s, came(noon, "note", true), 50, "two")
	put(t, s, came(noon.Add(time.Hour), "b", false), 50, "three")
	s.Forget(noon.Add(Lifetime))
	if len(s.Causes) != 1 || len(s.Expired) != 1 || s.Expired[0].ID != "one" || s.Expired[0].Deliveries != 1 || !s.Removed["two"] {
		t.Errorf("%+v %+v", s.Causes, s.Expired)
	}
	for _, a := range s.Added {
		if a.ID != "three" {
			t.Errorf("%+v is added and forgotten", a)
		}
	}
}

// Whatever happens on a shelf, a delivery of which something is withheld lies there, was accepted, or was set aside by somebody; and the bounds hold.
func TestNothingUndecidedIsEverDropped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now, n := NewShelf(nil), noon, 0
		laid, out := map[string]int64{}, map[string]int64{} // by cause
		sum := func(h Held) int64 { return h.Deliveries + h.Taken + h.Dropped }
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				n++
				now = now.Add(time.Minute)
				cause := fmt.Sprint(rapid.IntRange(0, 70).Draw(t, "cause"))
				size := rapid.SampledFrom([]int64{10, 1 << 20, LargestBody}).Draw(t, "size")
				h, err := s.Put(came(now, cause, strings.HasSuffix(cause, "7")), size, fmt.Sprint("id", n), n)
				if err == nil && h.ID != "" && !strings.HasSuffix(cause, "7") {
					laid[h.ID]++
				}
			},
			"keep": func(t *rapid.T) {
				if len(s.Causes) > 0 {
					_, _ = s.Decide(s.Causes[rapid.IntRange(0, len(s.Causes)-1).Draw(t, "which")].ID, StateKept, "ani", "", now)
				}
			},
			"accept": func(t *rapid.T) {
				if len(s.Causes) == 0 {
					return
				}
				h := s.Causes[rapid.IntRange(0, len(s.Causes)-1).Draw(t, "which")]
				if h.Deliveries > 0 {
					_, _ = s.Take(h, []Delivery{{Size: SizeOf(10)}}, moment.Time{})
				}
				_, _ = s.Decide(h.ID, StateAccepted, "ani", "", now)
			},
			"": func(t *rapid.T) {
				if r := s.Room(); r.Causes > MostCauses || r.Deliveries > MostDeliveries || r.Size > MostSize {
					t.Fatalf("%+v", r)
				}
				for id, n := range laid {
					i := s.find(id)
					if i < 0 {
						if out[id] == 0 {
							t.Fatalf("%s with %d deliveries is gone, and nobody had decided", id, n)
						}
						continue
					}
					h := s.Causes[i]
					if h.State != StateHeld {
						out[id]++
					}
					if sum(h) != n || h.State == StateHeld && h.Dropped > 0 {
						t.Fatalf("%d deliveries were laid down: %+v", n, h)
					}
				}
			},
		})
	})
}
