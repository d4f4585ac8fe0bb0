package alarm

import (
	"slices"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// again is how long after it cleared an alarm is the same one where its source activates it anew; replacedFor how long an alert may wait for
// the version that it gave way to. forgetAfter is how long alarms that are over are remembered, shownFor those that were presented.
const (
	again       = time.Minute
	replacedFor = 10 * time.Second
	forgetAfter = 15 * time.Minute
	shownFor    = 24 * time.Hour
	alertsKept  = 8
)

// plane is the real alarms, or the simulated ones.
type plane struct {
	*Governor
	simulated  bool
	all        map[string]*entry            // standing, and not yet forgotten
	byAlert    map[string]*entry            //
	byKey      map[string]*entry            // the newest of each
	byIncident map[string]map[string]*entry // standing, by id
	byFeed     map[string]map[string]*entry
	replaced   map[string]*entry
	shelved    map[string]*entry
	held       map[string]*entry // by plans
	chatters   map[string]*entry // chattering sources
	merged     map[string]string // incident -> incident that it was merged into
	down       map[string]*entry // feed -> its alarm, nil where none of its sensors has ever raised one
	seen       map[string]bool   // feeds that have raised an alarm
	groups     map[groupKey]*group
	heads      map[string]*group // by id of the head
	floodRow   *entry
	tallies
	urgent announcer
	busy   sources
	minute time.Time // when the slow checks were made last
}

func newPlane(g *Governor, simulated bool) *plane {
	return &plane{Governor: g, simulated: simulated, all: map[string]*entry{}, byAlert: map[string]*entry{}, byKey: map[string]*entry{}, byIncident: map[string]map[string]*entry{},
		byFeed: map[string]map[string]*entry{}, replaced: map[string]*entry{}, shelved: map[string]*entry{}, held: map[string]*entry{}, chatters: map[string]*entry{},
		merged: map[string]string{}, down: map[string]*entry{}, seen: map[string]bool{}, groups: map[groupKey]*group{}, heads: map[string]*group{}, tallies: newTallies(), busy: sources{},
		urgent: announcer{sounds: map[string]*entry{}, waiting: map[string]*entry{}}}
}

// Alert takes over a change of an alert.
func (g *Governor) Alert(a *alerts.Alert, now time.Time) { g.plane(a.Simulated).alert(a, now) }

func (p *plane) alert(a *alerts.Alert, now time.Time) {
	e := p.byAlert[a.ID]
	if !Asks(a) {
		switch {
		case e == nil || e.Alert != a.ID || !e.Active:
		case a.State == alerts.Updated:
			e.own.Replaced = now.UnixMilli()
			p.replaced[e.ID] = e
			p.mark(e, now)
		default:
			p.clear(e, now)
		}
		return
	}
	if e != nil {
		switch {
		case e.Alert != a.ID: // it has come by a later alert since
		case e.Active:
			p.revise(e, a, now)
		default: // its source lists it again
			p.activate(e, a, now)
		}
		return
	}
	for _, id := range a.Supersedes {
		if was := p.byAlert[id]; was != nil && was.Active {
			p.carry(was, a, now)
			return
		}
	}
	if was := p.byKey[keyOf(a)]; was != nil && (was.Stands() || now.Sub(was.ClearedAt.Time) < again) {
		p.activate(was, a, now)
		return
	}
	p.raised(p.ofAlert(a, now), now)
}

// sourceOf is what activates an alarm, as it is counted and shown; keyOf is the narrower name by which it is the same alarm again: an
// agency's alerts are one each.
func sourceOf(a *alerts.Alert) string {
	switch {
	case a.Rule != "" && a.Thing != "":
		return "rule:" + a.Rule + "/" + a.Thing
	case a.Rule != "" && len(a.Keys) > 0:
		return "rule:" + a.Rule + "/" + a.Keys[0]
	case a.Rule != "":
		return "rule:" + a.Rule + "/" + a.Area.Properties.Name
	case len(a.Sources) > 0:
		return "feed:" + a.Sources[0]
	}
	return "sender:" + a.Sender
}

func keyOf(a *alerts.Alert) string {
	if a.Rule != "" {
		return sourceOf(a)
	}
	return "alert:" + a.ID
}

// ofAlert makes the alarm of an alert.
func (p *plane) ofAlert(a *alerts.Alert, now time.Time) *entry {
	e := p.entry(alerts.ID(now, "alarm\x00"+a.ID), keyOf(a), now)
	e.Source, e.Rule, e.Thing = sourceOf(a), a.Rule, a.Thing
	if len(a.Sources) > 0 {
		e.Feed = a.Sources[0]
	}
	p.describe(e, a)
	p.named(e, a.ID)
	return e
}

// entry makes an alarm that is raised now.
func (p *plane) entry(id, key string, now time.Time) *entry {
	at := moment.Of(now)
	return &entry{plane: p, fresh: true, own: Own{Key: key}, Alarm: Alarm{ID: id, Version: 1, State: Raised, Active: true, Members: 1, Count: 1, RaisedAt: at, LastAt: at, UpdatedAt: at, Simulated: p.simulated}}
}

// describe takes over an alert's words, place and severity; the rule's definition says how soon somebody must act.
func (p *plane) describe(e *entry, a *alerts.Alert) {
	d := Definition{}
	if a.Rule != "" {
		d = p.define(a.Rule)
	}
	e.Event, e.Severity, e.Response = a.Event, a.Severity, d.Response
	e.Type = d.Type
	if e.Type == "" && a.Quake != nil {
		e.Type = "eq"
	}
	e.Priority = p.config.PriorityOf(a.Severity, d.ActWithin)
	if d.ActWithin > 0 && e.ActBy.IsZero() {
		e.ActBy = moment.Of(e.RaisedAt.Add(d.ActWithin))
	}
	at, placed := placeOf(a)
	if placed {
		e.place(at)
	}
	e.AreaName = a.Area.Properties.Name
	if a.Rule != "" { // its area is called by the name of the Thing
		e.AreaName = ""
		if placed {
			e.AreaName = p.area(at)
		}
		if e.ThingName = a.Area.Properties.Name; e.ThingName == e.AreaName {
			e.ThingName = ""
		}
	}
	p.belongs(e, a.Incident)
}

func (e *entry) place(at geo.Position) {
	cell, err := geo.CellAt(at, geo.ResMatch)
	if err != nil {
		return
	}
	e.Location, e.Cell = &incident.Location{Lng: at.Lng, Lat: at.Lat}, cell
}

// placeOf is where an alert is: its point, its epicentre, else the middle of the box around its area.
func placeOf(a *alerts.Alert) (geo.Position, bool) {
	switch s := a.Area.Geometry; {
	case a.Quake != nil:
		return geo.Position{Lat: a.Quake.Lat, Lng: a.Quake.Lng}, true
	case s.IsZero():
		return geo.Position{}, false
	case len(s.Points) == 1 && len(s.Lines)+len(s.Polygons) == 0:
		return s.Points[0], true
	default:
		b := s.Bound()
		return geo.Position{Lat: (b.South + b.North) / 2, Lng: (b.West + b.East) / 2}, true
	}
}

// belongs notes the incident of an alarm.
func (p *plane) belongs(e *entry, incident string) {
	if e.Incident == incident {
		return
	}
	p.drop(p.byIncident, e.Incident, e)
	e.Incident = incident
	if e.Stands() && p.all[e.ID] == e {
		p.keep(p.byIncident, incident, e)
	}
}

func (p *plane) keep(in map[string]map[string]*entry, name string, e *entry) {
	if name == "" {
		return
	}
	if in[name] == nil {
		in[name] = map[string]*entry{}
	}
	in[name][e.ID] = e
}

func (p *plane) drop(in map[string]map[string]*entry, name string, e *entry) {
	if delete(in[name], e.ID); len(in[name]) == 0 {
		delete(in, name)
	}
}

// named notes an alert that has activated an alarm.
func (p *plane) named(e *entry, alert string) {
	e.Alert = alert
	p.byAlert[alert] = e
	if e.own.Alerts = append(e.own.Alerts, alert); len(e.own.Alerts) > alertsKept {
		delete(p.byAlert, e.own.Alerts[0])
		e.own.Alerts = slices.Delete(e.own.Alerts, 0, 1)
	}
}

// adopt takes an alarm into memory.
func (p *plane) adopt(e *entry) {
	p.all[e.ID] = e
	for _, id := range e.own.Alerts {
		p.byAlert[id] = e
	}
	if was := p.byKey[e.own.Key]; e.own.Key != "" && (was == nil || !e.RaisedAt.Before(was.RaisedAt.Time)) {
		p.byKey[e.own.Key] = e
	}
	if e.Feed != "" {
		p.seen[e.Feed] = true
	}
	if e.Stands() {
		p.keep(p.byIncident, e.Incident, e)
		p.keep(p.byFeed, e.Feed, e)
	}
}

// raised takes in a new alarm.
func (p *plane) raised(e *entry, now time.Time) {
	p.adopt(e)
	p.count(e, now)
	p.mark(e, now)
	p.evaluate(e, now)
}

// count notes an activation.
func (p *plane) count(e *entry, now time.Time) {
	if e.own.Acts = append(e.own.Acts, now.UnixMilli()); len(e.own.Acts) > p.config.Chatter {
		e.own.Acts = slices.Delete(e.own.Acts, 0, 1)
	}
	if e.Code == "" {
		source, event := e.counted()
		p.busy.note(source, event, now)
	}
}

// activate is another activation of an alarm that stands, or stood a moment ago: it keeps what somebody has said of it.
func (p *plane) activate(e *entry, a *alerts.Alert, now time.Time) {
	e.Count++
	e.LastAt, e.Active, e.own.Replaced = moment.Of(now), true, 0
	delete(p.replaced, e.ID)
	was := e.Priority
	p.named(e, a.ID)
	p.describe(e, a)
	p.count(e, now)
	if e.State == Cleared { // else it is shelved or suppressed, and stays so
		e.State, e.Latched, e.ClearedAt = Raised, false, moment.Time{}
		if e.Ack != nil {
			e.State = Acknowledged
		}
		e.Version++
	}
	p.keep(p.byIncident, e.Incident, e)
	p.keep(p.byFeed, e.Feed, e)
	if p.chattering(e, now) {
		p.chatter(e, now)
	}
	p.worsened(e, was, now)
	p.moved(e)
	if g := e.group; g != nil && g.head != nil && g.head != e {
		g.count++
	}
	p.mark(e, now)
	p.evaluate(e, now)
}

// carry lets a later version of an alert go on with its alarm.
func (p *plane) carry(e *entry, a *alerts.Alert, now time.Time) {
	e.own.Replaced = 0
	delete(p.replaced, e.ID)
	p.named(e, a.ID)
	p.revise(e, a, now)
}

// revise takes over what has changed of the alert.
func (p *plane) revise(e *entry, a *alerts.Alert, now time.Time) {
	if e.own.Replaced != 0 {
		e.own.Replaced = 0
		delete(p.replaced, e.ID)
		p.mark(e, now)
	}
	before, was := e.Alarm, e.Priority
	p.describe(e, a)
	if e.Event == before.Event && e.Severity == before.Severity && e.AreaName == before.AreaName && e.ThingName == before.ThingName && e.Cell == before.Cell && e.Incident == before.Incident && e.Priority == was {
		return
	}
	p.worsened(e, was, now)
	p.moved(e)
	p.mark(e, now)
	p.evaluate(e, now)
}

// worsened lets an alarm that is more urgent than it was be presented anew, and ask for another acknowledgement.
func (p *plane) worsened(e *entry, was Priority, now time.Time) {
	if !e.Priority.before(was) {
		return
	}
	p.leave(e)
	e.Version++
	e.Ack, e.Presented, e.Announced, e.AnnounceAt = nil, false, "", moment.Time{}
	if e.State == Acknowledged {
		e.State = Raised
	}
}

// moved takes an alarm that has another place or type out of a group that waits for those of before; one that is presented keeps it.
func (p *plane) moved(e *entry) {
	if g := e.group; g != nil && g.head == nil && p.groupOf(e) != g.key {
		p.leave(e)
	}
}

// clear ends the condition of an alarm. What threatens life and nobody has acknowledged is latched: it stays until somebody does.
func (p *plane) clear(e *entry, now time.Time) {
	if !e.Active {
		return
	}
	delete(p.replaced, e.ID)
	delete(p.shelved, e.ID)
	delete(p.held, e.ID)
	e.Active, e.own.Replaced, e.ClearedAt, e.Standing = false, 0, moment.Of(now), false
	e.Latched = e.Severity == cap.Extreme && e.Ack == nil && e.State == Raised && e.Presented
	e.State, e.Shelf, e.Suppress = Cleared, nil, nil
	e.Version++
	if !e.Latched {
		p.over(e, now)
	}
	p.mark(e, now)
}

// over takes an alarm that is over out of the queue, and lets those come forward that it stood for.
func (p *plane) over(e *entry, now time.Time) {
	e.Presented, e.Sound = false, false
	p.leave(e)
	p.drop(p.byIncident, e.Incident, e)
	p.drop(p.byFeed, e.Feed, e)
	delete(p.urgent.waiting, e.ID)
	p.release(suppressedBy("incident", e.Incident), now)
}
