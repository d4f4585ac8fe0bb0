// Package bmkg is earthquakes of BMKG: autogempa, gempaterkini and gempadirasakan as JSON or XML, and the real-time GeoJSON.
//
// Read are the object and the array under Infogempa.gempa, a bare array or object of quakes, and a FeatureCollection whose numbers
// are strings. Each quake gives one Alert that judges nothing: severity is Unknown, urgency Past, certainty Observed. BMKG gives no
// id; Keys are the name of the shakemap, and the time to the second with the position to 0.1 degree, so that the lists join.
// A revision keeps its identifier: sent is the origin time, because BMKG gives no other.
package bmkg

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
)

// Sender is whom the messages come from.
const Sender = "bmkg.go.id"

// Format reads BMKG earthquakes. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("bmkg", options)
}

// fields of one quake by BMKG's names, whichever form they came in.
type fields map[string]string

// item is one quake with its place in the document.
type item struct {
	line   int
	fields fields
	err    error
}

// Decode reads one document. One that lists no quakes in a known form is an error; a faulty quake costs only itself.
func (Format) Decode(body []byte, _ feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	read := fromJSON
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		read = fromXML
	}
	items, err := read(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("bmkg: %w", err)
	}
	var b feeds.Batch
	foreign := 0
	for i, it := range items {
		err := it.err
		if err == nil && it.fields.foreign() {
			foreign++
			err = errForeign
		}
		var alert feeds.Alert
		if err == nil {
			alert, err = it.fields.alert()
		}
		if err != nil {
			b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("gempa at line %d: %v", it.line, err)})
			continue
		}
		alert.Index = i
		b.Alerts = append(b.Alerts, alert)
	}
	if foreign > 0 && foreign == len(items) {
		return feeds.Batch{}, fmt.Errorf("bmkg: line %d: %w", items[0].line, errForeign)
	}
	return b, nil
}

var errForeign = errors.New("has none of Tanggal, Jam, DateTime, Coordinates, Magnitude: not a quake of BMKG")

var errForm = errors.New("the document is not Infogempa, a list of quakes, or a GeoJSON FeatureCollection")

// names are the fields that are read.
var names = []string{"Tanggal", "Jam", "DateTime", "Coordinates", "Lintang", "Bujur", "Magnitude", "Kedalaman", "Wilayah", "Potensi",
	"Dirasakan", "Shakemap"}

func (f fields) foreign() bool {
	for _, name := range []string{"Tanggal", "Jam", "DateTime", "Coordinates", "Magnitude"} {
		if f[name] != "" {
			return false
		}
	}
	return true
}

// put keeps a field that is read, and refuses one in other letters or given twice.
func (f fields) put(name, text string) error {
	for _, known := range names {
		switch {
		case name == known:
			if _, twice := f[name]; twice {
				return fmt.Errorf("%s is given twice", name)
			}
			if len(text) > maxText {
				return fmt.Errorf("%s is longer than %d bytes", name, maxText)
			}
			f[name] = strings.TrimSpace(text)
			return nil
		case strings.EqualFold(name, known):
			return fmt.Errorf("%.40q should be written %q", name, known)
		}
	}
	return nil
}

func fromJSON(body []byte) ([]item, error) {
	if err := bounded.JSONDocument(body); err != nil {
		return nil, err
	}
	at := bounded.Span{From: len(body) - len(bytes.TrimLeft(body, " \t\r\n")), To: len(bytes.TrimRight(body, " \t\r\n"))}
	if body[at.From] == '{' {
		top, err := bounded.Members(body, at.From)
		if err != nil {
			return nil, err
		}
		if s, ok := top["Infogempa"]; ok {
			if top, err = bounded.Members(body, s.From); err != nil {
				return nil, err
			}
			at, ok = top["gempa"]
			if !ok {
				return nil, errors.New("Infogempa has no gempa")
			}
		} else if s, ok := top["features"]; ok && string(body[top["type"].From:top["type"].To]) == `"FeatureCollection"` {
			return list(body, s, realtime)
		} else if s, ok := top["gempa"]; ok {
			at = s
		} else if _, ok := top["Coordinates"]; !ok {
			return nil, errForm
		}
	}
	switch body[at.From] {
	case '[':
		return list(body, at, quake)
	case '{':
		line, _ := bounded.Place(body, at.From)
		f, err := quake(&bounded.Lines{Body: body}, at)
		return []item{{line, f, err}}, nil
	}
	return nil, errForm
}

func list(body []byte, at bounded.Span, read func(*bounded.Lines, bounded.Span) (fields, error)) ([]item, error) {
	spans, err := bounded.Elements(body, at.From)
	if err != nil {
		return nil, err
	}
	out := make([]item, 0, len(spans))
	lines := &bounded.Lines{Body: body}
	for _, s := range spans {
		line, _ := lines.At(s.From)
		f, err := read(lines, s)
		out = append(out, item{line, f, err})
	}
	return out, nil
}

