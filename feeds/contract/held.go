package contract

import "kentongan/geo/moment"

// The states of what is held.
const (
	StateHeld     = "held"     // nobody has decided
	StateAccepted = "accepted" // stored, and the contract has learned it
	StateKept     = "kept"     // set aside; the contract stayed
)

// Held is a delivery in quarantine, or several of one cause: the newest bytes stay, and the rest is counted.
type Held struct {
	ID          string      `json:"id"` // ULID
	Feed        string      `json:"feed"`
	At          moment.Time `json:"at"` // of the newest
	FirstAt     moment.Time `json:"first_at"`
	Times       int64       `json:"times"` // how many deliveries
	Items       int         `json:"items"`
	Bytes       int         `json:"bytes"` // of the newest, as it came
	ContentType string      `json:"content_type"`
	URL         string      `json:"url"`
	Topic       string      `json:"topic"`
	Peer        string      `json:"peer,omitempty"` // host of who sent it over a stream
	Reason      string      `json:"reason"`
	Diff        []Finding   `json:"diff"`
	Passed      bool        `json:"passed"` // readings that were there were stored: the note is of what is missing
	Whole       bool        `json:"whole"`  // the bytes are kept; false: they were too many, or name people, and only what has passed can be accepted
	State       string      `json:"state" enum:"held,accepted,kept"`
	Note        string      `json:"note"`
	By          string      `json:"by"`
	DecidedAt   moment.Time `json:"decided_at"`

	Fingerprint string `json:"fingerprint"` // the same for deliveries of one cause
}
