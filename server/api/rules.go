package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/audit"
	"kentongan/alerts/rules"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/backtest"
	"kentongan/server/problem"
)

// RuleSet is the rules as they can be changed while the house runs. Each change is kept with its audit record before it is answered.
type RuleSet interface {
	Entry(ctx context.Context, id string) (RuleEntry, error)                                        // ErrNoRule
	Put(ctx context.Context, id string, ask []byte, force bool, who audit.Actor) (RuleEntry, error) // *RuleFaults, *RuleConflict
	Remove(ctx context.Context, id string, version int64, who audit.Actor) error                    // ErrNoRule, *RuleConflict
	Versions(ctx context.Context, id string) ([]RuleVersion, error)                                 // ErrNoRule
	GoBack(ctx context.Context, id string, to, version int64, who audit.Actor) (RuleEntry, error)   // ErrNoRule, *RuleFaults, *RuleConflict
	BackTest(ctx context.Context, ask []byte) (backtest.Result, error)                              // *RuleFaults, ErrTesting
}

// Faults of the rules.
var (
	ErrNoRule  = errors.New("no rule has this id")
	ErrTesting = errors.New("a back-test is under way at this server; one runs at a time")
)

// RuleEntry is one rule: how it stands, and what was written.
type RuleEntry struct {
	rules.Listed
	Config json.RawMessage `json:"config,omitempty" doc:"As it was sent, by the keys of the configuration file; absent: it stands in the file"`
	At     moment.Time     `json:"at,omitzero" doc:"When it was changed last"`
	By     string          `json:"by,omitempty"`
}

// RuleVersion is a rule at a time.
type RuleVersion struct {
	Version int64           `json:"version"`
	At      moment.Time     `json:"at"`
	By      string          `json:"by"`
	Deleted bool            `json:"deleted,omitempty"`
	Config  json.RawMessage `json:"config,omitempty"`
}

// RuleFault is one thing that is wrong with a rule.
type RuleFault struct {
	Location string        `json:"location" doc:"body.config.KEY"`
	Message  string        `json:"message"`
	Code     problem.Fault `json:"code"`
	Limit    string        `json:"limit,omitempty" doc:"Of the code: which there are, or how it is written"`
	Line     int           `json:"line" doc:"Of the body, from 1; 0: none"`
}

// RuleFaults is every fault at once: 422. Whatever rule was in force stays so.
type RuleFaults struct {
	problem.Head
	Errors []RuleFault `json:"errors"`
}

// NewRuleFaults gives the answer for faults.
func NewRuleFaults(faults []RuleFault) *RuleFaults {
	detail := ""
	if !slices.ContainsFunc(faults, func(f RuleFault) bool { return f.Code != problem.Yet }) {
		detail = "it names what no feed has said so far: for an instrument that is yet to come ask again with ?force=1"
	}
	return &RuleFaults{problem.Of(problem.RuleFaults, detail), faults}
}

// RuleConflict is a change that came too late, or is not allowed for where the rule stands: 409.
type RuleConflict struct {
	problem.Head
	Source  string     `json:"source" enum:"file,api,built-in"`
	Current *RuleEntry `json:"current,omitempty" doc:"Absent: there is none"`
}

// NewRuleConflict gives the answer for a conflict: problem.InFile, NoLonger or Changed.
func NewRuleConflict(code problem.Code, detail, source string, current *RuleEntry) *RuleConflict {
	return &RuleConflict{problem.Of(code, detail), source, current}
}

// RulePut makes or changes a rule.
type RulePut struct {
	Config  map[string]any `json:"config" doc:"The keys of the configuration file; durations are texts such as 30s"`
	Version int64          `json:"version,omitempty" doc:"What was read; 0: a new rule"`
}

// RuleTest asks what a rule would have done.
type RuleTest struct {
	Rule map[string]any `json:"rule" doc:"The keys of the configuration file"`
	From time.Time      `json:"from"`
	To   time.Time      `json:"to"`
}

// testTime is how long a back-test may take; what was found until then is told.
const testTime = 50 * time.Second

