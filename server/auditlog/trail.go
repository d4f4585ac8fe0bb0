package auditlog

import (
	"context"
	"fmt"
	"sync"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
)

// trail is what the log says of each object: which records, and how its document stands after the last. It follows the log from its beginning.
type trail struct {
	mu      sync.Mutex
	next    int64
	objects map[string]*path
	names   []string // of the objects, in the order in which the log first names them
}

type path struct {
	seqs  []int64
	after string // hash of the document; empty: there is none
}

func newTrail() *trail { return &trail{next: 1, objects: map[string]*path{}} }

// follow reads what has been written since.
func (t *trail) follow(ctx context.Context, s *store.Store) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ctx.Err() == nil {
		records, err := s.LogRecords(ctx, t.next, 2000)
		for _, b := range records {
			r, bad := audit.Parse(b)
			if bad != nil {
				return fmt.Errorf("record %d: %w", t.next, bad)
			}
			t.take(&r)
		}
		if err != nil || len(records) == 0 {
			return err
		}
	}
	return context.Cause(ctx)
}

func (t *trail) take(r *audit.Record) {
	p := t.objects[r.Object]
	if p == nil {
		p = &path{}
		t.objects[r.Object] = p
		t.names = append(t.names, r.Object)
	}
	p.seqs = append(p.seqs, r.Seq)
	if r.AfterHash != "" || r.BeforeHash != "" {
		p.after = r.AfterHash
	}
	t.next = r.Seq + 1
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

// expected gives what documents of objects should hash to, from the place on, and the next place; objects without documents are left out.
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

// Of gives the numbers of the records about an object, the oldest first, up to now. Errors: feeds.ErrBusy; another: the log cannot be read.
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
		if !pause(ctx, checkEvery/4) {
			return nil
		}
	}
}
