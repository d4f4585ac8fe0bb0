package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kentongan/feeds/runner"
)

func TestReadFeedTakesEveryForm(t *testing.T) {
	entry := "name: a\nformat: native\nevery: 5s\n"
	for name, c := range map[string]struct{ text, pick, want string }{
		"entry":         {entry, "", ""},
		"list":          {"- {name: a, format: native, every: 5s}\n", "", ""},
		"file":          {"profile: solok\nfeeds:\n  - {name: a, format: native, every: 5s}\n", "", ""},
		"json":          {`{"name":"a","format":"native","every":"5s"}`, "", ""},
		"one of":        {"feeds:\n  - {name: b, format: native}\n  - {name: a, format: native, every: 5s}\n", "a", ""},
		"several":       {"feeds:\n  - {name: b, format: native}\n  - {name: a, format: native}\n", "", "name: holds several feeds; name one of: b, a"},
		"none":          {"profile: solok\n", "", "x.yaml: holds no feed"},
		"not there":     {entry, "c", `x.yaml:1:7: name: there is no feed "c" here`},
		"not in list":   {"- {name: a, format: native}", "c", `there is no feed "c" here; there are: a`},
		"unknown key":   {"- {name: a, format: native, evry: 5s}", "", "x.yaml:1:29: evry: unknown key; did you mean every?"},
		"twice":         {"name: a\nformat: native\nname: b\n", "", "x.yaml:3:1: name: is given twice, first in line 1"},
		"json twice":    {`{"name":"a","format":"native","format":"cap"}`, "", "format: is given twice"},
		"of another":    {"feeds:\n  - {name: b, formt: native}\n  - {name: a, format: native, every: 5s}\n", "a", ""},
		"no yaml":       {"feeds: [", "", "x.yaml:1:"},
		"second":        {entry + "---\nname: b\n", "", "a second document begins here"},
		"empty":         {"", "", "holds no feed"},
		"wrong type":    {"- {name: a, format: native, every: 5}", "", "every: want a duration such as 30s"},
		"two of a name": {"- {name: a, format: native}\n- {name: a, format: cap}\n", "a", `"a" is given to two feeds`},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults := ReadFeed("x.yaml", c.text, c.pick)
			if c.want == "" && (len(faults.Faults) > 0 || got.Name != "a" || got.Every != 5*time.Second || got.Timeout != 10*time.Second) {
				t.Errorf("%v %+v", faults.Faults, got)
			}
			if c.want != "" && !strings.Contains(faults.Error(), c.want) {
				t.Errorf("got %q, want %q", faults.Error(), c.want)
			}
		})
	}
}

func TestFaultsOfACheckFindTheirLines(t *testing.T) {
	c, faults := ReadFeed("x.yaml", "feeds:\n  - name: a\n    format: json\n    map: '{'\n    transport: poll\n", "")
	faults.Check(c.Validate())
	text := faults.Error()
	if !strings.Contains(text, "x.yaml:4:10: map: ") || !strings.Contains(text, "url: required") {
		t.Error(text)
	}
}

// What is written of settings reads to the same settings: those of every sample, and one that says everything.
func TestFeedTreeReadsBack(t *testing.T) {
	files, err := filepath.Glob("../../deploy/*/*.yaml")
	more, err2 := filepath.Glob("../../deploy/*.yaml")
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	n := 0
	for _, file := range append(files, more...) {
		cfg, _ := Load(Source{File: file})
		for _, f := range cfg.Feeds {
			n++
			readsBack(t, f)
		}
	}
	full := runner.DefaultConfig()
	fill(reflect.ValueOf(&full).Elem())
	readsBack(t, full)
	if n == 0 {
		t.Error("no sample holds a feed")
	}
}

func readsBack(t *testing.T, c runner.FeedConfig) {
	t.Helper()
	b, err := FeedJSON(c, true)
	if err != nil {
		t.Fatal(err)
	}
	again, faults := ReadFeed("x", string(b), "")
	if len(faults.Faults) > 0 {
		t.Fatalf("%s: %v\n%s", c.Name, faults.Faults, b)
	}
	first, second := fmt.Sprintf("%+v", FeedTree(c, true)), fmt.Sprintf("%+v", FeedTree(again, true))
	if first != second {
		t.Errorf("wrote\n%s\nread\n%s", first, second)
	}
	shown, err := FeedJSON(c, false)
	if err != nil || strings.Contains(string(shown), "hush") {
		t.Errorf("%v: a secret is shown: %s", err, shown)
	}
}

// fill gives every scalar of settings a value of its own.
func fill(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[runner.Secret]():
		v.SetString("hush: \"#' °")
	case v.Type() == reflect.TypeFor[time.Duration]():
		v.SetInt(int64(90*time.Second + 500*time.Millisecond))
	case v.Kind() == reflect.String:
		v.SetString("a: \"b\" # \\ \n é")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(7)
	case v.CanUint():
		v.SetUint(7)
	case v.CanFloat():
		v.SetFloat(2.5)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case v.Kind() == reflect.Map && v.Type().Elem().Kind() == reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"each": ".data[]", "n": 3.5, "list": []any{"x"}}))
	case v.Kind() == reflect.Map:
		one := reflect.New(v.Type().Elem()).Elem()
		fill(one)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("X-Key").Convert(v.Type().Key()), one)
	}
}
