// Package status is the status level of the area by hazard: proposed by written rules with evidence, confirmed by a named officer. Pure.
package status

import (
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// House is the hazard of the area's status as a whole.
const House = "area"

// Status is where the area stands for one hazard (domain.md section 3).
type Status struct {
	ID        string      `json:"id"` // the hazard: area, flood, volcano, eq …; a simulated one is flood~simulated
	Version   int         `json:"version"`
	Hazard    string      `json:"hazard"`
	Names     Words       `json:"names"` // of the hazard, by language
	Level     int         `json:"level"` // confirmed: 1 Normal to 4 Awas
	Code      string      `json:"code"`  // of the profile's levels.status
	Since     moment.Time `json:"since"`
	By        string      `json:"by"` // who confirmed it; "house" for Normal by itself
	Note      string      `json:"note,omitempty"`
	Evidence  []Evidence  `json:"evidence"` // that the confirmed level rests on
	Proposal  *Proposal   `json:"proposal"` // null: the rules agree with what is confirmed
	Scales    []Scale     `json:"scales"`   // what authorities say by their own scales, never converted away
	Blind     []string    `json:"blind"`    // ids of rules that cannot hold, for nobody feeds what they ask
	UpdatedAt moment.Time `json:"updated_at"`
	Simulated bool        `json:"simulated"`
}

// Proposal is a level that the written rules find.
type Proposal struct {
	Level    int         `json:"level"`
	Code     string      `json:"code"`
	Rules    []string    `json:"rules"` // ids of the rules that hold
	Reasons  []Reason    `json:"reasons"`
	Evidence []Evidence  `json:"evidence"`
	At       moment.Time `json:"at"`
	Who      []string    `json:"who"` // roles that may confirm it
}

// Reason is a rule in words, in each language.
type Reason map[string]string

// Evidence is one thing that a level rests on, with the time from which it holds. Everybody who sees the level sees it: of an incident it
// tells the number, type, severity and kecamatan alone.
type Evidence struct {
	Kind     string       `json:"kind"` // incident, alert, statement, alarms, unit
	Ref      string       `json:"ref"`
	Text     string       `json:"text"`
	Type     string       `json:"type,omitempty"` // of an incident
	Severity cap.Severity `json:"severity,omitempty"`
	AreaName string       `json:"area_name,omitempty"`
	Scale    string       `json:"scale,omitempty"` // of a statement
	Step     string       `json:"step,omitempty"`
	At       moment.Time  `json:"at"`
}

// Scale is a step of an authority's own scale.
type Scale struct {
	Scale      string      `json:"scale"`
	Subject    string      `json:"subject"`
	Name       string      `json:"name"`
	Step       string      `json:"step"`
	Source     string      `json:"source"`
	At         moment.Time `json:"at"`
	ValidUntil moment.Time `json:"valid_until"`
	Statement  string      `json:"statement,omitempty"`
}
