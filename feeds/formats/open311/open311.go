// Package open311 is service requests of Open311 GeoReport v2: lists of them as JSON or XML.
//
// Each request becomes a Report, a closed one too: the house must hear that what it holds is closed. One that has no id yet (a token) is
// passed over, as is one that says neither place nor address. A request without a description says the name of its service. Who reported
// it (name, telephone, e-mail, device) goes beside it as a Reporter; what is wrong there costs nothing but itself.
//
// Option: zone, such as "WIB", for servers whose times say no offset, against the standard.
package open311

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// Bounds of texts in bytes. A longer description is cut, for a citizen's account is never lost over its length.
const (
	maxName  = 256
	maxText  = 4096
	maxProse = 16384
)

// Format reads GeoReport v2. It is safe for concurrent use.
type Format struct{ zone *time.Location }

// New gives the format. Its option is zone.
func New(options map[string]any) (feeds.Format, error) {
	var f Format
	for key, v := range options {
		name, _ := v.(string)
		zone, err := mapped.Zone(name)
		switch {
		case key != "zone":
			return nil, &mapped.Fault{Key: key, Reason: "the format open311 has no such option; it has zone"}
		case err != nil:
			return nil, &mapped.Fault{Key: key, Reason: fmt.Sprintf("%.40q is no zone such as Asia/Jakarta, WIB or +07:00", name)}
		}
		f.zone = zone
	}
	return f, nil
}

// request is one service request as either form says it.
type request struct {
	id, token, status, notes, service, code, description, address, requested, updated, agency, media string

	who      feeds.Reporter
	lat, lng *float64
	metadata bool // it is a service of a list of services
}

// item is a request, or what is wrong with it, and where it stands.
type item struct {
	request
	line  int
	fault error
}

// Decode reads a list of service requests. Any other document is an error; of a list of services it is said that it holds no requests.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	read := readJSON
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '<' {
		read = readXML
	}
	items, err := read(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("open311: %w", err)
	}
	var b feeds.Batch
	services := len(items) > 0
	for i, it := range items {
		report, pass, err := f.report(it)
		services = services && it.metadata
		switch {
		case err != nil:
			b.Rejected = append(b.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("request at line %d: %v", it.line, err)})
		case pass != "":
			b.Ignored = append(b.Ignored, feeds.Refusal{Index: i, Reason: pass})
		default:
			report.Index, report.ReceivedAt = i, moment.Of(meta.ReceivedAt)
			b.Reports = append(b.Reports, report)
			if it.who.Index = i; !it.who.Empty() {
				b.Reporters = append(b.Reporters, it.who)
			}
		}
	}
	if services {
		return feeds.Batch{Ignored: []feeds.Refusal{{Index: 0, Reason: "a list of services holds no requests"}}}, nil
	}
	return b, nil
}

// report gives a Report, or why the request is passed over, or what is wrong with it.
func (f Format) report(it item) (r feeds.Report, pass string, err error) {
	q := it.request
	switch {
	case it.fault != nil:
		return r, "", it.fault
	case q.id == "" && q.token != "":
		return r, "a token: the request has no service_request_id yet", nil
	case q.id == "" && q.service == "" && q.code == "":
		return r, "", errors.New("not a service request: service_request_id, service_name and service_code are missing")
	case q.id == "":
		return r, "the request has no service_request_id", nil
	}
	r = feeds.Report{ID: q.id, Channel: "open311", Text: fields.Cut(q.description, maxProse), Type: q.service, Code: q.code, Address: q.address,
		Status: strings.ToLower(q.status), StatusNotes: fields.Cut(q.notes, maxProse), Responsible: q.agency, Media: q.media}
	if r.Type == "" {
		r.Type = q.code
	}
	if r.Text == "" {
		r.Text = r.Type
	}
	if r.Text == "" {
		return r, "", errors.New("description, service_name and service_code are missing")
	}
	if r.At, err = f.time("requested_datetime", q.requested); err != nil {
		return r, "", err
	}
	if r.UpdatedAt, err = f.time("updated_datetime", q.updated); err != nil {
		return r, "", err
	}
	if r.Position, r.Placed, err = place(q.lat, q.lng); err != nil {
		return r, "", err
	}
	if !r.Placed && r.Address == "" {
		return r, "the request says neither place nor address", nil
	}
	return r, "", nil
}

func (f Format) time(name, s string) (moment.Time, error) {
	if s == "" {
		return moment.Time{}, nil
	}
	at, err := fields.RFC3339(s)
	if err == nil {
		return at, nil
	}
	local, zoneless := time.ParseInLocation("2006-01-02T15:04:05", strings.Replace(s, " ", "T", 1), time.UTC)
	switch {
	case zoneless != nil:
		return moment.Time{}, fmt.Errorf("%s %w", name, err)
	case f.zone == nil:
		return moment.Time{}, fmt.Errorf("%s %.40q says no offset: set the option zone", name, s)
	}
	y, m, d := local.Date()
	return fields.RFC3339(time.Date(y, m, d, local.Hour(), local.Minute(), local.Second(), 0, f.zone).Format(time.RFC3339))
}

// place is not known where lat and long are absent or both 0.
func place(lat, lng *float64) (geo.Position, bool, error) {
	if lat == nil && lng == nil || lat != nil && lng != nil && *lat == 0 && *lng == 0 {
		return geo.Position{}, false, nil
	}
	if lat == nil || lng == nil {
		return geo.Position{}, false, errors.New("lat and long belong together: one is missing")
	}
	p := geo.Position{Lat: *lat, Lng: *lng}
	if err := fields.Position(p); err != nil {
		return geo.Position{}, false, fmt.Errorf("lat, long: %w", err)
	}
	return p, true, nil
}

