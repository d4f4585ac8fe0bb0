package devices

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/geo/fault"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/auth"
	"kentongan/server/authority"
)

// Renewal: a gateway may fetch its next certificate once the newest has so long left.
const renewable = 60 * 24 * time.Hour

// Asking is what a device says that wants to be let in.
type Asking struct {
	Kind    Kind
	Name    string // what it calls itself; the administrator gives its real name
	Request string // of a gateway: certificate request in PEM
	From    string // its address
}

// Asked is what it shows and keeps.
type Asked struct {
	Code      string      `json:"code" doc:"Show it: an administrator types it"`
	Poll      string      `json:"poll" doc:"Keep it: with it the device fetches what lets it in"`
	ExpiresAt moment.Time `json:"expires_at"`
}

// Given is what lets a device in. One of Cookie and Certificate is there.
type Given struct {
	Device      Device
	Cookie      string
	Certificate string // PEM
	Authority   string // PEM of the root
}

// pending is a device that asks.
type pending struct {
	Kind    Kind        `json:"kind"`
	Name    string      `json:"name"`
	Request string      `json:"request,omitempty"`
	From    string      `json:"from"`
	Poll    string      `json:"poll"` // hash
	Until   moment.Time `json:"until"`
	Device  string      `json:"device,omitempty"` // id, once approved
}

// Ask begins an enrolment by code. Errors: *Fault, ErrPending, ErrNoCA, authority.ErrRequest, auth.ErrUnavailable.
func (s *Store) Ask(ctx context.Context, ask Asking) (Asked, error) {
	ask.Name = strings.ToValidUTF8(strings.TrimSpace(ask.Name), "")
	switch {
	case !slices.Contains(Kinds(), ask.Kind):
		return Asked{}, fault.At("kind", fault.OneOf, fault.List(Kinds()), "want one of %v", Kinds())
	case len(ask.Name) > nameLength:
		return Asked{}, fault.At("name", fault.Long, nameLength, "want at most %d bytes", nameLength)
	}
	if err := s.requestFits(ask.Kind, ask.Request); err != nil {
		return Asked{}, err
	}
	code, err := newCode()
	if err != nil {
		return Asked{}, err
	}
	plain, err := secret()
	if err != nil {
		return Asked{}, err
	}
	text, _ := plainCode(code)
	p := pending{Kind: ask.Kind, Name: ask.Name, Request: ask.Request, From: ask.From, Poll: hash(plain), Until: moment.Of(s.Now().Add(keyspace.DeviceCodeLife))}
	doc, err := json.Marshal(p)
	if err != nil {
		return Asked{}, err
	}
	err = s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) {
		ended, err := s.roomForPending(ctx, tx, ask.From)
		return func(pipe redis.Pipeliner) error {
			if len(ended) > 0 {
				pipe.HDel(ctx, s.Keys.DevicePending(), ended...)
			}
			pipe.HSetNX(ctx, s.Keys.DevicePending(), hash(text), doc) // of two devices with one code, one in 10^9, the second polls in vain
			pipe.Expire(ctx, s.Keys.DevicePending(), keyspace.DeviceCodeLife)
			return nil
		}, err
	})
	if err != nil {
		return Asked{}, err
	}
	return Asked{code, hash(text) + "." + plain, p.Until}, nil
}

func (s *Store) roomForPending(ctx context.Context, tx *redis.Tx, from string) (ended []string, err error) {
	all, err := tx.HGetAll(ctx, s.Keys.DevicePending()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	here, n := 0, 0
	for code, doc := range all {
		var p pending
		if json.Unmarshal([]byte(doc), &p) != nil || !s.Now().Before(p.Until.Time) {
			ended = append(ended, code)
			continue
		}
		n++
		if p.From == from {
			here++
		}
	}
	if n >= mostPending || here >= mostFrom {
		return nil, ErrPending
	}
	return ended, nil
}

// Waiting is a device that asks to be let in, as whoever approves it sees it. Its code stands on the device alone.
type Waiting struct {
	Kind      Kind        `json:"kind" enum:"wall,field,broker"`
	Name      string      `json:"name" doc:"What it calls itself; anybody may call itself anything"`
	From      string      `json:"from" doc:"The address that it asks from"`
	ExpiresAt moment.Time `json:"expires_at"`
}

// Waiting lists the devices that ask to be let in, those that end first before. Errors: auth.ErrUnavailable.
func (s *Store) Waiting(ctx context.Context) ([]Waiting, error) {
	all, err := s.Redis.HGetAll(ctx, s.Keys.DevicePending()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: devices that ask: %w", auth.ErrUnavailable, err)
	}
	out := []Waiting{}
	for _, doc := range all {
		var p pending
		if json.Unmarshal([]byte(doc), &p) == nil && p.Device == "" && s.Now().Before(p.Until.Time) {
			out = append(out, Waiting{p.Kind, p.Name, p.From, p.Until})
		}
	}
	slices.SortFunc(out, func(a, b Waiting) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt.Time), strings.Compare(a.From, b.From))
	})
	return out, nil
}

