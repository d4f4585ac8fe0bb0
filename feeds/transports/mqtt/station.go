package mqtt

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"kentongan/feeds"
	"kentongan/feeds/patient"
)

// Bounds of the messages of one feed that are not stored yet, in bytes: a feed whose deliveries stall never takes the memory of others.
const (
	stationRoom = 64 << 20
	messageCost = 512 // of one message besides its body
)

// parting is how long deliveries that are under way may take when their feed stops.
const parting = 2 * time.Second

// station is one feed at the broker: what its senders may publish, and where it goes.
type station struct {
	feed    string
	filter  string
	deliver feeds.Deliver
	watch   patient.Watch
	ctx     context.Context // of deliveries; it outlives the feed by a moment
	cancel  context.CancelCauseFunc

	room *semaphore.Weighted

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // deliveries under way; grows only while not closed
}

func newStation(ctx context.Context, i Inlet, deliver feeds.Deliver) *station {
	st := &station{feed: i.Feed, filter: Filter(i.Feed, i.Topic), deliver: deliver, watch: i.Watch, room: semaphore.NewWeighted(stationRoom)}
	st.ctx, st.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return st
}

// begin counts a message in, and waits for room as long as a sender is patient. Errors: errEnded, errFull.
func (st *station) begin(size int) error {
	weight := int64(size + messageCost)
	if !st.room.TryAcquire(weight) {
		ctx, cancel := context.WithTimeout(st.ctx, putPatience)
		defer cancel()
		if st.room.Acquire(ctx, weight) != nil {
			return errFull
		}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		st.room.Release(weight)
		return errEnded
	}
	st.work.Add(1)
	return nil
}

// done counts it out.
func (st *station) done(size int) {
	st.room.Release(int64(size + messageCost))
	st.work.Done()
}

// close takes nothing more, and waits for what is under way, but not for long.
func (st *station) close() {
	st.mu.Lock()
	st.closed = true
	st.mu.Unlock()
	ended := make(chan struct{})
	go func() { defer close(ended); st.work.Wait() }()
	timer := time.NewTimer(parting)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	st.cancel(errEnded)
	<-ended
}

// acl is what a sender with this pass may publish here.
func (st *station) acl(p Pass) acl { return acl{st.filter, p.Topics} }
