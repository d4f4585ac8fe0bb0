package hub

import (
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// joinRoom is how much of what waits for a client is copied together into one write.
const joinRoom = 64 << 10

// writers are the few goroutines that write to all clients. They never wait for one: what a socket does not take at once is finished by
// a goroutine of its own, which exists only so long.
type writers struct {
	metrics *metrics
	mu      sync.Mutex
	wake    *sync.Cond
	queue   []*client
	closed  bool
	all     sync.WaitGroup
}

func newWriters(m *metrics) *writers {
	w := &writers{metrics: m}
	w.wake = sync.NewCond(&w.mu)
	return w
}

// run starts the goroutines; close ends them.
func (w *writers) run() {
	for range max(2, runtime.GOMAXPROCS(0)) {
		w.all.Add(1)
		go func() {
			defer w.all.Done()
			w.work()
		}()
	}
}

// close ends the goroutines once nothing is handed in any more.
func (w *writers) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.wake.Broadcast()
	w.all.Wait()
}

// give hands in clients whose outbox has started.
func (w *writers) give(list ...*client) {
	if len(list) == 0 {
		return
	}
	w.mu.Lock()
	w.queue = append(w.queue, list...)
	w.mu.Unlock()
	if len(list) == 1 {
		w.wake.Signal()
	} else {
		w.wake.Broadcast()
	}
}

// share is how many clients a writer takes from the queue at once.
const share = 32

func (w *writers) work() {
	p := newPen()
	var mine [share]*client
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.closed {
			w.wake.Wait()
		}
		if len(w.queue) == 0 {
			w.mu.Unlock()
			return
		}
		n := copy(mine[:], w.queue)
		clear(w.queue[:n])
		if w.queue = w.queue[n:]; len(w.queue) == 0 {
			w.queue = nil
		}
		w.mu.Unlock()
		for _, c := range mine[:n] {
			w.deliver(c, p)
		}
		clear(mine[:n])
		w.metrics.wrote(p.writes, p.bytes)
		p.writes, p.bytes = 0, 0
	}
}

// pen writes without waiting.
type pen struct {
	room   []byte
	now    []byte // being written
	n      int
	err    error
	try    func(fd uintptr) bool
	writes int
	bytes  int
}

func newPen() *pen {
	p := &pen{room: make([]byte, 0, joinRoom)}
	p.try = func(fd uintptr) bool {
		p.n, p.err = writeOnce(fd, p.now)
		return true // never wait here
	}
	return p
}

// write gives what the socket took; an error only where the connection is lost.
func (p *pen) write(raw syscall.RawConn, b []byte) (int, error) {
	p.now, p.n, p.err = b, 0, nil
	err := raw.Write(p.try)
	p.now = nil
	if err == nil {
		err = p.err
	}
	p.writes++
	p.bytes += p.n
	return p.n, err
}

// deliver writes all that waits for a client, or leaves it to a goroutine that may wait.
func (w *writers) deliver(c *client, p *pen) {
	for {
		b, joined, last, ok := c.out.take(p.room)
		if !ok {
			c.out.done.Done()
			return
		}
		n := 0
		if c.raw != nil {
			var err error
			if n, err = p.write(c.raw, b); err != nil || last && n == len(b) {
				c.cut()
				return
			}
			if n == len(b) {
				continue
			}
		}
		rest := b[n:]
		if joined {
			rest = append([]byte(nil), rest...)
		}
		go w.finish(c, rest, last)
		return
	}
}

// finish writes the rest of what a socket did not take, and what has gathered meanwhile.
func (w *writers) finish(c *client, rest []byte, last bool) {
	sock := c.conn.NetConn()
	for {
		limit := c.patience
		if last {
			limit = time.Second
		}
		_ = sock.SetWriteDeadline(time.Now().Add(limit)) // of the socket, which knows no other clock
		n, err := sock.Write(rest)
		w.metrics.wrote(1, n)
		if err != nil || last {
			c.cut()
			return
		}
		_ = sock.SetWriteDeadline(time.Time{})
		var ok bool
		if rest, _, last, ok = c.out.take(nil); !ok {
			c.out.done.Done()
			return
		}
	}
}

// cut ends a connection that is lost, or that has been told why it ends. Its reader notices.
func (c *client) cut() {
	c.out.end()
	_ = c.conn.Close()
	c.out.done.Done()
}

// rawOf gives the socket below a connection for writes that do not wait; nil where there is none to be had (TLS).
func rawOf(c net.Conn) syscall.RawConn {
	if s, ok := c.(*net.TCPConn); ok && canWriteOnce {
		if raw, err := s.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}
