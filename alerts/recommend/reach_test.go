package recommend

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"kentongan/alerts/unit"
	"kentongan/geo"
)

func ground(t testing.TB, k int) []geo.Cell {
	center, err := geo.CellAt(here, geo.ResArea)
	if err != nil {
		t.Fatal(err)
	}
	cells, err := center.Disk(k)
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

// Every cell is as the distances say, whichever way they are looked for.
func TestWhatNobodyReaches(t *testing.T) {
	cells, units := ground(t, 20), crowd(40)
	units[0].Status, units[1].Capabilities = unit.OffDuty, nil
	for _, within := range []time.Duration{0, 5 * time.Minute, 10 * time.Minute, 8 * time.Hour} {
		got, free, err := Beyond(t.Context(), cells, units, "trc", within, noon)
		if err != nil || free != 38 {
			t.Fatal(err, free)
		}
		var want []geo.Cell
		for _, c := range cells {
			if !slices.ContainsFunc(units[2:], func(u unit.Unit) bool {
				p, _, _ := u.Position()
				return geo.Distance(p, c.Center())*Terrain/SpeedMps <= within.Seconds()
			}) {
				want = append(want, c)
			}
		}
		if !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %d cells, want %d", within, len(got), len(want))
		}
	}
	if got, free, err := Beyond(t.Context(), cells, nil, "", time.Hour, noon); err != nil || free != 0 || len(got) != len(cells) {
		t.Errorf("without units: %d of %d cells, %v", len(got), len(cells), err)
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := Beyond(over, cells, units, "", time.Hour, noon); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func BenchmarkBeyond2000(b *testing.B) {
	cells, units := ground(b, 42), crowd(2000) // 5,419 cells: a regency at resolution 8
	for b.Loop() {
		if _, _, err := Beyond(b.Context(), cells, units, "", 2*time.Minute, noon); err != nil {
			b.Fatal(err)
		}
	}
}
