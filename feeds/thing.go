package feeds

import (
	"strings"
	"time"

	"kentongan/geo"
	"kentongan/geo/moment"
)

// Thing is what reports or is reported on (OGC SensorThings 1.1, section 8.2.1), with its last known state.
// A Thing that others can see is never changed: whoever updates one makes a copy (Clone).
type Thing struct {
	ID          string // "<feed>:<native id>"
	Feed        string
	Kind        string
	Name        string
	Position    geo.Position
	Placed      bool
	Cell        geo.Cell // at geo.ResThing; zero where not placed
	State       map[string]Reading
	At          moment.Time // newest event time of its state
	ReceivedAt  moment.Time // when that reached us
	StaleAfter  moment.Time // from then on its value is drawn stale; zero: no interval known yet
	Simulated   bool
	Attribution string
}

// Reading is the last value of one property.
type Reading struct {
	Value      Value
	Unit       string
	At         moment.Time
	ReceivedAt moment.Time
	Quality    Quality
}

// Unpack gives the Thing that a picture's entry holds, made anew where it is packed; nil where its payload is none.
func Unpack(payload any, id, kind string, at geo.Position, placed bool, cell geo.Cell) *Thing {
	switch p := payload.(type) {
	case *Packed:
		return p.Thing(id, kind, at, placed, cell)
	case Packed:
		return p.Thing(id, kind, at, placed, cell)
	case *Thing:
		return p
	}
	return nil
}

// SplitID takes an id "<feed>:<native id>" apart. A feed's name holds no colon.
func SplitID(id string) (feed, native string) {
	feed, native, found := strings.Cut(id, ":")
	if !found {
		return "", id
	}
	return feed, native
}

// Clone copies a Thing and its state.
func (t *Thing) Clone() *Thing {
	c := *t
	c.State = make(map[string]Reading, len(t.State)+1)
	for k, v := range t.State {
		c.State[k] = v
	}
	return &c
}

// StaleAfterInterval is when a value that comes every interval is drawn stale: interval x 1.2 + 2 s (INTERFACES, section 2, Stale).
func StaleAfterInterval(at time.Time, interval time.Duration) time.Time {
	return at.Add(interval + interval/5 + 2*time.Second)
}

// FailingAfterInterval is when a feed that should come every interval counts as failing: 3 intervals.
func FailingAfterInterval(at time.Time, interval time.Duration) time.Time {
	return at.Add(3 * interval)
}

// FeedState is how an inlet fares.
type FeedState string

// The states of a feed.
const (
	FeedOK      FeedState = "ok"
	FeedLate    FeedState = "late"
	FeedFailing FeedState = "failing"
	FeedOff     FeedState = "off"
)

// FeedStatus is a feed's state as the interface shows it.
type FeedStatus struct {
	Name           string      `json:"name"`
	Format         string      `json:"format"`
	Transport      string      `json:"transport"`
	Agency         string      `json:"agency"`
	State          FeedState   `json:"state"`
	Reason         string      `json:"reason"`
	ReasonID       string      `json:"reason_id,omitempty"` // what follows the code, in Indonesian, where it is the house's own judgement
	LastSuccess    moment.Time `json:"last_success"`
	LastError      string      `json:"last_error"`
	LastErrorAt    moment.Time `json:"last_error_at"`
	IntervalS      float64     `json:"interval_s"` // declared or learned; 0: not known yet
	ItemsPerMinute float64     `json:"items_per_minute"`
	LagMS          *int64      `json:"lag_ms"` // median of received - event time of the last minute; nil: nothing has come, or its data say no time
	Rejects        int64       `json:"rejects"`

	RejectsByReason map[string]int64 `json:"rejects_by_reason"` // by the stable part of the reason, at most 20 and "other"
	Quarantined     int              `json:"quarantined"`       // deliveries that are held until somebody decides
	Source          string           `json:"source"`            // file or api: where its configuration stands
	Version         int64            `json:"version"`           // of its settings, where they were made through the interface
	Kind            string           `json:"kind"`              // of Things that do not say their own

	Simulated   bool   `json:"simulated"`
	Attribution string `json:"attribution"`
}