// requestFits tells whether the certificate request is there where it belongs. Errors: *Fault, ErrNoCA, authority.ErrRequest.
func (s *Store) requestFits(kind Kind, text string) error {
	switch {
	case kind != Broker && text != "":
		return fault.At("csr", fault.Unasked, nil, "only a device of kind broker has one")
	case kind != Broker:
		return nil
	case s.Authority == nil:
		return ErrNoCA
	}
	_, err := authority.Request([]byte(text))
	return err
}

// Approve lets the device in that shows a code. Who gives ten wrong codes waits. Errors: *Fault, ErrNoCode, ErrTries, ErrFull,
// auth.ErrUnavailable.
func (s *Store) Approve(ctx context.Context, code string, g Grant, act auth.Act) (Device, error) {
	text, ok := plainCode(code)
	if err := s.mayTry(ctx, act.Actor.Subject); err != nil {
		return Device{}, err
	}
	var k kept
	err := ErrNoCode
	if ok {
		err = s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) {
			p, err := s.pendingOf(ctx, tx, hash(text))
			switch {
			case errors.Is(err, ErrGone) || err == nil && p.Device != "":
				return nil, ErrNoCode
			case err != nil:
				return nil, err
			}
			if err := g.check(p.Kind, s.Filter); err != nil {
				return nil, err
			}
			forget, err := s.room(ctx, tx)
			if err != nil {
				return nil, err
			}
			k = s.begin(p.Kind, g, act, p.Until)
			p.Device = k.ID
			doc, err := json.Marshal(p)
			return func(pipe redis.Pipeliner) error {
				s.forget(ctx, pipe, forget)
				pipe.HSet(ctx, s.Keys.DevicePending(), hash(text), doc)
				return s.put(done(ctx, act, "device.approved", k.ID, k.says()), pipe, k)
			}, err
		})
	}
	if errors.Is(err, ErrNoCode) {
		return Device{}, errors.Join(err, s.wrongCode(ctx, act))
	}
	if err != nil {
		return Device{}, err
	}
	if err := s.record(ctx, act, "device.approved", k.ID, k.says()); err != nil {
		return Device{}, errors.Join(err, s.undo(ctx, k.ID))
	}
	return k.shown("", s.Now()), nil
}

// mayTry tells whether somebody may give another code. Errors: ErrTries, auth.ErrUnavailable.
func (s *Store) mayTry(ctx context.Context, who string) error {
	n, err := s.Redis.Get(ctx, s.Keys.DeviceTries(hash(who))).Int()
	switch {
	case err != nil && !errors.Is(err, redis.Nil):
		return fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	case n >= 10:
		return ErrTries
	}
	return nil
}

func (s *Store) wrongCode(ctx context.Context, act auth.Act) error {
	key := s.Keys.DeviceTries(hash(act.Actor.Subject))
	_, err := s.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, key)
		p.ExpireNX(ctx, key, keyspace.DeviceCodeLife)
		return nil
	})
	return errors.Join(err, s.note(ctx, act, "device.denied", "code", "no device shows the code that was given"))
}

// undo removes a device whose beginning left no trace in the log.
func (s *Store) undo(ctx context.Context, id string) error {
	return s.change(context.WithoutCancel(ctx), func(*redis.Tx) (func(redis.Pipeliner) error, error) {
		return func(p redis.Pipeliner) error { s.forget(ctx, p, []string{id}); return nil }, nil
	})
}

func (s *Store) begin(kind Kind, g Grant, act auth.Act, until moment.Time) kept {
	return kept{V: 1, Device: Device{ID: ulid.Make().String(), Kind: kind, Grant: g, CreatedAt: moment.Of(s.Now()), CreatedBy: act.Actor.Subject, ExpiresAt: until}}
}

