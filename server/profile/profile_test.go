package profile

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/area"
	"kentongan/server/strict"
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

func TestBuiltInProfilesAreComplete(t *testing.T) {
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		ours := 0
		for _, a := range p.Areas.Areas() {
			if a.Kind == area.District {
				ours++
				if a.Codes["bps"] == "" || a.Codes["kemendagri"] == "" || a.Code != "id"+a.Codes["bps"] {
					t.Errorf("%s: %s has codes %v", name, a.Name, a.Codes)
				}
			}
			if got, _ := p.Areas.Find(a.Center()); got.Code != a.Code {
				t.Errorf("%s: the middle of %s lies in %q", name, a.Name, got.Name)
			}
		}
		if want := map[string]int{"solok": 14, "bandung": 30}[name]; ours != want {
			t.Errorf("%s: %d districts, want %d", name, ours, want)
		}
		// Whoever the incident types send for is somebody here.
		known := map[string]bool{}
		for _, a := range p.Agencies {
			known[a.Slug] = true
			for _, s := range a.ActsAs {
				known[s] = true
			}
		}
		for _, typ := range incident.Types {
			for _, slug := range append([]string{typ.Lead}, typ.Support...) {
				if slug != "" && !known[slug] {
					t.Errorf("%s: nobody acts as %s for %s", name, slug, typ.Code)
				}
			}
		}
		if len(p.Units) < 20 || len(p.Hazards) < 5 || len(p.Levels.Status) != 4 || len(p.Levels.Scales) != 3+len(statement.House()) || len(p.SLA.Classes) != 5 || len(p.Neighbours) < 2 || len(p.Consents) != 5 {
			t.Errorf("%s: %d units, %d hazards, %d levels, %d scales, %d classes, %d neighbours, %d consents", name, len(p.Units), len(p.Hazards), len(p.Levels.Status),
				len(p.Levels.Scales), len(p.SLA.Classes), len(p.Neighbours), len(p.Consents))
		}
		for _, u := range p.Units {
			if !u.Example {
				t.Errorf("%s: unit %s is not marked as an example", name, u.ID())
			}
		}
	}
}

func TestScalesConvertOnlyByTheTable(t *testing.T) {
	p, err := Load("solok")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scale, code string
		severity    cap.Severity
		status      int
	}{
		{"pvmbg", "IV", cap.Extreme, 4}, {"pvmbg", "i", "", 1}, {"river_gate", "I", cap.Extreme, 2}, {"river_gate", "IV", "", 1}, {"bmkg_impact", "siaga", cap.Severe, 2},
	} {
		got, ok := p.Convert(c.scale, c.code)
		if !ok || got.Severity != c.severity || got.Status != c.status {
			t.Errorf("%s %s: %+v", c.scale, c.code, got)
		}
	}
	if _, ok := p.Convert("river_gate", "V"); ok {
		t.Error("a step that is not there was found")
	}
}

