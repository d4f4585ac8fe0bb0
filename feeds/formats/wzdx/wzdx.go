// Package wzdx is road works by WZDx 2 to 4.2: work zone and road restriction feeds as alerts, device feeds as Things.
//
// A road event gives one Alert from its start to its end date; its key is the feature's id, a new update date is a new version. A field
// device (an arrow board, a camera, a traffic sensor) gives its status as observations of a Thing whose kind is the device's type. A feed
// lists all there is, so it is a snapshot.
package wzdx

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
	"kentongan/feeds/fields"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of an id, a name and a text.
const (
	maxID   = 200
	maxName = 256
	maxText = 16 << 10
)

// Format reads WZDx. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("wzdx", options)
}

// decoder reads one feed.
type decoder struct {
	meta      feeds.Meta
	publisher string
	updated   moment.Time // of the feed
	batch     feeds.Batch
	seen      map[string]int
}

// Decode reads one feed. A document that is no GeoJSON with a feed_info (road_event_feed_info before version 4.1) is an error; a faulty
// feature costs only itself.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	d := decoder{meta: meta, seen: map[string]int{}}
	items, err := d.open(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("wzdx: %w", err)
	}
	d.batch.Snapshot = true
	lines := &bounded.Lines{Body: body}
	for i, item := range items {
		line, _ := lines.At(item.From)
		pass, err := d.feature(i, lines, item)
		if err != nil {
			d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("feature at line %d: %v", line, err)})
		} else if pass != "" {
			d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: i, Reason: pass})
		}
	}
	d.batch.AllAlerts = !meta.Part && len(d.batch.Observations) == 0 // a device feed says nothing of road events
	return d.batch, nil
}

// open reads what stands above the features.
func (d *decoder) open(body []byte) ([]bounded.Span, error) {
	if err := bounded.JSONDocument(body); err != nil {
		return nil, err
	}
	top, err := bounded.Members(body, 0)
	if err != nil {
		return nil, err
	}
	info, ok := top["feed_info"]
	if !ok {
		info, ok = top["road_event_feed_info"]
	}
	list, has := top["features"]
	if kind := top["type"]; !ok || !has || string(body[kind.From:kind.To]) != `"FeatureCollection"` {
		return nil, errors.New("the document is not a GeoJSON FeatureCollection with feed_info and features")
	}
	if err := bounded.JSONItem(&bounded.Lines{Body: body}, info); err != nil {
		return nil, err
	}
	in, err := fields.Read(body[info.From:info.To])
	if err != nil {
		return nil, fmt.Errorf("feed_info: %w", err)
	}
	d.publisher, d.updated = in.Need("publisher", maxName), in.Time("update_date")
	if err := in.Fault(); err != nil {
		return nil, fmt.Errorf("feed_info: %w", err)
	}
	return bounded.Elements(body, list.From)
}

// feature is what road events and devices have in common.
type feature struct {
	index      int
	id         string
	properties *fields.Object
	core       *fields.Object // core_details; before version 4 the properties themselves
	shape      geo.Shape
}

func (d *decoder) feature(i int, lines *bounded.Lines, item bounded.Span) (pass string, err error) {
	if err := bounded.JSONItem(lines, item); err != nil {
		return "", err
	}
	o, err := fields.Read(lines.Body[item.From:item.To])
	if err != nil {
		return "", err
	}
	f := feature{index: i, properties: o.Object("properties")}
	f.core = f.properties
	if f.properties.Has("core_details") {
		f.core = f.properties.Object("core_details")
	}
	if f.id = o.Label("id", maxID); f.id == "" {
		f.id = f.properties.Label("road_event_id", maxID)
	}
	if f.id == "" {
		o.Fail("id is missing")
	}
	if strings.IndexFunc(f.id, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) >= 0 {
		o.Fail("id %.40q is not plain text", f.id)
	}
	if first, twice := d.seen[f.id]; twice {
		o.Fail("id %q was given before, by feature %d", f.id, first)
	}
	if raw := o.Raw("geometry"); raw == nil {
		o.Fail("geometry is missing")
	} else if f.shape, err = shape(raw); err != nil {
		o.Fail("geometry: %w", err)
	}
	var alert feeds.Alert
	var observations []feeds.Observation
	switch {
	case f.core.Has("device_type"):
		observations = d.device(f)
	case f.core.Has("event_type"):
		alert, pass = d.event(f)
	default:
		o.Fail("neither event_type nor device_type is given")
	}
	if err := o.Fault(); err != nil {
		return "", err
	}
	d.seen[f.id] = i
	d.batch.Observations = append(d.batch.Observations, observations...)
	if alert.Message.Identifier != "" && pass == "" {
		d.batch.Alerts = append(d.batch.Alerts, alert)
	}
	return pass, nil
}

