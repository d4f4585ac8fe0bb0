package app

import (
	"context"
	"errors"
	"time"

	"kentongan/alerts/store"
)

// statusSettings is what the profile says of the area's status.
func (a *App) statusSettings() store.StatusSettings {
	p := a.profile
	return store.StatusSettings{Rules: p.StatusRules, Levels: p.StatusLevels(), Scales: p.StatementScales(), LowerAfter: p.Levels.LowerAfter}
}

// announced lets plans begin and end, and official statements expire.
func (a *App) announced(ctx context.Context, cases *store.Store) {
	now := time.Now()
	_, plans := cases.TickPlans(ctx, now)
	_, statements := cases.ExpireStatements(ctx, now)
	if err := errors.Join(plans, statements); err != nil && ctx.Err() == nil {
		a.log.Warn().Err(err).Msg("plans and statements do not follow the clock yet")
	}
}
