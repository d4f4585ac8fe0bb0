package incident

import (
	"slices"
	"strings"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Draft is an incident that a person reports (POST /incidents).
type Draft struct {
	Type     string       `json:"type"`
	Title    string       `json:"title,omitempty"`    // empty: the type's name and the place
	Severity cap.Severity `json:"severity,omitempty"` // empty: the type's own
	Lng      *float64     `json:"lng,omitempty"`
	Lat      *float64     `json:"lat,omitempty"`
	Note     string       `json:"note,omitempty"`
	At       time.Time    `json:"at,omitzero"` // of the first signal, where it is entered later, as from paper; zero: now
	Exercise bool         `json:"exercise,omitempty"`
}

// Opening is all that a new incident is made from.
type Opening struct {
	ID, Number   string
	Type         string
	Title        string
	Severity     cap.Severity // empty: the type's own
	Position     *geo.Position
	AreaName     string
	At           time.Time // our clock
	EventAt      moment.Time
	SignalAt     moment.Time // zero: At
	SignalByHand bool        // a person has entered SignalAt
	Actor        string
	Note         string
	Why          Why
	Evidence     []Evidence
	Simulated    bool
	Exercise     bool // it is simulated as well
	Terms        Terms
}

// Validate checks a draft; errors are marked ErrInvalid.
func (d Draft) Validate() error {
	t, ok := TypeOf(d.Type)
	switch {
	case !ok:
		return fault.In(ErrInvalid, "type", fault.Unknown, nil, "%.60q is none of %s", d.Type, Codes())
	case t.Restricted:
		return fault.In(ErrInvalid, "type", fault.Unknown, nil, "%q is restricted and not kept here", d.Type)
	case d.Severity != "" && !d.Severity.Valid():
		return fault.In(ErrInvalid, "severity", fault.OneOf, cap.Severities, "%q is not one of CAP's", d.Severity)
	case (d.Lng == nil) != (d.Lat == nil):
		return fault.In(ErrInvalid, "lng", fault.Together, nil, "and lat come together")
	case len(d.Title) > 200:
		return fault.In(ErrInvalid, "title", fault.Long, 200, "is longer than 200 bytes")
	case len(d.Note) > maxNote:
		return fault.In(ErrInvalid, "note", fault.Long, maxNote, "is longer than %d bytes", maxNote)
	}
	if p := d.Position(); p != nil {
		if err := p.Validate(); err != nil {
			return fault.In(ErrInvalid, "lng", fault.Outside, nil, "%v", err)
		}
	}
	return nil
}

// EntryLimit is how long after its first signal an incident may still be entered.
const EntryLimit = 7 * 24 * time.Hour

// Signal is when the first signal came; zero: as it is entered. Errors: ErrInvalid where that is ahead of us or too long ago.
func (d Draft) Signal(now time.Time) (moment.Time, error) {
	at := moment.Of(d.At)
	switch {
	case at.IsZero():
	case at.After(now.Add(skew)):
		return at, fault.In(ErrInvalid, "at", fault.Late, nil, "%s has not come yet", at)
	case now.Sub(at.Time) > EntryLimit:
		return at, fault.In(ErrInvalid, "at", fault.Early, nil, "%s is more than 7 days ago", at)
	}
	return at, nil
}

// Position of the draft, nil where none is given.
func (d Draft) Position() *geo.Position {
	if d.Lng == nil || d.Lat == nil {
		return nil
	}
	return &geo.Position{Lat: *d.Lat, Lng: *d.Lng}
}

// Open makes a new incident, version 1.
func Open(o Opening) (Incident, error) {
	t, ok := TypeOf(o.Type)
	if !ok {
		return Incident{}, fault.In(ErrInvalid, "type", fault.Unknown, nil, "%.60q is none of %s", o.Type, Codes())
	}
	if o.Severity == "" {
		o.Severity = t.Severity
	}
	at := moment.Of(o.At)
	if o.SignalAt.IsZero() {
		o.SignalAt = at
	}
	if o.Why.Inputs == nil {
		o.Why.Inputs = []Input{}
	}
	in := Incident{
		ID: o.ID, Number: o.Number, Type: t.Code, Title: strings.TrimSpace(o.Title), Severity: o.Severity, Status: New, Version: 1,
		LeadAgency: t.Lead, Support: append([]string{}, t.Support...), AreaName: o.AreaName, OpenedAt: at, UpdatedAt: at,
		Times:    Times{TEvent: o.EventAt, TSignal: o.SignalAt, TCreated: at},
		Zone:     o.Terms.Zone,
		SLA:      o.Terms.sla(t.Class, o.SignalAt),
		Why:      o.Why,
		Evidence: append([]Evidence{}, o.Evidence...),
		Timeline: []Entry{{At: at, Actor: o.Actor, Act: "opened", Note: o.Note}}, Dispatches: []string{}, Simulated: o.Simulated || o.Exercise, Exercise: o.Exercise,
		ExternalRefs: []ExternalRef{}, TimesSource: TimesSource{"t_signal": byClock, "t_created": byClock},
		Checklist: append([]Check(nil), o.Terms.Checklist...), Proof: Proof{ProofNeed, []Proven{}},
	}
	if o.SignalByHand {
		in.TimesSource["t_signal"] = byHand
	}
	if o.Position != nil {
		if err := in.place(*o.Position); err != nil {
			return Incident{}, err
		}
	}
	return in, nil
}

// AddEvidence joins a piece to the incident and says so in its timeline; the version stays.
func (in *Incident) AddEvidence(e Evidence, actor string, at time.Time) {
	in.Evidence = append(in.Evidence, e)
	in.disprove(SensorNormal, e.Ref)
	in.Remark(actor, "evidence", e.Reason+": "+e.Text, at)
}

// Remark adds a line to the timeline that is no act; the version stays.
func (in *Incident) Remark(actor, act, note string, at time.Time) {
	in.UpdatedAt = moment.Of(at)
	in.Timeline = append(in.Timeline, Entry{At: in.UpdatedAt, Actor: actor, Act: act, Note: note})
}

// LatestEvidence is when the newest piece of evidence arose; the opening where there is none.
func (in *Incident) LatestEvidence() time.Time {
	t := in.OpenedAt.Time
	for i, e := range in.Evidence {
		if i == 0 || e.At.After(t) {
			t = e.At.Time
		}
	}
	return t
}

// Evident tells whether a Thing or alert is among the evidence.
func (in *Incident) Evident(ref string) bool {
	return slices.ContainsFunc(in.Evidence, func(e Evidence) bool { return e.Ref == ref })
}

// Position of the incident, false where it has none.
func (in *Incident) Position() (geo.Position, bool) {
	if in.Location == nil {
		return geo.Position{}, false
	}
	return geo.Position{Lat: in.Location.Lat, Lng: in.Location.Lng}, true
}
