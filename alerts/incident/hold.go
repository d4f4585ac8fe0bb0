package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Hold says why and until when work on an incident rests.
type Hold struct {
	Reason   string      `json:"reason"` // code of one of HoldReasons
	Until    moment.Time `json:"until"`  // it ends by itself then
	By       string      `json:"by"`
	At       moment.Time `json:"at"`
	Pausable bool        `json:"pausable"` // the clocks of the service stand still
}

// HoldReason is why work may rest. The clocks stand still only for those that are pausable (domain.md section 5).
type HoldReason struct {
	Code     string `json:"code"`
	ID       string `json:"id"`
	EN       string `json:"en"`
	Pausable bool   `json:"pausable"`
}

// HoldReasons lists them.
var HoldReasons = []HoldReason{
	{"unsafe_access", "akses tidak aman", "access is not safe", true},
	{"outside_party", "menunggu pihak luar", "waiting for an outside party", true},
	{"no_resources", "regu atau alat belum ada", "no unit or equipment yet", false},
	{"daylight", "menunggu siang", "waiting for daylight", false},
	{"other", "alasan lain", "another reason", false},
}

// HoldLimit is how long work rests at the most before somebody looks again.
const HoldLimit = 24 * time.Hour

// Holding is what somebody asks: that work rests, or goes on.
type Holding struct {
	On      bool
	Reason  string
	Until   time.Time
	Note    string
	Version int
}

func holdCodes() string {
	var out []string
	for _, r := range HoldReasons {
		out = append(out, r.Code)
	}
	return strings.Join(out, ", ")
}

// Rest gives the incident on hold, or off it. Errors: ErrInvalid, ErrStale, ErrNotAllowed.
func (in *Incident) Rest(h Holding, actor string, at time.Time) (Incident, error) {
	if err := in.touchable(h.Version, h.Note); err != nil {
		return Incident{}, err
	}
	out := in.Clone()
	if !h.On {
		if in.OnHold == nil {
			return Incident{}, fmt.Errorf("%w: it is not on hold", ErrNotAllowed)
		}
		out.goOn(moment.Of(at))
		out.note(actor, "resumed", in.OnHold.Reason, h.Note, moment.Of(at))
		return out, nil
	}
	i := slices.IndexFunc(HoldReasons, func(r HoldReason) bool { return r.Code == h.Reason })
	switch {
	case !slices.Contains([]Status{Acknowledged, Dispatched, OnScene}, in.Status):
		return Incident{}, fmt.Errorf("%w: what is %s does not rest", ErrNotAllowed, in.Status)
	case in.OnHold != nil:
		return Incident{}, fmt.Errorf("%w: it is on hold already", ErrNotAllowed)
	case i < 0:
		return Incident{}, fault.In(ErrInvalid, "reason", fault.OneOf, holdCodes(), "must be one of %s", holdCodes())
	case !h.Until.After(at):
		return Incident{}, fault.In(ErrInvalid, "until", fault.Over, nil, "must lie within the next 24 hours")
	case h.Until.Sub(at) > HoldLimit:
		return Incident{}, fault.In(ErrInvalid, "until", fault.Far, HoldLimit.Hours(), "must lie within the next 24 hours")
	}
	out.judge(moment.Of(at)) // what is late by now is so however long it rests
	out.OnHold = &Hold{Reason: h.Reason, Until: moment.Of(h.Until), By: actor, At: moment.Of(at), Pausable: HoldReasons[i].Pausable}
	out.note(actor, "held", h.Reason+" until "+out.OnHold.Until.String(), h.Note, moment.Of(at))
	return out, nil
}

// goOn ends a hold at an instant, and moves what is still to be done by as long as the clocks stood still.
func (in *Incident) goOn(at moment.Time) {
	h := in.OnHold
	in.OnHold = nil
	if h == nil || !h.Pausable || !at.After(h.At.Time) {
		return
	}
	stood := at.Sub(h.At.Time)
	in.SLA.PausedS += stood.Seconds()
	in.SLA.shift(stood, func(step string) moment.Time {
		if slices.Contains(in.SLA.Missed, step) {
			return h.At // late is late
		}
		return in.done(step)
	})
}

// HoldOver gives the incident after its hold has run out, at the time until which it was; false: it has not.
func (in *Incident) HoldOver(actor string, now time.Time) (Incident, bool) {
	if in.OnHold == nil || now.Before(in.OnHold.Until.Time) {
		return Incident{}, false
	}
	out := in.Clone()
	out.goOn(in.OnHold.Until)
	out.note(actor, "resumed", in.OnHold.Reason+": its time is over", "", moment.Of(now))
	return out, true
}
