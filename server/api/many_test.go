package api

import "testing"

// A figure of one is told in the singular.
func TestMany(t *testing.T) {
	for n, want := range map[int]string{1: "1 data source fails", 2: "2 data sources fail", 12: "12 data sources fail"} {
		if got := many(n, "data source fails", "data sources fail"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
