// Package scope is what the nouns are to access: the Object of each, and what is left of it at each Level.
//
// HTTP and the live socket both ask here, so that the same incident is the same object and has the same form on either way. Pure.
package scope

import (
	"strings"

	"kentongan/alerts/alarm"
	"kentongan/alerts/contact"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/figures"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/alerts/unit"
	"kentongan/feeds/cap"
	"kentongan/server/access"
)

// The nouns as Object names them.
const (
	NounIncident   = "incident"
	NounReport     = "report"
	NounUnit       = "unit"
	NounThing      = "thing"
	NounAlarm      = "alarm"
	NounSuggestion = "suggestion"
	NounDispatch   = "dispatch"
	NounCall       = "call"
	NounContact    = "contact"
)

// KindUnit is the kind of a Thing that is a unit's position.
const KindUnit = "unit"

// Incident is an incident as an object. Its lead stands first even where there is none, so that no supporting agency is taken for it.
func Incident(in *incident.Incident) access.Object {
	o := access.Object{Noun: NounIncident, Agencies: append([]string{in.LeadAgency}, in.Support...), Area: in.AreaName, Type: in.Type,
		Status: string(in.Status), Grave: in.Severity == cap.Extreme || in.Severity == cap.Severe, Restricted: restricted(in.Type)}
	if in.ResolvedBy != "" {
		o.By = []string{in.ResolvedBy}
	}
	return o
}

// Case is an incident as figures know it, as an object.
func Case(c *figures.Case) access.Object {
	return access.Object{Noun: NounIncident, Agencies: append([]string{c.Lead}, c.Support...), Area: c.Area, Type: c.Type, Grave: c.Grave(), Restricted: restricted(c.Type)}
}

// restricted tells a type that is for named people only. One that this server does not know is, too: a newer server may have opened it.
func restricted(code string) bool {
	t, ok := incident.TypeOf(code)
	return !ok || t.Restricted
}

// Alarm is an alarm as an object: of no agency, and restricted where its type is.
func Alarm(a *alarm.Alarm) access.Object {
	return access.Object{Noun: NounAlarm, Area: a.AreaName, Type: a.Type, Feed: a.Feed, Restricted: a.Restricted()}
}

// CaseOf is the incident whose words an alarm has, as an object: as far as that is seen, the alarm is. False: it has nobody's words.
func CaseOf(a *alarm.Alarm) (access.Object, bool) {
	if !a.Personal() {
		return access.Object{}, false
	}
	o := access.Object{Noun: NounIncident, Area: a.AreaName, Type: a.Type, Grave: a.Severity == cap.Extreme || a.Severity == cap.Severe, Restricted: restricted(a.Type)}
	if t, ok := incident.TypeOf(a.Type); ok {
		o.Agencies = append([]string{t.Lead}, t.Support...)
	}
	return o, true
}

// Suggestion is a suggestion as an object: of the agencies that work its type.
func Suggestion(g *fusion.Suggestion) access.Object {
	o := access.Object{Noun: NounSuggestion, Area: g.AreaName, Type: g.Type, Restricted: restricted(g.Type)}
	if t, ok := incident.TypeOf(g.Type); ok {
		o.Agencies = append([]string{t.Lead}, t.Support...)
	}
	return o
}

// Unit is a unit as an object: its agency's, and its crew's.
func Unit(u *unit.Unit) access.Object {
	return access.Object{Noun: NounUnit, Agencies: []string{u.Agency}, Unit: u.ID}
}

// Dispatch is a dispatch as an object: its unit's, and restricted where its incident is.
func Dispatch(d *dispatch.Dispatch) access.Object {
	return access.Object{Noun: NounDispatch, Agencies: []string{d.Agency}, Unit: d.Unit, Type: d.Type, Restricted: restricted(d.Type)}
}

// Report is a report as an object. Agencies are whose feed it came by, where the report itself does not say; none: it is the house's own.
func Report(r *report.Report, agencies []string) access.Object {
	if r.Agency != "" {
		agencies = []string{r.Agency}
	}
	o := access.Object{Noun: NounReport, Agencies: agencies, Area: r.AreaName, Feed: r.Feed}
	if r.EnteredBy != "" {
		o.By = []string{r.EnteredBy}
	}
	return o
}

// Contact is a contact as an object: its agency's; of none: the house's own.
func Contact(c *contact.Contact) access.Object {
	o := access.Object{Noun: NounContact}
	if c.Agency != "" {
		o.Agencies = []string{c.Agency}
	}
	return o
}

// Call is a call as an object: of the agency whose exchange told of it; none: it is the house's own.
func Call(c *report.Call) access.Object {
	o := access.Object{Noun: NounCall}
	if c.Agency != "" {
		o.Agencies = []string{c.Agency}
	}
	return o
}

// Thing is a Thing as an object, and the action that reads it: the place of a unit is that of its crew, and belongs to the agency that
// its id names ("<feed>:<agency>/<call sign>"), else to that of its feed. AgencyOf is asked only for such a unit; nil knows none.
func Thing(id, kind string, agencyOf func(feed string) string) (access.Action, access.Object) {
	feed, native, _ := strings.Cut(id, ":")
	if kind != KindUnit {
		return access.ReadThings, access.Object{Noun: NounThing, Feed: feed, Type: kind}
	}
	o := access.Object{Noun: NounUnit, Feed: feed, Unit: native}
	if agency, sign, named := strings.Cut(native, "/"); named && agency != "" && sign != "" {
		o.Agencies = []string{agency}
	} else if agencyOf != nil {
		if agency := agencyOf(feed); agency != "" {
			o.Agencies = []string{agency}
		}
	}
	return access.ReadUnits, o
}

// IncidentAt is what is left of an incident at a level; false: nothing, not even that it is there. The incident itself stays as it is.
func IncidentAt(level access.Level, in *incident.Incident) (incident.Incident, bool) {
	switch level {
	case access.Full:
		return *in, true
	case access.Facts:
		return in.Facts(), true
	case access.Coarse:
		return in.Coarse(), true
	}
	return incident.Incident{}, false
}

// AlarmAt is what is left of an alarm at a level; false: nothing.
func AlarmAt(level access.Level, a *alarm.Alarm) (alarm.Alarm, bool) {
	switch level {
	case access.Full:
		return *a, true
	case access.Facts, access.Coarse:
		return a.Facts(), true
	}
	return alarm.Alarm{}, false
}

// ReportAt is what is left of a report at a level; false: nothing. Below Facts nothing is, for a report is little but people's own words.
func ReportAt(level access.Level, r *report.Report) (report.Report, bool) {
	switch level {
	case access.Full:
		return *r, true
	case access.Facts:
		return r.Facts(), true
	}
	return report.Report{}, false
}

// DispatchAt is what is left of a dispatch at a level; false: nothing.
func DispatchAt(level access.Level, d *dispatch.Dispatch) (dispatch.Dispatch, bool) {
	switch level {
	case access.Full:
		return *d, true
	case access.Facts:
		return d.Facts(), true
	}
	return dispatch.Dispatch{}, false
}
