package auth

import (
	"context"
	"net/http"
	"time"

	"kentongan/server/access"
	"kentongan/server/people"
)

// Try counts one try at somebody's second factor as failed, before it is judged; a new session forgives it. Errors: *LockedError,
// ErrUnavailable; then nothing may be judged.
func (a *Auth) Try(ctx context.Context, r *http.Request, p people.Person) error {
	all, _ := a.counters(r, p.Login, p)
	return a.take(ctx, all)
}

// SecondFactor tells whether the person holds a role that needs one.
func (a *Auth) SecondFactor(p people.Person) bool { return p.MustGuard(a.cfg.SecondFactor) }

// SecondFactorRoles are the roles that need one.
func (a *Auth) SecondFactorRoles() []access.Role { return a.cfg.SecondFactor }

// SessionTime is how long a session lasts at the most.
func (a *Auth) SessionTime() time.Duration { return a.sessionTime() }

// PendingID names a sign-in that waits for its second factor, where its ticket may not stand.
func PendingID(ticket string) string { return "pending:" + hash(ticket) }

// HostCookie is a cookie of this host alone, which scripts do not see and other sites' writes do not carry.
func (a *Auth) HostCookie(r *http.Request, name, value string, life time.Duration) *http.Cookie {
	return a.cookie(r, "kentongan-"+name, value, life)
}

// HostCookieOf is the value of such a cookie; empty: there is none, or two.
func (a *Auth) HostCookieOf(r *http.Request, name string) string {
	all := r.CookiesNamed(a.hostName(r, "kentongan-"+name))
	if len(all) != 1 {
		return ""
	}
	return all[0].Value
}
