package storm

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/formats/native"
	"kentongan/geo"
)

func TestASeedIsAStorm(t *testing.T) {
	a, b, c := Make(Making{Seed: 7}), Make(Making{Seed: 7}), Make(Making{Seed: 8})
	if !reflect.DeepEqual(a.Items, b.Items) || !reflect.DeepEqual(a.Incidents, b.Incidents) {
		t.Error("one seed gives two storms")
	}
	if reflect.DeepEqual(a.Incidents, c.Incidents) {
		t.Error("two seeds give one storm")
	}
	if !reflect.DeepEqual(a.Disturbed(Disturbance{Seed: 3, Within: time.Minute, Copies: .2}), b.Disturbed(Disturbance{Seed: 3, Within: time.Minute, Copies: .2})) {
		t.Error("one disturbance disturbs in two ways")
	}
}

// The storm is what it says it is: so many incidents and items, of many types, from many agencies, and what is one stands apart from what could
// be taken for it.
func TestMakeup(t *testing.T) {
	for seed := range uint64(5) {
		s := Make(Making{Seed: seed})
		if len(s.Incidents) != 200 || len(s.Items) != 20_000 {
			t.Errorf("seed %d: %d incidents, %d items", seed, len(s.Incidents), len(s.Items))
		}
		agencies, types, faults, of := map[string]bool{}, map[string]int{}, map[Fault]int{}, map[string]int{}
		calls, close, copies, last := 0, 0, 0, time.Time{}
		for _, i := range s.Items {
			if i.Delivered.Before(last) {
				t.Fatalf("seed %d: items are out of order", seed)
			}
			last = i.Delivered
			for _, f := range Feeds {
				if f.Name == i.Feed && f.Agency != "" {
					agencies[f.Agency] = true
				}
			}
			faults[i.Truth.Fault]++
			if i.Truth.Copy {
				copies++
			}
			of[i.Truth.Incident]++
			if i.Report != nil {
				calls++
			}
			if i.Truth.Incident != "" && s.Of(i.Truth.Incident) == nil {
				t.Fatalf("seed %d: an item is about %q, which never was", seed, i.Truth.Incident)
			}
		}
		for n, in := range s.Incidents {
			types[in.Type]++
			if of[in.Label] == 0 {
				t.Errorf("seed %d: nobody tells of %s", seed, in.Label)
			}
			if in.Confusable != "" && in.DistanceM < 2000 && in.Apart == 0 {
				close++
			}
			for _, o := range s.Incidents[n+1:] {
				if confusable(in.Type, o.Type) && between(&in, &o) < GapTime && geo.Distance(in.Position, o.Position) < GapM+in.ExtentM+o.ExtentM {
					t.Errorf("seed %d: %s and %s are one", seed, in.Label, o.Label)
				}
			}
		}
		if len(agencies) < 6 || len(types) < 15 || close < 20 || copies < 100 {
			t.Errorf("seed %d: %d agencies, %d types, %d within 2 km of one they could be taken for, %d copies", seed, len(agencies), len(types), close, copies)
		}
		if share := float64(len(s.Incidents)) / float64(calls); share > .04 {
			t.Errorf("seed %d: %.1f incidents in a hundred calls", seed, 100*share)
		}
		for _, f := range []Fault{WrongType, NoType, Wrong, Coarse, Unplaced, Late, Prank, Complaint, Empty, Elsewhere, Jump, Clock, OtherUnit} {
			if faults[f] == 0 {
				t.Errorf("seed %d: nothing is %s", seed, f)
			}
		}
		if seed == 0 {
			t.Logf("seed 0: types %v; faults %v; calls %d, about nothing %d; %d within 2 km and at the time of one they could be taken for", types, faults, calls, of[""], close)
		}
	}
}

// What a house reads off the wire is what the storm says.
func TestNative(t *testing.T) {
	format, err := native.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := Make(Making{Seed: 1, Incidents: 60, Items: 4000, Calls: 800})
	for _, i := range s.Items {
		line, err := i.Native()
		if err != nil {
			t.Fatal(err)
		}
		b, err := format.Decode(line, feeds.Meta{Feed: i.Feed, ReceivedAt: i.Delivered})
		if err != nil || b.Records() != 1 || len(b.Rejected)+len(b.Ignored) > 0 {
			t.Fatalf("%s: %v %+v", line, err, b)
		}
		switch {
		case i.Observation != nil:
			o := b.Observations[0]
			o.ReceivedAt = i.Observation.ReceivedAt
			if !reflect.DeepEqual(o, *i.Observation) {
				t.Fatalf("%s\nbecame %+v\nof     %+v", line, o, *i.Observation)
			}
		case i.Report != nil:
			r := b.Reports[0]
			r.ReceivedAt = i.Report.ReceivedAt
			if !reflect.DeepEqual(r, *i.Report) {
				t.Fatalf("%s\nbecame %+v\nof     %+v", line, r, *i.Report)
			}
		default:
			want, _ := json.Marshal(i.Alert.Message.Infos[0].Areas)
			got, _ := json.Marshal(b.Alerts[0].Message.Infos[0].Areas)
			if b.Alerts[0].Message.Reference() != i.Alert.Message.Reference() || string(want) != string(got) && len(i.Alert.Message.Infos[0].Areas) > 0 {
				t.Fatalf("%s\nbecame %+v", line, b.Alerts[0])
			}
		}
	}
}

// A truth that knows the judge is none.
func TestKnowsNothingOfAlerts(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "kentongan/feeds/simulator/storm").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		if strings.HasPrefix(p, "kentongan/alerts") || strings.HasPrefix(p, "kentongan/server") {
			t.Errorf("the storm depends on %s", p)
		}
	}
}

func ExampleMake() {
	s := Make(Making{Seed: 1})
	fmt.Println(len(s.Incidents), "incidents,", len(s.Items), "items")
	// Output: 200 incidents, 20000 items
}
