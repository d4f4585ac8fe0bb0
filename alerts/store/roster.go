package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/unit"
	"kentongan/feeds"
)

// rosterChanges is after how many changes of the cases the roster is read anew rather than brought up to date.
const rosterChanges = 200

// roster is the units as of an offset of the case stream, kept in memory: each question takes over what has changed since, on whichever server,
// and so costs one round trip and no document that has not changed. The units in it are shared and never written to.
type roster struct {
	turn chan struct{} // held by whoever brings it up to date
	last string        // the change at its offset, as it was read: another one may stand there after a failover
	at   int64         // offset; -1: it has not been read
	list []unit.Unit   // by id
}

func newRoster() *roster { return &roster{turn: make(chan struct{}, 1), at: -1} }

// Units is the whole roster, by id, as it stands: the list is the caller's, what its units point to is not. Errors: feeds.ErrBusy.
func (s *Store) Units(ctx context.Context) ([]unit.Unit, error) {
	r := s.roster
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: units: %w", feeds.ErrBusy, context.Cause(ctx))
	}
	defer func() { <-r.turn }()
	fresh, err := s.bring(ctx, r)
	if err == nil && !fresh {
		err = s.enrol(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.list), nil
}

// bring takes over what has changed since the roster's offset; false: that cannot be told, and it is to be read anew.
func (s *Store) bring(ctx context.Context, r *roster) (bool, error) {
	if r.at < 0 {
		return false, nil
	}
	pipe := s.rdb.TxPipeline()
	end := pipe.Get(ctx, s.keys.CaseOffset())
	list := pipe.XRangeN(ctx, s.keys.Case(), streamID(r.at), "+", rosterChanges+1)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return false, fmt.Errorf("%w: units: %w", feeds.ErrBusy, err)
	}
	entries := list.Val()
	if len(entries) == 0 || len(entries) > rosterChanges || mark(entries[0]) != r.last || strconv.FormatInt(r.at+int64(len(entries))-1, 10) != end.Val() {
		r.at = -1
		return false, nil
	}
	for _, e := range entries[1:] {
		if e.Values["type"] != "unit" {
			continue
		}
		doc, _ := e.Values["doc"].(string)
		u, err := readUnit([]byte(doc))
		if err != nil || u.ID != e.Values["id"] { // it cannot be read: what is read anew passes it over, and names it
			r.at = -1
			return false, nil
		}
		r.put(u)
	}
	r.at += int64(len(entries)) - 1
	r.last = mark(entries[len(entries)-1])
	return true, nil
}

// put takes over a unit that is new, or has changed.
func (r *roster) put(u unit.Unit) {
	i, found := slices.BinarySearchFunc(r.list, u.ID, func(u unit.Unit, id string) int { return strings.Compare(u.ID, id) })
	if found {
		r.list[i] = u
	} else {
		r.list = slices.Insert(r.list, i, u)
	}
}

// mark tells a change from any other that could stand at its offset.
func mark(e redis.XMessage) string {
	return fmt.Sprint(e.ID, " ", e.Values["type"], " ", e.Values["id"], " ", e.Values["doc"])
}

// enrol reads the roster anew. What changes while it is read comes after the offset, and is taken over by the next question.
func (s *Store) enrol(ctx context.Context, r *roster) error {
	r.at = -1
	last, err := s.rdb.XRevRangeN(ctx, s.keys.Case(), "+", "-", 1).Result()
	if err != nil {
		return fmt.Errorf("%w: units: %w", feeds.ErrBusy, err)
	}
	list := []unit.Unit{}
	err = s.walkSet(ctx, s.keys.Units(), func(ids []string) (bool, error) {
		docs, err := s.unitsOf(ctx, ids)
		for _, k := range docs {
			list = append(list, k.doc)
		}
		return true, err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b unit.Unit) int { return strings.Compare(a.ID, b.ID) })
	r.list = list
	if len(last) > 0 {
		if r.at, err = offsetOf(last[0].ID); err != nil {
			return err
		}
		r.last = mark(last[0])
	}
	return nil
}

func readUnit(b []byte) (unit.Unit, error) {
	var d unitDoc
	err := json.Unmarshal(b, &d)
	return d.Unit.Clone(), err // with lists where an older document has none
}
