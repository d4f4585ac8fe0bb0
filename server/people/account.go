package people

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/moment"
	"kentongan/server/access"
)

// Browsers that are kept of a person, and how often it is written that one was used.
const (
	devicesKept  = 10
	deviceTold   = 24 * time.Hour
	signInTold   = time.Minute
	sealedLength = 20 // bytes of a break-glass code: 160 bits
)

// CanEnter tells whether there is any way for the person to sign in.
func (p *Person) CanEnter() bool {
	return !p.Disabled && (p.Password != "" || len(p.Passkeys) > 0 || len(p.External) > 0)
}

// Knows tells whether the person has signed in with the browser before.
func (p *Person) Knows(device string) bool {
	return slices.ContainsFunc(p.Known, func(d Device) bool { return d.Hash == device })
}

// SignedIn notes a sign-in and the browser that it was made with.
func (p *Person) SignedIn(device string, now time.Time) {
	p.LastSeenAt = moment.Of(now)
	p.Known = slices.DeleteFunc(p.Known, func(d Device) bool { return d.Hash == device })
	p.Known = slices.Insert(p.Known, 0, Device{device, moment.Of(now)})
	if len(p.Known) > devicesKept {
		p.Known = p.Known[:devicesKept]
	}
}

// Public is an account as others may see it.
type Public struct {
	ID         string         `json:"id"`
	Login      string         `json:"login"`
	Name       string         `json:"name"`
	Lang       string         `json:"lang"`
	Grants     []access.Grant `json:"grants" doc:"Given here"`
	Provided   []access.Grant `json:"provided" doc:"Given by the groups of a provider"`
	Unit       string         `json:"unit"`
	Disabled   bool           `json:"disabled"`
	BreakGlass bool           `json:"break_glass"`
	UnsealedAt moment.Time    `json:"unsealed_at" doc:"When a break-glass code was used: it must be sealed again; null: sealed"`
	Password   bool           `json:"password" doc:"Whether there is one"`
	Factors    []string       `json:"factors" doc:"passkey, totp, recovery"`
	External   []string       `json:"external" doc:"Issuers by whom the person may sign in"`
	Version    int64          `json:"version"`
	CreatedAt  moment.Time    `json:"created_at"`
	CreatedBy  string         `json:"created_by"`
	ChangedAt  moment.Time    `json:"changed_at"`
	LastSeenAt moment.Time    `json:"last_seen_at" doc:"Of a sign-in; null: never"`
}

// Public gives what others may see: nothing that shows who somebody is.
func (p *Person) Public() Public {
	out := Public{ID: p.ID, Login: p.Login, Name: p.Name, Lang: p.Lang, Grants: p.Grants, Provided: p.Held()[len(p.Grants):], Unit: p.Unit, Disabled: p.Disabled, BreakGlass: p.BreakGlass,
		UnsealedAt: p.UnsealedAt, Password: p.Password != "", Factors: p.Factors(), External: []string{}, Version: p.Version, CreatedAt: p.CreatedAt, CreatedBy: p.CreatedBy,
		ChangedAt: p.ChangedAt, LastSeenAt: p.LastSeenAt}
	if out.Grants == nil {
		out.Grants = []access.Grant{}
	}
	for _, e := range p.External {
		out.External = append(out.External, e.Issuer)
	}
	return out
}

// SealedCode draws the code of a break-glass account.
func SealedCode() string { return ReadableCode(sealedLength) }

// Note changes what says nothing of who somebody is or what they may do: when they were seen, which browsers they use. Version and mark
// stay, so that nobody's work on the account is stale and nobody's rights are read anew. Errors: as Change.
func (s *Store) Note(ctx context.Context, id string, change func(*Person) error) (Person, error) {
	var out Person
	err := s.alone(ctx, func(tx *redis.Tx) error {
		p, err := read(tx.HGet(ctx, s.keys.Person(), id).Bytes())
		if err != nil {
			return err
		}
		if err := change(&p); err != nil {
			return err
		}
		out = p
		return s.keep(ctx, tx, p, false)
	})
	return out, err
}
