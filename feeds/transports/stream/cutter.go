package stream

import (
	"bytes"
	"fmt"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// cutter takes a stream apart into messages. Each byte is looked at about once, however small the pieces it comes in.
type cutter struct {
	next  func(data []byte, seen int) (int, error)
	lines bool
	max   int
	buf   []byte
	from  int // where in buf the rest begins
	seen  int // bytes of the rest that are known not to end a message
}

func newCutter(f feeds.Framing, max int) cutter {
	if f.Next == nil {
		return cutter{next: feeds.NextLine, lines: true, max: max}
	}
	return cutter{next: f.Next, max: max}
}

// write adds what has come.
func (c *cutter) write(p []byte) {
	if c.from > 0 {
		c.buf = c.buf[:copy(c.buf, c.buf[c.from:])]
		c.from = 0
	}
	c.buf = append(c.buf, p...)
}

// message gives the next whole message, nil where there is none yet; it holds until the next write. Blank ones are passed over. An error,
// bounded.ErrTooLarge or the framing's, means that the stream cannot be read on.
func (c *cutter) message() ([]byte, error) {
	for {
		c.skip()
		rest := c.buf[c.from:]
		end, err := 0, error(nil)
		if len(rest) > c.seen {
			end, err = c.next(rest, c.seen)
		}
		switch {
		case err != nil:
			return nil, err
		case end > c.max, end == 0 && len(rest) > c.max:
			return nil, fmt.Errorf("%w: a message of more than %d bytes", bounded.ErrTooLarge, c.max)
		case end == 0:
			c.seen = len(rest)
			return nil, nil
		}
		c.from += end
		c.seen = 0
		if m := rest[:end]; len(bytes.TrimSpace(m)) > 0 {
			return m, nil
		}
	}
}

// skip passes over white space before a message, with which some senders keep a connection open. A line may mean its own.
func (c *cutter) skip() {
	if c.lines || c.seen > 0 {
		return
	}
	c.from = len(c.buf) - len(bytes.TrimLeft(c.buf[c.from:], " \t\r\n"))
}

// rest is what has come of a message that is not whole.
func (c *cutter) rest() []byte { return c.buf[c.from:] }
