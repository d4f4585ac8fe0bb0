package geojson

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string {
	return feedtest.Recorded(t, "maps/*.geojson", "boundaries/*-kemendagri2025.geojson", "boundaries/indonesia-provinsi.geojson")
}

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

// TestRecordedWithoutID: the boundaries of BPS have no ids of their own; a property stands for them.
func TestRecordedWithoutID(t *testing.T) {
	body := feedtest.Read(t, feedtest.Recorded(t, "boundaries/kota-solok-bps2020.geojson")[0])
	if b := decode(t, Format{}, string(body)); b.Records() != 0 || len(b.Rejected) != 13 {
		t.Errorf("without the option: %d records, %d rejected", b.Records(), len(b.Rejected))
	}
	b := decode(t, made(t, map[string]any{"id": "village_code", "name": "village"}), string(body))
	if o := b.Observations[0]; len(b.Rejected) != 0 || o.Thing != "id1372010006" || o.Name != "Aro IV Korong" || math.Abs(o.Position.Lat+0.79) > 0.05 || math.Abs(o.Position.Lng-100.65) > 0.05 {
		t.Errorf("got %+v, rejected %v", o, b.Rejected)
	}
}

func TestContract(t *testing.T) {
	for _, file := range append(recorded(t), seeds(t)...) {
		feedtest.Document(t, Format{}, feedtest.Read(t, file))
	}
	for _, seed := range seeds(t) {
		feedtest.Document(t, made(t, map[string]any{"map": `{thing: .id, property: "n", value: 1}`}), feedtest.Read(t, seed))
	}
}

const gauge = `{"type":"Feature","id":"a","properties":{"level":2.5,"ok":true,"note":"x","empty":"","none":null,"in":{"n":1},"list":[1],"nama":"Pintu Air","t":1793588400},"geometry":{"type":"Point","coordinates":[100.65,-0.79]}}`

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + "\n" + strings.Join(features, ",\n") + `]}`
}

