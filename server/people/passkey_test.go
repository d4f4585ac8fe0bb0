package people

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/geo/keyspace"
	"kentongan/server/people/passkeytest"
)

var here = Site{"kentongan.example", "https://kentongan.example"}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// passkey gives a person a passkey.
func (r *room) passkey(p Person) (*passkeytest.Key, Person) {
	r.t.Helper()
	ctx := context.Background()
	ticket, options, err := r.BeginPasskey(ctx, p, here)
	if err != nil {
		r.t.Fatal(err)
	}
	key, credential := passkeytest.Make(r.t, options, here.Origin)
	p, _, err = r.FinishPasskey(ctx, ticket, p.ID, "laptop", credential)
	if err != nil {
		r.t.Fatal(err)
	}
	return key, p
}

func TestSites(t *testing.T) {
	for _, c := range []struct {
		origin, id string
		want       error
	}{
		{"https://kentongan.example", "kentongan.example", nil},
		{"https://Kentongan.Example:8443", "kentongan.example", nil},
		{"http://localhost:8080", "localhost", nil},
		{"http://kentongan.localhost:8080", "kentongan.localhost", nil},
		{"http://127.0.0.1:8080", "", ErrAddress},
		{"https://10.1.2.3", "", ErrAddress},
		{"https://[::1]:8443", "", ErrAddress},
		{"http://pusdalops.lan", "", ErrPlain},
		{"https://", "", ErrAddress},
		{"://", "", ErrAddress},
	} {
		s, err := SiteOf(c.origin)
		if !errors.Is(err, c.want) || s.ID != c.id {
			t.Errorf("%s: %+v %v", c.origin, s, err)
		}
	}
}

