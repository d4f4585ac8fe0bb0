package alarm

import (
	"time"

	"kentongan/alerts"
	"kentongan/feeds/cap"
)

// Definition is what a rule says of the alarms that it raises.
type Definition struct {
	Type      string        // of the incident that it opens, sensor_fault …; empty: not said
	ActWithin time.Duration // 0: nobody has said how soon
	Response  string
}

// PriorityOf is how soon somebody must act: by severity, and by the time that there is to act, 0 where nobody has said it (domain.md
// section 2). What nobody has assessed is P2.
func (c Config) PriorityOf(s cap.Severity, within time.Duration) Priority {
	soon := func(limit time.Duration) bool { return within > 0 && within <= limit }
	switch {
	case s == cap.Extreme, soon(c.ActUrgent):
		return P1
	case s == cap.Severe, s == cap.Unknown, soon(c.ActSoon):
		return P2
	}
	return P3
}

// Asks tells an alert that needs a response here; everything else is an event, shown and listed, and stays out of the queue (ISA-18.2). A
// rule asks, for it was written to; an agency asks unless it says that the harm is minor, over or unlikely, or says nothing of it at all.
func Asks(a *alerts.Alert) bool {
	switch {
	case a.State != alerts.Active, a.Status != "Actual", !a.Relevant:
		return false
	case a.Rule != "":
		return true
	case a.Severity == cap.Minor, a.Urgency == "Past", a.Certainty == "Unlikely":
		return false
	}
	return a.Severity != cap.Unknown || a.Urgency != "Unknown" || a.Certainty != "Unknown"
}

// before tells which of two priorities comes first.
func (p Priority) before(q Priority) bool { return p < q }
