// Package backtest is recorded hours given to rules once more, through the engine that judges live.
//
// The engine is a pure function of its inputs and their clock, so that what comes out is what live judged of the same inputs.
package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/geo/moment"
	"kentongan/server/ingest"
)

// MostAlerts is how many alerts a result lists; all are counted.
const MostAlerts = 1000

// lateness is how late a reading may be and still be judged where it belongs (alerts/rules).
const lateness = 10 * time.Minute

// Raised is one alert that a rule would have raised.
type Raised struct {
	Rule      string           `json:"rule"`
	Key       string           `json:"key"` // what it is about: a Thing, or a cell
	Thing     string           `json:"thing"`
	At        moment.Time      `json:"at"`    // event time of the crossing
	Since     moment.Time      `json:"since"` // when the condition began to hold
	Until     *moment.Time     `json:"until" doc:"When it would have cleared; null: not by the end"`
	Withdrawn bool             `json:"withdrawn,omitempty" doc:"A late reading has disproved it"`
	Event     string           `json:"event"`
	Severity  string           `json:"severity"`
	Why       string           `json:"why,omitempty"`
	Sources   []string         `json:"sources"`
	Inputs    []incident.Input `json:"inputs"`
}

// Result is what rules make of recorded hours.
type Result struct {
	Fired    int            `json:"fired"`
	ByThing  map[string]int `json:"by_thing" doc:"How often by what it is about: eleven of fourteen on one sensor is a bad sensor"`
	ByHour   map[string]int `json:"by_hour" doc:"How often by the hour (UTC) of the crossing"`
	Alerts   []Raised       `json:"alerts" doc:"The first 1,000, by time"`
	Readings int            `json:"readings" doc:"Readings, reports and alerts that were given to the rules"`
	From     moment.Time    `json:"from"`
	To       moment.Time    `json:"to" doc:"As far as it came"`
	Complete bool           `json:"complete" doc:"false: there was no time for all of it; to says how far it came"`
	Source   string         `json:"source" enum:"history,archive,cases,files"`
	TookMs   int64          `json:"took_ms"`
	Warnings []string       `json:"warnings"`
}

// Source gives what was recorded from one time to another of the clock that received it, in order, and when each was. It ends with the error
// of take.
type Source struct {
	Name string
	Give func(ctx context.Context, p *ingest.Player, since, until time.Time, take func(at time.Time, ds []rules.Decision) error) error
}

// Ask is one back-test.
type Ask struct {
	Program  *rules.Program               // with the rules that stand beside it: they say what a faulty instrument is
	Rule     string                       // whose alerts are told; empty: all
	Lead     time.Duration                // read before From, so that the rule knows its samples and holds
	From, To time.Time                    // of event times, both included; zero From: from the beginning, zero To: to the end
	Now      time.Time                    // nothing is known after it
	About    func(id string) *feeds.Thing // see ingest.NewPlayer
	Span     time.Duration                // of copies, likewise
}

// errEnough ends a source.
var errEnough = errors.New("enough")

// Run gives a source to the rules. Where ctx ends before, the result is what was found until then; other errors are the source's.
func Run(ctx context.Context, a Ask, from Source) (Result, error) {
	began := time.Now()
	p := ingest.NewPlayer(a.Program, a.About, a.Span)
	t := newTally(a, from.Name)
	since, until := a.From, a.Now
	if !a.From.IsZero() {
		since = a.From.Add(-max(lateness, a.Lead))
	}
	if end := a.To.Add(lateness); !a.To.IsZero() && end.Before(until) {
		until = end
	}
	last, given := since, 0
	err := from.Give(ctx, p, since, until, func(at time.Time, ds []rules.Decision) error {
		if given++; given%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if at.After(until) {
			return errEnough
		}
		if at.After(last) {
			last = at
		}
		t.take(ds)
		return nil
	})
	switch {
	case err != nil && ctx.Err() != nil:
		t.cut(last.Add(-lateness))
	case err != nil && !errors.Is(err, errEnough):
		return Result{}, err
	case a.To.IsZero():
		t.take(p.Tick(last))
		t.out.To = moment.Of(last)
	default:
		t.take(p.Tick(until))
	}
	t.known(p.List())
	if t.out.Readings = p.Readings; from.Name == SourceCases {
		t.out.Readings = given
	}
	if p.Unreadable > 0 {
		t.warn(fmt.Sprintf("%d records could not be read and were passed over", p.Unreadable))
	}
	t.out.TookMs = time.Since(began).Milliseconds()
	return t.result(), nil
}

