package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/moment"
	"kentongan/server/access"
)

// Scope is what a key is for. Its rights follow from it, and are not kept: a key means what its scope means today.
type Scope string

// The scopes (INTERFACES, section 4).
const (
	ScopeIngest     Scope = "ingest"     // brings the bytes of one feed
	ScopeRead       Scope = "read"       // reads what a wall shows
	ScopeMetrics    Scope = "metrics"    // reads /metrics
	ScopeAutomation Scope = "automation" // does all that the admin token does, but makes and revokes no keys
)

// Scopes lists them.
func Scopes() []Scope { return []Scope{ScopeIngest, ScopeRead, ScopeMetrics, ScopeAutomation} }

// Actions of a scope; an unknown scope has none.
func (s Scope) Actions() []access.Action {
	switch s {
	case ScopeIngest:
		return []access.Action{access.Ingest}
	case ScopeRead:
		return []access.Action{access.ReadThings, access.ReadUnits, access.ReadAlerts, access.ReadIncidents, access.ReadReports, access.ReadFeeds, access.ReadRules}
	case ScopeMetrics:
		return []access.Action{access.Metrics}
	case ScopeAutomation:
		return slices.DeleteFunc(access.Actions(), func(a access.Action) bool { return slices.Contains(personal, a) })
	default:
		return nil
	}
}

// personal is what only a person may do, or the admin token: who lets others in, and who reads what was kept apart.
var personal = []access.Action{access.WriteKeys, access.WritePeople, access.Witness, access.WriteDevices, access.WritePrivacy, access.Approve, access.Reveal}

// Bounds of keys.
const (
	keysAlive  = 10_000              // keys alive at once; one more is refused
	keyName    = 100                 // bytes of a name
	keyHistory = 90 * 24 * time.Hour // how long a revoked key is listed; the audit log keeps it for ever
	keyUsed    = time.Minute         // how often the last use of a key is written, at the most
)

// Errors of making and revoking a key.
var (
	ErrNoKey = errors.New("no key has this id")
	ErrKeys  = fmt.Errorf("%d keys are alive; revoke one first", keysAlive)
)

// KeyFault is what a new key may not be. Field is the JSON field at fault.
type KeyFault struct{ Field, Reason string }

func (f *KeyFault) Error() string { return f.Field + ": " + f.Reason }

// Key is a key as people see it. The secret is known to whoever carries the token, and to nobody else.
type Key struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Feed       string      `json:"feed" doc:"The feed that a key with scope ingest brings; else empty"`
	Scope      Scope       `json:"scope" enum:"ingest,read,metrics,automation"`
	CreatedAt  moment.Time `json:"created_at"`
	CreatedBy  string      `json:"created_by"`
	LastUsedAt moment.Time `json:"last_used_at" doc:"To the minute; null: never used"`
	RevokedAt  moment.Time `json:"revoked_at" doc:"null: alive"`
}

// keptKey is a key as the store holds it. Hash is SHA-256 of the secret, which has 256 random bits: it needs no slow hash.
type keptKey struct {
	V int `json:"v"`
	Key
	Hash string `json:"hash"`
}

// identity is who a key stands for. Its session ends with the key, and the sockets with it.
func (k *keptKey) identity() Identity {
	id := Of(access.Subject{ID: "key:" + k.ID, Actions: k.Scope.Actions(), Feed: k.Feed}, k.Name, time.Time{})
	id.Role, id.Via, id.Session, id.Key = "key", ViaKey, KeySession(k.ID), k.ID
	return id
}

// KeySession is what Identity.Session says of everyone who shows the key: whoever ends sockets of a session ends those of a key by it.
func KeySession(id string) string { return keySession + id }

const keySession = "key:"

// tokenPrefix begins every token, so that a leaked one is found by those who look for such.
const tokenPrefix = "kt_"

// splitToken takes kt_<id>_<secret> apart; false for anything else.
func splitToken(token string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return "", "", false
	}
	id, secret, _ = strings.Cut(rest, "_") // an id is a ULID and has none, a secret may
	if _, err := ulid.ParseStrict(id); err != nil || !wellFormed(secret) {
		return "", "", false
	}
	return id, secret, true
}

