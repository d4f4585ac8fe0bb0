package rules

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// pin is a place in the index of a Program: every reading that a rule can match has this value there.
type pin struct {
	name  string // a variable of pinned
	value string
}

// pinned are the variables by which rules are found, the most telling first where two find as many.
var pinned = []string{"thing.id", "obs.property", "thing.kind", "thing.feed"}

// values lists the texts to which a condition ties a variable by a conjunction; nil: any may matter.
func values(e ast.Expr, variable string) []string {
	if e == nil || e.Kind() != ast.CallKind {
		return nil
	}
	call := e.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.LogicalAnd:
		if left := values(args[0], variable); left != nil {
			return left
		}
		return values(args[1], variable)
	case operators.LogicalOr:
		left, right := values(args[0], variable), values(args[1], variable)
		if left == nil || right == nil {
			return nil
		}
		return unique(append(slices.Clone(left), right...))
	case operators.Equals:
		for i := range args {
			if s, ok := literal(args[1-i]); ok && isVariable(args[i], variable) {
				return []string{s}
			}
		}
	case operators.In:
		if !isVariable(args[0], variable) || args[1].Kind() != ast.ListKind {
			return nil
		}
		out := []string{}
		for _, el := range args[1].AsList().Elements() {
			s, ok := literal(el)
			if !ok {
				return nil
			}
			out = append(out, s)
		}
		return unique(out)
	}
	return nil
}

func unique(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

func isVariable(e ast.Expr, name string) bool {
	return e.Kind() == ast.IdentKind && e.AsIdent() == name
}

func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().Value().(string)
	return s, ok
}

// named lists the texts that stand beside a variable anywhere in a condition.
func named(e ast.Expr, variable string) []string {
	var out []string
	if e == nil {
		return nil
	}
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.CallKind && slices.Contains([]string{operators.Equals, operators.NotEquals, operators.In}, e.AsCall().FunctionName()) {
			for i, arg := range e.AsCall().Args() {
				if other := e.AsCall().Args()[1-i]; isVariable(arg, variable) {
					if s, ok := literal(other); ok {
						out = append(out, s)
					} else if other.Kind() == ast.ListKind {
						for _, el := range other.AsList().Elements() {
							if s, ok := literal(el); ok {
								out = append(out, s)
							}
						}
					}
				}
			}
		}
	}))
	return unique(out)
}

// stated lists the properties of thing.state that a condition names: thing.state["x"], thing.state.x, "x" in thing.state.
func stated(e ast.Expr) []string {
	var out []string
	take := func(of, name ast.Expr) {
		if s, ok := literal(name); ok && isVariable(of, "thing.state") {
			out = append(out, s)
		}
	}
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			if isVariable(e.AsSelect().Operand(), "thing.state") {
				out = append(out, e.AsSelect().FieldName())
			}
		case ast.CallKind:
			switch args := e.AsCall().Args(); e.AsCall().FunctionName() {
			case operators.Index:
				take(args[0], args[1])
			case operators.In:
				take(args[1], args[0])
			}
		}
	}))
	return unique(out)
}
