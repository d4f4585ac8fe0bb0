package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"

	"kentongan/alerts/audit"
	"kentongan/geo/keyspace"
	"kentongan/server/access"
	"kentongan/server/book"
	"kentongan/server/people"
)

// MinTokenLength is the shortest admin token the server starts with, in characters.
const MinTokenLength = 32

// ErrAnonymous means that the request says nothing of who asks: HTTP answers 401.
var ErrAnonymous = errors.New("no one is signed in")

// ErrDenied means that what the request showed is not valid: HTTP answers 401.
var ErrDenied = errors.New("the token, key or session is not valid")

// ErrTooMany means too many failed tries from one address: HTTP answers 429.
var ErrTooMany = errors.New("too many failed tries; wait a minute")

// ErrUnavailable means that the store which holds sessions and keys does not answer: HTTP answers 503.
var ErrUnavailable = errors.New("the store of sessions and keys does not answer")

// Config says what lets people in.
type Config struct {
	AdminToken     string         // empty: no admin token
	PublicURL      string         // empty: the address itself, as the request's Host names it
	Secure         bool           // the server itself speaks TLS
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and -Proto are believed
	SecondFactor   []access.Role  // roles that must show a second factor
	Session        time.Duration  // how long a session lasts at the most; zero: keyspace.SessionLifetime
	PasswordCost   people.Cost    // of new passwords; zero: people.DefaultCost
}

// Validate names what is wrong, by key.
func (c Config) Validate() []error {
	var errs []error
	if c.AdminToken != "" && len(c.AdminToken) < MinTokenLength {
		errs = append(errs, fmt.Errorf("admin_token: has %d characters; at least %d are needed", len(c.AdminToken), MinTokenLength))
	}
	if c.PublicURL != "" {
		if _, err := originOf(c.PublicURL); err != nil {
			errs = append(errs, fmt.Errorf("public_url: %w", err))
		}
	}
	return errs
}

// Act is one sign-in, sign-out or refusal, for the audit log.
type Act struct {
	Actor   Identity
	Action  string // session.opened, session.closed, session.denied, right.denied, key.made, key.revoked
	Object  string // what was tried, a path or a way to sign in; or what was changed
	From    string // address of the client
	Reason  string
	Request string // id of the request
}

// Record is the act as the audit log keeps it.
func (a Act) Record() audit.Record {
	who := cmp.Or(a.Actor.Subject, audit.Anonymous)
	reason := a.Reason
	if a.From != "" {
		reason = "from " + a.From + ": " + reason
	}
	return audit.Record{Actor: who, Agency: a.Actor.Agency, Action: a.Action, Object: a.Object, Reason: reason, Request: a.Request}
}

// Auditor keeps acts. It returns once the act is kept.
type Auditor func(ctx context.Context, a Act) error

// Auth tells who asks. Safe for concurrent use.
type Auth struct {
	rdb    redis.UniversalClient
	keys   keyspace.Keys
	cfg    Config
	token  [sha256.Size]byte
	origin string // of PublicURL, empty where there is none
	audit  Auditor
	book   *book.Book // nil: acts are recorded right behind what they change
	now    func() time.Time
	log    zerolog.Logger
	tries  *tries
	ring   *ring
	keyed
	marks singleflight.Group // questions for the mark of the ring
	cross *http.CrossOriginProtection
	accounts
}

// New makes an Auth over the store that keeps sessions. A nil audit keeps nothing (tests).
func New(rdb redis.UniversalClient, keys keyspace.Keys, cfg Config, audit Auditor, now func() time.Time, log zerolog.Logger) (*Auth, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	a := &Auth{rdb: rdb, keys: keys, cfg: cfg, token: sha256.Sum256([]byte(cfg.AdminToken)), audit: audit, now: now,
		log: log.With().Str("component", "auth").Logger(), tries: newTries(now), ring: newRing(), cross: http.NewCrossOriginProtection(),
		accounts: newAccounts(people.NewStore(rdb, keys, now), cfg)}
	if cfg.PublicURL != "" {
		a.origin, _ = originOf(cfg.PublicURL)
		if err := a.cross.AddTrustedOrigin(a.origin); err != nil {
			return nil, fmt.Errorf("public_url: %w", err)
		}
	}
	return a, nil
}

