package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// As is what somebody at intake has judged a report to be.
type As string

// The judgements (domain.md section 1, call taker; INTERFACES section 4).
const (
	AsIncident     As = "incident"         // an incident was opened on it
	AsDuplicate    As = "duplicate"        // it tells of an incident that is open
	AsReferred     As = "referred"         // somebody else's to answer: the channel of complaints, an agency's own line
	AsNotEmergency As = "not_an_emergency" // nothing is asked of the house: a question, a call that broke off
	AsPrank        As = "prank"
)

// Judgements lists them.
func Judgements() []As {
	return []As{AsIncident, AsDuplicate, AsReferred, AsNotEmergency, AsPrank}
}

// Links tells a judgement that makes the report evidence of an incident; every other one closes the report.
func (a As) Links() bool { return a == AsIncident || a == AsDuplicate }

// state is where a report stands after a judgement.
func (a As) state() State {
	switch a {
	case AsIncident, AsDuplicate:
		return Linked
	case AsReferred:
		return Referred
	}
	return Rejected
}

// Triage is a judgement that stands.
type Triage struct {
	As       As          `json:"as"`
	Incident string      `json:"incident,omitempty"` // id: that was opened on the report, or that it joined
	Number   string      `json:"number,omitempty"`   // of that incident, for people
	Agency   string      `json:"agency,omitempty"`   // slug: to whom it was referred
	Note     string      `json:"note,omitempty"`
	By       string      `json:"by"` // subject
	At       moment.Time `json:"at"`
	Was      Status      `json:"was"` // what its producer says of it: what is taken back stands so again
}

// Undoable is for how long a judgement can be taken back: as long as domain.md section 5 gives for a duplicate.
const Undoable = 24 * time.Hour

// Faults of triage.
var (
	// ErrInvalid marks a judgement that lacks something, or says what cannot be: 422.
	ErrInvalid = errors.New("the triage is not valid")
	// ErrJudged means that somebody has judged the report already, or that nobody has where a judgement is taken back: 409.
	ErrJudged = errors.New("the report does not stand so")
)

// longestNote of a judgement, in bytes.
const longestNote = 4000

// Judge gives the report as a judgement leaves it. Incident and Number of t are filled in by whoever opens or finds the incident. Errors:
// ErrInvalid, ErrJudged.
func (r *Report) Judge(t Triage, actor string, at time.Time) (Report, error) {
	t.Note, t.Agency = strings.TrimSpace(t.Note), strings.TrimSpace(t.Agency)
	switch {
	case t.As.state() == Rejected && t.As != AsPrank && t.As != AsNotEmergency:
		return Report{}, fault.In(ErrInvalid, "as", fault.OneOf, fault.List(Judgements()), "%.40q is none of %v", t.As, Judgements())
	case t.As.Links() && t.Incident == "":
		return Report{}, fault.In(ErrInvalid, "incident", fault.Missing, nil, "is required: which one the report tells of")
	case t.Agency != "" && t.As != AsReferred:
		return Report{}, fault.In(ErrInvalid, "agency", fault.Unasked, nil, "goes with referred alone")
	case len(t.Note) > longestNote:
		return Report{}, fault.In(ErrInvalid, "note", fault.Long, longestNote, "the note is longer than %d bytes", longestNote)
	case r.Erased:
		return Report{}, fmt.Errorf("%w: its words were erased", ErrJudged)
	case r.Triage != nil:
		return Report{}, fmt.Errorf("%w: it is %s, by %s", ErrJudged, r.Triage.As, r.Triage.By)
	}
	out := *r
	t.By, t.At, t.Was = actor, moment.Of(at), r.Status
	out.Triage, out.State = &t, t.As.state()
	if !t.As.Links() {
		out.Status = Closed
	}
	out.Revision, out.ChangedAt = r.Revision+1, t.At
	return out, nil
}

// Repeats tells whether somebody says once more what they have said already: an answer was lost on the way.
func (r *Report) Repeats(t Triage, actor string) bool {
	return r.Triage != nil && r.Triage.By == actor && r.Triage.As == t.As && (t.As != AsDuplicate || r.Triage.Incident == t.Incident)
}

// Unjudge gives the report as it was before it was judged. Errors: ErrJudged where nobody has, or where that was too long ago.
func (r *Report) Unjudge(at time.Time) (Report, error) {
	switch {
	case r.Erased:
		return Report{}, fmt.Errorf("%w: its words were erased", ErrJudged)
	case r.Triage == nil:
		return Report{}, fmt.Errorf("%w: nobody has judged it", ErrJudged)
	case at.Sub(r.Triage.At.Time) > Undoable:
		return Report{}, fmt.Errorf("%w: it was judged more than %d hours ago; enter it anew", ErrJudged, int(Undoable.Hours()))
	}
	out := *r
	out.State, out.Status, out.Triage = New, r.Triage.Was, nil
	out.Revision, out.ChangedAt = r.Revision+1, moment.Of(at)
	return out, nil
}

// Incident is the incident that the report is evidence of; empty: of none.
func (r *Report) Incident() string {
	if r.Triage == nil || !r.Triage.As.Links() {
		return ""
	}
	return r.Triage.Incident
}

// said is where the producer says that the report stands, whatever we have made of it.
func (r *Report) said() Status {
	if r.Triage != nil {
		return r.Triage.Was
	}
	return r.Status
}

// keep lets our own judgement stand when a producer says something anew.
func (r *Report) keep(next *Report) {
	next.State = r.State
	if r.Triage == nil {
		return
	}
	t := *r.Triage
	t.Was, next.Triage = next.Status, &t
	if !t.As.Links() {
		next.Status = Closed
	}
}
