package rules

import (
	"fmt"
	"slices"
	"time"

	"kentongan/geo"
)

// Listed is a rule as GET /rules shows it.
type Listed struct {
	Rule
	ForS         float64  `json:"for_s"`
	ActWithinS   float64  `json:"act_within_s,omitempty"`
	ExpiresS     float64  `json:"expires_s"`
	MergeWindowS float64  `json:"merge_window_s,omitempty"`
	Source       string   `json:"source"`  // file: read-only here; api; built-in
	Version      int64    `json:"version"` // of those made through the interface, to be named by who changes them; else 0
	Kind         Kind     `json:"kind"`
	State        string   `json:"state"`  // off, normal, pending, firing
	Firing       []string `json:"firing"` // Things on which it fires
	Warnings     []string `json:"warnings"`
	Undefined    bool     `json:"undefined"` // one of consequence, response, act_within, owner, review is missing
	Errors       int64    `json:"errors"`    // evaluations that ended in an error other than a missing or text value
	LastError    string   `json:"last_error,omitempty"`
	Late         int64    `json:"late"`    // readings that came too late to be judged, more than ten minutes after a newer one
	Pending      []string `json:"pending"` // Things on which its condition holds, not for long enough

	ClearForS   float64            `json:"clear_for_s"`
	Corroborate *ListedCorroborate `json:"corroborate,omitempty"`
	Rate        *ListedRate        `json:"rate,omitempty"`
	Absence     *ListedAbsence     `json:"absence,omitempty"`
	Count       *ListedCount       `json:"count,omitempty"`
	Fence       *ListedFence       `json:"fence,omitempty"`
	Anomaly     *ListedAnomaly     `json:"anomaly,omitempty"`
}

// The blocks of a rule as they are listed: with their defaults, and with seconds for durations.
type (
	ListedCorroborate struct {
		WithinS float64 `json:"within_s"`
		Disk    int     `json:"disk"`
		Sources int     `json:"sources"`
	}
	ListedRate struct {
		OfS  float64 `json:"of_s"`
		PerS float64 `json:"per_s"`
		Rise float64 `json:"rise,omitempty"`
		Fall float64 `json:"fall,omitempty"`
	}
	ListedAbsence struct {
		OfS float64 `json:"of_s"`
	}
	ListedCount struct {
		Of      string  `json:"of"`
		AtLeast int     `json:"at_least"`
		Disk    int     `json:"disk"`
		WithinS float64 `json:"within_s"`
	}
	ListedFence struct {
		Area    string     `json:"area,omitempty"`
		Polygon *geo.Shape `json:"polygon,omitempty"`
		On      string     `json:"on"`
		DwellS  float64    `json:"dwell_s,omitempty"`
	}
	ListedAnomaly struct {
		Spread float64 `json:"spread"`
		Least  int     `json:"least"` // weeks
		Floor  float64 `json:"floor,omitempty"`
		Known  int     `json:"known"`  // Things of which enough is known at this hour of the week
		Things int     `json:"things"` // that it looks at
	}
)

// listed is the rule with its defaults filled in.
func listed(r *Rule) Listed {
	on := r.On()
	l := Listed{
		Rule: *r, ForS: r.For.Seconds(), ClearForS: r.ClearFor.Seconds(), ActWithinS: r.ActWithin.Seconds(), ExpiresS: r.Expiry().Seconds(),
		Source: "file", State: "normal", Kind: r.Kind(), Firing: []string{}, Pending: []string{}, Warnings: []string{},
	}
	l.Samples, l.Enabled = r.sampled(), &on
	if !on {
		l.State = "off"
	}
	l.blocks(r)
	if r.Incident != nil {
		b := *r.Incident
		b.MergeRadiusM = b.Radius()
		l.Rule.Incident, l.MergeWindowS = &b, b.Window().Seconds()
	}
	if r.Regrade != nil {
		return l
	}
	for _, f := range []struct {
		key     string
		missing bool
	}{
		{"consequence", r.Consequence == ""}, {"response", r.Response == ""}, {"act_within", r.ActWithin == 0},
		{"owner", r.Owner == ""}, {"review", r.Review == ""},
	} {
		if f.missing {
			l.Undefined = true
			l.Warnings = append(l.Warnings, f.key+" is not written")
		}
	}
	return l
}

