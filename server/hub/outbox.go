package hub

import (
	"sync"
	"time"

	"kentongan/server/wire"
)

// urgency sorts messages, by what may become of it when the client is slow.
type urgency uint8

const (
	asIs   urgency = iota // hello, pong, error, feed and stats
	ofCase                // counted against the client's patience
	things                // at most mostWaiting at a time: while they wait, the client lags
)

// What may wait for one client: bytes of cases, and messages of Things or cells (each in wait is older than what it will be read with).
const (
	mostCaseBytes = 8 << 20
	mostWaiting   = 2
)

// letter is one message, or several, as the bytes of whole frames; all clients that get it share them.
type letter struct {
	bytes []byte
	at    int64 // nanoseconds since 1970
	sort  urgency
}

// outbox is what waits to be written to one client. Who starts it (push says so) hands the client to the writers; until they have
// written all, it is theirs.
type outbox struct {
	mu        sync.Mutex
	queue     []letter
	code      int // close after what waits
	reason    string
	things    int // waiting or being written, snapshots included
	caseBytes int
	hand      struct { // what is being written
		things, caseBytes int
		oldest            int64 // of its cases
	}
	running bool
	ended   bool
	done    sync.WaitGroup
}

// push queues a message. Not fits: the client is beyond what may wait for it, and the message is dropped. Start: the client is to be
// handed to the writers.
func (o *outbox) push(s urgency, b []byte, now time.Time) (fits, start bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || o.code != 0 {
		return true, false
	}
	switch s {
	case ofCase:
		if o.caseBytes+len(b) > mostCaseBytes {
			return false, false
		}
		o.caseBytes += len(b)
	case things:
		if o.things >= mostWaiting {
			return false, false
		}
		o.things++
	}
	o.queue = append(o.queue, letter{b, now.UnixNano(), s})
	return true, o.start()
}

// start tells whether the client is to be handed to the writers; the lock is held.
func (o *outbox) start() bool {
	if o.running {
		return false
	}
	o.running = true
	o.done.Add(1)
	return true
}

// free tells that no Things wait, so that the next ones are sent as they are.
func (o *outbox) free() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.things == 0
}

// stuck tells how long the oldest case has waited.
func (o *outbox) stuck(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.caseBytes == 0 {
		return 0
	}
	oldest := o.hand.oldest
	for i := 0; oldest == 0 && i < len(o.queue); i++ {
		if o.queue[i].sort == ofCase {
			oldest = o.queue[i].at
		}
	}
	if oldest == 0 {
		return 0
	}
	return time.Duration(now.UnixNano() - oldest)
}

// close ends the connection with a code after the message that is being written; what waits is dropped unless the house goes away.
// It tells whether the client is to be handed to the writers.
func (o *outbox) close(code int, reason string) (start bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || o.code != 0 {
		return false
	}
	o.code, o.reason = code, reason
	if code == wire.CloseSlow {
		o.queue = nil
	}
	return o.start()
}

// end stops the writers after what they have in hand.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended, o.queue = true, nil
}

// take settles what was written and gives what comes next: one letter as it is, or several joined in room. Last tells that the bytes
// are the close frame. Nothing (ok false) means that the writers are done with this client, and must say so by done.Done.
func (o *outbox) take(room []byte) (b []byte, joined, last, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.things -= o.hand.things
	o.caseBytes -= o.hand.caseBytes
	o.hand.things, o.hand.caseBytes, o.hand.oldest = 0, 0, 0
	if o.ended || len(o.queue) == 0 {
		if o.code != 0 && !o.ended {
			o.ended = true
			return closeFrame(o.code, o.reason), false, true, true
		}
		o.running = false
		return nil, false, false, false
	}
	n, size := 1, len(o.queue[0].bytes)
	for n < len(o.queue) && size+len(o.queue[n].bytes) <= cap(room) {
		size += len(o.queue[n].bytes)
		n++
	}
	b = o.queue[0].bytes
	if n > 1 {
		b, joined = room[:0], true
	}
	for i := range o.queue[:n] {
		l := &o.queue[i]
		if joined {
			b = append(b, l.bytes...)
		}
		switch l.sort {
		case things:
			o.hand.things++
		case ofCase:
			o.hand.caseBytes += len(l.bytes)
			if o.hand.oldest == 0 {
				o.hand.oldest = l.at
			}
		}
	}
	if n == len(o.queue) {
		o.queue = nil
	} else {
		clear(o.queue[:n])
		o.queue = o.queue[n:]
	}
	return b, joined, false, true
}
