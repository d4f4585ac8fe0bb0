// Package ladder is when an alarm counts as seen, and to whom it climbs while it does not. Pure. It is N10 of the product.
package ladder

import (
	"errors"
	"fmt"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// The rungs, from the room to the top of the house.
const (
	Desks      alarm.Rung = "desks"
	Wall       alarm.Rung = "wall"
	Duty       alarm.Rung = "duty"
	Leadership alarm.Rung = "leadership"
)

// Config is the policy: how long after it was presented an alarm that nobody has seen climbs to each rung. 0s leaves a rung out.
type Config struct {
	Desks      time.Duration `yaml:"desks" doc:"An alarm of P1 that no staffed desk has painted and acknowledged is every desk's after this; 0s: never"`
	Wall       time.Duration `yaml:"wall" doc:"It stands on the wall as not seen after this; 0s: never"`
	Duty       time.Duration `yaml:"duty" doc:"The telephones of supervisors ring after this; 0s: never"`
	Leadership time.Duration `yaml:"leadership" doc:"The telephones of leadership ring after this; 0s: never"`
}

// DefaultConfig follows class A of domain.md section 4: a minute to acknowledge, two to send, five until leadership must know.
func DefaultConfig() Config {
	return Config{Desks: 30 * time.Second, Wall: time.Minute, Duty: 2 * time.Minute, Leadership: 5 * time.Minute}
}

// Validate names every fault by its key.
func (c Config) Validate() (errs []error) {
	last := time.Duration(0)
	for _, r := range c.rungs() {
		switch {
		case r.after < 0 || r.after > 24*time.Hour:
			errs = append(errs, fmt.Errorf("%s: %s is not within 0s and 24h", r.to, r.after))
		case r.after > 0 && r.after < last:
			errs = append(errs, fmt.Errorf("%s: %s is sooner than the rung below it, %s", r.to, r.after, last))
		case r.after > 0:
			last = r.after
		}
	}
	return errs
}

type rung struct {
	to    alarm.Rung
	after time.Duration
}

func (c Config) rungs() []rung {
	return []rung{{Desks, c.Desks}, {Wall, c.Wall}, {Duty, c.Duty}, {Leadership, c.Leadership}}
}

// Watched tells an alarm that must be seen: it stands in a queue, it is P1 or Extreme, and it is somebody's, not the house's own about itself.
func Watched(a *alarm.Alarm) bool {
	return a.Stands() && (a.Presented || len(a.Climbed) > 0 && a.State != alarm.Shelved && a.State != alarm.Suppressed) &&
		(a.Priority == alarm.P1 || a.Severity == cap.Extreme) && a.Code == ""
}

// ErrNoDesk means that somebody painted an alarm who sits at no desk: it counts for nothing.
var ErrNoDesk = errors.New("whoever sits at no desk sees for nobody")

// Painted notes that an alarm was drawn on the screen of a staffed desk. The first desk counts. False: nothing is new.
func Painted(a alarm.Alarm, desk, by string, at time.Time) (alarm.Alarm, bool, error) {
	if desk == "" {
		return a, false, ErrNoDesk
	}
	if a.Painted != nil || !Watched(&a) {
		return a, false, nil
	}
	a.Painted = &alarm.Sight{Desk: desk, At: moment.Of(at), By: by}
	a, _ = Settle(a)
	return a, true, nil
}

// Settle makes an alarm seen that was painted at a staffed desk and acknowledged: at the later of both. False: nothing is new.
func Settle(a alarm.Alarm) (alarm.Alarm, bool) {
	if a.Seen != nil || a.Painted == nil || a.Ack == nil {
		return a, false
	}
	at := a.Painted.At
	if a.Ack.At.After(at.Time) {
		at = a.Ack.At
	}
	a.Seen = &alarm.Sight{Desk: a.Painted.Desk, At: at, By: a.Ack.By}
	return a, true
}

// Climb takes an alarm that nobody has seen up every rung whose time has come, each once. staffed: somebody sits at some desk. False: nothing is new.
func Climb(a alarm.Alarm, c Config, staffed bool, now time.Time) (alarm.Alarm, bool) {
	if a.Seen != nil || !Watched(&a) || a.PresentAt.IsZero() {
		return a, false
	}
	why := alarm.WhyUnpainted
	switch {
	case a.Painted == nil && !staffed:
		why = alarm.WhyUnstaffed
	case a.Painted != nil:
		why = alarm.WhyUnacknowledged
	}
	climbed := false
	for _, r := range c.rungs() {
		if r.after == 0 || now.Sub(a.PresentAt.Time) < r.after || a.ClimbedTo(r.to) {
			continue
		}
		a.Climbed = append(a.Climbed[:len(a.Climbed):len(a.Climbed)], alarm.Climb{To: r.to, At: moment.Of(now), Why: why})
		climbed = true
	}
	return a, climbed
}
