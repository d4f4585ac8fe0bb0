package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"kentongan/feeds/runner"
	"kentongan/server/strict"
)

// Fault is one thing that is wrong with a configuration, and where; Faults is every one at once.
type (
	Fault  = strict.Fault
	Faults = strict.Faults
)

// Prefix of environment variables.
const Prefix = "KENTONGAN_"

// Source is where settings come from.
type Source struct {
	File    string            // empty: KENTONGAN_CONFIG, and without that no file
	Env     []string          // as os.Environ
	Flags   map[string]string // by key, as "listen"
	Formats []string          // names of formats that feeds may use; nil: not checked
}

// Path is the file that is read; empty: none is.
func (s Source) Path() string {
	if s.File != "" {
		return s.File
	}
	path := ""
	for _, kv := range s.Env {
		if text, ok := strings.CutPrefix(kv, Prefix+"CONFIG="); ok {
			path = text
		}
	}
	return path
}

// otherVariables are ours but no settings: CONFIG names the file, the others belong to test scripts.
var otherVariables = []string{"CONFIG", "TOKEN", "URL", "BIN"}

// Load reads and checks everything. With faults the Config is what could be read, and must not be served.
func Load(s Source) (Config, Faults) {
	cfg := Default()
	env := map[string]string{}
	for _, kv := range s.Env {
		if name, value, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(name, Prefix) {
			env[strings.TrimPrefix(name, Prefix)] = value
		}
	}
	file := s.Path()
	w := strict.New(file)
	w.Base(reflect.TypeFor[runner.FeedConfig](), func() reflect.Value { return reflect.ValueOf(runner.DefaultConfig()) })
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			w.Faults = append(w.Faults, Fault{Source: file, Text: "cannot be read: " + err.Error()})
		} else {
			w.Read(text, &cfg)
		}
	}
	origin := overlay(w, &cfg, env, s.Flags)
	check(&checker{Reader: w, origin: origin, formats: s.Formats}, &cfg)
	return cfg, w.Faults.Sorted()
}

// setting is one scalar that the environment can give.
type setting struct {
	path  string // "limits.body"
	value reflect.Value
}

// settingsOf lists every scalar, and every list of texts, in the order of the struct.
func settingsOf(v reflect.Value, path string) []setting {
	var out []setting
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		field, sub := v.FieldByIndex(f.Index), strings.TrimPrefix(path+"."+name, ".")
		switch {
		case field.Kind() == reflect.Struct:
			out = append(out, settingsOf(field, sub)...)
		case field.Kind() != reflect.Slice || field.Type().Elem().Kind() == reflect.String:
			out = append(out, setting{sub, field})
		}
	}
	return out
}

func variable(path string) string { return strings.ToUpper(strings.ReplaceAll(path, ".", "_")) }

// overlay sets what the environment and the flags say, and tells from where each such value came.
func overlay(w *strict.Reader, cfg *Config, env, flags map[string]string) map[string]string {
	origin := map[string]string{}
	all := settingsOf(reflect.ValueOf(cfg).Elem(), "")
	known := make([]string, 0, len(all))
	for _, s := range all {
		known = append(known, strings.ToLower(variable(s.path)))
		if text, ok := env[variable(s.path)]; ok {
			origin[s.path] = Prefix + variable(s.path)
			give(w, s, origin[s.path], text)
		}
		if text, ok := flags[s.path]; ok {
			origin[s.path] = "--" + strings.ReplaceAll(s.path, "_", "-")
			give(w, s, origin[s.path], text)
		}
	}
	for name := range env {
		if slices.Contains(otherVariables, name) || slices.Contains(known, strings.ToLower(name)) {
			continue
		}
		// A variable that is nothing like a setting may belong to somebody else; a slip of the pen may not pass.
		if near := strict.Nearest(name, known); near != "" {
			w.Faults = append(w.Faults, Fault{Source: Prefix + name, Text: fmt.Sprintf("unknown setting; did you mean %s%s?", Prefix, strings.ToUpper(near))})
		}
	}
	return origin
}

// give sets a value from outside the file; what the file said of it no longer counts, its faults included.
func give(w *strict.Reader, s setting, source, text string) {
	w.Faults = slices.DeleteFunc(w.Faults, func(f Fault) bool {
		return f.Path == s.path && f.Line > 0 && !strings.HasPrefix(f.Text, "is given twice")
	})
	if err := setAny(s.value, text); err != nil {
		w.Faults = append(w.Faults, Fault{Source: source, Text: err.Error()})
	}
}

func setAny(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(interface{ UnmarshalText([]byte) error }); ok {
		return u.UnmarshalText([]byte(text))
	}
	if v.Kind() != reflect.Slice {
		return strict.SetText(v, text)
	}
	v.SetZero()
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			v.Set(reflect.Append(v, reflect.ValueOf(part).Convert(v.Type().Elem())))
		}
	}
	return nil
}
