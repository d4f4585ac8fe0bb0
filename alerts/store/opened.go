package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/feeds"
)

// mostWarnings is how many alerts are remembered of those that new ones are held against (mostBeside of each sender and event).
const mostWarnings = 4096

// opened remembers the open incidents: whatever may join one looks at all of them, and on a bad day there are a thousand. warned remembers the
// alerts that warnings are held against: in a flood each new one is held against the same sixty-four.
type (
	opened = memory[incident.Incident]
	warned = memory[alerts.Alert]
)

// memory remembers documents that are looked at again and again. Only revisions are asked for, and documents where the revision is another.
// What it gives is shared: to be read only. Safe for concurrent use.
type memory[T any] struct {
	most int // documents beyond those of the last question are kept up to so many

	mu   sync.Mutex
	docs map[string]remembered[T]
}

// remembered is a document with the id of the step that wrote it: after a failover another step may have written the same revision.
type remembered[T any] struct {
	kept[T]
	step string
}

// of gives the documents of the ids, missing and unreadable ones left out: those that are remembered first, then those that are read.
func (o *memory[T]) of(ctx context.Context, s *Store, f form[T], ids []string) ([]kept[T], error) {
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := s.rdb.Pipeline()
	heads := make([]*redis.SliceCmd, len(ids))
	for i, id := range ids {
		heads[i] = pipe.HMGet(ctx, f.key(id), "rev", "step")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		if err := unanswered(heads); err != nil {
			return nil, fmt.Errorf("%w: revisions of %d documents: %w", feeds.ErrBusy, len(ids), err)
		}
	}
	out := make([]kept[T], 0, len(ids))
	docs, steps := make(map[string]remembered[T], len(ids)), make(map[string][2]string)
	var stale []string
	o.mu.Lock()
	for i, id := range ids {
		if heads[i].Err() != nil { // no document: loading it says so
			stale = append(stale, id)
			continue
		}
		rev, _ := heads[i].Val()[0].(string)
		step, _ := heads[i].Val()[1].(string)
		if k, ok := o.docs[id]; ok && k.rev == rev && k.step == step {
			out, docs[id] = append(out, k.kept), k
		} else if rev != "" {
			stale, steps[id] = append(stale, id), [2]string{rev, step}
		}
	}
	o.mu.Unlock()
	fresh, err := load(ctx, s, naming(f), stale)
	if err != nil {
		return nil, err
	}
	for _, k := range fresh {
		out = append(out, kept[T]{doc: k.doc.doc, own: k.own, rev: k.rev})
		if head, ok := steps[k.doc.id]; ok && head[0] == k.rev { // else it has changed in between
			docs[k.doc.id] = remembered[T]{kept[T]{doc: k.doc.doc, own: k.own, rev: k.rev}, head[1]}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.docs)+len(docs) > o.most {
		o.docs = docs
		return out, nil
	}
	if o.docs == nil {
		o.docs = docs
		return out, nil
	}
	for id, k := range docs {
		o.docs[id] = k
	}
	return out, nil
}
