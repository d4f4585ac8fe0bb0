package unit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kentongan/geo/moment"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func TestDraftsThatAreNotValid(t *testing.T) {
	known := func(code string) bool { return code == "trc" }
	for name, d := range map[string]Draft{
		"no agency":            {CallSign: "trc-1"},
		"a slash in the sign":  {Agency: "bpbd", CallSign: "trc/1"},
		"an rtl mark":          {Agency: "bpbd", CallSign: "trc\u202e1"},
		"no such capability":   {Agency: "bpbd", CallSign: "trc-1", Capabilities: []string{"fly"}},
		"an endless name":      {Agency: "bpbd", CallSign: "trc-1", Name: strings.Repeat("x", 201)},
		"a post beyond earth":  {Agency: "bpbd", CallSign: "trc-1", Post: &Post{Lat: 91}},
		"a nameless crewwoman": {Agency: "bpbd", CallSign: "trc-1", Crew: []string{" "}},
	} {
		if _, err := d.Unit(known, noon); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	u, err := Draft{Agency: "bpbd", CallSign: "trc-1", Capabilities: []string{"trc"}}.Unit(known, noon)
	if err != nil || u.ID != "bpbd/trc-1" || u.Name != "TRC-1" || u.Status != Available {
		t.Errorf("%v %+v", err, u)
	}
}

func TestAStatusByHand(t *testing.T) {
	dispatch := "01J"
	to := func(s Status) Edit { return Edit{Status: &s, Version: 1} }
	for name, c := range map[string]struct {
		unit Unit
		edit Edit
		want error
	}{
		"out of service":         {Unit{Status: Available, Version: 1}, to(OffDuty), nil},
		"back":                   {Unit{Status: Returning, Version: 1}, to(Available), nil},
		"what derives":           {Unit{Status: Available, Version: 1}, to(EnRoute), ErrInvalid},
		"while it is dispatched": {Unit{Status: EnRoute, Version: 1, Dispatch: &dispatch}, to(OffDuty), ErrNotAllowed},
		"of an older version":    {Unit{Status: Available, Version: 2}, to(OffDuty), ErrStale},
	} {
		out, err := c.unit.Apply(c.edit, nil, noon)
		if !errors.Is(err, c.want) || err == nil && (out.Status != *c.edit.Status || out.Version != 2 || !out.StatusAt.Equal(noon)) {
			t.Errorf("%s: %v %+v", name, err, out)
		}
	}
}

func TestWhoMayBeSent(t *testing.T) {
	for name, c := range map[string]struct {
		unit Unit
		why  string
	}{
		"free":       {Unit{Status: Available}, ""},
		"returning":  {Unit{Status: Returning, ShiftUntil: moment.Of(noon.Add(time.Minute))}, ""},
		"off duty":   {Unit{Status: OffDuty}, "off_duty"},
		"in need":    {Unit{Status: Available, Panic: &Panic{}}, "panic"},
		"shift over": {Unit{Status: Available, ShiftUntil: moment.Of(noon)}, "shift_over"},
	} {
		if why, ok := c.unit.Ready(noon); why != c.why || ok != (c.why == "") {
			t.Errorf("%s: %q %v", name, why, ok)
		}
	}
}
