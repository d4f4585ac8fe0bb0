package ngsi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/fields"
	"kentongan/geo"
	"kentongan/geo/moment"
)

type reader struct {
	zone     *time.Location
	meta     feeds.Meta
	received moment.Time
	notified moment.Time
	index    int
	batch    feeds.Batch
}

// entity is one entity taken apart.
type entity struct {
	id, kind string
	attrs    []attribute // in the order of their names
	shape    geo.Shape
	at       moment.Time // of the entity as a whole
	source   string      // "modified" or "notified" where at is no time of observation
	deleted  bool        // a notice of NGSI-LD 1.6.1 on, which some brokers send
	fault    error       // of one attribute, which costs only itself
}

// dated ids name a reading: Madrid-AmbientObserved-28079004-2016-03-15T11:00:00.
var dated = regexp.MustCompile(`([-_:]\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?Z?){1,2}$`)

// observedNames are those of the entity's own time of observation, best first.
var observedNames = []string{"dateObservedTo", "dateObserved", "observationDateTime", "TimeInstant", "timestamp", "dateLastReported"}

func (r *reader) entity(raw json.RawMessage) error {
	e, err := r.open(raw)
	if err != nil {
		return err
	}
	if e.deleted {
		r.batch.Ignored = append(r.batch.Ignored, feeds.Refusal{Index: r.index, Reason: "deleted at the broker: what was said of it ages"})
		return nil
	}
	switch e.kind {
	case "Alert", "WeatherAlert":
		return r.alert(e)
	}
	place, placed, err := spot(e.shape)
	if err != nil {
		return err
	}
	vehicle := e.kind == "Vehicle" && placed
	before := len(r.batch.Observations)
	for _, a := range e.attrs {
		if vehicle && slices.Contains([]string{"speed", "bearing", "heading"}, a.name) {
			continue
		}
		if o, ok := r.observation(e, a); ok {
			o.Position, o.Placed = place, placed
			r.batch.Observations = append(r.batch.Observations, o)
		}
	}
	if vehicle {
		r.batch.Positions = append(r.batch.Positions, r.position(e, place))
	} else if len(r.batch.Observations) == before && e.fault == nil {
		r.batch.Ignored = append(r.batch.Ignored, feeds.Refusal{Index: r.index, Reason: "an entity without a reading"})
	}
	return e.fault
}

// open takes an entity or a GeoJSON feature of one apart.
func (r *reader) open(raw json.RawMessage) (e entity, err error) {
	var members map[string]json.RawMessage
	if raw[0] != '{' || json.Unmarshal(raw, &members) != nil {
		return e, errors.New("not an object")
	}
	id, kind := text(members, "id", "@id"), text(members, "type", "@type")
	if kind == "Feature" {
		geometry := members["geometry"]
		var properties map[string]json.RawMessage
		if json.Unmarshal(members["properties"], &properties) != nil || !strings.HasPrefix(id, "urn:") && !normalized(geometry) {
			return e, errForeign
		}
		kind, members = text(properties, "type"), properties
		if _, ok := members["location"]; !ok && len(geometry) > 0 && string(geometry) != "null" {
			members["location"] = geometry
		}
	}
	if id == "" || kind == "" || len(id) > 2*maxName || len(kind) > maxName || len(members) < 2 || kind == "FeatureCollection" || kind == "Topology" {
		return e, errForeign
	}
	_, deleted := members["deletedAt"]
	e = entity{id: id, kind: short(kind), deleted: deleted}
	return e, r.attributes(&e, members)
}

