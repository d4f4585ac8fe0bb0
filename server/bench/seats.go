package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"kentongan/geo"
)

// city is where the benches' Things are; load spreads them over it.
var cityBound = geo.Bound{West: 100.5, South: -1.25, East: 101.1, North: -0.65}

// seat is a viewer that takes off its socket what comes and looks at nothing: the machine belongs to the server.
type seat struct {
	conn  net.Conn
	bytes atomic.Int64
	first chan struct{} // the first bytes after the view's hello have come
}

// text frames of a client (RFC 6455, section 5.2): the mask of zeros leaves the bytes as they are.
func frame(text string) []byte {
	n := len(text)
	head := []byte{0x81, 0x80 | byte(n)}
	if n > 125 {
		head = []byte{0x81, 0x80 | 126, byte(n >> 8), byte(n)}
	}
	return append(append(head, 0, 0, 0, 0), text...)
}

func viewOf(b geo.Bound, zoom float64) string {
	return fmt.Sprintf(`{"op":"view","bbox":[%f,%f,%f,%f],"zoom":%g,"layers":["*"]}`, b.West, b.South, b.East, b.North, zoom)
}

// sit opens a live socket in the binary form and asks for a view; empty: none.
func (s *server) sit(view string) (*seat, error) {
	u, err := url.Parse(s.base)
	if err != nil {
		return nil, err
	}
	c, err := net.DialTimeout("tcp", u.Host, 30*time.Second)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, err = fmt.Fprintf(c, "GET /api/v1/live HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: a2VudG9uZ2FuLWJlbmNoIQ==\r\nSec-WebSocket-Protocol: kentongan.v1\r\nAuthorization: Bearer %s\r\nOrigin: %s\r\n\r\n", u.Host, token, s.base)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	r := bufio.NewReaderSize(c, 1024)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		_ = c.Close()
		if err == nil {
			err = fmt.Errorf("live socket: answered %d", resp.StatusCode)
		}
		return nil, err
	}
	// hello is small and first: two bytes of head or four, then as many as they say.
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err == nil {
		n := int64(head[1])
		if n == 126 {
			var more [2]byte
			_, _ = io.ReadFull(r, more[:])
			n = int64(more[0])<<8 | int64(more[1])
		}
		_, err = io.CopyN(io.Discard, r, n)
		if err != nil {
			return nil, err
		}
	}
	if view != "" {
		if _, err := c.Write(frame(view)); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	_ = c.SetDeadline(time.Time{})
	st := &seat{conn: c, first: make(chan struct{})}
	go st.drain(r)
	return st, nil
}

func (st *seat) drain(r io.Reader) {
	b := make([]byte, 4096)
	for once := true; ; once = false {
		n, err := r.Read(b)
		st.bytes.Add(int64(n))
		if err != nil {
			return
		}
		if once {
			close(st.first)
		}
	}
}

type seats []*seat

// sitAll opens n seats, 64 at a time; it fails when one cannot be had.
func (s *server) sitAll(n int, view func(i int) string) (seats, error) {
	out := make(seats, n)
	var wg sync.WaitGroup
	var fault atomic.Value
	limit := make(chan struct{}, 64)
	for i := range n {
		limit <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-limit }()
			st, err := s.sit(view(i))
			if err != nil {
				fault.Store(err)
				return
			}
			out[i] = st
		}()
	}
	wg.Wait()
	if err, ok := fault.Load().(error); ok {
		out.leave()
		return nil, fmt.Errorf("of %d viewers: %w", n, err)
	}
	return out, nil
}

func (l seats) leave() {
	for _, st := range l {
		if st != nil {
			_ = st.conn.Close()
		}
	}
}

func (l seats) bytes() (n int64) {
	for _, st := range l {
		n += st.bytes.Load()
	}
	return n
}

// part is a piece of the city, one of n side by side.
func part(i, n int) geo.Bound {
	w := (cityBound.East - cityBound.West) / float64(n)
	return geo.Bound{West: cityBound.West + w*float64(i%n), South: cityBound.South, East: cityBound.West + w*float64(i%n+1), North: cityBound.North}
}

// fill puts n Things on the server, all at their places.
func (s *server) fill(feed string, n int, line func(i int) string) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	var fault atomic.Value
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var b bytes.Buffer
			for {
				from := int(next.Add(1)-1) * 1000
				if from >= n || fault.Load() != nil {
					return
				}
				b.Reset()
				count := min(1000, n-from)
				for i := range count {
					b.WriteString(line(from + i))
					b.WriteByte('\n')
				}
				if err := s.push(feed, b.Bytes(), count); err != nil {
					fault.Store(err)
					return
				}
			}
		}()
	}
	wg.Wait()
	err, _ := fault.Load().(error)
	return err
}
