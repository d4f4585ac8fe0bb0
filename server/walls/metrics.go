package walls

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Silent is after how long without a report a wall counts as silent: three are missed.
const Silent = 90 * time.Second

// gatherLimit bounds reading the walls for one scrape.
const gatherLimit = 2 * time.Second

// fleet tells /metrics how the walls fare, of all of them together: no label grows with their number. Which of them it is stands under /admin.
type fleet struct {
	list                         func(context.Context) ([]FleetWall, error)
	now                          func() time.Time
	walls, oldest, glass, memory *prometheus.Desc
}

// Collector gives the metrics of the walls, read when they are asked for; where the store does not answer they are absent.
func (s *Store) Collector() prometheus.Collector { return collector(s.List, s.Now) }

func collector(list func(context.Context) ([]FleetWall, error), now func() time.Time) *fleet {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("kentongan_walls"+name, help, labels, nil)
	}
	return &fleet{list, now,
		desc("", "Walls that are let in, by how they fare: reporting, silent for 90 s, or not heard yet (unheard).", "state"),
		desc("_oldest_report_age_seconds", "Age of the last word of the wall that has said nothing for longest."),
		desc("_glass_latency_seconds", "From the sensor to the glass, as the slowest reporting wall says.", "quantile"),
		desc("_heap_bytes", "JavaScript heap of the reporting wall that uses most; absent where no browser says.")}
}

// Describe is of prometheus.Collector.
func (f *fleet) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.walls, f.oldest, f.glass, f.memory} {
		ch <- d
	}
}

// Collect is of prometheus.Collector.
func (f *fleet) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), gatherLimit)
	defer cancel()
	list, err := f.list(ctx)
	if err != nil {
		return
	}
	count := map[string]float64{"reporting": 0, "silent": 0, "unheard": 0}
	var oldest time.Duration
	var heap int64
	slowest := map[string]float64{} // milliseconds, by quantile
	for i := range list {
		w := &list[i]
		switch {
		case !w.RemovedAt.IsZero():
			continue
		case w.Report == nil:
			count["unheard"]++
			continue
		}
		age := max(0, f.now().Sub(w.Report.At.Time))
		oldest = max(oldest, age)
		if age > Silent {
			count["silent"]++
			continue
		}
		count["reporting"]++
		heap = max(heap, w.Report.HeapBytes)
		if l := w.Report.LatencyMS; l.P99 > 0 {
			for q, ms := range map[string]float64{"0.5": l.P50, "0.95": l.P95, "0.99": l.P99} {
				slowest[q] = max(slowest[q], ms)
			}
		}
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for state, n := range count {
		gauge(f.walls, n, state)
	}
	if count["reporting"]+count["silent"] > 0 {
		gauge(f.oldest, oldest.Seconds())
	}
	for q, ms := range slowest {
		gauge(f.glass, ms/1000, q)
	}
	if heap > 0 {
		gauge(f.memory, float64(heap))
	}
}
