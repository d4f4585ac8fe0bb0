package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
)

// openLeased is one of several servers: it follows the others and judges only where it is told to.
func openLeased(t testing.TB, rdb redis.UniversalClient, keys keyspace.Keys, engine *rules.Engine, onThings func([]ThingChange)) *house {
	t.Helper()
	h := &house{index: index.NewStore(rdb, keys, index.Config{Publish: true, Identity: Identity}, nil), picture: index.NewPicture()}
	h.Pipeline = New(Deps{Index: h.index, Picture: h.picture, Rules: engine, Leased: true, Log: zerolog.Nop(), OnThings: onThings})
	if err := h.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { _ = h.Run(ctx) })
	work.Go(func() {
		if err := h.Follow(ctx); err != nil {
			t.Error(err)
		}
	})
	h.stop = sync.OnceFunc(func() { cancel(); work.Wait() })
	t.Cleanup(h.stop)
	return h
}

// evaluate lets a server judge until the returned function is called.
func (h *house) evaluate(t testing.TB, c Cases) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Evaluate(ctx, c); err != nil {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func (h *house) has(id, property string, v float64) func() bool {
	return func() bool {
		e := h.picture.Get(id)
		return e != nil && thingOf(e).State[property].Value.Num == v
	}
}

func of(o feeds.Observation, property string) feeds.Observation {
	o.Property = property
	return o
}

func TestReadingsOfOneServerReachTheOther(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	var told atomic.Int32
	a := openLeased(t, rdb, keys, nil, nil)
	b := openLeased(t, rdb, keys, nil, func(c []ThingChange) { told.Add(int32(len(c))) })
	batch := feeds.Batch{Observations: []feeds.Observation{obs(0, "d", 1, t0)}}
	if r := a.send(t, meta(), batch); r.Accepted != 1 {
		t.Fatalf("%+v", r)
	}
	until(t, "b has it", b.has("awlr:d", "level", 1))
	until(t, "b's hub is told", func() bool { return told.Load() > 0 })
	if r := b.send(t, meta(), batch); r.Duplicates != 1 {
		t.Errorf("sent again to b: %+v", r)
	}
	want, got := a.thing(t, "awlr:d"), b.thing(t, "awlr:d")
	if got.Name != want.Name || got.Kind != want.Kind || got.Attribution != want.Attribution || got.Position != want.Position || !got.ReceivedAt.Equal(want.ReceivedAt.Time) {
		t.Errorf("b has %+v, a %+v", got, want)
	}
	if n := len(b.history(t, "awlr:d")); n != 1 {
		t.Errorf("%d readings in history, want 1", n)
	}
	// And after a start, from the streams.
	c := openLeased(t, rdb, keys, nil, nil)
	if r := c.send(t, meta(), batch); r.Duplicates != 1 {
		t.Errorf("sent again to a new server: %+v", r)
	}
}

// TestRacingCopiesAreDoubledToNobody: the same readings are given to both servers at once, so that neither knows of the other's.
func TestRacingCopiesAreDoubledToNobody(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	a, b := openLeased(t, rdb, keys, nil, nil), openLeased(t, rdb, keys, nil, nil)
	const n = 200
	var both sync.WaitGroup
	for _, h := range []*house{a, b} {
		both.Go(func() {
			for i := range n {
				o := obs(0, "d", float64(i), t0.Add(time.Duration(i-n)*time.Second))
				if _, err := h.Store(context.Background(), feeds.Batch{Observations: []feeds.Observation{o}}, meta()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	until(t, "both agree", func() bool { return a.has("awlr:d", "level", n-1)() && b.has("awlr:d", "level", n-1)() })
	for _, h := range []*house{a, b} {
		if got := len(h.history(t, "awlr:d")); got != n {
			t.Errorf("%d readings in history, want %d", got, n)
		}
	}
}

// TestBothServersChangeOneThing: a property each, and a shard each; what is stored in the end holds both.
func TestBothServersChangeOneThing(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	a, b := openLeased(t, rdb, keys, nil, nil), openLeased(t, rdb, keys, nil, nil)
	for round := range 20 {
		id := fmt.Sprint("d", round)
		here, there := of(obs(0, id, 1, t0), "level"), of(obs(0, id, 2, t0.Add(time.Second)), "rain")
		there.Position = geo.Position{Lat: -0.95, Lng: 100.35} // another shard
		var both sync.WaitGroup
		both.Go(func() { a.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{here}}) })
		both.Go(func() { b.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{there}}) })
		both.Wait()
	}
	for round := range 20 {
		id := fmt.Sprint("awlr:d", round)
		until(t, "both know both", func() bool {
			return a.has(id, "level", 1)() && b.has(id, "level", 1)() && a.has(id, "rain", 2)() && b.has(id, "rain", 2)()
		})
	}
	until(t, "what is stored is whole", func() bool {
		got := map[string]int{}
		whole := true
		err := index.NewStore(rdb, keys, index.Config{}, nil).Load(t.Context(), func(s index.Stored) error {
			got[s.ID]++
			th := feeds.Thing{ID: s.ID}
			if err := th.ReadRecord(s.Payload); err != nil {
				return err
			}
			whole = whole && len(th.State) == 2 && s.Position.Lat == -0.95
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return whole && len(got) == 20
	})
	if n := len(b.history(t, "awlr:d3")); n != 2 {
		t.Errorf("%d readings in history over both shards, want 2", n)
	}
}

// ledgerCases counts crossings as the case store does: a crossing is its own name.
type ledgerCases struct {
	heldState
	mu     sync.Mutex
	fired  map[string]int // crossings, and how often they were offered
	on     map[string]string
	fenced atomic.Bool
}

func newLedgerCases() *ledgerCases {
	return &ledgerCases{fired: map[string]int{}, on: map[string]string{}}
}

func (c *ledgerCases) PutAgencyAlert(context.Context, feeds.Alert, feeds.Meta) (store.Result, error) {
	return store.Result{}, nil
}

func (c *ledgerCases) EndUnlisted(context.Context, []feeds.Alert, feeds.Meta) (int, error) {
	return 0, nil
}

func (c *ledgerCases) PutReports(_ context.Context, list []feeds.Report, _ feeds.Meta) ([]store.Result, error) {
	return make([]store.Result, len(list)), nil
}

func (c *ledgerCases) Fire(_ context.Context, f store.Firing) error {
	if c.fenced.Load() {
		return fmt.Errorf("fire: %w", store.ErrFenced)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	name := fmt.Sprint(f.Thing.ID, "@", f.At.UnixMilli())
	if c.fired[name]++; c.fired[name] == 1 && c.on[f.Thing.ID] == "" {
		c.on[f.Thing.ID] = name
	}
	return nil
}

func (c *ledgerCases) Clear(_ context.Context, f store.Firing) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.on, f.Thing.ID)
	return nil
}

func (c *ledgerCases) Firing(context.Context) (map[string]map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	things := map[string]string{}
	for id := range c.on {
		things[id] = "" // no time: readings up to the crossing are judged again, and neither raise nor clear
	}
	return map[string]map[string]string{"muka-air": things}, nil
}

func (c *ledgerCases) crossings() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.fired)
}

// TestEvaluatorsFollowEachOther: readings go to either server while the right to judge goes to and fro; every crossing is found once.
func TestEvaluatorsFollowEachOther(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	c := newLedgerCases()
	a, b := openLeased(t, rdb, keys, engine(t), nil), openLeased(t, rdb, keys, engine(t), nil)
	const n = 150
	var send sync.WaitGroup
	send.Go(func() {
		for i := range n {
			h := []*house{a, b}[i%2]
			o := obs(0, fmt.Sprint("d", i), 3.4, time.Now())
			if _, err := h.Store(context.Background(), feeds.Batch{Observations: []feeds.Observation{o}}, feeds.Meta{Feed: "awlr", ReceivedAt: time.Now()}); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	for i := range 8 {
		stop := []*house{a, b}[i%2].evaluate(t, c)
		time.Sleep(200 * time.Millisecond)
		stop()
	}
	send.Wait()
	a.evaluate(t, c)
	until(t, "all crossings", func() bool { return c.crossings() == n })
}

// TestAFencedEvaluatorStops: the lease has gone to another server.
func TestAFencedEvaluatorStops(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	c := newLedgerCases()
	c.fenced.Store(true)
	a := openLeased(t, rdb, keys, engine(t), nil)
	ended := make(chan error, 1)
	go func() { ended <- a.Evaluate(context.Background(), c) }()
	a.send(t, meta(), feeds.Batch{Observations: []feeds.Observation{obs(0, "d", 3.4, time.Now())}})
	select {
	case err := <-ended:
		if err == nil {
			t.Error("ended without a reason")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	c.fenced.Store(false)
	stop := a.evaluate(t, c) // it gets the lease again
	until(t, "the crossing that was refused", func() bool { return c.crossings() == 1 })
	stop()
	if n := a.unjudged(); n != 0 {
		t.Errorf("%d commits wait for nobody", n)
	}
}

// Whatever the order in which two servers hear of states, they come to one.
func TestMergeThingsComesToOneEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(name string) *feeds.Thing {
			th := &feeds.Thing{ID: "f:a", Feed: "f", State: map[string]feeds.Reading{}}
			for _, p := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 1, 3, rapid.ID[string]).Draw(rt, name) {
				at := moment.OfMilli(int64(rapid.IntRange(1, 3).Draw(rt, "at")))
				th.State[p] = feeds.Reading{Value: feeds.Value{Num: float64(rapid.IntRange(0, 2).Draw(rt, "value"))}, At: at, ReceivedAt: at, Quality: feeds.Good}
				if at.After(th.At.Time) {
					th.At, th.ReceivedAt = at, at
				}
			}
			th.Position = geo.Position{Lat: float64(rapid.IntRange(0, 2).Draw(rt, "lat"))}
			th.Placed = true
			return th
		}
		a, b := draw("a"), draw("b")
		ab, news, lacks := mergeThings(a, b)
		ba, _, _ := mergeThings(b, a)
		if fmt.Sprint(ab) != fmt.Sprint(ba) {
			rt.Fatalf("%v and %v give %v or %v", a, b, ab, ba)
		}
		if !news && fmt.Sprint(ab) != fmt.Sprint(a) {
			rt.Fatalf("no news, but %v became %v", a, ab)
		}
		if !lacks && fmt.Sprint(ab) != fmt.Sprint(b) {
			rt.Fatalf("%v lacks nothing, but %v came of it", b, ab)
		}
	})
}

// deaf loses the answers of transactions while on.
type deaf struct {
	redis.Hook
	on atomic.Bool
}

func (d *deaf) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (d *deaf) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (d *deaf) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if d.on.Load() && err == nil && len(cmds) > 0 && cmds[0].Name() == "multi" {
			return errors.New("the answer is lost")
		}
		return err
	}
}

