package mqtt

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// message is one PUBLISH, or a Will that has come true.
type message struct {
	topic string
	body  []byte
	at    time.Time // when it came
	qos   byte
	id    uint16 // of the packet; zero with QoS 0
	v5    bool
	done  func() // of a client: it is stored or refused for good; nil with the broker
}

// Bounds of one sender.
const (
	laneWidth   = 16        // topics delivered at one time
	laneWaiting = 64        // messages held beyond those
	laneBytes   = 256 << 10 // of their bodies; one message may be larger
)

// Why a message does not enter.
var (
	errEnded = errors.New("the feed or the session has ended")
	errFull  = errors.New("the store has taken nothing for too long")
)

// lanes delivers the messages of one sender: those of one topic one after another, those of different topics beside each other. At rest it
// holds no goroutine and no memory. The zero value is ready.
type lanes struct {
	mu      sync.Mutex
	waiting []*message
	running []*message
	bytes   int
	space   chan struct{} // closed when room was made; nil: nobody waits for it
	ended   bool
}

// put takes a message, and waits for room as long as patience: that is what slows a sender down. work is called once, in a goroutine of its own.
// Errors: errEnded, errFull.
func (l *lanes) put(m *message, patience time.Duration, work func(*message)) error {
	var late <-chan time.Time
	for {
		l.mu.Lock()
		switch {
		case l.ended:
			l.mu.Unlock()
			return errEnded
		case len(l.waiting) < laneWaiting && (l.bytes == 0 || l.bytes+len(m.body) <= laneBytes):
			l.waiting, l.bytes = append(l.waiting, m), l.bytes+len(m.body)
			l.start(work)
			l.mu.Unlock()
			return nil
		}
		if l.space == nil {
			l.space = make(chan struct{})
		}
		space := l.space
		l.mu.Unlock()
		if late == nil {
			timer := time.NewTimer(patience)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-space:
		case <-late:
			return errFull
		}
	}
}

// start sets to work what may begin: the first message of each topic that is not under way.
func (l *lanes) start(work func(*message)) {
	for i := 0; i < len(l.waiting) && len(l.running) < laneWidth; {
		m := l.waiting[i]
		if slices.ContainsFunc(l.running, func(r *message) bool { return r.topic == m.topic }) {
			i++
			continue
		}
		l.waiting = slices.Delete(l.waiting, i, i+1)
		l.running = append(l.running, m)
		go func() {
			work(m)
			l.finish(m, work)
		}()
	}
}

func (l *lanes) finish(m *message, work func(*message)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = slices.DeleteFunc(l.running, func(r *message) bool { return r == m })
	l.bytes -= len(m.body)
	l.start(work)
	if len(l.running) == 0 {
		l.running, l.waiting = nil, nil
	}
	l.wake()
}

func (l *lanes) wake() {
	if l.space != nil {
		close(l.space)
		l.space = nil
	}
}

// holds tells whether a message with this packet id waits or is under way.
func (l *lanes) holds(id uint16) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	is := func(m *message) bool { return m.id == id }
	return slices.ContainsFunc(l.waiting, is) || slices.ContainsFunc(l.running, is)
}

// idle waits until nothing is under way.
func (l *lanes) idle() {
	for {
		l.mu.Lock()
		if len(l.running) == 0 {
			l.mu.Unlock()
			return
		}
		if l.space == nil {
			l.space = make(chan struct{})
		}
		space := l.space
		l.mu.Unlock()
		<-space
	}
}

// end takes nothing more and gives back what waits; what is under way goes on.
func (l *lanes) end() (dropped []*message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, m := range l.waiting {
		l.bytes -= len(m.body)
	}
	dropped, l.waiting = l.waiting, nil
	l.wake()
	return dropped
}
