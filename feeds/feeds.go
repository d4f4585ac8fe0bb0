// Package feeds is the contract: Agency, Thing, Observation, Report, Position, Batch; Format, Transport.
//
// A format knows bytes, a transport knows arrival, and neither knows the other. Names are OGC SensorThings 1.1 and OASIS CAP 1.2.
package feeds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Format turns bytes into records. It touches no network, no clock and no store; equal bytes and Meta give an equal Batch.
//
// A document that does not parse to its end gives an error and an empty Batch: nothing of it may be stored. A faulty item inside a
// readable document goes to Batch.Rejected and costs only itself. The error and every reason name the place of the fault.
type Format interface {
	Decode(body []byte, meta Meta) (Batch, error)
}

// NoOptions refuses every option of a format that has none.
func NoOptions(format string, options map[string]any) error {
	for key := range options {
		return fmt.Errorf("%s: option %q: the format has no options", format, key)
	}
	return nil
}

// Meta is what the house knows of a delivery besides its bytes.
type Meta struct {
	Feed        string        // the feed's name
	Agency      string        // slug of the agency that sends it, may be empty
	Kind        string        // kind for Things that do not say their own
	ContentType string        // as the transport heard it, may be empty
	Topic       string        // MQTT topic or file name, may be empty
	Peer        string        // host of who sent it over a stream to us, without its port; empty otherwise
	URL         string        // address it was fetched from, may be empty; links inside are resolved against it
	ReceivedAt  time.Time     // our clock
	Simulated   bool          // the feed plays or invents: nothing of it may meet real data
	Attribution string        // must be shown wherever the data is
	Interval    time.Duration // declared cadence; zero: learn it
	Dry         bool          // decode and judge, store nothing
	Past        bool          // out of the archive or the quarantine: newer deliveries came since
	Part        bool          // one of several answers that make the state: what is absent from it has not ended, and it may well be empty
}

// Batch is what one delivery says.
type Batch struct {
	TTL time.Duration // for so long the producer makes nothing new; zero: it does not say

	Observations []Observation
	Alerts       []Alert
	Reports      []Report
	Reporters    []Reporter // who gave some of Reports, told by Index
	Positions    []UnitPosition
	Ignored      []Refusal // passed over by the format's rules
	Rejected     []Refusal // faulty
	Follow       []string  // addresses of documents that never change (index entries); only poll fetches them, once each, on hosts the feed allows
	Next         []string  // addresses where this state goes on (nextLink, documents of an index); poll asks them anew in every round
	Snapshot     bool      // the delivery is the producer's whole state: what is absent from it has ended there
	AllAlerts    bool      // the delivery lists every alert that the feed has in force, however it came (Meta.Part): one that is absent has ended
}

// Records counts what the batch asks to store.
func (b *Batch) Records() int {
	return len(b.Observations) + len(b.Alerts) + len(b.Reports) + len(b.Positions)
}

// Refusal names one item that was not stored, and why. Index counts items of the delivery from 0.
type Refusal struct {
	Index  int    `json:"index"`
	Reason string `json:"reason"`
}

// Value is a result: exactly one of number, text and bool, told by Type.
type Value struct {
	Type ValueType
	Num  float64
	Text string
}

// ValueType tells which member of a Value holds.
type ValueType uint8

// A result is a number, a text, or a bool (Num 1 or 0).
const (
	Number ValueType = iota
	Text
	Bool
)

// Any gives the value as float64, string or bool.
func (v Value) Any() any {
	switch v.Type {
	case Text:
		return v.Text
	case Bool:
		return v.Num != 0
	default:
		return v.Num
	}
}

// Observation is one reading of a Thing (OGC SensorThings 1.1, section 8.2.7).
type Observation struct {
	Index      int    // its place in the delivery, for refusals
	ID         string // the producer's own id, may be empty
	Thing      string // native id, without the feed's name
	Property   string // ObservedProperty
	Value      Value
	Unit       string      // UCUM, may be empty
	At         moment.Time // phenomenonTime; zero: the producer gave none, ReceivedAt stands in with quality "received"
	ReceivedAt moment.Time
	Position   geo.Position
	Placed     bool // Position is given
	Kind       string
	Name       string
	Quality    Quality
	Attrs      []byte // a JSON object, may be nil
}

// Quality says how far a reading can be trusted.
type Quality string

// Only good readings raise alarms.
const (
	Good      Quality = "good"
	Received  Quality = "received"   // no time of its own: our clock stands in
	ClockSkew Quality = "clock_skew" // dated more than ClockSkewLimit ahead: kept as history, never as last state
	Suspect   Quality = "suspect"
)

// ClockSkewLimit is how far ahead of our clock a reading may be dated (INTERFACES, section 2, Time).
const ClockSkewLimit = 2 * time.Minute

// Alert is what an agency published, with what its format knows beyond CAP.
type Alert struct {
	Index   int
	Message cap.Message
	Keys    []string // every name by which the producer knows the event across revisions (USGS ids, BMKG shakemap); empty for plain CAP
	Quake   *Quake   // set where the event is an earthquake
}

