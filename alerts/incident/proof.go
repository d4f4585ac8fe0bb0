package incident

import (
	"errors"
	"slices"
	"time"

	"kentongan/geo/moment"
)

// ProofKind is a way in which it shows that an incident is really over.
type ProofKind string

// The five of them; two of different kinds close an incident.
const (
	UnitInCell   ProofKind = "unit_in_cell"  // a unit that was sent was there: ref is its dispatch
	Photo        ProofKind = "photo"         // taken after the first dispatch: ref is the attachment
	SensorNormal ProofKind = "sensor_normal" // what a rule fired on is normal again: ref is the Thing
	ReporterWord ProofKind = "reporter"      // whoever reported it says so: ref is the report
	SecondAgency ProofKind = "second_agency" // another agency than the one that leads has seen it: ref is its dispatch, or its slug
)

// ProofKinds lists them.
var ProofKinds = []ProofKind{UnitInCell, Photo, SensorNormal, ReporterWord, SecondAgency}

// ProofNeed is how many kinds of proof a closure needs.
const ProofNeed = 2

// Proof is what shows that an incident is over. What was proved before it was opened again proves nothing any more.
type Proof struct {
	Need int      `json:"need"`
	Have []Proven `json:"have"`
}

// Proven is one piece of proof.
type Proven struct {
	Kind ProofKind   `json:"kind"`
	Ref  string      `json:"ref"`
	At   moment.Time `json:"at"`
	By   string      `json:"by,omitempty"` // who says so, where it is somebody's word

	Source string `json:"source,omitempty"` // of a photo: whose word the time is, as in Attachment.TakenBy
}

// ErrUnproven means that less shows that the incident is over than a closure needs: 409.
var ErrUnproven = errors.New("too little shows that it is over")

// Prove notes a piece of proof once; false: it is there already, or older than when the incident was opened again.
func (in *Incident) Prove(p Proven) bool {
	if !p.At.IsZero() && p.At.Before(in.ReopenedAt().Time) {
		return false
	}
	if slices.ContainsFunc(in.Proof.Have, func(o Proven) bool { return o.Kind == p.Kind && o.Ref == p.Ref }) {
		return false
	}
	in.Proof.Have = append(slices.Clone(in.Proof.Have), p)
	return true
}

// ReopenedAt is when the incident was opened again last; zero: never.
func (in *Incident) ReopenedAt() (at moment.Time) {
	for _, e := range in.Timeline {
		if e.Act == string(Reopened) {
			at = e.At
		}
	}
	return at
}

// disprove takes back what an instrument proved, for it fires again.
func (in *Incident) disprove(kind ProofKind, ref string) {
	in.Proof.Have = slices.DeleteFunc(slices.Clone(in.Proof.Have), func(p Proven) bool { return p.Kind == kind && p.Ref == ref })
}

// proofs are the kinds of proof that count for somebody who closes: nobody's own word, nor that of whoever resolved it, and an instrument that is
// normal only where no other that told of the incident still fires.
func (in *Incident) proofs(closer string) []ProofKind {
	var out []ProofKind
	for _, p := range in.Proof.Have {
		word := p.Kind == ReporterWord || p.Kind == SecondAgency
		if slices.Contains(out, p.Kind) || word && p.By != "" && (p.By == closer || p.By == in.ResolvedBy) || p.Kind == SensorNormal && in.fires() {
			continue
		}
		out = append(out, p.Kind)
	}
	return out
}

// fires tells whether some instrument that told of the incident is not normal yet.
func (in *Incident) fires() bool {
	return slices.ContainsFunc(in.Evidence, func(e Evidence) bool {
		return e.Kind == "observation" && e.Rule() != "" && !slices.ContainsFunc(in.Proof.Have, func(p Proven) bool { return p.Kind == SensorNormal && p.Ref == e.Ref })
	})
}

// Unproven lists the kinds of proof that are missing for somebody who closes; empty: there are enough.
func (in *Incident) Unproven(closer string) []ProofKind {
	have := in.proofs(closer)
	if len(have) >= ProofNeed {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(ProofKinds), func(k ProofKind) bool { return slices.Contains(have, k) })
}

// AutoClose is how long after it was resolved a minor incident that nobody disputes closes by itself, where enough shows that it is over
// (domain.md section 5).
const AutoClose = 24 * time.Hour

// closes tells when the incident closes by itself; zero: it does not.
func (in *Incident) closes() moment.Time {
	if in.Status != Resolved || in.Severity != "Minor" || in.Disputed != nil || len(in.Unproven("")) > 0 {
		return moment.Time{}
	}
	return moment.Of(in.Times.TResolved.Add(AutoClose))
}

// Close gives the incident closed by the house; false: it is not for the house to close it now.
func (in *Incident) Close(actor string, now time.Time) (Incident, bool) {
	if at := in.closes(); at.IsZero() || now.Before(at.Time) {
		return Incident{}, false
	}
	out := in.Clone()
	out.enter(Act{To: Closed}, actor, moment.Of(now), moment.Of(now), false)
	return out, true
}

// NextDue is when the clock alone changes something of the incident; zero: never.
func (in *Incident) NextDue() moment.Time {
	next := in.closes()
	if in.OnHold != nil {
		next = earlier(next, in.OnHold.Until)
	}
	if in.Handover != nil && !in.Handover.Late && in.Status.Open() {
		next = earlier(next, in.Handover.Due)
	}
	if in.Status.working() && !in.paused() {
		for _, step := range slaSteps {
			if due := *in.SLA.due(step); !due.IsZero() && in.done(step).IsZero() && !slices.Contains(in.SLA.Missed, step) {
				next = earlier(next, moment.Of(due.Add(time.Millisecond)))
			}
		}
	}
	return next
}
