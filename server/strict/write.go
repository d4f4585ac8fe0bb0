package strict

import (
	"encoding"
	"reflect"
	"strings"
	"time"
)

// Tree gives what a struct says, by its yaml names, as maps, lists and scalars, so that Read would read the same again: durations and types
// that read text are texts. What is as in base, a value of the same type, is left out. A type with the method Reveal is a secret: with
// reveal its text, else what it shows of itself.
func Tree(v, base any, reveal bool) map[string]any {
	t := tree{reveal: reveal}
	return t.fields(reflect.ValueOf(v), reflect.ValueOf(base))
}

type tree struct{ reveal bool }

func (t tree) fields(v, base reflect.Value) map[string]any {
	out := map[string]any{}
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		one, of := v.FieldByIndex(f.Index), base.FieldByIndex(f.Index)
		if reflect.DeepEqual(one.Interface(), of.Interface()) || empty(one) && empty(of) {
			continue
		}
		if one.Kind() == reflect.Struct && !isText(one) {
			out[name] = t.fields(one, of)
			continue
		}
		out[name] = t.value(one)
	}
	return out
}

// empty tells a list or a dictionary that holds nothing, whether it is there or not.
func empty(v reflect.Value) bool {
	return (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}

func isText(v reflect.Value) bool {
	_, ok := v.Interface().(encoding.TextMarshaler)
	return ok
}

func (t tree) value(v reflect.Value) any {
	if s, ok := v.Interface().(interface{ Reveal() string }); ok && t.reveal {
		return s.Reveal()
	}
	switch s := v.Interface().(type) {
	case time.Duration:
		return s.String()
	case encoding.TextMarshaler:
		text, err := s.MarshalText()
		if err != nil {
			return ""
		}
		return string(text)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return t.value(v.Elem())
	case reflect.Struct:
		return t.fields(v, reflect.Zero(v.Type()))
	case reflect.Slice:
		out := make([]any, 0, v.Len())
		for i := range v.Len() {
			out = append(out, t.value(v.Index(i)))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = t.value(v.MapIndex(k))
		}
		return out
	case reflect.Interface:
		return v.Interface()
	}
	return v.Interface()
}
