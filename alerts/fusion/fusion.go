// Package fusion joins alerts, observations and reports to incidents by type, cell and time, and says why. Pure.
//
// It decides nothing that cannot be undone: what joins keeps its reason and weight, and two incidents are only ever suggested to be one.
package fusion

import (
	"errors"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Kind is what a suggestion proposes.
type Kind string

// The kinds.
const (
	Join     Kind = "join"      // evidence to an incident
	Merge    Kind = "merge"     // two incidents are one
	Open     Kind = "open"      // evidence that together looks like an incident that nobody has opened
	HandOver Kind = "hand_over" // it lies with a neighbour
)

// State is what became of a suggestion.
type State string

// The states.
const (
	Offered   State = "offered"
	Accepted  State = "accepted"
	Refused   State = "refused"
	Withdrawn State = "withdrawn" // what it rested on is gone
)

// ErrDecided means that a suggestion is not decided any more: it was, or what it rests on is gone. 409.
var ErrDecided = errors.New("the suggestion is not to be decided")

// Suggestion is something that a person may do with one key, with its evidence.
type Suggestion struct {
	ID        string             `json:"id"` // ULID; the same evidence gives the same id
	Version   int                `json:"version"`
	Kind      Kind               `json:"kind"`
	State     State              `json:"state"`
	Incident  string             `json:"incident,omitempty"` // that evidence joins, that others merge into, or that is handed over
	Other     string             `json:"other,omitempty"`    // of merge: the incident that would be merged into Incident
	Neighbour string             `json:"neighbour,omitempty"`
	Type      string             `json:"type"`
	Severity  cap.Severity       `json:"severity"`
	Location  *incident.Location `json:"location"`
	Cell      geo.Cell           `json:"cell"`
	AreaName  string             `json:"area_name"`
	Weight    float64            `json:"weight"` // 0 to 1: how sure the rules are
	Reasons   []Reason           `json:"reasons"`
	Evidence  []Piece            `json:"evidence"`
	At        moment.Time        `json:"at"`
	UpdatedAt moment.Time        `json:"updated_at"`
	DecidedBy string             `json:"decided_by,omitempty"`
	DecidedAt moment.Time        `json:"decided_at"`
	Note      string             `json:"note,omitempty"`    // of who decided
	Contact   string             `json:"contact,omitempty"` // of hand_over: the neighbour's name and number
	Simulated bool               `json:"simulated"`
}

// Reason is one factor of a weight, for people and for reckoning: code same_type, near, soon, same_source, words …
type Reason struct {
	Code   string  `json:"code"`
	Text   string  `json:"text"`            // "same type: flood"
	Value  string  `json:"value,omitempty"` // what the text tells, for who writes it in another language: "flood", "120 m", "12 min"
	Weight float64 `json:"weight"`          // its part of the whole
}

// Piece is one piece of evidence.
type Piece struct {
	Kind   string      `json:"kind"` // alert, report, observation, incident
	Ref    string      `json:"ref"`
	Text   string      `json:"text"`
	Agency string      `json:"agency,omitempty"`
	Feed   string      `json:"feed,omitempty"`
	At     moment.Time `json:"at"`
	Weight float64     `json:"weight,omitempty"` // of this piece, where it would join
	Reason string      `json:"reason,omitempty"`
}
