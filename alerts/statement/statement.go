// Package statement is Statement: what an authority has said officially, entered by a named officer with its source. It is evidence with
// an age. Pure.
//
// Such as a volcano's level, a decree, the step of a river gate, a road that is closed.
package statement

import (
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
	ValidUntil moment.Time        `json:"valid_until"` // null: until it is replaced
	Note       string             `json:"note,omitempty"`
	Location   *incident.Location `json:"location"`
	AreaName   string             `json:"area_name,omitempty"`
	By         string             `json:"by"` // the officer
	EnteredAt  moment.Time        `json:"entered_at"`
	UpdatedAt  moment.Time        `json:"updated_at"`
	EndedBy    string             `json:"ended_by,omitempty"`
	EndReason  string             `json:"end_reason,omitempty"`
	Simulated  bool               `json:"simulated"`
}
