package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"kentongan/server/access"
	"kentongan/server/people"
)

// rollFresh is how old what we know of accounts may be: a changed right is a changed right at every server after it.
const rollFresh = 500 * time.Millisecond

// accounts is what Auth knows of people.
type accounts struct {
	people *people.Store
	hasher *people.Hasher
	roll   roll
	rolls  singleflight.Group // questions for the mark of the roll
	sights sights
	ended  func(session string, goesOn bool) // nil: nobody
}

func newAccounts(store *people.Store, cfg Config) accounts {
	return accounts{people: store, hasher: people.NewHasher(cmp.Or(cfg.PasswordCost, people.DefaultCost())), roll: roll{all: map[string]people.Person{}},
		sights: sights{at: map[string]time.Time{}}}
}

// roll is the accounts that one server has read. All are of one mark: every change of any account makes another, so that one question
// twice a second is enough for any number of people.
type roll struct {
	mu   sync.Mutex
	mark string
	at   time.Time // when the question for the mark began; zero: never
	all  map[string]people.Person
	led  *bool // whether an administrator can sign in; nil: not asked under this mark
}

// Mark is the mark of the last change of any account, at most rollFresh old. Errors: ErrUnavailable.
func (a *Auth) Mark(ctx context.Context) (string, error) {
	began := a.now()
	a.roll.mu.Lock()
	mark, fresh := a.roll.mark, !a.roll.at.IsZero() && began.Sub(a.roll.at) < rollFresh
	a.roll.mu.Unlock()
	if fresh {
		return mark, nil
	}
	got, err, _ := a.rolls.Do("", func() (any, error) { // one of them that leaves does not end the question
		at := a.now()
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), lookupTimeout, ErrUnavailable)
		defer cancel()
		mark, err := a.rdb.Get(ctx, a.keys.PersonChange()).Result()
		if err != nil && !errors.Is(err, redis.Nil) { // no mark: no account was ever made
			return "", err
		}
		a.roll.mu.Lock()
		defer a.roll.mu.Unlock()
		if mark != a.roll.mark {
			clear(a.roll.all)
			a.roll.led = nil
		}
		a.roll.mark, a.roll.at = mark, at
		return mark, nil
	})
	if err != nil {
		return "", fmt.Errorf("%w: accounts: %w", ErrUnavailable, err)
	}
	return got.(string), nil
}

// person gives an account as it is, at most rollFresh old. Errors: ErrDenied where there is none, ErrUnavailable.
func (a *Auth) person(ctx context.Context, id string) (people.Person, error) {
	mark, err := a.Mark(ctx)
	if err != nil {
		return people.Person{}, err
	}
	a.roll.mu.Lock()
	p, ok := a.roll.all[id]
	ok = ok && a.roll.mark == mark
	a.roll.mu.Unlock()
	if ok {
		return p, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	p, err = a.people.Get(ctx, id)
	if errors.Is(err, people.ErrNoPerson) {
		return p, ErrDenied
	} else if err != nil {
		return p, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	a.roll.mu.Lock()
	defer a.roll.mu.Unlock()
	if a.roll.mark == mark { // it was read after the mark was: what changed in between has another
		a.roll.all[id] = p
	}
	return p, nil
}

// stale makes this server ask anew: it knows that an account has changed, and whoever did it goes on at once.
func (r *roll) stale() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = time.Time{}
}

// Look is Mark, asked of the store now: whoever watches twice a second must not be told what another heard half a second ago.
func (a *Auth) Look(ctx context.Context) (string, error) {
	a.roll.stale()
	return a.Mark(ctx)
}

// led tells whether an administrator can sign in: then nobody needs the first link. Errors: ErrUnavailable.
func (a *Auth) led(ctx context.Context) (bool, error) {
	mark, err := a.Mark(ctx)
	if err != nil {
		return false, err
	}
	a.roll.mu.Lock()
	known := a.roll.led
	a.roll.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	list, err := a.people.List(ctx)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	led := false
	for _, p := range list {
		led = led || !p.BreakGlass && p.CanEnter() && access.Can(p.Subject(), access.WritePeople, access.Object{}, a.now()).Allowed()
	}
	a.roll.mu.Lock()
	defer a.roll.mu.Unlock()
	if a.roll.mark == mark {
		a.roll.led = &led
	}
	return led, nil
}

// Led tells whether an administrator can sign in. Errors: ErrUnavailable.
func (a *Auth) Led(ctx context.Context) (bool, error) { return a.led(ctx) }

// sights is when it was written last that something was seen.
type sights struct {
	mu sync.Mutex
	at map[string]time.Time
}

// sightsKept bounds them; whoever is pushed out is written once more.
const sightsKept = 4096

// due tells whether it is to be written now.
func (s *sights) due(what string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.at[what]; ok && now.Sub(last) < seenEvery {
		return false
	}
	if len(s.at) >= sightsKept {
		clear(s.at)
	}
	s.at[what] = now
	return true
}
