package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
)

// fakeCases notes what the pipeline asks of the case store.
type fakeCases struct {
	heldState
	mu     sync.Mutex
	fired  []store.Firing
	firing map[string]map[string]string
	fail   atomic.Int32 // so many calls of Fire fail first
	clears atomic.Int32
	put    func(feeds.Alert) (store.Result, error)
}

func (f *fakeCases) PutAgencyAlert(_ context.Context, a feeds.Alert, _ feeds.Meta) (store.Result, error) {
	return f.put(a)
}

func (f *fakeCases) EndUnlisted(context.Context, []feeds.Alert, feeds.Meta) (int, error) {
	return 0, nil
}

func (f *fakeCases) PutReports(_ context.Context, list []feeds.Report, _ feeds.Meta) ([]store.Result, error) {
	out := make([]store.Result, len(list))
	for i := range list {
		out[i] = store.Result{Kind: store.Stored}
	}
	return out, nil
}

func (f *fakeCases) Fire(_ context.Context, d store.Firing) error {
	if f.fail.Add(-1) >= 0 {
		return feeds.ErrBusy
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.fired, func(o store.Firing) bool { return o.Rule.ID == d.Rule.ID && o.Key == d.Key && o.At.Equal(d.At) }) {
		return nil // the same crossing, which who judges again after a crash may find again; the store swallows it by its name
	}
	f.fired = append(f.fired, d)
	return nil
}
func (f *fakeCases) Clear(context.Context, store.Firing) error { f.clears.Add(1); return nil }
func (f *fakeCases) Firing(context.Context) (map[string]map[string]string, error) {
	return f.firing, nil
}

func (f *fakeCases) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.fired)
}

var _ Cases = (*store.Store)(nil)

// house is a pipeline over a real store.
type house struct {
	*Pipeline
	index   *index.Store
	picture *index.Picture
	cases   *fakeCases
	stop    func()
}

func open(t testing.TB, rdb redis.UniversalClient, keys keyspace.Keys, cases *fakeCases, engine *rules.Engine, onThings func([]ThingChange)) *house {
	t.Helper()
	h := &house{index: index.NewStore(rdb, keys, index.Config{}, nil), picture: index.NewPicture(), cases: cases}
	h.Pipeline = New(Deps{Index: h.index, Picture: h.picture, Cases: cases, Rules: engine, Log: zerolog.Nop(), OnThings: onThings})
	if err := h.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { _ = h.Run(ctx); close(ended) }()
	var once sync.Once
	h.stop = func() { once.Do(func() { cancel(); <-ended }) }
	t.Cleanup(h.stop)
	return h
}

func newHouse(t testing.TB) *house {
	rdb := redistest.Start(t)
	return open(t, rdb, redistest.Keys(t), &fakeCases{}, nil, nil)
}

var t0 = time.Now().UTC().Truncate(time.Millisecond)

func obs(i int, thing string, v float64, at time.Time) feeds.Observation {
	return feeds.Observation{Index: i, Thing: thing, Property: "level", Value: feeds.Value{Num: v}, Unit: "m", At: moment.Of(at),
		Position: geo.Position{Lat: -0.8, Lng: 100.6}, Placed: true}
}

func meta() feeds.Meta {
	return feeds.Meta{Feed: "awlr", Kind: "river_gauge", ReceivedAt: t0, Attribution: "PUPR"}
}

