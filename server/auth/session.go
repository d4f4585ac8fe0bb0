package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/book"
	"kentongan/server/people"
)

// Bounds of sessions.
const (
	lookupTimeout   = 2 * time.Second // how long a request waits for the store of sessions
	elevationTime   = 15 * time.Minute
	breakGlassTime  = time.Hour
	seenEvery       = time.Minute // how often it is written that a session was seen, at the most
	sessionsAtOnce  = 20          // of one person; one more ends the oldest
	wholeAtOnce     = 10_000      // by the admin token, and by links: scripts, walls and load tests sign in with them
	agentLength     = 160         // bytes of a browser's name for itself
	sessionsOfStore = "sessions"  // what the store was asked for, in errors
)

// kept is what the store holds of a session. Rights are not kept: they are those of the person of the day.
type kept struct {
	V        int         `json:"v"`
	ID       string      `json:"id"` // by which its owner and administrators name it: not the secret
	Subject  string      `json:"subject"`
	Name     string      `json:"name"`
	Person   string      `json:"person,omitempty"` // id of the account; empty: every right, by token or by link
	Setup    bool        `json:"setup,omitempty"`  // by the first link: it ends once an administrator can sign in
	Token    string      `json:"token,omitempty"`  // mark of the admin token that opened it: it ends with it
	Started  time.Time   `json:"started"`
	Expires  time.Time   `json:"expires"`
	Address  string      `json:"address"`
	Agent    string      `json:"agent"`
	Desk     string      `json:"desk,omitempty"`
	How      string      `json:"how"`
	Factor   string      `json:"factor,omitempty"`
	Elevated moment.Time `json:"elevated"` // until when
}

// ByProvider is the second factor that a provider of sign-ins has asked for.
const ByProvider = "oidc"

// Opening is how a session begins.
type Opening struct {
	Desk   string // slug; empty: none
	Factor string // the second factor that was shown: totp, passkey, recovery, oidc; empty: none. Whoever showed one here is elevated; of a
	// provider's (oidc) Elevated tells it
	Elevated bool      // who they are was shown just now, without a second factor
	ShownAt  time.Time // when, where that was before now: elevation counts from then; zero: now
	Replaces bool      // the session that the request carries goes on under a new secret: its beginning, end and desk are kept
}

// OnEnded is told the hash of each session that has ended, so that its sockets end too. goesOn: whoever held it comes back under another
// secret. Call it before anybody signs in.
func (a *Auth) OnEnded(told func(session string, goesOn bool)) { a.ended = told }

// OpenFor opens a session for an account and gives its secret, which only the cookie may carry. Every sign-in and every elevation has a new
// one; the session that the request carried is dead then. It audits. Errors: ErrDenied where the account is disabled, ErrUnavailable.
func (a *Auth) OpenFor(ctx context.Context, r *http.Request, p people.Person, how string, o Opening) (Identity, string, error) {
	if p.Disabled {
		return Identity{}, "", ErrDenied
	}
	now := a.now().UTC()
	k := kept{V: 1, ID: ulid.Make().String(), Subject: "user:" + p.ID, Name: p.Name, Person: p.ID, Started: now, Expires: now.Add(a.sessionTime()),
		Address: a.ClientIP(r), Agent: agentOf(r), Desk: o.Desk, How: how, Factor: o.Factor}
	if p.BreakGlass {
		k.Expires = now.Add(breakGlassTime)
	}
	if until := shown(o, now).Add(elevationTime); until.After(now) && (o.Elevated || o.Factor != "" && o.Factor != ByProvider) {
		k.Elevated = moment.Of(until)
	}
	old, carried, err := a.carried(ctx, r)
	if err != nil {
		return Identity{}, "", err
	}
	goesOn := carried && old.Person == p.ID && o.Replaces
	if goesOn {
		k.ID, k.Started, k.Expires, k.Factor = old.ID, old.Started, old.Expires, cmp.Or(o.Factor, old.Factor)
	}
	if carried { // a screen stays at its desk, whoever sits down
		k.Desk = cmp.Or(o.Desk, old.Desk)
	}
	if p.BreakGlass && !goesOn {
		if err := a.unseal(ctx, p, k); err != nil {
			return Identity{}, "", err
		}
	}
	id := a.identityOf(k, p)
	action := "session.opened"
	if goesOn {
		action = "session.elevated"
	}
	act := Act{Actor: id, Action: action, Object: "session:" + k.ID, From: k.Address, Reason: how}
	session, err := a.begin(ctx, k, act, a.replaced(r, old, carried, goesOn))
	if err != nil {
		return Identity{}, "", err
	}
	if err := a.forgive(ctx, r, p); err != nil {
		a.log.Warn().Err(err).Msg("failed tries before a sign-in still count")
	}
	a.roll.stale() // what was just changed of the account, a second factor for one, counts with the next request
	id.Session = hash(session)
	if carried && old.Subject != k.Subject {
		id.Switched = old.Name
	}
	return id, session, nil
}

