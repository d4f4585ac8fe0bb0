package alarm

import (
	"strings"
	"testing"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// A call for help is one P1 until it is cleared; silence on scene is P2; an incident to which nobody goes asks for somebody.
func TestUnitsAndTheirIncidentsAsk(t *testing.T) {
	r := newRoom(t, "desk-1")
	lng, lat := 100.63, -0.83
	u := unit.Unit{ID: "bpbd/trc-1", Name: "TRC 1", Panic: &unit.Panic{At: moment.Of(r.now), Lng: &lng, Lat: &lat, Incident: "A"}}
	for range 2 {
		r.Unit(&u, r.now)
		r.pass(time.Second)
	}
	list := r.ofCode(CodePanic)
	if len(list) != 1 || list[0].Priority != P1 || !list[0].Presented || list[0].Incident != "A" || list[0].Location == nil || !strings.Contains(list[0].Event, "TRC 1") {
		t.Fatalf("%+v", list)
	}
	if n := list[0].Names; n["id"] != "TRC 1: DARURAT PERSONEL" || n["en"] != "TRC 1: CREW CALLS FOR HELP" || list[0].Event != n["en"] || list[0].Facts().Names["id"] != n["id"] {
		t.Errorf("it is called %q, in a house that speaks English %q", n, list[0].Event)
	}
	opened := incident.Incident{ID: "A", Number: "SLK-1", Type: "medical", Status: incident.New, Severity: cap.Extreme, Why: incident.Why{Person: "user:a", Unit: u.ID}}
	r.Incident(&opened, r.now)
	r.pass(time.Second)
	if len(r.kept) != 1 {
		t.Errorf("the incident of the call has another alarm: %d", len(r.kept))
	}
	u.Panic, u.RollCallAt = nil, moment.Of(r.now)
	r.Unit(&u, r.now)
	r.pass(time.Second)
	if list := r.ofCode(CodePanic); list[0].Active {
		t.Error("the call was cleared")
	}
	if list := r.ofCode(CodeRollCall); len(list) != 1 || list[0].Priority != P2 || !list[0].Active {
		t.Errorf("%+v", list)
	} else if n := list[0].Names; n["id"] != "TRC 1: tidak ada kabar dari lokasi" || n["en"] != "TRC 1: not heard of on scene" {
		t.Errorf("%q", n)
	}
	for severity, want := range map[cap.Severity]Priority{cap.Extreme: P1, cap.Moderate: P2} {
		in := incident.Incident{ID: "B" + string(severity), Number: "SLK-2", Type: "flood", Status: incident.Acknowledged, Severity: severity, Dispatches: []string{"01J"}, Why: incident.Why{Alert: "x"},
			Timeline: []incident.Entry{{Act: "acknowledged", Note: "no unit is left"}, {Act: "dispatch_declined"}}}
		r.Incident(&in, r.now)
		r.pass(time.Second)
		find := func() Alarm {
			for _, a := range r.ofCode(CodeUnanswered) {
				if a.Incident == in.ID {
					return a
				}
			}
			return Alarm{}
		}
		if a := find(); a.Priority != want || !a.Active || a.Type != "flood" || a.Names["id"] != "SLK-2: tidak ada unit yang berangkat" || a.Names["en"] != "SLK-2: no unit is going" {
			t.Errorf("%s: %+v", severity, a)
		}
		in.Status = incident.Dispatched
		r.Incident(&in, r.now.Add(time.Second))
		r.pass(time.Second)
		if a := find(); a.Active {
			t.Errorf("%s: somebody was sent", severity)
		}
	}
}
