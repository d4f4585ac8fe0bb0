// Package plan is Plan: announced works, events, closures and maintenance, which hold alarms while they last. Pure.
package plan

import (
	"time"

	"kentongan/alerts"
	"kentongan/geo/moment"
)

// Kind is what is planned.
type Kind string

// The kinds.
const (
	Works       Kind = "works"
	Event       Kind = "event"
	Closure     Kind = "closure"     // of a road: it has a line
	Maintenance Kind = "maintenance" // of sensors
)

// State is where a plan stands; it follows the clock but for cancelled.
type State string

// The states.
const (
	Planned   State = "planned"
	Running   State = "running"
	Over      State = "over"
	Cancelled State = "cancelled"
)

// Plan is something announced beforehand, by whom, where and when.
type Plan struct {
	ID        string         `json:"id"` // ULID
	Version   int            `json:"version"`
	Kind      Kind           `json:"kind"`
	State     State          `json:"state"` // as of UpdatedAt: ask At for now
	Title     string         `json:"title"`
	Note      string         `json:"note,omitempty"`
	Agency    string         `json:"agency,omitempty"`
	Source    string         `json:"source,omitempty"` // permit, letter, notice
	Area      alerts.Feature `json:"area"`
	Things    []string       `json:"things"`   // ids of Things under maintenance
	Feeds     []string       `json:"feeds"`    // feeds under maintenance
	Types     []string       `json:"types"`    // of incidents that it explains; empty: every type in its area
	Rules     []string       `json:"rules"`    // ids of rules that it explains; empty: as Types say
	BufferM   float64        `json:"buffer_m"` // metres around a point or line within which it explains
	Holds     bool           `json:"holds"`    // alarms that it explains are held until it is over
	From      moment.Time    `json:"from"`
	To        moment.Time    `json:"to"`
	By        string         `json:"by"`
	CreatedAt moment.Time    `json:"created_at"`
	UpdatedAt moment.Time    `json:"updated_at"`
	EndedBy   string         `json:"ended_by,omitempty"` // who cancelled it
	EndReason string         `json:"end_reason,omitempty"`
	Simulated bool           `json:"simulated"`
}

// At is where the plan stands at a time: from From on it runs, from To on it is over. A cancelled plan stays cancelled.
func (p *Plan) At(now time.Time) State {
	switch {
	case p.State == Cancelled:
		return Cancelled
	case now.Before(p.From.Time):
		return Planned
	case now.Before(p.To.Time):
		return Running
	}
	return Over
}

// Stands tells a state in which a plan is still shown on the map and in a snapshot.
func (s State) Stands() bool { return s == Planned || s == Running }
