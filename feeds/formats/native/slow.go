package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// feature is what a GeoJSON feature says besides its properties.
type feature struct {
	id    json.RawMessage
	shape geo.Shape
}

// record reads the fields of one JSON object and keeps the first fault.
type record struct {
	fields map[string]json.RawMessage
	reason string
}

func (r *record) fault(format string, args ...any) {
	if r.reason == "" {
		r.reason = fmt.Sprintf(format, args...)
	}
}

// raw gives a field that is there and not null.
func (r *record) raw(key string) (json.RawMessage, bool) {
	v, ok := r.fields[key]
	return v, ok && string(v) != "null"
}

// misses are the near misses of our fields that other systems use; passing over them would lose the reading's place or time.
var misses = map[string]string{
	"lon": "lng", "long": "lng", "longitude": "lng", "latitude": "lat", "time": "at", "timestamp": "at", "ts": "at", "val": "value",
}

// open checks the object strictly and takes its fields apart.
func open(raw []byte, known []string) (*record, string) {
	if err := bounded.JSON(raw, maxDepth); err != nil {
		var at *bounded.JSONError
		if errors.As(err, &at) {
			return nil, fmt.Sprintf("%s at byte %d of the record", at.Reason, at.Offset)
		}
		return nil, err.Error()
	}
	r := &record{}
	if err := json.Unmarshal(raw, &r.fields); err != nil {
		return nil, "a record is a JSON object"
	}
	keys := make([]string, 0, len(r.fields))
	for k := range r.fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if slices.Contains(known, k) {
			continue
		}
		if want, ok := misses[strings.ToLower(k)]; ok && slices.Contains(known, want) {
			return nil, fmt.Sprintf("field %q is not known: say %q", k, want)
		}
		for _, want := range known {
			if strings.EqualFold(k, want) {
				return nil, fmt.Sprintf("field %q is not known: say %q", k, want)
			}
		}
	}
	return r, ""
}

// slow reads any record, and says why where it refuses one.
func (d *decoder) slow(raw []byte, place *feature) (reason string) {
	r, reason := open(raw, knownFields)
	if reason != "" {
		return reason
	}
	kind := r.text("record", maxName)
	if r.reason != "" {
		return r.reason
	}
	switch kind {
	case "", "observation":
		return d.observation(r, place)
	case "alert":
		return d.alert(r, place)
	case "report":
		return d.report(r, place)
	case "position":
		return d.position(r, place)
	}
	return fmt.Sprintf("record: %.40q is none of observation, alert, report, position", kind)
}

// knownFields are all fields of all records, for the search for near misses.
var knownFields = []string{
	"record", "id", "thing", "property", "value", "unit", "at", "lng", "lat", "kind", "name", "quality", "attrs",
	"identifier", "sender", "sent", "status", "msg_type", "scope", "references", "language", "category", "event", "urgency", "severity",
	"certainty", "effective", "onset", "expires", "sender_name", "headline", "description", "instruction", "web", "contact", "area",
	"quake", "channel", "text", "type", "address", "service_code", "status_notes", "agency_responsible", "media_url", "updated_at",
	"external_refs", "speed_mps", "heading", "accuracy_m",
}

func (d *decoder) observation(r *record, place *feature) string {
	o := feeds.Observation{Index: d.index, ReceivedAt: d.received, Quality: feeds.Good}
	o.ID = r.id("id", place)
	o.Thing = d.words.of([]byte(r.need("thing", maxName)))
	o.Property = d.words.of([]byte(r.need("property", maxName)))
	o.Value = r.value("value")
	o.Unit = d.words.of([]byte(r.text("unit", maxName)))
	o.Kind = d.words.of([]byte(r.text("kind", maxName)))
	o.Name = d.words.of([]byte(r.text("name", maxName)))
	o.At = r.time("at")
	o.Position, o.Placed = r.place(place)
	if q := r.text("quality", maxName); q != "" {
		if !knownQuality(q) {
			r.fault("quality: %.40q is none of good, suspect, received, clock_skew", q)
		}
		o.Quality = feeds.Quality(q)
	}
	o.Attrs = r.object("attrs")
	if o.Kind == "" {
		o.Kind = d.meta.Kind
	}
	if o.At.IsZero() {
		o.Quality = feeds.Received
	}
	if r.reason == "" {
		d.batch.Observations = append(d.batch.Observations, o)
	}
	return r.reason
}

// text reads an optional string fit to be a name or a label: empty where it is absent, null or "".
func (r *record) text(key string, max int) string {
	raw, ok := r.raw(key)
	if !ok {
		return ""
	}
	s := r.prose(key, raw, max)
	if strings.ContainsFunc(s, unicode.IsControl) {
		r.fault("%s: holds a control character", key)
		return ""
	}
	if s != "" && strings.TrimSpace(s) == "" {
		r.fault("%s: nothing but space", key)
	}
	return s
}

// prose reads a string that may hold line breaks.
func (r *record) prose(key string, raw json.RawMessage, max int) string {
	if raw[0] != '"' {
		r.fault("%s: want a string, not %s", key, kindOf(raw))
		return ""
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		r.fault("%s: %v", key, err)
		return ""
	}
	if len(s) > max {
		r.fault("%s: %d bytes, more than %d", key, len(s), max)
		return ""
	}
	return s
}

