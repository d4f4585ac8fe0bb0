package alerts

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// DefaultExpiry is how long an alert holds whose sender does not say (feeds.md section 1), from sent.
const DefaultExpiry = 24 * time.Hour

// FromAgency makes the house's alert of what an agency published. It is pure: equal input gives an equal alert, its id too.
// Whether it updates, ends or repeats another is for the store to say.
func FromAgency(in feeds.Alert, m feeds.Meta, p Place, now time.Time) Alert {
	msg := in.Message
	a := Alert{
		ID: idOf(msg, m), Identifier: msg.Identifier, Sender: msg.Sender, Sent: msg.Sent, MsgType: msg.MsgType, Status: msg.Status,
		References: []string{}, Sources: []string{m.Feed}, State: Active, Revision: 1, ReceivedAt: moment.Of(m.ReceivedAt),
		UpdatedAt: moment.Of(now), Attribution: m.Attribution, Simulated: m.Simulated, Keys: slices.Clone(in.Keys),
		Area: Feature{Type: "Feature"}, Severity: cap.Unknown, Urgency: "Unknown", Certainty: "Unknown",
	}
	if a.ReceivedAt.IsZero() {
		a.ReceivedAt = moment.Of(now)
	}
	for _, r := range msg.References {
		a.References = append(a.References, r.String())
	}
	if head := heads(msg.Infos, p.languages()); len(head) > 0 {
		a.words(head)
		a.Area = union(msg.Infos, head[0].Language)
		for _, i := range msg.Infos {
			a.Severity = worse(a.Severity, i.Severity, i.Severity.Valid() && (i.Severity != cap.Unknown))
		}
	}
	a.defaults(msg)
	if in.Quake != nil {
		a.quake(*in.Quake, p)
	} else {
		a.Severity = capped(a.Severity, a.Certainty, a.Urgency)
		a.Relevant = relevant(a, p)
	}
	a.State = stateAt(a, now)
	return a
}

// idOf is a ULID of the message's time and identity, so that the same message has the same id in every life of the house.
func idOf(m cap.Message, meta feeds.Meta) string {
	at := m.Sent.Time
	if at.IsZero() {
		at = meta.ReceivedAt
	}
	return ID(at, fmt.Sprintf("alert\x00%s\x00%t", m.Reference(), meta.Simulated))
}

// ID is a ULID of a time and, in place of chance, the hash of a name.
func ID(at time.Time, name string) string {
	sum := sha256.Sum256([]byte(name))
	var id ulid.ULID
	if ms := at.UnixMilli(); ms > 0 {
		_ = id.SetTime(min(uint64(ms), ulid.MaxTime())) // within MaxTime it cannot fail
	}
	_ = id.SetEntropy(sum[:10]) // ten bytes cannot fail
	return id.String()
}

// worse is the worse of two severities; Unknown gives way to any that was judged.
func worse(a, b cap.Severity, known bool) cap.Severity {
	if known && (a == cap.Unknown || b.Rank() < a.Rank()) {
		return b
	}
	return a
}

// heads gives one info per language, the worst of each, the language we like best first.
func heads(infos []cap.Info, liked []string) []cap.Info {
	var out []cap.Info
	for _, i := range infos {
		if i.Language == "" {
			i.Language = "en-US" // CAP-v1.2 section 3.2.2
		}
		at := slices.IndexFunc(out, func(o cap.Info) bool { return strings.EqualFold(o.Language, i.Language) })
		switch {
		case at < 0:
			out = append(out, i)
		case worse(out[at].Severity, i.Severity, i.Severity != cap.Unknown) != out[at].Severity:
			out[at] = i
		}
	}
	rank := func(i cap.Info) int {
		lang := strings.ToLower(i.Language)
		for n, l := range liked {
			if l = strings.ToLower(l); lang == l || strings.HasPrefix(lang, l+"-") {
				return n
			}
		}
		return len(liked)
	}
	slices.SortStableFunc(out, func(x, y cap.Info) int { return rank(x) - rank(y) })
	return out
}

