// Package people is accounts: who somebody is, which roles they hold where, and how they show that it is they.
//
// It keeps them in Redis; whether they may come in now, and what of, is for server/auth.
package people

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
)

// Person is one account as the store holds it. What shows who they are never leaves the server: Public gives what others may see.
type Person struct {
	V          int            `json:"v"`
	ID         string         `json:"id"`    // ULID
	Login      string         `json:"login"` // lower case, unique; an e-mail address or a short name
	Name       string         `json:"name"`
	Lang       string         `json:"lang,omitempty"` // id or en; empty: as the screen chooses
	Grants     []access.Grant `json:"grants"`
	Unit       string         `json:"unit,omitempty"` // of a field role: "bpbd/trc-1"
	Disabled   bool           `json:"disabled,omitempty"`
	BreakGlass bool           `json:"break_glass,omitempty"` // sealed in an envelope: every use is an alarm
	UnsealedAt moment.Time    `json:"unsealed_at,omitzero"`  // when a break-glass code was used, until it is sealed again
	Version    int64          `json:"version"`               // grows with each change
	CreatedAt  moment.Time    `json:"created_at"`
	CreatedBy  string         `json:"created_by"`
	ChangedAt  moment.Time    `json:"changed_at"`

	Password   string      `json:"password,omitempty"` // argon2id in PHC form; empty: none
	MustChange bool        `json:"must_change,omitempty"`
	TOTP       *TOTP       `json:"totp,omitempty"`
	Passkeys   []Passkey   `json:"passkeys,omitempty"`
	Recovery   []string    `json:"recovery,omitempty"`   // SHA-256 of the codes that are left
	RecoveryAt moment.Time `json:"recovery_at,omitzero"` // when a recovery code was used, until new ones are made
	External   []External  `json:"external,omitempty"`   // who they are at providers of OpenID Connect
	Provided   []Provided  `json:"provided,omitempty"`   // what the providers' groups gave at the last sign-in there
	Known      []Device    `json:"known,omitempty"`      // browsers that signed in before, the newest first
	LastSeenAt moment.Time `json:"last_seen_at"`         // of a sign-in
	Witness    *Witness    `json:"witness,omitempty"`    // of the last password that was set with one
}

// Witness is who let somebody in again, and when.
type Witness struct {
	By string      `json:"by"` // subject
	At moment.Time `json:"at"`
}

// TOTP is a second factor by codes of an app (RFC 6238).
type TOTP struct {
	Secret string      `json:"secret"` // sealed
	Last   int64       `json:"last"`   // the time step that was used last: none counts twice
	At     moment.Time `json:"at"`
}

// Passkey is a credential of WebAuthn. Credential is the library's record in JSON.
type Passkey struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Site       string      `json:"site"` // RP id: the host name that it was made at, and is shown at only
	Credential []byte      `json:"credential"`
	CreatedAt  moment.Time `json:"created_at"`
	UsedAt     moment.Time `json:"used_at"`
}

// External is a subject at an issuer.
type External struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

// Provided is the roles that a provider's groups gave. They stand apart from Grants, which people here give: each sign-in at the provider
// replaces them, and nothing else may. Each has an end, so that whoever the provider has dropped does not keep them by another way in.
type Provided struct {
	Issuer string         `json:"issuer"`
	Grants []access.Grant `json:"grants"`
}

// Device is a browser that this person has signed in with: the lock of strangers' guesses does not hold there.
type Device struct {
	Hash string      `json:"hash"` // of its cookie
	At   moment.Time `json:"at"`
}

// Errors of accounts.
var (
	ErrNoPerson = errors.New("no account has this name or id")
	ErrTaken    = errors.New("the login is taken")
	ErrStale    = errors.New("the account has changed since it was read")
)

// Fault is what an account may not be. Field is the JSON field at fault; of a password the code is short, in characters, long, in bytes, same,
// common, name or type (no text).
type Fault = fault.Fault

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{1,63}$`)

// Login brings a login into the form in which it is kept.
func Login(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Validate names what is wrong with what an administrator says of an account. Errors: *Fault.
func (p *Person) Validate() error {
	switch {
	case !loginForm.MatchString(p.Login):
		return &Fault{Field: "login", Code: fault.Form, Limit: "rina.sari", Reason: "want 2 to 64 of a-z, 0-9 and . _ @ + -, beginning with a letter or digit"}
	case strings.TrimSpace(p.Name) == "":
		return &Fault{Field: "name", Code: fault.Missing, Reason: "want 1 to 100 bytes"}
	case len(p.Name) > 100:
		return &Fault{Field: "name", Code: fault.Long, Limit: 100, Reason: "want 1 to 100 bytes"}
	case p.Lang != "" && p.Lang != "id" && p.Lang != "en":
		return &Fault{Field: "lang", Code: fault.OneOf, Limit: "id, en", Reason: "want id or en"}
	case len(p.Grants) > 20:
		return &Fault{Field: "grants", Code: fault.Long, Limit: 20, Reason: "at most 20"}
	}
	for _, g := range p.Grants {
		if !g.Role.Personal() {
			return &Fault{Field: "grants", Code: fault.Unknown, Reason: "role " + string(g.Role) + " is none that a person may hold"}
		}
	}
	return nil
}

// Subject is who the person is to access.Can.
func (p *Person) Subject() access.Subject {
	if p.Disabled {
		return access.Subject{ID: "user:" + p.ID}
	}
	return access.Subject{ID: "user:" + p.ID, Grants: p.Held(), Unit: p.Unit}
}

// Held is every grant of the person, from here and from providers.
func (p *Person) Held() []access.Grant {
	out := slices.Clone(p.Grants)
	for _, from := range p.Provided {
		out = append(out, from.Grants...)
	}
	return out
}

// Factors lists the kinds of second factor that the person has: passkey, totp, recovery.
func (p *Person) Factors() []string {
	out := []string{}
	for _, f := range []struct {
		name string
		has  bool
	}{{"passkey", len(p.Passkeys) > 0}, {"totp", p.TOTP != nil}, {"recovery", len(p.Recovery) > 0}} {
		if f.has {
			out = append(out, f.name)
		}
	}
	return out
}

// holds tells whether the person has a role anywhere.
func (p *Person) holds(roles ...access.Role) bool {
	return slices.ContainsFunc(p.Held(), func(g access.Grant) bool { return slices.Contains(roles, g.Role) })
}
