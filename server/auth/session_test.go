package auth

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kentongan/server/access"
	"kentongan/server/people"
)

type toldEnd struct {
	session string
	goesOn  bool
}

func told(a *Auth) *[]toldEnd {
	var list []toldEnd
	a.OnEnded(func(session string, goesOn bool) { list = append(list, toldEnd{session, goesOn}) })
	return &list
}

// A session tells whose it is and from where, has another secret after each sign-in and elevation, and ends after 12 h whatever is done in it.
func TestSessionOfAPerson(t *testing.T) {
	a, c, l := setup(t, Config{PasswordCost: cheap})
	ended := told(a)
	p := somebody(t, a, "sari")
	id, cookie, device := enter(t, a, from("192.0.2.1"), "sari")
	if id.Subject != "user:"+p.ID || id.Person != p.ID || id.Role != "operator" || a.Elevated(id) {
		t.Fatalf("%+v", id)
	}
	list, err := a.Sessions(t.Context(), id.Subject, id.Session)
	if err != nil || len(list) != 1 || !list[0].Current || list[0].Address != "192.0.2.1" || list[0].Agent != "Firefox" || list[0].How != "by password" {
		t.Fatalf("%+v %v", list, err)
	}
	// Elevation: the same session, another secret; the old one is dead at once.
	c.advance(time.Hour)
	r := from("192.0.2.1", cookie, device)
	up, secret, err := a.OpenFor(t.Context(), r, p, "elevated by totp", Opening{Factor: "totp", Replaces: true})
	if err != nil || !a.Elevated(up) || up.Session == id.Session {
		t.Fatalf("%+v %v", up, err)
	}
	if _, err := a.Identify(r); !errors.Is(err, ErrAnonymous) {
		t.Errorf("the old secret: %v", err)
	}
	if len(*ended) != 1 || (*ended)[0] != (toldEnd{id.Session, true}) {
		t.Errorf("told %v", *ended)
	}
	after, err := a.Sessions(t.Context(), id.Subject, up.Session)
	if err != nil || len(after) != 1 || after[0].ID != list[0].ID || after[0].StartedAt != list[0].StartedAt || after[0].ExpiresAt != list[0].ExpiresAt || after[0].Factor != "totp" {
		t.Errorf("%+v %v", after, err)
	}
	r = from("192.0.2.1", a.Cookie(r, secret))
	c.advance(15*time.Minute + time.Second)
	if id, err := a.Identify(r); err != nil || a.Elevated(id) {
		t.Errorf("after 15 minutes: %+v %v", id, err)
	}
	c.advance(10 * time.Hour)
	if _, err := a.Identify(r); err != nil {
		t.Errorf("in mid-shift: %v", err)
	}
	c.advance(45 * time.Minute)
	if _, err := a.Identify(r); !errors.Is(err, ErrAnonymous) {
		t.Errorf("12 h after the sign-in: %v", err)
	}
	if !slices.ContainsFunc(l.acts, func(x Act) bool { return x.Action == "session.opened" && x.Actor.Person == p.ID }) ||
		!slices.ContainsFunc(l.acts, func(x Act) bool { return x.Action == "session.elevated" }) {
		t.Errorf("audit: %+v", l.acts)
	}
}

func TestSessionsAreEndedOneByOneAndAllButOne(t *testing.T) {
	a, c, _ := setup(t, Config{PasswordCost: cheap})
	p := somebody(t, a, "sari")
	var ids []Identity
	for range 4 {
		id, _, _ := enter(t, a, from("192.0.2.1"), "sari")
		ids = append(ids, id)
		c.advance(time.Second)
	}
	ended := told(a)
	list, _ := a.Sessions(t.Context(), ids[0].Subject, ids[0].Session)
	if len(list) != 4 {
		t.Fatalf("%d sessions", len(list))
	}
	if err := a.EndSession(t.Context(), ids[0].Subject, list[0].ID, Act{}); err != nil {
		t.Fatal(err)
	}
	if err := a.EndSession(t.Context(), ids[0].Subject, list[0].ID, Act{}); !errors.Is(err, ErrNoSession) {
		t.Errorf("twice: %v", err)
	}
	if err := a.EndSession(t.Context(), "user:other", list[1].ID, Act{}); !errors.Is(err, ErrNoSession) {
		t.Errorf("somebody else's: %v", err)
	}
	if err := a.EndPerson(t.Context(), p.ID, ids[0].Session, Act{}); err != nil {
		t.Fatal(err)
	}
	list, _ = a.Sessions(t.Context(), ids[0].Subject, ids[0].Session)
	if len(list) != 1 || !list[0].Current || len(*ended) != 3 || (*ended)[0].goesOn {
		t.Errorf("%+v, told of %v", list, *ended)
	}
	for range sessionsAtOnce + 3 {
		enter(t, a, from("192.0.2.1"), "sari")
	}
	if list, _ = a.Sessions(t.Context(), ids[0].Subject, ""); len(list) != sessionsAtOnce {
		t.Errorf("%d sessions at once", len(list))
	}
}

