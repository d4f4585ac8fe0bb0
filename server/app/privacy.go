package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/server/api"
	"kentongan/server/people"
	"kentongan/server/privacy"
	"kentongan/server/public"
)

// retainEvery is how often what was kept long enough is deleted.
const retainEvery = time.Hour

// newPrivacy opens the store of reporters, and says how long each class of data is kept.
func (a *App) newPrivacy() {
	a.reporters = privacy.NewReporters(a.rdb, a.keys, a.seal, a.profile.Zone, time.Now)
	a.public = public.NewWindow(public.Options{Resolution: public.MostResolution, Delay: a.cfg.Public.Delay, Together: a.cfg.Public.Together, Kinds: a.cfg.Public.Kinds})
	r := a.cfg.Retention
	a.retention = privacy.NewRetention(a.rdb, a.keys, a.reporters, map[string]time.Duration{"readings": r.Readings, "raw": r.Raw, "alerts": r.Alerts, "incidents": r.Incidents, "reports": r.Reports,
		"reporters": r.Reporters, "words": r.Words}, time.Now, a.log, a.reg)
}

// personal are the rooms of personal data as the interface has them.
func (a *App) personal() *api.Privacy {
	return &api.Privacy{Reporters: a.reporters, Retention: a.retention, Eraser: a.eraser(), Record: a.cases.Record, Public: a.public,
		Breach: func(ctx context.Context, b privacy.Breach) (privacy.BreachNotice, error) {
			return a.retention.Breach(ctx, a.cases, b)
		}}
}

func (a *App) eraser() *privacy.Eraser {
	return &privacy.Eraser{Reporters: a.reporters, Cases: a.cases, Purge: a.purge, Compact: a.compact}
}

// purge removes what is kept of a feed as it came, from a time on: raw bytes, and samples in its quarantine.
func (a *App) purge(ctx context.Context, feed string, from time.Time) (int, error) {
	n, err := a.purgeRaw(feed, from)
	if err != nil {
		return n, err
	}
	m, err := a.quarantine.strip(ctx, feed, from)
	return n + m, err
}

// purgeRaw removes the raw bytes of a feed from the hour on in which something came that is to be forgotten: a feed that is polled says it again
// and again. Other servers have archives of their own (DECISIONS 189).
func (a *App) purgeRaw(feed string, from time.Time) (int, error) {
	if a.archive == nil {
		return 0, nil
	}
	a.archive.Flush()
	files, err := a.archive.Files(feed, from, time.Now())
	if err != nil {
		return 0, fmt.Errorf("raw bytes of feed %s: %w", feed, err)
	}
	for i, path := range files {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return i, fmt.Errorf("raw bytes of feed %s: %w", feed, err)
		}
	}
	return len(files), nil
}

// compact lets our own store write its append-only file anew: it would keep what was deleted until it does so by itself. An outside store is its
// keeper's.
func (a *App) compact(ctx context.Context) error {
	if !a.alone() || a.embedded.Volatile() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, rewriteWait)
	defer cancel()
	for { // a rewrite that goes on may have begun before what is deleted now was
		err := a.rdb.BgRewriteAOF(ctx).Err()
		if err == nil || !strings.Contains(err.Error(), "already in progress") {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// rewriteWait is how long an erasure waits for a rewrite of the append-only file that began before it.
const rewriteWait = 30 * time.Second

// watchPublic remembers where vehicles of public transport were, until that is old enough to be shown.
func (a *App) watchPublic(ctx context.Context) error {
	tick := time.NewTicker(public.Step)
	defer tick.Stop()
	for {
		var things []public.Thing
		for e := range a.picture.All {
			if !e.Placed || !slices.Contains(a.public.Options().Kinds, e.Kind) {
				continue
			}
			if t := feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell); t != nil {
				things = append(things, public.Thing{ID: t.ID, Kind: t.Kind, Position: t.Position, At: t.At.Time, Simulated: t.Simulated})
			}
		}
		a.public.Take(things, time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// keepReporters keeps who gave the reports of a delivery.
func (a *App) keepReporters(ctx context.Context, who map[string]feeds.Reporter) error {
	list := make([]privacy.Of, 0, len(who))
	for id, r := range who {
		list = append(list, privacy.Of{Report: id, Reporter: r})
	}
	return a.reporters.Put(ctx, list...)
}

// onChanges says how changes are applied that two persons agreed on.
func (a *App) onChanges() {
	a.changes.On("retention", func(ctx context.Context, doc json.RawMessage, c people.Change) error {
		var change privacy.Change
		if err := json.Unmarshal(doc, &change); err != nil {
			return fmt.Errorf("change %s: %w", c.ID, err)
		}
		by := approvedBy(c)
		rule, err := a.retention.Rule(ctx, change.Class)
		if err == nil && rule.ChangedAt.After(c.DecidedAt.Time) { // it is applied late
			if rule.KeepDays == float64(change.Days) && slices.Equal(rule.ChangedBy, by) {
				return nil
			}
			return people.ErrStale
		}
		return a.retention.Apply(ctx, change, by)
	})
	a.changes.On("erasure", func(ctx context.Context, doc json.RawMessage, c people.Change) error {
		var what privacy.Erasure
		if err := json.Unmarshal(doc, &what); err != nil {
			return fmt.Errorf("change %s: %w", c.ID, err)
		}
		done, err := a.eraser().Do(ctx, what, audit.Actor{Subject: c.DecidedBy})
		a.log.Info().Str("component", "privacy").Str("change", c.ID).Int("reports", len(done.Reports)).Int("reporters", done.Reporters).Err(err).Msg("erased")
		return err
	})
}

// approvedBy lists who proposed a change and who approved it.
func approvedBy(c people.Change) []string {
	if c.DecidedBy == "" || c.DecidedBy == c.ProposedBy {
		return []string{c.ProposedBy}
	}
	return []string{c.ProposedBy, c.DecidedBy}
}

// retain deletes what was kept long enough.
func (a *App) retain(ctx context.Context, cases *store.Store) {
	if _, err := a.retention.Run(ctx, cases); err != nil && ctx.Err() == nil {
		a.log.Warn().Str("component", "retention").Str("err", strings.ReplaceAll(err.Error(), "\n", "; ")).Msg("not everything whose time is over is deleted yet")
	}
}
