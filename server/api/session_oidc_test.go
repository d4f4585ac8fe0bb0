package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kentongan/server/access"
	"kentongan/server/oidc"
	"kentongan/server/oidc/oidctest"
	"kentongan/server/people"
	"kentongan/server/people/passkeytest"
)

var visitor = oidctest.User{Subject: "s-1", Login: "sari", Name: "Sari Dewi", Groups: []string{"pusdalops"}, SID: "sid-1"}

// away begins a sign-in and goes through the provider's pages; it gives the address of ours at which the browser comes back.
func (b *browser) away(u oidctest.User, query string) string {
	b.t.Helper()
	b.idp.SignIn(u)
	to := b.ask("GET", oidcPath+"/start"+query, nil).to
	for range 5 {
		if !strings.HasPrefix(to, b.idp.URL) {
			break
		}
		next := b.ask("GET", to, nil).to
		if strings.HasPrefix(next, "/") {
			next = b.idp.URL + next
		}
		to = next
	}
	if !strings.HasPrefix(to, b.base+oidcPath+"/callback?") && !strings.HasPrefix(to, "/login?") {
		b.t.Fatalf("the provider leads to %q", to)
	}
	return to
}

// enter signs in at the provider, and gives where the browser is led then. What is known of accounts is half a second old at the most.
func (b *browser) enter(u oidctest.User, query string) string {
	b.t.Helper()
	defer b.advance(time.Second)
	back := b.away(u, query)
	if strings.HasPrefix(back, "/login") {
		return back
	}
	return b.ask("GET", back, nil).to
}

