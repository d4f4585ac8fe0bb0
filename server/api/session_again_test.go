package api

import (
	"strings"
	"testing"
	"time"

	"kentongan/server/oidc"
	"kentongan/server/oidc/oidctest"
)

// A provider lets an open browser in again without a question: what counts is when it asked, and only its own word of that.
func TestAskedAgainAtAProvider(t *testing.T) {
	t.Parallel()
	p := openPorch(t, func(c *oidc.Config) { c.TrustMFA = true })
	asked := func(when func() any) {
		p.idp.Tamper = func(claims map[string]any) {
			claims["iat"], claims["exp"] = p.now().Unix(), p.now().Add(time.Minute).Unix()
			delete(claims, "auth_time")
			if at := when(); at != nil {
				claims["auth_time"] = at
			}
		}
	}
	now := func() any { return p.now().Unix() }
	strong := oidctest.User{Subject: "s-1", Login: "sari", Groups: []string{"regu"}, AMR: []string{"pwd", "otp"}, SID: "sid-1"}
	b := p.browser()
	elevated := func() bool {
		until, _ := b.me()["elevated_until"].(string)
		at, err := time.Parse(time.RFC3339, until)
		return err == nil && p.now().Before(at)
	}
	for name, c := range map[string]struct {
		when func() any
		want bool
	}{
		"just now":          {now, true},
		"an hour ago":       {func() any { return p.now().Add(-time.Hour).Unix() }, false},
		"it does not say":   {func() any { return nil }, false},
		"it says nonsense":  {func() any { return "yesterday" }, false},
		"in an hour":        {func() any { return p.now().Add(time.Hour).Unix() }, true},
		"before the clocks": {func() any { return -1 }, false},
	} {
		asked(c.when)
		if to := b.enter(strong, ""); to != "/" || elevated() != c.want {
			t.Errorf("%s: led to %q, elevated %t", name, to, elevated())
		}
	}
	asked(now)
	b.enter(strong, "?desk=desk-2")
	p.advance(20 * time.Minute)
	if elevated() {
		t.Error("for longer than 15 minutes")
	}
	sessions := func() int {
		return strings.Count(b.ask("GET", "/api/v1/session/list", nil).text, `"started_at"`)
	}
	before := sessions()
	if before == 0 {
		t.Fatal("no sessions are listed")
	}
	if to := b.ask("GET", oidcPath+"/start?again=1", nil).to; !strings.Contains(to, "max_age=0") {
		t.Errorf("the provider is not told to ask: %s", to)
	}
	other := strong
	other.Subject, other.Login, other.SID = "s-2", "tono", "sid-2"
	weak := strong
	weak.AMR = []string{"pwd"}
	for name, who := range map[string]oidctest.User{"somebody else": other, "with less": weak} {
		if to := b.enter(who, "?again=1"); to != "/login?error=oidc_refused" || elevated() || b.me()["name"] == "tono" {
			t.Errorf("%s: led to %q, %v", name, to, b.me())
		}
	}
	if to := b.enter(strong, "?again=1&next=/admin"); to != "/admin" || !elevated() || b.me()["desk"] != "desk-2" {
		t.Errorf("led to %q: %v", to, b.me())
	}
	if got := sessions(); got != before {
		t.Errorf("%d sessions, %d before: it is not the same that goes on", got, before)
	}
	if p.audited("session.elevated", "by provider SSO Kota") != 1 {
		t.Error("nobody finds it in the log")
	}
	stranger := p.browser()
	if to := stranger.enter(strong, "?again=1"); to != "/login?error=oidc_refused" || stranger.me() != nil {
		t.Errorf("without a session: led to %q", to)
	}
}
