package cameras

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"kentongan/alerts/audit"
)

type book struct {
	mu   sync.Mutex
	said []string
	err  error
}

func (b *book) record(_ context.Context, r audit.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.said = append(b.said, fmt.Sprint(r.Actor, " ", r.Action, " ", r.Object, " ", r.Reason))
	return nil
}

func TestALookIsOneRecordAndItsEndAnother(t *testing.T) {
	c, b := newClock(), &book{}
	s := NewSeen(b.record, c.now)
	cam := &Camera{ID: "camera:pasar", Name: "Pasar", Every: 30 * time.Second}
	anna, wall := audit.Actor{Subject: "user:anna", Agency: "bpbd"}, audit.Actor{Subject: "wall:1"}
	look := func(who audit.Actor, isWall bool) {
		t.Helper()
		if err := s.Look(t.Context(), who, cam, isWall); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 { // ten minutes, a picture each half minute; the wall shows it one time in four
		look(anna, false)
		c.advance(30 * time.Second)
	}
	for i := range 100 {
		if i%4 == 0 {
			look(wall, true)
		}
		c.advance(30 * time.Second)
	}
	s.sweep(t.Context(), func(v *viewing) bool { return v.over(c.now()) })
	look(anna, false)
	c.advance(time.Hour)
	look(wall, true)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(b.said)
	want := []string{
		"user:anna camera.left camera:camera:pasar after 0 s", "user:anna camera.left camera:camera:pasar after 570 s",
		"user:anna camera.viewed camera:camera:pasar Pasar", "user:anna camera.viewed camera:camera:pasar Pasar",
		"wall:1 camera.left camera:camera:pasar after 0 s", "wall:1 camera.left camera:camera:pasar after 2880 s",
		"wall:1 camera.viewed camera:camera:pasar Pasar", "wall:1 camera.viewed camera:camera:pasar Pasar",
	}
	if !slices.Equal(b.said, want) {
		t.Errorf("%q", b.said)
	}
}

func TestWhatCannotBeRecordedIsNotShown(t *testing.T) {
	c, b := newClock(), &book{err: errors.New("the store is away")}
	s := NewSeen(b.record, c.now)
	cam := &Camera{ID: "camera:pasar"}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := s.Look(t.Context(), audit.Actor{Subject: "user:anna"}, cam, false); err == nil {
				t.Error("shown without a record")
			}
		})
	}
	all.Wait()
	b.err = nil
	for range 20 {
		all.Go(func() {
			if err := s.Look(t.Context(), audit.Actor{Subject: "user:anna"}, cam, false); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(b.said) != 1 {
		t.Errorf("%q", b.said)
	}
}

// Who looked first leaves before the record is written: whoever waits for the same record still gets the picture, and the record stands.
func TestALookOutlivesWhoLookedFirst(t *testing.T) {
	write, writing := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var b book
	s := NewSeen(func(ctx context.Context, r audit.Record) error {
		once.Do(func() { close(writing) })
		select {
		case <-write:
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("a record may take for ever")
		}
		return b.record(ctx, r)
	}, newClock().now)
	cam, anna := &Camera{ID: "camera:pasar", Name: "Pasar"}, audit.Actor{Subject: "user:anna"}
	first, leave := context.WithCancel(t.Context())
	left, got := make(chan error), make(chan error)
	go func() { left <- s.Look(first, anna, cam, false) }()
	<-writing
	go func() { got <- s.Look(t.Context(), anna, cam, false) }()
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left: %v", err)
	}
	close(write)
	if err := <-got; err != nil {
		t.Errorf("who stayed: %v", err)
	}
	if len(b.said) != 1 {
		t.Errorf("%q", b.said)
	}
}
