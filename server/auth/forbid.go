package auth

import (
	"context"

	"kentongan/server/access"
)

// ForbidFor keeps the refusal of someone known, with the reason that access gave. From is the address of the client, and tried what it
// asked for, such as "POST /api/v1/incidents".
func (a *Auth) ForbidFor(ctx context.Context, id Identity, from, tried string, right access.Action, reason string) {
	a.forbid(ctx, id, from, tried, "needs "+string(right)+": "+reason)
}
