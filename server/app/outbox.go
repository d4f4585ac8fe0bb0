package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/alerts/audit"
	"kentongan/alerts/ladder"
	"kentongan/alerts/notify"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/outbox"
	"kentongan/server/people"
	"kentongan/server/scope"
)

// newOutbox builds what sends messages out of the house.
func (a *App) newOutbox() {
	cfg := a.cfg.Outbox
	if cfg.Contact == "" && strings.HasPrefix(a.cfg.PublicURL, "https://") {
		cfg.Contact = a.cfg.PublicURL
	}
	a.outbox = outbox.New(outbox.Deps{Store: a.rdb, Keys: a.keys, Seal: a.seal, Config: cfg, Holder: a.holder, Version: a.version, Now: time.Now, Log: a.log})
}

// holder is whose browser takes a push, as of now. An account that may not enter and a device that was revoked hold none.
func (a *App) holder(ctx context.Context, s *notify.Subscription) (access.Subject, error) {
	if s.Device != "" {
		who, err := a.devices.Who(ctx, s.Device)
		if errors.Is(err, auth.ErrDenied) {
			return access.Subject{}, nil
		}
		return who, err
	}
	p, err := a.people.Get(ctx, s.Person)
	if errors.Is(err, people.ErrNoPerson) || err == nil && p.Disabled {
		return access.Subject{}, nil
	}
	return p.Subject(), err
}

// sending makes the reader that turns changes of the cases into messages.
func (a *App) sending(cases *store.Store) func() store.Reader {
	return func() store.Reader { return cases.OutboxReader(a.outbox.Compose, a.outbox.Poke) }
}

// climbing makes the reader that lets alarms climb which nobody has seen.
func (a *App) climbing(cases *store.Store) func() store.Reader {
	return func() store.Reader {
		return cases.LadderReader(store.Climbing{Config: a.cfg.Ladder, Desks: a.staffedDesks})
	}
}

// painted notes which alarms a desk has drawn before somebody's eyes. Whoever sits at no desk, or may not work alarms, sees for nobody.
func (a *App) painted(ctx context.Context, session string, alarms []string) error {
	now, err := a.auth.Sitting(ctx, session)
	if err != nil {
		return err
	}
	if !now.Can(access.ActAlarms) {
		return ladder.ErrNoDesk
	}
	at := time.Now()
	return a.cases.Paint(ctx, alarms, now.Desk, audit.Actor{Subject: now.Subject, Agency: now.Agency}, func(al *alarm.Alarm) bool {
		return now.May(access.ActAlarms, scope.Alarm(al), at).Allowed()
	})
}
