package native

import (
	"encoding/json"
	"fmt"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Records are a batch as native records, for people who want to see what their bytes became. Each list is never nil.
type Records struct {
	Observations []json.RawMessage `json:"observations"`
	Alerts       []json.RawMessage `json:"alerts"`
	Reports      []json.RawMessage `json:"reports"`
	Positions    []json.RawMessage `json:"positions"`
}

// Encode gives the first records of each kind, at most so many; each decodes to what it came from. Of an alert in several languages the first
// is told, and languages names them all; several areas become one. An error is a number that JSON cannot write.
func Encode(b *feeds.Batch, most int) (Records, error) {
	var out Records
	var err error
	encode := func(to *[]json.RawMessage, n int, record func(i int) any) {
		*to = []json.RawMessage{}
		for i := range min(n, most) {
			raw, bad := json.Marshal(record(i))
			if bad != nil {
				err = fmt.Errorf("native: record %d: %w", i, bad)
				return
			}
			*to = append(*to, raw)
		}
	}
	encode(&out.Observations, len(b.Observations), func(i int) any { return observationOf(&b.Observations[i]) })
	encode(&out.Alerts, len(b.Alerts), func(i int) any { return alertOf(&b.Alerts[i]) })
	encode(&out.Reports, len(b.Reports), func(i int) any { return reportOf(&b.Reports[i]) })
	encode(&out.Positions, len(b.Positions), func(i int) any { return positionOf(&b.Positions[i]) })
	return out, err
}

// at is a place in a record; nothing where there is none.
type at struct {
	Lng *float64 `json:"lng,omitempty"`
	Lat *float64 `json:"lat,omitempty"`
}

func placeOf(p geo.Position, placed bool) at {
	if !placed {
		return at{}
	}
	return at{&p.Lng, &p.Lat}
}

type observation struct {
	ID       string      `json:"id,omitempty"`
	Thing    string      `json:"thing"`
	Property string      `json:"property"`
	Value    any         `json:"value"`
	Unit     string      `json:"unit,omitempty"`
	At       moment.Time `json:"at,omitzero"`
	at
	Kind    string          `json:"kind,omitempty"`
	Name    string          `json:"name,omitempty"`
	Quality feeds.Quality   `json:"quality,omitempty"`
	Attrs   json.RawMessage `json:"attrs,omitempty"`
}

func observationOf(o *feeds.Observation) observation {
	r := observation{ID: o.ID, Thing: o.Thing, Property: o.Property, Value: o.Value.Any(), Unit: o.Unit, At: o.At, at: placeOf(o.Position, o.Placed),
		Kind: o.Kind, Name: o.Name, Attrs: o.Attrs}
	if o.Quality != feeds.Good {
		r.Quality = o.Quality
	}
	return r
}

type alert struct {
	Record      string          `json:"record"`
	Identifier  string          `json:"identifier"`
	Sender      string          `json:"sender"`
	Sent        moment.Time     `json:"sent"`
	Status      string          `json:"status"`
	MsgType     string          `json:"msg_type"`
	Scope       string          `json:"scope,omitempty"`
	References  []cap.Reference `json:"references,omitempty"`
	Language    string          `json:"language,omitempty"`
	Languages   []string        `json:"languages,omitempty"` // where there are several; the house's own word
	Category    []string        `json:"category,omitempty"`
	Event       string          `json:"event,omitempty"`
	Urgency     string          `json:"urgency,omitempty"`
	Severity    cap.Severity    `json:"severity,omitempty"`
	Certainty   string          `json:"certainty,omitempty"`
	Effective   moment.Time     `json:"effective,omitzero"`
	Onset       moment.Time     `json:"onset,omitzero"`
	Expires     moment.Time     `json:"expires,omitzero"`
	SenderName  string          `json:"sender_name,omitempty"`
	Headline    string          `json:"headline,omitempty"`
	Description string          `json:"description,omitempty"`
	Instruction string          `json:"instruction,omitempty"`
	Web         string          `json:"web,omitempty"`
	Contact     string          `json:"contact,omitempty"`
	Area        *area           `json:"area,omitempty"`
	Quake       *quake          `json:"quake,omitempty"`
}

// area is a GeoJSON Feature.
type area struct {
	Type       string     `json:"type"`
	Geometry   *geo.Shape `json:"geometry"`
	Properties struct {
		Name string `json:"name,omitempty"`
	} `json:"properties"`
}

func alertOf(in *feeds.Alert) alert {
	m := &in.Message
	r := alert{Record: "alert", Identifier: m.Identifier, Sender: m.Sender, Sent: m.Sent, Status: m.Status, MsgType: m.MsgType, Scope: m.Scope, References: m.References}
	if q := in.Quake; q != nil {
		r.Quake = &quake{q.OriginAt, q.Position.Lng, q.Position.Lat, q.DepthKm, q.Magnitude, q.Place, q.Tsunami, q.Felt}
	}
	if len(m.Infos) == 0 {
		return r
	}
	if len(m.Infos) > 1 {
		for _, i := range m.Infos {
			r.Languages = append(r.Languages, i.Language)
		}
	}
	i := &m.Infos[0]
	r.Language, r.Category, r.Event, r.Urgency, r.Severity, r.Certainty = i.Language, i.Categories, i.Event, i.Urgency, i.Severity, i.Certainty
	r.Effective, r.Onset, r.Expires, r.SenderName, r.Headline = i.Effective, i.Onset, i.Expires, i.SenderName, i.Headline
	r.Description, r.Instruction, r.Web, r.Contact, r.Area = i.Description, i.Instruction, i.Web, i.Contact, areaOf(i.Areas)
	return r
}

func areaOf(all []cap.Area) *area {
	if len(all) == 0 {
		return nil
	}
	var names []string
	var shape geo.Shape
	for _, a := range all {
		if a.Name != "" {
			names = append(names, a.Name)
		}
		shape.Points = append(shape.Points, a.Shape.Points...)
		shape.Lines = append(shape.Lines, a.Shape.Lines...)
		shape.Polygons = append(shape.Polygons, a.Shape.Polygons...)
	}
	out := &area{Type: "Feature"}
	out.Properties.Name = strings.Join(names, ", ")
	if !shape.IsZero() {
		out.Geometry = &shape
	}
	return out
}

type quake struct {
	OriginAt  moment.Time  `json:"origin_at"`
	Lng       float64      `json:"lng"`
	Lat       float64      `json:"lat"`
	DepthKm   float64      `json:"depth_km"`
	Magnitude *float64     `json:"magnitude,omitempty"`
	Place     string       `json:"place,omitempty"`
	Tsunami   string       `json:"tsunami,omitempty"`
	Felt      []feeds.Felt `json:"felt,omitempty"`
}

type report struct {
	Record string `json:"record"`
	*feeds.Report
	at
}

func reportOf(p *feeds.Report) report { return report{"report", p, placeOf(p.Position, p.Placed)} }

type position struct {
	Record string      `json:"record"`
	Unit   string      `json:"unit"`
	Kind   string      `json:"kind,omitempty"`
	Name   string      `json:"name,omitempty"`
	At     moment.Time `json:"at,omitzero"`
	at
	SpeedMps  *float64 `json:"speed_mps,omitempty"`
	Heading   *float64 `json:"heading,omitempty"`
	AccuracyM *float64 `json:"accuracy_m,omitempty"`
}

func positionOf(u *feeds.UnitPosition) position {
	return position{"position", u.Unit, u.Kind, u.Name, u.At, placeOf(u.Position, true), u.SpeedMps, u.Heading, u.AccuracyM}
}
