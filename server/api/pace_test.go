package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Whoever asks without a pause is told to wait; acts have a share of their own, and a neighbour is not disturbed.
func TestRequestsHaveAPace(t *testing.T) {
	now := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	p := newPace(func() time.Time { return now })
	for i := range readBurst {
		if !p.allow("user:a", false) {
			t.Fatalf("refused at %d", i)
		}
	}
	if p.allow("user:a", false) || !p.allow("user:a", true) || !p.allow("user:b", false) {
		t.Error("a burst is not bounded, or bounds too much")
	}
	now = now.Add(time.Second)
	for i := range readRate {
		if !p.allow("user:a", false) {
			t.Fatalf("a second later refused at %d", i)
		}
	}
	if p.allow("user:a", false) {
		t.Error("more than the rate")
	}
	for i := range 3 * pacesKept {
		p.allow(fmt.Sprint("192.0.2.", i), false)
	}
	if len(p.all) > pacesKept {
		t.Errorf("%d are kept", len(p.all))
	}
}

func TestTooManyRequests(t *testing.T) {
	h := build(t)
	refused := 0
	for range readBurst + readRate {
		if w := h.admin("GET", "/api/v1/rules", ""); w.Code == http.StatusTooManyRequests {
			h.want(w, http.StatusTooManyRequests)
			refused++
		}
	}
	if refused == 0 {
		t.Error("nobody is told to wait")
	}
	if w := h.ask("GET", "/readyz", ""); w.Code == http.StatusTooManyRequests {
		t.Error("a stranger pays for it")
	}
}