// words takes text and times from the first info, and keeps the others' text.
func (a *Alert) words(head []cap.Info) {
	i := head[0]
	a.Event, a.Urgency, a.Certainty = i.Event, i.Urgency, i.Certainty
	a.Effective, a.Onset, a.Expires = i.Effective, i.Onset, i.Expires
	a.Headline, a.Description, a.Instruction, a.Web, a.Language = i.Headline, i.Description, i.Instruction, i.Web, i.Language
	if len(i.Categories) > 0 {
		a.Category = i.Categories[0]
	}
	for _, o := range head[1:] {
		a.Texts = append(a.Texts, Text{o.Language, o.Event, o.Headline, o.Description, o.Instruction})
	}
	for _, v := range append(slices.Clone(i.EventCodes), i.Parameters...) {
		a.parameter(v.Name, v.Value)
	}
}

func (a *Alert) parameter(name, value string) {
	if a.Parameters == nil {
		a.Parameters = map[string]string{}
	}
	a.Parameters[name] = value
}

// defaults fills what CAP allows to leave out.
func (a *Alert) defaults(msg cap.Message) {
	if a.Sent.IsZero() {
		a.Sent = a.ReceivedAt
	}
	if a.Effective.IsZero() {
		a.Effective = a.Sent
	}
	if a.Expires.IsZero() {
		a.Expires = moment.Of(a.Sent.Add(DefaultExpiry))
	}
	if a.Category == "" {
		a.Category = "Other"
	}
	if a.Headline == "" {
		a.Headline = a.Event
	}
	if msg.Scope != "" && msg.Scope != "Public" {
		a.parameter("scope", msg.Scope)
	}
}

// capped applies the crosswalk of feeds.md section 16: what is only possible or lies ahead is at most Moderate, what is past at most Minor.
func capped(s cap.Severity, certainty, urgency string) cap.Severity {
	limit := cap.Extreme
	switch {
	case urgency == "Past":
		limit = cap.Minor
	case urgency == "Future" || certainty == "Possible" || certainty == "Unlikely":
		limit = cap.Moderate
	}
	if s != cap.Unknown && s.Rank() < limit.Rank() {
		return limit
	}
	return s
}

// union is the areas of the infos in one language, each polygon once; where those have no shape or no name, that of the other infos.
func union(infos []cap.Info, language string) Feature {
	out := Feature{Type: "Feature"}
	var names []string
	take := func(i cap.Info, named bool) {
		for _, area := range i.Areas {
			if named && area.Name != "" && !slices.Contains(names, area.Name) {
				names = append(names, area.Name)
			}
			join(&out.Geometry, area.Shape)
		}
	}
	for _, i := range infos {
		if strings.EqualFold(i.Language, language) || i.Language == "" && language == "en-US" {
			take(i, true)
		}
	}
	if out.Geometry.IsZero() {
		unnamed := len(names) == 0
		for _, i := range infos {
			take(i, unnamed)
		}
	}
	out.Properties.Name = strings.Join(names, ", ")
	return out
}

func join(to *geo.Shape, s geo.Shape) {
	for _, p := range s.Points {
		if !slices.Contains(to.Points, p) {
			to.Points = append(to.Points, p)
		}
	}
	for _, l := range s.Lines {
		if !slices.ContainsFunc(to.Lines, func(o []geo.Position) bool { return slices.Equal(o, l) }) {
			to.Lines = append(to.Lines, l)
		}
	}
	for _, p := range s.Polygons {
		same := func(o geo.Polygon) bool {
			return slices.EqualFunc(o.Rings, p.Rings, func(x, y []geo.Position) bool { return slices.Equal(x, y) })
		}
		if !slices.ContainsFunc(to.Polygons, same) {
			to.Polygons = append(to.Polygons, p)
		}
	}
}

// relevant judges an alert that is no earthquake: by its shape, else by a kecamatan's name beside that of our province.
// An alert that says no place at all is for everybody.
func relevant(a Alert, p Place) bool {
	if p.touches(a.Area.Geometry) {
		return true
	}
	text := a.Area.Properties.Name + "\n" + a.Headline + "\n" + a.Description
	if p.inProvince(text) && p.named(a.Area.Properties.Name+"\n"+a.Description) {
		return true
	}
	return a.Area.Geometry.IsZero() && a.Area.Properties.Name == ""
}

// stateAt is where a new alert stands by itself.
func stateAt(a Alert, now time.Time) State {
	switch {
	case a.Status == "Test" || a.Status == "System" || a.Status == "Draft":
		return Logged
	case !a.Expires.IsZero() && !a.Expires.After(now):
		return Expired
	default:
		return Active
	}
}
