package api

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kentongan/server/auth"
	"kentongan/server/problem"
)

// What one subject may ask at the most, and one address that says nothing of who it is. Acts have a share of their own: a page that asks
// for pictures too fast must not keep its operator from acknowledging. Senders have the rate of their key, and sockets are let in by ticks.
const (
	readRate, readBurst = 200, 1000
	actRate, actBurst   = 50, 200
	handRate, handBurst = 0.5, 20 // of codes that are typed: forty bits are not found so within years
	pacesKept           = 4096    // paces held at once; beyond it those that are full again are forgotten
)

// pace bounds how fast requests of one kind come from one place.
type pace struct {
	mu  sync.Mutex
	now func() time.Time
	all map[string]*rate.Limiter
}

func newPace(now func() time.Time) *pace {
	if now == nil {
		now = time.Now
	}
	return &pace{now: now, all: map[string]*rate.Limiter{}}
}

// allow counts one request and tells whether it is within the rate.
func (p *pace) allow(who string, act bool) bool {
	if act {
		return p.take("act "+who, actRate, actBurst)
	}
	return p.take(who, readRate, readBurst)
}

// take counts one request of a kind and tells whether it is within a rate.
func (p *pace) take(who string, limit rate.Limit, burst int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.all[who]
	if l == nil {
		if len(p.all) >= pacesKept {
			p.forget()
		}
		l = rate.NewLimiter(limit, burst)
		p.all[who] = l
	}
	return l.AllowN(p.now(), 1)
}

// forget drops whoever is calm. Where nobody is, all begin anew: a flood from very many addresses is bounded by the connections, not here.
func (p *pace) forget() {
	now := p.now()
	for who, l := range p.all {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(p.all, who)
		}
	}
	if len(p.all) >= pacesKept {
		clear(p.all)
	}
}

// paced answers 429 to whoever asks too fast.
func (t *table) paced(p policy, w http.ResponseWriter, r *http.Request, id auth.Identity) bool {
	if p.kind == sender || p.free {
		return true
	}
	who := id.Subject
	if who == "" {
		who = t.s.Auth.ClientIP(r)
	}
	wait := "1"
	if p.slow {
		wait = "2"
		if t.pace.take("hand "+who, handRate, handBurst) {
			return true
		}
	} else if t.pace.allow(who, r.Method != http.MethodGet && r.Method != http.MethodHead) {
		return true
	}
	w.Header().Set("Retry-After", wait)
	tell(w, problem.SlowDown, "wait a moment")
	return false
}
