package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/book"
	"kentongan/server/people"
)

// resetTime is how long a code lives that somebody was given by a witness.
const resetTime = 15 * time.Minute

// What a code that counts once is for.
const (
	linkSetup  = "setup"  // every right, until an administrator can sign in
	linkOpen   = "open"   // every right, as long as a session lasts: whoever starts the process asked for it
	linkInvite = "invite" // a new account's first password
	linkReset  = "reset"  // another password, made by a witness
)

// coded is what the store holds of a code that counts once.
type coded struct {
	V       int       `json:"v"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject,omitempty"`
	Name    string    `json:"name,omitempty"`
	Person  string    `json:"person,omitempty"`
	Version int64     `json:"version,omitempty"` // of the account when the code was made, with reset
	Drop    bool      `json:"drop,omitempty"`    // second factors go too
	By      string    `json:"by,omitempty"`      // whoever made it
	Expires time.Time `json:"expires"`
}

// SetupLink makes the code of the first link: every right, until an administrator can sign in. Only its hash is stored.
func (a *Auth) SetupLink(ctx context.Context) (string, error) {
	return a.makeCode(ctx, coded{Kind: linkSetup, Subject: Admin().Subject, Name: Admin().Name}, keyspace.SignInLifetime)
}

// SignInLink makes a code that signs in once as the identity, which has every right, within keyspace.SignInLifetime.
func (a *Auth) SignInLink(ctx context.Context, id Identity) (string, error) {
	return a.makeCode(ctx, coded{Kind: linkOpen, Subject: id.Subject, Name: id.Name}, keyspace.SignInLifetime)
}

// Invite makes the code with which a new account gets its first password, within keyspace.SignInLifetime. Errors: ErrUnavailable.
func (a *Auth) Invite(ctx context.Context, p people.Person, by string) (string, error) {
	return a.makeCode(ctx, coded{Kind: linkInvite, Person: p.ID, By: by}, keyspace.SignInLifetime)
}

// ResetCode makes the code by which somebody gets in again, in groups that can be read aloud. drop: their second factors are lost and go.
// It is for 15 minutes and for the account as it is now. by is the witness's subject. Errors: ErrUnavailable.
func (a *Auth) ResetCode(ctx context.Context, p people.Person, drop bool, by, name string) (code string, until time.Time, err error) {
	code, until = people.ReadableCode(10), a.now().Add(resetTime).UTC() // 80 bits: enough for 15 minutes
	c := coded{V: 1, Kind: linkReset, Person: p.ID, Version: p.Version, Drop: drop, By: by, Name: name, Expires: until}
	return code, until, a.keepCode(ctx, people.PlainCode(code), c, resetTime)
}

// SealPerson gives a break-glass account another code, in groups that can be read off paper. The old one opens nothing from now on, and sessions
// by it end. Errors: people.ErrNoPerson, ErrBusy; any other: the store.
func (a *Auth) SealPerson(ctx context.Context, id string) (people.Person, string, error) {
	code := people.SealedCode()
	phc, err := a.hasher.Hash(ctx, people.PlainCode(code))
	if err != nil {
		return people.Person{}, "", busy(err)
	}
	p, err := a.people.Change(ctx, id, 0, func(p *people.Person) error {
		p.Password, p.UnsealedAt = phc, moment.Time{}
		return nil
	})
	if err != nil {
		return p, "", err
	}
	return p, code, a.EndPerson(ctx, p.ID, "", Act{Reason: "the account has another code"})
}

func (a *Auth) makeCode(ctx context.Context, c coded, life time.Duration) (string, error) {
	code, err := secret()
	if err != nil {
		return "", err
	}
	c.V, c.Expires = 1, a.now().Add(life).UTC()
	return code, a.keepCode(ctx, code, c, life)
}

func (a *Auth) keepCode(ctx context.Context, code string, c coded, life time.Duration) error {
	doc, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := a.rdb.Set(ctx, a.keys.SignIn(hash(code)), doc, life).Err(); err != nil {
		return fmt.Errorf("%w: keep a code: %w", ErrUnavailable, err)
	}
	return nil
}

// plain is a code as it is hashed: that of a link as it is, one that is read aloud without its groups.
func plain(code string) string {
	if wellFormed(code) {
		return code
	}
	return people.PlainCode(code)
}

