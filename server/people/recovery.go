package people

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strings"

	"kentongan/geo/moment"
)

// Ten codes of 80 bits: too many to guess, so that a plain hash may be kept, and few enough to write down.
const (
	recoveryCodes = 10
	recoveryBytes = 10
	recoveryGroup = 4 // characters between dashes
)

var recoveryText = base32.StdEncoding.WithPadding(base32.NoPadding)

// newRecovery draws codes as people read them, and the hashes that are kept.
func newRecovery() (codes, hashes []string) {
	for range recoveryCodes {
		text := recoveryText.EncodeToString(draw(recoveryBytes))
		var groups []string
		for part := range slices.Chunk([]byte(text), recoveryGroup) {
			groups = append(groups, string(part))
		}
		code := strings.Join(groups, "-")
		codes, hashes = append(codes, code), append(hashes, recoveryHash(code))
	}
	return codes, hashes
}

// recoveryHash is the hash of a code as somebody types it: in any case, with or without dashes and spaces. What has no code's form has none.
func recoveryHash(code string) string {
	text := strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, code))
	raw, err := recoveryText.DecodeString(text)
	if err != nil || len(raw) != recoveryBytes || len(text) != recoveryText.EncodedLen(recoveryBytes) {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// recoverable gives codes to whoever has none.
func (p *Person) recoverable() []string {
	if len(p.Recovery) > 0 {
		return nil
	}
	var codes []string
	codes, p.Recovery = newRecovery()
	return codes
}

// NewRecovery draws new codes; the old ones no longer count. They are told this once. Errors: ErrNoFactor where there is nothing that they
// could stand in for.
func (f *Factors) NewRecovery(ctx context.Context, person string) (Person, []string, error) {
	var codes []string
	p, err := f.store.Change(ctx, person, 0, func(p *Person) error {
		if !p.Guarded() {
			return ErrNoFactor
		}
		codes, p.Recovery = newRecovery()
		p.RecoveryAt = moment.Time{}
		return nil
	})
	return p, codes, err
}

// UseRecovery uses up a code. The person is told of it until they make new ones: a thief's sign-in must not be what takes the word away.
// Errors: ErrCode.
func (f *Factors) UseRecovery(ctx context.Context, person, code string) (Person, error) {
	hash := recoveryHash(code)
	return f.store.Change(ctx, person, 0, func(p *Person) error { // with a mark: other servers tell the person too
		i := slices.Index(p.Recovery, hash)
		if hash == "" || i < 0 {
			return ErrCode
		}
		p.Recovery = slices.Delete(p.Recovery, i, i+1)
		p.RecoveryAt = moment.Of(f.store.now())
		return nil
	})
}
