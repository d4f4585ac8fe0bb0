package auth

import (
	"sync"
	"time"
)

// keyFresh is how old what we know of keys may be: a revoked key is refused by every server after it, and one seen valid within it goes
// on where the store is away. Who watches a live session twice a second ends it within 1 s of the revocation.
const keyFresh = 500 * time.Millisecond

// ring is the keys that one server has seen valid. All are of one mark: every change of any key makes another, so that one question
// twice a second is enough for any number of keys.
type ring struct {
	mu      sync.Mutex
	life    uint64    // grows with each forgetting: what was asked or read in an earlier life is not kept
	current string    // the mark when it was last asked for
	at      time.Time // when that question began; zero: never
	keys    map[string]*keptKey
}

func newRing() *ring { return &ring{keys: map[string]*keptKey{}} }

// mark gives the mark while it is fresh.
func (r *ring) mark(now time.Time) (marked, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return marked{r.current, r.at, r.life}, !r.at.IsZero() && now.Sub(r.at) < keyFresh
}

// begin gives the life in which a question is asked.
func (r *ring) begin() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.life
}

// asked is told the mark. Another one than before: nothing known holds.
func (r *ring) asked(m marked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.life != r.life {
		return
	}
	if m.mark != r.current || r.at.IsZero() {
		clear(r.keys)
	}
	r.current, r.at = m.mark, m.at
}

// forget drops all that is known, and what is on its way.
func (r *ring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.life++
	r.at = time.Time{}
	clear(r.keys)
}

// known gives a key that was seen valid under this mark.
func (r *ring) known(id string, m marked) *keptKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != m.mark {
		return nil
	}
	return r.keys[id]
}

// remember keeps a key that was read after the mark was: what changed in between has another mark, or another life.
func (r *ring) remember(k *keptKey, m marked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life == m.life && r.current == m.mark && !r.at.IsZero() {
		r.keys[k.ID] = k
	}
}
