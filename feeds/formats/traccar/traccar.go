// Package traccar is Traccar: what its phone client sends (OsmAnd protocol as JSON), and what its server forwards, events and positions.
//
// A position is a unit position of the device's uniqueId; the client's speed comes in m/s, the server's in knots. An event is a
// reading of the property "event", an alarm one of "alarm", under the event's own id; both may lack a place. A position that
// the device itself calls not valid, or that repeats an older one, is passed over. Source: Traccar documentation, OsmAnd protocol
// and event forwarding.
package traccar

import (
	"encoding/json"
	"errors"
	"fmt"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a name, m/s, metres of accuracy, locations of one delivery.
const (
	maxName      = 200
	maxMps       = 500
	maxAccuracyM = 20_000_000
	maxLocations = 10_000
)

const knot = 1852.0 / 3600 // m/s

// Format reads Traccar's JSON. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("traccar", options)
}

// Decode reads one message of the client or of the server. Any other document is an error.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	if err := bounded.JSON(body, bounded.DefaultDepth); err != nil {
		return feeds.Batch{}, fmt.Errorf("traccar: %w", err)
	}
	m, err := fields.Read(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("traccar: the document is %w", err)
	}
	d := decoder{meta: meta}
	switch {
	case m.Has("location") && m.Has("device_id"):
		err = d.client(body, m)
	case m.Has("device") && (m.Has("event") || m.Has("position")):
		d.forwarded(m)
	default:
		err = errors.New("the document has neither location and device_id, as the client sends, nor device and event or position, as the server forwards")
	}
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("traccar: %w", err)
	}
	return d.batch, nil
}

type decoder struct {
	meta  feeds.Meta
	batch feeds.Batch
}

func (d *decoder) reject(i int, err error) {
	d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: err.Error()})
}

func (d *decoder) ignore(i int, reason string) {
	d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: i, Reason: reason})
}

// reading is a reading of a device, of kind "unit" where the feed says no other, as its positions are.
func (d *decoder) reading(i int, p feeds.UnitPosition, placed bool, property, unit string, v feeds.Value) feeds.Observation {
	o := feeds.Observation{Index: i, Thing: p.Unit, Name: p.Name, Property: property, Value: v, Unit: unit, At: p.At, Position: p.Position,
		Placed: placed, Quality: feeds.Good}
	if d.meta.Kind == "" {
		o.Kind = "unit"
	}
	return o
}

// client reads {"location":{...},"device_id":"..."}; several locations come as an array after a time without network.
func (d *decoder) client(body []byte, m *fields.Object) error {
	id := m.Label("device_id", maxName)
	if id == "" {
		m.Fail("device_id is missing")
	}
	var all []json.RawMessage
	if raw := m.Raw("location"); raw[0] == '[' {
		all = m.List("location")
	} else {
		all = []json.RawMessage{raw}
	}
	if len(all) > maxLocations {
		return fmt.Errorf("more than %d locations", maxLocations)
	}
	if err := m.Fault(); err != nil {
		d.reject(0, err)
		return nil
	}
	for i, raw := range all {
		d.location(i, id, raw)
	}
	return nil
}

func (d *decoder) location(i int, id string, raw json.RawMessage) {
	place := ""
	if i > 0 {
		place = fmt.Sprintf("location[%d]: ", i)
	}
	l, err := fields.Read(raw)
	if err != nil {
		d.reject(i, fmt.Errorf("%slocation is %w", place, err))
		return
	}
	coords := l.Object("coords")
	p := feeds.UnitPosition{Index: i, Unit: id, At: clientTime(l)}
	var placed bool
	if p.Position, placed = coords.Place("latitude", "longitude"); !placed {
		coords.Fail("coords: latitude and longitude are missing")
	}
	if v := coords.Between("speed", -1, maxMps); v != nil && *v >= 0 {
		p.SpeedMps = v
	}
	if v := coords.Between("heading", -1, 360); v != nil && *v >= 0 {
		p.Heading = v
	}
	if v := coords.Between("accuracy", -1, maxAccuracyM); v != nil && *v > 0 {
		p.AccuracyM = v
	}
	level := l.Object("battery").Between("level", -1, 1)
	if err := l.Fault(); err != nil {
		d.reject(i, fmt.Errorf("%s%w", place, err))
		return
	}
	d.batch.Positions = append(d.batch.Positions, p)
	if level != nil && *level >= 0 {
		d.batch.Observations = append(d.batch.Observations, d.reading(i, p, true, "battery", "%", feeds.Value{Num: *level * 100}))
	}
}

