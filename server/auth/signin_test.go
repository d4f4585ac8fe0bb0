package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kentongan/server/access"
	"kentongan/server/people"
)

// cheap is a cost of hashes that tests can pay ten thousand times.
var cheap = people.Cost{MemoryKiB: 8, Time: 1, Threads: 1}

const password = "tiga ekor kerbau di sawah"

// somebody makes an account with a password.
func somebody(t testing.TB, a *Auth, login string, change ...func(*people.Person)) people.Person {
	t.Helper()
	p := people.Person{Login: login, Name: "Sari " + login, Grants: []access.Grant{{Role: access.Operator}}}
	phc, err := a.hasher.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	p.Password = phc
	for _, f := range change {
		f(&p)
	}
	if p, err = a.people.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// from is a request of a browser: its address, and the cookies it has.
func from(address string, cookies ...*http.Cookie) *http.Request {
	r := request("User-Agent", "Firefox")
	r.RemoteAddr = address + ":4711"
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

// enter signs in with password alone and gives the session's cookie and the browser's.
func enter(t testing.TB, a *Auth, r *http.Request, login string) (Identity, *http.Cookie, *http.Cookie) {
	t.Helper()
	p, err := a.ByPassword(t.Context(), r, login, password)
	if err != nil {
		t.Fatal(err)
	}
	id, session, err := a.OpenFor(t.Context(), r, p, "by password", Opening{})
	if err != nil {
		t.Fatal(err)
	}
	device, err := a.Remember(t.Context(), r, p)
	if err != nil {
		t.Fatal(err)
	}
	return id, a.Cookie(r, session), device
}

// 10,000 guesses from many addresses: nobody gets in, few are judged at all, and the owner on a known browser gets in at once.
func TestTenThousandGuesses(t *testing.T) {
	a, c, l := setup(t, Config{PasswordCost: cheap})
	somebody(t, a, "sari")
	_, _, device := enter(t, a, from("192.0.2.10"), "sari")
	const guesses = 10_000
	var mu sync.Mutex
	count := map[string]int{}
	began := time.Now()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < guesses; i += 8 {
				login := "sari"
				if i%10 == 9 {
					login = fmt.Sprintf("nobody-%d", i)
				}
				_, err := a.ByPassword(t.Context(), from(fmt.Sprintf("203.0.%d.%d", i/250%250, i%250)), login, fmt.Sprintf("guess number %d", i))
				var locked *LockedError
				what := "judged"
				switch {
				case err == nil:
					what = "in"
				case errors.As(err, &locked):
					what = "locked"
				case errors.Is(err, ErrDenied), errors.Is(err, ErrTooMany), errors.Is(err, ErrBusy):
				default:
					what = err.Error()
				}
				mu.Lock()
				count[login[:4]+" "+what]++
				mu.Unlock()
				if i%1000 == 0 {
					c.advance(time.Minute) // the guesser is patient
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	t.Logf("%d guesses in %s: %v", guesses, took.Round(time.Millisecond), count)
	if count["sari in"]+count["nobo in"] != 0 {
		t.Error("a guess got in")
	}
	if count["sari judged"] > 40 {
		t.Errorf("%d guesses at one account were judged", count["sari judged"])
	}
	if count["sari judged"]+count["sari locked"] != guesses*9/10 {
		t.Errorf("other answers: %v", count)
	}
	if took > time.Minute {
		t.Errorf("it took %s", took)
	}
	// The right password from a stranger's browser waits, the owner's does not.
	var locked *LockedError
	if _, err := a.ByPassword(t.Context(), from("198.51.100.1"), "sari", password); !errors.As(err, &locked) || locked.Wait <= 0 || locked.Wait > 15*time.Minute {
		t.Errorf("a stranger with the right password: %v", err)
	}
	began = time.Now()
	if id, _, _ := enter(t, a, from("198.51.100.1", device), "sari"); !id.Can(access.ReadThings) {
		t.Errorf("the owner: %+v", id)
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("the owner waited %s", d)
	}
	if n := len(l.acts); n > triesBurst+10*60+10 { // a burst, and one a second of the ten minutes
		t.Errorf("%d audit records", n)
	}
	c.advance(16 * time.Minute)
	if _, err := a.ByPassword(t.Context(), from("198.51.100.1"), "sari", password); err != nil {
		t.Errorf("the lock does not end: %v", err)
	}
}

// A known browser is judged by itself: what is failed there does not lock the account, and locks that browser.
func TestKnownBrowserHasItsOwnCount(t *testing.T) {
	a, c, _ := setup(t, Config{PasswordCost: cheap})
	somebody(t, a, "sari")
	_, _, device := enter(t, a, from("192.0.2.10"), "sari")
	var locked *LockedError
	n := 0
	for ; n < 40; n++ {
		_, err := a.ByPassword(t.Context(), from("192.0.2.10", device), "sari", "wrong")
		if errors.As(err, &locked) {
			if locked.Wait > 5*time.Minute {
				break
			}
			c.advance(locked.Wait)
		}
	}
	if locked == nil || locked.Wait < 14*time.Minute {
		t.Fatalf("a known browser may guess for ever: %v after %d", locked, n)
	}
	if _, err := a.ByPassword(t.Context(), from("192.0.2.10"), "sari", password); err != nil {
		t.Errorf("another browser is locked too: %v", err)
	}
	somebody(t, a, "budi")
	if _, err := a.ByPassword(t.Context(), from("192.0.2.10", device), "budi", password); err != nil {
		t.Errorf("another person at that browser is locked too: %v", err)
	}
}

// Delays grow before the lock, and a right password begins anew.
func TestDelaysGrowAndASuccessBeginsAnew(t *testing.T) {
	a, c, _ := setup(t, Config{PasswordCost: cheap})
	somebody(t, a, "sari")
	r := from("203.0.113.5")
	var waits []time.Duration
	for tries := 0; tries < 9; {
		_, err := a.ByPassword(t.Context(), r, "sari", "wrong")
		var locked *LockedError
		if errors.As(err, &locked) {
			waits = append(waits, locked.Wait)
			c.advance(locked.Wait)
			continue
		}
		if !errors.Is(err, ErrDenied) {
			t.Fatal(err)
		}
		tries++
	}
	for i := 1; i < len(waits); i++ {
		if waits[i] <= waits[i-1] && waits[i] < 16*time.Second {
			t.Errorf("delays %v do not grow", waits)
		}
	}
	if len(waits) < 3 {
		t.Errorf("delays %v", waits)
	}
	c.advance(16 * time.Second)
	enter(t, a, r, "sari")
	for range 4 {
		if _, err := a.ByPassword(t.Context(), r, "sari", "wrong"); !errors.Is(err, ErrDenied) || errors.Is(err, ErrTooMany) {
			t.Errorf("after a success: %v", err)
		}
	}
}

// A login that nobody has is answered as one that somebody has, at the same cost, and a shut account too.
func TestNobodyCostsTheSame(t *testing.T) {
	a, c, _ := setup(t, Config{}) // the real cost
	somebody(t, a, "sari")
	somebody(t, a, "shut", func(p *people.Person) { p.Disabled = true })
	cost := map[string]time.Duration{}
	for i := range 4 { // in turn, so that a busy moment of the machine is both's
		for _, login := range []string{"sari", "nobody"} {
			began := time.Now()
			_, err := a.ByPassword(t.Context(), from(fmt.Sprintf("203.0.113.%d", i)), login, "wrong")
			if took := time.Since(began); i == 0 || took < cost[login] {
				cost[login] = took
			}
			if !errors.Is(err, ErrDenied) || err.Error() != ErrDenied.Error() {
				t.Errorf("%s: %v", login, err)
			}
		}
	}
	t.Log(cost)
	if a, b := cost["sari"], cost["nobody"]; a > 2*b || b > 2*a || a < 10*time.Millisecond {
		t.Errorf("the time tells whether there is such a login: %v", cost)
	}
	c.advance(time.Hour)
	if _, err := a.ByPassword(t.Context(), from("203.0.113.9"), "shut", password); !errors.Is(err, ErrDenied) {
		t.Errorf("a shut account: %v", err)
	}
}

// Where the store is away nobody gets in, and nobody is told that the password was wrong.
func TestSignInFailsClosed(t *testing.T) {
	a, _, _ := setup(t, Config{PasswordCost: cheap})
	somebody(t, a, "sari")
	_ = a.rdb.Close()
	if _, err := a.ByPassword(t.Context(), from("192.0.2.1"), "sari", password); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrDenied) {
		t.Errorf("%v", err)
	}
}

func TestOldParametersAreRehashed(t *testing.T) {
	a, _, _ := setup(t, Config{PasswordCost: people.Cost{MemoryKiB: 16, Time: 1, Threads: 1}})
	old := people.NewHasher(cheap)
	phc, _ := old.Hash(t.Context(), password)
	p := somebody(t, a, "sari", func(p *people.Person) { p.Password = phc })
	enter(t, a, from("192.0.2.1"), "sari")
	now, err := a.people.Get(t.Context(), p.ID)
	if err != nil || !strings.Contains(now.Password, "m=16,") || now.Version != p.Version {
		t.Errorf("%s, version %d: %v", now.Password, now.Version, err)
	}
	enter(t, a, from("192.0.2.1"), "sari")
}

// A password that was right waits five minutes and five tries for its second factor, and each try counts for the account too.
func TestPending(t *testing.T) {
	a, c, _ := setup(t, Config{PasswordCost: cheap})
	p := somebody(t, a, "sari")
	r, ctx := from("192.0.2.1"), t.Context()
	ticket, err := a.Pend(ctx, r, p, "by password")
	if err != nil {
		t.Fatal(err)
	}
	for i := range pendingTries {
		if got, how, err := a.Pending(ctx, ticket); err != nil || got.ID != p.ID || how != "by password" {
			t.Fatalf("try %d: %v %q %v", i, got.ID, how, err)
		}
		c.advance(20 * time.Second) // the account's own delays
	}
	if _, _, err := a.Pending(ctx, ticket); !errors.Is(err, ErrDenied) {
		t.Errorf("the sixth try: %v", err)
	}
	if _, _, err := a.Awaited(ctx, ticket); !errors.Is(err, ErrDenied) {
		t.Errorf("it is still there: %v", err)
	}
	ticket, _ = a.Pend(ctx, r, p, "by password")
	c.advance(5*time.Minute + time.Second)
	if _, _, err := a.Pending(ctx, ticket); !errors.Is(err, ErrDenied) {
		t.Errorf("after 5 minutes: %v", err)
	}
	ticket, _ = a.Pend(ctx, r, p, "by password")
	if err := a.Settle(ctx, ticket); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Awaited(ctx, ticket); !errors.Is(err, ErrDenied) {
		t.Errorf("a ticket counts twice: %v", err)
	}
	ticket, _ = a.Pend(ctx, r, p, "by password")
	if _, err := a.people.Change(ctx, p.ID, 0, func(p *people.Person) error { p.Password = ""; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Awaited(ctx, ticket); !errors.Is(err, ErrDenied) {
		t.Errorf("the password has changed since: %v", err)
	}
	if _, _, err := a.Pending(ctx, strings.Repeat("A", 43)); !errors.Is(err, ErrDenied) {
		t.Errorf("a ticket out of nothing: %v", err)
	}
	keys, _ := a.rdb.Keys(ctx, "*pending*").Result()
	for _, k := range keys {
		if a.rdb.TTL(ctx, k).Val() <= 0 {
			t.Errorf("%s stays for ever", k)
		}
	}
	// A thief of the password may not guess codes for ever by signing in again and again.
	thief := somebody(t, a, "budi")
	n := 0
	for range 30 {
		if _, err := a.ByPassword(ctx, from("203.0.113.1"), "budi", password); err != nil {
			break
		}
		ticket, err := a.Pend(ctx, from("203.0.113.1"), thief, "by password")
		if err != nil {
			t.Fatal(err)
		}
		for range pendingTries {
			if _, _, err := a.Pending(ctx, ticket); err == nil {
				n++
			}
			c.advance(20 * time.Second)
		}
	}
	if n > 10 {
		t.Errorf("%d second factors could be tried", n)
	}
}
