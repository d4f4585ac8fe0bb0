package index

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"kentongan/geo"
	"kentongan/geo/keyspace"
)

// blobField is the one field of a stream entry.
const blobField = "b"

// Store keeps readings and last states in Redis. Safe for concurrent use, but two commits at once must not name the same Thing.
type Store struct {
	rdb        redis.UniversalClient
	cluster    *redis.ClusterClient // nil: one server
	keys       keyspace.Keys
	retention  time.Duration
	identity   func(reading []byte) (uint64, error)
	unreadable func(key, id string, err error) // nil: what cannot be read is an error
	now        func() time.Time
	publisher  atomic.Uint64            // our name among servers; 0: nobody is told
	follower   atomic.Pointer[follower] // who hears of the others for us; nil: nobody
	needed     atomic.Int32             // replicas that must have a commit

	mu       sync.Mutex
	written  uint64               // newest Last.written
	expires  map[string]time.Time // by shard: when the life of its stream is to be renewed
	trails   map[string][]stay    // of Things that changed shard within the retention
	sequence map[string]uint64    // last one told, by channel
}

// part is what one commit writes to one shard.
type part struct {
	cell   geo.Cell // any cell of the shard
	name   string
	blob   []byte
	states []any // id, record, id, record ...

	publisher uint64
	channel   string // where it is told
	sequence  uint64 // of its message there
}

// Commit writes the changes in one round trip, per shard one XADD of a blob and one HSET, and tells other servers of it in the same
// transaction (Config.Publish). It returns once Redis has answered; any error means that nothing may be acknowledged and the batch is to be
// sent again. Then readings may be there twice, states are not: their owner tells readings apart by what they say. A Thing that changed shard
// leaves its old one in a second round trip, so that a failure between the two never loses its state.
func (s *Store) Commit(ctx context.Context, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	for i := range changes {
		if changes[i].Entry == nil {
			return fmt.Errorf("index: commit: change %d of %d has no entry", i, len(changes))
		}
	}
	now, began := s.now(), time.Now()
	parts, order, left := s.group(changes, now)
	s.number(order)
	write := s.writeAtOnce
	if s.cluster != nil {
		write = s.writeEach
	}
	renewed, err := write(ctx, order, now)
	if err != nil {
		s.inDoubt(began)
		return fmt.Errorf("index: commit %d changes in %d shards: %w", len(changes), len(parts), err)
	}
	s.renew(renewed, now)
	return s.leave(ctx, changes, left)
}

// writeAtOnce is one transaction, where there is one server. Redis reads a long pipeline in parts of 16 KiB and, with appendfsync always,
// flushes its file after each; a transaction runs, and is flushed, once. It also refuses the whole batch when its memory is full.
func (s *Store) writeAtOnce(ctx context.Context, parts []*part, now time.Time) (renewed []string, err error) {
	if n := int(s.needed.Load()); n > 0 {
		return s.writeConfirmed(ctx, parts, now, n)
	}
	pipe := s.rdb.TxPipeline()
	renewed = s.writeAll(ctx, pipe, parts, now)
	for _, p := range parts {
		s.tell(ctx, pipe, p)
	}
	return renewed, executed(ctx, pipe)
}

// writeAll puts what a commit writes into a transaction.
func (s *Store) writeAll(ctx context.Context, pipe redis.Pipeliner, parts []*part, now time.Time) (renewed []string) {
	names := make([]any, 0, len(parts))
	for _, p := range parts {
		names = append(names, p.name)
		if s.write(ctx, pipe, p, now) {
			renewed = append(renewed, p.name)
		}
	}
	pipe.SAdd(ctx, s.keys.Shards(), names...)
	return renewed
}

// writeEach is a transaction for each shard, where shards lie on several servers: what is told of a shard was written to it. The list of
// shards is written before, so that no reading lies where nobody looks.
func (s *Store) writeEach(ctx context.Context, parts []*part, now time.Time) (renewed []string, err error) {
	var names []any
	for _, p := range parts {
		if !s.due(p.name, now) {
			continue
		}
		if names = append(names, p.name); p.blob != nil {
			renewed = append(renewed, p.name)
		}
	}
	if len(names) > 0 {
		if err := s.rdb.SAdd(ctx, s.keys.Shards(), names...).Err(); err != nil {
			return nil, err
		}
		if s.publisher.Load() != 0 { // one that is lost is found by looking at the list
			_ = s.rdb.Publish(ctx, s.keys.Live(), s.publisher.Load()).Err()
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, p := range parts {
		g.Go(func() error {
			pipe := s.rdb.TxPipeline()
			s.write(ctx, pipe, p, now)
			s.tell(ctx, pipe, p)
			return executed(ctx, pipe)
		})
	}
	return renewed, g.Wait()
}

// write puts what a commit writes to one shard into a pipeline, and tells whether that renews the life of its stream.
func (s *Store) write(ctx context.Context, pipe redis.Pipeliner, p *part, now time.Time) (renews bool) {
	if p.blob != nil {
		stream := s.keys.Readings(p.cell)
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{blobField, p.blob}})
		if renews = s.due(p.name, now); renews {
			pipe.PExpire(ctx, stream, s.retention+s.retention/8)
		}
	}
	if len(p.states) > 0 {
		pipe.HSet(ctx, s.keys.Last(p.cell), p.states...)
	}
	return renews
}

