package mqtt

import "testing"

func TestFilters(t *testing.T) {
	for _, good := range []string{"awlr", "awlr/#", "awlr/+/up", "awlr/+/+/#", "v1.1/Datastreams(5)/Observations", "a//b"} {
		if err := CheckFilter(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "#", "+", "+/up", "/awlr", "$SYS/#", "$share/g/awlr", "awlr/#/up", "awlr/u#", "awlr/+up", "awl+", "awlr/\x00", "awlr/\xff"} {
		if CheckFilter(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"awlr/#", "awlr", true}, {"awlr/#", "awlr/", true}, {"awlr/#", "awlr/1/2", true}, {"awlr/#", "awlrx/1", false}, {"awlr/#", "", false},
		{"awlr/+/up", "awlr/1/up", true}, {"awlr/+/up", "awlr//up", true}, {"awlr/+/up", "awlr/1/2/up", false}, {"awlr/+/up", "awlr/1", false}, {"awlr/+/up", "awlr/1/up/", false},
		{"awlr/+", "awlr", false}, {"awlr/+", "awlr/", true}, {"awlr/+/#", "awlr/1", true}, {"awlr/+/#", "awlr", false}, {"awlr", "awlr", true}, {"awlr", "awlr/1", false},
	} {
		if got := Matches(c.filter, c.topic); got != c.want {
			t.Errorf("%s over %q: %v", c.filter, c.topic, got)
		}
	}
}
