package rules

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"kentongan/feeds"
)

// A condition that is nothing but comparisons of our own variables with constants is answered without CEL's interpreter, some thirty times
// faster and with the same answer: quick_test.go holds the two against each other.

// verdict3 is CEL's three-valued logic: an error is neither.
type verdict3 int8

const (
	no verdict3 = iota
	yes
	faulty
)

func truth(b bool) verdict3 {
	if b {
		return yes
	}
	return no
}

type node interface{ eval(v *view) verdict3 }

type (
	andNode    struct{ a, b node }
	orNode     struct{ a, b node }
	notNode    struct{ a node }
	constNode  verdict3
	numberNode struct { // obs.value or obs.rate against a number
		rate bool
		op   string
		than float64
	}
	textNode struct { // a text against a text
		of    field
		equal bool
		to    string
	}
	inNode struct {
		of  field
		set []string
	}
	partNode struct { // startsWith, endsWith, contains
		of   field
		does func(s, part string) bool
		part string
	}
	valueTextNode struct { // obs.value against a text or a bool
		equal bool
		to    feeds.Value
	}
	oursNode struct{}
)

func (n andNode) eval(v *view) verdict3 {
	a := n.a.eval(v)
	if a == no {
		return no
	}
	if b := n.b.eval(v); b == no || a == yes {
		return b
	}
	return faulty
}

func (n orNode) eval(v *view) verdict3 {
	a := n.a.eval(v)
	if a == yes {
		return yes
	}
	if b := n.b.eval(v); b == yes || a == no {
		return b
	}
	return faulty
}

func (n notNode) eval(v *view) verdict3 {
	switch n.a.eval(v) {
	case no:
		return yes
	case yes:
		return no
	}
	return faulty
}

func (n constNode) eval(*view) verdict3 { return verdict3(n) }

func (n numberNode) eval(v *view) verdict3 {
	x := v.rate
	if n.rate {
		if !v.rated {
			return faulty
		}
	} else {
		if v.obs.Value.Type != feeds.Number {
			switch n.op { // of another type: not equal, and in no order
			case operators.Equals:
				return no
			case operators.NotEquals:
				return yes
			}
			return faulty
		}
		x = v.obs.Value.Num
	}
	switch n.op {
	case operators.Less:
		return truth(x < n.than)
	case operators.LessEquals:
		return truth(x <= n.than)
	case operators.Greater:
		return truth(x > n.than)
	case operators.GreaterEquals:
		return truth(x >= n.than)
	case operators.Equals:
		return truth(x == n.than)
	default:
		return truth(x != n.than)
	}
}

func (n textNode) eval(v *view) verdict3 { return truth((n.of.text(v) == n.to) == n.equal) }

func (n inNode) eval(v *view) verdict3 {
	s := n.of.text(v)
	for _, x := range n.set {
		if x == s {
			return yes
		}
	}
	return no
}

func (n partNode) eval(v *view) verdict3 { return truth(n.does(n.of.text(v), n.part)) }

func (n valueTextNode) eval(v *view) verdict3 { return truth((v.obs.Value == n.to) == n.equal) }

func (oursNode) eval(v *view) verdict3 { return truth(v.area().ours) }

// field is a variable that is a text.
type field int8

const (
	fieldProperty field = iota
	fieldUnit
	fieldThing
	fieldKind
	fieldFeed
	fieldName
	fieldAreaCode
	fieldAreaName
	fieldAreaKind
)

var fields = map[string]field{
	"obs.property": fieldProperty, "obs.unit": fieldUnit, "thing.id": fieldThing, "thing.kind": fieldKind, "thing.feed": fieldFeed,
	"thing.name": fieldName, "area.code": fieldAreaCode, "area.name": fieldAreaName, "area.kind": fieldAreaKind,
}

