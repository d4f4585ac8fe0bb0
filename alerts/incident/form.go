package incident

import (
	"maps"
	"slices"
	"strings"

	"kentongan/geo"
)

// Coarse is what others than its own agencies see of an incident: that it is there, of which type, how bad, and in which kecamatan. Every
// field is named here, so that a field that is added later stays out until somebody lets it in.
func (in *Incident) Coarse() Incident {
	out := Incident{
		ID: in.ID, Number: in.Number, Type: in.Type, Title: typeName(in.Type), Severity: in.Severity, Status: in.Status, LeadAgency: in.LeadAgency,
		Cell: coarseCell(in), AreaName: in.AreaName, OpenedAt: in.OpenedAt, UpdatedAt: in.UpdatedAt, SLA: SLA{Class: in.SLA.Class, Missed: []string{}}, Simulated: in.Simulated, Exercise: in.Exercise, Proof: Proof{ProofNeed, []Proven{}},
		Support: []string{}, Why: Why{Inputs: []Input{}}, Evidence: []Evidence{}, Timeline: []Entry{}, Dispatches: []string{}, ExternalRefs: []ExternalRef{},
	}
	if out.Cell != 0 {
		at := out.Cell.Center()
		out.Location = &Location{Lng: at.Lng, Lat: at.Lat}
	}
	return out
}

// coarseCell is the cell of about 5 km² that it lies in; zero where its place is not known.
func coarseCell(in *Incident) geo.Cell {
	if in.Cell != 0 {
		return in.Cell.Parent(geo.ResFrame)
	}
	p, placed := in.Position()
	if !placed {
		return 0
	}
	c, err := geo.CellAt(p, geo.ResThing)
	if err != nil {
		return 0
	}
	return c.Parent(geo.ResFrame)
}

// Facts is an incident without people's own words and without who they are: what a wall, leadership and a program that only reads see.
// Every field is named here, as in Coarse.
func (in *Incident) Facts() Incident {
	out := Incident{
		ID: in.ID, Number: in.Number, Type: in.Type, Title: in.Title, Severity: in.Severity, Status: in.Status, Version: in.Version,
		LeadAgency: in.LeadAgency, Support: append([]string{}, in.Support...), Cell: in.Cell, AreaName: in.AreaName,
		OpenedAt: in.OpenedAt, UpdatedAt: in.UpdatedAt, Times: in.Times, SLA: in.SLA,
		Why:      Why{Rule: in.Why.Rule, Consent: in.Why.Consent, Alert: in.Why.Alert, Person: nobody(in.Why.Person), Inputs: append([]Input{}, in.Why.Inputs...)},
		Evidence: make([]Evidence, 0, len(in.Evidence)), Timeline: make([]Entry, 0, len(in.Timeline)), Dispatches: append([]string{}, in.Dispatches...),
		MergedInto: in.MergedInto, SplitFrom: in.SplitFrom,
		Owner: nobody(in.Owner), Outcome: codeOf(in.Outcome), Reopened: in.Reopened, ResolvedBy: nobody(in.ResolvedBy), Simulated: in.Simulated, Exercise: in.Exercise,
		ExternalRefs: append([]ExternalRef{}, in.ExternalRefs...),
	}
	out.Zone, out.TimesSource, out.Proof = in.Zone, maps.Clone(in.TimesSource), in.Proof.facts()
	out.SLA.Missed = append([]string{}, in.SLA.Missed...)
	if d := in.Decision; d != nil {
		out.Decision = &Decided{As: d.As, By: nobody(d.By), At: d.At}
	}
	if h := in.OnHold; h != nil {
		out.OnHold = &Hold{Reason: h.Reason, Until: h.Until, By: nobody(h.By), At: h.At, Pausable: h.Pausable}
	}
	if h := in.Handover; h != nil {
		out.Handover = &Handover{To: h.To, From: h.From, By: nobody(h.By), At: h.At, Due: h.Due, Late: h.Late}
	}
	if d := in.Disputed; d != nil {
		out.Disputed = &Dispute{At: d.At, By: nobody(d.By)}
	}
	for _, c := range in.Checklist {
		c.By = nobody(c.By)
		out.Checklist = append(out.Checklist, c)
	}
	if in.Location != nil {
		l := *in.Location
		out.Location = &l
	}
	if in.Why.Person != "" || in.Retitled {
		out.Title = typeName(in.Type) // somebody may have typed it
	}
	for _, e := range in.Evidence {
		out.Evidence = append(out.Evidence, e.facts())
	}
	for _, m := range in.Merged {
		m.By = nobody(m.By)
		out.Merged = append(out.Merged, m)
	}
	for _, e := range in.Timeline {
		out.Timeline = append(out.Timeline, Entry{At: e.At, Actor: nobody(e.Actor), Act: e.Act, ReceivedAt: e.ReceivedAt})
	}
	return out
}

// facts keeps which kinds of proof there are, and the instruments that are normal; whose word or picture it is stays out.
func (p Proof) facts() Proof {
	out := Proof{Need: ProofNeed, Have: make([]Proven, 0, len(p.Have))}
	for _, o := range p.Have {
		one := Proven{Kind: o.Kind, At: o.At}
		if o.Kind == SensorNormal {
			one.Ref = o.Ref
		}
		out.Have = append(out.Have, one)
	}
	return out
}

// facts keeps what machines and agencies said. Of all else, reports and notes among it, only stays that it is there.
func (e Evidence) facts() Evidence {
	if e.Kind != "observation" && e.Kind != "alert" {
		return Evidence{Kind: e.Kind, Weight: e.Weight, At: e.At}
	}
	return Evidence{Kind: e.Kind, Ref: e.Ref, Reason: e.Reason, Text: e.Text, Weight: e.Weight, At: e.At}
}

// redacted is who acted where it was a person.
const redacted = "user"

// nobody gives the subject of a machine as it is, and of a person only that it was one.
func nobody(subject string) string {
	kind, _, _ := strings.Cut(subject, ":")
	if subject == "" || slices.Contains([]string{"rule", "feed", "house", "token", "key", "wall"}, kind) {
		return subject
	}
	return redacted
}

// codeOf keeps an outcome that is one of ours; what somebody wrote is words.
func codeOf(outcome string) string {
	if outcome == "unspecified" || slices.Contains(Outcomes, outcome) || slices.Contains(CancelReasons, outcome) {
		return outcome
	}
	return ""
}

// typeName is the name of a type in Indonesian, as titles have it; the code where the table does not know it.
func typeName(code string) string {
	if t, ok := TypeOf(code); ok {
		return t.ID
	}
	return code
}
