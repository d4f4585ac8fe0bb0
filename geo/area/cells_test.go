package area

import (
	"testing"

	"kentongan/geo"
)

func TestCellsCoverAllThatIsOursAndNoMore(t *testing.T) {
	west, err := geo.CellAt(geo.Position{Lat: -0.8, Lng: 100.6}, geo.ResArea)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := west.Disk(2)
	if err != nil {
		t.Fatal(err)
	}
	set, err := New([]Area{{Code: "a", Name: "A", Cells: disk[:7]}, {Code: "b", Name: "B", Cells: disk[7:]}})
	if err != nil {
		t.Fatal(err)
	}
	same, names, err := set.Cells(geo.ResArea, 100)
	if err != nil || len(same) != len(disk) || names[disk[0]] != "A" || names[disk[10]] != "B" {
		t.Errorf("%d of %d cells, %v", len(same), len(disk), err)
	}
	finer, _, err := set.Cells(geo.ResMatch, 1000)
	if err != nil || len(finer) != 7*len(disk) {
		t.Errorf("a resolution finer: %d, %v", len(finer), err)
	}
	coarser, names, err := set.Cells(geo.ResFrame, 100)
	want := map[geo.Cell]bool{}
	for _, c := range disk {
		want[c.Parent(geo.ResFrame)] = true
	}
	if err != nil || len(coarser) != len(want) || names[west.Parent(geo.ResFrame)] == "" {
		t.Errorf("a resolution coarser: %d of %d, %v", len(coarser), len(want), err)
	}
	if _, _, err := set.Cells(geo.ResMatch, 50); err == nil {
		t.Error("beyond the limit")
	}
	if cells, _, err := (*Set)(nil).Cells(7, 10); cells != nil || err != nil {
		t.Errorf("everywhere: %v %v", cells, err)
	}
}
