package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Secret is a text that no log and no dump shows.
type Secret string

// shown stands wherever a Secret would be printed.
const shown = "<secret>"

// String hides the secret; empty stays empty, so that one sees that there is none.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return shown
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal gives the text itself, to the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// Size is a number of bytes, written as 1048576, 512 KiB or 16 MiB.
type Size int64

// sizeUnits from large to small.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// UnmarshalText reads a whole number with an optional unit.
func (s *Size) UnmarshalText(b []byte) error {
	text, factor := strings.TrimSpace(string(b)), int64(1)
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			text, factor = strings.TrimSpace(n), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/factor {
		return fmt.Errorf("%q is not a size such as 16 MiB", b)
	}
	*s = Size(n * factor)
	return nil
}

// String is the form that UnmarshalText reads.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s > 0 && int64(s)%u.bytes == 0 {
			return fmt.Sprintf("%d %s", int64(s)/u.bytes, u.name)
		}
	}
	return "0 B"
}

// MarshalText writes the same form.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

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

func (w *walker) scalarInto(n ast.Node, path, want string, set func([]byte) error) {
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
func (w *walker) scalar(n ast.Node, v reflect.Value, path string) {
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
	if err := setText(v, text); err != nil {
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

// setText reads a value from its text: from YAML, from the environment, from a flag.
func setText(v reflect.Value, text string) error {
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
