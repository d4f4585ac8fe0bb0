package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"kentongan/alerts"
)

// expiryKnown is how long the time at which an alert ends is taken to be what it was when it was read: whoever revises an alert may bring that
// forward, and then it ends so much late at most.
const expiryKnown = time.Minute

// expiring remembers when active alerts end: in a flood there are twenty thousand, which nobody reads every few seconds. Safe for concurrent use.
type expiring struct {
	mu  sync.Mutex
	all map[string]ends // by alert
}

// ends is when an alert ends (zero: never) and when that was read.
type ends struct{ at, read time.Time }

// due gives those of the active alerts that have ended as far as is known, or of which that is not known, and forgets all that are not active.
func (e *expiring) due(active []string, now time.Time) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := make(map[string]ends, len(active))
	var out []string
	for _, id := range active {
		k, ok := e.all[id]
		if !ok || now.Sub(k.read) >= expiryKnown || now.Before(k.read) || !k.at.IsZero() && !k.at.After(now) {
			out = append(out, id)
			continue
		}
		known[id] = k
	}
	e.all = known
	return out
}

// learn takes over what was read.
func (e *expiring) learn(list []kept[alerts.Alert], now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, k := range list {
		e.all[k.doc.ID] = ends{k.doc.Expires.Time, now}
	}
}

// ended loads the active alerts whose time has passed.
func (s *Store) ended(ctx context.Context, now time.Time) (out []kept[alerts.Alert], err error) {
	err = s.walkSet(ctx, s.keys.AlertsActive(), func(ids []string) (bool, error) {
		for part := range slices.Chunk(s.expiring.due(ids, now), batch) {
			list, err := s.alertsOf(ctx, part)
			if err != nil {
				return false, err
			}
			s.expiring.learn(list, now)
			for _, k := range list {
				if k.doc.State == alerts.Active && !k.doc.Expires.IsZero() && !k.doc.Expires.After(now) {
					out = append(out, k)
				}
			}
		}
		return true, nil
	})
	return out, err
}
