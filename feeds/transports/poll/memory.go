package poll

import (
	"context"
	"sync"
	"time"
)

// State is what a poller knows of its source. It is kept only once all that it stands for is stored, so that whoever goes on from it,
// after a restart or on another server, misses nothing.
type State struct {
	Source  string    // what is asked, and how it is read (Config.Source): validators of another source are worth nothing
	ETag    string    // validators of the address, where it alone is the whole answer
	Changed string    // Last-Modified
	Asked   string    // names the address and its question: the cursor of another is worth nothing
	Cursor  time.Time // with Since: from here on
}

// Memory is what pollers know beyond one run. Links are those whose content never changes, so that each is fetched once; the memory of
// them is bounded, and what was forgotten is fetched again. A writer that comes late, as a server that has lost its feed, does no
// harm: an older state is read again, and what is read twice is a duplicate.
type Memory interface {
	Seen(ctx context.Context, feed string, addresses []string) ([]bool, error) // one answer for each
	Mark(ctx context.Context, feed, address string) error
	State(ctx context.Context, feed string) (State, error) // zero where nothing is known
	SetState(ctx context.Context, feed string, s State) error
}

// Recent is a Memory in this process: the newest links, the oldest forgotten first.
type Recent struct {
	mu     sync.Mutex
	known  map[string]bool
	ring   []string
	next   int
	states map[string]State
}

// NewMemory remembers at most max links.
func NewMemory(max int) *Recent {
	return &Recent{known: map[string]bool{}, ring: make([]string, max), states: map[string]State{}}
}

// Seen tells which links were marked and not forgotten since.
func (r *Recent) Seen(_ context.Context, feed string, addresses []string) ([]bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]bool, len(addresses))
	for i, a := range addresses {
		out[i] = r.known[feed+"\n"+a]
	}
	return out, nil
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

// State gives what SetState was given.
func (r *Recent) State(_ context.Context, feed string) (State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[feed], nil
}

// SetState remembers the state of a feed.
func (r *Recent) SetState(_ context.Context, feed string, s State) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[feed] = s
	return nil
}
