package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
)

// ErrCut means that the case stream no longer reaches back to where somebody follows it: begin from a Snapshot.
var ErrCut = errors.New("the case stream no longer holds what comes next")

// blockFor bounds one wait on the case stream, so that the end of the context is noticed.
const blockFor = 500 * time.Millisecond

// offset is the last offset of the case stream, 0 before the first.
func (s *Store) offset(ctx context.Context) (int64, error) {
	n, err := s.rdb.Get(ctx, s.keys.CaseOffset()).Int64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, fmt.Errorf("%w: case offset: %w", feeds.ErrBusy, err)
	}
	return n, nil
}

// head is the offset from which the case stream goes on: the last one, also where somebody has set the counter back and nothing was written
// since.
func (s *Store) head(ctx context.Context) (int64, error) {
	counted, err := s.offset(ctx)
	if err != nil {
		return 0, err
	}
	last, err := s.rdb.XRevRangeN(ctx, s.keys.Case(), "+", "-", 1).Result()
	if err != nil {
		return 0, fmt.Errorf("%w: case stream: %w", feeds.ErrBusy, err)
	}
	if len(last) == 0 {
		return counted, nil
	}
	reached, err := offsetOf(last[0].ID)
	return max(counted, reached), err
}

// Since gives every change after an offset. False: it is unknown, too old, or more than max behind; start from a snapshot.
func (s *Store) Since(ctx context.Context, offset int64, max int) ([]Change, bool, error) {
	var out []Change
	var ok bool
	err := s.steady(ctx, func() (err error) {
		out, ok, err = s.since(ctx, offset, max)
		return err
	})
	return out, ok, err
}

func (s *Store) since(ctx context.Context, offset int64, max int) ([]Change, bool, error) {
	last, err := s.offset(ctx)
	if err != nil {
		return nil, false, err
	}
	if offset < 0 || offset > last || last-offset > int64(max) {
		return nil, false, nil
	}
	if offset == last {
		return []Change{}, true, nil
	}
	entries, err := s.rdb.XRangeN(ctx, s.keys.Case(), streamID(offset+1), "+", int64(max)+1).Result()
	if err != nil {
		return nil, false, fmt.Errorf("%w: case stream: %w", feeds.ErrBusy, err)
	}
	out, err := s.changes(entries)
	if err != nil {
		return nil, false, err
	}
	if len(out) > max || len(out) == 0 || out[0].Offset != offset+1 {
		return nil, false, nil
	}
	return out, true, nil
}

// Tail calls fn with every change after from, in order, until the context ends (nil), fn or Redis fails, or what comes next is
// not there any more (ErrCut). A waiting read holds a connection of the pool for itself. Where replicas are needed, a change is handed over once they have it: after a failover another one
// may stand at its offset.
func (s *Store) Tail(ctx context.Context, from int64, fn func(Change) error) error {
	return s.portions(ctx, from, func(_ context.Context, list []Change) error {
		for _, c := range list {
			if err := fn(c); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

// portions is Tail by as many changes as are there, a thousand at most; idle, unless nil, is called after each wait without one.
func (s *Store) portions(ctx context.Context, from int64, fn func(context.Context, []Change) error, idle func(context.Context) error) error {
	run := ""
	for ctx.Err() == nil {
		if s.needed.Load() > 0 && run == "" {
			var err error
			if run, err = s.settled(ctx); err != nil {
				return fmt.Errorf("%w: case stream: %w", feeds.ErrBusy, err)
			}
		}
		streams, err := s.rdb.XRead(ctx, &redis.XReadArgs{Streams: []string{s.keys.Case(), streamID(from)}, Count: 1000, Block: blockFor}).Result()
		switch {
		case errors.Is(err, redis.Nil):
			if idle != nil {
				if err := idle(ctx); err != nil {
					return err
				}
			}
			continue
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("%w: case stream: %w", feeds.ErrBusy, err)
		}
		if s.needed.Load() > 0 {
			now, err := s.settled(ctx)
			if err != nil {
				return fmt.Errorf("%w: case stream: %w", feeds.ErrBusy, err)
			}
			if now != run {
				run = now
				continue
			}
		}
		for _, stream := range streams {
			list, err := s.changes(stream.Messages)
			if err != nil {
				return err
			}
			if next := list[0].Offset; next != from+1 {
				return fmt.Errorf("%w: offset %d after %d", ErrCut, next, from)
			}
			if err := fn(ctx, list); err != nil {
				return err
			}
			from = list[len(list)-1].Offset
		}
	}
	return nil
}

func streamID(offset int64) string { return strconv.FormatInt(offset, 10) + "-0" }

// offsetOf is the offset of an entry of the case stream.
func offsetOf(id string) (int64, error) {
	number, _, _ := strings.Cut(id, "-")
	offset, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("case stream entry %q: %w", id, err)
	}
	return offset, nil
}

// changes reads entries of the case stream. One that is no change is passed over, under its offset, as a change of nothing: whoever follows the
// stream counts offsets, and a document that is no JSON would end every screen's connection.
func (s *Store) changes(entries []redis.XMessage) ([]Change, error) {
	out := make([]Change, 0, len(entries))
	for _, e := range entries {
		offset, err := offsetOf(e.ID)
		if err != nil {
			return nil, err
		}
		kind, _ := e.Values["type"].(string)
		id, _ := e.Values["id"].(string)
		doc, _ := e.Values["doc"].(string)
		c := Change{Offset: offset, Type: kind, ID: id, Doc: json.RawMessage(doc)}
		if kind == "" || id == "" || !json.Valid(c.Doc) {
			s.unread.note(s.keys.Case()+" "+e.ID, fmt.Errorf("no change of a case: type %.40q, id %.80q, %d bytes of document", kind, id, len(doc)), true)
			c = Change{Offset: offset}
		}
		out = append(out, c)
	}
	return out, nil
}
