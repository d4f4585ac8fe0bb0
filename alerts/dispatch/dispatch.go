// Package dispatch is Dispatch: one unit on one incident, and how it goes from offered to done. Pure.
package dispatch

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"kentongan/alerts/incident"
	"kentongan/alerts/unit"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Status is where a dispatch stands (domain.md section 5).
type Status string

// The statuses. Declined, Expired, Cancelled and Done are ends.
const (
	Offered   Status = "offered"
	Accepted  Status = "accepted"
	Declined  Status = "declined"
	Expired   Status = "expired"
	EnRoute   Status = "en_route"
	OnScene   Status = "on_scene"
	Done      Status = "done"
	Cancelled Status = "cancelled"
)

// next lists what follows each status. Expired is the house's own act.
var next = map[Status][]Status{
	Offered:  {Accepted, Declined, EnRoute, Cancelled},
	Accepted: {EnRoute, Declined, Cancelled},
	EnRoute:  {OnScene, Cancelled},
	OnScene:  {Done, Cancelled},
}

// Open tells a status in which the unit is bound.
func (s Status) Open() bool { return len(next[s]) > 0 }

// Failed tells an end without which the incident stands as if nobody had been sent.
func (s Status) Failed() bool { return s == Declined || s == Expired || s == Cancelled }

// Unit is the status of the unit that follows from its dispatch.
func (s Status) Unit(was unit.Status) unit.Status {
	switch s {
	case Offered, Accepted:
		return unit.Offered
	case EnRoute:
		return unit.EnRoute
	case OnScene:
		return unit.OnScene
	case Done:
		return unit.Returning
	}
	if was == unit.EnRoute || was == unit.OnScene {
		return unit.Returning
	}
	return unit.Available
}

// Dispatch is the assignment of one unit to one incident.
type Dispatch struct {
	ID        string      `json:"id"` // ULID
	Incident  string      `json:"incident"`
	Type      string      `json:"type"` // the incident's when it was sent: what is restricted is so on either
	Unit      string      `json:"unit"`
	Agency    string      `json:"agency"` // the unit's
	Status    Status      `json:"status"`
	Version   int         `json:"version"`
	Times     Times       `json:"times"`    // when it was done, as who did it says
	Received  Times       `json:"received"` // when the house heard of it
	ExpiresAt moment.Time `json:"expires_at"`
	By        string      `json:"by"` // who sent it
	Note      string      `json:"note,omitempty"`
	Reason    string      `json:"reason,omitempty"` // of an end without arrival
	TravelS   *float64    `json:"travel_s"`         // as it was expected when it was sent; null: not known
	Receipt   Receipt     `json:"receipt"`
	Next      *Next       `json:"next"` // whom to ask instead, where it failed by time; a person decides
	Simulated bool        `json:"simulated"`
	Exercise  bool        `json:"exercise,omitempty"` // of an exercise: it is simulated as well, and says which

	ExternalRefs []incident.ExternalRef `json:"external_refs"` // the numbers that partners have for the order
}

// Facts is what is left of a dispatch without anybody's words and names: which unit goes where, how it stands and when it is due.
func (d *Dispatch) Facts() Dispatch {
	return Dispatch{ID: d.ID, Incident: d.Incident, Type: d.Type, Unit: d.Unit, Agency: d.Agency, Status: d.Status, Version: d.Version, Times: d.Times, Received: d.Received,
		ExpiresAt: d.ExpiresAt, By: incident.Redacted(d.By), TravelS: d.TravelS, Simulated: d.Simulated, Exercise: d.Exercise, ExternalRefs: []incident.ExternalRef{}}
}

// Times are the stamps of each status; null where not reached.
type Times struct {
	Offered   moment.Time `json:"offered"`
	Accepted  moment.Time `json:"accepted"`
	Declined  moment.Time `json:"declined"`
	Expired   moment.Time `json:"expired"`
	EnRoute   moment.Time `json:"en_route"`
	OnScene   moment.Time `json:"on_scene"`
	Done      moment.Time `json:"done"`
	Cancelled moment.Time `json:"cancelled"`
}

// Receipt is how far the order has come: the N9 ladder.
type Receipt struct {
	Sent      moment.Time `json:"sent"`
	Delivered moment.Time `json:"delivered"`
	Seen      moment.Time `json:"seen"`
}

// Next is a recommendation that the house makes by itself when an offer has run out. It sends nobody.
type Next struct {
	Unit string `json:"unit,omitempty"` // empty: no other unit is free
	To   string `json:"to"`             // whose decision it is: dispatcher, after a second failure supervisor
}

// Faults of an act.
var (
	ErrInvalid    = errors.New("the act is not complete")                    // 422
	ErrNotAllowed = errors.New("the dispatch does not allow that act now")   // 409
	ErrStale      = errors.New("the dispatch has changed since it was read") // 409
)

// maxText is how long a note or reason may be, in characters; skew how far a field clock may be ahead of ours.
const (
	maxText = 1000
	skew    = 2 * time.Minute
)

// Patience is how long an offer stands, by the service class of the incident: A 60 s, B 120 s, all others 600 s.
func Patience(class string) time.Duration {
	switch class {
	case "A":
		return time.Minute
	case "B":
		return 2 * time.Minute
	}
	return 10 * time.Minute
}