func made(t testing.TB, options map[string]any) feeds.Format {
	t.Helper()
	f, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func decode(t testing.TB, f feeds.Format, body string) feeds.Batch {
	t.Helper()
	b, err := f.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestThing(t *testing.T) {
	b := decode(t, made(t, map[string]any{"name": "nama", "at": "t"}), collection(gauge))
	got := map[string]any{}
	for _, o := range b.Observations {
		got[o.Property] = o.Value.Any()
		if o.Thing != "a" || o.Name != "Pintu Air" || o.At.Unix() != 1793588400 || o.Position != (geo.Position{Lat: -0.79, Lng: 100.65}) || !o.Placed {
			t.Errorf("got %+v", o)
		}
	}
	if diff := cmp.Diff(map[string]any{"level": 2.5, "ok": true, "note": "x", "in.n": 1.0}, got); diff != "" || !b.Snapshot {
		t.Error(diff)
	}
	b = decode(t, Format{}, gauge)
	if o := b.Observations[0]; !o.At.IsZero() || o.Name != "" || b.Snapshot {
		t.Errorf("one feature without options: %+v", o)
	}
	for at, want := range map[string]string{"1793588400000": "2026-11-02T03:00:00.000Z", `"2026-11-02T10:00:00+07:00"`: "2026-11-02T03:00:00.000Z", "null": ""} {
		o := decode(t, made(t, map[string]any{"at": "t"}), strings.Replace(gauge, "1793588400", at, 1)).Observations[0]
		if o.At.String() != want {
			t.Errorf("%s became %s", at, o.At)
		}
	}
	if b := decode(t, made(t, map[string]any{"id": "nama"}), gauge); b.Observations[0].Thing != "Pintu Air" {
		t.Errorf("id %q", b.Observations[0].Thing)
	}
	bare := `{"type":"Feature","id":9,"properties":null,"geometry":{"type":"Point","coordinates":[100.65,-0.79]}}`
	if b := decode(t, Format{}, bare); len(b.Positions) != 1 || b.Positions[0].Unit != "9" {
		t.Errorf("no values: %+v", b)
	}
	if b := decode(t, Format{}, `{"type":"Feature","id":9,"properties":{},"geometry":null}`); len(b.Ignored) != 1 {
		t.Errorf("nothing: %+v", b)
	}
	if b := decode(t, Format{}, `{"type":"Feature","id":9,"properties":{"a":1},"geometry":null}`); b.Observations[0].Placed {
		t.Errorf("no place: %+v", b)
	}
}

func TestPlace(t *testing.T) {
	for geometry, want := range map[string]geo.Position{
		`{"type":"MultiPoint","coordinates":[[100,-1],[101,-1]]}`:                                                                {Lat: -1, Lng: 100},
		`{"type":"LineString","coordinates":[[100,-1],[101,-1],[101,0]]}`:                                                        {Lat: -1, Lng: 101},
		`{"type":"Polygon","coordinates":[[[100,-1],[102,-1],[102,1],[100,1],[100,-1]]]}`:                                        {Lat: 0, Lng: 101},
		`{"type":"MultiPolygon","coordinates":[[[[90,1],[91,1],[91,2],[90,1]]],[[[100,-1],[102,-1],[102,1],[100,1],[100,-1]]]]}`: {Lat: 0, Lng: 101},
		`{"type":"Polygon","coordinates":[[[100,-1],[100,-1],[100,-1],[100,-1]]]}`:                                               {Lat: -1, Lng: 100},
	} {
		got, err := place([]byte(geometry))
		if err != nil || math.Abs(got.Lat-want.Lat) > 1e-9 || math.Abs(got.Lng-want.Lng) > 1e-9 {
			t.Errorf("%s stands at %v, %v", geometry, got, err)
		}
	}
}

func TestMap(t *testing.T) {
	f := made(t, map[string]any{"map": `def unit: "m"; {thing: .id, property: "water_level", value: .properties.level, unit: unit} # a comment`})
	b := decode(t, f, collection(gauge))
	if o := b.Observations[0]; len(b.Observations) != 1 || o.Thing != "a" || o.Property != "water_level" || o.Value.Num != 2.5 || o.Unit != "m" ||
		o.Position != (geo.Position{Lat: -0.79, Lng: 100.65}) || !b.Snapshot {
		t.Errorf("got %+v, rejected %v", b.Observations, b.Rejected)
	}
	b = decode(t, made(t, map[string]any{"map": `[{thing: .id, property: "n", value: 1, lat: -0.8, lng: 100.7}]`}), gauge)
	if o := b.Observations[0]; o.Position != (geo.Position{Lat: -0.8, Lng: 100.7}) || b.Snapshot {
		t.Errorf("a place of its own: %+v", o)
	}
	area := strings.Replace(gauge, `{"type":"Point","coordinates":[100.65,-0.79]}`, `{"type":"Polygon","coordinates":[[[100,-1],[101,-1],[101,0],[100,-1]]]}`, 1)
	b = decode(t, made(t, map[string]any{"map": `{record: "alert", identifier: .id, sent: "2026-11-02T03:00:00Z", event: "Banjir"}`}), area)
	if len(b.Alerts) != 1 || len(b.Alerts[0].Message.Infos[0].Areas[0].Shape.Polygons) != 1 {
		t.Errorf("an alert: %+v, rejected %v", b.Alerts, b.Rejected)
	}
	b = decode(t, f, collection(gauge, strings.Replace(gauge, "2.5", `"high"`, 1), strings.Replace(gauge, "[100.65,-0.79]", "[-0.79,100.65]", 1)))
	if len(b.Observations) != 2 || len(b.Rejected) != 1 || b.Rejected[0].Index != 2 {
		t.Errorf("swapped: %d, rejected %v", len(b.Observations), b.Rejected)
	}
	if b := decode(t, f, collection()); len(b.Ignored) != 0 || !b.Snapshot {
		t.Errorf("no features: %+v", b)
	}
	if _, err := f.Decode([]byte(collection(strings.Replace(gauge, `"level"`, `"level":1,"level"`, 1))), feedtest.Meta()); err == nil {
		t.Error("a key given twice was handed to the map")
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		options map[string]any
		want    string
	}{
		{map[string]any{"colour": 1}, `option "colour"`},
		{map[string]any{"id": 7}, "want the name of a property"},
		{map[string]any{"map": ".", "id": "x"}, "stands without a map only"},
		{map[string]any{"map": "{"}, "line 1 column"},
		{map[string]any{"map": 7}, "want a jq program"},
	} {
		if _, err := New(c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: want %q, got %v", c.options, c.want, err)
		}
	}
}

func TestFeatures(t *testing.T) {
	swap := func(old, new string) string {
		return strings.Replace(strings.Replace(gauge, `"id":"a"`, `"id":"b"`, 1), old, new, 1)
	}
	for _, c := range []struct{ name, feature, reason string }{
		{"swapped", swap("100.65,-0.79", "-0.79,100.65"), "swapped?"},
		{"null island", swap("100.65,-0.79", "0,0"), "unknown place"},
		{"half a position", swap("100.65,-0.79", "100.65"), "a position of one number"},
		{"no id", swap(`"id":"b",`, ""), "id is missing"},
		{"id again", gauge, "was given before, by feature 0"},
		{"bad id", swap(`"id":"b"`, `"id":"b\u0007c"`), "not plain text"},
		{"key twice", swap(`"level"`, `"level":1,"level"`), "given twice"},
		{"key in two cases", swap(`"level"`, `"Level":1,"level"`), "differ only in case"},
		{"not a feature", swap(`"Feature"`, `"Point"`), "is not Feature"},
		{"too deep", swap(`{"n":1}`, `{"a":{"b":{"c":{"d":1}}}}`), "too deep"},
		{"long text", swap(`"note":"x"`, `"note":"`+strings.Repeat("x", maxText+1)+`"`), "longer than"},
		{"empty geometry", swap(`{"type":"Point","coordinates":[100.65,-0.79]}`, `{"type":"LineString","coordinates":[]}`), "geometry"},
		{"not an object", "7", "not an object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			feedtest.OneBad(t, Format{}, []byte(collection(gauge, c.feature)), 1, "feature at line 3", c.reason)
		})
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "{}", "[]", "<rss/>", gauge + "x", `{"type":"Point","coordinates":[1,2]}`, `{"type":"Topology"}`, `{"type":"FeatureCollection"}`,
		`{"type":"FeatureCollection","features":{}}`, `{"type":"FeatureCollection","features":[],"features":[]}`} {
		for _, f := range []feeds.Format{Format{}, made(t, map[string]any{"map": "."})} {
			b, err := f.Decode([]byte(body), feedtest.Meta())
			if err == nil {
				t.Errorf("%.60q: want an error, got %+v", body, b)
			}
			feedtest.Check(t, b, err)
		}
	}
	if b := decode(t, Format{}, collection()); b.Records() != 0 || !b.Snapshot {
		t.Errorf("no features: %+v", b)
	}
}

func seeds(t testing.TB) []string {
	files, err := filepath.Glob("testdata/seed/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no seeds under testdata/seed")
	}
	return files
}

func FuzzDecode(f *testing.F) {
	for _, file := range seeds(f) {
		f.Add(feedtest.Read(f, file))
	}
	program := made(f, map[string]any{"map": `{thing: "\(.id)", property: "n", value: .properties.level}`})
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, format := range []feeds.Format{Format{}, program} {
			b, err := format.Decode(body, feedtest.Meta())
			feedtest.Check(t, b, err)
		}
	})
}
