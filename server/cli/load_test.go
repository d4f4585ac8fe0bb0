package cli

import (
	"strings"
	"testing"

	"kentongan/server/load"
)

func TestLoadRefusesOtherMachines(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		err  string
	}{
		{[]string{"load", "--url", "http://example.org"}, 1, "--i-own-it"},
		{[]string{"load", "--viewers=-1"}, 1, "viewers"},
		{[]string{"load", "--format", "xml"}, 2, "xml"},
		{[]string{"load", "--bbox", "1,2"}, 1, "bbox"},
		{[]string{"load", "--crossing", "x"}, 1, "crossing"},
		{[]string{"load", "--url", "http://127.0.0.1:1", "--viewers", "1", "--duration", "1s"}, 1, "no viewer could be seated"},
	} {
		if code, _, errOut := run(c.args...); code != c.code || !strings.Contains(errOut, c.err) {
			t.Errorf("%v: code %d, %s", c.args, code, errOut)
		}
	}
}

func TestCrossing(t *testing.T) {
	c, err := crossingOf("water_level=3.4:m:2")
	if want := (load.Crossing{Property: "water_level", Unit: "m", Value: 3.4, Samples: 2}); err != nil || c != want {
		t.Errorf("%+v %v", c, err)
	}
	for _, bad := range []string{"", "a", "a=1", "a=x:m:1", "a=1:m:x", "=1:m:1"} {
		if _, err := crossingOf(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
