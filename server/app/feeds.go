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

// newFeeds builds two runners: pushes are taken by every server, polls and recordings run on one.
func (a *App) newFeeds() error {
	a.quarantine = &quarantine{rdb: a.rdb, keys: a.keys, now: time.Now}
	var pushed, pulled []runner.FeedConfig
	for _, f := range a.cfg.Feeds {
		if f.Driven() {
			pushed = append(pushed, f)
			a.pushed[f.Name] = true
		} else {
			pulled = append(pulled, f)
		}
	}
	options := func(lane string) runner.Options {
		return runner.Options{Log: a.log, Registerer: prometheus.WrapRegistererWith(prometheus.Labels{"lane": lane}, a.reg), Now: time.Now, Remember: &memory{a.rdb, a.keys, time.Now},
			MaxBody: int64(a.cfg.Limits.Body), MaxInflated: int64(a.cfg.Limits.Inflated), MaxMessage: int(a.cfg.Limits.Message), Broker: a.broker, Formats: formats.New, Version: a.version, Contact: a.cfg.PublicURL, City: a.city(), Archive: a.archive, Keeper: a.quarantine, KeepRaw: a.cfg.Retention.Raw}
	}
	var err1, err2 error
	a.push, err1 = runner.New(pushed, a.pipeline, options("push"))
	a.pull, err2 = runner.New(pulled, a.pipeline, options("pull"))
	return errors.Join(err1, err2)
}

// deliver hands a push to its feed.
func (a *App) deliver(ctx context.Context, feed string, body []byte, meta feeds.Meta) (feeds.Outcome, error) {
	if a.pushed[feed] {
		return a.push.Deliver(ctx, feed, body, meta)
	}
	return a.pull.Deliver(ctx, feed, body, meta)
}

// feedStatus is the truth of every feed, whichever server drives it or is sent it.
func (a *App) feedStatus() []feeds.FeedStatus {
	out := append(a.push.Status(), a.pull.Status()...)
	if !a.alone() {
		out = a.states.of(a.push.Status(), a.pull.Status(), a.driven(), time.Now())
	}
	slices.SortFunc(out, func(x, y feeds.FeedStatus) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// runFeeds runs until ctx ends. Pushes are taken by every server; each other feed is driven by the one that has its lease, and what it brings is
// refused once the lease has gone on.
func (a *App) runFeeds(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { _ = a.push.Run(ctx) }) // it ends with ctx and gives no other error
	if a.alone() {
		all.Go(func() { _ = a.pull.Run(ctx) })
		return
	}
	for _, feed := range a.pull.Names() {
		all.Go(func() {
			willing := func() time.Duration { return a.states.willing(feed, len(a.driven()), time.Now()) }
			a.leases.keep(ctx, feedLease(feed), willing, func(ctx context.Context, f store.Fence) error {
				return a.pull.RunFeed(ctx, feed, a.pipeline.Via(a.cases.Fenced(f)))
			})
		})
	}
}
