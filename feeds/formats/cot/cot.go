// Package cot is Cursor on Target as XML: what TAK clients (ATAK, iTAK, WinTAK) and their servers send, one event or several in a row.
//
// Friendly atoms (a-f-*) are unit positions by their uid, named by their call sign; foreign, neutral and unknown ones are passed over
// and never shown. An emergency (b-a-*) is an alert: while it lasts clients send it again every few seconds, so sent is cut to the
// minute (effective keeps the whole time) and each minute is one version, an Update of those of the minutes before; b-a-o-can cancels
// them, and one that is no longer sent ends when it is stale. A marker
// (b-m-p-*) and a request for evacuation (b-r-f-h-*) are reports. Drawings, chat, tasks and all else are passed over. 0,0 says that
// the place is not known, 999999 and more that the error is not. Unknown detail is not looked at: the format is informal. The
// protobuf form of TAK is not read. Source: MITRE MP090284 and the event that the clients share.
package cot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
	"kentongan/feeds/fields"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a name and of a text, m/s, events of one delivery, and the error from which on it is not known.
const (
	maxName      = 256
	maxText      = 4096
	maxMps       = 1000
	maxEvents    = 10_000
	unknownError = 999_999
)

// Format reads Cursor on Target. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("cot", options)
}

// Decode reads events. A body that is not whole <event> elements to its end is an error; a faulty event costs only itself. Of a stream
// each element stands for itself.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	if len(body) > 0 && body[0] == 0xbf {
		return feeds.Batch{}, fmt.Errorf("cot: %w", errProtobuf)
	}
	if meta.ContentType == streamed {
		d := decoder{meta: meta}
		d.stream(body)
		return d.batch, nil
	}
	spans, err := split(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("cot: %w", err)
	}
	d := decoder{meta: meta}
	for i, s := range spans {
		e, err := cap.Parse(body[s.From:s.To])
		if err == nil {
			err = isEvent(e)
		}
		if err != nil {
			return feeds.Batch{}, fmt.Errorf("cot: element %d: %w", i, err)
		}
		d.event(i, e)
	}
	return d.batch, nil
}

// split finds the root elements of a body, between which only white space, comments and instructions may stand.
func split(body []byte) (out []bounded.Span, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	open, from := 0, 0
	fault := func(reason string) ([]bounded.Span, error) {
		line, column := d.InputPos()
		return nil, fmt.Errorf("%.200s at line %d column %d", reason, line, column)
	}
	for {
		at := int(d.InputOffset())
		t, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fault(err.Error())
		}
		switch v := t.(type) {
		case xml.Directive:
			return fault("a DTD or directive, which is not read")
		case xml.StartElement:
			if open++; open == 1 {
				from = at
			}
		case xml.EndElement:
			if open--; open < 0 {
				return fault("an end tag that was never opened")
			}
			if open == 0 {
				out = append(out, bounded.Span{From: from, To: int(d.InputOffset())})
			}
			if len(out) > maxEvents {
				return fault(fmt.Sprintf("more than %d events", maxEvents))
			}
		case xml.CharData:
			if open == 0 && len(bytes.TrimSpace(v)) > 0 {
				return fault("text outside the events")
			}
		}
	}
	if open > 0 {
		return fault("the document ends inside an element")
	}
	if len(out) == 0 {
		return fault("no event")
	}
	return out, nil
}

type decoder struct {
	meta  feeds.Meta
	batch feeds.Batch
}

func (d *decoder) event(i int, e *cap.Element) {
	r := reader{element: e, meta: d.meta}
	kind := r.attr(e, "type", true)
	uid := r.attr(e, "uid", true)
	if r.err == nil {
		if reason := passed(kind); reason != "" {
			d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: i, Reason: reason})
			return
		}
	}
	at := r.when("time", true)
	var position *feeds.UnitPosition
	var battery *float64
	var alert *feeds.Alert
	var report *feeds.Report
	switch {
	case strings.HasPrefix(kind, "a-f"):
		position, battery = r.position(uid, at)
	case strings.HasPrefix(kind, "b-a"):
		alert = r.alert(kind, uid, at)
	default:
		report = r.report(kind, uid, at)
	}
	switch {
	case r.err != nil:
		d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("event %d: %v", i, r.err)})
	case position != nil:
		position.Index = i
		d.batch.Positions = append(d.batch.Positions, *position)
		if battery != nil {
			o := feeds.Observation{Index: i, Thing: position.Unit, Name: position.Name, Property: "battery", Value: feeds.Value{Num: *battery}, Unit: "%", At: at,
				Position: position.Position, Placed: true, Quality: feeds.Good}
			if d.meta.Kind == "" {
				o.Kind = "unit"
			}
			d.batch.Observations = append(d.batch.Observations, o)
		}
	case alert != nil:
		alert.Index = i
		d.batch.Alerts = append(d.batch.Alerts, *alert)
	case report != nil:
		report.Index = i
		d.batch.Reports = append(d.batch.Reports, *report)
	default:
		d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: i, Reason: "a marker without a word"})
	}
}

