package poll

import (
	"context"
	"sync"
)

// Recent is a Memory in this process: the newest links, the oldest forgotten first.
type Recent struct {
	mu    sync.Mutex
	known map[string]bool
	ring  []string
	next  int
}

// NewMemory remembers at most max links.
func NewMemory(max int) *Recent {
	return &Recent{known: map[string]bool{}, ring: make([]string, max)}
}

// Seen tells whether a link was marked and not forgotten since.
func (r *Recent) Seen(_ context.Context, feed, address string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[feed+"\n"+address], nil
}

// Mark remembers a link.
func (r *Recent) Mark(_ context.Context, feed, address string) error {
	key := feed + "\n" + address
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[key] {
		return nil
	}
	delete(r.known, r.ring[r.next])
	r.ring[r.next], r.known[key] = key, true
	r.next = (r.next + 1) % len(r.ring)
	return nil
}
