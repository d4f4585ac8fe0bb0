package report

import (
	"errors"
	"fmt"
	"time"

	"kentongan/geo/moment"
)

// CallState is how a call stands that the telephone exchange has told of.
type CallState string

// The states of a call.
const (
	Ringing CallState = "ringing"
	Taken   CallState = "taken"
	Over    CallState = "over" // hung up, or nobody has taken it
)

// Lives of a call: how long it rings at the most, and for how long it is known from then on, with its number.
const (
	RingLife = 2 * time.Minute
	CallLife = 15 * time.Minute
)

// Call is a call to the house as screens see it. The number it came from is kept sealed apart, and told to whoever takes it.
type Call struct {
	ID        string      `json:"id"`
	Line      string      `json:"line"`             // as the exchange names it: "112-3"; may be empty
	Agency    string      `json:"agency,omitempty"` // slug: whose exchange told of it; empty: the house's own
	Number    string      `json:"number"`           // masked: +62 812-••••-••89; empty: it came without one
	Known     int         `json:"known"`            // reports of this number whose reporter is still kept
	Pranks    int         `json:"pranks"`           // of these, how many were judged to be pranks
	State     CallState   `json:"state"`
	At        moment.Time `json:"at"`
	RingsTill moment.Time `json:"rings_till"` // from then on it is over, whoever says so
	TakenBy   string      `json:"taken_by,omitempty"`
	TakenAt   moment.Time `json:"taken_at"`
	UpdatedAt moment.Time `json:"updated_at"`
}

// ErrCall means that a call cannot be taken as it stands: 409.
var ErrCall = errors.New("the call does not stand so")

// Stands gives the state of a call by the clock.
func (c *Call) Stands(now time.Time) CallState {
	if c.State == Ringing && !now.Before(c.RingsTill.Time) {
		return Over
	}
	return c.State
}

// Take gives the call as somebody has taken it; who has it already takes it again. One that nobody took in time may still be taken, as long
// as it is known: somebody calls back. Errors: ErrCall.
func (c *Call) Take(subject string, now time.Time) (Call, error) {
	if c.TakenBy != "" && c.TakenBy != subject {
		return Call{}, fmt.Errorf("%w: %s has it", ErrCall, c.TakenBy)
	}
	out := *c
	if c.TakenBy == "" {
		out.TakenBy, out.TakenAt = subject, moment.Of(now)
	}
	if out.UpdatedAt = moment.Of(now); out.Stands(now) == Ringing {
		out.State = Taken
	}
	return out, nil
}

// End gives the call after somebody has hung up.
func (c *Call) End(now time.Time) Call {
	out := *c
	out.State, out.UpdatedAt = Over, moment.Of(now)
	return out
}
