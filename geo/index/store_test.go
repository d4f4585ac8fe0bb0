package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"kentongan/geo"
	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

// text is a payload that is its own record.
type text string

func (t text) AppendRecord(b []byte) []byte { return append(b, t...) }

// The three places lie in three shards.
var (
	solok  = geo.Position{Lat: -0.79, Lng: 100.65}
	padang = geo.Position{Lat: -0.95, Lng: 100.35}
	medan  = geo.Position{Lat: 3.59, Lng: 98.67}
)

func thing(t testing.TB, id string, at geo.Position, payload string) *Entry {
	t.Helper()
	c, err := geo.CellAt(at, geo.ResThing)
	if err != nil {
		t.Fatal(err)
	}
	return &Entry{ID: id, Kind: "gauge", Position: at, Placed: true, Cell: c, Payload: text(payload)}
}

func readings(rs ...string) [][]byte {
	var out [][]byte
	for _, r := range rs {
		out = append(out, []byte(r))
	}
	return out
}

// engine is a store to run the contract on.
type engine struct {
	rdb  redis.UniversalClient
	keys keyspace.Keys
}

func (e engine) store(now func() time.Time) *Store {
	return NewStore(e.rdb, e.keys, Config{Retention: time.Hour}, now)
}

// onEach runs a test on redis-server and on miniredis.
func onEach(t *testing.T, test func(t *testing.T, e engine)) {
	t.Run("redis-server", func(t *testing.T) { test(t, engine{redistest.Start(t), redistest.Keys(t)}) })
	t.Run("miniredis", func(t *testing.T) {
		c := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
		t.Cleanup(func() { _ = c.Close() })
		test(t, engine{c, keyspace.New("test")})
	})
}

func mustCommit(t testing.TB, s *Store, changes ...Change) {
	t.Helper()
	if err := s.Commit(context.Background(), changes); err != nil {
		t.Fatal(err)
	}
}

