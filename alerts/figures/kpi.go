package figures

import "time"

// Figure names one way of choosing cases out of a population, so that a figure and the list behind it are made by the same words.
type Figure string

// The figures. Each is also what /incidents?figure= takes.
const (
	All         Figure = "all"       // the population
	Detection   Figure = "detection" // t_event is known from somebody other than the operator
	Acking      Figure = "ack"       // acknowledged, or waiting for it
	Dispatching Figure = "dispatch"  // t_ack to t_dispatch
	Turnout     Figure = "turnout"   // t_dispatch to t_enroute
	Travel      Figure = "travel"    // t_enroute to t_scene
	Response    Figure = "response"  // t_signal to t_scene
	Resolving   Figure = "resolve"   // t_signal to t_resolved without pauses
	SLA         Figure = "sla"       // some step is judged
	SLAAck      Figure = "sla_ack"
	SLADispatch Figure = "sla_dispatch"
	SLAScene    Figure = "sla_scene"
	SLAResolve  Figure = "sla_resolve"
	SLADecision Figure = "sla_decision"
	Ended       Figure = "closed"     // closed
	Reopening   Figure = "resolved"   // ever resolved: what reopen and dispute rates are of
	Over        Figure = "over"       // closed or cancelled
	Grave       Figure = "grave"      // Extreme or Severe
	Standing    Figure = "open"       // open at the instant, whenever they began
	GraveOpen   Figure = "grave_open" // of those the Extreme and Severe
	Backlog     Figure = "backlog"    // of those the ones past due
	GraveLate   Figure = "grave_late" // and of these the Extreme and Severe
	Unverified  Figure = "unverified" // resolved for more than a day, and nobody has looked
)

// Figures lists them.
func Figures() []Figure {
	return []Figure{All, Detection, Acking, Dispatching, Turnout, Travel, Response, Resolving, SLA, SLAAck, SLADispatch, SLAScene, SLAResolve, SLADecision, Ended, Reopening, Over, Grave, Standing, GraveOpen, Backlog, GraveLate, Unverified}
}

// Anytime tells figures of what stands at the instant, whenever it began.
func (f Figure) Anytime() bool {
	return f == Standing || f == GraveOpen || f == Backlog || f == GraveLate || f == Unverified
}

// Counts tells whether a case of the population is one that the figure rests on, at an instant in ms.
func (f Figure) Counts(c *Case, at int64) bool {
	switch f {
	case All:
		return true
	case SLA:
		_, judged := c.kept(at)
		return judged
	case SLAAck, SLADispatch, SLAScene, SLAResolve, SLADecision:
		_, judged := c.step(stepOf[f], at)
		return judged
	case Ended:
		return c.Status() == Closed
	case Reopening:
		return c.ever(Resolved)
	case Over:
		s := c.Status()
		return s == Closed || s == Cancelled
	case Grave:
		return c.Grave()
	case Standing:
		return c.Open()
	case GraveOpen:
		return c.Open() && c.Grave()
	case Backlog:
		return c.Open() && c.late(at)
	case GraveLate:
		return c.Open() && c.Grave() && c.late(at)
	case Unverified:
		return c.Status() == Resolved && at-c.resolvedAt() > (24*time.Hour).Milliseconds()
	default:
		_, ok := f.span(c, at)
		return ok
	}
}

var stepOf = map[Figure]int{SLAAck: StepAck, SLADispatch: StepDispatch, SLAScene: StepScene, SLAResolve: StepResolve, SLADecision: StepDecision}

// span is the time that a figure measures of a case.
func (f Figure) span(c *Case, at int64) (span, bool) {
	between := func(from, to int) (span, bool) {
		a, b := c.Stamps[from], c.Stamps[to]
		if a == 0 || b == 0 || b < a { // a stamp before the one it follows is a wrong clock, not a fast crew
			return span{}, false
		}
		return c.span(b-a, from, to), true
	}
	// A unit that found the incident by itself was never sent: it would skew what a dispatch takes.
	sent := c.Stamps[Dispatch] != 0 && (c.Stamps[Scene] == 0 || c.Stamps[Dispatch] <= c.Stamps[Scene])
	switch f {
	case Detection:
		if c.Event == 0 || c.Told || c.Stamps[Signal] < c.Event {
			return span{}, false
		}
		return c.span(c.Stamps[Signal]-c.Event, Signal), true
	case Acking:
		return c.waited(at)
	case Dispatching:
		if sent {
			return between(Ack, Dispatch)
		}
	case Turnout:
		if sent {
			return between(Dispatch, Enroute)
		}
	case Travel:
		if sent {
			return between(Enroute, Scene)
		}
	case Response:
		return between(Signal, Scene)
	case Resolving:
		end := c.resolvedAt()
		if end == 0 || end < c.Stamps[Signal] {
			return span{}, false
		}
		return c.span(max(0, end-c.Stamps[Signal]-c.Paused), Signal, Resolve), true
	}
	return span{}, false
}

