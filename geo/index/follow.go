package index

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo"
)

// Remote is what another server committed to one shard. All of it is the receiver's to keep.
type Remote struct {
	Shard  geo.Cell  // zero: of Things without a place
	Groups []Group   // readings, in order
	States []Stored  // last states that were written, or what the store held when a gap was healed
	Known  time.Time // of our clock: whatever others committed before it has been handed over; a Remote may say nothing but this
}

// Group is what one commit said of one Thing.
type Group struct {
	ID       string
	Readings [][]byte
}

// Bounds of following.
const (
	followSlack = 5 * time.Second // clocks of servers and of the store differ by less
	pingEvery   = time.Second     // how often a connection is asked whether it lives; Known moves with the answers
	silentMost  = 6 * time.Second // without an answer it does not
	learnEvery  = time.Second     // how often a cluster's list of shards is read, besides being told
	retryAfter  = 500 * time.Millisecond
	lookEvery   = 10 * time.Second // how often the streams are read where a commit is told apart from it (Confirm)
)

// Follow hands over every batch that other publishers commit, one at a time, from a time on that should lie before the beginning of
// Load: live by pub/sub, and from the streams whatever was missed (a jump in a publisher's sequence, a connection that broke, the time
// before the first). What is healed may have been handed over before. It ends with ctx, or with the error of each.
//
// On one server one channel carries all; on a cluster every shard has its own, in its own slot, and one connection to each server of the
// cluster listens to those that live there.
func (s *Store) Follow(ctx context.Context, since time.Time, each func(Remote) error) error {
	f := &follower{s: s, each: each, learned: since, topics: map[string]*topic{}, next: map[sender]uint64{}, wake: make(chan struct{}, 1)}
	s.follower.Store(f)
	defer s.follower.CompareAndSwap(f, nil)
	return f.run(ctx)
}

// follower is one call of Follow.
type follower struct {
	s     *Store
	each  func(Remote) error
	wake  chan struct{} // a lane has ended, or there may be new shards
	lanes sync.WaitGroup

	hand sync.Mutex // held while each is called

	mu      sync.Mutex
	topics  map[string]*topic // by channel
	next    map[sender]uint64 // the sequence that is to come
	learned time.Time         // every shard that was there then is among the topics
	failed  error             // of each
}

type sender struct {
	publisher uint64
	channel   string
}

// topic is a channel and the streams that tell what was missed on it.
type topic struct {
	channel string
	shard   geo.Cell
	all     bool      // of every shard
	lane    *lane     // who listens; nil: nobody yet
	live    bool      // it is listened to, and healed
	known   time.Time // whatever was committed before has been handed over
	healed  time.Time
	doubt   time.Time // a commit of our own from then on may have been written, and is to be handed over; zero: none
}

// run places every topic on a lane, again and again, until the end.
func (f *follower) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer f.lanes.Wait()
	defer cancel()
	if f.s.cluster == nil {
		f.topics[f.s.keys.Live()] = &topic{channel: f.s.keys.Live(), all: true, known: f.learned}
	} else {
		f.lanes.Go(func() { f.hearOfShards(ctx) })
	}
	tick := time.NewTicker(learnEvery)
	defer tick.Stop()
	for {
		err := f.learn(ctx)
		if err == nil {
			err = f.place(ctx)
		}
		f.mu.Lock()
		failed := f.failed
		f.mu.Unlock()
		if failed != nil {
			return failed
		}
		var again <-chan time.Time
		if err != nil || f.homeless() {
			again = time.After(retryAfter)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case <-f.wake:
			select { // a server that is away is not asked without pause
			case <-ctx.Done():
				return nil
			case <-time.After(50 * time.Millisecond):
			}
		case <-tick.C:
		}
	}
}

func (f *follower) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// hearOfShards wakes the follower where a server of the cluster writes to a shard for the first time.
func (f *follower) hearOfShards(ctx context.Context) {
	ps := f.s.rdb.Subscribe(ctx, f.s.keys.Live())
	defer func() { _ = ps.Close() }()
	told := ps.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-told:
			if !ok {
				return
			}
			f.nudge()
		}
	}
}

