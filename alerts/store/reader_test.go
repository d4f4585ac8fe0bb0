package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"kentongan/geo/redistest"
)

// counting is a reader that counts each case once, in the store, by a step of one or a few changes each. kills says after how many more
// steps it dies, before or after the last of them.
type counting struct {
	s     *Store
	kills int
	after bool
	some  int // changes in a step
	seen  []int64
	ticks int
	done  func(offset int64)
}

var errKilled = errors.New("killed")

func (c *counting) Name() string { return "fusion" }

func (c *counting) Take(ctx context.Context, list []Change) error {
	for len(list) > 0 {
		part := list[:min(c.some, len(list))]
		list = list[len(part):]
		st := c.s.newStep(c.s.now())
		for _, ch := range part {
			key := c.s.keys.Firing("count-" + ch.ID)
			n, _ := c.s.rdb.HGet(ctx, key, "n").Int()
			st.write("hset", key, "n", strconv.Itoa(n+1))
			c.seen = append(c.seen, ch.Offset)
		}
		c.s.passed(st, c.Name(), part[len(part)-1].Offset)
		c.kills--
		if c.kills == 0 && !c.after {
			return errKilled
		}
		if err := c.s.run(ctx, st); err != nil {
			return err
		}
		if c.kills == 0 {
			return errKilled
		}
		c.done(part[len(part)-1].Offset)
	}
	return nil
}

func (c *counting) Tick(context.Context, time.Time) error { c.ticks++; return nil }

// A reader that is killed before and after any of its steps counts every change once.
func TestReaderKilledBetweenAnyTwoSteps(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		const n = 40
		fill := func(from int) {
			for i := range n / 2 {
				st := s.newStep(noon)
				st.event("alert", fmt.Sprint(from+i), []byte(`{}`))
				if err := s.run(t.Context(), st); err != nil {
					t.Fatal(err)
				}
			}
		}
		if at, err := s.ReaderAt(t.Context(), "fusion"); at != -1 || err != nil {
			t.Fatalf("a reader that never read is at %d, %v", at, err)
		}
		begin := &marking{Store: s, r: &counting{s: s, some: 1}}
		if err := begin.begin(t.Context()); err != nil || begin.at != 0 {
			t.Fatalf("nothing stands: at %d, %v", begin.at, err)
		}
		fill(0)
		for kill := 1; ; kill++ {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			r := &counting{s: s, kills: kill%3 + 1, after: kill%2 == 0, some: 1 + kill%4, done: func(offset int64) {
				if offset == n {
					cancel()
				}
			}}
			if kill == 5 {
				fill(n / 2)
			}
			err := s.Read(ctx, r)
			over := ctx.Err() != nil
			cancel()
			if over && err == nil {
				break
			}
			if !errors.Is(err, errKilled) || kill > 200 {
				t.Fatalf("life %d: %v", kill, err)
			}
			if at, _ := s.ReaderAt(t.Context(), "fusion"); at == n {
				break
			}
		}
		for i := range n {
			got, err := s.rdb.HGet(t.Context(), s.keys.Firing(fmt.Sprintf("count-%d", i)), "n").Int()
			if err != nil || got != 1 {
				t.Errorf("change %d was counted %d times, %v", i, got, err)
			}
		}
	})
}

// Changes of which nothing follows need no step: the checkpoint moves over them by itself, and they are there within milliseconds.
type watching struct {
	name  string
	took  chan Change
	ticks chan time.Time
	start chan *Open
}

func (w *watching) Name() string { return w.name }
func (w *watching) Take(_ context.Context, list []Change) error {
	for _, c := range list {
		w.took <- c
	}
	return nil
}
func (w *watching) Tick(_ context.Context, now time.Time) error {
	select {
	case w.ticks <- now:
	default:
	}
	return nil
}

type starting struct{ *watching }

func (w starting) Start(_ context.Context, _ int64, open *Open) error { w.start <- open; return nil }

func watch(name string) *watching {
	return &watching{name, make(chan Change, 2000), make(chan time.Time, 1), make(chan *Open, 1)}
}

// reading reads beside the test until the function is called, which gives what came of it.
func reading(t *testing.T, s *Store, r Reader) (end func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Read(ctx, r) }()
	return func() error { cancel(); return <-done }
}

func got[T any](t *testing.T, from chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		panic("unreached")
	}
}

