package strict

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// scalarText gives the text of a scalar node as it was written, without quotes.
func scalarText(n ast.Node) (string, bool) {
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, true
	case *ast.LiteralNode:
		return t.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	default:
		return "", false
	}
}

func (w *Reader) scalarInto(n ast.Node, path, want string, set func([]byte) error) {
	text, ok := scalarText(n)
	if !ok {
		w.fault(n, path, "want %s, found %s", want, kindOf(n))
		return
	}
	if err := set([]byte(text)); err != nil {
		w.fault(n, path, "%v", err)
	}
}

// scalar reads a text, number, bool or duration. YAML's own types are kept apart: a bare 12 is no text and a quoted "true" no bool.
func (w *Reader) scalar(n ast.Node, v reflect.Value, path string) {
	text, ok := scalarText(n)
	if !ok {
		w.fault(n, path, "want %s, found %s", wanted(v), kindOf(n))
		return
	}
	isText := n.Type() == ast.StringType || n.Type() == ast.LiteralType
	switch {
	case v.Type() == w.duration:
	case v.Kind() == reflect.String && !isText:
		w.fault(n, path, "want a text, found %s; put it in quotes", kindOf(n))
		return
	case v.Kind() != reflect.String && isText:
		w.fault(n, path, "want %s, found a text", wanted(v))
		return
	}
	if err := SetText(v, text); err != nil {
		w.fault(n, path, "%v", err)
	}
}

func wanted(v reflect.Value) string {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		return "a duration such as 30s"
	case v.Kind() == reflect.String:
		return "a text"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanFloat():
		return "a number"
	default:
		return "a whole number"
	}
}

// SetText reads a value from its text: from YAML, from the environment, from a flag.
func SetText(v reflect.Value, text string) error {
	bad := func() error { return fmt.Errorf("want %s, found %.60q", wanted(v), text) }
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(text)
		if err != nil {
			return bad()
		}
		v.SetInt(int64(d))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		switch text {
		case "true", "false":
			v.SetBool(text == "true")
		default:
			return bad()
		}
	case v.CanInt():
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 0, v.Type().Bits())
		if err != nil {
			return bad()
		}
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(strings.ReplaceAll(text, "_", ""), 0, v.Type().Bits())
		if err != nil {
			return bad()
		}
		v.SetUint(n)
	case v.CanFloat():
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil {
			return bad()
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("cannot be given as text")
	}
	return nil
}
