package app

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"time"

	"kentongan/alerts/audit"
	"kentongan/server/auth"
	"kentongan/server/oidc"
	"kentongan/server/people"
	"kentongan/server/wire"
)

// Times of watching who is connected.
const (
	reviewEvery = 500 * time.Millisecond
	seenSockets = 30 * time.Second // how often live sockets count as seen; what is written is to the minute
)

// newPeople opens the accounts, and what two of them must agree on.
func (a *App) newPeople() {
	a.people = people.NewStore(a.rdb, a.keys, time.Now)
	a.people.Book(a.book)
	a.factors = people.NewFactors(a.people, a.seal, a.profile.Name)
	if a.cfg.OIDC.On() {
		a.oidc = oidc.New(a.cfg.OIDC, oidc.Deps{Store: a.rdb, Keys: a.keys, Seal: a.seal, Now: time.Now, Log: a.log})
	}
	a.changes = people.NewChanges(a.people, func(ctx context.Context, act people.Acted) error {
		return a.cases.Record(ctx, audit.Record{Actor: act.By, Action: act.Action, Object: act.Object, Reason: act.Reason})
	}, time.Now)
}

// watchPeople holds everyone who is connected against the accounts of the moment, until ctx ends: whose rights have changed comes back to learn
// them, whoever may not be here any more does not. It asks the store once each time, and every server does it: no word of another can be missed.
// A right that ends by its time ends here too.
func (a *App) watchPeople(ctx context.Context) error {
	tick := time.NewTicker(reviewEvery)
	defer tick.Stop()
	var told time.Time
	var mark string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := a.auth.Look(ctx)
		if err != nil {
			continue // who is here stays: the store is away, and rights with it
		}
		if now != mark {
			if err := a.readUnsealed(ctx); err != nil {
				a.log.Warn().Err(err).Msg("whether a sealed account was used is not known")
				continue
			}
			mark = now
		}
		var sessions []string
		var connected []auth.Identity
		a.hub.Review(func(who auth.Identity) (int, string) {
			if who.Via == auth.ViaSession {
				sessions = append(sessions, who.Session)
			}
			if who.Person != "" || who.Setup {
				connected = append(connected, who)
			}
			return 0, ""
		})
		a.judgeConnected(ctx, connected)
		if time.Since(told) > seenSockets {
			told = time.Now()
			a.auth.Seen(ctx, sessions)
		}
	}
}

// judgeConnected ends connections whose rights are others now.
func (a *App) judgeConnected(ctx context.Context, connected []auth.Identity) {
	type verdict struct {
		code   int
		reason string
	}
	verdicts := map[string]verdict{} // by session
	for _, who := range connected {
		if _, done := verdicts[who.Session]; done {
			continue
		}
		switch now, err := a.auth.Now(ctx, who); {
		case err != nil: // the store: asked again
		case now.Subject == "":
			verdicts[who.Session] = verdict{wire.ClosePolicy, "signed out"}
		case !slices.Equal(now.Rights, who.Rights) || !reflect.DeepEqual(now.Who, who.Who):
			verdicts[who.Session] = verdict{wire.CloseChanged, "your rights have changed"}
		}
	}
	if len(verdicts) == 0 {
		return
	}
	a.hub.Review(func(who auth.Identity) (int, string) {
		v := verdicts[who.Session]
		return v.code, v.reason
	})
}

// readUnsealed finds sealed accounts that were used, for the warning that every screen shows.
func (a *App) readUnsealed(ctx context.Context) error {
	list, err := a.people.List(ctx)
	if err != nil {
		return err
	}
	var used time.Time
	for _, p := range list {
		if p.UnsealedAt.After(used) {
			used = p.UnsealedAt.Time
		}
	}
	a.unsealed.Store(&used)
	return nil
}

// breakGlass is the warning of /readyz, which strangers read too: it names nobody.
func (a *App) breakGlass() string {
	used := a.unsealed.Load()
	if used == nil || used.IsZero() {
		return ""
	}
	return fmt.Sprintf("BREAK GLASS: a sealed account was used at %s; an administrator must seal it again", used.UTC().Format(time.RFC3339))
}

// SetupLink makes the one-time link of a house that no administrator can sign in to; empty: one can. Its session ends as soon as one can.
func (a *App) SetupLink(ctx context.Context) (string, error) {
	led, err := a.auth.Led(ctx)
	if err != nil || led {
		return "", err
	}
	code, err := a.auth.SetupLink(ctx)
	return a.linkOf(code), err
}

// SignInLink makes a one-time link that signs in with every right, whoever else can: whoever starts the process has asked for it.
func (a *App) SignInLink(ctx context.Context) (string, error) {
	code, err := a.auth.SignInLink(ctx, auth.Admin())
	return a.linkOf(code), err
}

func (a *App) linkOf(code string) string {
	return a.BaseURL() + "/login?code=" + url.QueryEscape(code) + "&next=/wall"
}
