package fusion_test

import (
	"testing"
	"time"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Instruments that one shock reaches tell of one earthquake, though they lie farther apart than the rule's radius; what fires minutes later, or
// farther off than the waves come, tells of another, and only an earthquake has waves.
func TestWhatOneShockReachesIsOneEarthquake(t *testing.T) {
	here := geo.Position{Lat: -0.7, Lng: 100.6}
	for _, c := range []struct {
		name  string
		kind  string
		km    float64
		after time.Duration
		ref   string
		joins bool
	}{
		{"within the radius", "eq", 40, 30 * time.Minute, "acc:2", true},
		{"beyond it, three seconds later", "eq", 70, 3 * time.Second, "acc:2", true},
		{"it comes in before those that felt it earlier", "eq", 70, -20 * time.Second, "acc:2", true},
		{"at the end of what a minute carries", "eq", 179, time.Minute, "acc:2", true},
		{"a second more", "eq", 70, 61 * time.Second, "acc:2", false},
		{"farther than a minute carries", "eq", 185, 3 * time.Second, "acc:2", false},
		{"it has told of this one: an aftershock", "eq", 70, 20 * time.Minute, "acc:1", true},
		{"beyond the window", "eq", 70, 61 * time.Minute, "acc:1", false},
		{"no waves", "wind", 70, 3 * time.Second, "acc:2", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := incident.Open(incident.Opening{ID: "in", Number: "1", Type: c.kind, Title: "Guncangan", Position: &here, At: noon, EventAt: moment.Of(noon), Actor: "rule:gempa",
				Evidence: []incident.Evidence{{Kind: "observation", Ref: "acc:1", Weight: 1, At: moment.Of(noon)}}})
			if err != nil {
				t.Fatal(err)
			}
			there := geo.Position{Lat: here.Lat + c.km/111.195, Lng: here.Lng}
			o := fusion.Opener{Type: c.kind, RadiusM: 60_000, Window: time.Hour, At: &there, Event: noon.Add(c.after), Ref: c.ref}
			n, metres, quiet := fusion.Nearest([]*incident.Incident{&in}, o)
			if joins := n == 0; joins != c.joins {
				t.Fatalf("joins: %t, want %t", joins, c.joins)
			}
			if !c.joins {
				return
			}
			if w, why := fusion.WeighOpener(o, metres, quiet); w < fusion.JoinAt || w > 1 || len(why) != 3 {
				t.Errorf("%.3f: %+v", w, why)
			}
		})
	}
}

// Shocks that follow one another within the time that one takes are not one without end: each is held against the first.
func TestShocksDoNotChain(t *testing.T) {
	here := geo.Position{Lat: -0.7, Lng: 100.6}
	in, err := incident.Open(incident.Opening{ID: "in", Number: "1", Type: "eq", Title: "Guncangan", Position: &here, At: noon, EventAt: moment.Of(noon), SignalAt: moment.Of(noon), Actor: "rule:gempa",
		Evidence: []incident.Evidence{{Kind: "observation", Ref: "acc:1", Weight: 1, At: moment.Of(noon)}, {Kind: "observation", Ref: "acc:2", Weight: 1, At: moment.Of(noon.Add(50 * time.Second))}}})
	if err != nil {
		t.Fatal(err)
	}
	there := geo.Position{Lat: here.Lat + 1, Lng: here.Lng}
	for after, joins := range map[time.Duration]bool{55 * time.Second: true, 100 * time.Second: false} {
		o := fusion.Opener{Type: "eq", RadiusM: 60_000, Window: time.Hour, At: &there, Event: noon.Add(after), Ref: "acc:3"}
		if n, _, _ := fusion.Nearest([]*incident.Incident{&in}, o); (n == 0) != joins {
			t.Errorf("%s after the first: joins %t, want %t", after, n == 0, joins)
		}
	}
}
