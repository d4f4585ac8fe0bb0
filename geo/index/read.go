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

// How many entries of a stream one question brings.
const (
	tailCount    = 256
	forwardCount = 64 // of each shard, all of which are read side by side
	historyCount = 64 // at first; each further page is twice as large
	historyMost  = 2048
)

// Tail hands over every reading committed since a time of the store's clock, oldest first over all shards, and when it was committed by
// that clock. The bytes are valid during the call only. What cannot be read is passed over (Config.Unreadable). An error of yield ends it.
func (s *Store) Tail(ctx context.Context, since time.Time, yield func(at time.Time, reading []byte) error) error {
	shards, err := s.shards(ctx)
	if err != nil {
		return err
	}
	open := make([]*forward, 0, len(shards))
	for _, shard := range shards {
		f := &forward{s: s, key: s.keys.Readings(shard), from: strconv.FormatInt(max(0, since.UnixMilli()), 10)}
		if err := f.fill(ctx); err != nil {
			return err
		}
		if len(f.found) > 0 {
			open = append(open, f)
		}
	}
	for len(open) > 0 {
		oldest := 0
		for i, f := range open {
			if f.found[0].before(&open[oldest].found[0]) {
				oldest = i
			}
		}
		f := open[oldest]
		at := time.UnixMilli(f.found[0].ms)
		for _, r := range f.found[0].readings {
			if err := yield(at, r); err != nil {
				return err
			}
		}
		if f.found = f.found[1:]; len(f.found) == 0 {
			if err := f.fill(ctx); err != nil {
				return err
			}
			if len(f.found) == 0 {
				open = slices.Delete(open, oldest, oldest+1)
			}
		}
	}
	return nil
}

// passOver counts what is stored and cannot be read, and goes on: it would be as unreadable the next time. The error is that of the place where
// nobody is to be told.
func (s *Store) passOver(key, id string, err error) error {
	if err == nil {
		return nil
	}
	if s.unreadable == nil {
		return fmt.Errorf("index: read %s of %s: %w", id, key, err)
	}
	s.unreadable(key, id, err)
	return nil
}

// Clock is the time of the store's clock, or a later one where it has several: whatever was committed before the call lies before it in Tail,
// unless that clock was put back.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	now, err := s.rdb.Time(ctx).Result()
	if err != nil {
		return time.Time{}, fmt.Errorf("index: ask for the time: %w", err)
	}
	if s.cluster != nil { // its servers' clocks differ
		now = now.Add(followSlack)
	}
	return now, nil
}

// forward reads one stream from a place on.
type forward struct {
	s         *Store
	key, from string
	done      bool
	found     []finding
}

// fill brings the next page that says something; none is left where found stays empty.
func (f *forward) fill(ctx context.Context) error {
	f.found = f.found[:0]
	for len(f.found) == 0 && !f.done {
		page, err := f.s.rdb.XRangeN(ctx, f.key, f.from, "+", forwardCount).Result()
		if err != nil {
			return fmt.Errorf("index: read %s from %s: %w", f.key, f.from, err)
		}
		for _, m := range page {
			v := finding{ms: millisecond(m.ID)}
			v.written, err = readBlob(blobOf(m), nil, func(_ []byte, readings [][]byte) error {
				v.readings = append(v.readings, readings...)
				return nil
			})
			if err := f.s.passOver(f.key, m.ID, err); err != nil {
				return err
			}
			if len(v.readings) > 0 {
				f.found = append(f.found, v)
			}
		}
		if f.done = len(page) < forwardCount; !f.done {
			f.from = "(" + page[len(page)-1].ID
		}
	}
	return nil
}

// pages hands over the entries of a shard's stream since a time of the store's clock, oldest first.
func (s *Store) pages(ctx context.Context, shard geo.Cell, since time.Time, yield func([]redis.XMessage) error) error {
	key := s.keys.Readings(shard)
	from := strconv.FormatInt(max(0, since.UnixMilli()), 10)
	for {
		page, err := s.rdb.XRangeN(ctx, key, from, "+", tailCount).Result()
		if err != nil {
			return fmt.Errorf("index: read %s from %s: %w", key, from, err)
		}
		if len(page) > 0 {
			if err := yield(page); err != nil {
				return err
			}
		}
		if len(page) < tailCount {
			return nil
		}
		from = "(" + page[len(page)-1].ID
	}
}

// History hands over a Thing's readings that were committed from one time to another of the store's clock, both included, newest first,
// at most limit of them (zero or less: all). A zero from is the beginning, a zero to is now. The entry says where the Thing is; nil, all
// shards are searched. Readings in shards it has left are found. Of equal readings (Config.Identity), which two servers may have stored at
// one time, the newest is given. Their owner's event times may lie outside the interval. The bytes are
// the caller's to keep. What cannot be read is passed over (Config.Unreadable). An error of yield ends it.
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
	given := copies{of: s.identity, keys: map[uint64]struct{}{}}
	for n := 0; ; {
		open = slices.DeleteFunc(open, func(b *backward) bool { return len(b.found) == 0 })
		if len(open) == 0 {
			return nil
		}
		newest := slices.MaxFunc(open, func(a, b *backward) int {
			return cmp.Or(cmp.Compare(a.found[0].ms, b.found[0].ms), cmp.Compare(a.found[0].written, b.found[0].written))
		})
		for _, r := range slices.Backward(newest.found[0].readings) {
			copied, err := given.already(r)
			if err := s.passOver(newest.key, id, err); err != nil {
				return err
			}
			if err != nil || copied {
				continue
			}
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

// copies tells readings that were given already.
type copies struct {
	of   func([]byte) (uint64, error)
	keys map[uint64]struct{}
}

func (c *copies) already(reading []byte) (bool, error) {
	if c.of == nil {
		return false, nil
	}
	key, err := c.of(reading)
	if err != nil {
		return false, err
	}
	n := len(c.keys)
	c.keys[key] = struct{}{}
	return len(c.keys) == n, nil
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

func (f *finding) before(o *finding) bool {
	return f.ms < o.ms || f.ms == o.ms && f.written < o.written
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
			if err := b.s.passOver(b.key, m.ID, err); err != nil {
				return err
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
