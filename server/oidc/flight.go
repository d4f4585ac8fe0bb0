package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"kentongan/geo/keyspace"
)

// flight is a sign-in that is under way at the provider. It is found by what the browser holds and by what the provider brings back, so
// that neither alone is of use, and an answer meant for another browser does not even use it up.
type flight struct {
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Redirect string    `json:"redirect"`
	Next     string    `json:"next"`
	Desk     string    `json:"desk"`
	Again    bool      `json:"again,omitempty"`
	Expires  time.Time `json:"expires"`
}

// Departure is a sign-in that begins.
type Departure struct {
	To      string // where the browser goes
	Browser string // what the browser must hold when it comes back: the value of a cookie
}

// Depart begins a sign-in. redirect is where the provider sends the browser back; browser is what it holds from a sign-in that was begun
// before, in another tab, or empty. again: the provider asks anew who it is, however lately it did (OpenID Connect Core, section 3.1.2.1,
// max_age). Errors: ErrAway.
func (p *Provider) Depart(ctx context.Context, browser, redirect, next, desk string, again bool) (Departure, error) {
	k, err := p.ready(ctx)
	if err != nil {
		return Departure{}, err
	}
	client, err := p.oauth(k, redirect)
	if err != nil {
		return Departure{}, err
	}
	if !wellFormed(browser) {
		browser = random()
	}
	state := random()
	f := flight{random(), oauth2.GenerateVerifier(), redirect, next, desk, again, p.deps.Now().Add(keyspace.FlightLifetime).UTC()}
	text, err := json.Marshal(f)
	if err != nil {
		return Departure{}, err
	}
	if err := p.deps.Store.Set(ctx, p.flightKey(browser, state), text, keyspace.FlightLifetime).Err(); err != nil {
		return Departure{}, fmt.Errorf("keep a sign-in at the provider: %w", err)
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)}
	if again {
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"))
	}
	return Departure{client.AuthCodeURL(state, options...), browser}, nil
}

// Return is what the provider's redirect brought back.
type Return struct{ State, Code, Error, Issuer string }

// Arrive ends a sign-in: the code becomes who somebody is. Of two who bring the same answer one is heard. Where it is refused, the Arrival
// tells what is known by then, for the log. Errors: ErrFlight, ErrRefused, ErrAway.
func (p *Provider) Arrive(ctx context.Context, browser string, back Return) (Arrival, error) {
	f, err := p.land(ctx, browser, back.State)
	if err != nil {
		return Arrival{}, err
	}
	out := Arrival{Next: f.Next, Desk: f.Desk, Again: f.Again}
	switch {
	case back.Issuer != "" && back.Issuer != p.cfg.Issuer: // RFC 9207
		return out, fmt.Errorf("%w: it is of another issuer", ErrRefused)
	case back.Error != "":
		return out, fmt.Errorf("%w: it says %s", ErrRefused, word(back.Error))
	case back.Code == "":
		return out, fmt.Errorf("%w: it has no code", ErrRefused)
	}
	k, err := p.ready(ctx)
	if err != nil {
		return out, err
	}
	client, err := p.oauth(k, f.Redirect)
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(p.context(ctx), 2*askTime)
	defer cancel()
	token, err := client.Exchange(ctx, back.Code, oauth2.VerifierOption(f.Verifier))
	var no *oauth2.RetrieveError
	switch {
	case errors.As(err, &no) && no.Response != nil && no.Response.StatusCode/100 == 4:
		return out, fmt.Errorf("%w: it takes the code for %s", ErrRefused, word(no.ErrorCode))
	case errors.As(err, &no):
		return out, fmt.Errorf("%w: the code is not taken", ErrAway)
	case err != nil:
		return out, fmt.Errorf("%w: %w", ErrAway, brief(err))
	}
	return p.arrival(ctx, k, f, token, out)
}

// land takes the flight that a browser and a state name.
func (p *Provider) land(ctx context.Context, browser, state string) (flight, error) {
	var f flight
	if !wellFormed(browser) || !wellFormed(state) {
		return f, ErrFlight
	}
	text, err := p.deps.Store.GetDel(ctx, p.flightKey(browser, state)).Bytes()
	if errors.Is(err, redis.Nil) {
		return f, ErrFlight
	} else if err != nil {
		return f, fmt.Errorf("end a sign-in at the provider: %w", err)
	}
	if json.Unmarshal(text, &f) != nil || !p.deps.Now().Before(f.Expires) {
		return flight{}, ErrFlight
	}
	return f, nil
}

func (p *Provider) flightKey(browser, state string) string {
	return p.deps.Keys.Flight(digest(browser + " " + state))
}

var plainWord = regexp.MustCompile(`^[a-z_]{1,40}$`)

// word is an error code as the standards spell them; anything else is not repeated.
func word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "something that is no error code"
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: the process ends where the system has no randomness
	return base64.RawURLEncoding.EncodeToString(b)
}

func wellFormed(s string) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && len(b) == 32
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
