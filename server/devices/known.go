package devices

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/authority"
)

// Bounds of what is kept of a device's visits.
const (
	seenEvery     = time.Minute // how often it is written from one address
	addressesKept = 5
	addressesFor  = 24 * time.Hour
	atOnce        = 10 * time.Minute
	versionLength = 120
)

// Shown tells whose a cookie is, as auth.Devices has it.
func (s *Store) Shown(ctx context.Context, cookie string) (auth.Device, error) {
	id, plain, ok := split(cookie, cookiePrefix)
	if !ok {
		return auth.Device{}, auth.ErrDenied
	}
	k, err := s.alive(ctx, id)
	if err != nil {
		return auth.Device{}, err
	}
	if !same(plain, k.Cookie) {
		return auth.Device{}, auth.ErrDenied
	}
	who, err := s.who(ctx, k)
	return auth.Device{ID: id, Name: k.Name, Screen: k.Screen, Who: who, Until: k.ExpiresAt}, err
}

// who is a device to access.Can; of a field device that a person carries, with that person's rights of the day, and of a wall before visitors
// without what is not for them.
func (s *Store) who(ctx context.Context, k kept) (access.Subject, error) {
	var grants []access.Grant
	unit := ""
	if k.Person != "" {
		if s.Person == nil {
			return access.Subject{}, auth.ErrDenied
		}
		var err error
		if grants, unit, err = s.Person(ctx, k.Person); err != nil {
			return access.Subject{}, err
		}
	}
	who := k.subject(grants, unit)
	if k.Kind == Wall && s.Guests != nil {
		var err error
		if who.Guests, err = s.Guests(ctx, k.ID); err != nil {
			return access.Subject{}, err
		}
	}
	return who, nil
}

// alive gives a device that is known and has not ended. Errors: auth.ErrDenied with the reason, auth.ErrUnavailable.
func (s *Store) alive(ctx context.Context, id string) (kept, error) {
	all, err := s.all(ctx)
	if err != nil {
		return kept{}, err
	}
	k, ok := all.devices[id]
	switch {
	case !ok:
		return kept{}, fmt.Errorf("%w: the device is not known", auth.ErrDenied)
	case !k.RemovedAt.IsZero():
		return kept{}, fmt.Errorf("%w: the device was removed", auth.ErrDenied)
	case k.EnrolledAt.IsZero() || !s.Now().Before(k.ExpiresAt.Time):
		return kept{}, fmt.Errorf("%w: what lets the device in has ended", auth.ErrDenied)
	}
	return k, nil
}

// Who is a device that was shown before to access.Can at this moment. Errors: auth.ErrDenied, auth.ErrUnavailable.
func (s *Store) Who(ctx context.Context, id string) (access.Subject, error) {
	k, err := s.alive(ctx, id)
	if err != nil {
		return access.Subject{}, err
	}
	return s.who(ctx, k)
}

// Certified tells whose a certificate is. Errors: auth.ErrDenied with the reason, auth.ErrUnavailable.
func (s *Store) Certified(ctx context.Context, c *x509.Certificate) (Device, error) {
	if s.Authority == nil {
		return Device{}, ErrNoCA
	}
	id, ok := authority.Device(c)
	if !ok {
		return Device{}, fmt.Errorf("%w: the certificate names no device", auth.ErrDenied)
	}
	if err := s.Authority.Verify(c); err != nil {
		return Device{}, fmt.Errorf("%w: %w", auth.ErrDenied, err)
	}
	return s.certified(ctx, id, authority.Serial(c))
}

// CertificateAlive tells whether a certificate that was shown before still holds. Errors: auth.ErrUnavailable.
func (s *Store) CertificateAlive(ctx context.Context, id, serial string) (bool, error) {
	_, err := s.certified(ctx, id, serial)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, auth.ErrDenied):
		return false, nil
	}
	return false, err
}

