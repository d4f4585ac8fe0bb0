package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
	"kentongan/server/wire/live"
)

const base = 1795417452000

// moved is a patrol car on the road, as most Things of a tick are.
func moved() *feeds.Thing {
	at := moment.OfMilli(base - 250)
	return &feeds.Thing{ID: "patrol:s-2", Feed: "patrol", Kind: "unit", Name: "Patroli 2", Position: geo.Position{Lat: -0.789012, Lng: 100.654321}, Placed: true,
		Cell: 0x8a65170000007ff, At: at, ReceivedAt: at, StaleAfter: moment.OfMilli(base + 13750), Simulated: true,
		State: map[string]feeds.Reading{
			"speed":   {Value: feeds.Value{Num: 36}, Unit: "km/h", At: at, ReceivedAt: at, Quality: feeds.Good},
			"heading": {Value: feeds.Value{Num: -90.25}, Unit: "deg", At: at, ReceivedAt: at, Quality: feeds.Good},
			"status":  {Value: feeds.Value{Type: feeds.Text, Text: "siaga"}, At: at, ReceivedAt: at, Quality: feeds.Good},
		}}
}

func quiet() *feeds.Thing {
	return &feeds.Thing{ID: "patrol:s-3", Feed: "patrol", Kind: "unit", Name: "Patroli 3", State: map[string]feeds.Reading{}}
}

func cells() []CellRow {
	return []CellRow{
		{Slot: 1, Cell: 0x86651701fffffff, Count: 12, Value: 3.4, Severity: "Severe", ObservedAt: moment.OfMilli(base - 1500), StaleAfter: moment.OfMilli(base + 60000),
			Observers: []string{"awlr", "telemetri"}, Outline: true},
		{Slot: 2, Cell: 0x866517027ffffff, Count: 1, Value: math.NaN(), ObservedAt: moment.OfMilli(base - 900000), StaleAfter: moment.OfMilli(base - 600000), Unobserved: true},
		{Slot: 70000, Cell: 0x86651700fffffff, Value: math.NaN(), Observers: []string{"awlr", "telemetri"}},
	}
}

// messages are one of each, with every field of it in use.
func messages(t *testing.T) map[string][]byte {
	t.Helper()
	gauge := AppendThingFrame(nil, base, "river_gauge", []Row{{Slot: 7, Thing: sample(), Announce: true, Values: true}})
	cars := AppendThingFrame(nil, base, "unit", []Row{{Slot: 70001, Thing: moved(), Announce: true, Values: true}, {Slot: 70002, Thing: quiet(), Announce: true}})
	tick := AppendThingFrame(nil, base, "unit", []Row{{Slot: 70001, Thing: moved()}, {Slot: 70002, Thing: quiet()}})
	frame := AppendCellFrame(nil, base, "river_gauge", cells())
	out := map[string][]byte{
		"things": AppendThingsMessage(nil, [][]byte{tick, gauge}, []uint32{9, 70003}),
		"cells":  AppendCellsMessage(nil, [][]byte{frame}),
		"case":   AppendBinaryCase(nil, TypeIncident, Cursor("e7f3", 184), json.RawMessage(`{"id":"01JD","status":"new"}`)),
	}
	snapshot, err := AppendBinarySnapshot(nil, BinarySnapshot{Resumed: true, Cursor: Cursor("e7f3", 184), Things: [][]byte{gauge, cars}, Cells: [][]byte{frame},
		Documents: Documents{Incidents: docs(`{"id":"01JD"}`, `{"id":"01JE"}`), Alerts: docs(`{"id":"A1"}`), Alarms: docs(`{"id":"L1"}`), Suggestions: docs(`{"id":"S1"}`),
			Plans: docs(`{"id":"P1"}`), Statements: docs(`{"id":"T1"}`), Statuses: docs(`{"id":"area"}`)},
		Feeds: []feeds.FeedStatus{{Name: "awlr", State: feeds.FeedOK}}})
	if err != nil {
		t.Fatal(err)
	}
	out["snapshot"] = snapshot
	for name, v := range map[string]any{
		"hello": Hello{Type: TypeHello, ServerTime: moment.OfMilli(base), Version: "0.1.0", Storage: "durable", Rights: []string{"incident.read", "thing.read"}},
		"feeds": Feed{Type: TypeFeed, Feeds: []feeds.FeedStatus{{Name: "awlr", State: feeds.FeedLate, Reason: "diam 5 menit"}}},
		"stats": Stats{Type: TypeStats, LatencyMS: Latency{120.5, 900, 12.25, 0}},
		"error": Error{Type: TypeError, Code: ErrorBadView, Message: "bbox: 3 numbers"},
		"pong":  Pong{Type: TypePong, ServerTime: moment.OfMilli(base)},
	} {
		if out[name], err = AppendBinaryControl(nil, v); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The same files are read by frontend/src/wire/binary.test.ts.
func TestBinaryGoldens(t *testing.T) {
	for name, got := range messages(t) {
		path := filepath.Join("testdata", name+".bin")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%s differs: %x", path, got)
		}
		if m := read(t, got); m.GetMessage() == nil || len(m.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("%s: the generated types read %v", name, m)
		}
	}
}

func read(t interface{ Fatalf(string, ...any) }, b []byte) *live.ServerMessage {
	m := &live.ServerMessage{}
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatalf("the generated types cannot read it: %v: %x", err, b)
	}
	return m
}

