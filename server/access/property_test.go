package access

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	agencies = []string{"bpbd", "damkar", "pupr"}
	areas    = []string{"Kubung", "Gunung Talang", "Lembang Jaya"}
	open     = []string{"flood", "fire_building"}
	named    = []string{"domestic_violence", "corruption_tip"} // restricted
)

func some(from []string) *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, len(from), rapid.ID[string])
}

// moments are before, at and after the time at which the tests ask; zero is no end.
var moments = rapid.SampledFrom([]time.Time{{}, noon.Add(-time.Hour), noon, noon.Add(time.Second), noon.Add(time.Hour)})

var grants = rapid.Custom(func(t *rapid.T) Grant {
	return Grant{Role: rapid.SampledFrom(Roles()).Draw(t, "role"), Agency: rapid.SampledFrom(append(agencies, "")).Draw(t, "agency"), Areas: some(areas).Draw(t, "areas"),
		Types: some(slices.Concat(open, named)).Draw(t, "types"), Until: moments.Draw(t, "until")}
})

var subjects = rapid.Custom(func(t *rapid.T) Subject {
	return Subject{ID: "user:a", Unit: rapid.SampledFrom([]string{"", "bpbd/trc-1", "damkar/1"}).Draw(t, "unit"), Grants: rapid.SliceOfN(grants, 0, 4).Draw(t, "grants")}
})

var objects = rapid.Custom(func(t *rapid.T) Object {
	o := Object{Noun: rapid.SampledFrom([]string{"", "incident", "report", "unit", "thing", "feed"}).Draw(t, "noun")}
	if o.Noun == "" {
		return o
	}
	o.Agencies = some(agencies).Draw(t, "agencies")
	o.Area = rapid.SampledFrom(append(areas, "")).Draw(t, "area")
	o.Type = rapid.SampledFrom(slices.Concat(open, named)).Draw(t, "type")
	o.Restricted = slices.Contains(named, o.Type)
	o.Status = rapid.SampledFrom([]string{"new", "acknowledged", "dispatched", "on_scene", "resolved", "closed"}).Draw(t, "status")
	o.Grave, o.Fresh = rapid.Bool().Draw(t, "grave"), rapid.Bool().Draw(t, "fresh")
	o.Unit = rapid.SampledFrom([]string{"", "bpbd/trc-1", "damkar/1"}).Draw(t, "unit")
	o.By = some([]string{"user:a", "user:b"}).Draw(t, "by")
	return o
})

var actions = rapid.SampledFrom(Actions())

// keeps tells a grant that takes duties away: whoever configures or audits does not work incidents.
func keeps(g Grant) bool { return g.Role == Admin || g.Role == Auditor }

func TestWithoutAGrantThereIsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, a, o := subjects.Draw(t, "subject"), actions.Draw(t, "action"), objects.Draw(t, "object")
		for i := range s.Grants {
			s.Grants[i].Until = noon
		}
		if d := Can(s, a, o, noon); d.Level != None || d.Reason == "" {
			t.Fatalf("grants that have ended: %+v", d)
		}
		s.Grants = nil
		if d := Can(s, a, o, noon); d.Level != None || d.Reason == "" {
			t.Fatalf("no grant: %+v", d)
		}
	})
}

func TestAGrantNeverTakesAwayButDuties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, a, o, g := subjects.Draw(t, "subject"), actions.Draw(t, "action"), objects.Draw(t, "object"), grants.Draw(t, "more")
		before := Can(s, a, o, noon)
		s.Grants = append(slices.Clone(s.Grants), g)
		after := Can(s, a, o, noon)
		if after.Level < before.Level && !(keeps(g) && operational(a)) {
			t.Fatalf("with %+v in hand: %+v, before %+v", g, after, before)
		}
		slices.Reverse(s.Grants)
		if other := Can(s, a, o, noon); other.Level != after.Level {
			t.Fatalf("the order of grants matters: %+v, %+v", after, other)
		}
	})
}

// narrow gives a grant that reaches less far. An empty list is no bound, so none becomes empty; a restricted type that is named is a gift,
// so none is named; without an agency a liaison has nothing, so it is not taken from nobody.
func narrow(t *rapid.T, g Grant) Grant {
	part := func(list, from []string, label string) []string {
		if len(list) == 0 {
			list = from
		}
		return rapid.SliceOfNDistinct(rapid.SampledFrom(list), 1, len(list), rapid.ID[string]).Draw(t, label)
	}
	switch rapid.SampledFrom([]string{"agency", "areas", "types", "until"}).Draw(t, "narrower in") {
	case "agency":
		if g.Agency == "" && !g.Role.bound() {
			g.Agency = rapid.SampledFrom(agencies).Draw(t, "only")
		}
	case "areas":
		g.Areas = part(g.Areas, areas, "only")
	case "types":
		g.Types = part(g.Types, open, "only")
	case "until":
		end := moments.Draw(t, "ends")
		if !end.IsZero() && (g.Until.IsZero() || end.Before(g.Until)) {
			g.Until = end
		}
	}
	return g
}

func TestANarrowerGrantNeverGivesMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, a, o, g := subjects.Draw(t, "subject"), actions.Draw(t, "action"), objects.Draw(t, "object"), grants.Draw(t, "grant")
		less := narrow(t, g)
		wide, thin := s, s
		wide.Grants, thin.Grants = append(slices.Clone(s.Grants), g), append(slices.Clone(s.Grants), less)
		w, n := Can(wide, a, o, noon), Can(thin, a, o, noon)
		if n.Level > w.Level && !(keeps(g) && operational(a)) {
			t.Fatalf("%+v gives %+v, narrowed to %+v it gives %+v", g, w, less, n)
		}
	})
}