// passed says why events of a type give no record; empty where they do.
func passed(kind string) string {
	is := func(prefix string) bool { return kind == prefix || strings.HasPrefix(kind, prefix+"-") }
	switch {
	case is("a-f"), is("b-a"), is("b-r-f-h"):
		return ""
	case is("a"):
		return fmt.Sprintf("type %.40q: only friendly units are shown", kind)
	case is("b-m-p-w"), is("b-m-p-c"), is("b-m-p-s-p"), is("b-m-r"):
		return fmt.Sprintf("type %.40q: a waypoint or pointer", kind)
	case is("b-m-p"):
		return ""
	case is("b-t"):
		return "a chat message"
	case is("u"):
		return fmt.Sprintf("type %.40q: a drawing", kind)
	case is("t"):
		return fmt.Sprintf("type %.40q: a task, a ping or a deletion between clients", kind)
	}
	return fmt.Sprintf("type %.40q is not one that is read", kind)
}

// reader reads one event and keeps the first fault.
type reader struct {
	element *cap.Element
	meta    feeds.Meta
	err     error
}

func (r *reader) fault(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// attr gives an attribute, which may stand once and only in these letters.
func (r *reader) attr(e *cap.Element, name string, needed bool) string {
	value, found := "", false
	for _, a := range e.Attrs {
		switch {
		case a.Name.Space != "" || !strings.EqualFold(a.Name.Local, name):
		case a.Name.Local != name:
			r.fault("attribute %.40q of <%s> should be written %q", a.Name.Local, e.Name, name)
		case found:
			r.fault("attribute %s of <%s> is given twice", name, e.Name)
		default:
			value, found = strings.TrimSpace(a.Value), true
		}
	}
	if len(value) > maxName {
		r.fault("attribute %s of <%s> is longer than %d bytes", name, e.Name, maxName)
		return ""
	}
	if needed && value == "" {
		r.fault("attribute %s of <%s> is missing", name, e.Name)
	}
	return value
}

func (r *reader) when(name string, needed bool) moment.Time {
	s := r.attr(r.element, name, needed)
	if s == "" {
		return moment.Time{}
	}
	t, err := fields.RFC3339(s)
	if err != nil {
		r.fault("%s %w", name, err)
	}
	return t
}

var decimal = regexp.MustCompile(`^[-+]?[0-9]{1,12}(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,3})?$`)

// number reads an attribute, nil where it is absent or NaN, as clients write what they do not know.
func (r *reader) number(e *cap.Element, name string) *float64 {
	s := r.attr(e, name, false)
	if s == "" || strings.EqualFold(s, "NaN") {
		return nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !decimal.MatchString(s) {
		r.fault("%s %.40q of <%s> is not a number", name, s, e.Name)
		return nil
	}
	return &n
}

// point gives the place and its error in metres; not placed where it says 0,0.
func (r *reader) point() (p geo.Position, placed bool, accuracy *float64) {
	all := r.element.All("", "point")
	if len(all) != 1 {
		r.fault("%d elements <point> where one should be", len(all))
		return p, false, nil
	}
	lat, lng := r.number(all[0], "lat"), r.number(all[0], "lon")
	if lat == nil || lng == nil {
		r.fault("<point> has no lat and lon")
		return p, false, nil
	}
	if accuracy = r.number(all[0], "ce"); accuracy != nil && (*accuracy >= unknownError || *accuracy <= 0) {
		accuracy = nil
	}
	p = geo.Position{Lat: *lat, Lng: *lng}
	if p.IsNull() {
		return p, false, accuracy
	}
	if err := fields.Position(p); err != nil {
		r.fault("<point>: %w", err)
		return geo.Position{}, false, nil
	}
	return p, true, accuracy
}

// detail gives the first element of that name in <detail>, or an empty one.
func (r *reader) detail(name string) *cap.Element {
	if d := r.element.First("", "detail"); d != nil {
		if e := d.First("", name); e != nil {
			return e
		}
	}
	return &cap.Element{Name: name}
}

func (r *reader) callsign() string { return r.attr(r.detail("contact"), "callsign", false) }

func (r *reader) position(uid string, at moment.Time) (*feeds.UnitPosition, *float64) {
	p := feeds.UnitPosition{Unit: uid, Name: r.callsign(), At: at}
	var placed bool
	if p.Position, placed, p.AccuracyM = r.point(); !placed {
		r.fault("<point>: 0,0 stands for an unknown place")
	}
	track := r.detail("track")
	if v := r.number(track, "speed"); v != nil && *v >= 0 {
		if *v > maxMps {
			r.fault("speed %v m/s of <track> is not within 0..%d", *v, maxMps)
		}
		p.SpeedMps = v
	}
	if v := r.number(track, "course"); v != nil && *v >= 0 {
		if *v > 360 {
			r.fault("course %v of <track> is not within 0..360", *v)
		}
		p.Heading = v
	}
	battery := r.number(r.detail("status"), "battery")
	if battery != nil && (*battery < 0 || *battery > 100) {
		battery = nil
	}
	return &p, battery
}

// emergencies by the type's last parts.
var emergencies = []struct {
	prefix, event string
	severity      cap.Severity
}{
	{"b-a-o-tbl", "911 alert", cap.Extreme},
	{"b-a-o-opn", "In contact", cap.Extreme},
	{"b-a-o-pan", "Ring the bell", cap.Severe},
	{"b-a-g", "Geo-fence breached", cap.Moderate},
	{"b-a", "Emergency", cap.Unknown},
}

// minutesBack is how long an emergency may be silent and still be the same.
const minutesBack = 5

// version names an emergency within a minute. What may not stand in an identifier of CAP is replaced.
func version(uid string, minute moment.Time) string {
	return unclean.ReplaceAllString(uid, "_") + "-" + minute.UTC().Format("20060102T1504")
}

var unclean = regexp.MustCompile(`[\s,<&]+`)

func (r *reader) alert(kind, uid string, at moment.Time) *feeds.Alert {
	position, placed, _ := r.point()
	start, stale := r.when("start", false), r.when("stale", false)
	emergency := r.detail("emergency")
	cancel := kind == "b-a-o-can" || strings.EqualFold(r.attr(emergency, "cancel", false), "true")
	name := r.callsign()
	if name == "" {
		name = r.detail("emergency").Text
	}
	if name = fields.Cut(name, maxName); name == "" {
		name = uid
	}
	if r.err != nil {
		return nil
	}
	sent := moment.Of(at.Truncate(time.Minute))
	m := cap.Message{Sender: "cot." + r.meta.Feed, Identifier: version(uid, sent), Sent: sent, Status: "Actual", MsgType: "Update", Scope: "Restricted"}
	for back := 1; back <= minutesBack; back++ {
		before := moment.Of(sent.Add(-time.Duration(back) * time.Minute))
		m.References = append(m.References, cap.Reference{Sender: m.Sender, Identifier: version(uid, before), Sent: before})
	}
	keys := []string{"cot " + r.meta.Feed + " " + uid}
	if cancel {
		m.References = append(m.References, m.Reference())
		m.Identifier, m.MsgType, m.Sent, m.Note = m.Identifier+"-cancel", "Cancel", at, name+" has ended the emergency"
		return &feeds.Alert{Message: m, Keys: keys}
	}
	kindOf := emergencies[len(emergencies)-1]
	for _, e := range emergencies {
		if kind == e.prefix || strings.HasPrefix(kind, e.prefix+"-") {
			kindOf = e
			break
		}
	}
	info := cap.Info{Language: "en", Categories: []string{"Rescue"}, Event: kindOf.event, Urgency: "Immediate", Severity: kindOf.severity, Certainty: "Observed",
		Effective: at, Onset: start, Expires: stale, Headline: kindOf.event + ": " + name, Description: fields.Cut(r.detail("remarks").Text, maxText),
		Parameters: []cap.Value{{Name: "uid", Value: uid}, {Name: "type", Value: kind}}}
	area := cap.Area{Name: name}
	if placed {
		area.Shape = geo.Shape{Points: []geo.Position{position}}
	}
	info.Areas = []cap.Area{area}
	m.Infos = []cap.Info{info}
	return &feeds.Alert{Message: m, Keys: keys}
}

// report is a marker's name and remarks, nil where it has neither.
func (r *reader) report(kind, uid string, at moment.Time) *feeds.Report {
	out := feeds.Report{ID: uid, Channel: "tak", Type: "marker", At: at}
	if strings.HasPrefix(kind, "b-r") {
		out.Type = "evacuation"
	}
	var placed bool
	if out.Position, placed, _ = r.point(); !placed {
		r.fault("<point>: 0,0 stands for an unknown place")
	}
	out.Placed = placed
	var words []string
	for _, s := range []string{r.callsign(), r.detail("remarks").Text} {
		if s != "" {
			words = append(words, s)
		}
	}
	if out.Text = fields.Cut(strings.Join(words, ": "), maxText); out.Text == "" {
		return nil
	}
	return &out
}
