package auth

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/server/people"
)

//go:embed take.lua
var takeText string

//go:embed forgive.lua
var forgiveText string

var takeScript, forgiveScript = redis.NewScript(takeText), redis.NewScript(forgiveText)

// measure is how many failed tries something takes, and what they cost.
type measure struct {
	free    int           // at once
	most    int           // then it is locked
	longest time.Duration // pause before that
	lock    time.Duration // 0: never
	life    time.Duration // since the last one; of an account at most an hour while its tries are free
}

// An account is locked for strangers after ten failures. A browser that its owner signed in with before is judged by itself, so that no
// stranger's guesses lock the owner out. One address may be a whole control room behind one router: it is slowed, and never locked.
var (
	ofAccount = measure{free: 4, most: 10, longest: 16 * time.Second, lock: 15 * time.Minute, life: keyspace.TriesLifetime}
	ofBrowser = ofAccount
	ofAddress = measure{free: 30, longest: 30 * time.Second, life: 15 * time.Minute}
)

// LockedError means that too many tries have failed: the next is judged after Wait. HTTP answers 429.
type LockedError struct{ Wait time.Duration }

func (e *LockedError) Error() string {
	return fmt.Sprintf("too many failed tries; the next one counts in %s", e.Wait.Round(time.Second))
}

// Unwrap makes it one of those that HTTP answers with 429.
func (e *LockedError) Unwrap() error { return ErrTooMany }

// counter names what tries are counted of.
type counter struct {
	Name string `json:"name"`
	Of   string `json:"of"` // account, browser or address
}

func (c counter) measure() measure {
	switch c.Of {
	case "browser":
		return ofBrowser
	case "address":
		return ofAddress
	}
	return ofAccount
}

// counters are what a try for an account is counted of.
func (a *Auth) counters(r *http.Request, login string, p people.Person) (all []counter, known bool) {
	if browser := a.browserOf(r); browser != "" && p.Knows(browser) {
		return []counter{{"browser " + p.Login + " " + browser, "browser"}}, true
	}
	return []counter{{"account " + login, "account"}, {"address " + a.ClientIP(r), "address"}}, false
}

// take counts one try as failed before it is judged. Errors: *LockedError, ErrUnavailable; then nothing may be judged.
func (a *Auth) take(ctx context.Context, all []counter) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	keys, args := []string{}, []any{a.now().UnixMilli()}
	for _, c := range all {
		m := c.measure()
		keys = append(keys, a.keys.Tries(hash(c.Name)))
		args = append(args, m.free, m.most, m.longest.Milliseconds(), m.lock.Milliseconds(), m.life.Milliseconds())
	}
	wait, err := takeScript.Run(ctx, a.rdb, keys, args...).Int64()
	if err != nil {
		return fmt.Errorf("%w: tries: %w", ErrUnavailable, err)
	}
	if wait > 0 {
		return &LockedError{time.Duration(wait) * time.Millisecond}
	}
	return nil
}

// forgive takes back what was counted of somebody who is in now. What an address has failed at others stays.
func (a *Auth) forgive(ctx context.Context, r *http.Request, p people.Person) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	all, _ := a.counters(r, p.Login, p)
	var keys []string
	for _, c := range all {
		keys = append(keys, a.keys.Tries(hash(c.Name)))
	}
	return forgiveScript.Run(ctx, a.rdb, keys).Err()
}

// Devices: a browser is known by a cookie of 256 bits that every sign-in there renews for a year.
const deviceTime = 365 * 24 * time.Hour

// browserOf is the hash of the browser's own cookie; empty: it has none.
func (a *Auth) browserOf(r *http.Request) string {
	c, err := r.Cookie(a.hostName(r, "kentongan-device"))
	if err != nil || !wellFormed(c.Value) {
		return ""
	}
	return hash(c.Value)
}

// Remember makes the browser one that the person has signed in with, and gives the cookie by which it is known. Call it once somebody is
// in. Errors: ErrUnavailable; the sign-in is good all the same.
func (a *Auth) Remember(ctx context.Context, r *http.Request, p people.Person) (*http.Cookie, error) {
	var value string
	if c, err := r.Cookie(a.hostName(r, "kentongan-device")); err == nil && wellFormed(c.Value) {
		value = c.Value // one browser of a shared desk is known to several
	} else if value, err = secret(); err != nil {
		return nil, err
	}
	if _, err := a.people.Note(ctx, p.ID, func(p *people.Person) error { p.SignedIn(hash(value), a.now()); return nil }); err != nil {
		return nil, errors.Join(ErrUnavailable, err)
	}
	return a.cookie(r, "kentongan-device", value, deviceTime), nil
}
