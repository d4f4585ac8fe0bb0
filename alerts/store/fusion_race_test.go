package store

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
)

// offeredAs is the one suggestion of a kind that stands.
func (s *Store) offeredAs(t *testing.T, kind fusion.Kind) fusion.Suggestion {
	t.Helper()
	s.fused(t)
	list := s.suggested(t, kind, fusion.Offered)
	if len(list) != 1 {
		t.Fatalf("suggested %+v", list)
	}
	return list[0]
}

// Somebody at intake is faster than somebody at the desk: what was judged since is no evidence of what the suggestion opens, and where nothing
// is left it opens nothing.
func TestWhatWasJudgedMeanwhileIsNotJoined(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		s.mustReports(t, feeds.Meta{}, []feeds.Report{caller("1", "Banjir, air masuk rumah", metres(0), noon), caller("2", "Banjir, air masuk rumah", metres(40), noon.Add(time.Minute))}, Stored, Stored)
		g := s.offeredAs(t, fusion.Open)
		judged := func(id string, as report.As) {
			t.Helper()
			if _, err := s.Triage(t.Context(), id, Judgement{As: as}, anna, func(*incident.Incident) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		judged("lapor:1", report.AsPrank)
		judged("lapor:2", report.AsPrank)
		var late *SuggestionConflict
		if _, err := s.AcceptSuggestion(t.Context(), g.ID, g.Version, "", anna, freely); !errors.As(err, &late) {
			t.Fatalf("two pranks: %v", err)
		}
		if list, _, err := s.Incidents(t.Context(), Query{}); err != nil || len(list) != 0 {
			t.Fatalf("%d incidents, %v", len(list), err)
		}
		if _, err := s.Untriage(t.Context(), "lapor:2", "", anna, func(*incident.Incident) error { return nil }); err != nil {
			t.Fatal(err)
		}
		out, err := s.AcceptSuggestion(t.Context(), g.ID, g.Version, "", anna, freely)
		if err != nil || out.Incident == nil || len(out.Incident.Evidence) != 1 || !out.Incident.Evident("lapor:2") || len(out.Suggestion.Evidence) != 1 {
			t.Errorf("%+v, %v", out.Incident, err)
		}
	})
}

// A suggestion to merge that somebody accepts just after another has resolved the incident that would stay: nothing goes under unseen.
func TestNothingIsMergedIntoWhatIsResolved(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		for i, east := range []float64{0, 150} {
			d := firing([]string{"awlr:1", "awlr:2"}[i], metres(east), noon)
			near, block := *d.Rule, *d.Rule.Incident // the rule is every test's
			block.MergeRadiusM, near.Incident = 20, &block
			d.Rule = &near
			if err := s.Fire(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		g := s.offeredAs(t, fusion.Merge)
		k, err := s.incidentOf(t.Context(), g.Incident)
		if err != nil {
			t.Fatal(err)
		}
		over := k.doc.Clone()
		over.Status = incident.Resolved
		st := s.newStep(c.now())
		if err := errors.Join(s.putIncident(st, k.rev, &over), st.audited(anna, "incident.resolved", "incident:"+over.ID, "", k.doc, over), s.run(t.Context(), st)); err != nil {
			t.Fatal(err)
		}
		var late *Conflict
		if _, err := s.AcceptSuggestion(t.Context(), g.ID, g.Version, "", anna, freely); !errors.As(err, &late) || !errors.Is(err, incident.ErrNotAllowed) {
			t.Errorf("%v", err)
		}
		if other, err := s.Incident(t.Context(), g.Other); err != nil || other.MergedInto != "" || !other.Status.Open() {
			t.Errorf("%+v, %v", other, err)
		}
	})
}

// An alert that came with a merged incident goes with its evidence when that is split off: it tells the part what becomes of it.
func TestAnAlertOfAMergedIncidentGoesWithASplit(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		for i, east := range []float64{0, 5000} {
			if err := s.Fire(t.Context(), firing([]string{"awlr:1", "awlr:2"}[i], metres(east), noon)); err != nil {
				t.Fatal(err)
			}
		}
		list, _, err := s.Incidents(t.Context(), Query{})
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		goes, stays := list[0], list[1]
		moved := goes.Evidence[0].Ref
		_, whole, err := s.Merge(t.Context(), goes.ID, stays.ID, goes.Version, "", anna, func(*incident.Incident, *incident.Incident) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		_, part, err := s.Split(t.Context(), whole.ID, incident.Splitting{Evidence: []string{moved}, Version: whole.Version}, anna, func(*incident.Incident) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		active, err := s.active(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range active {
			if want := map[bool]string{true: part.ID, false: stays.ID}[a.doc.Thing == moved]; a.doc.Incident != want {
				t.Errorf("the alert of %s tells %s, want %s", a.doc.Thing, a.doc.Incident, want)
			}
		}
	})
}

// A suggestion that this server cannot read holds up nobody: the reader begins without it, and the others are made and found.
func TestASuggestionThatCannotBeReadIsPassedOver(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		s.mustReports(t, feeds.Meta{}, []feeds.Report{caller("1", "Kebakaran rumah", metres(0), noon)}, Stored)
		g := s.offeredAs(t, fusion.Open)
		if err := s.rdb.HSet(t.Context(), s.keys.Suggestion("odd"), "rev", "1", "doc", `{"v":9,"weight":"much"}`).Err(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.rdb.SAdd(t.Context(), s.keys.SuggestionsOffered(), "odd").Err(),
			s.rdb.ZAdd(t.Context(), s.keys.Suggestions(), redis.Z{Score: float64(s.now().UnixMilli()), Member: "odd"}).Err()); err != nil {
			t.Fatal(err)
		}
		s.mustReports(t, feeds.Meta{}, []feeds.Report{caller("2", "Kebakaran rumah", metres(30), noon.Add(time.Minute))}, Stored)
		s.fused(t)
		list, err := s.offered(t.Context())
		if err != nil || len(list) != 1 || list[0].ID != g.ID || len(list[0].Evidence) != 2 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
