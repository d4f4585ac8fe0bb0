// Package auth is who may do what: sign-in, roles, sessions, keys.
package auth

import (
	"context"
	"slices"
	"time"

	"kentongan/geo/moment"
	"kentongan/server/access"
)

// Identity is who asks, and what they may do. The zero Identity may do nothing.
type Identity struct {
	Subject        string          `json:"subject"` // "user:01J…", "token:admin", "key:01J…", "wall:01J…"
	Name           string          `json:"name"`
	Role           string          `json:"role"`  // the first of Roles
	Roles          []access.Role   `json:"roles"` // they add up
	Agency         string          `json:"agency"`
	Rights         []access.Action `json:"rights"` // what may be done to some object; which one, May tells
	Desk           string          `json:"desk" doc:"Slug of the desk chosen at sign-in; empty: none"`
	Lang           string          `json:"lang,omitempty" doc:"id or en; absent: as the screen chooses"`
	Screen         string          `json:"screen,omitempty" doc:"Of a wall: the screen it is bound to"`
	Needs          []string        `json:"needs,omitempty" doc:"What must be done before anything else: second_factor, password"`
	ElevatedUntil  moment.Time     `json:"elevated_until" doc:"Until when who they are counts as just shown: what changes rights or data of others needs it; null: it is not"`
	RecoveryUsedAt moment.Time     `json:"recovery_used_at,omitzero" doc:"When one of your recovery codes was used; told until you make new ones"`
	Switched       string          `json:"switched,omitempty" doc:"Who was signed in at this screen until now; only in the answer of a sign-in"`
	Via            Via             `json:"-"`
	Who            access.Subject  `json:"-"` // what Can is asked for
	Session        string          `json:"-"` // hash of the session, as SessionOf gives it, or KeySession of a key; empty without either
	Setup          bool            `json:"-"` // by the first link: it ends once an administrator can sign in
	SessionBegan   time.Time       `json:"-"` // of a session of a person; zero: no session
	SessionEnds    time.Time       `json:"-"` // of a session of a person, or by token or link; zero: no session
	SessionID      string          `json:"-"` // by which its owner and administrators name the session, and which stays when its secret changes; empty without one
	Person         string          `json:"-"` // id of the account; empty for a key, a device and the admin token
	Key            string          `json:"-"` // id of the key that was shown; empty without one
	Factor         string          `json:"-"` // the second factor that this session has shown; empty: none
	Device         string          `json:"-"` // id of the device that was shown; empty without one
	Feed           string          `json:"-"` // the one feed that may be fed; empty: any
}

// Via tells how someone showed who they are.
type Via string

// The ways to be known. A desk signs in and holds a session; a machine carries the admin token or a key.
const (
	ViaToken     Via = "token"
	ViaSession   Via = "session"
	ViaKey       Via = "key"
	ViaSignature Via = "signature"
)

// Of is the identity of a subject.
func Of(who access.Subject, name string, now time.Time) Identity {
	id := Identity{Subject: who.ID, Name: name, Roles: []access.Role{}, Who: who, Feed: who.Feed, Rights: access.Rights(who, now)}
	for _, g := range who.Grants {
		if !slices.Contains(id.Roles, g.Role) {
			id.Roles = append(id.Roles, g.Role)
		}
		if id.Agency == "" {
			id.Agency = g.Agency
		}
	}
	if len(id.Roles) > 0 {
		id.Role = string(id.Roles[0])
	}
	return id
}

// Admin is who the admin token and the first sign-in link stand for: every right, in a house that has no people yet.
func Admin() Identity {
	id := Of(access.Subject{ID: "user:admin", Whole: true}, "Administrator", time.Time{})
	id.Role, id.Roles = string(access.Admin), []access.Role{access.Admin}
	return id
}

// Can tells whether the identity may do something to some object.
func (i Identity) Can(a access.Action) bool { return slices.Contains(i.Rights, a) }

// May tells how far the identity may do something to an object.
func (i Identity) May(a access.Action, o access.Object, now time.Time) access.Decision {
	return access.Can(i.Who, a, o, now)
}

// MayFeed tells whether the identity is bound to no other feed.
func (i Identity) MayFeed(feed string) bool { return i.Feed == "" || i.Feed == feed }

type contextKey struct{}

// Context carries the identity of the current request. Nothing else may say who asks.
func Context(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// FromContext gives the identity of the current request; false where nobody is known.
func FromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(contextKey{}).(Identity)
	return id, ok
}
