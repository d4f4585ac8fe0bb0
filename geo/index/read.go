package index

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo"
)

// How much one question brings: fields of a hash, entries of a stream.
const (
	loadCount    = 2000
	tailCount    = 256
	historyCount = 64 // at first; each further page is twice as large
	historyMost  = 2048
)

// Load hands over every last state, in no order; call it before the first Commit. An id may come twice, then the later one holds. What
// an interrupted Commit left behind in a shard that a Thing has left is passed over and removed. An error of yield ends it.
func (s *Store) Load(ctx context.Context, yield func(Stored) error) error {
	shards, err := s.shards(ctx)
	if err != nil {
		return err
	}
	type seen struct {
		shard   geo.Cell
		written uint64
	}
	things := map[string]seen{}
	gone := map[geo.Cell][]string{}
	for _, shard := range shards {
		err := s.scan(ctx, shard, func(l last) error {
			was, twice := things[l.ID]
			if twice && was.shard != shard {
				if was.written > l.written {
					gone[shard] = append(gone[shard], l.ID)
					return nil
				}
				gone[was.shard] = append(gone[was.shard], l.ID)
			}
			things[l.ID] = seen{shard, l.written}
			s.remember(&l)
			return yield(l.Stored)
		})
		if err != nil {
			return err
		}
	}
	for shard, ids := range gone {
		if err := s.rdb.HDel(ctx, s.keys.Last(shard), ids...).Err(); err != nil {
			return fmt.Errorf("index: load: remove what %d Things left behind: %w", len(ids), err)
		}
	}
	return nil
}

// remember takes over what a loaded state says of the store itself.
func (s *Store) remember(l *last) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = max(s.written, l.written)
	if len(l.trail) > 0 {
		s.trails[l.ID] = l.trail
	} else {
		delete(s.trails, l.ID)
	}
}

// scan hands over the last states of one shard.
func (s *Store) scan(ctx context.Context, shard geo.Cell, yield func(last) error) error {
	key := s.keys.Last(shard)
	var cursor uint64
	for {
		pairs, next, err := s.rdb.HScan(ctx, key, cursor, "", loadCount).Result()
		if err != nil {
			return fmt.Errorf("index: load %s: %w", key, err)
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			l, err := readLast(pairs[i], []byte(pairs[i+1]))
			if err != nil {
				return fmt.Errorf("index: load %s, Thing %s: %w", key, pairs[i], err)
			}
			if err := yield(l); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// Tail hands over every reading committed since a time of the store's clock, oldest first within a shard. The bytes are valid during
// the call only. An error of yield ends it.
func (s *Store) Tail(ctx context.Context, since time.Time, yield func(reading []byte) error) error {
	shards, err := s.shards(ctx)
	if err != nil {
		return err
	}
	for _, shard := range shards {
		key := s.keys.Readings(shard)
		from := strconv.FormatInt(max(0, since.UnixMilli()), 10)
		for {
			page, err := s.rdb.XRangeN(ctx, key, from, "+", tailCount).Result()
			if err != nil {
				return fmt.Errorf("index: read %s from %s: %w", key, from, err)
			}
			for _, m := range page {
				_, err := readBlob(blobOf(m), nil, func(_ []byte, readings [][]byte) error {
					for _, r := range readings {
						if err := yield(r); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					return fmt.Errorf("index: read %s at %s: %w", key, m.ID, err)
				}
			}
			if len(page) < tailCount {
				break
			}
			from = "(" + page[len(page)-1].ID
		}
	}
	return nil
}

// History hands over a Thing's readings that were committed from one time to another of the store's clock, both included, newest first,
// at most limit of them (zero or less: all). A zero from is the beginning, a zero to is now. The entry says where the Thing is; nil, all
// shards are searched. Readings in shards it has left are found. Their owner's event times may lie outside the interval. The bytes are
// the caller's to keep. An error of yield ends it.
func (s *Store) History(ctx context.Context, id string, entry *Entry, from, to time.Time, limit int, yield func(reading []byte) error) error {
	shards, err := s.homes(ctx, id, entry)
	if err != nil {
		return err
	}
	first, end := "-", "+"
	if !from.IsZero() {
		first = strconv.FormatInt(max(0, from.UnixMilli()), 10)
	}
	if !to.IsZero() {
		end = strconv.FormatInt(max(0, to.UnixMilli()), 10) // without a sequence number: all of that millisecond
	}
	var open []*backward
	for _, shard := range shards {
		b := &backward{s: s, key: s.keys.Readings(shard), id: id, first: first, end: end, count: historyCount}
		if err := b.fill(ctx); err != nil {
			return err
		}
		open = append(open, b)
	}
	for n := 0; ; {
		open = slices.DeleteFunc(open, func(b *backward) bool { return len(b.found) == 0 })
		if len(open) == 0 {
			return nil
		}
		newest := slices.MaxFunc(open, func(a, b *backward) int {
			return cmp.Or(cmp.Compare(a.found[0].ms, b.found[0].ms), cmp.Compare(a.found[0].written, b.found[0].written))
		})
		for _, r := range slices.Backward(newest.found[0].readings) {
			if err := yield(r); err != nil {
				return err
			}
			if n++; n == limit {
				return nil
			}
		}
		if newest.found = newest.found[1:]; len(newest.found) == 0 {
			if err := newest.fill(ctx); err != nil {
				return err
			}
		}
	}
}

// homes lists the shards that can hold readings of a Thing.
func (s *Store) homes(ctx context.Context, id string, entry *Entry) ([]geo.Cell, error) {
	if entry == nil {
		return s.shards(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []geo.Cell{shardOf(entry.Cell)}
	for _, v := range s.trails[id] {
		if v.shard != out[0] {
			out = append(out, v.shard)
		}
	}
	return out, nil
}

// backward reads one stream from its end and keeps what concerns one Thing.
type backward struct {
	s                   *Store
	key, id, first, end string
	count               int64 // of the next page
	done                bool
	found               []finding
}

type finding struct {
	ms       int64 // of the store's clock
	written  uint64
	readings [][]byte
}

// fill brings pages until something is found or the stream is at its beginning.
func (b *backward) fill(ctx context.Context) error {
	for len(b.found) == 0 && !b.done {
		page, err := b.s.rdb.XRevRangeN(ctx, b.key, b.end, b.first, b.count).Result()
		if err != nil {
			return fmt.Errorf("index: history of %s in %s before %s: %w", b.id, b.key, b.end, err)
		}
		for _, m := range page {
			f := finding{ms: millisecond(m.ID)}
			f.written, err = readBlob(blobOf(m), func(id []byte) bool { return string(id) == b.id }, func(_ []byte, readings [][]byte) error {
				for _, r := range readings {
					f.readings = append(f.readings, bytes.Clone(r))
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("index: history of %s in %s at %s: %w", b.id, b.key, m.ID, err)
			}
			if len(f.readings) > 0 {
				b.found = append(b.found, f)
			}
		}
		if b.done = int64(len(page)) < b.count; !b.done {
			b.end, b.count = "("+page[len(page)-1].ID, min(2*b.count, historyMost)
		}
	}
	return nil
}

// blobOf gives the blob of a stream entry; nil, which is no record, where it has none.
func blobOf(m redis.XMessage) []byte {
	v, _ := m.Values[blobField].(string)
	return []byte(v)
}

// millisecond reads the first half of a stream id "milliseconds-sequence"; what is none lies at 0, before all others.
func millisecond(id string) int64 {
	ms, _, _ := strings.Cut(id, "-")
	n, _ := strconv.ParseInt(ms, 10, 64)
	return n
}
