package access

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func TestNothingComesFromNothing(t *testing.T) {
	for _, s := range []Subject{{}, {ID: "user:a"}, {ID: "user:a", Grants: []Grant{{Role: "root"}, {Role: Citizen}, {Role: ""}}}} {
		for _, a := range append(Actions(), "", "incident.fly") {
			if d := Can(s, a, Object{}, noon); d.Level != None || d.Reason == "" {
				t.Errorf("%v may %s: %v", s, a, d)
			}
		}
	}
	if d := Can(Subject{ID: "token:admin", Whole: true}, "incident.fly", Object{}, noon); d.Level != None {
		t.Error("an action that does not exist")
	}
}

func TestDutiesAreParted(t *testing.T) {
	incident := Object{Noun: "incident", Agencies: []string{"bpbd"}, Area: "Kubung", Type: "flood"}
	both := Subject{ID: "user:a", Grants: []Grant{{Role: Dispatcher}, {Role: Admin}}}
	if d := Can(both, DispatchIncident, incident, noon); d.Level != None {
		t.Error("whoever configures dispatches")
	}
	if !Can(both, WriteFeeds, Object{Noun: "feed"}, noon).Allowed() {
		t.Error("an administrator may not configure")
	}
	ended := Subject{ID: "user:a", Grants: []Grant{{Role: Dispatcher}, {Role: Admin, Until: noon}}}
	if !Can(ended, DispatchIncident, incident, noon).Allowed() {
		t.Error("a grant that has ended keeps somebody out")
	}
	closer := Subject{ID: "user:a", Grants: []Grant{{Role: Supervisor}}}
	if !Can(closer, CloseIncident, incident, noon).Allowed() {
		t.Error("a supervisor may not close")
	}
	incident.By = []string{"user:a"}
	for _, s := range []Subject{closer, {ID: "user:a", Whole: true}} {
		if Can(s, CloseIncident, incident, noon).Level != None {
			t.Errorf("%v closes what it resolved", s)
		}
	}
}

func TestTheScopeOfAGrant(t *testing.T) {
	in := Object{Noun: "incident", Agencies: []string{"bpbd", "pupr"}, Area: "Kubung", Type: "flood"}
	for name, c := range map[string]struct {
		grant  Grant
		action Action
		object func(*Object)
		want   Level
	}{
		"own agency leads":               {Grant{Role: Liaison, Agency: "bpbd"}, ReadIncidents, nil, Full},
		"own agency supports":            {Grant{Role: Liaison, Agency: "pupr"}, ReadIncidents, nil, Full},
		"another agency, kecamatan only": {Grant{Role: Liaison, Agency: "dishub"}, ReadIncidents, nil, Coarse},
		"a supporter does not close":     {Grant{Role: Liaison, Agency: "pupr"}, CloseIncident, nil, None},
		"the leading agency closes":      {Grant{Role: Liaison, Agency: "bpbd"}, CloseIncident, nil, Full},
		"a liaison of nobody":            {Grant{Role: Liaison}, ReadIncidents, nil, None},
		"nobody's incident":              {Grant{Role: Liaison, Agency: "bpbd"}, ReadIncidents, func(o *Object) { o.Agencies = nil }, Coarse},
		"another area":                   {Grant{Role: Operator, Areas: []string{"Gunung Talang"}}, ReadIncidents, nil, None},
		"the area":                       {Grant{Role: Operator, Areas: []string{"Gunung Talang", "Kubung"}}, AcknowledgeIncident, nil, Full},
		"another type":                   {Grant{Role: Operator, Types: []string{"fire_building"}}, ReadIncidents, nil, None},
		"restricted, not named":          {Grant{Role: Supervisor}, ReadIncidents, func(o *Object) { o.Type, o.Restricted = "corruption_tip", true }, None},
		"restricted, named":              {Grant{Role: Supervisor, Types: []string{"corruption_tip"}}, ReadIncidents, func(o *Object) { o.Type, o.Restricted = "corruption_tip", true }, Full},
		"a leader, grave":                {Grant{Role: Leader}, ReadIncidents, func(o *Object) { o.Grave = true }, Facts},
		"a leader, not grave":            {Grant{Role: Leader}, ReadIncidents, nil, Coarse},
		"lent for a time that is over":   {Grant{Role: Dispatcher, Until: noon.Add(-time.Second)}, DispatchIncident, nil, None},
	} {
		o := in
		if c.object != nil {
			c.object(&o)
		}
		if got := Can(Subject{ID: "user:a", Grants: []Grant{c.grant}}, c.action, o, noon); got.Level != c.want {
			t.Errorf("%s: %v (%s), want %v", name, got.Level, got.Reason, c.want)
		}
	}
}

