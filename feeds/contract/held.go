package contract

import "kentongan/geo/moment"

// The states of what is held.
const (
	StateHeld     = "held"     // nobody has decided
	StateAccepted = "accepted" // stored, and the contract has learned it
	StateKept     = "kept"     // set aside; the contract stayed
)

// Held is one cause with the deliveries that are held for it. Where readings are withheld, every delivery lies here with its bytes until somebody
// decides; where none are (Passed), deliveries are counted and the newest is a sample.
type Held struct {
	ID          string      `json:"id"` // ULID
	Feed        string      `json:"feed"`
	At          moment.Time `json:"at"` // of the newest delivery
	FirstAt     moment.Time `json:"first_at"`
	OldestAt    moment.Time `json:"oldest_at"`  // of those that lie here
	ExpiresAt   moment.Time `json:"expires_at"` // when what lies here is forgotten, decided or not, if nothing more comes
	Times       int64       `json:"times"`      // deliveries of this cause in all
	Deliveries  int64       `json:"deliveries"` // that lie here with their bytes
	Items       int64       `json:"items"`      // in those that lie here; where none does, in the newest
	Readings    int64       `json:"readings"`   // readings and positions that are withheld in those that lie here
	Bytes       int64       `json:"bytes"`      // of those that lie here, as they came; where none does, of the newest
	Size        int64       `json:"size"`       // bytes they take in the store
	Taken       int64       `json:"taken"`      // deliveries that somebody has accepted
	Dropped     int64       `json:"dropped"`    // deliveries that somebody has set aside, and that had to make room
	ContentType string      `json:"content_type"`
	URL         string      `json:"url"`
	Topic       string      `json:"topic"`
	Peer        string      `json:"peer,omitempty"` // host of who sent it over a stream
	Reason      string      `json:"reason"`
	Diff        []Finding   `json:"diff"`
	Passed      bool        `json:"passed"`             // readings that were there were stored: the note is of what is missing
	Personal    bool        `json:"personal,omitempty"` // the format of one that came names people
	Whole       bool        `json:"whole"`              // bytes lie here; false: they name people or were too many, and only what has passed can be accepted
	State       string      `json:"state" enum:"held,accepted,kept"`
	Note        string      `json:"note"`
	By          string      `json:"by"`
	DecidedAt   moment.Time `json:"decided_at"`

	Fingerprint string `json:"fingerprint"` // the same for deliveries of one cause
	Newest      int64  `json:"newest"`      // number of the newest delivery that was laid here
}

// Delivery is one that is held, as it came.
type Delivery struct {
	Number      int64       `json:"-"` // its place in its cause, from 1
	At          moment.Time `json:"at"`
	Items       int64       `json:"items"`
	Readings    int64       `json:"readings"`
	Bytes       int64       `json:"bytes"`
	Size        int64       `json:"-"` // as Held.Size
	ContentType string      `json:"content_type,omitempty"`
	URL         string      `json:"url,omitempty"`
	Topic       string      `json:"topic,omitempty"`
	Peer        string      `json:"peer,omitempty"`
	Body        []byte      `json:"-"`
}

// Delivery gives what is told of the one delivery with which a Held begins.
func (h *Held) Delivery() Delivery {
	return Delivery{At: h.At, Items: h.Items, Readings: h.Readings, Bytes: h.Bytes, ContentType: h.ContentType, URL: h.URL, Topic: h.Topic, Peer: h.Peer}
}

// Room is how full a quarantine is.
type Room struct {
	Causes         int   `json:"causes"`
	MostCauses     int   `json:"most_causes"`
	Deliveries     int64 `json:"deliveries"`
	MostDeliveries int64 `json:"most_deliveries"`
	Size           int64 `json:"size"` // bytes in the store
	MostSize       int64 `json:"most_size"`
}
