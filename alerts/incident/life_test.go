package incident

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// lived is a flood after some acts of several people.
func lived(t *testing.T, acts ...Act) Incident {
	t.Helper()
	in, err := Open(Opening{ID: "x", Number: "SLK-2026-000001", Type: "flood", At: noon, Terms: Terms{Zone: "town"}, Why: Why{Person: "user:ct"},
		Evidence: []Evidence{{Kind: "report", Ref: "lapor:1"}}, Position: &geo.Position{Lat: -0.83, Lng: 100.63}})
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range acts {
		a.Version = in.Version
		if in, err = in.Apply(a, "user:anna", at(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func TestDuesByClassAndZone(t *testing.T) {
	for _, c := range []struct {
		kind, zone           string
		scene, resolve, want int // minutes; 0: none
	}{
		{"fire_building", "town", 15, 0, 1}, {"fire_building", "remote", 60, 0, 1}, {"flood", "rural", 45, 0, 3}, {"ashfall", "rural", 180, 0, 10},
		{"road_damage", "town", 0, 7 * 24 * 60, 60}, {"volcano", "town", 0, 0, 15}, {"flood", "", 0, 0, 3},
	} {
		in, err := Open(Opening{ID: "x", Type: c.kind, At: noon, Terms: Terms{Zone: c.zone}})
		if err != nil {
			t.Fatal(err)
		}
		due := func(m int) moment.Time {
			if m == 0 {
				return moment.Time{}
			}
			return moment.Of(at(m))
		}
		if in.SLA.SceneDue != due(c.scene) || in.SLA.ResolveDue != due(c.resolve) || in.SLA.AckDue != due(c.want) {
			t.Errorf("%s in %q: %+v", c.kind, c.zone, in.SLA)
		}
	}
	own := Terms{Zone: "town", Service: Service{"B": {Ack: time.Hour}}}
	if in, _ := Open(Opening{ID: "x", Type: "flood", At: noon, Terms: own}); in.SLA.AckDue != moment.Of(at(60)) || !in.SLA.DispatchDue.IsZero() {
		t.Errorf("a site's own table: %+v", in.SLA)
	}
}

func TestWhatIsWatchedIsDecided(t *testing.T) {
	open := func(kind string) Incident {
		in, err := Open(Opening{ID: "x", Type: kind, At: noon})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	watched := open("river_high")
	if watched.SLA.DecisionDue != moment.Of(at(30)) || !watched.SLA.DispatchDue.IsZero() {
		t.Errorf("%+v", watched.SLA)
	}
	late, is := watched.Missing("clock", at(31))
	if !is || !slices.Contains(late.SLA.Missed, StepDecision) {
		t.Errorf("nobody has decided: %+v", late.SLA)
	}
	first, err := watched.Decide(Deciding{As: "watch", Note: "turun", Version: watched.Version}, "user:a", at(10))
	if err != nil || first.Status != Acknowledged || first.Times.TAck != moment.Of(at(10)) || first.Times.TDecision != moment.Of(at(10)) || first.Version != watched.Version+1 || first.Decision.Note != "turun" {
		t.Fatalf("%+v %v", first, err)
	}
	if _, is := first.Missing("clock", at(31)); is {
		t.Error("a decision stops its clock")
	}
	again, err := first.Decide(Deciding{As: "field_check", Version: first.Version}, "user:b", at(20))
	if err != nil || again.Times.TDecision != moment.Of(at(10)) || again.Decision.As != "field_check" || again.Decision.By != "user:b" {
		t.Errorf("the first clock stays, the word is the last one's: %+v %v", again.Decision, err)
	}
	acked, err := watched.Apply(Act{To: Acknowledged, Version: watched.Version}, "user:a", at(5))
	if err != nil {
		t.Fatal(err)
	}
	held, err := acked.Rest(Holding{On: true, Reason: "outside_party", Until: at(90), Version: acked.Version}, "user:a", at(10))
	if err != nil {
		t.Fatal(err)
	}
	resting, err := held.Decide(Deciding{As: "watch", Version: held.Version}, "user:a", at(45))
	if err != nil || len(resting.SLA.Missed) != 0 {
		t.Errorf("decided while the clock stood still: %v %v", resting.SLA.Missed, err)
	}
	gone, err := resting.Rest(Holding{Version: resting.Version}, "user:a", at(60))
	if err != nil || len(gone.SLA.Missed) != 0 {
		t.Errorf("and after it: %v %v", gone.SLA.Missed, err)
	}
	for name, act := range map[string]Act{"a unit is sent": {To: Dispatched}, "it is over": {To: Cancelled, Reason: "test"}} {
		act.Version = watched.Version
		out, err := watched.Apply(act, "user:a", at(40))
		if decided := act.To == Dispatched; err != nil || out.Times.TDecision.IsZero() == decided || slices.Contains(out.SLA.Missed, StepDecision) != decided {
			t.Errorf("%s: %+v %v %v", name, out.Times, out.SLA.Missed, err)
		}
	}
	for name, c := range map[string]struct {
		in   Incident
		d    Deciding
		want error
	}{
		"another word":   {watched, Deciding{As: "later", Version: watched.Version}, ErrInvalid},
		"another state":  {watched, Deciding{As: "watch", Version: watched.Version + 1}, ErrStale},
		"what is worked": {open("flood"), Deciding{As: "watch", Version: 1}, ErrNotAllowed},
	} {
		if _, err := c.in.Decide(c.d, "user:a", at(5)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheTimeOfAnActIsBounded(t *testing.T) {
	in := lived(t, Act{To: Acknowledged})
	for name, c := range map[string]struct {
		at  time.Time
		err error
	}{
		"before it began": {at(-1), ErrInvalid}, "before the step before it": {noon, ErrInvalid}, "ahead": {at(10), ErrInvalid}, "within the slack": {at(6), nil}, "late told": {at(2), nil},
	} {
		if _, err := in.Apply(Act{To: Dispatched, Version: in.Version, At: c.at}, "user:d", at(5)); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	out, err := in.Apply(Act{To: Dispatched, Version: in.Version, At: at(2), Device: true}, "user:d", at(5))
	if last := out.Timeline[len(out.Timeline)-1]; err != nil || out.TimesSource["t_dispatch"] != "auto" || !last.At.Equal(at(2)) || !last.ReceivedAt.Equal(at(5)) {
		t.Errorf("%+v %v", last, err)
	}
}

func TestADeskSaysWhatWasResolvedOnScene(t *testing.T) {
	in := lived(t, Act{To: Dispatched}, Act{To: OnScene})
	for _, a := range []Act{{}, {Outcome: "x", Cause: "y"}, {Outcome: "x", Victims: &Victims{}}, {Outcome: "x", Cause: "y", Victims: &Victims{Dead: -1}}} {
		a.To, a.Whole, a.Version = Resolved, true, in.Version
		if _, err := in.Apply(a, "user:d", at(9)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", a, err)
		}
	}
	out, err := in.Apply(Act{To: Resolved, Whole: true, Outcome: "x", Cause: "y", Victims: &Victims{}, Version: in.Version}, "user:d", at(9))
	if err != nil || out.Victims == nil || out.Cause != "y" {
		t.Errorf("%+v %v", out, err)
	}
	if facts := out.Facts(); facts.Victims != nil || facts.Cause != "" {
		t.Error("victims and cause are told to everybody")
	}
}

// Cheats that a closure must not fall for.
func TestSeededCheatsAreCaught(t *testing.T) {
	resolved := func() Incident {
		t.Helper()
		return lived(t, Act{To: Dispatched}, Act{To: OnScene}, Act{To: Resolved, Outcome: "x"}) // by anna
	}
	prove := func(in *Incident, list ...Proven) Incident {
		for _, p := range list {
			in.Prove(p)
		}
		return *in
	}
	confirm := func(in *Incident, c Confirmation, who string) Incident {
		out, err := in.Confirm(c, who, at(10))
		if err != nil {
			return *in
		}
		return out
	}
	unit, photo := Proven{Kind: UnitInCell, Ref: "d1"}, Proven{Kind: Photo, Ref: "p1"}
	for name, make := range map[string]func(in Incident) Incident{
		"nothing":             func(in Incident) Incident { return in },
		"the same unit twice": func(in Incident) Incident { return prove(&in, unit, unit, Proven{Kind: UnitInCell, Ref: "d2"}) },
		"two photos":          func(in Incident) Incident { return prove(&in, photo, Proven{Kind: Photo, Ref: "p2"}) },
		"the resolver's own word": func(in Incident) Incident {
			in = prove(&in, unit)
			return confirm(&in, Confirmation{Report: "lapor:1"}, "user:anna")
		},
		"the closer's own word": func(in Incident) Incident {
			in = prove(&in, unit)
			return confirm(&in, Confirmation{Report: "lapor:1"}, "user:budi")
		},
		"a report that is none of it": func(in Incident) Incident {
			in = prove(&in, unit)
			return confirm(&in, Confirmation{Report: "lapor:9"}, "user:ct")
		},
		"the lead as second agency": func(in Incident) Incident {
			in = prove(&in, unit)
			return confirm(&in, Confirmation{Agency: "bpbd"}, "user:l")
		},
		"an agency that is not in it": func(in Incident) Incident {
			in = prove(&in, unit)
			return confirm(&in, Confirmation{Agency: "kominfo"}, "user:l")
		},
		"one sensor of two is normal": func(in Incident) Incident {
			in.Evidence = append(in.Evidence, Evidence{Kind: "observation", Ref: "awlr:1", Reason: "rule r"}, Evidence{Kind: "observation", Ref: "awlr:2", Reason: "rule r; near"})
			return prove(&in, unit, Proven{Kind: SensorNormal, Ref: "awlr:1"})
		},
		"what was proved before it was opened again": func(in Incident) Incident {
			in = prove(&in, unit, photo)
			for _, a := range []Act{{To: Reopened}, {To: Resolved, Outcome: "referred"}} {
				a.Version = in.Version
				var err error
				if in, err = in.Apply(a, "user:anna", at(20)); err != nil {
					t.Fatal(err)
				}
			}
			return prove(&in, unit, Proven{Kind: Photo, Ref: "p1", At: moment.Of(at(5))})
		},
	} {
		in := make(resolved())
		if _, err := in.Apply(Act{To: Closed, Version: in.Version}, "user:budi", at(30)); !errors.Is(err, ErrUnproven) {
			t.Errorf("%s: closed with %+v: %v", name, in.Proof.Have, err)
		}
	}
	in := resolved()
	in = prove(&in, unit)
	in = confirm(&in, Confirmation{Report: "lapor:1"}, "user:ct")
	if out, err := in.Apply(Act{To: Closed, Version: in.Version}, "user:budi", at(30)); err != nil || out.Status != Closed {
		t.Errorf("a unit and the reporter's word, entered by a third: %v", err)
	}
}

func TestHoldsHaveReasonsAndAnEnd(t *testing.T) {
	in := lived(t, Act{To: Acknowledged})
	hold := func(in Incident, h Holding, minutes int) (Incident, error) {
		h.Version = in.Version
		return in.Rest(h, "user:d", at(minutes))
	}
	for name, h := range map[string]Holding{"no reason": {On: true, Until: at(60)}, "over": {On: true, Reason: "other", Until: at(1)}, "too long": {On: true, Reason: "other", Until: at(60*24 + 10)}} {
		if _, err := hold(in, h, 2); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := hold(in, Holding{}, 2); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("it does not rest: %v", err)
	}
	// A reason that is not pausable stops no clock.
	idle, err := hold(in, Holding{On: true, Reason: "no_resources", Until: at(60)}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, late := idle.Missing("house:clock", at(10)); !late {
		t.Error("the clocks stand still for want of units")
	}
	// One that is stops them; what was late before stays so; and what ends the work ends the hold.
	late, _ := in.Missing("house:clock", at(6))
	held, err := hold(late, Holding{On: true, Reason: "unsafe_access", Until: at(60)}, 7)
	if err != nil {
		t.Fatal(err)
	}
	out, err := held.Apply(Act{To: Resolved, Outcome: "referred", Version: held.Version}, "user:d", at(17))
	if err != nil || out.OnHold != nil || out.SLA.PausedS != 600 || !slices.Equal(out.SLA.Missed, []string{"dispatch"}) {
		t.Errorf("%+v %v", out.SLA, err)
	}
}

func TestAHousesOwnTableNeedNotNameTheDecision(t *testing.T) {
	own := Terms{Service: Service{"E": {Ack: time.Minute}, "A": {Ack: time.Minute}}}
	if got := own.sla("E", moment.Of(at(0))); got.DecisionDue != moment.Of(at(30)) || got.AckDue != moment.Of(at(1)) {
		t.Errorf("%+v", got)
	}
	if got := own.sla("A", moment.Of(at(0))); !got.DecisionDue.IsZero() {
		t.Errorf("class A is worked, not decided on: %+v", got)
	}
}

func TestWhatIsDoneOnHoldIsJudgedByTheTimeThatRan(t *testing.T) {
	in := lived(t, Act{To: Acknowledged})
	due := int(in.SLA.DispatchDue.Sub(at(0)).Minutes())
	held, err := in.Rest(Holding{On: true, Reason: "unsafe_access", Until: at(due + 60), Version: in.Version}, "user:d", at(2))
	if err != nil {
		t.Fatal(err)
	}
	sent, err := held.Apply(Act{To: Dispatched, Version: held.Version}, "user:d", at(due+10))
	if err != nil || len(sent.SLA.Missed) != 0 {
		t.Errorf("sent while the clocks stood still: %v %v", sent.SLA.Missed, err)
	}
	gone, err := sent.Rest(Holding{Version: sent.Version}, "user:d", at(due+20))
	if err != nil || len(gone.SLA.Missed) != 0 || gone.SLA.SceneDue.Sub(in.SLA.SceneDue.Time) != time.Duration(due+18)*time.Minute {
		t.Errorf("off hold: %+v %v", gone.SLA, err)
	}
	late, err := in.Apply(Act{To: Dispatched, Version: in.Version}, "user:d", at(due+10))
	if err != nil || !slices.Contains(late.SLA.Missed, "dispatch") {
		t.Errorf("without a hold it is late: %v %v", late.SLA.Missed, err)
	}
}

func TestAmendingFollowsTheNewTerms(t *testing.T) {
	terms := func(kind, area string) Terms {
		return Terms{Zone: map[string]string{"Tigo Lurah": "remote"}[area], Checklist: []Check{{Key: "people", ID: kind, EN: kind}}}
	}
	area := func(geo.Position) string { return "Tigo Lurah" }
	in := lived(t, Act{To: Acknowledged})
	in.Checklist = []Check{{Key: "people", Done: true, By: "user:x"}, {Key: "old", Done: true}}
	in.SLA.PausedS = 120
	title := "  Rumah terbakar "
	out, err := in.Amend(Amendment{Title: &title, Type: "fire_building", Severity: cap.Extreme, Position: &geo.Position{Lat: -1.07, Lng: 101.04}, Version: in.Version}, area, terms, "user:op", at(2))
	if err != nil || out.LeadAgency != "damkar" || out.Zone != "remote" || out.SLA.SceneDue != moment.Of(at(62)) || len(out.Checklist) != 1 || !out.Checklist[0].Done || out.Title != "Rumah terbakar" {
		t.Fatalf("%+v %v", out, err)
	}
	if out.Facts().Title != "kebakaran bangunan" {
		t.Error("a typed title is told to the wall")
	}
	if _, err := out.Amend(Amendment{Severity: cap.Extreme, Version: out.Version}, area, terms, "user:op", at(2)); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := in.Amend(Amendment{Severity: cap.Minor, Version: 9}, area, terms, "user:op", at(2)); !errors.Is(err, ErrStale) {
		t.Errorf("stale: %v", err)
	}
	for _, a := range []Amendment{{Type: "dragon"}, {Severity: "Grave"}, {Title: new(string)}} {
		a.Version = in.Version
		if _, err := in.Amend(a, area, terms, "user:op", at(2)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", a, err)
		}
	}
	if _, err := in.Tick("nosuch", true, "user:x", at(3)); !errors.Is(err, ErrInvalid) {
		t.Errorf("%v", err)
	}
	if _, err := in.Tick("people", true, "user:y", at(3)); !errors.Is(err, ErrNothing) {
		t.Errorf("whoever comes second finds it done: %v", err)
	}
}