// loaded gives what a new server finds, by id.
func loaded(t testing.TB, s *Store) map[string]Stored {
	t.Helper()
	out := map[string]Stored{}
	err := s.Load(context.Background(), func(v Stored) error {
		v.Payload = bytes.Clone(v.Payload)
		out[v.ID] = v
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func history(t testing.TB, s *Store, e *Entry, id string, limit int) string {
	t.Helper()
	var out []string
	err := s.History(context.Background(), id, e, time.Time{}, time.Time{}, limit, func(r []byte) error {
		out = append(out, string(r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestCommitAndLoad(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := e.store(nil)
		a, b := thing(t, "f:a", solok, "one"), thing(t, "f:b", padang, "two")
		c := &Entry{ID: "f:c", Kind: "sensor", Payload: text("unplaced")}
		mustCommit(t, s, Change{Entry: a, Readings: readings("a1", "a2")}, Change{Entry: b, Readings: readings("b1")}, Change{Entry: c})
		want := map[string]Stored{
			"f:a": {"f:a", "gauge", solok, true, a.Cell, []byte("one"), nil},
			"f:b": {"f:b", "gauge", padang, true, b.Cell, []byte("two"), nil},
			"f:c": {"f:c", "sensor", geo.Position{}, false, 0, []byte("unplaced"), nil},
		}
		if d := cmp.Diff(want, loaded(t, e.store(nil))); d != "" {
			t.Errorf("loaded otherwise:\n%s", d)
		}
		if err := s.Commit(context.Background(), nil); err != nil {
			t.Errorf("nothing to commit: %v", err)
		}
		if err := s.Commit(context.Background(), []Change{{Entry: a}, {Readings: readings("whose?")}}); err == nil || !strings.Contains(err.Error(), "change 1") {
			t.Errorf("a change without an entry: %v", err)
		}
		if err := s.Remove(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		if got := loaded(t, e.store(nil)); len(got) != 2 || got["f:a"].ID != "" {
			t.Errorf("after removing f:a: %v", got)
		}
	})
}

func TestKeepWritesReadingsOnly(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := e.store(nil)
		mustCommit(t, s, Change{Entry: thing(t, "f:a", solok, "new"), Readings: readings("r2")})
		late := thing(t, "f:a", solok, "must not be written")
		mustCommit(t, s, Change{Entry: late, Keep: true, Readings: readings("r1-late")})
		if got := string(loaded(t, e.store(nil))["f:a"].Payload); got != "new" {
			t.Errorf("the last state is %q", got)
		}
		if got := history(t, s, late, "f:a", 0); got != "r1-late r2" {
			t.Errorf("history %q", got)
		}
	})
}

func TestHistoryIsNewestFirstAndLimited(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := e.store(nil)
		a := thing(t, "f:a", solok, "")
		var want []string
		for i := range 3 * historyCount { // more than one page, with another Thing between
			mustCommit(t, s, Change{Entry: thing(t, "f:b", solok, ""), Readings: readings("other")})
			if i%40 == 0 {
				r := []string{fmt.Sprintf("%d.0", i), fmt.Sprintf("%d.1", i)}
				mustCommit(t, s, Change{Entry: a, Readings: readings(r...)})
				want = append([]string{r[1], r[0]}, want...)
			}
		}
		if got := history(t, s, a, "f:a", 0); got != strings.Join(want, " ") {
			t.Errorf("history %q, want %q", got, want)
		}
		if got := history(t, s, a, "f:a", 3); got != strings.Join(want[:3], " ") {
			t.Errorf("the newest three: %q, want %q", got, want[:3])
		}
		if got := history(t, s, nil, "f:a", 1); got != want[0] {
			t.Errorf("asked without an entry: %q", got)
		}
		if got := history(t, s, a, "f:nobody", 0); got != "" {
			t.Errorf("history of an unknown Thing: %q", got)
		}
		enough := errors.New("enough")
		if err := s.History(context.Background(), "f:a", a, time.Time{}, time.Time{}, 0, func([]byte) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("an error of the reader is lost: %v", err)
		}
		past, n := time.Now().Add(-time.Minute), 0
		count := func([]byte) error { n++; return nil }
		if err := s.History(context.Background(), "f:a", a, time.Time{}, past, 0, count); err != nil || n != 0 {
			t.Errorf("%d readings before the first, %v", n, err)
		}
		if err := s.History(context.Background(), "f:a", a, past, time.Now().Add(time.Minute), 0, count); err != nil || n != len(want) {
			t.Errorf("%d readings within two minutes, %v; want %d", n, err, len(want))
		}
	})
}

func TestThingThatMovesBetweenShards(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := e.store(nil)
		at := []geo.Position{solok, padang, solok, medan}
		var last *Entry
		for i, p := range at {
			v := thing(t, "f:bus", p, fmt.Sprint("at ", i))
			c := Change{Entry: v, Readings: readings(fmt.Sprint("r", i))}
			if last != nil {
				c.From, c.Moved = last.Cell, true
			}
			mustCommit(t, s, c)
			last = v
		}
		if got := history(t, s, last, "f:bus", 0); got != "r3 r2 r1 r0" {
			t.Errorf("history %q", got)
		}
		again := e.store(nil)
		if got := loaded(t, again); len(got) != 1 || string(got["f:bus"].Payload) != "at 3" {
			t.Errorf("loaded %v", got)
		}
		if got := history(t, again, last, "f:bus", 0); got != "r3 r2 r1 r0" {
			t.Errorf("history after a restart: %q", got)
		}
		for _, p := range []geo.Position{solok, padang} {
			c, _ := geo.CellAt(p, geo.ResThing)
			if n := e.rdb.HLen(context.Background(), e.keys.Last(c)).Val(); n != 0 {
				t.Errorf("%d states are left in a shard that was left", n)
			}
		}
	})
}

func TestThingThatComesBackWithinABatch(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := e.store(nil)
		home, away := thing(t, "f:bus", solok, "0"), thing(t, "f:bus", padang, "1")
		back := thing(t, "f:bus", solok, "2")
		mustCommit(t, s, Change{Entry: home})
		mustCommit(t, s, Change{Entry: away, From: home.Cell, Moved: true}, Change{Entry: back, From: away.Cell, Moved: true})
		if got := loaded(t, e.store(nil)); len(got) != 1 || string(got["f:bus"].Payload) != "2" {
			t.Errorf("loaded %v", got)
		}
		if n := e.rdb.HLen(context.Background(), e.keys.Last(away.Cell)).Val(); n != 0 {
			t.Error("a state is left where the Thing passed through")
		}
	})
}

func TestLoadMendsAnInterruptedMove(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := e.store(nil)
		home, away := thing(t, "f:bus", solok, "old"), thing(t, "f:bus", padang, "new")
		mustCommit(t, s, Change{Entry: home})
		mustCommit(t, s, Change{Entry: away}) // as if the server had died before it left the old shard
		if n := e.rdb.HLen(context.Background(), e.keys.Last(home.Cell)).Val(); n != 1 {
			t.Fatal("the case is not set up")
		}
		for range 2 {
			if got := loaded(t, e.store(nil)); string(got["f:bus"].Payload) != "new" {
				t.Errorf("loaded %q", got["f:bus"].Payload)
			}
			if n := e.rdb.HLen(context.Background(), e.keys.Last(home.Cell)).Val(); n != 0 {
				t.Error("the older state is still there")
			}
		}
	})
}

