// Package geojson is any GeoJSON (RFC 7946): a Thing per feature, or what a jq program of the settings makes of each.
//
// Without a map each feature is a Thing by its id. Every number, text and bool of its properties is an observation by the property's
// name, inner ones with points between the names; lists are passed over. A Thing stands on its point, in the middle of its line, or at the
// centroid of its largest polygon. With a map a jq program makes native records of each feature (see feeds/mapped); a record that says
// no place stands where the feature's point is, and an alert without an area has the feature's geometry.
//
// Options: id, name and at name properties, such as properties "kode", "nama", "updated": id where features have none of their own, name
// what the Thing is called, at the time of the observations (RFC 3339, or seconds or milliseconds since 1970); without it the time is not
// known. Or map alone.
package geojson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/feeds/mapped"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of an id, a name and a text, values of a feature, objects within objects.
const (
	maxID     = 200
	maxName   = 256
	maxText   = 4096
	maxValues = 100
	maxDepth  = 3
)

// Format reads GeoJSON. It is safe for concurrent use.
type Format struct {
	id, name, at string
	mapper       *mapped.Mapper
}

// wrap runs the map over a feature and gives its records the feature's place where they say none.
const wrap = `def _place($f):
  if type != "object" then .
  elif .record == "alert" then (if has("area") or has("lng") or has("lat") then . else .area = $f.geometry end)
  elif has("lng") or has("lat") or $f.geometry.type? != "Point" then .
  else .lng = $f.geometry.coordinates[0] | .lat = $f.geometry.coordinates[1] end;
. as $f | (%s
) | if type == "array" then map(_place($f)) else _place($f) end`

// New reads the options. Its error joins every fault.
func New(options map[string]any) (feeds.Format, error) {
	f := Format{}
	var faults []error
	names := map[string]*string{"id": &f.id, "name": &f.name, "at": &f.at}
	for key, value := range options {
		to, ok := names[key]
		switch {
		case key == "map":
		case !ok:
			faults = append(faults, fmt.Errorf("geojson: option %.40q: there are id, name, at, and map", key))
		case options["map"] != nil:
			faults = append(faults, fmt.Errorf("geojson: option %s: stands without a map only", key))
		default:
			if *to, ok = value.(string); !ok || *to == "" {
				faults = append(faults, fmt.Errorf("geojson: option %s: want the name of a property", key))
			}
		}
	}
	if program := options["map"]; program != nil {
		_, err := mapped.New(map[string]any{"map": program}) // by itself, so that a fault's place is that in the settings
		if err == nil {
			f.mapper, err = mapped.New(map[string]any{"map": fmt.Sprintf(wrap, program), "each": `if .type == "Feature" then . else .features[] end`})
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return f, nil
}

// Decode reads a FeatureCollection, which is a snapshot, or one Feature. Any other document is an error; a faulty feature costs only itself.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	items, collection, err := features(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("geojson: %w", err)
	}
	if f.mapper != nil {
		return f.mapped(body, meta, collection, len(items))
	}
	b := feeds.Batch{Snapshot: collection}
	seen := map[string]int{}
	lines := &bounded.Lines{Body: body}
	for i, item := range items {
		line, _ := lines.At(item.From)
		pass, err := f.feature(&b, i, lines, item, seen)
		if err != nil {
			b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("feature at line %d: %v", line, err)})
		} else if pass != "" {
			b.Ignored = append(b.Ignored, feeds.Refusal{Index: i, Reason: pass})
		}
	}
	return b, nil
}

func features(body []byte) (items []bounded.Span, collection bool, err error) {
	if err := bounded.JSONDocument(body); err != nil {
		return nil, false, err
	}
	top, err := bounded.Members(body, 0)
	if err != nil {
		return nil, false, err
	}
	kind := top["type"]
	switch list, ok := top["features"]; {
	case string(body[kind.From:kind.To]) == `"Feature"`:
		return []bounded.Span{{From: len(body) - len(bytes.TrimLeft(body, " \t\r\n")), To: len(bytes.TrimRight(body, " \t\r\n"))}}, false, nil
	case ok && string(body[kind.From:kind.To]) == `"FeatureCollection"`:
		items, err = bounded.Elements(body, list.From)
		return items, true, err
	}
	return nil, false, errors.New("the document is not a GeoJSON FeatureCollection or Feature")
}

