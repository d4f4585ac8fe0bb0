// Package ais is ships as AIS receivers hear them: AIVDM and AIVDO sentences with messages of ITU-R M.1371-5.
//
// Positions of ships (messages 1, 2, 3, 18, 19, 27), search and rescue aircraft (9) and aids to navigation (21) are Things by their
// MMSI, of kind ship, aircraft and aid_to_navigation; a transmitter of distress (MMSI 970, 972, 974) is of kind distress_beacon.
// Static data (5, 19, 24) gives readings of name, callsign, ship_type, destination and draught. The time is the receiver's, as the
// line says it: the c of a TAG block, or the seconds that follow the checksum (US Coast Guard); without either our clock stands in.
// A message of several sentences is put together within one delivery. Values that mean "not available" are left out. Lines are read
// each for itself by go-nmea, the messages by go-ais.
package ais

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	goais "github.com/BertoldVdb/go-ais"
	gonmea "github.com/adrianmo/go-nmea"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a line, sentences of one message, lines that are refused one by one; a last refusal counts the others.
const (
	maxLine     = 1024
	maxParts    = 9
	maxRefusals = 1000
)

const knot = 1852.0 / 3600 // m/s

// Format reads AIS sentences. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("ais", options)
}

// line is a sentence: an optional TAG block, the sentence with its checksum, and what a receiver adds after it.
var line = regexp.MustCompile(`^((?:\\[^\\]{1,400}\\)?![A-Z]{2}VD[MO],[^*]{1,400}\*[0-9A-Fa-f]{2})(,.*)?$`)

// sign tells a line that means to be such a sentence.
var sign = regexp.MustCompile(`^(?:\\[^\\]{1,400}\\)?![A-Z]{2}VD[MO],`)

// Decode reads lines. A body without any AIS sentence is an error.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	d := decoder{codec: goais.CodecNew(true, true), parts: map[string]*message{}, passed: map[string]int{}}
	d.codec.DropSpace = true
	found := false
	index := 0
	for l := range bytes.Lines(bounded.TrimBOM(body)) {
		if l = bytes.TrimSpace(l); len(l) > 0 {
			found = d.line(index, l) || found
		}
		index++
	}
	if !found {
		return feeds.Batch{}, errors.New("ais: no line is a sentence that begins with !, a talker and VDM or VDO")
	}
	d.finish()
	return d.batch, nil
}

// message is what has come of one message.
type message struct {
	index int
	at    moment.Time
	have  int
	parts [maxParts + 1][]byte
}

type decoder struct {
	codec  *goais.Codec
	parser gonmea.SentenceParser
	parts  map[string]*message // of several sentences, by talker, source, channel and sequence
	keys   []string            // in the order they came
	passed map[string]int      // reasons, with their number
	order  []feeds.Refusal
	more   int // rejected beyond maxRefusals
	last   int
	batch  feeds.Batch
}

func (d *decoder) reject(index int, err error) {
	if len(d.batch.Rejected) < maxRefusals {
		d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: index, Reason: fields.Cut(fmt.Sprintf("line %d: %v", index+1, err), 400)})
		return
	}
	d.more++
	d.last = index
}

// pass counts a sentence that is passed over; each reason is told once, where it came first.
func (d *decoder) pass(index int, reason string) {
	if d.passed[reason]++; d.passed[reason] == 1 {
		d.order = append(d.order, feeds.Refusal{Index: index, Reason: reason})
	}
}

func (d *decoder) finish() {
	for _, key := range d.keys {
		if m := d.parts[key]; m != nil {
			d.pass(m.index, "a part of a message whose others did not come in this delivery")
			delete(d.parts, key)
		}
	}
	if d.more > 0 {
		d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: d.last, Reason: fmt.Sprintf("and %d more lines", d.more)})
	}
	for _, r := range d.order {
		r.Reason = fmt.Sprintf("%s: %d", r.Reason, d.passed[r.Reason])
		d.batch.Ignored = append(d.batch.Ignored, r)
	}
}

// line reads one line and tells whether it is an AIS sentence, be it a faulty one.
func (d *decoder) line(index int, l []byte) bool {
	if len(l) > maxLine {
		d.reject(index, fmt.Errorf("longer than %d bytes", maxLine))
		return false
	}
	found := line.FindSubmatch(l)
	if found == nil {
		switch {
		case sign.Match(l):
			d.reject(index, errors.New("the sentence has no checksum or does not end after it"))
			return true
		case l[0] == '$' || l[0] == '#':
			d.pass(index, "a sentence or a note that is not AIS")
		default:
			d.reject(index, errors.New("not a sentence"))
		}
		return false
	}
	s, err := d.parser.Parse(string(found[1]))
	if err != nil {
		d.reject(index, err)
		return true
	}
	v, ok := s.(gonmea.VDMVDO)
	if !ok {
		d.reject(index, errors.New("not a VDM or VDO sentence"))
		return true
	}
	at, err := heard(v.TagBlock.Time, string(found[2]))
	if err == nil {
		err = d.sentence(index, v, at)
	}
	if err != nil {
		d.reject(index, err)
	}
	return true
}

