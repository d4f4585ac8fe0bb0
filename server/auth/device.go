package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"kentongan/geo/moment"
	"kentongan/server/access"
)

// ViaDevice is a device that shows its cookie: a wall, or a phone in the field. No person has signed in.
const ViaDevice Via = "device"

// DeviceLife is how long a device's cookie lasts; each visit renews it.
const DeviceLife = 365 * 24 * time.Hour

// Device is whom the cookie of a device stands for.
type Device struct {
	ID     string
	Name   string
	Screen string // of a wall: the one it is bound to
	Who    access.Subject
	Until  moment.Time // end of its cookie
}

// Devices knows devices by what they show. server/devices keeps them.
type Devices interface {
	// Shown tells whose a cookie is. What it answers is at most half a second old. Errors: ErrDenied, ErrUnavailable.
	Shown(ctx context.Context, cookie string) (Device, error)
	// Seen keeps that a device was here, and tells whether it came from another address than before.
	Seen(ctx context.Context, id, from, agent string) (moved bool)
	// Forget drops what is remembered: another server has changed a device.
	Forget()
}

// Know lets devices in. Call it before anybody is.
func (a *Auth) Know(d Devices) { a.devices = d }

// DeviceSession is what Identity.Session says of a device: its sockets end with it.
func DeviceSession(id string) string { return deviceSession + id }

const deviceSession = "device:"

// OfSession tells which key or device a session is of; of a person's it is neither.
func OfSession(session string) (key, device string) {
	if id, ok := strings.CutPrefix(session, keySession); ok {
		return id, ""
	}
	if id, ok := strings.CutPrefix(session, deviceSession); ok {
		return "", id
	}
	return "", ""
}

// ByCookie tells whether a browser shows by itself who asks: a foreign page could make it write, and a socket needs our Origin.
func (i Identity) ByCookie() bool { return i.Via == ViaSession || i.Via == ViaDevice }

// byDevice tells which device asks; ErrAnonymous where none does, or one that is not known any more: it shows how to be let in again.
func (a *Auth) byDevice(r *http.Request) (Identity, error) {
	cookie := a.deviceCookie(r)
	if cookie == "" || a.devices == nil {
		return Identity{}, ErrAnonymous
	}
	d, err := a.devices.Shown(r.Context(), cookie)
	switch {
	case errors.Is(err, ErrDenied):
		return Identity{}, ErrAnonymous
	case err != nil:
		return Identity{}, err
	}
	id := Of(d.Who, d.Name, a.now())
	id.Via, id.Session, id.Device, id.Screen = ViaDevice, DeviceSession(d.ID), d.ID, d.Screen
	from := a.ClientIP(r)
	if a.devices.Seen(r.Context(), d.ID, from, r.UserAgent()) {
		a.Record(r.Context(), Act{Actor: id, Action: "device.moved", Object: "device:" + d.ID, From: from, Reason: "its cookie is shown from another address than before"})
	}
	return id, nil
}

func (a *Auth) deviceCookie(r *http.Request) string {
	c, err := r.Cookie(a.deviceCookieName(r))
	if err != nil || len(c.Value) > 128 {
		return ""
	}
	return c.Value
}

// deviceCookieName has the __Host- prefix wherever the browser speaks TLS, as a session's. It is another than that of a browser which
// people have signed in with.
func (a *Auth) deviceCookieName(r *http.Request) string { return a.hostName(r, "kentongan-enrolled") }

// DeviceCookie is the cookie of a device; an empty value clears it.
func (a *Auth) DeviceCookie(r *http.Request, value string) *http.Cookie {
	c := &http.Cookie{Name: a.deviceCookieName(r), Value: value, Path: "/", HttpOnly: true, Secure: a.secure(r), SameSite: http.SameSiteLaxMode, MaxAge: int(DeviceLife / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// RenewDevice sets the cookie of a device that asks anew, so that it lasts as long as the device comes back.
func (a *Auth) RenewDevice(w http.ResponseWriter, r *http.Request, id Identity) {
	if value := a.deviceCookie(r); id.Via == ViaDevice && value != "" {
		http.SetCookie(w, a.DeviceCookie(r, value))
	}
}

// RefuseSender counts and keeps the refusal of whoever shows something at the broker, with the name of a feed. Errors: ErrDenied, ErrTooMany.
func (a *Auth) RefuseSender(ctx context.Context, feed, from, reason string) error {
	asked := a.feedAsked(feed)
	return a.refuse(ctx, tried{asked.Route, from, asked.Path}, reason)
}
