package auth

import (
	"context"
	"fmt"
	"time"

	"kentongan/server/access"
)

// Signed is the identity of a sender that shows a signature over its delivery in place of a key. Whoever gives it must check the
// signature before anything is taken.
func Signed(feed string) Identity {
	id := Of(access.Subject{ID: "signature:" + feed, Actions: []access.Action{access.Ingest}, Feed: feed}, feed, time.Time{})
	id.Role, id.Via = "key", ViaSignature
	return id
}

// Once tells whether something is shown for the first time, at any server, and remembers it for life. Errors: ErrUnavailable.
func (a *Auth) Once(ctx context.Context, what string, life time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	first, err := a.rdb.SetNX(ctx, a.keys.Once(hash(what)), "", max(life, time.Second)).Result()
	if err != nil {
		return false, fmt.Errorf("%w: what counts once: %w", ErrUnavailable, err)
	}
	return first, nil
}

// Again lets something that was shown come again: what it was shown for has not been done. Where that fails it may not come again before
// its life is over, and the sender must sign anew.
func (a *Auth) Again(ctx context.Context, what string) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), lookupTimeout, ErrUnavailable)
	defer cancel()
	if err := a.rdb.Del(ctx, a.keys.Once(hash(what))).Err(); err != nil {
		a.log.Warn().Err(err).Msg("a signed delivery that was not taken cannot come again")
	}
}
