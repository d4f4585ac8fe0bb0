package auth

import (
	"sync"
	"time"
)

// Failed tries per address: a burst, then one each interval. Addresses are forgotten once they are calm again. Every secret has 256 bits,
// so this is against noise and not against guessing: a script with an old key that walks every address still hears 401 everywhere.
const (
	triesBurst    = 60
	triesInterval = time.Second
	triesKept     = 4096 // addresses held at once; above it every further failed try is over the limit
)

// tries counts failed tries by address: a leaking bucket each.
type tries struct {
	mu   sync.Mutex
	now  func() time.Time
	full map[string]time.Time // when the bucket will have run empty
}

func newTries(now func() time.Time) *tries {
	return &tries{now: now, full: map[string]time.Time{}}
}

// allow counts one failed try and tells whether it is within the limit.
func (t *tries) allow(from string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	until := t.full[from]
	if until.Before(now) {
		until = now
	}
	if until = until.Add(triesInterval); until.Sub(now) > triesBurst*triesInterval {
		return false
	}
	if _, known := t.full[from]; !known && len(t.full) >= triesKept {
		t.forget(now)
		if len(t.full) >= triesKept {
			return false
		}
	}
	t.full[from] = until
	return true
}

func (t *tries) forget(now time.Time) {
	for from, until := range t.full {
		if until.Before(now) {
			delete(t.full, from)
		}
	}
}
