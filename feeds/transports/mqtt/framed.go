package mqtt

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"kentongan/feeds/bounded"
)

// framed follows the frames of what a broker sends and breaks off before a packet that is larger than max bytes: the clients' readers
// take whatever length the packet says, up to 256 MB. Write may be called from several goroutines.
type framed struct {
	net.Conn
	max   int
	write sync.Mutex
	over  atomic.Bool // a packet was larger

	left   int // bytes of the packet that are yet to come
	inHead bool
	length int
	shift  uint
}

// Read reads, and judges the heads of the packets in what it read.
func (f *framed) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	for i := 0; i < n; {
		switch {
		case f.left > 0:
			step := min(f.left, n-i)
			f.left, i = f.left-step, i+step
		case !f.inHead: // the first byte
			f.inHead, f.length, f.shift = true, 0, 0
			i++
		default:
			b := p[i]
			i++
			f.length |= int(b&0x7f) << f.shift
			if f.shift += 7; f.length > f.max || f.shift > 28 {
				f.over.Store(true)
				return 0, f.tooLarge()
			}
			if b&0x80 == 0 {
				f.left, f.inHead = f.length, false
			}
		}
	}
	return n, err
}

func (f *framed) tooLarge() error {
	return fmt.Errorf("%w: a packet of more than %d bytes", bounded.ErrTooLarge, f.max)
}

// Write sends one packet whole.
func (f *framed) Write(p []byte) (int, error) {
	f.write.Lock()
	defer f.write.Unlock()
	return f.Conn.Write(p)
}
