package people

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"

	"kentongan/server/access"
)

// Errors of second factors.
var (
	ErrCode     = errors.New("the code is not right")
	ErrUsed     = errors.New("the code was used already; wait for the next one")
	ErrSetup    = errors.New("nothing is being set up, or it took too long: begin again")
	ErrNoFactor = errors.New("there is no such second factor")
	ErrLast     = errors.New("who holds this role needs a second factor: add another before this one goes")
)

// Sealer seals what the store may not show: a seal.Ring.
type Sealer interface {
	Seal(purpose string, plain, bound []byte) (string, error)
	Unseal(purpose, sealed string, bound []byte) ([]byte, error)
}

// Factors gives people what they show beside a password, and holds what they show against it. What counts once, a code, a challenge, a
// step of a sign counter, is compared and written in one step of the store, so that it counts once at any number of servers. Safe for
// concurrent use.
type Factors struct {
	store *Store
	seal  Sealer
	place string // for the apps of people who have accounts in several houses
}

// NewFactors makes them. place is the name of the city.
func NewFactors(store *Store, seal Sealer, place string) *Factors {
	return &Factors{store, seal, place}
}

// name is what an app that keeps codes or passkeys calls us.
func (f *Factors) name() string {
	if f.place == "" {
		return "Kentongan"
	}
	return "Kentongan " + f.place
}

// Guarded tells whether the person has a second factor. Recovery codes alone are none: they stand in for one that is lost.
func (p *Person) Guarded() bool { return p.TOTP != nil || len(p.Passkeys) > 0 }

// MustGuard tells whether the person holds, anywhere, one of the roles that need a second factor.
func (p *Person) MustGuard(roles []access.Role) bool { return p.holds(roles...) }

// Remove takes a second factor away; kind is totp or passkey, id that of a passkey. With the last one the recovery codes go too. Errors:
// ErrNoFactor; ErrLast where one of roles needs it.
func (f *Factors) Remove(ctx context.Context, person, kind, id string, roles []access.Role) (Person, error) {
	return f.store.Change(ctx, person, 0, func(p *Person) error {
		switch i := slices.IndexFunc(p.Passkeys, func(k Passkey) bool { return k.ID == id }); {
		case kind == "totp" && p.TOTP != nil:
			p.TOTP = nil
		case kind == "passkey" && i >= 0:
			p.Passkeys = slices.Delete(p.Passkeys, i, i+1)
		default:
			return ErrNoFactor
		}
		if p.Guarded() {
			return nil
		}
		if p.MustGuard(roles) {
			return ErrLast
		}
		p.Recovery = nil
		return nil
	})
}

// draw gives n random bytes.
func draw(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: the process ends where the system has no randomness
	return b
}

// ticket is a name of 256 bits that nobody can guess.
func ticket() string { return base64.RawURLEncoding.EncodeToString(draw(32)) }
