package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
)

// ErrUnconfirmed means that an act is written at the primary, but too few replicas said in time that they have it: should the primary
// be lost now, the act is lost with it. It counts as not done; tried again it is found, and confirmed then.
var ErrUnconfirmed = errors.New("not confirmed by a replica")

// confirmTime is how long replicas have to confirm an act.
const confirmTime = 2 * time.Second

// Confirm sets how many replicas must have an act before it counts; 0, the beginning: none. It holds for Fenced stores too.
func (s *Store) Confirm(replicas int) { s.needed.Store(int32(replicas)) }

// Confirmed is how many replicas must have an act before it counts.
func (s *Store) Confirmed() int { return int(s.needed.Load()) }

// script runs a script of two answers, and where replicas are needed a WAIT behind it on the same connection: WAIT speaks only of what
// its own connection wrote.
func (s *Store) script(ctx context.Context, script *redis.Script, needed int, keys []string, args ...any) ([]string, error) {
	var reply []string
	var err error
	if needed == 0 {
		reply, err = script.Run(ctx, s.rdb, keys, args...).StringSlice()
	} else {
		reply, err = s.confirmed(ctx, script, needed, keys, args)
	}
	if err == nil && len(reply) != 2 {
		err = fmt.Errorf("the script answered %q", reply)
	}
	return reply, err
}

func (s *Store) confirmed(ctx context.Context, script *redis.Script, needed int, keys []string, args []any) ([]string, error) {
	node, err := s.node(ctx, keys[0])
	if err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		pipe := node.Pipeline()
		run := pipe.EvalSha(ctx, script.Hash(), keys, args...)
		wait := pipe.Do(ctx, "WAIT", needed, confirmTime.Milliseconds())
		_, _ = pipe.Exec(ctx) // each command has its own answer
		reply, err := run.StringSlice()
		switch {
		case err != nil && first && redis.HasErrorPrefix(err, "NOSCRIPT"): // it has not run
			if err := script.Load(ctx, node).Err(); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			s.moved(ctx, err)
			return nil, err
		case len(reply) == 2 && (reply[0] == "conflict" || reply[0] == "held"):
			return reply, nil // nothing was written
		}
		have, err := wait.Int()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnconfirmed, err)
		}
		if have < needed {
			return nil, fmt.Errorf("%w: %d of %d have it", ErrUnconfirmed, have, needed)
		}
		return reply, nil
	}
}

// node is the server that holds a key.
func (s *Store) node(ctx context.Context, key string) (redis.UniversalClient, error) {
	if cluster, ok := s.rdb.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, key)
	}
	return s.rdb, nil
}

// moved lets a cluster client look anew where keys are.
func (s *Store) moved(ctx context.Context, err error) {
	if cluster, ok := s.rdb.(*redis.ClusterClient); ok && (strings.HasPrefix(err.Error(), "MOVED") || strings.HasPrefix(err.Error(), "READONLY") || errors.Is(err, redis.ErrClosed)) {
		cluster.ReloadState(ctx)
	}
}

// rest confirms a decision that writes nothing because what it would write is there already: the step checks that it still is, and
// writes only for the sake of the WAIT behind it. Where no replica is needed there is nothing to do.
func (s *Store) rest(ctx context.Context, kind, key, field, value string) error {
	if s.needed.Load() == 0 {
		return nil
	}
	st := s.newStep(s.now())
	st.check(kind, key, field, value)
	st.set(s.keys.Confirm(), "", 0)
	return s.run(ctx, st)
}

// settled returns once as many replicas as are needed have all that the primary of the cases holds, and gives that primary's run.
func (s *Store) settled(ctx context.Context) (run string, err error) {
	needed := int(s.needed.Load())
	node, err := s.node(ctx, s.keys.Confirm())
	if err != nil {
		return "", err
	}
	pipe := node.Pipeline() // on one connection
	info := pipe.InfoMap(ctx, "server")
	pipe.Set(ctx, s.keys.Confirm(), "", 0)
	wait := pipe.Do(ctx, "WAIT", needed, confirmTime.Milliseconds())
	if _, err := pipe.Exec(ctx); err != nil {
		s.moved(ctx, err)
		return "", err
	}
	have, err := wait.Int()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnconfirmed, err)
	}
	if have < needed {
		return "", fmt.Errorf("%w: %d of %d have it", ErrUnconfirmed, have, needed)
	}
	return info.Val()["Server"]["run_id"], nil
}

// steady reads what no failover can take back: all of it from one primary, and its replicas have it too.
func (s *Store) steady(ctx context.Context, read func() error) error {
	if s.needed.Load() == 0 {
		return read()
	}
	before, err := s.settled(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	if err := read(); err != nil {
		return err
	}
	after, err := s.settled(ctx)
	if err == nil && after != before {
		err = fmt.Errorf("%w: the primary has changed", ErrUnconfirmed)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	return nil
}