// takeCode takes a code out of the store: of two who show it one gets it. Errors: ErrDenied, ErrUnavailable.
func (a *Auth) takeCode(ctx context.Context, code string) (coded, error) {
	code = plain(code)
	if len(code) < 16 || len(code) > 64 {
		return coded{}, ErrDenied
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	raw, err := a.rdb.GetDel(ctx, a.keys.SignIn(hash(code))).Bytes()
	if errors.Is(err, redis.Nil) {
		return coded{}, ErrDenied
	}
	if err != nil {
		return coded{}, fmt.Errorf("%w: codes: %w", ErrUnavailable, err)
	}
	var c coded
	if err := json.Unmarshal(raw, &c); err != nil || c.V != 1 || !a.now().Before(c.Expires) {
		return coded{}, ErrDenied
	}
	return c, nil
}

// Exchange takes a code of a link out of the store and opens a session for whom it stands. An invitation opens one that may do nothing but set
// a password. Errors: ErrDenied, ErrUnavailable.
func (a *Auth) Exchange(ctx context.Context, r *http.Request, code string) (Identity, string, error) {
	c, err := a.takeCode(ctx, code)
	if err != nil {
		return Identity{}, "", err
	}
	switch c.Kind {
	case linkSetup, linkOpen:
		id := Admin()
		id.Subject, id.Who.ID, id.Name = c.Subject, c.Subject, c.Name
		if c.Kind == linkSetup {
			if led, err := a.led(ctx); err != nil || led {
				return Identity{}, "", errors.Join(err, deniedUnless(err))
			}
		}
		session, err := a.Open(ctx, r, id, "by one-time link", c.Kind == linkSetup)
		id.Via = ViaSession
		return id, session, err
	case linkInvite:
		p, err := a.invited(ctx, c)
		if err != nil {
			return Identity{}, "", err
		}
		return a.OpenFor(ctx, r, p, "by invitation", Opening{})
	}
	return Identity{}, "", ErrDenied
}

// deniedUnless is ErrDenied where nothing worse has happened.
func deniedUnless(err error) error {
	if err == nil {
		return ErrDenied
	}
	return nil
}

// invited is the account of an invitation, which is worth nothing once there is another way in.
func (a *Auth) invited(ctx context.Context, c coded) (people.Person, error) {
	p, err := a.people.Get(ctx, c.Person)
	if errors.Is(err, people.ErrNoPerson) || err == nil && (p.Disabled || p.CanEnter()) {
		return people.Person{}, ErrDenied
	} else if err != nil {
		return people.Person{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return p, nil
}

// Redeem sets the password that an invitation or a witness's code allows, and ends all sessions of the account. A password that cannot be
// leaves the code as it was. Errors: *people.Fault, ErrDenied, ErrBusy, ErrUnavailable.
func (a *Auth) Redeem(ctx context.Context, r *http.Request, code, password string) (people.Person, error) {
	if err := people.CheckPassword(password, people.Person{}); err != nil {
		return people.Person{}, err
	}
	if err := a.take(ctx, []counter{{"address " + a.ClientIP(r), "address"}}); err != nil {
		return people.Person{}, err
	}
	c, err := a.takeCode(ctx, code)
	if err != nil {
		return people.Person{}, err
	}
	if c.Kind != linkInvite && c.Kind != linkReset {
		return people.Person{}, ErrDenied
	}
	var p people.Person
	if c.Kind == linkInvite {
		if p, err = a.invited(ctx, c); err != nil {
			return p, err
		}
	} else if p, err = a.people.Get(ctx, c.Person); errors.Is(err, people.ErrNoPerson) || err == nil && (p.Disabled || p.Version != c.Version) {
		return p, ErrDenied
	} else if err != nil {
		return p, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	how := "by invitation of " + c.By
	if c.Kind == linkReset {
		how = "with " + c.Name + " (" + c.By + ") as witness"
		if c.Drop {
			how += ", without the second factors"
		}
	}
	act := Act{Actor: Of(p.Subject(), p.Name, a.now()), Action: "password.changed", Object: "person:" + p.ID, From: a.ClientIP(r), Reason: how}
	if p, err = a.setPassword(ctx, p, password, c, act); err != nil {
		left := c.Expires.Sub(a.now())
		return p, errors.Join(err, a.keepCode(ctx, plain(code), c, max(left, time.Second)))
	}
	return p, a.EndPerson(ctx, p.ID, "", Act{Actor: act.Actor, From: act.From, Reason: "the password was changed"})
}

// ErrElevate means that somebody must show again who they are: HTTP answers 403.
var ErrElevate = errors.New("show again who you are")

// ChangePassword sets the password of somebody who is signed in and whose old one was right, or who had none. All other sessions of theirs
// end. Whoever comes in by other ways must have shown it lately: a browser that was left open must not become a way of its own. Errors:
// *people.Fault, ErrDenied where the old one is wrong, ErrElevate, *LockedError, ErrBusy, ErrUnavailable.
func (a *Auth) ChangePassword(ctx context.Context, r *http.Request, id Identity, old, password string) error {
	p, err := a.people.Get(ctx, id.Person)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	switch {
	case p.BreakGlass:
		return &people.Fault{Field: "new", Reason: "a sealed account has the code of its envelope, which an administrator makes"}
	case p.Password != "":
		if err := a.verify(ctx, r, p, old); err != nil {
			return err
		}
	case p.CanEnter() && !a.Elevated(id):
		return ErrElevate
	}
	if err := people.CheckPassword(password, p); err != nil {
		return err
	}
	act := Act{Actor: id, Action: "password.changed", Object: "person:" + p.ID, From: a.ClientIP(r)}
	if p, err = a.setPassword(ctx, p, password, coded{}, act); err != nil {
		return err
	}
	return a.EndPerson(ctx, p.ID, id.Session, Act{Actor: id, From: act.From, Reason: "the password was changed"})
}

// setPassword sets a password, with the record of the act: it is its holder's, whoever made the code.
func (a *Auth) setPassword(ctx context.Context, p people.Person, password string, by coded, act Act) (people.Person, error) {
	if err := people.CheckPassword(password, p); err != nil {
		return p, err
	}
	phc, err := a.hasher.Hash(ctx, password)
	if err != nil {
		return p, busy(err)
	}
	p, err = a.people.Change(book.With(ctx, act.Record()), p.ID, p.Version, func(p *people.Person) error {
		p.Password, p.MustChange = phc, false
		if by.Kind == linkReset {
			p.Witness = &people.Witness{By: by.By, At: moment.Of(a.now())}
		}
		if by.Drop {
			p.TOTP, p.Passkeys, p.Recovery = nil, nil, nil
		}
		return nil
	})
	a.roll.stale()
	switch {
	case errors.Is(err, people.ErrStale), errors.Is(err, people.ErrNoPerson):
		return p, ErrDenied // somebody was quicker
	case err != nil:
		return p, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if a.book == nil {
		a.Record(ctx, act)
	}
	return p, nil
}
