// Package adsb is aircraft as ADS-B receivers hear them: aircraft.json of dump1090, readsb and tar1090, and flown tracks as JSON records.
//
// An aircraft is a Thing of kind aircraft by its ICAO address, named by its call sign; an address with ~ before it is not ICAO's and
// stays so. Speed comes in knots and altitude in feet, of which "ground" is one. The time is when the place was heard: now less
// seen_pos, or a record's last_position, so that a place that is only repeated is no new one. Aircraft that have told no place are
// counted and passed over. aircraft.json says all that the receiver has in view and so is a snapshot. A body may be gzip.
package adsb

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a name, knots, feet, seconds since a place was heard.
const (
	maxName    = 40
	maxKnots   = 3000
	minFeet    = -2000
	maxFeet    = 150_000
	maxSeconds = 1_000_000
)

const (
	knot = 1852.0 / 3600 // m/s
	foot = 0.3048        // m
)

// Format reads ADS-B as JSON. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("adsb", options)
}

// Decode reads aircraft.json or an array of records. Any other document is an error; a faulty aircraft costs only itself.
func (Format) Decode(body []byte, _ feeds.Meta) (feeds.Batch, error) {
	if bounded.IsGzip(body) {
		var err error
		if body, err = bounded.Gunzip(body, bounded.DefaultInflated); err != nil {
			return feeds.Batch{}, fmt.Errorf("adsb: %w", err)
		}
	}
	body = bounded.TrimBOM(body)
	if err := bounded.JSONDocument(body); err != nil {
		return feeds.Batch{}, fmt.Errorf("adsb: %w", err)
	}
	d := decoder{lines: &bounded.Lines{Body: body}}
	var err error
	if bytes.TrimLeft(body, " \t\r\n")[0] == '[' {
		err = d.records(body)
	} else {
		err = d.picture(body)
	}
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("adsb: %w", err)
	}
	if d.placeless > 0 {
		d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: d.first, Reason: fmt.Sprintf("no place heard: %d aircraft", d.placeless)})
	}
	return d.batch, nil
}

type decoder struct {
	lines            *bounded.Lines
	placeless, first int // how many have no place, and the first of them
	batch            feeds.Batch
}

// picture reads {"now":...,"aircraft":[...]}.
func (d *decoder) picture(body []byte) error {
	top, err := bounded.Members(body, 0)
	if err != nil {
		return err
	}
	list, ok := top["aircraft"]
	clock, ok2 := top["now"]
	if !ok || !ok2 {
		return errors.New("the document has not the members now and aircraft")
	}
	head, err := fields.Read([]byte(`{"now":` + string(body[clock.From:clock.To]) + `}`))
	if err != nil {
		return fmt.Errorf("now: %w", err)
	}
	now := head.Seconds("now")
	if err := head.Fault(); err != nil {
		return err
	}
	if now.IsZero() {
		return errors.New("now is missing")
	}
	items, err := bounded.Elements(body, list.From)
	if err != nil {
		return fmt.Errorf("aircraft: %w", err)
	}
	for i, item := range items {
		d.item(i, item, func(o *fields.Object) (said, bool) { return aircraft(o, now) })
	}
	d.batch.Snapshot = true
	return nil
}

// records reads an array of one aircraft at one time each, as flown tracks are kept.
func (d *decoder) records(body []byte) error {
	items, err := bounded.Elements(body, 0)
	if err != nil {
		return err
	}
	ours := false
	for i, item := range items {
		d.item(i, item, func(o *fields.Object) (said, bool) {
			ours = ours || o.Has("icao24")
			return record(o)
		})
	}
	if !ours {
		return errors.New("no record of the array has an icao24")
	}
	return nil
}

// said is what one item says of an aircraft.
type said struct {
	position  feeds.UnitPosition
	altitude  *float64 // metres
	ground    bool
	emergency string
}

// item reads one item by read, which tells whether the aircraft has a place.
func (d *decoder) item(i int, item bounded.Span, read func(o *fields.Object) (said, bool)) {
	line, column := d.lines.At(item.From)
	err := bounded.JSONItem(d.lines, item)
	var o *fields.Object
	if err == nil {
		o, err = fields.Read(d.lines.Body[item.From:item.To])
	}
	var s said
	placed := false
	if err == nil {
		s, placed = read(o)
		err = o.Fault()
	}
	switch {
	case err != nil:
		d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("aircraft at line %d column %d: %v", line, column, err)})
		return
	case !placed:
		if d.placeless++; d.placeless == 1 {
			d.first = i
		}
		return
	}
	s.position.Index, s.position.Kind = i, "aircraft"
	d.batch.Positions = append(d.batch.Positions, s.position)
	p := s.position
	add := func(property, unit string, v feeds.Value) {
		d.batch.Observations = append(d.batch.Observations, feeds.Observation{Index: i, Thing: p.Unit, Kind: p.Kind, Name: p.Name, Property: property, Value: v, Unit: unit,
			At: p.At, Position: p.Position, Placed: true, Quality: feeds.Good})
	}
	if s.altitude != nil {
		add("altitude", "m", feeds.Value{Num: *s.altitude})
	}
	if s.ground {
		add("on_ground", "", feeds.Value{Type: feeds.Bool, Num: 1})
	}
	if s.emergency != "" {
		add("emergency", "", feeds.Value{Type: feeds.Text, Text: s.emergency})
	}
}

