package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/incident"
	"kentongan/feeds"
)

// opened remembers the open incidents: whatever may join one looks at all of them, and on a bad day there are a thousand. Only revisions are
// asked for, and documents where the revision is another. Safe for concurrent use.
type opened struct {
	mu   sync.Mutex
	docs map[string]remembered
}

// remembered is a document with the id of the step that wrote it: after a failover another step may have written the same revision.
type remembered struct {
	kept[incident.Incident]
	step string
}

// of gives the documents of the ids, missing ones left out, and forgets all others.
func (o *opened) of(ctx context.Context, s *Store, ids []string) ([]kept[incident.Incident], error) {
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := s.rdb.Pipeline()
	heads := make([]*redis.SliceCmd, len(ids))
	for i, id := range ids {
		heads[i] = pipe.HMGet(ctx, s.keys.Incident(id), "rev", "step")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		if err := unanswered(heads); err != nil {
			return nil, fmt.Errorf("%w: revisions of %d incidents: %w", feeds.ErrBusy, len(ids), err)
		}
	}
	out := make([]kept[incident.Incident], 0, len(ids))
	docs, steps := make(map[string]remembered, len(ids)), make(map[string][2]string, len(ids))
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
	fresh, err := s.incidentsOf(ctx, stale)
	if err != nil {
		return nil, err
	}
	for _, k := range fresh {
		out = append(out, k)
		if head := steps[k.doc.ID]; head[0] == k.rev { // else it has changed in between
			docs[k.doc.ID] = remembered{k, head[1]}
		}
	}
	o.mu.Lock()
	o.docs = docs
	o.mu.Unlock()
	return out, nil
}
