package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

// uses is what this server knows of the use of keys, and has not written yet. Its zero value is ready.
type uses struct {
	mu   sync.Mutex
	keys map[string]*use
}

type use struct {
	from    string
	n       int64 // since it was written
	at      time.Time
	written time.Time
}

// note keeps a use, and tells whether it is to be written now.
func (u *uses) note(id, from string, n int64, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.keys == nil {
		u.keys = map[string]*use{}
	}
	k := u.keys[id]
	if k == nil {
		k = &use{}
		u.keys[id] = k
	}
	if from != "" {
		k.from = from
	}
	k.n, k.at = k.n+n, now
	if !k.written.IsZero() && now.Sub(k.written) < keyUsed {
		return false
	}
	k.written = now
	return true
}

// take gives what is to be written of a key, and counts it as written.
func (u *uses) take(id string, now time.Time) (use, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := u.keys[id]
	if k == nil {
		return use{}, false
	}
	out := *k
	k.n, k.written = 0, now
	return out, true
}

// back counts what could not be written.
func (u *uses) back(id string, n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if k := u.keys[id]; k != nil {
		k.n += n
	}
}

// waiting lists keys whose uses are not written, and forgets those that nobody has shown for an hour.
func (u *uses) waiting(now time.Time) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []string
	for id, k := range u.keys {
		switch {
		case k.n > 0:
			out = append(out, id)
		case now.Sub(k.at) > time.Hour:
			delete(u.keys, id)
		}
	}
	return out
}

// used keeps that a key was used; it is written once a minute at the most. That it is not written stops nobody.
func (a *Auth) used(ctx context.Context, id, from string, n int64) {
	if a.uses.note(id, from, n, a.now()) {
		a.writeUse(ctx, id)
	}
}

func (a *Auth) writeUse(ctx context.Context, id string) {
	u, ok := a.uses.take(id, a.now())
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	_, err := a.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, a.keys.KeyUsed(), id, strings.TrimSpace(moment.Of(u.at).String()+" "+u.from))
		if u.n > 0 {
			hour := a.keys.KeyUses(hourOf(u.at))
			p.HIncrBy(ctx, hour, id, u.n)
			p.Expire(ctx, hour, keyspace.KeyUsesLifetime)
		}
		return nil
	})
	if err != nil {
		a.uses.back(id, u.n)
		a.log.Debug().Err(err).Str("key", id).Msg("use not kept")
	}
}

func hourOf(t time.Time) string { return t.UTC().Format("2006010215") }

// KeepUses writes once a minute how often keys were used, until ctx ends, and then once more.
func (a *Auth) KeepUses(ctx context.Context) error {
	tick := time.NewTicker(keyUsed)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.writeUses(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			a.writeUses(ctx)
		}
	}
}

func (a *Auth) writeUses(ctx context.Context) {
	for _, id := range a.uses.waiting(a.now()) {
		a.writeUse(ctx, id)
	}
}

// Keys lists every key, the newest first; those that ended more than 90 days ago may be missing. Errors: ErrUnavailable.
func (a *Auth) Keys(ctx context.Context) ([]Key, error) {
	a.writeUses(ctx)
	now := a.now()
	pipe := a.rdb.Pipeline()
	docs, used := pipe.HGetAll(ctx, a.keys.Key()), pipe.HGetAll(ctx, a.keys.KeyUsed())
	var hours []*redis.MapStringStringCmd
	for h := range 24 {
		hours = append(hours, pipe.HGetAll(ctx, a.keys.KeyUses(hourOf(now.Add(-time.Duration(h)*time.Hour)))))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("%w: list keys: %w", ErrUnavailable, err)
	}
	out := make([]Key, 0, len(docs.Val()))
	for id, doc := range docs.Val() {
		k, err := readKey([]byte(doc))
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", id, err)
		}
		k.LastUsedAt, k.LastUsedFrom = lastUse(used.Val()[id])
		for _, h := range hours {
			n, err := strconv.ParseInt(h.Val()[id], 10, 64)
			if err != nil && h.Val()[id] != "" {
				return nil, errors.Join(ErrUnavailable, err)
			}
			k.Uses24h += n
		}
		out = append(out, k.shown(now))
	}
	slices.SortFunc(out, func(x, y Key) int { return strings.Compare(y.ID, x.ID) })
	return out, nil
}

// lastUse reads when and from where; keys of before have no address.
func lastUse(text string) (moment.Time, string) {
	when, from, _ := strings.Cut(text, " ")
	at, err := time.Parse(moment.Layout, when)
	if err != nil {
		return moment.Time{}, ""
	}
	return moment.Of(at), from
}