// says is what the audit log keeps of a device.
func (k *kept) says() string {
	bound := strings.TrimSpace(strings.Join([]string{k.Screen, k.Person, k.Unit, k.Feed, strings.Join(k.Topics, " ")}, " "))
	return strings.TrimSpace(fmt.Sprintf("%s %q %s", k.Kind, k.Name, bound))
}

// pendingOf reads a device that asks. Errors: ErrGone.
func (s *Store) pendingOf(ctx context.Context, tx *redis.Tx, code string) (pending, error) {
	var p pending
	text, err := tx.HGet(ctx, s.Keys.DevicePending(), code).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return p, ErrGone
	case err != nil:
		return p, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	case json.Unmarshal(text, &p) != nil || !s.Now().Before(p.Until.Time):
		return p, ErrGone
	}
	return p, nil
}

// Poll gives a device that asks what lets it in, once. Errors: ErrWaiting, ErrGone, auth.ErrUnavailable.
func (s *Store) Poll(ctx context.Context, poll string, act auth.Act) (Given, error) {
	code, plain, _ := strings.Cut(poll, ".")
	if len(code) != 64 || len(plain) > 64 {
		return Given{}, ErrGone
	}
	waits := false
	var given Given
	err := s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) {
		p, err := s.pendingOf(ctx, tx, code)
		switch {
		case err != nil:
			return nil, err
		case !same(plain, p.Poll):
			return nil, ErrGone
		case p.Device == "":
			waits = true
			return nil, ErrWaiting
		}
		k, err := s.get(ctx, tx, p.Device)
		if errors.Is(err, ErrNoDevice) || err == nil && k.over(s.Now()) {
			return nil, ErrGone
		}
		if err == nil {
			given, err = s.let(&k, p.Request)
		}
		return func(pipe redis.Pipeliner) error {
			pipe.HDel(ctx, s.Keys.DevicePending(), code)
			return s.put(entered(ctx, k, act), pipe, k)
		}, err
	})
	if waits {
		return Given{}, ErrWaiting
	}
	return s.enrolled(ctx, given, act, err)
}

// entered names the act of a device that is let in.
func entered(ctx context.Context, k kept, act auth.Act) context.Context {
	act.Actor = auth.Identity{Subject: string(k.Kind) + ":" + k.ID}
	return done(ctx, act, "device.enrolled", k.ID, fmt.Sprintf("%q", k.Name))
}

// enrolled keeps that a device was let in, before it hears so.
func (s *Store) enrolled(ctx context.Context, given Given, act auth.Act, err error) (Given, error) {
	if err != nil {
		return Given{}, err
	}
	act.Actor = auth.Identity{Subject: string(given.Device.Kind) + ":" + given.Device.ID}
	if err := s.record(ctx, act, "device.enrolled", given.Device.ID, fmt.Sprintf("%q", given.Device.Name)); err != nil {
		return Given{}, err // what it was given it has not heard
	}
	return given, nil
}

// let gives a device what lets it in from now on.
func (s *Store) let(k *kept, request string) (Given, error) {
	k.EnrolledAt, k.Token = moment.Of(s.Now()), ""
	if k.Kind == Broker {
		c, err := s.certify(k, request)
		if err != nil {
			return Given{}, err
		}
		return Given{Device: k.Device, Certificate: string(authority.PEM(c)), Authority: string(s.Authority.Root())}, nil
	}
	plain, err := secret()
	if err != nil {
		return Given{}, err
	}
	k.Cookie, k.ExpiresAt = hash(plain), moment.Of(s.Now().Add(auth.DeviceLife))
	return Given{Device: k.Device, Cookie: cookiePrefix + k.ID + "_" + plain}, nil
}

// certify issues a certificate for a gateway. Errors: ErrNoCA, authority.ErrRequest.
func (s *Store) certify(k *kept, request string) (*x509.Certificate, error) {
	if s.Authority == nil {
		return nil, ErrNoCA
	}
	c, err := s.Authority.Issue([]byte(request), k.ID, authority.SANs{URI: authority.DeviceURI(k.ID)}, authority.DeviceLife)
	if err != nil {
		return nil, err
	}
	if k.Key, err = authority.KeyOf(c.PublicKey); err != nil {
		return nil, err
	}
	k.Certificates = slices.DeleteFunc(slices.Clone(k.Certificates), func(c Certificate) bool { return !s.Now().Before(c.Until.Time) })
	k.ExpiresAt = moment.Of(c.NotAfter)
	k.Certificates = append(k.Certificates, Certificate{authority.Serial(c), k.ExpiresAt})
	return c, nil
}