// epoch is the first number of ten digits among what follows a checksum: when the station had the message.
var epoch = regexp.MustCompile(`,(\d{10})(?:,|$)`)

// heard gives the time that the receiver says, zero where it says none. TAG blocks come in seconds or milliseconds.
func heard(tag int64, suffix string) (moment.Time, error) {
	ms := tag
	if tag > 0 && tag < 100_000_000_000 {
		ms = tag * 1000
	}
	if tag == 0 {
		found := epoch.FindStringSubmatch(suffix)
		if found == nil {
			return moment.Time{}, nil
		}
		s, _ := strconv.ParseInt(found[1], 10, 64) // ten digits
		ms = s * 1000
	}
	if t := moment.OfMilli(ms); ms > 0 && ms < 7_258_118_400_000 && t.Year() >= 1990 {
		return t, nil
	}
	return moment.Time{}, fmt.Errorf("time %d is not milliseconds since 1970 of a year between 1990 and 2200", ms)
}

// sentence takes a message of one sentence, or joins a part to the others.
func (d *decoder) sentence(index int, v gonmea.VDMVDO, at moment.Time) error {
	n, i := v.NumFragments, v.FragmentNumber
	if n < 1 || n > maxParts || i < 1 || i > n {
		return fmt.Errorf("part %d of %d", i, n)
	}
	if n == 1 {
		return d.message(index, v.Payload, at)
	}
	key := fmt.Sprintf("%s %s %.4s %d %d", v.Talker, v.TagBlock.Source, v.Channel, v.MessageID, n)
	m := d.parts[key]
	if m == nil || m.parts[i] != nil { // a part that is there already begins the next message
		if m != nil {
			d.pass(m.index, "a part of a message whose others did not come in this delivery")
		} else {
			d.keys = append(d.keys, key)
		}
		m = &message{index: index, at: at}
		d.parts[key] = m
	}
	m.parts[i] = append([]byte{}, v.Payload...)
	if m.at.IsZero() {
		m.at = at
	}
	if m.have++; m.have < int(n) {
		return nil
	}
	delete(d.parts, key)
	return d.message(m.index, bytes.Join(m.parts[1:n+1], nil), m.at)
}

// message reads one whole message, a byte for each bit.
func (d *decoder) message(index int, bits []byte, at moment.Time) error {
	if len(bits) == 0 {
		d.pass(index, "empty")
		return nil
	}
	if len(bits) < 38 {
		return fmt.Errorf("%d bits are no message", len(bits))
	}
	kind := 0
	for _, bit := range bits[:6] {
		kind = kind<<1 | int(bit)
	}
	switch kind {
	case 1, 2, 3, 5, 9, 18, 19, 21, 24, 27:
	default:
		d.pass(index, fmt.Sprintf("message %d says neither a place nor a name of a ship", kind))
		return nil
	}
	p := d.codec.DecodePacket(bits)
	if p == nil {
		return fmt.Errorf("message %d of %d bits is not of ITU-R M.1371", kind, len(bits))
	}
	id := p.GetHeader().UserID
	if id == 0 || id > 999_999_999 {
		return fmt.Errorf("MMSI %d is not 1 to 999999999", id)
	}
	r := record{d: d, index: index, mmsi: fmt.Sprintf("%09d", id), at: at}
	return r.packet(kind, p)
}

// record writes what one message says.
type record struct {
	d     *decoder
	index int
	mmsi  string
	at    moment.Time
}

