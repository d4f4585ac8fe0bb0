package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"kentongan/geo"
	"kentongan/geo/redistest"
)

// BenchmarkCommit writes 5,000 changes of as many Things over a regency (about 130 shards), appendfsync always; readings of 40 bytes,
// states of 160.
func BenchmarkCommit(b *testing.B) {
	const n = 5000
	r := rand.New(rand.NewPCG(1, 2))
	payload, reading := string(make([]byte, 120)), make([]byte, 40)
	changes := make([]Change, n)
	shards := map[geo.Cell]bool{}
	for i := range changes {
		e := thing(b, fmt.Sprint("angkot:", i), geo.Position{Lat: -1.2 + 0.7*r.Float64(), Lng: 100.4 + 0.6*r.Float64()}, payload)
		shards[shardOf(e.Cell)] = true
		changes[i] = Change{Entry: e, Readings: [][]byte{reading}}
	}
	s := NewStore(redistest.Start(b), redistest.Keys(b), Config{}, nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Commit(context.Background(), changes); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "readings/s")
	b.ReportMetric(float64(len(shards)), "shards")
}

func BenchmarkLoad(b *testing.B) {
	const n = 100_000
	r := rand.New(rand.NewPCG(1, 2))
	payload := string(make([]byte, 120))
	s := NewStore(redistest.Start(b), redistest.Keys(b), Config{}, nil)
	var changes []Change
	for i := range n {
		e := thing(b, fmt.Sprint("angkot:", i), geo.Position{Lat: -1.2 + 0.7*r.Float64(), Lng: 100.4 + 0.6*r.Float64()}, payload)
		changes = append(changes, Change{Entry: e})
	}
	if err := s.Commit(context.Background(), changes); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		got := 0
		if err := s.Load(context.Background(), func(Stored) error { got++; return nil }); err != nil || got != n {
			b.Fatalf("%d, %v", got, err)
		}
	}
}