func TestPasskeyIsMade(t *testing.T) {
	ctx, r := context.Background(), open(t)
	p := r.person("sari")
	made, p := r.passkey(p)
	if len(p.Passkeys) != 1 || p.Passkeys[0].Name != "laptop" || p.Passkeys[0].ID != b64(made.ID) || p.Passkeys[0].Site != here.ID || len(p.Recovery) != 10 {
		t.Fatalf("%+v", p)
	}
	_, options, err := r.BeginPasskey(ctx, p, here)
	if err != nil {
		t.Fatal(err)
	}
	text := asJSON(t, options)
	for _, want := range []string{`"residentKey":"required"`, `"userVerification":"required"`, b64(made.ID), `"id":"kentongan.example"`, `"attestation":"none"`, `"displayName":"Ibu sari"`} {
		if !strings.Contains(text, want) {
			t.Errorf("options lack %s: %s", want, text)
		}
	}
	other := r.person("budi")
	for _, c := range []struct {
		name   string
		origin string
		who    string
		label  string
		lies   []passkeytest.Lie
	}{
		{"wrong origin", "https://kentongan.example.evil.test", p.ID, "x", nil},
		{"another port", "https://kentongan.example:8443", p.ID, "x", nil},
		{"plain HTTP", "http://kentongan.example", p.ID, "x", nil},
		{"wrong RP id", here.Origin, p.ID, "x", []passkeytest.Lie{func(a *passkeytest.Answer) { a.RPID = "evil.test" }}},
		{"wrong challenge", here.Origin, p.ID, "x", []passkeytest.Lie{func(a *passkeytest.Answer) { a.Challenge = b64(make([]byte, 32)) }}},
		{"no user verification", here.Origin, p.ID, "x", []passkeytest.Lie{passkeytest.Unverified}},
		{"an answer to another question", here.Origin, p.ID, "x", []passkeytest.Lie{func(a *passkeytest.Answer) { a.Type = "webauthn.get" }}},
		{"inside a foreign frame", here.Origin, p.ID, "x", []passkeytest.Lie{func(a *passkeytest.Answer) { a.Cross = true }}},
		{"another person's ticket", here.Origin, other.ID, "x", nil},
		{"a passkey that is known", here.Origin, p.ID, "x", []passkeytest.Lie{func(a *passkeytest.Answer) { a.ID = made.ID }}},
		{"no name", here.Origin, p.ID, " ", nil},
		{"a long name", here.Origin, p.ID, strings.Repeat("x", 61), nil},
	} {
		ticket, options, err := r.BeginPasskey(ctx, p, here)
		if err != nil {
			t.Fatal(err)
		}
		_, credential := passkeytest.Make(t, options, c.origin, c.lies...)
		_, _, err = r.FinishPasskey(ctx, ticket, c.who, c.label, credential)
		var f *Fault
		if c.label != "x" && !errors.As(err, &f) || c.label == "x" && !errors.Is(err, ErrPasskey) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	theft, stolen, err := r.BeginPasskey(ctx, other, here)
	if err != nil {
		t.Fatal(err)
	}
	_, copied := passkeytest.Make(t, stolen, here.Origin, func(a *passkeytest.Answer) { a.ID = made.ID })
	if _, _, err := r.FinishPasskey(ctx, theft, other.ID, "x", copied); !errors.Is(err, ErrPasskey) {
		t.Errorf("a passkey of somebody else: %v", err)
	}
	if n := len(r.get(p.ID).Passkeys) + len(r.get(other.ID).Passkeys); n != 1 {
		t.Errorf("%d passkeys after lies, want 1", n)
	}
	// A ticket counts once, also with a right answer; and only for what it was made.
	ticket, options, _ := r.BeginPasskey(ctx, p, here)
	_, credential := passkeytest.Make(t, options, here.Origin)
	if _, _, err := r.FinishPasskey(ctx, ticket, p.ID, "kunci", []byte(`{}`)); !errors.Is(err, ErrPasskey) {
		t.Errorf("an empty credential: %v", err)
	}
	if _, _, err := r.FinishPasskey(ctx, ticket, p.ID, "kunci", credential); !errors.Is(err, ErrChallenge) {
		t.Errorf("a ticket used twice: %v", err)
	}
	ticket, _, _ = r.BeginShow(ctx, nil, "", here)
	if _, _, err := r.FinishPasskey(ctx, ticket, p.ID, "kunci", credential); !errors.Is(err, ErrChallenge) {
		t.Errorf("a ticket of a sign-in: %v", err)
	}
	ticket, _, _ = r.BeginPasskey(ctx, p, here)
	r.clock.advance(keyspace.PasskeyLifetime)
	if _, _, err := r.FinishPasskey(ctx, ticket, p.ID, "kunci", credential); !errors.Is(err, ErrChallenge) {
		t.Errorf("after five minutes: %v", err)
	}
	for range mostPasskeys - 1 {
		_, p = r.passkey(p)
	}
	if _, _, err := r.BeginPasskey(ctx, p, here); !errors.Is(err, ErrMany) {
		t.Errorf("an eleventh: %v", err)
	}
}

func TestPasskeyIsShown(t *testing.T) {
	ctx, r := context.Background(), open(t)
	key, p := r.passkey(r.person("sari"))
	foreign, _ := r.passkey(r.person("budi"))
	for _, c := range []struct {
		name   string
		second bool // as second factor of sari's sign-in
		key    *passkeytest.Key
		origin string
		lies   []passkeytest.Lie
		want   error
	}{
		{"alone", false, key, here.Origin, nil, nil},
		{"as second factor", true, key, here.Origin, nil, nil},
		{"as second factor, no user handle", true, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.User = nil }}, nil},
		{"alone, no user handle", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.User = nil }}, ErrPasskey},
		{"wrong origin", false, key, "https://evil.test", nil, ErrPasskey},
		{"wrong RP id", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.RPID = "evil.test" }}, ErrPasskey},
		{"wrong challenge", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.Challenge = b64(make([]byte, 32)) }}, ErrPasskey},
		{"no user verification", false, key, here.Origin, []passkeytest.Lie{passkeytest.Unverified}, ErrPasskey},
		{"no user verification as second factor", true, key, here.Origin, []passkeytest.Lie{passkeytest.Unverified}, ErrPasskey},
		{"an answer to another question", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.Type = "webauthn.create" }}, ErrPasskey},
		{"inside a foreign frame", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.Cross = true }}, ErrPasskey},
		{"signed by nobody", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.Signature = func(b []byte) []byte { b[len(b)-1] ^= 1; return b } }}, ErrPasskey},
		{"another person's credential as mine", false, foreign, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.User = []byte(p.ID) }}, ErrPasskey},
		{"another person's credential as second factor", true, foreign, here.Origin, nil, ErrPasskey},
		{"my id on another's signature", false, foreign, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.User, a.ID = []byte(p.ID), key.ID }}, ErrPasskey},
		{"nobody's handle", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.User = []byte("01J0000000000000000000NONE") }}, ErrPasskey},
		{"the counter stays", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.Count = r.count(p.ID) }}, ErrClone},
		{"the counter goes back", false, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.Count = 1 }}, ErrClone},
		{"the counter is gone", true, key, here.Origin, []passkeytest.Lie{func(a *passkeytest.Answer) { a.Count = 0 }}, ErrClone},
		{"after all that, the owner", false, key, here.Origin, nil, nil},
	} {
		who, pending := (*Person)(nil), ""
		if c.second {
			now := r.get(p.ID)
			who, pending = &now, "the-ticket"
		}
		ticket, options, err := r.BeginShow(ctx, who, pending, here)
		if err != nil {
			t.Fatal(err)
		}
		before := r.count(p.ID)
		shown, err := r.other.FinishShow(ctx, ticket, c.key.Show(t, options, c.origin, c.lies...))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		switch after := r.count(p.ID); {
		case c.want == nil && (shown.Person.ID != p.ID || shown.Pending != pending || shown.Passkey.UsedAt.IsZero() || after <= before):
			t.Errorf("%s: %+v, counter %d after %d", c.name, shown, after, before)
		case c.want != nil && after != before:
			t.Errorf("%s: refused, but the counter went from %d to %d", c.name, before, after)
		case c.want == ErrClone && (shown.Person.ID != p.ID || shown.Passkey.Name != "laptop"):
			t.Errorf("%s: a clone of whose? %+v", c.name, shown)
		}
	}
}