func (s *server) rules() {
	const one = "/api/v1/rules/{id}"
	operation(s, needs(access.ReadRules), "GET", "/api/v1/rules", "rules", "The rules, with their state", http.StatusOK, func(context.Context, *struct{}) (*body[List[rules.Listed]], error) {
		return listOf(s.Rules(), ""), nil
	})
	operation(s, needs(access.ReadRules), "GET", one, "rule", "One rule: how it stands, and what was written", http.StatusOK, s.getRule)
	strictly[RulePut](s, needs(access.WriteRules).within(tryTime), "PUT", one, "put-rule", "Make or change a rule; every server sees it within 2 s. A rule with faults is refused, and the one in force stays", http.StatusOK, s.putRule)
	operation(s, needs(access.WriteRules).within(tryTime), "DELETE", one, "remove-rule", "End a rule; what it has firing clears", http.StatusNoContent, s.removeRule)
	operation(s, needs(access.WriteRules), "GET", one+"/versions", "rule-versions", "Who changed a rule, and to what: the last 20, the newest first", http.StatusOK, s.ruleVersions)
	operation(s, needs(access.WriteRules).within(tryTime), "POST", one+"/rollback", "roll-back-rule", "Put a rule back to what a version of it said", http.StatusOK, s.rollBackRule)
	strictly[RuleTest](s, needs(access.WriteRules).within(testTime+5*time.Second), "POST", "/api/v1/rules/backtest", "backtest-rule", "What a rule would have done in recorded hours; nothing is stored", http.StatusOK, s.backTest)
}

type ruleID struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) getRule(ctx context.Context, in *ruleID) (*body[RuleEntry], error) {
	out, err := s.RuleSet.Entry(ctx, in.ID)
	if err != nil {
		return nil, s.ruleFault(err)
	}
	return &body[RuleEntry]{out}, nil
}

type putRuleIn struct {
	ID      string `path:"id" maxLength:"64"`
	Force   bool   `query:"force" doc:"Keep a rule that names a property which no feed has said yet"`
	RawBody []byte `contentType:"application/octet-stream"`
}

func (s *server) putRule(ctx context.Context, in *putRuleIn) (*body[RuleEntry], error) {
	out, err := s.RuleSet.Put(ctx, in.ID, in.RawBody, in.Force, actor(ctx))
	if err != nil {
		return nil, s.ruleFault(err)
	}
	return &body[RuleEntry]{out}, nil
}

type removeRuleIn struct {
	ID      string `path:"id" maxLength:"64"`
	Version int64  `query:"version" required:"true" minimum:"1" doc:"What was read"`
}

func (s *server) removeRule(ctx context.Context, in *removeRuleIn) (*struct{}, error) {
	if err := s.RuleSet.Remove(ctx, in.ID, in.Version, actor(ctx)); err != nil {
		return nil, s.ruleFault(err)
	}
	return &struct{}{}, nil
}

func (s *server) ruleVersions(ctx context.Context, in *ruleID) (*body[List[RuleVersion]], error) {
	list, err := s.RuleSet.Versions(ctx, in.ID)
	if err != nil {
		return nil, s.ruleFault(err)
	}
	return listOf(list, ""), nil
}

type rollBackIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		To      int64 `json:"to" minimum:"1" doc:"The version to go back to"`
		Version int64 `json:"version" minimum:"0" doc:"What was read; 0: the rule was removed"`
	}
}

func (s *server) rollBackRule(ctx context.Context, in *rollBackIn) (*body[RuleEntry], error) {
	out, err := s.RuleSet.GoBack(ctx, in.ID, in.Body.To, in.Body.Version, actor(ctx))
	if err != nil {
		return nil, s.ruleFault(err)
	}
	return &body[RuleEntry]{out}, nil
}

type backTestIn struct {
	RawBody []byte `contentType:"application/octet-stream"`
}

func (s *server) backTest(ctx context.Context, in *backTestIn) (*body[backtest.Result], error) {
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	out, err := s.RuleSet.BackTest(ctx, in.RawBody)
	if err != nil {
		return nil, s.ruleFault(err)
	}
	return &body[backtest.Result]{out}, nil
}

// ruleFault turns an error of the rule set into an answer.
func (s *server) ruleFault(err error) error {
	var faults *RuleFaults
	var late *RuleConflict
	switch {
	case errors.As(err, &faults):
		return faults
	case errors.As(err, &late):
		return late
	case errors.Is(err, ErrTesting):
		return huma.ErrorWithHeaders(problem.New(problem.BackTestBusy, err.Error()), http.Header{"Retry-After": {"5"}})
	}
	return s.fault(err)
}