func TestSigningInAtAProvider(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	// A local account with the same name and address is somebody else's.
	p.person("sari", access.Admin)
	b := p.browser()
	if ways := b.ask("GET", "/api/v1/session/ways", nil); !strings.Contains(ways.text, `"oidc":[{"name":"SSO Kota","start":"/api/v1/session/oidc/start","away":false}]`) {
		t.Errorf("%s", ways.text)
	}
	if to := b.enter(visitor, "?next=%2Fconsole%3Fx%3D1&desk=desk-2"); to != "/console?x=1" {
		t.Fatalf("led to %q", to)
	}
	me := b.me()
	if me["name"] != "Sari Dewi" || me["role"] != "operator" || me["desk"] != "desk-2" || !b.may(access.CreateIncident) || b.may(access.WritePeople) {
		t.Errorf("%v", me)
	}
	who, err := p.people.ByExternal(t.Context(), people.External{Issuer: p.idp.URL, Subject: "s-1"})
	if err != nil || !strings.HasPrefix(who.Login, "sari-") || len(who.Grants) != 0 || len(who.Provided) != 1 || who.CreatedBy != p.idp.URL {
		t.Errorf("%v %+v", err, who)
	}
	// Two groups add up; a group that is gone is a right that is gone, at the next sign-in.
	two := visitor
	two.Groups = []string{"kepala", "pusdalops"}
	if b.enter(two, "") != "/" || !b.may(access.CloseIncident) || !b.may(access.CreateIncident) {
		t.Errorf("two groups: %v", b.me())
	}
	if b.enter(visitor, "") != "/" || b.may(access.CloseIncident) || !b.may(access.CreateIncident) {
		t.Errorf("a group less: %v", b.me())
	}
	// What people here grant stays beside it, whatever the provider says.
	if _, err := p.people.Change(t.Context(), who.ID, 0, func(p *people.Person) error {
		p.Grants = []access.Grant{{Role: access.Auditor}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	none := visitor
	none.Groups = nil
	if to := b.enter(none, ""); to != "/" {
		t.Errorf("with a role of ours and no group: %q", to)
	}
	p.advance(time.Second)
	if !b.may(access.ReadAudit) || b.may(access.CreateIncident) {
		t.Errorf("a role of ours: %v", b.me())
	}
	if now := p.get(who.ID); len(now.Grants) != 1 || len(now.Provided) != 0 {
		t.Errorf("%+v", now)
	}
	p.audited("person.made", "operator")
	p.audited("person.changed", "supervisor")
	p.audited("person.changed", "nothing")
	p.audited("session.opened", "by provider SSO Kota")
	p.silent(oidctest.ClientSecret, b.secret())
}

func TestWhoMayNotComeInFromAProvider(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	b := p.browser()
	stranger := oidctest.User{Subject: "s-9", Login: "orang", Groups: []string{"lain"}}
	if to := b.enter(stranger, "?next=/admin"); to != "/login?error=oidc_no_role&next=%2Fadmin" {
		t.Errorf("no group that means anything: %q", to)
	}
	if all, _ := p.people.List(t.Context()); len(all) != 0 || b.me() != nil {
		t.Errorf("%v %v", all, b.me())
	}
	// A nonce of another sign-in.
	p.idp.Tamper = func(c map[string]any) { c["nonce"] = "x" }
	if to := b.enter(visitor, ""); to != "/login?error=oidc_refused" {
		t.Errorf("another nonce: %q", to)
	}
	p.idp.Tamper = nil
	// The state of another browser, both ways, and without any.
	mine, theirs := p.browser(), p.browser()
	back := mine.away(visitor, "")
	other := theirs.away(oidctest.User{Subject: "s-2", Groups: []string{"pusdalops"}}, "")
	for name, to := range map[string]string{"theirs in mine": mine.ask("GET", other, nil).to, "mine in theirs": theirs.ask("GET", back, nil).to, "mine in none": p.browser().ask("GET", back, nil).to,
		"twice the state": mine.ask("GET", back+"&state=x", nil).to} {
		if to != "/login?error=oidc_flight" {
			t.Errorf("%s: %q", name, to)
		}
	}
	if mine.me() != nil || theirs.me() != nil {
		t.Error("somebody is in")
	}
	if to := mine.ask("GET", back, nil).to; to != "/" {
		t.Errorf("mine in mine: %q", to)
	}
	// The same address again, and its code in a sign-in of its own.
	if to := mine.ask("GET", back, nil).to; to != "/login?error=oidc_flight" {
		t.Errorf("the same answer again: %q", to)
	}
	used, _ := url.Parse(back)
	again, _ := url.Parse(mine.away(visitor, ""))
	q := again.Query()
	q.Set("code", used.Query().Get("code"))
	again.RawQuery = q.Encode()
	if to := mine.ask("GET", again.String(), nil).to; to != "/login?error=oidc_refused" {
		t.Errorf("a code that was used: %q", to)
	}
	// An account that is closed.
	who, err := p.people.ByExternal(t.Context(), people.External{Issuer: p.idp.URL, Subject: "s-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.people.Change(t.Context(), who.ID, 0, func(p *people.Person) error { p.Disabled = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if to := p.browser().enter(visitor, ""); to != "/login?error=oidc_disabled" {
		t.Errorf("a closed account: %q", to)
	}
	// The provider away.
	p.idp.Down(true)
	late := p.browser()
	p.advance(3 * time.Hour)
	p.idp.Down(false)
	back = late.away(visitor, "")
	p.idp.Down(true)
	if to := late.ask("GET", back, nil).to; to != "/login?error=oidc_away" {
		t.Errorf("away in between: %q", to)
	}
	for _, reason := range []string{"no role", "nonce", "not begun in this browser", "disabled", "invalid_grant"} {
		p.audited("session.denied", reason)
	}
	code, state := used.Query().Get("code"), used.Query().Get("state")
	p.silent(oidctest.ClientSecret, code, state)
	for _, next := range []string{"//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "evil", "/x\r\ny"} {
		if to := local(next); to != "/" {
			t.Errorf("after the sign-in to %q", to)
		}
	}
}

func TestAProviderThatIsAwayAtFirst(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	p.idp.Down(true)
	b := p.browser()
	if to := b.ask("GET", oidcPath+"/start?next=/wall", nil).to; to != "/login?error=oidc_away&next=%2Fwall" {
		t.Errorf("led to %q", to)
	}
	if ways := b.ask("GET", "/api/v1/session/ways", nil); !strings.Contains(ways.text, `"away":true`) {
		t.Errorf("%s", ways.text)
	}
	p.idp.Down(false)
	if to := b.enter(visitor, ""); to != "/" {
		t.Errorf("back again, and led to %q", to)
	}
	if ways := b.ask("GET", "/api/v1/session/ways", nil); !strings.Contains(ways.text, `"away":false`) {
		t.Errorf("%s", ways.text)
	}
}

// What the provider gave ends with a shift, whatever the account's other ways in.
func TestWhatAProviderGaveEnds(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	b := p.browser()
	b.enter(visitor, "")
	begin := b.post("/passkey/register/begin", js{}, 200) // no password to show: the first factor of a fresh visitor
	key, credential := passkeytest.Make(t, begin.doc["publicKey"], p.base)
	b.post("/passkey/register/finish", js{"ticket": begin.doc["ticket"], "name": "ponsel", "credential": json.RawMessage(credential)}, 200)
	p.advance(12*time.Hour + time.Minute)
	begin = b.post("/passkey/begin", js{}, 200)
	got := b.post("/passkey/finish", js{"ticket": begin.doc["ticket"], "credential": json.RawMessage(key.Show(t, begin.doc["publicKey"], p.base))}, 200)
	if len(got.doc["rights"].([]any)) != 0 {
		t.Errorf("by passkey, a shift after the provider was asked: %s", got.text)
	}
}

func TestSecondFactorsOfVisitors(t *testing.T) {
	t.Parallel()
	strong := oidctest.User{Subject: "s-1", Login: "sari", Groups: []string{"regu"}, AMR: []string{"pwd", "otp"}, SID: "sid-1"}
	t.Run("not believed", func(t *testing.T) {
		p := openPorch(t)
		b := p.browser()
		b.enter(strong, "")
		if needs := b.me()["needs"]; needs == nil || b.may(access.DispatchIncident) {
			t.Fatalf("%v", b.me())
		}
		secret := b.post("/totp", js{}, 200).doc["secret"].(string)
		b.post("/totp", js{"code": p.code(secret)}, 200)
		if !b.may(access.DispatchIncident) {
			t.Error("set up, and still nothing")
		}
		p.advance(time.Minute)
		other := p.browser()
		to := other.enter(strong, "?next=/console")
		fragment, ok := strings.CutPrefix(to, "/login#")
		v, _ := url.ParseQuery(fragment)
		if !ok || v.Get("next") != "/console" || v.Get("factors") != "totp,recovery" || other.me() != nil {
			t.Fatalf("led to %q", to)
		}
		other.post("/second", js{"pending": v.Get("pending"), "totp": p.code(secret)}, 200)
		if !other.may(access.DispatchIncident) {
			t.Error("shown, and still nothing")
		}
		// It is a session of the provider's: it ends with that one.
		if code := p.idp.Tell(t, p.base+oidcPath+"/logout", p.idp.Signed(p.idp.Logout("", "sid-1"))); code != 200 || other.me() != nil || b.me() != nil {
			t.Errorf("%d %v %v", code, other.me(), b.me())
		}
		// And what has ended there while ours was awaited does not begin.
		p.advance(time.Minute)
		v, _ = url.ParseQuery(strings.TrimPrefix(other.enter(strong, ""), "/login#"))
		if code := p.idp.Tell(t, p.base+oidcPath+"/logout", p.idp.Signed(p.idp.Logout("", "sid-1"))); code != 200 {
			t.Errorf("%d", code)
		}
		other.post("/second", js{"pending": v.Get("pending"), "totp": p.code(secret)}, 401)
		if other.me() != nil {
			t.Error("a session that has no end at the provider")
		}
		p.silent(v.Get("pending"), secret)
	})
	t.Run("believed", func(t *testing.T) {
		p := openPorch(t, func(c *oidc.Config) { c.TrustMFA = true })
		b := p.browser()
		b.enter(strong, "")
		if !b.may(access.DispatchIncident) {
			t.Errorf("%v", b.me())
		}
		weak := strong
		weak.AMR = []string{"pwd"}
		if b.enter(weak, ""); b.may(access.DispatchIncident) {
			t.Error("a password alone")
		}
	})
}

func TestSigningOutAtTheProvider(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	one, two := p.browser(), p.browser()
	one.enter(visitor, "")
	second := visitor
	second.SID = "sid-2"
	two.enter(second, "")
	to := p.base + oidcPath + "/logout"
	for name, c := range map[string]struct {
		claims map[string]any
		sign   func(any) string
	}{
		"another audience": {with(p.idp.Logout("s-1", "sid-1"), "aud", "x"), p.idp.Signed},
		"a nonce":          {with(p.idp.Logout("s-1", "sid-1"), "nonce", "x"), p.idp.Signed},
		"of yesterday":     {with(p.idp.Logout("s-1", "sid-1"), "iat", time.Now().Add(-24*time.Hour).Unix()), p.idp.Signed},
		"by our secret":    {p.idp.Logout("s-1", "sid-1"), func(c any) string { return oidctest.SignedBy([]byte(oidctest.ClientSecret), "key", c) }},
	} {
		if code := p.idp.Tell(t, to, c.sign(c.claims)); code != 400 {
			t.Errorf("%s: %d", name, code)
		}
	}
	if one.me() == nil || two.me() == nil {
		t.Fatal("signed out by a lie")
	}
	token := p.idp.Signed(p.idp.Logout("s-1", "sid-1"))
	if code := p.idp.Tell(t, to, token); code != 200 || one.me() != nil || two.me() == nil {
		t.Errorf("%d: one %v, two %v", code, one.me(), two.me())
	}
	if code := p.idp.Tell(t, to, token); code != 400 {
		t.Errorf("the same token again: %d", code)
	}
	if code := p.idp.Tell(t, to, p.idp.Signed(p.idp.Logout("s-1", "sid-none"))); code != 200 || two.me() == nil {
		t.Errorf("a session that is not here: %d", code)
	}
	if code := p.idp.Tell(t, to, p.idp.Signed(p.idp.Logout("s-1", ""))); code != 200 || two.me() != nil {
		t.Errorf("all of somebody: %d %v", code, two.me())
	}
	for _, body := range []string{"", "logout_token=a&logout_token=b", "x=y"} {
		answer, err := http.Post(to, "application/x-www-form-urlencoded", strings.NewReader(body))
		if err != nil || answer.StatusCode != 400 {
			t.Errorf("%q: %v %v", body, answer.StatusCode, err)
		}
		_ = answer.Body.Close()
	}
	p.audited("session.ended", "signed out at the provider")
	p.audited("session.denied", "logout token")
	p.silent(token)
	// And we there.
	one.enter(visitor, "")
	out := one.ask("DELETE", "/api/v1/session", nil)
	if at, _ := out.doc["to"].(string); out.code != 200 || !strings.HasPrefix(at, p.idp.URL+"/end_session?") || one.me() != nil {
		t.Fatalf("%d %s", out.code, out.text)
	} else if next := one.ask("GET", at, nil).to; next != p.base+"/login" || len(p.idp.Ended()) != 1 {
		t.Errorf("led to %q, ended %v", next, p.idp.Ended())
	}
}

func with(claims map[string]any, name string, value any) map[string]any {
	claims[name] = value
	return claims
}

// Whoever comes from a provider has nothing of ours to show for a first factor: the sign-in itself must be recent, an open browser is no proof.
func TestAnOpenBrowserSetsUpNoFirstFactor(t *testing.T) {
	t.Parallel()
	p := openPorch(t)
	b := p.browser()
	if to := b.enter(visitor, ""); to != "/" {
		t.Fatal(to)
	}
	b.post("/totp", js{}, 200)
	p.advance(16 * time.Minute)
	b.post("/totp", js{}, 403)
}
