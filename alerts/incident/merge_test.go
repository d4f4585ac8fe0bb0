package incident

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kentongan/geo/moment"
)

var six = time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC)

func opened(t testing.TB, id string, minute int, refs ...string) Incident {
	t.Helper()
	at := six.Add(time.Duration(minute) * time.Minute)
	o := Opening{ID: id, Number: "SLK-2026-" + id, Type: "flood", Title: id, At: at, EventAt: moment.Of(at.Add(-time.Minute)), SignalAt: moment.Of(at), Actor: "rule:x"}
	for _, r := range refs {
		o.Evidence = append(o.Evidence, Evidence{Kind: "observation", Ref: r, Reason: "rule x", Weight: 1, At: moment.Of(at)})
	}
	in, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// kept is what a merge that is taken back must leave as it was: all but version, timeline, the time of the last change, and that a person has said they are two.
func kept(in Incident) Incident {
	in.Version, in.Timeline, in.UpdatedAt, in.Owner, in.Apart = 0, nil, moment.Time{}, "", nil
	if len(in.Merged) == 0 {
		in.Merged = nil
	}
	slices.SortFunc(in.Evidence, func(a, b Evidence) int { return int(a.At.Sub(b.At.Time)) })
	return in
}

func TestAMergeIsTakenBackExactly(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := map[string]Incident{}
		var ids []string
		for i := range 5 {
			id := fmt.Sprint(i)
			in := opened(t, id, rapid.IntRange(0, 60).Draw(r, "minute"), "a"+id, "b"+id)
			in.Dispatches = []string{"d" + id}
			if rapid.Bool().Draw(r, "sent") {
				in.Times.TDispatch = moment.Of(six)
			}
			for n := range rapid.IntRange(0, 2).Draw(r, "photos") {
				var err error
				if in, _, err = in.Enclose(Attachment{ID: fmt.Sprint("p", id, n), Kind: "photo", SHA256: fmt.Sprint(n), TakenAt: moment.Of(six), By: "user:a"}, six); err != nil {
					r.Fatal(err)
				}
			}
			if rapid.Bool().Draw(r, "acknowledged") {
				var err error
				if in, err = in.Apply(Act{To: Acknowledged, Version: in.Version}, "user:a", six); err != nil {
					r.Fatal(err)
				}
			}
			all[id], ids = in, append(ids, id)
		}
		before := map[string]Incident{}
		for id, in := range all {
			before[id] = kept(in.Clone())
		}
		now := six.Add(2 * time.Hour)
		for range rapid.IntRange(1, 12).Draw(r, "acts") {
			in, into := all[rapid.SampledFrom(ids).Draw(r, "in")], all[rapid.SampledFrom(ids).Draw(r, "into")]
			if in.MergedInto != "" {
				from := all[in.MergedInto]
				back, stays, err := Unmerge(&in, &from, in.Version, "", "user:a", now)
				if err != nil {
					if errors.Is(err, ErrNotAllowed) && !from.Status.Open() {
						continue
					}
					r.Fatal(err)
				}
				all[in.ID], all[from.ID] = back, stays
				continue
			}
			gone, stays, err := Merge(&in, &into, in.Version, "", "user:a", now)
			if in.ID == into.ID || !into.Status.Open() {
				if err == nil {
					r.Fatalf("%s into %s", in.ID, into.ID)
				}
				continue
			}
			if err != nil {
				r.Fatal(err)
			}
			if first := earlier(in.Times.TSignal, into.Times.TSignal); stays.Times.TSignal != first || stays.SLA.AckDue != moment.Of(first.Add(3*time.Minute)) {
				r.Fatalf("%v and %v give %v", in.Times.TSignal, into.Times.TSignal, stays.Times.TSignal)
			}
			if gone.Status != Cancelled || gone.Outcome != "duplicate" || len(gone.Evidence) != len(in.Evidence) || len(stays.Evidence) != len(in.Evidence)+len(into.Evidence) ||
				len(stays.Attachments) != len(in.Attachments)+len(into.Attachments) || !into.Times.TDispatch.IsZero() && len(in.Attachments) > 0 && !slices.Contains(stays.proofs(""), Photo) {
				r.Fatalf("%+v\n%+v", gone, stays)
			}
			all[in.ID], all[into.ID] = gone, stays
		}
		for changed := true; changed; { // take all of them back, the outermost first
			changed = false
			for _, id := range ids {
				in := all[id]
				if in.MergedInto == "" || !all[in.MergedInto].Status.Open() {
					continue
				}
				from := all[in.MergedInto]
				back, stays, err := Unmerge(&in, &from, in.Version, "", "user:a", now)
				if err != nil {
					r.Fatal(err)
				}
				all[id], all[from.ID], changed = back, stays, true
			}
		}
		for id, in := range all {
			if got := kept(in.Clone()); !reflect.DeepEqual(got, before[id]) {
				r.Fatalf("incident %s\n got %+v\nwant %+v", id, got, before[id])
			}
		}
	})
}