func (s *Store) certified(ctx context.Context, id, serial string) (Device, error) {
	all, err := s.all(ctx)
	if err != nil {
		return Device{}, err
	}
	if all.denied[serial] {
		return Device{}, fmt.Errorf("%w: the certificate was taken back", auth.ErrDenied)
	}
	k, err := s.alive(ctx, id)
	if err != nil {
		return Device{}, err
	}
	i := slices.IndexFunc(k.Certificates, func(c Certificate) bool { return c.Serial == serial })
	switch {
	case i < 0:
		return Device{}, fmt.Errorf("%w: the certificate is not one of the device's", auth.ErrDenied)
	case !s.Now().Before(k.Certificates[i].Until.Time):
		return Device{}, fmt.Errorf("%w: the certificate has expired", auth.ErrDenied)
	}
	return k.Device, nil
}

// Subject is who a device of the broker is to access.Can.
func (d Device) Subject() access.Subject { return d.subject(nil, "") }

// visit is what is kept of a device's visits.
type visit struct {
	Version   string    `json:"version"`
	Addresses []Address `json:"addresses"` // the newest first
}

// Seen keeps that a device was here, once a minute from one address; and tells whether the address is one that it was not seen at of late.
// A cookie's life begins anew with it. That it is not kept stops nobody.
func (s *Store) Seen(ctx context.Context, id, from, agent string) (moved bool) {
	now := s.Now()
	if !s.due(id+" "+from, now) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	text, err := s.Redis.HGet(ctx, s.Keys.DeviceSeen(), id).Bytes()
	var v visit
	if err == nil {
		_ = json.Unmarshal(text, &v) // what cannot be read is begun anew
	}
	v.Addresses = slices.DeleteFunc(v.Addresses, func(a Address) bool { return now.Sub(a.At.Time) > addressesFor })
	moved = len(v.Addresses) > 0 && !slices.ContainsFunc(v.Addresses, func(a Address) bool { return a.From == from })
	v.Addresses = append([]Address{{from, moment.Of(now)}}, slices.DeleteFunc(v.Addresses, func(a Address) bool { return a.From == from })...)
	v.Addresses = v.Addresses[:min(len(v.Addresses), addressesKept)]
	v.Version = strings.ToValidUTF8(agent[:min(len(agent), versionLength)], "")
	if text, err = json.Marshal(v); err == nil {
		s.Redis.HSet(ctx, s.Keys.DeviceSeen(), id, text)
	}
	s.extend(ctx, id)
	return moved
}

// due tells whether a visit is to be written now.
func (s *Store) due(visit string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.seens[visit]; ok && now.Sub(at) < seenEvery {
		return false
	}
	if len(s.seens) > 4*Most {
		clear(s.seens)
	}
	s.seens[visit] = now
	return true
}

// extend lets a cookie live for another year, once a month.
func (s *Store) extend(ctx context.Context, id string) {
	k, err := s.alive(ctx, id)
	until := moment.Of(s.Now().Add(auth.DeviceLife))
	if err != nil || k.Cookie == "" || until.Sub(k.ExpiresAt.Time) < 30*24*time.Hour {
		return
	}
	_ = s.change(ctx, func(tx *redis.Tx) (func(redis.Pipeliner) error, error) { // the next visit tries again
		k, err := s.get(ctx, tx, id)
		if err == nil && !k.RemovedAt.IsZero() {
			err = ErrNoDevice
		}
		k.ExpiresAt = until
		return func(p redis.Pipeliner) error { return s.put(ctx, p, k) }, err
	})
}

// shown is a device as a list has it.
func (k kept) shown(seen string, now time.Time) Device {
	d := k.Device
	var v visit
	_ = json.Unmarshal([]byte(seen), &v) // none: never seen
	d.Version, d.Addresses = v.Version, v.Addresses
	if len(d.Addresses) == 0 {
		d.Addresses = []Address{}
		return d
	}
	d.LastSeenAt, d.Address = d.Addresses[0].At, d.Addresses[0].From
	d.Elsewhere = len(d.Addresses) > 1 && now.Sub(d.Addresses[1].At.Time) < atOnce
	return d
}
