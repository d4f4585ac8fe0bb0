package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kentongan/alerts/audit"
	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds/cap"
	"kentongan/server/api"
	"kentongan/server/config"
	"kentongan/server/problem"
)

// Entry is api.RuleSet's.
func (s *ruleSet) Entry(ctx context.Context, id string) (api.RuleEntry, error) {
	list := s.List()
	i := slices.IndexFunc(list, func(l rules.Listed) bool { return l.ID == id })
	if i < 0 {
		return api.RuleEntry{}, api.ErrNoRule
	}
	out := api.RuleEntry{Listed: list[i]}
	if out.Source == fromAPI {
		s.mu.Lock()
		one := s.stored[id]
		s.mu.Unlock()
		out.Config, out.At, out.By = one.Config, one.At, one.By
	}
	return out, ctx.Err()
}

// Put is api.RuleSet's.
func (s *ruleSet) Put(ctx context.Context, id string, ask []byte, force bool, who audit.Actor) (api.RuleEntry, error) {
	next, faults := config.ReadRuleChange(ask, id)
	if s.filed(id) {
		return api.RuleEntry{}, s.inFile(ctx, id)
	}
	now, there, err := s.app.cases.RuleOf(ctx, id)
	switch {
	case err != nil:
		return api.RuleEntry{}, err
	case now.Version != next.Version && !now.Unreadable:
		return api.RuleEntry{}, s.stale(ctx, id, there)
	}
	s.check(faults, next.Rule, force)
	if len(faults.Faults) > 0 {
		return api.RuleEntry{}, api.NewRuleFaults(ruleFaults("body.config.", faults))
	}
	return s.change(ctx, store.RuleChange{ID: id, Version: next.Version, Config: next.Config, Reason: changed(now.Config, next.Config)}, who)
}

// check looks at all that is asked of a rule that comes through the interface.
func (s *ruleSet) check(faults *config.RuleFaults, r rules.Rule, force bool) {
	before := len(faults.Faults)
	faults.Check(r, s.places)
	faults.Define(r)
	if force || len(faults.Faults) > before {
		return
	}
	program, err := rules.Compile([]rules.Rule{r}, s.places)
	if err != nil {
		return // it was told above
	}
	known := s.properties.of(s.app.picture, true)
	for _, u := range program.Unknown(known) {
		faults.Add(u.Key, unsaid(u.Property, known)+yetToCome)
	}
}

// yetToCome ends the word on a property that no feed has said: the only fault that may be passed over.
const yetToCome = " (an instrument that is yet to come)"

// ruleFaults tells faults with the places that the sender knows.
func ruleFaults(prefix string, faults *config.RuleFaults) []api.RuleFault {
	var out []api.RuleFault
	for _, f := range faults.Sorted() {
		said, yet := strings.CutSuffix(f.Text, yetToCome)
		code, limit := codeOf(said)
		if yet {
			code, limit = problem.Yet, ""
		}
		out = append(out, api.RuleFault{Location: strings.TrimSuffix(prefix+f.Path, "."), Message: said, Code: code, Limit: limit, Line: f.Line})
	}
	return out
}

// What a reader of settings says most often, so that screens can say it in another language: the rest is told in its own words.
var (
	noSuchKey = regexp.MustCompile(`^unknown key(?:; did you mean (\S+)\?)?$`)
	noneOf    = regexp.MustCompile(`is not one of (?:\[(.+)\]|(CAP)'s)$`)
	noText    = regexp.MustCompile(`^want a (text|list),`)
)

// codeOf is the code of a fault of settings, and the bound that goes with it.
func codeOf(said string) (code problem.Fault, limit string) {
	if strings.HasPrefix(said, "is required") {
		return problem.Missing, ""
	}
	if m := noSuchKey.FindStringSubmatch(said); m != nil && m[1] != "" {
		return problem.Form, m[1]
	} else if m != nil {
		return problem.Unasked, ""
	}
	if m := noneOf.FindStringSubmatch(said); m != nil && m[2] != "" {
		return problem.OneOf, cap.Severities
	} else if m != nil {
		return problem.OneOf, strings.Join(strings.Fields(m[1]), ", ")
	}
	if m := noText.FindStringSubmatch(said); m != nil {
		return problem.Type, map[string]string{"text": "string", "list": "array"}[m[1]]
	}
	return problem.Wrong, ""
}

// changed names the keys that a change is of.
func changed(before, next json.RawMessage) string {
	var was, is map[string]json.RawMessage
	_ = json.Unmarshal(before, &was) // what cannot be read has no keys
	_ = json.Unmarshal(next, &is)
	keys := map[string]bool{}
	for key, v := range is {
		if string(was[key]) != string(v) {
			keys[key] = true
		}
	}
	for key := range was {
		if _, ok := is[key]; !ok {
			keys[key] = true
		}
	}
	return "changed: " + strings.Join(sorted(keys), ", ")
}

