package app

import (
	"context"
	"encoding/json"
	"fmt"

	"kentongan/feeds/contract"
)

// adopt takes over what an earlier version held of a feed: the newest bytes of each cause, in a hash by the feed's name. Done twice it is done once.
func (q *quarantine) adopt(ctx context.Context, feed string) error {
	old := q.keys.QuarantineBody(feed)
	bodies, err := q.rdb.HGetAll(ctx, old).Result()
	if err != nil || len(bodies) == 0 {
		return err
	}
	var group []*holding
	err = q.step(ctx, feed, func(s *contract.Shelf) error {
		group = group[:0]
		for i := range s.Causes {
			h := s.Causes[i]
			packed, there := bodies[h.ID]
			if !there || !s.Adopt(h.ID, closedSize([]byte(packed)), len(group)) {
				continue
			}
			d := h.Delivery()
			d.Readings = s.Causes[i].Readings
			told, err := json.Marshal(d)
			if err != nil {
				return err
			}
			group = append(group, &holding{told: told, field: closedSmall, packed: []byte(packed)})
		}
		return nil
	}, func(of int) *holding { return group[of] }, nil)
	if err != nil {
		return fmt.Errorf("what an earlier version held: %w", err)
	}
	return q.rdb.Del(ctx, old).Err()
}
