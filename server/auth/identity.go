// Package auth is who may do what: sign-in, roles, sessions, keys.
package auth

import (
	"context"
	"slices"
)

// Identity is who asks, and what they may do. The zero Identity may do nothing.
type Identity struct {
	Subject string   `json:"subject"` // "user:admin", "token:admin"
	Name    string   `json:"name"`
	Role    string   `json:"role"`
	Agency  string   `json:"agency"` // slug; empty: no agency
	Rights  []string `json:"rights"`
	Via     Via      `json:"-"`
	Session string   `json:"-"` // hash of the session, as SessionOf gives it, or KeySession of a key; empty without either
	Key     string   `json:"-"` // id of the key that was shown; empty without one
	Feed    string   `json:"-"` // the one feed that may be fed; empty: any
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

// The rights of this part. Every route names the one it needs.
const (
	ReadThings    = "thing.read"
	ReadAlerts    = "alert.read"
	ReadIncidents = "incident.read"
	ActIncidents  = "incident.act"
	ReadReports   = "report.read"
	WriteReports  = "report.write"
	ReadFeeds     = "feed.read"
	WriteFeeds    = "feed.write"
	ReadRules     = "rule.read"
	ReadAudit     = "audit.read"
	WriteKeys     = "key.write"
	RunSimulator  = "simulator.run"
	Ingest        = "ingest"
	Metrics       = "metrics"
)

// Rights lists every right, in the order of the table above.
func Rights() []string {
	return []string{ReadThings, ReadAlerts, ReadIncidents, ActIncidents, ReadReports, WriteReports, ReadFeeds, WriteFeeds, ReadRules, ReadAudit, WriteKeys, RunSimulator,
		Ingest, Metrics}
}

// RightsOf gives the rights of a role; an unknown role has none.
func RightsOf(role string) []string {
	switch role {
	case "admin":
		return Rights()
	case "wall":
		return []string{ReadThings, ReadAlerts, ReadIncidents, ReadReports, ReadFeeds, ReadRules}
	default:
		return nil
	}
}

// Admin is the identity with every right that a first sign-in link stands for.
func Admin() Identity {
	return Identity{Subject: "user:admin", Name: "Administrator", Role: "admin", Rights: RightsOf("admin")}
}

// Can tells whether the identity holds a right; nobody holds the empty one.
func (i Identity) Can(right string) bool { return right != "" && slices.Contains(i.Rights, right) }

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
