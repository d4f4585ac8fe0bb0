// Package ttn is uplinks of The Things Stack v3 (The Things Network), by its webhooks or its MQTT server.
//
// Each decoded field gives one reading; without a decoder the raw payload is kept as the text "frm_payload" in base64. The Thing is
// the device's EUI in lower case, so that it stays the same behind another network server; a topic that names another device is a fault,
// for the broker knows who may publish there. All readings of an uplink have the id
// session/counter: the counter starts again with each join. The time is the earliest of the gateways', else the network's. The
// place is the device's own (locations frm-payload or user), never a gateway's. Source: lorawan-stack-docs, data formats.
package ttn

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a name and of a text, decoded fields of one uplink and how deep they lie.
const (
	maxName   = 200
	maxText   = 1024
	maxFields = 200
	maxDepth  = 3 // objects in one another below decoded_payload
)

// Format reads messages of The Things Stack. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("ttn", options)
}

// others are the messages that carry no reading.
var others = []string{"join_accept", "downlink_ack", "downlink_nack", "downlink_sent", "downlink_failed", "downlink_queued", "downlink_queue_invalidated",
	"location_solved", "service_data"}

// Decode reads one message. A document without end_device_ids and a message of the stack is an error.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	if err := bounded.JSON(body, bounded.DefaultDepth); err != nil {
		return feeds.Batch{}, fmt.Errorf("ttn: %w", err)
	}
	m, err := fields.Read(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("ttn: the document is %w", err)
	}
	if !m.Has("end_device_ids") {
		return feeds.Batch{}, errors.New("ttn: the document has no end_device_ids")
	}
	for _, name := range others {
		if m.Has(name) {
			return feeds.Batch{Ignored: []feeds.Refusal{{Reason: name + ": no reading"}}}, nil
		}
	}
	if !m.Has("uplink_message") {
		return feeds.Batch{}, errors.New("ttn: the document has no uplink_message nor another message that we know")
	}
	if m.Bool("simulated") && m.Fault() == nil {
		return feeds.Batch{Ignored: []feeds.Refusal{{Reason: "an uplink that somebody simulated in the console"}}}, nil
	}
	if found := topic.FindStringSubmatch(meta.Topic); found != nil {
		ids := m.Object("end_device_ids")
		if said := ids.Text("device_id", maxName); said != "" && said != found[1] {
			ids.Fail("end_device_ids.device_id %.40q is not the device %.40q of the topic", said, found[1])
		}
	}
	list := uplink(m)
	if err := m.Fault(); err != nil {
		return feeds.Batch{Rejected: []feeds.Refusal{{Reason: err.Error()}}}, nil
	}
	if len(list) == 0 {
		return feeds.Batch{Ignored: []feeds.Refusal{{Reason: "an uplink without payload"}}}, nil
	}
	return feeds.Batch{Observations: list}, nil
}

var topic = regexp.MustCompile(`(?:^|/)v3/[^/]+/devices/([^/]+)/up(?:/normalized)?$`)

var eui = regexp.MustCompile(`^[0-9A-Fa-f]{16}$`)

// device gives the id and the name of the end device.
func device(m *fields.Object) (id, name string) {
	ids := m.Object("end_device_ids")
	name = ids.Need("device_id", maxName)
	if id = strings.ToLower(ids.Text("dev_eui", maxName)); id == "" {
		// Activated by personalisation, some have none; device ids are unique within their application.
		return ids.Object("application_ids").Need("application_id", maxName) + "/" + name, name
	}
	if !eui.MatchString(id) {
		ids.Fail("end_device_ids.dev_eui %.40q is not 16 hex digits", id)
	}
	return id, name
}

func uplink(m *fields.Object) []feeds.Observation {
	up := m.Object("uplink_message")
	o := feeds.Observation{At: when(m, up), Quality: feeds.Good}
	o.Thing, o.Name = device(m)
	o.Position, o.Placed = place(up)
	// What is 0 or empty is left out: no f_cnt is the first uplink of a session.
	count := 0.0
	if v := up.Between("f_cnt", 0, 1<<32); v != nil {
		count = *v
	}
	if session := up.Text("session_key_id", maxName); session != "" {
		o.ID = session + "/" + strconv.FormatFloat(count, 'f', 0, 64)
	}
	var list []feeds.Observation
	add := func(property, unit string, v feeds.Value) {
		o := o
		o.Property, o.Unit, o.Value = property, unit, v
		list = append(list, o)
	}
	if up.Has("decoded_payload") {
		for _, leaf := range up.Object("decoded_payload").Leaves(maxDepth, maxFields, maxText) {
			add(leaf.Name, "", value(leaf))
		}
	}
	if raw := up.Text("frm_payload", maxText); len(list) == 0 && raw != "" {
		add("frm_payload", "", feeds.Value{Type: feeds.Text, Text: raw})
	}
	if v := up.Object("last_battery_percentage").Between("value", 0, 100); v != nil {
		add("battery", "%", feeds.Value{Num: *v})
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

// when is the earliest time that a gateway gave, else when the network server and then the application server had it.
func when(m, up *fields.Object) moment.Time {
	var at moment.Time
	for _, g := range up.Objects("rx_metadata") {
		for _, name := range []string{"time", "gps_time"} {
			if t := g.Time(name); !t.IsZero() && (at.IsZero() || t.Before(at.Time)) {
				at = t
			}
		}
	}
	for _, in := range []*fields.Object{up, m} {
		if at.IsZero() {
			at = in.Time("received_at")
		}
	}
	if at.IsZero() {
		m.Fail("received_at is missing")
	}
	return at
}

// place is where the device is: as its payload said, else as its owner registered it. Left out coordinates are 0.
func place(up *fields.Object) (geo.Position, bool) {
	known := up.Object("locations")
	for _, source := range []string{"frm-payload", "user"} {
		if !known.Has(source) {
			continue
		}
		l := known.Object(source)
		var p geo.Position
		if v := l.Number("latitude"); v != nil {
			p.Lat = *v
		}
		if v := l.Number("longitude"); v != nil {
			p.Lng = *v
		}
		if p.IsNull() {
			continue
		}
		if err := fields.Position(p); err != nil {
			l.Fail("uplink_message.locations.%s: %w", source, err)
			return geo.Position{}, false
		}
		return p, true
	}
	return geo.Position{}, false
}
