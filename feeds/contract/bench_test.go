//go:build unix && !race

package contract

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// readings are n Things with two properties each.
func readings(n int, at time.Time, round int) feeds.Batch {
	var b feeds.Batch
	for i := range n {
		for p, name := range []string{"water_level", "battery"} {
			b.Observations = append(b.Observations, feeds.Observation{Index: 2*i + p, Thing: fmt.Sprintf("gauge-%d", i), Kind: "river_gauge", Property: name, Unit: "m", At: moment.Of(at),
				Value: feeds.Value{Num: 1 + float64((i*7+round*3)%100)/100}, Placed: true, Position: geo.Position{Lat: -0.9 - float64(i%100)/1000, Lng: 100.6}})
		}
	}
	return b
}

// spent is the processor time of this process, in ns: others may be at work on the machine.
func spent() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// What judging costs an observation, in deliveries of several sizes. The goal is 150 ns.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1, 10, 100, 10_000} {
		b.Run(fmt.Sprintf("%d things", n), func(b *testing.B) {
			now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
			w := NewWatch(Config{}, now)
			batches := make([]feeds.Batch, 64)
			for r := range batches {
				batches[r] = readings(n, now, r)
				if n == 1 { // pushes of single devices, a thousand of them
					for i := range batches[r].Observations {
						batches[r].Observations[i].Thing = fmt.Sprintf("gauge-%d", r*17%1000)
					}
				}
			}
			began := spent()
			b.ResetTimer()
			b.ReportAllocs()
			for i := range b.N {
				now = now.Add(time.Second)
				batch := &batches[i%len(batches)]
				if i%len(batches) == 0 {
					for r := range batches {
						shift(&batches[r], now.Sub(batches[r].Observations[0].At.Time))
					}
				}
				if v := w.Check(batch, feeds.Meta{ReceivedAt: now}); len(v.Findings) > 0 {
					b.Fatal(v.Findings)
				}
			}
			b.ReportMetric(float64(spent()-began)/float64(b.N*2*n), "cpu-ns/observation")
		})
	}
}
