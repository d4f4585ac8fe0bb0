// Package alerts is Alert, its state and its severity, urgency, certainty.
package alerts

import (
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Alert is something that calls for attention, CAP-shaped, from an agency or from one of our rules: what the house keeps and the wire shows.
type Alert struct {
	ID          string            `json:"id"` // stable over revisions; opaque
	Identifier  string            `json:"identifier"`
	Sender      string            `json:"sender"`
	Sent        moment.Time       `json:"sent"`
	MsgType     string            `json:"msg_type"`
	Status      string            `json:"status"`
	Category    string            `json:"category"`
	Event       string            `json:"event"`
	Urgency     string            `json:"urgency"`
	Severity    cap.Severity      `json:"severity"` // as judged for this place
	Certainty   string            `json:"certainty"`
	Effective   moment.Time       `json:"effective"`
	Onset       moment.Time       `json:"onset"`
	Expires     moment.Time       `json:"expires"`
	Headline    string            `json:"headline"`
	Description string            `json:"description"`
	Instruction string            `json:"instruction,omitempty"`
	Web         string            `json:"web,omitempty"`
	Language    string            `json:"language,omitempty"`
	Texts       []Text            `json:"texts,omitempty"` // the same alert in its other languages
	Area        Feature           `json:"area"`
	References  []string          `json:"references"`
	Supersedes  []string          `json:"supersedes,omitempty"` // ids of alerts this one ended
	Sources     []string          `json:"sources"`              // feeds it came by; only the first may update or cancel it
	Rule        string            `json:"rule,omitempty"`
	Thing       string            `json:"thing,omitempty"` // the Thing a rule fired on
	Incident    string            `json:"incident,omitempty"`
	State       State             `json:"state"`
	EndReason   string            `json:"end_reason,omitempty"` // why it is no longer active, where its source did not say
	Revision    int               `json:"revision"`             // 1, and one more with each revision by its source
	Changes     []string          `json:"changes,omitempty"`    // what the last revision changed, "M 5.6 -> 5.4"
	ReceivedAt  moment.Time       `json:"received_at"`
	UpdatedAt   moment.Time       `json:"updated_at"`
	Attribution string            `json:"attribution,omitempty"`
	Relevant    bool              `json:"relevant"` // touches our area or its watch margin
	Simulated   bool              `json:"simulated"`
	Quake       *Quake            `json:"quake,omitempty"`
	Parameters  map[string]string `json:"parameters,omitempty"`
	Keys        []string          `json:"keys,omitempty"`
}

// Text is an alert's words in one language.
type Text struct {
	Language    string `json:"language"`
	Event       string `json:"event"`
	Headline    string `json:"headline"`
	Description string `json:"description"`
	Instruction string `json:"instruction,omitempty"`
}

// Quake is the earthquake behind an alert, judged from here.
type Quake struct {
	feeds.Quake
	Lng        float64 `json:"lng"`
	Lat        float64 `json:"lat"`
	DistanceKm float64 `json:"distance_km"` // from the area's centre to the epicentre
	MMIHere    int     `json:"mmi_here"`    // highest intensity reported inside the area; 0: none reported
}

// Feature is an area as a GeoJSON Feature.
type Feature struct {
	Type       string            `json:"type"` // always "Feature"
	Geometry   geo.Shape         `json:"geometry"`
	Properties FeatureProperties `json:"properties"`
}

// FeatureProperties names the area.
type FeatureProperties struct {
	Name string `json:"name"`
}

// State is where an alert stands.
type State string

// Active alerts are shown; the others are kept.
const (
	Active    State = "active"
	Updated   State = "updated" // superseded by a later message
	Cancelled State = "cancelled"
	Expired   State = "expired"
	Resolved  State = "resolved" // a rule's condition has cleared
	Logged    State = "logged"   // Test, System, Draft: kept, never shown
)
