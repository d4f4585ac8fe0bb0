package sensorthings

import (
	"encoding/json"
	"fmt"
	"strings"

	"kentongan/feeds/fields"
	"kentongan/geo"
)

// stream is what is known around a reading: its Datastream and its Thing.
type stream struct {
	id, name, property, unit string // of the Datastream
	thing, thingName         string
	position                 geo.Position
	placed                   bool
	fault                    error // a place that lies nowhere
}

// of reads a Thing. One that has no id yet goes by its name.
func (s *stream) of(o *fields.Object) {
	if s.thing = o.Label("@iot.id", maxName); s.thing == "" {
		s.thing = o.Text("name", maxName)
	}
	s.thingName = o.Text("name", maxName)
	if places := o.Objects("Locations"); len(places) > 0 {
		s.at(places[0].Raw("location"))
	}
}

// stream reads a Datastream and what is expanded in it.
func (s *stream) stream(o *fields.Object) {
	if id := o.Label("@iot.id", maxName); id != "" {
		s.id = id
	}
	s.name = o.Text("name", maxName)
	s.property = o.Object("ObservedProperty").Text("name", maxName)
	if o.Has("unitOfMeasurement") {
		u := o.Object("unitOfMeasurement")
		s.unit = unit(u.Text("definition", maxText), u.Text("symbol", maxName), u.Text("name", maxName))
	}
	if o.Has("Thing") {
		s.of(o.Object("Thing"))
	}
	if !s.placed && o.Has("observedArea") {
		s.at(o.Raw("observedArea"))
	}
	if f := o.Object("FeatureOfInterest"); f.Has("feature") {
		s.at(f.Raw("feature"))
	}
}

// at takes a GeoJSON Point, or a Feature of one; any other shape is no place of a reading.
func (s *stream) at(raw json.RawMessage) {
	var form struct {
		Type     string          `json:"type"`
		Geometry json.RawMessage `json:"geometry"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &form) != nil {
		return
	}
	if form.Type == "Feature" {
		raw = form.Geometry
		form.Type = "Point"
	}
	if form.Type != "Point" {
		return
	}
	var shape geo.Shape
	if err := json.Unmarshal(raw, &shape); err != nil {
		s.fault = fmt.Errorf("location: %w", err)
		return
	}
	if len(shape.Points) != 1 {
		return
	}
	p := shape.Points[0]
	if err := fields.Position(p); err != nil {
		s.fault = fmt.Errorf("location: %w", err)
		return
	}
	s.position, s.placed, s.fault = p, true, nil
}

// names gives the Thing, its name and the property; a Datastream stands for a Thing that was not told.
func (s *stream) names() (thing, name, property string) {
	thing, name, property = s.thing, s.thingName, s.property
	if thing == "" {
		thing, name = "Datastreams("+s.id+")", s.name
	}
	if property == "" {
		property = s.name
	}
	if property == "" {
		property = "result"
	}
	return thing, name, property
}

// ucum are symbols that producers write, as UCUM writes them.
var ucum = map[string]string{"°C": "Cel", "degC": "Cel", "℃": "Cel", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "ug/m³": "ug/m3", "m³/s": "m3/s", "°": "deg", "m²": "m2", "m³": "m3"}

// unit gives UCUM where the definition says it, else the symbol. "C" is a coulomb unless its name says otherwise.
func unit(definition, symbol, name string) string {
	if code, ok := strings.CutPrefix(definition, "ucum:"); ok && code != "" && len(code) <= maxName {
		return code
	}
	if u, ok := ucum[symbol]; ok {
		return u
	}
	if symbol == "C" && (strings.Contains(strings.ToLower(name), "celsius") || strings.Contains(strings.ToLower(name), "centigrade")) {
		return "Cel"
	}
	return symbol
}
