package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Amendment is what a person corrects of an incident. Nil and empty members stay as they are.
type Amendment struct {
	Title    *string
	Type     string
	Severity cap.Severity
	Position *geo.Position
	External *[]ExternalRef // all of them, in place of those that are there
	Version  int            // as the actor saw it; required
}

// Amend gives the incident corrected, by the terms of its type in its place after that. Another type brings its own agencies, class of service and
// checklist; what was done stays done. Errors: ErrInvalid, ErrStale, ErrNotAllowed, ErrNothing.
func (in *Incident) Amend(a Amendment, area func(geo.Position) string, terms func(kind, area string) Terms, actor string, at time.Time) (Incident, error) {
	if err := in.touchable(a.Version, ""); err != nil {
		return Incident{}, err
	}
	if a.Severity != "" && !a.Severity.Valid() {
		return Incident{}, fault.In(ErrInvalid, "severity", fault.OneOf, cap.Severities, "%.20q is not one of CAP's", a.Severity)
	}
	out := in.Clone()
	var said []string
	if a.Title != nil {
		title := strings.TrimSpace(*a.Title)
		if title == "" || len(title) > 200 {
			return Incident{}, fault.In(ErrInvalid, "title", fault.Between, fault.Range{1, 200}, "1 to 200 bytes")
		}
		if title != in.Title {
			out.Title, out.Retitled = title, true
			said = append(said, "title")
		}
	}
	if a.Severity != "" && a.Severity != in.Severity {
		out.Severity = a.Severity
		said = append(said, fmt.Sprintf("severity %s to %s", in.Severity, a.Severity))
	}
	if a.Position != nil {
		p, placed := in.Position()
		if !placed || p != *a.Position {
			if err := out.place(*a.Position); err != nil {
				return Incident{}, err
			}
			out.AreaName = area(*a.Position)
			said = append(said, "place")
		}
	}
	if a.Type != "" && a.Type != in.Type {
		t, known := TypeOf(a.Type)
		if !known {
			return Incident{}, fault.In(ErrInvalid, "type", fault.Unknown, nil, "%.60q is none of %s", a.Type, Codes())
		}
		out.Type, out.LeadAgency, out.Support = t.Code, t.Lead, append([]string{}, t.Support...)
		said = append(said, fmt.Sprintf("type %s to %s", in.Type, t.Code))
	}
	if a.External != nil {
		refs, err := References(*a.External)
		if err != nil {
			return Incident{}, err
		}
		if !slices.Equal(refs, in.ExternalRefs) {
			out.ExternalRefs = refs
			said = append(said, strings.TrimSpace("external_refs "+spoken(refs)))
		}
	}
	if len(said) == 0 {
		return Incident{}, ErrNothing
	}
	if out.Type != in.Type || out.AreaName != in.AreaName {
		out.follow(terms(out.Type, out.AreaName), out.Type != in.Type, moment.Of(at))
	}
	out.note(actor, "edited", strings.Join(said, "; "), "", moment.Of(at))
	return out, nil
}

// place puts the incident somewhere.
func (in *Incident) place(p geo.Position) error {
	cell, err := geo.CellAt(p, geo.ResThing)
	if err != nil {
		return fault.In(ErrInvalid, "lng", fault.Outside, nil, "%v", err)
	}
	in.Location, in.Cell = &Location{Lng: p.Lng, Lat: p.Lat}, cell
	return nil
}

// follow takes other terms over. The clocks go on from the first signal, with the time that they stood still; what is no longer late is no
// longer missed.
func (in *Incident) follow(t Terms, retyped bool, at moment.Time) {
	class := in.SLA.Class
	if retyped {
		kind, _ := TypeOf(in.Type)
		class = kind.Class
		in.Checklist = listed(t.Checklist, in.Checklist)
	}
	in.Zone = t.Zone
	was := in.SLA
	in.SLA = t.sla(class, in.Times.TSignal)
	in.SLA.PausedS = was.PausedS
	in.SLA.shift(time.Duration(was.PausedS*float64(time.Second)), func(string) moment.Time { return moment.Time{} })
	if in.paused() { // as it stood when the clocks were stopped
		at = in.OnHold.At
	}
	for _, step := range was.Missed {
		if due := *in.SLA.due(step); !due.IsZero() && at.After(due.Time) {
			in.SLA.Missed = append(in.SLA.Missed, step)
		}
	}
	in.judge(at)
}