// text gives a member that is a text, or a list that begins with one, under the first of the names that is there.
func text(members map[string]json.RawMessage, names ...string) string {
	for _, name := range names {
		var s string
		var list []string
		if raw := members[name]; json.Unmarshal(raw, &s) == nil && s != "" {
			return s
		} else if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

func (r *reader) attributes(e *entity, members map[string]json.RawMessage) (err error) {
	if len(members) > maxAttributes {
		return fmt.Errorf("more than %d attributes", maxAttributes)
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if slices.Contains([]string{"id", "@id", "type", "@type", "@context"}, name) || string(members[name]) == "null" {
			continue
		}
		read, err := r.read(name, members[name])
		if err != nil && !describing.MatchString(short(name)) {
			if e.fault == nil {
				e.fault = err
			}
			continue
		}
		e.attrs = append(e.attrs, read...)
	}
	if a, ok := e.get("location"); ok {
		if e.shape, err = shape(a); err != nil {
			return fmt.Errorf("location: %w", err)
		}
	}
	return r.when(e)
}

// shape reads GeoJSON, and the geo:point of NGSI v2: the text "latitude, longitude", in the other order.
func shape(a attribute) (s geo.Shape, err error) {
	if a.text() == "" {
		return s, json.Unmarshal(a.raw, &s)
	}
	lat, lng, _ := strings.Cut(a.text(), ",")
	var p geo.Position
	if json.Unmarshal([]byte(strings.TrimSpace(lat)), &p.Lat) != nil || json.Unmarshal([]byte(strings.TrimSpace(lng)), &p.Lng) != nil {
		return s, fmt.Errorf("%.40q is neither GeoJSON nor latitude, longitude", a.text())
	}
	return geo.Shape{Points: []geo.Position{p}}, nil
}

// when finds the time of the entity as a whole.
func (r *reader) when(e *entity) (err error) {
	for _, name := range observedNames {
		if a, ok := e.get(name); ok && a.text() != "" {
			if e.at, err = r.parse(a.text()); err != nil {
				return fmt.Errorf("%s %w", name, err)
			}
			return nil
		}
	}
	for _, name := range []string{"modifiedAt", "dateModified"} {
		if a, ok := e.get(name); ok && a.text() != "" {
			e.source = "modified"
			if e.at, err = r.parse(a.text()); err != nil {
				return fmt.Errorf("%s %w", name, err)
			}
			return nil
		}
	}
	if !r.notified.IsZero() {
		e.at, e.source = r.notified, "notified"
	}
	return nil
}

func (e *entity) get(name string) (attribute, bool) {
	i := slices.IndexFunc(e.attrs, func(a attribute) bool { return a.name == name })
	if i < 0 {
		return attribute{}, false
	}
	return e.attrs[i], true
}

// word is the text of an attribute, empty where there is none.
func (e *entity) word(name string) string {
	a, _ := e.get(name)
	return fields.Cut(a.text(), maxText)
}

// spot is one position for a shape: a point, the middle corner of a line, the middle of anything else.
func spot(s geo.Shape) (p geo.Position, placed bool, err error) {
	switch {
	case s.IsZero():
		return p, false, nil
	case len(s.Points) == 1 && len(s.Lines)+len(s.Polygons) == 0:
		p = s.Points[0]
	case len(s.Lines) == 1 && len(s.Points)+len(s.Polygons) == 0 && len(s.Lines[0]) > 0:
		p = s.Lines[0][len(s.Lines[0])/2]
	default:
		b := s.Bound()
		p = geo.Position{Lat: (b.South + b.North) / 2, Lng: (b.West + b.East) / 2}
	}
	if err := fields.Position(p); err != nil {
		return geo.Position{}, false, fmt.Errorf("location: %w", err)
	}
	return p, true, nil
}

// describing are attributes that say what an entity is and not how it is.
var describing = regexp.MustCompile(`^(?i:name|alternateName|description|source|dataProvider|owner|seeAlso|areaServed|territorialArea|typeOfLocation|category|subCategory|address|location|` +
	`license_plate|rfid|vehicleType|fuelType|emergencyVehicleType|binColor|vehicleTrackerDevice|laneDirection|locationCategory|controllingMethod|circuit|contractingAuthority|contactPoint|` +
	`contractingCompany|provider|reference|workZone)$|` +
	`(Id|ID|Name|Number|Num|Identifier|Plate)$|^ref[A-Z]|^date[A-Z]|(At|Date|DateTime|Time|Deadline)$`)

// observation gives a reading, where the attribute is one.
func (r *reader) observation(e entity, a attribute) (o feeds.Observation, ok bool) {
	if a.relationship || describing.MatchString(a.name) || a.name == "" || len(a.name) > maxName {
		return o, false
	}
	o = feeds.Observation{Index: r.index, Thing: dated.ReplaceAllString(e.id, ""), Property: a.name, Unit: a.unit, ReceivedAt: r.received, Kind: r.kind(e),
		Name: fields.Cut(e.word("name"), maxName), Quality: feeds.Good}
	switch v := a.value.(type) {
	case float64:
		o.Value.Num = v
	case bool:
		if o.Value.Type = feeds.Bool; v {
			o.Value.Num = 1
		}
	case string:
		if v = strings.TrimSpace(v); v == "" || len(v) > maxName || strings.Contains(v, "://") || strings.HasPrefix(v, "urn:") {
			return o, false
		}
		if _, err := r.parse(v); err == nil {
			return o, false
		}
		o.Value = feeds.Value{Type: feeds.Text, Text: v}
	default:
		return o, false
	}
	if a.dataset != "" {
		o.Property = fields.Cut(a.name+"."+short(a.dataset[strings.LastIndex(a.dataset, ":")+1:]), maxName)
	}
	var source string
	o.At, source = e.timeOf(a)
	switch {
	case o.At.IsZero():
		o.Quality = feeds.Received
	case source != "":
		o.Attrs = []byte(`{"time_quality":"` + source + `"}`)
	}
	return o, true
}

// timeOf gives when an attribute holds, and where that is known from when it is no time of observation.
func (e *entity) timeOf(a attribute) (moment.Time, string) {
	switch {
	case !a.at.IsZero():
		return a.at, ""
	case !e.at.IsZero() && e.source == "":
		return e.at, ""
	case !a.modified.IsZero():
		return a.modified, "modified"
	}
	return e.at, e.source
}

// kind of a Thing: the feed's, else the entity's type in our letters, as air_quality_observed.
func (r *reader) kind(e entity) string {
	if r.meta.Kind != "" {
		return r.meta.Kind
	}
	var b strings.Builder
	for i, c := range e.kind {
		if unicode.IsUpper(c) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// position of a Vehicle (smart data models, Transportation): speed is in km/h unless a unitCode says m/s, bearing in degrees from north.
func (r *reader) position(e entity, place geo.Position) feeds.UnitPosition {
	u := feeds.UnitPosition{Index: r.index, Unit: e.id, Kind: r.kind(e), Name: fields.Cut(e.word("name"), maxName), Position: place}
	location, _ := e.get("location")
	u.At, _ = e.timeOf(location)
	if a, ok := e.get("speed"); ok {
		if v, ok := a.value.(float64); ok && v >= 0 && v < 2000 {
			if a.unit != "m/s" {
				v /= 3.6
			}
			u.SpeedMps = &v
		}
	}
	for _, name := range []string{"bearing", "heading"} {
		a, _ := e.get(name)
		if v, ok := a.value.(float64); ok && v >= 0 && v <= 360 && u.Heading == nil {
			u.Heading = &v
		}
	}
	if u.At.IsZero() {
		u.At = r.received
	}
	return u
}

// categories and severities of the data model Alert, as CAP says them.
var (
	categories = map[string]string{"traffic": "Transport", "naturalDisaster": "Geo", "weather": "Met", "environment": "Env", "health": "Health", "security": "Security", "agriculture": "Env"}
	severities = map[string]cap.Severity{"critical": cap.Extreme, "high": cap.Severe, "medium": cap.Moderate, "low": cap.Minor, "informational": cap.Minor}
)

// alert reads an Alert or WeatherAlert: dateIssued is when it was sent, alertSource who sent it, else the feed. The entity's id is the key
// of all its versions; what it says is part of the identifier, for brokers change entities in place and leave dateIssued as it was.
func (r *reader) alert(e entity) error {
	var times [3]moment.Time
	for i, name := range []string{"dateIssued", "validFrom", "validTo"} {
		if s := e.word(name); s != "" {
			var err error
			if times[i], err = r.parse(s); err != nil {
				return fmt.Errorf("%s %w", name, err)
			}
		}
	}
	if times[0].IsZero() {
		return errors.New("dateIssued is missing")
	}
	if _, _, err := spot(e.shape); err != nil {
		return err
	}
	sender := e.word("alertSource")
	if sender == "" || len(sender) > maxName || strings.ContainsAny(sender, " ,<&\t\r\n") {
		sender = r.meta.Feed
	}
	event := e.word("subCategory")
	if event == "" {
		event = e.word("category")
	}
	if event == "" {
		return errors.New("category and subCategory are missing")
	}
	category, ok := categories[e.word("category")]
	if !ok {
		category = "Other"
	}
	severity, ok := severities[e.word("severity")]
	if !ok {
		severity = cap.Unknown
	}
	info := cap.Info{Categories: []string{category}, Event: event, Urgency: "Unknown", Severity: severity, Certainty: "Unknown", Effective: times[0], Onset: times[1], Expires: times[2],
		Headline: event, Description: e.word("description")}
	if !e.shape.IsZero() {
		info.Areas = []cap.Area{{Name: e.word("address"), Shape: e.shape}}
	}
	r.batch.Alerts = append(r.batch.Alerts, feeds.Alert{Index: r.index, Keys: []string{"ngsi " + e.id}, Message: cap.Message{Identifier: e.id + "-" + digest(info), Sender: sender, Sent: times[0], Status: "Actual", MsgType: "Alert",
		Scope: "Public", Infos: []cap.Info{info}}})
	return nil
}

// digest is short and the same for the same words. Its letter keeps it from being read as a version's number.
func digest(info cap.Info) string {
	body, err := json.Marshal(info)
	if err != nil {
		body = []byte(info.Event) // an info that was read always marshals
	}
	sum := sha256.Sum256(body)
	return "h" + hex.EncodeToString(sum[:6])
}
