package auth

import (
	"context"
	_ "embed"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed key_rate.lua
var rateLua string

var rateScript = redis.NewScript(rateLua)

// keyed is what keys and devices need besides the ring. Its zero value is ready.
type keyed struct {
	agencyOf func(feed string) string // nil: nobody knows
	knows    func(feed string) bool   // nil: every name is a feed's
	devices  Devices                  // nil: there are none
	uses     uses
	shares   shares
}

// shares is what this server may still take of each key's rate without asking the store.
type shares struct {
	mu   sync.Mutex
	keys map[string]*share
}

type share struct {
	mu   sync.Mutex // held while the store is asked: who comes meanwhile waits for the same answer
	left int
	shut time.Time // until then the store has said no
}

// ofKey gives the share of a key.
func (s *shares) ofKey(id string) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil || len(s.keys) > 2*keysAlive { // ids of keys that have ended long ago; a share is a second's worth at the most
		s.keys = map[string]*share{}
	}
	if s.keys[id] == nil {
		s.keys[id] = &share{}
	}
	return s.keys[id]
}

// shareOf is how many deliveries a server asks for at once: what the rate gives in a second.
func shareOf(rate int) int { return max(1, rate/60) }

// Spend pays for one delivery by somebody, and tells how long to wait where the key's rate is used up; 0: go on. Whoever shows no key, or
// one without a rate, goes on. While the store does not answer nobody waits: it takes no delivery either.
func (a *Auth) Spend(ctx context.Context, id Identity) time.Duration {
	return a.spend(ctx, id.Key)
}

// SpendKey is Spend for a session in which a key was shown once; the delivery counts as a use of the key.
func (a *Auth) SpendKey(ctx context.Context, key string) time.Duration {
	if key == "" {
		return 0
	}
	wait := a.spend(ctx, key)
	if wait == 0 {
		a.used(ctx, key, "", 1)
	}
	return wait
}

func (a *Auth) spend(ctx context.Context, key string) time.Duration {
	if key == "" {
		return 0
	}
	k, err := a.key(ctx, key)
	if err != nil || k.Rate == 0 {
		return 0
	}
	s := a.shares.ofKey(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now() // of this machine, as the wait is; not the house's
	switch {
	case s.left > 0:
		s.left--
		return 0
	case now.Before(s.shut):
		return s.shut.Sub(now)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	got, err := rateScript.Run(ctx, a.rdb, []string{a.keys.KeyRate(key)}, time.Minute.Microseconds()/int64(k.Rate), k.Rate, shareOf(k.Rate)).Int64Slice()
	switch {
	case err != nil || len(got) != 2:
		a.log.Debug().Err(err).Str("key", key).Msg("rate not known")
		return 0
	case got[0] == 0:
		wait := max(time.Duration(got[1])*time.Microsecond, time.Millisecond)
		s.shut = now.Add(wait)
		return wait
	}
	s.left = int(got[0]) - 1
	return 0
}
