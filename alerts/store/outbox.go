package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/notify"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
)

// ErrNoDelivery means that there is no such message: 404. Those of longer ago than keyspace.OutboxLifetime are gone.
var ErrNoDelivery = errors.New("there is no such message")

// ErrUndelivered means that a message is still tried, and so cannot be asked for again: 409.
var ErrUndelivered = errors.New("the message is still tried")

// dispatchOffered is the event whose delivery writes the receipt of its dispatch.
const dispatchOffered = "dispatch.offered"

func dueMember(d *notify.Delivery) string { return d.To + " " + d.ID }

// putDelivery writes a message into a step; was is what is kept of it now, empty where it is new.
func (s *Store) putDelivery(st *step, was string, d *notify.Delivery) error {
	doc, err := marshal(d)
	if err != nil {
		return err
	}
	key, life := s.keys.OutboxMessage(d.ID), time.Duration(0)
	st.check("str", key, "", was)
	if d.State == notify.Pending {
		st.write("zadd", s.keys.Outbox(), strconv.FormatInt(d.NextAt.Milli(), 10), dueMember(d))
	} else {
		life = keyspace.OutboxLifetime
		st.write("zrem", s.keys.Outbox(), dueMember(d))
	}
	st.set(key, string(doc), life)
	if was == "" {
		log := s.keys.OutboxLog(d.To)
		st.write("zadd", log, strconv.FormatInt(d.CreatedAt.Milli(), 10), d.ID)
		st.write("zcut", log, strconv.FormatInt(d.CreatedAt.Add(-2*keyspace.OutboxLifetime).UnixMilli(), 10))
	}
	return nil
}

// deliveries loads messages by id with what is kept of each; those that are gone are left out.
func (s *Store) deliveries(ctx context.Context, ids []string) (out []notify.Delivery, raw []string, err error) {
	if len(ids) == 0 {
		return nil, nil, nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.keys.OutboxMessage(id)
	}
	values, err := s.rdb.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %d messages: %w", feeds.ErrBusy, len(ids), err)
	}
	for i, v := range values {
		text, ok := v.(string)
		if !ok {
			continue
		}
		var d notify.Delivery
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			s.unread.note(keys[i], err, false)
			continue
		}
		s.unread.clear(keys[i])
		out, raw = append(out, d), append(raw, text)
	}
	return out, raw, nil
}

func (s *Store) deliveryOf(ctx context.Context, id string) (notify.Delivery, string, error) {
	list, raw, err := s.deliveries(ctx, []string{id})
	if err != nil {
		return notify.Delivery{}, "", err
	}
	if len(list) == 0 {
		return notify.Delivery{}, "", cmp.Or(s.legible(s.keys.OutboxMessage(id)), fmt.Errorf("%w: %.60q", ErrNoDelivery, id))
	}
	return list[0], raw[0], nil
}

// Due names a message whose next try has come.
type Due struct{ To, ID string }

// DueDeliveries lists messages whose next try has come, the longest waiting first, from the skip-th on. Errors: feeds.ErrBusy.
func (s *Store) DueDeliveries(ctx context.Context, now time.Time, skip, limit int) ([]Due, error) {
	list, err := s.rdb.ZRangeByScore(ctx, s.keys.Outbox(), &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.UnixMilli(), 10), Offset: int64(skip), Count: int64(limit)}).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: what is to be sent: %w", feeds.ErrBusy, err)
	}
	out := make([]Due, 0, len(list))
	for _, m := range list {
		to, id, _ := strings.Cut(m, " ")
		out = append(out, Due{to, id})
	}
	return out, nil
}

// Delivery by id; ErrNoDelivery.
func (s *Store) Delivery(ctx context.Context, id string) (notify.Delivery, error) {
	d, _, err := s.deliveryOf(ctx, id)
	return d, err
}

// Deliveries lists what was or is to be sent to a receiver, the newest first, at most limit. Errors: feeds.ErrBusy.
func (s *Store) Deliveries(ctx context.Context, to string, limit int) ([]notify.Delivery, error) {
	ids, err := s.rdb.ZRevRange(ctx, s.keys.OutboxLog(to), 0, int64(limitOf(limit))-1).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: messages to %s: %w", feeds.ErrBusy, to, err)
	}
	list, _, err := s.deliveries(ctx, ids)
	return list, err
}