func (h *house) send(t testing.TB, m feeds.Meta, b feeds.Batch) feeds.Receipt {
	t.Helper()
	r, err := h.Store(t.Context(), b, m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (h *house) thing(t testing.TB, id string) *feeds.Thing {
	t.Helper()
	e := h.picture.Get(id)
	if e == nil {
		t.Fatalf("%s is not in the picture", id)
	}
	return thingOf(e)
}

func (h *house) history(t testing.TB, id string) []Reading {
	t.Helper()
	var out []Reading
	err := h.index.History(t.Context(), id, h.picture.Get(id), time.Time{}, time.Time{}, 0, func(b []byte) error {
		r, err := DecodeReading(b)
		out = append(out, r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReceiptPutsEveryItemInOnePart(t *testing.T) {
	h := newHouse(t)
	bad := obs(1, "", 1, t0)
	half := obs(5, "d5", 1, t0)
	spoilt := half
	spoilt.Position.Lat = 91
	b := feeds.Batch{
		Observations: []feeds.Observation{obs(0, "d0", 1, t0), bad, obs(2, "d0", 1, t0), half, spoilt, obs(6, "d6", 2, t0)},
		Reports:      []feeds.Report{{Index: 3}},
		Positions:    []feeds.UnitPosition{{Index: 7, Unit: "u1", At: moment.Of(t0), Position: geo.Position{Lat: -0.7, Lng: 100.6}}},
		Ignored:      []feeds.Refusal{{Index: 4, Reason: "elsewhere"}},
		Rejected:     []feeds.Refusal{{Index: 8, Reason: "faulty"}},
	}
	r := h.send(t, meta(), b)
	if r.Accepted != 4 || r.Duplicates != 1 || len(r.Ignored) != 1 || len(r.Rejected) != 3 {
		t.Fatalf("receipt %+v", r)
	}
	if h.picture.Get("awlr:d5") != nil {
		t.Error("a part of a rejected item was stored")
	}
	again := h.send(t, meta(), b)
	if again.Accepted != 1 || again.Duplicates != 4 { // the fake takes every report for new
		t.Errorf("sent again: %+v", again)
	}
	if got := len(h.history(t, "awlr:d0")); got != 1 {
		t.Errorf("%d readings of d0 in history, want 1", got)
	}
}

func TestTimeRules(t *testing.T) {
	h := newHouse(t)
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "d", 1, t0)}})
	late := obs(0, "d", 9, t0.Add(-time.Minute))
	late.Position.Lat = -0.9
	skewed := obs(1, "d", 8, t0.Add(3*time.Minute))
	r := h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{late, skewed}})
	if r.Accepted != 2 {
		t.Fatalf("receipt %+v", r)
	}
	th := h.thing(t, "awlr:d")
	if th.State["level"].Value.Num != 1 || th.Position.Lat != -0.8 || !th.At.Equal(t0) {
		t.Errorf("late or skewed reading became the last state: %+v", th)
	}
	quality := map[float64]feeds.Quality{}
	for _, r := range h.history(t, "awlr:d") {
		quality[r.Value.Num] = r.Quality
	}
	if len(quality) != 3 || quality[8] != feeds.ClockSkew || quality[9] != feeds.Good {
		t.Errorf("history %v", quality)
	}
	none := obs(0, "n", 1, time.Time{})
	other := obs(1, "n", 2, time.Time{})
	none.Placed, other.Placed = false, false
	if r := h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{none, other}}); r.Accepted != 2 {
		t.Errorf("two readings without time: %+v", r)
	}
	n := h.thing(t, "awlr:n")
	if n.State["level"].Quality != feeds.Received || !n.At.Equal(t0) || n.Placed || n.Cell != 0 {
		t.Errorf("no time, no place: %+v", n)
	}
}

// TestAnyPlaceIsBetterThanNone: a producer may tell the places of its stations apart from their readings, and with an older time.
func TestAnyPlaceIsBetterThanNone(t *testing.T) {
	h := newHouse(t)
	nowhere := obs(0, "s", 1, t0)
	nowhere.Placed = false
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{nowhere}})
	place := obs(0, "s", 20, t0.Add(-time.Hour))
	place.Property = "capacity"
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{place}})
	if s := h.thing(t, "awlr:s"); !s.Placed || s.Position != place.Position || s.Cell == 0 || !s.At.Equal(t0) {
		t.Errorf("an older reading did not place it: %+v", s)
	}
	moved := obs(0, "s", 21, t0.Add(-time.Minute))
	moved.Property, moved.Position.Lat = "capacity", -0.9
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{moved}})
	if s := h.thing(t, "awlr:s"); s.Position != place.Position {
		t.Errorf("an older reading moved it: %+v", s.Position)
	}
}

func TestStaleAfterDeclaredAndLearned(t *testing.T) {
	h := newHouse(t)
	m := meta()
	m.Interval = 10 * time.Second
	h.send(t, m, feeds.Batch{Observations: []feeds.Observation{obs(0, "declared", 1, t0)}})
	if got := h.thing(t, "awlr:declared").StaleAfter.Sub(t0); got != 14*time.Second {
		t.Errorf("declared 10 s: stale after %s, want 14s", got)
	}
	m.Interval = 0
	for i, at := range []int{0, 60, 120, 121, 180, 240} { // one burst does not mislead the median
		h.send(t, m, feeds.Batch{Observations: []feeds.Observation{obs(0, "learned", float64(i), t0.Add(time.Duration(at-300)*time.Second))}})
		if stale := h.thing(t, "awlr:learned").StaleAfter; i < 3 && !stale.IsZero() {
			t.Errorf("stale after %d readings: %s", i+1, stale)
		}
	}
	if got := h.thing(t, "awlr:learned").StaleAfter.Sub(t0); got < 70*time.Second || got > 75*time.Second {
		t.Errorf("learned: stale after %s, want about 74s", got)
	}
}

