package index

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// lane is one connection to one server, on which topics are listened to. It ends at the first fault; its topics are placed anew then. The
// client's own way of coming back is not used: on a cluster it asks for channels of many slots in one command, which is refused.
type lane struct {
	f       *follower
	server  string // its address; empty where there is one
	sharded bool
	ps      *redis.PubSub
	cut     sync.Once
	heard   atomic.Int64 // when the connection last said anything, ms
	busy    atomic.Bool  // what it said is being handed over
}

func newLane(ctx context.Context, f *follower, server string, node redis.UniversalClient) *lane {
	l := &lane{f: f, server: server, sharded: f.s.cluster != nil}
	if l.sharded {
		l.ps = node.SSubscribe(ctx)
	} else {
		l.ps = node.Subscribe(ctx)
	}
	l.heard.Store(time.Now().UnixMilli())
	return l
}

// add asks for a channel; the answer comes in run. A fault ends the lane.
func (l *lane) add(ctx context.Context, channel string) {
	var err error
	if l.sharded {
		err = l.ps.SSubscribe(ctx, channel)
	} else {
		err = l.ps.Subscribe(ctx, channel)
	}
	if err != nil {
		l.close()
	}
}

func (l *lane) close() { l.cut.Do(func() { _ = l.ps.Close() }) }

// run hands over what comes until the connection breaks or ctx ends.
func (l *lane) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { l.watch(ctx) })
	defer l.f.leave(l)
	defer watch.Wait()
	defer cancel()
	defer l.close()
	joined := map[string]bool{}
	for {
		v, err := l.ps.Receive(ctx)
		if err != nil {
			return
		}
		l.heard.Store(time.Now().UnixMilli())
		l.busy.Store(true)
		err = l.handle(ctx, v, joined)
		l.heard.Store(time.Now().UnixMilli())
		l.busy.Store(false)
		if err != nil {
			return
		}
	}
}

func (l *lane) handle(ctx context.Context, v any, joined map[string]bool) error {
	switch v := v.(type) {
	case *redis.Message:
		return l.f.take(ctx, v.Channel, v.Payload)
	case *redis.Subscription:
		if v.Kind != "subscribe" && v.Kind != "ssubscribe" || joined[v.Channel] { // the slot left this server, or the connection is another
			return errMoved
		}
		joined[v.Channel] = true
		l.f.mu.Lock()
		t := l.f.topics[v.Channel]
		l.f.mu.Unlock()
		if t == nil {
			return nil
		}
		return l.f.heal(ctx, t)
	case *redis.Pong:
		ms, err := strconv.ParseInt(v.Payload, 10, 64)
		if err != nil {
			return nil // not an answer to us
		}
		return l.f.answered(ctx, l, time.UnixMilli(ms))
	}
	return nil
}

// watch asks the connection whether it lives, and ends it where it does not answer.
func (l *lane) watch(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			l.close()
			return
		case <-tick.C:
		}
		silent := time.Since(time.UnixMilli(l.heard.Load()))
		if !l.busy.Load() && silent > silentMost {
			l.close()
			return
		}
		if err := l.ps.Ping(ctx, strconv.FormatInt(time.Now().UnixMilli(), 10)); err != nil {
			l.close()
			return
		}
	}
}