// shape reads the geometry, longitude first, and says where the axes seem swapped.
func shape(raw []byte) (s geo.Shape, err error) {
	if err = s.UnmarshalJSON(raw); err != nil {
		if errors.Is(err, geo.ErrPosition) {
			err = fmt.Errorf("%w (longitude comes first: swapped?)", err)
		}
		return geo.Shape{}, err
	}
	if s.IsZero() {
		return s, errors.New("empty")
	}
	for _, ps := range append([][]geo.Position{s.Points}, s.Lines...) {
		for _, p := range ps {
			if p.IsNull() {
				return geo.Shape{}, errors.New("0,0 stands for an unknown place")
			}
		}
	}
	return s, nil
}

// device reads a field device: its status, and the pattern of an arrow board, as of its update date.
func (d *decoder) device(f feature) []feeds.Observation {
	o := feeds.Observation{Index: f.index, Thing: f.id, Kind: strings.ReplaceAll(f.core.Need("device_type", maxName), "-", "_"),
		Name: f.core.Text("name", maxName), At: f.core.Time("update_date")}
	if len(f.shape.Points) != 1 || len(f.shape.Lines)+len(f.shape.Polygons) > 0 {
		f.core.Fail("the geometry of a device is not a Point")
		return nil
	}
	o.Position, o.Placed = f.shape.Points[0], true
	var out []feeds.Observation
	put := func(property, text string) {
		if text != "" {
			o.Property, o.Value = property, feeds.Value{Type: feeds.Text, Text: text}
			out = append(out, o)
		}
	}
	put("device_status", f.core.Need("device_status", maxName))
	if f.properties.Has("pattern") {
		put("pattern", f.properties.Text("pattern", maxName))
	}
	for _, name := range []string{"is_moving", "is_in_transport_position"} {
		from := f.core
		if !from.Has(name) {
			from = f.properties
		}
		if from.Has(name) {
			o.Property, o.Value = name, feeds.Value{Type: feeds.Bool}
			if from.Bool(name) {
				o.Value.Num = 1
			}
			out = append(out, o)
		}
	}
	return out
}

// events in words, by event_type.
var events = map[string]string{"work-zone": "Work zone", "detour": "Detour", "restriction": "Road restriction", "incident": "Traffic incident"}

// severity is by what is left of the road; WZDx itself judges nothing.
func severity(impact string) cap.Severity {
	switch {
	case impact == "all-lanes-closed":
		return cap.Moderate
	case strings.HasPrefix(impact, "some-lanes-closed"), strings.HasPrefix(impact, "all-lanes-open"), impact == "alternating-one-way", impact == "flagging",
		impact == "temporary-traffic-signal":
		return cap.Minor
	}
	return cap.Unknown
}