func u32s(b []byte) []uint32 {
	out := make([]uint32, len(b)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return out
}

func u16(b []byte, i int) uint16 {
	if len(b) == 0 {
		return unknown16
	}
	return binary.LittleEndian.Uint16(b[2*i:])
}

func TestControlIsWhatTheTypesSay(t *testing.T) {
	m := messages(t)
	h := read(t, m["hello"]).GetHello()
	if h.ServerTimeMs != base || h.Version != "0.1.0" || h.Storage != "durable" || !slices.Equal(h.Rights, []string{"incident.read", "thing.read"}) {
		t.Error(h)
	}
	if c := read(t, m["case"]).GetCase(); c.Noun != "incident" || c.Cursor != "e7f3:184" || string(c.Doc) != `{"id":"01JD","status":"new"}` {
		t.Error(c)
	}
	var list []feeds.FeedStatus
	if err := json.Unmarshal(read(t, m["feeds"]).GetFeeds().Docs, &list); err != nil || len(list) != 1 || list[0].Reason != "diam 5 menit" {
		t.Error(list, err)
	}
	if s := read(t, m["stats"]).GetStats(); s.EventP50 != 120.5 || s.EventP99 != 900 || s.ReceiptP50 != 12.25 || s.ReceiptP99 != 0 {
		t.Error(s)
	}
	if e := read(t, m["error"]).GetError(); e.Code != ErrorBadView || e.Message != "bbox: 3 numbers" {
		t.Error(e)
	}
	if p := read(t, m["pong"]).GetPong(); p.ServerTimeMs != base {
		t.Error(p)
	}
	s := read(t, m["snapshot"]).GetSnapshot()
	if !s.Resumed || s.Cursor != "e7f3:184" || len(s.Things) != 2 || len(s.Cells) != 1 || len(s.Incidents) != 2 || len(s.Alerts) != 1 {
		t.Error(s)
	}
	th := read(t, m["things"]).GetThings()
	if !slices.Equal(u32s(th.Removed), []uint32{9, 70003}) || len(th.Frames) != 2 || len(th.Frames[0].Announced) != 0 || len(th.Frames[0].Columns) != 0 {
		t.Error(th)
	}
	if _, err := AppendBinaryControl(nil, struct{}{}); err == nil {
		t.Error("a type without a binary form was written")
	}
}

// drawThing makes any Thing a feed can bring forth.
func drawThing(t *rapid.T, i int) *feeds.Thing {
	at := moment.OfMilli(rapid.SampledFrom([]int64{0, base, base - 1, base + 90_000, base - 1<<33}).Draw(t, "at"))
	th := &feeds.Thing{ID: fmt.Sprint("f:", i), Feed: "f", Kind: "k", Name: rapid.String().Draw(t, "name"), Placed: rapid.Bool().Draw(t, "placed"), At: at,
		Position:  geo.Position{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")},
		Simulated: rapid.Bool().Draw(t, "simulated"), State: map[string]feeds.Reading{}}
	for _, p := range rapid.SliceOfN(rapid.SampledFrom([]string{"speed", "heading", "a", "b", "Kecepatan", ""}), 0, 5).Draw(t, "properties") {
		th.State[p] = feeds.Reading{Value: rapid.SampledFrom([]feeds.Value{{Num: 1.5}, {Num: -3}, {Num: 1e9}, {Num: math.NaN()}, {Type: feeds.Text, Text: "ya"}, {Type: feeds.Text},
			{Type: feeds.Bool}, {Type: feeds.Bool, Num: 1}}).Draw(t, "value"), Unit: rapid.SampledFrom([]string{"", "m/s", "km/h", "[kn_i]", "m"}).Draw(t, "unit"), At: at,
			Quality: rapid.SampledFrom(qualities[:]).Draw(t, "quality")}
	}
	return th
}

// What the generated types read from a frame is what was put in, nothing more and nothing less.
func TestThingFramesAreWhatTheRowsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := make([]Row, rapid.IntRange(1, 40).Draw(t, "rows"))
		for i := range rows {
			rows[i] = Row{uint32(i * 40_000_000), drawThing(t, i), rapid.Bool().Draw(t, "announce"), rapid.Bool().Draw(t, "values")}
		}
		f := read(t, AppendThingsMessage(nil, [][]byte{AppendThingFrame(nil, base, "k", rows)}, nil)).GetThings().Frames[0]
		slots, lng, lat, agos := u32s(f.Slot), u32s(f.Lng), u32s(f.Lat), u32s(f.Ago)
		if f.Kind != "k" || len(slots) != len(rows) || len(lng) != len(rows) || len(lat) != len(rows) || len(agos) != len(rows) {
			t.Fatalf("%v", f)
		}
		announced := 0
		for i, r := range rows {
			th := r.Thing
			if slots[i] != r.Slot || !degrees(int32(lng[i]), th.Placed, th.Position.Lng) || !degrees(int32(lat[i]), th.Placed, th.Position.Lat) {
				t.Fatalf("row %d: slot %d at %d %d, want %+v", i, slots[i], int32(lng[i]), int32(lat[i]), th)
			}
			if !when(f.BaseMs, agos[i], th.At.Milli()) {
				t.Fatalf("row %d: %d before %d, want %d", i, agos[i], f.BaseMs, th.At.Milli())
			}
			if u16(f.Heading, i) != headingOf(th) || u16(f.Speed, i) != speedOf(th) {
				t.Fatalf("row %d: heading %d speed %d", i, u16(f.Heading, i), u16(f.Speed, i))
			}
			if r.Announce {
				a := f.Announced[announced]
				announced++
				if a.Slot != r.Slot || a.Id != th.ID || a.Feed != th.Feed || a.Name != th.Name || a.Simulated != th.Simulated || int64(a.StaleMs) != StaleMS(th) {
					t.Fatalf("announced %v, want %+v", a, th)
				}
			}
		}
		if announced != len(f.Announced) {
			t.Fatalf("%d announced, want %d", len(f.Announced), announced)
		}
		values(t, f, rows)
	})
}

