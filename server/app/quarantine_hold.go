package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/geo/moment"
)

// What is written in one step. While one is under way those that come wait for the next, so that steps grow with the load; a delivery that comes alone
// waits for nothing.
const (
	groupMost  = 512
	groupBytes = 4 << 20
	groupTime  = 3 * time.Second
	holdTime   = 5 * time.Second // of one that waits, with the step before its own
)

// holding is one delivery that waits to be held.
type holding struct {
	held   contract.Held
	told   []byte // contract.Delivery
	field  string // what its bytes are under once they are closed
	packed []byte // nil: its bytes are not kept
	done   chan struct{}
	err    error
}

// Hold is runner.Keeper: it returns once the delivery lies in the store. Errors: contract.ErrFull, contract.ErrLarge; any other: it may lie there.
func (q *quarantine) Hold(ctx context.Context, h contract.Held, body []byte) (contract.Held, error) {
	if err := ctx.Err(); err != nil {
		return h, err
	}
	w := &holding{held: h, done: make(chan struct{})}
	if body != nil {
		var err error
		if w.packed, w.field, err = pack(body); err != nil {
			return h, err
		}
		if w.told, err = json.Marshal(h.Delivery()); err != nil {
			return h, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, holdTime, errors.New("the store is slow"))
	defer cancel()
	l := q.line(h.Feed)
	l.mu.Lock()
	l.waiting = append(l.waiting, w)
	begin := !l.busy
	l.busy = true
	l.mu.Unlock()
	if begin {
		go q.holdAll(h.Feed, l)
	}
	select {
	case <-w.done:
		return w.held, w.err
	case <-ctx.Done():
		return h, fmt.Errorf("quarantine of feed %s: %w", h.Feed, context.Cause(ctx))
	}
}

// holdAll writes what waits, step by step, until nothing does.
func (q *quarantine) holdAll(feed string, l *line) {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.busy = false
			l.mu.Unlock()
			return
		}
		n, size := 0, 0
		for n < len(l.waiting) && n < groupMost && (n == 0 || size+len(l.waiting[n].packed) <= groupBytes) {
			size += len(l.waiting[n].packed)
			n++
		}
		group := l.waiting[:n:n]
		l.waiting = l.waiting[n:]
		l.mu.Unlock()
		q.holdGroup(feed, group)
	}
}

func (q *quarantine) holdGroup(feed string, group []*holding) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), groupTime, errors.New("the store is slow")) // for all of them, whoever has gone
	defer cancel()
	begin := make([]contract.Held, len(group))
	for i, w := range group {
		begin[i] = w.held
	}
	err := q.step(ctx, feed, func(s *contract.Shelf) error {
		for i, w := range group {
			id := ulid.MustNew(ulid.Timestamp(begin[i].At.Time), ulid.DefaultEntropy()).String()
			w.held, w.err = s.Put(begin[i], closedSize(w.packed), id, i)
		}
		return nil
	}, func(of int) *holding { return group[of] }, nil)
	for i, w := range group {
		if err != nil && w.err == nil {
			w.held, w.err = begin[i], err
		}
		close(w.done)
	}
}

// gzips are quick ones: a delivery of 64 MiB must not take its sender's patience.
var gzips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is one that there is
	return z
}}

// smallBody gains nothing by gzip, which costs it more than its bytes.
const smallBody = 200

// pack makes bytes small, and says how.
func pack(body []byte) (packed []byte, field string, err error) {
	if len(body) <= smallBody {
		return append(make([]byte, 0, max(1, len(body))), body...), closedPlain, nil
	}
	var b bytes.Buffer
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	z.Reset(&b)
	if _, err := z.Write(body); err != nil {
		return nil, "", err
	}
	if err := z.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), closedSmall, nil
}

