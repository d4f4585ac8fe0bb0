package alarm

import "testing"

// An agency's desk sees what it works and what its units ask for.
func TestWhomAnAlarmConcerns(t *testing.T) {
	for name, c := range map[string]struct {
		a         Alarm
		yes, none string
	}{
		"a type's lead":         {Alarm{Type: "flood"}, "bpbd", "damkar"},
		"a type's support":      {Alarm{Type: "flood"}, "pupr", "dishub"},
		"a unit that calls":     {Alarm{Code: CodePanic, Source: "house:panic/damkar/1"}, "damkar", "bpbd"},
		"a unit that is silent": {Alarm{Code: CodeRollCall, Source: "house:rollcall/bpbd/trc-1"}, "bpbd", "damkar"},
	} {
		if !c.a.Concerns(c.yes) || c.a.Concerns(c.none) {
			t.Errorf("%s: %s %v, %s %v", name, c.yes, c.a.Concerns(c.yes), c.none, c.a.Concerns(c.none))
		}
	}
	for name, a := range map[string]Alarm{"a feed": {Code: CodeFeed, Source: "house:feed/bpbd"}, "a type of a newer server": {Type: "meteor"}, "nothing": {}} {
		if a.Concerns("bpbd") || a.Concerns("") {
			t.Errorf("%s is in an agency's own queue", name)
		}
	}
}
