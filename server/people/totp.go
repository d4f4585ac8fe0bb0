package people

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

// The form of codes that every app knows (RFC 6238 with its defaults).
const (
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps before and after ours, for phones whose clock is off
	totpSecret = 20 // bytes, as RFC 4226 section 4 recommends
	totpSealed = "totp"
)

// TOTPSetup is what an app needs to make codes. It is told once.
type TOTPSetup struct {
	Secret string `json:"secret" doc:"For typing in, base32"`
	URI    string `json:"uri" doc:"otpauth:// address, for a QR code"`
}

// BeginTOTP draws a secret and keeps it, sealed, until a code confirms it. It replaces one that was begun before.
func (f *Factors) BeginTOTP(ctx context.Context, p Person) (TOTPSetup, error) {
	plain := draw(totpSecret)
	key, err := totp.Generate(totp.GenerateOpts{Issuer: f.name(), AccountName: p.Login, Secret: plain, Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("set up codes: %w", err)
	}
	sealed, err := f.seal.Seal(totpSealed, plain, []byte(p.ID))
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("set up codes: %w", err)
	}
	if err := f.store.rdb.Set(ctx, f.store.keys.Enrol(p.ID), sealed, keyspace.EnrolLifetime).Err(); err != nil {
		return TOTPSetup{}, fmt.Errorf("set up codes: %w", err)
	}
	return TOTPSetup{key.Secret(), key.URL()}, nil
}

// ConfirmTOTP makes what was begun the person's second factor, once a code shows that the app has it. Whoever has no recovery codes gets
// them: they are told this once. Errors: ErrSetup, ErrCode.
func (f *Factors) ConfirmTOTP(ctx context.Context, person, code string) (Person, []string, error) {
	sealed, err := f.store.rdb.Get(ctx, f.store.keys.Enrol(person)).Result()
	if errors.Is(err, redis.Nil) {
		return Person{}, nil, ErrSetup
	} else if err != nil {
		return Person{}, nil, fmt.Errorf("set up codes: %w", err)
	}
	var codes []string
	p, err := f.store.Change(ctx, person, 0, func(p *Person) error {
		if p.TOTP != nil && p.TOTP.Secret == sealed {
			return ErrSetup // another window was faster
		}
		step, err := f.step(p.ID, sealed, code)
		if err != nil {
			return err
		}
		p.TOTP = &TOTP{Secret: sealed, Last: step, At: moment.Of(f.store.now())}
		codes = p.recoverable()
		return nil
	})
	if err != nil {
		return Person{}, nil, err
	}
	_ = f.store.rdb.Del(ctx, f.store.keys.Enrol(person)).Err() // it ends by itself, and counts no second time
	return p, codes, nil
}

// CheckTOTP holds a code against the person's secret and uses up its time step. Errors: ErrNoFactor, ErrCode, ErrUsed.
func (f *Factors) CheckTOTP(ctx context.Context, person, code string) (Person, error) {
	return f.store.Note(ctx, person, func(p *Person) error {
		if p.TOTP == nil {
			return ErrNoFactor
		}
		step, err := f.step(p.ID, p.TOTP.Secret, code)
		if err != nil {
			return err
		}
		if step <= p.TOTP.Last {
			return ErrUsed
		}
		p.TOTP.Last = step
		return nil
	})
}

// step tells of which time step a code is.
func (f *Factors) step(person, sealed, code string) (int64, error) {
	plain, err := f.seal.Unseal(totpSealed, sealed, []byte(person))
	if err != nil {
		return 0, fmt.Errorf("codes of %s: %w", person, err)
	}
	if step, ok := stepOf(plain, code, f.store.now()); ok {
		return step, nil
	}
	return 0, ErrCode
}

// stepOf finds the step whose code this is, the newest of those we take.
func stepOf(secret []byte, code string, now time.Time) (int64, bool) {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	at := now.Unix() / totpPeriod
	for step := at + totpSkew; step >= max(at-totpSkew, 0); step-- {
		ok, err := hotp.ValidateCustom(code, uint64(step), text, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && ok {
			return step, true
		}
	}
	return 0, false
}
