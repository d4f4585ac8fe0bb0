package dispatch

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/geo/fault"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func offered(t *testing.T, class string) Dispatch {
	t.Helper()
	d, err := Offer("01J", &incident.Incident{ID: "i", SLA: incident.SLA{Class: class}}, &unit.Unit{ID: "bpbd/trc-1", Agency: "bpbd"}, "user:d", "", noon)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPatience(t *testing.T) {
	for class, want := range map[string]time.Duration{"A": time.Minute, "B": 2 * time.Minute, "C": 10 * time.Minute} {
		d := offered(t, class)
		if _, due := d.Expire(noon.Add(want - time.Millisecond)); due {
			t.Errorf("class %s: it runs out too early", class)
		}
		out, due := d.Expire(noon.Add(want))
		if !due || out.Status != Expired || out.Times.Expired.IsZero() {
			t.Errorf("class %s: %+v", class, out)
		}
		if _, again := out.Expire(noon.Add(time.Hour)); again {
			t.Errorf("class %s: it runs out twice", class)
		}
	}
}

// Every pair of statuses, held against domain.md section 5.
func TestTransitions(t *testing.T) {
	allowed := map[Status][]Status{Offered: {Accepted, Declined, EnRoute, Cancelled}, Accepted: {EnRoute, Declined, Cancelled}, EnRoute: {OnScene, Cancelled}, OnScene: {Done, Cancelled}}
	every := []Status{Offered, Accepted, Declined, Expired, EnRoute, OnScene, Done, Cancelled}
	for _, from := range every {
		for _, to := range every {
			d := offered(t, "A")
			d.Status = from
			out, err := d.Apply(Act{To: to, Reason: "r"}, noon.Add(time.Second))
			if want := slices.Contains(allowed[from], to); want != (err == nil) {
				t.Errorf("%s to %s: %v", from, to, err)
			} else if !want && !errors.Is(err, ErrNotAllowed) {
				t.Errorf("%s to %s: %v, want ErrNotAllowed", from, to, err)
			} else if want && (out.Status != to || out.Version != 2 || !out.Since().Equal(noon.Add(time.Second))) {
				t.Errorf("%s to %s: %+v", from, to, out)
			}
		}
	}
}

func TestActsThatAreNotComplete(t *testing.T) {
	for name, c := range map[string]struct {
		act  Act
		want error
	}{
		"declined without a reason": {Act{To: Declined}, ErrInvalid},
		"before it was offered":     {Act{To: Accepted, At: noon.Add(-time.Second)}, ErrInvalid},
		"in the future":             {Act{To: Accepted, At: noon.Add(time.Hour)}, ErrInvalid},
		"an old version":            {Act{To: Accepted, Version: 7}, ErrStale},
	} {
		d := offered(t, "A")
		if _, err := d.Apply(c.act, noon.Add(time.Second)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestTheTimeOfTheActStandsBesideThatOfItsArrival(t *testing.T) {
	d := offered(t, "A")
	out, err := d.Apply(Act{To: Accepted, At: noon.Add(10 * time.Second)}, noon.Add(time.Hour))
	if err != nil || !out.Times.Accepted.Equal(noon.Add(10*time.Second)) || !out.Received.Accepted.Equal(noon.Add(time.Hour)) {
		t.Errorf("%v %+v %+v", err, out.Times, out.Received)
	}
}

func TestAFaultOfAPartnersNumberNamesItsField(t *testing.T) {
	d := offered(t, "B")
	_, err := d.Apply(Act{To: Accepted, Version: 1, External: []incident.ExternalRef{{Agency: "Bukan Slug", ID: "1"}}}, noon.Add(time.Minute))
	var f *fault.Fault
	if !errors.Is(err, ErrInvalid) || !errors.As(err, &f) || f.Field != "external_refs" {
		t.Errorf("%v", err)
	}
}
