package profile

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kentongan/geo"
)

// border is one polygon of the recorded boundaries, ready to be asked.
type border struct {
	name  string
	fence geo.Fence
	bound geo.Bound
}

// borders reads recorded boundaries, which lie beside the repository and are never copied into it. Without them the test is skipped.
func borders(t testing.TB, file string, nameOf func(properties map[string]any) string) []border {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "boundaries", file)
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("the recorded boundaries are not there: %v", err)
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var doc struct {
		Features []struct {
			Properties map[string]any `json:"properties"`
			Geometry   geo.Shape      `json:"geometry"`
		} `json:"features"`
	}
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	var out []border
	for _, f := range doc.Features {
		for _, p := range f.Geometry.Polygons {
			out = append(out, border{nameOf(f.Properties), p.Fence(), geo.BoundOf(p.Rings[0]...)})
		}
	}
	return out
}

func text(properties map[string]any, key string) string {
	s, _ := properties[key].(string)
	return s
}

// in gives the name of the polygon around a position, empty where there is none.
func in(all []border, at geo.Position) string {
	for i := range all {
		if all[i].bound.Contains(at) && all[i].fence.Contains(at) {
			return all[i].name
		}
	}
	return ""
}

// positions are drawn for each comparison.
const positions = 5_000

// within draws a position, every one as likely as any other.
func within(r *rand.Rand, b geo.Bound) geo.Position {
	return geo.Position{Lat: b.South + r.Float64()*(b.North-b.South), Lng: b.West + r.Float64()*(b.East-b.West)}
}

// agree draws positions and holds the profile against the polygons that its cells were computed from.
func agree(t *testing.T, p *Profile, all []border, n int) (same, ours, total int) {
	t.Helper()
	place := p.Place()
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		at := within(r, p.Bound)
		want := in(all, at)
		got := place.Owns(at)
		name := ""
		switch {
		case got.Area != nil:
			name = got.Area.Name
		case got.Neighbour != nil && len(got.Neighbour.Areas) > 0:
			name = got.Neighbour.Name
		}
		total++
		if name == want {
			same++
		}
		if (got.Area != nil) == (want != "" && want != "Kota Solok") {
			ours++
		}
	}
	return same, ours, total
}

func share(n, of int) float64 { return 100 * float64(n) / float64(of) }

func TestSolokAgreesWithItsBoundaries(t *testing.T) {
	p, err := Load("solok")
	if err != nil {
		t.Fatal(err)
	}
	city := borders(t, "kota-solok-bps2020.geojson", func(map[string]any) string { return "Kota Solok" })
	regency := borders(t, "kab-solok-nagari-bps2020.geojson", func(m map[string]any) string {
		if strings.HasSuffix(text(m, "village_code"), "888") || strings.HasSuffix(text(m, "district_code"), "888") || text(m, "district") == "Danau" {
			return "lake"
		}
		return text(m, "district")
	})
	// The two lakes bear names here that the boundaries do not give.
	all := append(city, regency...)
	same, ours, total := agree(t, p, all, positions)
	t.Logf("solok, %d positions in its box: %.1f %% in the same kecamatan or city, %.1f %% agree on whether they are ours", total, share(same, total), share(ours, total))
	if share(ours, total) < 97 || share(same, total) < 93 {
		t.Errorf("same %.1f %%, ours %.1f %%", share(same, total), share(ours, total))
	}
	// At the border of the city the finer cells decide: within its box at resolution 9.
	inCity, right := 0, 0
	box := geo.Bound{West: 100.541, South: -0.819, East: 100.689, North: -0.739}
	r := rand.New(rand.NewPCG(3, 4))
	for range positions {
		at := within(r, box)
		inCity++
		if n := p.Place().Owns(at).Neighbour; (n != nil && n.Slug == "kota-solok") == (in(city, at) != "") {
			right++
		}
	}
	t.Logf("around Kota Solok: %.1f %% of %d positions are judged as its polygons do", share(right, inCity), inCity)
	if share(right, inCity) < 96 {
		t.Errorf("around Kota Solok %.1f %%", share(right, inCity))
	}
}

func TestBandungAgreesWithItsBoundaries(t *testing.T) {
	p, err := Load("bandung")
	if err != nil {
		t.Fatal(err)
	}
	all := borders(t, "kota-bandung-kelurahan-bps2020.geojson.gz", func(m map[string]any) string { return text(m, "district") })
	same, ours, total := agree(t, p, all, positions)
	t.Logf("bandung, %d positions in its box: %.1f %% in the same kecamatan, %.1f %% agree on whether they are ours", total, share(same, total), share(ours, total))
	if share(ours, total) < 95 || share(same, total) < 85 {
		t.Errorf("same %.1f %%, ours %.1f %%", share(same, total), share(ours, total))
	}
}

// Whatever the position, it has at most one owner, and what is ours is watched.
func TestNobodyOwnsAPlaceTwice(t *testing.T) {
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		place, watch := p.Place(), p.Watch()
		rapid.Check(t, func(r *rapid.T) {
			at := geo.Position{Lat: rapid.Float64Range(watch.South-0.2, watch.North+0.2).Draw(r, "lat"), Lng: rapid.Float64Range(watch.West-0.2, watch.East+0.2).Draw(r, "lng")}
			got := place.Owns(at)
			if got.Area != nil && (got.Neighbour != nil || !got.InWatch) || got.InWatch && got.Area == nil && !place.Watch().Contains(at) {
				r.Fatalf("%v: %+v", at, got)
			}
			if (got.Area != nil) != p.Areas.Contains(at) {
				r.Fatalf("%v: owned %v, contained %v", at, got.Area != nil, p.Areas.Contains(at))
			}
		})
	}
}
