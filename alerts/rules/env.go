package rules

import (
	"fmt"
	"time"

	"cel.dev/cel-go/cel"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
)

// thingVars and areaVars are what every condition over readings sees. Each name is declared by itself, so that a misspelt field is an error
// of the check.
func thingVars() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable("obs.property", cel.StringType),
		cel.Variable("obs.value", cel.DynType),
		cel.Variable("obs.unit", cel.StringType),
		cel.Variable("obs.at", cel.TimestampType),
		cel.Variable("thing.id", cel.StringType),
		cel.Variable("thing.kind", cel.StringType),
		cel.Variable("thing.feed", cel.StringType),
		cel.Variable("thing.name", cel.StringType),
		cel.Variable("thing.state", cel.MapType(cel.StringType, cel.DynType)),
	}
}

func areaVars() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable("area.code", cel.StringType),
		cel.Variable("area.name", cel.StringType),
		cel.Variable("area.kind", cel.StringType),
		cel.Variable("area.ours", cel.BoolType),
	}
}

func alertVars() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable("alert.event", cel.StringType),
		cel.Variable("alert.headline", cel.StringType),
		cel.Variable("alert.severity", cel.StringType),
		cel.Variable("alert.urgency", cel.StringType),
		cel.Variable("alert.certainty", cel.StringType),
		cel.Variable("alert.category", cel.StringType),
		cel.Variable("alert.sender", cel.StringType),
		cel.Variable("alert.relevant", cel.BoolType),
		cel.Variable("alert.parameters", cel.MapType(cel.StringType, cel.StringType)),
	}
}

func reportVars() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable("report.type", cel.StringType),
		cel.Variable("report.code", cel.StringType),
		cel.Variable("report.channel", cel.StringType),
		cel.Variable("report.text", cel.StringType),
		cel.Variable("report.feed", cel.StringType),
	}
}

// environments are the sets of names that the kinds of rules see.
type environments struct{ reading, rate, alert, report *cel.Env }

func newEnvironments() (environments, error) {
	var out environments
	for _, x := range []struct {
		to   **cel.Env
		vars [][]cel.EnvOption
	}{
		{&out.reading, [][]cel.EnvOption{thingVars(), areaVars()}},
		{&out.rate, [][]cel.EnvOption{thingVars(), areaVars(), {cel.Variable("obs.rate", cel.DoubleType)}}},
		{&out.alert, [][]cel.EnvOption{alertVars(), areaVars()}},
		{&out.report, [][]cel.EnvOption{reportVars(), areaVars()}},
	} {
		var all []cel.EnvOption
		for _, v := range x.vars {
			all = append(all, v...)
		}
		env, err := newEnv(all...)
		if err != nil {
			return out, err
		}
		*x.to = env
	}
	return out, nil
}

// of gives what the conditions of a rule see.
func (e environments) of(r *Rule) *cel.Env {
	switch r.Kind() {
	case KindRegrade:
		return e.alert
	case KindRate:
		return e.rate
	case KindCount:
		switch r.Count.Of {
		case CountAlerts:
			return e.alert
		case CountReports:
			return e.report
		}
	}
	return e.reading
}

// view is one observation and its Thing as a condition sees them; it makes nothing that the condition does not ask for.
type view struct {
	thing  *feeds.Thing
	obs    *feeds.Observation
	rate   float64
	rated  bool // rate is known
	places Places
	state  map[string]any
	ground ground

	instrument *instrument // nil: not known
}

// ground is the area in which something is, looked up once.
type ground struct {
	known            bool
	code, name, kind string
	ours             bool
}

func (g *ground) at(places Places, p geo.Position, placed bool) *ground {
	if g.known {
		return g
	}
	*g = ground{known: true, ours: places == nil}
	if placed && places != nil {
		g.code, g.name, g.kind, g.ours = places.AreaOf(p)
	}
	return g
}

func (g *ground) resolve(name string) (any, bool) {
	switch name {
	case "area.code":
		return g.code, true
	case "area.name":
		return g.name, true
	case "area.kind":
		return g.kind, true
	case "area.ours":
		return g.ours, true
	}
	return nil, false
}

func (v *view) area() *ground {
	p, placed := v.position()
	return v.ground.at(v.places, p, placed)
}

// position is where the reading was made: its own, else the Thing's.
func (v *view) position() (geo.Position, bool) {
	if v.obs.Placed {
		return v.obs.Position, true
	}
	return v.thing.Position, v.thing.Placed
}

