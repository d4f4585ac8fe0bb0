package store

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
)

//go:embed lease.lua
var leaseSource string

var leaseScript = redis.NewScript(leaseSource)

// Fence is the right to act that a lease gave: whoever took the lease later has a higher token, and from then on this one is refused.
type Fence struct {
	Name  string
	Token int64
}

// ErrFenced means that somebody else has taken the lease: nothing was written, and the holder has to stop.
var ErrFenced = errors.New("the lease has gone to another server")

// ErrHeld means that a lease is not to be had now, or is lost.
var ErrHeld = errors.New("the lease is held by another server")

// Fenced is the store for the holder of a lease: every step of it checks, inside its script, that nobody has taken the lease since.
func (s *Store) Fenced(f Fence) *Store {
	fenced := *s
	fenced.fence = &f
	return &fenced
}

// Acquire takes a lease for as long as life, unless somebody else has it. Errors: ErrHeld, feeds.ErrBusy, ErrUnconfirmed. After an error that is
// not ErrHeld the lease may be taken: the same holder gets it by asking again, with a new token; anybody else once its life has passed. So a
// holder asks for a lease only while nothing of its own runs under it.
func (s *Store) Acquire(ctx context.Context, name, holder string, life time.Duration) (Fence, error) {
	token, err := s.lease(ctx, Fence{Name: name}, "acquire", holder, life)
	return Fence{name, token}, err
}

// Renew makes a lease last life from now. Errors: ErrHeld where it has ended or somebody else has it, feeds.ErrBusy.
func (s *Store) Renew(ctx context.Context, f Fence, holder string, life time.Duration) error {
	_, err := s.lease(ctx, f, "renew", holder, life)
	return err
}

// Release ends a lease before its time, so that another server need not wait. Call it only once its work has stopped.
func (s *Store) Release(ctx context.Context, f Fence, holder string) error {
	_, err := s.lease(ctx, f, "release", holder, 0)
	return err
}

func (s *Store) lease(ctx context.Context, f Fence, act, holder string, life time.Duration) (int64, error) {
	keys := []string{s.keys.Lease(f.Name), s.keys.Fence(f.Name)}
	// A token that a failover forgets would be given out twice: acquiring is confirmed as cases are. A renewal that is forgotten ends early.
	needed := 0
	if act == "acquire" {
		needed = int(s.needed.Load())
	}
	reply, err := s.script(ctx, leaseScript, needed, keys, act, holder, life.Milliseconds(), f.Token)
	if err != nil {
		return 0, fmt.Errorf("%w: %s lease %s: %w", feeds.ErrBusy, act, f.Name, err)
	}
	if reply[0] != "ok" {
		return 0, fmt.Errorf("%s lease %s: %w (%s)", act, f.Name, ErrHeld, reply[1])
	}
	token, err := strconv.ParseInt(reply[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s lease %s: token: %w", act, f.Name, err)
	}
	return token, nil
}
