package index

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"unsafe"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"kentongan/geo"
)

// How Load asks: so many questions are under way at once, each for shards in one pipeline, each shard for so many fields of its hash.
const (
	loadWorkers = 3
	loadShards  = 8
	loadCount   = 2000
)

// Load hands over every last state, in no order, one at a time; call it before the first Commit. An id may come again, then the later one
// holds. What an interrupted Commit left behind in a shard that a Thing has left is passed over and removed. A state that cannot be read is passed
// over (Config.Unreadable), and so is one of which yield says ErrRecord; any other error of yield ends it.
func (s *Store) Load(ctx context.Context, yield func(Stored) error) error {
	shards, err := s.shards(ctx)
	if err != nil {
		return err
	}
	l := &loading{s: s, yield: yield, seed: maphash.MakeSeed(), homes: map[uint64]uint32{}, kinds: map[string]string{}, shards: shards}
	g, ctx := errgroup.WithContext(ctx)
	pieces := make(chan []uint32)
	g.Go(func() error {
		defer close(pieces)
		for at := 0; at < len(shards); at += loadShards {
			var piece []uint32
			for i := at; i < min(at+loadShards, len(shards)); i++ {
				piece = append(piece, uint32(i))
			}
			select {
			case pieces <- piece:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	for range loadWorkers {
		g.Go(func() error {
			for piece := range pieces {
				if err := l.scan(ctx, piece); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return l.mend(context.WithoutCancel(ctx))
}

// loading is one Load.
type loading struct {
	s      *Store
	yield  func(Stored) error
	seed   maphash.Seed
	shards []geo.Cell

	mu    sync.Mutex
	homes map[uint64]uint32 // shard by the hash of a Thing's id: a Thing that is found in two is looked at again
	kinds map[string]string // one string of each
	twice []found
}

// found is a Thing in two shards.
type found struct {
	id          string
	here, there geo.Cell
}

// scan hands over the last states of some shards.
func (l *loading) scan(ctx context.Context, piece []uint32) error {
	cursors := make([]uint64, len(piece))
	open := make([]int, len(piece))
	for i := range open {
		open[i] = i
	}
	for len(open) > 0 {
		pipe := l.s.rdb.Pipeline()
		cmds := make([]*redis.ScanCmd, len(open))
		for i, at := range open {
			cmds[i] = pipe.HScan(ctx, l.s.keys.Last(l.shards[piece[at]]), cursors[at], "", loadCount)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("index: load: %w", err)
		}
		still := open[:0]
		for i, at := range open {
			pairs, next, _ := cmds[i].Result()
			if err := l.take(piece[at], pairs); err != nil {
				return err
			}
			if cursors[at] = next; next != 0 {
				still = append(still, at)
			}
		}
		open = still
	}
	return nil
}

// take hands over what one answer brought: id, record, id, record ...
func (l *loading) take(shard uint32, pairs []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 0; i+1 < len(pairs); i += 2 {
		id := pairs[i]
		state, err := readLast(id, unsafe.Slice(unsafe.StringData(pairs[i+1]), len(pairs[i+1]))) // only read
		if err := l.s.passOver(l.s.keys.Last(l.shards[shard]), id, err); err != nil {
			return err
		}
		if err != nil { // the Thing's next reading writes its state anew
			continue
		}
		if kind, ok := l.kinds[state.Kind]; ok {
			state.Kind = kind
		} else if len(l.kinds) < 1024 {
			l.kinds[state.Kind] = state.Kind
		}
		key := maphash.String(l.seed, id)
		if was, known := l.homes[key]; known && was != shard {
			l.twice = append(l.twice, found{id, l.shards[was], l.shards[shard]})
		}
		l.homes[key] = shard
		l.s.remember(&state)
		if err := l.give(state.Stored, shard); err != nil {
			return err
		}
	}
	return nil
}

// give hands a state over; what its owner cannot read of it is passed over.
func (l *loading) give(state Stored, shard uint32) error {
	err := l.yield(state)
	if errors.Is(err, ErrRecord) {
		return l.s.passOver(l.s.keys.Last(l.shards[shard]), state.ID, err)
	}
	return err
}

// mend hands over once more, of every Thing that was found in two shards, the state that was written later, and removes the other. The shard
// it is removed from holds readings all the same.
func (l *loading) mend(ctx context.Context) error {
	for _, f := range l.twice {
		a, aKnown, err := l.s.last(ctx, f.here, f.id)
		if err != nil {
			return err
		}
		b, bKnown, err := l.s.last(ctx, f.there, f.id)
		if err != nil {
			return err
		}
		if !aKnown || !bKnown {
			continue // two ids of one hash, or somebody has mended it
		}
		newer, older := a, f.there
		if b.written > a.written {
			newer, older = b, f.here
		}
		l.s.remember(&last{Stored: Stored{ID: f.id}, trail: []stay{{older, l.s.now().UnixMilli()}}})
		if err := l.yield(newer.Stored); err != nil {
			return err
		}
		if err := l.s.rdb.HDel(ctx, l.s.keys.Last(older), f.id).Err(); err != nil {
			return fmt.Errorf("index: load: remove what %s left behind in %s: %w", f.id, older, err)
		}
	}
	return nil
}

// last reads one last state.
func (s *Store) last(ctx context.Context, shard geo.Cell, id string) (last, bool, error) {
	v, err := s.rdb.HGet(ctx, s.keys.Last(shard), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return last{}, false, nil
	}
	if err != nil {
		return last{}, false, fmt.Errorf("index: state of %s in %s: %w", id, shard, err)
	}
	l, err := readLast(id, v)
	return l, err == nil, err
}

// remember takes over what a state says of the store itself. Where two servers moved a Thing, each knows of shards that the other does not.
func (s *Store) remember(l *last) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = max(s.written, l.written)
	if len(l.trail) > 0 {
		s.trails[l.ID] = joined(s.trails[l.ID], l.trail)
	}
}

// joined is the stays of both trails, each shard once.
func joined(a, b []stay) []stay {
	if len(a) == 0 {
		return b
	}
	out := slices.Clone(a)
	for _, v := range b {
		i := slices.IndexFunc(out, func(o stay) bool { return o.shard == v.shard })
		if i < 0 {
			out = append(out, v)
		} else {
			out[i].until = max(out[i].until, v.until)
		}
	}
	return out
}
