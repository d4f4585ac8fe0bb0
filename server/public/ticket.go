package public

import (
	"slices"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/geo/moment"
)

// Ticket is what whoever gave a report may know of it: how far it has come and what shows that it is over. No names, no words of others, no place
// but the kecamatan; of what only named people may see nothing but that it was taken and is over.
type Ticket struct {
	Ticket     string               `json:"ticket"`
	At         moment.Time          `json:"at"`        // when it was given
	Type       *TypeName            `json:"type"`      // null: nobody has said yet
	AreaName   string               `json:"area_name"` // empty: not known
	Steps      []Reached            `json:"steps"`     // those that were taken, in order
	Now        string               `json:"now"`       // code of Stands
	Agencies   []string             `json:"agencies"`  // slugs: who leads, then who helps; for people their names
	Referred   string               `json:"referred"`  // slug, or name: to whom it was handed on; empty: to nobody
	Proof      []incident.ProofKind `json:"proof"`     // what shows that it is over
	Disputable bool                 `json:"disputable"`

	Confirmable bool        `json:"confirmable"` // the word of whoever gave it, that it is over, is still awaited
	Confirmed   moment.Time `json:"confirmed"`   // when they said so; null: they have not since it was said to be done
	Disputed    moment.Time `json:"disputed"`    // null: nobody says that it is not done
	AsOf        moment.Time `json:"as_of"`
}

// TypeName names a type of incident.
type TypeName struct {
	ID string `json:"id"`
	EN string `json:"en"`
}

// Reached is one step on the way, and when it was taken.
type Reached struct {
	Code string      `json:"code"` // received, judged, under_way, on_scene, done, closed
	At   moment.Time `json:"at"`
}

// Stands are where a report may stand for whoever gave it.
var Stands = []string{"received", "judged", "under_way", "on_scene", "done", "closed", "on_hold", "referred", "not_taken"}

// Follow gives the ticket of a report, by the incident that it tells of; nil: of none.
func Follow(code string, r *report.Report, in *incident.Incident, now time.Time) Ticket {
	t := Ticket{Ticket: code, At: r.At, AreaName: r.AreaName, Now: "received", Steps: []Reached{{"received", r.ReceivedAt}}, Agencies: []string{}, Proof: []incident.ProofKind{}, AsOf: moment.Of(now)}
	if r.Triage != nil {
		t.step("judged", r.Triage.At)
	}
	if in == nil || in.Status == incident.Cancelled {
		t.ended(r, in)
		return t
	}
	kind, known := incident.TypeOf(in.Type)
	t.step("judged", in.Times.TAck)
	secret := !known || kind.Restricted
	if !secret {
		t.Type, t.AreaName = &TypeName{kind.ID, kind.EN}, in.AreaName
		t.step("under_way", in.Times.TDispatch)
		t.step("on_scene", in.Times.TScene)
		if in.LeadAgency != "" {
			t.Agencies = append([]string{in.LeadAgency}, in.Support...)
		}
	} else {
		t.AreaName = ""
	}
	if !in.Status.Open() || in.Status == incident.Resolved {
		t.step("done", in.Times.TResolved)
		t.Disputable = in.Disputable(now)
		t.Confirmable, t.Confirmed = in.Awaits(r.ID), in.SaidBy(r.ID)
	}
	if in.Status == incident.Closed {
		t.step("closed", in.Times.TClosed)
		for _, p := range in.Proof.Have {
			if !secret && !slices.Contains(t.Proof, p.Kind) {
				t.Proof = append(t.Proof, p.Kind)
			}
		}
	}
	if in.OnHold != nil && !secret {
		t.Now = "on_hold"
	}
	if d := in.Disputed; d != nil {
		t.Disputed, t.Disputable = d.At, false
	}
	return t
}

// step adds a step that was taken; a second time of the same says nothing new.
func (t *Ticket) step(code string, at moment.Time) {
	if at.IsZero() || slices.ContainsFunc(t.Steps, func(s Reached) bool { return s.Code == code }) {
		return
	}
	t.Steps, t.Now = append(t.Steps, Reached{code, at}), code
}

// ended says what became of a report that is part of no incident.
func (t *Ticket) ended(r *report.Report, in *incident.Incident) {
	switch {
	case r.Triage != nil && r.Triage.As == report.AsReferred:
		t.Now, t.Referred = "referred", r.Triage.Agency
	case r.Triage != nil && !r.Triage.As.Links():
		t.Now = "not_taken"
	case in != nil:
		t.step("closed", in.UpdatedAt)
		t.Now = "not_taken"
	case r.Status == report.Closed:
		t.step("closed", r.ChangedAt)
	}
}
