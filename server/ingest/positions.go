package ingest

import (
	"strconv"

	"kentongan/feeds"
)

// ofPositions turns positions of vehicles and crews into readings of Things: speed in m/s, heading in degrees clockwise from north,
// accuracy in metres; a position that says none of them is a reading of its own, so that history has it.
func ofPositions(list []feeds.UnitPosition, m *feeds.Meta) []feeds.Observation {
	out := make([]feeds.Observation, 0, 2*len(list))
	for i := range list {
		u := &list[i]
		o := feeds.Observation{Index: u.Index, Thing: u.Unit, At: u.At, Position: u.Position, Placed: true, Kind: u.Kind, Name: u.Name}
		if o.Kind == "" && m.Kind == "" {
			o.Kind = "unit"
		}
		before := len(out)
		for _, v := range []struct {
			property, unit string
			value          *float64
		}{{"speed", "m/s", u.SpeedMps}, {"heading", "deg", u.Heading}, {"accuracy", "m", u.AccuracyM}} {
			if v.value != nil {
				o.Property, o.Unit, o.Value = v.property, v.unit, feeds.Value{Num: *v.value}
				out = append(out, o)
			}
		}
		if len(out) == before {
			text := strconv.FormatFloat(u.Position.Lat, 'f', 6, 64) + "," + strconv.FormatFloat(u.Position.Lng, 'f', 6, 64)
			o.Property, o.Unit, o.Value = "position", "", feeds.Value{Type: feeds.Text, Text: text}
			out = append(out, o)
		}
	}
	return out
}
