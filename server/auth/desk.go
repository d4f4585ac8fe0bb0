package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/people"
)

// Staff is who sits at a desk.
type Staff struct {
	Desk    string      `json:"desk"`
	Subject string      `json:"subject"`
	Name    string      `json:"name"`
	SeenAt  moment.Time `json:"seen_at"`
}

// SetDesk moves a session to a desk; empty: to none. Errors: ErrDenied where the session has ended, ErrUnavailable.
func (a *Auth) SetDesk(ctx context.Context, id Identity, desk string) error {
	k, err := a.session(ctx, id.Session)
	if err != nil {
		return err
	}
	k.Desk = desk
	doc, err := json.Marshal(k)
	if err != nil {
		return err
	}
	// Only where it is there still: a session that ended in between stays ended.
	if err := a.rdb.SetArgs(ctx, a.keys.Session(id.Session), doc, redis.SetArgs{Mode: "XX", KeepTTL: true}).Err(); errors.Is(err, redis.Nil) {
		return ErrDenied
	} else if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, sessionsOfStore, err)
	}
	return nil
}

// Sitting is who holds a session at this moment, at the desk where they sit now; the session is known by its hash. Errors: ErrDenied,
// ErrUnavailable.
func (a *Auth) Sitting(ctx context.Context, session string) (Identity, error) {
	k, err := a.session(ctx, session)
	if err != nil {
		return Identity{}, err
	}
	id, err := a.holder(ctx, k)
	if err == nil && id.Desk == "" && id.Can(access.StaffDesk) {
		id.Desk = k.Desk
	}
	return id, err
}

// Staffed lists who sits at a desk and was seen since, by a request or a live socket. Errors: ErrUnavailable.
func (a *Auth) Staffed(ctx context.Context, since time.Time) ([]Staff, error) {
	hashes, err := a.rdb.ZRangeByScore(ctx, a.keys.SessionSeen(), &redis.ZRangeBy{Min: milli(since), Max: "+inf"}).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnavailable, sessionsOfStore, err)
	}
	list, err := a.shown(ctx, hashes)
	var out []Staff
	for _, s := range list {
		if s.Desk != "" {
			out = append(out, Staff{s.Desk, s.subject, s.name, s.SeenAt})
		}
	}
	return out, err
}

// unseal notes that a break-glass code is used: the log, the audit log and every screen say so until an administrator has sealed it again. It is
// kept before the session is: no use goes unseen.
func (a *Auth) unseal(ctx context.Context, p people.Person, k kept) error {
	a.log.Error().Str("login", p.Login).Str("client", k.Address).Msg("BREAK GLASS: a sealed account is used")
	if _, err := a.people.Change(ctx, p.ID, 0, func(p *people.Person) error { p.UnsealedAt = moment.Of(a.now()); return nil }); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return a.recordKey(ctx, Act{Actor: Of(p.Subject(), p.Name, a.now()), Action: "break_glass.used", Object: "person:" + p.ID, From: k.Address, Reason: "its code must be sealed again"})
}