func (d *decoder) event(f feature) (a feeds.Alert, pass string) {
	c, p := f.core, f.properties
	sent := c.Time("update_date")
	if sent.IsZero() {
		sent = c.Time("creation_date")
	}
	if sent.IsZero() && !d.updated.IsZero() {
		sent = moment.Of(d.updated.Truncate(24 * time.Hour)) // the feed's own date changes with each delivery
	}
	if sent.IsZero() {
		c.Fail("update_date is missing")
	}
	start, end := p.Time("start_date"), p.Time("end_date")
	if start.IsZero() || end.IsZero() {
		p.Fail("start_date or end_date is missing")
	} else if end.Before(start.Time) {
		p.Fail("end_date %s is before start_date %s", end, start)
	}
	kind, status := c.Need("event_type", maxName), p.Text("event_status", maxName)
	event, ok := events[kind]
	if !ok {
		event = "Road event " + kind
	}
	a = feeds.Alert{Index: f.index, Keys: []string{"wzdx " + d.publisher + " " + f.id}, Message: cap.Message{
		Identifier: f.id, Sender: d.publisher, Sent: sent, Status: "Actual", MsgType: "Alert", Scope: "Public",
	}}
	if status == "cancelled" || status == "canceled" || status == "completed" {
		a.Message.References = []cap.Reference{a.Message.Reference()}
		a.Message.Identifier, a.Message.MsgType = f.id+"-"+status, "Cancel"
		return a, ""
	}
	road := roads(c)
	impact := p.Text("vehicle_impact", maxName)
	i := cap.Info{
		Categories: []string{"Transport"}, Event: event, Urgency: "Immediate", Severity: severity(impact), Certainty: "Likely", Effective: sent,
		Onset: start, Expires: end, SenderName: d.publisher, Headline: event + ": " + road, Description: c.Text("description", maxText),
		Areas: []cap.Area{{Name: road, Shape: f.shape}},
	}
	now := d.updated.Time
	if now.IsZero() {
		now = d.meta.ReceivedAt
	}
	if start.After(now) || status == "planned" || status == "pending" {
		i.Urgency = "Future"
	} else if p.Has("is_start_date_verified") && p.Bool("is_start_date_verified") {
		i.Certainty = "Observed"
	}
	if impact != "" {
		i.Headline += ", " + strings.ReplaceAll(impact, "-", " ")
	}
	i.Parameters = parameters(f)
	a.Message.Infos = []cap.Info{i}
	return a, ""
}

// roads is where the event is in words: "I-80, I-35 northbound".
func roads(c *fields.Object) string {
	var names []string
	for _, raw := range c.List("road_names") {
		if len(raw) > 2 && raw[0] == '"' && len(raw) <= maxName {
			in, err := fields.Read([]byte(`{"name":` + string(raw) + `}`))
			if err == nil {
				names = append(names, in.Text("name", maxName))
			}
		}
	}
	if len(names) == 0 {
		names = []string{c.Text("road_name", maxName)} // version 2
	}
	out := strings.Join(names, ", ")
	if d := c.Text("direction", maxName); d != "" && d != "unknown" && d != "undefined" {
		out += " " + d
	}
	return fields.Cut(strings.TrimSpace(out), maxName)
}

func parameters(f feature) (out []cap.Value) {
	put := func(name, value string) {
		if value != "" {
			out = append(out, cap.Value{Name: name, Value: value})
		}
	}
	p := f.properties
	put("name", f.core.Text("name", maxName))
	for _, name := range []string{"vehicle_impact", "event_status", "work_zone_type", "beginning_cross_street", "ending_cross_street"} {
		put(name, p.Text(name, maxName))
	}
	for _, name := range []string{"beginning_milepost", "ending_milepost", "reduced_speed_limit_kph"} {
		if n := p.Number(name); n != nil {
			put(name, fmt.Sprint(*n))
		}
	}
	if w := p.Object("worker_presence"); w.Has("are_workers_present") {
		put("are_workers_present", fmt.Sprint(w.Bool("are_workers_present")))
	}
	var list []string
	for _, r := range p.Objects("restrictions") {
		list = append(list, r.Text("type", maxName))
	}
	put("restrictions", fields.Cut(strings.Join(list, ", "), maxName))
	list = nil
	for _, r := range p.Objects("types_of_work") {
		list = append(list, r.Text("type_name", maxName))
	}
	put("types_of_work", fields.Cut(strings.Join(list, ", "), maxName))
	return out
}