// long reads an optional text of several lines.
func (r *record) long(key string) string {
	raw, ok := r.raw(key)
	if !ok {
		return ""
	}
	return r.prose(key, raw, maxProse)
}

// need is text that may not be absent.
func (r *record) need(key string, max int) string {
	s := r.text(key, max)
	if s == "" {
		r.fault("%s: required and not empty", key)
	}
	return s
}

// id reads a string or a whole number, else the id of the GeoJSON feature.
func (r *record) id(key string, place *feature) string {
	raw, ok := r.raw(key)
	if !ok && place != nil && len(place.id) > 0 && string(place.id) != "null" {
		raw, ok = place.id, true
	}
	if !ok {
		return ""
	}
	if raw[0] == '"' {
		named := record{fields: map[string]json.RawMessage{key: raw}}
		s := named.text(key, maxName)
		if named.reason != "" {
			r.fault("%s", named.reason)
		}
		return s
	}
	if s := string(raw); len(s) <= 20 && strings.Trim(s, "0123456789") == "" {
		return s
	}
	r.fault("%s: want a string or a whole number", key)
	return ""
}

// kindOf names what kind of JSON value it is.
func kindOf(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a bool"
	case 'n':
		return "null"
	}
	return "a number"
}

func (r *record) value(key string) feeds.Value {
	raw, ok := r.fields[key]
	if !ok {
		r.fault("%s: required", key)
		return feeds.Value{}
	}
	switch raw[0] {
	case '"':
		return feeds.Value{Type: feeds.Text, Text: r.prose(key, raw, maxText)}
	case 't':
		return feeds.Value{Type: feeds.Bool, Num: 1}
	case 'f':
		return feeds.Value{Type: feeds.Bool}
	case 'n', '{', '[':
		r.fault("%s: want a number, string or bool, not %s", key, kindOf(raw))
		return feeds.Value{}
	}
	n, _ := r.number(key)
	return feeds.Value{Num: n}
}

// number reads an optional finite number.
func (r *record) number(key string) (float64, bool) {
	raw, ok := r.raw(key)
	if !ok {
		return 0, false
	}
	if c := raw[0]; c != '-' && (c < '0' || c > '9') {
		r.fault("%s: want a number, not %s", key, kindOf(raw))
		return 0, false
	}
	var v float64
	if err := json.Unmarshal(raw, &v); err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		r.fault("%s: %.40s is beyond what a number can hold", key, raw)
		return 0, false
	}
	return v, true
}

// time reads an instant; the zero Time where it is absent, null or 0.
func (r *record) time(key string) moment.Time {
	raw, ok := r.raw(key)
	if !ok {
		return moment.Time{}
	}
	if raw[0] != '"' {
		v, ok := r.number(key)
		if !ok || v == 0 {
			return moment.Time{}
		}
		if v < 1e11 {
			v *= 1000
		}
		ms := int64(math.Round(min(max(v, -1), 1e18)))
		if ms <= 0 || ms > lastMilli {
			r.fault("%s: %.40s is neither seconds nor milliseconds since 1970", key, raw)
			return moment.Time{}
		}
		return moment.OfMilli(ms)
	}
	s := r.prose(key, raw, maxName)
	if ms, ok := rfc3339([]byte(s)); ok {
		return moment.OfMilli(ms)
	}
	var t time.Time
	if r.reason != "" {
		return moment.Time{}
	}
	if err := t.UnmarshalText([]byte(s)); err != nil {
		r.fault("%s: %.40q: want RFC 3339 with an offset, such as 2026-11-23T07:04:11Z", key, s)
		return moment.Time{}
	}
	m := moment.Of(t)
	if m.Milli() <= 0 || m.Milli() > lastMilli {
		r.fault("%s: %.40q lies outside 1970 to 9999", key, s)
		return moment.Time{}
	}
	return m
}

// place reads lng and lat, else the point of the GeoJSON feature. 0,0 means that the place is not known.
func (r *record) place(f *feature) (geo.Position, bool) {
	lng, hasLng := r.number("lng")
	lat, hasLat := r.number("lat")
	switch {
	case r.reason != "":
		return geo.Position{}, false
	case hasLng != hasLat:
		r.fault("lng, lat: one is given without the other")
		return geo.Position{}, false
	case !hasLng && f != nil && !f.shape.IsZero():
		if len(f.shape.Points) != 1 || len(f.shape.Lines) > 0 || len(f.shape.Polygons) > 0 {
			r.fault("geometry: want one Point")
			return geo.Position{}, false
		}
		lat, lng = f.shape.Points[0].Lat, f.shape.Points[0].Lng
	case !hasLng:
		return geo.Position{}, false
	}
	p := geo.Position{Lat: lat, Lng: lng}
	if err := p.Validate(); err != nil {
		r.fault("lng, lat: %v", err)
		return geo.Position{}, false
	}
	if p.IsNull() {
		return geo.Position{}, false
	}
	return p, true
}

// object reads an optional JSON object and keeps its bytes.
func (r *record) object(key string) []byte {
	raw, ok := r.raw(key)
	if !ok {
		return nil
	}
	if raw[0] != '{' {
		r.fault("%s: want an object, not %s", key, kindOf(raw))
		return nil
	}
	if len(raw) > maxProse {
		r.fault("%s: %d bytes, more than %d", key, len(raw), maxProse)
		return nil
	}
	return slices.Clone([]byte(raw))
}
