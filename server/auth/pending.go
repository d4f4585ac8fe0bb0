package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/server/people"
)

// pendingTries is how often a second factor may be shown for one password.
const pendingTries = 5

// pending is a sign-in whose password was right and whose second factor is awaited.
type pending struct {
	V        int       `json:"v"`
	Person   string    `json:"person"`
	Version  int64     `json:"version"`
	How      string    `json:"how"`
	Expires  time.Time `json:"expires"`
	Counters []counter `json:"counters"` // what each try is counted of: a thief of a password must not guess codes for ever
}

// Pend begins to wait for the second factor of somebody whose password was right, and gives a ticket for it. Errors: ErrUnavailable.
func (a *Auth) Pend(ctx context.Context, r *http.Request, p people.Person, how string) (string, error) {
	ticket, err := secret()
	if err != nil {
		return "", err
	}
	counters, _ := a.counters(r, p.Login, p)
	doc, err := json.Marshal(pending{1, p.ID, p.Version, how, a.now().Add(keyspace.PendingSignIn).UTC(), counters})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	key := a.keys.Pending(hash(ticket))
	_, err = a.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.HSet(ctx, key, "doc", doc)
		pipe.Expire(ctx, key, keyspace.PendingSignIn)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("%w: keep a sign-in: %w", ErrUnavailable, err)
	}
	return ticket, nil
}

// Awaited tells whose second factor is awaited, for what is asked before it is shown: nothing is counted. Errors: ErrDenied, ErrUnavailable.
func (a *Auth) Awaited(ctx context.Context, ticket string) (people.Person, string, error) {
	if !wellFormed(ticket) {
		return people.Person{}, "", ErrDenied
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	w, err := a.readPending(a.rdb.HGet(ctx, a.keys.Pending(hash(ticket)), "doc").Bytes())
	if err != nil {
		return people.Person{}, "", err
	}
	return a.awaited(ctx, w)
}

// Pending tells whose second factor is shown, and counts it as a try: after five, and after five minutes, the ticket is worth nothing. Errors:
// ErrDenied, *LockedError, ErrUnavailable.
func (a *Auth) Pending(ctx context.Context, ticket string) (people.Person, string, error) {
	if !wellFormed(ticket) {
		return people.Person{}, "", ErrDenied
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	key := a.keys.Pending(hash(ticket))
	var doc *redis.StringCmd
	var n *redis.IntCmd
	_, err := a.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		doc = pipe.HGet(ctx, key, "doc")
		n = pipe.HIncrBy(ctx, key, "tries", 1)
		pipe.ExpireNX(ctx, key, keyspace.PendingSignIn) // where there was none, the count must not stay
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return people.Person{}, "", fmt.Errorf("%w: a sign-in that waits: %w", ErrUnavailable, err)
	}
	w, err := a.readPending(doc.Bytes())
	if errors.Is(err, ErrDenied) || n.Val() > pendingTries {
		return people.Person{}, "", errors.Join(ErrDenied, a.Settle(ctx, ticket))
	} else if err != nil {
		return people.Person{}, "", err
	}
	if err := a.take(ctx, w.Counters); err != nil {
		return people.Person{}, "", err
	}
	return a.awaited(ctx, w)
}

func (a *Auth) readPending(raw []byte, err error) (pending, error) {
	if errors.Is(err, redis.Nil) {
		return pending{}, ErrDenied
	}
	if err != nil {
		return pending{}, fmt.Errorf("%w: a sign-in that waits: %w", ErrUnavailable, err)
	}
	var w pending
	if err := json.Unmarshal(raw, &w); err != nil || w.V != 1 || !a.now().Before(w.Expires) {
		return pending{}, ErrDenied
	}
	return w, nil
}

// awaited is the person, unless the account has changed since the password was right.
func (a *Auth) awaited(ctx context.Context, w pending) (people.Person, string, error) {
	p, err := a.people.Get(ctx, w.Person)
	if errors.Is(err, people.ErrNoPerson) || err == nil && (p.Disabled || p.Version != w.Version) {
		return people.Person{}, "", ErrDenied
	} else if err != nil {
		return people.Person{}, "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return p, w.How, nil
}

// Settle ends the waiting: the ticket is used up. Errors: ErrUnavailable.
func (a *Auth) Settle(ctx context.Context, ticket string) error {
	if err := a.rdb.Del(ctx, a.keys.Pending(hash(ticket))).Err(); err != nil {
		return fmt.Errorf("%w: end a sign-in that waits: %w", ErrUnavailable, err)
	}
	return nil
}
