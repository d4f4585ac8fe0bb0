package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
)

// casesField of the rules' state is how far reports and alerts have been judged; no part can have this name, for a part begins with a rule's id
// or with #.
const casesField = ":cases"

// RuleState is where the evaluator of the rules stands: how far it has judged, and what the engine holds then. Both move in one step, so that
// whoever takes over repeats nothing and misses nothing.
type RuleState struct {
	At    time.Time         // every reading committed before it has been judged; zero: none ever was
	Cases int64             // offset of the case stream up to which reports and alerts have been judged; -1: never
	Kept  bool              // there is a state; without one the engine begins with what fires
	Parts map[string][]byte // by name, opaque; in a change nil removes the part
}

// RuleState reads it. Errors: feeds.ErrBusy.
func (s *Store) RuleState(ctx context.Context) (RuleState, error) {
	out := RuleState{Cases: -1, Parts: map[string][]byte{}}
	pipe := s.rdb.TxPipeline()
	seen, all := pipe.Get(ctx, s.keys.RulesSeen()), pipe.HGetAll(ctx, s.keys.RulesState())
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return out, fmt.Errorf("%w: where the rules stand: %w", feeds.ErrBusy, err)
	}
	if ms, err := seen.Int64(); err == nil {
		out.At = time.UnixMilli(ms).UTC()
	}
	for name, part := range all.Val() {
		out.Kept = true
		if name != casesField {
			out.Parts[name] = []byte(part)
		} else if n, err := strconv.ParseInt(part, 10, 64); err == nil {
			out.Cases = n
		}
	}
	return out, nil
}

// SaveRuleState moves the checkpoint and writes the parts that have changed, all in one step. Errors: feeds.ErrBusy, and ErrFenced on a Fenced
// store: then nothing is written.
func (s *Store) SaveRuleState(ctx context.Context, c RuleState) error {
	st := s.newStep(s.now())
	st.set(s.keys.RulesSeen(), strconv.FormatInt(c.At.UnixMilli(), 10), 0)
	st.write("hset", s.keys.RulesState(), casesField, strconv.FormatInt(c.Cases, 10))
	for _, name := range slices.Sorted(maps.Keys(c.Parts)) {
		if part := c.Parts[name]; part != nil {
			st.write("hset", s.keys.RulesState(), name, string(part))
		} else {
			st.write("hdel", s.keys.RulesState(), name)
		}
	}
	if err := s.run(ctx, st); err != nil {
		return fmt.Errorf("where the rules stand: %w", err)
	}
	return nil
}

// crossedLater tells an alert whose crossing lies after a time. Whoever judges again what was judged in an earlier life comes to a clearing
// that was followed by another crossing: that one's alert is not what it clears.
func crossedLater(alert string, at time.Time) bool {
	id, err := ulid.ParseStrict(alert)
	if err != nil {
		return false
	}
	return id.Time() > uint64(max(0, at.UnixMilli()))
}
