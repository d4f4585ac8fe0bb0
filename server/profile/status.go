package profile

import (
	"errors"
	"fmt"
	"slices"

	"kentongan/alerts/statement"
	"kentongan/alerts/status"
)

// StatusLevels are the levels of the area as alerts/status knows them.
func (p *Profile) StatusLevels() []status.Level {
	out := make([]status.Level, len(p.Levels.Status))
	for i, l := range p.Levels.Status {
		out[i] = status.Level{Level: l.Level, Code: l.Code}
	}
	return out
}

// StatementScales are the scales in which official statements are made.
func (p *Profile) StatementScales() statement.Scales {
	out := make(statement.Scales, len(p.Levels.Scales))
	for i, s := range p.Levels.Scales {
		one := statement.Scale{Code: s.Scale, Hazard: s.Hazard, Names: s.Names}
		for _, t := range s.Steps {
			one.Steps = append(one.Steps, statement.Step{Code: t.Code, Names: t.Names, Status: t.Status})
		}
		out[i] = one
	}
	return out
}

// withHouse adds the scales that every house has, but for those that the profile writes itself.
func withHouse(scales []Scale) []Scale {
	for _, s := range statement.House() {
		if slices.ContainsFunc(scales, func(one Scale) bool { return one.Scale == s.Code }) {
			continue
		}
		one := Scale{Scale: s.Code, Names: s.Names, Hazard: s.Hazard, Direction: "up"}
		for _, t := range s.Steps {
			one.Steps = append(one.Steps, Step{Code: t.Code, Names: t.Names, Status: t.Status})
		}
		scales = append(scales, one)
	}
	return scales
}

// compileStatus checks the rules of the status; none: the default ones, as far as there are levels for them.
func compileStatus(list []status.Rule, levels []Level) (*status.Rules, error) {
	if len(list) == 0 {
		list = slices.DeleteFunc(status.DefaultRules(), func(r status.Rule) bool { return r.Level > len(levels) })
	}
	return status.Compile(list, len(levels))
}

// statusRules checks the rules that propose a level, each fault with its line.
func (r *reading) statusRules(p *Profile) {
	for i, rule := range p.Levels.StatusRules {
		r.words(fmt.Sprintf("levels.status_rules[%d].names", i), rule.Names, p)
	}
	if d := p.Levels.LowerAfter; d < 0 || d > 0 && d.Hours() > 24 {
		r.bad("levels.lower_after", "%v is not within 0s to 24h", d)
	}
	compiled, err := compileStatus(p.Levels.StatusRules, p.Levels.Status)
	p.StatusRules = compiled
	for _, one := range all(err) {
		var bad *status.RuleError
		if !errors.As(one, &bad) {
			r.bad("levels.status_rules", "%v", one)
			continue
		}
		r.bad(fmt.Sprintf("levels.status_rules[%d].%s", bad.Index, bad.Key), "%s", bad.Text)
	}
	p.Levels.StatusRules = compiled.List()
}

// all takes joined errors apart.
func all(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		return joined.Unwrap()
	}
	return []error{err}
}