func TestRestartKeepsPictureAndMemory(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	a := open(t, rdb, keys, &fakeCases{}, nil, nil)
	withID := obs(1, "b", 2, t0)
	withID.ID = "x-1"
	b := feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 1, t0), withID}}
	a.send(t, meta(), b)
	want := a.thing(t, "awlr:a")
	a.stop()
	c := open(t, rdb, keys, &fakeCases{}, nil, nil)
	got := c.thing(t, "awlr:a")
	if got.State["level"] != want.State["level"] || got.Position != want.Position || got.Name != want.Name || got.Attribution != want.Attribution || got.Cell != want.Cell {
		t.Errorf("after the restart %+v, before %+v", got, want)
	}
	b.Observations[1].At = moment.Of(t0.Add(time.Second)) // its id is its identity
	if r := c.send(t, meta(), b); r.Duplicates != 2 {
		t.Errorf("sent again after the restart: %+v", r)
	}
}

func TestNothingIsAppliedWhenTheStoreFails(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	var told atomic.Int32
	h := open(t, rdb, keys, &fakeCases{}, nil, func([]ThingChange) { told.Add(1) })
	broken := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer broken.Close()
	h.d.Index = index.NewStore(broken, keys, index.Config{}, nil)
	b := feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 1, t0)}}
	if _, err := h.Store(t.Context(), b, meta()); !errors.Is(err, feeds.ErrBusy) {
		t.Fatalf("err %v, want ErrBusy", err)
	}
	if h.picture.Len() != 0 || told.Load() != 0 {
		t.Error("something was applied")
	}
	// Some of a failed commit may have been stored all the same; then it is not written twice.
	cell, err := geo.CellAt(b.Observations[0].Position, geo.ResThing)
	if err != nil {
		t.Fatal(err)
	}
	half := index.Change{Keep: true, Entry: &index.Entry{ID: "awlr:a", Cell: cell, Placed: true, Payload: &feeds.Thing{ID: "awlr:a"}},
		Readings: [][]byte{appendReading(nil, "awlr:a", ptr(stampedObs(b.Observations[0])), time.Now().UnixMilli())}}
	if err := h.index.Commit(t.Context(), []index.Change{half}); err != nil {
		t.Fatal(err)
	}
	h.d.Index = h.index
	if r := h.send(t, meta(), b); r.Accepted != 1 {
		t.Fatalf("sent again: %+v", r)
	}
	if got := len(h.history(t, "awlr:a")); got != 1 {
		t.Errorf("%d readings in history, want 1", got)
	}
	if h.thing(t, "awlr:a").State["level"].Value.Num != 1 {
		t.Error("the picture does not have it")
	}
}

func ptr[T any](v T) *T { return &v }

func stampedObs(o feeds.Observation) feeds.Observation {
	o.ReceivedAt, o.Quality = moment.Of(t0), feeds.Good
	return o
}

func TestDryRunStoresNothing(t *testing.T) {
	h := newHouse(t)
	m := meta()
	m.Dry = true
	r := h.send(t, m, feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 1, t0), obs(1, "a", 1, t0)}})
	if r.Accepted != 1 || r.Duplicates != 1 || !r.DryRun || h.picture.Len() != 0 {
		t.Errorf("receipt %+v, %d things", r, h.picture.Len())
	}
	if r := h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 1, t0)}}); r.Accepted != 1 {
		t.Errorf("after the dry run: %+v", r)
	}
}

func TestAlertsGoOneByOne(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	var inside, order atomic.Int32
	c := &fakeCases{put: func(a feeds.Alert) (store.Result, error) {
		if inside.Add(1) != 1 {
			t.Error("two at once")
		}
		defer inside.Add(-1)
		order.Add(1)
		switch a.Index {
		case 1:
			return store.Result{Kind: store.Duplicate}, nil
		case 2:
			return store.Result{Kind: store.Ignored, Reason: "status Test"}, nil
		case 3:
			return store.Result{}, feeds.Permanentf("no")
		case 9:
			return store.Result{}, errors.New("connection refused")
		}
		return store.Result{Kind: store.Stored}, nil
	}}
	h := open(t, rdb, keys, c, nil, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r, err := h.Store(context.Background(), feeds.Batch{Alerts: []feeds.Alert{{}, {Index: 1}, {Index: 2}, {Index: 3}}}, meta())
			if err != nil || r.Accepted != 1 || r.Duplicates != 1 || len(r.Ignored) != 1 || len(r.Rejected) != 1 {
				t.Errorf("receipt %+v, %v", r, err)
			}
		}()
	}
	wg.Wait()
	if _, err := h.Store(t.Context(), feeds.Batch{Alerts: []feeds.Alert{{Index: 9}}}, meta()); !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("err %v, want ErrBusy", err)
	}
}

