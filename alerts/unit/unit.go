// Package unit is Unit: a response team or vehicle, what it can do, whether it is free, and what its roster says. Pure.
package unit

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Status is what a unit does (domain.md section 5). It derives from the unit's dispatch, but for off_duty, and available after returning.
type Status string

// The statuses.
const (
	Available Status = "available"
	Offered   Status = "offered" // also after it has accepted, until it moves
	EnRoute   Status = "en_route"
	OnScene   Status = "on_scene"
	Returning Status = "returning" // may be sent again
	OffDuty   Status = "off_duty"  // with a reason: out of service
)

// Free tells a status in which a unit may be sent.
func (s Status) Free() bool { return s == Available || s == Returning }

// Unit is a response team or vehicle. Its place travels as a Thing of kind unit; what stands here is filled in when somebody asks.
type Unit struct {
	ID           string        `json:"id"` // "<agency>/<call sign>"
	Agency       string        `json:"agency"`
	CallSign     string        `json:"call_sign"`
	Name         string        `json:"name"`
	Capabilities []string      `json:"capabilities"` // codes of the profile
	Status       Status        `json:"status"`
	Version      int           `json:"version"` // grows with every change
	Crew         []string      `json:"crew"`
	Post         *Post         `json:"post"`
	Lng          *float64      `json:"lng"` // last place; null: not known
	Lat          *float64      `json:"lat"`
	PositionAt   moment.Time   `json:"position_at"`
	PositionAgeS *float64      `json:"position_age_s"` // when it was asked for, of that place
	Dispatch     *string       `json:"dispatch"`       // id of the dispatch that it works on
	Incident     *string       `json:"incident"`       // of that dispatch
	ShiftUntil   moment.Time   `json:"shift_until"`
	StatusAt     moment.Time   `json:"status_at"`
	Reason       string        `json:"reason,omitempty"` // of a status that a dispatcher has set
	Trackers     []string      `json:"trackers"`         // ids of Things that tell its place, beside those that bear its name
	Recent       []moment.Time `json:"recent"`           // when it set out, within Shift
	HeardAt      moment.Time   `json:"heard_at"`         // its last word: an act of its crew, or that it answered
	RollCallAt   moment.Time   `json:"roll_call_at"`     // since when it has not answered on scene; null: it has
	Panic        *Panic        `json:"panic"`
	Example      bool          `json:"example,omitempty"` // made up for a demonstration: no such roster was published
}

// Post is where a unit waits, in degrees.
type Post struct {
	Name string  `json:"name"`
	Lng  float64 `json:"lng"`
	Lat  float64 `json:"lat"`
}

// Panic is a crew's call for help. It stands until a dispatcher or supervisor clears it.
type Panic struct {
	At       moment.Time `json:"at"`
	By       string      `json:"by"`
	Lng      *float64    `json:"lng"` // null: as the unit's last place
	Lat      *float64    `json:"lat"`
	Incident string      `json:"incident,omitempty"` // that it has opened or joined; empty where that is for named people only
}

// Shift is how long a task counts against a unit.
const Shift = 12 * time.Hour

// mostRecent bounds what is remembered of a shift.
const mostRecent = 50

// Faults of a change.
var (
	ErrInvalid    = errors.New("the unit is not valid")                                    // 422
	ErrNotAllowed = errors.New("the unit does not allow that now")                         // 409
	ErrStale      = errors.New("the unit has changed since it was read")                   // 409
	named         = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)                        // slugs: an agency, a call sign, a capability
	capability    = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)                       // of the profile's codes
	settable      = []Status{Available, OffDuty, Returning}                                // by hand
	bounds        = struct{ name, crew, list, reason, trackers int }{200, 100, 50, 500, 5} // characters, and entries of a list
)

// ID is the identity of a call sign within an agency.
func ID(agency, sign string) string { return agency + "/" + sign }

// Draft is what a roster says of a unit.
type Draft struct {
	Agency, CallSign, Name string
	Capabilities, Crew     []string
	Post                   *Post
	ShiftUntil             moment.Time
	Example                bool
}