func degrees(got int32, placed bool, want float64) bool {
	if !placed {
		return got == unplaced
	}
	return math.Abs(float64(got)/1e6-want) <= 0.5000001e-6
}

func when(baseMS int64, ago uint32, at int64) bool {
	switch {
	case at == 0:
		return ago == neverAgo
	case baseMS-at > longestAgo:
		return ago == longestAgo
	}
	return baseMS-int64(ago) == at
}

// values compares the columns of a frame with the state of its rows.
func values(t *rapid.T, f *live.ThingFrame, rows []Row) {
	want := map[string]int{}
	for _, r := range rows {
		for name, reading := range r.Thing.State {
			if r.Values && !Motion(name, reading) {
				want[fmt.Sprint(r.Slot, name, reading.Unit, reading.Value.Any(), reading.Quality, reading.At)]++
			}
		}
	}
	for _, c := range f.Columns {
		for i, slot := range u32s(c.Slot) {
			var v any
			switch {
			case len(c.Value) == 0:
				v = c.Text[i]
			case c.Truth:
				v = binary.LittleEndian.Uint64(c.Value[8*i:]) != 0
			default:
				v = math.Float64frombits(binary.LittleEndian.Uint64(c.Value[8*i:]))
			}
			q, at := feeds.Good, moment.Time{}
			if len(c.Quality) > 0 {
				q = qualities[c.Quality[i]]
			}
			if ago := u32s(c.Ago)[i]; ago < longestAgo {
				at = moment.OfMilli(f.BaseMs - int64(ago))
			} else if ago == longestAgo {
				at = rows[slot/40_000_000].Thing.At
			}
			want[fmt.Sprint(slot, c.Property, c.Unit, v, q, at)]--
		}
	}
	for k, n := range want {
		if n != 0 {
			t.Fatalf("%s: %d times too few in the columns", k, n)
		}
	}
}

