package gbfs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// openLife is how long an alert without an end lasts; while it is listed, each day brings a new version.
const openLife = 25 * time.Hour

// events in words, by type; version 3 writes the types in small letters.
var events = map[string]string{"system_closure": "System closure", "station_closure": "Station closure", "station_move": "Station moved"}

// alert reads one of system_alerts; its identifier is its id and a hash of its words. GBFS judges nothing, so severity is Unknown.
func (d *decoder) alert(i int, o *fields.Object) (string, error) {
	id := d.id(i, o, "alert_id")
	period, over := d.period(o)
	event := events[strings.ToLower(o.Text("type", maxName))]
	if event == "" {
		event = "Service alert"
	}
	sent := when(o, "last_updated")
	if sent.IsZero() && !period.onset.After(period.now) {
		sent = period.onset
	}
	day := moment.Of(period.now.UTC().Truncate(24 * time.Hour))
	if sent.IsZero() || period.expires.IsZero() && sent.Before(day.Time) {
		sent = day
	}
	if period.expires.IsZero() {
		period.expires = moment.Of(sent.Add(openLife))
		if period.onset.After(sent.Time) {
			period.expires = moment.Of(period.onset.Add(openLife))
		}
	}
	var infos []cap.Info
	at := func(language string) *cap.Info {
		for k := range infos {
			if infos[k].Language == language {
				return &infos[k]
			}
		}
		infos = append(infos, cap.Info{Language: language})
		return &infos[len(infos)-1]
	}
	for _, w := range words(o, "summary", maxText) {
		at(w.language).Headline = w.text
	}
	for _, w := range words(o, "description", maxText) {
		at(w.language).Description = w.text
	}
	if len(infos) == 0 {
		o.Fail("summary and description are missing")
	}
	area := cap.Area{}
	for _, name := range []string{"station_id", "region_id"} {
		list := o.List(name + "s")
		for k := range list[:min(len(list), 256)] {
			in, err := fields.Read([]byte(`{"id":` + string(list[k]) + `}`))
			if err != nil {
				continue
			}
			if v := in.Label("id", maxID); v != "" && in.Fault() == nil {
				area.Geocodes = append(area.Geocodes, cap.Value{Name: name, Value: v})
			}
		}
	}
	web := ""
	if u, err := url.Parse(first(words(o, "url", 1024))); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil {
		web = u.String()
	}
	if err := o.Fault(); err != nil {
		return "", err
	}
	if over {
		return "all times of the alert are over", nil
	}
	for k := range infos {
		in := &infos[k]
		in.Categories, in.Event, in.Severity, in.Urgency, in.Certainty = []string{"Transport"}, event, cap.Unknown, "Immediate", "Observed"
		if period.onset.After(period.now) {
			in.Urgency, in.Certainty = "Future", "Likely"
		}
		in.Effective, in.Onset, in.Expires, in.Web, in.Areas = sent, period.onset, period.expires, web, []cap.Area{area}
	}
	sender := d.meta.Feed
	if sender == "" {
		sender = "gbfs"
	}
	d.batch.Alerts = append(d.batch.Alerts, feeds.Alert{Index: i, Keys: []string{"gbfs " + sender + " " + id}, Message: cap.Message{
		Identifier: id + "-" + digest(infos), Sender: sender, Sent: sent, Status: "Actual", MsgType: "Alert", Scope: "Public", Infos: infos,
	}})
	return "", nil
}

// digest tells versions of an alert apart, whose last_updated is optional.
func digest(infos []cap.Info) string {
	h := sha256.New()
	for _, i := range infos {
		fmt.Fprintf(h, "%q %q %q %q %s\n", i.Language, i.Event, i.Headline, i.Description, i.Onset)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

type period struct {
	now            time.Time
	onset, expires moment.Time // zero: not said
}

// period gives the time that holds when the document was made, else the next one; an alert without times holds always.
func (d *decoder) period(o *fields.Object) (p period, over bool) {
	p.now = d.updated.Time
	if p.now.IsZero() {
		p.now = d.meta.ReceivedAt
	}
	all := o.Objects("times")
	found := len(all) == 0
	for _, t := range all {
		from, to := when(t, "start"), when(t, "end")
		if !to.IsZero() && to.Before(from.Time) {
			t.Fail("times: end is before start")
		}
		if !to.IsZero() && !to.After(p.now) {
			continue
		}
		if !found || from.Before(p.onset.Time) {
			p.onset, p.expires, found = from, to, true
		}
	}
	return p, !found
}
