package wire

import (
	"reflect"

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
	"kentongan/feeds/cap"
)

// Named is a Go type and its name in TypeScript.
type Named struct {
	Name string
	Type reflect.Type
}

// Enum is a type of words, with every word.
type Enum struct {
	Named
	Words []string
}

func named[T any](name string) Named { return Named{name, reflect.TypeFor[T]()} }

// ServerMessages are the members of the union ServerMessage, in the order of INTERFACES section 5.
func ServerMessages() []Named {
	return []Named{
		named[Hello]("Hello"), named[Snapshot]("Snapshot"), named[Things]("Things"), named[Cells]("Cells"),
		named[Incident]("IncidentMessage"), named[AlertMessage]("AlertMessage"), named[AlarmMessage]("AlarmMessage"), named[ReportMessage]("ReportMessage"), named[CallMessage]("CallMessage"),
		named[SuggestionMessage]("SuggestionMessage"), named[PlanMessage]("PlanMessage"), named[StatementMessage]("StatementMessage"), named[StatusMessage]("StatusMessage"),
		named[DispatchMessage]("DispatchMessage"), named[UnitMessage]("UnitMessage"), named[Feed]("FeedMessage"), named[Stats]("Stats"), named[WallMessage]("WallMessage"),
		named[Error]("ErrorMessage"), named[Pong]("Pong"),
	}
}

// ClientMessages are the members of the union ClientMessage.
func ClientMessages() []Named {
	return []Named{named[View]("View"), named[Ping]("Ping"), named[Painted]("Painted")}
}

// Nouns are the types that messages hold, where the name in TypeScript is not the Go type's own.
func Nouns() []Named {
	return []Named{
		named[incident.Incident]("Incident"), named[incident.Location]("Location"), named[incident.Times]("IncidentTimes"), named[incident.SLA]("SLA"),
		named[incident.Why]("Why"), named[incident.Input]("RuleInput"), named[incident.Evidence]("Evidence"), named[incident.Entry]("TimelineEntry"),
		named[incident.Merged]("MergedIncident"), named[incident.Signal]("FirstSigns"), named[incident.ExternalRef]("ExternalRef"), named[alerts.Alert]("Alert"), named[alerts.Text]("AlertText"), named[alerts.Quake]("Quake"),
		named[alerts.Feature]("AreaFeature"), named[alerts.FeatureProperties]("AreaProperties"), named[feeds.Felt]("Felt"),
		named[feeds.FeedStatus]("FeedStatus"), named[Cell]("CellRow"), named[Wall]("Wall"), named[WallView]("WallView"), named[WallChoice]("WallChoice"), named[report.Report]("Report"), named[report.Triage]("ReportTriage"), named[report.Call]("Call"), named[feeds.ReportRef]("ReportRef"),
		named[alarm.Alarm]("Alarm"), named[alarm.Ack]("AlarmAck"), named[alarm.Shelf]("AlarmShelf"), named[alarm.Suppression]("AlarmSuppression"), named[alarm.Health]("AlarmHealth"), named[alarm.Busy]("BusySource"),
		named[fusion.Suggestion]("Suggestion"), named[fusion.Reason]("JoinReason"), named[fusion.Piece]("EvidencePiece"), named[plan.Plan]("Plan"), named[statement.Statement]("Statement"),
		named[status.Status]("AreaStatus"), named[status.Proposal]("StatusProposal"), named[status.Evidence]("StatusEvidence"), named[status.Scale]("StatusScale"),
		named[unit.Unit]("Unit"), named[unit.Post]("UnitPost"), named[unit.Panic]("UnitPanic"), named[dispatch.Dispatch]("Dispatch"), named[dispatch.Times]("DispatchTimes"), named[dispatch.Receipt]("DispatchReceipt"), named[dispatch.Next]("DispatchNext"),
	}
}

// Enums lists the types of words.
func Enums() []Enum {
	return []Enum{
		{named[cap.Severity]("Severity"), words(cap.Extreme, cap.Severe, cap.Moderate, cap.Minor, cap.Unknown)},
		{named[incident.Status]("IncidentStatus"), words(incident.New, incident.Acknowledged, incident.Dispatched, incident.OnScene, incident.Resolved, incident.Closed, incident.Cancelled)},
		{named[alerts.State]("AlertState"), words(alerts.Active, alerts.Updated, alerts.Cancelled, alerts.Expired, alerts.Resolved, alerts.Logged)},
		{named[report.Status]("ReportStatus"), words(report.Open, report.Closed)},
		{named[report.State]("ReportState"), words(report.New, report.Linked, report.Referred, report.Rejected)},
		{named[report.CallState]("CallState"), words(report.Ringing, report.Taken, report.Over)},
		{named[report.As]("ReportJudgement"), words(report.Judgements()...)},
		{named[alarm.State]("AlarmState"), words(alarm.Raised, alarm.Acknowledged, alarm.Cleared, alarm.Shelved, alarm.Suppressed)},
		{named[alarm.Priority]("Priority"), words(alarm.P1, alarm.P2, alarm.P3)},
		{named[fusion.Kind]("SuggestionKind"), words(fusion.Join, fusion.Merge, fusion.Open, fusion.HandOver)},
		{named[fusion.State]("SuggestionState"), words(fusion.Offered, fusion.Accepted, fusion.Refused, fusion.Withdrawn)},
		{named[plan.Kind]("PlanKind"), words(plan.Works, plan.Event, plan.Closure, plan.Maintenance)},
		{named[plan.State]("PlanState"), words(plan.Planned, plan.Running, plan.Over, plan.Cancelled)},
		{named[statement.State]("StatementState"), words(statement.InForce, statement.Expired, statement.Replaced, statement.Withdrawn)},
		{named[unit.Status]("UnitStatus"), words(unit.Available, unit.Offered, unit.EnRoute, unit.OnScene, unit.Returning, unit.OffDuty)},
		{named[dispatch.Status]("DispatchStatus"), words(dispatch.Offered, dispatch.Accepted, dispatch.Declined, dispatch.Expired, dispatch.EnRoute, dispatch.OnScene, dispatch.Done, dispatch.Cancelled)},
		{named[feeds.FeedState]("FeedState"), words(feeds.FeedOK, feeds.FeedLate, feeds.FeedFailing, feeds.FeedOff)},
		{named[feeds.Quality]("Quality"), words(feeds.Good, feeds.Received, feeds.ClockSkew, feeds.Suspect)},
	}
}

func words[T ~string](of ...T) []string {
	out := make([]string, len(of))
	for i, w := range of {
		out[i] = string(w)
	}
	return out
}

// Constant is a number or word that both sides must agree on.
type Constant struct {
	Name  string
	Value any
}

// Constants are carried into TypeScript.
func Constants() []Constant {
	return []Constant{
		{"SUBPROTOCOL", Subprotocol}, {"CLOSE_GOING_AWAY", CloseGoingAway}, {"CLOSE_POLICY", ClosePolicy}, {"CLOSE_TOO_BIG", CloseTooBig},
		{"CLOSE_INTERNAL", CloseInternal}, {"CLOSE_SLOW", CloseSlow}, {"CLOSE_CHANGED", CloseChanged},
	}
}
