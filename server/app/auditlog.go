package app

import (
	"path/filepath"
	"time"

	"kentongan/server/auditlog"
	"kentongan/server/embedded"
)

// newAuditLog builds the log of acts. Where the store forgets with the server there is nothing to remember of it.
func (a *App) newAuditLog() {
	memory := filepath.Join(a.cfg.DataDir, "audit-checkpoint")
	if a.verdict.Load().Storage == embedded.Volatile {
		memory = ""
	}
	a.auditLog = auditlog.New(auditlog.Deps{
		Store: a.cases, Redis: a.rdb, Keys: a.keys, Seal: a.seal, Origin: "kentongan/" + a.profile.Slug, Memory: memory, Config: a.cfg.Audit, Now: time.Now,
		Log: a.log.With().Str("component", "audit").Logger(),
	})
}