// TestAnAnswerThatIsLostCostsNoCrossing: the commit was written and told, its own server does not know, and the sender goes to the other,
// where it is a copy.
func TestAnAnswerThatIsLostCostsNoCrossing(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	lossy := redis.NewClient(rdb.(*redis.Client).Options())
	defer lossy.Close()
	hook := &deaf{}
	lossy.AddHook(hook)
	c := newLedgerCases()
	a, b := openLeased(t, lossy, keys, engine(t), nil), openLeased(t, rdb, keys, engine(t), nil)
	defer a.stop()
	a.evaluate(t, c)
	hook.on.Store(true)
	batch := feeds.Batch{Observations: []feeds.Observation{obs(0, "d", 3.4, time.Now())}}
	if _, err := a.Store(t.Context(), batch, meta()); !errors.Is(err, feeds.ErrBusy) {
		t.Fatalf("err %v, want ErrBusy", err)
	}
	hook.on.Store(false)
	until(t, "the other has it", b.has("awlr:d", "level", 3.4))
	if r := b.send(t, meta(), batch); r.Duplicates != 1 {
		t.Errorf("sent to the other: %+v", r)
	}
	until(t, "its own server has it", a.has("awlr:d", "level", 3.4))
	until(t, "the crossing", func() bool { return c.crossings() == 1 })
	if n := len(a.history(t, "awlr:d")); n != 1 {
		t.Errorf("%d readings in history, want 1", n)
	}
}

