package rules

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
)

const (
	// costLimit bounds one evaluation of a condition with a loop, in CEL's cost units; a plain comparison costs about 3.
	costLimit = 10_000
	// textLimit bounds one of a condition without: nine searches by a regular expression of fifty letters. What costs up to uncounted is not counted
	// as it runs.
	textLimit = 50_000
	uncounted = 500
	// maxExpression bounds an expression's text, in bytes.
	maxExpression = 4096
	// mostProperties and longestText are what a Thing's state and a text in a condition are taken to be at most, to estimate a cost.
	mostProperties = 128
	longestText    = 4096
)

func newEnv(vars ...cel.EnvOption) (*cel.Env, error) {
	env, err := cel.NewEnv(append(vars, cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxExpression))...)
	if err != nil {
		return nil, fmt.Errorf("CEL environment: %w", err)
	}
	return env, nil
}

// cond is one condition made ready. It counts evaluations that ended in an error which a mixture of readings does not explain.
type cond struct {
	program cel.Program
	quick   node // nil: the condition is more than comparisons, and CEL's own interpreter answers
	expr    ast.Expr
	errors  atomic.Int64
	last    atomic.Pointer[string] // the latest such error
}

// newCond makes a condition ready that a rule tries on readings, alerts or reports.
func newCond(env *cel.Env, expression string) (*cond, error) {
	program, checked, err := compile(env, expression)
	if err != nil {
		return nil, err
	}
	expr := checked.NativeRep().Expr()
	return &cond{program: program, quick: quickOf(expr), expr: expr}, nil
}

// compile checks one condition; the error carries CEL's line and column.
func compile(env *cel.Env, expression string) (cel.Program, *cel.Ast, error) {
	checked, issues := env.Compile(expression)
	if issues != nil && issues.Err() != nil {
		return nil, nil, issues.Err()
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, nil, fmt.Errorf("1:1: is %s, want a condition (bool)", checked.OutputType())
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	expr := checked.NativeRep().Expr()
	heavy, limit := loopOf(expr), uint64(costLimit)
	if heavy == nil {
		heavy, limit = searchOf(expr), textLimit
	}
	if heavy != nil {
		estimate, err := env.EstimateCost(checked, sizes{})
		if err != nil {
			return nil, nil, fmt.Errorf("cost: %w", err)
		}
		if estimate.Max > limit {
			at := checked.NativeRep().SourceInfo().GetStartLocation(heavy.ID())
			return nil, nil, fmt.Errorf("%d:%d: one look at it may cost %s, more than %d: it would not end in time", at.Line(), at.Column()+1, costly(estimate.Max), limit)
		}
		if estimate.Max > uncounted {
			options = append(options, cel.CostLimit(limit))
		}
	}
	program, err := env.Program(checked, options...)
	if err != nil {
		return nil, nil, err
	}
	return program, checked, nil
}

func costly(v uint64) string {
	if v == math.MaxUint64 {
		return "without bound"
	}
	return fmt.Sprint(v)
}

// loopOf gives the outermost loop, nil without one.
func loopOf(e ast.Expr) ast.Expr {
	var found ast.Expr
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if found == nil && e.Kind() == ast.ComprehensionKind {
			found = e
		}
	}))
	return found
}

// searchOf gives the first part that goes through a text or makes one, nil without: what has neither that nor a loop costs no more than its own
// length, which maxExpression bounds, and counting costs slows each reading. A regular expression comes before all others.
func searchOf(e ast.Expr) ast.Expr {
	var first, pattern ast.Expr
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		switch name := e.AsCall().FunctionName(); {
		case name == "matches" && pattern == nil:
			pattern = e
		case first == nil && (e.AsCall().IsMemberFunction() || name == operators.Add || name == operators.In):
			first = e
		}
	}))
	if pattern != nil {
		return pattern
	}
	return first
}

// sizes tells the estimate of costs how large our own variables may be.
type sizes struct{}

// EstimateSize gives the most that a variable may hold (cost.Estimator).
func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	switch n.Type().Kind() {
	case cel.MapKind, cel.ListKind:
		return &cost.SizeEstimate{Max: mostProperties}
	case cel.StringKind, cel.BytesKind, cel.DynKind:
		return &cost.SizeEstimate{Max: longestText}
	}
	return nil
}

// EstimateCallCost leaves the functions to CEL (cost.Estimator).
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// holds evaluates a condition over a reading; what cannot be evaluated does not hold.
func (c *cond) holds(v *view) bool {
	if c.quick != nil {
		return c.quick.eval(v) == yes
	}
	return c.eval(v)
}

// eval asks CEL's interpreter.
func (c *cond) eval(vars cel.Activation) bool {
	v, _, err := c.program.Eval(vars)
	if err != nil {
		if !expected(err) {
			c.errors.Add(1)
			text := err.Error()
			c.last.Store(&text)
		}
		return false
	}
	b, ok := v.Value().(bool)
	return ok && b
}

// expected tells the errors that a condition over mixed readings brings with it: a text beside a number, a state or rate not yet known.
func expected(err error) bool {
	m := err.Error()
	return strings.Contains(m, "no such overload") || strings.Contains(m, "no such key") || strings.Contains(m, "no such attribute")
}

// finite keeps NaN and infinities, which compare as nothing, out of a judgement.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
