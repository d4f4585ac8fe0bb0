package siri

import (
	"encoding/xml"
	"net/url"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Bounds of a situation: names of lines and stops that are kept, and languages.
const (
	maxGeocodes  = 256
	maxLanguages = 16
)

// openLife is how long a situation without an end lasts after the day it was first delivered.
const openLife = 90 * 24 * time.Hour

// situation reads a PtSituationElement or RoadSituationElement. Its key is SituationNumber of its participant, the identifier adds
// Version; sent is VersionedAtTime, else CreationTime. Progress closed ends it.
func (s *stream) situation(e *cap.Element) (pass string, err error) {
	r := &reader{}
	number, version, sender := r.id(e, "SituationNumber"), r.id(e, "Version"), r.id(e, "ParticipantRef")
	for _, other := range []string{s.fields["ProducerRef"], s.meta.Feed, "siri"} {
		if sender == "" && len(other) <= maxID {
			sender = other
		}
	}
	if number == "" {
		r.fault("<SituationNumber> is missing")
	}
	sent := r.when(e, "CreationTime")
	if v := r.when(e, "VersionedAtTime"); !v.IsZero() {
		sent = v
	}
	if sent.IsZero() {
		r.fault("<VersionedAtTime> and <CreationTime> are missing")
	}
	m := cap.Message{Identifier: number, Sender: sender, Sent: sent, Status: "Actual", MsgType: "Alert", Scope: "Public"}
	if version != "" {
		m.Identifier += ".v" + version
	}
	alert := feeds.Alert{Index: s.items, Keys: []string{"siri " + sender + " " + number}}
	switch p := r.text(e, "Progress"); p {
	case "closed":
		// What was open under this version and time ends; its own identity must not be that of what it ends.
		m.References = []cap.Reference{m.Reference()}
		m.Identifier, m.MsgType = m.Identifier+".closed", "Cancel"
	case "draft", "pendingApproval", "approvedDraft":
		return "a situation that is not published: progress is " + p, r.err
	}
	if q := r.text(e, "QualityIndex"); q == "test" {
		m.Status = "Test"
	}
	if m.MsgType == "Alert" {
		period, over := r.period(e, s.now())
		if over {
			return "the validity of the situation is over", r.err
		}
		m.Infos = r.infos(e)
		if len(m.Infos) == 0 {
			r.fault("<Summary> and <Description> are missing")
		}
		area := r.area(e)
		for k := range m.Infos {
			in := &m.Infos[k]
			in.Effective, in.Onset, in.Expires, in.Urgency, in.Certainty = sent, period.onset, period.expires, period.urgency, period.certainty
			in.Areas = []cap.Area{area}
		}
	}
	if r.err != nil {
		return "", r.err
	}
	alert.Message = m
	s.batch.Alerts = append(s.batch.Alerts, alert)
	return "", nil
}

// now is when the producer answered, else when the answer came.
func (s *stream) now() time.Time {
	if t, err := time.Parse(time.RFC3339, s.fields["ResponseTimestamp"]); err == nil {
		return t
	}
	return s.meta.ReceivedAt
}

type period struct {
	onset, expires     moment.Time
	urgency, certainty string
}

// period gives the validity that holds now, else the next one; a situation without any holds since it was made.
func (r *reader) period(e *cap.Element, now time.Time) (p period, over bool) {
	p = period{urgency: "Immediate", certainty: "Observed"}
	open := moment.Of(now.UTC().Truncate(24 * time.Hour).Add(openLife))
	all := e.All(namespace, "ValidityPeriod")
	found := len(all) == 0
	for _, v := range all {
		from, to := r.when(v, "StartTime"), r.when(v, "EndTime")
		if !to.IsZero() && to.Before(from.Time) {
			r.fault("<ValidityPeriod> at line %d ends before it starts", v.Line)
		}
		if !to.IsZero() && !to.After(now) {
			continue
		}
		if !found || from.Before(p.onset.Time) {
			p.onset, p.expires, found = from, to, true
		}
	}
	if p.onset.After(now) {
		p.urgency, p.certainty = "Future", "Likely"
	}
	if p.expires.IsZero() {
		p.expires = open
		if p.onset.After(now) {
			p.expires = moment.Of(p.onset.Add(openLife))
		}
	}
	return p, !found
}

// severities of SIRI (TPEG pti26), as far below CAP's as a disturbed service is below a danger to life.
func severity(s string) cap.Severity {
	switch s {
	case "verySevere":
		return cap.Severe
	case "severe":
		return cap.Moderate
	case "normal", "slight", "verySlight", "noImpact":
		return cap.Minor
	}
	return cap.Unknown
}

// infos gives one info per language of Summary and Description.
func (r *reader) infos(e *cap.Element) []cap.Info {
	var out []cap.Info
	at := func(language string) *cap.Info {
		for k := range out {
			if out[k].Language == language {
				return &out[k]
			}
		}
		if len(out) == maxLanguages {
			return &cap.Info{}
		}
		out = append(out, cap.Info{Language: language})
		return &out[len(out)-1]
	}
	for _, c := range e.Children {
		if c.Space != namespace || c.Text == "" || len(c.Text) > maxText {
			continue
		}
		switch c.Name {
		case "Summary":
			at(language(c)).Headline = c.Text
		case "Description":
			at(language(c)).Description = c.Text
		case "Advice":
			at(language(c)).Instruction = c.Text
		}
	}
	worst := severity(r.text(e, "Severity"))
	var cause []cap.Value
	for _, c := range e.Children {
		if strings.HasSuffix(c.Name, "Reason") && c.Space == namespace && len(c.Children) == 0 && c.Text != "" && len(c.Text) <= maxID {
			cause = append(cause, cap.Value{Name: "cause", Value: c.Text})
		}
	}
	web := ""
	for _, l := range r.inside(e, "InfoLinks", "InfoLink") {
		u, err := url.Parse(r.text(l, "Uri"))
		if web == "" && err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil {
			web = u.String()
		}
	}
	for k := range out {
		out[k].Categories, out[k].Event, out[k].Severity, out[k].Parameters, out[k].Web = []string{"Transport"}, "Service alert", worst, cause, web
	}
	return out
}

// inside walks down by names; each but the last stands once.
func (r *reader) inside(e *cap.Element, names ...string) []*cap.Element {
	for ; len(names) > 1 && e != nil; names = names[1:] {
		e = r.one(e, names[0])
	}
	if e == nil {
		return nil
	}
	return e.All(namespace, names[0])
}

func language(e *cap.Element) string {
	for _, a := range e.Attrs {
		if a.Name == (xml.Name{Space: "http://www.w3.org/XML/1998/namespace", Local: "lang"}) || a.Name == (xml.Name{Space: "xml", Local: "lang"}) {
			if len(a.Value) <= 35 {
				return strings.ToLower(a.Value)
			}
		}
	}
	return ""
}

// area names the stops, lines and operators that a situation affects, and draws the stops that say where they are.
func (r *reader) area(e *cap.Element) (a cap.Area) {
	seen := map[cap.Value]bool{}
	var walk func(*cap.Element)
	walk = func(e *cap.Element) {
		for _, c := range e.Children {
			switch c.Name {
			case "StopPointRef", "LineRef", "OperatorRef", "StopPlaceRef":
				v := cap.Value{Name: c.Name, Value: c.Text}
				if c.Text != "" && len(c.Text) <= maxID && !seen[v] && len(a.Geocodes) < maxGeocodes {
					seen[v] = true
					a.Geocodes = append(a.Geocodes, v)
				}
			case "Location":
				in := &reader{}
				if p := in.place(c); in.err == nil && len(a.Shape.Points) < maxGeocodes {
					a.Shape = geo.Shape{Points: append(a.Shape.Points, p)}
				}
			default:
				walk(c)
			}
		}
	}
	if affects := r.one(e, "Affects"); affects != nil {
		walk(affects)
	}
	return a
}
