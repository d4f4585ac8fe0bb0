package rules

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

const (
	// costLimit bounds one evaluation that loops, in CEL's cost units; a plain comparison costs about 3.
	costLimit = 10_000
	// maxExpression bounds an expression's text, in bytes.
	maxExpression = 4096
)

// readingEnv is what when and clear see. Each name is declared by itself, so that a misspelt field is an error of the check.
func readingEnv() (*cel.Env, error) {
	return newEnv(
		cel.Variable("obs.property", cel.StringType),
		cel.Variable("obs.value", cel.DynType),
		cel.Variable("obs.unit", cel.StringType),
		cel.Variable("obs.at", cel.TimestampType),
		cel.Variable("thing.id", cel.StringType),
		cel.Variable("thing.kind", cel.StringType),
		cel.Variable("thing.feed", cel.StringType),
		cel.Variable("thing.name", cel.StringType),
		cel.Variable("thing.state", cel.MapType(cel.StringType, cel.DynType)),
	)
}

func newEnv(vars ...cel.EnvOption) (*cel.Env, error) {
	env, err := cel.NewEnv(append(vars, cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxExpression))...)
	if err != nil {
		return nil, fmt.Errorf("CEL environment: %w", err)
	}
	return env, nil
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
	if loops(checked.NativeRep().Expr()) {
		options = append(options, cel.CostLimit(costLimit))
	}
	program, err := env.Program(checked, options...)
	if err != nil {
		return nil, nil, err
	}
	return program, checked, nil
}

// loops tells an expression whose cost is not bounded by its own length, which maxExpression bounds: counting costs slows each reading.
func loops(e ast.Expr) bool {
	found := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) { found = found || e.Kind() == ast.ComprehensionKind }))
	return found
}

// properties lists the property names to which the condition pins itself by a conjunction; nil: any property may matter.
func properties(e ast.Expr) []string {
	if e.Kind() != ast.CallKind {
		return nil
	}
	call := e.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.LogicalAnd:
		if left := properties(args[0]); left != nil {
			return left
		}
		return properties(args[1])
	case operators.LogicalOr:
		left, right := properties(args[0]), properties(args[1])
		if left == nil || right == nil {
			return nil
		}
		return append(left, right...)
	case operators.Equals:
		for i := range args {
			if s, ok := literal(args[1-i]); ok && isProperty(args[i]) {
				return []string{s}
			}
		}
	case operators.In:
		if !isProperty(args[0]) || args[1].Kind() != ast.ListKind {
			return nil
		}
		var out []string
		for _, el := range args[1].AsList().Elements() {
			s, ok := literal(el)
			if !ok {
				return nil
			}
			out = append(out, s)
		}
		return out
	}
	return nil
}

func isProperty(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "obs.property" }

func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().Value().(string)
	return s, ok
}

// expected tells the errors that a condition over mixed readings brings with it: a text beside a number, a state not yet known.
func expected(err error) bool {
	m := err.Error()
	return strings.Contains(m, "no such overload") || strings.Contains(m, "no such key")
}

// Compile checks every rule and makes an engine of them; the errors are joined, each with its rule's id and CEL's position.
func Compile(list []Rule) (*Engine, error) {
	env, err := readingEnv()
	if err != nil {
		return nil, err
	}
	e := newEngine()
	var errs []error
	for i := range list {
		r := list[i]
		name := fmt.Sprintf("rule %q", r.ID)
		if r.ID == "" {
			name = fmt.Sprintf("rule %d of the list", i+1)
		}
		c, found := compileRule(env, &r)
		if _, twice := e.byID[r.ID]; twice {
			found = append(found, errors.New("id: is used twice"))
		}
		for _, err := range found {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		if len(found) == 0 {
			e.add(c)
		}
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrRule, errors.Join(errs...))
	}
	return e, nil
}

func compileRule(env *cel.Env, r *Rule) (*compiled, []error) {
	c := &compiled{rule: r, samples: r.Samples}
	if c.samples == 0 {
		c.samples = DefaultSamples
	}
	errs := r.Validate()
	if r.When != "" {
		program, checked, err := compile(env, r.When)
		if err != nil {
			errs = append(errs, fmt.Errorf("when: %w", err))
		} else {
			c.when, c.pins = program, properties(checked.NativeRep().Expr())
		}
	}
	if r.Clear != "" {
		program, _, err := compile(env, r.Clear)
		if err != nil {
			errs = append(errs, fmt.Errorf("clear: %w", err))
		}
		c.clear = program
	}
	return c, errs
}

// finite keeps NaN and infinities, which compare as nothing, out of a judgement.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