// tell puts the word of a commit to one shard into a pipeline, where there is somebody to tell.
func (s *Store) tell(ctx context.Context, pipe redis.Pipeliner, p *part) {
	switch {
	case p.publisher == 0:
	case s.cluster != nil:
		pipe.SPublish(ctx, p.channel, p.notice())
	default:
		pipe.Publish(ctx, p.channel, p.notice())
	}
}

// notice is what other servers are told.
func (p *part) notice() []byte {
	size := 64 + len(p.blob)
	for i := 0; i+1 < len(p.states); i += 2 {
		size += 16 + len(p.states[i].(string)) + len(p.states[i+1].([]byte))
	}
	return appendNotice(make([]byte, 0, size), p.publisher, p.sequence, shardOf(p.cell), p.blob, p.states)
}

// number gives the messages of a commit their place on their channels.
func (s *Store) number(parts []*part) {
	if s.publisher.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range parts {
		p.publisher, p.channel = s.publisher.Load(), s.keys.Live()
		if s.cluster != nil {
			p.channel = s.keys.LiveShard(p.cell)
		}
		s.sequence[p.channel]++
		p.sequence = s.sequence[p.channel]
	}
}

// inDoubt takes another name after a commit that failed, so that what it may have written all the same comes back to us as another server's
// would: those that heard of it count copies of it as known, wherever the sender goes next.
func (s *Store) inDoubt(began time.Time) {
	if s.publisher.Load() == 0 {
		return
	}
	s.mu.Lock()
	s.publisher.Store(rand.Uint64() | 1)
	clear(s.sequence)
	s.mu.Unlock()
	if f := s.follower.Load(); f != nil {
		f.doubt(began)
	}
}

// executed runs a pipeline, and finds why Redis gave up a transaction (OOM, MISCONF, READONLY).
func executed(ctx context.Context, pipe redis.Pipeliner) error {
	cmds, err := pipe.Exec(ctx)
	if err != nil {
		return cause(cmds, err)
	}
	return nil
}

// cause finds why Redis gave up a transaction (OOM, MISCONF, READONLY); err itself where it does not say.
func cause(cmds []redis.Cmder, err error) error {
	if !redis.IsExecAbortError(err) {
		return err
	}
	for _, c := range cmds {
		if e := c.Err(); e != nil && !redis.IsExecAbortError(e) {
			return e
		}
	}
	return err
}

// group sorts the changes by shard and writes their records. left names, by Thing that changed shard, a cell of each shard it was in.
func (s *Store) group(changes []Change, now time.Time) (parts map[geo.Cell]*part, order []*part, left map[string][]geo.Cell) {
	parts = map[geo.Cell]*part{}
	arena := make([]byte, 0, 160*len(changes))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = max(s.written+1, uint64(max(0, now.UnixMicro())))
	for i := range changes {
		c := &changes[i]
		key := shardOf(c.Entry.Cell)
		p := parts[key]
		if p == nil {
			p = &part{cell: c.Entry.Cell, name: s.keys.Shard(c.Entry.Cell)}
			parts[key], order = p, append(order, p)
		}
		if len(c.Readings) > 0 {
			if p.blob == nil {
				p.blob = appendBlob(make([]byte, 0, 1024), s.written, s.publisher.Load())
			}
			p.blob = appendGroup(p.blob, c.Entry.ID, c.Readings)
		}
		if c.Keep {
			continue
		}
		if from := shardOf(c.From); c.Moved && from != key {
			s.trails[c.Entry.ID] = s.trail(c.Entry.ID, from, key, now)
			if left == nil {
				left = map[string][]geo.Cell{}
			}
			left[c.Entry.ID] = append(left[c.Entry.ID], from)
		}
		start := len(arena)
		payload := c.State
		if payload == nil {
			payload, _ = c.Entry.Payload.(Payload)
		}
		arena = appendLast(arena, c.Entry, payload, s.trails[c.Entry.ID], s.written)
		p.states = append(p.states, c.Entry.ID, arena[start:len(arena):len(arena)])
	}
	return parts, order, left
}

