package report

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		as     As
		state  State
		status Status
	}{
		{AsIncident, Linked, Open}, {AsDuplicate, Linked, Open}, {AsReferred, Referred, Closed}, {AsNotEmergency, Rejected, Closed}, {AsPrank, Rejected, Closed},
	} {
		one := from(said(nil))
		triage := Triage{As: c.as, Note: " kata "}
		if c.as.Links() {
			triage.Incident = "01J"
		}
		got, err := one.Judge(triage, "user:sari", noon)
		if err != nil {
			t.Fatalf("%s: %v", c.as, err)
		}
		if got.State != c.state || got.Status != c.status || got.Revision != one.Revision+1 || got.Triage.By != "user:sari" || got.Triage.Note != "kata" || !got.ChangedAt.Equal(noon) {
			t.Errorf("%s: %+v, %+v", c.as, got, got.Triage)
		}
		if one.Triage != nil || one.State != New {
			t.Errorf("%s changed what it judged", c.as)
		}
		if !got.Repeats(triage, "user:sari") || got.Repeats(triage, "user:budi") {
			t.Errorf("%s: who repeats is wrong", c.as)
		}
		if _, err := got.Judge(Triage{As: AsPrank}, "user:budi", noon); !errors.Is(err, ErrJudged) {
			t.Errorf("%s twice: %v", c.as, err)
		}
		if (got.Incident() != "") != c.as.Links() || got.Standing(noon) != c.as.Links() {
			t.Errorf("%s: of incident %q, standing %t", c.as, got.Incident(), got.Standing(noon))
		}
		back, err := got.Unjudge(noon.Add(Undoable))
		if err != nil || back.State != New || back.Status != Open || back.Triage != nil || back.Revision != 3 {
			t.Errorf("%s taken back: %+v, %v", c.as, back, err)
		}
		if _, err := got.Unjudge(noon.Add(Undoable + time.Second)); !errors.Is(err, ErrJudged) {
			t.Errorf("%s taken back too late: %v", c.as, err)
		}
		if got.Facts().Triage != nil {
			t.Errorf("%s: facts tell who judged, and what they wrote", c.as)
		}
	}
}

func TestFaultyJudgements(t *testing.T) {
	one := from(said(nil))
	for name, c := range map[string]Triage{
		"nothing": {}, "unknown": {As: "joke"}, "which incident": {As: AsDuplicate}, "agency of a prank": {As: AsPrank, Agency: "pupr"},
		"long": {As: AsPrank, Note: strings.Repeat("a", longestNote+1)},
	} {
		if _, err := one.Judge(c, "user:sari", noon); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := one.Unjudge(noon); !errors.Is(err, ErrJudged) {
		t.Errorf("taken back what nobody said: %v", err)
	}
	erased := one.Erase(moment.Of(noon))
	if _, err := erased.Judge(Triage{As: AsPrank}, "user:sari", noon); !errors.Is(err, ErrJudged) {
		t.Errorf("judged what was erased: %v", err)
	}
}

// What a producer says later neither opens a report that we have closed, nor is it lost.
func TestAJudgementOutlivesARevision(t *testing.T) {
	revise := func(r Report, change func(*feeds.Report)) (Report, []string) {
		return r.Revise(From(said(change), feeds.Meta{Feed: "lapor", Agency: "pupr", ReceivedAt: noon.Add(time.Hour)}, func(*geo.Position) string { return "Kubung" }))
	}
	prank, err := from(said(nil)).judged(AsPrank)
	if err != nil {
		t.Fatal(err)
	}
	same, changes := revise(prank, nil)
	if len(changes) != 0 || same.Status != Closed {
		t.Errorf("said again: %v, %+v", changes, same)
	}
	longer, changes := revise(prank, func(r *feeds.Report) { r.Text = "Jembatan putus, sungguh" })
	if !slices.Equal(changes, []string{"text"}) || longer.Status != Closed || longer.State != Rejected || longer.Triage == nil {
		t.Errorf("revised: %v, %+v", changes, longer)
	}
	closed, changes := revise(prank, func(r *feeds.Report) { r.Status = "closed" })
	if !slices.Equal(changes, []string{"status"}) || closed.Triage.Was != Closed || prank.Triage.Was != Open {
		t.Errorf("closed by its producer: %v, %+v", changes, closed.Triage)
	}
	if back, err := closed.Unjudge(noon); err != nil || back.Status != Closed {
		t.Errorf("taken back: %+v, %v", back, err)
	}
}

func (r Report) judged(as As) (Report, error) { return r.Judge(Triage{As: as}, "user:sari", noon) }