func (r *record) packet(kind int, p goais.Packet) error {
	switch v := p.(type) {
	case goais.PositionReport:
		return r.place(kind, "ship", "", float64(v.Latitude), float64(v.Longitude), knots(float64(v.Sog), 102.3), degrees(v.TrueHeading, float64(v.Cog)), v.PositionAccuracy)
	case goais.StandardClassBPositionReport:
		return r.place(kind, "ship", "", float64(v.Latitude), float64(v.Longitude), knots(float64(v.Sog), 102.3), degrees(v.TrueHeading, float64(v.Cog)), v.PositionAccuracy)
	case goais.ExtendedClassBPositionReport:
		name := text(v.Name)
		err := r.place(kind, "ship", name, float64(v.Latitude), float64(v.Longitude), knots(float64(v.Sog), 102.3), degrees(v.TrueHeading, float64(v.Cog)), v.PositionAccuracy)
		if len(r.d.batch.Positions) > 0 && r.d.batch.Positions[len(r.d.batch.Positions)-1].Index == r.index {
			r.static(name, "", v.Type, "", 0)
		}
		return err
	case goais.LongRangeAisBroadcastMessage:
		return r.place(kind, "ship", "", float64(v.Latitude), float64(v.Longitude), knots(float64(v.Sog), 63), degrees(511, float64(v.Cog)), v.PositionAccuracy)
	case goais.StandardSearchAndRescueAircraftReport:
		return r.place(kind, "aircraft", "", float64(v.Latitude), float64(v.Longitude), knots(float64(v.Sog), 1023), degrees(511, float64(v.Cog)), v.PositionAccuracy)
	case goais.AidsToNavigationReport:
		return r.place(kind, "aid_to_navigation", text(v.Name+v.NameExtension), float64(v.Latitude), float64(v.Longitude), nil, nil, v.PositionAccuracy)
	case goais.ShipStaticData:
		r.only(r.static(text(v.Name), text(v.CallSign), v.Type, text(v.Destination), float64(v.MaximumStaticDraught)))
	case goais.StaticDataReport:
		if v.PartNumber {
			r.only(r.static("", text(v.ReportB.CallSign), v.ReportB.ShipType, "", 0))
		} else {
			r.only(r.static(text(v.ReportA.Name), "", 0, "", 0))
		}
	default:
		return fmt.Errorf("message %d came out as another", kind)
	}
	return nil
}

// text is a text of six-bit letters without its filling.
func text(s string) string {
	s, _, _ = strings.Cut(s, "@")
	return strings.TrimSpace(s)
}

// knots turns a speed into m/s; at the mark and above it is not available. The mark below a full field says "or more".
func knots(v, mark float64) *float64 {
	if v >= mark-0.05 {
		return nil
	}
	v *= knot
	return &v
}

// degrees is the true heading, or where it is not available (511) the course over ground.
func degrees(heading uint16, course float64) *float64 {
	v := float64(heading)
	if heading >= 360 {
		v = course
	}
	if v >= 360 || v < 0 {
		return nil
	}
	return &v
}

// beacons are the first digits of transmitters that are only heard in distress or when they are tested.
var beacons = []string{"970", "972", "974"}

func (r *record) kind(kind string) string {
	for _, b := range beacons {
		if strings.HasPrefix(r.mmsi, b) {
			return "distress_beacon"
		}
	}
	return kind
}

func (r *record) place(message int, kind, name string, lat, lng float64, speed, heading *float64, exact bool) error {
	if lat >= 90.9 || lng >= 180.9 { // 91 and 181 say that it is not available
		r.d.pass(r.index, fmt.Sprintf("message %d without a place", message))
		return nil
	}
	p := feeds.UnitPosition{Index: r.index, Unit: r.mmsi, Kind: r.kind(kind), Name: name, At: r.at, Position: geo.Position{Lat: lat, Lng: lng}, SpeedMps: speed, Heading: heading}
	if err := fields.Position(p.Position); err != nil {
		return fmt.Errorf("MMSI %s: %w", r.mmsi, err)
	}
	if exact {
		tenMetres := 10.0 // position accuracy 1 is "at most 10 m", 0 is anything above
		p.AccuracyM = &tenMetres
	}
	r.d.batch.Positions = append(r.d.batch.Positions, p)
	return nil
}

// only passes a message over that is static data alone and says nothing.
func (r *record) only(said int) {
	if said == 0 {
		r.d.pass(r.index, "static data that says nothing")
	}
}

// static writes what is known of a ship and tells how many readings that gave.
func (r *record) static(name, callsign string, shipType uint8, destination string, draught float64) int {
	before := len(r.d.batch.Observations)
	add := func(property, unit string, v feeds.Value, known bool) {
		if known {
			r.d.batch.Observations = append(r.d.batch.Observations, feeds.Observation{Index: r.index, Thing: r.mmsi, Kind: r.kind("ship"), Name: name,
				Property: property, Value: v, Unit: unit, At: r.at, Quality: feeds.Good})
		}
	}
	add("name", "", feeds.Value{Type: feeds.Text, Text: name}, name != "")
	add("callsign", "", feeds.Value{Type: feeds.Text, Text: callsign}, callsign != "")
	add("ship_type", "", feeds.Value{Num: float64(shipType)}, shipType > 0)
	add("destination", "", feeds.Value{Type: feeds.Text, Text: destination}, destination != "")
	add("draught", "m", feeds.Value{Num: draught}, draught > 0)
	return len(r.d.batch.Observations) - before
}
