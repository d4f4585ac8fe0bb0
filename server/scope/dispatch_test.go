package scope

import (
	"testing"
	"time"

	"kentongan/alerts/dispatch"
	"kentongan/server/access"
)

// A dispatch to an incident of a restricted type is seen by those who are named for it and by who is sent; the unit that all see names no incident.
func TestADispatchSaysNoMoreThanItsIncident(t *testing.T) {
	grants := map[string]access.Subject{
		"a dispatcher":         {ID: "user:d", Grants: []access.Grant{{Role: access.Dispatcher}}},
		"a named dispatcher":   {ID: "user:n", Grants: []access.Grant{{Role: access.Dispatcher, Types: []string{"domestic_violence"}}}},
		"who is sent":          {ID: "user:c", Unit: "polres/ppa", Grants: []access.Grant{{Role: access.Field, Agency: "polres"}}},
		"the agency's liaison": {ID: "user:l", Grants: []access.Grant{{Role: access.Liaison, Agency: "polres"}}},
		"another crew":         {ID: "user:x", Unit: "polres/2", Grants: []access.Grant{{Role: access.Field, Agency: "polres"}}},
	}
	for _, c := range []struct {
		code, told string
		sees       []string
	}{
		{"domestic_violence", "", []string{"a named dispatcher", "who is sent"}},
		{"flood", "01JD", []string{"a dispatcher", "a named dispatcher", "who is sent", "the agency's liaison"}},
		{"", "", []string{"who is sent"}}, // of a type that this server does not know
	} {
		d := dispatch.Dispatch{Incident: "01JD", Type: c.code, Unit: "polres/ppa", Agency: "polres"}
		if d.Told() != c.told {
			t.Errorf("%q: the unit names incident %q", c.code, d.Told())
		}
		want := map[string]bool{}
		for _, name := range c.sees {
			want[name] = true
		}
		for name, who := range grants {
			if got := access.Can(who, access.ActIncidents, Dispatch(&d), time.Now()).Allowed(); got != want[name] {
				t.Errorf("%q, %s: %v", c.code, name, got)
			}
		}
	}
}