func TestCellFramesAreWhatTheRowsSay(t *testing.T) {
	rows := cells()
	f := read(t, AppendCellsMessage(nil, [][]byte{AppendCellFrame(nil, base, "river_gauge", rows)})).GetCells().Frames[0]
	if f.Layer != "river_gauge" || f.BaseMs != base || len(f.Sets) != 2 || len(f.Outlines) != 1 {
		t.Fatalf("%v", f)
	}
	o := f.Outlines[0]
	if o.Slot != 1 || o.Cell != rows[0].Cell.String() || o.Resolution != 6 || len(o.Ring) != 8*len(rows[0].Cell.Boundary()) {
		t.Errorf("outline %v", o)
	}
	slots, counts, agos, stale := u32s(f.Slot), u32s(f.Count), u32s(f.ObservedAgo), u32s(f.StaleIn)
	for i, r := range rows {
		v := math.Float64frombits(binary.LittleEndian.Uint64(f.Value[8*i:]))
		if slots[i] != r.Slot || int(counts[i]) != r.Count || !when(base, agos[i], r.ObservedAt.Milli()) || severities[f.Severity[i]] != r.Severity ||
			(f.Unobserved[i] == 1) != r.Unobserved || !slices.Equal(f.Sets[u16(f.Observers, i)].Feeds, r.Observers) || (v != r.Value && !math.IsNaN(r.Value)) {
			t.Errorf("row %d of %v, want %+v", i, f, r)
		}
		if in := int32(stale[i]); r.StaleAfter.IsZero() != (in == unknownIn) || !r.StaleAfter.IsZero() && base+int64(in) != r.StaleAfter.Milli() {
			t.Errorf("row %d stale in %d, want %v", i, in, r.StaleAfter)
		}
	}
	for _, r := range rows {
		want, err := json.Marshal(CellOf("river_gauge", r))
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendCell(nil, "river_gauge", r); !bytes.Equal(got, want) {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	golden(t, "cells.json", AppendCells(nil, [][]byte{AppendCell(nil, "river_gauge", rows[0]), AppendCell(nil, "river_gauge", rows[1])}))
}

func TestSpeedAndHeading(t *testing.T) {
	for _, c := range []struct {
		property, unit string
		value          float64
		want           uint16
	}{
		{"speed", "m/s", 12.345, 1235}, {"speed", "", 1, 100}, {"speed", "km/h", 36, 1000}, {"speed", "[kn_i]", 10, 514}, {"speed", "[mi_i]/h", 10, unknown16},
		{"speed", "m/s", -1, unknown16}, {"speed", "m/s", 655.34, 65534}, {"speed", "m/s", 700, unknown16}, {"speed", "m/s", math.NaN(), unknown16},
		{"heading", "deg", 0, 0}, {"heading", "deg", 360, 0}, {"heading", "deg", 359.999, 0}, {"heading", "deg", -90, 27000}, {"heading", "", 12.34, 1234},
		{"heading", "deg", 1e9, unknown16}, {"heading", "deg", math.Inf(1), unknown16},
	} {
		r := feeds.Reading{Value: feeds.Value{Num: c.value}, Unit: c.unit, Quality: feeds.Good}
		got := speed(r)
		if c.property == "heading" {
			got = heading(r)
		}
		if got != c.want || Motion(c.property, r) != (c.want != unknown16) {
			t.Errorf("%s %v %s: %d, want %d", c.property, c.value, c.unit, got, c.want)
		}
	}
}

// city is n moved Things in buckets, each bucket of one kind.
func city(n, buckets int) [][]Row {
	out := make([][]Row, buckets)
	for i := range n {
		th := moved()
		th.At = moment.OfMilli(base - int64(i%250))
		th.Position.Lng += float64(i) * 1e-6
		out[i%buckets] = append(out[i%buckets], Row{Slot: uint32(i), Thing: th})
	}
	return out
}

func frames(buckets [][]Row) [][]byte {
	var chunks [][]byte
	for _, rows := range buckets {
		chunks = append(chunks, AppendThingFrame(nil, base, "unit", rows))
	}
	return chunks
}

// Issue 3: at most 22 bytes for each moved Thing; a city of 20,000 of them in 300 buckets.
func TestBytesPerMovedThing(t *testing.T) {
	for _, c := range []struct {
		things, buckets int
		most            float64
	}{{20_000, 300, 22}, {20_000, 1500, 25}} {
		n := float64(len(AppendThingsMessage(nil, frames(city(c.things, c.buckets)), nil))) / float64(c.things)
		t.Logf("%d moved Things in %d frames: %.2f bytes each", c.things, c.buckets, n)
		if n > c.most {
			t.Errorf("%.2f bytes for each moved Thing, want at most %.0f", n, c.most)
		}
	}
}

func BenchmarkAppendThingFrame(b *testing.B) {
	rows, buf := city(67, 1)[0], make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendThingFrame(buf[:0], base, "unit", rows)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/67, "ns/Thing")
}

func BenchmarkAppendThingFrameWithValues(b *testing.B) {
	rows, buf := city(67, 1)[0], make([]byte, 0, 16384)
	for i := range rows {
		rows[i].Announce, rows[i].Values = true, true
	}
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendThingFrame(buf[:0], base, "unit", rows)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/67, "ns/Thing")
}

func docs(list ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(list))
	for i, d := range list {
		out[i] = json.RawMessage(d)
	}
	return out
}