// shown is when somebody showed who they are, by our clock.
func shown(o Opening, now time.Time) time.Time {
	if o.ShownAt.IsZero() || o.ShownAt.After(now) {
		return now
	}
	return o.ShownAt
}

// Elevated tells whether somebody has shown within 15 minutes who they are: what changes other people's rights or data by the many needs it.
func (a *Auth) Elevated(id Identity) bool {
	return id.Who.Whole || a.now().Before(id.ElevatedUntil.Time)
}

// Arrived tells whether somebody has signed in within 15 minutes: of whoever has nothing of ours to show, a provider's word is as new as that.
func (a *Auth) Arrived(id Identity) bool {
	return !id.SessionBegan.IsZero() && a.now().Before(id.SessionBegan.Add(elevationTime))
}

func (a *Auth) sessionTime() time.Duration { return cmp.Or(a.cfg.Session, keyspace.SessionLifetime) }

func agentOf(r *http.Request) string {
	s := r.UserAgent()
	for len(s) > agentLength {
		s = s[:agentLength]
	}
	return printable(s)
}

// carried is the session that a request carries, whatever became of its owner.
func (a *Auth) carried(ctx context.Context, r *http.Request) (kept, bool, error) {
	session := a.sessionOf(r)
	if !wellFormed(session) {
		return kept{}, false, nil
	}
	k, err := a.session(ctx, hash(session))
	if errors.Is(err, ErrDenied) {
		return kept{}, false, nil
	}
	return k, err == nil, err
}

// Open starts a session for one who has every right, by the admin token or the first link, and gives its secret.
func (a *Auth) Open(ctx context.Context, r *http.Request, id Identity, how string, setup bool) (string, error) {
	now := a.now().UTC()
	k := kept{V: 1, ID: ulid.Make().String(), Subject: id.Subject, Name: id.Name, Setup: setup, Started: now, Expires: now.Add(a.sessionTime()),
		Address: a.ClientIP(r), Agent: agentOf(r), How: how}
	if id.Via == ViaToken {
		k.Token = a.tokenMark()
	}
	old, carried, err := a.carried(ctx, r)
	if err != nil {
		return "", err
	}
	act := Act{Actor: id, Action: "session.opened", Object: "session:" + k.ID, From: k.Address, Reason: how}
	return a.begin(ctx, k, act, a.replaced(r, old, carried, false))
}

// replaced is the session that a browser held until it began another, whose cookie it has now; an empty hash: it held none.
type replaced struct {
	hash, id, subject string
	goesOn            bool // the new one is the old one under another secret: it must be there still
}

func (a *Auth) replaced(r *http.Request, old kept, carried, goesOn bool) replaced {
	if !carried {
		return replaced{}
	}
	return replaced{a.SessionOf(r), old.ID, old.Subject, goesOn}
}

// atOnce is how many sessions their holder may have.
func (k kept) atOnce() int64 {
	if k.Person == "" {
		return wholeAtOnce
	}
	return sessionsAtOnce
}

// tokenMark tells one admin token from another, and nothing of it.
func (a *Auth) tokenMark() string { return hash("mark of " + string(a.token[:]))[:16] }

