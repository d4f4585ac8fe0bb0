package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/server/people"
	"kentongan/server/privacy"
)

// retainEvery is how often what was kept long enough is deleted.
const retainEvery = time.Hour

// newPrivacy opens the store of reporters, and says how long each class of data is kept.
func (a *App) newPrivacy() {
	a.reporters = privacy.NewReporters(a.rdb, a.keys, a.seal, a.profile.Zone, time.Now)
	r := a.cfg.Retention
	a.retention = privacy.NewRetention(a.rdb, a.keys, a.reporters, map[string]time.Duration{"readings": r.Readings, "raw": r.Raw, "alerts": r.Alerts, "incidents": r.Incidents, "reports": r.Reports,
		"reporters": r.Reporters, "words": r.Words}, time.Now, a.log, a.reg)
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
		return a.retention.Apply(ctx, change, approvedBy(c))
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
