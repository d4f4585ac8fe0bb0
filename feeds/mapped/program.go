package mapped

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"kentongan/feeds/bounded"
)

// forbidden are the functions by which a program would see more than the bytes before it: surroundings, further input, clock, the
// machine's time zone, our log; and those by which it would stop in a way that says nothing.
var forbidden = map[string]string{
	"env": "the environment is not read", "$ENV": "the environment is not read", "input": "there is one input", "inputs": "there is one input",
	"input_filename": "there is one input", "input_line_number": "there is one input", "now": "a map has no clock; without at, the time of receipt stands in",
	"localtime": "the machine's zone is not ours: use zoned", "strflocaltime": "the machine's zone is not ours: use zoned",
	"debug": "a map writes nothing", "stderr": "a map writes nothing", "halt": "use empty", "halt_error": "use error", "get_search_list": "there are no modules",
	"modulemeta": "there are no modules", "builtins": "not needed by a map",
}

// variables that every program sees.
var variables = []string{"$doc", "$topic", "$feed"}

// maxSource bounds a program's text.
const maxSource = 64 << 10

// program is a compiled jq program. It is safe for concurrent use.
type program struct{ code *gojq.Code }

// compile reads a program and gives all its faults joined, each with its place in the program where jq tells it.
func compile(source string) (*program, error) {
	if strings.TrimSpace(source) == "" {
		return nil, errors.New("a jq program is required")
	}
	if len(source) > maxSource {
		return nil, fmt.Errorf("%d bytes, more than %d", len(source), maxSource)
	}
	query, err := gojq.Parse(source)
	if err != nil {
		var at *gojq.ParseError
		if errors.As(err, &at) {
			line, column := bounded.Place([]byte(source), at.Offset-len(at.Token))
			return nil, fmt.Errorf("line %d column %d of the program: %w", line, column, err)
		}
		return nil, err
	}
	var faults []error
	for _, name := range used(query) {
		if why := forbidden[name]; why != "" {
			faults = append(faults, fmt.Errorf("%s: %s", name, why))
		}
	}
	if len(query.Imports) > 0 {
		faults = append(faults, errors.New("import: there are no modules"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	code, err := gojq.Compile(query, gojq.WithVariables(variables),
		gojq.WithFunction("num", 0, 0, num), gojq.WithFunction("zoned", 1, 1, zoned))
	if err != nil {
		return nil, err
	}
	return &program{code}, nil
}

// used lists the functions and variables that a query names, wherever in it, sorted and each once.
func used(query *gojq.Query) []string {
	var names []string
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				if f, ok := v.Interface().(*gojq.Func); ok {
					names = append(names, f.Name)
				}
				walk(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	walk(reflect.ValueOf(query))
	slices.Sort(names)
	return slices.Compact(names)
}

// errSpent says that a program goes on for too long.
var errSpent = errors.New("the program goes on for too long for so few bytes: nothing of the delivery is taken")

// A delivery may cost a program so many steps of jq's machine, of which a core takes some ten million a second: a bound on its time that is
// the same on every machine, so that equal bytes give an equal batch.
const (
	freeSteps    = 5_000_000
	stepsPerByte = 100
	maxOutputs   = 200_000 // records of one delivery
)

// budget is a context that ends after a number of looks at it; jq's machine looks once a step.
type budget struct {
	context.Context
	steps int
	ended chan struct{}
}

func newBudget(bytes int) *budget {
	b := &budget{Context: context.Background(), steps: freeSteps + bytes*stepsPerByte, ended: make(chan struct{})}
	close(b.ended)
	return b
}

// Done counts a step.
func (b *budget) Done() <-chan struct{} {
	if b.steps--; b.steps < 0 {
		return b.ended
	}
	return nil
}

// Err tells that the steps are used up.
func (b *budget) Err() error {
	if b.steps < 0 {
		return errSpent
	}
	return nil
}

// run gives every output of the program to visit. It ends with the program's own error, with errSpent, or with visit's error.
func (p *program) run(b *budget, input any, values []any, visit func(any) error) error {
	outputs := p.code.RunWithContext(b, input, values...)
	for {
		v, ok := outputs.Next()
		if !ok {
			return nil
		}
		if err, failed := v.(error); failed {
			if b.Err() != nil {
				return errSpent
			}
			return err
		}
		if err := visit(v); err != nil {
			return err
		}
	}
}
