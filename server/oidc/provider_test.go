package oidc

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
	"kentongan/server/access"
	"kentongan/server/oidc/oidctest"
)

const redirect = "http://localhost:1/api/v1/session/oidc/callback"

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
	*Provider
	t     *testing.T
	idp   *oidctest.Provider
	rdb   redis.UniversalClient
	keys  keyspace.Keys
	clock *clock
	log   *bytes.Buffer
}

func open(t *testing.T, change ...func(*Config)) *room {
	t.Helper()
	idp := oidctest.Start(t)
	idp.RedirectURIs, idp.PostLogout = []string{redirect}, []string{"http://localhost:1/login"}
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(oidctest.ClientSecret+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Issuer, cfg.ClientID, cfg.ClientSecretFile, cfg.AllowPrivate, cfg.Scopes = idp.URL, oidctest.ClientID, file, true, []string{"profile", "groups"}
	cfg.Roles = []Mapping{{Group: "pusdalops", Role: access.Dispatcher}}
	for _, c := range change {
		c(&cfg)
	}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	r := &room{t: t, idp: idp, rdb: redistest.Start(t), keys: redistest.Keys(t), clock: &clock{at: time.Now()}, log: &bytes.Buffer{}}
	r.Provider = New(cfg, Deps{r.rdb, r.keys, glass{}, r.clock.now, zerolog.New(r.log)})
	t.Cleanup(r.client.CloseIdleConnections)
	return r
}

var sari = oidctest.User{Subject: "s-1", Login: "sari", Name: "Sari Dewi", Groups: []string{"pusdalops", "lain"}, SID: "sid-1"}

// depart begins a sign-in and goes through the provider's pages, up to where it sends the browser back.
func (r *room) depart(u oidctest.User) (browser string, back Return) {
	r.t.Helper()
	r.idp.SignIn(u)
	d, err := r.Depart(context.Background(), "", redirect, "/console", "desk-2", false)
	if err != nil {
		r.t.Fatal(err)
	}
	return d.Browser, r.through(d.To)
}

func (r *room) through(to string) Return {
	r.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for range 5 {
		answer, err := client.Get(to)
		if err != nil {
			r.t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		next, err := answer.Location()
		if err != nil {
			r.t.Fatalf("%d at %s: %s", answer.StatusCode, to, text)
		}
		if to = next.String(); strings.HasPrefix(to, redirect) {
			q := next.Query()
			return Return{q.Get("state"), q.Get("code"), q.Get("error"), q.Get("iss")}
		}
	}
	r.t.Fatal("the provider does not come to an end")
	return Return{}
}

func TestArrival(t *testing.T) {
	ctx, r := context.Background(), open(t)
	browser, back := r.depart(sari)
	a, err := r.Arrive(ctx, browser, back)
	if err != nil {
		t.Fatal(err)
	}
	if a.Issuer != r.idp.URL || a.Subject != "s-1" || a.SID != "sid-1" || a.Login != "sari" || a.Name != "Sari Dewi" || !slices.Equal(a.Groups, sari.Groups) || a.MFA || a.Next != "/console" ||
		a.Desk != "desk-2" {
		t.Errorf("%+v", a)
	}
	if _, err := r.Arrive(ctx, browser, back); !errors.Is(err, ErrFlight) {
		t.Errorf("the same answer again: %v", err)
	}
	r.idp.InIDToken = true
	asked := r.idp.Asked("/userinfo")
	browser, back = r.depart(sari)
	if a, err = r.Arrive(ctx, browser, back); err != nil || !slices.Equal(a.Groups, sari.Groups) || r.idp.Asked("/userinfo") != asked {
		t.Errorf("groups in the id_token: %v %+v, userinfo asked %d times", err, a, r.idp.Asked("/userinfo")-asked)
	}
	// A signed claim wins over userinfo, which is asked for groups only.
	r.idp.InIDToken = false
	r.idp.Tamper = func(c map[string]any) { c["groups"] = []string{} }
	browser, back = r.depart(sari)
	if a, err = r.Arrive(ctx, browser, back); err != nil || len(a.Groups) != 0 {
		t.Errorf("no groups, and signed: %v %v", a.Groups, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	ctx := context.Background()
	r := open(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
	}
	ago, ahead := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	for _, c := range []struct {
		name   string
		tamper func(map[string]any)
		sign   func(any) string
		info   func(map[string]any)
		back   func(*Return)
		say    string
	}{
		{name: "another nonce", tamper: set("nonce", "x"), say: "nonce"},
		{name: "no nonce", tamper: set("nonce", nil), say: "nonce"},
		{name: "another issuer", tamper: set("iss", "https://evil.test"), say: "different provider"},
		{name: "another audience", tamper: set("aud", []string{"another"}), say: "audience"},
		{name: "another party", tamper: set("azp", "another"), say: "another client"},
		{name: "several audiences and no party", tamper: func(m map[string]any) { m["aud"] = []string{oidctest.ClientID, "another"}; delete(m, "azp") }, say: "another client"},
		{name: "expired", tamper: set("exp", ago), say: "expired"},
		{name: "no end", tamper: set("exp", nil), say: "expired"},
		{name: "of the future", tamper: set("iat", ahead), say: "not of now"},
		{name: "not yet", tamper: set("nbf", ahead), say: "nbf"},
		{name: "nobody", tamper: set("sub", ""), say: "nobody"},
		{name: "another access token", tamper: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), say: "access token"},
		{name: "another key", sign: func(c any) string { return oidctest.SignedBy(other, "key", c) }, say: "signature"},
		{name: "a key nobody knows", sign: func(c any) string { return oidctest.SignedBy(other, "elsewhere", c) }, say: "signature"},
		{name: "signed by our secret", sign: func(c any) string { return oidctest.SignedBy([]byte(oidctest.ClientSecret), "key", c) }, say: "alg"},
		{name: "not signed", sign: unsigned, say: ""},
		{name: "userinfo of somebody else", info: set("sub", "s-2"), say: "somebody else"},
		{name: "groups that are no list", info: set("groups", 7), say: "no list"},
		{name: "groups without end", info: set("groups", slices.Repeat([]any{"x"}, 1001)), say: "at most 1000"},
		{name: "another issuer in the address", back: func(b *Return) { b.Issuer = "https://evil.test" }, say: "another issuer"},
		{name: "an error", back: func(b *Return) { b.Error = "access_denied" }, say: "access_denied"},
		{name: "an error that is none", back: func(b *Return) { b.Error = "<script>" }, say: "no error code"},
		{name: "no code", back: func(b *Return) { b.Code = "" }, say: "no code"},
		{name: "another code", back: func(b *Return) { b.Code = "x" }, say: "invalid_grant"},
	} {
		r.idp.Tamper, r.idp.Sign, r.idp.Userinfo = c.tamper, c.sign, c.info
		browser, back := r.depart(sari)
		if c.back != nil {
			c.back(&back)
		}
		a, err := r.Arrive(ctx, browser, back)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", c.name, err)
		}
		if a.Groups != nil {
			t.Errorf("%s: refused with groups %v", c.name, a.Groups)
		}
	}
}

// unsigned is a token with the algorithm none.
func unsigned(claims any) string {
	text, _ := json.Marshal(claims)
	return b64(`{"alg":"none"}`) + "." + b64(string(text)) + "."
}

func b64(s string) string {
	return strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(base64Of(s)), "=")
}

func TestFlightsBelongToTheirBrowser(t *testing.T) {
	ctx, r := context.Background(), open(t)
	mine, back := r.depart(sari)
	thief, theirs := r.depart(oidctest.User{Subject: "s-2"})
	for name, c := range map[string]struct {
		browser string
		back    Return
	}{
		"the answer of another browser": {mine, theirs}, "my answer in another browser": {thief, back}, "no cookie": {"", back}, "no state": {mine, Return{Code: back.Code}},
		"my code with their state": {mine, Return{State: theirs.State, Code: back.Code}}, "a cookie that is none": {"x", back},
	} {
		if _, err := r.Arrive(ctx, c.browser, c.back); !errors.Is(err, ErrFlight) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A code of one sign-in in another: PKCE and the nonce part them, though both are of this browser.
	second, err := r.Depart(ctx, mine, redirect, "/", "", false)
	if err != nil || second.Browser != mine {
		t.Fatalf("a second tab: %v %+v", err, second)
	}
	crossed := r.through(second.To)
	crossed.Code = theirs.Code
	if _, err := r.Arrive(ctx, mine, crossed); !errors.Is(err, ErrRefused) {
		t.Errorf("a code of another sign-in: %v", err)
	}
	// None of that used mine up.
	if a, err := r.Arrive(ctx, mine, back); err != nil || a.Subject != "s-1" {
		t.Errorf("mine after all: %v", err)
	}
	mine, back = r.depart(sari)
	r.clock.advance(keyspace.FlightLifetime)
	if _, err := r.Arrive(ctx, mine, back); !errors.Is(err, ErrFlight) {
		t.Errorf("after ten minutes: %v", err)
	}
	for _, k := range r.rdb.Keys(ctx, "*").Val() {
		if life := r.rdb.TTL(ctx, k).Val(); life <= 0 || life > keyspace.FlightLifetime {
			t.Errorf("%s lives %v", k, life)
		}
	}
}

func TestProviderAway(t *testing.T) {
	r := open(t)
	if r.Away() != "" {
		t.Errorf("nobody has asked: %q", r.Away())
	}
	r.idp.Down(true)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	wait(t, func() bool { return r.Away() != "" })
	if _, err := r.Depart(ctx, "", redirect, "/", "", false); !errors.Is(err, ErrAway) {
		t.Errorf("while it is away: %v", err)
	}
	r.idp.Down(false)
	wait(t, func() bool { return r.Away() == "" })
	browser, back := r.depart(sari)
	r.idp.Down(true)
	if _, err := r.Arrive(ctx, browser, back); !errors.Is(err, ErrAway) {
		t.Errorf("gone with our code: %v", err)
	}
	// What was known goes on: the browser finds the provider away itself.
	r.clock.advance(3 * time.Hour)
	if _, err := r.Depart(ctx, "", redirect, "/", "", false); err != nil {
		t.Errorf("known before: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, secret := range []string{oidctest.ClientSecret, back.Code, back.State} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log holds a secret: %s", r.log)
		}
	}
	if n := strings.Count(r.log.String(), "does not answer"); n != 2 {
		t.Errorf("said %d times that it is away, and it was away twice: %s", n, r.log)
	}
}

func wait(t *testing.T, until func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !until(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}

func TestDiscoveryIsNotBelievedBlindly(t *testing.T) {
	for name, tamper := range map[string]func(map[string]any){
		"another issuer":          func(d map[string]any) { d["issuer"] = "https://evil.test" },
		"a token endpoint by air": func(d map[string]any) { d["token_endpoint"] = "http://evil.test/token" },
		"keys by air":             func(d map[string]any) { d["jwks_uri"] = "http://evil.test/keys" },
		"a page that is none":     func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" },
		"without end":             func(d map[string]any) { d["x"] = strings.Repeat("x", 2<<20) },
	} {
		r := open(t)
		r.idp.Discovery = tamper
		if _, err := r.Depart(context.Background(), "", redirect, "/", "", false); !errors.Is(err, ErrAway) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Without allow_private nobody on this machine is asked.
	r := open(t)
	closed := r.cfg
	closed.AllowPrivate = false
	p := New(closed, r.deps)
	if _, err := p.Depart(context.Background(), "", redirect, "/", "", false); !errors.Is(err, ErrAway) || !strings.Contains(err.Error(), "address not allowed") || r.idp.Asked("/.well-known/openid-configuration") != 0 {
		t.Errorf("loopback: %v", err)
	}
}

func TestLogoutTokens(t *testing.T) {
	ctx, r := context.Background(), open(t)
	good := func() map[string]any { return r.idp.Logout("s-1", "sid-1") }
	e, err := r.Ended(ctx, r.idp.Signed(good()))
	if err != nil || e.Subject != "s-1" || e.SID != "sid-1" || e.ID == "" || time.Until(e.Until) <= 0 {
		t.Fatalf("%+v %v", e, err)
	}
	other, _ := rsa.GenerateKey(rand.Reader, 2048)
	for name, c := range map[string]struct {
		change func(map[string]any)
		sign   func(any) string
	}{
		"another issuer":   {change: func(c map[string]any) { c["iss"] = "https://evil.test" }},
		"another audience": {change: func(c map[string]any) { c["aud"] = "another" }},
		"expired":          {change: func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }},
		"no end":           {change: func(c map[string]any) { delete(c, "exp") }},
		"no beginning":     {change: func(c map[string]any) { delete(c, "iat") }},
		"of yesterday":     {change: func(c map[string]any) { c["iat"] = time.Now().Add(-24 * time.Hour).Unix() }},
		"of tomorrow":      {change: func(c map[string]any) { c["iat"] = time.Now().Add(24 * time.Hour).Unix() }},
		"no jti":           {change: func(c map[string]any) { delete(c, "jti") }},
		"no events":        {change: func(c map[string]any) { delete(c, "events") }},
		"another event":    {change: func(c map[string]any) { c["events"] = map[string]any{"http://example/x": map[string]any{}} }},
		"an event of no form": {change: func(c map[string]any) {
			c["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": "x"}
		}},
		"a nonce":              {change: func(c map[string]any) { c["nonce"] = "x" }},
		"an empty nonce":       {change: func(c map[string]any) { c["nonce"] = "" }},
		"about nobody":         {change: func(c map[string]any) { delete(c, "sub"); delete(c, "sid") }},
		"another key":          {sign: func(c any) string { return oidctest.SignedBy(other, "key", c) }},
		"signed by our secret": {sign: func(c any) string { return oidctest.SignedBy([]byte(oidctest.ClientSecret), "key", c) }},
		"not signed":           {sign: unsigned},
		"no token":             {sign: func(any) string { return "x" }},
	} {
		claims, sign := good(), c.sign
		if c.change != nil {
			c.change(claims)
		}
		if sign == nil {
			sign = r.idp.Signed
		}
		if _, err := r.Ended(ctx, sign(claims)); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An id_token is no logout token.
	r.idp.Tamper = func(map[string]any) {}
	browser, back := r.depart(sari)
	a, err := r.Arrive(ctx, browser, back)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ended(ctx, a.token); !errors.Is(err, ErrRefused) {
		t.Errorf("an id_token: %v", err)
	}
}

func TestStays(t *testing.T) {
	ctx, r := context.Background(), open(t)
	browser, back := r.depart(sari)
	a, err := r.Arrive(ctx, browser, back)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Stay(ctx, "waiting", "p-1", a, time.Minute), r.Stay(ctx, "one", "p-1", a, time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, k := range r.rdb.Keys(ctx, "*").Val() {
		if strings.Contains(k, "sid-1") || r.rdb.TTL(ctx, k).Val() <= 0 {
			t.Errorf("key %s", k)
		}
	}
	if ok, err := r.Move(ctx, "waiting", "two", time.Hour); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ok, err := r.Move(ctx, "waiting", "three", time.Hour); err != nil || ok {
		t.Errorf("moved twice: %v %v", ok, err)
	}
	all, err := r.Sessions(ctx, "sid-1")
	if err != nil || len(all) != 2 || all["one"] != "p-1" || all["two"] != "p-1" {
		t.Errorf("%v %v", all, err)
	}
	to, err := r.Leave(ctx, "one", "http://localhost:1/login")
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(to)
	if q := u.Query(); !strings.HasPrefix(to, r.idp.URL+"/end_session?") || q.Get("client_id") != oidctest.ClientID || q.Get("id_token_hint") != a.token || q.Get("post_logout_redirect_uri") != "http://localhost:1/login" {
		t.Errorf("to %s", to)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.Header.Get("Location") != "http://localhost:1/login" || !slices.Equal(r.idp.Ended(), []string{"s-1"}) {
		t.Errorf("%d to %s, ended %v", answer.StatusCode, answer.Header.Get("Location"), r.idp.Ended())
	}
	if to, err := r.Leave(ctx, "one", ""); to != "" || err != nil {
		t.Errorf("left twice: %q %v", to, err)
	}
	if all, _ := r.Sessions(ctx, "sid-1"); len(all) != 1 {
		t.Errorf("%v", all)
	}
}
