package devices

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/authority"
	"kentongan/server/book"
)

const (
	fresh         = 500 * time.Millisecond // how old what is remembered may be
	lookupTimeout = 2 * time.Second
	tries         = 5 // against another server's writes
)

// Deps are what the store of devices leans on. Authority and Person may be nil.
type Deps struct {
	Redis     redis.UniversalClient
	Keys      keyspace.Keys
	Authority *authority.Authority                                                                 // nil: no certificates
	Filter    func(feed string) (string, bool)                                                     // topic filter of a feed that is published to the broker
	Person    func(ctx context.Context, id string) (grants []access.Grant, unit string, err error) // of the day; auth.ErrDenied: there is none, or it is disabled
	Guests    func(ctx context.Context, wall string) (bool, error)                                 // whether visitors stand before a wall; auth.ErrUnavailable; nil: before none
	Audit     auth.Auditor                                                                         // nil: nothing is kept
	Book      *book.Book                                                                           // writes what changes and its records in one step; nil: they go to Audit right behind
	Now       func() time.Time
}

// Store keeps devices. Safe for concurrent use.
type Store struct {
	Deps
	asks singleflight.Group

	mu    sync.Mutex
	life  uint64 // grows with each forgetting: what was read in an earlier life is not kept
	last  snapshot
	seens map[string]time.Time // device and address -> when it was written that it was seen
}

// snapshot is every device, as of one mark.
type snapshot struct {
	mark    string
	at      time.Time // when the mark was asked for; zero: never
	devices map[string]kept
	denied  map[string]bool // serials
}

// New gives the devices of a jurisdiction.
func New(d Deps) *Store { return &Store{Deps: d, seens: map[string]time.Time{}} }

// Forget drops what is remembered.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life++
	s.last.at = time.Time{}
}

// all gives every device, at most half a second old. Errors: auth.ErrUnavailable.
func (s *Store) all(ctx context.Context) (snapshot, error) {
	began := s.Now()
	s.mu.Lock()
	if last := s.last; !last.at.IsZero() && began.Sub(last.at) < fresh {
		s.mu.Unlock()
		return last, nil
	}
	s.mu.Unlock()
	for {
		got, err, _ := s.asks.Do("", func() (any, error) { return s.read(context.WithoutCancel(ctx)) })
		if err != nil {
			return snapshot{}, fmt.Errorf("%w: devices: %w", auth.ErrUnavailable, err)
		}
		if now := got.(snapshot); began.Sub(now.at) < fresh { // who came to a question that was long under way asks anew
			return now, nil
		}
	}
}

// read asks for the mark, and for the devices where it is another than before.
func (s *Store) read(ctx context.Context) (snapshot, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, auth.ErrUnavailable)
	defer cancel()
	s.mu.Lock()
	life, now := s.life, s.last
	s.mu.Unlock()
	known := !now.at.IsZero()
	at := s.Now()
	mark, err := s.Redis.Get(ctx, s.Keys.DeviceChange()).Result()
	if err != nil && !errors.Is(err, redis.Nil) { // no mark: no device was ever there
		return snapshot{}, err
	}
	if !known || mark != now.mark {
		if now, err = s.readAll(ctx); err != nil {
			return snapshot{}, err
		}
	}
	now.mark, now.at = mark, at
	s.mu.Lock()
	defer s.mu.Unlock()
	if life == s.life {
		s.last = now
	}
	return now, nil
}

func (s *Store) readAll(ctx context.Context) (snapshot, error) {
	pipe := s.Redis.Pipeline()
	docs, denied := pipe.HGetAll(ctx, s.Keys.Device()), pipe.ZRange(ctx, s.Keys.SerialDenied(), 0, -1)
	if _, err := pipe.Exec(ctx); err != nil {
		return snapshot{}, err
	}
	out := snapshot{devices: make(map[string]kept, len(docs.Val())), denied: map[string]bool{}}
	for id, doc := range docs.Val() {
		var k kept
		if err := json.Unmarshal([]byte(doc), &k); err != nil || k.V != 1 || k.ID != id {
			return snapshot{}, fmt.Errorf("device %s cannot be read: %w", id, errors.Join(err, fmt.Errorf("version %d", k.V)))
		}
		out.devices[id] = k
	}
	for _, serial := range denied.Val() {
		out.denied[serial] = true
	}
	return out, nil
}