// learn makes a topic of every shard of a cluster. One that is new was not there when the list was read last: it is to be healed from then.
func (f *follower) learn(ctx context.Context) error {
	if f.s.cluster == nil {
		return nil
	}
	began := time.Now()
	shards, err := f.s.shards(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	for _, c := range shards {
		if name := f.s.keys.LiveShard(c); f.topics[name] == nil {
			f.topics[name] = &topic{channel: name, shard: c, known: f.learned}
		}
	}
	f.learned = began
	f.mu.Unlock()
	return f.give(Remote{})
}

// place gives every topic that nobody listens to a lane to the server where it lives.
func (f *follower) place(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	open := map[string]*lane{}
	var free []*topic
	for _, t := range f.topics {
		if t.lane == nil {
			free = append(free, t)
		} else {
			open[t.lane.server] = t.lane
		}
	}
	for _, t := range free {
		var node redis.UniversalClient = f.s.rdb
		server := ""
		if f.s.cluster != nil {
			client, err := f.s.cluster.MasterForKey(ctx, t.channel)
			if err != nil {
				return fmt.Errorf("index: follow %s: %w", t.channel, err)
			}
			node, server = client, client.Options().Addr
		}
		l := open[server]
		if l == nil {
			l = newLane(ctx, f, server, node)
			open[server] = l
			f.lanes.Go(func() { l.run(ctx) })
		}
		t.lane = l
		l.add(ctx, t.channel)
	}
	return nil
}

// homeless tells that somebody listens to less than all.
func (f *follower) homeless() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.topics {
		if t.lane == nil {
			return true
		}
	}
	return false
}

// give hands over, with what is known.
func (f *follower) give(r Remote) error {
	f.hand.Lock()
	defer f.hand.Unlock()
	r.Known = f.known()
	if err := f.each(r); err != nil {
		f.mu.Lock()
		f.failed = err
		f.mu.Unlock()
		f.nudge()
		return err
	}
	return nil
}

func (f *follower) known() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	least := f.learned
	for _, t := range f.topics {
		if f.s.cluster == nil || t.known.Before(least) {
			least = t.from()
		}
	}
	return least
}

// take hands over one message. A jump in its publisher's sequence is healed from the streams.
func (f *follower) take(ctx context.Context, channel, payload string) error {
	mine := f.s.publisher.Load()
	n, err := readNotice([]byte(payload), mine)
	if err != nil { // what it told of is in the streams: as a gap in its publisher's sequence it is healed from there
		return f.s.passOver(channel, "a message", err)
	}
	if n.publisher == mine {
		return nil
	}
	from := sender{n.publisher, channel}
	f.mu.Lock()
	t := f.topics[channel]
	want, met := f.next[from]
	f.next[from] = max(want, n.sequence+1)
	f.mu.Unlock()
	if t == nil {
		return nil
	}
	if met && n.sequence > want {
		if err := f.heal(ctx, t); err != nil {
			return err
		}
	}
	r := Remote{Shard: n.shard}
	if n.blob != nil {
		if _, err := readBlob(n.blob, nil, func(id []byte, readings [][]byte) error {
			r.Groups = append(r.Groups, Group{string(id), readings})
			return nil
		}); err != nil {
			if err := f.s.passOver(channel, "a message", err); err != nil {
				return err
			}
		}
	}
	for _, st := range n.states {
		if err := f.s.learnt(&r, st.id, st.last); err != nil {
			return err
		}
	}
	return f.give(r)
}

// leave gives the topics of a lane back: their channels are to be healed by whoever listens next.
func (f *follower) leave(l *lane) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.topics {
		if t.lane == l {
			t.lane, t.live = nil, false
			for s := range f.next {
				if s.channel == t.channel {
					delete(f.next, s)
				}
			}
		}
	}
	f.nudge()
}

// answered notes that everything said before a question has come, and heals what is in doubt. Where commits are told only once replicas have
// them, a server may die between the two: then the streams are looked into from time to time, and nothing is known but what they said.
func (f *follower) answered(ctx context.Context, l *lane, asked time.Time) error {
	apart := f.s.needed.Load() > 0 && f.s.cluster == nil
	var sick []*topic
	f.mu.Lock()
	for _, t := range f.topics {
		switch {
		case t.lane != l || !t.live:
		case !t.doubt.IsZero() || apart && time.Since(t.healed) > lookEvery:
			sick = append(sick, t)
		case !apart && asked.After(t.known):
			t.known = asked
		}
	}
	f.mu.Unlock()
	for _, t := range sick {
		if err := f.heal(ctx, t); err != nil {
			return err
		}
	}
	return f.give(Remote{})
}

var errMoved = errors.New("index: follow: the channel has moved")