// Book has keys and sessions written in one step with their audit records. Call it before the first request.
func (a *Auth) Book(b *book.Book) {
	a.book = b
	a.people.Book(b)
}

// originOf reads scheme://host[:port] off an address.
func originOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is not an address such as https://kentongan.example", address)
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("%q: only scheme, host and port belong there", address)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// tried is what somebody wants to be let in to, and from where: for tries and the audit log.
type tried struct{ object, from, path string }

func (a *Auth) triedBy(r *http.Request) tried {
	asked := AskedBy(r)
	return tried{asked.Route, a.ClientIP(r), asked.Path}
}

// Asked is what a request asks for. The record of a refusal names the route, and is kept for ever; personal text may stand in the path, which goes
// with the words beside the record.
type Asked struct {
	Route string // "GET /api/v1/users/{id}", or another name of what was asked for
	Path  string // "GET /api/v1/users/01J…"; empty: the route says all
}

// AskedBy is what a request asks for, once its route is found.
func AskedBy(r *http.Request) Asked {
	path := r.Method + " " + r.URL.Path
	if r.Pattern == "" {
		return Asked{r.Method + " elsewhere", path}
	}
	if !strings.Contains(r.Pattern, " ") {
		return Asked{r.Method + " " + r.Pattern, path}
	}
	return Asked{r.Pattern, path}
}

// with puts a path behind a reason.
func with(reason, route, path string) string {
	if path == "" || path == route {
		return reason
	}
	return reason + " (" + path + ")"
}

// Identify tells who asks, by bearer token or key, by session cookie, or by that of a device. A bearer that is wrong is refused even where a good cookie rides
// along, and two of them are none. Errors: ErrAnonymous, ErrDenied, ErrTooMany, ErrUnavailable.
func (a *Auth) Identify(r *http.Request) (Identity, error) {
	switch given := r.Header.Values("Authorization"); {
	case len(given) > 1:
		return Identity{}, a.fail(r.Context(), a.triedBy(r), "a second Authorization header")
	case len(given) == 1 && given[0] != "":
		scheme, token, _ := strings.Cut(given[0], " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Identity{}, a.fail(r.Context(), a.triedBy(r), "authorization scheme "+clip(scheme))
		}
		return a.byToken(r.Context(), strings.TrimSpace(token), a.triedBy(r))
	}
	id, err := a.bySession(r)
	if errors.Is(err, ErrAnonymous) {
		return a.byDevice(r)
	}
	return id, err
}

// IdentifySender is Identify for those who push readings: a key may also stand as Basic password, beside any user name, or in X-Api-Key.
func (a *Auth) IdentifySender(r *http.Request) (Identity, error) {
	given := r.Header.Values("Authorization")
	if _, password, ok := r.BasicAuth(); ok && len(given) == 1 {
		return a.byToken(r.Context(), password, a.triedBy(r))
	}
	if key := r.Header.Get("X-Api-Key"); key != "" && len(given) == 0 {
		return a.byToken(r.Context(), key, a.triedBy(r))
	}
	return a.Identify(r)
}

// byToken compares digests of equal length in constant time, so that neither content nor length of the right token shows. What is not
// the admin token is a key, or nothing.
func (a *Auth) byToken(ctx context.Context, token string, t tried) (Identity, error) {
	given := sha256.Sum256([]byte(token))
	if a.cfg.AdminToken == "" || subtle.ConstantTimeCompare(given[:], a.token[:]) != 1 {
		return a.byKey(ctx, token, t)
	}
	id := Admin()
	id.Subject, id.Who.ID, id.Name, id.Via = "token:admin", "token:admin", "Admin token", ViaToken
	return id, nil
}

