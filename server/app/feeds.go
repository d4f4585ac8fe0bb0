package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/feeds/formats"
	"kentongan/feeds/runner"
)

// newFeeds builds two runners: pushes are taken by every server, polls and recordings run on one. The feeds of the store join those of the
// file.
func (a *App) newFeeds(ctx context.Context) error {
	var pushed, pulled []runner.FeedConfig
	for _, f := range a.cfg.Feeds {
		if f.Driven() {
			pushed = append(pushed, f)
		} else {
			pulled = append(pulled, f)
		}
	}
	var err1, err2 error
	a.push, err1 = runner.New(pushed, a.pipeline, a.feedOptions("push"))
	a.pull, err2 = runner.New(pulled, a.pipeline, a.feedOptions("pull"))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if err := a.sealFeeds(ctx); err != nil {
		return err
	}
	a.feedSet = newFeedSet(a)
	if err := a.feedSet.refresh(ctx); err != nil {
		return err
	}
	for _, feed := range append(a.push.Names(), a.pull.Names()...) {
		if err := a.quarantine.adopt(ctx, feed); err != nil {
			return err
		}
	}
	return nil
}

// feedOptions are what the house lends to the runner of a lane.
func (a *App) feedOptions(lane string) runner.Options {
	return runner.Options{Log: a.log, Registerer: prometheus.WrapRegistererWith(prometheus.Labels{"lane": lane}, a.reg), Now: time.Now, Remember: &memory{a.rdb, a.keys, time.Now},
		MaxBody: int64(a.cfg.Limits.Body), MaxInflated: int64(a.cfg.Limits.Inflated), MaxMessage: int(a.cfg.Limits.Message), Broker: a.broker,
		Formats: formats.New, Version: a.version, Contact: a.cfg.PublicURL, City: a.city(), Archive: a.archive, Keeper: a.quarantine, KeepRaw: a.cfg.Retention.Raw}
}

// deliver hands a push to its feed.
func (a *App) deliver(ctx context.Context, feed string, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	out, err := a.push.Deliver(ctx, feed, body, meta)
	if errors.Is(err, runner.ErrUnknownFeed) {
		return a.pull.Deliver(ctx, feed, body, meta)
	}
	return out, err
}

// feedStatus is the truth of every feed, whichever server drives it or is sent it.
func (a *App) feedStatus() []feeds.FeedStatus {
	out := append(a.push.Status(), a.pull.Status()...)
	if !a.alone() {
		out = a.states.of(a.push.Status(), a.pull.Status(), a.driven(), time.Now())
	}
	for i := range out {
		out[i].Source, out[i].Version = a.feedSet.source(out[i].Name)
	}
	slices.SortFunc(out, func(x, y feeds.FeedStatus) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// runFeeds runs until ctx ends. Pushes are taken by every server; each other feed is driven by the one that has its lease, and what it brings is
// refused once the lease has gone on.
func (a *App) runFeeds(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { a.feedSet.follow(ctx) })
	all.Go(func() { _ = a.push.Run(ctx) }) // it ends with ctx and gives no other error
	if a.alone() {
		all.Go(func() { _ = a.pull.Run(ctx) })
		return
	}
	all.Go(func() { a.contend(ctx) })
}

// contend tries for the lease of every feed that somebody must drive, also of those that come later, until ctx ends.
func (a *App) contend(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	trying := map[string]context.CancelFunc{}
	for {
		names := a.pull.Names()
		for feed, stop := range trying {
			if !slices.Contains(names, feed) {
				stop()
				delete(trying, feed)
			}
		}
		for _, feed := range names {
			if trying[feed] != nil {
				continue
			}
			ctx, stop := context.WithCancel(ctx)
			trying[feed] = stop
			all.Go(func() { a.drive(ctx, feed) })
		}
		select {
		case <-ctx.Done():
			for _, stop := range trying {
				stop()
			}
			return
		case <-a.feedSet.changed:
		}
	}
}

// drive drives one feed whenever its lease is to be had, until ctx ends.
func (a *App) drive(ctx context.Context, feed string) {
	willing := func() time.Duration { return a.states.willing(feed, len(a.driven()), time.Now()) }
	a.leases.keep(ctx, feedLease(feed), willing, func(ctx context.Context, f store.Fence) error {
		return a.pull.RunFeed(ctx, feed, a.pipeline.Via(a.cases.Fenced(f)))
	})
}

// agencyOf is whose a feed is; empty where nobody has said so.
func (a *App) agencyOf(feed string) string {
	for _, r := range []*runner.Runner{a.push, a.pull} {
		if r == nil {
			continue
		}
		if c, ok := r.Config(feed); ok {
			return c.Agency
		}
	}
	return ""
}
