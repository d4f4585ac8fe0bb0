package cli

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The collector lets the heap grow to at least this before it runs, however little of it is alive: at a hundred thousand readings a
// second a small live heap would be walked several times a second, for nothing.
const (
	leastHeap  = 256 << 20
	mostGrowth = 800 // percent of the live heap
	paceEvery  = 5 * time.Second
)

// pace keeps the collector's pace until ctx ends. Whoever sets GOGC or GOMEMLIMIT knows better.
func pace(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	debug.SetGCPercent(mostGrowth)
	tick := time.NewTicker(paceEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			metrics.Read(live)
			debug.SetGCPercent(growth(live[0].Value.Uint64()))
		}
	}
}

// growth is the percentage by which a live heap may grow: a hundred as Go has it, more where that would be less than leastHeap in all.
func growth(live uint64) int {
	room := math.Ceil(100 * float64(leastHeap) / math.Max(1, float64(live)))
	return int(math.Max(100, math.Min(mostGrowth, room-100)))
}
