package walls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/server/auth"
	"kentongan/server/book"
	"kentongan/server/devices"
	"kentongan/server/wire"
)

// rename patches a wall whose device gets another name or screen: the device, the settings and the records of both are one step. Errors:
// *Fault, *devices.Fault, ErrNoWall, auth.ErrUnavailable.
func (s *Store) rename(ctx context.Context, id string, p WallPatch, act auth.Act) ([]wire.Wall, error) {
	var next wire.Wall
	beside := func(d devices.Device, tx *redis.Tx) (func(redis.Pipeliner) error, error) {
		kept, err := tx.HGet(ctx, s.Keys.Wall(), id).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, fmt.Errorf("%w: wall %s: %w", auth.ErrUnavailable, id, err)
		}
		was, err := s.settingsOf(ctx, d, kept)
		if err != nil {
			return nil, err
		}
		if next, err = p.Apply(was, s.Scenes, s.Now()); err != nil {
			return nil, err
		}
		doc, err := json.Marshal(next)
		if err != nil {
			return nil, err
		}
		told := act
		told.Action, told.Object, told.Reason = "wall.changed", "wall:"+id, next.Scene
		record := told.Record()
		var err1, err2 error
		record.BeforeHash, err1 = audit.Hash(was)
		record.AfterHash, err2 = audit.Hash(next)
		return func(tx redis.Pipeliner) error {
			tx.HSet(ctx, s.Keys.Wall(), id, doc)
			book.Note(tx, record)
			return nil
		}, errors.Join(err1, err2)
	}
	err := s.Devices.Rename(ctx, id, p.Name, p.Screen, act, beside, s.Keys.Wall())
	if errors.Is(err, devices.ErrNoDevice) {
		return nil, ErrNoWall
	}
	if err != nil {
		return nil, err
	}
	s.announce([]wire.Wall{next})
	return []wire.Wall{next}, nil
}
