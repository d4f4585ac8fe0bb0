package alarm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Faults of an act.
var (
	ErrStale      = errors.New("the alarm has changed since you saw it")         // 409
	ErrNotAllowed = errors.New("the alarm does not allow this now")              // 409
	ErrInvalid    = errors.New("this cannot be asked of an alarm")               // 422
	ErrUrgent     = errors.New("a P1 alarm is shelved by supervisors only")      // 403
	ErrShelves    = errors.New("this desk has shelved as many alarms as it may") // 409
)

// Stands tells an alarm that is not over: its condition holds, or it waits for somebody.
func (a *Alarm) Stands() bool { return a.State != Cleared || a.Latched }

// Verbs lists what may be asked of an alarm now: acknowledge, shelve, unshelve.
func (a *Alarm) Verbs() []string {
	out := []string{}
	if a.State == Raised || a.Latched {
		out = append(out, "acknowledge")
	}
	if (a.State == Raised || a.State == Acknowledged) && a.Code != CodeFlood {
		out = append(out, "shelve")
	}
	if a.State == Shelved {
		out = append(out, "unshelve")
	}
	return out
}

func (a *Alarm) check(verb string, version int) error {
	if version != 0 && version != a.Version {
		return fmt.Errorf("%w: it has version %d, not %d", ErrStale, a.Version, version)
	}
	for _, v := range a.Verbs() {
		if v == verb {
			return nil
		}
	}
	return fmt.Errorf("%w: it is %s, %s is not to be asked of it", ErrNotAllowed, a.State, verb)
}

// Acknowledge takes note of an alarm. Version is the one that was seen, 0 for any. One that is latched is over then. Errors: ErrStale,
// ErrNotAllowed.
func (a Alarm) Acknowledge(by Ack, version int) (Alarm, error) {
	if err := a.check("acknowledge", version); err != nil {
		return a, err
	}
	a.acknowledge(by)
	return a, nil
}

func (a *Alarm) acknowledge(by Ack) {
	a.Ack, a.UpdatedAt, a.Sound = &by, by.At, false
	a.Version++
	if a.Latched {
		a.Latched, a.Presented = false, false
		return
	}
	if a.State == Raised {
		a.State = Acknowledged
	}
}

// Shelve takes an alarm out of the queue until a time, for a reason. urgent: whoever asks may shelve P1. desk: how many the desk has on its
// shelf now. Errors: ErrStale, ErrNotAllowed, ErrInvalid, ErrUrgent, ErrShelves.
func (a Alarm) Shelve(on Shelf, version int, urgent bool, desk int, c Config) (Alarm, error) {
	if err := a.check("shelve", version); err != nil {
		return a, err
	}
	longest := c.Shelf
	if a.Priority == P1 {
		longest = c.ShelfP1
	}
	until := on.Until.Sub(on.At.Time)
	switch {
	case a.Priority == P1 && !urgent:
		return a, ErrUrgent
	case strings.TrimSpace(on.Reason) == "":
		return a, fault.In(ErrInvalid, "reason", fault.Missing, nil, "is required")
	case until <= 0:
		return a, fault.In(ErrInvalid, "until", fault.Over, nil, "%s is not ahead", on.Until)
	case until > longest:
		return a, fault.In(ErrInvalid, "until", fault.Far, longest.Hours(), "%s may be shelved for %s at most", a.Priority, longest)
	case desk >= c.Shelves:
		return a, fmt.Errorf("%w: %d", ErrShelves, c.Shelves)
	}
	a.shelve(on)
	return a, nil
}

func (a *Alarm) shelve(on Shelf) {
	a.Shelf, a.State, a.UpdatedAt = &on, Shelved, on.At
	a.Presented, a.Withheld, a.Sound = false, WithheldShelved, false
	a.Version++
}

// Unshelve returns an alarm before its time; it asks for an acknowledgement again. Errors: ErrStale, ErrNotAllowed.
func (a Alarm) Unshelve(at time.Time, version int) (Alarm, error) {
	if err := a.check("unshelve", version); err != nil {
		return a, err
	}
	a.unshelve(at)
	return a, nil
}

func (a *Alarm) unshelve(at time.Time) {
	a.Shelf, a.State, a.Ack, a.Withheld, a.UpdatedAt = nil, Raised, nil, "", moment.Of(at)
	a.Version++
}
