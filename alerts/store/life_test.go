package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/geo"
	"kentongan/geo/moment"
)

func rural(string, string) incident.Terms {
	return incident.Terms{Zone: "rural", Checklist: []incident.Check{{Key: "power", ID: "listrik", EN: "power"}}}
}

// passing is a reader of the clock that follows what happens.
func passing(t *testing.T, s *Store, where Where) func(now time.Time) {
	t.Helper()
	r, ok := s.LifeReader(where).(*lifeReader)
	if !ok {
		t.Fatal("another reader")
	}
	from, err := s.offset(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), from, nil); err != nil {
		t.Fatal(err)
	}
	return func(now time.Time) {
		t.Helper()
		list, _, err := s.Since(t.Context(), from, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 0 {
			from = list[len(list)-1].Offset
			if err := r.Take(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Tick(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
}

func one(t *testing.T, s *Store, id string) incident.Incident {
	t.Helper()
	in, err := s.Incident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func linesOf(in incident.Incident, act string) (n int) {
	for _, e := range in.Timeline {
		if e.Act == act {
			n++
		}
	}
	return n
}

// A hold stops the clocks for a reason that is pausable, ends by itself exactly once, and a step that is late is noted exactly once, by two
// readers too.
func TestClocksStandStillAndEachStepIsMissedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		s.terms = rural
		in := flooded(t, s) // class B: 3, 5, 45 minutes
		tick, other := passing(t, s, nil), passing(t, s, nil)
		both := func() { tick(c.now()); other(c.now()) }
		if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Acknowledged, Version: 1}, anna); err != nil {
			t.Fatal(err)
		}
		c.add(time.Minute)
		hold := incident.Holding{On: true, Reason: "unsafe_access", Until: c.now().Add(10 * time.Minute), Version: 2}
		if _, err := s.Edit(t.Context(), in.ID, "incident.held", "", anna, func(*incident.Incident) error { return nil }, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
			return in.Rest(hold, anna.Subject, now)
		}); err != nil {
			t.Fatal(err)
		}
		c.add(9 * time.Minute)
		both()
		if got := one(t, s, in.ID); got.OnHold == nil || len(got.SLA.Missed) != 0 {
			t.Fatalf("on hold: %+v", got.SLA)
		}
		c.add(2 * time.Minute)
		both()
		both()
		got := one(t, s, in.ID)
		if got.OnHold != nil || got.SLA.PausedS != 600 || linesOf(got, "resumed") != 1 || !got.SLA.DispatchDue.Equal(noon.Add(15*time.Minute)) || !got.SLA.SceneDue.Equal(noon.Add(55*time.Minute)) {
			t.Fatalf("after it: %+v %+v", got.SLA, got.Timeline)
		}
		c.add(5 * time.Minute)
		both()
		both()
		c.add(time.Hour)
		both()
		if got = one(t, s, in.ID); !slices.Equal(got.SLA.Missed, []string{"dispatch", "scene"}) || linesOf(got, "sla_missed") != 2 || got.Version != 4 {
			t.Errorf("missed: %+v version %d, %d told", got.SLA, got.Version, linesOf(got, "sla_missed"))
		}
		// What was done in time and is told late takes it back.
		if got, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Dispatched, Version: 4, At: noon.Add(4 * time.Minute)}, anna); err != nil || !slices.Equal(got.SLA.Missed, []string{"scene"}) ||
			got.TimesSource["t_dispatch"] != "manual" || got.Timeline[len(got.Timeline)-1].ReceivedAt.IsZero() {
			t.Errorf("told late: %+v %v", got.SLA, err)
		}
	})
}

// An act under a key is done once for its person, for seven days.
func TestAnActUnderAKeyIsDoneOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		in := flooded(t, s)
		do := func(who audit.Actor, to incident.Status) (incident.Incident, error) {
			return s.TransitionOnce(t.Context(), in.ID, "k-1", incident.Act{To: to, Version: 1}, who, func(*incident.Incident) error { return nil })
		}
		first, err := do(anna, incident.Acknowledged)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Resolved, Version: 2}, budi); err != nil {
			t.Fatal(err)
		}
		if again, err := do(anna, incident.Acknowledged); err != nil || again.Version != first.Version || again.Status != incident.Acknowledged {
			t.Errorf("again: %+v %v", again, err)
		}
		if _, err := do(budi, incident.Acknowledged); !errors.Is(err, ErrKeyReused) {
			t.Errorf("by another: %v", err)
		}
		if _, err := do(anna, incident.Cancelled); !errors.Is(err, ErrKeyReused) {
			t.Errorf("another act: %v", err)
		}
		c.add(8 * 24 * time.Hour)
		var late *Conflict
		if _, err := do(anna, incident.Acknowledged); !errors.As(err, &late) {
			t.Errorf("after a week: %v", err)
		}
	})
}

