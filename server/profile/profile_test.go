package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/geo"
	"kentongan/geo/area"
)

func TestSolokIsWhole(t *testing.T) {
	p, err := Load("solok")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, a := range p.Areas.Areas() {
		kinds[a.Kind]++
		if a.Kind == area.District && a.Seat == "" {
			t.Errorf("%s has no seat", a.Name)
		}
	}
	if kinds[area.District] != 14 || kinds[area.Lake] != 2 || kinds[area.Neighbour] != 1 {
		t.Errorf("areas by kind: %v", kinds)
	}
	if p.Prefix != "SLK" || p.Zone.String() != "Asia/Jakarta" || p.Slug != "solok" {
		t.Errorf("prefix %s, zone %s, slug %s", p.Prefix, p.Zone, p.Slug)
	}
	if !strings.Contains(p.Attribution, "indikatif") || !strings.Contains(p.Attribution, "CC BY-IGO") {
		t.Errorf("attribution %q", p.Attribution)
	}
	for _, c := range []struct {
		name string
		at   geo.Position
		in   string
		ours bool
	}{
		{"Kubung", geo.Position{Lat: -0.8311, Lng: 100.6299}, "Kubung", true},
		{"Kota Solok is a neighbour", geo.Position{Lat: -0.789, Lng: 100.655}, "Kota Solok", false},
		{"Danau Diatas", geo.Position{Lat: -1.08, Lng: 100.76}, "Danau Diatas", true},
		{"Padang", geo.Position{Lat: -0.95, Lng: 100.36}, "", false},
	} {
		got, _ := p.Areas.Find(c.at)
		if got.Name != c.in || p.Areas.Contains(c.at) != c.ours {
			t.Errorf("%s: in %q (ours %v), want %q (%v)", c.name, got.Name, p.Areas.Contains(c.at), c.in, c.ours)
		}
	}
}

func TestEveryCentroidLiesInItsDistrict(t *testing.T) {
	p, err := Load("solok")
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]geo.Position{ // centroids of domain.md section 12
		"Pantai Cermin": {Lat: -1.2458, Lng: 100.8922}, "Lembah Gumanti": {Lat: -1.0793, Lng: 100.8006}, "Gunung Talang": {Lat: -0.9705, Lng: 100.6191},
		"X Koto Singkarak": {Lat: -0.7158, Lng: 100.5770}, "Tigo Lurah": {Lat: -1.0707, Lng: 101.0439}, "Bukit Sundi": {Lat: -0.8777, Lng: 100.7129},
	} {
		if got, _ := p.Areas.Find(at); got.Name != name {
			t.Errorf("%v lies in %q, want %q", at, got.Name, name)
		}
	}
}

func TestNoProfileIsEverywhere(t *testing.T) {
	p, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if p.Prefix != "INC" || p.Zone != time.UTC || len(p.Consents) != 0 || !p.Areas.Contains(geo.Position{Lat: 52, Lng: 13}) {
		t.Errorf("%+v", p)
	}
}

func TestProfileFileNamesAllFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kota.yaml")
	text := "slug: Kota!\nname: \"\"\nprefix: x\ntime_zone: Mars/Olympus\ncenter: {lat: 91, lng: 0}\nbbox: [1]\nagencies: [{slug: a, name: A}, {slug: a, name: B}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"slug:", "name:", "prefix:", "time_zone:", "center:", "bbox:", "given twice"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("does not name %s:\n%v", want, err)
		}
	}
	if _, err := Load("solook"); err == nil || !strings.Contains(err.Error(), "solok") {
		t.Errorf("unknown name: %v", err)
	}
	if err := os.WriteFile(path, []byte("slug: a\nnmae: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "nmae") || !strings.Contains(err.Error(), "2:1") {
		t.Errorf("unknown key: %v", err)
	}
}
