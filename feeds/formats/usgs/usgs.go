// Package usgs is earthquakes of the U.S. Geological Survey: the GeoJSON summary feeds and the detail of one event.
//
// Each earthquake gives one Alert that judges nothing: severity is Unknown, urgency Past, certainty Observed. Its Keys are all ids
// under which networks know it, since the preferred id can change; sent is the time of the last revision.
package usgs

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Sender is whom the messages come from.
const Sender = "earthquake.usgs.gov"

// The format's own limits: milliseconds of the years 1900 and 2200, bytes of a text, depths in km (above sea level is negative).
const (
	firstMilli = -2_208_988_800_000
	lastMilli  = 7_258_118_400_000
	maxText    = 1024
	minDepthKm = -100
	maxDepthKm = 1000
)

// Format reads USGS GeoJSON. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("usgs", options)
}

// Decode reads a FeatureCollection or one Feature. Any other document is an error; a faulty feature costs only itself.
func (Format) Decode(body []byte, _ feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	items, err := features(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("usgs: %w", err)
	}
	var b feeds.Batch
	foreign := 0
	lines := &bounded.Lines{Body: body}
	for i, item := range items {
		line, _ := lines.At(item.From)
		alert, pass, err := read(lines, item)
		switch {
		case err != nil:
			if errors.Is(err, errForeign) {
				foreign++
			}
			b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("feature at line %d: %v", line, err)})
		case pass != "":
			b.Ignored = append(b.Ignored, feeds.Refusal{Index: i, Reason: pass})
		default:
			alert.Index = i
			b.Alerts = append(b.Alerts, alert)
		}
	}
	if foreign > 0 && foreign == len(items) {
		return feeds.Batch{}, errors.New("usgs: no feature of the collection has the properties ids, time and type of an earthquake")
	}
	return b, nil
}

// errForeign marks a feature that is no event at all.
var errForeign = errors.New("not an event: properties ids, time and type are missing")

func features(body []byte) ([]bounded.Span, error) {
	if err := bounded.JSONDocument(body); err != nil {
		return nil, err
	}
	top, err := bounded.Members(body, 0)
	if err != nil {
		return nil, err
	}
	kind := ""
	if s, ok := top["type"]; ok {
		_ = json.Unmarshal(body[s.From:s.To], &kind) // any other value is no kind that we know
	}
	switch list, ok := top["features"]; {
	case kind == "Feature":
		from := len(body) - len(strings.TrimLeft(string(body), " \t\r\n"))
		return []bounded.Span{{From: from, To: len(strings.TrimRight(string(body), " \t\r\n"))}}, nil
	case kind == "FeatureCollection" && ok:
		return bounded.Elements(body, list.From)
	default:
		return nil, errors.New("the document is not a GeoJSON FeatureCollection or Feature")
	}
}

// properties of an event (USGS, GeoJSON Summary Format).
type properties struct {
	Mag     *float64 `json:"mag"`
	Place   *string  `json:"place"`
	Time    *int64   `json:"time"`
	Updated *int64   `json:"updated"`
	URL     *string  `json:"url"`
	Alert   *string  `json:"alert"`
	Status  *string  `json:"status"`
	Tsunami *int     `json:"tsunami"`
	Net     *string  `json:"net"`
	Code    *string  `json:"code"`
	IDs     *string  `json:"ids"`
	MMI     *float64 `json:"mmi"`
	MagType *string  `json:"magType"`
	Type    *string  `json:"type"`
	Title   *string  `json:"title"`
}

type feature struct {
	Type       string                     `json:"type"`
	ID         *string                    `json:"id"`
	Properties map[string]json.RawMessage `json:"properties"`
	Geometry   *struct {
		Type        string     `json:"type"`
		Coordinates []*float64 `json:"coordinates"`
	} `json:"geometry"`
}

// known are the names that encoding/json would also take in other letters.
var known = []string{"mag", "place", "time", "updated", "url", "alert", "status", "tsunami", "net", "code", "ids", "mmi", "magType", "type", "title",
	"id", "properties", "geometry", "coordinates"}

