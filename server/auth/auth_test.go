package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/geo/redistest"
	"kentongan/server/access"
)

const adminToken = "0123456789abcdef0123456789abcdef"

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

type ledger struct {
	mu   sync.Mutex
	acts []Act
}

func (l *ledger) record(_ context.Context, a Act) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acts = append(l.acts, a)
	return nil
}

func setup(t *testing.T, cfg Config) (*Auth, *clock, *ledger) {
	t.Helper()
	rdb := redistest.Start(t)
	c, l := &clock{at: time.Now()}, &ledger{}
	a, err := New(rdb, redistest.Keys(t), cfg, l.record, c.now, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return a, c, l
}

func request(headers ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://127.0.0.1:8080/api/v1/things", nil)
	r.RemoteAddr = "192.0.2.7:5000"
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestTokens(t *testing.T) {
	a, _, l := setup(t, Config{AdminToken: adminToken})
	for _, c := range []struct {
		name    string
		headers []string
		sender  bool
		want    error
	}{
		{"nothing", nil, false, ErrAnonymous},
		{"bearer", []string{"Authorization", "Bearer " + adminToken}, false, nil},
		{"scheme in any case", []string{"Authorization", "bearer " + adminToken}, false, nil},
		{"wrong", []string{"Authorization", "Bearer " + adminToken[1:] + "0"}, false, ErrDenied},
		{"a beginning of it", []string{"Authorization", "Bearer " + adminToken[:31]}, false, ErrDenied},
		{"empty", []string{"Authorization", "Bearer "}, false, ErrDenied},
		{"other scheme", []string{"Authorization", "Digest x"}, false, ErrDenied},
		{"key header where it does not count", []string{"X-Api-Key", adminToken}, false, ErrAnonymous},
		{"key header of a sender", []string{"X-Api-Key", adminToken}, true, nil},
		{"wrong key header of a sender", []string{"X-Api-Key", "x"}, true, ErrDenied},
	} {
		identify := a.Identify
		if c.sender {
			identify = a.IdentifySender
		}
		id, err := identify(request(c.headers...))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want == nil && (!id.Can(access.Ingest) || id.Via != ViaToken) || c.want != nil && id.Can(access.ReadThings) {
			t.Errorf("%s: %+v", c.name, id)
		}
	}
	r := request()
	r.SetBasicAuth("awlr", adminToken)
	if _, err := a.IdentifySender(r); err != nil {
		t.Errorf("Basic password: %v", err)
	}
	if _, err := a.Identify(r); !errors.Is(err, ErrDenied) {
		t.Errorf("Basic where it does not count: %v", err)
	}
	if len(l.acts) == 0 || l.acts[0].Action != "session.denied" || l.acts[0].From != "192.0.2.7" {
		t.Errorf("audit: %+v", l.acts)
	}
	for _, act := range l.acts {
		if strings.Contains(fmt.Sprint(act), adminToken[:31]) {
			t.Error("the audit log shows what was tried")
		}
	}
}

func TestWithoutAnAdminTokenNoTokenIsRight(t *testing.T) {
	a, _, _ := setup(t, Config{})
	if _, err := a.Identify(request("Authorization", "Bearer ")); !errors.Is(err, ErrDenied) {
		t.Errorf("empty bearer: %v", err)
	}
}

func TestShortTokenIsRefusedAtStart(t *testing.T) {
	if _, err := New(nil, redistest.Keys(t), Config{AdminToken: adminToken[:31]}, nil, time.Now, zerolog.Nop()); err == nil {
		t.Error("31 characters were taken")
	}
}

func TestLinkSignsInOnce(t *testing.T) {
	a, c, _ := setup(t, Config{})
	ctx := t.Context()
	code, err := a.SignInLink(ctx, Admin())
	if err != nil {
		t.Fatal(err)
	}
	const rivals = 20
	sessions := make(chan string, rivals)
	var wg sync.WaitGroup
	for range rivals {
		wg.Go(func() {
			if _, s, err := a.Exchange(ctx, request(), code); err == nil {
				sessions <- s
			} else if !errors.Is(err, ErrDenied) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(sessions) != 1 {
		t.Fatalf("%d of %d got in with one code", len(sessions), rivals)
	}
	session := <-sessions
	r := request()
	r.AddCookie(a.Cookie(r, session))
	id, err := a.Identify(r)
	if err != nil || id.Role != "admin" || id.Via != ViaSession || !id.Can(access.ActIncidents) {
		t.Fatalf("%+v %v", id, err)
	}
	c.advance(12*time.Hour + time.Second)
	if _, err := a.Identify(r); !errors.Is(err, ErrAnonymous) {
		t.Errorf("after 12 h: %v", err)
	}
	for _, bad := range []string{"", "x", code + "x", strings.Repeat("A", len(code))} {
		if _, _, err := a.Exchange(ctx, request(), bad); !errors.Is(err, ErrDenied) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestNeitherCodeNorSessionIsStoredAsItIs(t *testing.T) {
	a, _, _ := setup(t, Config{})
	ctx := t.Context()
	code, _ := a.SignInLink(ctx, Admin())
	session, err := a.Open(ctx, request(), Admin(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := a.rdb.Keys(ctx, a.keys.Prefix+"*").Result()
	if err != nil || len(keys) != 4 { // the code, the session, whose it is, and when it was seen
		t.Fatalf("%v %v", keys, err)
	}
	for _, k := range keys {
		v := a.rdb.Get(ctx, k).Val() + fmt.Sprint(a.rdb.ZRange(ctx, k, 0, -1).Val())
		if strings.Contains(k+v, code) || strings.Contains(k+v, session) {
			t.Errorf("%s holds a secret: %s", k, v)
		}
		if ttl := a.rdb.TTL(ctx, k).Val(); k != a.keys.SessionSeen() && (ttl <= 0 || ttl > 24*time.Hour) {
			t.Errorf("%s lives for %v", k, ttl)
		}
	}
}

func TestSignedOutIsOut(t *testing.T) {
	a, _, _ := setup(t, Config{})
	session, err := a.Open(t.Context(), request(), Admin(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	r := request()
	r.AddCookie(a.Cookie(r, session))
	if err := a.Close(r, Act{}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Identify(r); !errors.Is(err, ErrAnonymous) {
		t.Errorf("%v", err)
	}
	if err := a.Close(request(), Act{}); err != nil {
		t.Errorf("without a session: %v", err)
	}
}

func TestCookieIsBoundToHostAndTransport(t *testing.T) {
	a, _, _ := setup(t, Config{Secure: true})
	c := a.Cookie(request(), "s")
	if c.Name != "__Host-kentongan" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("%+v", c)
	}
	a, _, _ = setup(t, Config{})
	if c := a.Cookie(request(), ""); c.Name != "kentongan" || c.Secure || c.MaxAge >= 0 {
		t.Errorf("%+v", c)
	}
}

func TestOrigin(t *testing.T) {
	own, _, _ := setup(t, Config{})
	public, _, _ := setup(t, Config{PublicURL: "https://Ops.example"})
	for _, c := range []struct {
		origin      string
		own, public bool
	}{
		{"http://127.0.0.1:8080", true, false},
		{"https://ops.example", false, true},
		{"https://127.0.0.1:8080", false, false},
		{"http://127.0.0.1:8081", false, false},
		{"http://127.0.0.1", false, false},
		{"https://ops.example.evil.example", false, false},
		{"https://ops.example:444", false, false},
		{"http://ops.example", false, false},
		{"null", false, false},
		{"", false, false},
	} {
		r := request()
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if got := own.OriginAllowed(r); got != c.own {
			t.Errorf("%q at its own address: %v", c.origin, got)
		}
		if got := public.OriginAllowed(r); got != c.public {
			t.Errorf("%q with a public address: %v", c.origin, got)
		}
	}
	if own.OriginAllowed(request("Origin", "http://127.0.0.1:8080", "Origin", "http://evil.example")) {
		t.Error("two origins were taken")
	}
}

func TestProxiesAreBelievedOnlyWhereNamed(t *testing.T) {
	a, _, _ := setup(t, Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	r := request("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 192.0.2.8", "X-Forwarded-Proto", "https")
	if ip := a.ClientIP(r); ip != "203.0.113.9" {
		t.Errorf("client %s", ip)
	}
	if a.Cookie(r, "s").Name != "__Host-kentongan" {
		t.Error("https at the proxy is not seen")
	}
	r.RemoteAddr = "198.51.100.1:1"
	if ip := a.ClientIP(r); ip != "198.51.100.1" {
		t.Errorf("a stranger's header is believed: %s", ip)
	}
	if a.Cookie(r, "s").Secure {
		t.Error("a stranger's X-Forwarded-Proto is believed")
	}
}

func TestFailedTriesAreLimitedAndRecoverWithTime(t *testing.T) {
	a, c, l := setup(t, Config{AdminToken: adminToken})
	wrong := func() error { _, err := a.Identify(request("Authorization", "Bearer wrong")); return err }
	for i := range triesBurst {
		if err := wrong(); !errors.Is(err, ErrDenied) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	for range 100 {
		if err := wrong(); !errors.Is(err, ErrTooMany) {
			t.Fatalf("above the limit: %v", err)
		}
	}
	if len(l.acts) != triesBurst {
		t.Errorf("%d audit records for %d tries within the limit", len(l.acts), triesBurst)
	}
	if _, err := a.Identify(request("Authorization", "Bearer "+adminToken)); err != nil {
		t.Errorf("the right token beside them: %v", err)
	}
	other := request("Authorization", "Bearer wrong")
	other.RemoteAddr = "192.0.2.8:1"
	if _, err := a.Identify(other); !errors.Is(err, ErrDenied) {
		t.Errorf("another address: %v", err)
	}
	c.advance(triesInterval + time.Second)
	if err := wrong(); !errors.Is(err, ErrDenied) {
		t.Errorf("after a while: %v", err)
	}
}

func TestTriesHoldABoundedNumberOfAddresses(t *testing.T) {
	c := &clock{at: time.Now()}
	tr := newTries(c.now)
	for i := range triesKept * 2 {
		tr.allow(fmt.Sprint(i))
	}
	if len(tr.full) > triesKept {
		t.Errorf("%d addresses are held", len(tr.full))
	}
	c.advance(time.Hour)
	if !tr.allow("new") {
		t.Error("calm addresses are not forgotten")
	}
}

func TestForeignPagesDoNotWrite(t *testing.T) {
	a, _, _ := setup(t, Config{})
	for _, c := range []struct {
		name    string
		headers []string
		ok      bool
	}{
		{"a program", nil, true},
		{"our page", []string{"Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-origin"}, true},
		{"a foreign page", []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}, false},
		{"a foreign page without Origin", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a neighbour's page", []string{"Origin", "http://127.0.0.1:9999", "Sec-Fetch-Site", "same-site"}, false},
		{"an old browser's foreign page", []string{"Origin", "http://evil.example"}, false},
	} {
		r := request(c.headers...)
		r.Method = "POST"
		if err := a.CheckWrite(r); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNobodyCanWithoutARight(t *testing.T) {
	if (Identity{}).Can(access.ReadThings) || Admin().Can("") || Of(access.Subject{}, "", time.Time{}).Can(access.ReadThings) {
		t.Error("a right out of nothing")
	}
	if _, ok := FromContext(t.Context()); ok {
		t.Error("an identity out of nothing")
	}
	for _, right := range access.Actions() {
		if !Admin().Can(right) {
			t.Errorf("the administrator lacks %s", right)
		}
	}
}

// TestAPathStandsWithTheWords refuses somebody whose path says more than its route.
func TestAPathStandsWithTheWords(t *testing.T) {
	a, _, l := setup(t, Config{})
	r := request()
	r.URL.Path = "/api/v1/users/siti.aminah"
	r.Pattern = "GET /api/v1/users/{id}"
	a.Forbid(r, Identity{Subject: "user:x"}, access.ReadPeople)
	if err := a.Refuse(r, "code is not valid"); !errors.Is(err, ErrDenied) {
		t.Fatal(err)
	}
	r.Pattern = ""
	_ = a.Refuse(r, "code is not valid")
	for i, want := range []string{"GET /api/v1/users/{id}", "GET /api/v1/users/{id}", "GET elsewhere"} {
		got, words := l.acts[i].Record().Apart()
		if got.Object != want || strings.Contains(string(got.Canonical()), "siti") || !strings.Contains(words.Text, "/api/v1/users/siti.aminah") {
			t.Errorf("%s beside %+v", got.Canonical(), words)
		}
	}
}
