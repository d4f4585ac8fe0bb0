// Package petabencana is PetaBencana.id (CogniCity) as GeoJSON: citizens' reports, flooded areas and flood gauges.
//
// A report becomes a Report whose handles, addresses and numbers of people are masked; one of a training is passed over. A flooded area
// becomes an Alert, and a list of them is the whole state: an area that vanishes has drained. A gauge gives readings in cm and its alert
// level as text. The collection may stand alone or as the API's {"statusCode", "result"}. TopoJSON, the API's default, is refused with the
// remedy. Times without an offset are local: the archive's are WIB.
//
// Option: zone, for times without an offset; default WIB.
package petabencana

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
	"kentongan/feeds/fields"
	"kentongan/feeds/mapped"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Sender is whom alerts of flooded areas come from.
const Sender = "petabencana.id"

// Bounds in bytes; a longer report is cut.
const (
	maxName  = 256
	maxProse = 16384
)

// Format reads PetaBencana's GeoJSON. It is safe for concurrent use.
type Format struct{ zone *time.Location }

// New gives the format. Its option is zone.
func New(options map[string]any) (feeds.Format, error) {
	name := "WIB"
	for key, v := range options {
		if key != "zone" {
			return nil, &mapped.Fault{Key: key, Reason: "the format petabencana has no such option; it has zone"}
		}
		name, _ = v.(string)
	}
	zone, err := mapped.Zone(name)
	if err != nil {
		return nil, &mapped.Fault{Key: "zone", Reason: fmt.Sprintf("%.40q is no zone such as Asia/Jakarta, WIB or +07:00", name)}
	}
	return Format{zone}, nil
}

// errForeign marks a feature that is none of the three.
var errForeign = errors.New("neither a report nor a flooded area nor a gauge")

// Decode reads a FeatureCollection. Any other document is an error.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	items, err := collection(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("petabencana: %w", err)
	}
	r := reader{zone: f.zone, meta: meta}
	lines := &bounded.Lines{Body: body}
	foreign := 0
	for i, item := range items {
		r.index = i
		line, _ := lines.At(item.From)
		err := bounded.JSONItem(lines, item)
		if err == nil {
			err = r.feature(body[item.From:item.To])
		}
		if errors.Is(err, errForeign) {
			foreign++
		}
		if err != nil {
			r.batch.Rejected = append(r.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("feature at line %d: %v", line, err)})
		}
	}
	if foreign > 0 && foreign == len(items) {
		return feeds.Batch{}, errors.New("petabencana: no feature of the collection is a report, a flooded area or a gauge")
	}
	r.batch.Snapshot = len(r.batch.Alerts) > 0 || len(items) == 0 && asksForAreas(meta.URL)
	r.batch.AllAlerts = r.batch.Snapshot && !meta.Part
	return r.batch, nil
}

// asksForAreas tells whose list it is where nothing stands in it: areas that have all drained are news, a day without reports is none.
func asksForAreas(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/floods")
}

// collection finds the features, inside the API's answer or without it.
func collection(body []byte) ([]bounded.Span, error) {
	if err := bounded.JSONDocument(body); err != nil {
		return nil, err
	}
	top, err := bounded.Members(body, 0)
	if err != nil {
		return nil, err
	}
	if result, ok := top["result"]; ok && body[result.From] == '{' {
		if top, err = bounded.Members(body, result.From); err != nil {
			return nil, err
		}
	}
	kind := ""
	if s, ok := top["type"]; ok {
		_ = json.Unmarshal(body[s.From:s.To], &kind) // any other value is no kind that we know
	}
	list, ok := top["features"]
	switch {
	case kind == "Topology":
		return nil, errors.New("the document is TopoJSON: ask with geoformat=geojson")
	case kind != "FeatureCollection" || !ok:
		return nil, errors.New("the document is not a GeoJSON FeatureCollection")
	}
	return bounded.Elements(body, list.From)
}

