// Package chirpstack is events of ChirpStack v4, by its HTTP integration or its MQTT topics, as JSON.
//
// An uplink gives one reading for each field of its object; without a codec the raw payload is kept as the text "data" in base64.
// A status gives the device's battery and margin, a log entry is passed over as are joins and acknowledgements. The Thing is the
// device's EUI in lower case; a topic that names another device is a fault, for the broker knows who may publish there. All readings of an uplink have its deduplicationId as their id. The time is the earliest of the
// gateways', else the event's. A gateway's place is not the device's: these readings have none, the device register places them.
// Source: ChirpStack documentation, event types.
package chirpstack

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a name and of a text, decoded fields of one uplink and how deep they lie.
const (
	maxName   = 200
	maxText   = 1024
	maxFields = 200
	maxDepth  = 3 // objects in one another below object
)

// Format reads ChirpStack events. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("chirpstack", options)
}

// Decode reads one event. A document without deviceInfo and its devEui is an error.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	if err := bounded.JSON(body, bounded.DefaultDepth); err != nil {
		return feeds.Batch{}, fmt.Errorf("chirpstack: %w", err)
	}
	m, err := fields.Read(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("chirpstack: the document is %w", err)
	}
	if !m.Object("deviceInfo").Has("devEui") {
		return feeds.Batch{}, errors.New("chirpstack: the document has no deviceInfo with a devEui")
	}
	var list []feeds.Observation
	if found := topic.FindStringSubmatch(meta.Topic); found != nil {
		device := m.Object("deviceInfo")
		if said := device.Text("devEui", maxName); said != "" && !strings.EqualFold(said, found[1]) {
			device.Fail("deviceInfo.devEui %.40q is not the device %s of the topic", said, found[1])
		}
	}
	switch kind := event(m, meta.Topic); kind {
	case "up":
		if list = uplink(m); len(list) == 0 && m.Fault() == nil {
			return feeds.Batch{Ignored: []feeds.Refusal{{Reason: "an uplink without payload"}}}, nil
		}
	case "status":
		if list = status(m); len(list) == 0 && m.Fault() == nil {
			return feeds.Batch{Ignored: []feeds.Refusal{{Reason: "a status that knows neither battery nor margin"}}}, nil
		}
	default:
		return feeds.Batch{Ignored: []feeds.Refusal{{Reason: kind + ": no reading"}}}, nil
	}
	if err := m.Fault(); err != nil {
		return feeds.Batch{Rejected: []feeds.Refusal{{Reason: err.Error()}}}, nil
	}
	return feeds.Batch{Observations: list}, nil
}

var topic = regexp.MustCompile(`(?:^|/)device/([0-9A-Fa-f]{16})/event/([a-z]{1,20})$`)

// event tells the kind of the event: by the topic, and where the transport knows none by what the document holds.
func event(m *fields.Object, at string) string {
	if found := topic.FindStringSubmatch(at); found != nil {
		return found[2]
	}
	for _, sign := range []struct{ member, kind string }{
		{"rxInfo", "up"}, {"object", "up"}, {"fPort", "up"}, {"margin", "status"}, {"batteryLevel", "status"}, {"externalPowerSource", "status"},
		{"batteryLevelUnavailable", "status"}, {"acknowledged", "ack"}, {"downlinkId", "txack"}, {"level", "log"}, {"location", "location"},
		{"integrationName", "integration"}, {"devAddr", "join"},
	} {
		if m.Has(sign.member) {
			return sign.kind
		}
	}
	return "an event without a sign of its kind"
}

var eui = regexp.MustCompile(`^[0-9A-Fa-f]{16}$`)

// reading is what all readings of an event share.
func reading(m *fields.Object, at moment.Time) feeds.Observation {
	device := m.Object("deviceInfo")
	o := feeds.Observation{At: at, Thing: strings.ToLower(device.Need("devEui", maxName)), Name: device.Text("deviceName", maxName), Quality: feeds.Good}
	if o.Thing != "" && !eui.MatchString(o.Thing) {
		device.Fail("deviceInfo.devEui %.40q is not 16 hex digits", o.Thing)
	}
	if o.ID = m.Text("deduplicationId", maxName); o.ID == "" {
		if address := m.Text("devAddr", maxName); address != "" && m.Has("fCnt") {
			if v := m.Between("fCnt", 0, 1<<32); v != nil {
				o.ID = address + "/" + strconv.FormatFloat(*v, 'f', 0, 64)
			}
		}
	}
	return o
}

func uplink(m *fields.Object) []feeds.Observation {
	o := reading(m, when(m))
	var list []feeds.Observation
	for _, leaf := range m.Object("object").Leaves(maxDepth, maxFields, maxText) {
		o.Property, o.Value = leaf.Name, value(leaf)
		list = append(list, o)
	}
	if raw := m.Text("data", maxText); len(list) == 0 && raw != "" {
		o.Property, o.Value = "data", feeds.Value{Type: feeds.Text, Text: raw}
		list = append(list, o)
	}
	return list
}

func value(l fields.Leaf) feeds.Value {
	switch v := l.Value.(type) {
	case string:
		return feeds.Value{Type: feeds.Text, Text: v}
	case bool:
		if v {
			return feeds.Value{Type: feeds.Bool, Num: 1}
		}
		return feeds.Value{Type: feeds.Bool}
	case float64:
		return feeds.Value{Num: v}
	}
	return feeds.Value{}
}

// status reads what the device itself says of its battery (percent) and of the margin (dB) of the last downlink.
func status(m *fields.Object) []feeds.Observation {
	o := reading(m, eventTime(m))
	var list []feeds.Observation
	add := func(property, unit string, v *float64) {
		if v != nil {
			o.Property, o.Unit, o.Value = property, unit, feeds.Value{Num: *v}
			list = append(list, o)
		}
	}
	battery := m.Between("batteryLevel", 0, 100)
	if !m.Bool("externalPowerSource") && !m.Bool("batteryLevelUnavailable") {
		add("battery", "%", battery)
	}
	add("margin", "dB", m.Between("margin", -32, 31))
	return list
}

// when is the earliest time that a gateway gave ("gwTime", on older servers "time"), else the event's.
func when(m *fields.Object) moment.Time {
	var at moment.Time
	for _, g := range m.Objects("rxInfo") {
		for _, name := range []string{"gwTime", "time"} {
			if t := g.Time(name); !t.IsZero() && (at.IsZero() || t.Before(at.Time)) {
				at = t
			}
		}
	}
	if !at.IsZero() {
		return at
	}
	return eventTime(m)
}

func eventTime(m *fields.Object) moment.Time {
	at := m.Time("time")
	if at.IsZero() {
		m.Fail("time is missing")
	}
	return at
}
