// Package georss is disaster alerts of GDACS: its RSS with the gdacs and georss elements.
//
// Each item gives one Alert. Its key is event type and event id, its identifier adds episode and level, so that a new episode or
// level is a new version of the same event. The level is of the humanitarian impact that a model expects: Red, Orange and Green are
// Extreme, Severe and Minor, any other word is Unknown. The area is the event's point or georss polygon; gdacs:bbox is how far a map
// should be drawn and no area. The channel lists what goes on, so it is a snapshot.
package georss

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Sender is whom the messages come from.
const Sender = "gdacs.org"

// The namespaces of an item's elements.
const (
	nsGDACS  = "http://www.gdacs.org"
	nsGeoRSS = "http://www.georss.org/georss"
	nsGeo    = "http://www.w3.org/2003/01/geo/wgs84_pos#"
)

// The format's own limits: bytes of a text, corners of a polygon, depths in km.
const (
	maxText    = 4096
	maxCorners = 10_000
	maxDepthKm = 1000
)

// Format reads GDACS RSS. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("georss", options)
}

// Decode reads one channel. A document that is no RSS of GDACS is an error; a faulty item costs only itself.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	root, err := cap.Parse(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("georss: %w", err)
	}
	channel := root.First("", "channel")
	if root.Name != "rss" || root.Space != "" || channel == nil {
		return feeds.Batch{}, fmt.Errorf("georss: <%.40s> at line %d is not an <rss> with a <channel>", root.Name, root.Line)
	}
	items := channel.All("", "item")
	if !ofGDACS(root, items) {
		return feeds.Batch{}, fmt.Errorf("georss: no item of the channel at line %d has elements of %s", channel.Line, nsGDACS)
	}
	b := feeds.Batch{Snapshot: true, AllAlerts: !meta.Part}
	for i, e := range items {
		r := reader{item: e}
		alert := r.alert()
		if r.err != nil {
			b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("item at line %d: %v", e.Line, r.err)})
			continue
		}
		alert.Index = i
		b.Alerts = append(b.Alerts, alert)
	}
	return b, nil
}

// ofGDACS tells the channel by its items; one without items by the namespace that it declares.
func ofGDACS(root *cap.Element, items []*cap.Element) bool {
	for _, e := range items {
		for _, c := range e.Children {
			if c.Space == nsGDACS {
				return true
			}
		}
	}
	for _, a := range root.Attrs {
		if len(items) == 0 && a.Name.Space == "xmlns" && a.Value == nsGDACS {
			return true
		}
	}
	return false
}

// reader reads one item and keeps the first fault.
type reader struct {
	item *cap.Element
	err  error
}

func (r *reader) fault(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// one gives the element of that name, which may stand once and only in these letters.
func (r *reader) one(space, name string) *cap.Element {
	var found *cap.Element
	for _, c := range r.item.Children {
		switch {
		case c.Space != space || !strings.EqualFold(c.Name, name):
		case c.Name != name:
			r.fault("<%.40s> at line %d should be written <%s>", c.Name, c.Line, name)
		case found != nil:
			r.fault("<%s> stands a second time at line %d", name, c.Line)
		default:
			found = c
		}
	}
	return found
}

// text gives the text of such an element, empty where it is absent.
func (r *reader) text(space, name string) string {
	e := r.one(space, name)
	switch {
	case e == nil:
		return ""
	case len(e.Children) > 0:
		r.fault("<%s> at line %d holds elements where text should be", name, e.Line)
	case len(e.Text) > maxText:
		r.fault("<%s> at line %d is longer than %d bytes", name, e.Line, maxText)
	default:
		return e.Text
	}
	return ""
}

func (r *reader) need(space, name string) string {
	s := r.text(space, name)
	if s == "" {
		r.fault("<%s> is missing", name)
	}
	return s
}

// when reads a time of RSS (RFC 822 with a year of four digits). A zone by name other than GMT is refused: Go would take it for UTC.
func (r *reader) when(space, name string) moment.Time {
	s := r.text(space, name)
	if s == "" {
		return moment.Time{}
	}
	for _, layout := range []string{"Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(layout, strings.Replace(s, " UTC", " GMT", 1)); err == nil && t.Year() >= 1900 && t.Year() < 2200 {
			return moment.Of(t)
		}
	}
	r.fault("<%s> %.40q is not a time like Mon, 30 Dec 2019 00:17:00 GMT", name, s)
	return moment.Time{}
}

