package runner

import (
	"context"
	"net"

	"kentongan/feeds/bounded"
)

// dial opens a connection.
type dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// Well is patient.Watch: the way in is there again. The feed is well once it has stayed so for a while.
func (h *health) Well() {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settle(now) // a fault that this ends is seen once more
	h.faulty = false
	h.settle(now)
}

// Reject is patient.Watch: n messages or connections were not taken. The codes are ours, so that they are few.
func (h *health) Reject(n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rejects += int64(n)
	h.reasons[bounded.Explain(err).Code] += int64(n)
}
