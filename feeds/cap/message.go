// Package cap is CAP 1.2 messages: types and XML codec. No I/O.
//
// Names follow OASIS CAP-v1.2, section 3.2; 1.0 and 1.1 documents are read into the same types.
package cap

import (
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Message is one <alert> (CAP-v1.2 section 3.2.1).
type Message struct {
	Identifier string      `json:"identifier"`
	Sender     string      `json:"sender"`
	Sent       moment.Time `json:"sent"`
	Status     string      `json:"status"`   // Actual, Exercise, System, Test, Draft
	MsgType    string      `json:"msg_type"` // Alert, Update, Cancel, Ack, Error
	Scope      string      `json:"scope"`    // Public, Restricted, Private
	Source     string      `json:"source,omitempty"`
	Note       string      `json:"note,omitempty"`
	References []Reference `json:"references,omitempty"`
	Infos      []Info      `json:"infos,omitempty"`
}

// Reference names an earlier message: the triple sender,identifier,sent of <references>.
type Reference struct {
	Sender     string      `json:"sender"`
	Identifier string      `json:"identifier"`
	Sent       moment.Time `json:"sent"`
}

// Reference is how later messages name this one.
func (m Message) Reference() Reference { return Reference{m.Sender, m.Identifier, m.Sent} }

// String is the triple as CAP writes it.
func (r Reference) String() string { return r.Sender + "," + r.Identifier + "," + r.Sent.String() }

// Info is one <info> (CAP-v1.2 section 3.2.2).
type Info struct {
	Language    string      `json:"language,omitempty"` // default en-US
	Categories  []string    `json:"categories,omitempty"`
	Event       string      `json:"event"`
	Responses   []string    `json:"responses,omitempty"`
	Urgency     string      `json:"urgency"`
	Severity    Severity    `json:"severity"`
	Certainty   string      `json:"certainty"`
	Effective   moment.Time `json:"effective"`
	Onset       moment.Time `json:"onset"`
	Expires     moment.Time `json:"expires"`
	SenderName  string      `json:"sender_name,omitempty"`
	Headline    string      `json:"headline,omitempty"`
	Description string      `json:"description,omitempty"`
	Instruction string      `json:"instruction,omitempty"`
	Web         string      `json:"web,omitempty"`
	Contact     string      `json:"contact,omitempty"`
	EventCodes  []Value     `json:"event_codes,omitempty"`
	Parameters  []Value     `json:"parameters,omitempty"`
	Areas       []Area      `json:"areas,omitempty"`
}

// Value is a valueName and value pair.
type Value struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Area is one <area> (CAP-v1.2 section 3.2.4). Shape holds polygons and circles alike (circles as 48 corners).
type Area struct {
	Name     string    `json:"name"` // areaDesc
	Shape    geo.Shape `json:"shape"`
	Geocodes []Value   `json:"geocodes,omitempty"`
	Repaired bool      `json:"repaired,omitempty"` // a ring was not closed and was closed by us
}

// Severity is CAP's, worst first: Extreme, Severe, Moderate, Minor, Unknown.
type Severity string

// The severities of CAP-v1.2.
const (
	Extreme  Severity = "Extreme"
	Severe   Severity = "Severe"
	Moderate Severity = "Moderate"
	Minor    Severity = "Minor"
	Unknown  Severity = "Unknown"
)

// Rank orders severities, 0 the worst. Unknown is not the lowest: nobody has judged it yet, so it stands between Moderate and Minor.
func (s Severity) Rank() int {
	switch s {
	case Extreme:
		return 0
	case Severe:
		return 1
	case Moderate:
		return 2
	case Minor:
		return 4
	default:
		return 3
	}
}

// Severities are the five words of the standard as a person reads which there are, worst first.
const Severities = "Extreme, Severe, Moderate, Minor, Unknown"

// Valid tells the five words of the standard.
func (s Severity) Valid() bool {
	switch s {
	case Extreme, Severe, Moderate, Minor, Unknown:
		return true
	}
	return false
}
