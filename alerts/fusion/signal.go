package fusion

import (
	"cmp"
	"math"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

// Signal is one account of something, that may be of an incident.
type Signal struct {
	Key       string // of the account: id of the alert or report
	Kind      string // alert, report, observation: as evidence has it
	Ref       string // as evidence has it: of an observation its Thing, else Key
	Text      string // short, for people; never a citizen's own words
	Agency    string
	Feed      string
	Types     []Guess // the surest first
	Severity  cap.Severity
	At        time.Time // when it arose, as its source says
	Received  time.Time
	Position  geo.Position
	Placed    bool
	AreaName  string
	Neighbour string // slug of whose ground it is, where that is not ours
	Simulated bool
	Incident  string  // that it belongs to already
	Seen      bool    // somebody was there: an agency's observation, or an instrument's
	Began     bool    // At is when it began, as an instrument or an agency that names an onset says; a person's account is of when it is told
	Coarse    bool    // its place stands for a whole town
	ExtentM   float64 // how far it reaches around Position, as its source has drawn it
	Tells     map[string]bool
}

// wideM is how wide the area of an alert may be before it warns of what may come anywhere in it, and tells of no one place.
const wideM = 8_000

// OfAlert makes a signal of an alert. False: it tells of no place of its own, of nothing that happens, or of what only named people may know.
// where names a place, and whose it is: our area's name, or the slug of a neighbour.
func OfAlert(a *alerts.Alert, where func(geo.Position) (area, neighbour string)) (Signal, bool) {
	if a.State != alerts.Active || a.Status != "Actual" || !a.Relevant && a.Rule == "" {
		return Signal{}, false
	}
	types, restricted := Classify(Words{Codes: codesOf(a.Parameters), Event: a.Event, Headline: a.Headline, Text: a.Description, Category: a.Category})
	if restricted || len(types) == 0 || types[0].Type == "sensor_fault" {
		return Signal{}, false
	}
	s := Signal{Key: a.ID, Kind: "alert", Ref: a.ID, Text: cmp.Or(a.Headline, a.Event), Types: types, Severity: a.Severity, At: a.Onset.Time, Received: a.ReceivedAt.Time,
		AreaName: a.Area.Properties.Name, Simulated: a.Simulated, Incident: a.Incident, Seen: a.Certainty == "Observed", Tells: telling(a.Event, a.Headline, a.Description)}
	if s.Began = !s.At.IsZero(); !s.Began {
		s.At = a.Sent.Time
	}
	if len(a.Sources) > 0 {
		s.Feed = a.Sources[0]
	}
	s.Agency = cmp.Or(a.Sender, s.Feed)
	if a.Rule != "" {
		s.Kind, s.Ref, s.Agency, s.Seen, s.Began = "observation", a.Thing, s.Feed, true, true
	}
	switch shape := a.Area.Geometry; {
	case a.Quake != nil:
		s.Position, s.Placed, s.At = a.Quake.At(), true, a.Quake.OriginAt.Time
		s.Types = []Guess{{"eq", 1}}
	case !shape.IsZero():
		b := shape.Bound()
		if span(b) > wideM {
			return Signal{}, false
		}
		s.Position, s.Placed = geo.Position{Lat: (b.South + b.North) / 2, Lng: (b.West + b.East) / 2}, true
		s.ExtentM = geo.Distance(s.Position, geo.Position{Lat: s.Position.Lat, Lng: b.East})
	default:
		return Signal{}, false
	}
	s.name(where)
	return s, true
}

// span is how wide a bound is, in metres.
func span(b geo.Bound) float64 {
	return geo.Distance(geo.Position{Lat: b.South, Lng: b.West}, geo.Position{Lat: b.North, Lng: b.East})
}

// codesOf are the parameters of an alert that name its event.
func codesOf(parameters map[string]string) (out []string) {
	for _, name := range []string{"incident_type", "event_code", "eventCode", "type", "jenis"} {
		if v := parameters[name]; v != "" {
			out = append(out, v)
		}
	}
	return out
}

// OfReport makes a signal of a report. False: it is closed, of nothing that is known, or of what only named people may know. One without a
// place is of no incident that is known; where a life may hang on it somebody is asked all the same.
func OfReport(r *report.Report, where func(geo.Position) (area, neighbour string)) (Signal, bool) {
	at, placed := r.Position()
	if r.Status == report.Closed || r.Erased {
		return Signal{}, false
	}
	types, restricted := Classify(Words{Codes: []string{r.Code}, Event: r.Type, Text: r.Text})
	if restricted || len(types) == 0 {
		return Signal{}, false
	}
	if t, _ := incident.TypeOf(types[0].Type); !placed && (t.Class != "A" || types[0].Type == "eq") {
		return Signal{}, false
	}
	s := Signal{Key: r.ID, Kind: "report", Ref: r.ID, Agency: r.Agency, Feed: r.Feed, Types: types, Severity: cap.Unknown, At: r.At.Time, Received: r.ReceivedAt.Time,
		Position: at, Placed: placed, AreaName: r.AreaName, Simulated: r.Simulated, Incident: r.Incident(), Tells: telling(r.Type, r.Text, r.Address)}
	t, _ := incident.TypeOf(types[0].Type)
	s.Text = t.ID + " (" + cmp.Or(r.Channel, r.Feed) + ")"
	if placed {
		s.name(where)
	}
	return s, true
}

func (s *Signal) name(where func(geo.Position) (area, neighbour string)) {
	if where == nil {
		return
	}
	area, neighbour := where(s.Position)
	s.AreaName, s.Neighbour = cmp.Or(area, s.AreaName), neighbour
}

// piece is the signal as a suggestion shows it.
func (s *Signal) piece() Piece {
	return Piece{Kind: s.Kind, Ref: s.Ref, Text: s.Text, Agency: s.Agency, Feed: s.Feed, At: momentOf(s.At)}
}

// source is who speaks: two accounts of one source are not two witnesses.
func (s *Signal) source() string {
	if s.Kind == "report" {
		return "report:" + s.Key
	}
	return s.Agency
}

// teller is who says when it began: the instrument, or the agency.
func (s *Signal) teller() string {
	if s.Kind == "observation" {
		return s.Ref
	}
	return s.Agency
}

// clamp keeps a number between two.
func clamp(x, low, high float64) float64 { return math.Max(low, math.Min(high, x)) }