type reader struct {
	zone  *time.Location
	meta  feeds.Meta
	index int
	batch feeds.Batch
}

// feature reads one feature of any of the three lists.
func (r *reader) feature(raw []byte) error {
	o, err := fields.Read(raw)
	if err != nil {
		return err
	}
	if kind := o.Text("type", maxName); kind != "Feature" {
		return errForeign
	}
	p := o.Object("properties")
	var shape geo.Shape
	if g := o.Raw("geometry"); g != nil {
		if err := json.Unmarshal(g, &shape); err != nil {
			return fmt.Errorf("geometry: %w", err)
		}
	}
	switch {
	case p.Has("created_at"):
		err = r.report(p, shape)
	case p.Has("state") && (p.Has("area_id") || p.Has("geom_id")):
		err = r.area(p, shape)
	case p.Has("gaugeid") && p.Has("observations"):
		err = r.gauge(p, shape)
	default:
		err = errForeign
	}
	if fault := o.Fault(); fault != nil {
		return fault
	}
	return err
}

// point gives the place of a feature that is one point.
func point(shape geo.Shape) (geo.Position, error) {
	if len(shape.Points) != 1 || len(shape.Lines)+len(shape.Polygons) > 0 {
		return geo.Position{}, errors.New("geometry is not a Point")
	}
	return shape.Points[0], fields.Position(shape.Points[0])
}

func (r *reader) time(o *fields.Object, name string) (moment.Time, error) {
	s := o.Need(name, maxName)
	if s == "" {
		return moment.Time{}, nil // Need has noted it
	}
	if at, err := fields.RFC3339(s); err == nil {
		return at, nil
	}
	local, err := time.ParseInLocation("2006-01-02T15:04:05", strings.Replace(s, " ", "T", 1), r.zone)
	if err != nil {
		return moment.Time{}, fmt.Errorf("%s %.40q is no time", name, s)
	}
	return fields.RFC3339(local.Format(time.RFC3339Nano))
}

func (r *reader) pass(reason string) error {
	r.batch.Ignored = append(r.batch.Ignored, feeds.Refusal{Index: r.index, Reason: reason})
	return nil
}

// report reads a citizen's report. Its id is pkey; the archive has none, and there time, place and source stand for it.
func (r *reader) report(p *fields.Object, shape geo.Shape) error {
	if p.Raw("is_training") != nil && p.Bool("is_training") {
		return r.pass("a report of a training")
	}
	at, err := r.time(p, "created_at")
	if err != nil {
		return err
	}
	place, err := point(shape)
	if err != nil {
		return err
	}
	source := p.Text("source", maxName)
	id := p.Label("pkey", maxName)
	if id == "" {
		id = fmt.Sprintf("%s/%.5f,%.5f/%s", at, place.Lng, place.Lat, source)
	}
	data := p.Object("report_data")
	kind := data.Text("report_type", maxName)
	if kind == "" {
		kind = p.Text("disaster_type", maxName)
	}
	depth := data.Number("flood_depth")
	if kind == "" && depth != nil {
		kind = "flood"
	}
	text := Mask(fields.Cut(p.Text("text", 1<<20), maxProse))
	if title := Mask(p.Text("title", 1<<20)); title != "" && len(title) <= maxName && !strings.HasPrefix(text, title) {
		text = strings.TrimSpace(title + ": " + text)
	}
	if depth != nil {
		text = strings.TrimSpace(fmt.Sprintf("%s (flood_depth %v cm)", text, *depth))
	}
	if text == "" {
		text = kind
	}
	media := p.Text("image_url", 4096)
	if p.Fault() != nil {
		return nil // told by feature
	}
	if text == "" {
		return r.pass("a report without a word")
	}
	channel := "petabencana"
	if source != "" {
		channel += "/" + source
	}
	r.batch.Reports = append(r.batch.Reports, feeds.Report{Index: r.index, ID: id, Channel: channel, Text: text, Type: kind, At: at, Media: media,
		Position: place, Placed: true, ReceivedAt: moment.Of(r.meta.ReceivedAt)})
	return nil
}

