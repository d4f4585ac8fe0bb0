package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/geo/index"
	"kentongan/geo/redistest"
)

// TestThingsAreLetGoAndComeBack: what is known of a Thing between its reports lies in the picture, and how often it reports is learned over
// reports that are further apart than the memory of copies.
func TestThingsAreLetGoAndComeBack(t *testing.T) {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	now := t0
	p := New(Deps{Index: index.NewStore(rdb, keys, index.Config{}, nil), Picture: index.NewPicture(), Cases: &fakeCases{}, Log: zerolog.Nop(), Now: func() time.Time { return now }})
	give := func(things ...string) outcomes {
		t.Helper()
		m := meta()
		m.ReceivedAt = now
		b := feeds.Batch{}
		for i, th := range things {
			b.Observations = append(b.Observations, obs(i, th, float64(now.Minute()), now))
		}
		l := newLedger(&b)
		s := &submission{b.Observations, &m, l, make(chan error, 1)}
		p.process(t.Context(), []*submission{s})
		if err := <-s.done; err != nil {
			t.Fatal(err)
		}
		r := l.receipt()
		return outcomes{r.Accepted, r.Duplicates}
	}
	for range 5 { // an hourly gauge
		if got := give("hourly"); got != (outcomes{1, 0}) {
			t.Fatalf("%+v", got)
		}
		if got := give("hourly"); got != (outcomes{0, 1}) {
			t.Fatalf("sent again: %+v", got)
		}
		now = now.Add(time.Hour)
		p.tracks.letGo(now.UnixMilli())
		if n := len(p.tracks.of); n != 0 || p.tracks.oldest != nil || p.tracks.youngest != nil {
			t.Fatalf("%d tracks an hour later", n)
		}
	}
	e := p.d.Picture.Get("awlr:hourly")
	if got := time.Duration(packedOf(e).Interval()) * time.Millisecond; got < 71*time.Minute || got > 73*time.Minute {
		t.Errorf("stale %s after it was received, want about 72m", got)
	}
	if c, ok := p.tracks.learning[e.Slot]; !ok || c.seed == 0 || len(p.tracks.learning) != 1 {
		t.Errorf("what is learned anew, beside what is known: %+v", p.tracks.learning)
	}
	var all []string
	for i := range 50 {
		all = append(all, fmt.Sprint("d", i))
	}
	give(all...)
	now = now.Add(recentWindow)
	give("d7", "d3")
	now = now.Add(time.Minute)
	p.tracks.letGo(now.UnixMilli())
	if len(p.tracks.of) != 2 || p.tracks.oldest.id != "awlr:d7" || p.tracks.youngest.id != "awlr:d3" || p.tracks.oldest.younger != p.tracks.youngest {
		t.Errorf("%d tracks are left", len(p.tracks.of))
	}
	if got := give("d7"); got != (outcomes{1, 0}) || p.tracks.youngest.id != "awlr:d7" || p.tracks.oldest.id != "awlr:d3" {
		t.Errorf("%+v, the youngest is %s", got, p.tracks.youngest.id)
	}
}

type outcomes struct{ accepted, duplicates int }
