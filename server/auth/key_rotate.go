package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/moment"
)

// Overlaps of a rotation: for how long the key before the new one still opens what it opened.
const (
	KeyOverlap        = 24 * time.Hour
	keyLongestOverlap = 30 * 24 * time.Hour
)

// ErrKeyOver means that a key cannot be rotated: it has ended, has been replaced, or the one before it still lives.
var ErrKeyOver = errors.New("the key cannot be rotated")

// RotateKey makes the next key, with the same name and bounds, and lets the old one die after the overlap: two are alive meanwhile, so that
// its carriers can be changed one by one. A key that had a time to live gives the next one as long. Errors: *KeyFault, ErrNoKey,
// ErrKeyOver, ErrKeys, ErrUnavailable.
func (a *Auth) RotateKey(ctx context.Context, id string, overlap time.Duration, act Act) (Key, string, error) {
	if overlap < 0 || overlap > keyLongestOverlap {
		return Key{}, "", &KeyFault{"overlap", "want 0s to 720h"}
	}
	if err := a.roomForKey(ctx); err != nil {
		return Key{}, "", err
	}
	var before, old, next keptKey
	var token string
	err := a.rdb.Watch(ctx, func(tx *redis.Tx) error {
		var err error
		if before, err = a.rotatable(ctx, tx, id); err != nil {
			return err
		}
		if next, token, err = a.drawKey(before.Key, act); err != nil {
			return err
		}
		next.Replaces, next.ExpiresAt = id, moment.Time{}
		if life := before.ExpiresAt.Sub(before.CreatedAt.Time); !before.ExpiresAt.IsZero() {
			next.ExpiresAt = moment.Of(a.now().Add(life))
		}
		old = before
		old.ReplacedBy = next.ID
		if until := moment.Of(a.now().Add(overlap)); old.ExpiresAt.IsZero() || until.Before(old.ExpiresAt.Time) {
			old.ExpiresAt = until
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return a.putKeys(ctx, p, old, next) })
		return err
	}, a.keys.Key())
	a.ring.forget()
	switch {
	case errors.Is(err, redis.TxFailedErr):
		return Key{}, "", fmt.Errorf("%w: somebody has just changed a key; try again", ErrKeyOver)
	case errors.Is(err, ErrNoKey), errors.Is(err, ErrKeyOver):
		return Key{}, "", err
	case err != nil:
		return Key{}, "", fmt.Errorf("%w: rotate key %s: %w", ErrUnavailable, id, err)
	}
	act.Action, act.Object, act.Reason = "key.rotated", "key:"+id, fmt.Sprintf("replaced by key:%s, ends %s; %s", next.ID, old.ExpiresAt, next.says())
	if err := a.recordKey(ctx, act); err != nil {
		// Nobody has heard the new secret: the old key lives on as it did.
		next.RevokedAt = moment.Of(a.now())
		return Key{}, "", errors.Join(err, a.keepKeys(context.WithoutCancel(ctx), before, next))
	}
	return next.shown(a.now()), token, nil
}

// rotatable gives a key that may be replaced.
func (a *Auth) rotatable(ctx context.Context, tx *redis.Tx, id string) (keptKey, error) {
	k, err := a.keptOf(ctx, tx, id)
	if err != nil {
		return k, err
	}
	switch {
	case !k.endedAt(a.now()).IsZero():
		return k, fmt.Errorf("%w: it has ended", ErrKeyOver)
	case k.ReplacedBy != "":
		return k, fmt.Errorf("%w: it has been replaced by %s", ErrKeyOver, k.ReplacedBy)
	case k.Replaces == "":
		return k, nil
	}
	last, err := a.keptOf(ctx, tx, k.Replaces)
	switch {
	case errors.Is(err, ErrNoKey):
	case err != nil:
		return k, err
	case last.endedAt(a.now()).IsZero():
		return k, fmt.Errorf("%w: %s, which it replaces, lives until %s; revoke that first", ErrKeyOver, k.Replaces, last.ExpiresAt)
	}
	return k, nil
}

func (a *Auth) keptOf(ctx context.Context, tx *redis.Tx, id string) (keptKey, error) {
	raw, err := tx.HGet(ctx, a.keys.Key(), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return keptKey{}, ErrNoKey
	}
	if err != nil {
		return keptKey{}, err
	}
	return readKey(raw)
}