// unpack opens the delivery of a stream's entry; most bounds its bytes.
func unpack(feed string, k heldKey, m redis.XMessage, most int64) (contract.Delivery, error) {
	var d contract.Delivery
	number, _, _ := strings.Cut(m.ID, "-")
	told, _ := m.Values["m"].(string)
	if err := json.Unmarshal([]byte(told), &d); err != nil {
		return d, fmt.Errorf("held delivery %s: %w", m.ID, err)
	}
	d.Number, _ = strconv.ParseInt(number, 10, 64)
	packed, small, size, err := k.open(feed, m.Values)
	if err != nil {
		return d, fmt.Errorf("held delivery %s: %w", m.ID, err)
	}
	d.Size = contract.SizeOf(size)
	if !small {
		d.Body = packed
		return d, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return d, fmt.Errorf("held delivery %s: %w", m.ID, err)
	}
	if d.Body, err = io.ReadAll(io.LimitReader(z, most)); err != nil {
		return d, fmt.Errorf("held delivery %s: %w", m.ID, err)
	}
	return d, nil
}

// Of what is read at once to be accepted.
const (
	readMost  = 256
	readBytes = 4 << 20
)

// deliveries gives the oldest of a cause after a number, in the order in which they came, and the time of the one behind them.
func (q *quarantine) deliveries(ctx context.Context, h contract.Held, after int64, most int64) (list []contract.Delivery, next moment.Time, err error) {
	count := int64(readMost)
	if h.Deliveries > 0 {
		count = min(count, max(1, readBytes/max(1, h.Size/h.Deliveries)))
	}
	got, err := q.rdb.XRangeN(ctx, q.keys.QuarantineBody(h.ID), "("+entry(after), "+", count+1).Result()
	if err != nil {
		return nil, next, fmt.Errorf("%w: quarantine of feed %s: %w", feeds.ErrBusy, h.Feed, err)
	}
	k, err := q.keptKey(ctx, h.Feed)
	if err != nil {
		return nil, next, err
	}
	for _, m := range got {
		d, err := unpack(h.Feed, k, m, most)
		if err != nil {
			return nil, next, err
		}
		if int64(len(list)) == count {
			return list, d.At, nil
		}
		list = append(list, d)
	}
	return list, next, nil
}

// newest gives the delivery of a cause that came last; contract.ErrNotHeld where no bytes lie there.
func (q *quarantine) newest(ctx context.Context, feed, id string, most int64) (contract.Delivery, error) {
	got, err := q.rdb.XRevRangeN(ctx, q.keys.QuarantineBody(id), "+", "-", 1).Result()
	if err != nil {
		return contract.Delivery{}, fmt.Errorf("%w: quarantine of feed %s: %w", feeds.ErrBusy, feed, err)
	}
	if len(got) == 0 {
		return contract.Delivery{}, contract.ErrNotHeld
	}
	k, err := q.keptKey(ctx, feed)
	if err != nil {
		return contract.Delivery{}, err
	}
	return unpack(feed, k, got[0], most)
}

// take counts deliveries as accepted and lets their bytes go. contract.ErrMore: somebody else has taken some meanwhile.
func (q *quarantine) take(ctx context.Context, seen contract.Held, list []contract.Delivery, next moment.Time) (out contract.Held, err error) {
	numbers := make([]int64, len(list))
	for i := range list {
		numbers[i] = list[i].Number
	}
	err = q.step(ctx, seen.Feed, func(s *contract.Shelf) (err error) {
		out, err = s.Take(seen, list, next)
		return err
	}, nil, func() (string, []int64) { return seen.ID, numbers })
	return dated(out), err
}

// decide notes who has decided what; contract.ErrDecided and contract.ErrMore where somebody, or a delivery, was faster.
func (q *quarantine) decide(ctx context.Context, h contract.Held, state, by, note string) (out contract.Held, err error) {
	err = q.step(ctx, h.Feed, func(s *contract.Shelf) (err error) {
		out, err = s.Decide(h.ID, state, by, note, q.now())
		return err
	}, nil, nil)
	return dated(out), err
}
