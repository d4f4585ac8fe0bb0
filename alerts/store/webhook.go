package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/notify"
	"kentongan/feeds"
)

// Faults of receivers.
var (
	ErrNoWebhook      = errors.New("there is no such webhook")           // 404
	ErrReceivers      = errors.New("there are as many receivers as fit") // 409
	ErrNoSubscription = errors.New("there is no such subscription")      // 404
)

// Webhooks lists every webhook, the oldest first. Errors: feeds.ErrBusy.
func (s *Store) Webhooks(ctx context.Context) ([]notify.Webhook, error) {
	return receivers(ctx, s, s.keys.Webhook(), func(a, b notify.Webhook) int { return strings.Compare(a.ID, b.ID) })
}

// receivers loads a hash of receivers. One that cannot be read, for a newer server wrote it, is told to whoever runs the house and left out.
func receivers[T any](ctx context.Context, s *Store, key string, order func(a, b T) int) ([]T, error) {
	all, err := s.rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: receivers: %w", feeds.ErrBusy, err)
	}
	out := make([]T, 0, len(all))
	for id, doc := range all {
		var one T
		if err := json.Unmarshal([]byte(doc), &one); err != nil {
			s.log.Error().Err(err).Str("key", key).Str("id", id).Msg("a receiver of messages cannot be read and is left out")
			continue
		}
		out = append(out, one)
	}
	slices.SortFunc(out, order)
	return out, nil
}

// receiverOf loads one receiver and what is kept of it; false: it is not there.
func receiverOf[T any](ctx context.Context, s *Store, key, id string) (one T, raw string, found bool, err error) {
	raw, err = s.rdb.HGet(ctx, key, id).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return one, "", false, nil
	case err != nil:
		return one, "", false, fmt.Errorf("%w: receiver %.60q: %w", feeds.ErrBusy, id, err)
	}
	if err := json.Unmarshal([]byte(raw), &one); err != nil {
		return one, "", false, fmt.Errorf("receiver %.60q: %w", id, err)
	}
	return one, raw, true, nil
}

// Webhook by id; ErrNoWebhook.
func (s *Store) Webhook(ctx context.Context, id string) (notify.Webhook, error) {
	w, _, found, err := receiverOf[notify.Webhook](ctx, s, s.keys.Webhook(), id)
	return w, cmp.Or(err, missing(found, ErrNoWebhook, id))
}

func missing(found bool, sentinel error, id string) error {
	if found {
		return nil
	}
	return fmt.Errorf("%w: %.60q", sentinel, id)
}

// AddWebhook keeps a webhook, which has been checked. Errors: ErrReceivers, feeds.ErrBusy.
func (s *Store) AddWebhook(ctx context.Context, w notify.Webhook, who audit.Actor) error {
	doc, err := marshal(w)
	if err != nil {
		return err
	}
	return s.retry(ctx, func() error {
		n, err := s.rdb.HLen(ctx, s.keys.Webhook()).Result()
		if err != nil {
			return fmt.Errorf("%w: webhooks: %w", feeds.ErrBusy, err)
		}
		if n >= notify.MostWebhooks {
			return fmt.Errorf("%w: %d", ErrReceivers, n)
		}
		st := s.newStep(s.now())
		st.write("hset", s.keys.Webhook(), w.ID, string(doc))
		shown := w
		shown.Secret = ""
		if err := st.audited(who, "webhook.made", "webhook:"+w.ID, w.URL, nil, shown); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
}

// RemoveWebhook ends a webhook; what waits for it is dropped. Errors: ErrNoWebhook, feeds.ErrBusy.
func (s *Store) RemoveWebhook(ctx context.Context, id string, who audit.Actor) error {
	return s.retry(ctx, func() error {
		w, raw, found, err := receiverOf[notify.Webhook](ctx, s, s.keys.Webhook(), id)
		if err := cmp.Or(err, missing(found, ErrNoWebhook, id)); err != nil {
			return err
		}
		st := s.newStep(s.now())
		st.check("field", s.keys.Webhook(), id, raw)
		st.write("hdel", s.keys.Webhook(), id)
		w.Secret = ""
		if err := st.audited(who, "webhook.removed", "webhook:"+id, w.URL, w, nil); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
}

// receiverGone takes leave of a receiver that says itself that it will take nothing more: a browser is forgotten, a webhook is turned off.
func (s *Store) receiverGone(ctx context.Context, st *step, d *notify.Delivery, why string) error {
	if d.Channel() == notify.ByPush {
		st.write("hdel", s.keys.Push(), d.Receiver())
		return nil
	}
	w, raw, found, err := receiverOf[notify.Webhook](ctx, s, s.keys.Webhook(), d.Receiver())
	if err != nil || !found {
		return err
	}
	before := w
	w.Off = why
	doc, err := marshal(w)
	if err != nil {
		return err
	}
	st.check("field", s.keys.Webhook(), w.ID, raw)
	st.write("hset", s.keys.Webhook(), w.ID, string(doc))
	before.Secret, w.Secret = "", ""
	return st.audited(audit.Actor{Subject: "house:outbox"}, "webhook.off", "webhook:"+w.ID, why, before, w)
}
