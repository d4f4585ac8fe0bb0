// Package statement is Statement: what an authority has said officially, entered by a named officer with its source. It is evidence with
// an age. Pure.
//
// Such as a volcano's level, a decree, the step of a river gate, a road that is closed.
package statement

import (
	"time"

	"kentongan/alerts/incident"
	"kentongan/geo/moment"
)

// State is whether a statement still counts.
type State string

// The states.
const (
	InForce   State = "in_force"
	Expired   State = "expired"
	Replaced  State = "replaced" // a later one of the same scale and subject stands
	Withdrawn State = "withdrawn"
)

// Statement is one step of one scale about one subject. The scale is kept with the step: a gate's Siaga I is its worst, a volcano's level
// III is not (domain.md section 3).
type Statement struct {
	ID         string             `json:"id"` // ULID
	Version    int                `json:"version"`
	State      State              `json:"state"`
	Scale      string             `json:"scale"`   // of the profile's levels.scales: volcano, river_gate, bmkg …; road, decree
	Subject    string             `json:"subject"` // what it is about: "gunung-talang", a gate's Thing, a road
	Name       string             `json:"name"`    // the subject for people
	Step       string             `json:"step"`    // code in the scale: "III", "I", "tertutup"
	Source     string             `json:"source"`  // who said it: PVMBG, Bupati, BPJN
	Reference  string             `json:"reference,omitempty"`
	Web        string             `json:"web,omitempty"`
	StatedAt   moment.Time        `json:"stated_at"`
	Since      moment.Time        `json:"since,omitempty,omitzero"` // since when that step has been said without a break; zero: StatedAt
	ValidUntil moment.Time        `json:"valid_until"`              // null: until it is replaced
	Note       string             `json:"note,omitempty"`
	Decree     *Decree            `json:"decree,omitempty"`   // of scale decree
	National   bool               `json:"national,omitempty"` // of scale road: a national road
	Location   *incident.Location `json:"location"`
	AreaName   string             `json:"area_name,omitempty"`
	By         string             `json:"by"` // the officer
	EnteredAt  moment.Time        `json:"entered_at"`
	UpdatedAt  moment.Time        `json:"updated_at"`
	EndedBy    string             `json:"ended_by,omitempty"`
	EndReason  string             `json:"end_reason,omitempty"`
	Simulated  bool               `json:"simulated"`
}

// Decree is the legal form of a disaster state (domain.md section 3), which has a number and dates.
type Decree struct {
	Number     string      `json:"number"`
	From       moment.Time `json:"from"`
	To         moment.Time `json:"to"`         // null: not said; of an extended one the last end
	Extensions []Extension `json:"extensions"` // in their order
}

// Extension is a later decree that lets the same state go on.
type Extension struct {
	Number string      `json:"number"`
	To     moment.Time `json:"to"`
	At     moment.Time `json:"at"` // when it was decreed
}

// Standing is what a statement is of: of each there is one in force.
type Standing struct {
	Scale, Subject string
	Simulated      bool
}

// Standing of the statement.
func (s *Statement) Standing() Standing { return Standing{s.Scale, s.Subject, s.Simulated} }

// Begun is since when its step has been said without a break: a road that is stated closed again has been closed since the first time.
func (s *Statement) Begun() moment.Time {
	if s.Since.IsZero() {
		return s.StatedAt
	}
	return s.Since
}

// Holds tells whether the statement counts at a time.
func (s *Statement) Holds(now time.Time) bool {
	return s.State == InForce && (s.ValidUntil.IsZero() || now.Before(s.ValidUntil.Time))
}