func readJSON(body []byte) ([]item, error) {
	if err := bounded.JSONDocument(body); err != nil {
		return nil, err
	}
	if bytes.TrimSpace(body)[0] != '[' {
		return nil, errors.New("the document is not a list of service requests")
	}
	spans, err := bounded.Elements(body, 0)
	if err != nil {
		return nil, err
	}
	lines := &bounded.Lines{Body: body}
	items := make([]item, 0, len(spans))
	foreign := 0
	for _, s := range spans {
		line, _ := lines.At(s.From)
		it := item{line: line}
		if it.fault = bounded.JSONItem(lines, s); it.fault == nil {
			it.request, it.fault = jsonRequest(body[s.From:s.To])
		}
		if it.fault == nil && it.id == "" && it.token == "" && it.code == "" && it.service == "" {
			foreign++
		}
		items = append(items, it)
	}
	if foreign > 0 && foreign == len(items) {
		return nil, errors.New("no entry of the list has a service_request_id, a token or a service_code")
	}
	return items, nil
}

func jsonRequest(raw []byte) (q request, err error) {
	o, err := fields.Read(raw)
	if err != nil {
		return q, err
	}
	q = request{
		id: o.Label("service_request_id", maxName), token: o.Label("token", maxName), status: o.Text("status", maxName),
		service: o.Text("service_name", maxName), code: o.Label("service_code", maxName), description: o.Text("description", len(raw)),
		address: o.Text("address", maxText), requested: o.Text("requested_datetime", maxName), updated: o.Text("updated_datetime", maxName),
		notes: o.Text("status_notes", len(raw)), agency: o.Text("agency_responsible", maxName), media: o.Text("media_url", maxText),
		metadata: !o.Has("service_request_id") && !o.Has("requested_datetime") && o.Has("service_code") && (o.Has("metadata") || o.Has("group") || o.Has("type")),
	}
	q.lat, q.lng = coordinate(o, "lat"), coordinate(o, "long")
	q.who = reporter(func(name string) string {
		var s string
		if json.Unmarshal(o.Raw(name), &s) != nil {
			return ""
		}
		return s
	})
	return q, o.Fault()
}

// reporter is who gave a request (GeoReport v2, POST Service Request), as far as it says so in texts.
func reporter(text func(name string) string) feeds.Reporter {
	one := func(name string) string {
		return fields.Cut(strings.Join(strings.Fields(strings.ToValidUTF8(text(name), "")), " "), feeds.LongestReporter)
	}
	name := strings.TrimSpace(one("first_name") + " " + one("last_name"))
	device := one("device_id")
	if device == "" {
		device = one("account_id")
	}
	return feeds.Reporter{Name: fields.Cut(name, feeds.LongestReporter), Phone: one("phone"), Email: one("email"), Device: device}
}

// coordinate reads a number, or a number in quotes as some servers write it.
func coordinate(o *fields.Object, name string) *float64 {
	if raw := o.Raw(name); len(raw) > 0 && raw[0] == '"' {
		v, err := number(o.Text(name, maxName))
		if err != nil {
			o.Fail("%s %w", name, err)
		}
		return v
	}
	return o.Number(name)
}

// number reads a decimal number; an empty text is none.
func number(s string) (*float64, error) {
	if s == "" {
		return nil, nil
	}
	var v float64
	if json.Unmarshal([]byte(s), &v) != nil {
		return nil, fmt.Errorf("%.40q is no number", s)
	}
	return &v, nil
}

func readXML(body []byte) ([]item, error) {
	root, err := cap.Parse(body)
	if err != nil {
		return nil, err
	}
	var items []item
	switch {
	case root.Space == "" && root.Name == "services":
		return []item{{request: request{metadata: true, code: "-"}}}, nil
	case root.Space != "" || root.Name != "service_requests":
		return nil, fmt.Errorf("the root element is <%.40s>, not <service_requests>", root.Name)
	}
	for _, e := range root.Children {
		it := item{line: e.Line}
		if it.request, it.fault = xmlRequest(e); e.Name != "request" {
			it.fault = fmt.Errorf("<%.40s> is no <request>", e.Name)
		}
		items = append(items, it)
	}
	return items, nil
}

func xmlRequest(e *cap.Element) (q request, err error) {
	text := func(name string, most int) string {
		all := e.All("", name)
		if len(all) == 0 {
			return ""
		}
		switch s := all[0].Text; {
		case err != nil:
		case len(all) > 1:
			err = fmt.Errorf("<%s> is given twice", name)
		case len(all[0].Children) > 0:
			err = fmt.Errorf("<%s> holds elements", name)
		case len(s) > most:
			err = fmt.Errorf("<%s> is longer than %d bytes", name, most)
		default:
			return s
		}
		return ""
	}
	value := func(name string) *float64 {
		v, fault := number(text(name, maxName))
		if fault != nil && err == nil {
			err = fmt.Errorf("<%s> %w", name, fault)
		}
		return v
	}
	q = request{id: text("service_request_id", maxName), token: text("token", maxName), status: text("status", maxName), service: text("service_name", maxName),
		code: text("service_code", maxName), description: text("description", 1<<20), address: text("address", maxText), requested: text("requested_datetime", maxName),
		updated: text("updated_datetime", maxName), notes: text("status_notes", 1<<20), agency: text("agency_responsible", maxName), media: text("media_url", maxText)}
	q.lat, q.lng = value("lat"), value("long")
	q.who = reporter(func(name string) string {
		if all := e.All("", name); len(all) == 1 && len(all[0].Children) == 0 {
			return all[0].Text
		}
		return ""
	})
	return q, err
}
