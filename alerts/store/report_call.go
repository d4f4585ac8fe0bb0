package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// ErrNoCall means that no call of that id is known, or not any more: 404.
var ErrNoCall = errors.New("there is no such call")

// CallConflict is a call that somebody else has: 409.
type CallConflict struct {
	Current report.Call
	Cause   error
}

func (c *CallConflict) Error() string { return c.Cause.Error() }
func (c *CallConflict) Unwrap() error { return c.Cause }

// callDoc is the stored form, version 1. It lives as long as the call is known, and screens do not start with it.
type callDoc struct {
	V int `json:"v"`
	report.Call
}

func (s *Store) callText(ctx context.Context, id string) (string, error) {
	text, err := s.rdb.Get(ctx, s.keys.Call(id)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("%w: a call: %w", feeds.ErrBusy, err)
	}
	return text, nil
}

func readCall(text string) (report.Call, error) {
	var d callDoc
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d.Call, fmt.Errorf("a call: %w", err)
	}
	return d.Call, nil
}

// CallID names a call: one exchange's id of it. It tells nothing of the caller, whatever the exchange makes its ids of.
func CallID(exchange, id string) string { return digest("call\x00" + exchange + "\x00" + id) }

// Ring takes what an exchange says of a call: that it rings, once, or that it is over. Said again nothing changes. Errors: feeds.ErrBusy.
func (s *Store) Ring(ctx context.Context, c report.Call, over bool, who audit.Actor) (out report.Call, err error) {
	err = s.retry(ctx, func() error {
		was, err := s.callText(ctx, c.ID)
		if err != nil {
			return err
		}
		now, action := s.now(), "call.rang"
		if was == "" {
			out = c
			out.State, out.UpdatedAt, out.RingsTill = report.Ringing, moment.Of(now), moment.Of(now.Add(report.RingLife))
		} else if out, err = readCall(was); err != nil {
			return err
		}
		switch {
		case over && out.State != report.Over:
			out, action = out.End(now), "call.ended"
		case was != "":
			return nil
		}
		return s.putCall(ctx, was, &out, action, who)
	})
	return out, err
}

// TakeCall gives a call to whoever takes it first. Errors: ErrNoCall, *CallConflict, of may, feeds.ErrBusy.
func (s *Store) TakeCall(ctx context.Context, id string, who audit.Actor, may func(*report.Call) error) (out report.Call, err error) {
	err = s.retry(ctx, func() error {
		was, err := s.callText(ctx, id)
		if err != nil {
			return err
		}
		if was == "" {
			return fmt.Errorf("%w: %.80q", ErrNoCall, id)
		}
		one, err := readCall(was)
		if err != nil {
			return err
		}
		if err := may(&one); err != nil {
			return err
		}
		if out, err = one.Take(who.Subject, s.now()); err != nil {
			return &CallConflict{one, err}
		}
		return s.putCall(ctx, was, &out, "call.taken", who)
	})
	return out, err
}

// putCall takes the step of one call.
func (s *Store) putCall(ctx context.Context, was string, c *report.Call, action string, who audit.Actor) error {
	doc, err := marshal(callDoc{1, *c})
	if err != nil {
		return err
	}
	st := s.newStep(c.UpdatedAt.Time)
	st.check("str", s.keys.Call(c.ID), "", was)
	st.set(s.keys.Call(c.ID), string(doc), report.CallLife)
	st.write("zcut", s.keys.Calls(), strconv.FormatInt(c.UpdatedAt.Add(-report.CallLife).UnixMilli(), 10))
	st.write("zadd", s.keys.Calls(), strconv.FormatInt(c.UpdatedAt.Milli(), 10), c.ID)
	st.event("call", c.ID, doc)
	if err := st.audited(who, action, "call:"+c.ID, "", nil, nil); err != nil { // a masked number can be guessed from its hash
		return err
	}
	return s.run(ctx, st)
}

// Calls lists what is known of calls, the newest first.
func (s *Store) Calls(ctx context.Context) ([]report.Call, error) {
	ids, err := s.rdb.ZRevRangeByScore(ctx, s.keys.Calls(), &redis.ZRangeBy{Min: strconv.FormatInt(s.now().Add(-report.CallLife).UnixMilli(), 10), Max: "+inf", Count: maxLimit}).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: list calls: %w", feeds.ErrBusy, err)
	}
	out := []report.Call{}
	for _, id := range ids {
		text, err := s.callText(ctx, id)
		if err != nil {
			return nil, err
		}
		if text == "" {
			continue
		}
		c, err := readCall(text)
		if err != nil {
			return nil, err
		}
		c.State = c.Stands(s.now())
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b report.Call) int { return b.At.Compare(a.At.Time) })
	return out, nil
}
