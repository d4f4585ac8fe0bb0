package profile

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kentongan/geo"
	"kentongan/geo/area"
)

var update = flag.Bool("update", false, "write deploy/profile.sample.yaml; read the diff")

const samplePath = "../../deploy/profile.sample.yaml"

func TestSampleIsCommittedAndLoads(t *testing.T) {
	if *update {
		if err := os.WriteFile(samplePath, []byte(Sample()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != Sample() {
		t.Error("deploy/profile.sample.yaml is not what the types say; run go test ./server/profile -run Sample -update")
	}
	p, err := Load(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Place().Owns(geo.Position{Lat: -0.5, Lng: 100.45}); got.Area == nil || got.Area.Name != "Contoh Barat" {
		t.Errorf("%+v", got)
	}
	for _, a := range p.Areas.Areas() {
		if a.Kind == area.Neighbour && p.Place().Owns(a.Center()).Neighbour.Slug != "kota-sebelah" {
			t.Errorf("the neighbour's own ground is %+v", p.Place().Owns(a.Center()))
		}
	}
}

// keysOf lists the yaml keys of a type and of everything in it.
func keysOf(t reflect.Type, seen map[reflect.Type]bool) (keys []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] || t == reflect.TypeFor[geo.Shape]() {
		return nil
	}
	seen[t] = true
	for _, f := range reflect.VisibleFields(t) {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && key != "-" {
			keys = append(append(keys, key), keysOf(f.Type, seen)...)
		}
	}
	return keys
}

func TestSampleShowsEveryKey(t *testing.T) {
	text := Sample()
	for _, key := range keysOf(reflect.TypeFor[file](), map[reflect.Type]bool{}) {
		if !strings.Contains(text, key+":") {
			t.Errorf("%s is not shown", key)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[file]()) {
		if f.Tag.Get("doc") == "" || samples[f.Tag.Get("yaml")] == "" {
			t.Errorf("%s is not explained", f.Tag.Get("yaml"))
		}
	}
}

func TestBrokenSampleNamesItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my-city.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(Sample(), "prefix: CTH", "prefix: cth\nprefx: X", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if err == nil || !strings.Contains(err.Error(), "my-city.yaml:") || !strings.Contains(err.Error(), `prefix: "cth" is not 2 to 8 capital letters`) || !strings.Contains(err.Error(), "prefx: unknown key; did you mean prefix?") {
		t.Errorf("%v", err)
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Load(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
