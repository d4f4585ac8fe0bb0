package walls

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kentongan/geo/moment"
	"kentongan/server/devices"
)

// gathered lists what a registry of the collector tells, one metric a line.
func gathered(t *testing.T, list []FleetWall, fault error, now time.Time) (lines []string) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(collector(func(context.Context) ([]FleetWall, error) { return list, fault }, func() time.Time { return now }))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			label := ""
			for _, l := range m.Label {
				label += " " + l.GetValue()
			}
			lines = append(lines, fmt.Sprint(f.GetName(), label, " ", m.Gauge.GetValue()))
		}
	}
	slices.Sort(lines)
	return lines
}

func TestMetricsOfWalls(t *testing.T) {
	now := time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)
	heard := func(ago time.Duration, p99 float64, heap int64) FleetWall {
		return FleetWall{Report: &WallReport{At: moment.Of(now.Add(-ago)), HeapBytes: heap, LatencyMS: GlassLatency{P50: p99 / 2, P95: p99 / 2, P99: p99}}}
	}
	removed := heard(time.Hour, 9000, 9000)
	removed.Device = devices.Device{RemovedAt: moment.Of(now)}
	got := gathered(t, []FleetWall{heard(5*time.Second, 200, 100), heard(20*time.Second, 400, 50), heard(2*time.Minute, 8000, 8000), {}, removed}, nil, now)
	want := []string{"kentongan_walls reporting 2", "kentongan_walls silent 1", "kentongan_walls unheard 1", "kentongan_walls_glass_latency_seconds 0.5 0.2",
		"kentongan_walls_glass_latency_seconds 0.95 0.2", "kentongan_walls_glass_latency_seconds 0.99 0.4", "kentongan_walls_heap_bytes 100", "kentongan_walls_oldest_report_age_seconds 120"}
	if !slices.Equal(got, want) {
		t.Errorf("\n%q, want\n%q", got, want)
	}
	if got := gathered(t, nil, nil, now); len(got) != 3 {
		t.Errorf("no walls: %q", got)
	}
	if got := gathered(t, nil, errors.New("away"), now); len(got) != 0 {
		t.Errorf("without a store: %q", got)
	}
}
