// Package nmea is GNSS receivers that speak NMEA 0183: where one vehicle or crew is, by RMC, GGA, GLL and GNS sentences.
//
// Sentences of one time are one fix: the first that has a place gives it, RMC adds speed and course. The date comes from RMC or ZDA,
// of the fix itself or of an earlier one in the same delivery; a fix without any date has no time, and our clock stands in. The unit
// is the source of the TAG block, else the host that sends over a stream (Meta.Peer), else the feed: a receiver whose host has no lasting
// address has the option unit: feed. Lines are read each for itself, their checksum is
// required. Sentences that say no place, fixes that are not valid, and those of a receiver's own simulation are counted and passed
// over. Estimated fixes (dead reckoning) are kept, they are the receiver's best. The sentences are read by go-nmea, which takes an
// empty coordinate for 0 and any spelling of a number: the fields are looked at here as well.
package nmea

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	gonmea "github.com/adrianmo/go-nmea"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a line, knots, lines that are refused one by one; a last refusal counts the others.
const (
	maxLine     = 1024
	maxKnots    = 2000
	maxRefusals = 1000
)

const knot = 1852.0 / 3600 // m/s

// Format reads NMEA 0183. It is safe for concurrent use.
type Format struct {
	oneUnit bool // whoever sends, it is the feed's one receiver
}

// New gives the format. Its option unit says what a receiver without a TAG block is named after: peer (the default) or feed.
func New(options map[string]any) (feeds.Format, error) {
	f := Format{}
	for key, v := range options {
		switch {
		case key != "unit":
			return nil, fmt.Errorf("nmea: option %q: the format has only unit", key)
		case v != "peer" && v != "feed":
			return nil, fmt.Errorf("nmea: option unit: %.40q is neither peer nor feed", fmt.Sprint(v))
		}
		f.oneUnit = v == "feed"
	}
	return f, nil
}

// address is how a sentence begins, after a TAG block: talker and type, or the name of a manufacturer's own.
var address = regexp.MustCompile(`^(?:\\[^\\]{1,400}\\)?\$([A-Z][A-Z0-9]{1,15})[,*]`)

// standard is a sentence of the standard: two letters of the talker, three of the type.
var standard = regexp.MustCompile(`^[A-OQ-Z][A-Z]([A-Z]{3})$`)

// Decode reads lines. A body without any sentence is an error.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	if f.oneUnit {
		meta.Peer = ""
	}
	d := decoder{meta: meta, open: map[string]*fix{}, dates: map[string]dated{}, passed: map[string]int{}}
	found := false
	index := 0
	for line := range bytes.Lines(bounded.TrimBOM(body)) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			found = d.line(index, line) || found
		}
		index++
	}
	if !found {
		return feeds.Batch{}, errors.New("nmea: no line is a sentence of NMEA 0183 that begins with $, talker and type")
	}
	for _, source := range d.sources {
		d.close(source)
	}
	slices.SortStableFunc(d.batch.Positions, func(a, b feeds.UnitPosition) int { return a.Index - b.Index })
	d.finish()
	return d.batch, nil
}

// fix is what sentences of one time say together.
type fix struct {
	index          int
	talker         string
	at             gonmea.Time
	date           gonmea.Date
	position       geo.Position
	placed         bool
	speed, heading *float64
}

// dated is the last date that a source told, and the time of day it was told at.
type dated struct {
	day time.Time
	at  time.Duration
}

type decoder struct {
	meta    feeds.Meta
	parser  gonmea.SentenceParser
	open    map[string]*fix // by source
	sources []string        // in the order they came
	dates   map[string]dated
	passed  map[string]int // reasons, with their number
	order   []feeds.Refusal
	more    int // rejected beyond maxRefusals
	last    int
	batch   feeds.Batch
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
	if d.more > 0 {
		d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: d.last, Reason: fmt.Sprintf("and %d more lines", d.more)})
	}
	for _, r := range d.order {
		r.Reason = fmt.Sprintf("%s: %d sentences", r.Reason, d.passed[r.Reason])
		d.batch.Ignored = append(d.batch.Ignored, r)
	}
}

