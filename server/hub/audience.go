package hub

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/report"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/alerts/unit"
	"kentongan/server/access"
	nouns "kentongan/server/scope"
	"kentongan/server/wire"
)

const every = "*"

// audience is clients that may see the same of every case: their grants are alike. access is asked for each case and audience, when it is
// delivered; what is left of it at a level is written once for all.
type audience struct {
	key     string
	who     access.Subject
	things  bool
	feeds   bool
	walls   bool      // it may hear what walls are set to: whoever sets them up or steers them
	guests  bool      // visitors stand before it
	units   string    // owners whose units show, as unitsOf writes them
	until   time.Time // the first of its grants ends then; zero: none does
	clients int

	agencyOf func(feed string) string
}

// audienceOf gives the audience of a subject. Who exactly asks makes no difference to reading, so the id is left out.
func (h *Hub) audienceOf(who access.Subject) *audience {
	who.ID, who.Feed = "", ""
	text, _ := json.Marshal(who) // it holds nothing that could fail
	key := string(text)
	if a := h.audiences[key]; a != nil {
		return a
	}
	now := h.d.Now()
	may := func(a access.Action) bool { return access.Can(who, a, access.Object{}, now).Level > access.None }
	a := &audience{key: key, who: who, agencyOf: h.d.Agency, things: may(access.ReadThings), feeds: may(access.ReadFeeds), walls: may(access.SteerWalls) || may(access.WriteDevices), units: h.unitsOf(who, now), guests: who.Guests}
	for _, g := range who.Grants {
		if !g.Until.IsZero() && now.Before(g.Until) && (a.until.IsZero() || g.Until.Before(a.until)) {
			a.until = g.Until
		}
	}
	h.audiences[key] = a
	return a
}

// unitsOf lists whose units a subject sees, by NUL: an agency stands for all of its units, an owner as ownerOf writes it for the one unit that
// somebody rides with; every: all.
func (h *Hub) unitsOf(who access.Subject, now time.Time) string {
	if access.Can(who, access.ReadUnits, access.Object{Noun: nouns.NounUnit}, now).Allowed() {
		return every
	}
	var list []string
	for _, g := range who.Grants {
		if g.Agency == "" {
			continue
		}
		o := access.Object{Noun: nouns.NounUnit, Agencies: []string{g.Agency}}
		if access.Can(who, access.ReadUnits, o, now).Allowed() {
			list = append(list, g.Agency)
		} else if o.Unit = who.Unit; o.Unit != "" && access.Can(who, access.ReadUnits, o, now).Allowed() {
			list = append(list, ownerOf(g.Agency, o.Unit))
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), "\x00")
}

// release forgets an audience without clients.
func (h *Hub) release(a *audience) {
	if a == nil {
		return
	}
	if a.clients--; a.clients == 0 {
		delete(h.audiences, a.key)
	}
}

// shows gives a case as the audience may see it now, and at which level; false: not at all.
func (a *audience) shows(ch *change, now time.Time) (json.RawMessage, access.Level) {
	level := a.level(ch, now)
	return ch.at(level), level
}

func (a *audience) level(ch *change, now time.Time) access.Level {
	s := ch.seen(a.agencyOf)
	if s.junk {
		return access.None
	}
	level := access.Can(a.who, readOf(ch.noun), s.object, now).Level
	if ch.noun == wire.TypeDispatch && level < access.Facts && access.Can(a.who, access.ReadUnits, s.object, now).Allowed() {
		level = access.Facts // whoever sees units sees where they go and when they are due: a wall
	}
	if s.within != nil {
		level = min(level, access.Can(a.who, access.ReadIncidents, *s.within, now).Level)
	}
	return level
}

// readOf is the action of reading a noun.
func readOf(noun string) access.Action {
	switch noun {
	case wire.TypeIncident:
		return access.ReadIncidents
	case wire.TypeAlert:
		return access.ReadAlerts
	case wire.TypeReport:
		return access.ReadReports
	case wire.TypeAlarm:
		return access.ReadAlarms
	case wire.TypeCall:
		return access.TakeCalls
	case wire.TypeSuggestion, wire.TypeDispatch: // its note is people's own words: no wall shows that
		return access.ActIncidents
	case wire.TypePlan:
		return access.ReadPlans
	case wire.TypeUnit:
		return access.ReadUnits
	case wire.TypeStatement, wire.TypeStatus:
		return access.ReadStatus
	}
	return ""
}

// sight is what a case is to access, and what is left of it at the levels below Full; both are worked out once.
type sight struct {
	object access.Object
	within *access.Object // the incident without which it is not seen; nil: none
	junk   bool           // it cannot be read: it is nobody's, and says nothing of what was known before
	lesser [access.Full]json.RawMessage
	formed [access.Full]bool
}