// begin keeps a session under a new secret and ends the one that it replaces, in one step with the records of both. Errors: ErrDenied where
// that one was to go on and somebody has ended it meanwhile, or another request goes on with it; ErrUnavailable.
func (a *Auth) begin(ctx context.Context, k kept, act Act, old replaced) (string, error) {
	session, err := secret()
	if err != nil {
		return "", err
	}
	doc, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	now, life, of := a.now(), k.Expires.Sub(a.now()), a.keys.Sessions(k.Subject)
	if life <= 0 {
		return "", ErrDenied
	}
	var rank *redis.StringSliceCmd
	acts := []Act{act}
	write := func(p redis.Pipeliner) error {
		for _, one := range acts {
			book.Note(p, one.Record())
		}
		if old.hash != "" {
			a.drop(ctx, p, old.hash, old.subject)
		}
		p.Set(ctx, a.keys.Session(hash(session)), doc, life)
		p.ZRemRangeByScore(ctx, of, "-inf", milli(now))
		p.ZAdd(ctx, of, redis.Z{Score: float64(k.Expires.UnixMilli()), Member: hash(session)})
		p.Expire(ctx, of, max(life, a.sessionTime()))
		rank = p.ZRange(ctx, of, 0, -k.atOnce()) // those beyond it, and the next
		p.ZAdd(ctx, a.keys.SessionSeen(), redis.Z{Score: float64(now.UnixMilli()), Member: hash(session)})
		p.ZRemRangeByScore(ctx, a.keys.SessionSeen(), "-inf", milli(now.Add(-keyspace.SessionSeen)))
		return nil
	}
	if old.hash == "" {
		err = a.book.Write(ctx, a.rdb, write)
	} else {
		err = a.instead(ctx, old, func(tx *redis.Tx, there bool) error {
			acts = []Act{act}
			if there && !old.goesOn {
				acts = append(acts, Act{Actor: act.Actor, Action: "session.ended", Object: "session:" + old.id, From: act.From, Reason: "the browser begins another"})
			}
			return a.book.Write(ctx, tx, write)
		})
	}
	if errors.Is(err, ErrDenied) {
		return "", err
	}
	if errors.Is(err, book.ErrUnconfirmed) { // the old one has ended here, and nobody hears the secret of the new one
		if old.hash != "" {
			a.over(old.hash, old.goesOn)
		}
		a.unheard(ctx, k.Subject, hash(session))
	}
	if err != nil {
		return "", fmt.Errorf("%w: open a session: %w", ErrUnavailable, err)
	}
	if old.hash != "" {
		a.over(old.hash, true)
	}
	a.unbooked(ctx, acts...)
	over := len(rank.Val()) - 1
	for _, oldest := range rank.Val() {
		if over <= 0 || oldest == hash(session) { // of one millisecond any may stand first, this one too
			continue
		}
		if err := a.end(ctx, k.Subject, Act{Actor: Identity{Subject: "house:session"}, Reason: "one more than may be at once"}, oldest); err != nil {
			return "", err
		}
		over--
	}
	return session, nil
}

// unheard ends a session whose secret nobody has heard. That too few replicas have that either is no news.
func (a *Auth) unheard(ctx context.Context, subject, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	err := a.end(ctx, subject, Act{Actor: Identity{Subject: "house:session"}, Reason: "too few replicas have it"}, session)
	if err != nil && !errors.Is(err, book.ErrUnconfirmed) {
		a.log.Warn().Err(err).Msg("a session whose secret nobody has heard stays until it expires")
	}
}

// instead writes a session in the place of another, which nobody else ends meanwhile.
func (a *Auth) instead(ctx context.Context, old replaced, write func(tx *redis.Tx, there bool) error) error {
	key := a.keys.Session(old.hash)
	var err error
	for range endTries {
		err = a.rdb.Watch(ctx, func(tx *redis.Tx) error {
			n, err := tx.Exists(ctx, key).Result()
			if err != nil {
				return err
			}
			if n == 0 && old.goesOn {
				return ErrDenied
			}
			return write(tx, n > 0)
		}, key)
		if !errors.Is(err, redis.TxFailedErr) {
			break
		}
	}
	return err
}