// line reads one line and tells whether it is a sentence of the standard.
func (d *decoder) line(index int, line []byte) bool {
	if len(line) > maxLine {
		d.reject(index, fmt.Errorf("longer than %d bytes", maxLine))
		return false
	}
	head := address.FindSubmatch(line)
	if head == nil {
		if bytes.Contains(line, []byte("VDM,")) || bytes.Contains(line, []byte("VDO,")) {
			d.pass(index, "AIS, which the format ais reads")
		} else {
			d.reject(index, errors.New("not a sentence"))
		}
		return false
	}
	kind := standard.FindSubmatch(head[1])
	if kind == nil {
		d.pass(index, "a manufacturer's own sentence")
		return false
	}
	switch string(kind[1]) {
	case "RMC", "GGA", "GLL", "GNS", "ZDA":
	default:
		d.pass(index, string(kind[1])+" says no place")
		return true
	}
	s, err := d.parser.Parse(string(line))
	if err == nil {
		err = d.sentence(index, s)
	}
	if err != nil {
		d.reject(index, err)
	}
	return true
}

// reading is what one sentence says.
type reading struct {
	fix
	source string
	void   string // why it gives no fix
}

func (d *decoder) sentence(index int, s gonmea.Sentence) (err error) {
	var r reading
	switch v := s.(type) {
	case gonmea.RMC:
		r, err = rmc(v)
	case gonmea.GGA:
		r = reading{fix: fix{at: v.Time}, source: v.TagBlock.Source}
		if v.FixQuality == gonmea.Invalid {
			r.void = "no fix"
			break
		}
		r.position, err = place(v.Fields, 1, v.Latitude, v.Longitude)
		r.placed = true
	case gonmea.GLL:
		r = reading{fix: fix{at: v.Time}, source: v.TagBlock.Source, void: mode(v.FFAMode)}
		if v.Validity != gonmea.ValidGLL {
			r.void = "no fix"
		}
		if r.void == "" {
			r.position, err = place(v.Fields, 0, v.Latitude, v.Longitude)
			r.placed = true
		}
	case gonmea.GNS:
		r = reading{fix: fix{at: v.Time}, source: v.TagBlock.Source}
		r.void = modes(v.Mode)
		if r.void == "" {
			r.position, err = place(v.Fields, 1, v.Latitude, v.Longitude)
			r.placed = true
		}
	case gonmea.ZDA:
		if v.Year < 1980 || v.Year > 2199 {
			return fmt.Errorf("year %d is not within 1980..2199", v.Year)
		}
		return d.tell(v.TagBlock.Source, time.Date(int(v.Year), time.Month(v.Month), int(v.Day), 0, 0, 0, 0, time.UTC), int(v.Month), int(v.Day), v.Time)
	default:
		return errors.New("a sentence of an unknown type") // the caller has let five types through
	}
	if err != nil {
		return err
	}
	if r.void == "simulated by the receiver" && d.meta.Simulated {
		r.void = ""
	}
	if r.void != "" {
		d.pass(index, r.void)
		return nil
	}
	r.index, r.talker = index, s.TalkerID()
	return d.add(r)
}

func rmc(v gonmea.RMC) (r reading, err error) {
	r = reading{fix: fix{at: v.Time, date: v.Date}, source: v.TagBlock.Source, void: mode(v.FFAMode)}
	if v.Validity != gonmea.ValidRMC {
		r.void = "no fix"
	}
	if r.void == "no fix" {
		return r, nil
	}
	if r.position, err = place(v.Fields, 2, v.Latitude, v.Longitude); err != nil {
		return r, err
	}
	r.placed = true
	if r.speed, err = number("speed", v.Fields[6], maxKnots); err != nil {
		return r, err
	}
	if r.speed != nil {
		*r.speed *= knot
	}
	r.heading, err = number("course", v.Fields[7], 360)
	return r, err
}

// mode tells by the FAA mode indicator why there is no fix.
func mode(m string) string {
	switch m {
	case gonmea.FAAModeDataNotValid:
		return "no fix"
	case gonmea.FAAModeSimulated:
		return "simulated by the receiver"
	}
	return ""
}

// modes is mode for the indicators of several satellite systems: one that has a fix is enough.
func modes(all []string) string {
	void := "no fix"
	for _, m := range all {
		switch mode(m) {
		case "":
			return ""
		case "simulated by the receiver":
			void = mode(m)
		}
	}
	return void
}