// people are handles, e-mail addresses and telephone numbers.
var people = regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.-]+|@\w+|\+?\d[\d -]{6,}\d`)

// Mask hides what would tell who spoke, or of whom: public speech is stored without its people.
func Mask(text string) string { return people.ReplaceAllString(text, "***") }

// states of a flooded area (feeds.md, severity crosswalk).
var states = map[float64]cap.Severity{1: cap.Unknown, 2: cap.Minor, 3: cap.Moderate, 4: cap.Severe}

// area reads a flooded area, whose words differ between the API and the archive. Its identity is area, state and time of change: the state
// stands in words, which nobody takes for the numbers of versions.
func (r *reader) area(p *fields.Object, shape geo.Shape) error {
	key, changed := "area_id", "last_updated"
	if !p.Has(key) {
		key = "geom_id"
	}
	if !p.Has(changed) {
		changed = "changed"
	}
	id := p.Label(key, maxName)
	sent, err := r.time(p, changed)
	if err != nil {
		return err
	}
	state := p.Number("state")
	if p.Fault() != nil {
		return nil
	}
	if len(shape.Polygons) == 0 {
		return errors.New("geometry is not a Polygon")
	}
	severity, ok := states[*state]
	if !ok {
		severity = cap.Unknown
	}
	var names []string
	for _, name := range []string{"area_name", "parent_name", "city_name"} {
		if s := p.Text(name, maxName); s != "" {
			names = append(names, s)
		}
	}
	where := strings.Join(names, ", ")
	if where == "" {
		where = "area " + id
	}
	certainty := "Observed"
	if severity == cap.Unknown {
		certainty = "Possible"
	}
	r.batch.Alerts = append(r.batch.Alerts, feeds.Alert{Index: r.index, Keys: []string{"flooded/" + id}, Message: cap.Message{
		Identifier: "flooded/" + id + "/" + strings.ToLower(string(severity)), Sender: Sender, Sent: sent, Status: "Actual", MsgType: "Alert", Scope: "Public",
		Infos: []cap.Info{{Language: "id", Categories: []string{"Met"}, Event: "Banjir", Urgency: "Immediate", Severity: severity, Certainty: certainty,
			Effective: sent, Onset: sent, SenderName: "PetaBencana.id", Headline: "Banjir, " + where,
			Parameters: []cap.Value{{Name: "state", Value: fmt.Sprint(*state)}}, Areas: []cap.Area{{Name: where, Shape: shape}}}},
	}})
	return p.Fault()
}

// gauge reads a flood gauge: f1 is the time, f2 the level in cm, f4 the alert level in words, "SIAGA IV " being the normal one.
func (r *reader) gauge(p *fields.Object, shape geo.Shape) error {
	place, err := point(shape)
	if err != nil {
		return err
	}
	kind := r.meta.Kind
	if kind == "" {
		kind = "river_gauge"
	}
	base := feeds.Observation{Index: r.index, Thing: p.Label("gaugeid", maxName), Name: p.Text("gaugenameid", maxName), Kind: kind, Position: place, Placed: true,
		ReceivedAt: moment.Of(r.meta.ReceivedAt), Quality: feeds.Good}
	var out []feeds.Observation
	for _, one := range p.Objects("observations") {
		o := base
		if o.At, err = r.time(one, "f1"); err != nil {
			return err
		}
		if level := one.Number("f2"); level != nil {
			o.Property, o.Unit, o.Value = "water_level", "cm", feeds.Value{Num: *level}
			out = append(out, o)
		}
		if words := one.Text("f4", maxName); words != "" {
			o.Property, o.Unit, o.Value = "alert_level", "", feeds.Value{Type: feeds.Text, Text: words}
			out = append(out, o)
		}
	}
	if p.Fault() == nil {
		r.batch.Observations = append(r.batch.Observations, out...)
	}
	return nil
}
