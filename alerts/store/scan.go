package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
)

// scan gives the keys of a pattern, a few at a time and some of them perhaps twice; of a cluster those of every node.
func (s *Store) scan(ctx context.Context, pattern string, give func(keys []string) error) error {
	one := func(ctx context.Context, c redis.Cmdable) error {
		for cursor := uint64(0); ; {
			keys, next, err := c.Scan(ctx, cursor, pattern, batch).Result()
			if err != nil {
				return fmt.Errorf("%w: look for %s: %w", feeds.ErrBusy, pattern, err)
			}
			if len(keys) > 0 {
				if err := give(keys); err != nil {
					return err
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	cluster, ok := s.rdb.(*redis.ClusterClient)
	if !ok {
		return one(ctx, s.rdb)
	}
	var mu sync.Mutex // the nodes are asked at once
	return cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		return one(ctx, c)
	})
}

// EachKey gives the keys of a pattern, a few at a time and some of them perhaps twice. Errors: feeds.ErrBusy, of give.
func (s *Store) EachKey(ctx context.Context, pattern string, give func(keys []string) error) error {
	return s.scan(ctx, pattern, give)
}