// kinds of events by GDACS' code: the event, its CAP category, and whether it was measured rather than modelled.
var kinds = map[string]struct {
	event, category, certainty string
}{
	"EQ": {"Earthquake", "Geo", "Observed"},
	"TS": {"Tsunami", "Geo", "Likely"},
	"VO": {"Volcanic eruption", "Geo", "Observed"},
	"TC": {"Tropical cyclone", "Met", "Likely"},
	"FL": {"Flood", "Met", "Likely"},
	"DR": {"Drought", "Met", "Likely"},
	"WF": {"Wildfire", "Fire", "Observed"},
}

func severity(level string) cap.Severity {
	switch level {
	case "Red":
		return cap.Extreme
	case "Orange":
		return cap.Severe
	case "Green":
		return cap.Minor
	}
	return cap.Unknown
}

var code = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

func (r *reader) alert() (a feeds.Alert) {
	kind, id, episode := r.need(nsGDACS, "eventtype"), r.need(nsGDACS, "eventid"), r.text(nsGDACS, "episodeid")
	for _, s := range []string{kind, id, episode} {
		if s != "" && !code.MatchString(s) {
			r.fault("%.40q is no code of letters and digits", s)
		}
	}
	level := r.need(nsGDACS, "alertlevel")
	identifier := kind + id
	for _, s := range []string{episode, level} {
		if code.MatchString(s) {
			identifier += "-" + s
		}
	}
	sent := r.when("", "pubDate")
	if m := r.when(nsGDACS, "datemodified"); !m.IsZero() {
		sent = m
	}
	if sent.IsZero() {
		r.fault("<pubDate> is missing")
	}
	from := r.when(nsGDACS, "fromdate")
	info := r.info(kind, level, from)
	if kind == "DR" {
		// Droughts are dated anew each time the channel is built, without a change.
		sent = moment.Of(sent.Truncate(24 * time.Hour))
		info.Expires = moment.Of(sent.Add(48 * time.Hour))
	}
	info.Effective = sent
	a.Message = cap.Message{Identifier: identifier, Sender: Sender, Sent: sent, Status: "Actual", MsgType: "Alert", Scope: "Public", Infos: []cap.Info{info}}
	a.Keys = []string{"gdacs " + kind + id}
	shape := r.place()
	a.Message.Infos[0].Areas = []cap.Area{{Name: r.text(nsGDACS, "country"), Shape: shape}}
	if kind == "EQ" {
		a.Quake = r.quake(from, shape)
	}
	return a
}

func (r *reader) info(kind, level string, from moment.Time) cap.Info {
	k, ok := kinds[kind]
	if !ok {
		k.event, k.category, k.certainty = "Disaster "+kind, "Other", "Unknown"
	}
	i := cap.Info{
		Language: "en", Categories: []string{k.category}, Event: k.event, Urgency: "Unknown", Severity: severity(level), Certainty: k.certainty,
		Onset: from, SenderName: "Global Disaster Alert and Coordination System", Headline: r.text("", "title"), Description: r.text("", "description"),
	}
	if kind == "EQ" {
		i.Urgency = "Past"
	}
	if u, err := url.Parse(r.text("", "link")); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil {
		i.Web = u.String()
	}
	for _, name := range []string{"eventname", "alertlevel", "severity", "population", "todate", "iscurrent", "temporary", "version", "bbox", "glide", "iso3"} {
		if v := r.text(nsGDACS, name); v != "" {
			i.Parameters = append(i.Parameters, cap.Value{Name: name, Value: v})
		}
	}
	return i
}