// Unit makes the unit that a draft describes, available and without version; ErrInvalid names what is wrong. Known tells a capability of the
// profile; nil: every well-formed one passes.
func (d Draft) Unit(known func(code string) bool, now time.Time) (Unit, error) {
	u := Unit{ID: ID(d.Agency, d.CallSign), Agency: d.Agency, CallSign: d.CallSign, Name: strings.TrimSpace(d.Name), Capabilities: listed(d.Capabilities), Crew: listed(d.Crew), Trackers: []string{}, Recent: []moment.Time{},
		Post: d.Post, ShiftUntil: d.ShiftUntil, Status: Available, StatusAt: moment.Of(now), Example: d.Example}
	switch {
	case !named.MatchString(u.Agency):
		return u, fault.In(ErrInvalid, "agency", fault.Form, "bpbd", "%.60q is no slug of small letters, digits and hyphens", u.Agency)
	case !named.MatchString(u.CallSign):
		return u, fault.In(ErrInvalid, "call_sign", fault.Form, "trc-1", "%.60q is no slug of small letters, digits and hyphens", u.CallSign)
	case u.Name == "":
		u.Name = strings.ToUpper(u.CallSign)
	}
	return u, u.check(known)
}

func (u *Unit) check(known func(string) bool) error {
	switch {
	case utf8.RuneCountInString(u.Name) > bounds.name:
		return fault.In(ErrInvalid, "name", fault.Long, bounds.name, "has more than %d characters", bounds.name)
	case len(u.Capabilities) > bounds.list:
		return fault.In(ErrInvalid, "capabilities", fault.Long, bounds.list, "more than %d", bounds.list)
	case len(u.Crew) > bounds.list:
		return fault.In(ErrInvalid, "crew", fault.Long, bounds.list, "more than %d", bounds.list)
	}
	for i, c := range u.Capabilities {
		if !capability.MatchString(c) || known != nil && !known(c) {
			return fault.In(ErrInvalid, fmt.Sprintf("capabilities[%d]", i), fault.Unknown, nil, "there is no capability %.60q", c)
		}
	}
	for i, c := range u.Crew {
		if strings.TrimSpace(c) == "" || utf8.RuneCountInString(c) > bounds.crew {
			return fault.In(ErrInvalid, fmt.Sprintf("crew[%d]", i), fault.Between, fault.Range{1, float64(bounds.crew)}, "is empty or has more than %d characters", bounds.crew)
		}
	}
	if len(u.Trackers) > bounds.trackers {
		return fault.In(ErrInvalid, "trackers", fault.Long, bounds.trackers, "more than %d trackers", bounds.trackers)
	}
	for i, id := range u.Trackers {
		if feed, native, ok := strings.Cut(id, ":"); !ok || feed == "" || native == "" || len(id) > 256 {
			return fault.In(ErrInvalid, fmt.Sprintf("trackers[%d]", i), fault.Form, "traccar:860123", "%.60q is no id of a Thing as traccar:860123", id)
		}
	}
	if p := u.Post; p != nil {
		if err := (geo.Position{Lat: p.Lat, Lng: p.Lng}).Validate(); err != nil {
			return fault.In(ErrInvalid, "post", fault.Outside, nil, "%v", err)
		}
	}
	return nil
}

// Edit is what somebody changes of a unit; nil members stay. Version is the one that was seen; 0: whichever stands.
type Edit struct {
	Status       *Status
	Reason       string
	Name         *string
	Capabilities *[]string
	Crew         *[]string
	Post         *Post
	Trackers     *[]string
	ShiftUntil   *moment.Time // to zero: no end
	Version      int
}

// Roster tells an edit that changes more than a unit's status.
func (e *Edit) Roster() bool {
	return e.Name != nil || e.Capabilities != nil || e.Crew != nil || e.Post != nil || e.Trackers != nil || e.ShiftUntil != nil
}

