package ingest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/index"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
)

// TestCrossingSurvivesALongRest: the server dies right after an acknowledgement and is started again after the window of copies.
func TestCrossingSurvivesALongRest(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	c := &fakeCases{}
	c.fail.Store(1 << 30)
	h := open(t, rdb, keys, c, engine(t), nil)
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 3.4, t0)}})
	h.stop()
	c.fail.Store(0)
	late := New(Deps{Index: index.NewStore(rdb, keys, index.Config{}, nil), Picture: index.NewPicture(), Cases: c, Rules: engine(t), Log: zerolog.Nop(),
		Now: func() time.Time { return time.Now().Add(3 * recentWindow) }})
	if err := late.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = late.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	until(t, "the crossing of before the rest", func() bool { return c.count() == 1 })
}

// TestAlertsWaitForAHangingStoreNoLongerThanTheyMay: what waits behind an alert that hangs is told to come again.
func TestAlertsWaitForAHangingStoreNoLongerThanTheyMay(t *testing.T) {
	rdb := redistest.Start(t)
	hang, entered := make(chan struct{}), make(chan struct{})
	c := &fakeCases{put: func(feeds.Alert) (store.Result, error) {
		close(entered)
		<-hang
		return store.Result{Kind: store.Stored}, nil
	}}
	h := open(t, rdb, redistest.Keys(t), c, nil, nil)
	h.caseWait = 20 * time.Millisecond
	first := make(chan error, 1)
	go func() {
		_, err := h.Store(context.Background(), feeds.Batch{Alerts: []feeds.Alert{{}}}, meta())
		first <- err
	}()
	<-entered
	if _, err := h.Store(t.Context(), feeds.Batch{Alerts: []feeds.Alert{{}}}, meta()); !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("the second got %v, want ErrBusy", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	h.caseWait = time.Hour
	if _, err := h.Store(gone, feeds.Batch{Alerts: []feeds.Alert{{}}}, meta()); !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("a sender that has gone got %v, want ErrBusy", err)
	}
	close(hang)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// TestDoubtOfLongAgoIsNotAskedAgain: senders that never came back must not make every later failure read the streams since then.
func TestDoubtOfLongAgoIsNotAskedAgain(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	broken := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer broken.Close()
	good, bad := index.NewStore(rdb, keys, index.Config{}, nil), index.NewStore(broken, keys, index.Config{}, nil)
	now := t0
	p := New(Deps{Index: good, Picture: index.NewPicture(), Cases: &fakeCases{}, Log: zerolog.Nop(), Now: func() time.Time { return now }})
	give := func(thing string, ix *index.Store) error {
		p.d.Index = good // it answers again
		if err := p.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.d.Index = ix
		m := meta()
		b := feeds.Batch{Observations: []feeds.Observation{obs(0, thing, 1, t0)}}
		s := &submission{b.Observations, &m, newLedger(&b), make(chan error, 1)}
		p.process(t.Context(), []*submission{s})
		return <-s.done
	}
	fail := func(thing string) {
		t.Helper()
		if err := give(thing, bad); !errors.Is(err, feeds.ErrBusy) {
			t.Fatalf("err %v, want ErrBusy", err)
		}
	}
	fail("a")
	p.d.Index = good
	if err := p.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.doubt.keys[doubtKey{"awlr:never-back", 1}] = struct{}{}
	if err := give("b", good); err != nil {
		t.Fatal(err)
	}
	now = t0.Add(time.Hour)
	fail("c")
	if _, known := p.doubt.keys[doubtKey{"awlr:never-back", 1}]; p.doubt.since.Before(now) || !known {
		t.Errorf("asked since %s, an hour too far, or forgotten (%v)", p.doubt.since, known)
	}
	// Two failures in a row without an answer between them are one doubt, from the first on.
	first := p.doubt.since
	now = now.Add(time.Minute)
	p.begin()
	p.doubtBatch()
	if !p.doubt.since.Equal(first) {
		t.Errorf("since %s, want %s", p.doubt.since, first)
	}
}

// TestCopiesAreNotAcknowledgedWhileTheStoreIsAway: it may come back without what they are copies of.
func TestCopiesAreNotAcknowledgedWhileTheStoreIsAway(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	h := open(t, rdb, keys, &fakeCases{}, nil, nil)
	broken := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer broken.Close()
	b := feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 1, t0)}}
	if r := h.send(t, meta(), b); r.Accepted != 1 {
		t.Fatalf("%+v", r)
	}
	h.d.Index = index.NewStore(broken, keys, index.Config{}, nil)
	if r, err := h.Store(t.Context(), b, meta()); !errors.Is(err, feeds.ErrBusy) {
		t.Fatalf("%+v %v, want ErrBusy", r, err)
	}
	if since, why := h.Refusing(); why == nil || since.IsZero() {
		t.Error("nobody is told that the store takes nothing")
	}
	h.d.Index = h.index
	if r := h.send(t, meta(), b); r.Duplicates != 1 {
		t.Errorf("%+v, want a duplicate", r)
	}
	if _, why := h.Refusing(); why != nil {
		t.Errorf("still refusing: %v", why)
	}
}

