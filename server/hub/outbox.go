package hub

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/server/wire"
)

// urgency sorts messages, by what may become of it when the client is slow.
type urgency uint8

const (
	asIs   urgency = iota // hello, snapshot, pong, error
	ofCase                // counted against the client's patience
	things                // one at a time: while it waits, changes gather in the client's dirty set
	ping
)

// mostCaseBytes bounds what waits for one client.
const mostCaseBytes = 8 << 20

type letter struct {
	sort  urgency
	bytes []byte
	at    time.Time
}

// outbox is what waits to be written to one client. A goroutine writes while there is something to write, and only then exists.
type outbox struct {
	conn     *websocket.Conn
	kind     int           // of gorilla
	patience time.Duration // of one write
	now      func() time.Time
	onEnd    func() // called once, by the writer, when the connection is to be forgotten

	mu        sync.Mutex
	queue     []letter
	writing   letter
	running   bool
	things    int // queued or being written, snapshots included
	caseBytes int
	code      int // close after what is being written
	reason    string
	ended     bool
	done      sync.WaitGroup
}

// push queues a message; false when the client is beyond what may wait for it.
func (o *outbox) push(s urgency, b []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || o.code != 0 {
		return true
	}
	if s == ofCase {
		if o.caseBytes+len(b) > mostCaseBytes {
			return false
		}
		o.caseBytes += len(b)
	}
	if s == things {
		o.things++
	}
	o.queue = append(o.queue, letter{s, b, o.now()})
	o.start()
	return true
}

// start lets the writer run; the lock is held.
func (o *outbox) start() {
	if !o.running {
		o.running = true
		o.done.Add(1)
		go o.write()
	}
}

// free tells that no things wait, so that the next ones are sent as they are.
func (o *outbox) free() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.things == 0
}

// stuck tells how long the oldest case has waited.
func (o *outbox) stuck(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running && o.writing.sort == ofCase && o.writing.bytes != nil {
		return now.Sub(o.writing.at)
	}
	for i := range o.queue {
		if o.queue[i].sort == ofCase {
			return now.Sub(o.queue[i].at)
		}
	}
	return 0
}

// close ends the connection with a code after the message that is being written; what waits is dropped unless the house goes away.
func (o *outbox) close(code int, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || o.code != 0 {
		return
	}
	o.code, o.reason = code, reason
	if code != wire.CloseGoingAway && code != wire.ClosePolicy {
		o.queue = nil
	}
	o.start()
}

func (o *outbox) next() (l letter, code int, reason string, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch o.writing.sort {
	case ofCase:
		o.caseBytes -= len(o.writing.bytes)
	case things:
		o.things--
	}
	o.writing = letter{}
	if o.ended || len(o.queue) == 0 {
		o.running = false
		if o.code != 0 && !o.ended {
			o.ended = true
			return letter{}, o.code, o.reason, true
		}
		return letter{}, 0, "", false
	}
	l, o.queue[0] = o.queue[0], letter{}
	if o.queue = o.queue[1:]; len(o.queue) == 0 {
		o.queue = nil
	}
	o.writing = l
	return l, 0, "", true
}

// write is the writer.
func (o *outbox) write() {
	defer o.done.Done()
	for {
		l, code, reason, ok := o.next()
		if !ok {
			return
		}
		deadline := time.Now().Add(o.patience) // of the socket, which knows no other clock
		if code != 0 {
			_ = o.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
			o.onEnd()
			return
		}
		var err error
		if l.sort == ping {
			err = o.conn.WriteControl(websocket.PingMessage, nil, deadline)
		} else {
			_ = o.conn.SetWriteDeadline(deadline)
			err = o.conn.WriteMessage(o.kind, l.bytes)
		}
		if err != nil {
			o.end()
			o.onEnd()
			return
		}
	}
}

// end stops the writer after the message in hand.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended, o.queue = true, nil
}