// quake reads the flat form: every value a string.
func quake(lines *bounded.Lines, s bounded.Span) (fields, error) {
	body := lines.Body
	members, err := object(lines, s)
	if err != nil {
		return nil, err
	}
	f := fields{}
	for name, v := range members {
		text, ok := scalar(body[v.From:v.To])
		if !ok {
			text = ""
		}
		if err := f.put(name, text); err != nil {
			return nil, err
		}
		if _, read := f[name]; read && !ok {
			return nil, fmt.Errorf("%s is not a text", name)
		}
	}
	return f, nil
}

// realtime reads a GeoJSON feature, whose times are UTC without saying so and whose coordinates are longitude first.
func realtime(lines *bounded.Lines, s bounded.Span) (fields, error) {
	body := lines.Body
	members, err := object(lines, s)
	if err != nil {
		return nil, err
	}
	f := fields{}
	g, ok1 := members["geometry"]
	p, ok2 := members["properties"]
	if !ok1 || !ok2 {
		return f, nil // no quake at all: judged as such
	}
	properties, err := bounded.Members(body, p.From)
	if err != nil {
		return nil, errors.New("properties is not an object")
	}
	for from, to := range map[string]string{"mag": "Magnitude", "time": "DateTime", "depth": "Kedalaman", "place": "Wilayah", "status": "status", "id": "id"} {
		if v, ok := properties[from]; ok {
			text, ok := scalar(body[v.From:v.To])
			if !ok {
				return nil, fmt.Errorf("properties.%s is not a text or number", from)
			}
			f[to] = strings.TrimSpace(text)
		}
	}
	if t := properties["time"]; body[t.From] != '"' {
		return fields{}, nil // USGS writes a number here
	}
	if f["DateTime"] == "" || f["Magnitude"] == "" && f["Kedalaman"] == "" {
		return fields{}, nil
	}
	if _, err := utc(f["DateTime"]); err != nil {
		return nil, err
	}
	geometry, err := bounded.Members(body, g.From)
	if err != nil {
		return nil, errors.New("geometry is not an object")
	}
	c, ok := geometry["coordinates"]
	if !ok {
		return nil, errors.New("geometry has no coordinates")
	}
	axes, err := bounded.Elements(body, c.From)
	if err != nil || len(axes) < 2 {
		return nil, errors.New("coordinates are not longitude, latitude and depth")
	}
	lng, ok1 := scalar(body[axes[0].From:axes[0].To])
	lat, ok2 := scalar(body[axes[1].From:axes[1].To])
	if !ok1 || !ok2 {
		return nil, errors.New("coordinates are not numbers")
	}
	f["Coordinates"] = lat + "," + lng
	if len(axes) > 2 && f["Kedalaman"] == "" {
		f["Kedalaman"], _ = scalar(body[axes[2].From:axes[2].To])
	}
	return f, nil
}

// object checks one quake strictly: keys once, in one case, valid UTF-8.
func object(lines *bounded.Lines, s bounded.Span) (map[string]bounded.Span, error) {
	if err := bounded.JSONItem(lines, s); err != nil {
		return nil, err
	}
	members, err := bounded.Members(lines.Body, s.From)
	if err != nil {
		return nil, errors.New("is not an object")
	}
	return members, nil
}

// scalar reads a string or a number as text; null is empty.
func scalar(raw []byte) (string, bool) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case '{', '[', 't', 'f':
		return "", false
	case 'n':
		return "", true
	}
	return string(raw), true
}

// fromXML reads <Infogempa><gempa>…, in which the position stands under point/coordinates.
func fromXML(body []byte) ([]item, error) {
	root, err := cap.Parse(body)
	if err != nil {
		return nil, err
	}
	if root.Name != "Infogempa" || root.Space != "" {
		return nil, fmt.Errorf("<%.40s> at line %d is not <Infogempa>", root.Name, root.Line)
	}
	var out []item
	for _, e := range root.All("", "gempa") {
		f, err := element(e)
		out = append(out, item{e.Line, f, err})
	}
	return out, nil
}

func element(e *cap.Element) (fields, error) {
	f := fields{}
	for _, c := range e.Children {
		name, at := c.Name, c
		if name == "point" {
			name, at = "Coordinates", c.First("", "coordinates")
			if at == nil || len(c.Children) != 1 {
				return nil, fmt.Errorf("<point> at line %d does not hold one <coordinates>", c.Line)
			}
		}
		if len(at.Children) > 0 {
			return nil, fmt.Errorf("<%.40s> at line %d holds elements where text should be", at.Name, at.Line)
		}
		if err := f.put(name, at.Text); err != nil {
			return nil, fmt.Errorf("line %d: %w", c.Line, err)
		}
	}
	return f, nil
}