// Remove is api.RuleSet's.
func (s *ruleSet) Remove(ctx context.Context, id string, version int64, who audit.Actor) error {
	now, there, err := s.app.cases.RuleOf(ctx, id)
	switch {
	case err != nil:
		return err
	case !there && s.filed(id):
		return s.inFile(ctx, id)
	case !there:
		return api.ErrNoRule
	case now.Version != version && !now.Unreadable:
		return s.stale(ctx, id, there)
	}
	_, err = s.change(ctx, store.RuleChange{ID: id, Version: version, Reason: "removed"}, who)
	if errors.Is(err, api.ErrNoRule) {
		return nil
	}
	return err
}

// GoBack is api.RuleSet's.
func (s *ruleSet) GoBack(ctx context.Context, id string, to, version int64, who audit.Actor) (api.RuleEntry, error) {
	if s.filed(id) {
		return api.RuleEntry{}, s.inFile(ctx, id)
	}
	list, err := s.app.cases.RuleVersions(ctx, id)
	if err != nil {
		return api.RuleEntry{}, err
	}
	i := slices.IndexFunc(list, func(v store.KeptRule) bool { return v.Version == to && !v.Removed && !v.Unreadable })
	if i < 0 {
		return api.RuleEntry{}, fmt.Errorf("%w, or none with the version %d", api.ErrNoRule, to)
	}
	now, there, err := s.app.cases.RuleOf(ctx, id)
	switch {
	case err != nil:
		return api.RuleEntry{}, err
	case now.Version != version && !now.Unreadable:
		return api.RuleEntry{}, s.stale(ctx, id, there)
	}
	r, faults := config.ReadRule(list[i].Config, id) // areas may have changed since, or what is asked of a rule
	s.check(faults, r, true)
	if len(faults.Faults) > 0 {
		return api.RuleEntry{}, api.NewRuleFaults(ruleFaults("", faults))
	}
	return s.change(ctx, store.RuleChange{ID: id, Version: version, Config: list[i].Config, Reason: fmt.Sprintf("back to version %d", to)}, who)
}

// Versions is api.RuleSet's.
func (s *ruleSet) Versions(ctx context.Context, id string) ([]api.RuleVersion, error) {
	list, err := s.app.cases.RuleVersions(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && !slices.ContainsFunc(s.app.rules.Program().Rules(), func(r *rules.Rule) bool { return r.ID == id }) {
		return nil, api.ErrNoRule
	}
	var out []api.RuleVersion
	for _, v := range list {
		out = append(out, api.RuleVersion{Version: v.Version, At: v.At, By: v.By, Deleted: v.Removed, Config: v.Config})
	}
	return out, nil
}

// change keeps a change, tells the other servers, and takes it up here.
func (s *ruleSet) change(ctx context.Context, c store.RuleChange, who audit.Actor) (api.RuleEntry, error) {
	if _, err := s.app.cases.PutRule(ctx, c, who); err != nil {
		if errors.Is(err, store.ErrRuleVersion) {
			_, there, bad := s.app.cases.RuleOf(ctx, c.ID)
			return api.RuleEntry{}, errors.Join(bad, s.stale(ctx, c.ID, there))
		}
		return api.RuleEntry{}, err
	}
	s.app.announce(word{RulesChanged: true})
	if err := s.refresh(context.WithoutCancel(ctx)); err != nil {
		s.wake() // it is kept; follow takes it up
	}
	return s.Entry(ctx, c.ID)
}

// inFile is the conflict of a rule that stands in the configuration file.
func (s *ruleSet) inFile(ctx context.Context, id string) error {
	e, err := s.Entry(ctx, id)
	if err != nil {
		return err
	}
	return api.NewRuleConflict(problem.InFile, "the rule stands in the configuration file, and is changed there: servers take it up within 2 s", fromFile, &e)
}

// stale is the conflict of a change that was made of another rule than there is.
func (s *ruleSet) stale(ctx context.Context, id string, there bool) error {
	if !there {
		return api.NewRuleConflict(problem.NoLonger, "there is no such rule any longer: make it with version 0", fromAPI, nil)
	}
	if err := s.refresh(ctx); err != nil {
		return err
	}
	e, err := s.Entry(ctx, id)
	if err != nil {
		return err
	}
	return api.NewRuleConflict(problem.Changed, "the rule was changed meanwhile", fromAPI, &e)
}
