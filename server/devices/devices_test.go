package devices

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kentongan/geo/moment"
	"kentongan/geo/redistest"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/authority"
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

type ledger struct {
	mu   sync.Mutex
	acts []auth.Act
	full bool
}

func (l *ledger) record(_ context.Context, a auth.Act) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return errors.New("full")
	}
	l.acts = append(l.acts, a)
	return nil
}

func (l *ledger) has(action, object string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.acts, func(a auth.Act) bool { return a.Action == action && a.Object == object })
}

// pair is two servers on one store, with one authority, on one clock.
func pair(t *testing.T) (a, b *Store, c *clock, l *ledger) {
	t.Helper()
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	c, l = &clock{at: time.Now()}, &ledger{}
	ca, err := authority.Open(t.TempDir(), c.now)
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{Redis: rdb, Keys: keys, Authority: ca, Audit: l.record, Now: c.now,
		Filter: func(feed string) (string, bool) { return feed + "/#", feed == "awlr" || feed == "siren" },
		Person: func(_ context.Context, id string) ([]access.Grant, string, error) {
			if id != "rani" {
				return nil, "", auth.ErrDenied
			}
			return []access.Grant{{Role: access.Field, Agency: "bpbd"}, {Role: access.Dispatcher}}, "bpbd/trc-1", nil
		}}
	return New(d), New(d), c, l
}

