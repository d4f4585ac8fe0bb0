package people

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

// mostPasskeys of one person: more are a mistake.
const mostPasskeys = 10

// Errors of passkeys.
var (
	ErrAddress   = errors.New("a passkey belongs to a name: open this server by its name, not by its IP address")
	ErrPlain     = errors.New("browsers use passkeys over https only, and on localhost")
	ErrChallenge = errors.New("this challenge is not waiting for an answer: begin again")
	ErrPasskey   = errors.New("the passkey is not accepted")
	ErrClone     = errors.New("the passkey's counter went back: there may be a copy of it, and it is not accepted")
	ErrMany      = fmt.Errorf("at most %d passkeys", mostPasskeys)
)

// Site is the relying party (Web Authentication Level 3, section 5.4.2) as the browser reaches it.
type Site struct {
	ID     string // host name
	Origin string // scheme://host[:port]
}

// SiteOf tells which site an origin is. Errors: ErrAddress, ErrPlain.
func SiteOf(origin string) (Site, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return Site{}, fmt.Errorf("%w (%q)", ErrAddress, origin)
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil {
		return Site{}, ErrAddress
	}
	if protocol.ValidateRPID(host) != nil {
		return Site{}, ErrAddress
	}
	if u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return Site{}, ErrPlain
	}
	return Site{host, strings.ToLower(u.Scheme + "://" + u.Host)}, nil
}

// Shown is a passkey that somebody has shown.
type Shown struct {
	Person  Person
	Passkey Passkey
	Pending string // ticket of the sign-in that waited for it; empty: it signs in alone
}

// ceremony is a challenge that waits for its answer.
type ceremony struct {
	Kind    string               `json:"kind"` // register or show
	Person  string               `json:"person,omitempty"`
	Pending string               `json:"pending,omitempty"`
	Site    Site                 `json:"site"`
	Expires time.Time            `json:"expires"`
	Session webauthn.SessionData `json:"session"`
}

const (
	registering = "register"
	showing     = "show"
)

