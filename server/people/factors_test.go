package people

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
	"kentongan/server/access"
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// glass seals so that a test sees what was bound to what.
type glass struct{}

func (glass) Seal(purpose string, plain, bound []byte) (string, error) {
	return fmt.Sprintf("%s|%s|%x", purpose, bound, plain), nil
}

func (glass) Unseal(purpose, sealed string, bound []byte) ([]byte, error) {
	var plain []byte
	rest, ok := strings.CutPrefix(sealed, fmt.Sprintf("%s|%s|", purpose, bound))
	if _, err := fmt.Sscanf(rest, "%x", &plain); !ok || err != nil {
		return nil, errors.New("sealed for something else")
	}
	return plain, nil
}

type room struct {
	*Factors
	t     *testing.T
	rdb   redis.UniversalClient
	keys  keyspace.Keys
	clock *clock
	other *Factors // of another server
}

func open(t *testing.T) *room {
	t.Helper()
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	c := &clock{at: time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)}
	f := NewFactors(NewStore(rdb, keys, c.now), glass{}, "Solok")
	return &room{f, t, rdb, keys, c, NewFactors(NewStore(rdb, keys, c.now), glass{}, "Solok")}
}

func (r *room) person(login string, roles ...access.Role) Person {
	r.t.Helper()
	p := Person{Login: login, Name: "Ibu " + login}
	for _, role := range roles {
		p.Grants = append(p.Grants, access.Grant{Role: role})
	}
	p, err := r.store.Create(context.Background(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *room) get(id string) Person {
	r.t.Helper()
	p, err := r.store.Get(context.Background(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// code is what an app with this secret shows at a time from now.
func (r *room) code(secret string, from time.Duration) string {
	r.t.Helper()
	code, err := totp.GenerateCode(secret, r.clock.now().Add(from))
	if err != nil {
		r.t.Fatal(err)
	}
	return code
}

// guarded is a person with codes of an app.
func (r *room) guarded(login string, roles ...access.Role) (Person, string, []string) {
	r.t.Helper()
	p := r.person(login, roles...)
	setup, err := r.BeginTOTP(context.Background(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	p, codes, err := r.ConfirmTOTP(context.Background(), p.ID, r.code(setup.Secret, 0))
	if err != nil {
		r.t.Fatal(err)
	}
	return p, setup.Secret, codes
}

func TestCodesAreSetUp(t *testing.T) {
	ctx, r := context.Background(), open(t)
	p := r.person("sari")
	if _, _, err := r.ConfirmTOTP(ctx, p.ID, "123456"); !errors.Is(err, ErrSetup) {
		t.Errorf("before it began: %v", err)
	}
	setup, err := r.BeginTOTP(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if want := "otpauth://totp/Kentongan%20Solok:sari?algorithm=SHA1&digits=6&issuer=Kentongan%20Solok&period=30&secret=" + setup.Secret; setup.URI != want {
		t.Errorf("uri %s\nwant %s", setup.URI, want)
	}
	kept := r.rdb.Get(ctx, r.keys.Enrol(p.ID)).Val()
	if !strings.HasPrefix(kept, "totp|"+p.ID+"|") || strings.Contains(kept, setup.Secret) {
		t.Errorf("kept as %q: want it sealed for codes, bound to the person", kept)
	}
	if life := r.rdb.TTL(ctx, r.keys.Enrol(p.ID)).Val(); life <= 0 || life > keyspace.EnrolLifetime {
		t.Errorf("it waits %v", life)
	}
	if _, _, err := r.ConfirmTOTP(ctx, p.ID, "000000"); !errors.Is(err, ErrCode) {
		t.Errorf("a wrong code: %v", err)
	}
	if r.get(p.ID).TOTP != nil {
		t.Fatal("a wrong code set it up")
	}
	right := r.code(setup.Secret, 0)
	p, codes, err := r.ConfirmTOTP(ctx, p.ID, right)
	if err != nil || p.TOTP == nil || len(codes) != 10 || len(p.Recovery) != 10 {
		t.Fatalf("%v %+v, %d codes", err, p.TOTP, len(codes))
	}
	if _, _, err := r.ConfirmTOTP(ctx, p.ID, right); !errors.Is(err, ErrSetup) {
		t.Errorf("confirmed twice: %v", err)
	}
	if _, err := r.CheckTOTP(ctx, p.ID, right); !errors.Is(err, ErrUsed) {
		t.Errorf("the code that confirmed signs in too: %v", err)
	}
	// Another secret replaces it, and leaves the recovery codes that somebody wrote down.
	again, err := r.BeginTOTP(ctx, p)
	if err != nil || again.Secret == setup.Secret {
		t.Fatal(err)
	}
	if _, codes, err = r.ConfirmTOTP(ctx, p.ID, r.code(again.Secret, 0)); err != nil || codes != nil {
		t.Errorf("%v, %d new codes", err, len(codes))
	}
	r.clock.advance(time.Minute)
	if _, err := r.CheckTOTP(ctx, p.ID, r.code(setup.Secret, 0)); !errors.Is(err, ErrCode) {
		t.Errorf("the secret before: %v", err)
	}
}

func TestCodesCountOnce(t *testing.T) {
	ctx, r := context.Background(), open(t)
	p, secret, _ := r.guarded("sari")
	other, _, _ := r.guarded("budi")
	r.clock.advance(5 * time.Minute)
	for _, c := range []struct {
		name string
		who  string
		code string
		want error
	}{
		{"two steps ago", p.ID, r.code(secret, -60*time.Second), ErrCode},
		{"two steps ahead", p.ID, r.code(secret, 60*time.Second), ErrCode},
		{"a step ago", p.ID, r.code(secret, -30*time.Second), nil},
		{"the same again", p.ID, r.code(secret, -30*time.Second), ErrUsed},
		{"now", p.ID, r.code(secret, 0), nil},
		{"a step ahead", p.ID, r.code(secret, 30*time.Second), nil},
		{"an older one after it", p.ID, r.code(secret, 0), ErrUsed},
		{"of another person", other.ID, r.code(secret, 0), ErrCode},
		{"too short", p.ID, "12345", ErrCode},
		{"empty", p.ID, "", ErrCode},
		{"no digits", p.ID, "abcdef", ErrCode},
	} {
		if _, err := r.CheckTOTP(ctx, c.who, c.code); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := r.CheckTOTP(ctx, r.person("tono").ID, "123456"); !errors.Is(err, ErrNoFactor) {
		t.Errorf("who has none: %v", err)
	}
	// A secret that was moved to another account opens nothing there.
	if _, err := r.store.Change(ctx, other.ID, 0, func(o *Person) error { o.TOTP = &TOTP{Secret: p.TOTP.Secret}; return nil }); err != nil {
		t.Fatal(err)
	}
	r.clock.advance(5 * time.Minute)
	if _, err := r.CheckTOTP(ctx, other.ID, r.code(secret, 0)); err == nil || errors.Is(err, ErrCode) {
		t.Errorf("a secret of another account: %v", err)
	}
}

// race does one thing at two servers at once, and gives how often it went well.
func (r *room) race(do func(*Factors) error, refusal error) int {
	r.t.Helper()
	var wg sync.WaitGroup
	var well atomic.Int32
	for i := range 4 {
		wg.Go(func() {
			switch err := do([]*Factors{r.Factors, r.other}[i%2]); {
			case err == nil:
				well.Add(1)
			case !errors.Is(err, refusal):
				r.t.Errorf("a rival: %v", err)
			}
		})
	}
	wg.Wait()
	return int(well.Load())
}

func TestCodesCountOnceAtTwoServers(t *testing.T) {
	ctx, r := context.Background(), open(t)
	p, secret, recovery := r.guarded("sari")
	for range 5 {
		r.clock.advance(time.Minute)
		code := r.code(secret, 0)
		if n := r.race(func(f *Factors) error { _, err := f.CheckTOTP(ctx, p.ID, code); return err }, ErrUsed); n != 1 {
			t.Errorf("a code counted %d times", n)
		}
	}
	for _, code := range recovery[:5] {
		if n := r.race(func(f *Factors) error { _, err := f.UseRecovery(ctx, p.ID, code); return err }, ErrCode); n != 1 {
			t.Errorf("a recovery code counted %d times", n)
		}
	}
	if n := len(r.get(p.ID).Recovery); n != 5 {
		t.Errorf("%d codes left, want 5", n)
	}
}

func TestRecoveryCodes(t *testing.T) {
	ctx, r := context.Background(), open(t)
	p, _, codes := r.guarded("sari")
	seen := map[string]bool{}
	for _, c := range codes {
		if len(c) != 19 || strings.Count(c, "-") != 3 || seen[c] {
			t.Errorf("code %q", c)
		}
		seen[c] = true
		for _, kept := range p.Recovery {
			if len(kept) != 64 || strings.Contains(kept, c) {
				t.Errorf("kept as %q", kept)
			}
		}
	}
	version := r.get(p.ID).Version
	if _, err := r.UseRecovery(ctx, p.ID, " "+strings.ToLower(strings.ReplaceAll(codes[0], "-", " "))+" "); err != nil {
		t.Errorf("as somebody types it: %v", err)
	}
	for _, wrong := range []string{codes[0], "", "AAAA-BBBB-CCCC-DDDD", codes[1][:18], codes[1] + "A", strings.Repeat("A", 4000)} {
		if _, err := r.UseRecovery(ctx, p.ID, wrong); !errors.Is(err, ErrCode) {
			t.Errorf("%.30q: %v", wrong, err)
		}
	}
	if now := r.get(p.ID); len(now.Recovery) != 9 || now.Version != version+1 {
		t.Errorf("%d left, version %d after %d", len(now.Recovery), now.Version, version)
	}
	used := r.clock.now()
	r.clock.advance(time.Hour)
	if at := r.get(p.ID).RecoveryAt; !at.Equal(used) {
		t.Errorf("it is told that one was used at %v, want %v", at, used)
	}
	_, fresh, err := r.NewRecovery(ctx, p.ID)
	if err != nil || len(fresh) != 10 {
		t.Fatal(err)
	}
	if at := r.get(p.ID).RecoveryAt; !at.IsZero() {
		t.Errorf("told of it still, after new codes: %v", at)
	}
	if _, err := r.UseRecovery(ctx, p.ID, codes[1]); !errors.Is(err, ErrCode) {
		t.Errorf("a code of before: %v", err)
	}
	if _, err := r.UseRecovery(ctx, p.ID, fresh[9]); err != nil {
		t.Errorf("a new code: %v", err)
	}
	if _, _, err := r.NewRecovery(ctx, r.person("budi").ID); !errors.Is(err, ErrNoFactor) {
		t.Errorf("codes that stand in for nothing: %v", err)
	}
}

func TestTheLastFactorStays(t *testing.T) {
	ctx, r := context.Background(), open(t)
	must := []access.Role{access.Dispatcher}
	p, _, _ := r.guarded("sari", access.Dispatcher)
	free, _, _ := r.guarded("budi", access.Operator)
	if !p.MustGuard(must) || free.MustGuard(must) {
		t.Fatal("who must")
	}
	if _, err := r.Remove(ctx, p.ID, "totp", "", must); !errors.Is(err, ErrLast) {
		t.Errorf("the last of who must: %v", err)
	}
	key, _ := r.passkey(p)
	if _, err := r.Remove(ctx, p.ID, "totp", "", must); err != nil {
		t.Errorf("one of two: %v", err)
	}
	if _, err := r.Remove(ctx, p.ID, "passkey", b64(key.ID), must); !errors.Is(err, ErrLast) {
		t.Errorf("the last of who must: %v", err)
	}
	for _, wrong := range [][2]string{{"passkey", "x"}, {"totp", ""}, {"recovery", ""}, {"", ""}} {
		if _, err := r.Remove(ctx, p.ID, wrong[0], wrong[1], must); !errors.Is(err, ErrNoFactor) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	left, err := r.Remove(ctx, free.ID, "totp", "", must)
	if err != nil || left.Guarded() || len(left.Recovery) != 0 {
		t.Errorf("%v; recovery codes that stand in for nothing: %d", err, len(left.Recovery))
	}
	// A role that a provider gives needs one as well.
	if p, err = r.store.Change(ctx, free.ID, 0, func(p *Person) error {
		p.Provided = []Provided{{"https://id.example", []access.Grant{{Role: access.Dispatcher}}}}
		return nil
	}); err != nil || !p.MustGuard(must) {
		t.Errorf("a provided role: %v %v", p.Held(), err)
	}
}

func TestDrawDoesNotRepeat(t *testing.T) {
	if a, b := draw(32), draw(32); bytes.Equal(a, b) || len(a) != 32 {
		t.Errorf("%x %x", a, b)
	}
}
