package scope

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds/cap"
	"kentongan/server/access"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func TestAnIncidentAsAnObject(t *testing.T) {
	in := incident.Incident{Type: "flood", LeadAgency: "bpbd", Support: []string{"pupr"}, AreaName: "Kubung", Severity: cap.Severe, ResolvedBy: "user:a"}
	want := access.Object{Noun: "incident", Agencies: []string{"bpbd", "pupr"}, Area: "Kubung", Type: "flood", Grave: true, By: []string{"user:a"}}
	if got := Incident(&in); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for code, restricted := range map[string]bool{"flood": false, "domestic_violence": true, "corruption_tip": true, "of_a_newer_server": true, "": true} {
		if in.Type = code; Incident(&in).Restricted != restricted {
			t.Errorf("type %q: restricted is %v", code, !restricted)
		}
	}
	for severity, grave := range map[cap.Severity]bool{cap.Extreme: true, cap.Severe: true, cap.Moderate: false, cap.Minor: false, cap.Unknown: false} {
		if in.Severity = severity; Incident(&in).Grave != grave {
			t.Errorf("%s: grave is %v", severity, !grave)
		}
	}
}

func TestASupporterOfALeaderlessIncidentDoesNotLead(t *testing.T) {
	in := incident.Incident{Type: "service_complaint", Support: []string{"dlh"}}
	liaison := access.Subject{ID: "user:a", Grants: []access.Grant{{Role: access.Liaison, Agency: "dlh"}}}
	if d := access.Can(liaison, access.CloseIncident, Incident(&in), noon); d.Level != access.None {
		t.Errorf("a supporter closes what nobody leads: %v", d)
	}
	if d := access.Can(liaison, access.ReadIncidents, Incident(&in), noon); d.Level != access.Full {
		t.Errorf("a supporter does not see it: %v", d)
	}
}

func TestAThingAsAnObject(t *testing.T) {
	asked := 0
	agencyOf := func(feed string) string { asked++; return map[string]string{"ponsel": "damkar"}[feed] }
	for _, c := range []struct {
		id, kind string
		action   access.Action
		agencies []string
		unit     string
	}{
		{"awlr:dev-12", "river_gauge", access.ReadThings, nil, ""},
		{"city:bpbd/trc-1", "unit", access.ReadUnits, []string{"bpbd"}, "bpbd/trc-1"},
		{"ponsel:bpbd/trc-1", "unit", access.ReadUnits, []string{"bpbd"}, "bpbd/trc-1"}, // the name goes before the feed
		{"ponsel:hp-7", "unit", access.ReadUnits, []string{"damkar"}, "hp-7"},
		{"ponsel:/trc-1", "unit", access.ReadUnits, []string{"damkar"}, "/trc-1"},
		{"ponsel:bpbd/", "unit", access.ReadUnits, []string{"damkar"}, "bpbd/"},
		{"lain:hp-7", "unit", access.ReadUnits, nil, "hp-7"},
	} {
		action, o := Thing(c.id, c.kind, agencyOf)
		if action != c.action || !slices.Equal(o.Agencies, c.agencies) || o.Unit != c.unit {
			t.Errorf("%s %s: %s %+v", c.kind, c.id, action, o)
		}
	}
	if asked != 4 {
		t.Errorf("asked for the agency of a feed %d times", asked)
	}
	if _, o := Thing("ponsel:hp-7", "unit", nil); o.Agencies != nil {
		t.Errorf("%+v", o)
	}
}

func TestWhoSeesAUnit(t *testing.T) {
	for name, c := range map[string]struct {
		grant access.Grant
		want  access.Level
	}{
		"dispatcher":            {access.Grant{Role: access.Dispatcher}, access.Full},
		"its liaison":           {access.Grant{Role: access.Liaison, Agency: "bpbd"}, access.Full},
		"another's liaison":     {access.Grant{Role: access.Liaison, Agency: "damkar"}, access.None},
		"a call taker":          {access.Grant{Role: access.CallTaker}, access.None},
		"its crew":              {access.Grant{Role: access.Field, Agency: "bpbd"}, access.Full},
		"the agency's dispatch": {access.Grant{Role: access.Dispatcher, Agency: "damkar"}, access.None},
	} {
		action, o := Thing("city:bpbd/trc-1", "unit", nil)
		if d := access.Can(access.Subject{ID: "user:a", Unit: "bpbd/trc-1", Grants: []access.Grant{c.grant}}, action, o, noon); d.Level != c.want {
			t.Errorf("%s: %v, want %v", name, d, c.want)
		}
	}
}

func TestTheFormOfEachLevel(t *testing.T) {
	in := incident.Incident{ID: "a", Type: "flood", Title: "typed", Why: incident.Why{Person: "user:a"}, Owner: "user:a", Timeline: []incident.Entry{{Note: "words"}}}
	for level, want := range map[access.Level]incident.Incident{access.Full: in, access.Facts: in.Facts(), access.Coarse: in.Coarse()} {
		if got, ok := IncidentAt(level, &in); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v", level, got)
		}
	}
	r := report.Report{ID: "lapor:1", Text: "words"}
	for level, want := range map[access.Level]report.Report{access.Full: r, access.Facts: r.Facts()} {
		if got, ok := ReportAt(level, &r); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v", level, got)
		}
	}
	for _, level := range []access.Level{access.None, -1, access.Full + 1} {
		if got, ok := IncidentAt(level, &in); ok || got.ID != "" {
			t.Errorf("level %d: %+v", level, got)
		}
		if got, ok := ReportAt(level, &r); ok || got.ID != "" {
			t.Errorf("level %d: %+v", level, got)
		}
	}
	if got, ok := ReportAt(access.Coarse, &r); ok || got.ID != "" {
		t.Errorf("a coarse report: %+v", got)
	}
}

func TestAWallHearsNoWordsOfThePublic(t *testing.T) {
	wall := access.Subject{ID: "wall:a", Grants: []access.Grant{{Role: access.Wall}}}
	r := report.Report{ID: "lapor:1", Feed: "lapor", Text: "words"}
	if d := access.Can(wall, access.ReadReports, Report(&r, nil), noon); d.Level != access.None {
		t.Errorf("a wall sees reports: %v", d)
	}
	in := incident.Incident{ID: "a", Type: "flood", LeadAgency: "bpbd", Evidence: []incident.Evidence{{Kind: "report", Ref: "lapor:words", Reason: "words", Text: "words"}, {Kind: "note", Text: "words"}},
		Timeline: []incident.Entry{{Actor: "user:a", Act: "evidence", Note: "words: words"}}, Title: "words", Why: incident.Why{Person: "user:a"}, Outcome: "words"}
	seen, ok := IncidentAt(access.Can(wall, access.ReadIncidents, Incident(&in), noon).Level, &in)
	b, err := json.Marshal(seen)
	if err != nil || !ok || strings.Contains(string(b), "words") {
		t.Errorf("%s %v", b, err)
	}
	in.Type = "domestic_violence"
	if seen, ok := IncidentAt(access.Can(wall, access.ReadIncidents, Incident(&in), noon).Level, &in); ok {
		t.Errorf("a wall sees a restricted type: %+v", seen)
	}
}
