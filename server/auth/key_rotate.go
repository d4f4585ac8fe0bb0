package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/book"
)

// Overlaps of a rotation: for how long the key before the new one still opens what it opened.
const (
	KeyOverlap        = 24 * time.Hour
	keyLongestOverlap = 30 * 24 * time.Hour
	rotateTries       = 50
)

// ErrKeyOver means that a key cannot be rotated: it has ended, has been replaced, or the one before it still lives.
var ErrKeyOver = errors.New("the key cannot be rotated")

// RotateKey makes the next key, with the same name and bounds, and lets the old one die after the overlap: two are alive meanwhile, so that
// its carriers can be changed one by one. A key that had a time to live gives the next one as long. The old one lives on as it did until the next
// is kept for sure: where it is not, the next opens nothing. Errors: *KeyFault, ErrNoKey, ErrKeyOver, ErrKeys, ErrUnavailable.
func (a *Auth) RotateKey(ctx context.Context, id string, overlap time.Duration, act Act) (Key, string, error) {
	if overlap < 0 || overlap > keyLongestOverlap {
		return Key{}, "", fault.At("overlap", fault.Between, fault.Range{0, 720}, "want 0s to 720h")
	}
	if err := a.roomForKey(ctx); err != nil {
		return Key{}, "", err
	}
	var before, next keptKey
	var token string
	err := a.rotating(ctx, id, func(tx *redis.Tx, old keptKey) error {
		var err error
		if next, token, err = a.drawKey(old.Key, act); err != nil {
			return err
		}
		next.Replaces, next.ExpiresAt = id, moment.Time{}
		if life := old.ExpiresAt.Sub(old.CreatedAt.Time); !old.ExpiresAt.IsZero() {
			next.ExpiresAt = moment.Of(a.now().Add(life))
		}
		made := act
		made.Action, made.Object, made.Reason = "key.made", "key:"+next.ID, "replaces key:"+id+"; "+next.says()
		ctx := book.With(ctx, made.Record())
		return a.book.Write(ctx, tx, func(p redis.Pipeliner) error { return a.putKeys(ctx, p, next) })
	})
	if err != nil {
		return Key{}, "", errors.Join(err, a.takeBack(ctx, next.ID))
	}
	var said Act
	err = a.rotating(ctx, id, func(tx *redis.Tx, old keptKey) error {
		before = old
		old.ReplacedBy = next.ID
		if until := moment.Of(a.now().Add(overlap)); old.ExpiresAt.IsZero() || until.Before(old.ExpiresAt.Time) {
			old.ExpiresAt = until
		}
		said = act
		said.Action, said.Object, said.Reason = "key.rotated", "key:"+id, fmt.Sprintf("replaced by key:%s, ends %s; %s", next.ID, old.ExpiresAt, next.says())
		ctx := book.With(ctx, said.Record())
		return a.book.Write(ctx, tx, func(p redis.Pipeliner) error { return a.putKeys(ctx, p, old) })
	})
	if errors.Is(err, book.ErrUnconfirmed) { // the next one is there, and its secret must be told: at worst the old one lives longer than it should
		a.log.Warn().Err(err).Str("key", id).Msg("that a key ends may be lost with the store's primary")
		err = nil
	}
	if err != nil {
		return Key{}, "", errors.Join(err, a.unrotate(ctx, before, next))
	}
	if err := a.recordKey(ctx, said); err != nil {
		// Nobody has heard the new secret: the old key lives on as it did.
		next.RevokedAt = moment.Of(a.now())
		return Key{}, "", errors.Join(err, a.keepKeys(context.WithoutCancel(ctx), before, next))
	}
	return next.shown(a.now()), token, nil
}

// rotating does one part of a rotation with the key that is to be replaced, while nobody else writes keys.
func (a *Auth) rotating(ctx context.Context, id string, do func(*redis.Tx, keptKey) error) error {
	var err error
	for range rotateTries { // whoever else writes a key meanwhile may write another
		err = a.rdb.Watch(ctx, func(tx *redis.Tx) error {
			old, err := a.rotatable(ctx, tx, id)
			if err != nil {
				return err
			}
			return do(tx, old)
		}, a.keys.Key())
		if !errors.Is(err, redis.TxFailedErr) {
			break
		}
	}
	a.ring.forget()
	switch {
	case errors.Is(err, redis.TxFailedErr):
		return fmt.Errorf("%w: somebody has just changed a key; try again", ErrKeyOver)
	case err == nil, errors.Is(err, ErrNoKey), errors.Is(err, ErrKeyOver):
		return err
	}
	return fmt.Errorf("%w: rotate key %s: %w", ErrUnavailable, id, err)
}

// takeBack drops a key whose secret nobody has heard. One that was never written stays so.
func (a *Auth) takeBack(ctx context.Context, id string) error {
	ctx = context.WithoutCancel(ctx)
	if there, err := a.rdb.HExists(ctx, a.keys.Key(), id).Result(); err != nil || !there {
		return err
	}
	err := a.book.Write(ctx, a.rdb, func(p redis.Pipeliner) error {
		a.dropKey(ctx, p, id)
		return nil
	})
	a.ring.forget()
	return err
}

// unrotate takes a rotation back of which nobody has heard the new secret: an error may come after it was written. The old key lives on as it did
// and the next one goes, both in one step; where that cannot be done both stay, so that one of them opens.
func (a *Auth) unrotate(ctx context.Context, before, next keptKey) error {
	if before.ID == "" { // the old key was not even read
		return a.takeBack(ctx, next.ID)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	var err error
	for range rotateTries {
		err = a.rdb.Watch(ctx, func(tx *redis.Tx) error {
			old, err := a.keptOf(ctx, tx, before.ID)
			if err != nil && !errors.Is(err, ErrNoKey) {
				return err
			}
			return a.book.Write(ctx, tx, func(p redis.Pipeliner) error {
				if old.ReplacedBy == next.ID {
					old.ReplacedBy, old.ExpiresAt = before.ReplacedBy, before.ExpiresAt // who has revoked it meanwhile has
					if err := a.putKeys(ctx, p, old); err != nil {
						return err
					}
				}
				a.dropKey(ctx, p, next.ID)
				return nil
			})
		}, a.keys.Key())
		if !errors.Is(err, redis.TxFailedErr) {
			break
		}
	}
	a.ring.forget()
	if err != nil {
		return fmt.Errorf("%w: take back the rotation of key %s: %w", ErrUnavailable, before.ID, err)
	}
	return nil
}

// dropKey is one part of a transaction.
func (a *Auth) dropKey(ctx context.Context, p redis.Pipeliner, id string) {
	book.Keep(ctx, p, "key", id, nil)
	p.HDel(ctx, a.keys.Key(), id)
	p.Set(ctx, a.keys.KeyChange(), ulid.Make().String(), 0)
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
