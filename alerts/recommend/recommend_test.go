package recommend

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kentongan/alerts/unit"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var (
	noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	here = geo.Position{Lat: -0.83, Lng: 100.63}
)

func at(sign string, lat, lng float64, able ...string) unit.Unit {
	return unit.Unit{ID: "bpbd/" + sign, Agency: "bpbd", CallSign: sign, Status: unit.Available, Capabilities: able, Lat: &lat, Lng: &lng, PositionAt: moment.Of(noon)}
}

func codes(list []Reason) (out []string) {
	for _, r := range list {
		out = append(out, r.Code)
	}
	return out
}

func TestWhoIsProposed(t *testing.T) {
	near, far, unfit, rested := at("near", -0.84, 100.63, "trc"), at("far", -0.99, 100.63, "trc"), at("unfit", -0.83, 100.63), at("rested", -0.845, 100.63, "trc")
	off, shift, other := at("off", -0.83, 100.63, "trc"), at("shift", -0.83, 100.63, "trc"), at("other", -0.83, 100.63, "trc")
	off.Status, shift.ShiftUntil, other.Agency = unit.OffDuty, moment.Of(noon), "damkar"
	old := at("old", -0.9, 100.63, "trc")
	old.PositionAt = moment.Of(noon.Add(-time.Hour))
	lost := unit.Unit{ID: "bpbd/lost", Agency: "bpbd", Status: unit.Available}
	near.Recent = []moment.Time{moment.Of(noon.Add(-13 * time.Hour)), moment.Of(noon.Add(-2 * time.Hour)), moment.Of(noon.Add(-time.Hour))}
	need := Need{At: here, Capabilities: []string{"trc"}, Agencies: []string{"bpbd"}, Without: []string{"bpbd/no"}, Now: noon}
	got, err := Rank(need, []unit.Unit{far, unfit, near, rested, off, shift, other, old, lost, at("no", -0.83, 100.63)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, c := range got.Items {
		order = append(order, c.Unit.CallSign)
	}
	if want := []string{"rested", "near", "old", "far", "unfit"}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
	if c := got.Items[2]; !slices.Contains(codes(c.Reasons), "old_position") || !slices.Contains(codes(c.Reasons), "terrain") || c.TravelSource != "distance" {
		t.Errorf("%+v", c)
	}
	passed := map[string]string{}
	for _, p := range got.NotProposed {
		passed[p.Unit] = p.Reason.Code
		if p.Reason.ID == "" || p.Reason.EN == "" {
			t.Errorf("%s: a reason without words", p.Unit)
		}
	}
	if want := map[string]string{"bpbd/off": "off_duty", "bpbd/shift": "shift_over", "bpbd/other": "other_agency", "bpbd/lost": "no_place", "bpbd/no": "asked_before"}; fmt.Sprint(passed) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", passed, want)
	}
}

func TestARouterGoesBeforeTheDistance(t *testing.T) {
	route := func(from geo.Position) (float64, bool) { return 900, from.Lat == -0.84 }
	got, err := Rank(Need{At: here, Now: noon}, []unit.Unit{at("a", -0.84, 100.63), at("b", -0.845, 100.63)}, route)
	if err != nil || got.Items[0].Unit.CallSign != "b" || got.Items[0].TravelSource != "distance" || got.Items[1].TravelSource != "router" || got.Items[1].TravelS != 900 {
		t.Errorf("%v %+v", err, got.Items)
	}
}

func crowd(n int) []unit.Unit {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]unit.Unit, n)
	for i := range out {
		out[i] = at(fmt.Sprintf("u-%d", i), -0.83+r.Float64()-.5, 100.63+r.Float64()-.5, "trc")
	}
	return out
}

// Nobody is left out who is nearer than somebody who is proposed.
func TestTheNearestAreProposed(t *testing.T) {
	units := crowd(2000)
	got, err := Rank(Need{At: here, Capabilities: []string{"trc"}, Now: noon}, units, nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(units, func(a, b unit.Unit) int {
		pa, _, _ := a.Position()
		pb, _, _ := b.Position()
		if geo.Distance(pa, here) < geo.Distance(pb, here) {
			return -1
		}
		return 1
	})
	if len(got.Items) != Most || len(got.Items)+len(got.NotProposed) != len(units) {
		t.Fatalf("%d proposed, %d not", len(got.Items), len(got.NotProposed))
	}
	for i, c := range got.Items {
		if c.Unit.ID != units[i].ID {
			t.Errorf("%d: %s, want %s", i, c.Unit.ID, units[i].ID)
		}
	}
}

func BenchmarkRank2000(b *testing.B) {
	units := crowd(2000)
	for b.Loop() {
		if _, err := Rank(Need{At: here, Capabilities: []string{"trc"}, Now: noon}, units, nil); err != nil {
			b.Fatal(err)
		}
	}
}
