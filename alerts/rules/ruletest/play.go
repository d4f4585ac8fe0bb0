package ruletest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/report"
	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// raised is one alert that the rules raised, counted from the start.
type raised struct {
	rule, on string
	at       time.Duration
	clears   *time.Duration
	wrong    bool // withdrawn: in-order input would not have raised it
}

// graded is an agency's alert that a rule graded anew.
type graded struct {
	rule  string
	alert alerts.Alert
}

// input is one thing that arrives.
type input struct {
	arrives time.Duration
	give    func(now time.Time) []rules.Decision
}

// player plays one case.
type player struct {
	zero   time.Time
	engine *rules.Engine
	prog   *rules.Program
	things map[string]*feeds.Thing
	inputs []input
	last   time.Duration
	raised []*raised
	graded map[string]graded
}

// fault is a fault of the file at a place below its case.
type fault struct {
	path string
	err  error
}

func (f fault) Error() string { return f.err.Error() }

// play runs a case against the rules; an error is a fault.
func play(t *test, prog *rules.Program, zero time.Time) (*player, error) {
	p := &player{zero: zero, prog: prog, engine: rules.NewEngine(prog), things: map[string]*feeds.Thing{}, graded: map[string]graded{}}
	for i, x := range t.Things {
		if err := p.known(x); err != nil {
			return nil, fault{fmt.Sprintf("things[%d]", i), err}
		}
	}
	for i := range t.Series {
		if err := p.series(&t.Series[i]); err != nil {
			return nil, fault{fmt.Sprintf("series[%d]", i), err}
		}
	}
	for i := range t.Reports {
		if err := p.report(&t.Reports[i], i); err != nil {
			return nil, fault{fmt.Sprintf("reports[%d]", i), err}
		}
	}
	for i := range t.Alerts {
		if err := p.alert(&t.Alerts[i], i); err != nil {
			return nil, fault{fmt.Sprintf("alerts[%d]", i), err}
		}
	}
	slices.SortStableFunc(p.inputs, func(a, b input) int { return cmp.Compare(a.arrives, b.arrives) })
	for _, in := range p.inputs {
		p.take(in.give(p.zero.Add(in.arrives)))
	}
	end := t.Until
	if end == 0 {
		end = max(p.last, t.latest()) + time.Minute
	}
	p.take(p.engine.Tick(p.zero.Add(end)))
	return p, nil
}

// latest is the last time that the expectations of a case name.
func (t *test) latest() time.Duration {
	var out time.Duration
	for _, x := range t.Expect {
		for _, d := range []*time.Duration{x.At, x.Clears} {
			if d != nil {
				out = max(out, *d+x.Give)
			}
		}
	}
	for _, x := range t.Not {
		for _, d := range []*time.Duration{x.Before, x.After} {
			if d != nil {
				out = max(out, *d)
			}
		}
	}
	return out
}

func (p *player) known(x thing) error {
	if x.ID == "" {
		return fmt.Errorf("id: is required")
	}
	t := p.thing(x.ID)
	t.Kind, t.Name = x.Kind, x.Name
	if t.Name == "" {
		t.Name = x.ID
	}
	at, placed, err := place(x.Lng, x.Lat)
	if err == nil && placed {
		t.Position, t.Placed = at, true
		t.Cell, err = geo.CellAt(at, geo.ResThing)
	}
	return err
}

func place(lng, lat *float64) (geo.Position, bool, error) {
	if lng == nil && lat == nil {
		return geo.Position{}, false, nil
	}
	if lng == nil || lat == nil {
		return geo.Position{}, false, fmt.Errorf("lng and lat: want both")
	}
	p := geo.Position{Lng: *lng, Lat: *lat}
	return p, true, p.Validate()
}

func (p *player) thing(id string) *feeds.Thing {
	t := p.things[id]
	if t == nil {
		feed, _ := feeds.SplitID(id)
		t = &feeds.Thing{ID: id, Feed: feed, Name: id, State: map[string]feeds.Reading{}}
		p.things[id] = t
	}
	return t
}

func (p *player) add(at, delay time.Duration, give func(now time.Time) []rules.Decision) {
	p.inputs = append(p.inputs, input{at + delay, give})
	p.last = max(p.last, at+delay)
}

