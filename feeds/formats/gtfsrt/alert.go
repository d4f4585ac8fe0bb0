package gtfsrt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// Bounds of an alert: bytes of a text, languages, and names of routes and stops that are kept.
const (
	maxText      = 16 << 10
	maxLanguages = 16
	maxGeocodes  = 256
)

// openLife is how long an alert without an end lasts; while it is listed, each day brings a new version.
const openLife = 25 * time.Hour

// alert reads a service alert. GTFS Realtime has no time of sending and no versions: the identifier is the entity's id and a hash of
// what it says in the current period, sent is that period's start, or the day of the header where the period has no start or no end,
// or has not begun.
func (d *decoder) alert(i int, id string, a *gtfs.Alert) (pass string, err error) {
	if a == nil {
		return "", nil
	}
	now := d.now
	if now == 0 {
		now = uint64(max(0, d.meta.ReceivedAt.Unix()))
	}
	period, ok, err := current(a.ActivePeriod, now)
	if err != nil {
		return "", err
	}
	if !ok {
		return "all active periods of the alert are over", nil
	}
	infos := infos(a)
	if len(infos) == 0 {
		return "", fmt.Errorf("header_text and description_text are missing")
	}
	day := moment.Of(time.Unix(int64(now), 0).UTC().Truncate(24 * time.Hour))
	sent := day
	if period.Start != nil && *period.Start <= now && (period.End != nil || int64(*period.Start) > day.Unix()) {
		sent = seconds(period.Start)
	}
	urgency, certainty := "Immediate", "Observed"
	if period.GetStart() > now {
		urgency, certainty = "Future", "Likely"
	}
	expires := seconds(period.End)
	if expires.IsZero() {
		expires = moment.Of(sent.Add(openLife))
		if onset := seconds(period.Start); onset.After(sent.Time) {
			expires = moment.Of(onset.Add(openLife))
		}
	}
	area := cap.Area{Geocodes: geocodes(a.InformedEntity)}
	for _, code := range area.Geocodes {
		if at, ok := d.static.place(code.Value); ok && code.Name == "stop_id" {
			area.Shape.Points = append(area.Shape.Points, at.at)
		}
	}
	for k := range infos {
		in := &infos[k]
		in.Categories, in.Event, in.Severity = []string{"Transport"}, event(a), severity(a)
		in.Urgency, in.Certainty = urgency, certainty
		in.Effective, in.Onset, in.Expires = sent, seconds(period.Start), expires
		in.Parameters = []cap.Value{{Name: "cause", Value: strings.ToLower(a.GetCause().String())}, {Name: "effect", Value: strings.ToLower(a.GetEffect().String())}}
		in.Areas = []cap.Area{area}
	}
	sender := d.meta.Feed
	if sender == "" {
		sender = "gtfsrt"
	}
	d.batch.Alerts = append(d.batch.Alerts, feeds.Alert{Index: i, Keys: []string{"gtfsrt " + sender + " " + id}, Message: cap.Message{
		Identifier: id + "-" + digest(a, period), Sender: sender, Sent: sent, Status: "Actual", MsgType: "Alert", Scope: "Public", Infos: infos,
	}})
	return "", nil
}

// seconds reads POSIX time that current has checked.
func seconds(s *uint64) moment.Time {
	if s == nil || *s == 0 {
		return moment.Time{}
	}
	return moment.OfMilli(int64(*s) * 1000)
}

