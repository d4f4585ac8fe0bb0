package alarm

import (
	"kentongan/alerts/incident"
	"kentongan/geo"
)

// sourcePerson is the source of an alarm of an incident that a person opened.
const sourcePerson = "person"

// Personal tells an alarm whose event is the title of an incident that a person opened: somebody's own words, about somebody's own place.
func (a *Alarm) Personal() bool { return a.Source == sourcePerson }

// Restricted tells an alarm that is for named people only: of a restricted type, or of one that this server does not know, for a newer server
// may have opened its incident.
func (a *Alarm) Restricted() bool {
	t, ok := incident.TypeOf(a.Type)
	return a.Type != "" && (!ok || t.Restricted)
}

// called is what an alarm is called where others stand for it, which more people see than itself: nobody's own words.
func (a *Alarm) called() string {
	if a.Personal() {
		return incident.TypeName(a.Type)
	}
	return a.Event
}

// worst names an alarm in one that stands for it.
func (a *Alarm) worst() *Worst {
	return &Worst{Alarm: a.ID, Priority: a.Priority, Severity: a.Severity, Event: a.called(), AreaName: a.AreaName}
}

// counted is the source and event under which an alarm's activations are shown; empty: they are counted, and nobody is told whose they are.
func (a *Alarm) counted() (source, event string) {
	if a.Restricted() {
		return "", ""
	}
	return a.Source, a.called()
}

// Facts is an alarm without people's own words and without who they are: what a wall, a program that only reads, and whoever sees less than
// the whole of a person's incident gets. Every field is named here.
func (a *Alarm) Facts() Alarm {
	out := Alarm{
		ID: a.ID, Version: a.Version, State: a.State, Priority: a.Priority, Alert: a.Alert, Incident: a.Incident, Source: a.Source, Rule: a.Rule, Thing: a.Thing, ThingName: a.ThingName,
		Feed: a.Feed, Event: a.called(), Names: a.Names, Type: a.Type, Severity: a.Severity, Location: a.Location, Cell: a.Cell, AreaName: a.AreaName, Desk: a.Desk, RaisedAt: a.RaisedAt,
		UpdatedAt: a.UpdatedAt, ActBy: a.ActBy, Response: a.Response, Presented: a.Presented, Withheld: a.Withheld, PresentAt: a.PresentAt, Group: a.Group, Code: a.Code, Worst: a.Worst,
		Announced: a.Announced, AnnounceAt: a.AnnounceAt, Active: a.Active, LastAt: a.LastAt, Members: a.Members, Count: a.Count, FirstOut: a.FirstOut, Sound: a.Sound, Latched: a.Latched,
		Chattering: a.Chattering, Standing: a.Standing, ClearedAt: a.ClearedAt, Suppress: a.Suppress, Simulated: a.Simulated,
		Painted: a.Painted.facts(), Seen: a.Seen.facts(), Climbed: a.Climbed,
	}
	if a.Ack != nil {
		out.Ack = &Ack{At: a.Ack.At, By: incident.Redacted(a.Ack.By), Desk: a.Ack.Desk}
	}
	if a.Shelf != nil {
		out.Shelf = &Shelf{At: a.Shelf.At, Until: a.Shelf.Until, By: incident.Redacted(a.Shelf.By), Desk: a.Shelf.Desk}
	}
	if a.Personal() && a.Cell != 0 {
		out.Cell = a.Cell.Parent(geo.ResFrame)
		at := out.Cell.Center()
		out.Location = &incident.Location{Lng: at.Lng, Lat: at.Lat}
	} else if a.Personal() {
		out.Location = nil
	}
	return out
}
