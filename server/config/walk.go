package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxDepth bounds nesting, and with it what an alias inside its own anchor can cost.
const maxDepth = 32

// place is where a value stands.
type place struct{ line, column int }

// walker fills a struct from a YAML tree and collects every fault on its way instead of stopping at the first.
type walker struct {
	source   string
	faults   Faults
	places   map[string]place // by path, of keys and values that were read
	bases    map[reflect.Type]func() reflect.Value
	anchors  map[string]ast.Node
	duration reflect.Type
}

func newWalker(source string) *walker {
	return &walker{source: source, places: map[string]place{}, bases: map[reflect.Type]func() reflect.Value{}, anchors: map[string]ast.Node{},
		duration: reflect.TypeFor[time.Duration]()}
}

// read walks a whole document into the struct that into points to.
func (w *walker) read(text []byte, into any) {
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		w.syntax(err)
		return
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			w.fault(doc.Body, "", "a second document begins here; one file is one document")
			continue
		}
		body = doc.Body
	}
	if body != nil {
		w.value(body, reflect.ValueOf(into).Elem(), "", 0)
	}
}

func (w *walker) syntax(err error) {
	f := Fault{Source: w.source, Line: 1, Column: 1, Text: firstLine(err.Error())}
	var at yaml.Error
	if errors.As(err, &at) {
		f.Text = "does not parse: " + at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Column = t.Position.Line, t.Position.Column
		}
	}
	w.faults = append(w.faults, f)
}

func placeOf(n ast.Node) place {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return place{t.Position.Line, t.Position.Column}
	}
	return place{1, 1}
}

func (w *walker) fault(n ast.Node, path, format string, args ...any) {
	p := placeOf(n)
	w.faults = append(w.faults, Fault{w.source, p.line, p.column, path, fmt.Sprintf(format, args...)})
}

// value reads one node into v, which can be set.
func (w *walker) value(n ast.Node, v reflect.Value, path string, depth int) {
	if n, depth = w.resolve(n, path, depth); n == nil {
		return
	}
	if n.Type() == ast.NullType {
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(w.base(v.Type().Elem()))
		}
		w.value(n, v.Elem(), path, depth)
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		w.scalarInto(n, path, "text", u.UnmarshalText)
		return
	}
	switch {
	case v.Type() == w.duration, v.Kind() <= reflect.Float64, v.Kind() == reflect.String:
		w.scalar(n, v, path)
	case v.Kind() == reflect.Struct:
		w.mapping(n, v, path, depth)
	case v.Kind() == reflect.Slice:
		w.sequence(n, v, path, depth)
	default:
		if err := yaml.NodeToValue(n, v.Addr().Interface(), yaml.Strict()); err != nil {
			w.fault(n, path, "%s", firstLine(err.Error()))
		}
	}
}

// resolve follows anchors, aliases and tags to the node that holds the value.
func (w *walker) resolve(n ast.Node, path string, depth int) (ast.Node, int) {
	for ; depth < maxDepth; depth++ {
		switch t := n.(type) {
		case *ast.AnchorNode:
			w.anchors[t.Name.String()] = t.Value
			n = t.Value
		case *ast.AliasNode:
			to, ok := w.anchors[t.Value.String()]
			if !ok {
				w.fault(n, path, "*%s names an anchor that is not above", t.Value.String())
				return nil, 0
			}
			n = to
		case *ast.TagNode:
			w.fault(n, path, "tags such as %s are not read", t.Start.Value)
			return nil, 0
		default:
			return n, depth + 1
		}
	}
	w.fault(n, path, "nested deeper than %d", maxDepth)
	return nil, 0
}

func (w *walker) base(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	if make, ok := w.bases[t]; ok {
		p.Elem().Set(make())
	}
	return p
}

func (w *walker) mapping(n ast.Node, v reflect.Value, path string, depth int) {
	var entries []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		entries = m.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{m}
	default:
		w.fault(n, path, "want keys with values, found %s", kindOf(n))
		return
	}
	fields, names := fieldsOf(v.Type())
	first := map[string]int{}
	for _, e := range entries {
		key := e.Key.GetToken().Value
		sub := join(path, key)
		if e.Key.IsMergeKey() {
			w.fault(e.Key, path, "merge keys (<<) are not read")
			continue
		}
		if line, twice := first[key]; twice {
			w.fault(e.Key, sub, "is given twice, first in line %d", line)
			continue
		}
		first[key] = placeOf(e.Key).line
		i, known := fields[key]
		if !known {
			text := "unknown key"
			if near := nearest(key, names); near != "" {
				text += fmt.Sprintf("; did you mean %s?", near)
			}
			w.fault(e.Key, sub, "%s", text)
			continue
		}
		w.places[sub] = placeOf(e.Value)
		w.value(e.Value, v.FieldByIndex(i), sub, depth)
	}
}

func (w *walker) sequence(n ast.Node, v reflect.Value, path string, depth int) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		w.fault(n, path, "want a list, found %s", kindOf(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, len(s.Values))
	for i, e := range s.Values {
		sub := fmt.Sprintf("%s[%d]", path, i)
		w.places[sub] = placeOf(e)
		item := w.base(v.Type().Elem()).Elem()
		w.value(e, item, sub, depth)
		out = reflect.Append(out, item)
	}
	v.Set(out)
}

// fieldsOf maps yaml names to field indexes; names come in the order of the struct.
func fieldsOf(t reflect.Type) (map[string][]int, []string) {
	fields, names := map[string][]int{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		fields[name] = f.Index
		names = append(names, name)
	}
	return fields, names
}

func kindOf(n ast.Node) string {
	switch n.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "keys with values"
	case ast.SequenceType:
		return "a list"
	case ast.StringType, ast.LiteralType:
		return "a text"
	case ast.IntegerType, ast.FloatType:
		return "a number"
	case ast.BoolType:
		return n.GetToken().Value
	default:
		return strings.ToLower(n.Type().String())
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func firstLine(s string) string { return strings.TrimSpace(strings.SplitN(s, "\n", 2)[0]) }

// locate gives the place of a path, or of the nearest thing around it that was read.
func (w *walker) locate(path string) place {
	for path != "" {
		if p, ok := w.places[path]; ok {
			return p
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return place{}
}

// faulty tells whether a path, or something inside it, is already known to be wrong.
func (w *walker) faulty(path string) bool {
	return slices.ContainsFunc(w.faults, func(f Fault) bool {
		return f.Path == path || strings.HasPrefix(f.Path, path+".") || strings.HasPrefix(f.Path, path+"[")
	})
}
