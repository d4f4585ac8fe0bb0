package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Dispute is a citizen's word that what is said to be done is not.
type Dispute struct {
	At   moment.Time `json:"at"`
	By   string      `json:"by"`
	Text string      `json:"text"`
}

// maxWord is how long a citizen's word may be, in bytes.
const maxWord = 2000

// Contesting is somebody's word that an incident is not over.
type Contesting struct {
	Report string // id of the report whose reporter says so, where that is known: what the same reporter said before counts no more
	Text   string
}

// Contest gives the incident with a dispute of what was resolved or closed; accepted it is opened again in the same step (domain.md section 5:
// resolved by a dispatcher, closed within 30 days by a supervisor). A dispute that nobody has accepted yet keeps the incident from closing by
// itself. Errors: ErrInvalid, ErrNotAllowed.
func (in *Incident) Contest(c Contesting, accept bool, actor string, at time.Time) (Incident, error) {
	text := strings.TrimSpace(c.Text)
	switch {
	case text == "" || len(text) > maxWord:
		return Incident{}, fault.In(ErrInvalid, "text", fault.Between, fault.Range{1, maxWord}, "what is not done, in at most %d bytes", maxWord)
	case !in.Disputable(at):
		return Incident{}, fmt.Errorf("%w: what is %s is not disputed", ErrNotAllowed, in.Status)
	}
	out := in.Clone()
	out.Disputed = &Dispute{At: moment.Of(at), By: actor, Text: text}
	if c.Report != "" {
		out.disprove(ReporterWord, c.Report)
	}
	out.note(actor, "disputed", text, "", moment.Of(at))
	if accept {
		out.enter(Act{To: Reopened, Reason: "disputed"}, actor, moment.Of(at), moment.Of(at), false)
	}
	return out, nil
}

// Disputable tells whether somebody may say now that it is not done.
func (in *Incident) Disputable(at time.Time) bool {
	return in.Status == Resolved || in.Status == Closed && at.Sub(in.Times.TClosed.Time) <= ReopenLimit
}

// Awaits tells whether the word of a report's reporter that it is over is still awaited: it is said to be done, nobody has closed it or said that it
// is not, and this reporter has said nothing since.
func (in *Incident) Awaits(report string) bool {
	return in.Status == Resolved && in.Disputed == nil && in.SaidBy(report).IsZero()
}

// SaidBy is when the reporter of a report said that the incident is over; zero: not since it was opened last.
func (in *Incident) SaidBy(report string) (at moment.Time) {
	for _, p := range in.Proof.Have {
		if p.Kind == ReporterWord && p.Ref == report {
			at = p.At
		}
	}
	return at
}

// Confirmation is somebody's word that an incident is over.
type Confirmation struct {
	Report string // id of the report whose reporter says so; empty: Agency says so
	Agency string // of whoever enters it
	Text   string
}

// Confirm gives the incident with a reporter's or a second agency's word that it is over. The report must be evidence of it; the agency another
// than the one that leads, and one that works it. Errors: ErrInvalid, ErrNotAllowed, ErrNothing.
func (in *Incident) Confirm(c Confirmation, actor string, at time.Time) (Incident, error) {
	if len(c.Text) > maxWord {
		return Incident{}, fault.In(ErrInvalid, "text", fault.Long, maxWord, "is longer than %d bytes", maxWord)
	}
	if in.Status != OnScene && in.Status != Resolved && in.Status != Acknowledged && in.Status != Dispatched {
		return Incident{}, fmt.Errorf("%w: what is %s is not confirmed to be over", ErrNotAllowed, in.Status)
	}
	p := Proven{Kind: ReporterWord, Ref: c.Report, At: moment.Of(at), By: actor}
	switch {
	case c.Report != "" && !slices.ContainsFunc(in.Evidence, func(e Evidence) bool { return e.Kind == "report" && e.Ref == c.Report }):
		return Incident{}, fault.In(ErrInvalid, "report", fault.Unknown, nil, "%.80q is no evidence of this incident", c.Report)
	case c.Report == "" && (c.Agency == "" || c.Agency == in.LeadAgency || !slices.Contains(in.Support, c.Agency)):
		return Incident{}, fault.In(ErrInvalid, "report", fault.Missing, nil, "is missing, and you do not speak for an agency that supports the one that leads")
	case c.Report == "":
		p.Kind, p.Ref = SecondAgency, c.Agency
	}
	out := in.Clone()
	if !out.Prove(p) {
		return Incident{}, ErrNothing
	}
	out.note(actor, "confirmed", string(p.Kind), c.Text, moment.Of(at))
	return out, nil
}
