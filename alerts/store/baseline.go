package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
)

// Baselined is the action of the record that ends a baseline: what the log holds of accounts, keys, devices, rules and feeds is whole from it on.
const Baselined = "audit.baselined"

// BaselineObject is what that record is about.
const BaselineObject = "audit:baseline"

// Baselined tells whether the store bears the mark of a baseline that came to its end. Errors: feeds.ErrBusy.
func (s *Store) Baselined(ctx context.Context) (bool, error) {
	there, err := s.rdb.HExists(ctx, s.keys.AuditKept(), keyspace.BaselineField).Result()
	if err != nil {
		return false, fmt.Errorf("%w: mark of the baseline: %w", feeds.ErrBusy, err)
	}
	return there, nil
}

// Baseline gives every account, key, device, and rule and feed made through the interface a record of how it stands, where none has told its
// hash yet: those that an older server wrote. It is for the first start of a log that holds them, under one lease; where it did not come to its
// end, the next goes on. It counts them. Errors: feeds.ErrBusy, ErrFenced.
func (s *Store) Baseline(ctx context.Context) (n int, err error) {
	objects, err := s.KeptObjects(ctx)
	if err != nil {
		return 0, err
	}
	for _, o := range objects {
		done := false
		if err := s.retry(ctx, func() error { done, err = s.baseline(ctx, o); return err }); err != nil {
			return n, fmt.Errorf("baseline of %s: %w", o, err)
		}
		if done {
			n++
		}
	}
	st := s.newStep(s.now())
	if err := st.audited(audit.Actor{Subject: audit.Watcher}, Baselined, BaselineObject, fmt.Sprintf("%d objects had no hash in the log", n), nil, nil); err != nil {
		return n, err
	}
	st.write("hset", s.keys.AuditKept(), keyspace.BaselineField, st.now.Format(timeForm))
	return n, s.run(ctx, st)
}

// timeForm is RFC 3339 in UTC.
const timeForm = "2006-01-02T15:04:05Z07:00"

// baseline does so with one of them.
func (s *Store) baseline(ctx context.Context, object string) (bool, error) {
	key, field := keyspace.Kept(s.keys, object)
	stood, err := s.rdb.HGet(ctx, s.keys.AuditKept(), object).Result()
	if stood != "" {
		return false, nil
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	text, err := s.rdb.HGet(ctx, key, field).Result()
	if errors.Is(err, redis.Nil) { // it went meanwhile
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	noun, _, _ := strings.Cut(object, ":")
	st := s.newStep(s.now())
	st.check("field", key, field, text)
	if err := st.audited(audit.Actor{Subject: audit.Watcher}, noun+".found", object, "as it stood when the log began to hold it", nil, nil); err != nil {
		return false, err
	}
	if err := s.keep(ctx, st, "", text); err != nil {
		return false, err
	}
	return true, s.run(ctx, st)
}