// change reads and writes devices, and what lies under more, as one step, and again where another server wrote meanwhile. Errors: those of do, auth.ErrUnavailable.
func (s *Store) change(ctx context.Context, do func(tx *redis.Tx) (write func(redis.Pipeliner) error, err error), more ...string) error {
	var refused error
	step := func(tx *redis.Tx) error {
		var write func(redis.Pipeliner) error
		if write, refused = do(tx); refused != nil {
			return refused
		}
		return s.Book.Write(ctx, tx, func(p redis.Pipeliner) error {
			p.Set(ctx, s.Keys.DeviceChange(), ulid.Make().String(), 0)
			return write(p)
		})
	}
	var err error
	for range tries {
		if err = s.Redis.Watch(ctx, step, append(more, s.Keys.Device(), s.Keys.DevicePending())...); !errors.Is(err, redis.TxFailedErr) {
			break
		}
	}
	s.Forget()
	switch {
	case err == nil || refused != nil:
		return refused
	default:
		return fmt.Errorf("%w: devices: %w", auth.ErrUnavailable, err)
	}
}

// get reads one device within a change. Errors: ErrNoDevice.
func (s *Store) get(ctx context.Context, tx *redis.Tx, id string) (kept, error) {
	var k kept
	text, err := tx.HGet(ctx, s.Keys.Device(), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return k, ErrNoDevice
	}
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		return k, fmt.Errorf("%w: device %s: %w", auth.ErrUnavailable, id, err)
	}
	return k, nil
}

func (s *Store) put(ctx context.Context, p redis.Pipeliner, k kept) error {
	k.LastSeenAt, k.Address, k.Version, k.Addresses, k.Elsewhere = moment.Time{}, "", "", nil, false // they stand elsewhere
	doc, err := json.Marshal(k)
	if err != nil {
		return err
	}
	book.Keep(ctx, p, "device", k.ID, doc)
	p.HSet(ctx, s.Keys.Device(), k.ID, doc)
	return nil
}

// room tells whether one more device may be known, and which ended ones are to be forgotten.
func (s *Store) room(ctx context.Context, tx *redis.Tx) (forget []string, err error) {
	docs, err := tx.HVals(ctx, s.Keys.Device()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	alive := 0
	for _, doc := range docs {
		var k kept
		if err := json.Unmarshal([]byte(doc), &k); err != nil {
			return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
		}
		switch {
		case !k.over(s.Now()):
			alive++
		case k.RemovedAt.IsZero() || s.Now().Sub(k.RemovedAt.Time) > removedKept || len(docs) > 2*Most:
			forget = append(forget, k.ID)
		}
	}
	if alive >= Most {
		return nil, ErrFull
	}
	return forget, nil
}

// forget drops devices with all that stands beside them; of a wall that is what it was set to and what it said of itself.
func (s *Store) forget(ctx context.Context, p redis.Pipeliner, ids []string) {
	if len(ids) > 0 {
		for _, id := range ids {
			book.Keep(ctx, p, "device", id, nil)
		}
		for _, key := range []string{s.Keys.Device(), s.Keys.DeviceSeen(), s.Keys.Wall(), s.Keys.WallReport()} {
			p.HDel(ctx, key, ids...)
		}
	}
}

// done names the act of a change that is written within ctx.
func done(ctx context.Context, act auth.Act, action, id, reason string) context.Context {
	act.Action, act.Object, act.Reason = action, "device:"+id, reason
	return book.With(ctx, act.Record())
}

// record keeps an act whose step had no book to write it in.
func (s *Store) record(ctx context.Context, act auth.Act, action, id, reason string) error {
	if s.Book != nil {
		return nil
	}
	return s.note(ctx, act, action, id, reason)
}

// note keeps an act that changes nothing, or says that it did not.
func (s *Store) note(ctx context.Context, act auth.Act, action, id, reason string) error {
	if s.Audit == nil {
		return nil
	}
	act.Action, act.Object, act.Reason = action, "device:"+id, reason
	if err := s.Audit(ctx, act); err != nil {
		return fmt.Errorf("%w: the audit log: %w", auth.ErrUnavailable, err)
	}
	return nil
}

// Remove takes a device back for good, at every server within half a second; its certificates are denied until they end. Removing twice
// is no error. Errors: ErrNoDevice, auth.ErrUnavailable.
func (s *Store) Remove(ctx context.Context, id string, act auth.Act) (Device, error) {
	var k kept
	err := s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) {
		var err error
		if k, err = s.get(ctx, tx, id); err != nil {
			return nil, err
		}
		if k.RemovedAt.IsZero() {
			k.RemovedAt = moment.Of(s.Now())
		}
		k.Cookie, k.Token = "", ""
		return func(p redis.Pipeliner) error {
			p.ZRemRangeByScore(ctx, s.Keys.SerialDenied(), "-inf", strconv.FormatInt(s.Now().UnixMilli(), 10))
			for _, c := range k.Certificates {
				p.ZAdd(ctx, s.Keys.SerialDenied(), redis.Z{Score: float64(c.Until.UnixMilli()), Member: c.Serial})
			}
			return s.put(done(ctx, act, "device.removed", id, fmt.Sprintf("%s %q", k.Kind, k.Name)), p, k)
		}, nil
	})
	if err != nil {
		return Device{}, err
	}
	return k.Device, s.record(ctx, act, "device.removed", id, fmt.Sprintf("%s %q", k.Kind, k.Name))
}