func TestNobodyDoesBothHalvesOfOneAct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := subjects.Draw(t, "subject"), objects.Draw(t, "object")
		s.Whole = rapid.Bool().Draw(t, "whole")
		o.By = append(slices.Clone(o.By), s.ID)
		for _, a := range []Action{CloseIncident, Approve, Witness} {
			if d := Can(s, a, o, noon); d.Level != None || d.Reason == "" {
				t.Fatalf("%s after having done the first half: %+v", a, d)
			}
		}
	})
}

func TestARestrictedTypeIsForWhomItIsNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, a, o := subjects.Draw(t, "subject"), actions.Draw(t, "action"), objects.Draw(t, "object")
		o.Noun, o.Type, o.Restricted = "incident", "domestic_violence", true
		for i, g := range s.Grants {
			s.Grants[i].Types = slices.DeleteFunc(slices.Clone(g.Types), func(code string) bool { return code == o.Type })
		}
		if d := Can(s, a, o, noon); d.Level != None {
			t.Fatalf("%+v", d)
		}
		key := Subject{ID: "key:a", Actions: Actions()}
		if d := Can(key, a, o, noon); d.Level != None {
			t.Fatalf("a key: %+v", d)
		}
	})
}

// What domain.md section 5 says of who may do which transition, in the states in which somebody asks.
func TestWhoMayWhichTransition(t *testing.T) {
	at := func(status string, grave bool, agencies ...string) Object {
		return Object{Noun: "incident", Agencies: agencies, Area: "Kubung", Type: "flood", Status: status, Grave: grave}
	}
	who := map[string]Subject{
		"operator": {ID: "user:o", Grants: []Grant{{Role: Operator}}}, "dispatcher": {ID: "user:d", Grants: []Grant{{Role: Dispatcher}}},
		"supervisor": {ID: "user:s", Grants: []Grant{{Role: Supervisor}}}, "lead": {ID: "user:l", Grants: []Grant{{Role: Liaison, Agency: "bpbd"}}},
		"supporter": {ID: "user:p", Grants: []Grant{{Role: Liaison, Agency: "pupr"}}}, "calltaker": {ID: "user:c", Grants: []Grant{{Role: CallTaker}}},
		"crew": {ID: "user:f", Unit: "bpbd/trc-1", Grants: []Grant{{Role: Field, Agency: "bpbd"}}}, "leader": {ID: "user:b", Grants: []Grant{{Role: Leader}}},
		"pio": {ID: "user:h", Grants: []Grant{{Role: PIO}}}, "wall": {ID: "wall:a", Grants: []Grant{{Role: Wall}}},
		"admin": {ID: "user:a", Grants: []Grant{{Role: Admin}}}, "auditor": {ID: "user:u", Grants: []Grant{{Role: Auditor}}},
	}
	given := func(o Object, unit string) Object { o.Unit = unit; return o }
	for _, c := range []struct {
		name   string
		action Action
		object Object
		may    []string
	}{
		{"acknowledge", AcknowledgeIncident, at("new", false, "bpbd", "pupr"), []string{"operator", "dispatcher", "supervisor", "lead"}},
		{"dispatch", DispatchIncident, at("acknowledged", true, "bpbd", "pupr"), []string{"dispatcher", "supervisor"}},
		{"arrive", ArriveIncident, at("dispatched", true, "bpbd", "pupr"), []string{"dispatcher", "supervisor"}},
		{"arrive, given to the crew", ArriveIncident, given(at("dispatched", true, "bpbd"), "bpbd/trc-1"), []string{"dispatcher", "supervisor", "crew"}},
		{"resolve what needs no unit", ResolveIncident, at("acknowledged", true, "bpbd", "pupr"), []string{"operator", "supervisor"}},
		{"resolve on scene", ResolveIncident, at("on_scene", true, "bpbd", "pupr"), []string{"dispatcher", "supervisor"}},
		{"resolve on scene, minor, the crew's own", ResolveIncident, given(at("on_scene", false, "bpbd"), "bpbd/trc-1"), []string{"dispatcher", "supervisor", "crew"}},
		{"resolve on scene, grave, the crew's own", ResolveIncident, given(at("on_scene", true, "bpbd"), "bpbd/trc-1"), []string{"dispatcher", "supervisor"}},
		{"close", CloseIncident, at("resolved", true, "bpbd", "pupr"), []string{"supervisor", "lead"}},
		{"cancel", CancelIncident, at("new", false, "bpbd", "pupr"), []string{"operator", "supervisor"}},
		{"cancel what is grave", CancelIncident, at("new", true, "bpbd", "pupr"), []string{"supervisor"}},
		{"cancel on scene", CancelIncident, at("on_scene", false, "bpbd", "pupr"), []string{"supervisor"}},
		{"cancel a duplicate", MergeIncident, at("new", false, "bpbd", "pupr"), []string{"operator", "dispatcher", "supervisor"}},
		{"cancel a grave duplicate", MergeIncident, at("new", true, "bpbd", "pupr"), []string{"supervisor"}},
		{"open again", ReopenIncident, at("resolved", true, "bpbd", "pupr"), []string{"dispatcher", "supervisor"}},
		{"open again what is closed", ReopenIncident, at("closed", true, "bpbd", "pupr"), []string{"supervisor"}},
		{"create", CreateIncident, at("", true, "bpbd", "pupr"), []string{"calltaker", "operator", "supervisor"}},
	} {
		for name, s := range who {
			if got, want := Can(s, c.action, c.object, noon), slices.Contains(c.may, name); got.Allowed() != want {
				t.Errorf("%s: %s: %+v, want %v", c.name, name, got, want)
			}
		}
	}
}
