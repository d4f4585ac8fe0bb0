package store

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
)

func whoever(*incident.Incident) error { return nil }

func (s *Store) called(t *testing.T, text string) report.Report {
	t.Helper()
	r, _, err := s.EnterReport(t.Context(), caller("", text, center, noon), "", anna)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *Store) mustTriage(t *testing.T, id string, j Judgement, who audit.Actor) Judged {
	t.Helper()
	out, err := s.Triage(t.Context(), id, j, who, whoever)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTriageOpensAnIncident(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		r := s.called(t, "Banjir di simpang")
		c.add(time.Minute)
		out := s.mustTriage(t, r.ID, Judgement{As: report.AsIncident, Type: "flood", Note: "setinggi lutut"}, anna)
		in := out.Incident
		if in.Status != incident.New || in.Number == "" || !in.Evident(r.ID) || !in.Times.TSignal.Equal(noon) || in.Location == nil || in.Evidence[0].Text != "call" || in.Why.Person != anna.Subject {
			t.Errorf("opened %+v", in)
		}
		if out.Report.State != report.Linked || out.Report.Status != report.Open || out.Report.Triage.Incident != in.ID || out.Report.Triage.Number != in.Number {
			t.Errorf("the report is %+v", out.Report)
		}
		again := s.mustTriage(t, r.ID, Judgement{As: report.AsIncident, Type: "flood"}, anna)
		if again.Incident.ID != in.ID || again.Report.Revision != 2 {
			t.Errorf("said again it is %+v", again)
		}
		s.mustIncidents(t, Query{}, 1)
		if got := acts(t, s, "report:"+r.ID); !slices.Equal(got, []string{"report.incident", "report.entered"}) && !slices.Equal(got, []string{"report.entered", "report.incident"}) {
			t.Errorf("audit of the report %v", got)
		}
		// It rests on the report alone: who wants it back cancels first.
		var late *ReportConflict
		if _, err := s.Untriage(t.Context(), r.ID, "", anna, whoever); !errors.As(err, &late) || late.Current.Revision != 2 {
			t.Errorf("taken back: %v", err)
		}
		if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Cancelled, Reason: "false", Version: in.Version}, anna); err != nil {
			t.Fatal(err)
		}
		back, err := s.Untriage(t.Context(), r.ID, "salah tekan", anna, whoever)
		if err != nil || back.Report.State != report.New || back.Report.Triage != nil || back.Incident != nil {
			t.Errorf("taken back %+v, %v", back, err)
		}
	})
}

func TestTriageJoinsAnIncident(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		in, r := flooded(t, s), s.called(t, "Air masuk rumah")
		out := s.mustTriage(t, r.ID, Judgement{As: report.AsDuplicate, Incident: in.ID}, budi)
		if !out.Incident.Evident(r.ID) || out.Incident.Version != in.Version || out.Report.State != report.Linked {
			t.Errorf("joined %+v", out)
		}
		c.add(time.Hour)
		back, err := s.Untriage(t.Context(), r.ID, "", anna, whoever)
		if err != nil || back.Incident.Evident(r.ID) || !slices.Contains(back.Incident.Apart, r.ID) || back.Report.State != report.New {
			t.Errorf("parted %+v, %v", back, err)
		}
		sim, _, err := s.EnterReport(t.Context(), caller("", "Latihan banjir", center, noon), "", anna)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			j    Judgement
			want error
		}{
			{Judgement{As: report.AsDuplicate}, report.ErrInvalid}, {Judgement{As: report.AsDuplicate, Incident: "01NOSUCH"}, ErrNotFound},
			{Judgement{As: report.AsIncident, Type: "flut"}, incident.ErrInvalid}, {Judgement{As: "joke"}, report.ErrInvalid},
		} {
			if _, err := s.Triage(t.Context(), sim.ID, c.j, anna, whoever); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v, want %v", c.j, err, c.want)
			}
		}
		no := errors.New("not yours")
		if _, err := s.Triage(t.Context(), sim.ID, Judgement{As: report.AsDuplicate, Incident: in.ID}, anna, func(*incident.Incident) error { return no }); !errors.Is(err, no) {
			t.Errorf("refused: %v", err)
		}
		if one, err := s.Report(t.Context(), sim.ID); err != nil || one.State != report.New {
			t.Errorf("what was refused changed the report: %+v, %v", one, err)
		}
		if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Cancelled, Reason: "false", Version: back.Incident.Version}, anna); err != nil {
			t.Fatal(err)
		}
		var late *Conflict
		if _, err := s.Triage(t.Context(), sim.ID, Judgement{As: report.AsDuplicate, Incident: in.ID}, anna, whoever); !errors.As(err, &late) {
			t.Errorf("joined what is over: %v", err)
		}
	})
}

func TestTriageClosesAReport(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		for _, as := range []report.As{report.AsPrank, report.AsNotEmergency, report.AsReferred} {
			r := s.called(t, string(as))
			out := s.mustTriage(t, r.ID, Judgement{As: as}, anna)
			if out.Report.Status != report.Closed || out.Incident != nil {
				t.Errorf("%s: %+v", as, out)
			}
			open, _, err := s.standingReports(t.Context(), noon)
			if err != nil || slices.ContainsFunc(open, func(o report.Report) bool { return o.ID == r.ID }) {
				t.Errorf("%s stands: %v", as, err)
			}
			if _, err := s.Untriage(t.Context(), r.ID, "", budi, whoever); err != nil {
				t.Errorf("%s taken back: %v", as, err)
			}
			if open, _, err = s.standingReports(t.Context(), noon); err != nil || !slices.ContainsFunc(open, func(o report.Report) bool { return o.ID == r.ID }) {
				t.Errorf("%s taken back does not stand: %v", as, err)
			}
			if got := told(t, s, "report", r.ID, func(r report.Report) string { return string(r.State) }); len(got) != 3 || got[0] != "new" || got[2] != "new" {
				t.Errorf("%s: screens were told %v", as, got)
			}
		}
	})
}

// Of many who judge one report at once one wins, and what the others wanted has not happened.
func TestTwoCallTakersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		r := s.called(t, "Banjir")
		var wg sync.WaitGroup
		var mu sync.Mutex
		won, lost := 0, 0
		for i := range 8 {
			wg.Go(func() {
				who := audit.Actor{Subject: "user:" + string(rune('a'+i))}
				_, err := s.Triage(t.Context(), r.ID, Judgement{As: report.AsIncident, Type: "flood"}, who, whoever)
				var late *ReportConflict
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case errors.As(err, &late) && late.Current.Triage != nil && late.Current.Triage.By != who.Subject:
					lost++
				default:
					t.Errorf("%s: %v", who.Subject, err)
				}
			})
		}
		wg.Wait()
		if won != 1 || lost != 7 {
			t.Errorf("%d won, %d lost", won, lost)
		}
		s.mustIncidents(t, Query{}, 1)
	})
}

// What a person has triaged is suggested to nobody any more.
func TestTriageSettlesSuggestions(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		s.mustReports(t, feeds.Meta{}, []feeds.Report{caller("1", "Kebakaran rumah", center, noon)}, Stored)
		s.fused(t)
		if got := s.suggested(t, fusion.Open, fusion.Offered); len(got) != 1 {
			t.Fatalf("suggested %+v", got)
		}
		s.mustTriage(t, "lapor:1", Judgement{As: report.AsIncident, Type: "fire_building"}, anna)
		s.fused(t)
		if got := s.suggested(t, "", fusion.Offered); len(got) != 0 {
			t.Errorf("still suggested %+v", got)
		}
	})
}