// place reads georss:polygon, else georss:point, else geo:Point; all are latitude first. Two points that differ refuse the item.
func (r *reader) place() (s geo.Shape) {
	var points []geo.Position
	if text := r.text(nsGeoRSS, "point"); text != "" {
		points = append(points, r.positions("georss:point", text, 1)...)
	}
	if e := r.one(nsGeo, "Point"); e != nil {
		lat, lng := e.All(nsGeo, "lat"), e.All(nsGeo, "long")
		if len(lat) != 1 || len(lng) != 1 {
			r.fault("<Point> at line %d does not hold one <lat> and one <long>", e.Line)
		} else {
			points = append(points, r.positions("geo:Point", lat[0].Text+" "+lng[0].Text, 1)...)
		}
	}
	if len(points) == 2 && geo.Distance(points[0], points[1]) > 1000 {
		r.fault("georss:point and geo:Point are %.0f km apart", geo.Distance(points[0], points[1])/1000)
	}
	if text := r.text(nsGeoRSS, "polygon"); text != "" {
		ring := r.positions("georss:polygon", text, maxCorners)
		if r.err != nil {
			return s
		}
		if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
			r.fault("georss:polygon is not a closed ring of three corners or more")
		}
		return geo.Shape{Polygons: []geo.Polygon{{Rings: [][]geo.Position{ring}}}}
	}
	if len(points) == 0 {
		r.fault("georss:point and geo:Point are missing")
		return s
	}
	return geo.Shape{Points: points[:1]}
}

// positions reads "lat lng lat lng …".
func (r *reader) positions(name, text string, most int) []geo.Position {
	parts := strings.Fields(strings.ReplaceAll(text, ",", " "))
	if len(parts) == 0 || len(parts)%2 != 0 || len(parts)/2 > most {
		r.fault("%s %.40q is not latitude and longitude", name, text)
		return nil
	}
	out := make([]geo.Position, 0, len(parts)/2)
	for i := 0; i < len(parts); i += 2 {
		lat, err1 := strconv.ParseFloat(parts[i], 64)
		lng, err2 := strconv.ParseFloat(parts[i+1], 64)
		p := geo.Position{Lat: lat, Lng: lng}
		if err := errors.Join(err1, err2); err != nil {
			r.fault("%s %.40q is not latitude and longitude", name, text)
			return nil
		}
		if err := p.Validate(); err != nil {
			if (geo.Position{Lat: lng, Lng: lat}).Validate() == nil {
				err = fmt.Errorf("%w: latitude and longitude seem swapped", err)
			}
			r.fault("%s: %w", name, err)
			return nil
		}
		if p.IsNull() {
			r.fault("%s 0 0 stands for an unknown place", name)
			return nil
		}
		out = append(out, p)
	}
	return out
}

var depth = regexp.MustCompile(`(?i)depth:\s*(-?[0-9.]+)\s*km`)

// quake reads magnitude and depth from gdacs:severity, as <severity unit="M" value="5.3">Magnitude 5.3M, Depth:10km</severity>.
func (r *reader) quake(origin moment.Time, at geo.Shape) *feeds.Quake {
	if origin.IsZero() {
		r.fault("<fromdate> is missing: an earthquake without a time")
	}
	if len(at.Points) == 0 {
		r.fault("an earthquake without a point")
	}
	if r.err != nil {
		return nil
	}
	q := &feeds.Quake{OriginAt: origin, Position: at.Points[0], Place: r.text(nsGDACS, "country")}
	e := r.one(nsGDACS, "severity")
	if e == nil {
		return q
	}
	if unit := e.Attr("unit"); e.Attr("value") != "" && strings.HasPrefix(unit, "M") {
		m, err := strconv.ParseFloat(e.Attr("value"), 64)
		if err != nil || !(m > -2 && m <= 11) {
			r.fault("severity value %.20q is not a magnitude of -2 to 11", e.Attr("value"))
			return nil
		}
		q.Magnitude = &m
	}
	if m := depth.FindStringSubmatch(e.Text); m != nil {
		km, err := strconv.ParseFloat(m[1], 64)
		if err != nil || km < -100 || km > maxDepthKm {
			r.fault("depth %.20q km is not within -100..%d", m[1], maxDepthKm)
			return nil
		}
		q.DepthKm = km
	}
	return q
}
