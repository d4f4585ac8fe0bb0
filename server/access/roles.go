package access

import "slices"

// Action is what somebody does to a noun.
type Action string

// The actions. Reading incidents, reports and alarms gives a Level; all else needs Full.
const (
	ReadThings  Action = "thing.read"
	ReadUnits   Action = "unit.read"   // where units are: positions of officers
	EditUnits   Action = "unit.edit"   // the roster: who there is, what each can do, who is on shift
	ReportUnits Action = "unit.report" // a unit's status, place and call for help: its crew's, and of whoever sends it
	ReadAlerts  Action = "alert.read"
	ReadFeeds   Action = "feed.read"
	ReadRules   Action = "rule.read"
	ReadReports Action = "report.read"
	ReadAudit   Action = "audit.read"

	ViewCameras Action = "camera.view" // pictures of people who do not know that they are seen: each look is recorded

	ReadBriefing Action = "briefing.read" // figures of incidents: of those that the reader's agency works

	ReadIncidents       Action = "incident.read"
	ActIncidents        Action = "incident.act" // some act of those below: what a route asks before it knows which
	CreateIncident      Action = "incident.create"
	AcknowledgeIncident Action = "incident.acknowledge"
	DispatchIncident    Action = "incident.dispatch"
	ArriveIncident      Action = "incident.arrive"
	ResolveIncident     Action = "incident.resolve"
	CloseIncident       Action = "incident.close"
	CancelIncident      Action = "incident.cancel"
	MergeIncident       Action = "incident.merge" // cancelled as a duplicate
	ReopenIncident      Action = "incident.reopen"
	HoldIncident        Action = "incident.hold"     // let work rest, and go on
	OverrideClosure     Action = "incident.override" // close with less proof than is needed
	CommentIncident     Action = "incident.comment"  // say something of it: whoever works it, and leadership

	ReadAlarms   Action = "alarm.read"
	ActAlarms    Action = "alarm.act"    // acknowledge, and shelve what is P2 or P3
	ShelveUrgent Action = "alarm.shelve" // P1
	ReadPlans    Action = "plan.read"
	WritePlans   Action = "plan.write"
	ReadStatus   Action = "status.read"    // the area's levels, and what authorities have said
	Declare      Action = "status.declare" // official statements, with their source
	Propose      Action = "status.propose" // a level of the area; a supervisor confirms up to Siaga, leadership above
	Confirm      Action = "status.confirm" // the level that leadership must confirm
	WriteRules   Action = "rule.write"

	WriteReports  Action = "report.write"
	ReadContacts  Action = "contact.read"
	WriteContacts Action = "contact.write"
	RingCall      Action = "call.ring"     // a telephone exchange tells of a call
	TakeCalls     Action = "call.take"     // calls that ring, and the number of one that is taken
	Reveal        Action = "report.reveal" // who gave a report; each use leaves its reason

	WriteFeeds   Action = "feed.write"
	WriteKeys    Action = "key.write"
	ReadPeople   Action = "person.read"
	WritePeople  Action = "person.write" // accounts; a change of roles needs a second person
	Witness      Action = "person.reset" // lets somebody in again who lost a password or second factor
	WriteDevices Action = "device.write" // walls, field devices, certificates of the broker
	SteerWalls   Action = "wall.steer"   // what walls show
	ReadPrivacy  Action = "privacy.read" // data map, retention, who saw what
	WritePrivacy Action = "privacy.write"
	Approve      Action = "change.approve" // the second person of two
	RunSimulator Action = "simulator.run"
	Ingest       Action = "ingest"
	Metrics      Action = "metrics"
	StaffDesk    Action = "desk.staff"
)

// Actions lists every action, in the order above.
func Actions() []Action {
	return []Action{ReadThings, ReadUnits, EditUnits, ReportUnits, ReadAlerts, ReadFeeds, ReadRules, ReadReports, ReadAudit, ViewCameras, ReadBriefing,
		ReadIncidents, ActIncidents, CreateIncident, AcknowledgeIncident, DispatchIncident, ArriveIncident, ResolveIncident, CloseIncident, CancelIncident, MergeIncident,
		ReopenIncident, HoldIncident, OverrideClosure, CommentIncident, ReadAlarms, ActAlarms, ShelveUrgent, ReadPlans, WritePlans, ReadStatus, Declare, Propose, Confirm, WriteRules, WriteReports, RingCall, TakeCalls, ReadContacts, WriteContacts, Reveal, WriteFeeds, WriteKeys, ReadPeople, WritePeople, Witness, WriteDevices, SteerWalls, ReadPrivacy, WritePrivacy, Approve, RunSimulator, Ingest, Metrics, StaffDesk}
}

