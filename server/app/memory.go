package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds/runner"
	"kentongan/feeds/transports/poll"
	"kentongan/geo/keyspace"
)

// memory is what feeds know beyond one run, for every server: a hash a feed, and a set of the links that were fetched.
type memory struct {
	rdb  redis.UniversalClient
	keys keyspace.Keys
	now  func() time.Time
}

var _ runner.Memory = (*memory)(nil)

// Seen tells which links of a feed were fetched.
func (m *memory) Seen(ctx context.Context, feed string, addresses []string) ([]bool, error) {
	members := make([]string, len(addresses))
	for i, a := range addresses {
		members[i] = linkName(a)
	}
	scores, err := m.rdb.ZMScore(ctx, m.keys.FeedLink(feed), members...).Result()
	if err != nil {
		return nil, fmt.Errorf("which links of feed %s are known: %w", feed, err)
	}
	out := make([]bool, len(addresses))
	for i := range out {
		out[i] = scores[i] > 0
	}
	return out, nil
}

// Mark remembers a link; the oldest beyond the bound, and those of a past lifetime, are forgotten.
func (m *memory) Mark(ctx context.Context, feed, address string) error {
	key, now := m.keys.FeedLink(feed), m.now()
	pipe := m.rdb.Pipeline()
	pipe.ZAdd(ctx, key, redis.Z{Score: float64(now.UnixMilli()), Member: linkName(address)})
	pipe.ZRemRangeByScore(ctx, key, "-inf", strconv.FormatInt(now.Add(-keyspace.FeedLifetime).UnixMilli(), 10))
	pipe.ZRemRangeByRank(ctx, key, 0, -keyspace.FeedLinks-1)
	pipe.PExpire(ctx, key, keyspace.FeedLifetime)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("remember a link of feed %s: %w", feed, err)
	}
	return nil
}

// linkName is a link as it is kept: keys travel in addresses, and a hash is short.
func linkName(address string) string {
	sum := sha256.Sum256([]byte(address))
	return string(sum[:16])
}

// State is where the poll of a feed is.
func (m *memory) State(ctx context.Context, feed string) (poll.State, error) {
	f, err := m.rdb.HMGet(ctx, m.keys.Feed(feed), "source", "etag", "changed", "asked", "cursor").Result()
	if err != nil {
		return poll.State{}, fmt.Errorf("where the poll of feed %s is: %w", feed, err)
	}
	return poll.State{Source: text(f[0]), ETag: text(f[1]), Changed: text(f[2]), Asked: text(f[3]), Cursor: millis(f[4])}, nil
}

// SetState keeps where the poll of a feed is.
func (m *memory) SetState(ctx context.Context, feed string, s poll.State) error {
	return m.set(ctx, feed, "source", s.Source, "etag", s.ETag, "changed", s.Changed, "asked", s.Asked, "cursor", toMillis(s.Cursor))
}

// Past is how a feed fared.
func (m *memory) Past(ctx context.Context, feed string) (runner.Past, error) {
	f, err := m.rdb.HMGet(ctx, m.keys.Feed(feed), "last_success", "interval").Result()
	if err != nil {
		return runner.Past{}, fmt.Errorf("how feed %s fared: %w", feed, err)
	}
	ms, _ := strconv.ParseInt(text(f[1]), 10, 64)
	return runner.Past{LastSuccess: millis(f[0]), Interval: time.Duration(ms) * time.Millisecond}, nil
}

// SetPast keeps how a feed fares.
func (m *memory) SetPast(ctx context.Context, feed string, p runner.Past) error {
	return m.set(ctx, feed, "last_success", toMillis(p.LastSuccess), "interval", strconv.FormatInt(p.Interval.Milliseconds(), 10))
}

func (m *memory) set(ctx context.Context, feed string, fields ...any) error {
	key := m.keys.Feed(feed)
	pipe := m.rdb.Pipeline()
	pipe.HSet(ctx, key, fields...)
	pipe.PExpire(ctx, key, keyspace.FeedLifetime)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("keep the state of feed %s: %w", feed, err)
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// millis reads a time; zero where there is none.
func millis(v any) time.Time {
	ms, err := strconv.ParseInt(text(v), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func toMillis(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}
