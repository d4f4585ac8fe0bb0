package patient

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kentongan/feeds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDeliverUntilStoredOrRefused(t *testing.T) {
	refused := feeds.Permanentf("rubbish")
	for _, c := range []struct {
		name    string
		answers []error
		want    error
		tries   int
	}{
		{"stored", []error{nil}, nil, 1},
		{"busy, then stored", []error{feeds.ErrBusy, errors.New("gone"), feeds.ErrBusy, nil}, nil, 4},
		{"busy, then refused", []error{feeds.ErrBusy, refused}, refused, 2},
		{"busy for ever", []error{feeds.ErrBusy}, context.DeadlineExceeded, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			tries := 0
			_, err := Deliver(ctx, func(context.Context, []byte, feeds.Meta) (feeds.Outcome, error) {
				tries++
				return feeds.Outcome{}, c.answers[min(tries, len(c.answers))-1]
			}, nil, feeds.Meta{})
			if !errors.Is(err, c.want) || c.tries > 0 && tries != c.tries || tries > 500 {
				t.Errorf("%s: %v after %d tries", c.name, err, tries)
			}
		})
	}
}

func TestTheLastDeliveryOutlivesItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		err := DeliverLast(ctx, func(ctx context.Context, _ []byte, _ feeds.Meta) (feeds.Outcome, error) {
			if ctx.Err() != nil {
				t.Error("it ended before it began")
			}
			<-ctx.Done()
			return feeds.Outcome{}, ctx.Err()
		}, nil, feeds.Meta{})
		if err == nil || time.Since(began) != lastTry {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

type silent struct{ faults int }

func (s *silent) Fault(error)       { s.faults++ }
func (s *silent) Well()             {}
func (s *silent) Reject(int, error) {}

func TestKeepWaitsLongerAndBeginsAnewAfterWhatStood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var at []time.Time
		w := &silent{}
		Keep(ctx, w, zerolog.Nop(), func(ctx context.Context) error {
			at = append(at, time.Now())
			if len(at) == 20 {
				Wait(ctx, stoodFor)
			}
			return errors.New("broken")
		})
		if n := len(at); n < 60 || n > 150 || w.faults < n-1 {
			t.Fatalf("%d tries in an hour, %d faults", n, w.faults)
		}
		if first := at[1].Sub(at[0]); first < firstPause/2 || first > 3*firstPause/2 {
			t.Errorf("first pause %v", first)
		}
		if grown := at[19].Sub(at[18]); grown < longestPause/2 || grown > 3*longestPause/2 {
			t.Errorf("the pause after 18 tries is %v", grown)
		}
		if anew := at[20].Sub(at[19]); anew > stoodFor+3*firstPause/2 {
			t.Errorf("after a connection that stood: %v", anew)
		}
	})
}

func TestSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Seldom
		told, all := 0, 0
		for range 600 {
			if n, ok := s.Count(2); ok {
				told++
				all += n
			}
			time.Sleep(time.Second)
		}
		if told != 10 || all != 2*(1+9*60) {
			t.Errorf("told %d times of %d", told, all)
		}
	})
}