// operational tells the acts that whoever configures or audits may not do.
func operational(a Action) bool {
	return slices.Contains([]Action{EditUnits, ReportUnits, ActIncidents, CreateIncident, AcknowledgeIncident, DispatchIncident, ArriveIncident, ResolveIncident, CloseIncident, CancelIncident,
		MergeIncident, ReopenIncident, HoldIncident, OverrideClosure, CommentIncident, ActAlarms, ShelveUrgent, Declare, Propose, Confirm, WriteReports, TakeCalls, Reveal, StaffDesk}, a)
}

// ofTheHouse tells acts on what is not split by agency or area: a role that is granted for one does not reach them, or it would let itself
// and others into all the rest.
func ofTheHouse(a Action) bool {
	return slices.Contains([]Action{ReadAudit, WriteRules, Declare, Propose, Confirm, WriteFeeds, WriteKeys, ReadPeople, WritePeople, Witness, WriteDevices, SteerWalls, ReadPrivacy, WritePrivacy, Approve, RunSimulator, Metrics}, a)
}

// second tells the acts that must be another person's than the one before.
func (a Action) second() bool { return a == CloseIncident || a == Approve || a == Witness }

// Role is a hat of domain.md section 1.
type Role string

// The roles.
const (
	CallTaker  Role = "calltaker"
	Operator   Role = "operator"
	Dispatcher Role = "dispatcher"
	Supervisor Role = "supervisor"
	Liaison    Role = "liaison"
	Field      Role = "field"
	Leader     Role = "leader"
	PIO        Role = "pio"
	Wall       Role = "wall"
	Citizen    Role = "citizen"
	Admin      Role = "admin"
	Auditor    Role = "auditor"
)

// Roles lists them.
func Roles() []Role {
	return []Role{CallTaker, Operator, Dispatcher, Supervisor, Liaison, Field, Leader, PIO, Wall, Citizen, Admin, Auditor}
}

// bound tells roles that mean nothing without an agency.
func (r Role) bound() bool { return r == Liaison || r == Field }

// Personal tells roles that a person may be granted; a wall is a device, a citizen has no account.
func (r Role) Personal() bool { return slices.Contains(Roles(), r) && r != Wall && r != Citizen }

// rule is how far a role goes with what its agency owns, and with the rest. when must hold besides; where it does not, it is as other.
type rule struct {
	own, other Level
	lead       bool // only for the agency that leads; of roles that are bound to one
	when       func(Subject, Object) bool
	why        string
}

var (
	all    = rule{own: Full, other: None}   // of the grant's agency; of a house role without one: everything
	shared = rule{own: Full, other: Coarse} // the scope rule: others at kecamatan precision
	facts  = rule{own: Facts, other: Coarse}
	rough  = rule{own: Coarse, other: Coarse}
	grave  = rule{own: Facts, other: Coarse, when: func(_ Subject, o Object) bool { return o.Grave }, why: "only what is grave"}
	heard  = rule{own: Full, other: None, when: grave.when, why: grave.why}
	leads  = rule{own: Full, other: None, lead: true}
	crew   = rule{own: Full, other: None, when: func(s Subject, o Object) bool { return s.Unit != "" && o.Unit == s.Unit }, why: "another unit"}
	call   = rule{own: Full, other: None, when: func(s Subject, o Object) bool { return o.Fresh && slices.Contains(o.By, s.ID) }, why: "not a call of yours of the last 24 h"}

	// What depends on where an incident stands (domain.md section 5).
	minor     = rule{own: Full, when: func(_ Subject, o Object) bool { return !o.Grave && o.Status != onScene }, why: "a supervisor cancels what is grave or has a unit on scene"}
	slight    = rule{own: Full, when: func(_ Subject, o Object) bool { return !o.Grave }, why: "a supervisor holds what is grave"}
	advised   = rule{own: Full, when: func(_ Subject, o Object) bool { return o.Status == acknowledged }, why: "an operator resolves what needs no unit"}
	served    = rule{own: Full, when: func(_ Subject, o Object) bool { return o.Status == onScene }, why: "a dispatcher resolves what has a unit on scene"}
	unclosed  = rule{own: Full, when: func(_ Subject, o Object) bool { return o.Status != closed }, why: "a supervisor opens again what is closed"}
	assigned  = rule{own: Full, other: Coarse, when: crew.when, why: crew.why}
	crewMinor = rule{own: Full, when: func(s Subject, o Object) bool { return crew.when(s, o) && !o.Grave && o.Status == onScene }, why: "a crew resolves what is its own, on scene and not grave"}
)

// Where an incident may stand, as the rules above ask it.
const (
	acknowledged = "acknowledged"
	onScene      = "on_scene"
	closed       = "closed"
)

// row is one rule for several actions.
func row(r rule, actions ...Action) map[Action]rule {
	out := map[Action]rule{}
	for _, a := range actions {
		out[a] = r
	}
	return out
}