// Tried keeps what came of a try. gone: the receiver will take nothing ever again, and is removed or turned off in the same step. The first
// order of a dispatch that comes to a device of its unit is noted in its receipt. Errors: ErrNoDelivery, feeds.ErrBusy, ErrFenced.
func (s *Store) Tried(ctx context.Context, id string, o notify.Outcome, chance float64, gone bool) (out notify.Delivery, err error) {
	err = s.retry(ctx, func() error {
		d, was, err := s.deliveryOf(ctx, id)
		if err != nil {
			return err
		}
		now := s.now()
		out = d.Tried(o, chance, now)
		st := s.newStep(now)
		if err := s.putDelivery(st, was, &out); err != nil {
			return err
		}
		if object, is := strings.CutPrefix(d.Object, "dispatch:"); is && out.State == notify.Sent && d.Event == dispatchOffered && d.Channel() == notify.ByPush {
			if err := s.receipt(ctx, st, object, func(r receipt) { r.sent(now) }); err != nil {
				return err
			}
		}
		if gone {
			if err := s.receiverGone(ctx, st, &d, o.Error); err != nil {
				return err
			}
		}
		return s.run(ctx, st)
	})
	return out, err
}

// DropDelivery forgets what is to be sent and is no longer there, as after a receiver was removed. Errors: feeds.ErrBusy, ErrFenced.
func (s *Store) DropDelivery(ctx context.Context, d Due) error {
	st := s.newStep(s.now())
	st.write("zrem", s.keys.Outbox(), d.To+" "+d.ID)
	if err := s.run(ctx, st); err != nil && !errors.Is(err, errConflict) {
		return err
	}
	return nil
}

// DeferDelivery lets what is to be sent and cannot be read now wait until a time, and nothing else of its receiver. Errors: feeds.ErrBusy, ErrFenced.
func (s *Store) DeferDelivery(ctx context.Context, d Due, until time.Time) error {
	st := s.newStep(s.now())
	st.write("zadd", s.keys.Outbox(), strconv.FormatInt(until.UnixMilli(), 10), d.To+" "+d.ID)
	if err := s.run(ctx, st); err != nil && !errors.Is(err, errConflict) {
		return err
	}
	return nil
}

// Resend lets a message that is over be sent once more, under its old id. Errors: ErrNoDelivery, ErrUndelivered, feeds.ErrBusy.
func (s *Store) Resend(ctx context.Context, to, id string, who audit.Actor) (out notify.Delivery, err error) {
	err = s.retry(ctx, func() error {
		d, was, err := s.deliveryOf(ctx, id)
		if err != nil {
			return err
		}
		if d.To != to {
			return fmt.Errorf("%w: %.60q", ErrNoDelivery, id)
		}
		if d.State == notify.Pending {
			return ErrUndelivered
		}
		now := s.now()
		out = d.Again(now)
		st := s.newStep(now)
		if err := s.putDelivery(st, was, &out); err != nil {
			return err
		}
		if err := st.audited(who, "webhook.resent", to, id, nil, nil); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}

// Composing makes messages of one change of the cases: pure of the store, and the same of the same change.
type Composing func(ctx context.Context, c *Change, hooks []notify.Webhook, browsers []notify.Subscription, now time.Time) ([]notify.Delivery, error)

// outboxReader makes messages of changes: the case stream is the outbox that every act writes in its own step.
type outboxReader struct {
	s       *Store
	compose Composing
	told    func()
}

// OutboxReader makes the reader "outbox"; told is called whenever there is something new to send.
func (s *Store) OutboxReader(compose Composing, told func()) Reader {
	return &outboxReader{s, compose, told}
}

// Name implements Reader.
func (r *outboxReader) Name() string { return "outbox" }

// Tick implements Reader: nothing follows from the clock.
func (r *outboxReader) Tick(context.Context, time.Time) error { return nil }

// Take writes the messages of changes together with how far it has read. A message that is there already is not written again.
func (r *outboxReader) Take(ctx context.Context, changes []Change) error {
	hooks, err := r.s.Webhooks(ctx)
	if err != nil {
		return err
	}
	browsers, err := r.s.Subscriptions(ctx)
	if err != nil || len(hooks)+len(browsers) == 0 {
		return err
	}
	for part := range slices.Chunk(changes, changesAStep) {
		var made []notify.Delivery
		for i := range part {
			more, err := r.compose(ctx, &part[i], hooks, browsers, r.s.now())
			if err != nil {
				return err
			}
			made = append(made, more...)
		}
		if len(made) == 0 {
			continue
		}
		if err := r.s.retry(ctx, func() error { return r.put(ctx, made, part[len(part)-1].Offset) }); err != nil {
			return err
		}
		r.told()
	}
	return nil
}

func (r *outboxReader) put(ctx context.Context, made []notify.Delivery, offset int64) error {
	ids := make([]string, len(made))
	for i := range made {
		ids[i] = made[i].ID
	}
	there, _, err := r.s.deliveries(ctx, ids)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for i := range there {
		known[there[i].ID] = true
	}
	st := r.s.newStep(r.s.now())
	for i := range made {
		if known[made[i].ID] || r.s.unread.has(r.s.keys.OutboxMessage(made[i].ID)) {
			continue
		}
		known[made[i].ID] = true
		if err := r.s.putDelivery(st, "", &made[i]); err != nil {
			return err
		}
	}
	r.s.passed(st, r.Name(), offset)
	return r.s.run(ctx, st)
}