func TestNewestStateHoldsWhenTheClockStepsBack(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		now := time.Now()
		s := e.store(func() time.Time { return now })
		mustCommit(t, s, Change{Entry: thing(t, "f:bus", solok, "old")})
		now = now.Add(-time.Hour)
		again := e.store(func() time.Time { return now })
		loaded(t, again)
		mustCommit(t, again, Change{Entry: thing(t, "f:bus", padang, "new")})
		if got := loaded(t, e.store(nil)); string(got["f:bus"].Payload) != "new" {
			t.Errorf("loaded %q", got["f:bus"].Payload)
		}
	})
}

func TestTail(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := e.store(nil)
		var want []string
		for i := range tailCount + 10 { // more than one page
			r := fmt.Sprintf("a%04d", i)
			mustCommit(t, s, Change{Entry: thing(t, "f:a", solok, ""), Readings: readings(r)})
			want = append(want, r)
		}
		mustCommit(t, s, Change{Entry: &Entry{ID: "f:c"}, Readings: readings("c")})
		want = append(want, "c")
		tail := func(since time.Time) []string {
			var got []string
			if err := s.Tail(context.Background(), since, func(_ time.Time, r []byte) error { got = append(got, string(r)); return nil }); err != nil {
				t.Fatal(err)
			}
			sort.Strings(got)
			return got
		}
		if d := cmp.Diff(want, tail(time.Time{})); d != "" {
			t.Errorf("all readings:\n%s", d)
		}
		if got := tail(time.Now().Add(time.Minute)); len(got) != 0 {
			t.Errorf("readings of the future: %v", got)
		}
	})
}

func TestTrimByRetention(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		now := time.Now()
		s := e.store(func() time.Time { return now })
		a := thing(t, "f:a", solok, "stays")
		mustCommit(t, s, Change{Entry: a, Readings: readings("r1")})
		mustCommit(t, s, Change{Entry: a, Readings: readings("r2")}, Change{Entry: thing(t, "f:b", padang, ""), Readings: readings("r3")})
		if n, err := s.Trim(context.Background()); n != 0 || err != nil {
			t.Errorf("trimmed %d, %v before the retention", n, err)
		}
		ttl := e.rdb.PTTL(context.Background(), e.keys.Readings(a.Cell)).Val()
		if ttl < time.Hour || ttl > 2*time.Hour {
			t.Errorf("the stream lives for %v, want the retention of an hour and some", ttl)
		}
		now = now.Add(time.Hour + time.Minute)
		if n, err := s.Trim(context.Background()); n != 3 || err != nil {
			t.Errorf("trimmed %d, %v; want 3 blobs", n, err)
		}
		if got := history(t, s, a, "f:a", 0); got != "" {
			t.Errorf("history %q", got)
		}
		if got := loaded(t, s); string(got["f:a"].Payload) != "stays" {
			t.Error("a last state went with the history")
		}
	})
}

func TestLifeOfAStreamIsRenewedSeldom(t *testing.T) {
	now := time.Now()
	e := engine{redistest.Start(t), redistest.Keys(t)}
	s := e.store(func() time.Time { return now })
	a := thing(t, "f:a", solok, "")
	key := e.keys.Readings(a.Cell)
	mustCommit(t, s, Change{Entry: a, Readings: readings("1")})
	if err := e.rdb.Persist(context.Background(), key).Err(); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, Change{Entry: a, Readings: readings("2")})
	if d := e.rdb.PTTL(context.Background(), key).Val(); d > 0 {
		t.Error("renewed at the next commit already")
	}
	now = now.Add(time.Hour/16 + time.Second)
	mustCommit(t, s, Change{Entry: a, Readings: readings("3")})
	if d := e.rdb.PTTL(context.Background(), key).Val(); d <= 0 {
		t.Error("not renewed after a sixteenth of the retention")
	}
}

func TestAnyFailedCommandIsNotCommitted(t *testing.T) {
	e := engine{redistest.Start(t), redistest.Keys(t)}
	s := e.store(nil)
	a, b := thing(t, "f:a", solok, ""), thing(t, "f:b", padang, "")
	ctx := context.Background()
	if err := e.rdb.Set(ctx, e.keys.Readings(b.Cell), "not a stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	err := s.Commit(ctx, []Change{{Entry: a, Readings: readings("1")}, {Entry: b, Readings: readings("2")}})
	if err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Errorf("one of two shards failed: %v", err)
	}
}

