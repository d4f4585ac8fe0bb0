package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the door.
const (
	maxGreeting  = 4 << 10          // bytes of the first packet: whoever has not signed in gets no more memory
	maxStrangers = 2048             // connections that have not signed in yet; one more is closed at once
	writeTime    = 10 * time.Second // for one packet to a client that reads slowly
	lingering    = time.Second      // for a client to read that its handshake failed
)

// door lets connections in: each must begin with a CONNECT, in time and within its size, before anything else of us sees it.
type door struct {
	tls       *tls.Config
	greeting  time.Duration
	strangers chan struct{}
	failed    func(from string, err error) // told of a handshake that failed

	mu    sync.Mutex
	links map[*link]struct{}
	all   sync.WaitGroup
	shut  bool
}

func (d *door) init(cfg Config, failed func(from string, err error)) {
	d.tls, d.greeting, d.failed = cfg.TLS, cfg.Greeting, failed
	d.strangers, d.links = make(chan struct{}, maxStrangers), map[*link]struct{}{}
}

// open accepts connections until ctx ends or the listener breaks.
func (d *door) open(ctx context.Context, l net.Listener, meet func(*link)) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer l.Close()
	pause := 5 * time.Millisecond
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return err
			}
			time.Sleep(pause) // no more descriptors: those who are in go on
			pause = min(2*pause, time.Second)
			continue
		}
		pause = 5 * time.Millisecond
		select {
		case d.strangers <- struct{}{}:
		default:
			_ = c.Close()
			continue
		}
		k := &link{Conn: c, door: d}
		if !d.add(k) {
			_ = c.Close()
			return net.ErrClosed
		}
		go func() {
			defer d.remove(k)
			if err := k.greet(ctx); err == nil {
				meet(k)
			}
		}()
	}
}

func (d *door) add(k *link) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return false
	}
	d.links[k] = struct{}{}
	d.all.Add(1)
	return true
}

func (d *door) remove(k *link) {
	k.known()
	_ = k.Close()
	d.mu.Lock()
	delete(d.links, k)
	d.mu.Unlock()
	d.all.Done()
}

// close ends what is still connected and waits for it.
func (d *door) close() {
	d.mu.Lock()
	d.shut = true
	for k := range d.links {
		_ = k.Close()
	}
	d.mu.Unlock()
	d.all.Wait()
}

// link is one connection, with what we know of its sender.
type link struct {
	net.Conn
	door      *door
	head      []byte // what was read of it before the library reads
	first     [1]byte
	ahead     int // bytes that the library has read of packets that it has not taken
	signed    atomic.Bool
	dismissed atomic.Bool // we end it: its Will does not come true

	// Set while it signs in, by its own goroutine.
	certificate *x509.Certificate // that the handshake has verified; nil: none
	station     *station
	session     *session
	pass        Pass
	will        *will
}

// from is the client's address without the port.
func (k *link) from() string {
	host, _, err := net.SplitHostPort(k.RemoteAddr().String())
	if err != nil {
		return k.RemoteAddr().String()
	}
	return host
}

// known gives the place among the strangers back, once.
func (k *link) known() {
	if k.signed.CompareAndSwap(false, true) {
		<-k.door.strangers
	}
}

// greet reads the first packet whole, within its time and its size.
func (k *link) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.door.greeting)
	defer cancel()
	deadline, _ := ctx.Deadline()
	if err := k.Conn.SetDeadline(deadline); err != nil {
		return err
	}
	if k.door.tls != nil {
		secure := tls.Server(k.Conn, k.door.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			k.door.failed(k.from(), err)
			k.linger()
			return err
		}
		if chains := secure.ConnectionState().VerifiedChains; len(chains) > 0 {
			k.certificate = chains[0][0]
		}
		k.Conn = secure
	}
	head, err := readGreeting(k.Conn)
	if err != nil {
		return err
	}
	k.head = head
	return k.Conn.SetDeadline(time.Time{})
}

// linger lets a client read why its handshake failed: closed with bytes of it unread, the connection would be reset before.
func (k *link) linger() {
	half, ok := k.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || k.Conn.SetReadDeadline(time.Now().Add(lingering)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, k.Conn, maxGreeting)
}

// readGreeting reads until a CONNECT packet is there whole, and gives it with what came behind it.
func readGreeting(c net.Conn) ([]byte, error) {
	var room [512]byte
	buf := room[:0]
	for {
		n, err := c.Read(room[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		want, known, bad := greetingSize(buf)
		switch {
		case bad != nil:
			return nil, bad
		case known && len(buf) >= want:
			return append([]byte(nil), buf...), nil
		case err != nil:
			return nil, err
		case known && want > len(room):
			return readRest(c, buf, want)
		}
	}
}

// readRest reads a CONNECT that is longer than most.
func readRest(c net.Conn, head []byte, want int) ([]byte, error) {
	buf := make([]byte, want)
	n := copy(buf, head)
	for n < want {
		m, err := c.Read(buf[n:])
		if n += m; err != nil && n < want {
			return nil, err
		}
	}
	return buf, nil
}

// greetingSize gives the bytes of a first packet once its length is known. It must be a CONNECT (MQTT 5, section 3.1) of at most
// maxGreeting bytes.
func greetingSize(b []byte) (size int, known bool, err error) {
	if len(b) > 0 && b[0] != 0x10 {
		return 0, false, fmt.Errorf("the first packet begins with %#02x, not with CONNECT", b[0])
	}
	length := 0
	for i := 1; i < len(b); i++ {
		length |= int(b[i]&0x7f) << (7 * (i - 1))
		if length > maxGreeting {
			return 0, false, fmt.Errorf("the CONNECT has more than %d bytes", maxGreeting)
		}
		if b[i]&0x80 == 0 {
			return 1 + i + length, true, nil
		}
		if i == 4 {
			return 0, false, errors.New("the length of the CONNECT has no end")
		}
	}
	return 0, false, nil
}

// await waits for the first byte of a packet, unless the library has read it already.
func (k *link) await(silence time.Duration) error {
	if err := k.Conn.SetReadDeadline(time.Now().Add(silence)); err != nil || k.ahead > 0 || len(k.head) > 0 {
		return err
	}
	n, err := k.Conn.Read(k.first[:])
	k.head = k.first[:n]
	if n > 0 {
		return nil
	}
	return err
}

// took is told of each packet that the library has taken, by the length that follows its fixed header.
func (k *link) took(remaining int) {
	k.ahead -= 2 + remaining
	for n := remaining >> 7; n > 0; n >>= 7 {
		k.ahead--
	}
}

// Read gives what was read before, then what follows.
func (k *link) Read(p []byte) (int, error) {
	if len(k.head) > 0 {
		n := copy(p, k.head)
		if k.head = k.head[n:]; len(k.head) == 0 {
			k.head = nil
		}
		k.ahead += n
		return n, nil
	}
	n, err := k.Conn.Read(p)
	k.ahead += n
	return n, err
}

// Write gives each packet its own time: the library's deadline, the keepalive, is about reading.
func (k *link) Write(p []byte) (int, error) {
	limit := writeTime
	if k.dismissed.Load() {
		limit = 100 * time.Millisecond
	}
	if err := k.Conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return 0, err
	}
	return k.Conn.Write(p)
}

// SetDeadline is about reading only.
func (k *link) SetDeadline(t time.Time) error { return k.Conn.SetReadDeadline(t) }
