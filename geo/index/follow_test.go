package index

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo"
	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

// ear notes what a follower is given.
type ear struct {
	mu     sync.Mutex
	got    map[string]int // readings, and how often
	states map[string]string
	known  time.Time
	end    func() error
}

func follow(t *testing.T, s *Store, since time.Time) *ear {
	t.Helper()
	e := &ear{got: map[string]int{}, states: map[string]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	name := s.publisher.Load()
	go func() {
		done <- s.Follow(ctx, since, func(r Remote) error {
			e.mu.Lock()
			defer e.mu.Unlock()
			for _, g := range r.Groups {
				for _, b := range g.Readings {
					e.got[g.ID+"/"+string(b)]++
				}
			}
			for _, st := range r.States {
				e.states[st.ID] = string(st.Payload)
			}
			if r.Known.Before(e.known) && s.publisher.Load() == name {
				t.Errorf("known goes back from %s to %s", e.known, r.Known)
			}
			e.known = r.Known
			return nil
		})
	}()
	var once sync.Once
	var err error
	e.end = func() error { once.Do(func() { cancel(); err = <-done }); return err }
	t.Cleanup(func() { _ = e.end() })
	return e
}

func (e *ear) list() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for r := range e.got {
		out = append(out, r)
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}

func (e *ear) knows(after time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.known.After(after)
}

func publisher(e engine) *Store {
	return NewStore(e.rdb, e.keys, Config{Retention: time.Hour, Publish: true}, nil)
}

// onCluster runs a test on three primaries as well.
func onCluster(t *testing.T, test func(t *testing.T, e engine)) {
	onEach(t, test)
	t.Run("cluster", func(t *testing.T) {
		c := redistest.StartCluster(t)
		rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: strings.Split(strings.TrimPrefix(c.URL(), "redis+cluster://"), ",")})
		t.Cleanup(func() { _ = rdb.Close() })
		test(t, engine{rdb, redistest.Keys(t)})
	})
}