func TestAKeyIsBound(t *testing.T) {
	awlr, siren := Object{Noun: "feed", Feed: "awlr", Agencies: []string{"bpbd"}}, Object{Noun: "feed", Feed: "siren", Agencies: []string{"dishub"}}
	for name, c := range map[string]struct {
		s    Subject
		o    Object
		want bool
	}{
		"its feed":                       {Subject{Feed: "awlr"}, awlr, true},
		"another feed":                   {Subject{Feed: "awlr"}, siren, false},
		"its feed, of its agency":        {Subject{Feed: "awlr", Agency: "bpbd"}, awlr, true},
		"its feed, now another agency's": {Subject{Feed: "awlr", Agency: "dishub"}, awlr, false},
		"a feed of its agency":           {Subject{Agency: "dishub"}, siren, true},
		"a feed of another agency":       {Subject{Agency: "dishub"}, awlr, false},
		"a feed of nobody":               {Subject{Agency: "dishub"}, Object{Noun: "feed", Feed: "x"}, false},
	} {
		c.s.ID, c.s.Actions = "key:a", []Action{Ingest}
		if got := Can(c.s, Ingest, c.o, noon); got.Allowed() != c.want {
			t.Errorf("%s: %v (%s)", name, got.Level, got.Reason)
		}
	}
}

// Whoever lets somebody in again must reach as far: a restricted type is reached only by name.
func TestReaches(t *testing.T) {
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	restricted := func(code string) bool { return code == "domestic_violence" }
	for _, c := range []struct {
		name     string
		own, who Grant
		want     bool
	}{
		{"the house and the house", Grant{}, Grant{}, true},
		{"the house and an agency", Grant{}, Grant{Agency: "bpbd", Areas: []string{"Kubung"}}, true},
		{"an agency and the house", Grant{Agency: "bpbd"}, Grant{}, false},
		{"an agency and another", Grant{Agency: "bpbd"}, Grant{Agency: "damkar"}, false},
		{"an area and everywhere", Grant{Areas: []string{"Kubung"}}, Grant{}, false},
		{"two areas and one of them", Grant{Areas: []string{"Kubung", "Talang"}}, Grant{Areas: []string{"Talang"}}, true},
		{"one type and all", Grant{Types: []string{"fire"}}, Grant{}, false},
		{"all and a type", Grant{}, Grant{Types: []string{"fire"}}, true},
		{"all and a restricted type", Grant{}, Grant{Types: []string{"domestic_violence"}}, false},
		{"a restricted type and the same", Grant{Types: []string{"domestic_violence"}}, Grant{Types: []string{"domestic_violence"}}, true},
		{"what is over", Grant{Until: now}, Grant{}, false},
		{"of somebody whose time is over", Grant{Agency: "bpbd"}, Grant{Until: now}, true},
	} {
		if got := (Subject{Grants: []Grant{c.own}}).Reaches([]Grant{c.who}, restricted, now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if !(Subject{Whole: true}).Reaches([]Grant{{Types: []string{"domestic_violence"}}}, restricted, now) {
		t.Error("the admin token reaches everything")
	}
}
