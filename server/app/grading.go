package app

import (
	"kentongan/alerts"
	"kentongan/alerts/rules"
)

// grader grades agencies' alerts anew by the rules that are in force at that moment.
type grader struct{ engine *rules.Engine }

// Regrade is store.Regrader.
func (g grader) Regrade(a *alerts.Alert) (rule string, ok bool) { return g.engine.Program().Regrade(a) }
