package strict

import (
	"encoding/json"
	"strings"
	"testing"
)

type shape struct{ got string }

func (s *shape) UnmarshalJSON(b []byte) error {
	var v struct{ Type string }
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	s.got = v.Type
	return nil
}

type book struct {
	Names map[string]string   `yaml:"names"`
	Steps map[string][]string `yaml:"steps"`
	Shape shape               `yaml:"shape"`
	Count int                 `yaml:"count"`
}

func TestDictionariesAndJSON(t *testing.T) {
	r, b := New("f.yaml"), book{}
	r.Read([]byte("names: {id: satu, en: one}\nsteps:\n  a: [x, y]\nshape: {type: Point, coordinates: [1, 2]}\ncount: 3\n"), &b)
	if len(r.Faults) > 0 || b.Names["en"] != "one" || len(b.Steps["a"]) != 2 || b.Shape.got != "Point" || b.Count != 3 {
		t.Fatalf("%v %+v", r.Faults, b)
	}
	if at := r.Locate("steps.a[1]"); at.Line != 3 || at.Column != 10 {
		t.Errorf("steps.a[1] stands at %+v", at)
	}
}

func TestFaultsInDictionaries(t *testing.T) {
	r, b := New("f.yaml"), book{}
	r.Read([]byte("names: {id: satu, id: dua}\nsteps:\n  a: [x, 7]\nshape: {type: 12}\ncuont: 3\n"), &b)
	got := r.Faults.Sorted().Error()
	for _, want := range []string{"f.yaml:1:19: names.id: is given twice, first in line 1", "f.yaml:3:10: steps.a[1]: want a text", "f.yaml:4:8: shape: ", "f.yaml:5:1: cuont: unknown key; did you mean count?"} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}
