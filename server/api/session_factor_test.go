package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/oidc"
	"kentongan/server/oidc/oidctest"
	"kentongan/server/people"
	"kentongan/server/people/passkeytest"
	"kentongan/server/profile"
	"kentongan/server/seal"
)

const password = "tujuh kerbau menyeberang"

// porch is what lets people in, over real HTTP at localhost, where passkeys may be.
type porch struct {
	t      *testing.T
	base   string
	rdb    redis.UniversalClient
	keys   keyspace.Keys
	people *people.Store
	idp    *oidctest.Provider
	hash   string // of password

	mu   sync.Mutex
	at   time.Time
	acts []auth.Act
	log  bytes.Buffer
}

func (p *porch) now() time.Time          { p.mu.Lock(); defer p.mu.Unlock(); return p.at }
func (p *porch) advance(d time.Duration) { p.mu.Lock(); defer p.mu.Unlock(); p.at = p.at.Add(d) }

// Write is the log.
func (p *porch) Write(b []byte) (int, error) { p.mu.Lock(); defer p.mu.Unlock(); return p.log.Write(b) }

func (p *porch) record(_ context.Context, a auth.Act) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acts = append(p.acts, a)
	return nil
}

// audited counts acts, and fails where there is none.
func (p *porch) audited(action, reason string) int {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, a := range p.acts {
		if a.Action == action && strings.Contains(a.Reason, reason) {
			n++
		}
	}
	if n == 0 {
		p.t.Errorf("no act %s with %q", action, reason)
	}
	return n
}

// silent fails where the log or an act holds a secret.
func (p *porch) silent(secrets ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	text, _ := json.Marshal(p.acts)
	for _, s := range secrets {
		if s == "" {
			p.t.Error("a secret that is empty proves nothing")
		} else if strings.Contains(p.log.String(), s) || bytes.Contains(text, []byte(s)) {
			p.t.Errorf("the log or an act holds %s", s)
		}
	}
}

