package ladder

import (
	"errors"
	"testing"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/geo/moment"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func raised() alarm.Alarm {
	return alarm.Alarm{ID: "a", Version: 1, State: alarm.Raised, Priority: alarm.P1, Presented: true, PresentAt: moment.Of(noon)}
}

// A closed laptop and a muted tab paint nothing; an operator who walked away acknowledges nothing: each climbs, every rung once.
func TestWhatNobodySeesClimbsEveryRungOnce(t *testing.T) {
	painted, _, err := Painted(raised(), "desk-1", "user:1", noon.Add(time.Second))
	if err != nil || painted.Painted == nil || painted.Seen != nil {
		t.Fatal(painted, err)
	}
	acknowledged := raised()
	acknowledged.State, acknowledged.Ack = alarm.Acknowledged, &alarm.Ack{At: moment.Of(noon), By: "token:admin"}
	for name, c := range map[string]struct {
		a       alarm.Alarm
		staffed bool
		why     string
	}{
		"closed laptop": {raised(), false, alarm.WhyUnstaffed}, "muted tab": {raised(), true, alarm.WhyUnpainted}, "walked away": {painted, true, alarm.WhyUnacknowledged},
		"acknowledged unseen": {acknowledged, true, alarm.WhyUnpainted},
	} {
		a := c.a
		for s := range 600 {
			a, _ = Climb(a, DefaultConfig(), c.staffed, noon.Add(time.Duration(s)*time.Second))
		}
		var to []alarm.Rung
		for _, r := range a.Climbed {
			if to = append(to, r.To); r.Why != c.why {
				t.Errorf("%s: to %s as %s, want %s", name, r.To, r.Why, c.why)
			}
		}
		if len(to) != 4 || to[0] != Desks || to[1] != Wall || to[2] != Duty || to[3] != Leadership {
			t.Errorf("%s: climbed %v", name, to)
		}
		if at := a.Climbed[2].At.Sub(noon); at != 2*time.Minute {
			t.Errorf("%s: to duty after %v", name, at)
		}
		if a.Version != c.a.Version {
			t.Errorf("%s: climbing made version %d", name, a.Version)
		}
	}
}

func TestSeenIsPaintedAtADeskAndAcknowledged(t *testing.T) {
	if _, changed, err := Painted(raised(), "", "user:1", noon); changed || !errors.Is(err, ErrNoDesk) {
		t.Error("painted at no desk", err)
	}
	a, _, _ := Painted(raised(), "desk-1", "user:1", noon.Add(time.Second))
	if _, changed, _ := Painted(a, "desk-2", "user:2", noon.Add(2*time.Second)); changed {
		t.Error("the second desk took the first one's place")
	}
	a, err := a.Acknowledge(alarm.Ack{At: moment.Of(noon.Add(9 * time.Second)), By: "user:1", Desk: "desk-1"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	a, changed := Settle(a)
	if !changed || a.Seen.Desk != "desk-1" || !a.Seen.At.Equal(noon.Add(9*time.Second)) {
		t.Fatalf("%t %+v", changed, a.Seen)
	}
	if _, changed := Climb(a, DefaultConfig(), true, noon.Add(time.Hour)); changed {
		t.Error("what is seen climbs")
	}
	late := raised()
	late.State, late.Ack = alarm.Acknowledged, &alarm.Ack{At: moment.Of(noon), By: "token:admin"}
	if late, _, _ = Painted(late, "desk-1", "user:1", noon.Add(time.Minute)); late.Seen == nil || !late.Seen.At.Equal(noon.Add(time.Minute)) {
		t.Errorf("painted after it was acknowledged: %+v", late.Seen)
	}
}

func TestOnlyWhatMustBeSeenClimbs(t *testing.T) {
	for name, change := range map[string]func(*alarm.Alarm){
		"P2": func(a *alarm.Alarm) { a.Priority = alarm.P2 }, "withheld": func(a *alarm.Alarm) { a.Presented = false }, "over": func(a *alarm.Alarm) { a.State = alarm.Cleared },
		"the house's own": func(a *alarm.Alarm) { a.Code = alarm.CodeFlood },
	} {
		a := raised()
		change(&a)
		if _, changed := Climb(a, DefaultConfig(), false, noon.Add(time.Hour)); changed {
			t.Errorf("%s climbs", name)
		}
	}
	if a, _ := Climb(raised(), Config{Duty: time.Minute}, false, noon.Add(time.Hour)); len(a.Climbed) != 1 || a.Climbed[0].To != Duty {
		t.Errorf("a policy of one rung: %v", a.Climbed)
	}
	if errs := (Config{Desks: time.Minute, Wall: time.Second, Duty: -1}).Validate(); len(errs) != 2 {
		t.Errorf("faults of a policy: %v", errs)
	}
	if errs := DefaultConfig().Validate(); errs != nil {
		t.Error(errs)
	}
}