func milli(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// session reads a session by its hash. A clock that stepped back in the store cannot revive what has ended by ours. Errors: ErrDenied,
// ErrUnavailable.
func (a *Auth) session(ctx context.Context, hash string) (kept, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	return a.read(a.rdb.Get(ctx, a.keys.Session(hash)).Bytes())
}

func (a *Auth) read(raw []byte, err error) (kept, error) {
	if errors.Is(err, redis.Nil) {
		return kept{}, ErrDenied
	}
	if err != nil {
		return kept{}, fmt.Errorf("%w: %s: %w", ErrUnavailable, sessionsOfStore, err)
	}
	var k kept
	if err := json.Unmarshal(raw, &k); err != nil || k.V != 1 || !a.now().Before(k.Expires) {
		return kept{}, ErrDenied
	}
	return k, nil
}

// bySession tells whose session the cookie names, with the rights of the day.
func (a *Auth) bySession(r *http.Request) (Identity, error) {
	session := a.sessionOf(r)
	if session == "" {
		return Identity{}, ErrAnonymous
	}
	if !wellFormed(session) {
		return Identity{}, a.fail(r.Context(), a.triedBy(r), "session")
	}
	k, err := a.session(r.Context(), hash(session))
	if err == nil {
		var id Identity
		if id, err = a.holder(r.Context(), k); err == nil {
			id.Session, id.Setup, id.SessionEnds = hash(session), k.Setup, k.Expires
			a.seen(r.Context(), id.Session)
			return id, nil
		}
	}
	if errors.Is(err, ErrDenied) {
		// An old cookie after a long night is no attack: the person is simply signed out.
		return Identity{}, ErrAnonymous
	}
	return Identity{}, err
}

// holder is who holds a session now. Errors: ErrDenied, ErrUnavailable.
func (a *Auth) holder(ctx context.Context, k kept) (Identity, error) {
	if k.Person == "" {
		if k.Token != "" && k.Token != a.tokenMark() { // whoever replaced a token that has leaked means its sessions too
			return Identity{}, ErrDenied
		}
		if k.Setup {
			led, err := a.led(ctx)
			if err != nil {
				return Identity{}, err
			}
			if led {
				return Identity{}, ErrDenied
			}
		}
		id := Admin()
		id.Subject, id.Who.ID, id.Name, id.Via = k.Subject, k.Subject, k.Name, ViaSession
		return id, nil
	}
	p, err := a.person(ctx, k.Person)
	if err != nil {
		return Identity{}, err
	}
	if p.Disabled {
		return Identity{}, ErrDenied
	}
	return a.identityOf(k, p), nil
}

// identityOf is a person behind a session. Whoever must do something first may do nothing else.
func (a *Auth) identityOf(k kept, p people.Person) Identity {
	who := p.Subject()
	needs := a.needs(k, p)
	if len(needs) > 0 {
		who = access.Subject{ID: who.ID}
	}
	id := Of(who, p.Name, a.now())
	if len(needs) > 0 { // they are told who they will be
		for _, g := range p.Subject().Grants {
			if !slices.Contains(id.Roles, g.Role) {
				id.Roles = append(id.Roles, g.Role)
			}
		}
	}
	id.Needs, id.Via, id.Lang, id.Person, id.Factor, id.ElevatedUntil = needs, ViaSession, p.Lang, p.ID, k.Factor, k.Elevated
	id.SessionBegan = k.Started
	id.SessionID, id.RecoveryUsedAt = k.ID, p.RecoveryAt
	if id.Can(access.StaffDesk) {
		id.Desk = k.Desk
	}
	return id
}

// needs is what somebody must do before anything else. A second factor that was set up by another session does not count for this one: it
// may be whoever has stolen the password.
func (a *Auth) needs(k kept, p people.Person) []string {
	var out []string
	if p.MustChange || p.Password == "" && !p.Guarded() && len(p.External) == 0 {
		out = append(out, "password")
	}
	if !p.BreakGlass && k.Factor == "" && p.MustGuard(a.cfg.SecondFactor) {
		out = append(out, "second_factor")
	}
	return out
}

// seen writes when a session was seen, once a minute at the most. That it is not written stops nobody.
func (a *Auth) seen(ctx context.Context, session string) {
	if !a.sights.due(session, a.now()) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if err := a.rdb.ZAdd(ctx, a.keys.SessionSeen(), redis.Z{Score: float64(a.now().UnixMilli()), Member: session}).Err(); err != nil {
		a.log.Debug().Err(err).Msg("when a session was seen is not kept")
	}
}

// Seen is for sessions that show themselves by a live socket alone.
func (a *Auth) Seen(ctx context.Context, sessions []string) {
	for _, s := range sessions {
		a.seen(ctx, s)
	}
}

// Session is a session as its owner and administrators see it.
type Session struct {
	ID        string      `json:"id"`
	StartedAt moment.Time `json:"started_at"`
	SeenAt    moment.Time `json:"seen_at" doc:"To the minute"`
	ExpiresAt moment.Time `json:"expires_at"`
	Address   string      `json:"address"`
	Agent     string      `json:"agent" doc:"As the browser calls itself"`
	Desk      string      `json:"desk"`
	How       string      `json:"how"`
	Factor    string      `json:"factor" doc:"The second factor that was shown; empty: none"`
	Current   bool        `json:"current" doc:"The one that asks"`

	hash, person, subject, name string
}

// Sessions lists somebody's sessions, the newest first; current is the hash of the one that asks. Errors: ErrUnavailable.
func (a *Auth) Sessions(ctx context.Context, subject, current string) ([]Session, error) {
	hashes, err := a.rdb.ZRange(ctx, a.keys.Sessions(subject), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnavailable, sessionsOfStore, err)
	}
	list, err := a.shown(ctx, hashes)
	for i := range list {
		list[i].Current = list[i].hash == current
	}
	return list, err
}

