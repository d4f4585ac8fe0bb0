package incident

import (
	"errors"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestEveryTypeIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Types {
		if seen[k.Code] || k.ID == "" || k.EN == "" || !k.Severity.Valid() || !slices.Contains([]string{"A", "B", "C", "D", "E"}, k.Class) {
			t.Errorf("%+v", k)
		}
		seen[k.Code] = true
		in, err := Open(Opening{ID: "x", Type: k.Code, Title: "x", At: noon})
		if err != nil || in.Severity != k.Severity || in.LeadAgency != k.Lead || !in.SLA.AckDue.After(noon) || in.Support == nil {
			t.Errorf("%s: %+v, %v", k.Code, in, err)
		}
	}
	due, err := Open(Opening{ID: "x", Type: "flood", At: noon})
	if err != nil || due.SLA.AckDue.Sub(noon) != 3*time.Minute || due.SLA.DispatchDue.Sub(noon) != 5*time.Minute {
		t.Errorf("due: %+v, %v", due.SLA, err)
	}
	if watch, err := Open(Opening{ID: "x", Type: "volcano", At: noon}); err != nil || !watch.SLA.DispatchDue.IsZero() {
		t.Errorf("class E needs no dispatch: %+v, %v", watch.SLA, err)
	}
	if len(Types) != 43 {
		t.Errorf("%d types, the table has 43", len(Types))
	}
}

func TestOnlyAllowedActsApply(t *testing.T) {
	all := []Status{New, Acknowledged, Dispatched, OnScene, Resolved, Closed, Cancelled, Reopened}
	want := map[Status][]Status{
		New: {Acknowledged, Dispatched, Cancelled}, Acknowledged: {Dispatched, Resolved, Cancelled}, Dispatched: {OnScene, Cancelled}, OnScene: {Resolved, Cancelled},
		Resolved: {Closed, Cancelled, Reopened}, Closed: {Reopened}, Cancelled: {},
	}
	for from, allowed := range want {
		for _, to := range all {
			in, err := Open(Opening{ID: "x", Type: "flood", Title: "x", At: noon})
			if err != nil {
				t.Fatal(err)
			}
			in.Status, in.ResolvedBy, in.Times.TClosed.Time = from, "user:other", noon
			in.Prove(Proven{Kind: UnitInCell, Ref: "d"})
			in.Prove(Proven{Kind: Photo, Ref: "p"})
			out, err := in.Apply(Act{To: to, Version: 1, Outcome: "referred", Reason: "test"}, "user:anna", noon.Add(time.Minute))
			if ok := slices.Contains(allowed, to); ok != (err == nil) || !ok && !errors.Is(err, ErrNotAllowed) {
				t.Errorf("%s to %s: %v", from, to, err)
			} else if ok && (out.Version != 2 || len(out.Timeline) != 2 || len(in.Timeline) != 1 || in.Status != from) {
				t.Errorf("%s to %s: version %d, timeline %d, was %s", from, to, out.Version, len(out.Timeline), in.Status)
			}
		}
	}
}

func TestDispatchingANewOneAcknowledgesIt(t *testing.T) {
	in, err := Open(Opening{ID: "x", Type: "flood", At: noon})
	if err != nil {
		t.Fatal(err)
	}
	out, err := in.Apply(Act{To: Dispatched, Version: 1}, "user:anna", noon.Add(time.Minute))
	if err != nil || out.Version != 2 || out.Owner != "user:anna" || !out.Times.TAck.Equal(noon.Add(time.Minute)) || !out.Times.TDispatch.Equal(noon.Add(time.Minute)) {
		t.Errorf("dispatched from new: %+v, %v", out, err)
	}
	next, err := out.Apply(Act{To: OnScene, Version: 2}, "user:budi", noon.Add(2*time.Minute))
	if err != nil || next.Owner != "user:anna" || !next.Times.TAck.Equal(noon.Add(time.Minute)) {
		t.Errorf("on scene: %+v, %v", next, err)
	}
}

func TestVersionIsRequired(t *testing.T) {
	in, err := Open(Opening{ID: "x", Type: "flood", At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Apply(Act{To: Acknowledged}, "a", noon); !errors.Is(err, ErrInvalid) {
		t.Errorf("without a version: %v", err)
	}
	if _, err := in.Apply(Act{To: Acknowledged, Version: 2}, "a", noon); !errors.Is(err, ErrStale) {
		t.Errorf("with a version of the future: %v", err)
	}
}

func TestReopenHasALimit(t *testing.T) {
	in, err := Open(Opening{ID: "x", Type: "flood", At: noon})
	if err != nil {
		t.Fatal(err)
	}
	in.Status, in.Times.TClosed.Time = Closed, noon
	if got := in.Allowed("a", noon.Add(ReopenLimit)); !slices.Equal(got, []Status{Reopened}) {
		t.Errorf("at 30 days: %v", got)
	}
	if got := in.Allowed("a", noon.Add(ReopenLimit+time.Second)); len(got) != 0 {
		t.Errorf("after 30 days: %v", got)
	}
}
