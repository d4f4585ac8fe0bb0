package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// notesOfAct are the notes of the entries of an act on an incident's timeline.
func notesOfAct(in *incident.Incident, act string) (notes []string) {
	for _, e := range in.Timeline {
		if e.Act == act {
			notes = append(notes, e.Note)
		}
	}
	return notes
}

// What an incident rests on is withdrawn: the rule was changed, a late reading disproves it, the instrument is out of order. The incident says so
// and stays open, and nobody takes the instrument for normal.
func TestAWithdrawnBasisIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(Firing) Firing
		fire bool
		note string
	}{
		"the rule is changed": {func(f Firing) Firing { f.Fire, f.Why, f.Inputs = false, rules.WhyChanged, nil; return f }, false, "rule_changed: muka-air, awlr:1"},
		"a late reading":      {func(f Firing) Firing { f.Fire, f.Withdrawn = false, true; return f }, false, "disproved: muka-air, awlr:1"},
		"the sensor is at fault": {func(f Firing) Firing {
			f.Rule, f.Why = &rules.Rule{ID: rules.FaultRule}, "fault=stuck property=water_level"
			return f
		}, true, "sensor_fault: awlr:1, fault=stuck property=water_level"},
		"it is over, as it seems": {func(f Firing) Firing { f.Fire = false; return f }, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store, _ *clock) {
				f := firing("awlr:1", center, noon)
				if err := s.Fire(t.Context(), f); err != nil {
					t.Fatal(err)
				}
				end := c.end(firing("awlr:1", center, noon.Add(time.Minute)))
				put := s.Clear
				if c.fire {
					put = s.Fire
				}
				for range 2 { // told twice, it is said once
					if err := put(t.Context(), end); err != nil {
						t.Fatal(err)
					}
				}
				in := s.onlyIncident(t)
				if !in.Status.Open() || in.Version != 1 {
					t.Fatalf("%s, version %d", in.Status, in.Version)
				}
				normal := slices.ContainsFunc(in.Proof.Have, func(p incident.Proven) bool { return p.Kind == incident.SensorNormal })
				got := strings.Join(notesOfAct(&in, actWithdrawn), "|")
				if got != c.note || normal != (c.note == "") || (len(notesOfAct(&in, actCleared)) == 1) != (c.note == "") {
					t.Errorf("told %q, normal %t: %+v", got, normal, in.Timeline)
				}
			})
		})
	}
}

// An instrument whose rule opens nothing is evidence of the incident that a person opens on it, and its alert names that incident; another
// crossing of the same instrument does not.
func TestAnObservationsAlertNamesTheIncidentItOpened(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		quiet := flood
		quiet.Incident, quiet.Alert.Event = nil, "Banjir"
		f := firing("awlr:1", center, noon)
		f.Rule = &quiet
		if err := s.Fire(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		other := firing("awlr:1", center, noon.Add(-3*time.Hour))
		rare := quiet
		rare.ID, rare.Alert.Event = "lain", "Tes"
		other.Rule = &rare
		if err := s.Fire(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		s.mustReports(t, feeds.Meta{}, []feeds.Report{caller("1", "Banjir, air masuk rumah", metres(90), noon.Add(time.Minute))}, Stored)
		g := s.offeredAs(t, fusion.Open)
		if !slices.ContainsFunc(g.Evidence, func(p fusion.Piece) bool {
			return p.Kind == "observation" && p.Ref == "awlr:1" && p.At == moment.Of(noon)
		}) {
			t.Fatalf("%+v", g.Evidence)
		}
		out, err := s.AcceptSuggestion(t.Context(), g.ID, g.Version, "", anna, freely)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := s.Alerts(t.Context(), Query{Status: "active"})
		if err != nil || len(list) != 2 {
			t.Fatalf("%d alerts, %v", len(list), err)
		}
		for _, a := range list {
			if (a.Incident == out.Incident.ID) != (a.Rule == quiet.ID) || a.Incident != "" && a.Rule != quiet.ID {
				t.Errorf("alert of %s names %q", a.Rule, a.Incident)
			}
		}
		f.Fire, f.At = false, noon.Add(2*time.Minute)
		if err := s.Clear(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if in := s.onlyIncident(t); len(notesOfAct(&in, actCleared)) != 1 {
			t.Errorf("its incident is not told that it has cleared: %+v", in.Timeline)
		}
	})
}