// shown reads sessions by their hashes; those that have ended are left out.
func (a *Auth) shown(ctx context.Context, hashes []string) ([]Session, error) {
	if len(hashes) == 0 {
		return nil, nil
	}
	pipe := a.rdb.Pipeline()
	docs, seen := make([]*redis.StringCmd, len(hashes)), pipe.ZMScore(ctx, a.keys.SessionSeen(), hashes...)
	for i, h := range hashes {
		docs[i] = pipe.Get(ctx, a.keys.Session(h))
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnavailable, sessionsOfStore, err)
	}
	var out []Session
	for i, h := range hashes {
		k, err := a.read(docs[i].Bytes())
		if errors.Is(err, ErrDenied) {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, Session{ID: k.ID, StartedAt: moment.Of(k.Started), SeenAt: moment.OfMilli(int64(seen.Val()[i])), ExpiresAt: moment.Of(k.Expires), Address: k.Address,
			Agent: k.Agent, Desk: k.Desk, How: k.How, Factor: k.Factor, hash: h, person: k.Person, subject: k.Subject, name: k.Name})
	}
	slices.SortFunc(out, func(x, y Session) int { return y.StartedAt.Compare(x.StartedAt.Time) })
	return out, nil
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
func (a *Auth) cookieName(r *http.Request) string { return a.hostName(r, "kentongan") }

func (a *Auth) hostName(r *http.Request, name string) string {
	if a.secure(r) {
		return "__Host-" + name
	}
	return name
}

func (a *Auth) secure(r *http.Request) bool { return a.cfg.Secure || a.scheme(r) == "https" }

// Cookie is the cookie of a session; an empty session clears it.
func (a *Auth) Cookie(r *http.Request, session string) *http.Cookie {
	c := a.cookie(r, "kentongan", session, a.sessionTime())
	if session == "" {
		c.MaxAge = -1
	}
	return c
}

func (a *Auth) cookie(r *http.Request, name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: a.hostName(r, name), Value: value, Path: "/", HttpOnly: true, Secure: a.secure(r), SameSite: http.SameSiteLaxMode,
		MaxAge: int(life / time.Second)}
}

// Now is who holds the session of an identity at this moment, with the rights of the day; the zero Identity: nobody. It is for whoever stays
// connected. Errors: ErrUnavailable.
func (a *Auth) Now(ctx context.Context, id Identity) (Identity, error) {
	if id.Person == "" {
		if led, err := a.led(ctx); err != nil || id.Setup && led {
			return Identity{}, err
		}
		return id, nil
	}
	p, err := a.person(ctx, id.Person)
	if errors.Is(err, ErrDenied) || err == nil && p.Disabled {
		return Identity{}, nil
	} else if err != nil {
		return Identity{}, err
	}
	return a.identityOf(kept{Person: id.Person, Factor: id.Factor, Desk: id.Desk, Elevated: id.ElevatedUntil}, p), nil
}