// tally gathers decisions.
type tally struct {
	ask  Ask
	out  Result
	open map[string]int // by rule and key: the alert that stands; -1: it is not listed
}

func newTally(a Ask, source string) *tally {
	return &tally{ask: a, open: map[string]int{}, out: Result{ByThing: map[string]int{}, ByHour: map[string]int{}, Alerts: []Raised{}, From: moment.Of(a.From),
		To: moment.Of(a.To), Complete: true, Source: source, Warnings: []string{}}}
}

func (t *tally) warn(text string) { t.out.Warnings = append(t.out.Warnings, text) }

// cut says how far it came.
func (t *tally) cut(to time.Time) {
	t.out.Complete = false
	if t.ask.To.IsZero() || to.Before(t.ask.To) {
		t.out.To = moment.Of(to)
	}
	t.warn("it took too long: only what lies before " + t.out.To.String() + " was tried; ask for a shorter time")
}

func (t *tally) take(ds []rules.Decision) {
	for i := range ds {
		d := &ds[i]
		if t.ask.Rule != "" && d.Rule.ID != t.ask.Rule {
			continue
		}
		name := d.Rule.ID + " " + d.Key
		at, stands := t.open[name]
		if !d.Fire {
			if stands && at >= 0 {
				until := moment.Of(d.At)
				t.out.Alerts[at].Until, t.out.Alerts[at].Withdrawn = &until, d.Withdrawn
			}
			delete(t.open, name)
			continue
		}
		t.open[name] = -1
		if d.At.Before(t.ask.From) || !t.ask.To.IsZero() && d.At.After(t.ask.To) {
			continue
		}
		t.out.Fired++
		t.out.ByThing[d.Key]++
		t.out.ByHour[d.At.UTC().Format("2006-01-02T15Z")]++
		if len(t.out.Alerts) == MostAlerts {
			continue
		}
		t.open[name] = len(t.out.Alerts)
		t.out.Alerts = append(t.out.Alerts, alertOf(d))
	}
}

func alertOf(d *rules.Decision) Raised {
	a := Raised{Rule: d.Rule.ID, Key: d.Key, Thing: d.Thing.ID, At: moment.Of(d.At), Since: moment.Of(d.Since), Event: d.Rule.Alert.Event,
		Severity: string(d.Rule.Alert.Severity), Why: d.Why, Sources: d.Sources, Inputs: d.Inputs}
	if a.Inputs == nil {
		a.Inputs = []incident.Input{}
	}
	if a.Sources == nil {
		a.Sources = []string{}
	}
	return a
}

// known tells what the rule itself has to say of what it knew.
func (t *tally) known(list []rules.Listed) {
	for _, l := range list {
		if t.ask.Rule != "" && l.ID != t.ask.Rule {
			continue
		}
		for _, w := range l.Warnings {
			if !strings.HasSuffix(w, "is not written") {
				t.warn(l.ID + ": " + w)
			}
		}
		if l.Errors > 0 {
			t.warn(fmt.Sprintf("%s: %d evaluations ended in an error, the last: %s", l.ID, l.Errors, l.LastError))
		}
		if strings.Contains(l.When+l.Clear, "thing.state") {
			t.warn(l.ID + ": thing.state holds what was recorded within the time that was read, and nothing of before")
		}
	}
}

func (t *tally) result() Result {
	if t.out.Fired > len(t.out.Alerts) {
		t.warn(fmt.Sprintf("of %d alerts the first %d are listed", t.out.Fired, len(t.out.Alerts)))
	}
	slices.SortStableFunc(t.out.Alerts, func(a, b Raised) int {
		return cmp.Or(a.At.Compare(b.At.Time), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key))
	})
	return t.out
}
