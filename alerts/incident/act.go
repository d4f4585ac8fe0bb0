package incident

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/geo/moment"
)

// Act is what somebody asks an incident to do.
type Act struct {
	To      Status `json:"to"`
	Note    string `json:"note,omitempty"`
	Version int    `json:"version"`           // the version that the actor saw; required
	Outcome string `json:"outcome,omitempty"` // with resolved
	Reason  string `json:"reason,omitempty"`  // with cancelled: one of CancelReasons; with reopened: why
}

// What a resolve without any dispatch, and a cancel, may say (domain.md section 5).
var (
	Outcomes      = []string{"advice_given", "no_unit_needed", "referred"}
	CancelReasons = []string{"false", "prank", "test", "out_of_area", "duplicate"}
)

// ReopenLimit is how long after it was closed an incident may be opened again; later a new one is made.
const ReopenLimit = 30 * 24 * time.Hour

// maxNote is how long a note, reason or title may be, in bytes.
const maxNote = 4000

// Faults of an act.
var (
	ErrInvalid    = errors.New("the act is not complete")                             // 422
	ErrSeparation = errors.New("whoever resolved an incident does not also close it") // 403
	ErrNotAllowed = errors.New("the incident does not allow that act now")            // 409
	ErrStale      = errors.New("the incident has changed since it was read")          // 409
)

// Allowed lists what the actor may ask of the incident now, "reopened" among it.
func (in *Incident) Allowed(actor string, at time.Time) []Status {
	var to []Status
	switch in.Status {
	case New:
		to = []Status{Acknowledged, Dispatched, Cancelled}
	case Acknowledged:
		to = []Status{Dispatched, Resolved, Cancelled}
	case Dispatched:
		to = []Status{OnScene, Cancelled}
	case OnScene:
		to = []Status{Resolved, Cancelled}
	case Resolved:
		if actor != in.ResolvedBy {
			to = append(to, Closed)
		}
		to = append(to, Reopened, Cancelled)
	case Closed:
		if at.Sub(in.Times.TClosed.Time) <= ReopenLimit {
			to = []Status{Reopened}
		}
	}
	if to == nil {
		to = []Status{}
	}
	return to
}

// Apply gives the incident after the act; the incident itself stays as it is. Actor is the subject that acts.
func (in *Incident) Apply(act Act, actor string, at time.Time) (Incident, error) {
	if act.Version <= 0 {
		return Incident{}, fmt.Errorf("%w: version is required", ErrInvalid)
	}
	if act.Version != in.Version {
		return Incident{}, fmt.Errorf("%w: version %d, now %d", ErrStale, act.Version, in.Version)
	}
	if act.To == Closed && in.Status == Resolved && actor == in.ResolvedBy {
		return Incident{}, ErrSeparation
	}
	if !slices.Contains(in.Allowed(actor, at), act.To) {
		return Incident{}, fmt.Errorf("%w: %s to %s", ErrNotAllowed, in.Status, act.To)
	}
	if err := act.complete(in); err != nil {
		return Incident{}, err
	}
	out := in.Clone()
	out.enter(act.plain(in), actor, moment.Of(at))
	return out, nil
}

// complete checks the guards of the table in domain.md section 5.
func (a Act) complete(in *Incident) error {
	if len(a.Note) > maxNote || len(a.Reason) > maxNote {
		return fmt.Errorf("%w: a note or reason is longer than %d bytes", ErrInvalid, maxNote)
	}
	switch a.To {
	case Acknowledged, Dispatched:
		if in.Type == "" || !in.Severity.Valid() {
			return fmt.Errorf("%w: type and severity must be set", ErrInvalid)
		}
	case Resolved:
		if in.Status == Acknowledged && a.Outcome != "" && !slices.Contains(Outcomes, a.Outcome) {
			return fmt.Errorf("%w: outcome must be one of %s", ErrInvalid, strings.Join(Outcomes, ", "))
		}
		if len(a.Outcome) > maxNote {
			return fmt.Errorf("%w: the outcome is longer than %d bytes", ErrInvalid, maxNote)
		}
	case Cancelled:
		if a.Reason != "" && !slices.Contains(CancelReasons, a.Reason) {
			return fmt.Errorf("%w: reason must be one of %s", ErrInvalid, strings.Join(CancelReasons, ", "))
		}
	case Reopened:
		if in.Status == Closed && a.Reason == "" && a.Note == "" {
			return fmt.Errorf("%w: a closed incident is reopened with a reason", ErrInvalid)
		}
	}
	return nil
}

// plain fills in what the interface lets out (INTERFACES section 4 asks only for to, note and version): an acknowledged incident that is
// resolved without an outcome had no unit, and a cancellation without a reason says so instead of guessing one.
func (a Act) plain(in *Incident) Act {
	if a.To == Resolved && a.Outcome == "" && in.Status == Acknowledged {
		a.Outcome = "no_unit_needed"
	}
	if a.To == Cancelled && a.Reason == "" {
		a.Reason = "unspecified"
	}
	return a
}

// enter stamps the new status; first clocks stay, only the last resolve counts.
func (in *Incident) enter(a Act, actor string, at moment.Time) {
	was := in.Status
	in.Version++
	in.UpdatedAt = at
	in.Status = a.To
	first := func(t *moment.Time) {
		if t.IsZero() {
			*t = at
		}
	}
	switch a.To {
	case Acknowledged:
		first(&in.Times.TAck)
		in.Owner = actor
	case Dispatched:
		if was == New { // dispatching acknowledges in the same step (INTERFACES section 2)
			first(&in.Times.TAck)
			in.Owner = actor
		}
		first(&in.Times.TDispatch)
	case OnScene:
		first(&in.Times.TScene)
	case Resolved:
		in.Times.TResolved = at
		in.Outcome, in.ResolvedBy = a.Outcome, actor
	case Closed:
		in.Times.TClosed = at
	case Cancelled:
		in.Outcome = a.Reason
	case Reopened:
		in.Status = Acknowledged
		in.Reopened++
		in.Outcome, in.ResolvedBy = "", ""
		in.Times.TClosed = moment.Time{}
		first(&in.Times.TAck)
	}
	var note []string
	for _, s := range []string{a.Outcome, a.Reason, a.Note} {
		if s != "" {
			note = append(note, s)
		}
	}
	in.Timeline = append(in.Timeline, Entry{At: at, Actor: actor, Act: string(a.To), Note: strings.Join(note, ": ")})
}

// Clone copies an incident and the lists that acts and evidence grow.
func (in *Incident) Clone() Incident {
	out := *in
	out.Support = slices.Clone(in.Support)
	out.Evidence = slices.Clone(in.Evidence)
	out.Timeline = slices.Clone(in.Timeline)
	out.Dispatches = slices.Clone(in.Dispatches)
	out.ExternalRefs = slices.Clone(in.ExternalRefs)
	out.Why.Inputs = slices.Clone(in.Why.Inputs)
	out.Merged = slices.Clone(in.Merged)
	out.Apart = slices.Clone(in.Apart)
	if in.Location != nil {
		l := *in.Location
		out.Location = &l
	}
	return out
}
