package index

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo"
)

// heal hands over, from the streams of a topic, whatever others committed since shortly before what is known of it.
func (f *follower) heal(ctx context.Context, t *topic) error {
	began := time.Now()
	f.mu.Lock()
	doubt := t.doubt
	since := t.from().Add(-followSlack)
	f.mu.Unlock()
	shards := []geo.Cell{t.shard}
	if t.all {
		var err error
		if shards, err = f.s.shards(ctx); err != nil {
			return err
		}
	}
	for _, shard := range shards {
		if err := f.healShard(ctx, shard, since); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t.live, t.known, t.healed = true, began, began
	if t.doubt.Equal(doubt) {
		t.doubt = time.Time{}
	}
	return nil
}

// from is from when on something may be missing.
func (t *topic) from() time.Time {
	if !t.doubt.IsZero() && t.doubt.Before(t.known) {
		return t.doubt
	}
	return t.known
}

// doubt has every topic healed from a time on, at the next answer of its connection.
func (f *follower) doubt(since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.topics {
		if t.doubt.IsZero() || since.Before(t.doubt) {
			t.doubt = since
		}
	}
}

func (f *follower) healShard(ctx context.Context, shard geo.Cell, since time.Time) error {
	return f.s.pages(ctx, shard, since, func(page []redis.XMessage) error {
		r := Remote{Shard: shard}
		var ids []string
		seen := map[string]bool{}
		for _, m := range page {
			b := blobOf(m)
			who, err := publisherOf(b)
			if err == nil && who != 0 && who == f.s.publisher.Load() {
				continue
			}
			if err == nil {
				_, err = readBlob(b, nil, func(id []byte, readings [][]byte) error {
					r.Groups = append(r.Groups, Group{string(id), readings})
					if !seen[string(id)] {
						seen[string(id)] = true
						ids = append(ids, string(id))
					}
					return nil
				})
			}
			if err := f.s.passOver(f.s.keys.Readings(shard), m.ID, err); err != nil {
				return err
			}
		}
		if len(ids) == 0 {
			return nil
		}
		if n := int(f.s.needed.Load()); n > 0 && f.s.cluster == nil { // what others know of they acknowledge as a copy
			if _, err := f.s.confirmAll(ctx, n); err != nil {
				return err
			}
		}
		values, err := f.s.rdb.HMGet(ctx, f.s.keys.Last(shard), ids...).Result()
		if err != nil {
			return fmt.Errorf("index: heal %s: last states: %w", shard, err)
		}
		for i, v := range values {
			if b, ok := v.(string); ok { // else it has gone on to another shard, whose stream says so
				if err := f.s.learnt(&r, ids[i], []byte(b)); err != nil {
					return err
				}
			}
		}
		return f.give(r)
	})
}

// learnt adds a last state that another server wrote.
func (s *Store) learnt(r *Remote, id string, b []byte) error {
	l, err := readLast(id, b)
	if err != nil {
		return s.passOver(s.keys.Last(r.Shard), id, err)
	}
	s.remember(&l)
	r.States = append(r.States, l.Stored)
	return nil
}
