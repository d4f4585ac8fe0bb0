package ingest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
)

// Turns go to those about lives first, then in order; who quits, before or in the moment of their turn, holds nobody up.
func TestLaneLetsLivesThroughFirst(t *testing.T) {
	l := &lane{}
	first := l.join(false)
	<-first
	waiting := map[string]<-chan struct{}{}
	for i, urgent := range []bool{false, false, true, true} {
		waiting[fmt.Sprint(i)] = l.join(urgent)
	}
	turn := func() (whose string) {
		for name, c := range waiting {
			select {
			case <-c:
				whose += name
				delete(waiting, name)
			default:
			}
		}
		return whose
	}
	if got := turn(); got != "" {
		t.Fatalf("%s have a turn beside another", got)
	}
	l.leave()
	if got := turn(); got != "2" {
		t.Errorf("first goes %q", got)
	}
	gone := waiting["0"]
	delete(waiting, "0")
	l.quit(gone)
	l.leave()
	last := waiting["3"]
	l.quit(last) // its turn has come
	delete(waiting, "3")
	if got := turn(); got != "1" {
		t.Errorf("then goes %q", got)
	}
	l.leave()
	select {
	case <-l.join(false):
	default:
		t.Error("an empty lane is not free")
	}
}

func TestWhoWaitsTooLongIsToldSo(t *testing.T) {
	p := &Pipeline{caseWait: time.Millisecond, closed: make(chan struct{})}
	l := &lane{}
	if err := p.enter(t.Context(), l, false, "alerts"); err != nil {
		t.Fatal(err)
	}
	if err := p.enter(t.Context(), l, true, "alerts"); !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("%v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	p.caseWait = time.Hour
	if err := p.enter(ended, l, false, "alerts"); !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("%v", err)
	}
	l.leave()
	if err := p.enter(t.Context(), l, false, "alerts"); err != nil {
		t.Errorf("those who gave up hold the lane: %v", err)
	}
}

func TestWhatIsAboutLives(t *testing.T) {
	of := func(status string, severities ...cap.Severity) feeds.Alert {
		a := feeds.Alert{Message: cap.Message{Status: status}}
		for _, s := range severities {
			a.Message.Infos = append(a.Message.Infos, cap.Info{Severity: s})
		}
		return a
	}
	for name, c := range map[string]struct {
		list []feeds.Alert
		want bool
	}{
		"none":                    {nil, false},
		"severe":                  {[]feeds.Alert{of("Actual", cap.Severe)}, false},
		"one extreme of several":  {[]feeds.Alert{of("Actual", cap.Minor), of("Actual", cap.Minor, cap.Extreme)}, true},
		"an exercise is no flood": {[]feeds.Alert{of("Exercise", cap.Extreme)}, false},
	} {
		if got := aboutLives(c.list); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
