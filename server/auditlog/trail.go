package auditlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
)

// trail is what the log says of each object: which records, and how its document stands after the last. It follows the log from its beginning;
// what of the log it cannot read it names, and goes on behind it.
type trail struct {
	reading chan struct{} // one reads at a time; others wait, as long as they may
	mu      sync.Mutex
	next    int64
	objects map[string]*path
	names   []string // of the objects, in the order in which the log first names them
	fault   string   // the first record that is missing or is not one; empty: none
}

type path struct {
	seqs  []int64
	after string // hash of the document; empty: there is none
}

func newTrail() *trail {
	return &trail{reading: make(chan struct{}, 1), next: 1, objects: map[string]*path{}}
}

// follow reads what has been written since. A log that is shorter than it was is read anew: the store has lost its end.
func (t *trail) follow(ctx context.Context, s *store.Store) error {
	select {
	case t.reading <- struct{}{}:
		defer func() { <-t.reading }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if length, err := s.LogLength(ctx); err != nil {
		return err
	} else if length < t.length() {
		t.begin()
	}
	for ctx.Err() == nil {
		records, err := s.LogRecords(ctx, t.length()+1, 2000)
		t.take(records)
		var gap *store.Gap
		switch {
		case errors.As(err, &gap):
			t.skip(gap)
		case err != nil || len(records) == 0:
			return err
		}
	}
	return context.Cause(ctx)
}

func (t *trail) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next, t.objects, t.names = 1, map[string]*path{}, nil
}

func (t *trail) skip(g *store.Gap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blame(fmt.Sprintf("records %d to %d are missing", g.From, g.Next-1))
	t.next = g.Next
}

// blame keeps the first fault.
func (t *trail) blame(text string) {
	if t.fault == "" {
		t.fault = text
	}
}

// take notes records that follow what is known.
func (t *trail) take(records [][]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range records {
		r, err := audit.Parse(b)
		switch {
		case err != nil:
			t.blame(fmt.Sprintf("record %d: %v", t.next, err))
		case r.Seq != t.next:
			t.blame(fmt.Sprintf("record %d says that it is %d", t.next, r.Seq))
		default:
			t.note(&r)
		}
		t.next++
	}
}

func (t *trail) note(r *audit.Record) {
	p := t.objects[r.Object]
	if p == nil {
		p = &path{}
		t.objects[r.Object] = p
		t.names = append(t.names, r.Object)
	}
	p.seqs = append(p.seqs, r.Seq)
	gone := strings.HasSuffix(r.Action, ".dropped") || strings.HasSuffix(r.Action, ".deleted")
	if r.AfterHash != "" || r.BeforeHash != "" || gone {
		p.after = r.AfterHash
	}
}

// of gives the records about an object, the oldest first, and the hash that its document should have.
func (t *trail) of(object string) (seqs []int64, after string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.objects[object]; p != nil {
		return append([]int64(nil), p.seqs...), p.after
	}
	return nil, ""
}

// named tells how many records there are about an object.
func (t *trail) named(object string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.objects[object]; p != nil {
		return len(p.seqs)
	}
	return 0
}

// length is how many records were read, unreadable ones too.
func (t *trail) length() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next - 1
}

// broken is the first record that is missing or is not one; empty: none.
func (t *trail) broken() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fault
}

// expected gives objects with documents, from a place on, and the next place.
func (t *trail) expected(from, most int) (objects []string, next int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for next = from; next < len(t.names) && len(objects) < most; next++ {
		if documented(t.names[next]) {
			objects = append(objects, t.names[next])
		}
	}
	if next >= len(t.names) {
		next = 0
	}
	return objects, next
}

// Of gives the numbers of the records about an object, the oldest first, up to now. Errors: feeds.ErrBusy.
func (l *Log) Of(ctx context.Context, object string) ([]int64, error) {
	if err := l.trail.follow(ctx, l.d.Store); err != nil {
		return nil, err
	}
	seqs, _ := l.trail.of(object)
	return seqs, nil
}

// Follow reads the log as it grows, so that Of has little left to read; until ctx ends.
func (l *Log) Follow(ctx context.Context) error {
	for {
		if err := l.trail.follow(ctx, l.d.Store); err != nil && ctx.Err() == nil {
			l.d.Log.Debug().Err(err).Msg("the audit log is not followed")
		}
		if text := l.trail.broken(); l.fault(placeTrail, text) && text != "" {
			l.d.Log.Error().Msg("audit log: " + text)
		}
		if !pause(ctx, checkEvery/4) {
			return nil
		}
	}
}