func (l *Listed) blocks(r *Rule) {
	if b := r.Corroborate; b != nil {
		n := newNear(b)
		l.Corroborate = &ListedCorroborate{float64(n.within) / 1000, b.Disk, n.needs()}
	}
	if b := r.Rate; b != nil {
		l.Rate = &ListedRate{b.Of.Seconds(), b.per().Seconds(), b.Rise, b.Fall}
	}
	if b := r.Absence; b != nil {
		l.Absence = &ListedAbsence{b.Of.Seconds()}
	}
	if b := r.Count; b != nil {
		l.Count = &ListedCount{b.Of, b.AtLeast, b.Disk, b.Within.Seconds()}
	}
	if b := r.Fence; b != nil {
		l.Fence = &ListedFence{Area: b.Area, On: b.On, DwellS: b.Dwell.Seconds()}
		if b.Polygon != nil {
			l.Fence.Polygon = &b.Polygon.Shape
		}
	}
	if b := r.Anomaly; b != nil {
		l.Anomaly = &ListedAnomaly{Spread: b.spread(), Least: b.least(), Floor: b.Floor}
	}
}

// List gives every rule in the order given, the built-in one last, and how it stands.
func (e *Engine) List() []Listed {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.program.Load()
	out := make([]Listed, 0, len(p.list))
	for _, c := range p.list {
		out = append(out, e.listed(c))
	}
	return out
}

func (e *Engine) listed(c *compiled) Listed {
	l, s := listed(c.rule), e.states[c.rule.ID]
	l.Late = s.late
	if c.builtIn {
		l.Source, l.Undefined, l.Warnings = "built-in", false, []string{}
	}
	for _, x := range []struct {
		key  string
		cond *cond
	}{{"when", c.when}, {"clear", c.clear}} {
		if x.cond == nil {
			continue
		}
		l.Errors += x.cond.errors.Load()
		if text := x.cond.last.Load(); text != nil {
			l.LastError = x.key + ": " + *text
		}
	}
	if len(c.ties) == 0 && c.overReadings() && c.kind != KindFence {
		l.Warnings = append(l.Warnings, "when names no property, so every reading is judged by it")
	}
	for key, p := range s.pairs {
		if p.open() {
			l.Firing = append(l.Firing, key)
		} else if p.head.agree > 0 {
			l.Pending = append(l.Pending, key)
		}
	}
	e.listedMore(&l, s)
	if len(l.Firing) > 0 {
		l.State = "firing"
	} else if len(l.Pending) > 0 {
		l.State = "pending"
	}
	slices.Sort(l.Firing)
	slices.Sort(l.Pending)
	return l
}

// overReadings tells a rule that looks at each reading by itself.
func (c *compiled) overReadings() bool {
	return c.kind != KindRegrade && c.kind != KindFault && !(c.kind == KindCount && c.rule.Count.Of != CountThings)
}

// listedMore adds what stands outside the pairs: counts, faults and what an anomaly knows.
func (e *Engine) listedMore(l *Listed, s *standing) {
	if s.piles != nil {
		for key, list := range s.piles.list {
			if n := len(list); n > 0 && list[n-1].stands {
				l.Firing = append(l.Firing, key)
			}
		}
	}
	if l.Anomaly != nil {
		if l.Anomaly.Known, l.Anomaly.Things = s.knows(e.now); l.Anomaly.Known < l.Anomaly.Things {
			l.Warnings = append(l.Warnings, fmt.Sprintf("of %d Things %d have fewer than %d weeks of history at this hour of the week; nothing is said of those",
				l.Anomaly.Things, l.Anomaly.Things-l.Anomaly.Known, l.Anomaly.Least))
		}
	}
	if s.rule.kind == KindFault {
		for key, x := range e.series.things {
			if x.fault != "" && s.rule.rule.On() {
				l.Firing = append(l.Firing, key)
			}
		}
	}
}

// Expiry is how long after its crossing the rule's alert expires.
func (r *Rule) Expiry() time.Duration {
	if r.Alert.Expires == 0 {
		return DefaultExpires
	}
	return r.Alert.Expires
}
