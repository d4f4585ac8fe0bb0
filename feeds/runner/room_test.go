package runner

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kentongan/feeds"
)

// slow is a format that decodes until it is told to go on.
type slow struct {
	inside atomic.Int32
	on     chan struct{}
}

func (s *slow) Decode(body []byte, _ feeds.Meta) (feeds.Batch, error) {
	if len(body) > largeBody {
		s.inside.Add(1)
		defer s.inside.Add(-1)
		<-s.on
	}
	return feeds.Batch{Ignored: []feeds.Refusal{{Reason: "a test"}}}, nil
}

func TestLargeBodiesShareOneRoomAndSmallOnesDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		format := &slow{on: make(chan struct{})}
		r, err := New([]FeedConfig{{Name: "a", Format: "native", Transport: "push"}}, &store{}, Options{
			MaxInflated: 3 << 20,
			Formats:     func(string, map[string]any) (feeds.Format, error) { return format, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		large := bytes.Repeat([]byte("x"), 2<<20)
		done := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := r.Deliver(t.Context(), "a", large, feeds.Meta{})
				done <- err
			}()
		}
		synctest.Wait()
		if n := format.inside.Load(); n != 1 {
			t.Errorf("%d large bodies are decoded at once, there is room for one", n)
		}
		if _, err := r.Deliver(t.Context(), "a", []byte("small"), feeds.Meta{}); err != nil {
			t.Errorf("a small one beside it: %v", err)
		}
		format.on <- struct{}{}
		if err := <-done; err != nil {
			t.Errorf("the first large one: %v", err)
		}
		synctest.Wait()
		if n := format.inside.Load(); n != 1 {
			t.Errorf("%d large bodies are decoded after the first left", n)
		}
		time.Sleep(roomLimit) // of the bubble's clock
		if err := <-done; !errors.Is(err, feeds.ErrBusy) {
			t.Errorf("who waits too long hears %v, want ErrBusy", err)
		}
		format.on <- struct{}{}
		if err := <-done; err != nil {
			t.Errorf("the second large one: %v", err)
		}
	})
}
