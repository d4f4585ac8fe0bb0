package index

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrUnconfirmed means that a commit is written at the primary, but too few replicas said in time that they have it: should the primary be
// lost now, the commit is lost with it, and nothing of it may be acknowledged.
var ErrUnconfirmed = errors.New("not confirmed by a replica")

// confirmTime is how long replicas have to confirm a commit; tellAgain, after how long a word that did not get out is said again.
const (
	confirmTime = 2 * time.Second
	tellAgain   = 50 * time.Millisecond
)

// Confirm sets how many replicas must have a commit before it counts; 0, the beginning: none. On a cluster commits are never confirmed.
func (s *Store) Confirm(replicas int) { s.needed.Store(int32(replicas)) }

// conn gives one connection: WAIT speaks only of what its own connection wrote.
func (s *Store) conn() (*redis.Conn, error) {
	client, ok := s.rdb.(*redis.Client)
	if !ok {
		return nil, fmt.Errorf("index: a %T gives no connection to confirm on", s.rdb)
	}
	return client.Conn(), nil
}

// writeConfirmed is writeAtOnce for a primary with replicas. Other servers hear of a commit only once it is confirmed: what they know of
// they acknowledge as a copy, wherever the primary goes.
func (s *Store) writeConfirmed(ctx context.Context, parts []*part, now time.Time, needed int) (renewed []string, err error) {
	c, err := s.conn()
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	pipe := c.TxPipeline()
	renewed = s.writeAll(ctx, pipe, parts, now)
	if err := executed(ctx, pipe); err != nil {
		return nil, err
	}
	if err := waited(ctx, c, needed); err != nil || s.publisher.Load() == 0 {
		return renewed, err
	}
	for { // a word that is lost would be missed only when the next one comes, which may be late
		pipe := s.rdb.Pipeline()
		for _, p := range parts {
			s.tell(ctx, pipe, p)
		}
		if executed(ctx, pipe) == nil {
			return renewed, nil
		}
		select {
		case <-ctx.Done(): // the listeners' lines are as dead by now: they look into the streams
			return renewed, nil
		case <-time.After(tellAgain):
		}
	}
}

func waited(ctx context.Context, c *redis.Conn, needed int) error {
	have, err := c.Wait(ctx, needed, confirmTime).Result()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnconfirmed, err)
	}
	if have < int64(needed) {
		return fmt.Errorf("%w: %d of %d have it", ErrUnconfirmed, have, needed)
	}
	return nil
}

// confirmAll returns once the replicas have whatever the primary holds, and gives the primary's run.
func (s *Store) confirmAll(ctx context.Context, needed int) (run string, err error) {
	c, err := s.conn()
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if run, err = runOf(ctx, c); err == nil {
		err = c.Set(ctx, s.keys.Confirm(), "", 0).Err()
	}
	if err != nil {
		return "", fmt.Errorf("index: confirm: %w", err)
	}
	return run, waited(ctx, c, needed)
}

func runOf(ctx context.Context, c redis.Cmdable) (string, error) {
	info, err := c.InfoMap(ctx, "server").Result()
	if err != nil {
		return "", fmt.Errorf("index: ask the store who it is: %w", err)
	}
	return info["Server"]["run_id"], nil
}

// TailConfirmed is Tail, and an error where replicas are needed and do not have, or may not have, all that was handed over.
func (s *Store) TailConfirmed(ctx context.Context, since time.Time, yield func(committed time.Time, reading []byte) error) error {
	needed := int(s.needed.Load())
	if needed == 0 || s.cluster != nil {
		return s.Tail(ctx, since, yield)
	}
	before, err := runOf(ctx, s.rdb)
	if err != nil {
		return err
	}
	if err := s.Tail(ctx, since, yield); err != nil {
		return err
	}
	after, err := s.confirmAll(ctx, needed)
	if err == nil && after != before {
		err = fmt.Errorf("%w: the primary has changed", ErrUnconfirmed)
	}
	return err
}
