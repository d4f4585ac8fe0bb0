package alarm

import (
	"fmt"
	"testing"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
)

// A flood of what six agencies say, in a house where nobody sits: nobody has more than ten presentations, what threatens life has a row each,
// nothing is lost, and whoever sits down gets what waits, within what one person can take.
func TestAFloodBeforeAnybodySits(t *testing.T) {
	r := newRoom(t)
	const n = 300
	for i := range n {
		a := alert("", fmt.Sprint("x:", i), cap.Moderate, i, at(-0.9-float64(i%2)/5, 100.7))
		a.Thing, a.Event, a.Sources = "", fmt.Sprint("Event of agency ", i%6), []string{fmt.Sprint("agency-", i%6)}
		if i%50 == 0 {
			a.Severity = cap.Extreme
		}
		r.hear(a)
	}
	r.pass(time.Minute)
	h := r.Health(r.now).House
	if !h.Flood || h.New10m > 10 || h.Raised24h != n || h.Open[P1] != n/50 || r.ofCode(CodeFlood)[0].Count != n {
		t.Errorf("%+v, %+v", h, r.ofCode(CodeFlood))
	}
	r.Desks([]string{"desk-1"}, r.now)
	r.drain()
	for range 9 {
		r.pass(time.Minute)
		f := r.Health(r.now)
		if len(f.Desks) != 1 || f.Desks[0].New10m > 10 {
			t.Fatalf("%+v", f.Desks)
		}
		if row := r.ofCode(CodeFlood); len(row) != 1 || row[0].Count > n {
			t.Fatalf("what waited counts twice: %+v", row)
		}
	}
	if f := r.Health(r.now); !f.Desks[0].Flood || f.Desks[0].Open[P1] != n/50 {
		t.Errorf("%+v", f.Desks)
	}
	// In the end every one of them is in the queue, or behind a row that is.
	for range 24 {
		r.pass(5 * time.Minute)
		for _, k := range r.kept {
			if x := k.Alarm; x.Code == CodeGroup && x.State == Raised {
				r.acknowledges(x)
			}
		}
	}
	lost := 0
	for _, k := range r.kept {
		if x := k.Alarm; x.Code == "" && !x.Presented && (x.Withheld != WithheldGroup || x.State != Acknowledged) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d are not to be found in two hours", lost, n)
	}
}

// What was raised is forgotten after ten minutes, also where there is no flood.
func TestALongCalmKeepsNothing(t *testing.T) {
	r := newRoom(t, "desk-1")
	for i := range 50 {
		r.hear(alert("lamp", fmt.Sprint("l:", i), cap.Minor, i, place))
		r.pass(4 * time.Minute)
	}
	if p := r.planes[0]; len(p.everyone.raised) > 3 || len(p.at("desk-1").raised) > 3 {
		t.Errorf("%d by the house, %d by the desk", len(p.everyone.raised), len(p.at("desk-1").raised))
	}
}

// A source that chatters, clears, and chatters again: one row says it, for as long as either does.
func TestASourceThatChattersAgain(t *testing.T) {
	r := newRoom(t, "desk-1")
	n := 0
	flap := func() {
		for range 4 {
			n++
			a := alert("lamp", "l:1", cap.Minor, n, place)
			r.hear(a)
			r.pass(2 * time.Second)
			if n%4 != 0 {
				r.hear(resolved(a))
				r.pass(2 * time.Second)
			}
		}
	}
	flap()
	first := r.of(alert("lamp", "l:1", cap.Minor, n, place))
	r.hear(resolved(alert("lamp", "l:1", cap.Minor, n, place)))
	r.pass(5 * time.Minute)
	flap()
	second := r.of(alert("lamp", "l:1", cap.Minor, n, place))
	rows := r.ofCode(CodeChattering)
	if second.ID == first.ID || len(rows) != 1 || second.Presented || second.Withheld != WithheldChattering || second.Group != rows[0].ID || rows[0].Worst.Alarm != second.ID {
		t.Fatalf("%+v\n%+v", second, rows)
	}
	r.pass(6 * time.Minute) // the first has been quiet for long enough
	if rows = r.ofCode(CodeChattering); len(rows) != 1 || r.of(alert("lamp", "l:1", cap.Minor, n, place)).Withheld != WithheldChattering {
		t.Errorf("%+v", rows)
	}
	r.pass(5 * time.Minute)
	if x := r.of(alert("lamp", "l:1", cap.Minor, n, place)); len(r.ofCode(CodeChattering)) != 0 || !x.Presented || x.Withheld != "" {
		t.Errorf("%+v", x)
	}
}

// The place of an alarm is the kecamatan it lies in, and its Thing is called by its name beside it.
func TestWhereAnAlarmIs(t *testing.T) {
	r := newRoom(t, "desk-1")
	r.o.Area = func(p geo.Position) string { return map[bool]string{true: "Kubung", false: ""}[p == place] }
	r.Governor = New(r.o)
	a, beyond, agency := alert("water", "g:1", cap.Severe, 1, place), alert("water", "g:2", cap.Severe, 1, at(0, 0.1)), alert("", "", cap.Severe, 1, place)
	a.Area.Properties.Name, beyond.Area.Properties.Name, agency.Area.Properties.Name, agency.Thing = "AWLR Batang Lembang", "AWLR laut", "Kubung, Talang", ""
	r.hear(a)
	r.hear(beyond)
	r.hear(agency)
	for _, c := range []struct {
		got         Alarm
		area, thing string
	}{{r.of(a), "Kubung", "AWLR Batang Lembang"}, {r.of(beyond), "", "AWLR laut"}, {r.of(agency), "Kubung, Talang", ""}} {
		if c.got.AreaName != c.area || c.got.ThingName != c.thing {
			t.Errorf("%q of %q, want %q of %q", c.got.AreaName, c.got.ThingName, c.area, c.thing)
		}
	}
}
