package incident

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Check is one line of an incident's checklist.
type Check struct {
	Key  string      `json:"key"`
	ID   string      `json:"id"` // in Indonesian
	EN   string      `json:"en"` // in English
	Done bool        `json:"done"`
	By   string      `json:"by,omitempty"`
	At   moment.Time `json:"at"`
}

// ErrNothing means that all is already as it was asked to be; nothing changes.
var ErrNothing = errors.New("it is so already")

// Tick gives the incident after a line of its checklist was done, or taken back. It needs no version: whoever comes second finds it done. Errors:
// ErrInvalid where there is no such line, ErrNotAllowed, ErrNothing.
func (in *Incident) Tick(key string, done bool, actor string, at time.Time) (Incident, error) {
	i := slices.IndexFunc(in.Checklist, func(c Check) bool { return c.Key == key })
	switch {
	case i < 0:
		return Incident{}, fault.In(ErrInvalid, "key", fault.Unknown, nil, "%.60q is no line of the checklist", key)
	case !in.Status.Open():
		return Incident{}, fmt.Errorf("%w: %s is %s", ErrNotAllowed, in.Number, in.Status)
	case in.Checklist[i].Done == done:
		return Incident{}, ErrNothing
	}
	out := in.Clone()
	c, act := &out.Checklist[i], "unchecked"
	c.Done, c.By, c.At = done, "", moment.Time{}
	if done {
		c.By, c.At, act = actor, moment.Of(at), "checked"
	}
	out.Remark(actor, act, key, at)
	return out, nil
}

// listed is a new checklist, with what was done by an older one.
func listed(fresh, old []Check) []Check {
	out := append([]Check{}, fresh...)
	for i := range out {
		for _, was := range old {
			if was.Key == out[i].Key && was.Done {
				out[i].Done, out[i].By, out[i].At = true, was.By, was.At
			}
		}
	}
	return out
}
