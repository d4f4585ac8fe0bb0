package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"kentongan/alerts/store"
)

// readers lists who follows the cases and decides on them. Each is made anew whenever its reading begins; cases are fenced where other
// servers may be there.
func (a *App) readers(cases *store.Store) []func() store.Reader {
	return []func() store.Reader{
		a.governor(cases),
		cases.FusionReader,
		cases.StatusReader,
		a.dispatching(cases),
		a.climbing(cases),
		a.sending(cases),
		a.passing(cases),
	}
}

// readCases keeps every reader reading until ctx ends, over every failure of the store. One that has lost the lease ends.
func (a *App) readCases(ctx context.Context, cases *store.Store) {
	var all sync.WaitGroup
	for _, make := range a.readers(cases) {
		all.Go(func() { a.keepReading(ctx, cases, make) })
	}
	all.Go(func() { a.outbox.Run(ctx, cases) })
	all.Go(func() { a.auditLog.Run(ctx, cases) })
	all.Wait()
}

func (a *App) keepReading(ctx context.Context, cases *store.Store, make func() store.Reader) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 50*time.Millisecond, 2*time.Second
	for ctx.Err() == nil {
		began := time.Now()
		r := make()
		err := cases.Read(ctx, r)
		if err == nil || errors.Is(err, store.ErrFenced) {
			return
		}
		a.log.Warn().Err(err).Str("reader", r.Name()).Msg("reading of the cases is interrupted; trying again")
		if time.Since(began) > time.Minute {
			wait.Reset()
		}
		if !pause(ctx, wait.NextBackOff()) {
			return
		}
	}
}