// mapped runs the program over a document, which must be strict to its end: nobody could say which of two equal keys it should see.
func (f Format) mapped(body []byte, meta feeds.Meta, collection bool, items int) (feeds.Batch, error) {
	if err := bounded.JSON(body, bounded.DefaultDepth); err != nil {
		return feeds.Batch{}, fmt.Errorf("geojson: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return feeds.Batch{}, fmt.Errorf("geojson: %w", err)
	}
	run := f.mapper.Begin(meta, len(body))
	if items > 0 {
		if err := run.Document(doc, ""); err != nil {
			return feeds.Batch{}, fmt.Errorf("geojson: %w", err)
		}
	}
	b := run.Batch()
	b.Snapshot = collection
	return b, nil
}

// feature reads one Thing.
func (f Format) feature(b *feeds.Batch, i int, lines *bounded.Lines, item bounded.Span, seen map[string]int) (pass string, err error) {
	if err := bounded.JSONItem(lines, item); err != nil {
		return "", err
	}
	o, err := fields.Read(lines.Body[item.From:item.To])
	if err != nil {
		return "", err
	}
	if kind := o.Text("type", maxName); kind != "Feature" {
		o.Fail("type %.40q is not Feature", kind)
	}
	p := o.Object("properties")
	base := feeds.Observation{Index: i, Thing: id(o, p, f.id)}
	if f.name != "" {
		base.Name = p.Label(f.name, maxName)
	}
	if f.at != "" {
		base.At = when(p, f.at)
	}
	if raw := o.Raw("geometry"); raw != nil {
		if base.Position, err = place(raw); err != nil {
			o.Fail("geometry: %w", err)
		}
		base.Placed = true
	}
	leaves := p.Leaves(maxDepth, maxValues, maxText)
	if first, twice := seen[base.Thing]; twice {
		o.Fail("id %q was given before, by feature %d", base.Thing, first)
	}
	if err := o.Fault(); err != nil {
		return "", err
	}
	seen[base.Thing] = i
	before := len(b.Observations)
	for _, l := range leaves {
		if l.Name == f.id || l.Name == f.name || l.Name == f.at || l.Name == "" {
			continue
		}
		base.Property = l.Name
		switch v := l.Value.(type) {
		case float64:
			base.Value = feeds.Value{Num: v}
		case bool:
			base.Value = feeds.Value{Type: feeds.Bool}
			if v {
				base.Value.Num = 1
			}
		case string:
			if v == "" {
				continue
			}
			base.Value = feeds.Value{Type: feeds.Text, Text: v}
		}
		b.Observations = append(b.Observations, base)
	}
	switch {
	case len(b.Observations) > before:
	case base.Placed:
		b.Positions = append(b.Positions, feeds.UnitPosition{Index: i, Unit: base.Thing, Kind: base.Kind, Name: base.Name, At: base.At, Position: base.Position})
	default:
		return "a feature without a place and without values", nil
	}
	return "", nil
}

// id is the feature's own, else that of the property.
func id(o, p *fields.Object, property string) string {
	s := ""
	if property != "" {
		s = p.Label(property, maxID)
	}
	if s == "" {
		s = o.Label("id", maxID)
	}
	if s == "" {
		o.Fail("id is missing; the option id names a property that stands for it")
	}
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) >= 0 {
		o.Fail("id %.40q is not plain text", s)
	}
	return s
}

// millis begin where seconds would be of the year 5138.
const millis = 100_000_000_000

// when reads RFC 3339, or seconds or milliseconds since 1970.
func when(p *fields.Object, name string) moment.Time {
	raw := p.Raw(name)
	switch {
	case len(raw) > 0 && raw[0] == '"':
		return p.Time(name)
	case raw == nil:
		return moment.Time{}
	}
	if n := p.Number(name); n != nil && *n >= millis {
		return p.Millis(name)
	}
	return p.Seconds(name)
}

// place is where a Thing of that geometry stands: its first point, the middle corner of its longest line by corners, or the centroid of its
// largest polygon.
func place(raw []byte) (geo.Position, error) {
	var s geo.Shape
	if err := s.UnmarshalJSON(raw); err != nil {
		if errors.Is(err, geo.ErrPosition) {
			err = fmt.Errorf("%w (longitude comes first: swapped?)", err)
		}
		return geo.Position{}, err
	}
	var at geo.Position
	switch {
	case len(s.Points) > 0:
		at = s.Points[0]
	case len(s.Lines) > 0:
		line := slices.MaxFunc(s.Lines, func(a, b []geo.Position) int { return len(a) - len(b) })
		if len(line) == 0 {
			return at, errors.New("a line without positions")
		}
		at = line[len(line)/2]
	case len(s.Polygons) > 0:
		largest := 0.0
		for _, p := range s.Polygons {
			if len(p.Rings) == 0 || len(p.Rings[0]) == 0 {
				return at, errors.New("a polygon without corners")
			}
			if c, area := centroid(p.Rings[0]); area >= largest {
				at, largest = c, area
			}
		}
	default:
		return at, errors.New("empty")
	}
	return at, fields.Position(at)
}

// centroid of a ring and its area in square degrees, both on the plane; its first corner where it has no area.
func centroid(ring []geo.Position) (c geo.Position, area float64) {
	o := ring[0] // near numbers keep their digits
	for i := range ring {
		a, b := ring[i], ring[(i+1)%len(ring)]
		cross := (a.Lng-o.Lng)*(b.Lat-o.Lat) - (b.Lng-o.Lng)*(a.Lat-o.Lat)
		area += cross / 2
		c.Lng += (a.Lng + b.Lng - 2*o.Lng) * cross / 6
		c.Lat += (a.Lat + b.Lat - 2*o.Lat) * cross / 6
	}
	if area == 0 {
		return o, 0
	}
	return geo.Position{Lat: o.Lat + c.Lat/area, Lng: o.Lng + c.Lng/area}, max(area, -area)
}
