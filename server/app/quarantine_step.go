package app

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/feeds/contract"
	"kentongan/geo/keyspace"
)

//go:embed quarantine.lua
var quarantineSource string

var quarantineScript = redis.NewScript(quarantineSource)

const (
	stepTries   = 50              // against other servers that hold deliveries of the same feed
	confirmTime = 2 * time.Second // for replicas
)

// errUnconfirmed means that replicas did not say in time that they have what is held.
var errUnconfirmed = errors.New("not confirmed by a replica")

// errConflict means that another server has changed a shelf since it was read.
var errConflict = errors.New("another server was faster")

// line is the deliveries of one feed that wait to be held, and its shelf as this server has seen it last.
type line struct {
	mu      sync.Mutex // for waiting and busy
	waiting []*holding
	busy    bool

	step  sync.Mutex // one change of a shelf at a time; for what follows
	rev   string
	shelf []contract.Held
	key   heldKey
	read  bool
}

func (q *quarantine) line(feed string) *line {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines == nil {
		q.lines = map[string]*line{}
	}
	l := q.lines[feed]
	if l == nil {
		l = &line{}
		q.lines[feed] = l
	}
	return l
}

// step changes a feed's shelf in one atomic step: do says what is to be, again where another server was faster. load gives the bytes of what was
// added; taken are deliveries whose bytes go.
func (q *quarantine) step(ctx context.Context, feed string, do func(*contract.Shelf) error, load func(of int) *holding, taken func() (id string, numbers []int64)) error {
	l := q.line(feed)
	l.step.Lock()
	defer l.step.Unlock()
	fresh := false
	var err error
	for try := range stepTries {
		if errors.Is(err, errConflict) && !pause(ctx, time.Duration(rand.Int64N(int64(min(try, 10)))+1)*time.Millisecond) {
			return fmt.Errorf("quarantine of feed %s: %w", feed, errors.Join(context.Cause(ctx), err))
		}
		if !l.read {
			if err = q.look(ctx, feed, l); err != nil {
				return fmt.Errorf("quarantine of feed %s: %w", feed, err)
			}
			fresh = true
		}
		s := contract.NewShelf(l.shelf)
		s.Forget(q.now())
		err = do(s)
		if (err != nil || s.Refused) && !fresh { // another server may have made room, or decided
			l.read = false
			continue
		}
		if err != nil || !s.Touched() {
			return err
		}
		if err = q.write(ctx, feed, l, s, load, taken); err == nil {
			q.mourn(feed, s.Expired)
			return nil
		}
		l.read = false // whether it was written is not known
		if !errors.Is(err, errConflict) {
			break
		}
	}
	return fmt.Errorf("quarantine of feed %s: %w", feed, err)
}

// look reads a shelf.
func (q *quarantine) look(ctx context.Context, feed string, l *line) error {
	all, err := q.rdb.HGetAll(ctx, q.keys.Quarantine(feed)).Result()
	if err != nil {
		return err
	}
	if l.key, err = q.keyOf(feed, all["key"], l.key); err != nil {
		return err
	}
	l.rev, l.shelf, l.read = all["rev"], causes(all), true
	return nil
}

// mourn says what was forgotten before anybody has decided.
func (q *quarantine) mourn(feed string, gone []contract.Held) {
	for i := range gone {
		h := &gone[i]
		q.log.Error().Str("feed", feed).Str("held", h.ID).Str("reason", h.Reason).Int64("deliveries", h.Deliveries).Int64("readings", h.Readings).
			Msg("held deliveries have expired: nobody has decided on them for thirty days")
	}
}