// TestUnreadableReadingsHoldNobodyUp: one record that nobody can read lies between others; the server starts, and all others are judged.
func TestUnreadableReadingsHoldNobodyUp(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	c := &fakeCases{}
	c.fail.Store(1 << 30) // nothing is judged in this life
	h := open(t, rdb, keys, c, engine(t), nil)
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 3.4, t0)}})
	known := h.picture.Get("awlr:a")
	broken := appendReading(nil, "awlr:a", &feeds.Observation{Property: "level", At: moment.Of(t0)}, t0.UnixMilli())
	broken = append(broken, 0xff)
	if name, err := propertyOf(broken); err != nil || name != "level" {
		t.Fatalf("%q %v: not a reading of which the rules ask", name, err)
	}
	if err := h.index.Commit(t.Context(), []index.Change{{Entry: known, Keep: true, Readings: [][]byte{broken, []byte("no record at all")}}}); err != nil {
		t.Fatal(err)
	}
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "b", 3.6, t0)}})
	h.stop()
	c.fail.Store(0)
	reg := prometheus.NewRegistry()
	next := New(Deps{Index: index.NewStore(rdb, keys, index.Config{}, nil), Picture: index.NewPicture(), Cases: c, Rules: engine(t), Log: zerolog.Nop(), Reg: reg})
	if err := next.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = next.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	until(t, "what lies on both sides of it", func() bool { return c.count() == 2 })
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "kentongan_ingest_unreadable_readings_total" {
			if n := f.GetMetric()[0].GetCounter().GetValue(); n < 2 {
				t.Errorf("%v were counted, want both", n)
			}
			return
		}
	}
	t.Error("they were not counted")
}

// TestWhatATakeOverClearsIsTold: what fired under a rule that is another now clears, although the first reading of the streams is one that an earlier
// life has judged, and decides nothing.
func TestWhatATakeOverClearsIsTold(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	before := engine(t)
	thing := &feeds.Thing{ID: "awlr:a"}
	o := obs(0, "a", 3.4, t0.Add(-time.Minute))
	if ds := before.Reading(thing, o, t0.Add(-time.Minute)); len(ds) != 1 {
		t.Fatalf("%+v", ds)
	}
	c := &fakeCases{}
	c.state = store.RuleState{At: t0, Cases: -1, Kept: true, Parts: before.Save()}
	h := open(t, rdb, keys, &fakeCases{}, nil, nil)
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 1, t0)}})
	old := appendReading(nil, "awlr:a", &o, t0.Add(-time.Minute).UnixMilli())
	if err := h.index.Commit(t.Context(), []index.Change{{Entry: h.picture.Get("awlr:a"), Keep: true, Readings: [][]byte{old}}}); err != nil {
		t.Fatal(err)
	}
	h.stop()
	p, err := rules.Compile([]rules.Rule{{ID: "muka-air", When: `obs.property == "level" && obs.value >= 9.0`, Samples: 1,
		Alert: rules.AlertBlock{Event: "Muka air tinggi", Category: "Met", Severity: "Severe", Urgency: "Immediate", Certainty: "Observed"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	open(t, rdb, keys, c, rules.NewEngine(p), nil)
	until(t, "the clearing", func() bool { return c.clears.Load() == 1 })
}