func TestOthersHearOfCommits(t *testing.T) {
	onCluster(t, func(t *testing.T, e engine) {
		if strings.Contains(t.Name(), "miniredis") {
			e.keys = keyspace.New("test")
		}
		a, b := publisher(e), publisher(e)
		mustCommit(t, a, Change{Entry: thing(t, "f:early", solok, "0"), Readings: readings("before")})
		began := time.Now()
		ea, eb := follow(t, a, began), follow(t, b, began)
		soon(t, "both are connected", func() bool { return ea.knows(began) && eb.knows(began) })
		mustCommit(t, a, Change{Entry: thing(t, "f:a", solok, "A"), Readings: readings("a1", "a2")}, Change{Entry: thing(t, "f:p", padang, "P"), Readings: readings("p1")})
		mustCommit(t, b, Change{Entry: thing(t, "f:b", medan, "B"), Readings: readings("b1")}, Change{Entry: &Entry{ID: "f:c", Payload: text("C")}, Readings: readings("c1")})
		late := thing(t, "f:b", medan, "must not be told")
		mustCommit(t, b, Change{Entry: late, Keep: true, Readings: readings("b0")})
		soon(t, "b hears of a", func() bool { return eb.list() == "f:a/a1 f:a/a2 f:early/before f:p/p1" })
		soon(t, "a hears of b", func() bool { return ea.list() == "f:b/b0 f:b/b1 f:c/c1" })
		ea.mu.Lock()
		if ea.states["f:b"] != "B" || ea.states["f:c"] != "C" || len(ea.states) != 2 {
			t.Errorf("a was told the states %v", ea.states)
		}
		ea.mu.Unlock()
		eb.mu.Lock()
		if eb.states["f:early"] != "0" || eb.states["f:a"] != "A" || eb.states["f:p"] != "P" {
			t.Errorf("b was told the states %v", eb.states)
		}
		eb.mu.Unlock()
		now := time.Now()
		soon(t, "known moves without commits", func() bool { return ea.knows(now) && eb.knows(now) })
		if err := ea.end(); err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

// TestGapsAreHealed: connections of subscribers are cut while another server commits.
func TestGapsAreHealed(t *testing.T) {
	onCluster(t, func(t *testing.T, e engine) {
		if strings.Contains(t.Name(), "miniredis") {
			t.Skip("miniredis kills no connections")
		}
		a, b := publisher(e), publisher(e)
		eb := follow(t, b, time.Now())
		var want []string
		for i := range 60 {
			p := []geo.Position{solok, padang, medan}[i%3]
			r := fmt.Sprintf("%03d", i)
			want = append(want, "f:x/"+r)
			mustCommit(t, a, Change{Entry: thing(t, "f:x", p, r), Readings: readings(r)})
			if i%20 == 10 {
				cut(t, e.rdb)
			}
			time.Sleep(10 * time.Millisecond)
		}
		soon(t, "everything has come", func() bool { return eb.list() == strings.Join(want, " ") })
	})
}

func cut(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	kill := func(ctx context.Context, c *redis.Client) error {
		return c.ClientKillByFilter(ctx, "TYPE", "pubsub").Err()
	}
	ctx := context.Background()
	err := error(nil)
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		err = c.ForEachMaster(ctx, kill)
	case *redis.Client:
		err = kill(ctx, c)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAJumpIsHealed: messages are lost on a connection that lives.
func TestAJumpIsHealed(t *testing.T) {
	onCluster(t, func(t *testing.T, e engine) {
		if strings.Contains(t.Name(), "miniredis") {
			e.keys = keyspace.New("test")
		}
		a, b := publisher(e), publisher(e)
		began := time.Now()
		eb := follow(t, b, began)
		soon(t, "connected", func() bool { return eb.knows(began) })
		mustCommit(t, a, Change{Entry: thing(t, "f:a", solok, "1"), Readings: readings("1")})
		soon(t, "the first", func() bool { return eb.list() == "f:a/1" })
		mustCommit(t, a, Change{Entry: thing(t, "f:a", solok, "1"), Readings: readings("11")}) // on a cluster the first was found in the stream
		soon(t, "one by pub/sub", func() bool { return eb.list() == "f:a/1 f:a/11" })
		who := a.publisher.Load()
		a.publisher.Store(0) // tells nobody
		mustCommit(t, a, Change{Entry: thing(t, "f:a", solok, "2"), Readings: readings("2")})
		a.publisher.Store(who)
		for k := range a.sequence {
			a.sequence[k]++
		}
		mustCommit(t, a, Change{Entry: thing(t, "f:a", solok, "3"), Readings: readings("3")})
		soon(t, "the lost one", func() bool { return eb.list() == "f:a/1 f:a/11 f:a/2 f:a/3" })
	})
}

// TestACommitThatFailedAndWasWrittenComesBack: the answer is lost, the others know of it, and a copy may be sent to them.
func TestACommitThatFailedAndWasWrittenComesBack(t *testing.T) {
	onCluster(t, func(t *testing.T, e engine) {
		if strings.Contains(t.Name(), "miniredis") {
			e.keys = keyspace.New("test")
		}
		a := publisher(e)
		began := time.Now()
		mustCommit(t, a, Change{Entry: thing(t, "f:a", solok, "0"), Readings: readings("0")})
		ea := follow(t, a, began.Add(time.Hour)) // its own are not handed over
		soon(t, "connected", func() bool { return ea.knows(began) })
		mustCommit(t, a, Change{Entry: thing(t, "f:a", solok, "1"), Readings: readings("1")})
		if got := ea.list(); got != "" {
			t.Fatalf("it hears of its own: %s", got)
		}
		a.inDoubt(began) // as Commit does where no answer comes
		soon(t, "what was written", func() bool { return strings.Contains(ea.list(), "f:a/1") })
	})
}

func TestFollowEndsWithItsReadersError(t *testing.T) {
	e := engine{redistest.Start(t), redistest.Keys(t)}
	a, b := publisher(e), publisher(e)
	mustCommit(t, a, Change{Entry: thing(t, "f:a", solok, "1"), Readings: readings("1")})
	enough := errors.New("enough")
	if err := b.Follow(t.Context(), time.Now().Add(-time.Minute), func(Remote) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("err %v", err)
	}
}

// TestTrailsOfTwoServers: a Thing is driven across shards by one server and then by the other; each finds its whole history.
func TestTrailsOfTwoServers(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		a, b := publisher(e), publisher(e)
		began := time.Now()
		ea, eb := follow(t, a, began), follow(t, b, began)
		soon(t, "connected", func() bool { return ea.knows(began) && eb.knows(began) })
		at := []*Entry{thing(t, "f:bus", solok, "0"), thing(t, "f:bus", padang, "1"), thing(t, "f:bus", medan, "2")}
		mustCommit(t, a, Change{Entry: at[0], Readings: readings("r0")})
		mustCommit(t, a, Change{Entry: at[1], From: at[0].Cell, Moved: true, Readings: readings("r1")})
		soon(t, "b knows", func() bool { return eb.list() == "f:bus/r0 f:bus/r1" })
		mustCommit(t, b, Change{Entry: at[2], From: at[1].Cell, Moved: true, Readings: readings("r2")})
		soon(t, "a knows", func() bool { return ea.list() == "f:bus/r2" })
		for name, s := range map[string]*Store{"a": a, "b": b} {
			if got := history(t, s, at[2], "f:bus", 0); got != "r2 r1 r0" {
				t.Errorf("%s: history %q", name, got)
			}
		}
		again := e.store(nil)
		if got := loaded(t, again); len(got) != 1 || string(got["f:bus"].Payload) != "2" {
			t.Errorf("loaded %v", got)
		}
		if got := history(t, again, at[2], "f:bus", 0); got != "r2 r1 r0" {
			t.Errorf("after a start: history %q", got)
		}
	})
}

func TestHistoryDropsCopies(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := NewStore(e.rdb, e.keys, Config{Identity: func(b []byte) (uint64, error) { return uint64(b[0]), nil }}, nil)
		a := thing(t, "f:a", solok, "")
		mustCommit(t, s, Change{Entry: a, Readings: readings("x1", "y1")})
		mustCommit(t, s, Change{Entry: a, Readings: readings("x2", "z1")}) // as another server would, at the same time
		if got := history(t, s, a, "f:a", 0); got != "z1 x2 y1" {
			t.Errorf("history %q", got)
		}
		if got := history(t, s, a, "f:a", 3); got != "z1 x2 y1" {
			t.Errorf("the newest three: %q", got)
		}
	})
}