func openPorch(t *testing.T, change ...func(*oidc.Config)) *porch {
	t.Helper()
	p := &porch{t: t, rdb: redistest.Start(t), keys: redistest.Keys(t), at: time.Now(), idp: oidctest.Start(t)}
	log := zerolog.New(p)
	place, err := profile.Load("solok")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Open(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	cost := people.Cost{MemoryKiB: 64, Time: 1, Threads: 1}
	if p.hash, err = people.NewHasher(cost).Hash(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	p.people = people.NewStore(p.rdb, p.keys, p.now)
	door, err := auth.New(p.rdb, p.keys, auth.Config{AdminToken: token, SecondFactor: []access.Role{access.Dispatcher, access.Admin}, PasswordCost: cost}, p.record, p.now, log)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "client")
	if err := os.WriteFile(file, []byte(oidctest.ClientSecret), 0o400); err != nil {
		t.Fatal(err)
	}
	cfg := oidc.DefaultConfig()
	cfg.Issuer, cfg.Name, cfg.ClientID, cfg.ClientSecretFile, cfg.AllowPrivate, cfg.Scopes = p.idp.URL, "SSO Kota", oidctest.ClientID, file, true, []string{"profile", "groups"}
	cfg.Roles = []oidc.Mapping{{Group: "pusdalops", Role: access.Operator}, {Group: "kepala", Role: access.Supervisor}, {Group: "regu", Role: access.Dispatcher}}
	for _, c := range change {
		c(&cfg)
	}
	elsewhere := oidc.New(cfg, oidc.Deps{Store: p.rdb, Keys: p.keys, Seal: ring, Now: p.now, Log: log})
	h, err := New(Deps{Auth: door, Profile: place, People: p.people, Factors: people.NewFactors(p.people, ring, place.Name), OIDC: elsewhere, Changes: people.NewChanges(p.people, nil, p.now),
		Files: screens(), Now: p.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	p.base = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	p.idp.RedirectURIs, p.idp.PostLogout = []string{p.base + oidcPath + "/callback"}, []string{p.base + "/login"}
	return p
}

// person makes an account with the password.
func (p *porch) person(login string, roles ...access.Role) people.Person {
	p.t.Helper()
	who := people.Person{Login: login, Name: "Ibu " + login, Password: p.hash, Grants: []access.Grant{}}
	for _, r := range roles {
		who.Grants = append(who.Grants, access.Grant{Role: r})
	}
	who, err := p.people.Create(context.Background(), who)
	if err != nil {
		p.t.Fatal(err)
	}
	return who
}

func (p *porch) get(id string) people.Person {
	p.t.Helper()
	who, err := p.people.Get(context.Background(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	return who
}

// browser is one of somebody; it goes where it is led, but only at its own pace.
type browser struct {
	*porch
	client *http.Client
}

func (p *porch) browser() *browser {
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	p.t.Cleanup(c.CloseIdleConnections)
	return &browser{p, c}
}

// said is an answer.
type said struct {
	code int
	doc  map[string]any
	text string
	to   string // where it leads
}

func (b *browser) ask(method, path string, body any) said {
	b.t.Helper()
	text, _ := json.Marshal(body)
	if s, ok := body.(string); ok {
		text = []byte(s)
	}
	at := b.base + path
	if strings.HasPrefix(path, "http") {
		at = path
	}
	r, err := http.NewRequest(method, at, bytes.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	if method != "GET" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", b.base)
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, _ := io.ReadAll(answer.Body)
	out := said{code: answer.StatusCode, text: string(raw), to: answer.Header.Get("Location")}
	_ = json.Unmarshal(raw, &out.doc)
	return out
}

// post asks under /api/v1/session and wants a status.
func (b *browser) post(path string, body any, want int) said {
	b.t.Helper()
	got := b.ask("POST", "/api/v1/session"+path, body)
	if got.code != want {
		b.t.Fatalf("POST %s: %d %s, want %d", path, got.code, got.text, want)
	}
	return got
}

type js map[string]any

// rights is what the browser may do; nil: nobody is signed in.
func (b *browser) me() map[string]any {
	b.t.Helper()
	got := b.ask("GET", "/api/v1/session", nil)
	if got.code != 200 {
		return nil
	}
	return got.doc
}

func (b *browser) may(a access.Action) bool {
	list, _ := b.me()["rights"].([]any)
	return slices.Contains(list, any(string(a)))
}

func (b *browser) secret() string {
	b.t.Helper()
	r, _ := http.NewRequest("GET", b.base, nil)
	for _, c := range b.client.Jar.Cookies(r.URL) {
		if c.Name == "kentongan" {
			return c.Value
		}
	}
	return ""
}

func (p *porch) code(secret string) string {
	p.t.Helper()
	code, err := totp.GenerateCode(secret, p.now())
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// Whoever must have a second factor may do nothing but set one up; then it is asked for at every sign-in.
func TestWhoMustHaveASecondFactorSetsOneUp(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	who := p.person("sari", access.Dispatcher)
	b := p.browser()
	got := b.post("", js{"login": "sari", "password": password}, 200)
	if fmt.Sprint(got.doc["needs"]) != "[second_factor]" || len(got.doc["rights"].([]any)) != 0 {
		t.Fatalf("%s", got.text)
	}
	if code := b.ask("GET", "/api/v1/things", nil).code; code != 403 {
		t.Errorf("things: %d", code)
	}
	before := b.secret()
	setup := b.post("/totp", js{}, 200)
	secret := setup.doc["secret"].(string)
	if !strings.HasPrefix(setup.doc["uri"].(string), "otpauth://totp/Kentongan") {
		t.Errorf("%s", setup.text)
	}
	b.post("/totp", js{"code": "000000"}, 401)
	first := p.code(secret)
	done := b.post("/totp", js{"code": first}, 200)
	codes := done.doc["codes"].([]any)
	if len(codes) != 10 || b.secret() == before || !b.may(access.DispatchIncident) {
		t.Errorf("%d codes; may dispatch: %v", len(codes), b.may(access.DispatchIncident))
	}
	if kept := p.get(who.ID).TOTP.Secret; strings.Contains(kept, secret) {
		t.Error("the secret lies open in the store")
	}
	// The old cookie is dead.
	r, _ := http.NewRequest("GET", p.base+"/api/v1/session", nil)
	r.AddCookie(&http.Cookie{Name: "kentongan", Value: before})
	if answer, err := http.DefaultClient.Do(r); err != nil || answer.StatusCode != 401 {
		t.Errorf("the cookie of before: %v %v", answer.StatusCode, err)
	}
	p.advance(time.Minute)
	other := p.browser()
	wait := other.post("", js{"login": "sari", "password": password}, 202)
	if fmt.Sprint(wait.doc["factors"]) != "[totp recovery]" || other.me() != nil {
		t.Fatalf("%s", wait.text)
	}
	ticket := wait.doc["pending"].(string)
	other.post("/second", js{"pending": ticket, "totp": "123456"}, 401)
	other.post("/second", js{"pending": ticket}, 400)
	other.post("/second", js{"pending": ticket, "totp": "1", "recovery": "2"}, 400)
	other.post("/second", js{"pending": ticket, "totp": "123456", "admin": true}, 400)
	second := p.code(secret)
	if got := other.post("/second", js{"pending": ticket, "totp": second, "desk": "desk-1"}, 200); got.doc["needs"] != nil || got.doc["desk"] != "desk-1" {
		t.Errorf("%s", got.text)
	}
	other.post("/second", js{"pending": ticket, "totp": second}, 401) // the ticket is used up
	third := p.browser()
	ticket2 := third.post("", js{"login": "sari", "password": password}, 202).doc["pending"].(string)
	if got := third.post("/second", js{"pending": ticket2, "totp": second}, 401); !strings.Contains(got.text, "used already") {
		t.Errorf("a code used twice: %s", got.text)
	}
	p.audited("factor.added", "totp")
	p.audited("session.denied", "totp")
	p.audited("session.opened", "then totp")
	p.silent(secret, first, second, ticket, ticket2, password, before, b.secret(), codes[0].(string))
}

// Five wrong codes end a sign-in, and guesses over many of them lock the account for strangers.
func TestCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	p.person("sari", access.Dispatcher)
	b := p.browser()
	b.post("", js{"login": "sari", "password": password}, 200)
	secret := b.post("/totp", js{}, 200).doc["secret"].(string)
	b.post("/totp", js{"code": p.code(secret)}, 200)
	thief := p.browser()
	p.advance(time.Hour)
	ticket := thief.post("", js{"login": "sari", "password": password}, 202).doc["pending"].(string)
	for range 5 {
		got := thief.ask("POST", "/api/v1/session/second", js{"pending": ticket, "totp": "000000"})
		if got.code != 401 && got.code != 429 {
			t.Fatalf("%d %s", got.code, got.text)
		}
		p.advance(20 * time.Second) // beyond the pause
	}
	if got := thief.ask("POST", "/api/v1/session/second", js{"pending": ticket, "totp": p.code(secret)}); got.code != 401 {
		t.Errorf("a sixth try, and right: %d %s", got.code, got.text)
	}
	locked := false
	for range 10 {
		p.advance(20 * time.Second)
		got := thief.ask("POST", "/api/v1/session", js{"login": "sari", "password": password})
		if locked = got.code == 429; locked {
			break
		}
		ticket := got.doc["pending"].(string)
		for range 4 {
			thief.ask("POST", "/api/v1/session/second", js{"pending": ticket, "totp": "000000"})
			p.advance(17 * time.Second)
		}
	}
	if !locked {
		t.Error("a thief of a password may guess codes for ever")
	}
	// The owner's own browser is not locked out.
	p.advance(time.Minute)
	ticket = b.post("", js{"login": "sari", "password": password}, 202).doc["pending"].(string)
	b.post("/second", js{"pending": ticket, "totp": p.code(secret)}, 200)
}

func TestRecoveryAndElevation(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	p.person("sari", access.Operator)
	b := p.browser()
	b.post("", js{"login": "sari", "password": password}, 200)
	b.post("/totp", js{}, 403) // a desk left alone must not be guarded by somebody else
	b.post("/elevate", js{"password": "falsch"}, 401)
	if got := b.post("/elevate", js{"password": password}, 200); got.doc["elevated_until"] == nil {
		t.Errorf("%s", got.text)
	}
	secret := b.post("/totp", js{}, 200).doc["secret"].(string)
	codes := b.post("/totp", js{"code": p.code(secret)}, 200).doc["codes"].([]any)
	p.advance(16 * time.Minute)
	for path, body := range map[string]any{"/recovery": nil, "/totp": js{}, "/passkey/register/begin": js{}} {
		if got := b.ask("POST", "/api/v1/session"+path, body); got.code != 403 {
			t.Errorf("%s after 16 minutes: %d %s", path, got.code, got.text)
		}
	}
	if got := b.ask("DELETE", "/api/v1/session/factors/totp/totp", nil); got.code != 403 {
		t.Errorf("removed without elevation: %d", got.code)
	}
	b.post("/elevate", js{"password": password}, 409) // a password alone is not enough now
	b.post("/elevate", js{"totp": "000000"}, 401)
	before := b.secret()
	b.post("/elevate", js{"recovery": codes[0]}, 200)
	if b.secret() == before {
		t.Error("elevation left the cookie as it was")
	}
	b.post("/elevate", js{"recovery": codes[0]}, 401)
	p.advance(time.Second) // what is known of accounts is half a second old at the most
	if me := b.me(); me["recovery_used_at"] == nil {
		t.Errorf("nobody says that a code was used: %v", me)
	}
	got := b.ask("GET", "/api/v1/session/factors", nil)
	if recovery := got.doc["recovery"].(map[string]any); recovery["left"] != 9.0 || recovery["used_at"] == nil || got.doc["required"] != false {
		t.Errorf("%s", got.text)
	}
	other := p.browser()
	ticket := other.post("", js{"login": "sari", "password": password}, 202).doc["pending"].(string)
	if in := other.post("/second", js{"pending": ticket, "recovery": codes[1]}, 200); in.doc["recovery_used_at"] == nil {
		t.Errorf("the next sign-in says nothing: %s", in.text)
	}
	fresh := b.post("/recovery", nil, 200).doc["codes"].([]any)
	p.advance(time.Second)
	if me := b.me(); len(fresh) != 10 || me["recovery_used_at"] != nil {
		t.Errorf("after new codes: %v", me)
	}
	p.advance(20 * time.Second)
	if got := b.ask("DELETE", "/api/v1/session/factors/totp/totp", nil); got.code != 204 {
		t.Errorf("%d %s", got.code, got.text)
	}
	last := p.browser()
	last.post("", js{"login": "sari", "password": password}, 200) // nothing is asked for
	for action, reason := range map[string]string{"recovery.used": "", "recovery.made": "", "factor.removed": "totp", "right.denied": "elevation", "session.elevated": "recovery"} {
		p.audited(action, reason)
	}
	p.silent(codes[0].(string), codes[1].(string), fresh[0].(string), secret)
}

func TestPasskeysOverHTTP(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	who := p.person("sari", access.Dispatcher)
	p.person("budi", access.Operator)
	b := p.browser()
	b.post("", js{"login": "sari", "password": password}, 200)
	begin := b.post("/passkey/register/begin", js{}, 200)
	key, credential := passkeytest.Make(t, begin.doc["publicKey"], p.base)
	if codes := b.post("/passkey/register/finish", js{"ticket": begin.doc["ticket"], "name": "ponsel", "credential": json.RawMessage(credential)}, 200).doc["codes"].([]any); len(codes) != 10 {
		t.Errorf("%d codes", len(codes))
	}
	if !b.may(access.DispatchIncident) {
		t.Error("a second factor, and still nothing")
	}
	// Alone.
	alone := p.browser()
	begin = alone.post("/passkey/begin", js{}, 200)
	answer := key.Show(t, begin.doc["publicKey"], p.base)
	if got := alone.post("/passkey/finish", js{"ticket": begin.doc["ticket"], "credential": json.RawMessage(answer), "desk": "desk-2"}, 200); got.doc["name"] != "Ibu sari" || got.doc["desk"] != "desk-2" {
		t.Errorf("%s", got.text)
	}
	alone.post("/passkey/finish", js{"ticket": begin.doc["ticket"], "credential": json.RawMessage(answer)}, 401)
	// As second factor.
	second := p.browser()
	wait := second.post("", js{"login": "sari", "password": password}, 202)
	begin = second.post("/passkey/begin", js{"pending": wait.doc["pending"]}, 200)
	if got := second.post("/passkey/finish", js{"ticket": begin.doc["ticket"], "credential": json.RawMessage(key.Show(t, begin.doc["publicKey"], p.base))}, 200); got.doc["needs"] != nil {
		t.Errorf("%s", got.text)
	}
	second.post("/passkey/begin", js{"pending": wait.doc["pending"]}, 401) // used up
	// To elevate, but not somebody else.
	p.advance(20 * time.Minute)
	stranger := p.browser()
	stranger.post("", js{"login": "budi", "password": password}, 200)
	begin = stranger.post("/passkey/begin", js{}, 200)
	stranger.post("/passkey/finish", js{"ticket": begin.doc["ticket"], "elevate": true, "credential": json.RawMessage(key.Show(t, begin.doc["publicKey"], p.base))}, 401)
	stranger.post("/passkey/begin", js{"elevate": true}, 404) // has none
	begin = second.post("/passkey/begin", js{"elevate": true}, 200)
	second.post("/passkey/finish", js{"ticket": begin.doc["ticket"], "elevate": true, "credential": json.RawMessage(key.Show(t, begin.doc["publicKey"], p.base))}, 200)
	// The last one of who must have one stays.
	if got := second.ask("DELETE", "/api/v1/session/factors/passkey/"+p.get(who.ID).Passkeys[0].ID, nil); got.code != 409 {
		t.Errorf("the last one: %d %s", got.code, got.text)
	}
	// A copy.
	begin = alone.post("/passkey/begin", js{}, 200)
	got := alone.post("/passkey/finish", js{"ticket": begin.doc["ticket"], "credential": json.RawMessage(key.Show(t, begin.doc["publicKey"], p.base, func(a *passkeytest.Answer) { a.Count = 1 }))}, 401)
	if !strings.Contains(got.text, "counter") {
		t.Errorf("%s", got.text)
	}
	p.audited("passkey.cloned", "ponsel")
	p.audited("factor.added", "passkey ponsel")
	// At an IP address there are none, and that is said.
	ip := p.browser()
	p.base = strings.Replace(p.base, "localhost", "127.0.0.1", 1)
	if ways := ip.ask("GET", "/api/v1/session/ways", nil); ways.doc["passkey"] != false || ways.doc["no_passkey"] != "address" {
		t.Errorf("%s", ways.text)
	}
	if got := ip.ask("POST", "/api/v1/session/passkey/begin", js{}); got.code != 409 || !strings.Contains(got.text, "by its name") {
		t.Errorf("%d %s", got.code, got.text)
	}
}

// A page elsewhere gets nowhere, and a stranger neither.
func TestFactorsAreNobodyElses(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	p.person("sari", access.Operator)
	b := p.browser()
	for _, path := range []string{"/elevate", "/totp", "/recovery", "/passkey/register/begin", "/passkey/register/finish"} {
		if got := b.ask("POST", "/api/v1/session"+path, js{}); got.code != 401 {
			t.Errorf("a stranger at %s: %d %s", path, got.code, got.text)
		}
	}
	if got := b.ask("GET", "/api/v1/session/factors", nil); got.code != 401 {
		t.Errorf("a stranger's factors: %d", got.code)
	}
	b.post("", js{"login": "sari", "password": password}, 200)
	for _, path := range []string{"/second", "/elevate", "/totp", "/recovery", "/passkey/begin", "/passkey/finish", "/passkey/register/begin", "/passkey/register/finish"} {
		r, _ := http.NewRequest("POST", p.base+"/api/v1/session"+path, strings.NewReader(`{}`))
		r.Header.Set("Origin", "https://evil.test")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		answer, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != 403 {
			t.Errorf("a foreign page at %s: %d", path, answer.StatusCode)
		}
	}
}
