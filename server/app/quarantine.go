package app

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/feeds/runner"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

// Bounds of the quarantine of one feed.
const (
	mostHeld   = 20
	heldBytes  = 1 << 20 // of one delivery, as gzip
	knownFor   = 1500 * time.Millisecond
	keeperLast = 5              // tries against another server's writes
	setAside   = 24 * time.Hour // how long what comes of a cause that was kept is counted to it without asking again
)

// quarantine is what contracts and held deliveries are kept in: a runner.Keeper over Redis. Safe for concurrent use.
type quarantine struct {
	rdb  redis.UniversalClient
	keys keyspace.Keys
	now  func() time.Time

	mu      sync.Mutex
	known   map[string]keptState // by feed, as of knownAt
	knownAt time.Time
}

// keptState is what every server must know of a feed's contract.
type keptState struct {
	Rev  int64 `json:"rev"`
	Held int   `json:"held"`
}

// Contract is runner.Keeper.
func (q *quarantine) Contract(ctx context.Context, feed string) (doc []byte, rev int64, err error) {
	got, err := q.rdb.HGetAll(ctx, q.keys.Contract(feed)).Result()
	if err != nil {
		return nil, 0, fmt.Errorf("contract of feed %s: %w", feed, err)
	}
	rev, _ = strconv.ParseInt(got["rev"], 10, 64)
	if got["doc"] == "" {
		return nil, rev, nil
	}
	return []byte(got["doc"]), rev, nil
}

// SaveContract is runner.Keeper.
func (q *quarantine) SaveContract(ctx context.Context, feed string, doc []byte, rev int64, decided bool) (now int64, err error) {
	key := q.keys.Contract(feed)
	err = q.alone(ctx, key, func(tx *redis.Tx) error {
		text, err := tx.HGet(ctx, key, "rev").Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		kept, _ := strconv.ParseInt(text, 10, 64)
		if kept > rev {
			return runner.ErrNewer
		}
		if now = rev; decided {
			now = rev + 1
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, key, "rev", now, "doc", doc)
			p.PExpire(ctx, key, keyspace.ContractLifetime)
			return nil
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("contract of feed %s: %w", feed, err)
	}
	if decided {
		err = q.tell(ctx, feed)
	}
	return now, err
}

// alone does something while nobody else writes the key.
func (q *quarantine) alone(ctx context.Context, key string, do func(*redis.Tx) error) error {
	var err error
	for range keeperLast {
		if err = q.rdb.Watch(ctx, do, key); !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
	return err
}

// tell writes down what every server must know of a feed.
func (q *quarantine) tell(ctx context.Context, feed string) error {
	list, err := q.list(ctx, feed)
	if err != nil {
		return err
	}
	_, rev, err := q.Contract(ctx, feed)
	if err != nil {
		return err
	}
	state := keptState{Rev: rev}
	for i := range list {
		if list[i].State == contract.StateHeld {
			state.Held++
		}
	}
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	key := q.keys.Contracts()
	pipe := q.rdb.Pipeline()
	pipe.HSet(ctx, key, feed, text)
	pipe.PExpire(ctx, key, keyspace.ContractLifetime)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("quarantine of feed %s: %w", feed, err)
	}
	q.mu.Lock()
	if q.known != nil {
		q.known[feed] = state
	}
	q.mu.Unlock()
	return nil
}

// Kept is runner.Keeper: one question serves all feeds.
func (q *quarantine) Kept(ctx context.Context, feed string) (rev int64, held int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := q.now(); q.known == nil || now.Sub(q.knownAt) >= knownFor {
		all, err := q.rdb.HGetAll(ctx, q.keys.Contracts()).Result()
		if err != nil {
			return 0, 0, fmt.Errorf("contracts of feeds: %w", err)
		}
		q.known, q.knownAt = make(map[string]keptState, len(all)), now
		for name, text := range all {
			var s keptState
			if json.Unmarshal([]byte(text), &s) == nil {
				q.known[name] = s
			}
		}
	}
	s := q.known[feed]
	return s.Rev, s.Held, nil
}

// list gives what is in a feed's quarantine, the newest first; what is older than its lifetime is left out.
func (q *quarantine) list(ctx context.Context, feed string) ([]contract.Held, error) {
	all, err := q.rdb.HGetAll(ctx, q.keys.Quarantine(feed)).Result()
	if err != nil {
		return nil, fmt.Errorf("quarantine of feed %s: %w", feed, err)
	}
	return q.read(all), nil
}

func (q *quarantine) read(all map[string]string) []contract.Held {
	out := []contract.Held{}
	for id, text := range all {
		var h contract.Held
		if json.Unmarshal([]byte(text), &h) == nil && h.ID == id && q.now().Sub(h.At.Time) < keyspace.QuarantineLifetime {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b contract.Held) int { return cmp.Or(b.At.Compare(a.At.Time), cmp.Compare(b.ID, a.ID)) })
	return out
}

// Hold is runner.Keeper.
func (q *quarantine) Hold(ctx context.Context, h contract.Held, body []byte) (contract.Held, error) {
	var packed []byte
	if body != nil {
		var err error
		if packed, err = pack(body); err != nil {
			return h, err
		}
	}
	key, bodies := q.keys.Quarantine(h.Feed), q.keys.QuarantineBody(h.Feed)
	var out contract.Held
	err := q.alone(ctx, key, func(tx *redis.Tx) error {
		all, err := tx.HGetAll(ctx, key).Result()
		if err != nil {
			return err
		}
		list := q.read(all)
		out = h
		out.ID = ""
		for i := range list {
			if list[i].Fingerprint == h.Fingerprint && (list[i].State == contract.StateHeld || list[i].State == contract.StateKept && h.At.Sub(list[i].DecidedAt.Time) < setAside) {
				out = merge(list[i], h)
				break
			}
		}
		if out.ID == "" {
			out.ID = ulid.MustNew(ulid.Timestamp(h.At.Time), ulid.DefaultEntropy()).String()
			list = append([]contract.Held{out}, list...)
		}
		out.Whole = body != nil && len(packed) <= heldBytes
		text, err := json.Marshal(out)
		if err != nil {
			return err
		}
		gone := surplus(all, list)
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, key, out.ID, text)
			if out.Whole {
				p.HSet(ctx, bodies, out.ID, packed)
			} else {
				gone = append(gone[:len(gone):len(gone)], out.ID)
			}
			for _, id := range gone {
				p.HDel(ctx, bodies, id)
				if id != out.ID {
					p.HDel(ctx, key, id)
				}
			}
			p.PExpire(ctx, key, keyspace.QuarantineLifetime)
			p.PExpire(ctx, bodies, keyspace.QuarantineLifetime)
			return nil
		})
		return err
	})
	if err != nil {
		return h, fmt.Errorf("quarantine of feed %s: %w", h.Feed, err)
	}
	return out, q.tell(ctx, h.Feed)
}