// Apply gives the unit after an edit. Errors: ErrInvalid, ErrStale, ErrNotAllowed: the status of a unit on a dispatch derives from it.
func (u *Unit) Apply(e Edit, known func(string) bool, now time.Time) (Unit, error) {
	out := u.Clone()
	if e.Version != 0 && e.Version != u.Version {
		return out, fmt.Errorf("%w: version %d, now %d", ErrStale, e.Version, u.Version)
	}
	if e.Status != nil {
		switch {
		case !slices.Contains(settable, *e.Status):
			return out, fault.In(ErrInvalid, "status", fault.OneOf, "available, off_duty, returning", "%.40q is none of available, off_duty, returning", *e.Status)
		case u.Dispatch != nil:
			return out, fmt.Errorf("%w: it is on dispatch %s, from which its status derives", ErrNotAllowed, *u.Dispatch)
		case utf8.RuneCountInString(e.Reason) > bounds.reason:
			return out, fault.In(ErrInvalid, "reason", fault.Long, bounds.reason, "has more than %d characters", bounds.reason)
		}
		out.Status, out.StatusAt, out.Reason = *e.Status, moment.Of(now), e.Reason
		out.heard(moment.Of(now))
	}
	if e.Name != nil {
		if out.Name = strings.TrimSpace(*e.Name); out.Name == "" {
			return out, fault.In(ErrInvalid, "name", fault.Missing, nil, "is empty")
		}
	}
	if e.Capabilities != nil {
		out.Capabilities = listed(*e.Capabilities)
	}
	if e.Crew != nil {
		out.Crew = listed(*e.Crew)
	}
	if e.Post != nil {
		post := *e.Post
		out.Post = &post
	}
	if e.Trackers != nil {
		out.Trackers = listed(*e.Trackers)
	}
	if e.ShiftUntil != nil {
		out.ShiftUntil = *e.ShiftUntil
	}
	out.Version++
	return out, out.check(known)
}

// Can tells a capability that the unit has.
func (u *Unit) Can(code string) bool { return slices.Contains(u.Capabilities, code) }

// Follow gives the unit as its dispatch has it: id and incident, and the status that follows. An empty id lets it go.
func (u *Unit) Follow(dispatch, incident string, status Status, now time.Time) Unit {
	out := u.Clone()
	out.Dispatch, out.Incident = nil, nil
	if dispatch != "" {
		out.Dispatch = &dispatch
		if incident != "" {
			out.Incident = &incident
		}
	}
	if out.Status != status {
		if status == EnRoute {
			out.Recent = append(out.Recent, moment.Of(now))
			out.Recent = out.Recent[max(0, len(out.Recent)-mostRecent):]
			out.Recent = slices.DeleteFunc(out.Recent, func(at moment.Time) bool { return now.Sub(at.Time) >= Shift })
		}
		out.Status, out.StatusAt, out.Reason = status, moment.Of(now), ""
	}
	if status != OnScene {
		out.RollCallAt = moment.Time{}
	}
	out.Version++
	return out
}

// Ready tells whether a unit may be sent now, and why not: free, on shift, and not calling for help itself.
func (u *Unit) Ready(now time.Time) (why string, ok bool) {
	switch {
	case u.Dispatch != nil:
		return "assigned", false
	case !u.Status.Free():
		return string(u.Status), false
	case u.Panic != nil:
		return "panic", false
	case !u.ShiftUntil.IsZero() && !now.Before(u.ShiftUntil.Time):
		return "shift_over", false
	}
	return "", true
}

// Position is the last known place, else the post; post tells which. False: neither is known.
func (u *Unit) Position() (p geo.Position, post, ok bool) {
	switch {
	case u.Lng != nil && u.Lat != nil:
		return geo.Position{Lat: *u.Lat, Lng: *u.Lng}, false, true
	case u.Post != nil:
		return geo.Position{Lat: u.Post.Lat, Lng: u.Post.Lng}, true, true
	}
	return geo.Position{}, false, false
}

// Workload counts the tasks for which the unit has set out within Shift.
func (u *Unit) Workload(now time.Time) int {
	n := 0
	for _, at := range u.Recent {
		if now.Sub(at.Time) < Shift {
			n++
		}
	}
	return n
}

// Clone copies a unit and its lists.
func (u *Unit) Clone() Unit {
	out := *u
	out.Capabilities, out.Crew, out.Trackers, out.Recent = listed(u.Capabilities), listed(u.Crew), listed(u.Trackers), append([]moment.Time{}, u.Recent...)
	return out
}

// listed is a list that travels as [] where it is empty, and that is its own.
func listed(in []string) []string { return append([]string{}, in...) }
