package incident

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var update = flag.Bool("update", false, "write the goldens anew")

// fill writes a word of its own into every string, and something into everything else, and tells where each word stands.
func fill(v reflect.Value, path string, words map[string]string) {
	switch v.Interface().(type) {
	case moment.Time:
		v.Set(reflect.ValueOf(moment.Of(time.Date(2026, 11, 27, 7, 0, len(words)%60, 0, time.UTC))))
		return
	case geo.Cell:
		c, err := geo.CellAt(geo.Position{Lat: -0.83123, Lng: 100.63456}, geo.ResThing)
		if err != nil {
			panic(err)
		}
		v.Set(reflect.ValueOf(c))
		return
	}
	switch v.Kind() {
	case reflect.String:
		word := fmt.Sprintf("canary%03d", len(words))
		words[word] = path
		v.SetString(word)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.87654321)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf(any(1.5)))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path, words)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), path+"[]", words)
	case reflect.Map:
		one := reflect.New(v.Type().Elem()).Elem()
		fill(one, path+".t_ack", words)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("t_ack"), one)
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			fill(v.Field(i), strings.TrimPrefix(path+"."+name, "."), words)
		}
	default:
		panic("no word for " + v.Type().String())
	}
}

// full is an incident that lacks nothing, and where each of its words stands.
func full() (Incident, map[string]string) {
	var in Incident
	words := map[string]string{}
	fill(reflect.ValueOf(&in).Elem(), "", words)
	return in, words
}

// published lists the fields of a document that say something, and where a word of the whole came through.
func published(t *testing.T, doc any, words map[string]string) []string {
	t.Helper()
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(strings.TrimPrefix(path+"."+k, "."), e)
			}
		case []any:
			for _, e := range v {
				walk(path+"[]", e)
			}
		case nil:
		case string:
			if from, is := words[v]; is {
				v = "the word of " + from
			} else if v != "" {
				v = "something"
			}
			if v != "" {
				out = append(out, path+": "+v)
			}
		default:
			if v != 0.0 {
				out = append(out, path+": something")
			}
		}
	}
	walk("", tree)
	slices.Sort(out)
	return slices.Compact(out)
}

func golden(t *testing.T, name string, got []string) {
	t.Helper()
	path, text := filepath.Join("testdata", name+".golden"), strings.Join(got, "\n")+"\n"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s publishes other fields than %s lists; a person reads the difference before -update\n got\n%s\nwant\n%s", name, path, text, want)
	}
}

func TestWhatEachFormPublishes(t *testing.T) {
	person, words := full()
	rule := person.Clone()
	rule.Why.Person, rule.Retitled = "", false
	for i := range rule.Evidence {
		rule.Evidence[i].Kind = "observation"
	}
	rule.Timeline[0].Actor, rule.Owner, rule.ResolvedBy, rule.Outcome = "rule:muka-air", "user:01J", "user:02J", Outcomes[0]
	golden(t, "coarse", published(t, person.Coarse(), words))
	golden(t, "facts_by_person", published(t, person.Facts(), words))
	golden(t, "facts_by_rule", published(t, rule.Facts(), words))
}

func TestCoarseTellsNoPlaceFinerThanItsCell(t *testing.T) {
	in, _ := full()
	for name, at := range map[string]*Location{"both": {Lng: 100.63456, Lat: -0.83123}, "cell alone": nil} {
		in.Location = at
		out := in.Coarse()
		if out.Cell.Resolution() != geo.ResFrame || out.Cell != in.Cell.Parent(geo.ResFrame) {
			t.Errorf("%s: cell %s of resolution %d", name, out.Cell, out.Cell.Resolution())
		}
		if c := out.Cell.Center(); *out.Location != (Location{c.Lng, c.Lat}) {
			t.Errorf("%s: %v is not the middle of the cell", name, *out.Location)
		}
	}
	in.Cell, in.Location = 0, &Location{Lng: 100.63456, Lat: -0.83123}
	if out := in.Coarse(); out.Cell.Resolution() != geo.ResFrame || out.Location.Lng == in.Location.Lng {
		t.Errorf("a place without a cell: %+v", out)
	}
	in.Cell, in.Location = 0, nil
	if out := in.Coarse(); out.Location != nil || out.Cell != 0 {
		t.Errorf("no place at all: %+v", out)
	}
}

func TestFactsNameNobody(t *testing.T) {
	in, err := Open(Opening{ID: "a", Number: "SLK-2026-000001", Type: "flood", Title: "Bu Ani terjebak", AreaName: "Kubung", At: time.Now(), Actor: "user:01JANI",
		Note: "Bu Ani, 0812-3456", Why: Why{Person: "user:01JANI"}, Evidence: []Evidence{{Kind: "note", Ref: "user:01JANI", Reason: "reported by a person", Text: "Bu Ani, 0812-3456"}}})
	if err != nil {
		t.Fatal(err)
	}
	in.AddEvidence(Evidence{Kind: "report", Ref: "lapor:0812-3456", Reason: "Bu Ani", Text: "rumah Bu Ani"}, "rule:muka-air", time.Now())
	in.AddEvidence(Evidence{Kind: "observation", Ref: "awlr:dev-12", Reason: "opened by rule muka-air", Text: "water_level 3.41 m"}, "rule:muka-air", time.Now())
	in.Outcome, in.Owner, in.ResolvedBy = "Bu Ani selamat", "user:01JANI", "Bu Ani"
	b, err := json.Marshal(in.Facts())
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"Ani", "ANI", "0812"} {
		if strings.Contains(string(b), word) {
			t.Errorf("%q is in %s", word, b)
		}
	}
	for _, word := range []string{"banjir", "water_level 3.41 m", "rule:muka-air", "awlr:dev-12", `"owner":"user"`} {
		if !strings.Contains(string(b), word) {
			t.Errorf("%q is not in %s", word, b)
		}
	}
	in.Why = Why{Rule: "muka-air"}
	in.Title = "Muka air tinggi, Kubung"
	if got := in.Facts().Title; got != in.Title {
		t.Errorf("the title of a rule became %q", got)
	}
	if in.Severity = cap.Minor; in.Facts().Severity != cap.Minor {
		t.Error("the severity is not told")
	}
}

func TestAFormSharesNothing(t *testing.T) {
	in, _ := full()
	before, _ := json.Marshal(in)
	out := in.Facts()
	out.Support[0], out.Dispatches[0], out.ExternalRefs[0].ID, out.Why.Inputs[0].Thing, out.Location.Lng = "x", "x", "x", "x", 1
	if after, _ := json.Marshal(in); string(after) != string(before) {
		t.Errorf("writing into a form wrote into the incident: %s", after)
	}
}