// clientTime reads timestamp, which is RFC 3339 or, by a setting of the client, milliseconds.
func clientTime(l *fields.Object) moment.Time {
	t := moment.Time{}
	if raw := l.Raw("timestamp"); len(raw) > 0 && raw[0] != '"' {
		t = l.Millis("timestamp")
	} else {
		t = l.Time("timestamp")
	}
	if t.IsZero() {
		l.Fail("timestamp is missing")
	}
	return t
}

// forwarded reads {"device":{...},"event":{...},"position":{...}} of which event or position may be absent.
func (d *decoder) forwarded(m *fields.Object) {
	device := m.Object("device")
	p := feeds.UnitPosition{Unit: device.Label("uniqueId", maxName), Name: device.Text("name", maxName)}
	if p.Unit == "" {
		device.Fail("device.uniqueId is missing")
	}
	event := m.Object("event")
	position, stale := d.position(m, &p)
	var heard *feeds.Observation
	if m.Has("event") {
		o := d.event(event, p, position != nil)
		heard = &o
	}
	if err := m.Fault(); err != nil {
		d.reject(0, err)
		return
	}
	if position != nil && stale == "" {
		d.batch.Positions = append(d.batch.Positions, *position)
		if v := battery(m); v != nil {
			d.batch.Observations = append(d.batch.Observations, d.reading(0, *position, true, "battery", "%", feeds.Value{Num: *v}))
		}
	}
	if heard != nil {
		d.batch.Observations = append(d.batch.Observations, *heard)
	}
	if len(d.batch.Observations)+len(d.batch.Positions) == 0 {
		d.ignore(0, stale)
	}
}

// position reads the server's position into p; nil where there is none, and why it is not to be taken.
func (d *decoder) position(m *fields.Object, p *feeds.UnitPosition) (_ *feeds.UnitPosition, stale string) {
	if !m.Has("position") {
		return nil, ""
	}
	in := m.Object("position")
	if in.Has("valid") && !in.Bool("valid") {
		return nil, "position: the device says that it is not valid"
	}
	if in.Bool("outdated") {
		return nil, "position: outdated, it repeats an older one"
	}
	var placed bool
	if p.Position, placed = in.Place("latitude", "longitude"); !placed {
		in.Fail("position: latitude and longitude are missing")
	}
	if p.At = in.Time("fixTime"); p.At.IsZero() {
		in.Fail("position.fixTime is missing")
	}
	if v := in.Between("speed", 0, maxMps/knot); v != nil {
		mps := *v * knot
		p.SpeedMps = &mps
	}
	p.Heading = in.Between("course", 0, 360)
	if v := in.Between("accuracy", 0, maxAccuracyM); v != nil && *v > 0 {
		p.AccuracyM = v
	}
	return p, ""
}

func battery(m *fields.Object) *float64 {
	return m.Object("position").Object("attributes").Between("batteryLevel", 0, 100)
}

// event gives the reading of an event: what happened, or which alarm, and the names that go with it.
func (d *decoder) event(e *fields.Object, p feeds.UnitPosition, placed bool) feeds.Observation {
	kind := e.Need("type", maxName)
	o := d.reading(0, p, placed, "event", "", feeds.Value{Type: feeds.Text, Text: kind})
	if alarm := e.Object("attributes").Text("alarm", maxName); kind == "alarm" && alarm != "" {
		o.Property, o.Value.Text = "alarm", alarm
	}
	if id := e.Label("id", maxName); id != "" && id != "0" {
		o.ID = "event " + id
	}
	if o.At = e.Time("eventTime"); o.At.IsZero() {
		e.Fail("event.eventTime is missing")
	}
	return o
}
