// Package strict is YAML read into structs, with every fault at once and the place of each.
//
// It is stricter than a decoder: unknown keys, keys given twice, tags, merge keys and second documents are faults, and a bare 12 is no text.
package strict

import (
	"encoding"
	"encoding/json"
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

// Place is where a value stands, from 1; zero is nowhere.
type Place struct{ Line, Column int }

// Reader fills a struct from a YAML tree and collects every fault on its way instead of stopping at the first. The struct names its keys by
// yaml tags. A type that reads YAML (UnmarshalYAML with a function) is given the value as it stands, one that reads text
// (encoding.TextUnmarshaler) a scalar's text, one that reads JSON (json.Unmarshaler) the value as JSON. Not safe for concurrent use.
type Reader struct {
	Source   string // file name, as faults name it
	Faults   Faults
	places   map[string]Place // by path, of keys and values that were read
	bases    map[reflect.Type]func() reflect.Value
	anchors  map[string]ast.Node
	duration reflect.Type
}

// New gives a reader of one file.
func New(source string) *Reader {
	return &Reader{Source: source, places: map[string]Place{}, bases: map[reflect.Type]func() reflect.Value{}, anchors: map[string]ast.Node{},
		duration: reflect.TypeFor[time.Duration]()}
}

// Base sets what a value of a type is before its keys are read.
func (w *Reader) Base(t reflect.Type, make func() reflect.Value) { w.bases[t] = make }

// Read walks a whole document into the struct that into points to.
func (w *Reader) Read(text []byte, into any) {
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

func (w *Reader) syntax(err error) {
	f := Fault{Source: w.Source, Line: 1, Column: 1, Text: firstLine(err.Error())}
	var at yaml.Error
	if errors.As(err, &at) {
		f.Text = "does not parse: " + at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Column = t.Position.Line, t.Position.Column
		}
	}
	w.Faults = append(w.Faults, f)
}

func placeOf(n ast.Node) Place {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return Place{t.Position.Line, t.Position.Column}
	}
	return Place{1, 1}
}

func (w *Reader) fault(n ast.Node, path, format string, args ...any) {
	p := placeOf(n)
	w.Faults = append(w.Faults, Fault{w.Source, p.Line, p.Column, path, fmt.Sprintf(format, args...)})
}

// value reads one node into v, which can be set.
func (w *Reader) value(n ast.Node, v reflect.Value, path string, depth int) {
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
	if u, ok := v.Addr().Interface().(interface{ UnmarshalYAML(func(any) error) error }); ok {
		if err := yaml.NodeToValue(n, u); err != nil {
			w.fault(n, path, "%s", plain(err, path))
		}
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		w.scalarInto(n, path, "text", u.UnmarshalText)
		return
	}
	if u, ok := v.Addr().Interface().(json.Unmarshaler); ok {
		w.json(n, path, u)
		return
	}
	switch {
	case v.Type() == w.duration, v.Kind() <= reflect.Float64, v.Kind() == reflect.String:
		w.scalar(n, v, path)
	case v.Kind() == reflect.Struct:
		w.mapping(n, v, path, depth)
	case v.Kind() == reflect.Slice:
		w.sequence(n, v, path, depth)
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		w.dictionary(n, v, path, depth)
	default:
		if err := yaml.NodeToValue(n, v.Addr().Interface(), yaml.Strict()); err != nil {
			w.fault(n, path, "%s", firstLine(err.Error()))
		}
	}
}

// resolve follows anchors, aliases and tags to the node that holds the value.
func (w *Reader) resolve(n ast.Node, path string, depth int) (ast.Node, int) {
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

func (w *Reader) base(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	if make, ok := w.bases[t]; ok {
		p.Elem().Set(make())
	}
	return p
}

func (w *Reader) mapping(n ast.Node, v reflect.Value, path string, depth int) {
	fields, names := fieldsOf(v.Type())
	w.entries(n, path, func(e *ast.MappingValueNode, key, sub string) {
		i, known := fields[key]
		if !known {
			text := "unknown key"
			if near := Nearest(key, names); near != "" {
				text += fmt.Sprintf("; did you mean %s?", near)
			}
			w.fault(e.Key, sub, "%s", text)
			return
		}
		w.places[sub] = placeOf(e.Value)
		w.value(e.Value, v.FieldByIndex(i), sub, depth)
	})
}

// dictionary reads keys that the file itself chooses.
func (w *Reader) dictionary(n ast.Node, v reflect.Value, path string, depth int) {
	out := reflect.MakeMap(v.Type())
	w.entries(n, path, func(e *ast.MappingValueNode, key, sub string) {
		w.places[sub] = placeOf(e.Value)
		item := w.base(v.Type().Elem()).Elem()
		w.value(e.Value, item, sub, depth)
		out.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), item)
	})
	v.Set(out)
}

// entries visits the keys of a mapping, each once.
func (w *Reader) entries(n ast.Node, path string, visit func(e *ast.MappingValueNode, key, sub string)) {
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
		first[key] = placeOf(e.Key).Line
		visit(e, key, sub)
	}
}

// json gives a value as JSON to the type that reads it.
func (w *Reader) json(n ast.Node, path string, into json.Unmarshaler) {
	var v any
	if err := yaml.NodeToValue(n, &v, yaml.Strict()); err != nil {
		w.fault(n, path, "%s", firstLine(err.Error()))
		return
	}
	text, err := json.Marshal(v)
	if err == nil {
		err = into.UnmarshalJSON(text)
	}
	if err != nil {
		w.fault(n, path, "%s", firstLine(err.Error()))
	}
}

func (w *Reader) sequence(n ast.Node, v reflect.Value, path string, depth int) {
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

// plain is what a type says of a value it does not read, without the name of the key, which stands before it anyway.
func plain(err error, path string) string {
	text := firstLine(err.Error())
	if at := strings.LastIndexByte(path, '.'); at >= 0 {
		path = path[at+1:]
	}
	return strings.TrimPrefix(text, path+": ")
}

func firstLine(s string) string { return strings.TrimSpace(strings.SplitN(s, "\n", 2)[0]) }

// Locate gives the place of a path, or of the nearest thing around it that was read.
func (w *Reader) Locate(path string) Place {
	for path != "" {
		if p, ok := w.places[path]; ok {
			return p
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return Place{}
}

// Faulty tells whether a path, or something inside it, is already known to be wrong.
func (w *Reader) Faulty(path string) bool {
	return slices.ContainsFunc(w.Faults, func(f Fault) bool {
		return f.Path == path || strings.HasPrefix(f.Path, path+".") || strings.HasPrefix(f.Path, path+"[")
	})
}
