package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/server/book"
	"kentongan/server/config"
	"kentongan/server/embedded"
	"kentongan/server/profile"
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
		for _, noun := range keyspace.KeptNouns {
			if of, _ := keyspace.Kept(a.keys, noun+":"); key == of {
				return a.swapKept(ctx, noun, key, field, value, again)
			}
		}
		return swapScript.Run(ctx, a.rdb, []string{key}, field, value, again).Err()
	}
	var faults error
	err = eachText(ctx, a.cases, a.rdb, a.keys, func(key, field, value string) { faults = errors.Join(faults, swap(key, field, value)) })
	return n, errors.Join(err, faults)
}

// swapKept is swapScript for what the audit log holds a hash of.
func (a *App) swapKept(ctx context.Context, noun, key, id, was, now string) error {
	ctx = book.With(ctx, audit.Record{Actor: "house:seal", Action: noun + ".resealed"})
	err := a.rdb.Watch(ctx, func(tx *redis.Tx) error {
		found, err := tx.HGet(ctx, key, id).Result()
		if err != nil || found != was {
			return err
		}
		return a.book.Write(ctx, tx, func(p redis.Pipeliner) error {
			book.Keep(ctx, p, noun, id, []byte(now))
			p.HSet(ctx, key, id, now)
			return nil
		})
	}, key)
	if errors.Is(err, redis.TxFailedErr) || errors.Is(err, redis.Nil) { // somebody changed it, and sealed it anew, or it is gone
		return nil
	}
	return err
}

// eachText gives every text of the store in which something sealed may stand; field is empty for a string.
func eachText(ctx context.Context, cases *store.Store, rdb redis.UniversalClient, ours keyspace.Keys, give func(key, field, value string)) error {
	return cases.EachKey(ctx, ours.Prefix+":*:{"+ours.Jurisdiction+"}*", func(keys []string) error {
		for _, key := range keys {
			kind, err := rdb.Type(ctx, key).Result()
			if err != nil {
				return fmt.Errorf("%w: %w", feeds.ErrBusy, err)
			}
			switch kind {
			case "string":
				v, err := rdb.Get(ctx, key).Result()
				switch {
				case err == nil:
					give(key, "", v)
				case !errors.Is(err, redis.Nil): // nil: it has ended meanwhile
					return fmt.Errorf("%w: %w", feeds.ErrBusy, err)
				}
			case "hash":
				for cursor := uint64(0); ; {
					pairs, next, err := rdb.HScan(ctx, key, cursor, "*", 500).Result()
					if err != nil {
						return fmt.Errorf("%w: %w", feeds.ErrBusy, err)
					}
					for i := 0; i+1 < len(pairs); i += 2 {
						give(key, pairs[i], pairs[i+1])
					}
					if cursor = next; cursor == 0 {
						break
					}
				}
			}
		}
		return nil
	})
}

// Retirable tells whether every key of the ring but the first may go: what of the store they still seal could never be opened again. Where
// something is left the servers are told to look once more. The store must be there, our own one too: its server must run.
func Retirable(ctx context.Context, cfg config.Config, ring *seal.Ring) error {
	address := cfg.RedisURL.Reveal()
	if address == "" {
		var err error
		if address, err = embedded.OwnURL(cfg.DataDir); err != nil {
			return err
		}
	}
	where, err := embedded.ParseURL(address)
	if err != nil {
		return fmt.Errorf("redis_url: %w", err)
	}
	prof, err := profile.Load(cfg.Profile)
	if err != nil {
		return err
	}
	rdb := where.Client(nil)
	defer func() { _ = rdb.Close() }()
	keys := keyspace.New(prof.Slug)
	left := map[string]int{} // by key id
	err = eachText(ctx, store.New(rdb, keys, store.Options{Now: time.Now, Log: zerolog.Nop()}), rdb, keys, func(_, _, value string) {
		for _, text := range seal.Pattern.FindAllString(value, -1) {
			if id, err := seal.KeyOf(text); err == nil && id != ring.Mark() && ring.Holds(id) {
				left[id]++
			}
		}
	})
	switch {
	case err != nil:
		return fmt.Errorf("what older keys still seal cannot be seen; is the server running? %w", err)
	case len(left) == 0:
		return nil
	}
	if err := rdb.Del(ctx, keys.Sealed()).Err(); err != nil {
		return fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	return fmt.Errorf("older keys still seal texts of the store (%v): a server that runs seals them again within %v; then try again", left, sealEvery)
}