// Offer makes a dispatch of a unit to an incident. ErrInvalid: the note is too long.
func Offer(id string, in *incident.Incident, u *unit.Unit, by, note string, now time.Time) (Dispatch, error) {
	if utf8.RuneCountInString(note) > maxText {
		return Dispatch{}, fault.In(ErrInvalid, "note", fault.Long, maxText, "has more than %d characters", maxText)
	}
	at := moment.Of(now)
	return Dispatch{ID: id, Incident: in.ID, Type: in.Type, Unit: u.ID, Agency: u.Agency, Status: Offered, Version: 1, Times: Times{Offered: at}, Received: Times{Offered: at},
		ExpiresAt: moment.Of(now.Add(Patience(in.SLA.Class))), By: by, Note: note, Simulated: in.Simulated, Exercise: in.Exercise, ExternalRefs: []incident.ExternalRef{}}, nil
}

// Told is the incident as the unit names it to everybody who sees units; empty where its type is for named people only.
func (d *Dispatch) Told() string {
	if t, ok := incident.TypeOf(d.Type); !ok || t.Restricted {
		return ""
	}
	return d.Incident
}

// Act is what somebody asks a dispatch to do.
type Act struct {
	To      Status
	At      time.Time // of the act itself, where it is told later; zero: now
	Reason  string    // required with declined
	Note    string
	Version int // the one that was seen; 0: whichever stands, as field acts are told

	External []incident.ExternalRef // numbers that partners have for the order, beside those that are there; of each partner one
}

// Allowed lists what may be asked of the dispatch now.
func (d *Dispatch) Allowed() []Status { return append([]Status{}, next[d.Status]...) }

// Apply gives the dispatch after an act. Errors: ErrInvalid, ErrStale, ErrNotAllowed.
func (d *Dispatch) Apply(a Act, now time.Time) (Dispatch, error) {
	out := *d
	at := moment.Of(now)
	if !a.At.IsZero() {
		at = moment.Of(a.At)
	}
	switch {
	case a.Version != 0 && a.Version != d.Version:
		return out, fmt.Errorf("%w: version %d, now %d", ErrStale, a.Version, d.Version)
	case !slices.Contains(next[d.Status], a.To):
		return out, fmt.Errorf("%w: %s to %.40q", ErrNotAllowed, d.Status, a.To)
	case utf8.RuneCountInString(a.Reason) > maxText || utf8.RuneCountInString(a.Note) > maxText:
		return out, fault.In(ErrInvalid, "note", fault.Long, maxText, "reason or note has more than %d characters", maxText)
	case a.To == Declined && a.Reason == "":
		return out, fault.In(ErrInvalid, "reason", fault.Missing, nil, "is missing: a unit says why it declines")
	case at.After(now.Add(skew)):
		return out, fault.In(ErrInvalid, "at", fault.Late, nil, "%s has not come yet", at)
	case at.Before(d.Times.last().Time):
		return out, fault.In(ErrInvalid, "at", fault.Early, nil, "%s is before the step before it, %s", at, d.Times.last())
	}
	refs, err := incident.References(slices.Concat(d.ExternalRefs, a.External))
	if err != nil {
		return out, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	out.ExternalRefs = refs
	out.enter(a.To, at, moment.Of(now))
	if a.Note != "" {
		out.Note = a.Note
	}
	if a.To.Failed() {
		out.Reason = a.Reason
	}
	return out, nil
}

// Expire gives the dispatch after its time has run out; false: it has not.
func (d *Dispatch) Expire(now time.Time) (Dispatch, bool) {
	if d.Status != Offered || now.Before(d.ExpiresAt.Time) {
		return *d, false
	}
	out := *d
	out.enter(Expired, moment.Of(now), moment.Of(now))
	return out, true
}

func (d *Dispatch) enter(to Status, at, now moment.Time) {
	d.Status, d.Version = to, d.Version+1
	*d.Times.of(to), *d.Received.of(to) = at, now
	if to == Accepted || to == Declined || to == EnRoute {
		for _, t := range []*moment.Time{&d.Receipt.Delivered, &d.Receipt.Seen} {
			if t.IsZero() {
				*t = at
			}
		}
	}
}

// Since is when the dispatch came to where it stands, as who did it says.
func (d *Dispatch) Since() moment.Time { return *d.Times.of(d.Status) }

// ByClock tells whether the house stamped the last step itself, when it heard of it.
func (d *Dispatch) ByClock() bool { return d.Since() == *d.Received.of(d.Status) }

func (t *Times) of(s Status) *moment.Time {
	return map[Status]*moment.Time{Offered: &t.Offered, Accepted: &t.Accepted, Declined: &t.Declined, Expired: &t.Expired, EnRoute: &t.EnRoute, OnScene: &t.OnScene,
		Done: &t.Done, Cancelled: &t.Cancelled}[s]
}

// last is the newest stamp.
func (t *Times) last() moment.Time {
	var out moment.Time
	for _, at := range []moment.Time{t.Offered, t.Accepted, t.EnRoute, t.OnScene} {
		if at.After(out.Time) {
			out = at
		}
	}
	return out
}