// TestAStateThatHidesAnotherIsMendedAtTheStart: both servers changed a Thing at once and died before either wrote what came of it.
func TestAStateThatHidesAnotherIsMendedAtTheStart(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	now := time.Now()
	alone := func(property string, at time.Time) { // a server that neither follows nor is followed
		h := &house{index: index.NewStore(rdb, keys, index.Config{}, nil), picture: index.NewPicture()}
		h.Pipeline = New(Deps{Index: h.index, Picture: h.picture, Log: zerolog.Nop(), Leased: true})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { _ = h.Run(ctx); close(ended) }()
		h.send(t, feeds.Meta{Feed: "awlr", ReceivedAt: at}, feeds.Batch{Observations: []feeds.Observation{of(obs(0, "d", 1, at), property)}})
		cancel()
		<-ended
	}
	alone("level", now.Add(-time.Second))
	alone("rain", now)
	for _, what := range []string{"from the stream", "from what was written again"} {
		h := openLeased(t, rdb, keys, nil, nil)
		if got := h.thing(t, "awlr:d"); len(got.State) != 2 || !got.At.Equal(moment.Of(now).Time) {
			t.Errorf("%s: %+v", what, got)
		}
		until(t, "it is written", func() bool {
			n := 0
			err := index.NewStore(rdb, keys, index.Config{}, nil).Load(t.Context(), func(s index.Stored) error {
				packed, err := feeds.PackRecord(s.ID, s.Payload)
				n = packed.Properties()
				return err
			})
			return err == nil && n == 2
		})
		h.stop()
		if err := rdb.Del(t.Context(), keys.Readings(h.picture.Get("awlr:d").Cell)).Err(); err != nil {
			t.Fatal(err)
		}
	}
}