// exact refuses a known name in other letters.
func exact(name string) error {
	for _, k := range known {
		if name != k && strings.EqualFold(name, k) {
			return fmt.Errorf("%.40q should be written %q", name, k)
		}
	}
	return nil
}

func text(s *string) string {
	if s == nil || len(*s) > maxText {
		return ""
	}
	return strings.TrimSpace(*s)
}

// read gives an alert, or why the feature is passed over, or what is wrong with it.
func read(lines *bounded.Lines, item bounded.Span) (alert feeds.Alert, pass string, err error) {
	f, p, err := parse(lines, item)
	if err != nil {
		return alert, "", err
	}
	keys := ids(f, p)
	if p.Time == nil && p.Type == nil && p.IDs == nil {
		return alert, "", errForeign
	}
	if kind := text(p.Type); kind != "" && kind != "earthquake" {
		return alert, fmt.Sprintf("type is %.40q: only earthquakes are kept", kind), nil
	}
	if len(keys) == 0 {
		return alert, "", errors.New("id and ids are missing")
	}
	deleted := text(p.Status) == "deleted"
	origin, err := milli("time", p.Time)
	if err != nil {
		return alert, "", err
	}
	sent := origin
	if p.Updated != nil {
		if sent, err = milli("updated", p.Updated); err != nil {
			return alert, "", err
		}
	}
	alert.Keys = keys
	alert.Message = cap.Message{Identifier: keys[0], Sender: Sender, Sent: sent, Status: "Actual", MsgType: "Alert", Scope: "Public"}
	if deleted {
		alert.Message.MsgType = "Cancel"
		if f.Geometry == nil {
			return alert, "", nil
		}
	}
	if alert.Quake, err = quake(f, p, origin); err != nil {
		return feeds.Alert{}, "", err
	}
	alert.Message.Infos = []cap.Info{info(p, alert.Quake, sent)}
	return alert, "", nil
}

func parse(lines *bounded.Lines, item bounded.Span) (f feature, p properties, err error) {
	body := lines.Body
	if err = bounded.JSONItem(lines, item); err != nil {
		return f, p, err
	}
	members, err := bounded.Members(body, item.From)
	if err != nil {
		return f, p, errors.New("not an object")
	}
	for name := range members {
		if err = exact(name); err != nil {
			return f, p, err
		}
	}
	if foreign(body, members) {
		return f, p, errForeign
	}
	if err = json.Unmarshal(body[item.From:item.To], &f); err != nil {
		return f, p, wrongType(err)
	}
	for name := range f.Properties {
		if err = exact(name); err != nil {
			return f, p, err
		}
	}
	if s, ok := members["properties"]; ok {
		if err = json.Unmarshal(body[s.From:s.To], &p); err != nil {
			return f, p, wrongType(err)
		}
	}
	return f, p, nil
}

// foreign tells a feature of another kind before its geometry, which may be of any type, is read.
func foreign(body []byte, members map[string]bounded.Span) bool {
	at, ok := members["properties"]
	if !ok {
		return false
	}
	properties, err := bounded.Members(body, at.From)
	if err != nil {
		return false
	}
	for name := range properties {
		if strings.EqualFold(name, "ids") || strings.EqualFold(name, "time") { // an event has both; a type has many another kind of feature
			return false
		}
	}
	return true
}

func wrongType(err error) error {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		return fmt.Errorf("%.40s is a %.20s", t.Field, t.Value)
	}
	return errors.New("cannot be read")
}

