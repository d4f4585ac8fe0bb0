package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/feeds/runner"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/seal"
)

const (
	knownFor   = 1500 * time.Millisecond
	keeperLast = 5 // tries against another server's writes of a contract
)

// quarantine is what contracts and held deliveries are kept in: a runner.Keeper over Redis. Safe for concurrent use.
type quarantine struct {
	rdb    redis.UniversalClient
	keys   keyspace.Keys
	ring   *seal.Ring
	now    func() time.Time
	log    zerolog.Logger
	needed atomic.Int32 // replicas that must have what is held before it counts

	mu      sync.Mutex
	known   map[string]string // kt:contracts as of knownAt
	knownAt time.Time
	lines   map[string]*line // by feed
}

// keptState is what every server must know of what is held of a feed.
type keptState struct {
	Held    int         `json:"held"`    // deliveries that nobody has decided on
	Expires moment.Time `json:"expires"` // when the first cause of those is forgotten
}

// Contract is runner.Keeper.
func (q *quarantine) Contract(ctx context.Context, feed string) (doc []byte, rev int64, err error) {
	got, err := q.rdb.HGetAll(ctx, q.keys.Contract(feed)).Result()
	if err != nil {
		return nil, 0, fmt.Errorf("contract of feed %s: %w", feed, err)
	}
	rev, _ = strconv.ParseInt(got["rev"], 10, 64)
	if got["doc"] == "" {
		return nil, rev, nil
	}
	return []byte(got["doc"]), rev, nil
}

// SaveContract is runner.Keeper.
func (q *quarantine) SaveContract(ctx context.Context, feed string, doc []byte, rev int64, decided bool) (now int64, err error) {
	key := q.keys.Contract(feed)
	err = q.alone(ctx, key, func(tx *redis.Tx) error {
		text, err := tx.HGet(ctx, key, "rev").Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		kept, _ := strconv.ParseInt(text, 10, 64)
		if kept > rev {
			return runner.ErrNewer
		}
		if now = rev; decided {
			now = rev + 1
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, key, "rev", now, "doc", doc)
			p.PExpire(ctx, key, keyspace.ContractLifetime)
			p.HSet(ctx, q.keys.Contracts(), "rev:"+feed, now)
			p.PExpire(ctx, q.keys.Contracts(), keyspace.ContractLifetime)
			return nil
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("contract of feed %s: %w", feed, err)
	}
	q.told("rev:"+feed, strconv.FormatInt(now, 10))
	return now, nil
}

// alone does something while nobody else writes the key.
func (q *quarantine) alone(ctx context.Context, key string, do func(*redis.Tx) error) error {
	var err error
	for range keeperLast {
		if err = q.rdb.Watch(ctx, do, key); !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
	return err
}

// told notes what this server has written for all to know.
func (q *quarantine) told(field, value string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.known != nil {
		q.known[field] = value
	}
}

// Kept is runner.Keeper: one question serves all feeds.
func (q *quarantine) Kept(ctx context.Context, feed string) (runner.Kept, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := q.now(); q.known == nil || now.Sub(q.knownAt) >= knownFor {
		all, err := q.rdb.HGetAll(ctx, q.keys.Contracts()).Result()
		if err != nil {
			return runner.Kept{}, fmt.Errorf("contracts of feeds: %w", err)
		}
		q.known, q.knownAt = all, now
	}
	out := runner.Kept{}
	out.Rev, _ = strconv.ParseInt(q.known["rev:"+feed], 10, 64)
	var s keptState
	if text := q.known["held:"+feed]; text != "" && json.Unmarshal([]byte(text), &s) == nil {
		out.Held, out.Expires = s.Held, s.Expires.Time
	}
	return out, nil
}

// Expire is runner.Keeper.
func (q *quarantine) Expire(ctx context.Context, feed string) error {
	return q.step(ctx, feed, func(*contract.Shelf) error { return nil }, nil, nil)
}

// summary is what every server must know of a shelf.
func summary(s *contract.Shelf) keptState {
	out := keptState{}
	for i := range s.Causes {
		h := &s.Causes[i]
		switch {
		case h.State != contract.StateHeld:
			continue
		case h.Passed:
			out.Held++
			continue
		}
		out.Held += int(h.Deliveries)
		if end := h.At.Add(contract.Lifetime); h.Deliveries > 0 && (out.Expires.IsZero() || end.Before(out.Expires.Time)) {
			out.Expires = moment.Of(end)
		}
	}
	return out
}

// list gives what is in a feed's quarantine, the newest first; what is older than its lifetime is left out.
func (q *quarantine) list(ctx context.Context, feed string) ([]contract.Held, error) {
	all, err := q.rdb.HGetAll(ctx, q.keys.Quarantine(feed)).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: quarantine of feed %s: %w", feeds.ErrBusy, feed, err)
	}
	out, now := []contract.Held{}, q.now()
	for _, h := range causes(all) {
		if now.Sub(h.At.Time) < contract.Lifetime {
			out = append(out, dated(h))
		}
	}
	slices.SortFunc(out, func(a, b contract.Held) int { return cmp.Or(b.At.Compare(a.At.Time), strings.Compare(b.ID, a.ID)) })
	return out, nil
}

// causes reads those of a shelf; what a later version has written is left alone.
func causes(all map[string]string) []contract.Held {
	out := []contract.Held{}
	for id, text := range all {
		var h contract.Held
		if id != "rev" && id != "step" && id != "key" && json.Unmarshal([]byte(text), &h) == nil && h.ID == id {
			out = append(out, h)
		}
	}
	return out
}

// dated tells until when a cause is held.
func dated(h contract.Held) contract.Held {
	h.ExpiresAt = moment.Of(h.At.Add(contract.Lifetime))
	if h.Diff == nil {
		h.Diff = []contract.Finding{}
	}
	return h
}

func (q *quarantine) one(ctx context.Context, feed, id string) (contract.Held, error) {
	text, err := q.rdb.HGet(ctx, q.keys.Quarantine(feed), id).Result()
	if errors.Is(err, redis.Nil) {
		return contract.Held{}, contract.ErrNotHeld
	} else if err != nil {
		return contract.Held{}, fmt.Errorf("%w: quarantine of feed %s: %w", feeds.ErrBusy, feed, err)
	}
	var h contract.Held
	if err := json.Unmarshal([]byte(text), &h); err != nil || h.ID != id {
		return contract.Held{}, contract.ErrNotHeld // of a later version, or no cause
	}
	return dated(h), nil
}
