package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts/store"
	"kentongan/geo/keyspace"
)

// Timing of leases. A holder that could not renew stops leaseMargin before anybody else can have the lease; what it does until then is
// checked by the fence.
const (
	leaseRenew  = 2 * time.Second
	leaseMargin = time.Second
	leaseTry    = 500 * time.Millisecond
	leaseYield  = 3 * time.Second // how long a server with its share of the feeds lets others go first
	leaseEven   = 5 * time.Second // how often one with too many hands one over
)

// rulesLease is the lease of whoever judges by the rules and keeps house.
const rulesLease = "rules"

func feedLease(feed string) string { return "feed:" + feed }

// Why work under a lease has to stop.
var (
	errElsewhere = errors.New("another server drives it now")
	errNotKept   = errors.New("the store did not renew the lease in time")
	errHandOver  = errors.New("it is handed over to a server that drives less")
)

// leaser is what leases need of the case store.
type leaser interface {
	Acquire(ctx context.Context, name, holder string, life time.Duration) (store.Fence, error)
	Renew(ctx context.Context, f store.Fence, holder string, life time.Duration) error
	Release(ctx context.Context, f store.Fence, holder string) error
}

// leases is the work that one server at a time does. Safe for concurrent use.
type leases struct {
	store leaser
	me    string
	log   zerolog.Logger

	mu   sync.Mutex
	held map[string]context.CancelCauseFunc // by lease: ends the work
}

func newLeases(s leaser, me string, log zerolog.Logger) *leases {
	return &leases{store: s, me: me, log: log.With().Str("component", "leases").Logger(), held: map[string]context.CancelCauseFunc{}}
}

// holds lists the leases whose work runs here, sorted.
func (l *leases) holds() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]string, 0, len(l.held))
	for name := range l.held {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// handOver ends the work of a lease, so that another server can take it.
func (l *leases) handOver(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := l.held[name]; end != nil {
		end(errHandOver)
	}
}

// keep does the work whenever the lease is to be had, until ctx ends; then the lease is left to others at once. Willing tells how long to let
// others go first; a negative time: it is no use to try. The work's context ends, with the cause, when the lease is lost; it must return soon.
func (l *leases) keep(ctx context.Context, name string, willing func() time.Duration, work func(context.Context, store.Fence) error) {
	for pause(ctx, leaseTry/2+rand.N(leaseTry/2)) {
		wait := willing()
		if wait < 0 || wait > 0 && !pause(ctx, wait) {
			continue
		}
		tried := time.Now()
		try, cancel := context.WithTimeout(ctx, leaseRenew)
		fence, err := l.store.Acquire(try, name, l.me, keyspace.LeaseLifetime)
		cancel()
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, store.ErrHeld) {
				l.log.Debug().Err(err).Str("lease", name).Msg("not acquired")
			}
			continue
		}
		l.log.Info().Str("lease", name).Int64("token", fence.Token).Msg("this server has the lease")
		err = l.under(ctx, fence, tried, work)
		if ctx.Err() == nil {
			l.log.Warn().Err(err).Str("lease", name).Int64("token", fence.Token).Msg("this server has left the lease")
		}
		if errors.Is(err, errHandOver) && !pause(ctx, leaseYield) {
			return
		}
	}
}

// under runs the work while the lease holds, and leaves the lease once the work has stopped.
func (l *leases) under(ctx context.Context, fence store.Fence, acquired time.Time, work func(context.Context, store.Fence) error) error {
	held, end := context.WithCancelCause(ctx)
	defer end(nil)
	l.mu.Lock()
	l.held[fence.Name] = end
	l.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- work(held, fence) }()
	renewing := make(chan struct{})
	go func() { defer close(renewing); l.renew(held, fence, acquired, end) }()
	err := <-done
	if err == nil {
		err = context.Cause(held)
	}
	end(nil)
	<-renewing
	l.mu.Lock()
	delete(l.held, fence.Name)
	l.mu.Unlock()
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if lost := l.store.Release(late, fence, l.me); lost != nil && !errors.Is(lost, store.ErrHeld) {
		l.log.Warn().Err(lost).Str("lease", fence.Name).Msg("the lease is not released; it ends by itself")
	}
	return err
}

// renew keeps the lease until held ends, and ends it where that fails. Time is counted from before each question, by the monotonic clock.
func (l *leases) renew(held context.Context, fence store.Fence, asked time.Time, end context.CancelCauseFunc) {
	until := func() time.Duration { return time.Until(asked.Add(keyspace.LeaseLifetime - leaseMargin)) }
	over := time.AfterFunc(until(), func() { end(errNotKept) })
	defer over.Stop()
	next := leaseRenew
	for pause(held, next) {
		now := time.Now()
		try, cancel := context.WithTimeout(held, min(leaseRenew, max(until(), 0)))
		err := l.store.Renew(try, fence, l.me, keyspace.LeaseLifetime)
		cancel()
		switch {
		case errors.Is(err, store.ErrHeld):
			end(fmt.Errorf("%w: %w", errElsewhere, err))
			return
		case err != nil:
			next = leaseTry
		default:
			asked, next = now, leaseRenew
			if !over.Reset(until()) { // it has ended in this moment
				return
			}
		}
	}
}

// pause waits, and tells whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