func TestWhatDoesNotMerge(t *testing.T) {
	a, b := opened(t, "1", 0, "x"), opened(t, "2", 0, "y")
	simulated, closed := opened(t, "3", 0, "z"), opened(t, "4", 0, "w")
	simulated.Simulated, closed.Status = true, Closed
	for name, c := range map[string]struct {
		in, into Incident
		version  int
		want     error
	}{
		"itself":             {a, a, 1, ErrInvalid},
		"simulated and real": {a, simulated, 1, ErrInvalid},
		"without a version":  {a, b, 0, ErrInvalid},
		"an older version":   {a, b, 9, ErrStale},
		"into a closed one":  {a, closed, 1, ErrNotAllowed},
		"a closed one":       {closed, b, 1, ErrNotAllowed},
	} {
		if _, _, err := Merge(&c.in, &c.into, c.version, "", "user:a", six); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	gone, stays, err := Merge(&a, &b, 1, "", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Unmerge(&gone, &stays, gone.Version, "", "user:a", six.Add(MergeLimit+time.Minute)); !errors.Is(err, ErrNotMerged) {
		t.Errorf("after a day: %v", err)
	}
	if _, _, err := Unmerge(&b, &stays, b.Version, "", "user:a", six); !errors.Is(err, ErrNotMerged) {
		t.Errorf("what was never merged: %v", err)
	}
}

func TestASplitIsTakenBackByAMerge(t *testing.T) {
	in := opened(t, "1", 0, "x", "y", "z")
	rest, part, err := Split(&in, Splitting{Evidence: []string{"y", "z"}, Version: 1, Title: "Longsor", Type: "landslide", Note: "another valley"}, "9", "SLK-2026-9", "user:a", six.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if len(rest.Evidence) != 1 || len(part.Evidence) != 2 || part.SplitFrom != "1" || part.Type != "landslide" || part.Status != New || part.Severity != in.Severity || rest.Version != 2 ||
		!part.Times.TSignal.Equal(six) || part.Timeline[0].Note != "split from SLK-2026-1: another valley" {
		t.Errorf("%+v\n%+v", rest, part)
	}
	_, back, err := Merge(&part, &rest, part.Version, "", "user:a", six.Add(time.Hour))
	if err != nil || len(back.Evidence) != 3 {
		t.Errorf("%v %+v", err, back)
	}
	for name, s := range map[string]Splitting{
		"nothing":           {Version: 1},
		"everything":        {Version: 1, Evidence: []string{"x", "y", "z"}},
		"what is not there": {Version: 1, Evidence: []string{"x", "q"}},
		"no version":        {Evidence: []string{"x"}},
		"no such type":      {Version: 1, Evidence: []string{"x"}, Type: "sharknado"},
	} {
		if _, _, err := Split(&in, s, "9", "n", "user:a", six); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPersonAddsAndTakesEvidence(t *testing.T) {
	in := opened(t, "1", 0, "x")
	more, err := in.Attach(Evidence{Kind: "report", Ref: "lapor:7", Reason: "added by a person", Weight: 1, At: moment.Of(six)}, 1, "same house", "user:a", six)
	if err != nil || len(more.Evidence) != 2 || more.Version != 2 || more.Timeline[1].Note != "report lapor:7: same house" || len(in.Evidence) != 1 {
		t.Fatalf("%v %+v", err, more)
	}
	twice, err := more.Attach(more.Evidence[1], 2, "", "user:a", six)
	if err != nil || len(twice.Evidence) != 2 {
		t.Errorf("%v %+v", err, twice)
	}
	less, err := more.Detach("lapor:7", 2, "", "user:a", six)
	if err != nil || len(less.Evidence) != 1 || less.Version != 3 {
		t.Errorf("%v %+v", err, less)
	}
	if _, err := less.Detach("x", 3, "", "user:a", six); !errors.Is(err, ErrInvalid) {
		t.Errorf("the last piece: %v", err)
	}
	if _, err := in.Attach(Evidence{Kind: "hearsay", Ref: "x"}, 1, "", "user:a", six); !errors.Is(err, ErrInvalid) {
		t.Errorf("hearsay: %v", err)
	}
}

// What was split off a merged incident belongs to the part: the merge is taken back without it, so that nothing is evidence of two. What a
// person has taken out of the whole stands again where it stood.
func TestAMergeIsTakenBackAfterASplit(t *testing.T) {
	a, b := opened(t, "a", 0, "a1", "a2", "a3"), opened(t, "b", 5, "b1")
	gone, whole, err := Merge(&a, &b, a.Version, "", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	rest, part, err := Split(&whole, Splitting{Evidence: []string{"a2"}, Version: whole.Version}, "c", "SLK-2026-c", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	if rest, err = rest.Detach("a3", rest.Version, "", "user:a", six); err != nil {
		t.Fatal(err)
	}
	back, stays, err := Unmerge(&gone, &rest, gone.Version, "", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	refs := func(in Incident) (out []string) {
		for _, e := range in.Evidence {
			out = append(out, e.Ref)
		}
		return out
	}
	if got := []any{refs(back), refs(stays), refs(part)}; !reflect.DeepEqual(got, []any{[]string{"a1", "a3"}, []string{"b1"}, []string{"a2"}}) {
		t.Errorf("evidence of what came back, of what stays and of the part: %v", got)
	}
}

// A piece that was split off a merged incident and came back with the part goes, when the merge is taken back, where it came from first: to one
// of the two, never to both. One that only came anew meanwhile stays where it came.
func TestAMergeIsTakenBackAfterThePartCameBack(t *testing.T) {
	refs := func(in Incident) (out []string) {
		for _, e := range in.Evidence {
			out = append(out, e.Ref)
		}
		return out
	}
	a, b := opened(t, "a", 0, "a1", "a2", "a3"), opened(t, "b", 5, "b1")
	gone, whole, err := Merge(&a, &b, a.Version, "", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	rest, part, err := Split(&whole, Splitting{Evidence: []string{"a2", "a3"}, Version: whole.Version}, "c", "SLK-2026-c", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	if part, err = part.Detach("a3", part.Version, "", "user:a", six); err != nil {
		t.Fatal(err)
	}
	partGone, whole, err := Merge(&part, &rest, part.Version, "", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	whole.AddEvidence(Evidence{Kind: "observation", Ref: "a3", Reason: "rule x", Weight: 1, At: moment.Of(six)}, "rule:x", six)
	back, stays, err := Unmerge(&gone, &whole, gone.Version, "", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	if got := []any{refs(back), refs(stays)}; !reflect.DeepEqual(got, []any{[]string{"a1", "a2"}, []string{"b1", "a3"}}) {
		t.Errorf("evidence of what came back and of what stays: %v", got)
	}
	again, stays, err := Unmerge(&partGone, &stays, partGone.Version, "", "user:a", six)
	if err != nil {
		t.Fatal(err)
	}
	if got := []any{refs(again), refs(stays)}; !reflect.DeepEqual(got, []any{[]string(nil), []string{"b1", "a3"}}) {
		t.Errorf("then of the part and of what stays: %v", got)
	}
}