// merge counts a delivery to those of its cause; its bytes and its figures take the place of theirs.
func merge(old, h contract.Held) contract.Held {
	h.ID, h.FirstAt, h.Times = old.ID, old.FirstAt, old.Times+h.Times
	h.State, h.By, h.Note, h.DecidedAt = old.State, old.By, old.Note, old.DecidedAt
	return h
}

// surplus names what must go: all but the newest, what is decided first; and what cannot be read.
func surplus(all map[string]string, list []contract.Held) (gone []string) {
	stay := map[string]bool{}
	for _, open := range []bool{true, false} {
		for i := range list {
			if (list[i].State == contract.StateHeld) == open && len(stay) < mostHeld {
				stay[list[i].ID] = true
			}
		}
	}
	for id := range all {
		if !stay[id] {
			gone = append(gone, id)
		}
	}
	return gone
}

func pack(body []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// errNotHeld means that nothing is held under this id; errDecided, that it was accepted meanwhile; errMore, that more of the same cause came
// meanwhile, whose bytes nobody has accepted yet.
var (
	errNotHeld = errors.New("nothing is held under this id")
	errDecided = errors.New("somebody has accepted it meanwhile")
	errMore    = errors.New("more of the same cause came meanwhile")
)

func (q *quarantine) one(ctx context.Context, feed, id string) (contract.Held, error) {
	text, err := q.rdb.HGet(ctx, q.keys.Quarantine(feed), id).Result()
	if errors.Is(err, redis.Nil) {
		return contract.Held{}, errNotHeld
	} else if err != nil {
		return contract.Held{}, fmt.Errorf("%w: quarantine of feed %s: %w", feeds.ErrBusy, feed, err)
	}
	var h contract.Held
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return contract.Held{}, errNotHeld // of a later version
	}
	return h, nil
}

// body gives held bytes as they came; errNotHeld where they were not kept.
func (q *quarantine) body(ctx context.Context, feed, id string, most int64) ([]byte, error) {
	packed, err := q.rdb.HGet(ctx, q.keys.QuarantineBody(feed), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, errNotHeld
	} else if err != nil {
		return nil, fmt.Errorf("%w: quarantine of feed %s: %w", feeds.ErrBusy, feed, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("quarantine of feed %s: %s: %w", feed, id, err)
	}
	return io.ReadAll(io.LimitReader(z, most))
}

// decide notes who has decided what; errDecided and errMore where somebody, or a delivery, was faster.
func (q *quarantine) decide(ctx context.Context, h contract.Held, state, by, note string) (contract.Held, error) {
	key, seen := q.keys.Quarantine(h.Feed), h.Times
	err := q.alone(ctx, key, func(tx *redis.Tx) error {
		text, err := tx.HGet(ctx, key, h.ID).Result()
		if errors.Is(err, redis.Nil) {
			return errNotHeld
		} else if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &h); err != nil {
			return errNotHeld
		}
		switch {
		case h.State == contract.StateAccepted:
			return errDecided
		case state == contract.StateAccepted && h.Times != seen:
			return errMore
		}
		h.State, h.By, h.Note, h.DecidedAt = state, by, note, moment.Of(q.now())
		b, err := json.Marshal(h)
		if err != nil {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { p.HSet(ctx, key, h.ID, b); return nil })
		return err
	})
	if err != nil {
		return h, fmt.Errorf("quarantine of feed %s: %w", h.Feed, err)
	}
	return h, q.tell(ctx, h.Feed)
}
