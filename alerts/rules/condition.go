package rules

import (
	"fmt"
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// FactKind is the type of a fact that a condition of another package may ask for.
type FactKind int

// The kinds of facts, with the Go values that Holds takes for them.
const (
	Whole  FactKind = iota // int
	Number                 // float64
	Text                   // string
	Truth                  // bool
	Counts                 // map[string]int
	Texts                  // map[string]string
)

// Vocabulary is the names that conditions may use, each with its kind: those of the area's status are such.
type Vocabulary struct {
	env   *cel.Env
	names []string
}

// NewVocabulary makes one. A name that CEL does not take is an error.
func NewVocabulary(facts map[string]FactKind) (*Vocabulary, error) {
	v := &Vocabulary{names: slices.Sorted(maps.Keys(facts))}
	var vars []cel.EnvOption
	for _, name := range v.names {
		kind, ok := map[FactKind]*cel.Type{Whole: cel.IntType, Number: cel.DoubleType, Text: cel.StringType, Truth: cel.BoolType,
			Counts: cel.MapType(cel.StringType, cel.IntType), Texts: cel.MapType(cel.StringType, cel.StringType)}[facts[name]]
		if !ok {
			return nil, fmt.Errorf("fact %s: kind %d is none", name, facts[name])
		}
		vars = append(vars, cel.Variable(name, kind))
	}
	var err error
	v.env, err = newEnv(vars...)
	return v, err
}

// Condition is a checked expression that is true or false. Safe for concurrent use.
type Condition struct {
	program cel.Program
	names   []string
}

// Compile checks an expression; the error carries CEL's line and column.
func (v *Vocabulary) Compile(expression string) (*Condition, error) {
	program, checked, err := compile(v.env, expression)
	if err != nil {
		return nil, err
	}
	c := &Condition{program: program}
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind && slices.Contains(v.names, e.AsIdent()) && !slices.Contains(c.names, e.AsIdent()) {
			c.names = append(c.names, e.AsIdent())
		}
	}))
	return c, nil
}

// Names lists the facts that the condition asks for, in the order in which it does.
func (c *Condition) Names() []string { return slices.Clone(c.names) }

// Holds tells whether the condition is true of the facts; every name of the vocabulary must be among them. An error means that it cannot be
// told, such as a key that a map does not have.
func (c *Condition) Holds(facts map[string]any) (bool, error) {
	out, _, err := c.program.Eval(facts)
	if err != nil {
		return false, err
	}
	held, ok := out.Value().(bool)
	return ok && held, nil
}