var (
	address = regexp.MustCompile(`^~?[0-9a-f]{6}$`)
	code    = regexp.MustCompile(`^[0-7]{4}$`)
)

// distress are the transponder codes that mean an emergency.
var distress = map[string]string{"7500": "unlawful interference", "7600": "radio failure", "7700": "general emergency"}

// accuracy in metres (95 %) of the navigation accuracy category for position (DO-260B, table 2-70).
var accuracy = map[float64]float64{1: 18520, 2: 7408, 3: 3704, 4: 1852, 5: 926, 6: 555.6, 7: 185.2, 8: 92.6, 9: 30, 10: 10, 11: 3}

func unit(o *fields.Object, id, name string) feeds.UnitPosition {
	p := feeds.UnitPosition{Unit: strings.ToLower(o.Need(id, maxName)), Name: o.Text(name, maxName)}
	if p.Unit != "" && !address.MatchString(p.Unit) {
		o.Fail("%s %.20q is not six hex digits", id, p.Unit)
	}
	return p
}

func knots(o *fields.Object, name string) *float64 {
	v := o.Between(name, 0, maxKnots)
	if v == nil {
		return nil
	}
	mps := *v * knot
	return &mps
}

func feet(o *fields.Object, name string) *float64 {
	v := o.Between(name, minFeet, maxFeet)
	if v == nil {
		return nil
	}
	m := *v * foot
	return &m
}

// aircraft reads an entry of aircraft.json (readsb, README-json).
func aircraft(o *fields.Object, now moment.Time) (s said, placed bool) {
	p := unit(o, "hex", "flight")
	p.Position, placed = o.Place("lat", "lon")
	p.SpeedMps, p.Heading = knots(o, "gs"), o.Between("track", 0, 360)
	age := o.Between("seen_pos", 0, maxSeconds)
	if placed && age == nil {
		o.Fail("seen_pos is missing")
	}
	if age != nil {
		p.At = moment.Of(now.Add(-time.Duration(*age * float64(time.Second))))
	}
	if v := o.Number("nac_p"); v != nil {
		if m, ok := accuracy[*v]; ok {
			p.AccuracyM = &m
		}
	}
	if raw := o.Raw("alt_baro"); len(raw) > 0 && raw[0] == '"' {
		if word := o.Text("alt_baro", maxName); word != "ground" {
			o.Fail("alt_baro %.20q is not a number or ground", word)
		}
		s.ground = true
	} else {
		s.altitude = feet(o, "alt_baro")
	}
	if s.emergency = o.Text("emergency", maxName); s.emergency == "none" {
		s.emergency = ""
	}
	if squawk := o.Text("squawk", maxName); s.emergency == "" {
		s.emergency = distress[squawk]
	}
	s.position = p
	return s, placed
}

// record reads one record of a flown track.
func record(o *fields.Object) (s said, placed bool) {
	p := unit(o, "icao24", "callsign")
	p.Position, placed = o.Place("latitude", "longitude")
	p.SpeedMps, p.Heading = knots(o, "groundspeed"), o.Between("track", 0, 360)
	p.At = o.Millis("timestamp")
	if p.At.IsZero() {
		o.Fail("timestamp is missing")
	}
	if heard := o.Millis("last_position"); !heard.IsZero() && !heard.After(p.At.Time) {
		p.At = heard
	}
	s.ground = o.Bool("onground")
	if s.altitude = feet(o, "altitude"); s.ground {
		s.altitude = nil
	}
	s.emergency = distress[squawk(o)]
	s.position = p
	return s, placed
}

// squawk reads a transponder code, which became a number where somebody counted with it.
func squawk(o *fields.Object) string {
	raw := o.Raw("squawk")
	if len(raw) == 0 {
		return ""
	}
	if raw[0] == '"' {
		return o.Text("squawk", maxName)
	}
	v := o.Between("squawk", 0, 7777)
	if v == nil {
		return ""
	}
	s := fmt.Sprintf("%04.0f", *v)
	if !code.MatchString(s) {
		o.Fail("squawk %v is not four digits from 0 to 7", *v)
	}
	return s
}