// current gives the period that holds now, else the next one; no periods at all mean always. Zero stands for absent.
func current(periods []*gtfs.TimeRange, now uint64) (out *gtfs.TimeRange, ok bool, err error) {
	if len(periods) == 0 {
		return &gtfs.TimeRange{}, true, nil
	}
	for _, p := range periods {
		for _, t := range []uint64{p.GetStart(), p.GetEnd()} {
			if t != 0 && (t < firstSecond || t > lastSecond) {
				return nil, false, fmt.Errorf("active_period %d is not seconds since 1970 of a year between 2000 and 2200", t)
			}
		}
		if p.GetEnd() != 0 && p.GetEnd() < p.GetStart() {
			return nil, false, fmt.Errorf("active_period ends at %d before it starts at %d", p.GetEnd(), p.GetStart())
		}
		if p.GetEnd() != 0 && p.GetEnd() <= now {
			continue
		}
		if out == nil || p.GetStart() < out.GetStart() {
			out = &gtfs.TimeRange{}
			if p.GetStart() != 0 {
				out.Start = p.Start
			}
			if p.GetEnd() != 0 {
				out.End = p.End
			}
		}
	}
	return out, out != nil, nil
}

// digest tells versions of an alert apart. Other periods do not count: a producer drops them as they pass.
func digest(a *gtfs.Alert, period *gtfs.TimeRange) string {
	c, _ := proto.Clone(a).(*gtfs.Alert)
	c.ActivePeriod = []*gtfs.TimeRange{period}
	b, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(c)
	if err != nil {
		return "0"
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// infos gives one info per language of the texts, in their order; the one without a language, if any, is the first.
func infos(a *gtfs.Alert) []cap.Info {
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
	each := func(t *gtfs.TranslatedString, put func(*cap.Info, string)) {
		for _, tr := range t.GetTranslation() {
			s := strings.TrimSpace(strings.ToValidUTF8(tr.GetText(), ""))
			if len(s) > maxText {
				s = strings.ToValidUTF8(s[:maxText], "")
			}
			if s != "" && len(tr.GetLanguage()) <= 35 { // the longest tag that BCP 47 section 4.4.1 asks to be kept
				put(at(clean(tr.GetLanguage())), s)
			}
		}
	}
	each(a.HeaderText, func(i *cap.Info, s string) { i.Headline = s })
	each(a.DescriptionText, func(i *cap.Info, s string) { i.Description = s })
	if len(out) == 0 {
		return nil
	}
	for _, tr := range a.GetUrl().GetTranslation() {
		u, err := url.Parse(strings.TrimSpace(tr.GetText()))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || len(tr.GetText()) > 1024 {
			continue
		}
		for k := range out {
			if l := clean(tr.GetLanguage()); l == "" || l == out[k].Language || out[k].Web == "" {
				out[k].Web = u.String()
			}
		}
	}
	slices.SortStableFunc(out, func(a, b cap.Info) int { return min(len(a.Language), 1) - min(len(b.Language), 1) })
	return out
}

func severity(a *gtfs.Alert) cap.Severity {
	if a.SeverityLevel == nil {
		return cap.Unknown
	}
	switch *a.SeverityLevel {
	case gtfs.Alert_SEVERE:
		return cap.Severe
	case gtfs.Alert_WARNING:
		return cap.Moderate
	case gtfs.Alert_INFO:
		return cap.Minor
	}
	return cap.Unknown
}

// event is the effect in words.
func event(a *gtfs.Alert) string {
	switch e := a.GetEffect(); e {
	case gtfs.Alert_UNKNOWN_EFFECT, gtfs.Alert_OTHER_EFFECT, gtfs.Alert_NO_EFFECT:
		return "Service alert"
	default:
		s := strings.ToLower(strings.ReplaceAll(e.String(), "_", " "))
		return strings.ToUpper(s[:1]) + s[1:]
	}
}

// geocodes names what an alert is about by the ids of the timetable, each once.
func geocodes(entities []*gtfs.EntitySelector) []cap.Value {
	var out []cap.Value
	seen := map[cap.Value]bool{}
	add := func(name, value string) {
		v := cap.Value{Name: name, Value: value}
		if value != "" && !bad(value) && !seen[v] && len(out) < maxGeocodes {
			seen[v] = true
			out = append(out, v)
		}
	}
	for _, e := range entities {
		add("agency_id", e.GetAgencyId())
		add("route_id", e.GetRouteId())
		add("trip_id", e.GetTrip().GetTripId())
		add("stop_id", e.GetStopId())
	}
	return out
}