// Invite makes a device and a token that lets it in once, within a day. The token is told this once. Errors: *Fault, ErrFull, ErrNoCA,
// auth.ErrUnavailable.
func (s *Store) Invite(ctx context.Context, kind Kind, g Grant, act auth.Act) (Device, string, error) {
	if err := g.check(kind, s.Filter); err != nil {
		return Device{}, "", err
	}
	if kind == Broker && s.Authority == nil {
		return Device{}, "", ErrNoCA
	}
	plain, err := secret()
	if err != nil {
		return Device{}, "", err
	}
	k := s.begin(kind, g, act, moment.Of(s.Now().Add(TokenLife)))
	k.Token = hash(plain)
	err = s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) {
		forget, err := s.room(ctx, tx)
		return func(p redis.Pipeliner) error {
			s.forget(ctx, p, forget)
			return s.put(done(ctx, act, "device.invited", k.ID, k.says()), p, k)
		}, err
	})
	if err != nil {
		return Device{}, "", err
	}
	if err := s.record(ctx, act, "device.invited", k.ID, k.says()); err != nil {
		return Device{}, "", errors.Join(err, s.undo(ctx, k.ID))
	}
	return k.shown("", s.Now()), tokenPrefix + k.ID + "_" + plain, nil
}

// Redeem lets a device in by a token, once. Errors: ErrGone, *Fault, authority.ErrRequest, ErrNoCA, auth.ErrUnavailable.
func (s *Store) Redeem(ctx context.Context, token, request string, act auth.Act) (Given, error) {
	id, plain, ok := split(token, tokenPrefix)
	if !ok {
		return Given{}, ErrGone
	}
	var given Given
	err := s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) {
		k, err := s.get(ctx, tx, id)
		if errors.Is(err, ErrNoDevice) || err == nil && (k.over(s.Now()) || !same(plain, k.Token)) {
			return nil, ErrGone
		}
		if err == nil {
			err = s.requestFits(k.Kind, request)
		}
		if err == nil {
			given, err = s.let(&k, request)
		}
		return func(p redis.Pipeliner) error { return s.put(entered(ctx, k, act), p, k) }, err
	})
	return s.enrolled(ctx, given, act, err)
}

// Renew gives a gateway its next certificate, for the same key, against one that still holds: the request is signed by that key. Errors:
// auth.ErrDenied with the reason, ErrEarly, authority.ErrRequest, ErrNoCA, auth.ErrUnavailable.
func (s *Store) Renew(ctx context.Context, certificate, request string, act auth.Act) (Given, error) {
	if s.Authority == nil {
		return Given{}, ErrNoCA
	}
	r, err := authority.Request([]byte(request))
	if err != nil {
		return Given{}, err
	}
	old, err := authority.ParsePEM([]byte(certificate))
	if err != nil {
		return Given{}, fmt.Errorf("%w: %w", auth.ErrDenied, err)
	}
	d, err := s.Certified(ctx, old)
	if err != nil {
		return Given{}, err
	}
	key, err := authority.KeyOf(r.PublicKey)
	if err != nil {
		return Given{}, err
	}
	var given Given
	var said string
	err = s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) {
		k, err := s.get(ctx, tx, d.ID)
		switch {
		case err != nil:
			return nil, err
		case !k.RemovedAt.IsZero():
			return nil, fmt.Errorf("%w: the device was removed", auth.ErrDenied)
		case key != k.Key:
			return nil, fmt.Errorf("%w: the request is of another key than the certificate", auth.ErrDenied)
		case k.ExpiresAt.Sub(s.Now()) > renewable:
			return nil, ErrEarly
		}
		c, err := s.certify(&k, request)
		if err != nil {
			return nil, err
		}
		given = Given{Device: k.Device, Certificate: string(authority.PEM(c)), Authority: string(s.Authority.Root())}
		act.Actor = auth.Identity{Subject: string(Broker) + ":" + d.ID}
		said = "serial " + given.Device.Certificates[len(given.Device.Certificates)-1].Serial
		return func(p redis.Pipeliner) error { return s.put(done(ctx, act, "device.renewed", d.ID, said), p, k) }, nil
	})
	if err != nil {
		return Given{}, err
	}
	return given, s.record(ctx, act, "device.renewed", d.ID, said)
}
