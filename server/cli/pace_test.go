package cli

import "testing"

func TestGrowth(t *testing.T) {
	for live, want := range map[uint64]int{0: 800, 8 << 20: 800, 64 << 20: 300, 128 << 20: 100, 1 << 30: 100} {
		if got := growth(live); got != want {
			t.Errorf("%d bytes alive may grow by %d %%, want %d", live, got, want)
		}
	}
}
