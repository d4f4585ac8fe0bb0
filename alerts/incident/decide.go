package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// watched is the class of service that is decided on.
const watched = "E"

// Decided is what a person decided of an incident that is watched, class E of domain.md section 4: acknowledged within 15 minutes, decided within
// 30, and no unit is sent unless a look at the place is asked for.
type Decided struct {
	As   string      `json:"as"` // code of one of Decisions
	Note string      `json:"note,omitempty"`
	By   string      `json:"by"`
	At   moment.Time `json:"at"`
}

// DecisionKind is what may be decided.
type DecisionKind struct {
	Code string `json:"code"`
	ID   string `json:"id"`
	EN   string `json:"en"`
}

// Decisions lists them.
var Decisions = []DecisionKind{
	{"watch", "terus dipantau", "keep watching"},
	{"field_check", "periksa di lapangan", "have a unit look"},
	{"upgrade", "naikkan: jenis atau keparahan lain", "raise it: another type or severity"},
	{"no_action", "tidak perlu tindakan", "nothing needs doing"},
}

// Deciding is what somebody decides.
type Deciding struct {
	As      string
	Note    string
	Version int
}

// Decide gives the incident decided; one that is new is acknowledged by it in the same step. The first decision stops the clock, a later one takes
// its place in words. Errors: ErrInvalid, ErrStale, ErrNotAllowed.
func (in *Incident) Decide(d Deciding, actor string, at time.Time) (Incident, error) {
	if err := in.touchable(d.Version, d.Note); err != nil {
		return Incident{}, err
	}
	known := slices.ContainsFunc(Decisions, func(k DecisionKind) bool { return k.Code == d.As })
	switch {
	case !known:
		return Incident{}, fault.In(ErrInvalid, "as", fault.OneOf, decisionCodes(), "must be one of %s", decisionCodes())
	case in.SLA.DecisionDue.IsZero() && in.SLA.Class != watched: // one that an older server opened has no time for it
		return Incident{}, fmt.Errorf("%w: class %s is worked, not decided on", ErrNotAllowed, in.SLA.Class)
	case !in.Status.working():
		return Incident{}, fmt.Errorf("%w: %s is %s", ErrNotAllowed, in.Number, in.Status)
	}
	out, open, now := in.Clone(), in.undone(), moment.Of(at)
	out.Decision = &Decided{As: d.As, Note: d.Note, By: actor, At: now}
	if out.Times.TDecision.IsZero() {
		out.stamp("t_decision", &out.Times.TDecision, now, false)
		out.stoodStill(open, now)
	}
	said := d.As
	if d.Note != "" {
		said += ": " + d.Note
	}
	if in.Status == New {
		out.enter(Act{To: Acknowledged}, actor, now, now, false)
		out.Remark(actor, "decided", said, at)
		return out, nil
	}
	out.judge(now)
	out.note(actor, "decided", d.As, d.Note, now)
	return out, nil
}

// DecidedAt is when it was decided what to do: by a person's word, else by sending a unit or ending it; zero: not yet.
func (in *Incident) DecidedAt() moment.Time {
	ended := moment.Time{}
	if in.Status == Resolved || in.Status == Closed {
		ended = in.Times.TResolved
	}
	return earlier(in.Times.TDecision, earlier(in.Times.TDispatch, ended))
}

func decisionCodes() string {
	var out []string
	for _, k := range Decisions {
		out = append(out, k.Code)
	}
	return strings.Join(out, ", ")
}
