package app

import (
	"context"
	"time"

	"kentongan/alerts/audit"
	"kentongan/server/people"
)

// newPeople opens the accounts, and what two of them must agree on.
func (a *App) newPeople() {
	a.people = people.NewStore(a.rdb, a.keys, time.Now)
	a.changes = people.NewChanges(a.people, func(ctx context.Context, act people.Acted) error {
		return a.cases.Record(ctx, audit.Record{Actor: act.By, Action: act.Action, Object: act.Object, Reason: act.Reason})
	}, time.Now)
}
