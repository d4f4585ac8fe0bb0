package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kentongan/server/embedded"
)

// How often the primary is asked for its replicas, and how long one that has left counts on. A failover takes it away first and names the new
// primary later: in between the old one would take acts that are lost with it.
const (
	replicasEvery = time.Second
	replicasHold  = 15 * time.Second
)

// errFailover is why work that belongs to a primary is begun anew.
var errFailover = errors.New("another primary")

// replicas tells how many of them must confirm an act. Safe for concurrent use.
type replicas struct {
	expected bool // the address promises some (Sentinel)

	mu       sync.Mutex
	seen     []sighting // of the last replicasHold
	run      string     // of the primary
	ever     bool
	failover chan struct{} // closed when the primary changes
}

type sighting struct {
	at     time.Time
	run    string
	online int
}

func newReplicas(expected bool) *replicas {
	return &replicas{expected: expected, failover: make(chan struct{})}
}

// see takes a sighting, and gives how many must confirm from now on: as many as this primary has had of late, and at least one where any
// primary has had one.
func (r *replicas) see(now time.Time, run string, online int) (needed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run != "" && r.run != run {
		close(r.failover)
		r.failover = make(chan struct{})
	}
	r.run, r.ever = run, r.ever || online > 0
	kept := r.seen[:0]
	for _, s := range r.seen {
		if now.Sub(s.at) < replicasHold {
			kept = append(kept, s)
		}
	}
	r.seen = append(kept, sighting{now, run, online})
	for _, s := range r.seen {
		switch {
		case s.run == run:
			needed = max(needed, s.online)
		case s.online > 0:
			needed = max(needed, 1)
		}
	}
	return needed
}

// warning says where acts are not or cannot be confirmed; empty: all is well.
func (r *replicas) warning() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) == 0 || !r.expected && !r.ever {
		return ""
	}
	last := r.seen[len(r.seen)-1]
	most := 0
	for _, s := range r.seen {
		if s.run == last.run {
			most = max(most, s.online)
		}
	}
	switch {
	case last.online < most:
		return fmt.Sprintf("the store has lost a replica (%d of %d are in step): what it does not confirm is refused for a moment", last.online, most)
	case last.online == 0:
		return "nothing is confirmed: the store has no replica in step, and what was acknowledged is lost if its primary is"
	}
	return ""
}

// untilFailover gives a context that ends when the primary changes.
func (r *replicas) untilFailover(ctx context.Context) (context.Context, context.CancelFunc) {
	r.mu.Lock()
	changed := r.failover
	r.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-changed:
			cancel(errFailover)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// countReplicas asks once, and tells those who write.
func (a *App) countReplicas(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	run, online, err := embedded.Replicas(ctx, a.rdb, a.keys.Case())
	if err != nil {
		return err
	}
	needed := a.replicas.see(time.Now(), run, online)
	a.cases.Confirm(needed)
	a.index.Confirm(needed)
	a.quarantine.needed.Store(int32(needed))
	return nil
}

// watchReplicas counts until ctx ends. While the primary does not answer, what was needed stays needed.
func (a *App) watchReplicas(ctx context.Context) error {
	tick := time.NewTicker(replicasEvery)
	defer tick.Stop()
	warned := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := a.countReplicas(ctx); err != nil {
			continue // /readyz says that the store does not answer
		}
		if w := a.replicas.warning(); w != warned {
			if warned = w; w != "" {
				a.log.Warn().Str("component", "store").Msg(w)
			}
		}
	}
}