// library is the checks of a site. User verification is always required: a passkey is both factors, what one has and a finger or PIN.
func (f *Factors) library(s Site) (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{RPID: s.ID, RPDisplayName: f.name(), RPOrigins: []string{s.Origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired},
		// We ask for no extension; what some password managers answer all the same means nothing to us.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore})
}

// account is a person as the library sees one.
type account struct{ p *Person }

// WebAuthnID is the account's id: it says nothing of the person.
func (a account) WebAuthnID() []byte { return []byte(a.p.ID) }

// WebAuthnName is what the browser shows in its list.
func (a account) WebAuthnName() string { return a.p.Login }

// WebAuthnDisplayName is the name beside it.
func (a account) WebAuthnDisplayName() string { return a.p.Name }

// WebAuthnCredentials are the passkeys that can be read.
func (a account) WebAuthnCredentials() []webauthn.Credential {
	var out []webauthn.Credential
	for _, k := range a.p.Passkeys {
		var c webauthn.Credential
		if json.Unmarshal(k.Credential, &c) == nil {
			out = append(out, c)
		}
	}
	return out
}

// BeginPasskey makes the challenge by which a person's device makes a passkey, and says what the browser needs for it: PublicKeyCredentialCreationOptions.
// Errors: ErrMany.
func (f *Factors) BeginPasskey(ctx context.Context, p Person, s Site) (string, any, error) {
	if len(p.Passkeys) >= mostPasskeys {
		return "", nil, ErrMany
	}
	lib, err := f.library(s)
	if err != nil {
		return "", nil, err
	}
	options, session, err := lib.BeginRegistration(account{&p}, webauthn.WithExclusions(webauthn.Credentials(account{&p}.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return "", nil, fmt.Errorf("begin a passkey: %w", err)
	}
	name, err := f.wait(ctx, ceremony{Kind: registering, Person: p.ID, Site: s, Session: *session})
	return name, options.Response, err
}

// FinishPasskey keeps the passkey that the device has made. Whoever has no recovery codes gets them: they are told this once. Errors:
// ErrChallenge, ErrPasskey, ErrMany, *Fault.
func (f *Factors) FinishPasskey(ctx context.Context, ticket, person, name string, credential []byte) (Person, []string, error) {
	if name = strings.TrimSpace(name); name == "" || len(name) > 60 {
		return Person{}, nil, &Fault{Field: "name", Code: "long", Limit: 60, Reason: "want 1 to 60 bytes"}
	}
	c, lib, err := f.take(ctx, ticket, registering)
	if err != nil {
		return Person{}, nil, err
	}
	if c.Person != person {
		return Person{}, nil, fmt.Errorf("%w: another person's challenge", ErrPasskey)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return Person{}, nil, refusedBy(err)
	}
	made, err := lib.CreateCredential(account{&Person{ID: c.Person}}, c.Session, parsed)
	if err != nil {
		return Person{}, nil, refusedBy(err)
	}
	record, err := json.Marshal(made)
	if err != nil {
		return Person{}, nil, err
	}
	key := Passkey{ID: base64.RawURLEncoding.EncodeToString(made.ID), Name: name, Site: c.Site.ID, Credential: record, CreatedAt: moment.Of(f.store.now())}
	if err := f.foreign(ctx, key.ID); err != nil {
		return Person{}, nil, err
	}
	var codes []string
	p, err := f.store.Change(ctx, person, 0, func(p *Person) error {
		if len(p.Passkeys) >= mostPasskeys {
			return ErrMany
		}
		if slices.ContainsFunc(p.Passkeys, func(k Passkey) bool { return k.ID == key.ID }) {
			return fmt.Errorf("%w: it is known already", ErrPasskey)
		}
		p.Passkeys = append(p.Passkeys, key)
		codes = p.recoverable()
		return nil
	})
	return p, codes, err
}

// foreign refuses a passkey that some account has: section 7.1, step 26.
func (f *Factors) foreign(ctx context.Context, id string) error {
	all, err := f.store.List(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if slices.ContainsFunc(p.Passkeys, func(k Passkey) bool { return k.ID == id }) {
			return fmt.Errorf("%w: it is known already", ErrPasskey)
		}
	}
	return nil
}

// BeginShow makes a challenge to a passkey, and says what the browser needs for it: PublicKeyCredentialRequestOptions. With a person it is
// to one of theirs (ErrNoFactor where none is of this site), as the second factor of the sign-in that waits; else whoever has one for this
// site may answer.
func (f *Factors) BeginShow(ctx context.Context, p *Person, pending string, s Site) (string, any, error) {
	lib, err := f.library(s)
	if err != nil {
		return "", nil, err
	}
	c := ceremony{Kind: showing, Pending: pending, Site: s}
	var options *protocol.CredentialAssertion
	var session *webauthn.SessionData
	if p == nil {
		options, session, err = lib.BeginDiscoverableLogin()
	} else {
		here := *p
		here.Passkeys = slices.DeleteFunc(slices.Clone(p.Passkeys), func(k Passkey) bool { return k.Site != s.ID })
		if len(here.Passkeys) == 0 {
			return "", nil, ErrNoFactor
		}
		c.Person = p.ID
		options, session, err = lib.BeginLogin(account{&here})
	}
	if err != nil {
		return "", nil, fmt.Errorf("begin to show a passkey: %w", err)
	}
	c.Session = *session
	name, err := f.wait(ctx, c)
	return name, options.Response, err
}

// FinishShow holds the answer against the challenge, and the sign counter against the last one. Errors: ErrChallenge, ErrPasskey; ErrClone,
// with the person and the passkey whose copy it may be.
func (f *Factors) FinishShow(ctx context.Context, ticket string, credential []byte) (Shown, error) {
	c, lib, err := f.take(ctx, ticket, showing)
	if err != nil {
		return Shown{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(credential)
	if err != nil {
		return Shown{}, refusedBy(err)
	}
	who := c.Person
	if who == "" {
		who = string(parsed.Response.UserHandle)
	}
	out := Shown{Pending: c.Pending}
	out.Person, err = f.store.Note(ctx, who, func(p *Person) error {
		out.Passkey, err = f.hold(lib, c, p, parsed)
		out.Person = *p
		return err
	})
	switch {
	case errors.Is(err, ErrNoPerson):
		return Shown{}, fmt.Errorf("%w: nobody has this passkey", ErrPasskey)
	case errors.Is(err, ErrClone):
		p, _ := f.store.Get(ctx, who)
		return Shown{Person: p, Passkey: out.Passkey, Pending: c.Pending}, err
	case err != nil:
		return Shown{}, err
	}
	return out, nil
}

// hold checks an answer against a person's passkeys, and moves the counter on.
func (f *Factors) hold(lib *webauthn.WebAuthn, c ceremony, p *Person, parsed *protocol.ParsedCredentialAssertionData) (Passkey, error) {
	var shown *webauthn.Credential
	var err error
	if c.Person == "" {
		_, shown, err = lib.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return account{p}, nil }, c.Session, parsed)
	} else {
		shown, err = lib.ValidateLogin(account{p}, c.Session, parsed)
	}
	if err != nil {
		return Passkey{}, refusedBy(err)
	}
	id := base64.RawURLEncoding.EncodeToString(shown.ID)
	i := slices.IndexFunc(p.Passkeys, func(k Passkey) bool { return k.ID == id })
	if i < 0 {
		return Passkey{}, fmt.Errorf("%w: nobody has it", ErrPasskey)
	}
	if shown.Authenticator.CloneWarning {
		return p.Passkeys[i], ErrClone
	}
	if p.Passkeys[i].Credential, err = json.Marshal(shown); err != nil {
		return Passkey{}, err
	}
	p.Passkeys[i].UsedAt = moment.Of(f.store.now())
	return p.Passkeys[i], nil
}

// wait keeps a challenge, and gives the ticket that names it.
func (f *Factors) wait(ctx context.Context, c ceremony) (string, error) {
	c.Expires = f.store.now().Add(keyspace.PasskeyLifetime).UTC()
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	name := ticket()
	if err := f.store.rdb.Set(ctx, f.store.keys.Passkey(hashOf(name)), text, keyspace.PasskeyLifetime).Err(); err != nil {
		return "", fmt.Errorf("keep a challenge: %w", err)
	}
	return name, nil
}

// take takes a challenge out of the store: of two who answer it one is heard. A clock that stepped back there revives nothing.
func (f *Factors) take(ctx context.Context, ticket, kind string) (c ceremony, lib *webauthn.WebAuthn, err error) {
	text, err := f.store.rdb.GetDel(ctx, f.store.keys.Passkey(hashOf(ticket))).Bytes()
	if errors.Is(err, redis.Nil) {
		return c, nil, ErrChallenge
	} else if err != nil {
		return c, nil, fmt.Errorf("take a challenge: %w", err)
	}
	if json.Unmarshal(text, &c) != nil || c.Kind != kind || !f.store.now().Before(c.Expires) {
		return c, nil, ErrChallenge
	}
	lib, err = f.library(c.Site)
	return c, lib, err
}

// refusedBy is the library's refusal with its reason, which names no content of ours or theirs.
func refusedBy(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) && e.Details != "" {
		return fmt.Errorf("%w: %s", ErrPasskey, e.Details)
	}
	return ErrPasskey
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