// ids gives the preferred id first and then the others, each once.
func ids(f feature, p properties) []string {
	all := []string{text(f.ID)}
	if all[0] == "" {
		all[0] = text(p.Net) + text(p.Code)
	}
	all = append(all, strings.Split(text(p.IDs), ",")...)
	var out []string
	for _, id := range all {
		id = strings.TrimSpace(id)
		if id != "" && !strings.ContainsAny(id, " \t\r\n,<&") && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func milli(name string, ms *int64) (moment.Time, error) {
	if ms == nil {
		return moment.Time{}, fmt.Errorf("%s is missing", name)
	}
	if *ms == 0 || *ms < firstMilli || *ms > lastMilli {
		return moment.Time{}, fmt.Errorf("%s %d is not milliseconds since 1970 of a year between 1900 and 2200", name, *ms)
	}
	return moment.OfMilli(*ms), nil
}

func quake(f feature, p properties, origin moment.Time) (*feeds.Quake, error) {
	if f.Geometry == nil || f.Geometry.Type != "Point" || len(f.Geometry.Coordinates) < 2 {
		return nil, errors.New("geometry is not a Point")
	}
	c := f.Geometry.Coordinates
	if c[0] == nil || c[1] == nil {
		return nil, errors.New("coordinates are null")
	}
	q := &feeds.Quake{OriginAt: origin, Position: geo.Position{Lat: *c[1], Lng: *c[0]}, Magnitude: p.Mag, Place: text(p.Place), Reviewed: text(p.Status) == "reviewed"}
	if err := q.Position.Validate(); err != nil {
		if (geo.Position{Lat: *c[0], Lng: *c[1]}).Validate() == nil {
			return nil, fmt.Errorf("coordinates: %w: longitude and latitude seem swapped", err)
		}
		return nil, fmt.Errorf("coordinates: %w", err)
	}
	if q.Position.IsNull() {
		return nil, errors.New("coordinates 0,0 stand for an unknown place")
	}
	if len(c) > 2 && c[2] != nil {
		q.DepthKm = *c[2]
	}
	if q.DepthKm < minDepthKm || q.DepthKm > maxDepthKm {
		return nil, fmt.Errorf("depth %v km is not within %d..%d", q.DepthKm, minDepthKm, maxDepthKm)
	}
	if m := q.Magnitude; m != nil && (math.Abs(*m) > 11) {
		return nil, fmt.Errorf("mag %v is not within -11..11", *m)
	}
	if p.Tsunami != nil && *p.Tsunami == 1 {
		q.Tsunami = "see the tsunami warning centre" // what the flag means; it is not a warning
	}
	return q, nil
}

func info(p properties, q *feeds.Quake, sent moment.Time) cap.Info {
	magnitude := "M ?"
	if q.Magnitude != nil {
		magnitude = fmt.Sprintf("M %.1f", *q.Magnitude)
	}
	place := q.Place
	if place == "" {
		place = fmt.Sprintf("%.3f, %.3f", q.Position.Lat, q.Position.Lng)
	}
	headline := text(p.Title)
	if headline == "" || q.Magnitude == nil {
		headline = magnitude + " - " + place
	}
	state := "not yet reviewed by a seismologist"
	if q.Reviewed {
		state = "reviewed by a seismologist"
	}
	i := cap.Info{
		Language: "en", Categories: []string{"Geo"}, Event: "Earthquake", Urgency: "Past", Severity: cap.Unknown, Certainty: "Observed",
		Effective: sent, Onset: q.OriginAt, SenderName: "U.S. Geological Survey", Headline: headline,
		Description: fmt.Sprintf("Earthquake %s, %s, depth %.1f km, at %s; %s.", magnitude, place, q.DepthKm, q.OriginAt, state),
		Areas:       []cap.Area{{Name: place, Shape: geo.Shape{Points: []geo.Position{q.Position}}}},
	}
	if u, err := url.Parse(text(p.URL)); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil {
		i.Web = u.String()
	}
	for _, v := range []cap.Value{{Name: "magType", Value: text(p.MagType)}, {Name: "PAGER", Value: text(p.Alert)}} {
		if v.Value != "" {
			i.Parameters = append(i.Parameters, v)
		}
	}
	if p.MMI != nil {
		i.Parameters = append(i.Parameters, cap.Value{Name: "mmi", Value: fmt.Sprintf("%.2f", *p.MMI)})
	}
	return i
}
