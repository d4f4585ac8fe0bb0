// Package owntracks is the OwnTracks app on phones: one JSON message over HTTP or MQTT, or lines of the recorder's files.
//
// A location gives a unit position and, where the phone says it, its battery; a transition (a region entered or left) gives a
// reading of the property "transition". The unit is user/device of the topic: the broker's, which the sender cannot choose, before
// the one inside the message; without a topic it is the two letters of tid. Speed comes in km/h and -1 says unknown, as 0 says for
// accuracy. The other kinds (lwt, waypoint, card, encrypted ...) are passed over. Source: OwnTracks booklet, JSON.
package owntracks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a name, km/h, metres of accuracy (half round the Earth).
const (
	maxName      = 200
	maxKmh       = 1500
	maxAccuracyM = 20_000_000
)

// Format reads OwnTracks messages. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("owntracks", options)
}

// recorded is a line of the recorder's files: time, a word for the topic, and the message, with tabs between them.
var recorded = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\t([^\t]{1,200})\t`)

// Decode reads one message, or a file of the recorder line by line. A document without _type is an error.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	var b feeds.Batch
	if first, _, _ := bytes.Cut(bytes.TrimLeft(body, "\r\n"), []byte{'\n'}); recorded.Match(first) {
		for i, line := range bytes.Split(bytes.TrimRight(body, "\r\n"), []byte{'\n'}) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				recorderLine(&b, i, line, meta)
			}
		}
		return b, nil
	}
	if err := bounded.JSON(body, bounded.DefaultDepth); err != nil {
		return feeds.Batch{}, fmt.Errorf("owntracks: %w", err)
	}
	m, err := fields.Read(body)
	if err != nil || m.Text("_type", maxName) == "" {
		return feeds.Batch{}, errors.New("owntracks: the document is not an object with a _type")
	}
	message(&b, 0, "", m, meta)
	return b, nil
}

func recorderLine(b *feeds.Batch, i int, line []byte, meta feeds.Meta) {
	place := fmt.Sprintf("line %d: ", i+1)
	head := recorded.Find(line)
	if head == nil {
		b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: place + "not a line of the recorder: time, topic and JSON with tabs between them"})
		return
	}
	item := line[len(head):]
	err := bounded.JSON(item, bounded.DefaultDepth)
	var m *fields.Object
	if err == nil {
		m, err = fields.Read(item)
	}
	if err != nil {
		b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: place + err.Error()})
		return
	}
	message(b, i, place, m, meta)
}

// passed says why a kind of message gives no record.
var passed = map[string]string{
	"lwt":       "lwt: the phone has left the broker",
	"waypoint":  "waypoint: a region that the phone watches",
	"waypoints": "waypoints: regions that the phone watches",
	"card":      "card: a name and a picture",
	"encrypted": "encrypted: the house has no key; switch the app's payload encryption off and use TLS",
}

// message reads one message into the batch.
func message(b *feeds.Batch, i int, place string, m *fields.Object, meta feeds.Meta) {
	kind := m.Text("_type", maxName)
	var positions []feeds.UnitPosition
	var readings []feeds.Observation
	switch kind {
	case "location":
		positions, readings = location(m, meta)
	case "transition":
		readings = transition(m, meta)
	case "":
		m.Fail("_type is missing")
	default:
		reason, ok := passed[kind]
		if !ok {
			reason = fmt.Sprintf("%.40q is no message with a place", kind)
		}
		b.Ignored = append(b.Ignored, feeds.Refusal{Index: i, Reason: reason})
		return
	}
	if err := m.Fault(); err != nil {
		b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: place + err.Error()})
		return
	}
	for _, p := range positions {
		p.Index = i
		b.Positions = append(b.Positions, p)
	}
	for _, o := range readings {
		o.Index = i
		b.Observations = append(b.Observations, o)
	}
}

// unit tells whose message it is: its id, and a name where one is known.
func unit(m *fields.Object, meta feeds.Meta) (id, name string) {
	inside := m.Text("topic", maxName)
	for _, topic := range []string{meta.Topic, inside} {
		parts := strings.Split(strings.Trim(topic, "/"), "/")
		for i, p := range parts {
			if p == "owntracks" && i+2 < len(parts) && parts[i+1] != "" && parts[i+2] != "" && len(topic) <= maxName {
				return parts[i+1] + "/" + parts[i+2], parts[i+2]
			}
		}
	}
	if id = m.Text("tid", 16); id == "" {
		m.Fail("neither topic nor tid says whose place it is")
	}
	return id, ""
}

// when reads tst, seconds since 1970, which some messages write as a string.
func when(m *fields.Object) moment.Time {
	t := moment.Time{}
	if raw := m.Raw("tst"); len(raw) > 0 && raw[0] == '"' {
		s, err := strconv.ParseUint(m.Text("tst", 20), 10, 33)
		if err != nil || s == 0 {
			m.Fail("tst %.40s is not seconds since 1970", raw)
			return t
		}
		t = moment.OfMilli(int64(s) * 1000)
	} else {
		t = m.Seconds("tst")
	}
	if t.IsZero() {
		m.Fail("tst is missing")
	}
	return t
}

func location(m *fields.Object, meta feeds.Meta) ([]feeds.UnitPosition, []feeds.Observation) {
	id, name := unit(m, meta)
	p := feeds.UnitPosition{Unit: id, Name: name, At: when(m)}
	var placed bool
	if p.Position, placed = m.Place("lat", "lon"); !placed {
		m.Fail("lat and lon are missing")
	}
	if v := m.Between("vel", -1, maxKmh); v != nil && *v >= 0 {
		mps := *v / 3.6
		p.SpeedMps = &mps
	}
	if v := m.Between("cog", -1, 360); v != nil && *v >= 0 {
		p.Heading = v
	}
	if v := m.Between("acc", -1, maxAccuracyM); v != nil && *v > 0 {
		p.AccuracyM = v
	}
	var readings []feeds.Observation
	if v := m.Between("batt", -1, 100); v != nil && *v >= 0 {
		readings = append(readings, feeds.Observation{Thing: id, Name: name, Kind: kind(meta), Property: "battery", Value: feeds.Value{Num: *v}, Unit: "%",
			At: p.At, Position: p.Position, Placed: placed, Quality: feeds.Good})
	}
	return []feeds.UnitPosition{p}, readings
}

// kind is what Things are where the feed does not say: the same as of unit positions.
func kind(meta feeds.Meta) string {
	if meta.Kind == "" {
		return "unit"
	}
	return ""
}

func transition(m *fields.Object, meta feeds.Meta) []feeds.Observation {
	id, name := unit(m, meta)
	o := feeds.Observation{Thing: id, Name: name, Kind: kind(meta), Property: "transition", At: when(m), Quality: feeds.Good}
	o.Value = feeds.Value{Type: feeds.Text, Text: m.Need("event", 40)}
	if o.Value.Text != "enter" && o.Value.Text != "leave" {
		m.Fail("event %.40q is not enter or leave", o.Value.Text)
	}
	o.Position, o.Placed = m.Place("lat", "lon")
	if region := m.Text("desc", maxName); region != "" {
		o.Attrs, _ = json.Marshal(map[string]string{"region": region}) // strings always marshal
	}
	return []feeds.Observation{o}
}
