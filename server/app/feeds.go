package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
	"kentongan/feeds/formats"
	"kentongan/feeds/runner"
)

// The lease under which one server at a time drives the feeds that ask outside.
const (
	leaseName  = "feeds"
	leaseTime  = 30 * time.Second
	leaseRenew = 8 * time.Second
)

// newFeeds builds two runners: pushes are taken by every server, polls and recordings run on one.
func (a *App) newFeeds() error {
	var pushed, pulled []runner.FeedConfig
	for _, f := range a.cfg.Feeds {
		if f.Transport == runner.Push {
			pushed = append(pushed, f)
			a.pushed[f.Name] = true
		} else {
			pulled = append(pulled, f)
		}
	}
	options := func(lane string) runner.Options {
		return runner.Options{Log: a.log, Registerer: prometheus.WrapRegistererWith(prometheus.Labels{"lane": lane}, a.reg), Now: time.Now,
			MaxBody: int64(a.cfg.Limits.Body), MaxInflated: int64(a.cfg.Limits.Inflated), Formats: formats.New, Version: a.version, Contact: a.cfg.PublicURL}
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

func (a *App) feedStatus() []feeds.FeedStatus {
	out := append(a.push.Status(), a.pull.Status()...)
	slices.SortFunc(out, func(x, y feeds.FeedStatus) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// runFeeds runs until ctx ends. The embedded store is ours alone, so nobody else can hold the lease there.
func (a *App) runFeeds(ctx context.Context) {
	done := make(chan struct{})
	go func() { defer close(done); _ = a.push.Run(ctx) }() // it ends with ctx and gives no other error
	defer func() { <-done }()
	if a.embedded != nil {
		_ = a.pull.Run(ctx)
		return
	}
	me := ulid.Make().String()
	for ctx.Err() == nil {
		if a.lease(ctx, me) {
			a.log.Info().Msg("this server drives the feeds")
			a.runLeased(ctx, me)
		}
		select {
		case <-ctx.Done():
		case <-time.After(leaseRenew):
		}
	}
}

// runLeased drives the feeds while the lease holds. The lease is left behind at the end, so that another server need not wait for its end.
func (a *App) runLeased(ctx context.Context, me string) {
	held, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); _ = a.pull.Run(held) }()
	renewed := time.Now()
	for held.Err() == nil {
		select {
		case <-held.Done():
		case <-time.After(leaseRenew):
			if a.lease(held, me) {
				renewed = time.Now()
			} else if time.Since(renewed) > leaseTime-leaseRenew {
				a.log.Warn().Msg("another server drives the feeds now, or the store does not answer")
				cancel()
			}
		}
	}
	<-done
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer stop()
	if who, err := a.rdb.Get(late, a.keys.Lease(leaseName)).Result(); err == nil && who == me {
		_ = a.rdb.Del(late, a.keys.Lease(leaseName)).Err() // if it fails the lease ends by itself
	}
}

// lease takes or renews the lease.
func (a *App) lease(ctx context.Context, me string) bool {
	key := a.keys.Lease(leaseName)
	if ok, err := a.rdb.SetNX(ctx, key, me, leaseTime).Result(); err == nil && ok {
		return true
	}
	who, err := a.rdb.Get(ctx, key).Result()
	if err != nil || who != me {
		return false
	}
	err = a.rdb.SetArgs(ctx, key, me, redis.SetArgs{Mode: "XX", TTL: leaseTime}).Err()
	return err == nil
}
