package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"kentongan/server/people"
)

// ErrBusy means that more passwords wait to be checked than can be soon: HTTP answers 503 with Retry-After.
var ErrBusy = errors.New("too many people sign in at this moment; try again in a few seconds")

// ByPassword tells whose login and password these are; a second factor may still be needed. A login that nobody has costs as much as one
// that somebody has, and is answered alike. It fails closed: where failed tries cannot be counted nobody gets in. Errors: ErrDenied,
// *LockedError, ErrBusy, ErrUnavailable.
func (a *Auth) ByPassword(ctx context.Context, r *http.Request, login, password string) (people.Person, error) {
	login = people.Login(login)
	lookup, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	p, err := a.people.ByLogin(lookup, login)
	if err != nil && !errors.Is(err, people.ErrNoPerson) {
		return people.Person{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	all, known := a.counters(r, login, p)
	if err := a.take(ctx, all); err != nil {
		return people.Person{}, err
	}
	right, stale, err := a.hasher.Verify(ctx, p.Password, typed(p, password), known)
	if err != nil {
		return people.Person{}, busy(err)
	}
	if !right || p.Disabled {
		if !a.tries.allow("passwords") { // guesses of a thousand addresses must not fill the log, which is never cut
			return people.Person{}, ErrDenied
		}
		return people.Person{}, a.refuse(ctx, tried{"login", a.ClientIP(r), clipLogin(login)}, "login or password is not valid")
	}
	if stale {
		a.rehash(ctx, p, typed(p, password))
	}
	return p, nil
}

// typed is what somebody typed as it is hashed: the code of an envelope is read off paper.
func typed(p people.Person, password string) string {
	if p.BreakGlass {
		return people.PlainCode(password)
	}
	return password
}

// verify holds a password against somebody's own, as a sign-in would.
func (a *Auth) verify(ctx context.Context, r *http.Request, p people.Person, password string) error {
	all, known := a.counters(r, p.Login, p)
	if err := a.take(ctx, all); err != nil {
		return err
	}
	right, _, err := a.hasher.Verify(ctx, p.Password, typed(p, password), known)
	if err != nil {
		return busy(err)
	}
	if !right {
		return a.refuse(ctx, tried{"person:" + p.ID, a.ClientIP(r), ""}, "password is not valid")
	}
	return a.forgive(ctx, r, p)
}

// VerifyPassword holds a password against that of somebody who is signed in: for what must be confirmed. Errors: as ByPassword.
func (a *Auth) VerifyPassword(ctx context.Context, r *http.Request, p people.Person, password string) error {
	return a.verify(ctx, r, p, password)
}

// rehash keeps a password under today's parameters. That it is not kept stops nobody.
func (a *Auth) rehash(ctx context.Context, p people.Person, password string) {
	phc, err := a.hasher.Hash(ctx, password)
	if err == nil {
		_, err = a.people.Note(ctx, p.ID, func(now *people.Person) error {
			if now.Password == p.Password {
				now.Password = phc
			}
			return nil
		})
	}
	if err != nil {
		a.log.Warn().Err(err).Msg("a password is still kept under old parameters")
	}
}

func busy(err error) error {
	if errors.Is(err, people.ErrBusy) {
		return ErrBusy
	}
	return err
}

// clipLogin keeps what people typed as a login readable in the log. A password typed there by mistake must not stand in it whole.
func clipLogin(login string) string {
	if len(login) > 8 {
		return login[:8] + "…"
	}
	return login
}
