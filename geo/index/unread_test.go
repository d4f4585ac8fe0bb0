package index

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/redistest"
)

// spoilt is a store that tells what it passed over.
type spoilt struct {
	*Store
	mu     sync.Mutex
	passed []string
}

func newSpoilt(e engine) *spoilt {
	out := &spoilt{}
	out.Store = NewStore(e.rdb, e.keys, Config{Retention: time.Hour, Publish: true, Identity: func(b []byte) (uint64, error) {
		if strings.HasPrefix(string(b), "junk") {
			return 0, errors.New("no reading")
		}
		return uint64(len(b))<<8 | uint64(b[len(b)-1]), nil
	}, Unreadable: func(key, id string, err error) {
		out.mu.Lock()
		defer out.mu.Unlock()
		out.passed = append(out.passed, key+" "+id)
	}}, time.Now)
	return out
}

// took gives what was passed over since the last call.
func (s *spoilt) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.passed
	s.passed = nil
	return out
}

// Junk in a stream, in the last states and among the shards hides nothing that lies beside it, from any way of reading; each is named by its place.
func TestOneUnreadableRecordHidesNoOther(t *testing.T) {
	e := engine{redistest.Start(t), redistest.Keys(t)}
	s := newSpoilt(e)
	ctx := t.Context()
	at := thing(t, "a:1", solok, "state of one")
	stream, last := e.keys.Readings(at.Cell), e.keys.Last(at.Cell)
	if err := s.Commit(ctx, []Change{{Entry: at, Readings: readings("r1", "junk of a reading")}}); err != nil {
		t.Fatal(err)
	}
	for _, blob := range []string{"\xff\xff", "", "\x08\x63"} { // torn, empty, of version 99
		if err := e.rdb.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{blobField, blob}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.rdb.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"another", "field"}}).Err(); err != nil {
		t.Fatal(err)
	}
	if err := e.rdb.HSet(ctx, last, "a:junk", "\xff").Err(); err != nil {
		t.Fatal(err)
	}
	if err := e.rdb.SAdd(ctx, e.keys.Shards(), "no cell").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, []Change{{Entry: at, Readings: readings("r2")}, {Entry: thing(t, "a:2", padang, "state of two"), Readings: readings("r3")}}); err != nil {
		t.Fatal(err)
	}
	named := func(what string, places ...string) {
		t.Helper()
		got := s.took()
		for _, p := range places {
			if !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, p) }) {
				t.Errorf("%s: %s is not named, of %q", what, p, got)
			}
		}
	}

	states := map[string]string{}
	refuse := func(st Stored) error {
		if st.ID == "a:2" {
			return ErrRecord // what its owner cannot read of it
		}
		states[st.ID] = string(st.Payload)
		return nil
	}
	if err := s.Load(ctx, refuse); err != nil || len(states) != 1 || states["a:1"] != "state of one" {
		t.Errorf("states %v, %v", states, err)
	}
	named("load", last+" a:junk", e.keys.Shards()+" no cell", e.keys.Last(thing(t, "a:2", padang, "").Cell)+" a:2")

	var tail []string
	if err := s.Tail(ctx, time.Time{}, func(_ time.Time, b []byte) error { tail = append(tail, string(b)); return nil }); err != nil || len(tail) != 4 {
		t.Errorf("tail %v, %v", tail, err)
	}
	named("tail", stream)

	for _, entry := range []*Entry{at, nil} {
		var history []string
		if err := s.History(ctx, "a:1", entry, time.Time{}, time.Time{}, 0, func(b []byte) error { history = append(history, string(b)); return nil }); err != nil || !slices.Equal(history, []string{"r2", "r1"}) {
			t.Errorf("history %q, %v", history, err)
		}
		named("history", stream+" a:1", stream+" 1")
	}

	deaf := NewStore(e.rdb, e.keys, Config{Retention: time.Hour}, time.Now)
	if err := deaf.History(ctx, "a:1", at, time.Time{}, time.Time{}, 0, func([]byte) error { return nil }); err == nil || !strings.Contains(err.Error(), stream) {
		t.Errorf("nobody is told, and the place is not in the error: %v", err)
	}
}

// Whoever follows others goes on over a message that cannot be read and over junk in the streams that it heals from.
func TestFollowGoesOnOverJunk(t *testing.T) {
	e := engine{redistest.Start(t), redistest.Keys(t)}
	here, there := newSpoilt(e), newSpoilt(e)
	ctx := t.Context()
	at := thing(t, "a:1", solok, "state")
	if err := e.rdb.SAdd(ctx, e.keys.Shards(), e.keys.Shard(at.Cell)).Err(); err != nil {
		t.Fatal(err)
	}
	if err := e.rdb.XAdd(ctx, &redis.XAddArgs{Stream: e.keys.Readings(at.Cell), Values: []any{blobField, "\xff\xff"}}).Err(); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 100)
	done := make(chan error, 1)
	go func() {
		done <- here.Follow(ctx, time.Now().Add(-time.Minute), func(r Remote) error {
			for _, g := range r.Groups {
				for _, b := range g.Readings {
					got <- string(b)
				}
			}
			return nil
		})
	}()
	want := func(text string) {
		t.Helper()
		for end := time.After(20 * time.Second); ; {
			select {
			case g := <-got:
				if g == text {
					return
				}
			case err := <-done:
				t.Fatalf("it follows no more: %v", err)
			case <-end:
				t.Fatalf("%q did not come", text)
			}
		}
	}
	if err := there.Commit(ctx, []Change{{Entry: at, Readings: readings("before")}}); err != nil {
		t.Fatal(err)
	}
	want("before")
	if err := e.rdb.Publish(ctx, e.keys.Live(), "\xff\xffjunk").Err(); err != nil {
		t.Fatal(err)
	}
	if err := there.Commit(ctx, []Change{{Entry: at, Readings: readings("after")}}); err != nil {
		t.Fatal(err)
	}
	want("after")
	if passed := here.took(); !slices.ContainsFunc(passed, func(p string) bool { return strings.HasPrefix(p, e.keys.Live()+" ") }) {
		t.Errorf("passed over: %q", passed)
	}
}
