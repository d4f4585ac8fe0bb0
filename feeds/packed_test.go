package feeds

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kentongan/geo"
	"kentongan/geo/moment"
)

// anyThing draws a Thing, strange ones among them.
func anyThing(t *rapid.T) *Thing {
	ms := func(name string) moment.Time {
		return moment.OfMilli(rapid.SampledFrom([]int64{0, 1, 1764190000000, 1764190000123, 1764190060000, -5, math.MaxInt32}).Draw(t, name))
	}
	word := rapid.SampledFrom([]string{"", "speed", "water_level", "km/h", "PUPR", "a name: with colons", strings.Repeat("x", 300)})
	out := &Thing{ID: rapid.SampledFrom([]string{"awlr:dev-1", "nocolon", "a:b:c", ""}).Draw(t, "id"), Kind: "gauge", Attribution: word.Draw(t, "attribution"),
		At: ms("at"), ReceivedAt: ms("received"), StaleAfter: ms("stale"), Simulated: rapid.Bool().Draw(t, "simulated"), State: map[string]Reading{},
		Position: geo.Position{Lat: -0.8, Lng: 100.6}, Placed: true, Cell: 5}
	out.Feed, out.Name = SplitID(out.ID)
	if rapid.Bool().Draw(t, "other feed") {
		out.Feed = word.Draw(t, "feed")
	}
	if rapid.Bool().Draw(t, "other name") {
		out.Name = word.Draw(t, "name")
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "properties") {
		r := Reading{Unit: word.Draw(t, "unit"), At: ms("r.at"), ReceivedAt: ms("r.received"),
			Quality: Quality(rapid.SampledFrom([]string{"good", "received", "clock_skew", "suspect", "", "strange"}).Draw(t, "quality"))}
		switch rapid.IntRange(0, 2).Draw(t, "type") {
		case 0:
			r.Value.Num = rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 3.41, 0.1, -17, 1e300, 25.3333, 1 << 41})).Draw(t, "num")
		case 1:
			r.Value = Value{Type: Text, Text: word.Draw(t, "text")}
		default:
			r.Value = Value{Type: Bool, Num: float64(rapid.IntRange(0, 1).Draw(t, "bool"))}
		}
		out.State[fmt.Sprint(word.Draw(t, "property"), i)] = r
	}
	return out
}

func TestPackedGivesTheThingBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := anyThing(rt)
		p := Pack(want)
		got := Unpack(&p, want.ID, want.Kind, want.Position, want.Placed, want.Cell)
		if d := cmp.Diff(want, got); d != "" {
			rt.Fatalf("unpacked otherwise:\n%s", d)
		}
		if p.At() != want.At.Milli() {
			rt.Fatalf("at %d, want %d", p.At(), want.At.Milli())
		}
		if p.Properties() != len(want.State) {
			rt.Fatalf("%d properties, want %d", p.Properties(), len(want.State))
		}
		for name, r := range want.State {
			if v, ok := p.Reading(name); !ok || v != r && !(math.IsNaN(v.Value.Num) && math.IsNaN(r.Value.Num)) {
				rt.Fatalf("%s: %v, want %v", name, v, r)
			}
		}
		if _, ok := p.Reading("nobody's"); ok {
			rt.Fatal("a property that is not there")
		}
		again, err := PackRecord(want.ID, want.AppendRecord(nil))
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(want, again.Thing(want.ID, want.Kind, want.Position, want.Placed, want.Cell)); d != "" {
			rt.Fatalf("packed from its record otherwise:\n%s", d)
		}
	})
}

func TestPackRecordRefusesWhatIsNone(t *testing.T) {
	for name, b := range map[string][]byte{"cut": {0x0a, 0xff}, "newer": {8, recordVersion + 1}, "a cut state": {0x4a, 2, 0x0a, 0x09}} {
		if _, err := PackRecord("f:a", b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestInternHoldsOnlySoMuch(t *testing.T) {
	for i := range 3 * mostSymbols {
		name := fmt.Sprint("invented ", i)
		if Intern(name) != name {
			t.Fatalf("%q came back as another", name)
		}
	}
	if n := len(symbols.Load().names); n > mostSymbols {
		t.Errorf("%d names in the table", n)
	}
	symbols.Store(nil)
}

func bus() *Thing {
	at := moment.Of(time.Now())
	return &Thing{ID: "angkot:bus-17", Feed: "angkot", Kind: "bus", Name: "bus-17", At: at, ReceivedAt: at, StaleAfter: moment.Of(at.Add(14 * time.Second)), Attribution: "Dishub",
		State: map[string]Reading{"speed": {Value: Value{Num: 8.33}, Unit: "m/s", At: at, ReceivedAt: at, Quality: Good}, "heading": {Value: Value{Num: 271}, Unit: "deg", At: at, ReceivedAt: at, Quality: Good}}}
}

func BenchmarkPack(b *testing.B) {
	t := bus()
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n = len(Pack(t))
	}
	b.ReportMetric(float64(n), "bytes")
}

func BenchmarkUnpack(b *testing.B) {
	p := Pack(bus())
	b.ReportAllocs()
	for b.Loop() {
		p.Thing("angkot:bus-17", "bus", geo.Position{}, true, 0)
	}
}

func BenchmarkPackRecord(b *testing.B) {
	r := bus().AppendRecord(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := PackRecord("angkot:bus-17", r); err != nil {
			b.Fatal(err)
		}
	}
}
