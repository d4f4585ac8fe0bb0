package native

import (
	"encoding/json"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

// alert reads a CAP-shaped alert. identifier, sent and event are required; sender is the feed where it is not given. status is
// Actual, msg_type Alert and scope Public unless said. A severity, urgency or certainty that CAP does not know becomes Unknown.
// area is a GeoJSON Feature whose properties carry name, or a geometry; else the feature's geometry, else the point lng, lat. quake makes
// it an earthquake, see quake.
func (d *decoder) alert(r *record, place *feature) string {
	m := cap.Message{
		Identifier: r.need("identifier", maxName),
		Sender:     r.text("sender", maxName),
		Sent:       r.time("sent"),
		Status:     r.choice("status", "Actual", "Exercise", "System", "Test", "Draft"),
		MsgType:    r.choice("msg_type", "Alert", "Update", "Cancel", "Ack", "Error"),
		Scope:      r.choice("scope", "Public", "Restricted", "Private"),
		References: r.references(),
	}
	if m.Sender == "" {
		m.Sender = d.meta.Feed
	}
	if m.Sent.IsZero() {
		r.fault("sent: required")
	}
	info := cap.Info{
		Language:    r.text("language", maxName),
		Categories:  r.list("category"),
		Urgency:     r.grade("urgency", "Immediate", "Expected", "Future", "Past"),
		Severity:    cap.Severity(r.grade("severity", "Extreme", "Severe", "Moderate", "Minor")),
		Certainty:   r.grade("certainty", "Observed", "Likely", "Possible", "Unlikely"),
		Effective:   r.time("effective"),
		Onset:       r.time("onset"),
		Expires:     r.time("expires"),
		SenderName:  r.text("sender_name", maxName),
		Headline:    r.long("headline"),
		Description: r.long("description"),
		Instruction: r.long("instruction"),
		Web:         r.text("web", maxText),
		Contact:     r.text("contact", maxText),
	}
	if m.MsgType == "Cancel" {
		info.Event = r.text("event", maxName)
	} else {
		info.Event = r.need("event", maxName)
	}
	if area, ok := r.area(place); ok {
		info.Areas = []cap.Area{area}
	}
	m.Infos = []cap.Info{info}
	shock := r.quake()
	if r.reason == "" {
		d.batch.Alerts = append(d.batch.Alerts, feeds.Alert{Index: d.index, Message: m, Quake: shock})
	}
	return r.reason
}

// quakeFields are those of an earthquake, and of a place where it was felt.
var (
	quakeFields = []string{"origin_at", "lng", "lat", "depth_km", "magnitude", "place", "tsunami", "felt"}
	feltFields  = []string{"place", "low", "high"}
)

// quake reads an earthquake as an agency solved it: {origin_at, lng, lat} are required, depth_km, magnitude, place, tsunami (the agency's
// words) and felt [{place, low, high}] (Modified Mercalli, 1 to 12) are not.
func (r *record) quake() *feeds.Quake {
	raw, ok := r.raw("quake")
	if !ok {
		return nil
	}
	in, reason := open(raw, quakeFields)
	if reason != "" {
		r.fault("quake: %s", reason)
		return nil
	}
	q := &feeds.Quake{OriginAt: in.time("origin_at"), Place: in.text("place", maxText), Tsunami: in.text("tsunami", maxText), Magnitude: in.within("magnitude", -2, 10)}
	if d := in.within("depth_km", -10, 1000); d != nil {
		q.DepthKm = *d
	}
	var placed bool
	if q.Position, placed = in.place(nil); !placed {
		in.fault("lng and lat: required")
	}
	if q.OriginAt.IsZero() {
		in.fault("origin_at: required")
	}
	q.Felt = in.felt()
	if in.reason != "" {
		r.fault("quake: %s", in.reason)
	}
	return q
}

// felt reads the places where an earthquake was felt.
func (r *record) felt() []feeds.Felt {
	raw, ok := r.raw("felt")
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || len(list) > 256 {
		r.fault("felt: want an array of at most 256")
		return nil
	}
	out := make([]feeds.Felt, 0, len(list))
	for _, one := range list {
		in, reason := open(one, feltFields)
		if reason != "" {
			r.fault("felt: %s", reason)
			return nil
		}
		f := feeds.Felt{Place: in.need("place", maxText)}
		for key, to := range map[string]*int{"low": &f.Low, "high": &f.High} {
			v := in.within(key, 1, 12)
			if v == nil || *v != float64(int(*v)) {
				in.fault("%s: want a whole number of 1 to 12", key)
				continue
			}
			*to = int(*v)
		}
		if in.reason != "" {
			r.fault("felt: %s", in.reason)
			return nil
		}
		out = append(out, f)
	}
	return out
}

// choice reads one of the words; the first stands in where the field is absent.
func (r *record) choice(key string, words ...string) string {
	s := r.text(key, maxName)
	if s == "" {
		return words[0]
	}
	for _, w := range words {
		if s == w {
			return w
		}
	}
	r.fault("%s: %.40q is none of %s", key, s, strings.Join(words, ", "))
	return ""
}

// grade reads one of the words; any other is Unknown, since a warning is never dropped for a word.
func (r *record) grade(key string, words ...string) string {
	s := r.text(key, maxName)
	for _, w := range words {
		if s == w {
			return w
		}
	}
	return "Unknown"
}

// list reads a string or an array of strings.
func (r *record) list(key string) []string {
	raw, ok := r.raw(key)
	if !ok {
		return []string{"Other"}
	}
	if raw[0] == '"' {
		return []string{r.text(key, maxName)}
	}
	var out []string
	if err := json.Unmarshal(raw, &out); err != nil || len(out) == 0 || len(out) > 16 {
		r.fault("%s: want a string or 1 to 16 strings", key)
		return nil
	}
	for _, s := range out {
		if s == "" || len(s) > maxName {
			r.fault("%s: want strings of 1 to %d bytes", key, maxName)
		}
	}
	return out
}

// references reads an array of {sender, identifier, sent}.
func (r *record) references() []cap.Reference {
	raw, ok := r.raw("references")
	if !ok {
		return nil
	}
	var out []cap.Reference
	if err := json.Unmarshal(raw, &out); err != nil {
		r.fault("references: want an array of {sender, identifier, sent}: %.80s", err)
		return nil
	}
	if len(out) > 256 {
		r.fault("references: %d, more than 256", len(out))
	}
	for _, ref := range out {
		if ref.Sender == "" || ref.Identifier == "" || ref.Sent.IsZero() || len(ref.Sender) > maxName || len(ref.Identifier) > maxName {
			r.fault("references: each needs sender, identifier and sent")
		}
	}
	return out
}

// area reads where an alert holds.
func (r *record) area(f *feature) (cap.Area, bool) {
	raw, given := r.raw("area")
	if !given {
		shape := geo.Shape{}
		if f != nil {
			shape = f.shape
		}
		if p, ok := r.place(nil); ok {
			shape = geo.Shape{Points: []geo.Position{p}}
		}
		return cap.Area{Shape: shape}, !shape.IsZero()
	}
	var form struct {
		Type       string          `json:"type"`
		Geometry   json.RawMessage `json:"geometry"`
		Properties struct {
			Name string `json:"name"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(raw, &form); err != nil {
		r.fault("area: want a GeoJSON Feature or geometry: %.80s", err)
		return cap.Area{}, false
	}
	a := cap.Area{Name: form.Properties.Name}
	if len(a.Name) > maxText {
		r.fault("area: name: %d bytes, more than %d", len(a.Name), maxText)
	}
	shape := raw
	if form.Type == "Feature" {
		shape = form.Geometry
	}
	if len(shape) > 0 && string(shape) != "null" && string(shape) != "{}" {
		if err := json.Unmarshal(shape, &a.Shape); err != nil {
			r.fault("area: %.200s", err)
		}
	}
	return a, a.Name != "" || !a.Shape.IsZero()
}

// report reads a citizen's or officer's account: text is required, and a place or an address. Without an id what it says is its identity.
// status is closed, or open.
func (d *decoder) report(r *record, place *feature) string {
	p := feeds.Report{
		Index:      d.index,
		ID:         r.id("id", place),
		Channel:    r.text("channel", maxName),
		Text:       strings.TrimSpace(r.long("text")),
		Type:       r.text("type", maxName),
		At:         r.time("at"),
		Address:    r.text("address", maxText),
		ReceivedAt: d.received,

		Code: r.text("service_code", maxName), Status: strings.ToLower(r.text("status", maxName)), StatusNotes: r.long("status_notes"),
		Responsible: r.text("agency_responsible", maxName), Media: r.text("media_url", maxText), UpdatedAt: r.time("updated_at"),
		External: r.external(),
	}
	p.Position, p.Placed = r.place(place)
	if p.Text == "" {
		r.fault("text: required and not empty")
	}
	if !p.Placed && p.Address == "" {
		r.fault("a report needs lng and lat, or an address")
	}
	if r.reason == "" {
		d.batch.Reports = append(d.batch.Reports, p)
	}
	return r.reason
}

// maxExternal bounds the numbers that partners have given one report.
const maxExternal = 16

// external reads external_refs: [{agency, id}].
func (r *record) external() []feeds.ReportRef {
	raw, ok := r.raw("external_refs")
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) > maxExternal {
		r.fault("external_refs: want a list of at most %d objects {agency, id}", maxExternal)
		return nil
	}
	var out []feeds.ReportRef
	for i, one := range list {
		in, reason := open(one, []string{"agency", "id"})
		if reason != "" {
			r.fault("external_refs: %d: %s", i, reason)
			return nil
		}
		out = append(out, feeds.ReportRef{Agency: in.need("agency", maxName), ID: in.need("id", maxName)})
		if in.reason != "" {
			r.fault("external_refs: %d: %s", i, in.reason)
		}
	}
	return out
}

// position reads where a unit is; thing may stand for unit. A unit that says no place, or 0,0, is passed over: a receiver without a fix.
func (d *decoder) position(r *record, place *feature) string {
	key := "unit"
	if _, ok := r.raw(key); !ok {
		key = "thing"
	}
	u := feeds.UnitPosition{Index: d.index, At: r.time("at"), Kind: r.text("kind", maxName), Name: r.text("name", maxName)}
	if u.Unit = r.text(key, maxName); u.Unit == "" {
		r.fault("unit: required and not empty")
	}
	u.SpeedMps = r.within("speed_mps", 0, 1e4)
	u.Heading = r.within("heading", 0, 360)
	u.AccuracyM = r.within("accuracy_m", 0, 1e7)
	if u.Kind == "" {
		u.Kind = d.meta.Kind
	}
	var placed bool
	u.Position, placed = r.place(place)
	if r.reason != "" {
		return r.reason
	}
	if !placed {
		d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: d.index, Reason: "a position without a place"})
		return ""
	}
	if u.At.IsZero() {
		u.At = d.received
	}
	d.batch.Positions = append(d.batch.Positions, u)
	return ""
}

// within reads an optional number between two bounds.
func (r *record) within(key string, low, high float64) *float64 {
	v, ok := r.number(key)
	if !ok {
		return nil
	}
	if v < low || v > high {
		r.fault("%s: %v is not within %v..%v", key, v, low, high)
		return nil
	}
	return &v
}

// whole reads the one object of a document: GeoJSON, or a record.
func (d *decoder) whole(raw []byte) {
	var form struct {
		Type     json.RawMessage `json:"type"`
		Features json.RawMessage `json:"features"`
	}
	if raw[0] == '{' && json.Unmarshal(raw, &form) == nil {
		switch string(form.Type) {
		case `"FeatureCollection"`:
			d.collection(form.Features)
			return
		case `"Feature"`:
			d.feature(raw)
			return
		}
	}
	d.item(raw, nil)
}

func (d *decoder) collection(raw json.RawMessage) {
	var features []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &features) != nil || features == nil {
		d.refuse("features: a FeatureCollection needs an array of features")
		return
	}
	for _, f := range features {
		d.feature(f)
		d.index++
	}
}

// feature reads one GeoJSON feature (RFC 7946, section 3.2).
func (d *decoder) feature(raw []byte) {
	if _, reason := open(raw, nil); reason != "" {
		d.refuse(reason)
		return
	}
	var form struct {
		Type       string          `json:"type"`
		ID         json.RawMessage `json:"id"`
		Geometry   geo.Shape       `json:"geometry"`
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(raw, &form); err != nil {
		d.refuse("feature: " + err.Error())
		return
	}
	if form.Type != "Feature" || len(form.Properties) == 0 || form.Properties[0] != '{' {
		d.refuse(`feature: want "type":"Feature" and properties that carry the record's fields`)
		return
	}
	d.item(form.Properties, &feature{form.ID, form.Geometry})
}
