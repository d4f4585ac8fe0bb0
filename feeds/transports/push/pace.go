package push

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// ErrSlow means that a body came too slowly: HTTP answers 408.
var ErrSlow = errors.New("the body came too slowly")

// A body may take paceGrace and a second for each paceRate bytes that have come, and Limit in all: whoever sends a byte at a time is gone
// after ten seconds, and a megabyte over the slowest line that still serves comes through.
const (
	paceGrace = 10 * time.Second
	paceRate  = 8 << 10
	Limit     = 2 * time.Minute // for a push, both ways: 16 MiB over a slow line, and a commit under load
)

// paced is a body that must keep its pace.
type paced struct {
	io.ReadCloser
	conn  *http.ResponseController
	began time.Time
	bytes int64
}

// Pace bounds how long the body of a request may take, and the answer to it.
func Pace(w http.ResponseWriter, r *http.Request) {
	conn, now := http.NewResponseController(w), time.Now()
	_ = conn.SetReadDeadline(now.Add(Limit)) // where it cannot be set there is no connection, in tests
	_ = conn.SetWriteDeadline(now.Add(Limit))
	r.Body = &paced{r.Body, conn, now, 0}
}

func (p *paced) Read(b []byte) (int, error) {
	allowed := paceGrace + time.Duration(p.bytes)*time.Second/paceRate
	_ = p.conn.SetReadDeadline(p.began.Add(min(allowed, Limit)))
	n, err := p.ReadCloser.Read(b)
	p.bytes += int64(n)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, ErrSlow
	}
	if err != nil { // the body has ended: what is read behind it only tells whether the sender is still there
		_ = p.conn.SetReadDeadline(p.began.Add(Limit))
	}
	return n, err
}