// Beside reads what else a change of a device rests on, and gives what is written in the same step.
type Beside func(was Device, tx *redis.Tx) (write func(redis.Pipeliner) error, err error)

// Rename gives a wall another name and screen, with its record; nil leaves as it is. What beside writes is of the same step, which is decided anew
// where one of the keys that beside read has changed meanwhile. Errors: *Fault, ErrNoDevice, those of beside, auth.ErrUnavailable.
func (s *Store) Rename(ctx context.Context, id string, name, screen *string, act auth.Act, beside Beside, keys ...string) error {
	var k kept
	err := s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) {
		var err error
		if k, err = s.get(ctx, tx, id); err == nil && (k.Kind != Wall || !k.RemovedAt.IsZero()) {
			err = ErrNoDevice
		}
		if err != nil {
			return nil, err
		}
		was := k.Device
		if name != nil {
			k.Name = *name
		}
		if screen != nil {
			k.Screen = *screen
		}
		if err := k.Grant.check(k.Kind, s.Filter); err != nil {
			return nil, err
		}
		more, err := beside(was, tx)
		if err != nil {
			return nil, err
		}
		return func(p redis.Pipeliner) error {
			if err := s.put(done(ctx, act, "device.renamed", id, fmt.Sprintf("%q %s", k.Name, k.Screen)), p, k); err != nil {
				return err
			}
			return more(p)
		}, nil
	}, keys...)
	if err != nil {
		return err
	}
	return s.record(ctx, act, "device.renamed", id, fmt.Sprintf("%q %s", k.Name, k.Screen))
}

// List gives every device of a kind, or of any where kind is empty, the newest first. Errors: auth.ErrUnavailable.
func (s *Store) List(ctx context.Context, kind Kind) ([]Device, error) {
	s.Forget() // who has just removed one wants to see it
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := s.Redis.HGetAll(ctx, s.Keys.DeviceSeen()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: devices: %w", auth.ErrUnavailable, err)
	}
	out := []Device{}
	for id, k := range all.devices {
		if kind == "" || k.Kind == kind {
			out = append(out, k.shown(seen[id], s.Now()))
		}
	}
	slices.SortFunc(out, func(a, b Device) int { return cmp.Compare(b.ID, a.ID) })
	return out, nil
}

// secrets of devices have 256 random bits: a plain hash may be stored.
func secret() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// same compares a secret with a kept hash; an empty hash is nobody's.
func same(plain, kept string) bool {
	return kept != "" && subtle.ConstantTimeCompare([]byte(hash(plain)), []byte(kept)) == 1
}

// What devices carry: kd_<id>_<secret> is a cookie, ke_<id>_<secret> a token that lets in once.
const (
	cookiePrefix = "kd_"
	tokenPrefix  = "ke_"
)

func split(text, prefix string) (id, plain string, ok bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	id, plain, cut := strings.Cut(rest, "_")
	if _, err := ulid.ParseStrict(id); !ok || !cut || err != nil || len(plain) != base64.RawURLEncoding.EncodedLen(32) {
		return "", "", false
	}
	return id, plain, true
}
