// Package patient is trying again: a delivery until it is stored or refused, a connection until it stands.
package patient

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/rs/zerolog"

	"kentongan/feeds"
)

// Deliver delivers until the bytes are stored, which gives nil, or refused for good, which gives an error that is feeds.ErrPermanent. Any
// other error is the end of ctx: the bytes are not stored.
func Deliver(ctx context.Context, deliver feeds.Deliver, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	again := &backoff.ExponentialBackOff{InitialInterval: 100 * time.Millisecond, Multiplier: 2, RandomizationFactor: 0.1, MaxInterval: 10 * time.Second}
	for {
		out, err := deliver(ctx, body, meta)
		if err == nil || errors.Is(err, feeds.ErrPermanent) {
			return out, err
		}
		if !Wait(ctx, again.NextBackOff()) {
			return out, ctx.Err()
		}
	}
}

// lastTry is how long a delivery may take that is made after its transport was told to stop.
const lastTry = 2 * time.Second

// DeliverLast delivers once more what was read before ctx ended, so that an orderly stop loses nothing that a store would take.
func DeliverLast(ctx context.Context, deliver feeds.Deliver, body []byte, meta feeds.Meta) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTry)
	defer cancel()
	_, err := deliver(ctx, body, meta)
	return err
}

// Wait tells false where ctx ended first.
func Wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Watch is told how a way in fares. Its methods are safe for concurrent use.
type Watch interface {
	Fault(err error)         // the way in is not there; it stays at fault until Well or a delivery that is stored
	Well()                   // it is there again; what it brings is yet to come
	Reject(n int, err error) // n messages or connections were not taken, and why
}

// Pauses between tries: they double from the first to the longest, and are drawn from half to one and a half of that, so that what
// broke at one time does not come back at one time.
const (
	firstPause   = time.Second
	longestPause = time.Minute
	stoodFor     = 30 * time.Second // what stood so long begins with the first pause again
)

// Keep runs connect until ctx ends, with pauses between. Connect blocks while its connection stands and says why it ended.
func Keep(ctx context.Context, watch Watch, log zerolog.Logger, connect func(ctx context.Context) error) {
	pauses := &backoff.ExponentialBackOff{InitialInterval: firstPause, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: longestPause}
	var seldom Seldom
	for {
		began := time.Now()
		err := connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= stoodFor {
			pauses.Reset()
		}
		pause := pauses.NextBackOff()
		if err != nil {
			watch.Fault(err)
			if before, ok := seldom.Count(1); ok {
				log.Warn().Err(err).Dur("again_in", pause).Int("times", before).Msg("the way in has ended")
			}
		}
		if !Wait(ctx, pause) {
			return
		}
	}
}

// Seldom lets what happens often be told once a minute. The zero value is ready; it is safe for concurrent use.
type Seldom struct {
	mu    sync.Mutex
	last  time.Time
	count int
}

// Count adds n, and gives how many there were since they were last told; ok: tell it now.
func (s *Seldom) Count(n int) (since int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count += n
	if now := time.Now(); s.last.IsZero() || now.Sub(s.last) >= time.Minute {
		since, s.last, s.count = s.count, now, 0
		return since, true
	}
	return s.count, false
}
