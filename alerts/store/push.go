package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/notify"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// Subscriptions lists every browser that takes Web Push. Errors: feeds.ErrBusy.
func (s *Store) Subscriptions(ctx context.Context) ([]notify.Subscription, error) {
	return receivers(ctx, s, s.keys.Push(), func(a, b notify.Subscription) int { return strings.Compare(a.ID, b.ID) })
}

// Subscription by id; ErrNoSubscription.
func (s *Store) Subscription(ctx context.Context, id string) (notify.Subscription, error) {
	one, _, found, err := receiverOf[notify.Subscription](ctx, s, s.keys.Push(), id)
	return one, cmp.Or(err, missing(found, ErrNoSubscription, id))
}

// Subscribe keeps a browser, which has been checked; one that was there is its new holder's. Errors: ErrReceivers, feeds.ErrBusy.
func (s *Store) Subscribe(ctx context.Context, one notify.Subscription, who audit.Actor) error {
	doc, err := marshal(one)
	if err != nil {
		return err
	}
	return s.retry(ctx, func() error {
		n, err := s.rdb.HLen(ctx, s.keys.Push()).Result()
		if err != nil {
			return fmt.Errorf("%w: subscriptions: %w", feeds.ErrBusy, err)
		}
		_, raw, found, err := receiverOf[notify.Subscription](ctx, s, s.keys.Push(), one.ID)
		if err != nil {
			return err
		}
		if !found && n >= notify.MostSubscriptions {
			return fmt.Errorf("%w: %d", ErrReceivers, n)
		}
		st := s.newStep(s.now())
		st.check("field", s.keys.Push(), one.ID, raw)
		st.write("hset", s.keys.Push(), one.ID, string(doc))
		if err := st.audited(who, "push.subscribed", "push:"+one.ID, one.Unit, nil, nil); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
}

// Unsubscribe forgets a browser of a holder. Errors: ErrNoSubscription, feeds.ErrBusy.
func (s *Store) Unsubscribe(ctx context.Context, id string, who audit.Actor) error {
	return s.retry(ctx, func() error {
		one, raw, found, err := receiverOf[notify.Subscription](ctx, s, s.keys.Push(), id)
		if err := cmp.Or(err, missing(found && one.Subject == who.Subject, ErrNoSubscription, id)); err != nil {
			return err
		}
		st := s.newStep(s.now())
		st.check("field", s.keys.Push(), id, raw)
		st.write("hdel", s.keys.Push(), id)
		if err := st.audited(who, "push.unsubscribed", "push:"+id, "", nil, nil); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
}

// receipt is the N9 ladder of a dispatch while it is written: each step has the time when it was reached first.
type receipt struct{ *dispatch.Receipt }

func (r receipt) sent(at time.Time) {
	if r.Sent.IsZero() {
		r.Sent = moment.Of(at)
	}
}

func (r receipt) delivered(at time.Time) {
	r.sent(at)
	if r.Delivered.IsZero() {
		r.Delivered = moment.Of(at)
	}
}

func (r receipt) seen(at time.Time) {
	r.delivered(at)
	if r.Seen.IsZero() {
		r.Seen = moment.Of(at)
	}
}

// receipt writes what is known of an order's way into a step; a dispatch that is gone has none. Its version stays: nobody has acted.
func (s *Store) receipt(ctx context.Context, st *step, id string, note func(receipt)) error {
	list, err := s.dispatchesOf(ctx, []string{id})
	if err != nil || len(list) == 0 {
		return err
	}
	k := list[0]
	before := k.doc.Receipt
	note(receipt{&k.doc.Receipt})
	if k.doc.Receipt == before {
		return nil
	}
	return s.putDispatch(st, k.rev, &k.doc, k.own)
}

// Receipt notes that an order has come to its crew's device, or, with seen, that the crew has opened it. What was noted before stays. At is
// when, by the device; it is taken within the order's own time only. Errors: ErrNoDispatch, feeds.ErrBusy, of may.
func (s *Store) Receipt(ctx context.Context, id string, seen bool, at time.Time, may func(*dispatch.Dispatch) error) (out dispatch.Dispatch, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.dispatchOf(ctx, id)
		if err != nil {
			return err
		}
		if err := may(&k.doc); err != nil {
			return err
		}
		now := s.now()
		if at.Before(k.doc.Times.Offered.Time) || at.After(now) {
			at = now
		}
		out = k.doc
		if r := (receipt{&out.Receipt}); seen {
			r.seen(at)
		} else {
			r.delivered(at)
		}
		if out.Receipt == k.doc.Receipt {
			return nil
		}
		st := s.newStep(now)
		if err := s.putDispatch(st, k.rev, &out, k.own); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}
