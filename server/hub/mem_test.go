//go:build !race

package hub

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"kentongan/geo"
	"kentongan/geo/index"
)

// BenchmarkMillionThings tells what the hub adds to each Thing that the picture holds, at rest: 40 bytes a row, 4 a number, and some 460
// for each bucket, here of 52 Things.
func BenchmarkMillionThings(b *testing.B) {
	const n = 1_000_000
	pic := index.NewPicture()
	for i := range n {
		p := geo.Position{Lat: -2 + float64(i%1000)*.003, Lng: 99 + float64(i/1000)*.003}
		c, err := geo.CellAt(p, geo.ResThing)
		if err != nil {
			b.Fatal(err)
		}
		pic.Put(&index.Entry{ID: fmt.Sprint("f:", i), Kind: "phone", Position: p, Placed: true, Cell: c})
	}
	before := inUse()
	c := newCity()
	began, used := time.Now(), cpu()
	c.loadAll(pic)
	b.ReportMetric(time.Since(began).Seconds(), "s-load")
	b.ReportMetric((cpu() - used).Seconds(), "cpu-s-load")
	b.ReportMetric(float64(inUse()-before)/n, "B/thing")
	b.ReportMetric(0, "ns/op")
	runtime.KeepAlive(pic)
	runtime.KeepAlive(c)
}