var (
	latitude  = regexp.MustCompile(`^[0-9]{2}[0-5][0-9](\.[0-9]{0,10})?$`)
	longitude = regexp.MustCompile(`^[0-9]{3}[0-5][0-9](\.[0-9]{0,10})?$`)
	decimal   = regexp.MustCompile(`^([0-9]{1,6}(\.[0-9]{0,10})?|\.[0-9]{1,10})$`)
)

// place holds the four fields from at on to the standard's form (ddmm.mm,N,dddmm.mm,E) and gives the position read from them.
func place(f []string, at int, lat, lng float64) (geo.Position, error) {
	if !latitude.MatchString(f[at]) || f[at+1] != "N" && f[at+1] != "S" {
		return geo.Position{}, fmt.Errorf("latitude %.20q,%.4q is not like 0047.5000,S", f[at], f[at+1])
	}
	if !longitude.MatchString(f[at+2]) || f[at+3] != "E" && f[at+3] != "W" {
		return geo.Position{}, fmt.Errorf("longitude %.20q,%.4q is not like 10039.0000,E", f[at+2], f[at+3])
	}
	p := geo.Position{Lat: lat, Lng: lng}
	return p, fields.Position(p)
}

// number reads a field that may be empty: then it is not known.
func number(name, s string, most float64) (*float64, error) {
	if s == "" {
		return nil, nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !decimal.MatchString(s) || n > most {
		return nil, fmt.Errorf("%s %.20q is not a number within 0..%v", name, s, most)
	}
	return &n, nil
}

func clock(t gonmea.Time) time.Duration {
	return time.Duration(t.Hour)*time.Hour + time.Duration(t.Minute)*time.Minute + time.Duration(t.Second)*time.Second + time.Duration(t.Millisecond)*time.Millisecond
}

// add joins a sentence to the fix of its time and source, or begins another.
func (d *decoder) add(r reading) error {
	if t := r.at; t.Valid && (t.Hour > 23 || t.Minute > 59 || t.Second > 60) {
		return fmt.Errorf("time %s is not a time of day", t)
	}
	if r.date.Valid {
		year := 2000 + r.date.YY // two digits: the century that is not ahead of our clock
		if now := d.meta.ReceivedAt; !now.IsZero() && year > now.Year()+1 {
			year -= 100
		}
		day := time.Date(year, time.Month(r.date.MM), r.date.DD, 0, 0, 0, 0, time.UTC)
		if err := d.tell(r.source, day, r.date.MM, r.date.DD, r.at); err != nil {
			return err
		}
	}
	old := d.open[r.source]
	if old == nil {
		d.sources = append(d.sources, r.source)
	} else if old.at == r.at && r.at.Valid {
		if r.speed != nil {
			old.speed = r.speed
		}
		if r.heading != nil {
			old.heading = r.heading
		}
		return nil
	} else {
		d.close(r.source)
	}
	d.open[r.source] = &r.fix
	return nil
}

// tell notes the date of a source.
func (d *decoder) tell(source string, day time.Time, month, dd int, at gonmea.Time) error {
	if int(day.Month()) != month || day.Day() != dd || !at.Valid {
		return fmt.Errorf("date %02d-%02d with time %s is not a date", month, dd, at)
	}
	d.dates[source] = dated{day, clock(at)}
	return nil
}

// close ends the fix of a source. A time of day that lies half a day from the last dated one is of the day before or after.
func (d *decoder) close(source string) {
	f := d.open[source]
	if f == nil {
		return
	}
	d.open[source] = nil
	p := feeds.UnitPosition{Index: f.index, Unit: source, Position: f.position, SpeedMps: f.speed, Heading: f.heading}
	if p.Unit == "" {
		p.Unit = d.meta.Peer
	}
	if p.Unit == "" {
		p.Unit = d.meta.Feed
	}
	if p.Unit == "" {
		p.Unit = f.talker
	}
	if known, ok := d.dates[source]; ok && f.at.Valid {
		at := clock(f.at)
		day := known.day
		if at-known.at > 12*time.Hour {
			day = day.AddDate(0, 0, -1)
		} else if known.at-at > 12*time.Hour {
			day = day.AddDate(0, 0, 1)
		}
		p.At = moment.Of(day.Add(at))
	}
	d.batch.Positions = append(d.batch.Positions, p)
}