func TestReaderHearsAtOnceAndMarksByItself(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		w := watch("alarm")
		end := reading(t, s, w)
		if now := got(t, w.ticks); !now.Equal(noon) {
			t.Errorf("ticked with %v, want the store's clock", now)
		}
		for i := range 20 {
			if err := s.Fire(t.Context(), firing(fmt.Sprintf("awlr:%d", i), center, noon)); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"incident", "alert"} {
				if c := got(t, w.took); c.Type != want {
					t.Errorf("%s, want %s", c.Type, want)
				}
			}
		}
		deadline := time.Now().Add(20 * time.Second)
		for at := int64(0); at < 40; {
			if time.Now().After(deadline) {
				t.Fatalf("the checkpoint stays at %d", at)
			}
			got(t, w.ticks)
			at, _ = s.ReaderAt(t.Context(), "alarm")
		}
		if err := end(); err != nil {
			t.Errorf("ended by its context: %v", err)
		}
	})
}

func TestReaderBeginsWithWhatStands(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		w := watch("status")
		end := reading(t, s, w)
		in, al := got(t, w.took), got(t, w.took)
		if in.Type != "incident" || in.Offset != -1 || al.Type != "alert" || al.Offset != 2 {
			t.Errorf("%s at %d, %s at %d: want the incident at -1 and the alert at 2", in.Type, in.Offset, al.Type, al.Offset)
		}
		var doc struct{ Thing string }
		if json.Unmarshal(al.Doc, &doc); doc.Thing != "awlr:1" {
			t.Errorf("the alert is of %q", doc.Thing)
		}
		got(t, w.ticks)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if at, err := s.ReaderAt(t.Context(), "status"); at != 2 || err != nil {
			t.Errorf("the checkpoint is %d, %v", at, err)
		}
		// What comes while nobody reads is not lost, and a Starter hears that everything follows.
		if err := s.Fire(t.Context(), firing("awlr:2", center, noon.Add(time.Second))); err != nil {
			t.Fatal(err)
		}
		st := starting{watch("status")}
		end = reading(t, s, st)
		if open := got(t, st.start); open != nil {
			t.Error("it is given what stands although the stream reaches back")
		}
		if c := got(t, st.took); c.Offset != 3 {
			t.Errorf("it goes on at %d", c.Offset)
		}
		got(t, st.took)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		// The stream is cut beyond the checkpoint: it begins with what stands.
		if err := s.Fire(t.Context(), firing("awlr:3", center, noon.Add(2*time.Second))); err != nil {
			t.Fatal(err)
		}
		last, _ := s.offset(t.Context())
		if err := s.rdb.XTrimMinID(t.Context(), s.keys.Case(), streamID(last)).Err(); err != nil {
			t.Fatal(err)
		}
		again := starting{watch("status")}
		end = reading(t, s, again)
		if open := got(t, again.start); open == nil || open.Offset != last || len(open.Alerts) != 3 {
			t.Errorf("it is given %+v", open)
		}
		got(t, again.ticks)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if at, _ := s.ReaderAt(t.Context(), "status"); at != last {
			t.Errorf("the checkpoint is %d, want %d", at, last)
		}
	})
}

// Whoever lost the lease moves no checkpoint.
func TestReaderIsFenced(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		f, err := s.Acquire(t.Context(), "rules", "a", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		fenced := s.Fenced(f)
		if err := s.Release(t.Context(), f, "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Acquire(t.Context(), "rules", "b", time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		r := &counting{s: fenced, kills: -1, some: 10, done: func(int64) {}}
		if err := fenced.Read(t.Context(), r); !errors.Is(err, ErrFenced) {
			t.Errorf("a reader without the lease: %v", err)
		}
		if at, _ := s.ReaderAt(t.Context(), "fusion"); at != -1 {
			t.Errorf("its checkpoint is %d", at)
		}
	})
}

// A server that is killed between a reader's steps comes back with the steps and the checkpoint that it had.
func TestReaderOverAKilledStore(t *testing.T) {
	server := redistest.Private(t)
	s, _ := newStore(t, server.Client(t))
	mark := &marking{Store: s, r: &counting{s: s}}
	if err := mark.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	const n = 12
	for i := range n {
		st := s.newStep(noon)
		st.event("alert", fmt.Sprint(i), []byte(`{}`))
		if err := s.run(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(60 * time.Second)
	for life := 0; ; life++ {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to an end")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		r := &counting{s: s, kills: 3, after: true, some: 1, done: func(int64) {}}
		err := s.Read(ctx, r)
		cancel()
		if at, e := s.ReaderAt(t.Context(), "fusion"); e == nil && at == n {
			break
		}
		if errors.Is(err, errKilled) {
			server.Kill()
			server.Restart(t)
		}
	}
	for i := range n {
		if got, err := s.rdb.HGet(t.Context(), s.keys.Firing(fmt.Sprintf("count-%d", i)), "n").Int(); err != nil || got != 1 {
			t.Errorf("change %d was counted %d times, %v", i, got, err)
		}
	}
}