// waited is how long a case waited for the first human: until it was acknowledged, else until it was cancelled, else until now.
func (c *Case) waited(at int64) (span, bool) {
	end := c.Stamps[Ack]
	if end == 0 {
		end = at
		for _, m := range c.Moves {
			if m.To == Cancelled || m.To == Merged {
				end = m.At
			}
		}
	}
	if end < c.Stamps[Signal] {
		return span{}, false
	}
	return c.span(end-c.Stamps[Signal], Signal, Ack), true
}

// span is a time between stamps, and how many of them a person entered.
func (c *Case) span(ms int64, stamps ...int) span {
	out := span{ms: ms, sourced: c.Sourced}
	for _, i := range stamps {
		out.manual += int(c.Manual >> i & 1)
	}
	return out
}

// Times tells how long what the figure measures took, over the cases of a population.
func (f Figure) Times(population []*Case, asOf time.Time) Durations {
	at := asOf.UnixMilli()
	spans := make([]span, 0, len(population))
	for i := range population {
		if s, ok := f.span(population[i], at); ok {
			spans = append(spans, s)
		}
	}
	return durations(spans)
}

// done is when a step was done last; 0: not yet.
func (c *Case) done(step int) int64 {
	if step == StepResolve {
		return c.resolvedAt()
	}
	return c.Stamps[stampOf[step]]
}

// step tells whether a step was met in time, and whether it is judged at all: not while it may still be met, and not where the case ended
// without needing it.
func (c *Case) step(step int, at int64) (met, judged bool) {
	due := c.Due[step]
	if due == 0 {
		return false, false
	}
	switch done := c.done(step); {
	case done != 0:
		return done <= due, true
	case c.Open() && c.Status() != Resolved:
		return false, due < at
	}
	return false, false
}

// kept tells whether all steps that are judged were met, and whether any is.
func (c *Case) kept(at int64) (met, judged bool) {
	met = true
	for s := range Steps {
		ok, is := c.step(s, at)
		judged = judged || is
		met = met && (ok || !is)
	}
	return met && judged, judged
}

// late tells an open case of which a step is past due and not done.
func (c *Case) late(at int64) bool {
	for s := range Steps {
		if due := c.Due[s]; due != 0 && c.done(s) == 0 && due < at && c.Status() != Resolved {
			return true
		}
	}
	return false
}

// Compliance is met / (met + missed + open already past due) of a step, or of all steps together.
func (f Figure) Compliance(population []*Case, asOf time.Time) Share {
	at, met, n := asOf.UnixMilli(), 0, 0
	for _, c := range population {
		ok, judged := c.kept(at)
		if f != SLA {
			ok, judged = c.step(stepOf[f], at)
		}
		if judged {
			n++
		}
		if ok {
			met++
		}
	}
	return share(met, n)
}

// Rate is a share of what became of cases, and which cases it is of.
type Rate struct {
	Share
	Of     Figure
	Origin string // first told by; empty: any
}

// RatesOf gives by name: verification (closed with an independent check, of all closed), reopen and dispute (of all that were resolved),
// false_alarm (cancelled as false or a prank, of all closed or cancelled), the same by what told first, and auto_detected (first told by a
// sensor or feed, of all) and override (closed by a supervisor with less proof than is needed, of all closed).
func RatesOf(population []*Case) map[string]Rate {
	of := func(among Figure, origin string, is func(*Case) bool) Rate {
		met, n := 0, 0
		for _, c := range population {
			if !among.Counts(c, 0) || origin != "" && c.Origin.String() != origin {
				continue
			}
			n++
			if is(c) {
				met++
			}
		}
		return Rate{share(met, n), among, origin}
	}
	wrong := func(c *Case) bool { return c.Status() == Cancelled && (c.Reason == "false" || c.Reason == "prank") }
	out := map[string]Rate{
		"verification":  of(Ended, "", func(c *Case) bool { return c.Verified }),
		"override":      of(Ended, "", func(c *Case) bool { return c.Override }),
		"reopen":        of(Reopening, "", func(c *Case) bool { return c.ever(Reopened) }),
		"dispute":       of(Reopening, "", func(c *Case) bool { return c.ever(Disputed) }),
		"false_alarm":   of(Over, "", wrong),
		"auto_detected": of(All, "", func(c *Case) bool { return c.Origin == BySensor || c.Origin == ByAgency }),
	}
	for o := ByPerson; o <= ByAgency; o++ {
		out["false_alarm_"+o.String()] = of(Over, o.String(), wrong)
	}
	return out
}

// BacklogOf is how many open cases are past due, and how old they are in seconds since their first signal: the 90th percentile.
func BacklogOf(standing []*Case, asOf time.Time) Durations {
	at := asOf.UnixMilli()
	var spans []span
	for _, c := range standing {
		if Backlog.Counts(c, at) {
			spans = append(spans, span{ms: at - c.Stamps[Signal]})
		}
	}
	d := durations(spans)
	d.ManualShare = nil
	return d
}
