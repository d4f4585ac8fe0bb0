package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts/store"
	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

// deaf is a store that takes leases and whose first answers are lost, as those of a busy store are.
type deaf struct {
	leaser
	lost int
}

func (d *deaf) Acquire(ctx context.Context, name, holder string, life time.Duration) (store.Fence, error) {
	f, err := d.leaser.Acquire(ctx, name, holder, life)
	if err == nil && d.lost > 0 {
		d.lost--
		return store.Fence{}, errors.New("no answer in time")
	}
	return f, err
}

// A server that took the lease and did not hear of it waits for nobody: least of all for its own lease to end.
func TestALeaseWhoseAnswerWasLostIsTakenAgain(t *testing.T) {
	cases := store.New(redistest.Start(t), redistest.Keys(t), store.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := newLeases(&deaf{cases, 2}, "a", zerolog.Nop())
	began, held := time.Now(), make(chan store.Fence, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.keep(ctx, rulesLease, func() time.Duration { return 0 }, func(ctx context.Context, f store.Fence) error {
			held <- f
			<-ctx.Done()
			return nil
		})
	}()
	select {
	case f := <-held:
		if took := time.Since(began); f.Token != 3 || took > keyspace.LeaseLifetime/2 {
			t.Errorf("token %d after %s", f.Token, took.Round(time.Millisecond))
		}
	case <-time.After(2 * keyspace.LeaseLifetime):
		t.Fatal("nobody has the lease")
	}
	cancel()
	<-done
}
