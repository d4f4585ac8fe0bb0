package wire

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// published lists every field of every JSON message and document, as "Type.field", nested ones by their own type.
func published() []string {
	var out []string
	done := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Array {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || done[t] || !strings.HasPrefix(t.PkgPath(), "kentongan/") || t.Name() == "Time" || t.Name() == "Shape" {
			return
		}
		done[t] = true
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.IsExported() && name != "-" && name != "" {
				out = append(out, t.String()+"."+name)
			}
			if f.IsExported() && name != "-" {
				walk(f.Type)
			}
		}
	}
	for _, list := range [][]Named{ServerMessages(), ClientMessages(), Nouns()} {
		for _, n := range list {
			walk(n.Type)
		}
	}
	slices.Sort(out)
	return out
}

// Case documents travel as JSON in both forms, and outside systems read them: a field that was published stays. -update writes new
// ones down; one that is to go is taken out of the list by hand, in a commit that says who has been told.
func TestNoPublishedFieldDisappears(t *testing.T) {
	path := filepath.Join("testdata", "published.txt")
	text, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	listed, now := strings.Fields(string(text)), published()
	for _, f := range listed {
		if !slices.Contains(now, f) {
			t.Errorf("%s was published and is gone", f)
		}
	}
	for _, f := range now {
		if !slices.Contains(listed, f) {
			if !*update {
				t.Errorf("%s is new: go test ./server/wire -update lists it", f)
			}
			listed = append(listed, f)
		}
	}
	if *update {
		slices.Sort(listed)
		if err := os.WriteFile(path, []byte(strings.Join(listed, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
