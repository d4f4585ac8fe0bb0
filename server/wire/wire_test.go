package wire

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var update = flag.Bool("update", false, "write the golden payloads anew")

func sample() *feeds.Thing {
	at, received := moment.OfMilli(1795417451000), moment.OfMilli(1795417451412)
	return &feeds.Thing{ID: "awlr:dev-12", Feed: "awlr", Kind: "river_gauge", Name: "AWLR Batang Lembang", Position: geo.Position{Lat: -0.83, Lng: 100.63}, Placed: true,
		Cell: 0x8a65170000007ff, At: at, ReceivedAt: received, StaleAfter: moment.OfMilli(1795417525412), Attribution: "BWS Sumatera V",
		State: map[string]feeds.Reading{
			"water_level": {Value: feeds.Value{Num: 3.4}, Unit: "m", At: at, ReceivedAt: received, Quality: feeds.Good},
			"gate":        {Value: feeds.Value{Type: feeds.Text, Text: "Siaga \"II\" <b>"}, At: at, ReceivedAt: received, Quality: feeds.Received},
			"alarm":       {Value: feeds.Value{Type: feeds.Bool, Num: 1}, At: at, ReceivedAt: received, Quality: feeds.Good},
		}}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatalf("%s is not JSON: %v: %s", name, err, got)
	}
	pretty.WriteByte('\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, pretty.Bytes()) {
		t.Errorf("%s differs:\n%s", name, pretty.Bytes())
	}
}

func TestGoldenPayloads(t *testing.T) {
	row := AppendThing(nil, sample())
	golden(t, "things.json", AppendThings(nil, [][]byte{row}, []string{"awlr:dev-13"}))
	golden(t, "incident.json", AppendCase(nil, TypeIncident, Cursor("e7f3", 184), json.RawMessage(`{"id":"01JD","status":"new"}`)))
	snapshot, err := AppendSnapshot(nil, RawSnapshot{Resumed: true, Cursor: Cursor("e7f3", 184), Things: [][]byte{row, row},
		Documents: Documents{Incidents: []json.RawMessage{json.RawMessage(`{"id":"01JD"}`)}}, Feeds: []feeds.FeedStatus{{Name: "awlr", State: feeds.FeedOK}}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "snapshot.json", snapshot)
	hello, err := json.Marshal(Hello{Type: TypeHello, ServerTime: moment.OfMilli(1795417451000), Version: "0.1.0", Storage: "durable", Rights: []string{"incident.read"}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "hello.json", hello)
}

func TestRowsAreWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		th := sample()
		th.Name = rapid.String().Draw(t, "name")
		th.Placed = rapid.Bool().Draw(t, "placed")
		th.Position = geo.Position{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")}
		th.State[rapid.String().Draw(t, "property")] = feeds.Reading{Value: feeds.Value{Num: rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) }).Draw(t, "value")},
			At: moment.OfMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")), Quality: feeds.Good}
		want, err := json.Marshal(ThingOf(th))
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendThing(nil, th); !bytes.Equal(got, want) {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	})
}

func TestCursor(t *testing.T) {
	for _, c := range []struct {
		text, epoch string
		offset      int64
		ok          bool
	}{{"e7f3:184", "e7f3", 184, true}, {"a:b:0", "a:b", 0, true}, {"", "", 0, false}, {":5", "", 0, false}, {"e:-1", "", 0, false}, {"e:x", "", 0, false}} {
		epoch, offset, ok := ParseCursor(c.text)
		if epoch != c.epoch || offset != c.offset || ok != c.ok {
			t.Errorf("%q: %q %d %v", c.text, epoch, offset, ok)
		}
		if ok && Cursor(epoch, offset) != c.text {
			t.Errorf("%q comes back as %q", c.text, Cursor(epoch, offset))
		}
	}
}

func TestReturns(t *testing.T) {
	for code, want := range map[int]bool{CloseGoingAway: true, ClosePolicy: false, CloseTooBig: false, CloseInternal: true, CloseSlow: true, CloseChanged: true, 1006: true} {
		if Returns(code) != want {
			t.Errorf("%d: %v", code, !want)
		}
	}
}

func BenchmarkAppendThing(b *testing.B) {
	th, buf := sample(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendThing(buf[:0], th)
	}
}