// Quake is an earthquake as a seismological agency reports it.
type Quake struct {
	OriginAt  moment.Time  `json:"origin_at"`
	Position  geo.Position `json:"-"`
	DepthKm   float64      `json:"depth_km"`
	Magnitude *float64     `json:"magnitude"` // nil: not given
	Place     string       `json:"place"`
	Felt      []Felt       `json:"felt,omitempty"`
	Tsunami   string       `json:"tsunami,omitempty"` // the agency's words
	Reviewed  bool         `json:"reviewed"`
}

// Felt is the intensity reported at a place, Modified Mercalli 1..12.
type Felt struct {
	Place string `json:"place"`
	Low   int    `json:"low"`
	High  int    `json:"high"`
}

// Report is a citizen's or officer's account (Open311 GeoReport v2). Who gave it (name, telephone, e-mail, device) has no field here: it
// goes beside, as a Reporter.
type Report struct {
	Index       int          `json:"-"`
	ID          string       `json:"id"` // service_request_id; empty: the house makes one of what the report says
	Channel     string       `json:"channel"`
	Text        string       `json:"text"`
	Type        string       `json:"type,omitempty"` // service_name
	Code        string       `json:"service_code,omitempty"`
	Status      string       `json:"status,omitempty"` // closed, or open; empty is open
	StatusNotes string       `json:"status_notes,omitempty"`
	Responsible string       `json:"agency_responsible,omitempty"`
	Media       string       `json:"media_url,omitempty"`
	At          moment.Time  `json:"at"`
	UpdatedAt   moment.Time  `json:"updated_at,omitzero"` // of this version, as the producer says it
	Position    geo.Position `json:"-"`
	Placed      bool         `json:"-"`
	Address     string       `json:"address,omitempty"`
	ReceivedAt  moment.Time  `json:"received_at"`
	External    []ReportRef  `json:"external_refs,omitempty"`
}

// ReportRef is a partner's own number of the same account.
type ReportRef struct {
	Agency string `json:"agency"`
	ID     string `json:"id"`
}

// UnitPosition says where a vehicle or crew is.
type UnitPosition struct {
	Index     int
	Unit      string // native id or call sign
	Kind      string
	Name      string
	At        moment.Time
	Position  geo.Position
	SpeedMps  *float64
	Heading   *float64 // degrees clockwise from north
	AccuracyM *float64
}

// Receipt is the answer to a delivery, given only after it is stored.
type Receipt struct {
	Accepted   int       `json:"accepted"` // without duplicates
	Duplicates int       `json:"duplicates"`
	Ignored    []Refusal `json:"ignored"`
	Rejected   []Refusal `json:"rejected"`
	DryRun     bool      `json:"dry_run,omitempty"`
	// StoredAt is when the last of its readings was committed, by the house's clock; zero: it held none. Rules are judged by this clock.
	StoredAt time.Time `json:"-"`
}

// Barren tells a delivery of which every item was faulty: HTTP answers it with 422.
func (r Receipt) Barren() bool {
	return r.Accepted == 0 && r.Duplicates == 0 && len(r.Ignored) == 0 && len(r.Rejected) > 0
}

// Deliver hands a batch of bytes to the house. It returns once the records are stored: only then may the sender be told.
// An error marked Permanent means the bytes will never be taken; any other means try again later, nothing is acknowledged.
type Deliver func(ctx context.Context, body []byte, meta Meta) (Outcome, error)

// Outcome is a Receipt and what a poller needs to go on.
type Outcome struct {
	Receipt
	Follow []string      // as Batch.Follow
	Next   []string      // as Batch.Next
	TTL    time.Duration // as Batch.TTL
	Newest time.Time     // the newest event time of what is stored; zero: none
}

// Transport brings bytes. Run blocks until ctx ends; an error means: restart me with back-off.
type Transport interface {
	Run(ctx context.Context, deliver Deliver) error
}

// Pusher is a transport that is driven from outside, by HTTP.
type Pusher interface {
	http.Handler
}

// ErrPermanent marks what will never succeed, however often it is tried.
var ErrPermanent = errors.New("permanent")

// Permanent marks an error as one that a retry cannot mend. Its text stays as it is.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

type permanent struct{ error }

func (p permanent) Unwrap() []error { return []error{p.error, ErrPermanent} }

// Permanentf is Permanent over a formatted error.
func Permanentf(format string, args ...any) error { return Permanent(fmt.Errorf(format, args...)) }

// ErrBusy marks a store that does not take writes now: HTTP answers 503 with Retry-After.
var ErrBusy = errors.New("the store does not take writes now")

// ErrFull marks a delivery that breaks its feed's contract and finds no room to be held: it is an ErrBusy that ends when somebody decides on what
// is held, and the sender is told so.
var ErrFull error = full{}

type full struct{}

func (full) Error() string {
	return "it breaks the feed's contract, and the quarantine of the feed is full: somebody must decide on what is held"
}

func (full) Unwrap() error { return ErrBusy }
