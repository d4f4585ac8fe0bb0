package incident

import (
	"slices"
	"time"

	"kentongan/geo/moment"
)

// The steps of a service class, as SLA.Missed and interfaces write them.
const (
	StepAck      = "ack"
	StepDispatch = "dispatch"
	StepScene    = "scene"
	StepResolve  = "resolve"
	StepDecision = "decision"
)

var slaSteps = []string{StepAck, StepDispatch, StepScene, StepResolve, StepDecision}

// Service is within what time the classes of domain.md section 4 are served. The zero Service is that table.
type Service map[string]Class

// Class is one class of service; the clocks start at t_signal. Zero: the class has no such step.
type Class struct {
	Ack, Dispatch, Resolve, Decision time.Duration
	Scene                            map[string]time.Duration // by zone: town, rural, remote
}

// tableOf is domain.md section 4.
func tableOf(class string) Class {
	scene := func(town, rural, remote int) map[string]time.Duration {
		return map[string]time.Duration{"town": time.Duration(town) * time.Minute, "rural": time.Duration(rural) * time.Minute, "remote": time.Duration(remote) * time.Minute}
	}
	switch class {
	case "A":
		return Class{Ack: time.Minute, Dispatch: 2 * time.Minute, Scene: scene(15, 30, 60)}
	case "B":
		return Class{Ack: 3 * time.Minute, Dispatch: 5 * time.Minute, Scene: scene(30, 45, 90)}
	case "C":
		return Class{Ack: 10 * time.Minute, Dispatch: 30 * time.Minute, Scene: scene(120, 180, 240)}
	case "D":
		return Class{Ack: time.Hour, Dispatch: 6 * time.Hour, Resolve: 7 * 24 * time.Hour}
	default:
		return Class{Ack: 15 * time.Minute, Decision: 30 * time.Minute}
	}
}

// Terms are by what an incident is worked: those of its type, in its place.
type Terms struct {
	Zone      string // town, rural or remote; empty: not known, and no time on scene is due
	Service   Service
	Checklist []Check // of its type, nothing done yet
}

// sla gives the steps of a class that are due after a first signal.
func (t Terms) sla(class string, signal moment.Time) SLA {
	c, own := t.Service[class]
	if !own {
		c = tableOf(class)
	} else if class == watched && c.Decision == 0 { // a house's own table need not name what makes this class
		c.Decision = tableOf(watched).Decision
	}
	out := SLA{Class: class, Missed: []string{}}
	for due, within := range map[*moment.Time]time.Duration{&out.AckDue: c.Ack, &out.DispatchDue: c.Dispatch, &out.SceneDue: c.Scene[t.Zone], &out.ResolveDue: c.Resolve, &out.DecisionDue: c.Decision} {
		if within > 0 {
			*due = moment.Of(signal.Add(within))
		}
	}
	return out
}

// due is where a step is due.
func (s *SLA) due(step string) *moment.Time {
	return map[string]*moment.Time{StepAck: &s.AckDue, StepDispatch: &s.DispatchDue, StepScene: &s.SceneDue, StepResolve: &s.ResolveDue, StepDecision: &s.DecisionDue}[step]
}

// shift moves every step that is still to be done by some time.
func (s *SLA) shift(by time.Duration, done func(step string) moment.Time) {
	for _, step := range slaSteps {
		if due := s.due(step); !due.IsZero() && done(step).IsZero() {
			*due = moment.Of(due.Add(by))
		}
	}
}

// done is when a step was done; zero: not yet.
func (in *Incident) done(step string) moment.Time {
	switch step {
	case StepAck:
		return in.Times.TAck
	case StepDispatch:
		return in.Times.TDispatch
	case StepScene:
		return in.Times.TScene
	case StepDecision:
		return in.DecidedAt()
	}
	if in.Status == Resolved || in.Status == Closed {
		return in.Times.TResolved
	}
	return moment.Time{}
}

// paused tells whether the clocks of the service stand still.
func (in *Incident) paused() bool { return in.OnHold != nil && in.OnHold.Pausable }

// working tells the statuses in which steps are still awaited.
func (s Status) working() bool { return s.Open() && s != Resolved }

// undone lists the steps that are still to be done.
func (in *Incident) undone() []string {
	return slices.DeleteFunc(slices.Clone(slaSteps), func(step string) bool { return !in.done(step).IsZero() })
}

// stoodStill moves what was undone and has been done by now by as long as the clocks have stood still: a step on hold is judged by the time that
// ran. What was late before it rested stays late.
func (in *Incident) stoodStill(undone []string, now moment.Time) {
	if !in.paused() || !now.After(in.OnHold.At.Time) {
		return
	}
	for _, step := range undone {
		if due := in.SLA.due(step); !due.IsZero() && !in.done(step).IsZero() && !slices.Contains(in.SLA.Missed, step) {
			*due = moment.Of(due.Add(now.Sub(in.OnHold.At.Time)))
		}
	}
}

// judge notes the steps that were done too late or are past due at an instant, each once, and takes back one that turns out to have been done in
// time: an act that is told later has its own time. It tells which are new.
func (in *Incident) judge(at moment.Time) (missed []string) {
	for _, step := range slaSteps {
		due, done, noted := *in.SLA.due(step), in.done(step), slices.Contains(in.SLA.Missed, step)
		if due.IsZero() {
			continue
		}
		late := done.After(due.Time)
		if done.IsZero() {
			late = noted || in.Status.working() && !in.paused() && at.After(due.Time)
		}
		switch {
		case late && !noted:
			in.SLA.Missed = append(slices.Clone(in.SLA.Missed), step)
			missed = append(missed, step)
		case !late && noted:
			in.SLA.Missed = slices.DeleteFunc(slices.Clone(in.SLA.Missed), func(s string) bool { return s == step })
		}
	}
	return missed
}

// Missing gives the incident after the steps that are past due were noted, each with its line in the timeline; false: none is new. The version
// stays.
func (in *Incident) Missing(actor string, at time.Time) (Incident, bool) {
	out := in.Clone()
	missed := out.judge(moment.Of(at))
	for _, step := range missed {
		out.Remark(actor, "sla_missed", step, at)
	}
	return out, len(missed) > 0
}
