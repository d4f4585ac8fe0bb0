package auth

import (
	"context"

	"kentongan/server/access"
)

// ForbidFor keeps the refusal of someone known, with the reason that access gave. From is the address of the client.
func (a *Auth) ForbidFor(ctx context.Context, id Identity, from string, asked Asked, right access.Action, reason string) {
	a.forbid(ctx, id, from, asked, "needs "+string(right)+": "+reason)
}
