package unit

import (
	"fmt"
	"time"

	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// skew is how far a field clock may be ahead of ours.
const skew = 2 * time.Minute

// RollCall is how long a unit on scene may be silent before it is asked for: the interval of a personnel accountability report.
const RollCall = 20 * time.Minute

// Call gives the unit as it calls for help: where it does so already the first call stands. Incident is what it opened or joined, empty where
// nobody else may know of it. Errors: ErrInvalid.
func (u *Unit) Call(by string, at time.Time, place *geo.Position, incident string, now time.Time) (Unit, error) {
	out := u.Clone()
	if u.Panic != nil {
		return out, nil
	}
	if at.IsZero() {
		at = now
	}
	if at.After(now.Add(skew)) {
		return out, fault.In(ErrInvalid, "at", fault.Late, nil, "%s has not come yet", moment.Of(at))
	}
	p := Panic{At: moment.Of(at), By: by, Incident: incident}
	if place != nil {
		if err := place.Validate(); err != nil {
			return out, fault.In(ErrInvalid, "lng", fault.Outside, nil, "%v", err)
		}
		p.Lng, p.Lat = &place.Lng, &place.Lat
	}
	out.Panic = &p
	out.Version++
	return out, nil
}

// Cleared gives the unit after somebody has cleared its call. Errors: ErrNotAllowed: it calls for none; ErrInvalid: no reason.
func (u *Unit) Cleared(reason string, now time.Time) (Unit, error) {
	out := u.Clone()
	switch {
	case reason == "":
		return out, fault.In(ErrInvalid, "reason", fault.Missing, nil, "is missing: say how the crew is")
	case u.Panic == nil:
		return out, fmt.Errorf("%w: it does not call for help", ErrNotAllowed)
	case len(reason) > bounds.reason:
		return out, fault.In(ErrInvalid, "reason", fault.Long, bounds.reason, "has more than %d bytes", bounds.reason)
	}
	out.Panic = nil
	out.heard(moment.Of(now))
	out.Version++
	return out, nil
}

// Answered gives the unit after it has answered a roll call, or any other word of its crew.
func (u *Unit) Answered(now time.Time) Unit {
	out := u.Clone()
	out.heard(moment.Of(now))
	out.Version++
	return out
}

func (u *Unit) heard(at moment.Time) {
	u.HeardAt, u.RollCallAt = at, moment.Time{}
}

// Called gives the unit as the clock has it: asked for where it has been silent on scene for RollCall, no longer where it has been heard of
// since; false: nothing changes. Seen is when a tracker told its place last, zero: never.
func (u *Unit) Called(seen, now time.Time) (Unit, bool) {
	last := u.StatusAt.Time
	for _, t := range []time.Time{u.HeardAt.Time, seen} {
		if t.After(last) && !t.After(now.Add(skew)) {
			last = t
		}
	}
	silent := u.Status == OnScene && now.Sub(last) >= RollCall
	if silent == !u.RollCallAt.IsZero() {
		return *u, false
	}
	out := u.Clone()
	out.RollCallAt = moment.Time{}
	if silent {
		out.RollCallAt = moment.Of(now)
	}
	out.Version++
	return out, true
}
