package alarm

import (
	"slices"
	"strings"

	"kentongan/alerts/incident"
)

// Concerns tells whether an agency's desk has an alarm in its own queue: the agency leads or supports incidents of its type (domain.md section 4), or
// the alarm is about one of its units. What names neither is the whole house's, and in nobody's own queue.
func (a *Alarm) Concerns(agency string) bool {
	if t, known := incident.TypeOf(a.Type); known && (t.Lead == agency || slices.Contains(t.Support, agency)) {
		return true
	}
	if a.Code != CodePanic && a.Code != CodeRollCall {
		return false
	}
	_, unit, _ := strings.Cut(a.Source, "/") // "house:panic/bpbd/trc-1"
	of, _, _ := strings.Cut(unit, "/")
	return of == agency
}
