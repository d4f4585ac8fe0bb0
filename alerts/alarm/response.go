package alarm

import (
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

// Unit takes over a change of a unit: a call for help is P1 until somebody clears it, silence on scene P2 until the unit is heard of. What
// incident it is on is told only where everybody who sees units may know of it.
func (g *Governor) Unit(u *unit.Unit, now time.Time) {
	p := g.plane(false)
	help := u.Panic
	p.holdsWhile(help != nil, CodePanic, "house:panic/"+u.ID, u.Name, now, func(e *entry) {
		e.Priority, e.Severity = P1, cap.Extreme
		e.Incident = help.Incident
		switch {
		case help.Lng != nil && help.Lat != nil:
			e.at(geo.Position{Lat: *help.Lat, Lng: *help.Lng})
		case u.Post != nil:
			e.AreaName = p.area(geo.Position{Lat: u.Post.Lat, Lng: u.Post.Lng})
		}
	})
	p.holdsWhile(!u.RollCallAt.IsZero(), CodeRollCall, "house:rollcall/"+u.ID, u.Name, now, func(e *entry) {
		e.Priority, e.Severity = P2, cap.Severe
		if u.Incident != nil {
			e.Incident = *u.Incident
		}
	})
}

// unanswered raises an alarm for an incident to which nobody goes: P1 where life is at risk, else P2 (domain.md section 5).
func (p *plane) unanswered(in *incident.Incident, now time.Time) {
	p.holdsWhile(in.Unanswered(), CodeUnanswered, "house:unanswered/"+in.ID, in.Number, now, func(e *entry) {
		e.Priority, e.Severity = P2, in.Severity
		if in.Severity == cap.Extreme {
			e.Priority = P1
		}
		e.Type, e.Incident = in.Type, in.ID
		if at, ok := in.Position(); ok {
			e.at(at)
		}
		e.AreaName = in.AreaName
	})
}

// holdsWhile has an alarm of the house's own, about something, stand as long as its condition holds; describe fills in a new one.
func (p *plane) holdsWhile(holds bool, code Code, key, about string, now time.Time, describe func(*entry)) {
	row := p.byKey[key]
	switch {
	case holds && row != nil && row.Active:
	case holds && row != nil && now.Sub(row.ClearedAt.Time) < again && row.Ack == nil:
		p.revive(row, now)
	case holds:
		row = p.house(code, key, about, cap.Unknown, now)
		describe(row)
		p.raised(row, now)
	case row != nil && row.Active:
		p.clear(row, now)
	}
}

// at places an alarm of the house's own.
func (e *entry) at(p geo.Position) {
	e.place(p)
	e.AreaName = e.plane.area(p)
}
