package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/archive"
	"kentongan/feeds/runner"
	"kentongan/geo/moment"
	"kentongan/server/api"
)

// againLimit is how long one request may take deliveries again; whoever asks goes on from where it ended.
var againLimit = 3 * time.Second

// errLater ends a request in the midst of its span.
var errLater = errors.New("later")

// again takes deliveries of a feed that were refused once more, those that this server received in [from, to): a newer decoder, or a
// mended map, may read them. The act is audited before the first is taken.
func (a *App) again(ctx context.Context, feed string, from, to time.Time, who audit.Actor) (out api.Replayed, err error) {
	out.Reasons = map[string]int{}
	take := a.taker(feed)
	if take == nil || a.archive == nil {
		return out, fmt.Errorf("feed %q: %w", feed, runner.ErrUnknownFeed)
	}
	a.archive.Flush()
	paths, err := a.archive.Files(feed, from, to)
	if err != nil {
		return out, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	act := audit.Record{Actor: who.Subject, Agency: who.Agency, Action: "feed.replayed", Object: "feed:" + feed, Request: who.Request,
		Reason: "refused deliveries from " + moment.Of(from).String() + " to " + moment.Of(to).String()}
	if err := a.cases.Record(ctx, act); err != nil {
		return out, err
	}
	until := time.Now().Add(againLimit)
	for _, path := range paths {
		err := archive.Read(path, func(d archive.Delivery) error {
			if d.At.Before(from) || !d.At.Before(to) {
				return ctx.Err()
			}
			if time.Now().After(until) && d.At.After(from) { // also where nothing was refused: reading takes its time as well
				out.Next = &d.At
				return errLater
			}
			if d.Outcome != archive.Refused {
				return ctx.Err()
			}
			receipt, err := take(ctx, d)
			return out.Count(receipt, err)
		})
		switch {
		case errors.Is(err, errLater):
			return out, nil
		case errors.Is(err, archive.ErrTorn): // what was whole is taken
		case err != nil:
			return out, err
		}
	}
	return out, nil
}

// taker finds what takes a feed's deliveries again; nil: no feed has this name.
func (a *App) taker(feed string) func(context.Context, archive.Delivery) (feeds.Receipt, error) {
	for _, r := range []*runner.Runner{a.push, a.pull} {
		if _, ok := r.Keeps(feed); ok {
			return r.Again
		}
	}
	return nil
}
