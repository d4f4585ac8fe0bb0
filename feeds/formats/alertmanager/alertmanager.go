// Package alertmanager is webhooks of Prometheus Alertmanager (version 4) and of Grafana's alerting, which has taken over their form.
//
// Each alert gives a message whose identifier is fingerprint and start: the same labels with a new start are a new episode, a repeat
// names the same message again, and what is resolved cancels it. What fires for days is a new version each day, which takes the place
// of the last one, since an alert without a repeat in two days is held to be over. Alerts without a fingerprint, as old servers send them, get the one
// that Prometheus computes of the labels. The sender is the feed: externalURL changes when a server moves. severity critical,
// warning and info are Severe, Moderate and Minor, any other word is Unknown. An alert that fires always to prove the way (Watchdog,
// DeadMansSwitch) is passed over: its silence is what counts, and the feed's state tells that. Source: Alertmanager, webhook
// configuration.
package alertmanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"regexp"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/cap"
	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a label's name, of a label and of a text, labels of one alert, alerts of one delivery.
const (
	maxName   = 200
	maxLabel  = 1024
	maxText   = 8192
	maxLabels = 100
	maxAlerts = 10_000
)

// Format reads Alertmanager webhooks. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("alertmanager", options)
}

// Decode reads one notification. A document without alerts, status and a receiver or labels is an error; a faulty alert costs only itself.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	if err := bounded.JSONDocument(body); err != nil {
		return feeds.Batch{}, fmt.Errorf("alertmanager: %w", err)
	}
	top, err := bounded.Members(body, 0)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("alertmanager: %w", err)
	}
	list, ok := top["alerts"]
	_, status := top["status"]
	_, receiver := top["receiver"]
	_, labels := top["groupLabels"]
	if !ok || !status || !receiver && !labels {
		return feeds.Batch{}, errors.New("alertmanager: the document has not the members alerts, status and receiver or groupLabels")
	}
	items, err := bounded.Elements(body, list.From)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("alertmanager: alerts: %w", err)
	}
	if len(items) > maxAlerts {
		return feeds.Batch{}, fmt.Errorf("alertmanager: more than %d alerts", maxAlerts)
	}
	member := func(name string) json.RawMessage { return body[top[name].From:top[name].To] }
	d := decoder{sender: "alertmanager." + meta.Feed, received: meta.ReceivedAt, lines: &bounded.Lines{Body: body}}
	_ = json.Unmarshal(member("status"), &d.status) // an alert says its own; any other value is none
	for i, item := range items {
		d.alert(i, item)
	}
	var cut float64
	if s, ok := top["truncatedAlerts"]; ok && json.Unmarshal(body[s.From:s.To], &cut) == nil && cut > 0 {
		d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: len(items), Reason: fmt.Sprintf("truncatedAlerts: %v alerts were left out by the sender (max_alerts)", cut)})
	}
	return d.batch, nil
}

type decoder struct {
	sender, status string
	received       time.Time
	lines          *bounded.Lines
	batch          feeds.Batch
}

func (d *decoder) alert(i int, item bounded.Span) {
	line, _ := d.lines.At(item.From)
	err := bounded.JSONItem(d.lines, item)
	var a *fields.Object
	if err == nil {
		a, err = fields.Read(d.lines.Body[item.From:item.To])
	}
	var out feeds.Alert
	var pass string
	if err == nil {
		out, pass = d.read(a)
		err = a.Fault()
	}
	switch {
	case err != nil:
		d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("alert at line %d: %v", line, err)})
	case pass != "":
		d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: i, Reason: pass})
	default:
		out.Index = i
		d.batch.Alerts = append(d.batch.Alerts, out)
	}
}

// fingerprint of Alertmanager is 16 hex digits; Grafana's too.
var fingerprint = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// read gives the message of one alert, or why it is passed over. Faults stand in a.
func (d *decoder) read(a *fields.Object) (out feeds.Alert, pass string) {
	labels := pairs(a.Object("labels"))
	event := value(labels, "alertname")
	if event == "" {
		a.Fail("labels.alertname is missing")
	}
	print := a.Text("fingerprint", 64)
	if print == "" {
		print = computed(labels)
	} else if !fingerprint.MatchString(print) {
		a.Fail("fingerprint %.40q is not letters and digits", print)
	}
	start := a.Time("startsAt")
	if start.IsZero() {
		a.Fail("startsAt is missing")
	}
	resolved, end := d.ended(a)
	if a.Fault() != nil {
		return out, ""
	}
	if strings.EqualFold(event, "Watchdog") || strings.EqualFold(event, "DeadMansSwitch") {
		return out, event + ": it fires always; that it comes is what it says"
	}
	m := d.version(print, start)
	notes := pairs(a.Object("annotations"))
	i := info(a, event, labels, notes)
	i.Effective, i.Expires = m.Sent, moment.Of(m.Sent.Add(2*day))
	if resolved {
		m.References = append(m.References, m.Reference())
		m.Identifier, m.MsgType, m.Note = print+"-"+start.UTC().Format(stamp)+"-resolved", "Cancel", value(notes, "summary")
		if m.Sent = end; m.Sent.IsZero() {
			m.Sent = start
		}
		i.Effective, i.Expires = m.Sent, moment.Time{}
	}
	m.Infos = []cap.Info{i}
	return feeds.Alert{Message: m}, ""
}

