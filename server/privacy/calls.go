package privacy

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

const callPurpose = "call-number"

// MaskPhone shows of a number what tells two callers of one evening apart, and no more: "+62 812-••••-••89".
func MaskPhone(number string) string { return maskPhone(number) }

// KeepCall keeps the number of a call, sealed, for as long as somebody may ask for it.
func (s *Reporters) KeepCall(ctx context.Context, call, number string, life time.Duration) error {
	if n := Normal(number); n != "" {
		number = n
	}
	sealed, err := s.ring.Seal(callPurpose, []byte(number), []byte(call))
	if err != nil {
		return err
	}
	if err := s.rdb.Set(ctx, s.keys.CallNumber(call), sealed, life).Err(); err != nil {
		return s.busy("keep the number of a call", err)
	}
	return nil
}

// CallNumber is the number of a call; empty: it came without one, or it is no longer kept.
func (s *Reporters) CallNumber(ctx context.Context, call string) (string, error) {
	sealed, err := s.rdb.Get(ctx, s.keys.CallNumber(call)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil {
		return "", s.busy("the number of a call", err)
	}
	number, err := s.ring.Unseal(callPurpose, sealed, []byte(call))
	return string(number), err
}

// CallsOf lists the reports of a number whose reporter is still kept, the oldest first.
func (s *Reporters) CallsOf(ctx context.Context, number string) ([]string, error) {
	ref, err := s.refOf(ctx, Whole{Phone: number})
	if err != nil {
		return nil, err
	}
	return s.ReportsOf(ctx, ref)
}
