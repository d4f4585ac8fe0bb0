package incident

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Act is what somebody asks an incident to do.
type Act struct {
	To      Status `json:"to"`
	Note    string `json:"note,omitempty"`
	Version int    `json:"version"`           // the version that the actor saw; required
	Outcome string `json:"outcome,omitempty"` // with resolved
	Reason  string `json:"reason,omitempty"`  // with cancelled: one of CancelReasons; with reopened: why

	Cause    string    `json:"cause,omitempty"`    // with resolved
	Victims  *Victims  `json:"victims,omitempty"`  // with resolved
	Override string    `json:"override,omitempty"` // with closed: why it is closed with less proof than is needed
	At       time.Time `json:"at,omitzero"`        // of the act itself, where it is told later; zero: now
	Device   bool      `json:"-"`                  // At is by a crew's device, not by somebody's hand
	Whole    bool      `json:"-"`                  // said at a desk: what is resolved on scene has an outcome, a cause and its victims
}

// skew is how far the clock of whoever acts may be ahead of ours.
const skew = 2 * time.Minute

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
	if in.Abroad() { // kept open until the neighbour has it under a number of its own
		to = slices.DeleteFunc(to, func(s Status) bool { return s == Closed || s == Cancelled })
	}
	if to == nil {
		to = []Status{}
	}
	return to
}

