package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
)

// secretLength is 256 bits: too many to guess, so a plain hash may be stored.
const secretLength = 32

// lookupTimeout bounds how long a request waits for the session store.
const lookupTimeout = 2 * time.Second

// kept is what the store holds of a session or a sign-in link. Rights are not kept: they follow the role of the day.
type kept struct {
	V       int       `json:"v"`
	Subject string    `json:"subject"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Agency  string    `json:"agency"`
	Expires time.Time `json:"expires"`
}

func secret() (string, error) {
	b := make([]byte, secretLength)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func wellFormed(s string) bool {
	return len(s) == base64.RawURLEncoding.EncodedLen(secretLength)
}

// SignInLink makes a code that signs in once as the identity, within keyspace.SignInLifetime. Only its hash is stored.
func (a *Auth) SignInLink(ctx context.Context, id Identity) (string, error) {
	code, err := secret()
	if err != nil {
		return "", err
	}
	if err := a.keep(ctx, a.keys.SignIn(hash(code)), id, keyspace.SignInLifetime); err != nil {
		return "", fmt.Errorf("keep a sign-in link: %w", err)
	}
	return code, nil
}

// Exchange takes a code out of the store and opens a session for whom it stands: of two who show the same code one gets in.
// Errors: ErrDenied, ErrUnavailable.
func (a *Auth) Exchange(ctx context.Context, code string) (Identity, string, error) {
	if !wellFormed(code) {
		return Identity{}, "", ErrDenied
	}
	raw, err := a.rdb.GetDel(ctx, a.keys.SignIn(hash(code))).Bytes()
	id, err := a.identity(raw, err)
	if err != nil {
		return Identity{}, "", err
	}
	session, err := a.Open(ctx, id)
	return id, session, err
}

// Open starts a session and gives its id, which only the cookie may carry.
func (a *Auth) Open(ctx context.Context, id Identity) (string, error) {
	session, err := secret()
	if err != nil {
		return "", err
	}
	if err := a.keep(ctx, a.keys.Session(hash(session)), id, keyspace.SessionLifetime); err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return session, nil
}

func (a *Auth) keep(ctx context.Context, key string, id Identity, life time.Duration) error {
	doc, err := json.Marshal(kept{1, id.Subject, id.Name, id.Role, id.Agency, a.now().Add(life).UTC()})
	if err != nil {
		return err
	}
	return a.rdb.Set(ctx, key, doc, life).Err()
}

// identity reads what the store held; a clock that stepped back in the store cannot revive what has ended by ours.
func (a *Auth) identity(raw []byte, err error) (Identity, error) {
	if errors.Is(err, redis.Nil) {
		return Identity{}, ErrDenied
	}
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var k kept
	if err := json.Unmarshal(raw, &k); err != nil || k.V != 1 || !a.now().Before(k.Expires) {
		return Identity{}, ErrDenied
	}
	id := Admin() // nobody else has a session yet
	id.Subject, id.Who.ID, id.Name, id.Via = k.Subject, k.Subject, k.Name, ViaSession
	return id, nil
}

func (a *Auth) bySession(r *http.Request) (Identity, error) {
	session := a.sessionOf(r)
	if session == "" {
		return Identity{}, ErrAnonymous
	}
	if !wellFormed(session) {
		return Identity{}, a.fail(r.Context(), a.triedBy(r), "session")
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), lookupTimeout, ErrUnavailable)
	defer cancel()
	raw, err := a.rdb.Get(ctx, a.keys.Session(hash(session))).Bytes()
	id, err := a.identity(raw, err)
	if errors.Is(err, ErrDenied) {
		// An old cookie after a long night is no attack: the person is simply signed out.
		return Identity{}, ErrAnonymous
	}
	id.Session = hash(session)
	return id, err
}

// Close ends the session that the request carries. Closing none is no error.
func (a *Auth) Close(r *http.Request) error {
	session := a.sessionOf(r)
	if session == "" {
		return nil
	}
	if err := a.rdb.Del(r.Context(), a.keys.Session(hash(session))).Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// SessionOf tells which session a request carries, as a hash that may be kept in memory; empty for none.
func (a *Auth) SessionOf(r *http.Request) string {
	if s := a.sessionOf(r); s != "" {
		return hash(s)
	}
	return ""
}

func (a *Auth) sessionOf(r *http.Request) string {
	c, err := r.Cookie(a.cookieName(r))
	if err != nil {
		return ""
	}
	return c.Value
}

// cookieName has the __Host- prefix wherever the browser speaks TLS: it binds the cookie to this host and to secure transport.
func (a *Auth) cookieName(r *http.Request) string {
	if a.secure(r) {
		return "__Host-kentongan"
	}
	return "kentongan"
}

func (a *Auth) secure(r *http.Request) bool { return a.cfg.Secure || a.scheme(r) == "https" }

// Cookie is the cookie of a session; an empty session clears it.
func (a *Auth) Cookie(r *http.Request, session string) *http.Cookie {
	c := &http.Cookie{Name: a.cookieName(r), Value: session, Path: "/", HttpOnly: true, Secure: a.secure(r), SameSite: http.SameSiteLaxMode,
		MaxAge: int(keyspace.SessionLifetime / time.Second)}
	if session == "" {
		c.MaxAge = -1
	}
	return c
}
