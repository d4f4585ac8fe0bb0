// Package wire is the live schema, its JSON form and its codes; TypeScript is generated from here.
//
// There are two forms of the same messages: JSON (this file, append.go) and protobuf (server/wire/proto, binary.go). Case documents are
// JSON in both, as the store keeps them: their one typed source is the Go structs that TypeScript is generated from.
//
// Messages are flat objects with "type" first (INTERFACES, section 5). Rows of Things, of which there are many, are written by hand
// (AppendThing); a test holds the hand-written form against the types of this file.
package wire

import (
	"encoding/json"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/report"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/alerts/unit"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Subprotocol is offered and chosen at the WebSocket handshake.
const Subprotocol = "kentongan.v1"

// The types of messages from the server.
const (
	TypeHello      = "hello"
	TypeSnapshot   = "snapshot"
	TypeThings     = "things"
	TypeCells      = "cells"
	TypeIncident   = "incident"
	TypeAlert      = "alert"
	TypeAlarm      = "alarm"
	TypeSuggestion = "suggestion"
	TypePlan       = "plan"
	TypeStatement  = "statement"
	TypeStatus     = "status"
	TypeReport     = "report"
	TypeCall       = "call"
	TypeDispatch   = "dispatch"
	TypeUnit       = "unit"
	TypeFeed       = "feed"
	TypeStats      = "stats"
	TypeWall       = "wall"
	TypeError      = "error"
	TypePong       = "pong"
)

// Hello is first on every connection; nothing else comes before the first view.
type Hello struct {
	Type       string      `json:"type" ts:"\"hello\""`
	ServerTime moment.Time `json:"server_time"`
	Version    string      `json:"version"`
	Storage    string      `json:"storage"` // durable, weak or volatile
	Rights     []string    `json:"rights"`
}

// Snapshot answers a view, once: Things of the view, and of cases all that the session may see.
type Snapshot struct {
	Type        string                `json:"type" ts:"\"snapshot\""`
	Resumed     bool                  `json:"resumed"` // the cursor of the view was known: nothing was missed
	Cursor      string                `json:"cursor"`
	Things      []Thing               `json:"things"`
	Cells       []Cell                `json:"cells"`
	Incidents   []incident.Incident   `json:"incidents"`
	Alerts      []alerts.Alert        `json:"alerts"`
	Alarms      []alarm.Alarm         `json:"alarms"`      // not over, and those that are over and wait for somebody
	Reports     []report.Report       `json:"reports"`     // open ones of the last 24 h, the newest received first, at most 2,000
	ReportsCut  bool                  `json:"reports_cut"` // there are more than these
	Suggestions []fusion.Suggestion   `json:"suggestions"` // offered
	Plans       []plan.Plan           `json:"plans"`       // planned and running
	Statements  []statement.Statement `json:"statements"`  // in force
	Statuses    []status.Status       `json:"statuses"`    // of every hazard that has one
	Dispatches  []dispatch.Dispatch   `json:"dispatches"`
	Units       []unit.Unit           `json:"units"`
	Feeds       []feeds.FeedStatus    `json:"feeds"`
}

// Things are the changed Things of a view since the last tick, newest state only. No id is in both lists.
type Things struct {
	Type    string   `json:"type" ts:"\"things\""`
	Things  []Thing  `json:"things"`
	Removed []string `json:"removed"` // left the view, or the house
}

// Cells stand in place of Things where there are too many of them to see apart.
type Cells struct {
	Type  string `json:"type" ts:"\"cells\""`
	Cells []Cell `json:"cells"`
}

// Thing is one row of the map with its last state.
type Thing struct {
	ID          string             `json:"id"` // "<feed>:<native id>"
	Feed        string             `json:"feed"`
	Kind        string             `json:"kind"`
	Name        string             `json:"name"`
	Lng         *float64           `json:"lng"` // null: its place is not known
	Lat         *float64           `json:"lat"`
	Cell        geo.Cell           `json:"cell"`
	State       map[string]Reading `json:"state"`
	At          moment.Time        `json:"at"`
	StaleAfter  moment.Time        `json:"stale_after"` // null: no interval known yet
	Simulated   bool               `json:"simulated"`
	Attribution string             `json:"attribution"`
}

// Reading is the last value of one property.
type Reading struct {
	Value      any           `json:"value" ts:"number | string | boolean"`
	Unit       string        `json:"unit"` // UCUM, may be empty
	At         moment.Time   `json:"at"`
	ReceivedAt moment.Time   `json:"received_at"`
	Quality    feeds.Quality `json:"quality"`
}

// Cell is the aggregate of one layer in one H3 cell.
type Cell struct {
	Cell       geo.Cell    `json:"cell"`
	Layer      string      `json:"layer"`
	Count      int         `json:"count"`
	Value      *float64    `json:"value"`
	Severity   string      `json:"severity"`
	ObservedAt moment.Time `json:"observed_at"`
	StaleAfter moment.Time `json:"stale_after"` // null: not known
	Observers  []string    `json:"observers"`
	Unobserved bool        `json:"unobserved"`
}

// Incident tells a change of an incident; it holds the whole new state, as do all case messages.
type Incident struct {
	Type     string            `json:"type" ts:"\"incident\""`
	Cursor   string            `json:"cursor"`
	Incident incident.Incident `json:"incident"`
}

// AlertMessage tells a change of an alert, its end included: State says how it stands.
type AlertMessage struct {
	Type   string       `json:"type" ts:"\"alert\""`
	Cursor string       `json:"cursor"`
	Alert  alerts.Alert `json:"alert"`
}

// AlarmMessage tells a change of an alarm.
type AlarmMessage struct {
	Type   string      `json:"type" ts:"\"alarm\""`
	Cursor string      `json:"cursor"`
	Alarm  alarm.Alarm `json:"alarm"`
}

// SuggestionMessage tells a change of something that a person may do with one key.
type SuggestionMessage struct {
	Type       string            `json:"type" ts:"\"suggestion\""`
	Cursor     string            `json:"cursor"`
	Suggestion fusion.Suggestion `json:"suggestion"`
}

// PlanMessage tells a change of something announced.
type PlanMessage struct {
	Type   string    `json:"type" ts:"\"plan\""`
	Cursor string    `json:"cursor"`
	Plan   plan.Plan `json:"plan"`
}

// StatementMessage tells a change of what an authority has said.
type StatementMessage struct {
	Type      string              `json:"type" ts:"\"statement\""`
	Cursor    string              `json:"cursor"`
	Statement statement.Statement `json:"statement"`
}

// StatusMessage tells a change of where the area stands for one hazard.
type StatusMessage struct {
	Type   string        `json:"type" ts:"\"status\""`
	Cursor string        `json:"cursor"`
	Status status.Status `json:"status"`
}

// ReportMessage tells a change of a report.
type ReportMessage struct {
	Type   string        `json:"type" ts:"\"report\""`
	Cursor string        `json:"cursor"`
	Report report.Report `json:"report"`
}

// CallMessage tells of a call that rings, is taken or is over, to those who may take it. No snapshot holds calls: GET /cti lists them.
type CallMessage struct {
	Type   string      `json:"type" ts:"\"call\""`
	Cursor string      `json:"cursor"`
	Call   report.Call `json:"call"`
}

// DispatchMessage tells a change of a dispatch.
type DispatchMessage struct {
	Type     string            `json:"type" ts:"\"dispatch\""`
	Cursor   string            `json:"cursor"`
	Dispatch dispatch.Dispatch `json:"dispatch"`
}

// UnitMessage tells a change of a unit's status, crew or assignment; its position travels as a Thing.
type UnitMessage struct {
	Type   string    `json:"type" ts:"\"unit\""`
	Cursor string    `json:"cursor"`
	Unit   unit.Unit `json:"unit"`
}

// Feed tells how the feeds fare, every one of them, at most once a second.
type Feed struct {
	Type  string             `json:"type" ts:"\"feed\""`
	Feeds []feeds.FeedStatus `json:"feeds"`
}

// Stats are figures of the last minute.
type Stats struct {
	Type      string  `json:"type" ts:"\"stats\""`
	LatencyMS Latency `json:"latency_ms"`
}

// Latency counts milliseconds until the tick that sends a Thing: from event time, and from receipt.
type Latency struct {
	EventP50   float64 `json:"event_p50"`
	EventP99   float64 `json:"event_p99"`
	ReceiptP50 float64 `json:"receipt_p50"`
	ReceiptP99 float64 `json:"receipt_p99"`
}

// WallMessage tells what a wall is set to now. It is sent to whoever asked for this wall, or for every one, in View.Wall.
type WallMessage struct {
	Type string `json:"type" ts:"\"wall\""`
	Wall Wall   `json:"wall"`
}

// Wall is what one big screen is set to. Scenes are named by id; what they are GET /api/v1/scenes tells.
type Wall struct {
	ID        string      `json:"id"`       // of its device; empty: a window of a person, of which nothing is kept
	Name      string      `json:"name"`     // for people
	Place     string      `json:"place"`    // where it hangs
	Screen    string      `json:"screen"`   // as ?screen= names it
	Scene     string      `json:"scene"`    // id
	Tour      []string    `json:"tour"`     // scenes that follow one another; fewer than two: none
	DwellS    int         `json:"dwell_s"`  // seconds that each of them stays; 0: as long as each scene says. It follows from the clock alone, so that walls change in step without a message
	Language  string      `json:"language"` // id or en
	TextScale float64     `json:"text_scale"`
	DistanceM float64     `json:"distance_m"` // of the farthest reader
	MmPerPx   float64     `json:"mm_per_px"`  // of the screen; 0: not known
	Part      string      `json:"part"`       // "2/4": the second of four screens that are one picture; empty: its own picture
	Sound     bool        `json:"sound"`
	Focus     *string     `json:"focus"`      // id of the incident that is shown large; null: the worst one
	View      *WallView   `json:"view"`       // what the map is cut to; null: as the scene says
	HeldBy    string      `json:"held_by"`    // before visitors "user" alone
	HeldUntil moment.Time `json:"held_until"` // until then nothing changes it but a person; null: nobody holds it
	Chosen    *WallChoice `json:"chosen"`     // null: what comes by a level of the area comes
	ApplyAt   moment.Time `json:"apply_at"`   // the server's time at which this takes effect, on every wall at once; null: it has always been so
	Version   int64       `json:"version"`    // grows with every change, also over one that a restored store has forgotten
}

// BeforeGuests is what a wall is told of itself where visitors stand before it: that somebody holds it, and not who.
func (w Wall) BeforeGuests() Wall {
	if w.HeldBy != "" {
		w.HeldBy = "user"
	}
	return w
}

// WallChoice is the situation over which a person chose what a wall shows: it stays until a level rises further, or again.
type WallChoice struct {
	At     moment.Time    `json:"at"`
	Levels map[string]int `json:"levels"` // of the area, by hazard; one that is not named stood at none
}

// WallView is a piece of the map.
type WallView struct {
	Bbox [4]float64 `json:"bbox"` // west, south, east, north
}

// Error answers a faulty client message.
type Error struct {
	Type    string `json:"type" ts:"\"error\""`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Pong answers a ping of the client's own.
type Pong struct {
	Type       string      `json:"type" ts:"\"pong\""`
	ServerTime moment.Time `json:"server_time"`
}

// View is what the client wants to see; sent again on every pan.
type View struct {
	Op     string     `json:"op" ts:"\"view\""`
	Bbox   [4]float64 `json:"bbox"` // west, south, east, north
	Zoom   float64    `json:"zoom"`
	Layers []string   `json:"layers"`           // kinds; ["*"] is all
	Cursor string     `json:"cursor,omitempty"` // of the last message seen, to resume from
	Wall   string     `json:"wall,omitempty"`   // id of the wall whose settings are to be told, or "*"; a wall is told of itself, whatever it names; empty: none
}

// Ping asks for a pong.
type Ping struct {
	Op string `json:"op" ts:"\"ping\""`
}

// RawSnapshot is Snapshot over rows and documents that are JSON already.
type RawSnapshot struct {
	Documents
	Resumed       bool
	Cursor        string
	Things, Cells [][]byte // chunks of rows parted by commas; none is empty
	Feeds         []feeds.FeedStatus
}

// Documents are the cases of a snapshot as the JSON that the store keeps.
type Documents struct {
	Incidents, Alerts, Alarms, Reports, Suggestions, Plans, Statements, Statuses, Dispatches, Units []json.RawMessage
	ReportsCut                                                                                      bool // there are more than these
}