// Apply gives the incident after the act; the incident itself stays as it is. Actor is the subject that acts.
func (in *Incident) Apply(act Act, actor string, at time.Time) (Incident, error) {
	if act.Version <= 0 {
		return Incident{}, fault.In(ErrInvalid, "version", fault.Missing, nil, "is required")
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
	when, err := act.when(in, at)
	if err != nil {
		return Incident{}, err
	}
	if act.To == Closed && act.Override == "" && len(in.Unproven(actor)) > 0 {
		return Incident{}, fmt.Errorf("%w: %d of %d", ErrUnproven, len(in.proofs(actor)), ProofNeed)
	}
	out := in.Clone()
	out.enter(act.plain(in), actor, when, moment.Of(at), !act.At.IsZero() && !act.Device)
	return out, nil
}

// when is the time of the act itself: not ahead of us, not before the incident began, and not before what was done before it.
func (a Act) when(in *Incident, now time.Time) (moment.Time, error) {
	if a.At.IsZero() {
		return moment.Of(now), nil
	}
	at := moment.Of(a.At)
	began := earlier(in.Times.TEvent, in.Times.TSignal)
	switch last := in.last(); {
	case at.After(now.Add(skew)):
		return at, fault.In(ErrInvalid, "at", fault.Late, nil, "%s has not come yet", at)
	case at.Before(began.Time):
		return at, fault.In(ErrInvalid, "at", fault.Early, nil, "%s is before the incident began, %s", at, began)
	case at.Before(last.Time):
		return at, fault.In(ErrInvalid, "at", fault.Early, nil, "%s is before the step before it, %s", at, last)
	}
	return at, nil
}

// last is the newest of the steps that were done.
func (in *Incident) last() (out moment.Time) {
	t := in.Times
	for _, at := range []moment.Time{t.TAck, t.TDispatch, t.TEnroute, t.TScene, t.TResolved, t.TClosed} {
		if at.After(out.Time) {
			out = at
		}
	}
	return out
}

// complete checks the guards of the table in domain.md section 5.
func (a Act) complete(in *Incident) error {
	if err := bounded(maxNote, said{"note", a.Note}, said{"reason", a.Reason}, said{"outcome", a.Outcome}, said{"cause", a.Cause}, said{"override", a.Override}); err != nil {
		return err
	}
	switch a.To {
	case Acknowledged, Dispatched:
		if in.Type == "" || !in.Severity.Valid() {
			field := "severity"
			if in.Type == "" {
				field = "type"
			}
			return fault.In(ErrInvalid, field, fault.Missing, nil, "type and severity must be set")
		}
	case Resolved:
		if in.Status == Acknowledged && a.Outcome != "" && !slices.Contains(Outcomes, a.Outcome) {
			return fault.In(ErrInvalid, "outcome", fault.OneOf, strings.Join(Outcomes, ", "), "must be one of %s", strings.Join(Outcomes, ", "))
		}
		return a.told(in)
	case Cancelled:
		if a.Reason != "" && !slices.Contains(CancelReasons, a.Reason) {
			return fault.In(ErrInvalid, "reason", fault.OneOf, strings.Join(CancelReasons, ", "), "must be one of %s", strings.Join(CancelReasons, ", "))
		}
	case Reopened:
		if in.Status == Closed && a.Reason == "" && a.Note == "" {
			return fault.In(ErrInvalid, "reason", fault.Missing, nil, "a closed incident is reopened with a reason")
		}
	}
	return nil
}

// said is a text by its JSON name.
type said struct{ field, text string }

// bounded checks texts against the most bytes that each may have.
func bounded(most int, texts ...said) error {
	for _, t := range texts {
		if len(t.text) > most {
			return fault.In(ErrInvalid, t.field, fault.Long, most, "longer than %d bytes", most)
		}
	}
	return nil
}

// told checks what is said of an incident that is resolved.
func (a Act) told(in *Incident) error {
	if v := a.Victims; v != nil {
		for _, n := range []int{v.Dead, v.Missing, v.Injured, v.Displaced, v.Affected, v.Households} {
			if n < 0 || n > mostVictims {
				return fault.In(ErrInvalid, "victims", fault.Between, fault.Range{0, mostVictims}, "each number is 0 to %d", mostVictims)
			}
		}
	}
	if !a.Whole || in.Status != OnScene {
		return nil
	}
	var missing []string
	for name, said := range map[string]bool{"outcome": a.Outcome != "", "cause": a.Cause != "", "victims": a.Victims != nil} {
		if !said {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fault.In(ErrInvalid, missing[0], fault.Missing, nil, "%s missing: what is resolved on scene says them; victims may be 0", strings.Join(missing, ", "))
	}
	return nil
}

// mostVictims is more people than live in any place that this is for.
const mostVictims = 50_000_000

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

// enter stamps the new status at the time of the act, which the house heard of now; first clocks stay, only the last resolve counts. Manual tells
// that a person has entered the time.
func (in *Incident) enter(a Act, actor string, at, now moment.Time, manual bool) {
	was, open := in.Status, in.undone()
	in.Version++
	in.UpdatedAt = now
	in.Status = a.To
	first := func(name string, t *moment.Time) {
		if t.IsZero() {
			in.stamp(name, t, at, manual)
		}
	}
	switch a.To {
	case Acknowledged:
		first("t_ack", &in.Times.TAck)
		in.Owner = actor
	case Dispatched:
		if was == New { // dispatching acknowledges in the same step (INTERFACES section 2)
			first("t_ack", &in.Times.TAck)
			in.Owner = actor
		}
		first("t_dispatch", &in.Times.TDispatch)
		in.settle(first)
	case OnScene:
		first("t_scene", &in.Times.TScene)
	case Resolved:
		in.stamp("t_resolved", &in.Times.TResolved, at, manual)
		in.settle(first)
		in.Outcome, in.ResolvedBy, in.Disputed = a.Outcome, actor, nil
		if a.Cause != "" {
			in.Cause = a.Cause
		}
		if a.Victims != nil {
			v := *a.Victims
			in.Victims = &v
		}
	case Closed:
		in.stamp("t_closed", &in.Times.TClosed, at, manual)
		in.Override = a.Override
	case Cancelled:
		in.Outcome = a.Reason
	case Reopened:
		in.Status = Acknowledged
		in.Reopened++
		in.Outcome, in.ResolvedBy, in.Override, in.Proof.Have = "", "", "", []Proven{}
		in.Times.TClosed = moment.Time{}
		first("t_ack", &in.Times.TAck)
	}
	in.stoodStill(open, at)
	if in.OnHold != nil && !in.Status.working() {
		in.goOn(at)
	}
	in.judge(at)
	var note []string
	for _, s := range []string{a.Outcome, a.Reason, a.Override, a.Note} {
		if s != "" {
			note = append(note, s)
		}
	}
	e := Entry{At: at, Actor: actor, Act: string(a.To), Note: strings.Join(note, ": ")}
	if at.Before(now.Time) {
		e.ReceivedAt = now
	}
	in.Timeline = append(in.Timeline, e)
}

// settle stamps the decision on what is watched where an act tells it: a unit is sent, or it is over.
func (in *Incident) settle(first func(name string, t *moment.Time)) {
	if !in.SLA.DecisionDue.IsZero() {
		first("t_decision", &in.Times.TDecision)
	}
}

// Sources of a stamp.
const (
	byClock = "auto"
	byHand  = "manual"
)

// stamp sets a time, and who set it.
func (in *Incident) stamp(name string, t *moment.Time, at moment.Time, manual bool) {
	*t = at
	source := maps.Clone(in.TimesSource)
	if source == nil {
		source = TimesSource{}
	}
	if source[name] = byClock; manual {
		source[name] = byHand
	}
	in.TimesSource = source
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
	out.Checklist = slices.Clone(in.Checklist)
	out.Proof.Have = slices.Clone(in.Proof.Have)
	out.SLA.Missed = slices.Clone(in.SLA.Missed)
	out.TimesSource = maps.Clone(in.TimesSource)
	out.Comments = slices.Clone(in.Comments)
	out.Attachments = slices.Clone(in.Attachments)
	if in.Handover != nil {
		h := *in.Handover
		out.Handover = &h
	}
	if in.Decision != nil {
		d := *in.Decision
		out.Decision = &d
	}
	if in.OnHold != nil {
		h := *in.OnHold
		out.OnHold = &h
	}
	if in.Location != nil {
		l := *in.Location
		out.Location = &l
	}
	return out
}
