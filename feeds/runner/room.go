package runner

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"kentongan/feeds"
)

// A decoded body takes up to fifteen times its bytes, and 400 kB of gzip may be 60 MB of it. Bodies above largeBody therefore share one
// room of MaxInflated bytes; smaller ones, which alarms are, never wait for them.
const (
	largeBody = 1 << 20
	roomLimit = 30 * time.Second
)

// room bounds the bytes of large bodies that are being decoded and stored at one time.
type room struct {
	bytes *semaphore.Weighted
	size  int64
}

func newRoom(size int64) *room { return &room{semaphore.NewWeighted(size), size} }

// enter waits until there is room for a body of n bytes; leave is called once the body is done with. An error is feeds.ErrBusy.
func (r *room) enter(ctx context.Context, n int) (leave func(), err error) {
	if n <= largeBody {
		return func() {}, nil
	}
	weight := min(int64(n), r.size)
	ctx, cancel := context.WithTimeoutCause(ctx, roomLimit, fmt.Errorf("no room for %d bytes within %s", n, roomLimit))
	defer cancel()
	if err := r.bytes.Acquire(ctx, weight); err != nil {
		return nil, fmt.Errorf("%w: other large deliveries are being read: %w", feeds.ErrBusy, context.Cause(ctx))
	}
	return func() { r.bytes.Release(weight) }, nil
}
