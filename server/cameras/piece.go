package cameras

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kentongan/feeds/bounded"
)

// Bounds of those who take. What a camera sends is read as fast as it comes, whoever takes it slowly: he keeps memory, and no way to the camera.
const (
	mostTakers = 64        // answers of one camera under way at a time
	mostOfOne  = 12        // of them, and of all cameras, to one who looks
	mostHeld   = 256 << 20 // bytes of pieces in memory, of all cameras
	pieceChunk = 64 << 10
	takeTime   = 5 * time.Second // of a chunk; all of it within segmentTime
)

// piece is the bytes of one name on their way from a camera: asked once for all who want it meanwhile.
type piece struct {
	mu     sync.Mutex
	moved  chan struct{} // closed when something below changes, and made anew
	span   string        // Content-Range; empty: it is whole
	chunks [][]byte
	ended  bool
	err    error // why it ended before its end
	size   int64 // held in memory
	takers int
	stop   context.CancelFunc // nobody takes it any more
}

// takers counts who takes answers now, over all cameras.
type takers struct {
	mu sync.Mutex
	of map[string]int
}

// enter lets somebody take one more answer of a camera; false: there are too many.
func (t *takers) enter(who string, c *camera) (leave func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[who] >= mostOfOne || c.taken >= mostTakers {
		return nil, false
	}
	t.of[who]++
	c.taken++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		c.taken--
		if t.of[who]--; t.of[who] == 0 {
			delete(t.of, who)
		}
	}, true
}

// join gives the piece that is on its way, or asks for it. Errors: ErrBusy.
func (s *Set) join(ctx context.Context, c *camera, address, span string) (*piece, error) {
	if !sentRange.MatchString(span) {
		span = ""
	}
	name := span + " " + address
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pieces[name]; p != nil && p.add() {
		return p, nil
	}
	select {
	case c.client.streams <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	// Apart from who asked first, as a picture is.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), segmentTime)
	p := &piece{moved: make(chan struct{}), takers: 1, stop: stop}
	c.pieces[name] = p
	go func() {
		defer stop()
		err := p.read(ctx, c, address, span, &s.held)
		<-c.client.streams
		c.mu.Lock()
		if c.pieces[name] == p {
			delete(c.pieces, name) // from now on it is of the past
		}
		c.mu.Unlock()
		p.end(err, &s.held)
	}()
	return p, nil
}

// read asks the camera and keeps what comes. It hands on no playlist, whose addresses would go out as they are, and no page.
func (p *piece) read(ctx context.Context, c *camera, address, span string, held *atomic.Int64) error {
	res, err := c.client.ask(ctx, address, span)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.ContentLength > mostSegment {
		return &bounded.Fault{Code: "size", Text: fmt.Sprintf("more than %d bytes", mostSegment)}
	}
	head := make([]byte, 512)
	n, err := readHead(res.Body, head)
	if err != nil {
		return told(ctx, err)
	}
	head = head[:n]
	if bytes.HasPrefix(bounded.TrimBOM(head), []byte("#EXTM3U")) {
		return &bounded.Fault{Code: "playlist", Text: "a playlist where the camera's playlist named a picture"}
	}
	if strings.HasPrefix(http.DetectContentType(head), "text/html") {
		return &bounded.Fault{Code: "broken", Text: "a page instead of a picture"}
	}
	if r := res.Header.Get("Content-Range"); res.StatusCode == http.StatusPartialContent && contentRange.MatchString(r) {
		p.span = r
	}
	if !p.keep(head, held) {
		return ErrBusy
	}
	chunk := make([]byte, pieceChunk)
	for {
		n, err := res.Body.Read(chunk)
		if p.size+int64(n) > mostSegment {
			return fmt.Errorf("%w: more than %d bytes", bounded.ErrTooLarge, mostSegment)
		}
		if n > 0 && !p.keep(bytes.Clone(chunk[:n]), held) {
			return ErrBusy
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return told(ctx, err)
		}
	}
}

// keep adds what has come; false: there is no room.
func (p *piece) keep(b []byte, held *atomic.Int64) bool {
	if held.Add(int64(len(b))) > mostHeld {
		held.Add(-int64(len(b)))
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chunks = append(p.chunks, b)
	p.size += int64(len(b))
	p.move()
	return true
}

// move wakes those who wait.
func (p *piece) move() {
	close(p.moved)
	p.moved = make(chan struct{})
}

// add lets one more take it; false: everybody had left it.
func (p *piece) add() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.takers == 0 {
		return false
	}
	p.takers++
	return true
}

func (p *piece) end(err error, held *atomic.Int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.err = true, err
	p.move()
	p.free(held)
}

// leave is said by each who took it; the last one ends it.
func (p *piece) leave(held *atomic.Int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.takers--; p.takers == 0 {
		p.stop()
	}
	p.free(held)
}

// free gives the memory back once nobody takes it and nothing comes any more.
func (p *piece) free(held *atomic.Int64) {
	if p.ended && p.takers == 0 {
		held.Add(-p.size)
		p.chunks, p.size = nil, 0
	}
}

// next gives a chunk, waiting for it until ctx ends; nil without an error is the end.
func (p *piece) next(ctx context.Context, i int) ([]byte, error) {
	for {
		p.mu.Lock()
		moved := p.moved
		switch {
		case i < len(p.chunks):
			defer p.mu.Unlock()
			return p.chunks[i], nil
		case p.ended:
			defer p.mu.Unlock()
			return nil, p.err
		}
		p.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return nil, told(ctx, ctx.Err())
		}
	}
}

// hand gives a piece to one who takes it, each chunk within takeTime, the whole within segmentTime. Errors come before anything is written; what
// breaks off later breaks the answer off, for half a piece must not look whole.
func (p *piece) hand(ctx context.Context, w http.ResponseWriter) error {
	ctx, cancel := context.WithTimeout(ctx, segmentTime)
	defer cancel()
	first, err := p.next(ctx, 0)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream") // players read the bytes; a browser shows them as nothing
	h.Set("Cache-Control", "no-store")
	if p.span != "" {
		h.Set("Content-Range", p.span)
		w.WriteHeader(http.StatusPartialContent)
	}
	conn := http.NewResponseController(w)
	for chunk, i := first, 1; chunk != nil; i++ {
		_ = conn.SetWriteDeadline(time.Now().Add(takeTime)) // of the connection, which knows no other clock; a test's recorder has none
		if _, err = w.Write(chunk); err == nil {
			err = ctx.Err()
		}
		if err == nil {
			chunk, err = p.next(ctx, i)
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}