func TestOneDeliveryTellsAnEarthquakeOnce(t *testing.T) {
	var put []int
	c := &fakeCases{put: func(a feeds.Alert) (store.Result, error) {
		put = append(put, a.Index)
		return store.Result{Kind: store.Stored}, nil
	}}
	h := open(t, redistest.Start(t), redistest.Keys(t), c, nil, nil)
	quake := func(i int, magnitude float64, at time.Time, lat float64) feeds.Alert {
		return feeds.Alert{Index: i, Quake: &feeds.Quake{Magnitude: &magnitude, OriginAt: moment.Of(at), Position: geo.Position{Lat: lat, Lng: 122}}}
	}
	// As BMKG listed Flores on 2021-12-14: the newest solution first, repeated, then an earlier one; and others that are their own.
	r := h.send(t, meta(), feeds.Batch{Alerts: []feeds.Alert{
		quake(0, 7.4, t0, -7.59), quake(1, 7.4, t0, -7.59), quake(2, 7.5, t0.Add(-time.Second), -7.6),
		quake(3, 5.5, t0.Add(30*time.Second), -7.6), quake(4, 7.4, t0.Add(2*time.Minute), -7.59), quake(5, 7.4, t0, -9.5),
	}})
	if r.Accepted != 4 || r.Duplicates != 2 || !slices.Equal(put, []int{0, 3, 4, 5}) {
		t.Errorf("receipt %+v, stored %v", r, put)
	}
}

func engine(t testing.TB) *rules.Engine {
	t.Helper()
	r := rules.Rule{ID: "muka-air", When: `obs.property == "level" && obs.value >= 3.0`, Clear: `obs.value < 2.5`, Samples: 1,
		Alert: rules.AlertBlock{Event: "Muka air tinggi", Category: "Met", Severity: "Severe", Urgency: "Immediate", Certainty: "Observed"}}
	p, err := rules.Compile([]rules.Rule{r}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rules.NewEngine(p)
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func TestCrossingSurvivesStoreErrorsAndRestart(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	c := &fakeCases{}
	c.fail.Store(2)
	h := open(t, rdb, keys, c, engine(t), nil)
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "a", 3.4, t0.Add(-time.Second))}})
	until(t, "fired after two failures", func() bool { return c.count() == 1 })

	c.fail.Store(1 << 30) // the server dies before the next crossing is judged
	h.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "b", 3.6, t0)}})
	h.stop()
	c.fail.Store(0)
	c.firing = map[string]map[string]string{"muka-air": {"awlr:a": "01JD0000000000000000000000"}}
	open(t, rdb, keys, c, engine(t), nil)
	until(t, "the crossing of the other life", func() bool { return c.count() >= 2 })
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.fired) != 2 || c.fired[1].Thing.ID != "awlr:b" {
		t.Errorf("fired %d times, last on %s", len(c.fired), c.fired[len(c.fired)-1].Thing.ID)
	}
}

func TestDrainStoresWhatWaitsAndRefusesTheRest(t *testing.T) {
	h := newHouse(t)
	var wg sync.WaitGroup
	var kept atomic.Int32
	for i := range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := h.Store(context.Background(), feeds.Batch{Observations: []feeds.Observation{obs(0, fmt.Sprint("d", i), 1, t0)}}, meta()); err == nil {
				kept.Add(1)
			} else if !errors.Is(err, feeds.ErrBusy) {
				t.Error(err)
			}
		}()
	}
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if h.picture.Len() != int(kept.Load()) {
		t.Errorf("%d acknowledged, %d in the picture", kept.Load(), h.picture.Len())
	}
	if _, err := h.Store(t.Context(), feeds.Batch{Observations: []feeds.Observation{obs(0, "late", 1, t0)}}, meta()); !errors.Is(err, feeds.ErrBusy) {
		t.Errorf("after the drain: %v", err)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