// ResolveName gives a variable's value (cel.Activation).
func (v *view) ResolveName(name string) (any, bool) {
	switch name {
	case "obs.property":
		return v.obs.Property, true
	case "obs.value":
		return v.obs.Value.Any(), true
	case "obs.unit":
		return v.obs.Unit, true
	case "obs.at":
		return v.obs.At.Time, true
	case "obs.rate":
		return v.rate, v.rated
	case "thing.id":
		return v.thing.ID, true
	case "thing.kind":
		return v.thing.Kind, true
	case "thing.feed":
		return v.thing.Feed, true
	case "thing.name":
		return v.thing.Name, true
	case "thing.state":
		if v.state == nil {
			v.state = make(map[string]any, len(v.thing.State))
			for k, r := range v.thing.State {
				v.state[k] = r.Value.Any()
			}
		}
		return v.state, true
	}
	return v.area().resolve(name)
}

// Parent is none (cel.Activation).
func (v *view) Parent() cel.Activation { return nil }

// alertView is an alert as a condition sees it.
type alertView struct {
	alert  *alerts.Alert
	places Places
	ground ground
}

// ResolveName gives a variable's value (cel.Activation).
func (v *alertView) ResolveName(name string) (any, bool) {
	a := v.alert
	switch name {
	case "alert.event":
		return a.Event, true
	case "alert.headline":
		return a.Headline, true
	case "alert.severity":
		return string(a.Severity), true
	case "alert.urgency":
		return a.Urgency, true
	case "alert.certainty":
		return a.Certainty, true
	case "alert.category":
		return a.Category, true
	case "alert.sender":
		return a.Sender, true
	case "alert.relevant":
		return a.Relevant, true
	case "alert.parameters":
		if a.Parameters == nil {
			return map[string]string{}, true
		}
		return a.Parameters, true
	}
	p, placed := middleOf(a)
	return v.ground.at(v.places, p, placed).resolve(name)
}

// Parent is none (cel.Activation).
func (v *alertView) Parent() cel.Activation { return nil }

// middleOf is where an alert is: its epicentre, its point, or the middle of its area's bound.
func middleOf(a *alerts.Alert) (geo.Position, bool) {
	switch g := a.Area.Geometry; {
	case a.Quake != nil:
		return geo.Position{Lng: a.Quake.Lng, Lat: a.Quake.Lat}, true
	case len(g.Points) > 0:
		return g.Points[0], true
	case !g.IsZero():
		b := g.Bound()
		return geo.Position{Lng: (b.West + b.East) / 2, Lat: (b.South + b.North) / 2}, true
	}
	return geo.Position{}, false
}

// reportView is a report as a condition sees it.
type reportView struct {
	report *report.Report
	places Places
	ground ground
}

// ResolveName gives a variable's value (cel.Activation).
func (v *reportView) ResolveName(name string) (any, bool) {
	switch name {
	case "report.type":
		return v.report.Type, true
	case "report.code":
		return v.report.Code, true
	case "report.channel":
		return v.report.Channel, true
	case "report.text":
		return v.report.Text, true
	case "report.feed":
		return v.report.Feed, true
	}
	p, placed := placeOf(v.report)
	return v.ground.at(v.places, p, placed).resolve(name)
}

// Parent is none (cel.Activation).
func (v *reportView) Parent() cel.Activation { return nil }

func placeOf(r *report.Report) (geo.Position, bool) {
	if r.Lng == nil || r.Lat == nil {
		return geo.Position{}, false
	}
	return geo.Position{Lng: *r.Lng, Lat: *r.Lat}, true
}

// input writes a reading down as evidence.
func inputOf(thing string, property string, v feeds.Value, unit string, at int64) incident.Input {
	return incident.Input{Thing: thing, Property: property, Value: v.Any(), Unit: unit, At: momentOf(at)}
}

// eventTime is the reading's own time, else when it came.
func eventTime(o *feeds.Observation, now time.Time) int64 {
	switch {
	case !o.At.IsZero():
		return o.At.Milli()
	case !o.ReceivedAt.IsZero():
		return o.ReceivedAt.Milli()
	}
	return now.UnixMilli()
}

func errRule(id string, n int) string {
	if id == "" {
		return fmt.Sprintf("rule %d of the list", n+1)
	}
	return fmt.Sprintf("rule %q", id)
}
