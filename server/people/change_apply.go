package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/geo/moment"
	"kentongan/server/book"
)

// carryOut applies what is approved, and says so in the step that notes it: whoever is killed in between leaves it to Finish, or to whoever
// approves once more.
func (s *Changes) carryOut(ctx context.Context, c Change) (Change, error) {
	apply := s.apply[c.Kind]
	if apply == nil {
		return c, ErrChangeKind
	}
	failed := apply(ctx, c.Doc, c)
	done := Acted{c.DecidedBy, "change.applied", "change:" + c.ID, c.Summary}
	var f *Fault
	switch {
	case failed == nil && c.Alone:
		done.Reason = "without a second person, for there are fewer than two who could approve: " + c.Summary
	case failed == nil:
	case errors.Is(failed, ErrStale), errors.Is(failed, ErrNoPerson), errors.Is(failed, ErrLastAdmin), errors.As(failed, &f): // never again
		done.Action, done.Reason = "change.failed", failed.Error()
	default:
		return c, failed // it is tried again
	}
	out, err := s.end(ctx, c, failed, done)
	return out, errors.Join(failed, err)
}

// end notes how applying came out, once: another server may have been faster.
func (s *Changes) end(ctx context.Context, c Change, failed error, done Acted) (Change, error) {
	key := s.store.keys.Change()
	err := s.store.aloneWith(ctx, func(tx *redis.Tx) error {
		text, err := tx.HGet(ctx, key, c.ID).Bytes()
		if errors.Is(err, redis.Nil) {
			return ErrNoChange
		} else if err != nil {
			return err
		}
		var now Change
		if err := json.Unmarshal(text, &now); err != nil {
			return fmt.Errorf("change %s: %w", c.ID, err)
		}
		if c = now; !now.unfinished() {
			return nil
		}
		if failed == nil {
			now.AppliedAt = moment.Of(s.now())
		} else {
			now.State, now.Reason = ChangeFailed, failed.Error()
		}
		c = now
		return s.write(ctx, tx, now, done)
	}, key)
	return c, err
}

// unfinished tells that a change is approved, and that nobody has noted that it was applied.
func (c *Change) unfinished() bool { return c.State == ChangeApproved && c.AppliedAt.IsZero() }

// Finish applies what was approved a minute ago and more and did not come to its end: whoever approved it was killed, or the store was away.
// Errors: of applying, of each that must be tried again; the store.
func (s *Changes) Finish(ctx context.Context) error {
	list, err := s.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range slices.Backward(list) { // the oldest first
		if s.apply[c.Kind] == nil || !c.unfinished() || s.now().Sub(c.DecidedAt.Time) < finishAfter {
			continue
		}
		_, bad := s.carryOut(book.With(ctx, audit.Record{Actor: c.DecidedBy}), c)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("change %s: %w", c.ID, bad))
		}
	}
	return err
}