var admin = auth.Act{Actor: auth.Admin()}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func request(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func parsed(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	c, err := authority.ParsePEM([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wallGrant() Grant { return Grant{Name: "north wall", Screen: "north-1"} }

// wall lets a wall in by code, over both servers.
func wall(t *testing.T, a, b *Store) Given {
	t.Helper()
	ctx := t.Context()
	asked, err := a.Ask(ctx, Asking{Kind: Wall, Name: "a screen", From: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Poll(ctx, asked.Poll, auth.Act{}); !errors.Is(err, ErrWaiting) {
		t.Fatalf("before anybody approved: %v", err)
	}
	if list, err := b.Waiting(ctx); err != nil || len(list) != 1 || list[0].Kind != Wall || list[0].From != "192.0.2.7" || list[0].Name != "a screen" || !list[0].ExpiresAt.Equal(asked.ExpiresAt.Time) {
		t.Errorf("who approves sees %+v %v", list, err)
	}
	if _, err := b.Approve(ctx, strings.ToLower(asked.Code), wallGrant(), admin); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Waiting(ctx); err != nil || len(list) != 0 {
		t.Errorf("who was approved still asks: %+v %v", list, err)
	}
	given, err := a.Poll(ctx, asked.Poll, auth.Act{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Poll(ctx, asked.Poll, auth.Act{}); !errors.Is(err, ErrGone) {
		t.Errorf("a second time: %v", err)
	}
	return given
}

func TestAGatewayHasACertificate(t *testing.T) {
	a, b, c, l := pair(t)
	ctx, key := t.Context(), ecKey(t)
	d, token, err := a.Invite(ctx, Broker, Grant{Name: "gateway", Feed: "awlr", Topics: []string{"awlr/7/#"}}, admin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Redeem(ctx, token, "", auth.Act{}); !errors.Is(err, authority.ErrRequest) {
		t.Errorf("without a request: %v", err)
	}
	given, err := b.Redeem(ctx, token, request(t, key), auth.Act{})
	if err != nil || given.Cookie != "" || given.Authority != string(a.Authority.Root()) {
		t.Fatalf("%+v %v", given, err)
	}
	first := parsed(t, given.Certificate)
	if life := first.NotAfter.Sub(c.now()).Round(time.Hour); life != authority.DeviceLife {
		t.Errorf("it lives %v", life)
	}
	got, err := a.Certified(ctx, first)
	if err != nil || got.ID != d.ID || got.Subject().Feed != "awlr" || !slices.Equal(got.Subject().Actions, []access.Action{access.Ingest}) {
		t.Errorf("%+v %v", got, err)
	}
	// Renewal.
	if _, err := a.Renew(ctx, given.Certificate, request(t, key), auth.Act{}); !errors.Is(err, ErrEarly) {
		t.Errorf("at once: %v", err)
	}
	c.advance(45 * 24 * time.Hour)
	if _, err := a.Renew(ctx, given.Certificate, request(t, ecKey(t)), auth.Act{}); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("by another key: %v", err)
	}
	next, err := a.Renew(ctx, given.Certificate, request(t, key), auth.Act{})
	if err != nil {
		t.Fatal(err)
	}
	second := parsed(t, next.Certificate)
	for name, cert := range map[string]*x509.Certificate{"old": first, "new": second} {
		if _, err := b.Certified(ctx, cert); err != nil {
			t.Errorf("the %s one: %v", name, err)
		}
	}
	c.advance(46 * 24 * time.Hour)
	if _, err := b.Certified(ctx, first); !errors.Is(err, auth.ErrDenied) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after its end: %v", err)
	}
	if _, err := b.Renew(ctx, given.Certificate, request(t, key), auth.Act{}); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("renewed by one that has ended: %v", err)
	}
	if alive, err := b.CertificateAlive(ctx, d.ID, authority.Serial(second)); !alive || err != nil {
		t.Errorf("%v %v", alive, err)
	}
	// One that the authority signed, but for nobody that is known.
	stray, err := a.Authority.Issue([]byte(request(t, key)), "x", authority.SANs{URI: authority.DeviceURI(d.ID)}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Certified(ctx, stray); !errors.Is(err, auth.ErrDenied) || !strings.Contains(err.Error(), "not one of the device's") {
		t.Errorf("a stray one: %v", err)
	}
	// Removed.
	if _, err := a.Remove(ctx, d.ID, admin); err != nil {
		t.Fatal(err)
	}
	c.advance(fresh)
	if _, err := b.Certified(ctx, second); !errors.Is(err, auth.ErrDenied) || !strings.Contains(err.Error(), "taken back") {
		t.Errorf("removed: %v", err)
	}
	if alive, err := b.CertificateAlive(ctx, d.ID, authority.Serial(second)); alive || err != nil {
		t.Errorf("%v %v", alive, err)
	}
	if !l.has("device.renewed", "device:"+d.ID) {
		t.Error("renewal is not audited")
	}
	none := New(Deps{Redis: a.Redis, Keys: a.Keys, Filter: a.Filter, Now: c.now})
	if _, _, err := none.Invite(ctx, Broker, Grant{Name: "n", Feed: "awlr"}, admin); !errors.Is(err, ErrNoCA) {
		t.Errorf("without an authority: %v", err)
	}
}

func TestARemovedDeviceIsOutEverywhereWithinHalfASecond(t *testing.T) {
	a, b, c, l := pair(t)
	given := wall(t, a, b)
	if _, err := b.Shown(t.Context(), given.Cookie); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := a.Remove(t.Context(), given.Device.ID, admin); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Shown(t.Context(), given.Cookie); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("where it was removed: %v", err)
	}
	removed := c.now()
	for c.now().Sub(removed) < time.Second {
		if _, err := b.Shown(t.Context(), given.Cookie); errors.Is(err, auth.ErrDenied) {
			break
		}
		c.advance(10 * time.Millisecond)
	}
	if took := c.now().Sub(removed); took > fresh {
		t.Errorf("known to the other server for %v", took)
	}
	if _, err := b.Who(t.Context(), given.Device.ID); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("whoever is connected as it stays: %v", err)
	}
	if _, err := a.Remove(t.Context(), "nobody", admin); !errors.Is(err, ErrNoDevice) {
		t.Errorf("nobody: %v", err)
	}
	if !l.has("device.removed", "device:"+given.Device.ID) {
		t.Error("not audited")
	}
	list, err := b.List(t.Context(), Wall)
	if err != nil || len(list) != 1 || list[0].RemovedAt.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
}

// A device that a person carries may what that person may in the field today, and nothing of their other roles.
func TestADeviceOfAPersonHasTheirFieldRights(t *testing.T) {
	a, _, _, _ := pair(t)
	given := func(person string) Given {
		_, token, err := a.Invite(t.Context(), Field, Grant{Name: "phone", Person: person}, admin)
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Redeem(t.Context(), token, "", auth.Act{})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	d, err := a.Shown(t.Context(), given("rani").Cookie)
	if err != nil || d.Who.Unit != "bpbd/trc-1" || len(d.Who.Grants) != 1 || d.Who.Grants[0].Role != access.Field {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := a.Shown(t.Context(), given("gone").Cookie); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("of somebody who is gone: %v", err)
	}
}

func TestWhereADeviceWasSeen(t *testing.T) {
	a, b, c, _ := pair(t)
	given := wall(t, a, b)
	id := given.Device.ID
	seen := func() Device {
		t.Helper()
		list, err := b.List(t.Context(), "")
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	if d := seen(); !d.LastSeenAt.IsZero() || d.Elsewhere || len(d.Addresses) != 0 {
		t.Errorf("%+v", d)
	}
	if a.Seen(t.Context(), id, "192.0.2.7", "Chromium") {
		t.Error("the first address is another")
	}
	if d := seen(); d.Address != "192.0.2.7" || d.Version != "Chromium" || d.Elsewhere {
		t.Errorf("%+v", d)
	}
	c.advance(time.Minute)
	if a.Seen(t.Context(), id, "192.0.2.7", "Chromium") {
		t.Error("the same address is another")
	}
	// Its cookie is stolen.
	if !b.Seen(t.Context(), id, "203.0.113.9", "curl") {
		t.Error("another address is not noticed")
	}
	if d := seen(); d.Address != "203.0.113.9" || !d.Elsewhere || len(d.Addresses) != 2 {
		t.Errorf("%+v", d)
	}
	c.advance(time.Minute)
	if a.Seen(t.Context(), id, "192.0.2.7", "Chromium") || b.Seen(t.Context(), id, "203.0.113.9", "curl") {
		t.Error("it is told again and again")
	}
	for i := range 10 {
		a.Seen(t.Context(), id, fmt.Sprintf("198.51.100.%d", i), "\xff")
	}
	if d := seen(); len(d.Addresses) != addressesKept || d.Version != "" {
		t.Errorf("%+v", d)
	}
}

// A wall that comes back within the year is known for another.
func TestACookieLivesAsLongAsItsDeviceComesBack(t *testing.T) {
	a, b, c, _ := pair(t)
	given := wall(t, a, b)
	for range 4 {
		c.advance(200 * 24 * time.Hour)
		if _, err := b.Shown(t.Context(), given.Cookie); err != nil {
			t.Fatal(err)
		}
		b.Seen(t.Context(), given.Device.ID, "192.0.2.7", "")
	}
	c.advance(auth.DeviceLife)
	if _, err := a.Shown(t.Context(), given.Cookie); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("a year without a visit: %v", err)
	}
}

func TestHowManyAreKnown(t *testing.T) {
	a, _, c, _ := pair(t)
	ctx := t.Context()
	pipe := a.Redis.Pipeline()
	for range Most {
		k := a.begin(Wall, wallGrant(), admin, moment.Of(c.now().Add(time.Hour)))
		k.EnrolledAt = moment.Of(c.now())
		if err := a.put(ctx, pipe, k); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Invite(ctx, Wall, wallGrant(), admin); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	began := time.Now()
	list, err := a.List(ctx, "")
	if err != nil || len(list) != Most {
		t.Fatal(len(list), err)
	}
	t.Logf("%d devices listed within %v", Most, time.Since(began).Round(time.Millisecond))
	if _, err := a.Remove(ctx, list[0].ID, admin); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Invite(ctx, Wall, wallGrant(), admin); err != nil {
		t.Errorf("once one is removed: %v", err)
	}
}

// A wall that is forgotten leaves nothing: one whose settings outlived its removal, and one that never came.
func TestAForgottenWallLeavesNothing(t *testing.T) {
	a, b, c, _ := pair(t)
	ctx := t.Context()
	removed := wall(t, a, b).Device.ID
	stays := wall(t, a, b).Device.ID
	never, _, err := a.Invite(ctx, Wall, wallGrant(), admin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Remove(ctx, removed, admin); err != nil {
		t.Fatal(err)
	}
	all := []string{a.Keys.Device(), a.Keys.DeviceSeen(), a.Keys.Wall(), a.Keys.WallReport()}
	for _, key := range all[1:] {
		a.Redis.HSet(ctx, key, removed, "{}", never.ID, "{}", stays, "{}")
	}
	c.advance(removedKept + time.Hour)
	if _, _, err := a.Invite(ctx, Wall, wallGrant(), admin); err != nil {
		t.Fatal(err)
	}
	for _, key := range all {
		for id, want := range map[string]bool{removed: false, never.ID: false, stays: true} {
			if has, err := a.Redis.HExists(ctx, key, id).Result(); err != nil || has != want {
				t.Errorf("%s %s: %t, %v", key, id, has, err)
			}
		}
	}
}

func TestWithoutTheStoreNobodyIsToldThatHeIsUnknown(t *testing.T) {
	s := redistest.Private(t)
	c := &clock{at: time.Now()}
	a := New(Deps{Redis: s.Client(t), Keys: redistest.Keys(t), Filter: func(string) (string, bool) { return "", false }, Now: c.now})
	given := wall(t, a, a)
	if _, err := a.Shown(t.Context(), given.Cookie); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if _, err := a.Shown(t.Context(), given.Cookie); err != nil {
		t.Errorf("known a moment ago: %v", err)
	}
	c.advance(fresh)
	if _, err := a.Shown(t.Context(), given.Cookie); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("later: %v", err)
	}
}
