package alarm

import (
	"slices"

	"kentongan/alerts/incident"
	"kentongan/geo/moment"
)

// Sight says at which desk an alarm was seen, when, and by whom.
type Sight struct {
	Desk string      `json:"desk"`
	At   moment.Time `json:"at"`
	By   string      `json:"by"`
}

// Rung is where an alarm climbs that nobody has seen: desks, wall, duty, leadership.
type Rung string

// Why an alarm climbs (Climb.Why); screens have words for each.
const (
	WhyUnstaffed      = "unstaffed"      // nobody sits at any desk
	WhyUnpainted      = "unpainted"      // no staffed desk has had it before its eyes
	WhyUnacknowledged = "unacknowledged" // it was before somebody's eyes, and nobody has acknowledged it
)

// Climb is one rung that an alarm has climbed.
type Climb struct {
	To  Rung        `json:"to"`
	At  moment.Time `json:"at"`
	Why string      `json:"why"`
}

// ClimbedTo tells whether an alarm has climbed to a rung.
func (a *Alarm) ClimbedTo(to Rung) bool {
	return slices.ContainsFunc(a.Climbed, func(c Climb) bool { return c.To == to })
}

// sighted takes over what the ladder has noted of an alarm. It only ever grows.
func (a *Alarm) sighted(doc *Alarm) (changed bool) {
	if doc.Painted != nil && a.Painted == nil {
		a.Painted, changed = doc.Painted, true
	}
	if doc.Seen != nil && a.Seen == nil {
		a.Seen, changed = doc.Seen, true
	}
	if len(doc.Climbed) > len(a.Climbed) {
		a.Climbed, changed = slices.Clone(doc.Climbed), true
	}
	return changed
}

// facts is a sight without who it was.
func (s *Sight) facts() *Sight {
	if s == nil {
		return nil
	}
	return &Sight{s.Desk, s.At, incident.Redacted(s.By)}
}
