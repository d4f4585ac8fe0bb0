package rules

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"kentongan/alerts"
	"kentongan/feeds/cap"
)

// Program is a checked list of rules, and the index by which a reading finds those that it may concern. It never changes; safe for concurrent use.
type Program struct {
	list   []*compiled // in the order given, the built-in rule last
	byID   map[string]*compiled
	places Places

	index   map[string]map[string][]*compiled // variable -> value -> rules over readings
	keys    []string                          // the variables that index has, in the order of pinned
	loose   []*compiled                       // rules that look at every reading
	fences  *fences
	reports []*compiled
	alerts  []*compiled
	regrade []*compiled
	fault   *compiled
	ranges  map[string][]*compiled // property -> rules that say what its instruments can say

	properties map[string]bool // that a rule over readings is tied to
	any        bool            // a rule looks at readings of every property
}

// compiled is one rule made ready.
type compiled struct {
	rule      *Rule
	kind      Kind
	order     int
	builtIn   bool
	when      *cond // nil: any (fence)
	clear     *cond // nil: clears when `when` does not hold
	pace      pace
	historyMs int64 // of marks: historyMs, and what a rate looks back
	deadband  float64
	ties      map[string][]string // variable -> values that it is tied to
	tests     []tie               // the same, to be tried
	area      *shape              // of a fence
	print     string              // of all that it does: equal prints do the same
}

// Compile checks every rule and makes a program of them. The error joins every fault, each with its rule's id, its key and, in an
// expression, CEL's line and column; it wraps ErrRule. Places may be nil: then no area is known and everywhere is ours.
func Compile(list []Rule, places Places) (*Program, error) {
	envs, err := newEnvironments()
	if err != nil {
		return nil, err
	}
	p := &Program{byID: map[string]*compiled{}, ranges: map[string][]*compiled{}, places: places, index: map[string]map[string][]*compiled{}, properties: map[string]bool{}}
	var errs []error
	for i := range list {
		r := list[i]
		c, found := compileRule(envs, &r, places)
		if _, twice := p.byID[r.ID]; twice {
			found = append(found, errors.New("id: is used twice"))
		}
		for _, err := range found {
			errs = append(errs, fmt.Errorf("%s: %w", errRule(r.ID, i), err))
		}
		p.byID[r.ID] = c
		p.list = append(p.list, c)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrRule, errors.Join(errs...))
	}
	if p.byID[FaultRule] == nil {
		c, _ := compileRule(envs, faultRule(), places)
		c.builtIn = true
		p.byID[FaultRule] = c
		p.list = append(p.list, c)
	}
	p.fault = p.byID[FaultRule]
	for i, c := range p.list {
		c.order = i
	}
	p.sort()
	return p, nil
}

func compileRule(envs environments, r *Rule, places Places) (*compiled, []error) {
	c := &compiled{rule: r, kind: r.Kind(), ties: map[string][]string{}, historyMs: historyMs}
	errs := r.Validate()
	if len(r.kinds()) > 1 {
		return c, errs
	}
	env := envs.of(r)
	for _, x := range []struct {
		key, text string
		to        **cond
	}{{"when", r.When, &c.when}, {"clear", r.Clear, &c.clear}} {
		if x.text == "" {
			continue
		}
		cond, err := newCond(env, x.text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w%s", x.key, err, hint(c.kind, err)))
			continue
		}
		*x.to = cond
	}
	if r.Fence != nil && len(errs) == 0 {
		area, err := shapeOf(r.Fence, places)
		if err != nil {
			return c, append(errs, fmt.Errorf("fence.%w", err))
		}
		c.area = area
	}
	c.pace = pace{samples: int32(r.sampled()), holdMs: r.For.Milliseconds(), clearMs: r.ClearFor.Milliseconds()}
	switch c.kind {
	case KindAbsence:
		c.pace.absentMs = r.Absence.Of.Milliseconds()
	case KindRate:
		c.historyMs += r.Rate.Of.Milliseconds()
	case KindFence:
		c.pace.opposite = r.Fence.On == FenceEnter || r.Fence.On == FenceExit
		if r.Fence.On == FenceDwell {
			c.pace.holdMs = r.Fence.Dwell.Milliseconds()
		}
	}
	if r.Corroborate != nil { // a mark waits for who says the same, who may be as late as any
		c.historyMs += newNear(r.Corroborate).within
	}
	c.deadband = r.Deadband.By
	if r.Deadband.Percent && len(r.Range) == 2 {
		c.deadband = r.Deadband.By / 100 * (r.Range[1] - r.Range[0])
	}
	if c.when != nil {
		for _, name := range pinned {
			if v := values(c.when.expr, name); v != nil {
				c.ties[name] = v
				if len(v) > 0 {
					c.tests = append(c.tests, tie{fields[name], v})
				}
			}
		}
	}
	c.print = printOf(r, c.area)
	return c, errs
}

// hint says what the names of a condition are, where one of another kind of rule is used.
func hint(k Kind, err error) string {
	if errText := err.Error(); !containsAny(errText, "undeclared reference") {
		return ""
	}
	switch k {
	case KindRegrade:
		return " (regrade sees alert.* and area.*)"
	case KindCount:
		return " (count of things sees obs.*, thing.* and area.*; of alerts alert.*; of reports report.*)"
	case KindRate:
		return " (rate sees obs.* with obs.rate, thing.* and area.*)"
	}
	return " (a rule over readings sees obs.*, thing.* and area.*; obs.rate needs a rate block)"
}