// Units are done before their incident is resolved; where they were, and who else was there, is proof.
func TestProofComesFromWhatIsRecorded(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		rostered(t, s, "trc-1")
		u, err := unit.Draft{Agency: "damkar", CallSign: "d-1", Capabilities: []string{"trc"}}.Unit(nil, noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ImportUnits(t.Context(), []unit.Unit{u}, sender); err != nil {
			t.Fatal(err)
		}
		in := flooded(t, s)
		place := geo.Position{Lat: -0.93, Lng: 100.63} // 11 km off
		tick := passing(t, s, func(unit.Unit) (geo.Position, time.Time, bool) { return place, c.now(), true })
		arrive := func(name string) dispatch.Dispatch {
			t.Helper()
			d, err := s.Send(t.Context(), Order{Incident: in.ID, Unit: name}, sender, anyUnit)
			if err != nil {
				t.Fatal(err)
			}
			return moves(t, s, d.ID, dispatch.Act{To: dispatch.EnRoute}, dispatch.Act{To: dispatch.OnScene})
		}
		d := arrive("bpbd/trc-1")
		tick(c.now())
		if got := one(t, s, in.ID); len(got.Proof.Have) != 0 {
			t.Fatalf("far from it: %+v", got.Proof)
		}
		place = geo.Position{Lat: -0.8301, Lng: 100.6301}
		tick(c.now())
		tick(c.now())
		if got := one(t, s, in.ID); len(got.Proof.Have) != 1 || got.Proof.Have[0].Kind != incident.UnitInCell || got.Proof.Have[0].Ref != d.ID || linesOf(got, "proved") != 1 {
			t.Fatalf("there: %+v", got.Proof)
		}
		version := one(t, s, in.ID).Version
		act := incident.Act{To: incident.Resolved, Version: version, Outcome: "surut", Cause: "hujan", Victims: &incident.Victims{Injured: 2}}
		if _, err := s.Transition(t.Context(), in.ID, act, anna); !errors.Is(err, incident.ErrNotAllowed) {
			t.Errorf("resolved with a unit on scene: %v", err)
		}
		other := arrive("damkar/d-1")
		if got := one(t, s, in.ID); len(got.Proof.Have) != 2 || got.Proof.Have[1].Kind != incident.SecondAgency {
			t.Errorf("two agencies: %+v", got.Proof)
		}
		for _, id := range []string{d.ID, other.ID} {
			moves(t, s, id, dispatch.Act{To: dispatch.Done})
		}
		act.Version = one(t, s, in.ID).Version
		got, err := s.Transition(t.Context(), in.ID, act, anna)
		if err != nil || got.Victims.Injured != 2 || got.Cause != "hujan" || got.TimesSource["t_scene"] != "auto" {
			t.Fatalf("%+v %v", got, err)
		}
		if got, err = s.Transition(t.Context(), in.ID, incident.Act{To: incident.Closed, Version: got.Version}, budi); err != nil || got.Override != "" {
			t.Errorf("two kinds of proof: %v", err)
		}
	})
}

// An instrument that is normal again is proof until it fires again.
func TestASensorThatIsNormalIsProofUntilItFiresAgain(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		ctx := context.Background()
		if err := s.Fire(ctx, firing("awlr:1", center, c.now())); err != nil {
			t.Fatal(err)
		}
		open, err := s.open(ctx)
		if err != nil || len(open) != 1 {
			t.Fatal(open, err)
		}
		c.add(time.Minute)
		if err := s.Clear(ctx, firing("awlr:1", center, c.now())); err != nil {
			t.Fatal(err)
		}
		in := one(t, s, open[0].doc.ID)
		if len(in.Proof.Have) != 1 || in.Proof.Have[0].Ref != "awlr:1" || len(in.Unproven("user:x")) != 4 {
			t.Errorf("normal again: %+v", in.Proof)
		}
		c.add(time.Minute)
		if err := s.Fire(ctx, firing("awlr:1", center, c.now())); err != nil {
			t.Fatal(err)
		}
		if in = one(t, s, in.ID); len(in.Proof.Have) != 0 {
			t.Errorf("fires again: %+v", in.Proof)
		}
	})
}