func (p *player) series(s *seriesSpec) error {
	if s.Thing == "" || (s.Values == "") == (s.Positions == "") || s.Values != "" && s.Property == "" {
		return fmt.Errorf("want thing, and either property with values, or positions")
	}
	if s.Delay < 0 || s.From < 0 {
		return fmt.Errorf("from and delay are not below 0s")
	}
	text, parse := s.Values, parseValues
	if s.Positions != "" {
		text, parse = s.Positions, parsePositions
	}
	points, err := parse(text)
	if err != nil {
		return err
	}
	property := s.Property
	if property == "" {
		property = "position"
	}
	for _, x := range points {
		at := p.zero.Add(s.From + x.at)
		o := feeds.Observation{Property: property, Value: x.value, Unit: s.Unit, At: moment.Of(at), Quality: feeds.Good, Position: x.place, Placed: x.placed}
		p.add(s.From+x.at, s.Delay, func(now time.Time) []rules.Decision { return p.read(s.Thing, o, now) })
	}
	return nil
}

// read gives one reading, with its Thing as it is then; a Thing that somebody holds is not changed.
func (p *player) read(id string, o feeds.Observation, now time.Time) []rules.Decision {
	o.ReceivedAt = moment.Of(now)
	t := p.thing(id).Clone()
	if last, known := t.State[o.Property]; !known || !o.At.Before(last.At.Time) {
		t.State[o.Property] = feeds.Reading{Value: o.Value, Unit: o.Unit, At: o.At, ReceivedAt: o.ReceivedAt, Quality: o.Quality}
	}
	if !o.At.Before(t.At.Time) {
		t.At, t.ReceivedAt = o.At, o.ReceivedAt
		if o.Placed {
			t.Position, t.Placed = o.Position, true
			t.Cell, _ = geo.CellAt(o.Position, geo.ResThing) // it has been checked
		}
	}
	p.things[id] = t
	return p.engine.Reading(t, o, now)
}

func (p *player) report(x *reportSpec, n int) error {
	at, placed, err := place(x.Lng, x.Lat)
	if err != nil {
		return err
	}
	id := x.ID
	if id == "" {
		id = fmt.Sprintf("test:report-%d", n+1)
	}
	feed, request := feeds.SplitID(id)
	r := &report.Report{ID: id, Feed: feed, RequestID: request, Type: x.Type, Code: x.Code, Channel: x.Channel, Text: x.Text, At: moment.Of(p.zero.Add(x.At)), Revision: 1}
	if placed {
		r.Lng, r.Lat = &at.Lng, &at.Lat
	}
	p.add(x.At, x.Delay, func(now time.Time) []rules.Decision {
		r.ReceivedAt = moment.Of(now)
		return p.engine.Report(r, now, now)
	})
	return nil
}

func (p *player) alert(x *alertSpec, n int) error {
	at, placed, err := place(x.Lng, x.Lat)
	if err != nil {
		return err
	}
	id := x.ID
	if id == "" {
		id = fmt.Sprintf("alert-%d", n+1)
	}
	a := alerts.Alert{ID: id, Event: x.Event, Headline: x.Headline, Sender: x.Sender, Severity: cap.Severity(orElse(x.Severity, "Unknown")),
		Urgency: orElse(x.Urgency, "Unknown"), Certainty: orElse(x.Certainty, "Unknown"), Category: orElse(x.Category, "Other"), Parameters: x.Parameters,
		Sent: moment.Of(p.zero.Add(x.At)), State: alerts.Active, Relevant: true, Sources: []string{"test"}}
	if !a.Severity.Valid() {
		return fmt.Errorf("severity: %q is not one of CAP's", x.Severity)
	}
	if placed {
		a.Area.Geometry = geo.Shape{Points: []geo.Position{at}}
	}
	p.add(x.At, x.Delay, func(now time.Time) []rules.Decision {
		if rule, ok := p.prog.Regrade(&a); ok {
			p.graded[id] = graded{rule, a}
		}
		return p.engine.Alert(&a, now, now)
	})
	return nil
}

func orElse(s, other string) string { return cmp.Or(s, other) }

// take notes what was decided.
func (p *player) take(ds []rules.Decision) {
	for i := range ds {
		d := &ds[i]
		at := d.At.Sub(p.zero)
		if d.Fire {
			p.raised = append(p.raised, &raised{rule: d.Rule.ID, on: d.Key, at: at})
			continue
		}
		for j := len(p.raised) - 1; j >= 0; j-- {
			if r := p.raised[j]; r.rule == d.Rule.ID && r.on == d.Key && r.clears == nil {
				r.clears, r.wrong = &at, d.Withdrawn
				break
			}
		}
	}
}