func (ch *change) seen(agencyOf func(feed string) string) *sight {
	if ch.sight != nil {
		return ch.sight
	}
	s := &sight{object: access.Object{Noun: ch.noun}}
	s.junk = !s.take(ch, agencyOf)
	ch.sight = s
	return s
}

// take reads what a change is of; false: it cannot be read.
func (s *sight) take(ch *change, agencyOf func(feed string) string) bool {
	switch ch.noun {
	case wire.TypeIncident:
		return legible(ch, func(in *incident.Incident) (string, access.Object) { return in.ID, nouns.Incident(in) }, s)
	case wire.TypeReport:
		return legible(ch, func(r *report.Report) (string, access.Object) {
			return r.ID, nouns.Report(r, agenciesOf(r.Feed, agencyOf))
		}, s)
	case wire.TypeCall:
		return legible(ch, func(c *report.Call) (string, access.Object) { return c.ID, nouns.Call(c) }, s)
	case wire.TypeAlarm:
		return legible(ch, func(a *alarm.Alarm) (string, access.Object) {
			if o, words := nouns.CaseOf(a); words {
				s.within = &o
			}
			return a.ID, nouns.Alarm(a)
		}, s)
	case wire.TypeUnit:
		return legible(ch, func(u *unit.Unit) (string, access.Object) { return u.ID, nouns.Unit(u) }, s)
	case wire.TypeDispatch:
		return legible(ch, func(d *dispatch.Dispatch) (string, access.Object) { return d.ID, nouns.Dispatch(d) }, s)
	case wire.TypeSuggestion:
		return legible(ch, func(g *fusion.Suggestion) (string, access.Object) { return g.ID, nouns.Suggestion(g) }, s)
	case wire.TypeAlert:
		return legible(ch, func(a *alerts.Alert) (string, access.Object) { return a.ID, s.object }, s)
	case wire.TypePlan:
		return legible(ch, func(p *plan.Plan) (string, access.Object) { return p.ID, s.object }, s)
	case wire.TypeStatement:
		return legible(ch, func(o *statement.Statement) (string, access.Object) { return o.ID, s.object }, s)
	case wire.TypeStatus:
		return legible(ch, func(o *status.Status) (string, access.Object) { return o.ID, s.object }, s)
	}
	return ch.noun != ""
}

// legible reads the document of a change, which must be the one that the change names.
func legible[T any](ch *change, of func(*T) (id string, o access.Object), s *sight) bool {
	var doc T
	if json.Unmarshal(ch.doc, &doc) != nil {
		return false
	}
	id, object := of(&doc)
	if id == ch.id {
		s.object = object
	}
	return id == ch.id
}

func agenciesOf(feed string, agencyOf func(string) string) []string {
	if agencyOf != nil {
		if agency := agencyOf(feed); agency != "" {
			return []string{agency}
		}
	}
	return nil
}

// at gives what is left of a case at a level; nil: nothing.
func (ch *change) at(level access.Level) json.RawMessage {
	switch {
	case level >= access.Full:
		return ch.doc
	case level <= access.None:
		return nil
	}
	s := ch.sight // level has asked for it
	if !s.formed[level] {
		s.formed[level] = true
		s.lesser[level] = formAt(ch, level)
	}
	return s.lesser[level]
}

func formAt(ch *change, level access.Level) json.RawMessage {
	var v any
	var ok bool
	switch ch.noun {
	case wire.TypeIncident:
		var in incident.Incident
		if json.Unmarshal(ch.doc, &in) == nil {
			v, ok = nouns.IncidentAt(level, &in)
		}
	case wire.TypeAlarm:
		var a alarm.Alarm
		if json.Unmarshal(ch.doc, &a) == nil {
			v, ok = nouns.AlarmAt(level, &a)
		}
	case wire.TypeReport:
		var r report.Report
		if json.Unmarshal(ch.doc, &r) == nil {
			v, ok = nouns.ReportAt(level, &r)
		}
	case wire.TypeDispatch:
		var d dispatch.Dispatch
		if json.Unmarshal(ch.doc, &d) == nil {
			v, ok = nouns.DispatchAt(level, &d)
		}
	}
	if !ok { // all others are seen whole or not at all
		return nil
	}
	doc, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return doc
}

// lapse ends the connections of audiences whose grants have ended: they come back with what is left. Those of sessions that are over do not.
func (h *Hub) lapse(now time.Time) {
	for c := range h.clients {
		if !c.ends.IsZero() && !now.Before(c.ends) {
			h.end(c, wire.ClosePolicy, "the session is over")
		}
	}
	for _, a := range h.audiences {
		if a.until.IsZero() || now.Before(a.until) {
			continue
		}
		h.dismiss(a)
	}
}

// dismiss asks every client of an audience to come back: what it shows is more than it may see.
func (h *Hub) dismiss(a *audience) {
	for c := range h.clients {
		if c.audience == a {
			h.end(c, wire.CloseChanged, "your rights have changed")
		}
	}
}