// MakeKey makes a key, and gives the token, which is told once: only the hash of its secret is kept. A key with scope ingest names its
// feed, the others none; whether there is such a feed the caller knows. The act names who asks. Errors: *KeyFault, ErrKeys, ErrUnavailable.
func (a *Auth) MakeKey(ctx context.Context, k Key, act Act) (Key, string, error) {
	k.Name = strings.TrimSpace(k.Name)
	switch {
	case k.Name == "" || len(k.Name) > keyName:
		return Key{}, "", &KeyFault{"name", fmt.Sprintf("want 1 to %d bytes", keyName)}
	case !slices.Contains(Scopes(), k.Scope):
		return Key{}, "", &KeyFault{"scope", fmt.Sprintf("%.40q is none of %v", k.Scope, Scopes())}
	case k.Scope == ScopeIngest && k.Feed == "":
		return Key{}, "", &KeyFault{"feed", "required with scope ingest"}
	case k.Scope != ScopeIngest && k.Feed != "":
		return Key{}, "", &KeyFault{"feed", "only a key with scope ingest has one"}
	}
	if err := a.roomForKey(ctx); err != nil {
		return Key{}, "", err
	}
	plain, err := secret()
	if err != nil {
		return Key{}, "", err
	}
	k.ID, k.CreatedAt, k.CreatedBy, k.LastUsedAt, k.RevokedAt = ulid.Make().String(), moment.Of(a.now()), act.Actor.Subject, moment.Time{}, moment.Time{}
	if err := a.keepKey(ctx, keptKey{1, k, hash(plain)}); err != nil {
		return Key{}, "", err
	}
	act.Action, act.Object, act.Reason = "key.made", "key:"+k.ID, strings.TrimSpace(fmt.Sprintf("%q, scope %s %s", k.Name, k.Scope, k.Feed))
	if err := a.recordKey(ctx, act); err != nil {
		return Key{}, "", err // nobody has heard the secret: the key opens nothing
	}
	return k, tokenPrefix + k.ID + "_" + plain, nil
}

// RevokeKey ends a key for good, at every server within keyFresh. Revoking twice is no error, and each time is audited: who hears of a
// failure tries again until both are kept. Errors: ErrNoKey, ErrUnavailable.
func (a *Auth) RevokeKey(ctx context.Context, id string, act Act) error {
	raw, err := a.rdb.HGet(ctx, a.keys.Key(), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return ErrNoKey
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var k keptKey
	if err := json.Unmarshal(raw, &k); err != nil {
		return fmt.Errorf("key %s: %w", id, err)
	}
	if k.RevokedAt.IsZero() {
		k.RevokedAt = moment.Of(a.now())
		if err := a.keepKey(ctx, k); err != nil {
			return err
		}
	}
	act.Action, act.Object, act.Reason = "key.revoked", "key:"+id, fmt.Sprintf("%q", k.Name)
	return a.recordKey(ctx, act)
}

// keepKey writes a key together with the mark of a change, by which every server knows that what it remembers is old.
func (a *Auth) keepKey(ctx context.Context, k keptKey) error {
	doc, err := json.Marshal(k)
	if err != nil {
		return err
	}
	_, err = a.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, a.keys.Key(), k.ID, doc)
		p.Set(ctx, a.keys.KeyChange(), ulid.Make().String(), 0)
		return nil
	})
	a.ring.forget()
	if err != nil {
		return fmt.Errorf("%w: keep key %s: %w", ErrUnavailable, k.ID, err)
	}
	return nil
}

// Forget drops what is known of keys: another server has said that one is revoked.
func (a *Auth) Forget() { a.ring.forget() }

// recordKey keeps an act in the audit log, or says that it did not: an act that leaves no trace does not count as done.
func (a *Auth) recordKey(ctx context.Context, act Act) error {
	if a.audit == nil {
		return nil
	}
	if err := a.audit(ctx, act); err != nil {
		return fmt.Errorf("%w: the audit log: %w", ErrUnavailable, err)
	}
	return nil
}

// roomForKey counts the keys alive, and forgets those that were revoked long ago.
func (a *Auth) roomForKey(ctx context.Context) error {
	all, err := a.Keys(ctx)
	if err != nil {
		return err
	}
	alive := 0
	var old []string
	for _, k := range all {
		if k.RevokedAt.IsZero() {
			alive++
		} else if a.now().Sub(k.RevokedAt.Time) > keyHistory {
			old = append(old, k.ID)
		}
	}
	if alive >= keysAlive {
		return ErrKeys
	}
	if len(old) == 0 {
		return nil
	}
	_, err = a.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HDel(ctx, a.keys.Key(), old...)
		p.HDel(ctx, a.keys.KeyUsed(), old...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: forget old keys: %w", ErrUnavailable, err)
	}
	return nil
}

// Keys lists every key, the newest first; those revoked more than 90 days ago may be missing. Errors: ErrUnavailable.
func (a *Auth) Keys(ctx context.Context) ([]Key, error) {
	pipe := a.rdb.Pipeline()
	docs, used := pipe.HGetAll(ctx, a.keys.Key()), pipe.HGetAll(ctx, a.keys.KeyUsed())
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("%w: list keys: %w", ErrUnavailable, err)
	}
	out := make([]Key, 0, len(docs.Val()))
	for id, doc := range docs.Val() {
		var k keptKey
		if err := json.Unmarshal([]byte(doc), &k); err != nil {
			return nil, fmt.Errorf("key %s: %w", id, err)
		}
		if at, err := time.Parse(moment.Layout, used.Val()[id]); err == nil {
			k.LastUsedAt = moment.Of(at)
		}
		out = append(out, k.Key)
	}
	slices.SortFunc(out, func(x, y Key) int { return strings.Compare(y.ID, x.ID) })
	return out, nil
}