// leave takes Things out of the hashes of the shards they left, unless they have come back within the batch.
func (s *Store) leave(ctx context.Context, changes []Change, left map[string][]geo.Cell) error {
	if len(left) == 0 {
		return nil
	}
	stays := make(map[string]geo.Cell, len(left))
	for i := range changes {
		if e := changes[i].Entry; !changes[i].Keep && left[e.ID] != nil {
			stays[e.ID] = shardOf(e.Cell)
		}
	}
	gone := map[geo.Cell][]string{}
	for id, shards := range left {
		for _, shard := range shards {
			if shard != stays[id] {
				gone[shard] = append(gone[shard], id)
			}
		}
	}
	pipe := s.rdb.Pipeline()
	for shard, ids := range gone {
		pipe.HDel(ctx, s.keys.Last(shard), ids...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("index: take %d Things out of %d shards they left: %w", len(left), len(gone), err)
	}
	return nil
}

// trail gives the shards that hold readings of a Thing which moves between two of them now.
func (s *Store) trail(id string, from, to geo.Cell, now time.Time) []stay {
	oldest := now.Add(-s.retention).UnixMilli()
	var out []stay
	for _, v := range s.trails[id] {
		if v.shard != from && v.shard != to && v.until >= oldest {
			out = append(out, v)
		}
	}
	return append(out, stay{from, now.UnixMilli()})
}

// due tells whether the life of a shard's stream is to be renewed: at the first write, then sixteen times in a retention.
func (s *Store) due(name string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.expires[name]
	return !ok || !now.Before(at) || at.Sub(now) > s.retention // the last: the clock was set back
}

func (s *Store) renew(names []string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		s.expires[n] = now.Add(s.retention / 16)
	}
}

// Ping tells whether the store answers, and where replicas are needed whether they have all that it holds.
func (s *Store) Ping(ctx context.Context) error {
	if n := int(s.needed.Load()); n > 0 && s.cluster == nil {
		_, err := s.confirmAll(ctx, n)
		return err
	}
	if err := s.rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("index: ping: %w", err)
	}
	return nil
}

// Remove takes a Thing's last state out; its readings stay until their retention.
func (s *Store) Remove(ctx context.Context, e *Entry) error {
	if err := s.rdb.HDel(ctx, s.keys.Last(e.Cell), e.ID).Err(); err != nil {
		return fmt.Errorf("index: remove %s: %w", e.ID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.trails, e.ID)
	return nil
}

// Trim removes readings older than the retention, exactly, and counts the blobs removed (one blob holds what one commit wrote to a
// shard). A stream to which nothing was written for the retention and an eighth expires as a whole without Trim.
func (s *Store) Trim(ctx context.Context) (removed int64, err error) {
	shards, err := s.shards(ctx)
	if err != nil {
		return 0, err
	}
	oldest := strconv.FormatInt(s.now().Add(-s.retention).UnixMilli(), 10)
	const chunk = 128
	var failed []error
	for len(shards) > 0 {
		n := min(chunk, len(shards))
		pipe := s.rdb.Pipeline()
		cmds := make([]*redis.IntCmd, n)
		for i, c := range shards[:n] {
			cmds[i] = pipe.XTrimMinID(ctx, s.keys.Readings(c), oldest)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			failed = append(failed, fmt.Errorf("index: trim readings before %s: %w", oldest, err))
		}
		for _, c := range cmds {
			removed += c.Val()
		}
		shards = shards[n:]
	}
	return removed, errors.Join(failed...)
}

// shards lists the shards in use; zero is that of Things without a place.
func (s *Store) shards(ctx context.Context) ([]geo.Cell, error) {
	names, err := s.rdb.SMembers(ctx, s.keys.Shards()).Result()
	if err != nil {
		return nil, fmt.Errorf("index: list shards: %w", err)
	}
	out := make([]geo.Cell, 0, len(names))
	for _, n := range names {
		if n == s.keys.Shard(0) {
			out = append(out, 0)
			continue
		}
		c, err := geo.ParseCell(n)
		if err != nil {
			if err := s.passOver(s.keys.Shards(), n, err); err != nil {
				return nil, err
			}
			continue
		}
		out = append(out, c)
	}
	return out, nil
}

// shardOf is the cell at ResShard; zero stays zero.
func shardOf(c geo.Cell) geo.Cell { return c.Parent(geo.ResShard) }
