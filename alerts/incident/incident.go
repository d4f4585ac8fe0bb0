// Package incident is Incident: its life cycle and its timeline.
package incident

import (
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Incident is what operators act on; it carries its evidence.
type Incident struct {
	ID           string        `json:"id"`     // ULID
	Number       string        `json:"number"` // SLK-2026-000123
	Type         string        `json:"type"`   // domain.md section 4: flood, eq ...
	Title        string        `json:"title"`
	Severity     cap.Severity  `json:"severity"`
	Status       Status        `json:"status"`
	Version      int           `json:"version"` // grows with acts only
	LeadAgency   string        `json:"lead_agency"`
	Support      []string      `json:"support"`
	Location     *Location     `json:"location"`
	Cell         geo.Cell      `json:"cell"`
	AreaName     string        `json:"area_name"`
	Zone         string        `json:"zone,omitempty"` // of service: town, rural, remote
	OpenedAt     moment.Time   `json:"opened_at"`
	UpdatedAt    moment.Time   `json:"updated_at"`
	Times        Times         `json:"times"`
	TimesSource  TimesSource   `json:"times_source,omitempty"`
	SLA          SLA           `json:"sla"`
	Why          Why           `json:"why"`
	Evidence     []Evidence    `json:"evidence"`
	Timeline     []Entry       `json:"timeline"`
	Dispatches   []string      `json:"dispatches"`
	Owner        string        `json:"owner,omitempty"` // who acknowledged
	Outcome      string        `json:"outcome,omitempty"`
	Cause        string        `json:"cause,omitempty"`
	Victims      *Victims      `json:"victims"`             // null: not known
	Decision     *Decided      `json:"decision"`            // null: nobody has decided what is watched
	OnHold       *Hold         `json:"on_hold"`             // null: it does not rest
	Disputed     *Dispute      `json:"disputed"`            // null: nobody says that it is not done
	Checklist    []Check       `json:"checklist,omitempty"` // of its type, by the profile
	Proof        Proof         `json:"proof"`
	Override     string        `json:"override,omitempty"` // why a supervisor closed it with less proof than is needed
	Retitled     bool          `json:"retitled,omitempty"` // a person has written its title
	Reopened     int           `json:"reopened,omitempty"`
	ResolvedBy   string        `json:"resolved_by,omitempty"`
	MergedInto   string        `json:"merged_into,omitempty"` // id of the incident that this one is part of since it was cancelled as its duplicate
	Merged       []Merged      `json:"merged,omitempty"`      // incidents that are part of this one
	SplitFrom    string        `json:"split_from,omitempty"`  // id of the incident from which its evidence was taken
	Apart        []string      `json:"apart,omitempty"`       // incidents, and refs of evidence, that a person has said do not belong to this one: nobody suggests it again
	Simulated    bool          `json:"simulated"`
	ExternalRefs []ExternalRef `json:"external_refs"`
	Exercise     bool          `json:"exercise,omitempty"` // of an exercise: it is simulated as well, and says which
	Handover     *Handover     `json:"handover"`           // null: nobody else is asked to lead
	Comments     []Comment     `json:"comments,omitempty"`
	Attachments  []Attachment  `json:"attachments,omitempty"`
}

// Fill gives members that an older server did not write their empty form.
func (in *Incident) Fill() {
	in.Proof.Need = ProofNeed
	if in.Proof.Have == nil {
		in.Proof.Have = []Proven{}
	}
	if in.SLA.Missed == nil {
		in.SLA.Missed = []string{}
	}
}

// Status is where an incident stands: new, acknowledged, dispatched, on_scene, resolved, closed; cancelled from any open state.
type Status string

// The statuses, in their order. Reopened is a verb, not a status: it makes the status Acknowledged again.
const (
	New          Status = "new"
	Acknowledged Status = "acknowledged"
	Dispatched   Status = "dispatched"
	OnScene      Status = "on_scene"
	Resolved     Status = "resolved"
	Closed       Status = "closed"
	Cancelled    Status = "cancelled"
	Reopened     Status = "reopened"
)

// Open tells every status but closed and cancelled.
func (s Status) Open() bool { return s != Closed && s != Cancelled }

// Location is where it is, in degrees.
type Location struct {
	Lng float64 `json:"lng"`
	Lat float64 `json:"lat"`
}

// Times are the stamps of domain.md section 7; null where not yet.
type Times struct {
	TEvent    moment.Time `json:"t_event"`
	TSignal   moment.Time `json:"t_signal"`
	TCreated  moment.Time `json:"t_created"`
	TAck      moment.Time `json:"t_ack"`
	TDecision moment.Time `json:"t_decision"` // first decision of a person on what is watched
	TDispatch moment.Time `json:"t_dispatch"`
	TEnroute  moment.Time `json:"t_enroute"`
	TScene    moment.Time `json:"t_scene"`
	TResolved moment.Time `json:"t_resolved"`
	TClosed   moment.Time `json:"t_closed"`
}

// SLA is the service class and when each step is due.
type SLA struct {
	Class       string      `json:"class"` // A to E
	AckDue      moment.Time `json:"ack_due"`
	DispatchDue moment.Time `json:"dispatch_due"` // null for class E, which needs none
	SceneDue    moment.Time `json:"scene_due"`    // null where the class has none, or the zone is not known
	ResolveDue  moment.Time `json:"resolve_due"`  // null where the class has none
	PausedS     float64     `json:"paused_s"`     // how long the clocks stood still, in seconds
	DecisionDue moment.Time `json:"decision_due"` // of class E: what to do is decided by then; null for others
	Missed      []string    `json:"missed"`       // ack, dispatch, scene, resolve, decision: each once
}

// Why says what opened the incident.
type Why struct {
	Rule    string  `json:"rule,omitempty"`
	Consent string  `json:"consent,omitempty"` // entry of the profile's consent list
	Alert   string  `json:"alert,omitempty"`
	Person  string  `json:"person,omitempty"`
	Inputs  []Input `json:"inputs"`
	Unit    string  `json:"unit,omitempty"` // whose crew called for help, where that opened it
}

// Input is one reading that a rule judged.
type Input struct {
	Thing    string      `json:"thing"`
	Property string      `json:"property"`
	Value    any         `json:"value"`
	Unit     string      `json:"unit,omitempty"`
	At       moment.Time `json:"at"`
}

// Evidence is one piece that belongs to the incident, and why.
type Evidence struct {
	Kind   string      `json:"kind"` // observation, alert, report, note
	Ref    string      `json:"ref"`
	Reason string      `json:"reason"`
	Text   string      `json:"text,omitempty"` // short, for people: "water_level 3.41 m"
	Weight float64     `json:"weight"`
	At     moment.Time `json:"at"`
	From   string      `json:"from,omitempty"` // id of the merged incident with which it came
}

// TimesSource tells of each stamp who set it: auto by the house's clock or a crew's device, manual by a person who entered it later.
type TimesSource map[string]string

// Victims are how many people were harmed; 0 is known to be none.
type Victims struct {
	Dead       int `json:"dead"`
	Missing    int `json:"missing"`
	Injured    int `json:"injured"`
	Displaced  int `json:"displaced"`
	Affected   int `json:"affected"`
	Households int `json:"households"`
}

// Entry is one line of the timeline.
type Entry struct {
	At    moment.Time `json:"at"`
	Actor string      `json:"actor"` // rule:muka-air, user:…, feed:…
	Act   string      `json:"act"`   // opened, acknowledged, evidence, reopened …
	Note  string      `json:"note"`
	// ReceivedAt is when the house heard of it, where that was later than At, as an act that was done in the field or on paper.
	ReceivedAt moment.Time `json:"received_at,omitzero"`
}

// ExternalRef is a partner's own number of the same case.
type ExternalRef struct {
	Agency string `json:"agency"`
	ID     string `json:"id"`
}
