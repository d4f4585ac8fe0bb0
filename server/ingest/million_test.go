package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
)

// BenchmarkMillion starts on a store that holds a million Things over a regency: seconds until the picture is loaded, and live heap per
// Thing of picture and pipeline. It does so once, whatever b.N.
func BenchmarkMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("-short: a million Things take half a minute to write")
	}
	const n = 1_000_000
	server := redistest.Private(b, "--appendonly", "no", "--save", "")
	rdb, keys := server.Client(b), redistest.Keys(b)
	fillStore(b, index.NewStore(rdb, keys, index.Config{}, nil), n)
	before := liveHeap()
	began := time.Now()
	p := New(Deps{Index: index.NewStore(rdb, keys, index.Config{}, nil), Picture: index.NewPicture(), Cases: &fakeCases{}, Log: zerolog.Nop()})
	if err := p.Load(context.Background()); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	if p.d.Picture.Len() != n {
		b.Fatalf("%d Things", p.d.Picture.Len())
	}
	after := liveHeap()
	runtime.KeepAlive(p)
	b.ReportMetric(took.Seconds(), "s-to-ready")
	b.ReportMetric(float64(after-before)/n, "B/thing")
	b.ReportMetric(0, "ns/op")
}

func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// fillStore writes n Things of three kinds: vehicles, gauges, street lights. Their readings are old, so that the streams are empty.
func fillStore(b *testing.B, s *index.Store, n int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	at := moment.Of(time.Now().Add(-time.Hour))
	reading := func(v float64, unit string) feeds.Reading {
		return feeds.Reading{Value: feeds.Value{Num: v}, Unit: unit, At: at, ReceivedAt: moment.Of(at.Add(300 * time.Millisecond)), Quality: feeds.Good}
	}
	var changes []index.Change
	for i := range n {
		t := &feeds.Thing{Feed: "angkot", Kind: "bus", Name: fmt.Sprintf("bus-%06d", i), At: at, ReceivedAt: moment.Of(at.Add(300 * time.Millisecond)),
			StaleAfter: moment.Of(at.Add(14 * time.Second)), Attribution: "Dinas Perhubungan Kabupaten Solok", Placed: true,
			Position: geo.Position{Lat: -1.2 + 0.7*r.Float64(), Lng: 100.4 + 0.6*r.Float64()}}
		switch i % 3 {
		case 0:
			t.State = map[string]feeds.Reading{"speed": reading(r.Float64()*20, "m/s"), "heading": reading(float64(i%360), "deg")}
		case 1:
			t.Feed, t.Kind, t.Name = "awlr", "river_gauge", fmt.Sprintf("AWLR Batang Lembang %d", i)
			t.State = map[string]feeds.Reading{"water_level": reading(3.41, "m"), "battery": reading(12.6, "V"), "rainfall": reading(0.2, "mm")}
		default:
			t.Feed, t.Kind = "pju", "street_light"
			t.State = map[string]feeds.Reading{"on": {Value: feeds.Value{Type: feeds.Bool, Num: 1}, At: at, ReceivedAt: at, Quality: feeds.Good}}
		}
		t.ID = fmt.Sprintf("%s:dev-%07d", t.Feed, i)
		var err error
		if t.Cell, err = geo.CellAt(t.Position, geo.ResThing); err != nil {
			b.Fatal(err)
		}
		changes = append(changes, index.Change{Entry: entryOf(t), State: t})
		if len(changes) == 20_000 || i == n-1 {
			if err := s.Commit(context.Background(), changes); err != nil {
				b.Fatal(err)
			}
			changes = changes[:0]
		}
	}
}
