package status

import (
	"slices"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/incident"
	"kentongan/alerts/statement"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// Place tells the kecamatan that things lie in.
type Place interface {
	// District tells whether a name is that of a kecamatan of ours. Where nothing has a name every name is one.
	District(name string) bool
	// Covered gives the kecamatan that an alert covers, sorted.
	Covered(a *alerts.Alert) []string
}

// Unit is a response unit as far as the status asks for it; its JSON is that of alerts/unit.
type Unit struct {
	ID        string      `json:"id"`
	Agency    string      `json:"agency"`
	Status    string      `json:"status"`
	StatusAt  moment.Time `json:"status_at"` // since when it has that status
	Simulated bool        `json:"simulated"`
}

// picture is what is known of one plane, the real one or the simulated, as far as rules ask for it.
type picture struct {
	place      Place
	scales     statement.Scales
	incidents  map[string]*Evidence // open ones, as evidence; never changed, replaced
	warnings   map[string]warning
	statements map[string]statement.Statement
	floods     map[string]moment.Time // alarms that tell of an alarm flood, and since when
	seen       bool                   // an alarm was
	units      map[string]Unit
}

type warning struct {
	Evidence
	districts []string
	until     moment.Time
}

func newPicture(place Place, scales statement.Scales) *picture {
	return &picture{place: place, scales: scales, incidents: map[string]*Evidence{}, warnings: map[string]warning{},
		statements: map[string]statement.Statement{}, floods: map[string]moment.Time{}, units: map[string]Unit{}}
}

// incident takes a new state of an incident, and tells whether anything that rules ask for has changed. Restricted types are left out: who
// sees the level would see that there is one.
func (p *picture) incident(in *incident.Incident) bool {
	was, known := p.incidents[in.ID]
	if t, ok := incident.TypeOf(in.Type); !in.Status.Open() || !ok || t.Restricted {
		delete(p.incidents, in.ID)
		return known
	}
	now := Evidence{Kind: "incident", Ref: in.ID, Text: in.Number, Type: in.Type, Severity: in.Severity, AreaName: in.AreaName, At: in.OpenedAt}
	if known && *was == now {
		return false
	}
	p.incidents[in.ID] = &now
	return true
}

// alert takes a new state of an alert. Only warnings of a weather service count, and none that it tests: what our own rules raise
// shows in incidents.
func (p *picture) alert(a *alerts.Alert) bool {
	was, known := p.warnings[a.ID]
	if a.State != alerts.Active || a.Status != "Actual" || a.Rule != "" || !strings.EqualFold(a.Category, "Met") || a.Severity == cap.Minor || !a.Relevant {
		delete(p.warnings, a.ID)
		return known
	}
	text := a.Headline
	if text == "" {
		text = a.Event
	}
	now := warning{Evidence{Kind: "alert", Ref: a.ID, Text: text, Severity: a.Severity, AreaName: a.Area.Properties.Name, At: a.Sent}, nil, a.Expires}
	if known && was.Evidence == now.Evidence && was.until == now.until {
		return false // its area is of the same revision, or says the same
	}
	now.districts = p.place.Covered(a)
	p.warnings[a.ID] = now
	return true
}

// statement takes a new state of a statement.
func (p *picture) statement(s *statement.Statement) bool {
	was, known := p.statements[s.ID]
	if s.State != statement.InForce {
		delete(p.statements, s.ID)
		return known
	}
	p.statements[s.ID] = *s
	return !known || was.Version != s.Version
}

// alarm takes a new state of an alarm. What is presented says nothing of a flood, for the governor lets ten through in ten minutes; its own
// alarm says that there is one. It tells whether since when has changed.
func (p *picture) alarm(a *alarm.Alarm) bool {
	p.seen = true
	if a.Code != alarm.CodeFlood {
		return false
	}
	was := p.floodSince()
	if delete(p.floods, a.ID); a.Active {
		p.floods[a.ID] = a.RaisedAt
	}
	return was != p.floodSince()
}

// floodSince is since when there is an alarm flood; null: there is none.
func (p *picture) floodSince() (since moment.Time) {
	for _, at := range p.floods {
		if since.IsZero() || at.Before(since.Time) {
			since = at
		}
	}
	return since
}

// unit takes a new state of a unit.
func (p *picture) unit(u *Unit) bool {
	was, known := p.units[u.ID]
	p.units[u.ID] = *u
	return !known || was.Status != u.Status || was.Agency != u.Agency
}

// empty tells a plane in which nothing is known.
func (p *picture) empty() bool {
	return len(p.incidents) == 0 && len(p.warnings) == 0 && len(p.statements) == 0 && !p.seen && len(p.units) == 0
}

// inForce gives the statements that hold at a time, by scale and subject.
func (p *picture) inForce(now time.Time) []statement.Statement {
	var out []statement.Statement
	for _, s := range p.statements {
		if s.Holds(now) && (s.Decree == nil || !now.Before(s.Decree.From.Time)) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b statement.Statement) int {
		if c := strings.Compare(a.Scale, b.Scale); c != 0 {
			return c
		}
		if c := strings.Compare(a.Subject, b.Subject); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// scalesOf lists what authorities say of a hazard.
func (p *picture) scalesOf(hazard string, now time.Time) []Scale {
	out := []Scale{}
	for _, s := range p.inForce(now) {
		scale, ok := p.scales.Find(s.Scale)
		if !ok || hazard != House && scale.Hazard != hazard {
			continue
		}
		out = append(out, Scale{Scale: s.Scale, Subject: s.Subject, Name: s.Name, Step: s.Step, Source: s.Source, At: s.StatedAt, ValidUntil: s.ValidUntil, Statement: s.ID})
	}
	return out
}