// What is minor, proved and undisputed closes a day after it was resolved; nothing else does.
func TestOnlyWhatIsMinorAndProvedClosesByItself(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		tick := passing(t, s, nil)
		resolved := func(severity string, proofs int, dispute bool) string {
			t.Helper()
			in := flooded(t, s)
			_, err := s.Edit(t.Context(), in.ID, "incident.edited", "", anna, func(*incident.Incident) error { return nil }, func(in *incident.Incident, now time.Time) (incident.Incident, error) {
				out := in.Clone()
				out.Severity = "Minor"
				if severity != "" {
					out.Severity = incident.Types[0].Severity
				}
				for _, k := range incident.ProofKinds[:proofs] {
					out.Prove(incident.Proven{Kind: k, Ref: "x", At: moment.Of(now)})
				}
				return out, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, to := range []incident.Status{incident.Acknowledged, incident.Resolved} {
				if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: to, Version: i + 1}, anna); err != nil {
					t.Fatal(err)
				}
			}
			if dispute {
				if _, err := s.Contest(t.Context(), in.ID, incident.Contesting{Text: "belum"}, budi, func(*incident.Incident) error { return nil }, func(*incident.Incident) bool { return false }); err != nil {
					t.Fatal(err)
				}
			}
			return in.ID
		}
		closes, grave, bare, disputed := resolved("", 2, false), resolved("grave", 2, false), resolved("", 1, false), resolved("", 2, true)
		tick(c.now())
		c.add(25 * time.Hour)
		tick(c.now())
		tick(c.now())
		if got := one(t, s, closes); got.Status != incident.Closed || linesOf(got, "closed") != 1 {
			t.Errorf("%s, %d", got.Status, linesOf(got, "closed"))
		}
		for _, id := range []string{grave, bare, disputed} {
			if got := one(t, s, id); got.Status != incident.Resolved {
				t.Errorf("%s %v closed by itself", got.Severity, got.Proof)
			}
		}
	})
}

// What was written on paper is entered afterwards, with the times of the paper.
func TestPaperIsEnteredWithItsTimes(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		lng, lat := center.Lng, center.Lat
		enter := func(ago time.Duration) (incident.Incident, error) {
			return s.Create(t.Context(), incident.Draft{Type: "flood", Lng: &lng, Lat: &lat, At: c.now().Add(-ago)}, anna)
		}
		for _, ago := range []time.Duration{-time.Hour, 8 * 24 * time.Hour} {
			if _, err := enter(ago); !errors.Is(err, incident.ErrInvalid) {
				t.Errorf("%s ago: %v", ago, err)
			}
		}
		in, err := enter(2 * time.Hour)
		if err != nil || !in.Times.TSignal.Equal(noon.Add(-2*time.Hour)) || in.TimesSource["t_signal"] != "manual" || !in.OpenedAt.Equal(noon) {
			t.Fatalf("%+v %v", in.Times, err)
		}
		in, err = s.Transition(t.Context(), in.ID, incident.Act{To: incident.Acknowledged, Version: 1, At: noon.Add(-119 * time.Minute)}, anna)
		if err != nil || len(in.SLA.Missed) != 0 || !in.Times.TAck.Equal(noon.Add(-119*time.Minute)) {
			t.Errorf("%+v %v", in.SLA, err)
		}
	})
}

// A picture goes with its incident when that becomes part of another, and comes back with it; nothing keeps it for whoever has it no longer.
func TestAttachmentsGoWithAMerge(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		anybody, both := func(*incident.Incident) error { return nil }, func(_, _ *incident.Incident) error { return nil }
		in, into := flooded(t, s), flooded(t, s)
		a, err := s.Enclose(t.Context(), in.ID, "", incident.Attachment{Kind: "photo", SHA256: "whole", Small: "small"}, sender, anybody)
		if err != nil {
			t.Fatal(err)
		}
		files := func() string {
			t.Helper()
			list, err := s.rdb.SMembers(t.Context(), s.keys.Blobs()).Result()
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(list)
			return strings.NewReplacer(in.ID, "in", into.ID, "into").Replace(strings.Join(list, ", "))
		}
		_, stays, err := s.Merge(t.Context(), in.ID, into.ID, in.Version, "", sender, both)
		if err != nil {
			t.Fatal(err)
		}
		if got, there := stays.Attached(a.ID); !there || got.From != in.ID || files() != "small in, small into, whole in, whole into" {
			t.Errorf("%+v, kept %s", stays.Attachments, files())
		}
		back, stays, err := s.Unmerge(t.Context(), in.ID, in.Version+1, "", sender, both)
		if err != nil {
			t.Fatal(err)
		}
		if _, there := back.Attached(a.ID); !there || len(stays.Attachments) != 0 || files() != "small in, whole in" {
			t.Errorf("%+v, %+v, kept %s", back.Attachments, stays.Attachments, files())
		}
	})
}
