package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Whoever follows a stream that was cut behind them is told so, and is given nothing of what lies beyond the gap.
func TestTailOfAStreamThatWasCut(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		for range 3 {
			flooded(t, s)
		}
		last, err := s.offset(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.rdb.XTrimMinID(t.Context(), s.keys.Case(), streamID(last)).Err(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var given []int64
		take := func(c Change) error {
			given = append(given, c.Offset)
			cancel()
			return nil
		}
		if err := s.Tail(ctx, 0, take); !errors.Is(err, ErrCut) || len(given) > 0 {
			t.Errorf("from 0: %v, given %v", err, given)
		}
		if err := s.Tail(ctx, last-1, take); err != nil || len(given) != 1 || given[0] != last {
			t.Errorf("from what is there: %v, given %v", err, given)
		}
	})
}
