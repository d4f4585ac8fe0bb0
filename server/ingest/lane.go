package ingest

import (
	"slices"
	"sync"
)

// lane lets deliveries through one at a time: those about lives first, then the others, each in the order in which they came. In a flood an alert of
// lesser weight waits, or is told to come again; the one that must be seen in two seconds does not wait behind it. Safe for concurrent use.
type lane struct {
	mu     sync.Mutex
	taken  bool
	urgent []chan struct{} // waiting; closed when it is one's turn
	others []chan struct{}
}

// join asks for a turn. It is one's own once the channel is closed, until leave; who does not wait for it any more calls quit.
func (l *lane) join(urgent bool) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	turn := make(chan struct{})
	switch {
	case !l.taken:
		l.taken = true
		close(turn)
	case urgent:
		l.urgent = append(l.urgent, turn)
	default:
		l.others = append(l.others, turn)
	}
	return turn
}

// leave ends a turn and begins the next.
func (l *lane) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range []*[]chan struct{}{&l.urgent, &l.others} {
		if len(*list) > 0 {
			close((*list)[0])
			*list = (*list)[1:]
			return
		}
	}
	l.taken = false
}

// quit gives a place in the lane up, or the turn where it has just come.
func (l *lane) quit(turn <-chan struct{}) {
	l.mu.Lock()
	for _, list := range []*[]chan struct{}{&l.urgent, &l.others} {
		if i := slices.IndexFunc(*list, func(c chan struct{}) bool { return c == turn }); i >= 0 {
			*list = slices.Delete(*list, i, i+1)
			l.mu.Unlock()
			return
		}
	}
	l.mu.Unlock()
	l.leave()
}
