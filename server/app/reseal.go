package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
	"kentongan/server/seal"
)

// sealEvery is how often we look whether secret_key_file has another key.
const sealEvery = 15 * time.Second

// watchSeal takes up a key that was added while we run, and seals again what older keys sealed: at the start too, where a time before did not
// come to its end.
func (a *App) watchSeal(ctx context.Context) error {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	for {
		if err := a.sealAgain(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn().Str("component", "seal").Err(err).Msg("not everything is sealed with the newest key yet")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sealAgain does nothing where everything is sealed with the first key of the ring.
func (a *App) sealAgain(ctx context.Context) error {
	if _, err := a.seal.Refresh(); err != nil {
		return err
	}
	mark := a.seal.Mark()
	done, err := a.rdb.Get(ctx, a.keys.Sealed()).Result()
	if err != nil && !errors.Is(err, redis.Nil) || done == mark {
		return err
	}
	if err := a.markSeal(ctx); err != nil {
		return err
	}
	n, err := a.reseal(ctx)
	if err != nil {
		return err
	}
	if err := a.rdb.Set(ctx, a.keys.Sealed(), mark, 0).Err(); err != nil {
		return err
	}
	if done != "" {
		a.log.Info().Str("component", "seal").Str("key", mark).Int("texts", n).Msg("everything is sealed with the newest key: older ones may be retired")
	}
	return nil
}

// swapScript replaces a value that nobody has changed meanwhile. Its lifetime stays.
//
// KEYS  1 the key
// ARGV  1 field, "" of a string  2 what it was  3 what it is to be
var swapScript = redis.NewScript(`
if ARGV[1] == '' then
  if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
  redis.call('SET', KEYS[1], ARGV[3], 'KEEPTTL')
else
  if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1`)

// reseal finds what is sealed wherever it stands in the store, and seals it with the first key. It needs to know nothing of what it finds; a
// value that somebody changes meanwhile is theirs, and sealed anew by them.
func (a *App) reseal(ctx context.Context) (n int, err error) {
	swap := func(key, field, value string) error {
		var bad error
		again := seal.Pattern.ReplaceAllStringFunc(value, func(text string) string {
			next, changed, err := a.seal.Again(text)
			if err != nil {
				bad = errors.Join(bad, err)
				return text
			}
			if changed {
				n++
			}
			return next
		})
		if bad != nil {
			return fmt.Errorf("%s %s: %w", key, field, bad)
		}
		if again == value {
			return nil
		}
		return swapScript.Run(ctx, a.rdb, []string{key}, field, value, again).Err()
	}
	var faults error
	err = a.cases.EachKey(ctx, a.keys.Prefix+":*:{"+a.keys.Jurisdiction+"}*", func(keys []string) error {
		for _, key := range keys {
			kind, err := a.rdb.Type(ctx, key).Result()
			if err != nil {
				return fmt.Errorf("%w: %w", feeds.ErrBusy, err)
			}
			switch kind {
			case "string":
				v, err := a.rdb.Get(ctx, key).Result()
				if err == nil {
					faults = errors.Join(faults, swap(key, "", v))
				}
			case "hash":
				for cursor := uint64(0); ; {
					pairs, next, err := a.rdb.HScan(ctx, key, cursor, "*", 500).Result()
					if err != nil {
						return fmt.Errorf("%w: %w", feeds.ErrBusy, err)
					}
					for i := 0; i+1 < len(pairs); i += 2 {
						faults = errors.Join(faults, swap(key, pairs[i], pairs[i+1]))
					}
					if cursor = next; cursor == 0 {
						break
					}
				}
			}
		}
		return nil
	})
	return n, errors.Join(err, faults)
}