func table(rows ...map[Action]rule) map[Action]rule {
	out := map[Action]rule{}
	for _, r := range rows {
		for a, rule := range r {
			out[a] = rule
		}
	}
	return out
}

// roles is domain.md section 1 and the "who" of section 5, in our actions. What is not here is denied.
var roles = map[Role]map[Action]rule{
	CallTaker: table(row(all, ReadThings, ViewCameras, ReadAlerts, ReadAlarms, ReadPlans, ReadStatus, ReadFeeds, ReadReports, CreateIncident, ActIncidents, CommentIncident, WriteReports, TakeCalls, StaffDesk), row(shared, ReadIncidents, ReadContacts), row(call, Reveal)),
	Operator: table(row(all, ReadThings, ViewCameras, ReadAlerts, ReadAlarms, ActAlarms, ReadPlans, WritePlans, ReadStatus, ReadFeeds, ReadRules, ReadReports, ActIncidents, CommentIncident, CreateIncident, AcknowledgeIncident,
		WriteReports, StaffDesk),
		row(advised, ResolveIncident), row(minor, CancelIncident, MergeIncident), row(shared, ReadIncidents, ReadContacts)),
	Dispatcher: table(row(all, ReadThings, ViewCameras, ReadUnits, EditUnits, ReportUnits, ReadAlerts, ReadAlarms, ActAlarms, ReadPlans, WritePlans, ReadStatus, ReadFeeds, ReadRules, ReadReports, ActIncidents, CommentIncident, AcknowledgeIncident, DispatchIncident, ArriveIncident, Reveal, StaffDesk),
		row(served, ResolveIncident), row(minor, MergeIncident), row(unclosed, ReopenIncident), row(slight, HoldIncident), row(shared, ReadIncidents, ReadContacts)),
	Supervisor: table(row(all, ReadThings, ViewCameras, ReadUnits, EditUnits, ReportUnits, ReadAlerts, ReadAlarms, ActAlarms, ShelveUrgent, ReadPlans, WritePlans, ReadStatus, Declare, Propose, ReadFeeds, ReadRules, WriteRules, ReadReports, ReadAudit, ReadBriefing, ActIncidents, CreateIncident, AcknowledgeIncident, DispatchIncident,
		ArriveIncident, ResolveIncident, CloseIncident, CancelIncident, MergeIncident, ReopenIncident, WriteReports, WriteContacts, TakeCalls, Reveal, ReadPeople, Witness, SteerWalls, Approve, StaffDesk, RunSimulator),
		row(all, HoldIncident, OverrideClosure, CommentIncident), row(shared, ReadIncidents, ReadContacts)),
	Liaison: table(row(all, ReadThings, ViewCameras, ReadUnits, EditUnits, ReportUnits, ReadAlerts, ReadPlans, WritePlans, ReadStatus, ReadFeeds, ReadReports, ReadBriefing, ActIncidents, CommentIncident, StaffDesk), row(leads, AcknowledgeIncident, CloseIncident), row(all, WriteContacts), row(shared, ReadIncidents, ReadContacts), row(facts, ReadAlarms)),
	Field:   table(row(all, ReadThings, ReadAlerts, ReadPlans, ReadStatus), row(crew, ReadUnits, ReportUnits, ActIncidents, CommentIncident, ArriveIncident), row(crewMinor, ResolveIncident), row(assigned, ReadIncidents)),
	Leader:  table(row(all, ReadThings, ViewCameras, ReadAlerts, ReadPlans, ReadStatus, Propose, Confirm, ReadFeeds, ReadBriefing), row(grave, ReadIncidents), row(heard, CommentIncident)),
	PIO:     table(row(all, ReadThings, ReadAlerts, ReadPlans, ReadStatus), row(rough, ReadIncidents)),
	Wall:    table(row(all, ReadThings, ViewCameras, ReadUnits, ReadAlerts, ReadPlans, ReadStatus, ReadFeeds, ReadRules), row(facts, ReadIncidents, ReadAlarms)),
	Citizen: {},
	Admin: table(row(all, ReadThings, ReadAlerts, ReadPlans, ReadStatus, ReadFeeds, WriteFeeds, ReadContacts, WriteContacts, ReadRules, WriteRules, WriteKeys, ReadPeople, WritePeople, Witness, WriteDevices, ReadPrivacy, WritePrivacy,
		Approve, RunSimulator, Metrics), row(facts, ReadAlarms)),
	Auditor: table(row(all, ReadThings, ReadAlerts, ReadPlans, ReadStatus, ReadFeeds, ReadRules, ReadAudit, ReadPeople, ReadPrivacy), row(facts, ReadIncidents, ReadAlarms)),
}
