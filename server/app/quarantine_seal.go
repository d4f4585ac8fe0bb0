package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/server/seal"
)

// heldPurpose of what seals the keys that close held deliveries: they may name people, and hold what a feed's agency keeps to itself.
const heldPurpose = "held"

// Where the bytes of a held delivery stand in its stream. Those of before were not closed; they are read until they expire.
const (
	closedPlain, closedSmall = "c", "d" // as it came, gzip
	openPlain, openSmall     = "b", "z"
)

// closeCost is what closing adds: nonce and tag.
const closeCost = 24 + 16

// heldKey closes what is held of a feed. It lies sealed on the feed's shelf, so that a newer key of secret_key_file takes it over as it does
// all else, while what it closed stays as it is.
type heldKey struct {
	sealed string
	data   []byte
}

// keyOf opens the key of a shelf; where it has none yet one is drawn, and is kept by the first step that needs it.
func (q *quarantine) keyOf(feed, sealed string, last heldKey) (heldKey, error) {
	if sealed != "" {
		if sealed == last.sealed {
			return last, nil
		}
		data, err := q.ring.Unseal(heldPurpose, sealed, []byte(feed))
		return heldKey{sealed, data}, err
	}
	data := make([]byte, seal.KeySize)
	_, _ = rand.Read(data) // never fails
	sealed, err := q.ring.Seal(heldPurpose, data, []byte(feed))
	return heldKey{sealed, data}, err
}

// keptKey gives the key that lies on a shelf; the zero one where nothing was closed yet.
func (q *quarantine) keptKey(ctx context.Context, feed string) (heldKey, error) {
	sealed, err := q.rdb.HGet(ctx, q.keys.Quarantine(feed), "key").Result()
	switch {
	case errors.Is(err, redis.Nil):
		return heldKey{}, nil
	case err != nil:
		return heldKey{}, fmt.Errorf("%w: quarantine of feed %s: %w", feeds.ErrBusy, feed, err)
	}
	k, err := q.keyOf(feed, sealed, heldKey{})
	if err != nil {
		return heldKey{}, fmt.Errorf("quarantine of feed %s: %w", feed, err)
	}
	return k, nil
}

func (k heldKey) close(feed string, packed []byte) ([]byte, error) {
	return seal.Close(k.data, packed, []byte(feed))
}

// open gives the bytes of a stream's entry, whether they are gzip, and what they take in the store.
func (k heldKey) open(feed string, values map[string]any) (packed []byte, small bool, size int, err error) {
	for _, field := range []string{closedPlain, closedSmall} {
		if text, ok := values[field].(string); ok {
			if k.data == nil {
				return nil, false, 0, seal.ErrKey
			}
			packed, err = seal.Unclose(k.data, []byte(text), []byte(feed))
			return packed, field == closedSmall, len(text), err
		}
	}
	if text, ok := values[openPlain].(string); ok {
		return []byte(text), false, len(text), nil
	}
	text, _ := values[openSmall].(string)
	return []byte(text), true, len(text), nil
}

// closedSize is what packed bytes take once they are closed; 0: they are not kept.
func closedSize(packed []byte) int64 {
	if packed == nil {
		return 0
	}
	return int64(len(packed)) + closeCost
}

// strip drops samples of a feed that came at a time or after it.
func (q *quarantine) strip(ctx context.Context, feed string, from time.Time) (n int, err error) {
	err = q.step(ctx, feed, func(s *contract.Shelf) error { n = s.Strip(from); return nil }, nil, nil)
	return n, err
}