const (
	day   = 24 * time.Hour
	stamp = "20060102T150405.000"
)

// version is the message of an episode on the day of it that the delivery falls into; from the second day on it updates the one before.
func (d *decoder) version(print string, start moment.Time) cap.Message {
	days := 0
	if d.received.After(start.Time) {
		days = int(d.received.Sub(start.Time) / day)
	}
	named := func(n int) cap.Reference {
		r := cap.Reference{Sender: d.sender, Identifier: print + "-" + start.UTC().Format(stamp), Sent: moment.Of(start.Add(time.Duration(n) * day))}
		if n > 0 {
			r.Identifier += fmt.Sprintf("-day%d", n+1)
		}
		return r
	}
	this := named(days)
	m := cap.Message{Sender: this.Sender, Identifier: this.Identifier, Sent: this.Sent, Status: "Actual", MsgType: "Alert", Scope: "Restricted"}
	if days > 0 {
		m.MsgType, m.References = "Update", []cap.Reference{named(days - 1)}
	}
	return m
}

// ended tells whether an alert is over, and since when. An end of a firing alert is a guess of the sender's, and the year 1 says
// that there is none; without a status of its own an alert is as the whole notification.
func (d *decoder) ended(a *fields.Object) (bool, moment.Time) {
	status := a.Text("status", maxName)
	if status == "" {
		status = d.status
	}
	switch status {
	case "firing":
		return false, moment.Time{}
	case "resolved":
		if strings.HasPrefix(a.Text("endsAt", 64), "0001-") {
			return true, moment.Time{}
		}
		return true, a.Time("endsAt")
	}
	a.Fail("status %.40q is not firing or resolved", status)
	return false, moment.Time{}
}

// pairs reads names and texts, in the order of the names.
func pairs(o *fields.Object) (out []cap.Value) {
	names := o.Names()
	if len(names) > maxLabels {
		o.Fail("more than %d labels or annotations", maxLabels)
		return nil
	}
	for _, name := range names {
		if len(name) > maxName {
			o.Fail("a label's name is longer than %d bytes", maxName)
			return nil
		}
		out = append(out, cap.Value{Name: name, Value: o.Text(name, maxText)})
	}
	return out
}

func value(list []cap.Value, name string) string {
	for _, v := range list {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// computed is the fingerprint that Prometheus gives to labels (common/model, labelSetToFingerprint): FNV-1a of names and values.
func computed(labels []cap.Value) string {
	h := fnv.New64a()
	for _, l := range labels {
		h.Write([]byte(l.Name + "\xff" + l.Value + "\xff"))
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// severity is the house's reading of the label severity, whose words each city chooses itself.
func severity(word string) cap.Severity {
	switch strings.ToLower(word) {
	case "critical":
		return cap.Severe
	case "warning":
		return cap.Moderate
	case "info":
		return cap.Minor
	}
	return cap.Unknown
}

func info(a *fields.Object, event string, labels, notes []cap.Value) cap.Info {
	i := cap.Info{Categories: []string{"Infra"}, Event: fields.Cut(event, maxLabel), Urgency: "Unknown", Severity: severity(value(labels, "severity")),
		Certainty: "Observed", Onset: a.Time("startsAt")}
	for _, name := range []string{"summary", "name", "title"} {
		if i.Headline == "" {
			i.Headline = fields.Cut(value(notes, name), maxLabel)
		}
	}
	if i.Headline == "" {
		i.Headline = i.Event
	}
	for _, name := range []string{"description", "message"} {
		if i.Description == "" {
			i.Description = value(notes, name)
		}
	}
	if u, err := url.Parse(a.Text("generatorURL", maxText)); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil {
		i.Web = u.String()
	}
	for _, l := range labels {
		if l.Name != "alertname" && l.Value != "" {
			i.Parameters = append(i.Parameters, cap.Value{Name: l.Name, Value: fields.Cut(l.Value, maxLabel)})
		}
	}
	if v := value(notes, "value"); v != "" {
		i.Parameters = append(i.Parameters, cap.Value{Name: "value", Value: fields.Cut(v, maxLabel)})
	}
	if where := value(labels, "instance"); where != "" {
		i.Areas = []cap.Area{{Name: fields.Cut(where, maxLabel)}}
	}
	return i
}
