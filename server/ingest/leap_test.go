package ingest

import (
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// A place to which a unit cannot have come is history; places that agree with each other are believed, and so is one that is far off in time.
func TestAUnitDoesNotLeap(t *testing.T) {
	home, near, far, farther := geo.Position{Lat: -0.8, Lng: 100.6}, geo.Position{Lat: -0.801, Lng: 100.6}, geo.Position{Lat: -2.6, Lng: 100.6}, geo.Position{Lat: -2.6005, Lng: 100.6}
	speed := 5.0
	type step struct {
		at    time.Duration
		place geo.Position
		want  geo.Position // of the unit after it
	}
	for name, steps := range map[string][]step{
		"a leap and back":         {{0, home, home}, {10 * time.Second, far, home}, {20 * time.Second, near, near}},
		"three that agree":        {{0, home, home}, {10 * time.Second, far, home}, {20 * time.Second, farther, home}, {30 * time.Second, far, far}},
		"three that do not":       {{0, home, home}, {10 * time.Second, far, home}, {20 * time.Second, geo.Position{Lat: 3, Lng: 98}, home}, {30 * time.Second, farther, home}},
		"an hour later":           {{0, home, home}, {time.Hour, far, far}},
		"older than the last":     {{time.Minute, near, near}, {0, home, near}},
		"a step aside of its way": {{0, home, home}, {time.Second, near, near}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			for i, s := range steps {
				r := h.send(t, feeds.Meta{Feed: "hp", ReceivedAt: t0}, feeds.Batch{Positions: []feeds.UnitPosition{{Unit: "bpbd/trc-1", At: moment.Of(t0.Add(s.at - 2*time.Hour)), Position: s.place, SpeedMps: &speed, AccuracyM: &speed}}})
				if r.Accepted != 1 {
					t.Fatalf("step %d: %+v", i, r)
				}
				if got := h.thing(t, "hp:bpbd/trc-1").Position; got != s.want {
					t.Fatalf("step %d: it is at %v, want %v", i, got, s.want)
				}
			}
			suspect := 0
			list := h.history(t, "hp:bpbd/trc-1")
			for _, r := range list {
				if r.Quality == feeds.Suspect {
					suspect++
				}
			}
			if len(list) != 2*len(steps) || (name == "a leap and back") != (suspect == 2) && name != "three that agree" && name != "three that do not" {
				t.Errorf("%d readings kept, %d suspect", len(list), suspect)
			}
		})
	}
}
