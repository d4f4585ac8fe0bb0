package store

import (
	"context"
	"fmt"

	"kentongan/alerts/audit"
	"kentongan/feeds"
)

// WallChange is a change of one wall's settings. Doc is JSON that the store does not look into; nil forgets the wall. Before and After are
// what the audit record's hashes are of.
type WallChange struct {
	ID            string
	Doc           []byte
	Action        string // wall.changed, wall.steered, wall.removed
	Before, After any
	Reason        string
}

// Walls gives the settings of every wall that has some, by id. Errors: feeds.ErrBusy.
func (s *Store) Walls(ctx context.Context) (map[string]string, error) {
	all, err := s.rdb.HGetAll(ctx, s.keys.Wall()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: walls: %w", feeds.ErrBusy, err)
	}
	return all, nil
}

// ChangeWalls changes several walls in one step with an audit record of each: all of them or none. decide is given what walls are set to, and
// again where somebody else was faster. Errors: those of decide, feeds.ErrBusy.
func (s *Store) ChangeWalls(ctx context.Context, who audit.Actor, decide func(now map[string]string) ([]WallChange, error)) error {
	return s.retry(ctx, func() error {
		now, err := s.Walls(ctx)
		if err != nil {
			return err
		}
		changes, err := decide(now)
		if err != nil || len(changes) == 0 {
			return err
		}
		st := s.newStep(s.now())
		for _, c := range changes {
			st.check("field", s.keys.Wall(), c.ID, now[c.ID])
		}
		for _, c := range changes {
			if c.Doc == nil {
				st.write("hdel", s.keys.Wall(), c.ID)
			} else {
				st.write("hset", s.keys.Wall(), c.ID, string(c.Doc))
			}
			if err := st.audited(who, c.Action, "wall:"+c.ID, c.Reason, c.Before, c.After); err != nil {
				return err
			}
		}
		return s.run(ctx, st)
	})
}