func (f field) text(v *view) string {
	switch f {
	case fieldProperty:
		return v.obs.Property
	case fieldUnit:
		return v.obs.Unit
	case fieldThing:
		return v.thing.ID
	case fieldKind:
		return v.thing.Kind
	case fieldFeed:
		return v.thing.Feed
	case fieldName:
		return v.thing.Name
	case fieldAreaCode:
		return v.area().code
	case fieldAreaName:
		return v.area().name
	}
	return v.area().kind
}

func fieldOf(e ast.Expr) (field, bool) {
	if e.Kind() != ast.IdentKind {
		return 0, false
	}
	f, ok := fields[e.AsIdent()]
	return f, ok
}

// quickOf makes a condition that is nothing but comparisons; nil where it is more.
func quickOf(e ast.Expr) node {
	switch e.Kind() {
	case ast.LiteralKind:
		if b, ok := e.AsLiteral().Value().(bool); ok {
			return constNode(truth(b))
		}
	case ast.IdentKind:
		if e.AsIdent() == "area.ours" {
			return oursNode{}
		}
	case ast.CallKind:
		return quickCall(e.AsCall())
	}
	return nil
}

func quickCall(call ast.CallExpr) node {
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr:
		a, b := quickOf(args[0]), quickOf(args[1])
		switch {
		case a == nil || b == nil:
			return nil
		case name == operators.LogicalAnd:
			return andNode{a, b}
		}
		return orNode{a, b}
	case operators.LogicalNot:
		if a := quickOf(args[0]); a != nil {
			return notNode{a}
		}
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		if n := quickComparison(name, args[0], args[1]); n != nil {
			return n
		}
		return quickComparison(mirrored[name], args[1], args[0])
	case operators.In:
		f, ok := fieldOf(args[0])
		set := literals(args[1])
		if ok && set != nil {
			return inNode{f, set}
		}
	case "startsWith", "endsWith", "contains":
		if !call.IsMemberFunction() || len(args) != 1 {
			return nil
		}
		f, ok := fieldOf(call.Target())
		part, isText := literal(args[0])
		if ok && isText {
			return partNode{f, map[string]func(s, part string) bool{"startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix, "contains": strings.Contains}[name], part}
		}
	}
	return nil
}

// mirrored is the operator that says the same with its sides exchanged.
var mirrored = map[string]string{
	operators.Equals: operators.Equals, operators.NotEquals: operators.NotEquals, operators.Less: operators.Greater,
	operators.LessEquals: operators.GreaterEquals, operators.Greater: operators.Less, operators.GreaterEquals: operators.LessEquals,
}

func quickComparison(op string, left, right ast.Expr) node {
	if right.Kind() != ast.LiteralKind || left.Kind() != ast.IdentKind {
		return nil
	}
	equality := op == operators.Equals || op == operators.NotEquals
	lit := right.AsLiteral().Value()
	if s, ok := lit.(string); ok && equality {
		if f, ok := fieldOf(left); ok {
			return textNode{f, op == operators.Equals, s}
		}
		if isVariable(left, "obs.value") {
			return valueTextNode{op == operators.Equals, feeds.Value{Type: feeds.Text, Text: s}}
		}
		return nil
	}
	if b, ok := lit.(bool); ok && equality && isVariable(left, "obs.value") {
		want := feeds.Value{Type: feeds.Bool}
		if b {
			want.Num = 1
		}
		return valueTextNode{op == operators.Equals, want}
	}
	var than float64
	switch x := lit.(type) {
	case float64:
		than = x
	case int64:
		if x > 1<<53 || x < -1<<53 {
			return nil // not every one is a double
		}
		than = float64(x)
	default:
		return nil
	}
	switch {
	case isVariable(left, "obs.value"):
		return numberNode{false, op, than}
	case isVariable(left, "obs.rate"):
		return numberNode{true, op, than}
	}
	return nil
}

func literals(e ast.Expr) []string {
	if e.Kind() != ast.ListKind {
		return nil
	}
	out := []string{}
	for _, el := range e.AsList().Elements() {
		s, ok := literal(el)
		if !ok {
			return nil
		}
		out = append(out, s)
	}
	return out
}