func TestFullStoreKeepsWhatAThingWas(t *testing.T) {
	server := redistest.Private(t)
	rdb := server.Client(t)
	e := engine{rdb, redistest.Keys(t)}
	s := e.store(nil)
	ctx := context.Background()
	home, away := thing(t, "f:bus", solok, "old"), thing(t, "f:bus", padang, "new")
	mustCommit(t, s, Change{Entry: home})
	if err := rdb.ConfigSet(ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	move := Change{Entry: away, From: home.Cell, Moved: true, Readings: readings("r")}
	if err := s.Commit(ctx, []Change{move}); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Fatalf("a full store took a commit: %v", err)
	}
	if got := loaded(t, e.store(nil)); string(got["f:bus"].Payload) != "old" {
		t.Errorf("after the refusal: %v", got)
	}
	if err := rdb.ConfigSet(ctx, "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, move)
	if got := loaded(t, e.store(nil)); len(got) != 1 || string(got["f:bus"].Payload) != "new" {
		t.Errorf("sent again: %v", got)
	}
}

func TestCommittedSurvivesKill(t *testing.T) {
	server := redistest.Private(t)
	e := engine{server.Client(t), redistest.Keys(t)}
	s := e.store(nil)
	mustCommit(t, s, Change{Entry: thing(t, "f:a", solok, "x"), Readings: readings("r")})
	server.Kill()
	if err := s.Commit(context.Background(), []Change{{Entry: thing(t, "f:b", solok, "y")}}); err == nil {
		t.Error("committed to a dead store")
	}
	server.Restart(t)
	e.rdb = server.Client(t)
	again := e.store(nil)
	if got := loaded(t, again); len(got) != 1 || string(got["f:a"].Payload) != "x" {
		t.Errorf("loaded %v", got)
	}
	if got := history(t, again, nil, "f:a", 0); got != "r" {
		t.Errorf("history %q", got)
	}
}

func TestFaultyRecordsAreNamed(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := e.store(nil)
		a := thing(t, "f:a", solok, "")
		ctx := context.Background()
		mustCommit(t, s, Change{Entry: a})
		newer := appendLast(nil, a, text(""), nil, 1)
		newer[1] = version + 1
		for name, b := range map[string][]byte{"cut": {0x0a, 0xff}, "newer": newer, "empty": {}} {
			if err := e.rdb.HSet(ctx, e.keys.Last(a.Cell), "f:a", b).Err(); err != nil {
				t.Fatal(err)
			}
			err := e.store(nil).Load(ctx, func(Stored) error { return nil })
			if !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), "f:a") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := e.rdb.XAdd(ctx, &redis.XAddArgs{Stream: e.keys.Readings(a.Cell), Values: []any{"x", "y"}}).Err(); err != nil {
			t.Fatal(err)
		}
		if err := s.Tail(ctx, time.Time{}, func(time.Time, []byte) error { return nil }); !errors.Is(err, ErrRecord) {
			t.Errorf("a stream entry without a blob: %v", err)
		}
	})
}

func TestCommitUsesNoKeyOutsideTheTable(t *testing.T) {
	e := engine{redistest.Start(t), redistest.Keys(t)}
	mustCommit(t, e.store(nil), Change{Entry: thing(t, "f:a", solok, ""), Readings: readings("r")}, Change{Entry: &Entry{ID: "f:b"}, Readings: readings("r")})
	keys, err := e.rdb.Keys(context.Background(), e.keys.Prefix+":*").Result()
	if err != nil || len(keys) != 5 {
		t.Fatalf("%v, %v; want two streams, two hashes and the set of shards", keys, err)
	}
	for _, k := range keys {
		row, ok := keyspace.Known(strings.Replace(k, e.keys.Prefix, "kt", 1))
		if !ok {
			t.Errorf("%s is not in keyspace.Table", k)
		} else if got := e.rdb.Type(context.Background(), k).Val(); got != row.Type {
			t.Errorf("%s is a %s, the table says %s", k, got, row.Type)
		}
	}
}

func FuzzReadLast(f *testing.F) {
	e := &Entry{ID: "f:a", Kind: "gauge", Position: solok, Placed: true, Cell: 0x8a2a1072b59ffff, Payload: text(strings.Repeat("x", 200))}
	f.Add(appendLast(nil, e, text(strings.Repeat("x", 200)), []stay{{5, 7}, {0, math.MaxInt64}}, 12345))
	f.Add(appendGroup(appendBlob(nil, 5, 7), "f:a", readings("1", "22")))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = readLast("id", b)
		_, _ = readBlob(b, nil, func([]byte, [][]byte) error { return nil })
	})
}
