package register

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/geo"
)

func load(t *testing.T, name, text string) (*Register, []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, faults := Load(path)
	var out []string
	for _, f := range faults {
		out = append(out, strings.TrimPrefix(f.Error(), path))
	}
	if (r == nil) != (len(out) > 0) {
		t.Errorf("register %v with faults %v", r, out)
	}
	return r, out
}

func TestLoad(t *testing.T) {
	want := Entry{geo.Position{Lat: -0.83, Lng: 100.63}, true, "AWLR Batang Lembang, hulu", "river_gauge"}
	for name, text := range map[string]string{
		"comma.csv":     "thing,lat,lng,name,kind\ndev-12,-0.83,100.63,\"AWLR Batang Lembang, hulu\",river_gauge\ndev-13,,,Tanpa tempat,\n",
		"semicolon.csv": "\xef\xbb\xbfkind;name;lng;lat;thing\r\nriver_gauge;AWLR Batang Lembang, hulu;100.63;-0.83;dev-12\r\n;Tanpa tempat;;;dev-13\r\n",
		"block.yaml":    "- thing: dev-12\n  lat: -0.83\n  lng: 100.63\n  name: AWLR Batang Lembang, hulu\n  kind: river_gauge\n- {thing: dev-13, name: Tanpa tempat}\n",
	} {
		t.Run(name, func(t *testing.T) {
			r, faults := load(t, name, text)
			if len(faults) > 0 || r.Len() != 2 {
				t.Fatalf("%v", faults)
			}
			if e, ok := r.Of("dev-12"); !ok || e != want {
				t.Errorf("got %+v", e)
			}
			if e, _ := r.Of("dev-13"); e.Placed || e.Name != "Tanpa tempat" {
				t.Errorf("got %+v", e)
			}
			if _, ok := r.Of("dev-14"); ok {
				t.Error("dev-14 is known")
			}
		})
	}
}

func TestFaultsNameTheirLines(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"rows.csv", "thing,lat,lng\na,-0.8,100.6\na,-0.8,100.6\nb,100.6,-0.8\nc,0,0\nd,1\ne,1,\n,1,1\nf,\"-0,8\",100\ng,,\n",
			` line 3: thing: "a" stands in line 2 as well| line 4: lat, lng: | line 5: lat, lng: 0,0 stands| line 6: 2 fields where there are 3| line 7: lat, lng: one is given` +
				`| line 8: thing: required| line 9: lat: "-0,8" is no number| line 10: says nothing of "g"`},
		{"head.csv", "thing,lon,lat,lat\na,1,1,1\n", ` line 1: column "lon" is not known| line 1: column "lat" stands twice`},
		{"nothing.csv", "id,lat,lng\n", ` line 1: column "id" is not known| line 1: the first row names no column thing`},
		{"quote.csv", "thing,name\na,\"x\nb,y\n", " line "},
		{"empty.csv", "", ": is empty"},
		{"only-head.csv", "thing,lat,lng\n", ": names no Thing"},
		{"keys.yaml", "- thing: a\n  lat: 1\n  lng: 2\n- thing: b\n  long: 2\n- thing: a\n  name: x\n", ` line 5: unknown field "long"| line 6: thing: "a" stands in line 1`},
		{"map.yaml", "a: 1\n", " line 1: want a list"},
		{"grammar.yaml", "- thing: [\n", " line "},
		{"register.xls", "x", ": a register is a .csv or a .yaml file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := load(t, c.name, c.text)
			want := strings.Split(c.want, "|")
			if len(faults) != len(want) {
				t.Fatalf("got %d faults, want %d:\n%s", len(faults), len(want), strings.Join(faults, "\n"))
			}
			for i := range want {
				if !strings.HasPrefix(faults[i], want[i]) {
					t.Errorf("got %q, want %q", faults[i], want[i])
				}
			}
		})
	}
	if _, faults := Load(filepath.Join(t.TempDir(), "none.csv")); len(faults) != 1 {
		t.Errorf("got %v", faults)
	}
	if _, faults := load(t, "many.csv", "thing\n"+strings.Repeat("a\n", 200)); len(faults) != maxFaults+1 || !strings.Contains(faults[maxFaults], "faults more") {
		t.Errorf("%d faults", len(faults))
	}
}

func TestApply(t *testing.T) {
	r, _ := load(t, "a.csv", "thing,lat,lng,name,kind\na,-0.8,100.6,Gauge,river_gauge\nb,,,Only a name,\n")
	own := geo.Position{Lat: -0.9, Lng: 100.7}
	b := feeds.Batch{
		Observations: []feeds.Observation{{Thing: "a", Kind: "sensor"}, {Thing: "a", Kind: "rain", Name: "Own", Position: own, Placed: true}, {Thing: "b"}, {Thing: "c"}},
		Positions:    []feeds.UnitPosition{{Unit: "a", Position: own}},
	}
	r.Apply(&b, "sensor")
	o := b.Observations
	if !o[0].Placed || o[0].Position.Lng != 100.6 || o[0].Name != "Gauge" || o[0].Kind != "river_gauge" {
		t.Errorf("a silent Thing: %+v", o[0])
	}
	if o[1].Position != own || o[1].Name != "Own" || o[1].Kind != "rain" {
		t.Errorf("its own word did not stand: %+v", o[1])
	}
	if o[2].Placed || o[2].Name != "Only a name" || o[3].Placed || o[3].Name != "" {
		t.Errorf("got %+v", o[2:])
	}
	if p := b.Positions[0]; p.Position != own || p.Name != "Gauge" || p.Kind != "river_gauge" {
		t.Errorf("got %+v", p)
	}
	(*Register)(nil).Apply(&b, "")
}
