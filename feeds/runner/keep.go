package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/archive"
	"kentongan/geo/moment"
)

// keep puts a delivery into the archive. A dry run is none, and neither is what was not stored: it comes again.
func (in *inlet) keep(body []byte, meta feeds.Meta, r feeds.Receipt, err error) {
	if meta.Dry || in.runner.opt.Archive == nil || in.runner.keeps(in.config) <= 0 {
		return
	}
	d := archive.Delivery{
		At: moment.Of(meta.ReceivedAt), StoredAt: moment.Of(r.StoredAt), Feed: in.config.Name, ContentType: meta.ContentType, Topic: meta.Topic, Peer: meta.Peer, URL: withoutQuery(meta.URL), Outcome: archive.Stored,
		Accepted: r.Accepted, Duplicates: r.Duplicates, Ignored: len(r.Ignored), Rejected: len(r.Rejected), Body: body,
	}
	switch {
	case err != nil && !errors.Is(err, feeds.ErrPermanent):
		return
	case err != nil:
		d.Outcome, d.Reason = archive.Refused, err.Error()
	case r.Barren():
		d.Outcome, d.Reason = archive.Refused, r.Rejected[0].Reason
	case len(r.Rejected) > 0:
		d.Reason = r.Rejected[0].Reason
	}
	in.runner.opt.Archive.Keep(d)
}

// HouseKeeps is what keep: says where it says nothing: as long as the house keeps raw bytes.
const HouseKeeps = -1

// personal are the formats whose bytes name the people who report: they are kept only where the feed itself says so.
var personal = []string{"open311", "petabencana"}

// Personal tells whether deliveries of a format may name the people who report.
func Personal(format string) bool { return slices.Contains(personal, format) }

// keeps tells how long the bytes of a feed are kept; 0: not at all. What is recorded or invented is not.
func (r *Runner) keeps(c FeedConfig) time.Duration {
	switch {
	case c.Keep != HouseKeeps:
		return c.Keep
	case c.Transport == Simulator || c.Transport == File && !c.Watch || Personal(c.Format):
		return 0
	}
	return r.opt.KeepRaw
}

// Keeps tells how long raw bytes of a feed are kept; ok is false where no feed has this name.
func (r *Runner) Keeps(feed string) (d time.Duration, ok bool) {
	in, ok := r.inlet(feed)
	if !ok {
		return 0, false
	}
	return r.keeps(in.config), true
}

// Again takes a delivery out of the archive once more, as if it came at the time at which it came; what becomes of it is not archived a
// second time, ends nothing that it does not name, and says nothing of how the feed fares now. Errors: those of Deliver.
func (r *Runner) Again(ctx context.Context, d archive.Delivery) (feeds.Receipt, error) {
	in, leave, err := r.enter(ctx, d.Feed)
	if err != nil {
		return feeds.Receipt{}, err
	}
	defer leave()
	meta := feeds.Meta{ContentType: d.ContentType, Topic: d.Topic, Peer: d.Peer, URL: d.URL, ReceivedAt: d.At.Time, Past: true}
	out, err := in.take(ctx, r.sink, d.Body, in.fill(meta))
	return out.Receipt, err
}

// Reread reads a delivery out of the archive as its feed reads today, judges nothing and stores nothing. Errors: ErrUnknownFeed, and
// feeds.ErrPermanent where the bytes are refused.
func (r *Runner) Reread(ctx context.Context, d archive.Delivery) (Tried, error) {
	in, ok := r.inlet(d.Feed)
	if !ok {
		return Tried{}, fmt.Errorf("feed %q: %w", d.Feed, ErrUnknownFeed)
	}
	seen := &seer{}
	meta := feeds.Meta{ContentType: d.ContentType, Topic: d.Topic, Peer: d.Peer, URL: d.URL, ReceivedAt: d.At.Time, Dry: true}
	out, err := in.take(ctx, seen, d.Body, in.fill(meta))
	return Tried{Batch: seen.batch, Receipt: out.Receipt}, err
}