func TestAnAnswerCountsOnce(t *testing.T) {
	ctx, r := context.Background(), open(t)
	key, p := r.passkey(r.person("sari"))
	key.Step = 0 // a synced passkey counts nothing: only the challenge guards against a replay
	ticket, options, _ := r.BeginShow(ctx, nil, "", here)
	answer := key.Show(t, options, here.Origin)
	if n := r.race(func(f *Factors) error { _, err := f.FinishShow(ctx, ticket, answer); return err }, ErrChallenge); n != 1 {
		t.Errorf("an answer counted %d times", n)
	}
	ticket, _, _ = r.BeginShow(ctx, nil, "", here)
	if _, err := r.FinishShow(ctx, ticket, answer); !errors.Is(err, ErrPasskey) {
		t.Errorf("an old answer to a new challenge: %v", err)
	}
	ticket, options, _ = r.BeginShow(ctx, nil, "", here)
	r.clock.advance(keyspace.PasskeyLifetime + time.Second)
	if _, err := r.FinishShow(ctx, ticket, key.Show(t, options, here.Origin)); !errors.Is(err, ErrChallenge) {
		t.Errorf("after five minutes: %v", err)
	}
	for _, bad := range []string{"", "{}", `{"id":"x"}`, "[]", strings.Repeat("[", 10000)} {
		ticket, _, _ = r.BeginShow(ctx, nil, "", here)
		if _, err := r.FinishShow(ctx, ticket, []byte(bad)); !errors.Is(err, ErrPasskey) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	if _, _, err := r.BeginShow(ctx, &p, "x", Site{"other.example", "https://other.example"}); !errors.Is(err, ErrNoFactor) {
		t.Errorf("a passkey of another site: %v", err)
	}
	none := r.person("tono")
	if _, _, err := r.BeginShow(ctx, &none, "x", here); !errors.Is(err, ErrNoFactor) {
		t.Errorf("who has none: %v", err)
	}
	// A passkey that was taken away while its challenge was out.
	now := r.get(p.ID)
	ticket, options, _ = r.BeginShow(ctx, &now, "x", here)
	if _, err := r.Remove(ctx, p.ID, "passkey", p.Passkeys[0].ID, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.FinishShow(ctx, ticket, key.Show(t, options, here.Origin)); !errors.Is(err, ErrPasskey) {
		t.Errorf("taken away: %v", err)
	}
}

func TestTicketsAreNotKept(t *testing.T) {
	ctx, r := context.Background(), open(t)
	ticket, _, _ := r.BeginShow(ctx, nil, "", here)
	all := r.rdb.Keys(ctx, "*").Val()
	if len(all) != 1 || slices.ContainsFunc(all, func(k string) bool {
		return strings.Contains(k, ticket) || strings.Contains(r.rdb.Get(ctx, k).Val(), ticket)
	}) {
		t.Errorf("keys %v", all)
	}
}

// count is the counter of a person's first passkey, as it is kept.
func (r *room) count(id string) uint32 {
	r.t.Helper()
	p := r.get(id)
	return account{&p}.WebAuthnCredentials()[0].Authenticator.SignCount
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
