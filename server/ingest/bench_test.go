package ingest

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// BenchmarkStore sends batches of 500 readings of 5,000 Things from 16 senders, to a real store that flushes always.
func BenchmarkStore(b *testing.B) {
	const size, things, senders = 500, 5000, 16
	h := newHouse(b)
	ids := make([]string, things)
	for i := range ids {
		ids[i] = fmt.Sprint("dev-", i)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range senders {
		wg.Add(1)
		go func() {
			defer wg.Done()
			batch := make([]feeds.Observation, size)
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				now := time.Now()
				for i := range batch {
					k := (int(n)*size + i) % things
					batch[i] = feeds.Observation{Index: i, Thing: ids[k], Property: "level", Value: feeds.Value{Num: float64(n)}, Unit: "m",
						At: moment.Of(now), Position: geo.Position{Lat: -0.8 + float64(k%100)*.003, Lng: 100.6 + float64(k/100)*.003}, Placed: true}
				}
				if _, err := h.Store(context.Background(), feeds.Batch{Observations: batch}, feeds.Meta{Feed: "bench", ReceivedAt: now}); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "readings/s")
}

// BenchmarkLatency sends 1,000 readings a second, one by one, and tells how long each waits for its receipt.
func BenchmarkLatency(b *testing.B) {
	h := newHouse(b)
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	for i := range b.N {
		<-tick.C
		wg.Add(1)
		go func() {
			defer wg.Done()
			began := time.Now()
			o := obs(0, fmt.Sprint("d", i%500), float64(i), began)
			if _, err := h.Store(context.Background(), feeds.Batch{Observations: []feeds.Observation{o}}, feeds.Meta{Feed: "bench", ReceivedAt: began}); err != nil {
				b.Error(err)
			}
			mu.Lock()
			took = append(took, time.Since(began))
			mu.Unlock()
		}()
	}
	wg.Wait()
	b.StopTimer()
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