// Of many elevations of one session at once one goes on, and none outlives its being ended.
func TestElevationsAtOnceLeaveOneSession(t *testing.T) {
	a, _, _ := setup(t, Config{PasswordCost: cheap})
	p := somebody(t, a, "sari")
	id, cookie, device := enter(t, a, from("192.0.2.1"), "sari")
	a.OnEnded(func(string, bool) {})
	var wg sync.WaitGroup
	var in atomic.Int64
	for range 8 {
		wg.Go(func() {
			if _, _, err := a.OpenFor(t.Context(), from("192.0.2.1", cookie, device), p, "elevated", Opening{Replaces: true, Elevated: true}); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	list, err := a.Sessions(t.Context(), id.Subject, "")
	if err != nil || len(list) != int(in.Load()) {
		t.Errorf("%d sessions for %d let in: %v", len(list), in.Load(), err)
	}
	of := 0
	for _, s := range list {
		if s.ID == id.SessionID {
			of++
		}
	}
	if of != 1 {
		t.Errorf("the session goes on %d times", of)
	}
}

// Whoever replaces the admin token ends what it has opened.
func TestSessionsOfATokenEndWithIt(t *testing.T) {
	token := strings.Repeat("t", MinTokenLength)
	a, _, _ := setup(t, Config{AdminToken: token})
	r := from("192.0.2.1")
	r.Header.Set("Authorization", "Bearer "+token)
	id, err := a.Identify(r)
	if err != nil {
		t.Fatal(err)
	}
	session, err := a.Open(t.Context(), r, id, "by token", false)
	if err != nil {
		t.Fatal(err)
	}
	r = from("192.0.2.1", a.Cookie(r, session))
	if _, err := a.Identify(r); err != nil {
		t.Error(err)
	}
	a.token = sha256.Sum256([]byte(strings.Repeat("u", MinTokenLength)))
	if _, err := a.Identify(r); !errors.Is(err, ErrAnonymous) {
		t.Errorf("under another token: %v", err)
	}
}

// Scripts, walls and load tests all sign in with the one admin token: many of its sessions live at once.
func TestManySessionsByTheAdminToken(t *testing.T) {
	a, _, _ := setup(t, Config{})
	id := Admin()
	id.Subject, id.Who.ID = "token:admin", "token:admin"
	var first string
	for i := range 5 * sessionsAtOnce {
		session, err := a.Open(t.Context(), from("192.0.2.1"), id, "by token", false)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = session
		}
	}
	r := from("192.0.2.1")
	r.AddCookie(a.Cookie(r, first))
	if who, err := a.Identify(r); err != nil || who.Subject != "token:admin" {
		t.Errorf("the first of %d: %+v %v", 5*sessionsAtOnce, who, err)
	}
}

// Rights are those of the day, within half a second.
func TestRightsFollowTheAccount(t *testing.T) {
	a, c, _ := setup(t, Config{PasswordCost: cheap})
	p := somebody(t, a, "sari")
	_, cookie, _ := enter(t, a, from("192.0.2.1"), "sari")
	r := from("192.0.2.1", cookie)
	if id, err := a.Identify(r); err != nil || id.Can(access.DispatchIncident) {
		t.Fatalf("%+v %v", id, err)
	}
	change := func(f func(*people.Person)) {
		if _, err := a.people.Change(t.Context(), p.ID, 0, func(p *people.Person) error { f(p); return nil }); err != nil {
			t.Fatal(err)
		}
		c.advance(rollFresh)
	}
	change(func(p *people.Person) {
		p.Grants = []access.Grant{{Role: access.Dispatcher, Until: c.now().Add(time.Hour)}}
	})
	id, err := a.Identify(r)
	if err != nil || !id.Can(access.DispatchIncident) {
		t.Errorf("a new right: %+v %v", id.Rights, err)
	}
	c.advance(time.Hour)
	if now, err := a.Now(t.Context(), id); err != nil || now.Can(access.DispatchIncident) {
		t.Errorf("a right that is over: %+v %v", now.Rights, err)
	}
	change(func(p *people.Person) { p.Disabled = true })
	if _, err := a.Identify(r); !errors.Is(err, ErrAnonymous) {
		t.Errorf("a shut account: %v", err)
	}
	if now, err := a.Now(t.Context(), id); err != nil || now.Subject != "" {
		t.Errorf("a shut account's socket: %+v %v", now, err)
	}
}

// Whoever must show a second factor may do nothing before, and one that another session has set up does not count for this one.
func TestNeeds(t *testing.T) {
	a, c, _ := setup(t, Config{PasswordCost: cheap, SecondFactor: []access.Role{access.Operator}})
	p := somebody(t, a, "sari")
	id, cookie, _ := enter(t, a, from("192.0.2.1"), "sari")
	if !slices.Equal(id.Needs, []string{"second_factor"}) || len(id.Rights) != 0 || len(id.Who.Grants) != 0 || !slices.Contains(id.Roles, access.Operator) {
		t.Errorf("%+v", id)
	}
	if _, err := a.people.Change(t.Context(), p.ID, 0, func(p *people.Person) error { p.TOTP = &people.TOTP{}; return nil }); err != nil {
		t.Fatal(err)
	}
	c.advance(rollFresh)
	r := from("192.0.2.1", cookie)
	if id, err := a.Identify(r); err != nil || len(id.Rights) != 0 {
		t.Errorf("by the factor of another session: %+v %v", id, err)
	}
	p, _ = a.people.Get(t.Context(), p.ID)
	if id, _, err := a.OpenFor(t.Context(), r, p, "", Opening{Factor: "totp", Replaces: true}); err != nil || len(id.Needs) != 0 || !id.Can(access.ReadThings) {
		t.Errorf("%+v %v", id, err)
	}
	open := somebody(t, a, "amplop", func(p *people.Person) { p.BreakGlass = true })
	if id, _, err := a.OpenFor(t.Context(), from("192.0.2.1"), open, "by its code", Opening{}); err != nil || len(id.Needs) != 0 || !id.Can(access.ReadThings) {
		t.Errorf("break glass: %+v %v", id, err)
	}
}

// The first link is for a house that nobody leads: its session ends as soon as an administrator can sign in.
func TestFirstLinkEndsWithTheFirstAdministrator(t *testing.T) {
	a, c, _ := setup(t, Config{PasswordCost: cheap})
	ctx := t.Context()
	code, err := a.SetupLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	later, _ := a.SetupLink(ctx)
	open, _ := a.SignInLink(ctx, Admin())
	id, session, err := a.Exchange(ctx, from("127.0.0.1"), code)
	if err != nil || !id.Who.Whole || !a.Elevated(id) {
		t.Fatalf("%+v %v", id, err)
	}
	r := from("127.0.0.1", a.Cookie(from("127.0.0.1"), session))
	p, err := a.people.Create(ctx, people.Person{Login: "admin-1", Name: "Admin Satu", Grants: []access.Grant{{Role: access.Admin}}})
	if err != nil {
		t.Fatal(err)
	}
	c.advance(rollFresh)
	looks, err := a.Identify(r)
	if err != nil || looks.SessionEnds.IsZero() {
		t.Errorf("nobody can sign in yet, and the link's session is over: %+v %v", looks, err)
	}
	if now, err := a.Now(ctx, looks); err != nil || now.Subject != id.Subject {
		t.Errorf("its socket: %+v %v", now, err)
	}
	invite, err := a.Invite(ctx, p, id.Subject)
	if err != nil {
		t.Fatal(err)
	}
	in, secret, err := a.Exchange(ctx, from("192.0.2.9"), invite)
	if err != nil || !slices.Equal(in.Needs, []string{"password"}) || len(in.Rights) != 0 {
		t.Fatalf("%+v %v", in, err)
	}
	mine := from("192.0.2.9", a.Cookie(r, secret))
	for _, bad := range []string{"short", "password12345", "Admin Satu 12", "aaaaaaaaaaaaaa"} {
		if err := a.ChangePassword(ctx, mine, in, "", bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if err := a.ChangePassword(ctx, mine, in, "", password); err != nil {
		t.Fatal(err)
	}
	c.advance(rollFresh)
	if id, err := a.Identify(mine); err != nil || !id.Can(access.WritePeople) {
		t.Errorf("the administrator: %+v %v", id, err)
	}
	if _, err := a.Identify(r); !errors.Is(err, ErrAnonymous) {
		t.Errorf("the first link's session goes on: %v", err)
	}
	if now, err := a.Now(ctx, looks); err != nil || now.Subject != "" {
		t.Errorf("its socket goes on: %+v %v", now, err)
	}
	if _, _, err := a.Exchange(ctx, from("127.0.0.1"), later); !errors.Is(err, ErrDenied) {
		t.Errorf("a second first link: %v", err)
	}
	if _, _, err := a.Exchange(ctx, from("127.0.0.1"), open); err != nil {
		t.Errorf("the link that was asked for: %v", err)
	}
	again, _ := a.Invite(ctx, p, id.Subject)
	if _, _, err := a.Exchange(ctx, from("192.0.2.9"), again); !errors.Is(err, ErrDenied) {
		t.Errorf("an invitation of somebody who can sign in: %v", err)
	}
	if err := a.ChangePassword(ctx, mine, in, "wrong", password+"!"); !errors.Is(err, ErrDenied) {
		t.Errorf("without the old password: %v", err)
	}
}

// Whoever comes in by a passkey or a provider alone sets a password only if they have just shown who they are.
func TestAFirstPasswordBesideOtherWays(t *testing.T) {
	a, c, _ := setup(t, Config{PasswordCost: cheap})
	p := somebody(t, a, "sari", func(p *people.Person) {
		p.Password = ""
		p.External = []people.External{{Issuer: "https://idp.example", Subject: "1"}}
	})
	id, _, err := a.OpenFor(t.Context(), from("192.0.2.1"), p, "by a provider", Opening{Factor: ByProvider, Elevated: true})
	if err != nil {
		t.Fatal(err)
	}
	c.advance(elevationTime)
	if err := a.ChangePassword(t.Context(), from("192.0.2.1"), id, "", password); !errors.Is(err, ErrElevate) {
		t.Errorf("at a browser that was left open: %v", err)
	}
	c.advance(-time.Minute)
	if err := a.ChangePassword(t.Context(), from("192.0.2.1"), id, "", password); err != nil {
		t.Errorf("lately shown: %v", err)
	}
}

// A witness's code sets a password once, within 15 minutes; the person's sessions end, and the second factors go where that was said.
func TestWitnessedReset(t *testing.T) {
	a, c, l := setup(t, Config{PasswordCost: cheap})
	ctx := t.Context()
	p := somebody(t, a, "sari", func(p *people.Person) { p.TOTP = &people.TOTP{}; p.Recovery = []string{"x"} })
	ended := told(a)
	if _, _, err := a.OpenFor(ctx, from("192.0.2.1"), p, "", Opening{Factor: "totp"}); err != nil {
		t.Fatal(err)
	}
	code, until, err := a.ResetCode(ctx, p, true, "user:witness", "Pak Rahman")
	if err != nil || until.Sub(c.now()) > 15*time.Minute || len(people.PlainCode(code)) != 16 {
		t.Fatal(code, until, err)
	}
	r := from("192.0.2.44")
	if _, err := a.Redeem(ctx, r, code, "short"); err == nil {
		t.Error("a short password was taken")
	}
	const fresh = "empat perahu di danau singkarak"
	if _, err := a.Redeem(ctx, r, " "+code[:4]+code[4:], fresh); err != nil {
		t.Fatal(err)
	}
	now, _ := a.people.Get(ctx, p.ID)
	if now.Guarded() || len(now.Recovery) != 0 || now.Witness == nil || now.Witness.By != "user:witness" {
		t.Errorf("%+v", now)
	}
	if len(*ended) != 1 {
		t.Errorf("ended %v", *ended)
	}
	if _, err := a.Redeem(ctx, r, code, fresh); !errors.Is(err, ErrDenied) {
		t.Errorf("twice: %v", err)
	}
	if !slices.ContainsFunc(l.acts, func(x Act) bool {
		return x.Action == "password.changed" && x.Actor.Subject == "user:"+p.ID && x.Reason == "with Pak Rahman (user:witness) as witness, without the second factors"
	}) {
		t.Errorf("audit: %+v", l.acts)
	}
	code, _, _ = a.ResetCode(ctx, now, false, "user:witness", "Pak Rahman")
	c.advance(15*time.Minute + time.Second)
	if _, err := a.Redeem(ctx, r, code, fresh); !errors.Is(err, ErrDenied) {
		t.Errorf("after 15 minutes: %v", err)
	}
}

// A break-glass code signs in for an hour, every use is kept, and the account must be sealed again.
func TestBreakGlass(t *testing.T) {
	a, c, l := setup(t, Config{PasswordCost: cheap, SecondFactor: []access.Role{access.Admin}})
	ctx := t.Context()
	p, err := a.people.Create(ctx, people.Person{Login: "amplop", Name: "Amplop", BreakGlass: true, Grants: []access.Grant{{Role: access.Admin}}})
	if err != nil {
		t.Fatal(err)
	}
	p, code, err := a.SealPerson(ctx, p.ID)
	if err != nil || len(people.PlainCode(code)) != 32 {
		t.Fatal(code, err)
	}
	typed := "  " + code[:9] + " " + code[10:] // as people type it
	r := from("192.0.2.1")
	p, err = a.ByPassword(ctx, r, "amplop", typed)
	if err != nil {
		t.Fatal(err)
	}
	id, session, err := a.OpenFor(ctx, r, p, "by password", Opening{})
	if err != nil || !id.Can(access.WritePeople) {
		t.Fatalf("%+v %v", id, err)
	}
	if now, _ := a.people.Get(ctx, p.ID); now.UnsealedAt.IsZero() {
		t.Error("its use is not noted")
	}
	if !slices.ContainsFunc(l.acts, func(x Act) bool { return x.Action == "break_glass.used" }) {
		t.Errorf("audit: %+v", l.acts)
	}
	r = from("192.0.2.1", a.Cookie(r, session))
	if err := a.VerifyPassword(ctx, r, p, typed); err != nil {
		t.Errorf("elevation by the code as people type it: %v", err)
	}
	var fault *people.Fault
	if err := a.ChangePassword(ctx, r, id, typed, "TIGA EKOR KERBAU"); !errors.As(err, &fault) {
		t.Errorf("a code of one's own, which no envelope holds: %v", err)
	}
	c.advance(59 * time.Minute)
	if _, err := a.Identify(r); err != nil {
		t.Errorf("within the hour: %v", err)
	}
	c.advance(2 * time.Minute)
	if _, err := a.Identify(r); !errors.Is(err, ErrAnonymous) {
		t.Errorf("after the hour: %v", err)
	}
	if p, _, err = a.SealPerson(ctx, p.ID); err != nil || !p.UnsealedAt.IsZero() {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := a.ByPassword(ctx, from("192.0.2.2"), "amplop", code); !errors.Is(err, ErrDenied) {
		t.Errorf("the old code: %v", err)
	}
}

// A screen stays at its desk, whoever sits down.
func TestQuickSwitch(t *testing.T) {
	a, _, _ := setup(t, Config{PasswordCost: cheap})
	ended := told(a)
	somebody(t, a, "sari")
	budi := somebody(t, a, "budi")
	id, cookie, _ := enter(t, a, from("192.0.2.1"), "sari")
	if err := a.SetDesk(t.Context(), id, "desk-2"); err != nil {
		t.Fatal(err)
	}
	next, _, err := a.OpenFor(t.Context(), from("192.0.2.1", cookie), budi, "by password", Opening{})
	if err != nil || next.Desk != "desk-2" || next.Switched != id.Name || next.Name != budi.Name {
		t.Fatalf("%+v %v", next, err)
	}
	if len(*ended) != 1 || (*ended)[0] != (toldEnd{id.Session, true}) {
		t.Errorf("told %v", *ended)
	}
	staff, err := a.Staffed(t.Context(), a.now().Add(-time.Minute))
	if err != nil || len(staff) != 1 || staff[0].Name != budi.Name || staff[0].Desk != "desk-2" {
		t.Errorf("%+v %v", staff, err)
	}
	if err := a.SetDesk(t.Context(), id, "desk-1"); !errors.Is(err, ErrDenied) {
		t.Errorf("a session that has ended moves: %v", err)
	}
}