// FeedKey tells who a sender of a feed is, by a key of that feed, a key for automation, or the admin token. From is the client's address.
// The key of another feed is refused and audited. Errors: ErrDenied, ErrTooMany, ErrUnavailable.
func (a *Auth) FeedKey(ctx context.Context, feed, token, from string) (Identity, error) {
	id, err := a.byToken(ctx, token, tried{"feed:" + feed, from})
	if err != nil {
		return Identity{}, err
	}
	if !id.Can(access.Ingest) || !id.MayFeed(feed) {
		a.forbid(ctx, id, from, "feed:"+feed, "needs a key of this feed")
		return Identity{}, ErrDenied
	}
	return id, nil
}

// KeyAlive tells whether a key that was shown before still holds; a live session that goes on asks it, and it counts as use. What it
// answers is at most keyFresh old. The empty id, of the admin token, is always alive. Errors: ErrUnavailable.
func (a *Auth) KeyAlive(ctx context.Context, id string) (bool, error) {
	if id == "" {
		return true, nil
	}
	_, err := a.key(ctx, id)
	switch {
	case errors.Is(err, ErrDenied):
		return false, nil
	case err != nil:
		return false, err
	}
	a.used(ctx, id)
	return true, nil
}

// byKey tells whom a key stands for. What is no key at all is denied without asking the store.
func (a *Auth) byKey(ctx context.Context, token string, t tried) (Identity, error) {
	id, plain, ok := splitToken(token)
	if !ok {
		return Identity{}, a.fail(ctx, t, "token")
	}
	k, err := a.key(ctx, id)
	switch {
	case errors.Is(err, ErrDenied):
		return Identity{}, a.fail(ctx, t, "key "+id)
	case err != nil:
		return Identity{}, err
	}
	given := sha256.Sum256([]byte(plain))
	kept, err := hex.DecodeString(k.Hash)
	if err != nil || subtle.ConstantTimeCompare(given[:], kept) != 1 {
		return Identity{}, a.fail(ctx, t, "key "+id)
	}
	a.used(ctx, id)
	return k.identity(), nil
}

// used writes when a key was used, once a minute at the most. That it is not written stops nobody.
func (a *Auth) used(ctx context.Context, id string) {
	now := a.now()
	if !a.ring.use(id, now) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if err := a.rdb.HSet(ctx, a.keys.KeyUsed(), id, moment.Of(now).String()).Err(); err != nil {
		a.log.Debug().Err(err).Str("key", id).Msg("last use not kept")
	}
}

// key gives a key that is alive. Errors: ErrDenied where there is none or it is revoked, ErrUnavailable.
func (a *Auth) key(ctx context.Context, id string) (*keptKey, error) {
	mark, err := a.keyMark(ctx)
	if err != nil {
		return nil, err
	}
	if k := a.ring.known(id, mark); k != nil {
		return k, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, ErrUnavailable)
	defer cancel()
	raw, err := a.rdb.HGet(ctx, a.keys.Key(), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, ErrDenied
	}
	if err != nil {
		return nil, fmt.Errorf("%w: key %s: %w", ErrUnavailable, id, err)
	}
	k := &keptKey{}
	if err := json.Unmarshal(raw, k); err != nil || k.V != 1 || k.ID != id || !k.RevokedAt.IsZero() {
		if a.now().Sub(k.RevokedAt.Time) < 10*time.Second { // who read it just before must not bring it back
			a.ring.forget()
		}
		return nil, ErrDenied
	}
	a.ring.remember(k, mark)
	return k, nil
}

// marked is a mark, when the question for it began, and in which life of the ring.
type marked struct {
	mark string
	at   time.Time
	life uint64
}

// keyMark is the mark of the last change of any key, at most keyFresh old when it was asked for. Who asks at once asks together; whoever
// came to a question that was under way for longer asks anew.
func (a *Auth) keyMark(ctx context.Context) (marked, error) {
	began := a.now()
	if mark, ok := a.ring.mark(began); ok {
		return mark, nil
	}
	for {
		answer, err, _ := a.marks.Do("", func() (any, error) { return a.askMark(ctx) })
		if err != nil {
			return marked{}, fmt.Errorf("%w: keys: %w", ErrUnavailable, err)
		}
		if got := answer.(marked); began.Sub(got.at) < keyFresh {
			return got, nil
		}
	}
}

// askMark asks on behalf of several: one of them that leaves does not end the question.
func (a *Auth) askMark(ctx context.Context) (marked, error) {
	at, life := a.now(), a.ring.begin()
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), lookupTimeout, ErrUnavailable)
	defer cancel()
	mark, err := a.rdb.Get(ctx, a.keys.KeyChange()).Result()
	if err != nil && !errors.Is(err, redis.Nil) { // no mark: no key was ever made
		return marked{}, err
	}
	got := marked{mark, at, life}
	a.ring.asked(got)
	return got, nil
}