// fail counts a failed try and keeps it in the audit log. Above the limit tries are counted only, so that a flood cannot fill the log.
// A valid credential passes even then: its length is what guards it, and a neighbour's noise must not lock anyone out.
func (a *Auth) fail(ctx context.Context, t tried, what string) error {
	return a.refuse(ctx, t, what+" is not valid")
}

func (a *Auth) refuse(ctx context.Context, t tried, reason string) error {
	if !a.tries.allow(t.from) {
		return ErrTooMany
	}
	a.log.Warn().Str("client", t.from).Str("path", t.object).Str("reason", reason).Msg("sign-in refused")
	a.Record(ctx, Act{Action: "session.denied", Object: t.object, From: t.from, Reason: with(reason, t.object, t.path)})
	return ErrDenied
}

// Refuse counts a failed try that a caller found, and gives what to answer: ErrDenied, or ErrTooMany above the limit.
func (a *Auth) Refuse(r *http.Request, reason string) error {
	return a.refuse(r.Context(), a.triedBy(r), reason)
}

// Forbid keeps the refusal of someone known who lacks a right.
func (a *Auth) Forbid(r *http.Request, id Identity, right access.Action) {
	a.forbid(r.Context(), id, a.ClientIP(r), AskedBy(r), "needs "+string(right))
}

func (a *Auth) forbid(ctx context.Context, id Identity, from string, asked Asked, reason string) {
	if a.tries.allow(from + " " + id.Subject) {
		a.Record(ctx, Act{Actor: id, Action: "right.denied", Object: asked.Route, From: from, Reason: with(reason, asked.Route, asked.Path)})
	}
}

// Record keeps an act; where the log does not take it, ours says so.
func (a *Auth) Record(ctx context.Context, act Act) {
	if a.audit == nil {
		return
	}
	if err := a.audit(ctx, act); err != nil {
		a.log.Error().Err(err).Str("action", act.Action).Msg("audit record not kept")
	}
}

// OriginAllowed tells whether a browser page at the request's Origin may open a socket or write: exactly the public address, or without
// one exactly the address the request itself names. A missing Origin is not allowed here; callers decide what a bearer without one may do.
func (a *Auth) OriginAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" || len(r.Header.Values("Origin")) != 1 {
		return false
	}
	if a.origin != "" {
		return origin == a.origin
	}
	return origin == a.scheme(r)+"://"+strings.ToLower(r.Host)
}

// CheckWrite refuses a write that a foreign page makes with someone's cookie.
func (a *Auth) CheckWrite(r *http.Request) error {
	if r.Header.Get("Origin") != "" && !a.OriginAllowed(r) {
		return errors.New("written from a foreign page: its Origin is not ours")
	}
	return a.cross.Check(r)
}

// BaseURL is the address people use, without a slash at its end.
func (a *Auth) BaseURL(r *http.Request) string {
	if a.origin != "" {
		return a.origin
	}
	return a.scheme(r) + "://" + r.Host
}

func (a *Auth) scheme(r *http.Request) string {
	if r.TLS != nil || a.trusted(r) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		return "https"
	}
	return "http"
}

func (a *Auth) trusted(r *http.Request) bool {
	return a.isProxy(remote(r))
}

func (a *Auth) isProxy(ip netip.Addr) bool {
	for _, p := range a.cfg.TrustedProxies {
		if ip.IsValid() && p.Contains(ip) {
			return true
		}
	}
	return false
}

func remote(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// ClientIP is the address of the client: behind trusted proxies the last hop that is not one of them.
func (a *Auth) ClientIP(r *http.Request) string {
	ip := remote(r)
	if a.isProxy(ip) {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			if ip = hop.Unmap(); !a.isProxy(ip) {
				break
			}
		}
	}
	if !ip.IsValid() {
		return "unknown"
	}
	return ip.String()
}

func clip(s string) string {
	if len(s) > 20 {
		return s[:20]
	}
	return s
}
