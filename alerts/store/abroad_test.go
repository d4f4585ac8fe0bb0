package store

import (
	"testing"

	"kentongan/alerts"
	"kentongan/geo"
	"kentongan/geo/area"
)

// A city lies inside the regency, finer than it, and a road of another city's matters to us: a rule tells of both, and opens incidents
// on our own ground only.
func TestANeighboursGroundOpensNoIncident(t *testing.T) {
	home, err := geo.CellAt(center, geo.ResArea)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := home.Disk(3)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := geo.CellAt(center, geo.ResMatch)
	if err != nil {
		t.Fatal(err)
	}
	sisters, err := geo.Expand([]geo.Cell{home}, geo.ResMatch)
	if err != nil {
		t.Fatal(err)
	}
	ours := sisters[0].Center()
	if sisters[0] == inner {
		ours = sisters[1].Center()
	}
	areas, err := area.New([]area.Area{{Code: "k", Name: "Kubung", Cells: disk}, {Code: "kota", Name: "Kota Solok", Kind: area.Neighbour, Cells: []geo.Cell{inner}}})
	if err != nil {
		t.Fatal(err)
	}
	b := areas.Bound()
	road := geo.Position{Lat: center.Lat, Lng: b.West - 0.05}
	each(t, func(t *testing.T, s *Store, c *clock) {
		s.place.Areas = areas
		s.place.Neighbours = []alerts.Neighbour{{Slug: "kota-solok", Name: "Kota Solok", Areas: []string{"kota"}},
			{Slug: "kota-padang", Name: "Kota Padang", Sites: []alerts.Site{{Position: road, RadiusM: 2000}}}}
		for thing, at := range map[string]geo.Position{
			"ours": ours, "enclave": inner.Center(), "road": road, "unknown": {Lat: center.Lat, Lng: b.East + 0.1},
		} {
			if err := s.Fire(t.Context(), firing(thing, at, c.now())); err != nil {
				t.Fatal(err)
			}
		}
		list, _, err := s.Alerts(t.Context(), Query{})
		if err != nil || len(list) != 4 {
			t.Fatalf("%d alerts, %v", len(list), err)
		}
		for _, a := range list {
			want := map[string]string{"enclave": "kota-solok", "road": "kota-padang"}[a.Thing]
			if got := a.Parameters["neighbour"]; got != want || !a.Relevant {
				t.Errorf("%s: neighbour %q, relevant %v", a.Thing, got, a.Relevant)
			}
			if (a.Incident == "") != (want != "") {
				t.Errorf("%s: incident %q", a.Thing, a.Incident)
			}
		}
	})
}
