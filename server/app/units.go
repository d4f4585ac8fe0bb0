package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/recommend"
	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/server/api"
	"kentongan/server/router"
)

// importUnits takes the profile's roster into the store.
func (a *App) importUnits(ctx context.Context) error {
	var roster []unit.Unit
	for _, p := range a.profile.Units {
		d := unit.Draft{Agency: p.Agency, CallSign: p.CallSign, Name: p.Name, Capabilities: p.Capabilities, Example: p.Example,
			Post: &unit.Post{Name: p.Post.Name, Lng: p.Post.Lng, Lat: p.Post.Lat}}
		u, err := d.Unit(nil, time.Now()) // the profile has been checked
		if err != nil {
			return fmt.Errorf("unit %s of the profile: %w", p.ID(), err)
		}
		roster = append(roster, u)
	}
	_, err := a.cases.ImportUnits(ctx, roster, audit.Actor{Subject: "house:profile"})
	return err
}

// dispatching makes the reader that lets offers run out; it proposes by the same ranking that a dispatcher sees.
func (a *App) dispatching(cases *store.Store) func() store.Reader {
	return func() store.Reader {
		return cases.DispatchReader(func(ctx context.Context, in *incident.Incident, without []string) (string, error) {
			units, err := cases.Units(ctx)
			if err != nil {
				return "", err
			}
			units = a.places.Fill(units, time.Now())
			answer, err := api.Recommend(in, units, without, time.Now(), a.roads().Routes(ctx, in, units, router.Most, time.Now()))
			if errors.Is(err, api.ErrUnplaced) || err == nil && len(answer.Items) == 0 {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			return first(answer), nil
		}, func(u unit.Unit) time.Time { return a.places.Seen(u, time.Now()).Time })
	}
}

// first is the best candidate that is capable; empty: none is.
func first(a recommend.Answer) string {
	for _, c := range a.Items {
		if c.Capable {
			return c.Unit.ID
		}
	}
	return ""
}

// roads is the router of the configuration; nil: there is none.
func (a *App) roads() api.Roads {
	if a.router == nil {
		return nil
	}
	return a.router.Table
}
