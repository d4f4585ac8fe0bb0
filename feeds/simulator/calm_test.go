package simulator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/formats/native"
	"kentongan/geo"
)

// home is Kabupaten Solok as its profile says it.
func home() Place {
	zone := time.FixedZone("WIB", 7*3600)
	return Place{Slug: "solok", Name: "Kabupaten Solok", Bound: geo.Bound{West: 100.426, South: -1.33, East: 101.263, North: -0.532}, Center: geo.Position{Lat: -0.96, Lng: 100.75}, Zone: zone}
}

// elsewhere is a city that has no table of its own.
func elsewhere() Place {
	return Place{Slug: "bandung", Name: "Kota Bandung", Bound: geo.Bound{West: 107.545, South: -6.97, East: 107.739, North: -6.837}, Center: geo.Position{Lat: -6.9147, Lng: 107.6098}, Zone: time.FixedZone("WIB", 7*3600)}
}

var places = map[string]func() Place{"solok": home, "elsewhere": elsewhere}

// midnight WIB, from which the tests count.
var midnight = time.Date(2026, 11, 26, 17, 0, 0, 0, time.UTC)

func city(t testing.TB, p Place, things int) *City {
	t.Helper()
	c, err := New(p, things, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// live lets a city live and gives every reading as the house would read it.
func live(t testing.TB, c *City, from time.Time, dur time.Duration, runs []Run, each func(o *feeds.Observation)) {
	t.Helper()
	if err := c.SetRuns(runs, from); err != nil {
		t.Fatal(err)
	}
	list, of := rhythmsOf()
	a := c.open(from.UnixMilli())
	last := from.UnixMilli()
	for at := from; at.Before(from.Add(dur)); at = at.Add(5 * time.Second) {
		now := at.UnixMilli()
		a.run(c, now, &of)
		c.shake(last, now, &of[phone].writer)
		last = now
		for _, r := range list {
			if r.writer.lines == 0 {
				continue
			}
			b, err := native.Format{}.Decode(r.writer.b, feeds.Meta{ContentType: "application/x-ndjson", ReceivedAt: at})
			if err != nil || len(b.Rejected) > 0 {
				t.Fatalf("%v %v", err, b.Rejected)
			}
			if each != nil {
				for i := range b.Observations {
					each(&b.Observations[i])
				}
			}
			r.writer = writer{b: r.writer.b[:0]}
		}
	}
}

func TestShares(t *testing.T) {
	for _, n := range []int{FewestThings, 500, 2000, 20000, MostThings} {
		c := city(t, home(), n)
		if c.Len() != n {
			t.Errorf("%d things asked, %d there: %v", n, c.Len(), c.Kinds())
		}
		text, _ := json.Marshal(c.Kinds())
		t.Log(n, string(text))
		seen := map[string]bool{}
		for i := range c.things {
			x := &c.things[i]
			if seen[x.id] || x.name == "" || x.pos.Validate() != nil || strings.ContainsAny(x.name+x.id, "\"\\") {
				t.Fatalf("%+v", x)
			}
			seen[x.id] = true
			if !c.city.Bound.Contains(x.pos) && flat(x.pos, c.city.Center) > 80 {
				t.Errorf("%s stands at %v", x.id, x.pos)
			}
		}
	}
}