// write runs the script for what a shelf says has changed.
func (q *quarantine) write(ctx context.Context, feed string, l *line, s *contract.Shelf, load func(int) *holding, taken func() (string, []int64)) error {
	rev, _ := strconv.ParseInt(l.rev, 10, 64)
	next := strconv.FormatInt(rev+1, 10)
	known, err := json.Marshal(summary(s))
	if err != nil {
		return err
	}
	keys, place := []string{q.keys.Quarantine(feed), q.keys.Contracts()}, map[string]int{}
	stream := func(id string) int {
		if place[id] == 0 {
			keys = append(keys, q.keys.QuarantineBody(id))
			place[id] = len(keys)
		}
		return place[id]
	}
	args := []any{l.rev, next, ulid.Make().String(), keyspace.QuarantineLifetime.Milliseconds(), "held:" + feed, known, keyspace.ContractLifetime.Milliseconds(), l.key.sealed}
	args = append(args, len(s.Changed))
	for i := range s.Causes {
		if !s.Changed[s.Causes[i].ID] {
			continue
		}
		text, err := json.Marshal(&s.Causes[i])
		if err != nil {
			return err
		}
		args = append(args, s.Causes[i].ID, text)
		if s.Causes[i].Deliveries > 0 { // they live as long as their cause
			stream(s.Causes[i].ID)
		}
	}
	args = append(args, len(s.Removed))
	for id := range s.Removed {
		args = append(args, id)
	}
	args = append(args, len(s.Emptied))
	for id := range s.Emptied {
		args = append(args, stream(id))
	}
	var numbers []int64
	id := ""
	if taken != nil {
		id, numbers = taken()
	}
	args = append(args, len(numbers))
	for _, n := range numbers {
		args = append(args, stream(id), entry(n))
	}
	args = append(args, len(s.Added))
	for _, a := range s.Added {
		h := load(a.Of)
		closed, err := l.key.close(feed, h.packed)
		if err != nil {
			return err
		}
		args = append(args, stream(a.ID), entry(a.Number), h.told, h.field, closed)
	}
	if err := q.run(ctx, keys, args); err != nil {
		return err
	}
	l.rev, l.shelf = next, s.Causes
	q.told("held:"+feed, string(known))
	return nil
}

// entry is the id of a delivery in its stream.
func entry(number int64) string { return strconv.FormatInt(number, 10) + "-0" }

// run runs the script, and where replicas are needed a WAIT behind it on the same connection: WAIT speaks only of what its own connection wrote.
func (q *quarantine) run(ctx context.Context, keys []string, args []any) error {
	needed := int(q.needed.Load())
	var reply string
	var err error
	if needed == 0 {
		reply, err = quarantineScript.Run(ctx, q.rdb, keys, args...).Text()
	} else {
		reply, err = q.confirmed(ctx, needed, keys, args)
	}
	switch {
	case err != nil:
		return err
	case reply == "conflict":
		return errConflict
	}
	return nil
}

func (q *quarantine) confirmed(ctx context.Context, needed int, keys []string, args []any) (string, error) {
	var node redis.UniversalClient = q.rdb
	if cluster, ok := q.rdb.(*redis.ClusterClient); ok {
		primary, err := cluster.MasterForKey(ctx, keys[0])
		if err != nil {
			return "", err
		}
		node = primary
	}
	for first := true; ; first = false {
		pipe := node.Pipeline()
		run := pipe.EvalSha(ctx, quarantineScript.Hash(), keys, args...)
		wait := pipe.Do(ctx, "WAIT", needed, confirmTime.Milliseconds())
		_, _ = pipe.Exec(ctx) // each command has its own answer
		reply, err := run.Text()
		switch {
		case err != nil && first && redis.HasErrorPrefix(err, "NOSCRIPT"): // it has not run
			if err := quarantineScript.Load(ctx, node).Err(); err != nil {
				return "", err
			}
			continue
		case err != nil || reply == "conflict":
			return reply, err
		}
		if have, err := wait.Int(); err != nil {
			return "", fmt.Errorf("%w: %w", errUnconfirmed, err)
		} else if have < needed {
			return "", fmt.Errorf("%w: %d of %d have it", errUnconfirmed, have, needed)
		}
		return reply, nil
	}
}
