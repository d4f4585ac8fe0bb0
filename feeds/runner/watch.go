package runner

import (
	"context"
	"net"

	"kentongan/feeds/contract"
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

// Reject is patient.Watch: n messages or connections were not taken.
func (h *health) Reject(n int, err error) {
	code := contract.ReasonCode(err.Error())
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rejects += int64(n)
	if _, known := h.reasons[code]; !known && len(h.reasons) >= mostReasons {
		code = otherReason
	}
	h.reasons[code] += int64(n)
}
