// Package figures is what is counted and timed of incidents, by the formulas of domain.md section 7. Pure.
//
// A Case is what the formulas need of one incident; Seen brings it back to how it stood at an instant, so that figures of last month come out
// of the record as they were then. Percentiles are nearest rank, a figure of fewer than Least cases is not told, and what is missing is nil,
// never 0.
package figures

import (
	"slices"
	"strings"
	"time"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

// Case is what figures need of one incident. Times are milliseconds since 1970; 0: not known.
type Case struct {
	ID       string
	Number   string
	Type     string
	Lead     string   // agency
	Support  []string // agencies
	Area     string   // kecamatan
	Cell     geo.Cell // of geo.ResArea; 0: not placed
	Severity cap.Severity
	Class    string // of service, A to E
	Origin   Origin
	Apart    bool // simulated, or of an exercise: in no figure
	Opened   int64
	Event    int64         // t_event
	Told     bool          // t_event was said by an operator: no measure of detection
	Stamps   [Stamps]int64 // the first of each but the last resolve
	Manual   uint8         // bit of each stamp that a person entered
	Due      [Steps]int64  // when each step of the service was due; 0: the class has no such step, or its place says no time
	Paused   int64         // of the service clock, ms
	Moves    []Move        // of its life, in their order
	Verified bool          // closed by somebody other than whoever resolved it
	Override bool          // closed with less proof than is needed
	Sourced  bool          // it is kept who set its stamps; without it Manual says nothing
	Reason   string        // of a cancellation
	Of       string        // id of the incident that it is part of
}

// Origin is what told of an incident first.
type Origin uint8

// The origins.
const (
	ByPerson Origin = iota
	ByReport        // of a citizen or officer
	BySensor        // a rule over readings
	ByAgency        // an agency's alert
)

func (o Origin) String() string { return [...]string{"person", "report", "sensor", "agency"}[o] }

// The stamps of domain.md section 7 that figures use, t_event apart.
const (
	Signal = iota
	Ack
	Dispatch
	Enroute
	Scene
	Resolve
	Close
	Decide
	Stamps
)

// stampNames are the stamps as an incident's times_source names them.
var stampNames = [Stamps]string{"t_signal", "t_ack", "t_dispatch", "t_enroute", "t_scene", "t_resolved", "t_closed", "t_decision"}

// The steps of a service class.
const (
	StepAck = iota
	StepDispatch
	StepScene
	StepResolve
	StepDecision
	Steps
)

// StepNames are the steps as interfaces write them.
var StepNames = [Steps]string{"ack", "dispatch", "scene", "resolve", "decision"}

// stampOf is what meets a step.
var stampOf = [Steps]int{Ack, Dispatch, Scene, Resolve, Decide}

// Move is a change of an incident's life.
type Move struct {
	At int64
	To Mark
}

// Mark is where a move leads.
type Mark uint8

// The marks: the statuses, and what is none.
const (
	New Mark = iota
	Acknowledged
	Dispatched
	OnScene
	Resolved
	Closed
	Cancelled
	Reopened
	Merged
	Unmerged
	Disputed
)

var marks = map[string]Mark{
	"opened": New, "new": New, "acknowledged": Acknowledged, "dispatched": Dispatched, "on_scene": OnScene, "resolved": Resolved, "closed": Closed, "cancelled": Cancelled,
	"reopened": Reopened, "merged_into": Merged, "unmerged": Unmerged, "disputed": Disputed,
}

// Of gives the case of an incident.
func Of(in *incident.Incident) Case {
	t := in.Times
	c := Case{
		ID: in.ID, Number: in.Number, Type: in.Type, Lead: in.LeadAgency, Support: slices.Clone(in.Support), Area: in.AreaName, Severity: in.Severity,
		Class: in.SLA.Class, Origin: originOf(in), Apart: in.Simulated, Opened: in.OpenedAt.Milli(), Event: t.TEvent.Milli(), Told: in.Why.Person != "",
		Of: in.MergedInto,
	}
	if in.Cell != 0 {
		c.Cell = in.Cell.Parent(geo.ResArea)
	}
	c.Stamps = [Stamps]int64{t.TSignal.Milli(), t.TAck.Milli(), t.TDispatch.Milli(), t.TEnroute.Milli(), t.TScene.Milli(), t.TResolved.Milli(), t.TClosed.Milli(), in.DecidedAt().Milli()}
	c.Due = [Steps]int64{in.SLA.AckDue.Milli(), in.SLA.DispatchDue.Milli(), in.SLA.SceneDue.Milli(), in.SLA.ResolveDue.Milli(), in.SLA.DecisionDue.Milli()}
	c.Paused = int64(in.SLA.PausedS * 1000)
	c.Override = in.Override != ""
	c.Sourced = in.TimesSource != nil
	for i, name := range stampNames {
		if in.TimesSource[name] == "manual" {
			c.Manual |= 1 << i
		}
	}
	if in.Status == incident.Cancelled {
		c.Reason = in.Outcome
	}
	c.live(in)
	return c
}

// live reads the moves off the timeline, and holds them against where the incident stands.
func (c *Case) live(in *incident.Incident) {
	for _, e := range in.Timeline {
		to, ok := marks[e.Act]
		if !ok || to == Unmerged && !c.merged() { // the incident that the other was part of says the same word
			continue
		}
		c.Moves = append(c.Moves, Move{e.At.Milli(), to})
		if to == Closed {
			c.Verified = strings.HasPrefix(e.Actor, "user:") && e.Actor != in.ResolvedBy
		}
	}
	if now := marks[string(in.Status)]; c.Status() != now && in.MergedInto == "" {
		c.Moves = append(c.Moves, Move{in.UpdatedAt.Milli(), now})
	}
}

func originOf(in *incident.Incident) Origin {
	switch {
	case in.Why.Rule != "":
		return BySensor
	case in.Why.Consent != "" || in.Why.Alert != "":
		return ByAgency
	case slices.ContainsFunc(in.Evidence, func(e incident.Evidence) bool { return e.Kind == "report" && e.From == "" }):
		return ByReport
	}
	return ByPerson
}

// Status is where the case stands after its moves; Merged where it is part of another.
func (c *Case) Status() Mark {
	now, before := New, New
	for _, m := range c.Moves {
		switch m.To {
		case Merged:
			if now != Merged {
				before = now
			}
			now = Merged
		case Unmerged:
			now = before
		case Reopened:
			now = Acknowledged
		case Disputed:
		case New, Acknowledged, Dispatched, OnScene, Resolved, Closed, Cancelled:
			now = m.To
		}
	}
	return now
}

func (c *Case) merged() bool { return c.Status() == Merged }

// ever tells whether the case has made a move.
func (c *Case) ever(to Mark) bool {
	return slices.ContainsFunc(c.Moves, func(m Move) bool { return m.To == to })
}

// Open tells every status but closed, cancelled and merged.
func (c *Case) Open() bool {
	s := c.Status()
	return s != Closed && s != Cancelled && s != Merged
}

// Grave tells what is Extreme or Severe.
func (c *Case) Grave() bool { return c.Severity == cap.Extreme || c.Severity == cap.Severe }

// Seen gives the case as it stood at an instant, itself where nothing has happened since; false: nobody knew of it.
func (c *Case) Seen(at int64) (*Case, bool) {
	if c.Opened > at {
		return nil, false
	}
	if !c.later(at) {
		return c, true
	}
	copied := *c
	out := &copied
	for i, t := range out.Stamps {
		if t > at {
			out.Stamps[i] = 0
		}
	}
	n := 0
	for n < len(c.Moves) && c.Moves[n].At <= at {
		n++
	}
	out.Moves = c.Moves[:n]
	if n == len(c.Moves) {
		return out, true
	}
	if out.Stamps[Resolve] == 0 { // only the last resolve is a stamp; the one before it is among the moves
		for _, m := range out.Moves {
			if m.To == Resolved {
				out.Stamps[Resolve] = m.At
			}
		}
	}
	switch out.Status() {
	case Merged:
	case Cancelled:
		out.Of = ""
	default:
		out.Of, out.Reason = "", ""
	}
	if !out.ever(Closed) {
		out.Verified, out.Override = false, false
	}
	return out, true
}

// later tells whether something has happened after an instant.
func (c *Case) later(at int64) bool {
	for _, t := range c.Stamps {
		if t > at {
			return true
		}
	}
	return len(c.Moves) > 0 && c.Moves[len(c.Moves)-1].At > at
}

// resolvedAt is the last resolve of a case that stands resolved or closed; 0: it does not.
func (c *Case) resolvedAt() int64 {
	if s := c.Status(); s == Resolved || s == Closed {
		return c.Stamps[Resolve]
	}
	return 0
}

// Counted tells whether the case is of the population: not simulated, of no exercise, no test, no part of another.
func (c *Case) Counted() bool {
	s := c.Status()
	return !c.Apart && s != Merged && (s != Cancelled || c.Reason != "test" && c.Reason != "duplicate")
}

// Within tells whether its first signal came in a period, from at or after, to before; ms.
func (c *Case) Within(from, to int64) bool { return c.Stamps[Signal] >= from && c.Stamps[Signal] < to }

// Population gives the cases that count in a period, as they stood at an instant.
func Population(all []Case, from, to, asOf time.Time) []*Case {
	out := make([]*Case, 0, len(all))
	f, t, at := from.UnixMilli(), to.UnixMilli(), asOf.UnixMilli()
	for i := range all {
		if !all[i].Within(f, t) {
			continue
		}
		if c, known := all[i].Seen(at); known && c.Counted() {
			out = append(out, c)
		}
	}
	return out
}
