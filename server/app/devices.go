package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"time"

	"kentongan/feeds/runner"
	"kentongan/feeds/transports/mqtt"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/authority"
	"kentongan/server/devices"
	"kentongan/server/people"
	"kentongan/server/wire"
)

// shownEvery is how often it is asked what keys and devices that are connected may still do.
const shownEvery = 500 * time.Millisecond

// openAuthority opens the house's own certificate authority, once.
func (a *App) openAuthority() error {
	if a.authority != nil {
		return nil
	}
	var err error
	if a.authority, err = authority.Open(filepath.Join(a.cfg.DataDir, "authority"), time.Now); err != nil {
		return err
	}
	a.log.Info().Str("root", a.authority.Mark()[:16]).Msg("certificate authority: servers of one store need the same folder data_dir/authority")
	return nil
}

// sameAuthority tells whether the servers of this store have one authority: else a gateway that one let in is a stranger to the other.
func (a *App) sameAuthority(ctx context.Context) error {
	if a.authority == nil {
		return nil
	}
	mark := a.authority.Mark()
	if err := a.rdb.SetNX(ctx, a.keys.Authority(), mark, 0).Err(); err != nil {
		return fmt.Errorf("certificate authority: %w", err)
	}
	kept, err := a.rdb.Get(ctx, a.keys.Authority()).Result()
	switch {
	case err != nil:
		return fmt.Errorf("certificate authority: %w", err)
	case kept != mark:
		return fmt.Errorf("certificate authority: another server of this store has %.16s, this one %.16s; copy its folder data_dir/authority here, or remove the key %s and let gateways enrol again", kept, mark, a.keys.Authority())
	}
	return nil
}

// newDevices opens the devices, which auth then knows.
func (a *App) newDevices() {
	a.devices = devices.New(devices.Deps{Redis: a.rdb, Keys: a.keys, Authority: a.authority, Filter: a.topicFilter, Person: a.carrier, Audit: a.record, Book: a.book, Now: time.Now})
	a.auth.Know(a.devices)
	a.auth.Owners(func(feed string) string {
		c, _ := a.feedSet.config(feed)
		return c.Agency
	})
	a.auth.Knows(func(feed string) bool {
		_, ok := a.feedSet.config(feed)
		return ok
	})
}

// topicFilter is the filter of a feed that is published to our broker.
func (a *App) topicFilter(feed string) (string, bool) {
	c, ok := a.feedSet.config(feed)
	if !ok || c.Transport != runner.MQTT || c.URL != "" || a.broker == nil {
		return "", false
	}
	return mqtt.Filter(c.Name, c.Topic), true
}

// carrier is the rights of the day of whoever carries a field device.
func (a *App) carrier(ctx context.Context, id string) ([]access.Grant, string, error) {
	p, err := a.people.Get(ctx, id)
	switch {
	case errors.Is(err, people.ErrNoPerson) || err == nil && p.Disabled:
		return nil, "", auth.ErrDenied
	case err != nil:
		return nil, "", fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	who := p.Subject()
	return who.Grants, who.Unit, nil
}

// watchShown holds everyone who is connected by a key or as a device against what these open at this moment, until ctx ends: a key that has
// ended ends its sockets, whatever word of another server was missed.
func (a *App) watchShown(ctx context.Context) error {
	if err := a.sameAuthority(ctx); err != nil { // its gateways stay out; all else goes on
		a.log.Error().Err(err).Msg("gateways that another server let in are not known here")
	}
	tick := time.NewTicker(shownEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		connected := map[string]bool{} // sessions
		a.hub.Review(func(who auth.Identity) (int, string) {
			if who.Via == auth.ViaKey || who.Via == auth.ViaDevice {
				connected[who.Session] = true
			}
			return 0, ""
		})
		ended, now := map[string]int{}, map[string]access.Subject{}
		for session := range connected {
			who, code := a.judgeShown(ctx, session)
			if code != 0 {
				ended[session] = code
			} else if who != nil {
				now[session] = *who
			}
		}
		a.hub.Review(func(who auth.Identity) (int, string) {
			if code := ended[who.Session]; code != 0 {
				return code, "what was shown opens this no longer"
			}
			if is, known := now[who.Session]; known && !reflect.DeepEqual(is, who.Who) {
				return wire.CloseChanged, "what was shown opens something else now" // it comes back, and what it may do is then what it may do now
			}
			return 0, ""
		})
	}
}

// judgeShown gives what a device may do now, as the hub keeps it of who is connected, or the code to close with; neither keeps. Where nobody can
// tell, whoever is here stays: the store is away, and rights with it.
func (a *App) judgeShown(ctx context.Context, session string) (*access.Subject, int) {
	key, device := auth.OfSession(session)
	if key != "" {
		if alive, err := a.auth.KeyAlive(ctx, key); err == nil && !alive {
			return nil, wire.ClosePolicy
		}
		return nil, 0
	}
	now, err := a.devices.Who(ctx, device)
	if errors.Is(err, auth.ErrDenied) {
		return nil, wire.ClosePolicy
	} else if err != nil {
		return nil, 0
	}
	now.ID, now.Feed = "", "" // who exactly it is makes no difference to reading
	return &now, 0
}
