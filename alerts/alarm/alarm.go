// Package alarm is Alarm: what asks an operator to act, its life cycle, and the governor that keeps a desk from drowning in them. Pure.
//
// Terms and figures are those of ISA-18.2 and EEMUA 191 as domain.md section 6 honours them.
package alarm

import (
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// State is where an alarm stands.
type State string

// The states (INTERFACES section 2). Cleared and acknowledged is over; cleared alone waits for somebody where the alarm latches.
const (
	Raised       State = "raised"
	Acknowledged State = "acknowledged"
	Cleared      State = "cleared"
	Shelved      State = "shelved"
	Suppressed   State = "suppressed"
)

// Priority is how soon somebody must act; it is not the severity (domain.md section 2).
type Priority string

// The priorities, the most urgent first.
const (
	P1 Priority = "P1"
	P2 Priority = "P2"
	P3 Priority = "P3"
)

// Alarm asks an operator to act on an alert, or on an incident that no alert opened.
type Alarm struct {
	ID         string             `json:"id"` // ULID, from the alert's
	Version    int                `json:"version"`
	State      State              `json:"state"`
	Priority   Priority           `json:"priority"`
	Alert      string             `json:"alert,omitempty"`    // id of the alert that raised it last
	Incident   string             `json:"incident,omitempty"` // that it belongs to
	Source     string             `json:"source"`             // what activates it: "rule:muka-air/awlr:dev-12", "feed:bmkg", "person"
	Rule       string             `json:"rule,omitempty"`
	Thing      string             `json:"thing,omitempty"`
	ThingName  string             `json:"thing_name,omitempty"` // for people
	Feed       string             `json:"feed,omitempty"`
	Event      string             `json:"event"`           // for people, in the words of its source
	Names      map[string]string  `json:"names,omitempty"` // of the house's own: event in each language, id and en
	Type       string             `json:"type,omitempty"`
	Severity   cap.Severity       `json:"severity"`
	Location   *incident.Location `json:"location"`
	Cell       geo.Cell           `json:"cell"`
	AreaName   string             `json:"area_name"`      // kecamatan; of an agency's alert the area in its own words
	Desk       string             `json:"desk,omitempty"` // whose it is; empty: every desk's
	RaisedAt   moment.Time        `json:"raised_at"`
	UpdatedAt  moment.Time        `json:"updated_at"`
	ActBy      moment.Time        `json:"act_by"` // null: nobody has said how soon
	Response   string             `json:"response,omitempty"`
	Presented  bool               `json:"presented"`          // it stands in a queue; false: kept as evidence, countable and searchable
	Withheld   string             `json:"withheld,omitempty"` // why it is not presented: group, chattering, suppressed, shelved, plan …
	PresentAt  moment.Time        `json:"presented_at"`
	Group      string             `json:"group,omitempty"`        // id of the alarm that stands for it
	Code       Code               `json:"code,omitempty"`         // what the house itself says: flood, group, chattering, feed; empty: an alert or an incident
	Worst      *Worst             `json:"worst,omitempty"`        // of those that it stands for
	Announced  string             `json:"announcement,omitempty"` // of P1: id of the alarm with which it was announced, its own where it led; empty: not yet
	AnnounceAt moment.Time        `json:"announced_at"`
	Active     bool               `json:"active"`  // its condition holds now
	LastAt     moment.Time        `json:"last_at"` // when it was activated last
	Members    int                `json:"members"` // how many it stands for, itself among them
	Count      int                `json:"count"`   // activations of its source since it was raised
	FirstOut   bool               `json:"first_out,omitempty"`
	Sound      bool               `json:"sound"`
	Latched    bool               `json:"latched,omitempty"` // over, and kept until somebody acknowledges it
	Chattering bool               `json:"chattering,omitempty"`
	Standing   bool               `json:"standing,omitempty"` // active for more than 24 h: stale, in the words of ISA-18.2
	Ack        *Ack               `json:"ack"`
	Painted    *Sight             `json:"painted,omitempty"` // of P1: drawn at a staffed desk; absent: nowhere yet
	Seen       *Sight             `json:"seen"`              // of P1: painted at a staffed desk and acknowledged; null: it counts as seen by nobody
	Climbed    []Climb            `json:"climbed,omitempty"` // where it climbed while nobody had seen it
	ClearedAt  moment.Time        `json:"cleared_at"`
	Shelf      *Shelf             `json:"shelf"`
	Suppress   *Suppression       `json:"suppression"`
	Simulated  bool               `json:"simulated"`
}

// Code is what an alarm of the house's own is about; screens have words for each.
type Code string

// The codes.
const (
	CodeFlood      Code = "flood"      // a desk gets more alarms than anybody can work through
	CodeGroup      Code = "group"      // it stands for many of one type in one place
	CodeChattering Code = "chattering" // its source comes and goes: probably a fault of the sensor
	CodeFeed       Code = "feed"       // a feed is down, and with it what its sensors would say
	CodePanic      Code = "panic"      // a crew calls for help
	CodeRollCall   Code = "rollcall"   // a unit on scene has not been heard of
	CodeUnanswered Code = "unanswered" // every unit that was sent to an incident has declined, or failed to answer
)

// Worst is the worst alarm of those that one stands for.
type Worst struct {
	Alarm    string       `json:"alarm"`
	Priority Priority     `json:"priority"`
	Severity cap.Severity `json:"severity"`
	Event    string       `json:"event"`
	AreaName string       `json:"area_name"`
}

// Why an alarm is not presented (Withheld).
const (
	WithheldGroup      = "group"      // Group stands for it
	WithheldFlood      = "flood"      // the desk is in flood and no group of it has room yet: the flood's own alarm counts it
	WithheldBudget     = "budget"     // the desk has had as many as it can take; it follows when there is room
	WithheldChattering = "chattering" // Group says that the source chatters
	WithheldShelved    = "shelved"
	WithheldPlan       = "plan"     // held until the plan is over
	WithheldFeed       = "feed"     // its feed is down
	WithheldIncident   = "incident" // a repeat: the incident has an alarm already, or was merged into another
)

// Ack says who took note of an alarm.
type Ack struct {
	At   moment.Time `json:"at"`
	By   string      `json:"by"`
	Desk string      `json:"desk,omitempty"`
	Note string      `json:"note,omitempty"`
}

// Shelf says until when an alarm is out of the queue, and why.
type Shelf struct {
	At     moment.Time `json:"at"`
	Until  moment.Time `json:"until"`
	By     string      `json:"by"`
	Desk   string      `json:"desk,omitempty"`
	Reason string      `json:"reason"`
}

// Suppression says what an alarm is the consequence of: "feed:awlr", "incident:01J…", "plan:01J…", "alarm:01J…".
type Suppression struct {
	Parent string      `json:"parent"`
	Reason string      `json:"reason"`
	Since  moment.Time `json:"since"`
}

// Health is the figures of domain.md section 6, of one desk or of the house.
type Health struct {
	Desk            string           `json:"desk"` // empty: the house
	At              moment.Time      `json:"at"`
	New10m          int              `json:"new_10m"`       // presentations within 10 minutes: rows of P2 and P3, and announcements of P1
	Rows10m         int              `json:"rows_10m"`      // rows that came into the queue within 10 minutes, each P1 by itself
	Rate10m         float64          `json:"rate_10m"`      // mean of presented per 10 minutes over the shift so far, 8 h at most
	Load            string           `json:"load"`          // ok <= 1, acceptable <= 2, over > 2, flood
	Flood           bool             `json:"flood"`         // from 10 raised in 10 minutes, until fewer than 5
	FloodSince      moment.Time      `json:"flood_since"`   // null: none
	FloodShare24h   float64          `json:"flood_share"`   // of 24 h, goal < 0.01
	Raised24h       int              `json:"raised_24h"`    // activations of all alarms, presented or not
	Presented24h    int              `json:"presented_24h"` // rows
	Mix             map[Priority]int `json:"mix"`           // presented within 24 h by priority
	Open            map[Priority]int `json:"open"`          // presented and not acknowledged now
	Standing        int              `json:"standing"`
	Chattering      int              `json:"chattering"`
	Shelved         int              `json:"shelved"`
	Suppressed      int              `json:"suppressed"`
	Withheld        int              `json:"withheld"`  // standing and not presented, for any reason
	TopShare        float64          `json:"top_share"` // of the ten busiest sources, of 24 h
	Top             []Busy           `json:"top"`
	AckP50Ms        *int64           `json:"ack_p50_ms"` // null: nothing was acknowledged within 24 h
	AckP90Ms        *int64           `json:"ack_p90_ms"`
	PresentToUnseen int              `json:"unacknowledged_p1"` // P1 in the queue that nobody has acknowledged
}

// Busy is a source and how often it was activated within 24 h.
type Busy struct {
	Source string `json:"source"`
	Event  string `json:"event"`
	Count  int    `json:"count"`
}
