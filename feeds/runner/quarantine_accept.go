package runner

import (
	"context"
	"errors"
	"fmt"

	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/geo/moment"
)

// acceptAtOnce bounds the readings of held deliveries that are stored in one step.
const acceptAtOnce = 5000

// Learn lets a feed's contract learn the shape of a held delivery: what contradicts it is forgotten, and what comes like it passes from then on. A nil
// delivery is of a cause whose bytes are not kept. Errors: ErrUnknownFeed, ErrNoContract, feeds.ErrPermanent where it cannot be read, else
// feeds.ErrBusy.
func (r *Runner) Learn(ctx context.Context, h contract.Held, d *contract.Delivery) error {
	in, leave, err := r.enter(ctx, h.Feed)
	if err != nil {
		return err
	}
	defer leave()
	if in.quarantine.watch == nil {
		return fmt.Errorf("feed %q: %w", h.Feed, ErrNoContract)
	}
	var batch feeds.Batch
	meta := in.fill(feeds.Meta{ReceivedAt: h.At.Time, Past: true})
	if d != nil {
		meta = in.past(d)
		leave, err := r.room.enter(ctx, len(d.Body))
		if err != nil {
			return err
		}
		defer leave()
		if batch, err = in.decode(d.Body, meta); err != nil {
			return feeds.Permanent(err)
		}
	}
	in.register.Apply(&batch, meta.Kind)
	if err := in.load(ctx); err != nil {
		return fmt.Errorf("%w: the feed's contract: %w", feeds.ErrBusy, err)
	}
	in.quarantine.watch.Accept(h.Diff, &batch, meta)
	if err := in.saveContract(ctx, true); err != nil {
		return fmt.Errorf("%w: the feed's contract: %w", feeds.ErrBusy, err)
	}
	return nil
}

// past is what the house knew of a delivery when it came.
func (in *inlet) past(d *contract.Delivery) feeds.Meta {
	return in.fill(feeds.Meta{ContentType: d.ContentType, Topic: d.Topic, Peer: d.Peer, URL: d.URL, ReceivedAt: d.At.Time, Past: true})
}

// Accept stores held deliveries the usual way, in their order and each as if it came when it came; what is stored already counts as duplicate. Unread
// are those that the feed's format cannot read as it is set up today, by their place in the list. An error: not all are known to be stored.
// Errors: ErrUnknownFeed, those of the store.
func (r *Runner) Accept(ctx context.Context, feed string, list []contract.Delivery) (unread map[int]error, err error) {
	in, leave, err := r.enter(ctx, feed)
	if err != nil {
		return nil, err
	}
	defer leave()
	unread = map[int]error{}
	open := gathered{}
	for i := range list {
		if err := in.accept(ctx, &list[i], &open); errors.Is(err, errUnread) {
			unread[i] = err
		} else if err != nil {
			return nil, err
		}
	}
	return unread, in.put(ctx, &open)
}

// errUnread marks bytes that the feed's format refuses.
var errUnread = errors.New("it cannot be read as the feed is set up today")

// gathered is readings of several deliveries that are stored together.
type gathered struct {
	batch feeds.Batch
	meta  feeds.Meta
	items int
	bytes int
}

// accept reads one delivery and gathers its readings; one that says more than readings is stored by itself.
func (in *inlet) accept(ctx context.Context, d *contract.Delivery, open *gathered) error {
	leave, err := in.runner.room.enter(ctx, len(d.Body))
	if err != nil {
		return err
	}
	defer leave()
	meta := in.past(d)
	batch, err := in.decode(d.Body, meta)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	batch.Snapshot, batch.AllAlerts = false, false // it is not the newest
	in.register.Apply(&batch, meta.Kind)
	alone := len(batch.Alerts)+len(batch.Reports)+len(batch.Positions) > 0
	if alone || len(open.batch.Observations)+len(batch.Observations) > acceptAtOnce {
		if err := in.put(ctx, open); err != nil {
			return err
		}
	}
	if alone {
		open.batch, open.meta, open.bytes = batch, meta, len(d.Body)
		return in.put(ctx, open)
	}
	open.add(&batch, meta, len(d.Body))
	return nil
}

// add takes the readings of a delivery in; their items are counted on.
func (g *gathered) add(b *feeds.Batch, meta feeds.Meta, bytes int) {
	items := 0
	at := func(i int) int { items = max(items, i+1); return g.items + i }
	received := moment.Of(meta.ReceivedAt)
	for i := range b.Observations {
		o := b.Observations[i]
		o.Index = at(o.Index)
		if o.ReceivedAt.IsZero() {
			o.ReceivedAt = received
		}
		g.batch.Observations = append(g.batch.Observations, o)
	}
	for _, r := range b.Ignored {
		g.batch.Ignored = append(g.batch.Ignored, feeds.Refusal{Index: at(r.Index), Reason: r.Reason})
	}
	for _, r := range b.Rejected {
		g.batch.Rejected = append(g.batch.Rejected, feeds.Refusal{Index: at(r.Index), Reason: r.Reason})
	}
	g.meta, g.items, g.bytes = meta, g.items+items, g.bytes+bytes
}

// put stores what is gathered. It says nothing of how the feed fares now: nothing has come.
func (in *inlet) put(ctx context.Context, open *gathered) error {
	batch, meta, bytes := open.batch, open.meta, open.bytes
	*open = gathered{}
	if bytes == 0 {
		return nil
	}
	receipt, err := in.store(ctx, in.runner.sink, batch, meta)
	if err != nil {
		return err
	}
	in.runner.metrics.delivered(in.config.Name, "accepted", bytes)
	in.runner.metrics.items(in.config.Name, receipt)
	return nil
}