// sort puts each rule where a reading, a report or an alert finds it: under the variable of which it shares its value with the fewest others.
func (p *Program) sort() {
	shares := map[pin]int{}
	for _, c := range p.list {
		for name, vs := range c.ties {
			for _, v := range vs {
				shares[pin{name, v}]++
			}
		}
	}
	var fenced []*compiled
	for _, c := range p.list {
		if !c.rule.On() {
			continue
		}
		if len(c.rule.Range) == 2 {
			for _, name := range c.ties["obs.property"] {
				p.ranges[name] = append(p.ranges[name], c)
			}
		}
		switch {
		case c.kind == KindFault:
		case c.kind == KindRegrade:
			p.regrade = append(p.regrade, c)
		case c.kind == KindCount && c.rule.Count.Of == CountReports:
			p.reports = append(p.reports, c)
		case c.kind == KindCount && c.rule.Count.Of == CountAlerts:
			p.alerts = append(p.alerts, c)
		case c.kind == KindFence:
			fenced = append(fenced, c)
			p.concerns(c)
		default:
			p.concerns(c)
			p.put(c, shares)
		}
	}
	p.fences = newFences(fenced)
	for _, name := range pinned {
		if p.index[name] != nil {
			p.keys = append(p.keys, name)
		}
	}
}

func (p *Program) concerns(c *compiled) {
	if c.ties["obs.property"] == nil {
		p.any = true
	}
	for _, v := range c.ties["obs.property"] {
		p.properties[v] = true
	}
}

func (p *Program) put(c *compiled, shares map[pin]int) {
	best, fewest := "", 0
	for _, name := range pinned {
		vs := c.ties[name]
		if vs == nil {
			continue
		}
		most := 0
		for _, v := range vs {
			most = max(most, shares[pin{name, v}])
		}
		if best == "" || most < fewest {
			best, fewest = name, most
		}
	}
	if best == "" {
		p.loose = append(p.loose, c)
		return
	}
	if p.index[best] == nil {
		p.index[best] = map[string][]*compiled{}
	}
	for _, v := range c.ties[best] {
		p.index[best][v] = append(p.index[best][v], c)
	}
}

// tie is a variable that a rule ties to some values.
type tie struct {
	of     field
	values []string
}

// tied tells that a reading has the values to which the rule is tied.
func (c *compiled) tied(v *view) bool {
	for i := range c.tests {
		x := &c.tests[i]
		s := x.of.text(v)
		if s != x.values[0] && !slices.Contains(x.values[1:], s) {
			return false
		}
	}
	return true
}

// Concerns tells whether any rule looks at readings of a property.
func (p *Program) Concerns(property string) bool { return p.any || p.properties[property] }

// LongestFor is the longest time for which a rule wants its condition to hold, or looks back.
func (p *Program) LongestFor() time.Duration {
	var most time.Duration
	for _, c := range p.list {
		most = max(most, c.rule.For, c.rule.ClearFor)
		if b := c.rule.Fence; b != nil {
			most = max(most, b.Dwell)
		}
		if b := c.rule.Absence; b != nil {
			most = max(most, b.Of)
		}
		if b := c.rule.Count; b != nil {
			most = max(most, b.Within)
		}
		if b := c.rule.Rate; b != nil {
			most = max(most, b.Of)
		}
	}
	return most
}

// Rules lists the rules as they were given, without the built-in one.
func (p *Program) Rules() []*Rule {
	var out []*Rule
	for _, c := range p.list {
		if !c.builtIn {
			out = append(out, c.rule)
		}
	}
	return out
}

// Unknown is a property that a rule names and no feed has ever said.
type Unknown struct {
	Rule     string `json:"rule"`
	Key      string `json:"key"` // when or clear
	Property string `json:"property"`
}

// Unknown lists the properties that rules name, by obs.property or in thing.state, and that are not among those given: a slip of the pen, or an instrument that is yet to come.
func (p *Program) Unknown(properties []string) []Unknown {
	var out []Unknown
	for _, c := range p.list {
		for _, x := range []struct {
			key string
			of  *cond
		}{{"when", c.when}, {"clear", c.clear}} {
			if x.of == nil {
				continue
			}
			for _, name := range unique(append(named(x.of.expr, "obs.property"), stated(x.of.expr)...)) {
				if !slices.Contains(properties, name) {
					out = append(out, Unknown{c.rule.ID, x.key, name})
				}
			}
		}
	}
	return out
}

// Regrade grades an agency's alert anew by the first rule that it meets, and names the rule and the old grades in its parameters
// (regraded_by, regraded_from). False: no rule speaks of it.
func (p *Program) Regrade(a *alerts.Alert) (rule string, ok bool) {
	if p == nil || a.Rule != "" {
		return "", false
	}
	v := alertView{alert: a, places: p.places}
	for _, c := range p.regrade {
		if !c.when.eval(&v) {
			continue
		}
		parameters := make(map[string]string, len(a.Parameters)+2)
		for k, v := range a.Parameters {
			parameters[k] = v
		}
		parameters["regraded_by"] = c.rule.ID
		parameters["regraded_from"] = string(a.Severity) + "/" + a.Urgency + "/" + a.Certainty
		a.Parameters = parameters
		to := c.rule.Regrade
		a.Severity = cap.Severity(orElse(string(to.Severity), string(a.Severity)))
		a.Urgency, a.Certainty = orElse(to.Urgency, a.Urgency), orElse(to.Certainty, a.Certainty)
		return c.rule.ID, true
	}
	return "", false
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
