// Package notify is messages that leave the house: webhooks and Web Push, who receives them, and when each is tried again. Pure.
package notify

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"time"

	"kentongan/geo/moment"
)

// State is where a delivery stands.
type State string

// The states. A dead delivery is kept to be read, and tried again only where a person asks for it.
const (
	Pending State = "pending"
	Sent    State = "sent"
	Dead    State = "dead"
)

// Channel is the way by which a delivery goes.
type Channel string

// The channels.
const (
	ByWebhook Channel = "webhook"
	ByPush    Channel = "push"
)

// Delivery is one message to one receiver. It is sent at least once, always under the same id, by which the receiver knows it again.
type Delivery struct {
	ID        string      `json:"id"`
	To        string      `json:"to"`     // "webhook:ID", "push:ID"
	Event     string      `json:"event"`  // "incident.created", "dispatch.offered" …
	Object    string      `json:"object"` // "incident:01J…"
	Body      string      `json:"body,omitempty"`
	State     State       `json:"state"`
	CreatedAt moment.Time `json:"created_at"`
	NextAt    moment.Time `json:"next_at"`  // of the next try; null: there is none
	EndsAt    moment.Time `json:"ends_at"`  // after this it is not tried any more
	TriedAt   moment.Time `json:"tried_at"` // null: not yet
	SentAt    moment.Time `json:"sent_at"`
	Tries     int         `json:"tries"`
	Status    int         `json:"status,omitempty"` // of the receiver's last answer (RFC 9110); 0: there was none
	Error     string      `json:"error,omitempty"`  // of the last try
}

// Channel of the delivery.
func (d *Delivery) Channel() Channel { kind, _, _ := strings.Cut(d.To, ":"); return Channel(kind) }

// Receiver is the id of the webhook or subscription.
func (d *Delivery) Receiver() string { _, id, _ := strings.Cut(d.To, ":"); return id }

// pace is how a channel tries again: waits grow by a factor from the first to the longest.
type pace struct {
	first, longest time.Duration
	factor         float64
	tries          int
	life           time.Duration
}

// A push calls a person now, and is worth nothing tomorrow. A program that is down over a long weekend still gets its messages.
var paces = map[Channel]pace{
	ByWebhook: {5 * time.Second, 4 * time.Hour, 4, 24, 72 * time.Hour},
	ByPush:    {2 * time.Second, time.Minute, 2, 16, 10 * time.Minute},
}

// New makes a delivery of a message. Key names the message for good: the same message to the same receiver has the same id.
func New(to, event, object, key, body string, now time.Time) Delivery {
	sum := sha256.Sum256([]byte(strings.Join([]string{to, event, object, key}, "\n")))
	d := Delivery{ID: "msg_" + base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20]), To: to, Event: event, Object: object, Body: body}
	return d.Again(now)
}

// Again is the delivery as it is tried from the beginning.
func (d Delivery) Again(now time.Time) Delivery {
	if d.CreatedAt.IsZero() {
		d.CreatedAt = moment.Of(now)
	}
	d.State, d.Tries, d.NextAt, d.EndsAt = Pending, 0, moment.Of(now), moment.Of(now.Add(paces[d.Channel()].life))
	return d
}

// Outcome is what came of one try.
type Outcome struct {
	Status int           // of the answer; 0: there was none
	Error  string        // empty: the receiver has it
	Final  bool          // it will never succeed
	After  time.Duration // the receiver asked not to be tried before; 0: it did not
}

// Tried is the delivery after a try. Chance, within 0 and 1, spreads the next try over a fifth of the wait in either direction, so that all that failed
// together does not come back together.
func (d Delivery) Tried(o Outcome, chance float64, now time.Time) Delivery {
	p := paces[d.Channel()]
	d.Tries++
	d.TriedAt, d.Status, d.Error, d.NextAt = moment.Of(now), o.Status, o.Error, moment.Time{}
	if o.Error == "" {
		d.State, d.SentAt = Sent, d.TriedAt
		return d
	}
	wait := float64(p.first)
	for range d.Tries - 1 {
		wait = min(wait*p.factor, float64(p.longest))
	}
	next := now.Add(max(time.Duration(wait*(0.8+0.4*chance)), min(o.After, p.longest)))
	switch {
	case o.Final:
		d.State = Dead
	case d.Tries >= p.tries:
		d.State, d.Error = Dead, "tried "+strconv.Itoa(d.Tries)+" times: "+o.Error
	case next.After(d.EndsAt.Time):
		d.State, d.Error = Dead, "too late: "+o.Error
	default:
		d.NextAt = moment.Of(next)
	}
	return d
}
