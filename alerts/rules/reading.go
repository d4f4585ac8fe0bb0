package rules

import (
	"cel.dev/cel-go/cel"

	"kentongan/alerts/incident"
	"kentongan/feeds"
)

// reading is one observation and its Thing as a condition sees them; it makes nothing that the condition does not ask for.
type reading struct {
	thing *feeds.Thing
	obs   *feeds.Observation
	state map[string]any
}

// ResolveName gives a variable's value (cel.Activation).
func (r *reading) ResolveName(name string) (any, bool) {
	switch name {
	case "obs.property":
		return r.obs.Property, true
	case "obs.value":
		return r.obs.Value.Any(), true
	case "obs.unit":
		return r.obs.Unit, true
	case "obs.at":
		return r.obs.At.Time, true
	case "thing.id":
		return r.thing.ID, true
	case "thing.kind":
		return r.thing.Kind, true
	case "thing.feed":
		return r.thing.Feed, true
	case "thing.name":
		return r.thing.Name, true
	case "thing.state":
		if r.state == nil {
			r.state = make(map[string]any, len(r.thing.State))
			for k, v := range r.thing.State {
				r.state[k] = v.Value.Any()
			}
		}
		return r.state, true
	}
	return nil, false
}

// Parent is none (cel.Activation).
func (r *reading) Parent() cel.Activation { return nil }

func (r *reading) input() incident.Input {
	return incident.Input{Thing: r.thing.ID, Property: r.obs.Property, Value: r.obs.Value.Any(), Unit: r.obs.Unit, At: r.obs.At}
}