func TestOwns(t *testing.T) {
	solok, err := Load("solok")
	if err != nil {
		t.Fatal(err)
	}
	bandung, err := Load("bandung")
	if err != nil {
		t.Fatal(err)
	}
	// A cell of ours at resolution 8, part of which is Kota Solok at resolution 9: the finer wins, and only there.
	var shared, rest geo.Position
	for _, a := range solok.Areas.Areas() {
		for _, c := range a.Cells {
			if a.Kind != area.Neighbour || c.Resolution() != geo.ResMatch {
				continue
			}
			around, _ := c.Center(), 0
			kin, err := geo.Expand([]geo.Cell{c.Parent(geo.ResArea)}, geo.ResMatch)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range kin {
				if got, ok := solok.Areas.Find(k.Center()); ok && got.Ours() {
					shared, rest = around, k.Center()
				}
			}
		}
	}
	if shared == (geo.Position{}) {
		t.Fatal("no cell is shared: the case proves nothing")
	}
	for _, c := range []struct {
		name      string
		p         *Profile
		at        geo.Position
		area      string
		neighbour string
		watch     bool
	}{
		{"Kubung", solok, geo.Position{Lat: -0.8311, Lng: 100.6299}, "Kubung", "", true},
		{"Kota Solok", solok, geo.Position{Lat: -0.789, Lng: 100.655}, "", "kota-solok", true},
		{"the finer cell of the city", solok, shared, "", "kota-solok", true},
		{"its sister, which is ours", solok, rest, "-", "", true},
		{"Sitinjau Lauik", solok, geo.Position{Lat: -0.95, Lng: 100.49}, "", "kota-padang", true},
		{"beyond the border, in the margin", solok, geo.Position{Lat: -0.46, Lng: 100.60}, "", "", true},
		{"beyond the margin", solok, geo.Position{Lat: 0.2, Lng: 100.60}, "", "", false},
		{"no position", solok, geo.Position{Lat: 91, Lng: 100}, "", "", false},
		{"Gedung Sate", bandung, geo.Position{Lat: -6.9025, Lng: 107.6187}, "-", "", true},
		{"the crater", bandung, geo.Position{Lat: -6.77, Lng: 107.60}, "", "kab-bandung-barat", true},
		{"Jakarta", bandung, geo.Position{Lat: -6.2, Lng: 106.8}, "", "", false},
	} {
		got := c.p.Place().Owns(c.at)
		name, slug := "", ""
		if got.Area != nil {
			name = got.Area.Name
			if c.area == "-" {
				name = "-"
			}
		}
		if got.Neighbour != nil {
			slug = got.Neighbour.Slug
		}
		if name != c.area || slug != c.neighbour || got.InWatch != c.watch {
			t.Errorf("%s: area %q, neighbour %q, watch %v", c.name, name, slug, got.InWatch)
		}
	}
	everywhere, err := none()
	if err != nil {
		t.Fatal(err)
	}
	if got := everywhere.Place().Owns(geo.Position{Lat: 52, Lng: 13}); got.Area != nil || got.Neighbour != nil || !got.InWatch {
		t.Errorf("without areas everywhere is ours: %+v", got)
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

// write puts files into a folder of the test and gives the path of the first.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

const town = `slug: kota
name: Kota
prefix: KTA
time_zone: Asia/Jakarta
center: {lat: -0.5, lng: 100.5}
languages: [id]
`

func faultsOf(t *testing.T, path string) string {
	t.Helper()
	_, err := Load(path)
	var faults strict.Faults
	if err == nil || !errors.As(err, &faults) {
		t.Fatalf("want faults, got %v", err)
	}
	return strings.ReplaceAll(err.Error(), filepath.Dir(path)+string(filepath.Separator), "")
}

func TestPolygonsAsAreas(t *testing.T) {
	square := func(w, s, e, n string) string {
		return `{"type":"Polygon","coordinates":[[[` + w + `,` + s + `],[` + e + `,` + s + `],[` + e + `,` + n + `],[` + w + `,` + n + `],[` + w + `,` + s + `]]]}`
	}
	good := write(t, "kota.yaml", town+"areas:\n  - {code: a, name: A, geometry: "+square("100.4", "-0.6", "100.5", "-0.4")+"}\nareas_file: more.geojson\n",
		"more.geojson", `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"b","name":"B","shape_leng":12},"geometry":`+square("100.5", "-0.6", "100.6", "-0.4")+`},
{"type":"Feature","properties":{"code":"k","name":"K","kind":"neighbour"},"geometry":`+square("100.6", "-0.6", "100.7", "-0.4")+`}]}`)
	p, err := Load(good)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[geo.Position]string{{Lat: -0.5, Lng: 100.4999}: "A", {Lat: -0.5, Lng: 100.5001}: "B"} {
		if got := p.Place().Owns(at); got.Area == nil || got.Area.Name != want {
			t.Errorf("%v: %+v, want %s", at, got.Area, want)
		}
	}
	if got := p.Place().Owns(geo.Position{Lat: -0.5, Lng: 100.65}); got.Neighbour == nil || got.Neighbour.Name != "K" {
		t.Errorf("a neighbour that no list names goes by its own name: %+v", got.Neighbour)
	}
	if p.MarginKm != DefaultMarginKm || p.Bound.East > 100.61 {
		t.Errorf("margin %v, bound %+v", p.MarginKm, p.Bound)
	}
	got := faultsOf(t, write(t, "kota.yaml", town+"areas_file: more.geojson\nareas:\n  - {code: a, name: A, geometry: "+square("100.4", "-0.6", "100.55", "-0.4")+"}\n",
		"more.geojson", `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"b","name":"B"},"geometry":`+square("100.5", "-0.6", "100.6", "-0.4")+`}]}`))
	if !strings.Contains(got, `kota.yaml:9:5: areas[0]: area a "A": it lies over b "B": `) {
		t.Errorf("the overlap is not named:\n%s", got)
	}
}

func TestEveryFaultOfAProfileHasItsLine(t *testing.T) {
	got := faultsOf(t, write(t, "kota.yaml", town+`bbox: [100, -1, 101, 0]
areas_file: areas.json
neighbours:
  - {slug: sebelah, name: Sebelah, relation: enemy, areas: [a, z]}
agencies:
  - {slug: bpbd, name: BPBD, hotline: "call me"}
  - {slug: bpbd, name: BPBD 2}
capabilities:
  - {code: boat, names: {id: perahu}}
units:
  - {agency: bpbd, call_sign: trc-1, name: TRC, capabilities: [boat, fly], post: {name: P, lat: -0.5, lng: 100.5}}
  - {agency: damkar, call_sign: trc-1, name: TRC, post: {name: P, lat: 40, lng: 100.5}}
  - {agency: bpbd, call_sign: trc-1, name: TRC, post: {name: P, lat: -0.5, lng: 100.5}}
hazard_sites:
  - {slug: kawah, name: Kawah, kind: mountain, lat: -0.5, lng: 100.5, radius_m: 0, source: me, neighbour: nobody, note: {en: crater}}
levels:
  status:
    - {level: 2, code: normal, names: {id: Normal}, colour: green}
  scales:
    - scale: gate
      names: {id: Pintu air}
      direction: sideways
      steps:
        - {code: I, names: {id: I}, severity: Extreme, status: 1}
        - {code: IV, names: {id: IV}, severity: Terrible, status: 9}
sla:
  default_zone: moon
  classes:
    - {code: Z, names: {id: z}, on_scene_min: {town: 3}}
consents:
  - {id: x, when: "alert.nothing > 1", incident: {type: flood}}
  - {id: x, when: "alert.relevant", incident: {type: flood}}
`, "areas.json", `[
{"code":"a","name":"A","cells":["878cd0229ffffff"]},
{"code":"a","name":"B","cells":["878cd0229ffffff","zz"]},
{"code":"c","nmae":"C","cells":[]}
]`))
	for _, want := range []string{
		`areas.json:3:1: area a "B": its code is that of "A" as well`, `areas.json:3:1: area a "B": "zz" is not an H3 cell`, `areas.json:4:1: unknown key "nmae"; did you mean name?`,
		`kota.yaml:10:46: neighbours[0].relation: "enemy" is none of enclosed, borders`, `neighbours[0].areas[1]: there is no area "z"`, `neighbours[0].areas[0]: area "a" is of kind ""`,
		`kota.yaml:12:39: agencies[0].hotline: `, `kota.yaml:13:12: agencies[1].slug: "bpbd" is given twice, first in line 12`,
		`units[0].capabilities[1]: "fly" is none of the capabilities`, `units[1].agency: there is no agency "damkar"`, `kota.yaml:18:57: units[1].post: lies beyond the watch margin`,
		`kota.yaml:19:31: units[2].call_sign: "bpbd/trc-1" is given twice, first in line 17`,
		`hazard_sites[0].kind: "mountain" is none of volcano`, `hazard_sites[0].radius_m: `, `hazard_sites[0].source: `, `hazard_sites[0].neighbour: there is no neighbour "nobody"`,
		`hazard_sites[0].note: has no words in "id"`, `hazard_sites[0].note.en: "en" is none of the profile's languages`,
		`levels.status[0].level: want 1`, `levels.status[0].colour: "green" is not a colour`, `levels.scales[0].direction: `, `levels.scales[0].steps[1].severity: "Terrible"`,
		`levels.scales[0].steps[1].status: 9 is no level`, `sla.default_zone: "moon"`, `sla.classes[0].code: "Z"`, `sla.classes[0].on_scene_min.town: `,
		`kota.yaml:37:5: consents[0]: `, `consents[1].id: "x" is given twice`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}

func TestEveryHouseProposesByTheSameTable(t *testing.T) {
	for _, name := range append(Names(), "") {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := status.Compile(status.DefaultRules(), 4)
		if err != nil {
			t.Fatal(err)
		}
		got, all := p.StatusRules.List(), want.List()
		if len(got) != len(all) || len(p.Levels.StatusRules) != len(all) {
			t.Fatalf("%s: %d rules, want %d", name, len(got), len(all))
		}
		for i := range all {
			if !reflect.DeepEqual(got[i], all[i]) {
				t.Errorf("%s: %+v, want %+v", name, got[i], all[i])
			}
		}
		scales := p.StatementScales()
		for _, code := range []string{statement.ScaleRoad, statement.ScaleDecree, statement.ScaleEvacuation, statement.ScaleCapacity} {
			if _, ok := scales.Find(code); !ok {
				t.Errorf("%s: no scale %s", name, code)
			}
		}
		if levels := p.StatusLevels(); len(levels) != 4 || levels[3].Code != "awas" {
			t.Errorf("%s: levels %v", name, levels)
		}
	}
}

func TestAStatusRuleThatDoesNotCheckNamesItsLine(t *testing.T) {
	text := Sample()
	for old, bad := range map[string]string{
		"when: open_extreme >= 1": "when: open_extrem >= 1", "hazards: [flood]": "hazards: [dragon]", "lower_after: 15m": "lower_after: 48h", "hazard: flood": "hazard: tide",
		`names: {id: pintu air Siaga I, en: a river gate at Siaga I}`: `names: {id: pintu air Siaga I}`,
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("the sample has no %s", old)
		}
		text = strings.Replace(text, old, bad, 1)
	}
	path := filepath.Join(t.TempDir(), "my-city.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	var faults strict.Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	lines := strings.Split(text, "\n")
	for _, want := range []struct{ path, text, line string }{
		{"levels.status_rules[0].when", "undeclared reference to 'open_extrem'", "open_extrem >= 1"},
		{"levels.status_rules[1].hazards[0]", `"dragon" is none of area, flood`, "dragon"},
		{"levels.status_rules[1].names", "en", "pintu air Siaga I"},
		{"levels.lower_after", "48h0m0s is not within 0s to 24h", "48h"},
		{"levels.scales[0].hazard", `"tide" is none of`, "tide"},
	} {
		i := slices.IndexFunc(faults, func(f strict.Fault) bool { return strings.HasPrefix(f.Path, want.path) })
		if i < 0 || !strings.Contains(faults[i].Text+faults[i].Path, want.text) || !strings.Contains(lines[faults[i].Line-1], want.line) {
			t.Errorf("%s: %v", want.path, err)
		}
	}
	if len(faults) != 5 {
		t.Errorf("%d faults: %v", len(faults), err)
	}
}
